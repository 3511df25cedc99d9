//! The witness: what was acknowledged, in a file of its own with a sync of its own.
//!
//! A store whose journal lost its tail opens without a word; its last entry agrees with itself.
//! Only a second file can say that there was more. Two checksummed slots are written in turn, so
//! that a torn write leaves the older one; the newer valid slot counts.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;
use stoa_actors::id::Position;
use stoa_actors::log::{Hash, Head};

const SLOT_BYTES: u64 = 4096;
const RECORD_BYTES: usize = 48;

/// Writes the last acknowledged head.
#[derive(Debug)]
pub(crate) struct Witness {
    file: File,
    turn: u64,
}

impl Witness {
    /// Opens or makes the file; the head is what it vouches for, nothing when no slot is valid.
    pub(crate) fn open(path: &Path) -> io::Result<(Witness, Option<Head>)> {
        if !path.exists() {
            let mut options = OpenOptions::new();
            let file = options.write(true).create_new(true).mode(0o600).open(path)?;
            file.write_all_at(&[0; 2 * SLOT_BYTES as usize], 0)?;
            file.sync_all()?;
            if let Some(parent) = path.parent() {
                File::open(parent)?.sync_all()?;
            }
        }
        let file = OpenOptions::new().read(true).write(true).open(path)?;
        let newest = newest(&file);
        // The next write goes to the slot that is not the newest.
        let turn = newest.map_or(0, |(slot, _)| slot + 1);
        Ok((Witness { file, turn }, newest.map(|(_, head)| head)))
    }

    /// The head that the file vouches for, if there is such a file.
    pub(super) fn read(path: &Path) -> io::Result<Option<Head>> {
        match File::open(path) {
            Ok(file) => Ok(newest(&file).map(|(_, head)| head)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Returns once the head is on the medium.
    pub(crate) fn write(&mut self, head: Head) -> io::Result<()> {
        self.file.write_all_at(&record(head), (self.turn % 2) * SLOT_BYTES)?;
        self.turn += 1;
        self.file.sync_data()
    }

    /// Vouches for less than before: both slots, for a loss that was accepted by hand.
    pub(crate) fn overwrite(&mut self, head: Head) -> io::Result<()> {
        self.file.write_all_at(&record(head), 0)?;
        self.file.write_all_at(&record(head), SLOT_BYTES)?;
        self.file.sync_all()
    }
}

/// The newer valid slot, and which it is.
fn newest(file: &File) -> Option<(u64, Head)> {
    let mut newest: Option<(u64, Head)> = None;
    for slot in 0..2 {
        let mut record = [0; RECORD_BYTES];
        if file.read_exact_at(&mut record, slot * SLOT_BYTES).is_err() {
            continue;
        }
        if let Some(head) = read(&record)
            && newest.is_none_or(|(_, it)| it.position < head.position)
        {
            newest = Some((slot, head));
        }
    }
    newest
}

fn record(head: Head) -> [u8; RECORD_BYTES] {
    let mut out = [0; RECORD_BYTES];
    out[..8].copy_from_slice(&head.position.0.to_be_bytes());
    out[8..40].copy_from_slice(&head.hash.0);
    let sum = Hash::of(&out[..40]);
    out[40..].copy_from_slice(&sum.0[..8]);
    out
}

fn read(record: &[u8; RECORD_BYTES]) -> Option<Head> {
    let position = Position(u64::from_be_bytes(*record.first_chunk()?));
    let hash = Hash(*record[8..].first_chunk()?);
    (Hash::of(&record[..40]).0[..8] == record[40..]).then_some(Head { position, hash })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_torn_write_leaves_the_head_before() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("witness");
        let head = |n: u64| Head { position: Position(n), hash: Hash([n as u8; 32]) };
        let (mut witness, found) = Witness::open(&path).unwrap();
        assert_eq!(found, None);
        for n in 1..=5 {
            witness.write(head(n)).unwrap();
        }
        drop(witness);
        let (mut witness, found) = Witness::open(&path).unwrap();
        assert_eq!(found, Some(head(5)));
        witness.write(head(6)).unwrap();
        // The write of 6 is torn: 5 must still be there.
        let newest = if read_slot(&path, 0) == Some(head(6)) { 0 } else { SLOT_BYTES };
        witness.file.write_all_at(&[0xff; 20], newest).unwrap();
        assert_eq!(Witness::open(&path).unwrap().1, Some(head(5)));
    }

    fn read_slot(path: &Path, at: u64) -> Option<Head> {
        let mut bytes = [0; RECORD_BYTES];
        File::open(path).unwrap().read_exact_at(&mut bytes, at).unwrap();
        read(&bytes)
    }
}
