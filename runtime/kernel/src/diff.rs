//! The lines that two contents differ in.

use similar::TextDiff;
use std::time::Duration;
use stoa_actors::atom::Content;
use stoa_actors::log::Hash;
use stoa_actors::value::Value;

/// How long the shortest difference of two texts is looked for; then any will do.
const DIFF_MS_MAX: Duration = Duration::from_millis(500);

/// Lines that are the same around those that are not.
const CONTEXT_LINES: usize = 3;

/// A unified diff of two contents: of texts by line, of JSON as it is printed with one value a
/// line, of bytes by their type, size and hash.
pub fn unified(before: &Content, after: &Content) -> String {
    let (before, after) = (lines(before), lines(after));
    let mut config = TextDiff::configure();
    let diff = config.timeout(DIFF_MS_MAX).diff_lines(&before, &after);
    diff.unified_diff().context_radius(CONTEXT_LINES).to_string()
}

fn lines(content: &Content) -> String {
    match content {
        Content::Text(text) => text.clone(),
        Content::Json(value) => {
            let mut out = String::new();
            tree(value, 0, &mut out);
            out
        }
        Content::Bytes { media_type, bytes } => {
            format!("{} bytes of {media_type}, {}\n", bytes.len(), Hash::of(bytes))
        }
        Content::Erased | Content::Redacted => String::new(),
    }
}

/// One value a line, indented by its depth, which is bounded where values are read.
fn tree(value: &Value, depth: usize, out: &mut String) {
    let pad = "  ".repeat(depth);
    match value {
        Value::List(list) if !list.is_empty() => list.iter().for_each(|it| {
            *out += &format!("{pad}-\n");
            tree(it, depth + 1, out);
        }),
        Value::Map(map) if !map.is_empty() => map.iter().for_each(|(key, it)| match it {
            Value::List(_) | Value::Map(_) => {
                *out += &format!("{pad}{key}:\n");
                tree(it, depth + 1, out);
            }
            plain => *out += &format!("{pad}{key}: {plain}\n"),
        }),
        plain => *out += &format!("{pad}{plain}\n"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_that_differ_are_shown_with_those_around() {
        let text = |it: &str| Content::Text(it.into());
        let shown = unified(&text("a\nb\nc\n"), &text("a\nx\nc\n"));
        assert_eq!(shown, "@@ -1,3 +1,3 @@\n a\n-b\n+x\n c\n");
        assert_eq!(unified(&text("a"), &text("a")), "");
    }

    #[test]
    fn json_differs_by_value() {
        let json = |n: i64| {
            let inner = Value::Map([("n".to_owned(), Value::Int(n))].into());
            Content::Json(Value::Map([("list".to_owned(), Value::List(vec![inner]))].into()))
        };
        let shown = unified(&json(1), &json(2));
        assert!(shown.ends_with(" list:\n   -\n-    n: 1\n+    n: 2\n"), "{shown}");
    }

    #[test]
    fn bytes_differ_by_type_and_size() {
        let bytes = |n| Content::Bytes { media_type: "image/png".into(), bytes: vec![0; n] };
        assert!(unified(&bytes(1), &bytes(2)).contains("+2 bytes of image/png"));
    }
}
