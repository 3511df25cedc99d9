//! Passages: the pieces of a document that are found and cited.

use super::document::{Document, DocumentLine, Start};
use std::ops::Range;

/// A passage that has this much ends where the next block begins.
const PASSAGE_CHARS_AIM: usize = 600;

/// No passage has more, but for the line ends in it.
const PASSAGE_CHARS_MAX: usize = 1_200;

/// Blank lines in a row that a passage bridges: they are part of its text.
const BLANK_LINES_MAX: usize = 12;

/// A passage with fewer words says nothing.
const WORDS_MIN: usize = 3;

/// A notice of copyright is not longer than this.
const NOTICE_CHARS_MAX: usize = 240;

/// How deep headings are told.
const DEPTH_MAX: usize = 6;

/// A piece of a document.
///
/// Line `i` of the text (from 0) stands in line `first + i` of the file, without its markup; it is
/// the whole line, unless the line alone is longer than a passage may be.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub struct Passage {
    /// The headings it stands under, the widest first.
    pub headings: Vec<String>,
    /// Its first line in the file, from 1.
    pub first: usize,
    pub last: usize,
    /// What it says.
    pub text: String,
}

/// Cuts a document: at headings always, else where a block begins, never in a word.
///
/// A heading without text goes with what follows. Dropped are passages that only lead elsewhere:
/// of fewer than three words, or a notice of copyright.
pub fn passages(document: &Document) -> Vec<Passage> {
    let mut cutter = Cutter::default();
    for (number, line) in document.lines.iter().enumerate() {
        if line.text.trim().is_empty() {
            cutter.mark(&line.marks.iter().map(|it| &it.what).collect::<Vec<_>>());
            continue;
        }
        for piece in pieces(line) {
            cutter.take(number, line, piece);
        }
    }
    cutter.flush();
    cutter.out.retain(|passage| !is_boilerplate(&passage.text));
    cutter.out
}

/// A part of a line that is not cut further.
struct Piece {
    line: usize,
    text: String,
    chars: usize,
    /// A passage may begin here.
    begins: bool,
}

#[derive(Default)]
struct Cutter {
    out: Vec<Passage>,
    /// What the next passage has so far.
    held: Vec<Piece>,
    chars: usize,
    /// Nothing but headings is held.
    headed: bool,
    path: Vec<(u8, String)>,
    /// A block begins with the next piece.
    begins: bool,
}

impl Cutter {
    fn mark(&mut self, starts: &[&Start]) {
        self.begins = true;
        for start in starts {
            if let Start::Section { level, heading } = start {
                self.section(*level, heading);
            }
        }
    }

    fn section(&mut self, level: u8, heading: &str) {
        if !self.headed {
            self.flush();
        }
        self.path.retain(|(above, _)| *above < level);
        self.path.truncate(DEPTH_MAX - 1);
        self.path.push((level, heading.to_owned()));
    }

    fn take(&mut self, number: usize, line: &DocumentLine, range: Range<usize>) {
        let whole = range == (0..line.text.len());
        let (from, to) = (range.start, range.end);
        let owns = |at: usize| whole || (from..to).contains(&at);
        let heads = |it: &&Start| matches!(it, Start::Section { .. });
        let marks = || line.marks.iter();
        let mut starts: Vec<&Start> =
            marks().filter(|it| owns(it.at)).map(|it| &it.what).filter(heads).collect();
        let heading = !starts.is_empty();
        // What begins within a line cannot begin a passage: half of the line is of what was before.
        starts
            .extend(marks().filter(|it| it.at == from).map(|it| &it.what).filter(|it| !heads(it)));
        if !starts.is_empty() {
            self.mark(&starts);
        }
        let text = line.text[range].trim_end();
        let text = if whole { text } else { text.trim_start() };
        if text.is_empty() {
            return;
        }
        let chars = text.chars().count();
        let far = self.held.last().is_some_and(|it| number - it.line > BLANK_LINES_MAX);
        if far || (self.begins && self.chars >= PASSAGE_CHARS_AIM) {
            self.flush();
        }
        while !self.held.is_empty() && self.chars + chars > PASSAGE_CHARS_MAX {
            self.overflow();
        }
        self.headed = heading && (self.headed || self.held.is_empty());
        self.chars += chars;
        let text = text.to_owned();
        self.held.push(Piece { line: number, text, chars, begins: self.begins });
        // A block that ends with the line: the next begins with the next line.
        self.begins = to == line.text.len() && marks().any(|it| it.at == to);
    }

    /// Ends a passage that is full: before the last block that leaves it half of its aim, or else
    /// here.
    fn overflow(&mut self) {
        let mut before = 0;
        let mut end = self.held.len();
        for (at, piece) in self.held.iter().enumerate() {
            if piece.begins && before >= PASSAGE_CHARS_AIM / 2 {
                end = at;
            }
            before += piece.chars;
        }
        let rest = self.held.split_off(end);
        self.flush();
        self.chars = rest.iter().map(|it| it.chars).sum();
        self.held = rest;
    }

    fn flush(&mut self) {
        self.chars = 0;
        self.headed = false;
        let held = std::mem::take(&mut self.held);
        let (Some(first), Some(last)) = (held.first(), held.last()) else { return };
        let (first, last) = (first.line, last.line);
        let mut text = String::new();
        let mut line = first;
        for piece in held {
            if piece.line == line && !text.is_empty() {
                text.push(' ');
            }
            (line..piece.line).for_each(|_| text.push('\n'));
            line = piece.line;
            text.push_str(&piece.text);
        }
        let headings = self.path.iter().map(|(_, heading)| heading.clone()).collect();
        self.out.push(Passage { headings, first: first + 1, last: last + 1, text });
    }
}

/// A line whole, or cut if it is longer than a passage: at what begins in it, then at sentences.
fn pieces(line: &DocumentLine) -> Vec<Range<usize>> {
    let text = &line.text;
    let all = 0..text.len();
    if text.chars().count() <= PASSAGE_CHARS_MAX {
        return vec![all];
    }
    let mut cuts: Vec<usize> = line.marks.iter().map(|it| it.at).collect();
    cuts.extend([0, text.len()]);
    cuts.sort_unstable();
    cuts.dedup();
    let mut out = Vec::new();
    for pair in cuts.windows(2) {
        let mut from = pair[0];
        while from < pair[1] {
            let end = from + sentence(&text[from..pair[1]]);
            out.push(from..end);
            from = end;
        }
    }
    out
}

/// How much of a text is one piece of a line: all of it if it is short, else up to the end of the
/// last sentence that fits, else of the last word. What has no end there at all is no word.
fn sentence(text: &str) -> usize {
    let Some((most, _)) = text.char_indices().nth(PASSAGE_CHARS_MAX) else { return text.len() };
    let head = &text[..most];
    let least = head.char_indices().nth(PASSAGE_CHARS_AIM / 2).map_or(0, |(at, _)| at);
    let ends = |mark: &str| head.rfind(mark).map(|at| at + mark.len()).filter(|at| *at > least);
    let stops = [". ", "? ", "! ", "; ", "。"].into_iter().filter_map(ends).max();
    let space = || head.rfind(char::is_whitespace).filter(|at| *at > 0);
    let comma = || head.rfind(|c: char| c.is_ascii_punctuation()).filter(|at| *at > 0);
    let next = |at: usize| text.ceil_char_boundary(at + 1);
    stops.or_else(|| space().map(next)).or_else(|| comma().map(next)).unwrap_or(most)
}

fn is_boilerplate(text: &str) -> bool {
    let words = text.split(|c: char| !c.is_alphabetic());
    let real = words.filter(|word| word.chars().nth(1).is_some() || is_ideograph(word)).count();
    let dense = text.chars().filter(|c| is_ideograph(c.encode_utf8(&mut [0; 4]))).count();
    if real.max(dense) < WORDS_MIN {
        return true;
    }
    let short = text.len() <= NOTICE_CHARS_MAX;
    let said = || text.trim_start().to_lowercase();
    short && ["copyright ", "© ", "(c) "].iter().any(|it| said().starts_with(it))
}

/// A character that is a word by itself.
fn is_ideograph(word: &str) -> bool {
    word.chars().next().is_some_and(|c| matches!(u32::from(c), 0x3040..=0x30FF | 0x3400..=0x9FFF))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{DocumentKind, read};
    use proptest::prelude::*;

    fn cut(text: &str, name: &str) -> Vec<Passage> {
        passages(&read(text, DocumentKind::of(text, name)))
    }

    #[test]
    fn headings_cut_and_are_told() {
        let text = "# Top\n## One\nwords of the first part\n## Two\nwords of the second part\n";
        let found = cut(text, "a.md");
        let told: Vec<_> =
            found.iter().map(|it| (it.headings.join("/"), it.first, it.last)).collect();
        assert_eq!(told, [("Top/One".into(), 1, 3), ("Top/Two".into(), 4, 5)]);
        assert_eq!(found[0].text, "Top\nOne\nwords of the first part");
    }

    /// The end of a paragraph is no place to cut before its last line.
    #[test]
    fn a_paragraph_is_not_cut_before_its_last_line() {
        let line = "words of a paragraph that is long enough to be cut in the end,\n";
        let one = format!("<p>{}and its last line.</p>\n", line.repeat(12));
        let found = cut(&one.repeat(3), "a.html");
        let lines: Vec<_> = found.iter().map(|it| (it.first, it.last)).collect();
        assert_eq!(lines, [(1, 13), (14, 26), (27, 39)]);
    }

    #[test]
    fn what_only_leads_elsewhere_is_dropped() {
        assert_eq!(cut("next | up\n", "a.txt"), []);
        assert_eq!(cut("Copyright 1999 by the people who wrote it.\n", "a.txt"), []);
        assert_eq!(cut("三个字\n", "a.txt").len(), 1);
    }

    #[test]
    fn a_huge_line_is_cut_at_sentences() {
        let sentence = "All of these words are one sentence of sixty characters so. ";
        let text = sentence.repeat(100);
        let found = cut(&text, "a.txt");
        assert!(found.len() >= 5, "{}", found.len());
        for passage in &found {
            assert_eq!((passage.first, passage.last), (1, 1));
            assert!(passage.text.ends_with("so.") && passage.text.starts_with("All"));
            assert!(passage.text.len() <= PASSAGE_CHARS_MAX);
        }
        let said: usize = found.iter().map(|it| it.text.matches("sixty").count()).sum();
        assert_eq!(said, 100, "nothing is lost and nothing is twice");
    }

    /// A line's markup: what goes before and after its words in some format.
    fn line() -> impl Strategy<Value = (&'static str, usize, &'static str)> {
        let around = prop::sample::select(vec![
            ("", ""),
            ("<p>", "</p>"),
            ("<h2>", "</h2>"),
            ("<li><b>", "</b>"),
            ("<pre>", "</pre>"),
            ("<!--", "-->"),
            ("<a\n href=\"x>\n\">", "</a>"),
            ("<script>", "</script>"),
            ("# ", ""),
            ("```\n", "\n```"),
            ("**", "** x"),
            ("- [", "](to)"),
            (".SH ", ""),
            (".B \"", "\""),
            ("\\fB", "\\fR"),
            (".de XX\n", "\n.."),
            ("&lt;", "&amp;\r"),
            ("", "\n======"),
            ("<nav>", ""),
            ("  ", "\n\n\n"),
            ("<", ">"),
            ("<title>", "</title>"),
        ]);
        (around, prop_oneof![0usize..40, 300usize..500])
            .prop_map(|((before, after), words)| (before, words, after))
    }

    proptest! {
        /// Every word is made with the number of its line in it, so where a word stands in the
        /// source is told by the word, not by the code.
        #[test]
        fn every_word_stands_in_its_line(
            name in prop::sample::select(vec!["a.html", "a.md", "a.rst", "a.1", "a.txt", "a.c"]),
            lines in prop::collection::vec(line(), 0..40),
        ) {
            let mut text = String::from(if name == "a.1" { ".TH A 1\n" } else { "\n" });
            for (before, words, after) in lines {
                text.push_str(before);
                let number = text.matches('\n').count() + 1;
                (0..words).for_each(|n| text.push_str(&format!("at{number}x{n} ")));
                text.push_str(after);
                text.push('\n');
            }
            let source: Vec<&str> = text.split('\n').collect();
            for passage in cut(&text, name) {
                let shown: Vec<&str> = passage.text.split('\n').collect();
                prop_assert_eq!(shown.len(), passage.last - passage.first + 1);
                let chars: usize = shown.iter().map(|line| line.chars().count()).sum();
                prop_assert!(chars <= 2 * PASSAGE_CHARS_MAX, "{}", chars);
                for (n, line) in shown.iter().enumerate() {
                    let number = passage.first + n;
                    for word in line.split(|c: char| !c.is_alphanumeric()) {
                        prop_assert!(source[number - 1].contains(word), "{word} at {number}");
                        let told = word.strip_prefix("at").and_then(|it| it.split_once('x'));
                        if let Some((told, _)) = told {
                            prop_assert_eq!(told, number.to_string());
                        }
                    }
                }
            }
        }

        /// Nothing is cut in two, lost or said twice where no markup hides it.
        #[test]
        fn plain_words_are_all_there_once(
            words in prop::collection::vec(("[a-z]{2,9}", 0..12u8), 3..900),
        ) {
            let mut text = String::new();
            for (word, gap) in &words {
                text.push_str(word);
                text.push_str(match gap { 0 => "\n", 1 => "\n\n", 2 => ". ", _ => " " });
            }
            let all = Document { title: None, lines: read(&text, DocumentKind::Plain).lines };
            let mut cutter = Cutter::default();
            for (number, line) in all.lines.iter().enumerate() {
                pieces(line).into_iter().for_each(|it| cutter.take(number, line, it));
            }
            cutter.flush();
            let told: Vec<String> = cutter.out.iter().flat_map(|it| it.text.split_whitespace())
                .map(|it| it.trim_end_matches('.').to_owned()).collect();
            prop_assert_eq!(told, words.into_iter().map(|(word, _)| word).collect::<Vec<_>>());
        }
    }
}
