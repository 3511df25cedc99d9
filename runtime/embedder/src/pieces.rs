//! WordPiece, as BERT's uncased models cut text: cleaned, in lower case, without accents, split at
//! spaces and punctuation, then into the longest known pieces.

use std::collections::HashMap;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// A word of more characters is unknown.
const WORD_CHARS_MAX: usize = 100;

/// What marks a piece that goes on within a word.
const WITHIN: &str = "##";

const UNKNOWN: &str = "[UNK]";

/// The known pieces and their rows.
pub(super) struct Vocabulary {
    starts: HashMap<&'static str, u32>,
    within: HashMap<&'static str, u32>,
    rows: usize,
    longest: usize,
}

impl Vocabulary {
    /// One piece a line, in the order of the rows.
    pub(super) fn read(lines: &'static str) -> Vocabulary {
        let mut starts = HashMap::with_capacity(lines.len() / 8);
        let mut within = HashMap::with_capacity(lines.len() / 32);
        let (mut rows, mut longest) = (0, 0);
        for (piece, row) in lines.split('\n').zip(0u32..) {
            rows += 1;
            longest = longest.max(piece.len());
            match piece.strip_prefix(WITHIN) {
                _ if piece == UNKNOWN => {}
                Some(rest) if !rest.is_empty() => drop(within.insert(rest, row)),
                _ => drop(starts.insert(piece, row)),
            }
        }
        Vocabulary { starts, within, rows, longest }
    }

    pub(super) fn len(&self) -> usize {
        self.rows
    }

    /// Gives the row of every known piece of a text to `each`; unknown words have none.
    pub(super) fn pieces(&self, text: &str, mut each: impl FnMut(u32)) {
        let mut word = String::new();
        let mut found = Vec::new();
        let mut take = |c: char| {
            let alone = is_punctuation(c) || is_cjk(c);
            if !alone && !c.is_whitespace() {
                return word.push(c);
            }
            self.word(&word, &mut found, &mut each);
            word.clear();
            if alone {
                self.word(c.encode_utf8(&mut [0; 4]), &mut found, &mut each);
            }
        };
        let cleaned = text.chars().filter(|c| !is_control(*c));
        if text.is_ascii() {
            cleaned.for_each(|c| take(c.to_ascii_lowercase()));
        } else {
            let bare = cleaned.nfd().filter(|c| !is_combining_mark(*c));
            bare.flat_map(char::to_lowercase).for_each(&mut take);
        }
        // The end of the text ends its last word.
        take(' ');
    }

    /// The longest known piece first, then the longest that goes on from there; all or nothing.
    fn word(&self, word: &str, found: &mut Vec<u32>, each: &mut impl FnMut(u32)) {
        if word.chars().nth(WORD_CHARS_MAX).is_some() {
            return;
        }
        found.clear();
        let mut rest = word;
        while !rest.is_empty() {
            let known = if rest.len() == word.len() { &self.starts } else { &self.within };
            let mut end = rest.floor_char_boundary(self.longest);
            let row = loop {
                if end == 0 {
                    return;
                }
                if let Some(row) = known.get(&rest[..end]) {
                    break *row;
                }
                end = rest.floor_char_boundary(end - 1);
            };
            found.push(row);
            rest = &rest[end..];
        }
        found.iter().for_each(|row| each(*row));
    }
}

/// Characters that text is cleaned of: controls, formats, private use.
fn is_control(c: char) -> bool {
    match c {
        '\t' | '\n' | '\r' => false,
        '\u{fffd}' | '\u{ad}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}' => true,
        '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' => true,
        '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' => true,
        '\u{e000}'..='\u{f8ff}' => true,
        c => c.is_control(),
    }
}

fn is_cjk(c: char) -> bool {
    matches!(
        u32::from(c),
        0x3400..=0x4DBF
            | 0x4E00..=0x9FFF
            | 0xF900..=0xFAFF
            | 0x20000..=0x2A6DF
            | 0x2A700..=0x2B73F
            | 0x2B740..=0x2B81F
            | 0x2B920..=0x2CEAF
            | 0x2F800..=0x2FA1F
    )
}

/// ASCII symbols, and what Unicode calls punctuation where such text occurs.
fn is_punctuation(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_punctuation();
    }
    let at = u32::from(c);
    PUNCTUATION[..PUNCTUATION.partition_point(|(first, _)| *first <= at)]
        .last()
        .is_some_and(|(_, last)| at <= *last)
}

/// First and last, in order.
const PUNCTUATION: [(u32, u32); 64] = [
    (0xA1, 0xA1),
    (0xA7, 0xA7),
    (0xAB, 0xAB),
    (0xB6, 0xB6),
    (0xB7, 0xB7),
    (0xBB, 0xBB),
    (0xBF, 0xBF),
    (0x37E, 0x37E),
    (0x387, 0x387),
    (0x55A, 0x55F),
    (0x589, 0x589),
    (0x58A, 0x58A),
    (0x5BE, 0x5BE),
    (0x5C0, 0x5C0),
    (0x5C3, 0x5C3),
    (0x5C6, 0x5C6),
    (0x5F3, 0x5F3),
    (0x5F4, 0x5F4),
    (0x60C, 0x60C),
    (0x60D, 0x60D),
    (0x61B, 0x61B),
    (0x61E, 0x61E),
    (0x61F, 0x61F),
    (0x66A, 0x66D),
    (0x6D4, 0x6D4),
    (0x964, 0x964),
    (0x965, 0x965),
    (0x2010, 0x2027),
    (0x2030, 0x2043),
    (0x2045, 0x2051),
    (0x2053, 0x205E),
    (0x207D, 0x207D),
    (0x207E, 0x207E),
    (0x208D, 0x208D),
    (0x208E, 0x208E),
    (0x2308, 0x230B),
    (0x2329, 0x2329),
    (0x232A, 0x232A),
    (0x3001, 0x3003),
    (0x3008, 0x3011),
    (0x3014, 0x301F),
    (0x3030, 0x3030),
    (0x303D, 0x303D),
    (0x30A0, 0x30A0),
    (0x30FB, 0x30FB),
    (0xFE10, 0xFE19),
    (0xFE30, 0xFE52),
    (0xFE54, 0xFE61),
    (0xFE63, 0xFE63),
    (0xFE68, 0xFE68),
    (0xFE6A, 0xFE6A),
    (0xFE6B, 0xFE6B),
    (0xFF01, 0xFF03),
    (0xFF05, 0xFF0A),
    (0xFF0C, 0xFF0F),
    (0xFF1A, 0xFF1A),
    (0xFF1B, 0xFF1B),
    (0xFF1F, 0xFF1F),
    (0xFF20, 0xFF20),
    (0xFF3B, 0xFF3D),
    (0xFF3F, 0xFF3F),
    (0xFF5B, 0xFF5B),
    (0xFF5D, 0xFF5D),
    (0xFF5F, 0xFF65),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &str) -> Vec<u32> {
        let vocabulary =
            Vocabulary::read("[UNK]\nrun\n##ning\n##n\nun\n##able\ncafe\n!\n日\nstrasse\nss\n,");
        let mut out = Vec::new();
        vocabulary.pieces(text, |it| out.push(it));
        out
    }

    #[test]
    fn the_longest_pieces_first_and_all_or_nothing() {
        assert_eq!(cut("running unable"), [1, 2, 4, 5]);
        assert_eq!(cut("runn"), [1, 3]);
        assert_eq!(cut("runnx, run"), [11, 1]);
        assert_eq!(cut("[UNK]"), [0; 0]);
        assert_eq!(cut(&"run".repeat(40)), [0; 0]);
    }

    #[test]
    fn text_is_cleaned_lowered_and_without_accents() {
        assert_eq!(cut("CAFÉ!"), [6, 7]);
        assert_eq!(cut("Cafe\u{301}"), [6]);
        assert_eq!(cut("r\u{200b}u\0n"), [1]);
        assert_eq!(cut("run日run"), [1, 8, 1]);
        assert_eq!(cut("run\u{a0}run\u{2014}run"), [1, 1, 1]);
    }

    #[test]
    fn punctuation_is_in_order() {
        assert!(PUNCTUATION.is_sorted());
        assert!(is_punctuation('…') && is_punctuation('。') && is_punctuation('\u{ff65}'));
        assert!(!is_punctuation('€') && !is_punctuation('é') && !is_punctuation('\u{2044}'));
    }
}
