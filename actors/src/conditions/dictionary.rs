//! Keys and their postings: what words, metadata values and references are found by.

use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::ops::Bound;

/// Each key has a number and a sorted list of postings. A key without postings is gone, and its
/// number is used again, so that what is updated for ever does not grow for ever.
pub(crate) struct Dictionary<K> {
    numbers: BTreeMap<K, u32>,
    lists: Vec<(K, Vec<u32>)>,
    free: Vec<u32>,
}

impl<K> Default for Dictionary<K> {
    fn default() -> Self {
        Dictionary { numbers: BTreeMap::new(), lists: Vec::new(), free: Vec::new() }
    }
}

impl<K: Ord + Clone> Dictionary<K> {
    /// The number of a key; `own` makes the key itself, the first time.
    pub(crate) fn number<Q>(&mut self, key: &Q, own: impl FnOnce() -> K) -> u32
    where
        K: Borrow<Q>,
        Q: Ord + ?Sized,
    {
        if let Some(number) = self.numbers.get(key) {
            return *number;
        }
        let own = own();
        let number = match self.free.pop() {
            Some(number) => {
                self.lists[number as usize].0 = own.clone();
                number
            }
            None => {
                self.lists.push((own.clone(), Vec::new()));
                self.lists.len() as u32 - 1
            }
        };
        self.numbers.insert(own, number);
        number
    }

    /// Files a posting, once.
    pub(crate) fn file(&mut self, number: u32, posting: u32) {
        let list = &mut self.lists[number as usize].1;
        if list.last().is_none_or(|last| *last < posting) {
            return list.push(posting);
        }
        if let Err(at) = list.binary_search(&posting) {
            list.insert(at, posting);
        }
    }

    /// Takes the posting between `low` and `high` out again.
    pub(crate) fn unfile(&mut self, number: u32, low: u32, high: u32) {
        let (key, list) = &mut self.lists[number as usize];
        let at = list.partition_point(|it| *it < low);
        if list.get(at).is_some_and(|it| *it <= high) {
            list.remove(at);
        }
        if list.is_empty() {
            self.numbers.remove(key);
            *list = Vec::new();
            self.free.push(number);
        }
    }

    /// The postings of a key.
    pub(crate) fn postings<Q>(&self, key: &Q) -> &[u32]
    where
        K: Borrow<Q>,
        Q: Ord + ?Sized,
    {
        self.numbers.get(key).map_or(&[], |number| &self.lists[*number as usize].1)
    }

    /// The key that has a number.
    pub(crate) fn key(&self, number: u32) -> &K {
        &self.lists[number as usize].0
    }

    /// The postings of the keys between two.
    pub(crate) fn between<'a>(
        &'a self,
        low: Bound<&K>,
        high: Bound<&K>,
    ) -> impl Iterator<Item = &'a [u32]> + use<'a, K> {
        let found = (!is_empty(low, high)).then(|| self.numbers.range((low, high)));
        found.into_iter().flatten().map(|(_, number)| &self.lists[*number as usize].1[..])
    }

    /// The keys from one on, in order, with their numbers and postings.
    pub(crate) fn from<'a>(
        &'a self,
        key: &K,
    ) -> impl Iterator<Item = (&'a K, u32, &'a [u32])> + use<'a, K> {
        let found = self.numbers.range(key..);
        found.map(|(key, number)| (key, *number, &self.lists[*number as usize].1[..]))
    }
}

/// No walk begins behind its end: the map's own would panic.
fn is_empty<K: Ord>(low: Bound<&K>, high: Bound<&K>) -> bool {
    match (low, high) {
        (Bound::Included(low), Bound::Included(high)) => low > high,
        (Bound::Unbounded, _) | (_, Bound::Unbounded) => false,
        (
            Bound::Included(low) | Bound::Excluded(low),
            Bound::Included(high) | Bound::Excluded(high),
        ) => low >= high,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_without_postings_is_gone() {
        let mut words: Dictionary<String> = Dictionary::default();
        let a = words.number("a", || "a".into());
        words.file(a, 7);
        words.file(a, 3);
        words.file(a, 7);
        assert_eq!(words.postings("a"), [3, 7]);
        words.unfile(a, 3, 3);
        words.unfile(a, 7, 7);
        assert!(words.postings("a").is_empty());
        assert_eq!(words.number("b", || "b".into()), a);
        assert_eq!(words.key(a), "b");
    }
}
