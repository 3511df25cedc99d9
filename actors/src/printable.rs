//! Which characters a reader sees as what they are, and how the others are written out.
//!
//! A terminal obeys control characters, hides format characters and lets bidirectional controls
//! turn the order of what stands around them. Whoever reads an agent's words must see all of them.

use std::borrow::Cow;

/// Whether it is shown as itself wherever text is shown: no control, no format character, no line
/// or paragraph separator, nothing that is left out when it is drawn.
pub fn is_printable(it: char) -> bool {
    !it.is_control()
        && !matches!(it,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{70f}' | '\u{115f}'..='\u{1160}'
            | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}'
            | '\u{ffa0}' | '\u{fdd0}'..='\u{fdef}' | '\u{fff0}'..='\u{fffb}'
            | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
        && it as u32 & 0xfffe != 0xfffe
}

/// One line in which every character is seen: line ends and tabs are escaped as well.
pub fn one_line(text: &str) -> Cow<'_, str> {
    escaped(text, |_| false)
}

/// Lines in which every character is seen; their ends and tabs stay.
pub fn lines(text: &str) -> Cow<'_, str> {
    escaped(text, |it| matches!(it, '\n' | '\t'))
}

fn escaped(text: &str, stays: impl Fn(char) -> bool) -> Cow<'_, str> {
    let seen = |it: char| is_printable(it) || stays(it);
    if text.chars().all(seen) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for it in text.chars() {
        match it {
            it if seen(it) => out.push(it),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            it => out.push_str(&format!("\\u{{{:x}}}", it as u32)),
        }
    }
    Cow::Owned(out)
}

/// JSON text that means the same and in which every character is seen: outside of its strings JSON
/// has none that is not.
pub fn json(text: &str) -> Cow<'_, str> {
    if text.chars().all(is_printable) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for it in text.chars() {
        if is_printable(it) {
            out.push(it);
            continue;
        }
        let mut units = [0; 2];
        for unit in it.encode_utf16(&mut units) {
            out.push_str(&format!("\\u{unit:04x}"));
        }
    }
    Cow::Owned(out)
}

/// A number with the word for one of it, or for more.
pub fn count(number: u64, one: &str, more: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { more })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_obeys_or_hides_is_written_out() {
        let hostile = "a\u{1b}[2J\r\u{7f}\u{9b}31m\u{202e}b\u{200b}c\u{2028}d\u{e0041}\u{fffe}";
        let seen =
            "a\\u{1b}[2J\\r\\u{7f}\\u{9b}31m\\u{202e}b\\u{200b}c\\u{2028}d\\u{e0041}\\u{fffe}";
        assert_eq!(one_line(hostile), seen);
        assert_eq!(lines(hostile), seen);
        assert_eq!(one_line("a\tb\nc"), "a\\tb\\nc");
        assert_eq!(lines("a\tb\nc"), "a\tb\nc");
        assert_eq!(json("{\"a\u{7f}\":\"\u{e0041}\"}"), "{\"a\\u007f\":\"\\udb40\\udc41\"}");
    }

    #[test]
    fn what_people_write_stays() {
        for text in ["é e\u{301} ß 日本語 кофе עברית हिन्दी 👍🏽 ❤️", "a b", ""]
        {
            assert!(matches!(one_line(text), Cow::Borrowed(it) if it == text), "{text}");
            assert!(matches!(json(text), Cow::Borrowed(_)), "{text}");
        }
    }
}
