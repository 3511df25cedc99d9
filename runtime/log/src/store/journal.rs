//! The end of the engine's newest journal after a power cut.
//!
//! A batch that waited for its sync may have come to the medium in part. Where its end is missing
//! the engine cuts it off; where its length is right and a page in its middle is missing, the engine
//! refuses to open. Such a batch is cut off here, if it can be shown that nothing of it was
//! acknowledged. Everything else stays refused: it is damage, and not a cut.

use super::open::file_error;
use super::witness::Witness;
use crate::failure::StoreError;
use std::fs::{self, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use xxhash_rust::xxh3::Xxh3;

/// What ends a batch: the engine's own mark.
const MAGIC: [u8; 4] = *b"FJL\x03";

/// The number of the keyspace that holds the log: it is the first that is made.
const LOG: u64 = 1;

/// Cuts the batch off that keeps the engine from opening; whether there was one.
pub(super) fn cut_torn_batch(data: &Path) -> Result<bool, StoreError> {
    let path = data.join("witness");
    let vouched = Witness::read(&path).map_err(file_error("cannot read", &path))?;
    let vouched = vouched.map_or(0, |head| head.position.0);
    let db = data.join("db");
    let Some(path) = newest(&db).map_err(file_error("cannot read", &db))? else {
        return Ok(false);
    };
    let bytes = fs::read(&path).map_err(file_error("cannot read", &path))?;
    let Some(end) = unacknowledged_end(&bytes, vouched) else { return Ok(false) };
    tracing::warn!(journal = %path.display(), end, "a batch that nobody was told of is cut off");
    OpenOptions::new()
        .write(true)
        .open(&path)
        .and_then(|file| file.set_len(end as u64).and_then(|()| file.sync_all()))
        .map_err(file_error("cannot write", &path))?;
    Ok(true)
}

/// The journal that is written to; all others were synced whole before it was made.
fn newest(db: &Path) -> io::Result<Option<PathBuf>> {
    let mut newest: Option<(u64, PathBuf)> = None;
    for entry in fs::read_dir(db)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|it| it.to_str()).unwrap_or_default();
        let number = name.strip_suffix(".jnl").and_then(|it| it.parse().ok());
        if let Some(number) = number
            && newest.as_ref().is_none_or(|it| it.0 < number)
        {
            newest = Some((number, path));
        }
    }
    Ok(newest.map(|it| it.1))
}

/// Where the last whole batch ends, if what follows is a batch that is not whole and the log was
/// vouched for no further than up to there.
fn unacknowledged_end(journal: &[u8], vouched: u64) -> Option<usize> {
    let (mut end, mut last) = (0, 0);
    loop {
        let mut rest = Rest(journal.get(end..)?);
        let batch = rest.batch()?;
        if batch.whole {
            end = journal.len() - rest.0.len();
            last = batch.positions.into_iter().fold(last, u64::max);
            continue;
        }
        // A new journal may begin with it. Bytes that are missing are zeros, so the position that is
        // read is the one that was written, or a smaller one.
        let behind = batch.positions.first().is_some_and(|first| *first > vouched);
        return (last >= vouched || behind).then_some(end);
    }
}

/// A batch as its lengths say.
struct Read {
    whole: bool,
    /// Where its entries of the log stand.
    positions: Vec<u64>,
}

/// What is left to read.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    /// A number of so many bytes, the lowest first.
    fn number(&mut self, bytes: usize) -> Option<u64> {
        let taken = self.take(bytes)?;
        Some(taken.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    /// Nothing where there is no batch with a beginning and an end: that the engine cuts off.
    fn batch(&mut self) -> Option<Read> {
        if self.number(1)? != 1 {
            return None;
        }
        let (count, _version) = (self.number(4)?, self.number(8)?);
        let (mut sum, mut items, mut positions) = (Xxh3::new(), 0, Vec::new());
        loop {
            let before = self.0;
            match self.number(1)? {
                2 => {
                    let (_kind, _packed) = (self.number(1)?, self.number(1)?);
                    let (keyspace, key) = (self.number(8)?, self.number(2)?);
                    let (_whole, value) = (self.number(4)?, self.number(4)?);
                    let key = self.take(usize::try_from(key).ok()?)?;
                    self.take(usize::try_from(value).ok()?)?;
                    if keyspace == LOG {
                        let position = key.first_chunk().map(|it| u64::from_be_bytes(*it));
                        positions.extend(position);
                    }
                }
                3 => {
                    let told = self.number(8)?;
                    let whole = told == sum.digest() && count == items;
                    return (self.take(MAGIC.len())? == MAGIC).then_some(Read { whole, positions });
                }
                4 => drop(self.number(8)?),
                _ => return None,
            }
            sum.update(&before[..before.len() - self.0.len()]);
            items += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(keyspace: u64, key: &[u8], value: &[u8]) -> Vec<u8> {
        let mut item = vec![2, 0, 0];
        item.extend(keyspace.to_le_bytes());
        item.extend((key.len() as u16).to_le_bytes());
        item.extend([(value.len() as u32).to_le_bytes(); 2].concat());
        [&item, key, value].concat()
    }

    fn batch(items: &[Vec<u8>]) -> Vec<u8> {
        let mut sum = Xxh3::new();
        items.iter().for_each(|it| sum.update(it));
        let mut batch = vec![1];
        batch.extend((items.len() as u32).to_le_bytes());
        batch.extend(7_u64.to_le_bytes());
        batch.extend(items.concat());
        batch.push(3);
        batch.extend(sum.digest().to_le_bytes());
        [&batch[..], &MAGIC].concat()
    }

    fn entry(position: u64) -> Vec<u8> {
        let other = item(2, b"some atom", b"where it stands");
        batch(&[other, item(LOG, &position.to_be_bytes(), &[9; 300])])
    }

    /// Zeros in the middle of the last value.
    fn torn(mut batch: Vec<u8>) -> Vec<u8> {
        let len = batch.len();
        batch[len - 100..len - 50].fill(0);
        batch
    }

    const ROOM: [u8; 64] = [0; 64];

    #[test]
    fn only_a_batch_behind_what_was_vouched_for_is_cut_off() {
        let whole = [entry(1), entry(2)].concat();
        let cut = [&whole[..], &torn(entry(3)), &ROOM].concat();
        assert_eq!(unacknowledged_end(&cut, 2), Some(whole.len()));
        assert_eq!(unacknowledged_end(&cut, 3), None, "it was acknowledged: that is damage");
        let inside = [&torn(entry(1))[..], &entry(2), &entry(3), &ROOM].concat();
        assert_eq!(unacknowledged_end(&inside, 3), None, "so is what has whole ones behind it");
    }

    #[test]
    fn the_first_batch_of_a_new_journal_says_itself_what_is_before_it() {
        let first = [&torn(entry(8))[..], &ROOM].concat();
        assert_eq!(unacknowledged_end(&first, 7), Some(0));
        assert_eq!(unacknowledged_end(&first, 8), None);
        assert_eq!(
            unacknowledged_end(&first, 5),
            Some(0),
            "an older journal holds what is between"
        );
    }

    #[test]
    fn what_the_engine_cuts_off_itself_is_left_to_it() {
        let whole = [entry(1), entry(2)].concat();
        assert_eq!(unacknowledged_end(&[&whole[..], &ROOM].concat(), 2), None);
        let third = entry(3);
        for len in 0..third.len() {
            let short = [&whole[..], &third[..len], &ROOM].concat();
            let end = unacknowledged_end(&short, 2);
            assert!(end.is_none_or(|it| it == whole.len()), "{len}: {end:?}");
        }
    }
}
