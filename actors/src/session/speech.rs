//! What a model says, taken apart: words, and the code between its fences.

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
    /// The reply that it was read from, where a provider made it.
    pub generation: Option<Box<Generation>>,
    /// Why nothing of the reply is acted upon: it is shown to the model, which goes on. Such a reply has
    /// no code.
    pub unusable: Option<String>,
}

/// Splits a reply in Markdown: what stands in ```` ```python ```` fences is the code, in order, the
/// rest is words. A fence that is not closed runs to the end.
pub fn thought(reply: &str) -> Thought {
    let (mut text, mut code) = (String::new(), String::new());
    let mut fence: Option<(&str, bool)> = None;
    for line in reply.lines() {
        let start = line.trim_start();
        match fence {
            Some((ticks, python)) if closes(start, ticks) => {
                fence = None;
                if !python {
                    push(&mut text, line);
                }
            }
            Some((_, true)) => push(&mut code, line),
            Some((_, false)) => push(&mut text, line),
            None if start.starts_with("```") => {
                let ticks = &start[..start.len() - start.trim_start_matches('`').len()];
                let language = start[ticks.len()..].split_whitespace().next().unwrap_or("");
                let python = matches!(language, "python" | "py");
                fence = Some((ticks, python));
                if !python {
                    push(&mut text, line);
                }
            }
            None => push(&mut text, line),
        }
    }
    let code = (!code.trim().is_empty()).then_some(code);
    Thought { text: text.trim().to_owned(), code, ..Thought::default() }
}

fn closes(line: &str, ticks: &str) -> bool {
    line.starts_with(ticks) && line.trim_matches('`').trim().is_empty()
}

fn push(to: &mut String, line: &str) {
    to.push_str(line);
    to.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(reply: &str) -> (String, Option<String>) {
        let Thought { text, code, .. } = thought(reply);
        (text, code)
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
        let (text, code) = parts("```json\n{}\n```");
        assert_eq!((text.as_str(), code), ("```json\n{}\n```", None));
        assert_eq!(parts("```python\nx = 1").1, Some("x = 1\n".into()));
        // A longer fence holds a shorter one.
        let nested = "````python\ns = '''\n```\n'''\n````";
        assert_eq!(parts(nested).1, Some("s = '''\n```\n'''\n".into()));
    }
}
