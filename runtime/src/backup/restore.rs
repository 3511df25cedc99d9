//! Reading a backup: proving it, and making a directory of it.

use super::file::{Next, Reading, Trouble};
use super::{Backup, BackupError, Copied, Copying};
use crate::config::Config;
use crate::kinds::Kinds;
use crate::store::Vacant;
use std::path::Path;
use stoa_actors::id::Position;
use stoa_actors::log::{Breach, Head, Header, Walk};

/// After so many entries somebody who looks on is told.
const LOOK_ENTRIES: u64 = 4_096;

/// Proves a backup: every entry, its place in the chain, the head that the file ends at.
///
/// Errors: [`BackupError::Foreign`], [`BackupError::Newer`], [`BackupError::Cut`],
/// [`BackupError::Damaged`] and [`BackupError::Sum`], with the last entry that holds.
pub fn verify(path: &Path, look: &mut dyn FnMut(Copied)) -> Result<Backup, BackupError> {
    let mut reading = Reading::open(path)?;
    let of = reading.asked.0;
    let mut each = |at: Position, _: &Header, _: &[u8]| {
        tell(look, Copying::Verify, at, of);
        Ok(())
    };
    let head = walk(&mut reading, &mut each)?;
    let size = std::fs::metadata(path).map_err(BackupError::file("cannot read", path))?;
    Ok(Backup { path: path.to_owned(), head, bytes: size.len() })
}

/// Makes a data directory of a backup: everything that was durable at its head.
///
/// The file is proved whole before anything is written. The directory must be new, or empty, or
/// left by a restore that was cut off; until all of it is on the medium it opens for nobody.
///
/// Errors: those of [`verify`], and [`BackupError::Store`] with
/// [`Occupied`](crate::failure::StoreError::Occupied) where there is something already.
pub fn restore(
    path: &Path,
    config: &Config,
    kinds: &Kinds,
    look: &mut dyn FnMut(Copied),
) -> Result<Backup, BackupError> {
    let proved = verify(path, look)?;
    let vacant = Vacant::take(&config.data)?;
    let of = proved.head.position.0;
    vacant.fill(config, kinds, |add| {
        let mut reading = Reading::open(path)?;
        let mut each = |at: Position, header: &Header, body: &[u8]| {
            tell(look, Copying::Restore, at, of);
            add(at, header, body)
        };
        walk(&mut reading, &mut each)
    })?;
    Ok(proved)
}

fn tell(look: &mut dyn FnMut(Copied), how: Copying, at: Position, of: u64) {
    if at.0.is_multiple_of(LOOK_ENTRIES) || at.0 == of {
        look(Copied { how, done: at.0, of: of.max(at.0) });
    }
}

type Each<'a> = &'a mut dyn FnMut(Position, &Header, &[u8]) -> Result<(), BackupError>;

/// Hands over entry after entry, each proved; the head of the last.
pub(super) fn walk(reading: &mut Reading, each: Each<'_>) -> Result<Head, BackupError> {
    let path = reading.path.clone();
    let damaged =
        |breach: Breach| BackupError::Damaged { path: path.clone(), breach: Box::new(breach) };
    let mut walk = Walk::new(Head::default(), None);
    loop {
        let after = walk.head();
        let next = reading.next().map_err(|trouble| match trouble {
            Trouble::Cut => BackupError::Cut { path: path.clone(), after },
            Trouble::Sum => BackupError::Sum { path: path.clone(), after },
            Trouble::Failed(error) => error,
        })?;
        match next {
            Next::Entry(entry) => {
                let at = Position(after.position.0 + 1);
                let (header, body) = walk.step(at, entry).map_err(damaged)?;
                each(at, &header, body)?;
            }
            Next::End(head) if head == after => return Ok(head),
            Next::End(witness) => {
                return Err(damaged(Breach::Rewritten { log: after, witness }));
            }
        }
    }
}
