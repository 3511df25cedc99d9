//! Sets of slots, a bit each: a set of all atoms of a large space is small, and so is what two
//! sets have in common.

/// Slots, in order. What lies behind the last word is not in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Bits(Vec<u64>);

impl Bits {
    /// The first so many slots.
    pub(crate) fn full(slots: usize) -> Bits {
        let mut bits = Bits(vec![u64::MAX; slots.div_ceil(64)]);
        bits.drop_from(slots as u32);
        bits
    }

    pub(crate) fn len(&self) -> usize {
        self.0.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// Takes out a slot and all behind it.
    pub(crate) fn drop_from(&mut self, slot: u32) {
        let word = slot as usize / 64;
        self.0.truncate(word + 1);
        if let Some(last) = self.0.get_mut(word) {
            *last &= (1 << (slot % 64)) - 1;
        }
    }

    /// Takes out all before a slot.
    pub(crate) fn drop_below(&mut self, slot: u32) {
        let word = slot as usize / 64;
        self.0.iter_mut().take(word).for_each(|it| *it = 0);
        if let Some(first) = self.0.get_mut(word) {
            *first &= u64::MAX << (slot % 64);
        }
    }

    pub(crate) fn put(&mut self, slot: u32, is_in: bool) {
        let (word, bit) = (slot as usize / 64, 1 << (slot % 64));
        if self.0.len() <= word {
            self.0.resize(word + 1, 0);
        }
        if is_in {
            self.0[word] |= bit;
        } else {
            self.0[word] &= !bit;
        }
    }

    /// Takes in slots that are in order.
    pub(crate) fn extend(&mut self, slots: &[u32]) {
        let last = slots.last().map_or(0, |it| *it as usize / 64 + 1);
        self.0.resize(self.0.len().max(last), 0);
        slots.iter().for_each(|it| self.0[*it as usize / 64] |= 1 << (it % 64));
    }

    /// Bytes that it takes.
    pub(crate) fn bytes(&self) -> usize {
        self.0.len() * size_of::<u64>()
    }

    pub(crate) fn has(&self, slot: u32) -> bool {
        self.0.get(slot as usize / 64).is_some_and(|word| word >> (slot % 64) & 1 == 1)
    }

    /// Takes out what is not in the other.
    pub(crate) fn keep(&mut self, other: &Bits) {
        self.0.truncate(other.0.len());
        self.0.iter_mut().zip(&other.0).for_each(|(own, other)| *own &= other);
    }

    /// Takes in what is in the other.
    pub(crate) fn add(&mut self, other: &Bits) {
        self.0.resize(self.0.len().max(other.0.len()), 0);
        self.0.iter_mut().zip(&other.0).for_each(|(own, other)| *own |= other);
    }

    /// Takes out what is in the other.
    pub(crate) fn drop_all(&mut self, other: &Bits) {
        self.0.iter_mut().zip(&other.0).for_each(|(own, other)| *own &= !other);
    }

    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = u32> + '_ {
        let words = self.0.iter().enumerate();
        words.flat_map(|(n, word)| Ones { word: *word, base: n as u32 * 64 })
    }
}

/// The bits of one word.
struct Ones {
    word: u64,
    base: u32,
}

impl Iterator for Ones {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        let at = (self.word != 0).then(|| self.word.trailing_zeros())?;
        self.word &= self.word - 1;
        Some(self.base + at)
    }
}

impl DoubleEndedIterator for Ones {
    fn next_back(&mut self) -> Option<u32> {
        let at = (self.word != 0).then(|| 63 - self.word.leading_zeros())?;
        self.word &= !(1 << at);
        Some(self.base + at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_has_what_was_put_into_it_in_order() {
        let mut bits = Bits::default();
        bits.extend(&[3, 63, 64, 200]);
        bits.put(3, false);
        bits.put(500, true);
        assert_eq!(bits.iter().collect::<Vec<_>>(), [63, 64, 200, 500]);
        assert_eq!(bits.iter().rev().collect::<Vec<_>>(), [500, 200, 64, 63]);
        assert!(bits.has(64) && !bits.has(3) && !bits.has(9_999));
        let mut others = Bits::default();
        others.extend(&[63, 200, 201]);
        let dropped = bits.clone();
        bits.keep(&others);
        assert_eq!(bits.iter().collect::<Vec<_>>(), [63, 200]);
        others.drop_all(&dropped);
        assert_eq!(others.iter().collect::<Vec<_>>(), [201]);
        let mut some = Bits::full(130);
        assert_eq!((some.len(), some.has(129), some.has(130)), (130, true, false));
        assert_eq!((Bits::full(128).len(), Bits::full(0).len()), (128, 0));
        some.drop_below(127);
        assert_eq!(some.iter().collect::<Vec<_>>(), [127, 128, 129]);
        some.drop_from(128);
        assert_eq!(some.iter().collect::<Vec<_>>(), [127]);
        some.drop_below(999);
        some.drop_from(999);
        assert_eq!(some.len(), 0);
    }
}
