//! What the metadata of a space says, key by key: who has which value, cheap to change, and no more
//! than fits.
//!
//! All keys are kept while they fit into so many bytes. Then those go that were asked for longest ago,
//! of several the largest, and a key that is asked for again has to be filed anew.

use super::bits::Bits;
use super::facets::{Form, Lookup, Of, allowed, forms};
use super::predicate::{lookup, operands, paths};
use crate::atom::Metadata;
use crate::mutant::planted;
use crate::value::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

/// About what a key takes besides its name.
const COLUMN_BYTES: usize = 160;
/// About what a value takes besides what it says: its place in the map, and a set of its own.
const FACET_BYTES: usize = 160;
/// About what it takes that one more has it.
const POSTING_BYTES: usize = 8;

/// Who has which value under which key.
#[derive(Clone, Debug)]
pub(crate) struct Columns {
    by: BTreeMap<Box<str>, Column>,
    /// Whether what has no column is a key that nobody has.
    whole: bool,
    bytes: usize,
    /// The last time that something was asked for.
    asked: u64,
}

#[derive(Clone, Debug, Default)]
struct Column {
    values: BTreeMap<(Of, Form), BTreeSet<u32>>,
    bytes: usize,
    asked: u64,
}

impl Default for Columns {
    fn default() -> Columns {
        Columns { by: BTreeMap::new(), whole: true, bytes: 0, asked: 0 }
    }
}

impl Columns {
    /// The keys of a condition that are to be filed before it can be asked. From now on there is room
    /// for them: all others go before they do.
    pub(crate) fn ask(&mut self, wanted: &Metadata) -> BTreeSet<String> {
        self.asked += 1;
        let (mut missing, begins) = (BTreeSet::new(), self.by.is_empty());
        for (key, ..) in operands(wanted) {
            if !self.whole && !self.by.contains_key(key) {
                missing.insert(key.to_owned());
            }
            // Whoever asks for what nobody has leaves nothing behind.
            if !self.whole || begins {
                self.add(key);
            }
            if let Some(column) = self.by.get_mut(key) {
                column.asked = self.asked;
            }
        }
        missing
    }

    /// Whether anybody has a key, as far as that is known here.
    pub(crate) fn has(&self, key: &str) -> Option<bool> {
        let column = self.by.get(key);
        let known = column.is_some() || self.whole;
        known.then(|| column.is_some_and(|it| !it.values.is_empty()))
    }

    /// The keys that somebody has, as far as they are known here.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &str> {
        self.by.iter().filter(|(_, it)| !it.values.is_empty()).map(|(key, _)| &**key)
    }

    /// The slots whose metadata says all of this; nothing for everything.
    pub(crate) fn allowed(&self, wanted: &Metadata) -> Option<Bits> {
        allowed(self, wanted)
    }

    /// Files what a slot says under some keys, which it was not filed under before.
    pub(crate) fn file_under(&mut self, slot: u32, metadata: &Metadata, keys: &BTreeSet<String>) {
        for key in keys {
            if let Some(value) = lookup(metadata, key) {
                self.put(slot, key, value);
            }
        }
    }

    /// Files what a slot says in place of what it said.
    pub(crate) fn refile(&mut self, slot: u32, old: Option<&Metadata>, new: &Metadata) {
        let before = old.map(|it| self.kept(it)).unwrap_or_default();
        let after = self.kept(new);
        for (key, value) in &before {
            if after.get(key) != Some(value) {
                self.take_out(slot, key, value);
            }
        }
        for (key, value) in &after {
            if before.get(key) != Some(value)
                && (old.is_none() || !planted("claim.changes_are_not_filed"))
            {
                self.put(slot, key, value);
            }
        }
    }

    /// Gives each slot the number that stands in its place.
    pub(crate) fn renumber(&mut self, to: &[u32]) {
        for slots in self.by.values_mut().flat_map(|it| it.values.values_mut()) {
            *slots = slots.iter().map(|slot| to[*slot as usize]).collect();
        }
    }

    /// What of metadata is filed.
    fn kept<'a>(&self, metadata: &'a Metadata) -> BTreeMap<String, &'a Value> {
        if self.whole {
            return paths(metadata);
        }
        let found = |key: &str| lookup(metadata, key).map(|it| (key.to_owned(), it));
        self.by.keys().filter_map(|key| found(key)).collect()
    }

    fn add(&mut self, key: &str) {
        if !self.by.contains_key(key) {
            let bytes = COLUMN_BYTES + key.len();
            self.by.insert(key.into(), Column { bytes, ..Column::default() });
            self.bytes += bytes;
        }
    }

    fn put(&mut self, slot: u32, key: &str, value: &Value) {
        self.add(key);
        let Some(column) = self.by.get_mut(key) else { return };
        let before = column.bytes;
        for (of, form) in forms(value) {
            let bytes = FACET_BYTES + form.heap_bytes();
            let slots = column.values.entry((of, form)).or_default();
            column.bytes += if slots.is_empty() { bytes } else { 0 };
            column.bytes += if slots.insert(slot) { POSTING_BYTES } else { 0 };
        }
        self.bytes += column.bytes - before;
    }

    fn take_out(&mut self, slot: u32, key: &str, value: &Value) {
        let Some(column) = self.by.get_mut(key) else { return };
        let before = column.bytes;
        for named in forms(value) {
            let Some(slots) = column.values.get_mut(&named) else { continue };
            column.bytes -= if slots.remove(&slot) { POSTING_BYTES } else { 0 };
            if slots.is_empty() {
                column.bytes -= FACET_BYTES + named.1.heap_bytes();
                column.values.remove(&named);
            }
        }
        self.bytes -= before - column.bytes;
        if self.whole && column.values.is_empty() {
            self.bytes -= self.by.remove(key).map_or(0, |it| it.bytes);
        }
    }

    /// Lets keys go while there is more than there may be, but none that the last condition asked for.
    pub(crate) fn make_room(&mut self, bytes_max: usize) {
        self.drop_before(self.asked, bytes_max);
    }

    /// The same with all of them: the bound holds whatever is asked for.
    pub(crate) fn keep_within(&mut self, bytes_max: usize) {
        self.drop_before(u64::MAX, bytes_max);
    }

    fn drop_before(&mut self, asked: u64, bytes_max: usize) {
        while self.bytes > bytes_max {
            let old = self.by.iter().filter(|(_, it)| it.asked < asked);
            let order = |it: &Column| (it.asked, usize::MAX - it.bytes);
            let Some(key) = old.min_by_key(|(_, it)| order(it)).map(|(key, _)| key.clone()) else {
                return;
            };
            self.bytes -= self.by.remove(&key).map_or(0, |it| it.bytes);
            self.whole = planted("claim.what_went_is_nowhere");
        }
    }
}

impl Lookup for Columns {
    fn having(&self, key: &str, of: Of, form: Form, to: &mut Bits) {
        let slots = self.by.get(key).and_then(|it| it.values.get(&(of, form)));
        slots.into_iter().flatten().for_each(|slot| to.put(*slot, true));
    }

    fn between(&self, key: &str, low: Bound<Form>, high: Bound<Form>, to: &mut Bits) {
        let bound = |form| (Of::Value, form);
        let (low, high) = (low.map(bound), high.map(bound));
        // A walk that begins behind its end would panic.
        let empty = match (&low, &high) {
            (Bound::Included(low), Bound::Included(high)) => low > high,
            (Bound::Unbounded, _) | (_, Bound::Unbounded) => false,
            (
                Bound::Included(low) | Bound::Excluded(low),
                Bound::Included(high) | Bound::Excluded(high),
            ) => low >= high,
        };
        let Some(column) = self.by.get(key).filter(|_| !empty) else { return };
        let slots = column.values.range((low, high)).flat_map(|(_, slots)| slots);
        let late = usize::from(planted("claim.ranges_begin_too_late"));
        slots.skip(late).for_each(|slot| to.put(*slot, true));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn says(pairs: &[(&str, i64)]) -> Metadata {
        pairs.iter().map(|(key, it)| ((*key).to_owned(), Value::Int(*it))).collect()
    }

    impl Columns {
        /// Whether it can be asked for a condition as it is.
        fn knows(&self, wanted: &Metadata) -> bool {
            self.whole || operands(wanted).iter().all(|(key, ..)| self.by.contains_key(*key))
        }
    }

    fn slots(of: &Columns, wanted: &Metadata) -> Vec<u32> {
        of.allowed(wanted).map(|it| it.iter().collect()).unwrap_or_default()
    }

    #[test]
    fn what_is_taken_out_takes_no_room() {
        let mut columns = Columns::default();
        let list = Value::List(vec![Value::from("a"), Value::from("b")]);
        let said: Metadata = [("tags".to_owned(), list), ("n".to_owned(), Value::Int(1))].into();
        for slot in 0..9 {
            columns.refile(slot, None, &said);
        }
        assert!(columns.bytes > 9 * POSTING_BYTES * 4);
        assert_eq!(slots(&columns, &says(&[("n", 1)])), [0, 1, 2, 3, 4, 5, 6, 7, 8]);
        for slot in 0..9 {
            columns.refile(slot, Some(&said), &Metadata::new());
        }
        assert_eq!(columns.bytes, 0);
        assert!(slots(&columns, &says(&[("n", 1)])).is_empty());
    }

    #[test]
    fn the_keys_that_were_asked_for_longest_ago_go_and_come_back_when_they_are_filed() {
        let mut columns = Columns::default();
        let said = says(&[("a", 1), ("b", 2), ("c", 3)]);
        columns.refile(0, None, &said);
        // Of each key, with two that have it.
        let each = columns.bytes / 3 + POSTING_BYTES;
        assert!(columns.ask(&says(&[("b", 2)])).is_empty());
        assert!(columns.ask(&says(&[("c", 3)])).is_empty());
        columns.make_room(each * 2);
        assert!(!columns.knows(&says(&[("a", 1)])) && columns.knows(&says(&[("b", 2)])));
        // What has gone is filed no more, and the rest is.
        columns.refile(1, None, &said);
        assert_eq!(slots(&columns, &says(&[("b", 2)])), [0, 1]);
        let missing = columns.ask(&says(&[("a", 1)]));
        assert_eq!(missing, [String::from("a")].into());
        for slot in [0, 1] {
            columns.file_under(slot, &said, &missing);
            columns.make_room(each * 2);
        }
        assert_eq!(slots(&columns, &says(&[("a", 1)])), [0, 1]);
        assert!(!columns.knows(&says(&[("b", 2)])), "it went for the one that was asked for");
        columns.keep_within(0);
        assert!(columns.bytes == 0 && !columns.knows(&says(&[("a", 1)])));
    }
}
