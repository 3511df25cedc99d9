//! What happens, one line an entry: when, who, what, and what came of it. The same columns wherever
//! it is told, so that changes of spaces and what agents did stand below each other.

use crate::operation::{Column, Line, TextTable, Tone};
use stoa_actors::ending::shown;

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

/// A text with the ends of the ids in it, as people are shown them.
pub(crate) fn short_ids(text: &str) -> String {
    let is_id = |it: char| it.is_ascii_digit() || it.is_ascii_uppercase();
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(begins) = rest.find(is_id) {
        let (before, from) = rest.split_at(begins);
        let ends = from.find(|it: char| !it.is_ascii_alphanumeric()).unwrap_or(from.len());
        let (word, after) = from.split_at(ends);
        let alone = before.chars().next_back().is_none_or(|it| !it.is_alphanumeric());
        out += before;
        out += if alone && word.chars().all(is_id) { shown(word) } else { word };
        rest = after;
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_shown_by_their_ends_and_nothing_else_is_changed() {
        let id = "01J8Z3NDEKTSV4RRFFQ69G5FAV";
        let end = shown(id);
        let text = format!("{id} board.put → {id} v1, x{id} {id}x {id}0 É{id}");
        let short = format!("{end} board.put → {end} v1, x{id} {id}x {id}0 É{id}");
        assert_eq!(short_ids(&text), short);
        for same in ["", "WATER THE PLANTS", "日本語", "a1 B2"] {
            assert_eq!(short_ids(same), same);
        }
    }
}
