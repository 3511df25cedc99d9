//! What is to be typed next, with the directory and the identity that were typed now.

use std::sync::OnceLock;
use stoa_kernel::problem::quoted;

/// The directory and the identity, each as it is typed again.
static TYPED: OnceLock<[String; 2]> = OnceLock::new();

/// Keeps what was typed for every command.
pub(super) fn keep(data: Option<&str>, session: Option<&str>) {
    let typed = [("--data", data), ("--as", session)]
        .map(|(flag, value)| value.map_or(String::new(), |it| format!(" {flag} {}", quoted(it))));
    // The first word of a process counts; there is no second.
    drop(TYPED.set(typed));
}

/// A text with each `` `stoa … ` `` in it as it is to be typed here.
pub(super) fn in_text(text: &str) -> String {
    match TYPED.get() {
        Some(typed) => carried(text, typed),
        None => text.to_owned(),
    }
}

fn carried(text: &str, [data, session]: &[String; 2]) -> String {
    let mut pieces = text.split("`stoa ");
    let mut out = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        // Whoever serves a directory does it for everybody.
        let session = if piece.starts_with("serve") { "" } else { session };
        out = format!("{out}`stoa{data}{session} {piece}");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_to_be_typed_is_of_this_directory_and_this_identity() {
        let typed = [" --data 'a b'".to_owned(), " --as bob".to_owned()];
        let text = "nobody runs them: `stoa serve`; look with `stoa agent list`, or go";
        let here = "nobody runs them: `stoa --data 'a b' serve`; look with \
                    `stoa --data 'a b' --as bob agent list`, or go";
        assert_eq!(carried(text, &typed), here);
        assert_eq!(carried(text, &Default::default()), text);
    }
}
