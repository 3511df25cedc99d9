//! A draft of an answer: its sentences, and the lines that each names.
//!
//! A place is written behind what it is for: `The dough rests two hours [docs/bread.md:3-4].` Places
//! that follow one another, `[a.md:1][b.md:2]` or `[a.md:1, b.md:2-5]`, are of the same sentence, also
//! behind its full stop. Brackets that hold anything else are a part of what is said.

/// Lines of a document, as somebody names them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) path: String,
    /// Counted from 1.
    pub(super) line: u64,
    /// At least `line`.
    pub(super) last: u64,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Place { path, line, last } = self;
        match line == last {
            true => write!(f, "{path}:{line}"),
            false => write!(f, "{path}:{line}-{last}"),
        }
    }
}

/// What is said, and where it is to stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sentence {
    /// Without its places.
    pub(super) text: String,
    pub(super) places: Vec<Place>,
}

/// The sentences of a draft in order. Whoever says nothing has none.
pub(super) fn sentences(draft: &str) -> Vec<Sentence> {
    let mut all: Vec<Sentence> = Vec::new();
    let (mut text, mut places) = (String::new(), Vec::new());
    for line in blocks(draft) {
        let mut rest = line.as_str();
        let before = all.len();
        while let Some(c) = rest.chars().next() {
            let named = if c == '[' { named(rest) } else { None };
            if let Some((found, bytes)) = named {
                let count = all.len();
                match all.last_mut() {
                    Some(last) if says_nothing(&text) && count > before => {
                        last.places.extend(found)
                    }
                    _ => places.extend(found),
                }
                rest = &rest[bytes..];
                continue;
            }
            text.push(c);
            rest = &rest[c.len_utf8()..];
            if ends(&text, rest) {
                end(&mut text, &mut places, &mut all);
            }
        }
        end(&mut text, &mut places, &mut all);
    }
    for sentence in &mut all {
        let mut seen: Vec<Place> = Vec::new();
        sentence.places.retain(|it| {
            let new = !seen.contains(it);
            seen.push(it.clone());
            new
        });
    }
    all
}

/// Paragraphs and the items of lists: lines that belong together become one.
fn blocks(draft: &str) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    let mut open = false;
    for line in draft.lines() {
        let bare = line.trim();
        if bare.starts_with("# ") || bare.starts_with("##") {
            open = false;
            continue;
        }
        let (item, bare) = match unmarked(bare) {
            Some(rest) => (true, rest),
            None => (false, bare),
        };
        if bare.is_empty() {
            open = false;
            continue;
        }
        match all.last_mut() {
            Some(last) if open && !item => {
                last.push(' ');
                last.push_str(bare);
            }
            _ => all.push(bare.to_owned()),
        }
        open = true;
    }
    all
}

/// An item of a list or a heading, without its mark.
fn unmarked(line: &str) -> Option<&str> {
    let marks = line.trim_start_matches(['-', '*', '+', '•', '#', '>']);
    let number = line.trim_start_matches(|it: char| it.is_ascii_digit());
    if marks.len() < line.len() && marks.starts_with(' ') {
        return Some(marks.trim_start());
    }
    let short = (1..=3).contains(&(line.len() - number.len()));
    let rest = number.strip_prefix(['.', ')']).filter(|it| it.starts_with(' '));
    rest.filter(|_| short).map(str::trim_start)
}

fn says_nothing(text: &str) -> bool {
    !text.chars().any(char::is_alphanumeric)
}

/// Whether a sentence is over behind `text`.
fn ends(text: &str, rest: &str) -> bool {
    let bare = text.trim_end_matches(['"', '\'', ')', '”', '’', '»', '`', '*', '_']);
    if bare.ends_with(['。', '！', '？']) {
        return true;
    }
    if !bare.ends_with(['.', '!', '?', '…']) || !rest.starts_with(char::is_whitespace) {
        return false;
    }
    // `e.g. this` and `the 3. line` go on; so does what an initial or a short form stands before.
    let next = rest.trim_start().chars().next();
    let before = bare.trim_end_matches(['.', '!', '?', '…']);
    let word = before.rsplit(|it: char| it.is_whitespace() || it == '(').next().unwrap_or("");
    let short = bare.ends_with('.')
        && (SHORT.contains(&word.to_lowercase().as_str())
            || (word.chars().count() == 1 && word.chars().all(char::is_uppercase)));
    !short && !next.is_some_and(|it| it.is_lowercase())
}

const SHORT: [&str; 15] = [
    "e.g", "i.e", "cf", "etc", "vs", "dr", "mr", "mrs", "prof", "no", "fig", "bzw", "ca", "z.b",
    "d.h",
];

fn end(text: &mut String, places: &mut Vec<Place>, all: &mut Vec<Sentence>) {
    let said = std::mem::take(text);
    if says_nothing(&said) {
        // A full stop behind the places.
        if let Some(last) = all.last_mut() {
            last.places.append(places);
        }
        places.clear();
        return;
    }
    let text = said.split_whitespace().collect::<Vec<_>>().join(" ");
    // Where places stood before the full stop there is room before it.
    let text = [" .", " ,", " ;", " !", " ?", " :"]
        .iter()
        .fold(text, |text, it| text.replace(&format!("{it} "), &format!("{} ", &it[1..])));
    let text = match text.strip_suffix(['.', '!', '?']) {
        Some(bare) if bare.ends_with(' ') => format!("{}{}", bare.trim_end(), &text[bare.len()..]),
        _ => text,
    };
    all.push(Sentence { text, places: std::mem::take(places) });
}

/// The places that brackets at the beginning of `text` hold, and how long the brackets are.
fn named(text: &str) -> Option<(Vec<Place>, usize)> {
    let inside = text.strip_prefix('[')?;
    let close = inside.find(']')?;
    let mut all: Vec<Place> = Vec::new();
    for part in inside[..close].split([';', ',']) {
        let part = part.trim().trim_matches('`');
        // `[a.md:3, 8]`: the same file.
        let path = all.last().filter(|_| !part.contains(':')).map(|it| it.path.clone());
        all.push(place(&path.map_or_else(|| part.to_owned(), |it| format!("{it}:{part}")))?);
    }
    // `[a.md:3](a.md#L3)`: where it leads says nothing more.
    let behind = &inside[close + 1..];
    let link = behind
        .strip_prefix('(')
        .and_then(|it| it.find([')', ' ']))
        .filter(|at| behind.as_bytes().get(at + 1) == Some(&b')'));
    Some((all, close + 2 + link.map_or(0, |at| at + 2)))
}

/// `PATH:LINE` or `PATH:LINE-LAST`.
fn place(text: &str) -> Option<Place> {
    let (path, lines) = text.rsplit_once(':')?;
    let (line, last) = match lines.split_once(['-', '–']) {
        Some((line, last)) => (line, last.trim_start_matches('L')),
        None => (lines, lines.trim_start_matches('L')),
    };
    let number = |text: &str| text.trim().parse::<u64>().ok().filter(|it| *it > 0);
    let (line, last) = (number(line.trim_start_matches('L'))?, number(last)?);
    (!path.is_empty() && line <= last).then(|| Place { path: path.to_owned(), line, last })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(draft: &str) -> Vec<(String, String)> {
        let all = sentences(draft).into_iter().map(|it| {
            let places: Vec<String> = it.places.iter().map(ToString::to_string).collect();
            (it.text, places.join(" "))
        });
        all.collect()
    }

    #[test]
    fn a_place_belongs_to_the_sentence_it_stands_behind() {
        let one = [("The dough rests.", "a.md:3-4")];
        let two = [("The dough rests.", "a.md:3"), ("Salt is slow.", "b/c.md:7 a.md:1-2")];
        let table: [(&str, &[(&str, &str)]); 20] = [
            ("The dough rests [a.md:3-4].", &one),
            ("The dough rests. [a.md:3-4]", &one),
            ("The dough\n  rests [a.md:L3-L4].\n", &one),
            ("- The dough rests. [`a.md:3-4`]", &one),
            ("The dough rests [a.md:3]. Salt is slow [b/c.md:7][a.md:1-2].", &two),
            ("The dough rests. [a.md:3] Salt is slow. [b/c.md:7] [a.md:1-2]", &two),
            ("1. The dough rests [a.md:3].\n2. Salt is slow [b/c.md:7, a.md:1-2].", &two),
            (
                "The dough rests. Salt is slow. [b:1]",
                &[("The dough rests.", ""), ("Salt is slow.", "b:1")],
            ),
            ("It rests [a:3] and rises [a:4].", &[("It rests and rises.", "a:3 a:4")]),
            (
                "See `x[1]` and [this], e.g. that of J. Bach [c:\\x.md:2].",
                &[("See `x[1]` and [this], e.g. that of J. Bach.", "c:\\x.md:2")],
            ),
            ("It is 3.5 hours? No! [a:1]", &[("It is 3.5 hours?", ""), ("No!", "a:1")]),
            ("休息两小时。[a:1]盐很慢。[a:2]", &[("休息两小时。", "a:1"), ("盐很慢。", "a:2")]),
            (
                "Nothing [a:0] of [a:3-2] this [a] is one [:3].",
                &[("Nothing [a:0] of [a:3-2] this [a] is one [:3].", "")],
            ),
            ("Twice [a:1][a:1].", &[("Twice.", "a:1")]),
            ("One [a:1, 3-4; b:2].", &[("One.", "a:1 a:3-4 b:2")]),
            ("One [a:1](a#L1). Two [b:2](b).", &[("One.", "a:1"), ("Two.", "b:2")]),
            ("## Answer\n- [a:1] One.\n- [b:2] Two.", &[("One.", "a:1"), ("Two.", "b:2")]),
            ("One.\n\n[a:1]", &[("One.", "a:1")]),
            ("", &[]),
            (" \n[a:1]\n.", &[]),
        ];
        for (draft, expected) in table {
            let expected: Vec<(String, String)> =
                expected.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
            assert_eq!(read(draft), expected, "{draft:?}");
        }
    }

    #[test]
    fn whatever_is_written_is_read() {
        for draft in
            ["[", "[[[a:1]", "]", "a:1]", "\u{0}[\u{0}:1]", "[a:99999999999999999999]x", "**"]
        {
            sentences(draft);
        }
        let long = "[a:1]. x".repeat(50_000);
        assert!(!sentences(&long).is_empty());
    }
}
