//! A text as clauses of words.

use super::words::{self, Language};
use stoa_actors::search::tokens;

/// A word of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Word {
    /// As it is written.
    pub(super) raw: String,
    pub(super) lower: String,
    stem: String,
    /// What it counts, without separators.
    pub(super) number: Option<String>,
    /// It has no other forms: `a_b`, `h2`, `getName`.
    exact: bool,
    /// A letter that is a name: `vitamin B`.
    letter: bool,
    pub(super) light: bool,
    pub(super) denies: bool,
    /// What it means the same as, and the same of a unit behind a number.
    group: Option<usize>,
    unit: Option<usize>,
}

impl Word {
    /// Whether it says something of the matter that is no number.
    pub(super) fn is_matter(&self) -> bool {
        !self.light && self.number.is_none()
    }

    /// Whether it may stand for `other`.
    pub(super) fn stands_for(&self, other: &Word) -> bool {
        if self.number.is_some() || other.number.is_some() {
            return self.number == other.number;
        }
        if self.letter != other.letter && self.lower.len() == 1 {
            return false;
        }
        if self.lower == other.lower {
            return true;
        }
        if self.unit.is_some() && self.unit == other.unit {
            return true;
        }
        if self.exact || other.exact {
            return false;
        }
        self.stem == other.stem
            || (self.group.is_some() && self.group == other.group)
            || words::akin(&self.stem, &other.stem)
    }
}

/// Words between two marks that part a sentence.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Clause {
    pub(super) words: Vec<Word>,
    /// It has a word that denies.
    pub(super) denied: bool,
    /// It denies only that it is always so: `not all`.
    pub(super) partly: bool,
}

impl Clause {
    fn of(words: Vec<Word>) -> Clause {
        let denied = words.iter().any(|it| it.denies);
        let partly = words.windows(2).any(|it| {
            it[0].denies
                && matches!(it[1].lower.as_str(), "all" | "every" | "always" | "necessarily")
        });
        Clause { words, denied, partly }
    }

    pub(super) fn has(&self, word: &Word) -> bool {
        self.words.iter().any(|it| word.stands_for(it))
    }

    /// How many of these words it has.
    pub(super) fn fits<'a>(&self, words: impl Iterator<Item = &'a Word>) -> usize {
        words.filter(|it| self.has(it)).count()
    }
}

/// The language that a text is in.
pub(super) fn language(text: &str) -> Language {
    let lower = text.to_lowercase();
    Language::of(lower.split(|it: char| !it.is_alphanumeric()))
}

/// The clauses of a text in a language.
pub(super) fn clauses(text: &str, language: Language) -> Vec<Clause> {
    let mut all = Vec::new();
    let mut open: Vec<Word> = Vec::new();
    let mut end = |open: &mut Vec<Word>| {
        if !open.is_empty() {
            all.push(Clause::of(folded(std::mem::take(open))));
        }
    };
    let pieces = pieces(text);
    let is = |at: usize, what: &[&str]| match pieces.get(at) {
        Some(Piece::Word(it)) => what.contains(&it.to_lowercase().as_str()),
        _ => false,
    };
    for (at, piece) in pieces.iter().enumerate() {
        let raw = match piece {
            Piece::Parts => {
                end(&mut open);
                continue;
            }
            Piece::Word(raw) => raw,
        };
        let lower = raw.to_lowercase();
        // `This, and the other`: something else is said of something else.
        let joins = ["and", "or", "und", "oder", "et", "y"].contains(&lower.as_str());
        if ["but", "sondern"].contains(&lower.as_str()) || (joins && is(at + 1, &BEGINS)) {
            end(&mut open);
        }
        // `Not only this, that too` denies neither.
        if lower == "only" && open.last().is_some_and(|it| it.lower == "not") {
            open.pop();
            continue;
        }
        let mut word = word(raw, language, open.is_empty());
        // `One of them` counts nothing.
        let counts = |at: usize| match pieces.get(at) {
            Some(Piece::Word(it)) => !language.is_light(&it.to_lowercase()),
            _ => false,
        };
        if lower == "one" && !counts(at + 1) {
            (word.number, word.light) = (None, true);
        }
        if open.last().is_some_and(|it| it.number.is_some()) {
            word.unit = words::unit(&lower);
        }
        open.push(word);
    }
    end(&mut open);
    all
}

/// What a clause of its own begins with behind `and`.
const BEGINS: [&str; 14] = [
    "the", "a", "an", "it", "they", "this", "these", "each", "der", "die", "das", "ein", "le", "el",
];

fn word(raw: &str, language: Language, first: bool) -> Word {
    let lower = raw.to_lowercase();
    let bare = lower.strip_suffix("'s").or_else(|| lower.strip_suffix("’s")).unwrap_or(&lower);
    let mut stem = String::new();
    tokens(bare, |it| stem.push_str(it));
    let number = language.number(&lower).map(|it| it.to_string()).or_else(|| counted(raw));
    let letters = raw.chars().filter(|it| it.is_alphabetic()).count();
    let capitals = raw.chars().filter(|it| it.is_uppercase()).count();
    let inner = raw.chars().skip(1).any(char::is_uppercase);
    let marked = bare.chars().any(|it| !it.is_alphabetic() && !matches!(it, '\'' | '’'));
    // `MIT` and `Vitamin B` are names, whatever the letters are elsewhere.
    let name = capitals == letters && (letters > 1 || !first) && letters > 0;
    let denies = words::denies(&lower);
    Word {
        light: denies || (number.is_none() && language.is_light(&lower) && !name),
        group: words::group(&lower),
        raw: raw.to_owned(),
        stem: if stem.is_empty() { bare.to_owned() } else { stem },
        exact: inner || marked,
        letter: name && letters == 1,
        number,
        lower,
        denies,
        unit: None,
    }
}

/// A number that is written in digits, without the marks between thousands.
fn counted(raw: &str) -> Option<String> {
    let (sign, digits) = match raw.strip_prefix(['-', '−']) {
        Some(rest) => ("-", rest),
        None => ("", raw),
    };
    let mut parts = digits.split([',', '_']);
    let first = parts.next()?;
    let rest: Vec<&str> = parts.collect();
    let thousands = rest.iter().all(|it| it.split('.').next().is_some_and(|it| it.len() == 3));
    let plain = match rest.as_slice() {
        [] => first.to_owned(),
        _ if thousands => format!("{first}{}", rest.concat()),
        [decimals] => format!("{first}.{decimals}"),
        _ => return None,
    };
    let is_number =
        plain.starts_with(|it: char| it.is_ascii_digit()) && plain.parse::<f64>().is_ok();
    is_number.then(|| format!("{sign}{}", plain.strip_suffix(".0").unwrap_or(&plain)))
}

/// `Two hundred`, `twenty five` and `5 million` are one number.
fn folded(words: Vec<Word>) -> Vec<Word> {
    let mut all: Vec<Word> = Vec::with_capacity(words.len());
    for word in words {
        let number = |it: &Word| it.number.as_deref().and_then(|it| it.parse::<u64>().ok());
        let spelt = |it: &Word| it.raw.chars().all(char::is_alphabetic);
        let sum = all.last().filter(|_| spelt(&word)).and_then(|last| {
            let (last_number, number) = (number(last)?, number(&word)?);
            match number {
                100 | 1_000 | 1_000_000 => last_number.checked_mul(number),
                1..=9
                    if spelt(last) && (20..100).contains(&last_number) && last_number % 10 == 0 =>
                {
                    Some(last_number + number)
                }
                _ => None,
            }
        });
        match (sum, all.last_mut()) {
            (Some(sum), Some(last)) => {
                last.number = Some(sum.to_string());
                last.raw = format!("{} {}", last.raw, word.raw);
            }
            _ => all.push(word),
        }
    }
    all
}

enum Piece {
    Word(String),
    /// A mark, or the end of a line of a list or a table, behind which something else is said.
    Parts,
}

/// The words of a text and where it is parted. `10m` is a number and its unit, `a_b.rs` one word,
/// `long-lived` two.
fn pieces(text: &str) -> Vec<Piece> {
    let chars: Vec<char> = parted(text).chars().collect();
    let mut all = Vec::new();
    let mut word = String::new();
    let at = |n: usize| chars.get(n).copied().unwrap_or('\n');
    let digit = |it: char| it.is_ascii_digit();
    for (n, &c) in chars.iter().enumerate() {
        let before = if n == 0 { '\n' } else { chars[n - 1] };
        let next = at(n + 1);
        let inside = before.is_alphanumeric() && next.is_alphanumeric();
        let joins = match c {
            '_' => true,
            '\'' | '’' | '.' | '@' | '\\' => inside,
            // `and/or` is two words, a path is one.
            '/' => inside && !alternatives(&word, &chars[n + 1..]),
            ':' => (before == ':' || next == ':') && !word.is_empty(),
            ',' => inside && digit(before) && digit(next),
            '-' | '−' => {
                digit(next) && !before.is_alphanumeric() && before != '-' && word.is_empty()
            }
            _ => false,
        };
        let unit = digit(before)
            && c.is_alphabetic()
            && word.starts_with(|it: char| digit(it) || it == '-')
            && word.chars().all(|it| digit(it) || matches!(it, '.' | ',' | '-'));
        let alone = stands_alone(c);
        if alone || unit {
            flush(&mut word, &mut all);
        }
        if alone {
            all.push(Piece::Word(c.to_string()));
        } else if c.is_alphanumeric() || joins {
            word.push(c);
        } else {
            flush(&mut word, &mut all);
            if "%€$£<>≤≥±".contains(c) {
                all.push(Piece::Word(c.to_string()));
            }
            if parts(c, next, &chars[n + 1..]) {
                all.push(Piece::Parts);
            }
        }
    }
    flush(&mut word, &mut all);
    all
}

/// Parts what stands before it from what stands behind it.
const PART: char = '\u{1e}';

/// A text with a mark around each line that says something of its own: an item of a list, a row of a
/// table, a heading, a name with its value. Lines of a paragraph are one. The numbers of items count
/// nothing, and are left out.
fn parted(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut before = true;
    for line in text.lines() {
        let bare = line.trim();
        let item = unnumbered(bare);
        let own = item.is_some()
            || bare.is_empty()
            || bare.starts_with(['-', '*', '+', '•', '|', '#'])
            || is_pair(bare);
        out.push(if own || before { PART } else { ' ' });
        out.push_str(item.unwrap_or(bare));
        before = own && item.is_none() && !bare.starts_with(['-', '*', '+', '•']);
    }
    out
}

/// An item of a list without its number.
fn unnumbered(line: &str) -> Option<&str> {
    let rest = line.trim_start_matches(|it: char| it.is_ascii_digit());
    let item = (1..=3).contains(&(line.len() - rest.len()));
    rest.strip_prefix(['.', ')']).filter(|it| item && it.starts_with(' '))
}

/// `name: value` and `name = value`.
fn is_pair(line: &str) -> bool {
    let Some(at) = line.find([':', '=']) else { return false };
    let (name, value) = (line[..at].trim(), line[at + 1..].trim());
    let short = |text: &str, words| (1..=words).contains(&text.split_whitespace().count());
    short(name, 2) && short(value, 4)
}

/// Whether the `/` behind a word joins two words that are no path.
fn alternatives(word: &str, rest: &[char]) -> bool {
    let other: Vec<char> = rest.iter().copied().take_while(|it| !it.is_whitespace()).collect();
    let plain = |it: char| it.is_lowercase();
    let end = other.iter().position(|it| !plain(*it)).unwrap_or(other.len());
    let path = other[end..].iter().any(|it| matches!(it, '/' | '_') || it.is_alphanumeric());
    word.chars().all(plain) && end > 0 && !path
}

fn flush(word: &mut String, all: &mut Vec<Piece>) {
    let bare = word.trim_matches([':', '\'', '.', '/']).to_owned();
    word.clear();
    if bare.chars().any(char::is_alphanumeric) {
        all.push(Piece::Word(bare));
    }
}

fn stands_alone(c: char) -> bool {
    matches!(u32::from(c), 0x3040..=0x30FF | 0x3400..=0x4DBF | 0x4E00..=0x9FFF | 0xF900..=0xFAFF)
}

/// Whether what stands behind a mark is something else. A number behind `:` or `(` is of what stands
/// before it.
fn parts(c: char, next: char, rest: &[char]) -> bool {
    let counts = || {
        let first = rest.iter().find(|it| !matches!(it, ' ' | '`' | '*' | '"' | '-'));
        first.is_some_and(char::is_ascii_digit)
    };
    match c {
        PART | ';' | ')' | '—' | '。' | '，' | '；' | '！' | '？' | '、' => true,
        '(' => !counts(),
        ':' => next.is_whitespace() && !counts(),
        '.' | ',' | '!' | '?' | '…' => next.is_whitespace(),
        _ => false,
    }
}
