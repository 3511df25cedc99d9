//! Whether lines hold a sentence, decided by its words and by nothing else.
//!
//! They hold it if each of its words stands there: but for those that claim nothing alone, and in
//! another form, or as a word that means the same, where it is no name and no number. A heading above
//! the lines counts as one of them. A number must stand by what it is said of; and what the lines deny
//! is not said, nor denied what they say.
//!
//! This is made to refuse too much: a sentence that keeps to the words of its lines passes, a free one
//! is sent back. What it does not see: who does what to whom where both stand there, and conditions
//! that a sentence leaves out.

mod words;

use stoa_actors::search::tokens;

/// Lines that are cited, and the headings above them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Lines {
    pub(super) text: String,
    pub(super) heading: String,
}

/// Why lines do not hold a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Lack {
    /// These words of it do not stand there.
    Words(Vec<String>),
    /// The number stands by something else.
    Number(String),
    /// It says of this what the lines deny.
    Denied(String),
    /// It denies of this what the lines do not.
    NotDenied(String),
}

impl std::fmt::Display for Lack {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Lack::Words(words) => {
                let words: Vec<String> = words.iter().map(|it| format!("`{it}`")).collect();
                write!(f, "the lines do not have {}", words.join(", "))
            }
            Lack::Number(number) => write!(f, "in the lines `{number}` stands by something else"),
            Lack::Denied(word) => write!(f, "the lines deny `{word}`, and the sentence does not"),
            Lack::NotDenied(word) => {
                write!(f, "the sentence denies `{word}`, and the lines do not")
            }
        }
    }
}

/// A word of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Word {
    /// As it is written.
    raw: String,
    lower: String,
    stem: String,
    /// What it counts, without separators.
    number: Option<String>,
    /// Written as no other word is: it has no other forms.
    exact: bool,
    light: bool,
    /// It stands behind a word that denies, in the same clause.
    denied: bool,
}

/// Words between two marks that part a sentence.
type Clause = Vec<Word>;

/// What the lines lack of what a sentence says, if they lack anything.
pub(super) fn lack(sentence: &str, lines: &[Lines]) -> Option<Lack> {
    let said = clauses(sentence);
    let there: Vec<Clause> = lines.iter().flat_map(|it| clauses(&it.text)).collect();
    let above: Vec<Word> = lines.iter().flat_map(|it| clauses(&it.heading)).flatten().collect();
    let all = || there.iter().flatten();
    let missing: Vec<String> = said
        .iter()
        .flatten()
        .filter(|it| !it.light && !all().chain(&above).any(|other| stands_for(it, other)))
        .map(|it| it.raw.clone())
        .collect();
    if !missing.is_empty() {
        return Some(Lack::Words(missing));
    }
    said.iter().find_map(|clause| misplaced(clause, &there).or_else(|| turned(clause, &there)))
}

/// A number that the lines say of something else.
fn misplaced(clause: &Clause, there: &[Clause]) -> Option<Lack> {
    let matter = |it: &&Word| !it.light && it.number.is_none();
    let fits = |other: &Clause| {
        clause
            .iter()
            .filter(matter)
            .filter(|it| other.iter().any(|word| stands_for(it, word)))
            .count()
    };
    let counts = || there.iter().filter(|it| it.iter().any(|word| word.number.is_some()));
    let best = counts().map(fits).max().filter(|it| *it > 0)?;
    let near: Vec<&Clause> = counts().filter(|it| fits(it) == best).collect();
    let wrong = clause.iter().find(|it| {
        let stands = |all: &&Clause| all.iter().any(|word| stands_for(it, word));
        it.number.is_some()
            && !it.light
            && there.iter().any(|all| stands(&all))
            && !near.iter().any(stands)
    });
    wrong.map(|it| Lack::Number(it.raw.clone()))
}

/// Something that is said where the lines deny it, or denied where they do not.
fn turned(clause: &Clause, there: &[Clause]) -> Option<Lack> {
    let all = || there.iter().flatten();
    let found =
        |word: &Word, denied: bool| all().any(|it| it.denied == denied && stands_for(word, it));
    let matter: Vec<&Word> = clause.iter().filter(|it| !it.light).collect();
    if !clause.iter().any(|it| words::denies(&it.lower)) {
        let denied = matter.iter().find(|it| found(it, true) && !found(it, false));
        return denied.map(|it| Lack::Denied(it.raw.clone()));
    }
    let denied: Vec<&&Word> = matter.iter().filter(|it| it.denied).collect();
    let first = denied.first()?;
    // Of one that is negated at its end, `it works not`, nothing stands behind.
    (!denied.iter().any(|it| found(it, true))).then(|| Lack::NotDenied(first.raw.clone()))
}

/// Whether `other`, which stands in the lines, is what `word` says.
fn stands_for(word: &Word, other: &Word) -> bool {
    if word.number.is_some() || other.number.is_some() {
        return word.number == other.number;
    }
    if word.lower == other.lower {
        return true;
    }
    if word.exact || other.exact {
        return false;
    }
    word.stem == other.stem
        || words::same(&word.lower, &other.lower)
        || akin(&word.stem, &other.stem)
}

/// `accelerate` and `acceleration`: the longer one begins as the shorter one, or nearly.
fn akin(one: &str, other: &str) -> bool {
    let shared = one.chars().zip(other.chars()).take_while(|(a, b)| a == b).count();
    let (one, other) = (one.chars().count(), other.chars().count());
    // Else `import` and `important` were one, or `inform` and `information` two.
    shared >= 5 && shared + 2 >= one.min(other) && shared * 3 >= one.max(other) * 2
}

fn clauses(text: &str) -> Vec<Clause> {
    let mut all = Vec::new();
    let mut clause = Clause::new();
    let mut denied = false;
    let mut end = |clause: &mut Clause, denied: &mut bool| {
        *denied = false;
        if !clause.is_empty() {
            all.push(std::mem::take(clause));
        }
    };
    let mut first = true;
    for piece in pieces(text) {
        let raw = match piece {
            Piece::Parts => {
                end(&mut clause, &mut denied);
                first = true;
                continue;
            }
            Piece::Word(raw) => raw,
        };
        let lower = raw.to_lowercase();
        if lower == "but" || lower == "sondern" {
            end(&mut clause, &mut denied);
        }
        // `Not only this, that too` denies neither.
        if lower == "only" && clause.last().is_some_and(|it| it.lower == "not") {
            clause.pop();
            denied = false;
            continue;
        }
        let denies = words::denies(&lower);
        clause.push(word(raw, lower, first, denied));
        (first, denied) = (false, denied || denies);
    }
    end(&mut clause, &mut denied);
    all
}

fn word(raw: String, lower: String, first: bool, denied: bool) -> Word {
    let mut stem = String::new();
    tokens(&lower, |it| stem.push_str(it));
    let spelt = words::number(&lower).map(|it| it.to_string());
    let digits: String = raw.chars().filter(|it| !matches!(it, ',' | '_' | ' ')).collect();
    let counted =
        digits.parse::<f64>().is_ok() && digits.starts_with(|it: char| it.is_ascii_digit());
    let number = spelt.or_else(|| counted.then(|| digits.trim_end_matches(".0").to_owned()));
    let capitals = raw.chars().skip(1).any(char::is_uppercase);
    let named = !first && raw.chars().next().is_some_and(char::is_uppercase);
    let exact =
        capitals || named || raw.chars().any(|it| !it.is_alphabetic() && it != '\'' && it != '’');
    let denies = words::denies(&lower);
    let light = denies || (words::light(&lower) && number.as_deref().is_none_or(|it| it == "1"));
    Word { raw, lower, stem, number, exact, light, denied }
}

enum Piece {
    Word(String),
    /// A mark, or the end of a line of a list or a table, behind which something else is said.
    Parts,
}

/// The words of a text and where it is parted. `10m` is a number and its unit, `a_b.rs` one word,
/// `long-lived` two.
fn pieces(text: &str) -> Vec<Piece> {
    let chars: Vec<char> = text.chars().collect();
    let mut all = Vec::new();
    let mut word = String::new();
    let at = |n: usize| chars.get(n).copied().unwrap_or('\n');
    for (n, &c) in chars.iter().enumerate() {
        let before = if n == 0 { '\n' } else { chars[n - 1] };
        let inside = before.is_alphanumeric() && at(n + 1).is_alphanumeric();
        let joins = match c {
            '_' => true,
            '\'' | '’' | '.' | '/' | '@' | '\\' => inside,
            ':' => (before == ':' || at(n + 1) == ':') && !word.is_empty(),
            ',' => inside && before.is_ascii_digit() && at(n + 1).is_ascii_digit(),
            _ => false,
        };
        let unit = before.is_ascii_digit()
            && c.is_alphabetic()
            && word.starts_with(|it: char| it.is_ascii_digit())
            && word.chars().all(|it| it.is_ascii_digit() || it == '.' || it == ',');
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
            if c == '%' {
                all.push(Piece::Word("%".to_owned()));
            }
            if parts(c, at(n + 1), &chars[n + 1..]) {
                all.push(Piece::Parts);
            }
        }
    }
    flush(&mut word, &mut all);
    all
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

fn parts(c: char, next: char, rest: &[char]) -> bool {
    match c {
        ';' | '(' | ')' | '—' | '。' | '，' | '；' | '！' | '？' | '、' => true,
        '.' | ',' | ':' | '!' | '?' | '…' => next.is_whitespace(),
        '\n' => {
            let mark = rest.iter().find(|it| !matches!(it, ' ' | '\t'));
            mark.is_none_or(|it| matches!(it, '\n' | '-' | '*' | '+' | '|' | '#' | '•'))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests;
