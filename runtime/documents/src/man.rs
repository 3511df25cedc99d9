//! Manual pages as lines: what roff would set, without the setting.

use super::document::{Document, Start, heading, lines};

/// Reads man and mdoc macros.
pub(crate) fn read(text: &str) -> Document {
    let mut reader = Reader::default();
    lines(text).for_each(|line| reader.line(line));
    // `ls - list directory contents` says more than `LS(1)`.
    reader.document.title = reader.about.or(reader.page);
    reader.document
}

#[derive(Default)]
struct Reader {
    document: Document,
    page: Option<String>,
    about: Option<String>,
    /// Under `NAME`: the next line says what it is about.
    named: bool,
    /// Within a macro's definition: it says nothing.
    defining: bool,
}

/// Macros whose arguments are set one beside the other, in turns of two fonts.
const TURNS: [&str; 6] = ["BI", "BR", "IB", "IR", "RB", "RI"];

/// Macros whose arguments are words.
const WORDS: [&str; 33] = [
    "B", "I", "SB", "SM", "IP", "UR", "MT", "OP", "Nm", "Nd", "Ar", "Cm", "Dq", "Sq", "Qq", "Pa",
    "Xr", "Em", "Sy", "Li", "Ql", "Op", "It", "Fl", "Ev", "Va", "Fn", "Fa", "Ft", "In", "Dv", "Er",
    "Pq",
];

/// Macros that a passage may begin at.
const BLOCKS: [&str; 14] =
    ["PP", "P", "LP", "TP", "TQ", "IP", "HP", "sp", "Pp", "It", "Bl", "EX", "nf", "Bd"];

impl Reader {
    fn line(&mut self, line: &str) {
        let Some(request) = line.strip_prefix(['.', '\'']) else {
            let text = set(line);
            if self.named && !text.trim().is_empty() {
                self.about = Some(heading(&text));
                self.named = false;
            }
            let text = if self.defining { String::new() } else { text };
            let start = text.trim().is_empty().then_some(Start::Block);
            return self.document.push(text.trim_end(), start);
        };
        if self.defining {
            self.defining = !request.starts_with('.');
            return self.document.push("", None);
        }
        let request = request.trim_start();
        let end = request.find(char::is_whitespace).unwrap_or(request.len());
        let (name, rest) = request.split_at(end);
        match name {
            "de" | "de1" | "ig" | "am" => {
                self.defining = true;
                self.document.push("", None);
            }
            "TH" | "Dt" => {
                let words = arguments(rest);
                if let [page, section, ..] = &*words {
                    self.page = Some(heading(&format!("{}({section})", page.to_lowercase())));
                }
                self.document.push("", None);
            }
            "SH" | "Sh" => self.section(1, &arguments(rest).join(" ")),
            "SS" | "Ss" => self.section(2, &arguments(rest).join(" ")),
            name if TURNS.contains(&name) => {
                let text = arguments(rest).concat();
                self.about_is(&text);
                self.document.push(text, None);
            }
            name if WORDS.contains(&name) => {
                let start = BLOCKS.contains(&name).then_some(Start::Block);
                let text = words(name, rest);
                self.about_is(&text);
                self.document.push(text, start);
            }
            name => self.document.push("", BLOCKS.contains(&name).then_some(Start::Block)),
        }
    }

    fn about_is(&mut self, text: &str) {
        if self.named && !text.is_empty() {
            self.about.get_or_insert_with(|| heading(text));
        }
    }

    fn section(&mut self, level: u8, text: &str) {
        let heading = heading(text);
        self.named = heading.eq_ignore_ascii_case("name");
        let start = match heading.is_empty() {
            true => Start::Block,
            false => Start::Section { level, heading },
        };
        self.document.push(text, Some(start));
    }
}

fn words(name: &str, rest: &str) -> String {
    let mut all = arguments(rest);
    match name {
        // The indent of an item is no word.
        "IP" => all.truncate(1),
        "Fl" => {
            if let Some(flag) = all.first_mut() {
                flag.insert(0, '-');
            }
        }
        _ => {}
    }
    // Macros that can stand within a line.
    all.retain(|it| !(it.len() == 2 && it != "No" && WORDS.contains(&&**it)));
    all.join(" ")
}

/// The arguments of a request, quotes resolved and set.
fn arguments(rest: &str) -> Vec<String> {
    let mut out = Vec::new();
    let mut rest = rest.trim();
    while !rest.is_empty() && !rest.starts_with("\\\"") {
        let (one, after) = match rest.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
            None => bare(rest),
        };
        out.push(set(one));
        rest = after.trim_start();
    }
    out
}

/// Up to the next space that is not escaped.
fn bare(text: &str) -> (&str, &str) {
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        if c.is_whitespace() && !escaped {
            return text.split_at(at);
        }
        escaped = c == '\\' && !escaped;
    }
    (text, "")
}

/// Text without escapes.
fn set(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        rest = escape(&rest[at + 1..], &mut out);
    }
    out.push_str(rest);
    out
}

/// One escape, behind its backslash; what is left after it.
fn escape<'a>(text: &'a str, out: &mut String) -> &'a str {
    let mut chars = text.chars();
    let Some(kind) = chars.next() else { return "" };
    let rest = chars.as_str();
    match kind {
        '-' => out.push('-'),
        'e' | '\\' => out.push('\\'),
        ' ' | '~' | '0' | 't' => out.push(' '),
        '"' | '#' => return "",
        '(' => {
            let (name, rest) = rest.split_at(rest.floor_char_boundary(2));
            out.push_str(glyph(name));
            return rest;
        }
        '[' => {
            let Some((name, rest)) = rest.split_once(']') else { return rest };
            let code = name.strip_prefix('u').and_then(|it| u32::from_str_radix(it, 16).ok());
            match code.and_then(char::from_u32) {
                Some(c) => out.push(c),
                None => out.push_str(glyph(name)),
            }
            return rest;
        }
        'f' | '*' | 'n' | 'm' | 'F' => {
            let (name, rest) = operand(rest);
            if kind == '*' {
                out.push_str(glyph(name));
            }
            return rest;
        }
        's' => {
            let rest = rest.strip_prefix(['-', '+']).unwrap_or(rest);
            return rest.strip_prefix(|c: char| c.is_ascii_digit()).unwrap_or(rest);
        }
        'h' | 'v' | 'w' | 'k' | 'o' => {
            let quoted = rest.strip_prefix('\'').and_then(|it| it.split_once('\''));
            return quoted.map_or(rest, |(_, rest)| rest);
        }
        '\'' | '`' | '.' => out.push(kind),
        '&' | '|' | '^' | '/' | ',' | '%' | 'c' | ':' | ')' | '!' | 'd' | 'u' | 'p' | '{' | '}' => {
        }
        other => out.push(other),
    }
    rest
}

/// What stands behind an escape that takes a name: `x`, `(xy` or `[xyz]`.
fn operand(text: &str) -> (&str, &str) {
    if let Some(long) = text.strip_prefix('[') {
        return long.split_once(']').unwrap_or((long, ""));
    }
    if let Some(two) = text.strip_prefix('(') {
        return two.split_at(two.floor_char_boundary(2));
    }
    text.split_at(text.chars().next().map_or(0, char::len_utf8))
}

fn glyph(name: &str) -> &str {
    match name {
        "aq" | "cq" => "'",
        "oq" => "`",
        "dq" | "lq" | "rq" | "Lq" | "Rq" => "\"",
        "hy" | "mi" | "en" => "-",
        "em" => "—",
        "bu" => "•",
        "co" => "©",
        "rs" => "\\",
        "ti" => "~",
        "ha" => "^",
        "ga" => "`",
        "la" => "⟨",
        "ra" => "⟩",
        "->" => "→",
        "mu" => "×",
        "Tm" | "tm" => "™",
        "R" | "rg" => "®",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_set_line_by_line() {
        let page = ".\\\" a comment\n.TH LS 1 \"May 2024\" GNU\n.SH NAME\nls \\- list \\fIall\\fR\n\
                    .SH \"SEE ALSO\"\n.BR cat (1),\n.TP\n\\fB\\-\\-all\\fP\n.de XX\nhidden\n..\n\
                    .B \"two words\"\nit\\(aqs 5\\ m\n.IP x 4\n";
        let document = read(page);
        let text: Vec<_> = document.lines.iter().map(|line| &*line.text).collect();
        assert_eq!(
            text,
            [
                "",
                "",
                "NAME",
                "ls - list all",
                "SEE ALSO",
                "cat(1),",
                "",
                "--all",
                "",
                "",
                "",
                "two words",
                "it's 5 m",
                "x"
            ]
        );
        assert_eq!(document.title.as_deref(), Some("ls - list all"));
        let Start::Section { heading, .. } = &document.lines[4].marks[0].what else { panic!() };
        assert_eq!(heading, "SEE ALSO");
    }

    #[test]
    fn mdoc_words_are_kept_and_its_macros_are_not() {
        let page = ".Dd May 1, 2024\n.Dt CAT 1\n.Os\n.Sh DESCRIPTION\n.It Fl n Ar file\n\\";
        let document = read(page);
        assert_eq!(document.title.as_deref(), Some("cat(1)"));
        assert_eq!(document.line(5), Some("n file"));
        assert_eq!(document.line(6), Some(""));
    }
}
