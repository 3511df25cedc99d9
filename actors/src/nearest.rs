//! The word that was probably meant.

/// Longer words are not looked at: they are no slip of a known one.
const SAID_BYTES_MAX: usize = 64;

/// Of the words that there are, the one that what was said differs least from; nothing where it
/// differs in more than a third of its letters.
pub fn nearest<'a>(said: &str, all: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if said.len() > SAID_BYTES_MAX {
        return None;
    }
    let plain = |it: &str| it.to_lowercase().replace(['_', '-', ' ', ':'], ".");
    let said = plain(said);
    let far = |it: &&str| distance(&said, &plain(it));
    let best = all.into_iter().min_by_key(far)?;
    let allowed = said.chars().count() / 3;
    let part = !said.is_empty() && best.split('.').any(|it| it == said);
    (part || far(&best) <= allowed).then_some(best)
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
            ("", None),
        ] {
            assert_eq!(nearest(said, all), meant, "{said}");
        }
        assert_eq!(nearest(&"a".repeat(100), all), None);
        assert_eq!(nearest("a", []), None);
    }
}
