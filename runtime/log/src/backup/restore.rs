//! Reading a backup: proving it, and making a directory of it.

use super::file::{Next, Reading, Trouble};
use super::{BackupError, BackupSummary, Copied, Copying};
use crate::blocking::told_to_block;
use crate::decoders::Decoders;
use crate::failure::StoreError;
use crate::limits::LogConfig;
use crate::store::{Vacant, account};
use std::collections::BTreeMap;
use std::path::Path;
use stoa_actors::id::{AtomId, Position};
use stoa_actors::log::{Body, Breach, Hash, Head, Header, Walk};
use stoa_actors::redaction::{redacted, stored};

/// After so many entries somebody who looks on is told.
const LOOK_ENTRIES: u64 = 4_096;

/// Proves a backup: every entry, its place in the chain, the head that the file ends at.
///
/// Errors: [`BackupError::Foreign`], [`BackupError::Newer`], [`BackupError::Cut`],
/// [`BackupError::Damaged`] and [`BackupError::Sum`], with the last entry that holds.
pub fn verify(path: &Path, look: &mut dyn FnMut(Copied)) -> Result<BackupSummary, BackupError> {
    let mut reading = Reading::open(path)?;
    let of = reading.asked.0;
    let mut each = |at: Position, _: &Header, _: &[u8]| {
        tell(look, Copying::Verify, at, of);
        Ok(())
    };
    let head = walk(&mut reading, &mut each)?;
    let size = std::fs::metadata(path).map_err(BackupError::file("cannot read", path))?;
    Ok(BackupSummary { path: path.to_owned(), head, bytes: size.len() })
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
    config: &LogConfig,
    kinds: &impl AsRef<Decoders>,
    look: &mut dyn FnMut(Copied),
) -> Result<BackupSummary, BackupError> {
    let proved = verify(path, look)?;
    let erased = Erased::of(path)?;
    let vacant = Vacant::take(&config.data)?;
    told_to_block(|| refill(path, config, kinds.as_ref(), (proved, erased, vacant), look))
}

fn refill(
    path: &Path,
    config: &LogConfig,
    kinds: &Decoders,
    (proved, erased, vacant): (BackupSummary, Erased, Vacant),
    look: &mut dyn FnMut(Copied),
) -> Result<BackupSummary, BackupError> {
    let of = proved.head.position.0;
    vacant.fill(config, kinds, |add| {
        let mut reading = Reading::open(path)?;
        let mut each = |at: Position, header: &Header, body: &[u8]| {
            tell(look, Copying::Restore, at, of);
            match erased.body(at, body)? {
                Some(new) => add(at, header, &new),
                None => add(at, header, body),
            }
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

/// A breach, or why it cannot be known whether there is one.
enum Invalid {
    Breach(Breach),
    Other(BackupError),
}

impl From<Breach> for Invalid {
    fn from(breach: Breach) -> Invalid {
        Invalid::Breach(breach)
    }
}

type Each<'a> = &'a mut dyn FnMut(Position, &Header, &[u8]) -> Result<(), BackupError>;

/// What a backup says has left the log. A body that was read before it left, and an account of it
/// that was written while the backup was taken, can both be in one file: it leaves here as well.
struct Erased {
    atoms: BTreeMap<Position, Vec<AtomId>>,
    digests: BTreeMap<Position, Vec<Hash>>,
}

impl Erased {
    /// Of a file that is proved.
    fn of(path: &Path) -> Result<Erased, BackupError> {
        let mut reading = Reading::open(path)?;
        let mut erased = Erased { atoms: BTreeMap::new(), digests: BTreeMap::new() };
        while let Ok(Next::Entry(entry)) = reading.next() {
            for it in account(&mut erased.digests, entry)? {
                for (at, _) in &it.bodies {
                    erased.atoms.entry(*at).or_default().push(it.atom);
                }
            }
        }
        Ok(erased)
    }

    /// Whether this stands there by one of its accounts.
    fn hold(&self, at: Position, digest: Hash) -> bool {
        self.digests.get(&at).is_some_and(|all| all.contains(&digest))
    }

    /// What stands there once it has left; nothing where it has.
    fn body(&self, at: Position, body: &[u8]) -> Result<Option<Vec<u8>>, BackupError> {
        let Some(atoms) = self.atoms.get(&at) else { return Ok(None) };
        let damaged = |error| BackupError::Store(StoreError::from(error));
        let mut left = Body::decode(body).map_err(damaged)?;
        for atom in atoms {
            left = redacted(&left, *atom).map_err(damaged)?.unwrap_or(left);
        }
        let (bytes, digest) = stored(&left).map_err(damaged)?;
        Ok((self.hold(at, digest) && bytes != body).then_some(bytes))
    }
}

/// Hands over entry after entry, each proved; the head of the last.
pub(super) fn walk(reading: &mut Reading, each: Each<'_>) -> Result<Head, BackupError> {
    let path = reading.path.clone();
    let damaged =
        |breach: Breach| BackupError::Damaged { path: path.clone(), breach: Box::new(breach) };
    let file = reading.file.clone();
    let mut erased = None;
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
                // Looked for only where there is a body that is not what its header says.
                let step = walk.step_over(at, entry, |at, found| {
                    if erased.is_none() {
                        erased = Some(Erased::of(&file).map_err(Invalid::Other)?);
                    }
                    Ok(erased.as_ref().is_some_and(|it: &Erased| it.hold(at, found)))
                });
                let (header, body) = step.map_err(|invalid| match invalid {
                    Invalid::Breach(breach) => damaged(breach),
                    Invalid::Other(error) => error,
                })?;
                each(at, &header, body)?;
            }
            Next::End(head) if head == after => return Ok(head),
            Next::End(witness) => {
                return Err(damaged(Breach::Rewritten { log: after, witness }));
            }
        }
    }
}
