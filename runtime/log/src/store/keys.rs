//! The layout: few keyspaces, ids as prefixes, numbers big-endian so that order is numeric.
//!
//! ```text
//! log        position                     -> header 88 ‖ body
//! atoms      atom                         -> position ‖ index u16 ‖ space
//! atoms      atom ‖ version u64           -> position ‖ index u16           (versions after the first)
//! streams    stream ‖ first seq           -> positions…                     (one row a stream and commit)
//! references target ‖ relation ‖ 0 ‖ source -> ()
//! answers    stream ‖ asker ‖ key         -> position
//! snapshots  stream                       -> seq ‖ state
//! repls      session                      -> REPL dump and read memory, kept outside the log
//! vectors    1 ‖ atom ‖ fingerprint u32   -> version ‖ scale f32 ‖ dims     (a cache, outside the log)
//! vectors    0 ‖ fingerprint u32          -> position ‖ serves              (how far it reaches)
//! owed       stream ‖ effect u64 -> ()                                    (a message to another actor)
//! due        time u64 ‖ stream ‖ token u64 -> ()                            (when a lease may be over)
//! erasures   atom                         -> position                   (its versions are yet to leave the log)
//! meta       "checkpoint"                 -> position ‖ hash
//! meta       "residue"                    -> 1, or 2 once a purge is begun (files may hold what was erased)
//! meta       "order"                      -> place u64 ‖ authors         (of a shared order only)
//! meta       "life"                       -> epoch u64                  (of a shared order only)
//! own        0 ‖ 0 ‖ position             -> atoms…                      (new ones by the ends of their ids, not sorted yet)
//! own        0 ‖ 1 ‖ bucket u8 ‖ position -> atoms…                      (sorted)
//! own        kind ‖ 0 ‖ key               -> what that kind of actor keeps there
//! meta       "endings"                    -> 2                           (all atoms are listed so)
//! meta       "failures"                   -> 1                           (all agents are listed that have failed)
//! ```

use stoa_actors::id::{AtomId, Millis, Position, SessionId, SpaceId, StreamId};

/// The row of `meta` that an open walks from.
pub(crate) const CHECKPOINT: &[u8] = b"checkpoint";

/// The row of `meta` that says that every atom is listed by the end of its id.
pub(crate) const ENDINGS: &[u8] = b"endings";

/// The row of `meta` that says that every agent is listed that has failed.
pub(crate) const FAILURES: &[u8] = b"failures";

/// Atoms by the ends of their ids, as their commits came. No kind of actor has an empty name.
pub(crate) const UNSORTED: [u8; 2] = [0, 0];

pub(crate) fn unsorted(at: u64) -> Vec<u8> {
    [&UNSORTED[..], &at.to_be_bytes()].concat()
}

/// Those of one bucket.
pub(crate) fn bucket(bucket: u8) -> [u8; 3] {
    [0, 1, bucket]
}

pub(crate) fn sorted(bucket: u8, at: u64) -> Vec<u8> {
    [&self::bucket(bucket)[..], &at.to_be_bytes()].concat()
}

pub(crate) fn position(at: Position) -> [u8; 8] {
    at.0.to_be_bytes()
}

pub(crate) fn version(id: AtomId, version: u64) -> Vec<u8> {
    [&id.0[..], &version.to_be_bytes()].concat()
}

pub(crate) fn stream(stream: StreamId, seq: u64) -> Vec<u8> {
    [&stream.0[..], &seq.to_be_bytes()].concat()
}

pub(crate) fn reference(target: AtomId, relation: &str, source: AtomId) -> Vec<u8> {
    [&target.0[..], relation.as_bytes(), &[0], &source.0].concat()
}

pub(crate) fn references(target: AtomId, relation: Option<&str>) -> Vec<u8> {
    match relation {
        Some(relation) => [&target.0[..], relation.as_bytes(), &[0]].concat(),
        None => target.0.to_vec(),
    }
}

/// Splits a reference row's key into relation and source.
pub(crate) fn referrer(key: &[u8]) -> Option<(String, AtomId)> {
    let (front, source) = key.split_last_chunk::<16>()?;
    let relation = front.get(16..front.len().checked_sub(1)?)?;
    Some((String::from_utf8(relation.to_vec()).ok()?, AtomId(*source)))
}

/// The kind's name, its end, and the key in its own table.
pub(crate) fn own(kind: &str, key: &[u8]) -> Vec<u8> {
    [kind.as_bytes(), &[0], key].concat()
}

pub(crate) fn answer(stream: StreamId, asker: SessionId, key: &str) -> Vec<u8> {
    [&stream.0[..], &asker.0, key.as_bytes()].concat()
}

pub(crate) fn owed(stream: StreamId, effect: u64) -> Vec<u8> {
    [&stream.0[..], &effect.to_be_bytes()].concat()
}

pub(crate) fn due(at: Millis, stream: StreamId, token: u64) -> Vec<u8> {
    [&at.0.to_be_bytes()[..], &stream.0, &token.to_be_bytes()].concat()
}

/// When, and whose business it is.
pub(crate) fn due_of(key: &[u8]) -> Option<(Millis, StreamId)> {
    Some((Millis(number(key, 0)?), StreamId(*key.get(8..)?.first_chunk()?)))
}

pub(crate) fn atom_value(at: Position, index: u16, space: SpaceId) -> Vec<u8> {
    [&at.0.to_be_bytes()[..], &index.to_be_bytes(), &space.0].concat()
}

pub(crate) fn version_value(at: Position, index: u16) -> Vec<u8> {
    [&at.0.to_be_bytes()[..], &index.to_be_bytes()].concat()
}

/// A number at an offset of a row that this build wrote.
pub(crate) fn number(bytes: &[u8], from: usize) -> Option<u64> {
    Some(u64::from_be_bytes(*bytes.get(from..)?.first_chunk()?))
}

/// Where a version stands: its entry, and which of its events.
pub(crate) fn place(value: &[u8]) -> Option<(Position, u16)> {
    let index = u16::from_be_bytes(*value.get(8..)?.first_chunk()?);
    Some((Position(number(value, 0)?), index))
}

/// The space in an atom's row.
pub(crate) fn space(value: &[u8]) -> Option<SpaceId> {
    Some(SpaceId(*value.get(10..)?.first_chunk()?))
}
