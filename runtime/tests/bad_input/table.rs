//! What can be typed wrong, and what is said to it.

#![expect(clippy::expect_used, reason = "a table that cannot be read fails its test")]

/// A command line, all of its stderr with ids masked, and its exit code.
///
/// `{atom}` is an atom in `tasks`, `{gone}` a deprecated one, `{none}` one that is not there;
/// `{100k}` is so many bytes, `{deep33}` a list in lists. `<FILE` is stdin.
pub(crate) struct Row {
    pub(crate) args: Vec<String>,
    pub(crate) says: String,
    pub(crate) code: i32,
}

/// Rows after which the log is what it was.
pub(crate) fn nothing_written() -> Vec<Row> {
    rows(include_str!("nothing_written.txt"))
}

/// Rows of which the log keeps one entry: a delegation that was refused.
pub(crate) fn refusal_written() -> Vec<Row> {
    rows(include_str!("refusal_written.txt"))
}

fn rows(text: &str) -> Vec<Row> {
    let rows: Vec<Row> = text.split("$ stoa ").skip(1).map(row).collect();
    assert!(!rows.is_empty());
    assert_eq!(rows.len(), text.matches("\n=> ").count(), "every command line has a code");
    rows
}

fn row(text: &str) -> Row {
    let (line, rest) = text.split_once('\n').expect("a command line");
    let (says, code) = rest.split_once("\n=> ").expect("an exit code");
    let code = code.trim().parse().expect("a number");
    Row { args: words(line), says: says.to_owned(), code }
}

/// Words as a shell reads them, as far as single quotes go.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (n, part) in line.split('\'').enumerate() {
        if n % 2 == 1 {
            words.push(part.to_owned());
        } else {
            words.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    words
}
