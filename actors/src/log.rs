//! The pure half of the log: what an entry is, how entries are chained, and what to say when a
//! log is opened. Who writes them, and how they become durable, is the runtime's.

use crate::codec::{self, CodecError};
use crate::id::{AgentId, EventId, Millis, Position, SessionId, StreamId};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt;

/// The form byte of [`Body`].
pub const BODY_FORM: u8 = 1;

/// A SHA-256 digest.
#[derive(Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, PartialOrd, Ord)]
pub struct Hash(pub [u8; 32]);

impl Hash {
    /// Of some bytes.
    pub fn of(bytes: &[u8]) -> Hash {
        Hash(Sha256::digest(bytes).into())
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0[..6].iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// The last entry of a log: nothing is in it that this does not vouch for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Head {
    /// How many entries there are.
    pub position: Position,
    /// The hash of the last one's header; zero before the first.
    pub hash: Hash,
}

impl Head {
    /// The next entry of the chain, and the head with it. Nobody chains in another way.
    pub fn then(self, stream: StreamId, seq: u64, body: Hash) -> (Header, Head) {
        let header = Header { previous: self.hash, stream, seq, body };
        (header, header.head(Position(self.position.0 + 1)))
    }
}

/// `position:hash`, with the hash cut to 16 digits: what a person compares and types.
impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.position)?;
        self.hash.0[..8].iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// What the chain covers of an entry. Bodies can be dropped one day without breaking it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub struct Header {
    /// The hash of the header before.
    pub previous: Hash,
    pub stream: StreamId,
    /// Its number in the stream, 1…n without gap.
    pub seq: u64,
    /// The hash of the body.
    pub body: Hash,
}

/// Bytes of a stored header.
pub const HEADER_BYTES: usize = 88;

impl Header {
    /// The head that this entry makes at `position`.
    pub fn head(&self, position: Position) -> Head {
        let mut hash = Sha256::new();
        hash.update(position.0.to_be_bytes());
        hash.update(self.to_bytes());
        Head { position, hash: Hash(hash.finalize().into()) }
    }

    /// As stored in front of the body.
    pub fn to_bytes(&self) -> [u8; HEADER_BYTES] {
        let mut out = [0; HEADER_BYTES];
        out[..32].copy_from_slice(&self.previous.0);
        out[32..48].copy_from_slice(&self.stream.0);
        out[48..56].copy_from_slice(&self.seq.to_be_bytes());
        out[56..].copy_from_slice(&self.body.0);
        out
    }

    /// Splits a stored entry into header and body.
    pub fn split(entry: &[u8]) -> Result<(Header, &[u8]), CodecError> {
        let (head, body) = entry
            .split_at_checked(HEADER_BYTES)
            .ok_or_else(|| CodecError::Damaged("an entry shorter than its header".into()))?;
        Ok((
            Header {
                previous: Hash(run(head, 0)),
                stream: StreamId(run(head, 32)),
                seq: u64::from_be_bytes(run(head, 48)),
                body: Hash(run(head, 56)),
            },
            body,
        ))
    }
}

fn run<const N: usize>(bytes: &[u8], from: usize) -> [u8; N] {
    let mut out = [0; N];
    out.copy_from_slice(&bytes[from..from + N]);
    out
}

/// What happened, why and by whose hand.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub struct Body {
    /// The entry's name outside the log.
    pub id: EventId,
    /// When it was decided.
    pub at: Millis,
    /// What kind of actor decided it: names the type of its events.
    pub kind: String,
    pub by: SessionId,
    /// On behalf of which agent, where that is not the session itself.
    pub agent: Option<AgentId>,
    /// What set it off.
    pub cause: Cause,
    /// What it is for, like a commit message: what subscribers get.
    pub comment: String,
    /// The request it answers once, however often it is asked.
    pub answers: Option<Answered>,
    /// The events, encoded: one delivery is one entry.
    pub events: Vec<u8>,
}

/// Where a chain of reactions began, and how many steps ago.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Cause {
    /// The entry that came from outside; nothing when this one does.
    pub root: Option<EventId>,
    /// 0 for what came from outside.
    pub hop: u16,
}

/// A request that carried an idempotency key, and its answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Answered {
    /// The asker's key, unique for it within the stream.
    pub key: String,
    /// The form of the digest.
    pub form: u8,
    /// What was asked, as its [digest](crate::digest): the same key with another payload is refused.
    pub request: Hash,
    /// The reply, encoded.
    pub reply: Vec<u8>,
}

impl Body {
    /// The bytes under which it is stored.
    pub fn encode(&self) -> Result<Vec<u8>, CodecError> {
        codec::encode(BODY_FORM, self)
    }

    /// Reads what [`Body::encode`] wrote.
    pub fn decode(bytes: &[u8]) -> Result<Body, CodecError> {
        codec::decode(BODY_FORM, bytes)
    }
}

/// Why a log is not opened, or what an audit found.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Breach {
    /// A position is missing.
    #[error("hole in the log: {after} is followed by {found}")]
    Hole {
        /// The last entry before the hole.
        after: Head,
        /// The next position there is.
        found: Position,
    },
    /// An entry does not carry the hash of the one before.
    #[error("the chain breaks after {after}: the next entry follows another one")]
    Chain {
        /// The last entry that holds.
        after: Head,
    },
    /// A body is not what its header says.
    #[error("the entry after {after} is damaged: its body does not match its header")]
    Body {
        /// The last entry that holds.
        after: Head,
    },
    /// The medium does not give an entry back.
    #[error("the entry after {after} cannot be read: {why}")]
    Unreadable {
        /// The last entry that holds.
        after: Head,
        /// What the engine says.
        why: String,
    },
    /// The log ends before the last acknowledged entry.
    #[error("the log ends at {log}, but {witness} was acknowledged: its tail is lost")]
    LostTail {
        /// Where the log ends.
        log: Head,
        /// What the witness vouches for.
        witness: Head,
    },
    /// The log holds another entry than the one that was acknowledged.
    #[error("the log holds {log} where {witness} was acknowledged: it was rewritten")]
    Rewritten {
        /// What the log holds at that position.
        log: Head,
        /// What the witness vouches for.
        witness: Head,
    },
    /// There are entries and no witness.
    #[error("the log ends at {log}, but its witness is missing or unreadable")]
    NoWitness {
        /// Where the log ends.
        log: Head,
    },
}

impl Breach {
    /// The last head that holds: what `doctor --accept-loss` goes on from.
    pub fn keeps(&self) -> Head {
        match self {
            Breach::Hole { after, .. }
            | Breach::Chain { after }
            | Breach::Body { after }
            | Breach::Unreadable { after, .. } => *after,
            Breach::LostTail { log, .. }
            | Breach::Rewritten { log, .. }
            | Breach::NoWitness { log } => *log,
        }
    }
}

/// Walks a chain entry by entry, from a head that is known to hold.
#[derive(Clone, Debug)]
pub struct Walk {
    head: Head,
    witness: Option<Head>,
    met: Option<Head>,
}

impl Walk {
    /// Starts after `from`, to be held against `witness` at the end.
    pub fn new(from: Head, witness: Option<Head>) -> Walk {
        let met = witness.filter(|it| it.position == from.position).map(|_| from);
        Walk { head: from, witness, met }
    }

    /// The last entry that holds.
    pub fn head(&self) -> Head {
        self.head
    }

    /// Takes the next entry; its body is checked against its header.
    pub fn step<'a>(
        &mut self,
        position: Position,
        entry: &'a [u8],
    ) -> Result<(Header, &'a [u8]), Breach> {
        self.step_over(position, entry, |_, _| Ok(false))
    }

    /// The same, where `redacted` tells whether a later entry accounts for a body that is not what
    /// its header says, by its position and its digest (see [`crate::redaction`]).
    pub fn step_over<'a, E: From<Breach>>(
        &mut self,
        position: Position,
        entry: &'a [u8],
        redacted: impl FnOnce(Position, Hash) -> Result<bool, E>,
    ) -> Result<(Header, &'a [u8]), E> {
        let after = self.head;
        if position.0 != after.position.0 + 1 {
            return Err(Breach::Hole { after, found: position }.into());
        }
        let (header, body) = Header::split(entry).map_err(|_| Breach::Body { after })?;
        if header.previous != after.hash {
            return Err(Breach::Chain { after }.into());
        }
        let found = Hash::of(body);
        if found != header.body && !redacted(position, found)? {
            return Err(Breach::Body { after }.into());
        }
        self.head = header.head(position);
        if self.witness.is_some_and(|it| it.position == position) {
            self.met = Some(self.head);
        }
        Ok((header, body))
    }

    /// The verdict at the end of the log: whole, or a breach that names both heads.
    pub fn finish(self) -> Result<Head, Breach> {
        let log = self.head;
        match (self.witness, self.met) {
            (None, _) if log == Head::default() => Ok(log),
            (None, _) => Err(Breach::NoWitness { log }),
            (Some(witness), _) if witness.position > log.position => {
                Err(Breach::LostTail { log, witness })
            }
            (Some(witness), Some(met)) if met.hash != witness.hash => {
                Err(Breach::Rewritten { log: met, witness })
            }
            // A witness from before the checkpoint the walk began at was checked when that was made.
            (Some(_), _) => Ok(log),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(n: u64) -> (Vec<Vec<u8>>, Vec<Head>) {
        let (mut entries, mut heads) = (Vec::new(), vec![Head::default()]);
        for seq in 1..=n {
            let body = seq.to_le_bytes().to_vec();
            let last = heads[seq as usize - 1];
            let (header, head) = last.then(StreamId([1; 16]), seq, Hash::of(&body));
            heads.push(head);
            entries.push([&header.to_bytes()[..], &body].concat());
        }
        (entries, heads)
    }

    fn walk(entries: &[Vec<u8>], skip: u64, witness: Option<Head>) -> Result<Head, Breach> {
        let mut walk = Walk::new(Head::default(), witness);
        for (n, entry) in entries.iter().enumerate() {
            if n as u64 + 1 != skip {
                walk.step(Position(n as u64 + 1), entry)?;
            }
        }
        walk.finish()
    }

    #[test]
    fn a_whole_log_opens() {
        let (entries, heads) = log(5);
        assert_eq!(walk(&entries, 0, Some(heads[5])), Ok(heads[5]));
        // A commit that was never acknowledged may be there.
        assert_eq!(walk(&entries, 0, Some(heads[3])), Ok(heads[5]));
        assert_eq!(walk(&[], 0, None), Ok(Head::default()));
    }

    #[test]
    fn every_loss_is_named_with_both_heads() {
        let (entries, heads) = log(5);
        assert_eq!(
            walk(&entries[..3], 0, Some(heads[5])),
            Err(Breach::LostTail { log: heads[3], witness: heads[5] })
        );
        assert_eq!(
            walk(&entries, 3, Some(heads[5])),
            Err(Breach::Hole { after: heads[2], found: Position(4) })
        );
        assert_eq!(walk(&entries, 0, None), Err(Breach::NoWitness { log: heads[5] }));
        let other = Head { position: Position(4), hash: Hash([9; 32]) };
        assert_eq!(
            walk(&entries, 0, Some(other)),
            Err(Breach::Rewritten { log: heads[4], witness: other })
        );
    }

    #[test]
    fn every_flipped_bit_is_seen() {
        let (entries, heads) = log(3);
        for (n, entry) in entries.iter().enumerate() {
            for bit in 0..entry.len() * 8 {
                let mut damaged = entries.clone();
                damaged[n][bit / 8] ^= 1 << (bit % 8);
                assert!(walk(&damaged, 0, Some(heads[3])).is_err(), "entry {n} bit {bit}");
            }
        }
    }
}
