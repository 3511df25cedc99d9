//! What was erased leaves the store: bodies are replaced, and later the bytes leave the files.

use super::{Batch, Store, keys, missing};
use crate::failure::StoreError;
use std::collections::BTreeMap;
use stoa_actors::atom::{Atom, Content};
use stoa_actors::behaviour::Behaviour;
use stoa_actors::id::{AtomId, Millis, Position, ROOT, SessionId};
use stoa_actors::incarnation;
use stoa_actors::log::{Body, Hash, Head, Header};
use stoa_actors::redaction::{NOBODY, REDACTIONS, Redacted, Redactions, redacted, stored};
use stoa_actors::space::Space;

/// The row of `meta` that says that files may still hold what was erased.
const RESIDUE: &[u8] = b"residue";
/// What the row of it says while files are written anew.
const PURGE_BEGUN: u8 = 2;
/// Versions that one piece looks at.
const LEAVE_ENTRIES: u64 = 512;

/// One piece of a redaction.
pub(crate) struct Leaving {
    /// Of which atom.
    pub(crate) atom: AtomId,
    /// From which version on.
    pub(crate) from: u64,
    /// The last entry of the log.
    pub(crate) after: Head,
    /// The number that the entry which accounts for it has in its stream.
    pub seq: u64,
    /// The piece ends once the new bodies take so much.
    pub(crate) bytes_max: usize,
}

/// What a piece has done.
pub(crate) struct Left {
    /// The head with the entry that accounts for it; nothing if there was nothing to do.
    pub head: Option<Head>,
    /// The entries whose bodies are others now, and how many events each has.
    pub(crate) replaced: Vec<(Position, u16)>,
    /// The version to go on from.
    pub(crate) next: u64,
    /// Whether that was the last of the atom.
    pub(crate) whole: bool,
}

impl Store {
    /// Erased atoms whose versions are yet to leave the log.
    pub fn erasures(&self) -> Result<Vec<AtomId>, StoreError> {
        let short = || StoreError::Codec("a row of erasures is cut short".into());
        let id = |guard: fjall::Guard| {
            guard.key()?.first_chunk().map(|it| AtomId(*it)).ok_or_else(short)
        };
        self.erasures.iter().map(id).collect()
    }

    /// Puts a piece into a batch: new bodies under the old headers, and the entry that accounts for
    /// them. Nothing for an atom that is not erased.
    ///
    /// What it does follows from the log and from what it is told, so that every node that does it
    /// behind the same entry does the same.
    pub(crate) fn leave(
        &self,
        batch: &mut Batch,
        leaving: &Leaving,
    ) -> Result<Option<Left>, StoreError> {
        let id = leaving.atom;
        let tombstone = self.newest(id)?.map(|(_, atom)| atom);
        let erased = tombstone.filter(|atom| atom.content == Content::Erased);
        let Some(tombstone) = erased else { return Ok(None) };
        let (mut bodies, mut replaced) = (Vec::new(), Vec::new());
        let (mut bytes, mut looked, mut next) = (0, 0, leaving.from);
        while next < tombstone.version && bytes < leaving.bytes_max && looked < LEAVE_ENTRIES {
            let at = self.place_of(&tombstone, next)?;
            (next, looked) = (next + 1, looked + 1);
            if bodies.last().is_some_and(|(last, _)| *last == at) {
                continue;
            }
            let value = self.log.get(keys::position(at))?.ok_or_else(|| missing(at))?;
            let (header, body) = Header::split(&value)?;
            let body = Body::decode(body)?;
            let Some(new) = redacted(&body, id)? else { continue };
            let (new_bytes, digest) = stored(&new)?;
            bytes += new_bytes.len() + body.events.len();
            let entry = [&header.to_bytes()[..], &new_bytes].concat();
            batch.insert(&self.log, keys::position(at), entry);
            bodies.push((at, digest));
            let events = incarnation::events::<Space>(&body)?.len();
            replaced.push((at, u16::try_from(events).unwrap_or(u16::MAX)));
        }
        let whole = next >= tombstone.version;
        self.forget_vectors_of(batch, id)?;
        let mut left = Left { head: None, replaced, next, whole };
        if whole || !bodies.is_empty() {
            let event = Redacted { atom: id, bodies, whole };
            let by = (tombstone.author, tombstone.at);
            left.head = Some(self.account(batch, (leaving.after, leaving.seq), &event, by)?);
            self.note_residue(batch);
        }
        Ok(Some(left))
    }

    fn account(
        &self,
        batch: &mut Batch,
        (after, seq): (Head, u64),
        event: &Redacted,
        by: (SessionId, Millis),
    ) -> Result<Head, StoreError> {
        let (body, digest) = stored(&event.body(by, after)?)?;
        let (header, head) = after.then(REDACTIONS, seq, digest);
        let mut rows = Vec::new();
        Redactions::project(REDACTIONS, event, 0, &mut rows);
        let entry = [&header.to_bytes()[..], &body].concat();
        self.write(batch, head.position, entry, &rows);
        self.write_stream(batch, REDACTIONS, seq, &keys::position(head.position));
        Ok(head)
    }

    /// Accounts anew, after a head, for what had left the log up to there: what accounted for it
    /// is given up with all that is behind that head. The head there is then.
    pub(super) fn account_again(&self, batch: &mut Batch, head: Head) -> Result<Head, StoreError> {
        let (mut bodies, mut seq, mut last) = (Vec::new(), 0, Millis(0));
        for raw in self.raw_after(Position(0)) {
            let (at, entry) = raw?;
            if at > head.position {
                break;
            }
            let (header, body) = Header::split(&entry)?;
            seq = if header.stream == REDACTIONS { header.seq } else { seq };
            let found = Hash::of(body);
            if found != header.body {
                bodies.push((at, found));
            } else if at == head.position {
                last = Body::decode(body)?.at;
            }
        }
        if bodies.is_empty() {
            return Ok(head);
        }
        let event = Redacted { atom: NOBODY, bodies, whole: false };
        self.account(batch, (head, seq + 1), &event, (ROOT, last))
    }

    /// The entry that holds a version.
    fn place_of(&self, newest: &Atom, version: u64) -> Result<Position, StoreError> {
        let at = match version {
            1 => self.position_of(newest.space.stream(), newest.born)?,
            _ => {
                let row = self.atoms.get(keys::version(newest.id, version))?;
                row.and_then(|it| keys::place(&it)).map(|(at, _)| at)
            }
        };
        at.ok_or_else(|| missing(Position(0)))
    }

    /// What was read of these entries is not what they hold any more.
    pub(crate) fn forget_read(&self, replaced: &[(Position, u16)]) {
        let places = |(at, events): &(Position, u16)| {
            let at = *at;
            (0..*events).map(move |index| (at, index))
        };
        self.read.leave(replaced.iter().flat_map(places));
    }

    /// Whether files may still hold what was erased.
    pub fn has_residue(&self) -> Result<bool, StoreError> {
        Ok(self.meta.contains_key(RESIDUE)?)
    }

    pub(super) fn note_residue(&self, batch: &mut Batch) {
        batch.insert(&self.meta, RESIDUE, [1]);
    }

    pub(super) fn no_residue(&self) -> Result<(), StoreError> {
        Ok(self.meta.remove(RESIDUE)?)
    }

    /// Notes, durably, that files are about to be written anew.
    pub(super) fn begin_purge(&self) -> Result<(), StoreError> {
        let mut batch = self.batch(1);
        batch.insert(&self.meta, RESIDUE, [PURGE_BEGUN]);
        batch.sync()
    }

    /// Whether that was begun and not finished.
    pub(super) fn is_purge_begun(&self) -> Result<bool, StoreError> {
        Ok(self.meta.get(RESIDUE)?.is_some_and(|it| it[..] == [PURGE_BEGUN]))
    }
}

/// What accounts for bodies that are not what their headers say: read from the log itself, which is
/// chained, and only where there is such a body.
pub(crate) struct Accounts {
    store: Store,
    known: BTreeMap<Position, Vec<Hash>>,
    /// Everything from the first such body up to there was looked through.
    read: Option<Position>,
}

impl Accounts {
    pub(crate) fn of(store: &Store) -> Accounts {
        Accounts { store: store.clone(), known: BTreeMap::new(), read: None }
    }

    /// Whether a later entry says that this stands there.
    pub(crate) fn hold(&mut self, at: Position, digest: Hash) -> Result<bool, StoreError> {
        if self.says(at, digest) {
            return Ok(true);
        }
        // A walk goes upward; one that begins anew has accounts of its own.
        let from = self.read.unwrap_or(at);
        let mut upto = from;
        for raw in self.store.raw_after(from) {
            let (position, entry) = raw?;
            upto = position;
            account(&mut self.known, &entry)?;
        }
        self.read = Some(upto);
        Ok(self.says(at, digest))
    }

    /// The last entry that was looked at: everything that accounts for what was held is before it.
    pub(crate) fn upto(&self) -> Position {
        self.read.unwrap_or_default()
    }

    fn says(&self, at: Position, digest: Hash) -> bool {
        self.known.get(&at).is_some_and(|all| all.contains(&digest))
    }
}

/// Takes in what an entry accounts for, if it is one that does and is whole.
pub(crate) fn account(
    known: &mut BTreeMap<Position, Vec<Hash>>,
    entry: &[u8],
) -> Result<Vec<Redacted>, StoreError> {
    let Ok((header, body)) = Header::split(entry) else { return Ok(Vec::new()) };
    if header.stream != REDACTIONS || Hash::of(body) != header.body {
        return Ok(Vec::new());
    }
    let events = Redacted::read(&Body::decode(body)?)?;
    for (at, digest) in events.iter().flat_map(|it| &it.bodies) {
        known.entry(*at).or_default().push(*digest);
    }
    Ok(events)
}
