//! The end of an id, as people see it and type it: ids of one time begin alike and end by chance.

/// How much of an id people are shown. Two of a million ids end alike in so many characters about
/// once in two million stores; what fits two is told, and never guessed.
pub const SHOWN_CHARS: usize = 8;

/// The fewest characters that are taken for the end of an id.
pub const ENDING_CHARS_MIN: usize = 4;

/// Characters of a whole id.
const ID_CHARS: usize = 26;

/// The digits of an id, in order: those of Crockford's base 32.
const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Into so many buckets ids are sorted by their ends. A power of two, and no more than the shortest
/// end tells apart.
pub const BUCKETS: u8 = 64;

/// Bits that one digit says.
const DIGIT_BITS: u32 = 5;

/// The end of an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IdSuffix {
    value: u128,
    bits: u32,
}

impl IdSuffix {
    /// The end that a text says; nothing for one that is too short, whole, or no end of an id.
    pub fn parse(text: &str) -> Option<IdSuffix> {
        if !(ENDING_CHARS_MIN..ID_CHARS).contains(&text.len()) {
            return None;
        }
        let mut value = 0;
        for byte in text.bytes() {
            let digit = DIGITS.iter().position(|it| *it == byte.to_ascii_uppercase())?;
            value = value << DIGIT_BITS | digit as u128;
        }
        Some(IdSuffix { value, bits: text.len() as u32 * DIGIT_BITS })
    }

    /// Whether an id ends so.
    pub fn is_of(&self, id: &[u8; 16]) -> bool {
        let mask = (1_u128 << self.bits) - 1;
        u128::from_be_bytes(*id) & mask == self.value
    }

    /// The bucket of an id: ids that end alike are in one of [`BUCKETS`].
    pub fn bucket(id: &[u8; 16]) -> u8 {
        id[15] % BUCKETS
    }

    /// The bucket of all ids that end so.
    pub fn its_bucket(&self) -> u8 {
        // It says at least so many bits.
        (self.value % u128::from(BUCKETS)) as u8
    }
}

/// The end of an id as people are shown it.
pub fn shown(id: &str) -> &str {
    match id.len() == ID_CHARS && id.is_ascii() {
        true => &id[ID_CHARS - SHOWN_CHARS..],
        false => id,
    }
}

/// A text with the ends of the ids in it, as people are shown them.
pub fn short_ids(text: &str) -> String {
    let is_id = |it: char| it.is_ascii_digit() || it.is_ascii_uppercase();
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(begins) = rest.find(is_id) {
        let (before, from) = rest.split_at(begins);
        let ends = from.find(|it: char| !it.is_ascii_alphanumeric()).unwrap_or(from.len());
        let (word, after) = from.split_at(ends);
        let alone = before.chars().next_back().is_none_or(|it| !it.is_alphanumeric());
        out += before;
        out += if alone && word.chars().all(is_id) { shown(word) } else { word };
        rest = after;
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::AtomId;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn an_end_is_of_the_ids_that_are_written_so(
            id in any::<[u8; 16]>(),
            other in any::<[u8; 16]>(),
            chars in ENDING_CHARS_MIN..ID_CHARS,
        ) {
            let (id, other) = (AtomId(id), AtomId(other));
            let written = id.to_string();
            let end = &written[ID_CHARS - chars..];
            let ending = IdSuffix::parse(end).unwrap();
            prop_assert!(ending.is_of(&id.0));
            prop_assert_eq!(ending.is_of(&other.0), other.to_string().ends_with(end));
            prop_assert_eq!(ending.its_bucket(), IdSuffix::bucket(&id.0));
            prop_assert_eq!(IdSuffix::parse(&end.to_lowercase()), Some(ending));
            prop_assert!(written.ends_with(shown(&written)));
        }
    }

    #[test]
    fn what_is_no_end_is_none() {
        for text in ["", "ABC", "ABCU", "ABCI", "AB-C", "é7QZ", "01J8Z000000000000000000000"] {
            assert_eq!(IdSuffix::parse(text), None, "{text}");
        }
    }

    #[test]
    fn ids_are_shown_by_their_ends_and_nothing_else_is_changed() {
        let id = "01J8Z3NDEKTSV4RRFFQ69G5FAV";
        let end = shown(id);
        let text = format!("{id} board.put → {id} v1, x{id} {id}x {id}0 É{id}");
        let short = format!("{end} board.put → {end} v1, x{id} {id}x {id}0 É{id}");
        assert_eq!(short_ids(&text), short);
        for same in ["", "WATER THE PLANTS", "日本語", "a1 B2"] {
            assert_eq!(short_ids(same), same);
        }
    }
}
