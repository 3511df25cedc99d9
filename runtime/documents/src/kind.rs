//! What a file is: told by what is in it first, by the ending of its name where that leaves it
//! open.

use super::document::lines;

/// What a text is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub enum DocumentKind {
    /// HTML or XHTML.
    Html,
    /// roff with man or mdoc macros.
    Man,
    Markdown,
    Restructured,
    /// A program or its settings: kept as it is.
    Code,
    Plain,
}

/// How much of a text says what it is.
const HEAD_BYTES: usize = 4 << 10;

const CODE: [&str; 48] = [
    "rs", "c", "h", "cc", "cpp", "hpp", "cxx", "py", "pyi", "js", "mjs", "ts", "tsx", "jsx", "go",
    "java", "kt", "rb", "pl", "pm", "sh", "bash", "zsh", "lua", "swift", "scala", "hs", "ml", "ex",
    "exs", "erl", "clj", "cs", "php", "sql", "toml", "yaml", "yml", "json", "ini", "cfg", "conf",
    "css", "el", "lisp", "r", "jl", "proto",
];

impl DocumentKind {
    /// Of a text, and of the name of its file without `.gz`.
    pub fn of(text: &str, name: &str) -> DocumentKind {
        let head = &text[..text.floor_char_boundary(HEAD_BYTES)];
        let name = name.to_ascii_lowercase();
        let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
        let code = CODE.contains(&ending) || head.starts_with("#!");
        if !code && is_html(head, ending) {
            DocumentKind::Html
        } else if !code && is_man(head, ending) {
            DocumentKind::Man
        } else if code {
            DocumentKind::Code
        } else if ["md", "markdown", "mdown", "mkd"].contains(&ending) {
            DocumentKind::Markdown
        } else if ending == "rst" || name.ends_with(".rst.txt") || is_restructured(head) {
            DocumentKind::Restructured
        } else if is_markdown(head) {
            DocumentKind::Markdown
        } else {
            DocumentKind::Plain
        }
    }
}

fn is_html(head: &str, ending: &str) -> bool {
    let head = head.trim_start().to_ascii_lowercase();
    let says = ["<!doctype html", "<html"].iter().any(|it| head.starts_with(it));
    let named = ["html", "htm", "xhtml"].contains(&ending);
    says || (named && head.contains('<'))
        || (head.starts_with("<?xml") && head.contains("<html"))
        || (head.starts_with('<') && ["<body", "<head"].iter().any(|it| head.contains(it)))
}

fn is_man(head: &str, ending: &str) -> bool {
    let said = |line: &&str| !line.is_empty() && !["'\\\"", ".\\\"", "."].contains(&line.trim());
    let comment = |line: &&str| line.starts_with(".\\\"") || line.starts_with("'\\\"");
    let mut requests = lines(head).filter(said).filter(|line| !comment(line));
    let opens = |line: &str| [".TH ", ".Dd", ".SH ", ".so "].iter().any(|it| line.starts_with(it));
    match ending.parse::<u8>() {
        Ok(1..=9) => requests.any(opens),
        _ => requests.next().is_some_and(|line| opens(line) && !line.starts_with(".so ")),
    }
}

fn is_restructured(head: &str) -> bool {
    let directive = |line: &str| {
        let named = line.trim_start().strip_prefix(".. ").and_then(|it| it.split_once("::"));
        named.is_some_and(|(name, _)| !name.is_empty() && !name.contains(' '))
    };
    head.contains(":ref:`") || head.contains(":class:`") || lines(head).any(directive)
}

fn is_markdown(head: &str) -> bool {
    let heads = |line: &&str| line.starts_with("# ") || line.starts_with("## ");
    let headings = lines(head).filter(heads).count();
    headings > 0 && (headings > 1 || head.contains("](") || head.contains("```"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_tells_before_the_name_does() {
        for (text, name, kind) in [
            ("<!DOCTYPE html>\n<p>x", "README", DocumentKind::Html),
            ("<p>x", "a.HTM", DocumentKind::Html),
            ("no tags", "a.html", DocumentKind::Plain),
            (".\\\" c\n.TH A 1\n", "a", DocumentKind::Man),
            (".so man1/b.1\n", "a.1", DocumentKind::Man),
            ("notes, 1.1", "notes.1", DocumentKind::Plain),
            ("# A\n\n## B\n", "NOTES", DocumentKind::Markdown),
            ("# a comment\n# [x](y)\n", "a.py", DocumentKind::Code),
            ("#!/bin/sh\n# A\n# B\n", "run", DocumentKind::Code),
            ("A\n=\n\n.. note:: x\n", "a.txt", DocumentKind::Restructured),
            ("A plain text.\n", "a.txt", DocumentKind::Plain),
        ] {
            assert_eq!(DocumentKind::of(text, name), kind, "{name}: {text:?}");
        }
    }
}
