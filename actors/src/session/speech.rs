//! What a model says, taken apart: words, and the code between its fences.
//!
//! | what stands there | what it is |
//! |---|---|
//! | ```` ```python ````, `py`, `python3`, `Python`, `{python}`, `{.python}`, `tool_code`; words behind it | code |
//! | `~~~python`, or more than three of either | code, up to a fence of the same kind that is as long |
//! | a fence that is indented, in a list for instance | code, without that indent |
//! | several fences | one piece of code, in order |
//! | a fence in a string of three quotes | a part of the string, if the string ends before a later fence |
//! | a fence that is not closed | code up to the end: whoever may have been cut off is not asked for it |
//! | a fence without a word, or of another language | words |
//! | a fence in the midst of a line | words |

use super::Generation;

/// What a model says: words, and code to run if it wants to act. Without code the turn ends.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub struct Thought {
    pub text: String,
    pub code: Option<String>,
    /// What it took, as the model reports it; 0 offline. It is kept as
    /// [`LedgerEntry::Spent`](super::LedgerEntry::Spent): what is read back from the log says 0.
    pub tokens: u64,
    /// What it cost, in millionths of the currency that prices are in; kept in the same way.
    pub money: u64,
    /// The reply that it was read from, where a provider made it.
    pub generation: Option<Box<Generation>>,
    /// Why nothing of the reply is acted upon: it is shown to the model, which goes on. Such a reply has
    /// no code.
    pub unusable: Option<String>,
}

/// Splits a reply in Markdown into words and code, as the table above says.
pub fn thought(reply: &str) -> Thought {
    let lines: Vec<&str> = reply.lines().collect();
    let (mut text, mut code) = (String::new(), String::new());
    let mut at = 0;
    while let Some(line) = lines.get(at) {
        at += 1;
        let Some(fence) = Fence::begins(line) else {
            push(&mut text, line);
            continue;
        };
        let end = fence.end(&lines, at);
        let body = &lines[at..end.min(lines.len())];
        if fence.is_python() {
            body.iter().for_each(|it| push(&mut code, fence.outdented(it)));
        } else {
            let whole = &lines[at - 1..(end + 1).min(lines.len())];
            whole.iter().for_each(|it| push(&mut text, it));
        }
        at = end + 1;
    }
    let code = (!code.trim().is_empty()).then_some(code);
    Thought { text: text.trim().to_owned(), code, ..Thought::default() }
}

/// Whether a block of code in it is not closed.
pub fn is_open(reply: &str) -> bool {
    let lines: Vec<&str> = reply.lines().collect();
    let mut at = 0;
    while let Some(line) = lines.get(at) {
        at += 1;
        if let Some(fence) = Fence::begins(line) {
            let end = fence.end(&lines, at);
            if end == lines.len() && fence.is_python() {
                return true;
            }
            at = end + 1;
        }
    }
    false
}

/// A line that begins a block.
struct Fence<'a> {
    /// The blanks in front of it.
    indent: &'a str,
    /// The ticks or tildes.
    marks: &'a str,
    /// What stands behind it.
    info: &'a str,
}

/// How many fences are looked at for the one at which no string is open: what has more of them is not
/// read again and again.
const CLOSING_MAX: usize = 64;

/// What models call the code that they want run.
const PYTHON: [&str; 5] = ["python", "py", "python3", "py3", "tool_code"];

impl<'a> Fence<'a> {
    fn begins(line: &'a str) -> Option<Fence<'a>> {
        let start = line.trim_start();
        let mark = start.chars().next().filter(|it| matches!(it, '`' | '~'))?;
        let info = start.trim_start_matches(mark);
        let marks = &start[..start.len() - info.len()];
        // Ticks behind ticks are code within a line.
        let whole = marks.len() >= 3 && !(mark == '`' && info.contains('`'));
        let indent = &line[..line.len() - start.len()];
        whole.then_some(Fence { indent, marks, info: info.trim() })
    }

    fn is_python(&self) -> bool {
        let word = self.info.trim_start_matches(['{', '.']);
        let word = word.split(|it: char| it.is_whitespace() || matches!(it, '}' | '{' | ',' | ':'));
        let word = word.into_iter().next().unwrap_or_default();
        PYTHON.iter().any(|it| word.eq_ignore_ascii_case(it))
    }

    /// Whether a line may close the block.
    fn closes(&self, line: &str) -> bool {
        let line = line.trim();
        let mark = &self.marks[..1];
        line.starts_with(self.marks) && line.trim_matches(|it| mark.starts_with(it)).is_empty()
    }

    /// The line that closes the block that begins at a line, or the number of lines.
    fn end(&self, lines: &[&str], from: usize) -> usize {
        let mut closing = (from..lines.len()).filter(|at| self.closes(lines[*at]));
        let Some(first) = closing.next() else { return lines.len() };
        if !self.is_python() {
            return first;
        }
        // The first at which no string is open; if there is none, a string is not closed at all.
        let mut string = OpenString::default();
        let mut read = from;
        for at in [first].into_iter().chain(closing).take(CLOSING_MAX) {
            lines[read..at].iter().for_each(|it| string.line(it));
            if string.quote.is_none() {
                return at;
            }
            read = at;
        }
        first
    }

    fn outdented<'b>(&self, line: &'b str) -> &'b str {
        let same = line.chars().zip(self.indent.chars()).take_while(|it| it.0 == it.1);
        &line[same.map(|it| it.0.len_utf8()).sum()..]
    }
}

/// Whether a string of three quotes is open at the end of some lines of Python.
#[derive(Default)]
struct OpenString {
    quote: Option<&'static str>,
}

impl OpenString {
    fn line(&mut self, line: &str) {
        let mut rest = line;
        while !rest.is_empty() {
            rest = match self.quote {
                Some(quote) => match skip_to(rest, quote) {
                    Some(behind) => {
                        self.quote = None;
                        behind
                    }
                    None => return,
                },
                None => {
                    let next = rest.find(['#', '"', '\'']);
                    let Some(next) = next.filter(|at| !rest[*at..].starts_with('#')) else {
                        return;
                    };
                    let found = &rest[next..];
                    let three = ["\"\"\"", "'''"].into_iter().find(|it| found.starts_with(it));
                    match three {
                        Some(quote) => {
                            self.quote = Some(quote);
                            &found[3..]
                        }
                        // One that ends with its line.
                        None => skip_to(&found[1..], &found[..1]).unwrap_or_default(),
                    }
                }
            };
        }
    }
}

/// What stands behind the next of these that is not escaped.
fn skip_to<'a>(text: &'a str, quote: &str) -> Option<&'a str> {
    let mut letters = text.char_indices();
    while let Some((at, letter)) = letters.next() {
        if letter == '\\' {
            // It takes the next letter with it.
            letters.next();
        } else if text[at..].starts_with(quote) {
            return Some(&text[at + quote.len()..]);
        }
    }
    None
}

fn push(to: &mut String, line: &str) {
    to.push_str(line);
    to.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parts(reply: &str) -> (String, Option<String>) {
        let Thought { text, code, .. } = thought(reply);
        (text, code)
    }

    fn code(reply: &str) -> Option<String> {
        parts(reply).1
    }

    #[test]
    fn words_and_code_are_told_apart() {
        let both = "I look first.\n```python\nx = 1\nx\n```\nThen I tell.";
        assert_eq!(parts(both), ("I look first.\nThen I tell.".into(), Some("x = 1\nx\n".into())));
        assert_eq!(parts("only words"), ("only words".into(), None));
        assert_eq!(parts(""), (String::new(), None));
        assert_eq!(parts("```python\n\n```"), (String::new(), None));
        let two = "```py\na = 1\n```\nand\n```python\nb = 2\n```";
        assert_eq!(parts(two), ("and".into(), Some("a = 1\nb = 2\n".into())));
    }

    #[test]
    fn what_is_no_python_is_words_and_an_open_fence_runs_to_the_end() {
        for words in [
            "```json\n{}\n```",
            "```\nx = 1\n```",
            "~~~\nx = 1\n~~~",
            "```pycon\n>>> 1\n```",
            "say ```python inside``` a line",
            "```python``` is how it begins",
            "``python\n1\n``",
        ] {
            assert_eq!(parts(words), (words.to_owned(), None));
        }
        assert_eq!(code("```python\nx = 1"), Some("x = 1\n".into()));
        assert!(is_open("```python\nx = 1") && !is_open("```python\nx = 1\n```\n```\nshown"));
        // A longer fence holds a shorter one.
        let nested = "````python\ns = '''\n```\n'''\n````";
        assert_eq!(code(nested), Some("s = '''\n```\n'''\n".into()));
        // What is within words is words.
        let shown = "````markdown\n```python\nx\n```\n````";
        assert_eq!(parts(shown), (shown.to_owned(), None));
    }

    #[test]
    fn a_fence_is_spelled_in_many_ways() {
        for begin in [
            "```python",
            "``` python",
            "```Python",
            "```PY",
            "```python3",
            "```{python}",
            "```{.python}",
            "```{.python .numberLines}",
            "```python title=\"a\"",
            "```python:a.py",
            "```tool_code",
            "~~~python",
            "~~~~python",
            "`````py",
            "  ```python",
            "\t```python",
        ] {
            let marks: String = begin.trim().chars().take_while(|it| "`~".contains(*it)).collect();
            let reply = format!("{begin}\n1\n{marks}");
            assert_eq!(code(&reply), Some("1\n".into()), "{reply}");
        }
    }

    #[test]
    fn the_indent_of_a_fence_is_not_that_of_its_code() {
        let list = "1. First:\n   ```python\n   if x:\n       y()\n\n   z()\n   ```\n2. Then.";
        assert_eq!(
            parts(list),
            ("1. First:\n2. Then.".into(), Some("if x:\n    y()\n\nz()\n".into()))
        );
        // Blanks are of many kinds, and of more than one byte.
        let wide = "\u{3000}```python\n「x\n\u{3000}y\n\u{3000}```";
        assert_eq!(code(wide), Some("「x\ny\n".into()));
        // What is indented less stays what it is.
        assert_eq!(code("  ```python\n x\ny\n  ```"), Some("x\ny\n".into()));
    }

    #[test]
    fn a_fence_in_a_string_is_a_part_of_it() {
        let put = "```python\nspace.put('''\n```\nx = 1\n```\n''')\n```\nDone.";
        assert_eq!(
            parts(put),
            ("Done.".into(), Some("space.put('''\n```\nx = 1\n```\n''')\n".into()))
        );
        // One that is never closed holds nothing: what it is shows when it is run.
        assert_eq!(code("```python\ns = '''\n```\nwords"), Some("s = '''\n".into()));
        for plain in [
            "# don't ''' begin",
            "s = \"'''\"",
            "s = 'a\\'''",
            "s = ''''''",
            "s = \"it's\"",
            "s = r'\\''",
            "x = '' + ''''a'''",
        ] {
            let reply = format!("```python\n{plain}\n```\nwords\n```\nshown\n```");
            assert_eq!(code(&reply), Some(format!("{plain}\n")), "{plain}");
        }
    }

    proptest! {
        /// Every line is words, code, or a fence of code; and code that is put into a fence that is
        /// longer than any in it comes out again.
        #[test]
        fn nothing_is_lost(lines in prop::collection::vec(
            prop::sample::select(&[
                "```python", "```", "````", "~~~py", "~~~", "x = 1", "  ```", "s = '''", "'''", "",
                "words", "```json", "\"\"\"", "# '''", "a = 'b'",
            ][..]), 0..14))
        {
            let reply = lines.join("\n");
            let (text, code) = parts(&reply);
            let kept = |it: &&&str| text.contains(it.trim())
                || code.as_ref().is_some_and(|code| code.contains(it.trim()));
            let fences = ["```python", "```", "````", "~~~py", "~~~", "  ```"];
            let plain = lines.iter().filter(|it| !fences.contains(it));
            // Code of blanks alone is none.
            if code.is_some() {
                for line in plain.clone() {
                    prop_assert!(kept(&line), "{line:?} of {reply:?}");
                }
            }
            if let Some(code) = &code {
                let again = thought(&format!("`````python\n{code}`````"));
                prop_assert_eq!(again.code.as_ref(), Some(code));
            }
        }
    }
}
