//! Markdown, reStructuredText, plain text and source code as lines.

use super::document::{Document, Start, heading, lines};
use super::kind::DocumentKind;

/// Reads what is mostly its own text: markup at the start of lines goes, and what stands around
/// words in Markdown.
pub(crate) fn read(text: &str, kind: DocumentKind) -> Document {
    let all: Vec<&str> = lines(text).collect();
    let mut reader =
        Reader { kind, fence: None, levels: Vec::new(), document: Document::default() };
    for (at, line) in all.iter().enumerate() {
        let before = at.checked_sub(1).map_or("", |it| all[it]);
        let next = all.get(at + 1).copied().unwrap_or_default();
        reader.line(before, line, next);
    }
    reader.document
}

struct Reader {
    kind: DocumentKind,
    /// What closes the block of code that is open.
    fence: Option<&'static str>,
    /// What underlines headings, the widest first: reStructuredText leaves it to the author.
    levels: Vec<char>,
    document: Document,
}

impl Reader {
    fn line(&mut self, before: &str, line: &str, next: &str) {
        let bare = line.trim();
        if self.kind == DocumentKind::Code {
            let start = before.trim().is_empty().then_some(Start::Block);
            return self.document.push(line.trim_end(), start);
        }
        if self.kind == DocumentKind::Markdown && self.fenced(bare) {
            return self.document.push("", Some(Start::Block));
        }
        if self.fence.is_some() {
            return self.document.push(line.trim_end(), None);
        }
        if let Some((level, text)) = hashed(line).filter(|_| self.kind == DocumentKind::Markdown) {
            return self.section(level, &inline(text, self.kind));
        }
        if let Some(mark) = underline(bare, next.trim()) {
            let level = self.level(mark);
            return self.section(level, &inline(bare, self.kind));
        }
        if is_rule(bare) {
            return self.document.push("", Some(Start::Block));
        }
        let start = (before.trim().is_empty() || is_item(bare)).then_some(Start::Block);
        self.document.push(inline(line.trim_end(), self.kind), start);
    }

    /// Whether this line opens or closes a block of code.
    fn fenced(&mut self, bare: &str) -> bool {
        let mark = ["```", "~~~"].into_iter().find(|it| bare.starts_with(it));
        match (self.fence, mark) {
            (None, Some(mark)) => self.fence = Some(mark),
            (Some(open), Some(mark)) if open == mark => self.fence = None,
            _ => return false,
        }
        true
    }

    fn level(&mut self, mark: char) -> u8 {
        if self.kind == DocumentKind::Markdown {
            return if mark == '=' { 1 } else { 2 };
        }
        let known = self.levels.iter().position(|it| *it == mark);
        let place = known.unwrap_or_else(|| {
            self.levels.push(mark);
            self.levels.len() - 1
        });
        place as u8 + 1
    }

    fn section(&mut self, level: u8, text: &str) {
        let heading = heading(text);
        let start = match heading.is_empty() {
            true => Start::Block,
            false => {
                self.document.title.get_or_insert_with(|| heading.clone());
                Start::Section { level, heading }
            }
        };
        self.document.push(text.trim(), Some(start));
    }
}

/// The level and text of `## text ##`.
fn hashed(line: &str) -> Option<(u8, &str)> {
    let line = line.trim_end();
    let text = line.trim_start_matches('#');
    let level = line.len() - text.len();
    let heads = (1..=6).contains(&level) && text.starts_with([' ', '\t']);
    heads.then(|| (level as u8, text.trim().trim_end_matches('#').trim_end()))
}

/// The character that underlines a line, if that makes it a heading.
fn underline(bare: &str, next: &str) -> Option<char> {
    let mark = next.chars().next().filter(|c| "=-~^\"'*+#`".contains(*c))?;
    let whole = next.len() >= 3 && next.chars().all(|c| c == mark);
    // A line of a table or a list is no heading, and neither is a rule.
    let titled = bare.chars().any(char::is_alphanumeric) && !bare.starts_with(['|', '-', '*', '+']);
    let wide = next.chars().count() + 2 >= bare.chars().count();
    (whole && titled && wide).then_some(mark)
}

/// A line of nothing but lines.
fn is_rule(bare: &str) -> bool {
    bare.len() >= 3 && bare.chars().all(|c| "=-~^*_+|: ".contains(c))
}

fn is_item(bare: &str) -> bool {
    let marked = ["- ", "* ", "+ ", ".. "].iter().any(|it| bare.starts_with(it));
    let digits = bare.trim_start_matches(|c: char| c.is_ascii_digit());
    let numbered = digits.len() < bare.len() && digits.starts_with([')', '.']);
    marked || (numbered && digits[1..].starts_with(' '))
}

/// A line without what stands around its words.
fn inline(line: &str, kind: DocumentKind) -> String {
    match kind {
        DocumentKind::Markdown => unlinked(&line.replace("**", "")),
        DocumentKind::Restructured => unroled(line),
        _ => line.to_owned(),
    }
}

/// `[text](target)` is `text`.
fn unlinked(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(middle) = rest.find("](") {
        let (Some(open), Some(end)) = (rest[..middle].rfind('['), rest[middle..].find(')')) else {
            out.push_str(&rest[..middle + 2]);
            rest = &rest[middle + 2..];
            continue;
        };
        let before = rest[..open].strip_suffix('!').unwrap_or(&rest[..open]);
        out.push_str(before);
        out.push_str(&rest[open + 1..middle]);
        rest = &rest[middle + end + 1..];
    }
    out.push_str(rest);
    out
}

/// `:role:` before a backtick goes.
fn unroled(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    for (n, piece) in line.split('`').enumerate() {
        if n > 0 {
            out.push('`');
        }
        let named = piece.strip_suffix(':').and_then(|it| {
            let name = it.rfind(|c: char| !(c.is_ascii_lowercase() || "-:".contains(c)));
            let from = name.map_or(0, |at| it.ceil_char_boundary(at + 1));
            it[from..].starts_with(':').then_some(&it[..from])
        });
        out.push_str(named.unwrap_or(piece));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sections(document: &Document) -> Vec<(u8, &str)> {
        let marks = document.lines.iter().flat_map(|line| &line.marks);
        marks
            .filter_map(|mark| match &mark.what {
                Start::Section { level, heading } => Some((*level, heading.as_str())),
                Start::Block => None,
            })
            .collect()
    }

    #[test]
    fn markdown_loses_its_marks() {
        let text = "# A **b** #\n\n[x](y) ![z](w)\n```\n# no heading\n```\nSet\n===\n---\n";
        let document = read(text, DocumentKind::Markdown);
        assert_eq!(sections(&document), [(1, "A b"), (1, "Set")]);
        assert_eq!(document.title.as_deref(), Some("A b"));
        assert_eq!(document.line(3), Some("x z"));
        assert_eq!(document.line(5), Some("# no heading"));
        assert_eq!((document.line(4), document.line(9)), (Some(""), Some("")));
    }

    #[test]
    fn restructured_headings_are_as_deep_as_they_come() {
        let text = "Top\n===\nMid\n---\nsee :class:`Foo`\n\nTop two\n=======\n";
        let document = read(text, DocumentKind::Restructured);
        assert_eq!(sections(&document), [(1, "Top"), (2, "Mid"), (1, "Top two")]);
        assert_eq!(document.line(5), Some("see `Foo`"));
    }

    #[test]
    fn code_is_kept_as_it_is() {
        let document = read("# a\n\n    **b**\n===\n", DocumentKind::Code);
        assert_eq!(sections(&document), []);
        assert_eq!(document.line(3), Some("    **b**"));
        assert_eq!(document.line(4), Some("==="));
    }
}
