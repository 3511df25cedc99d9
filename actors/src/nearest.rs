//! The word that was probably meant.

/// Longer words are not looked at: they are no slip of a known one.
const SAID_BYTES_MAX: usize = 64;

/// Shorter beginnings of a word fit too many.
const BEGINNING_CHARS_MIN: usize = 2;

/// Of the words that there are, the one that what was said differs least from; if it differs from
/// all in more than a third of its letters, the shortest word that begins with it, or nothing.
pub fn nearest<'a>(said: &str, all: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if said.len() > SAID_BYTES_MAX {
        return None;
    }
    let plain = |it: &str| it.to_lowercase().replace(['_', '-', ' ', ':'], ".");
    let said = plain(said);
    let far = |it: &&str| distance(&said, &plain(it));
    let all: Vec<&str> = all.into_iter().collect();
    let best = *all.iter().min_by_key(|it| far(it))?;
    let letters = said.chars().count();
    let part = !said.is_empty() && best.split('.').any(|it| it == said);
    if part || far(&best) <= letters / 3 {
        return Some(best);
    }
    let begun = all.into_iter().filter(|it| plain(it).starts_with(&said));
    begun.filter(|_| letters >= BEGINNING_CHARS_MIN).min_by_key(|it| it.len())
}

/// Letters to change, add or leave out (Levenshtein).
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (n, letter) in one.chars().enumerate() {
        let mut corner = n;
        row[0] = n + 1;
        for (at, its) in other.iter().enumerate() {
            let changed = corner + usize::from(letter != *its);
            corner = row[at + 1];
            row[at + 1] = changed.min(corner + 1).min(row[at] + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_told_from_another_word() {
        let all = ["atom.put", "atom.updated", "lease.expired"];
        for (said, meant) in [
            ("atom.puts", Some("atom.put")),
            ("atom.update", Some("atom.updated")),
            ("Atom_Put", Some("atom.put")),
            ("expired", Some("lease.expired")),
            ("message.sent", None),
            ("atom.upd", Some("atom.updated")),
            ("leas", Some("lease.expired")),
            ("a", None),
            ("", None),
        ] {
            assert_eq!(nearest(said, all), meant, "{said}");
        }
        assert_eq!(nearest(&"a".repeat(100), all), None);
        assert_eq!(nearest("a", []), None);
    }
}
