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

mod clauses;
mod words;

use clauses::{Clause, Word, clauses, language};

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
    /// It has no word that lines could hold: `Yes.`
    Nothing,
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
            Lack::Nothing => write!(f, "it says nothing that lines could hold"),
            Lack::Number(number) => write!(f, "in the lines `{number}` stands by something else"),
            Lack::Denied(word) => write!(f, "the lines deny `{word}`, and the sentence does not"),
            Lack::NotDenied(word) => {
                write!(f, "the sentence denies `{word}`, and the lines do not")
            }
        }
    }
}

/// What the lines lack of what a sentence says, if they lack anything.
pub(super) fn lack(sentence: &str, lines: &[Lines]) -> Option<Lack> {
    let all: Vec<&str> = lines.iter().map(|it| it.text.as_str()).chain([sentence]).collect();
    let language = language(&all.join(" "));
    let said = clauses(sentence, language);
    let there: Vec<Clause> = lines.iter().flat_map(|it| clauses(&it.text, language)).collect();
    let above: Vec<Clause> = lines.iter().flat_map(|it| clauses(&it.heading, language)).collect();
    let words = || said.iter().flat_map(|it| &it.words);
    let missing: Vec<String> = words()
        .filter(|it| !it.light && !there.iter().chain(&above).any(|clause| clause.has(it)))
        .map(|it| it.raw.clone())
        .collect();
    if !missing.is_empty() {
        return Some(Lack::Words(missing));
    }
    if words().all(|it| it.light) {
        return Some(Lack::Nothing);
    }
    misplaced(&said, &there)
        .or_else(|| said.iter().find_map(|clause| turned(clause, &there, &above)))
}

/// A number that the lines say of something else: the clause that fits best what stands around it has
/// another one.
fn misplaced(said: &[Clause], there: &[Clause]) -> Option<Lack> {
    let counts: Vec<&Clause> =
        there.iter().filter(|it| it.words.iter().any(|word| word.number.is_some())).collect();
    let mut distinct: Vec<&str> =
        counts.iter().flat_map(|it| &it.words).filter_map(|it| it.number.as_deref()).collect();
    distinct.sort_unstable();
    distinct.dedup();
    // What was spoken of before, where a number stands alone: `The limit, 16, …`.
    let mut spoken: Vec<&Word> = Vec::new();
    for clause in said {
        for (at, word) in clause.words.iter().enumerate() {
            if word.number.is_none() {
                if word.is_matter() {
                    spoken.push(word);
                }
                continue;
            }
            let unit = clause.words.get(at + 1).filter(|it| it.is_matter());
            let before = clause.words[..at].iter().rev().take_while(|it| it.number.is_none());
            let mut around: Vec<&Word> = before.filter(|it| it.is_matter()).chain(unit).collect();
            if around.is_empty() {
                around.clone_from(&spoken);
            }
            let fits = |it: &Clause, around: &[&Word]| it.fits(around.iter().copied());
            let best =
                |around: &[&Word]| counts.iter().map(|it| fits(it, around)).max().unwrap_or(0);
            if best(&around) == 0 {
                // `More than 16 (of these)`: what else the sentence speaks of.
                around = said.iter().flat_map(|it| &it.words).filter(|it| it.is_matter()).collect();
            }
            let best = best(&around);
            let near = counts.iter().filter(|it| best > 0 && fits(it, &around) == best);
            let stands = near.into_iter().any(|it| has_number(it, word, unit));
            // Where one number is all there is, it can be of nothing else.
            let held = stands || (best == 0 && distinct.len() == 1);
            if !held && counts.iter().any(|it| it.has(word)) {
                return Some(Lack::Number(word.raw.clone()));
            }
        }
    }
    None
}

/// Whether a clause has a number, with its unit where it has more than one.
fn has_number(clause: &Clause, number: &Word, unit: Option<&Word>) -> bool {
    let several = clause.words.iter().filter(|it| it.number.is_some()).count() > 1;
    clause.words.iter().enumerate().any(|(at, it)| {
        let next = clause.words.get(at + 1).filter(|it| it.is_matter());
        let alike = match (unit, next) {
            (Some(unit), Some(next)) => unit.stands_for(next),
            _ => true,
        };
        number.stands_for(it) && (!several || alike)
    })
}

/// Something that is said where the lines deny it, or denied where they do not.
fn turned(clause: &Clause, there: &[Clause], above: &[Clause]) -> Option<Lack> {
    let matter: Vec<&Word> = clause.words.iter().filter(|it| it.is_matter()).collect();
    let first = matter.first()?;
    let fits = |it: &Clause| it.fits(matter.iter().copied());
    let best = there.iter().map(fits).max().unwrap_or(0);
    let mut near = there.iter().filter(|it| best > 0 && fits(it) == best).peekable();
    let modes = |it: &Clause| -> Vec<String> {
        let modes = it.words.iter().filter(|it| words::is_mode(&it.lower));
        modes.map(|it| it.lower.clone()).collect()
    };
    // Under a denial `must` is not `need`, and `not all` not `none`.
    let alike = |it: &Clause| {
        it.denied == clause.denied
            && (!clause.denied || (it.partly == clause.partly && modes(it) == modes(clause)))
    };
    if near.peek().is_some() && !near.any(alike) {
        let word = first.raw.clone();
        return Some(if clause.denied { Lack::NotDenied(word) } else { Lack::Denied(word) });
    }
    if clause.denied {
        return None;
    }
    // No word may come from denials alone.
    let stands = |it: &Word, all: &[Clause]| all.iter().any(|clause| clause.has(it));
    let free =
        |it: &Word, all: &[Clause]| all.iter().any(|clause| !clause.denied && clause.has(it));
    let denied = matter.iter().find(|it| match stands(it, there) {
        true => !free(it, there),
        false => stands(it, above) && !free(it, above),
    });
    denied.map(|it| Lack::Denied(it.raw.clone()))
}

#[cfg(test)]
mod tests;
