//! What happens, one line an entry: when, who, what, and what came of it. The same columns wherever
//! it is told, so that changes of spaces and what agents did stand below each other.

use crate::operation::{Column, Line, TextTable, Tone};

/// Its columns: the cursor, when, by whom, what, of what, and in words.
pub(crate) static HAPPENS: TextTable = TextTable {
    columns: &[
        Column::number("CURSOR").left_out(1).least(5),
        Column::new("WHEN").least(8),
        Column::new("WHO").least(5),
        Column::new("WHAT").least(11),
        Column::new("OF").left_out(2),
        Column::new("IN WORDS").cut_to(8),
    ],
    headed: false,
    tree: false,
};

/// What something that happened means to who looks on.
pub(crate) fn tone_of(kind: &str) -> Tone {
    match kind.rsplit('.').next().unwrap_or(kind) {
        "put" | "created" | "spawned" | "born" | "imported" => Tone::New,
        "deprecated" | "erased" | "failed" | "quarantined" | "broken" | "wiped" | "refused"
        | "revoked" => Tone::Bad,
        "expired" | "parked" | "stopped" | "exhausted" | "exceeded" => Tone::Warn,
        _ => Tone::Bold,
    }
}

/// A type of what happened, in its tone.
pub(crate) fn kind(of: &str) -> Line {
    Line::new().piece(tone_of(of), of)
}
