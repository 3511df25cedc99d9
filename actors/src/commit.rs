//! Commits: what is offered to the order of a log, and how the commits of an order are judged.
//!
//! An *order* says in which sequence commits stand, and nothing else: it may be this process's own,
//! or shared by many nodes, and then a commit may come late, twice, or after another that it does
//! not go with. Every node judges the same commits in the same sequence by what is here, so every
//! node has the same log, with the same positions and the same chain.
//!
//! A commit is applied whole or is *void*, and what is void leaves nothing. It is applied when it
//! is the next one of its author's life and every entry in it is the next one of its stream. The
//! first void commit of a life seals the life: its author has decided everything after it on a
//! state that never came to be. The author begins another life then, from what the log holds.

use crate::codec::{self, CodecError};
use crate::id::{AtomId, NodeId, StreamId};
use crate::incarnation::Append;
use crate::mutant::planted;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// The form byte of stored [`Authors`].
pub const AUTHORS_FORM: u8 = 1;

/// Which commit, whoever tells of it and however often.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CommitId {
    /// Who offered it.
    pub node: NodeId,
    /// Which life of that node: a restart begins another, and so does a void commit.
    pub epoch: u64,
    /// 1…n without gap within that life, in the sequence of offering.
    pub number: u64,
}

impl fmt::Display for CommitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.node, self.epoch, self.number)
    }
}

/// What is offered at once, and stands or falls at once.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub struct Commit {
    pub id: CommitId,
    /// What it says.
    pub work: CommitWork,
}

/// What a commit says.
#[derive(Clone, Debug, PartialEq)]
pub enum CommitWork {
    /// Entries, in their sequence. The rows and states that come along save their author work:
    /// rows follow from the bodies, and a state is a cache.
    Entries(Vec<Append>),
    /// A piece of an erased atom is to leave the log.
    Redaction(Piece),
}

/// Which piece. What it replaces, and the entry that accounts for it, follow from this and from the
/// log before it, so they are derived where the commit is applied and do not travel: the entry
/// names the head before it, which only the order decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Piece {
    /// Of which atom.
    pub atom: AtomId,
    /// From which version on.
    pub from: u64,
    /// It ends once the new bodies take so much. Part of the commit, because two nodes may be set
    /// up differently.
    pub bytes_max: u64,
}

impl Commit {
    /// What other nodes see of it: neither rows nor states. An order that others write to hands
    /// out commits like this.
    #[must_use]
    pub fn shared(&self) -> Commit {
        let bare = |it: &Append| Append {
            stream: it.stream,
            seq: it.seq,
            body: it.body.clone(),
            digest: it.digest,
            rows: Vec::new(),
            snapshot: None,
        };
        let work = match &self.work {
            CommitWork::Entries(entries) => CommitWork::Entries(entries.iter().map(bare).collect()),
            CommitWork::Redaction(piece) => CommitWork::Redaction(*piece),
        };
        Commit { id: self.id, work }
    }
}

/// Why a commit is not applied.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub enum Void {
    /// It was judged before.
    #[error("commit {0} was judged before")]
    Repeated(CommitId),
    /// Its life is over: sealed, or another one has begun.
    #[error("commit {0} is of a life that is over")]
    Over(CommitId),
    /// A commit before it in its life never stood.
    #[error("commit {id} does not follow number {last} of its life")]
    Gap {
        id: CommitId,
        /// The last that was applied.
        last: u64,
    },
    /// An entry is not the next one of its stream.
    #[error("stream {stream}: entry {seq} does not follow entry {last}")]
    Stream {
        stream: StreamId,
        seq: u64,
        /// The last one there is.
        last: u64,
    },
    /// A body is not what its digest says.
    #[error("stream {stream}: entry {seq} is damaged")]
    Damaged { stream: StreamId, seq: u64 },
    /// What is to leave the log is not erased.
    #[error("atom {0} is to leave the log and is not erased")]
    NotErased(AtomId),
}

/// How far each node's commits were judged: one life a node, so as many rows as there are nodes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Authors(BTreeMap<NodeId, Life>);

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Life {
    epoch: u64,
    /// The last commit that was judged.
    last: u64,
    sealed: bool,
}

impl Authors {
    /// Judges the next commit of the order. `work` judges what it says, and prepares it; it is not
    /// asked about a commit whose author may not be heard. What it returns is to be applied.
    ///
    /// Errors: those of `work` that say nothing about the commit, such as a failed read. Nothing is
    /// judged then.
    pub fn judge<T, E>(
        &mut self,
        id: CommitId,
        work: impl FnOnce() -> Result<Result<T, Void>, E>,
    ) -> Result<Result<T, Void>, E> {
        let known = self.0.get(&id.node).copied().unwrap_or_default();
        let life = if id.epoch > known.epoch {
            Life { epoch: id.epoch, last: 0, sealed: false }
        } else {
            known
        };
        if id.epoch < life.epoch {
            return Ok(Err(Void::Over(id)));
        }
        if id.number <= life.last && !planted("commit.applies_twice") {
            return Ok(Err(Void::Repeated(id)));
        }
        if life.sealed && !planted("commit.never_seals") {
            return Ok(Err(Void::Over(id)));
        }
        let judged = if id.number > life.last + 1 && !planted("commit.jumps") {
            Err(Void::Gap { id, last: life.last })
        } else {
            work()?
        };
        let life = Life { last: id.number, sealed: judged.is_err(), ..life };
        self.0.insert(id.node, life);
        Ok(judged)
    }

    /// Whether a commit would be judged by what it says: it is the next one of a life that goes on.
    pub fn hears(&self, id: CommitId) -> bool {
        let next = Life { epoch: id.epoch, last: id.number.saturating_sub(1), sealed: false };
        let known = self.0.get(&id.node).copied().unwrap_or_default();
        known == next || (id.epoch > known.epoch && id.number == 1)
    }

    /// The last life of a node that was heard of; 0 before the first.
    pub fn epoch(&self, node: NodeId) -> u64 {
        self.0.get(&node).map_or(0, |it| it.epoch)
    }

    /// The bytes under which it is stored.
    pub fn encode(&self) -> Result<Vec<u8>, CodecError> {
        codec::encode(AUTHORS_FORM, self)
    }

    /// Reads what [`Authors::encode`] wrote.
    pub fn decode(bytes: &[u8]) -> Result<Authors, CodecError> {
        codec::decode(AUTHORS_FORM, bytes)
    }
}

/// The entries of one stream in a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// The number of the first.
    pub first: u64,
    /// The number of the last.
    pub last: u64,
}

/// Whether each entry is the next one of its stream, and which numbers each stream gets. `last` is
/// the number of the last entry before the commit.
pub fn runs<E>(
    entries: &[Append],
    mut last: impl FnMut(StreamId) -> Result<u64, E>,
) -> Result<Result<BTreeMap<StreamId, Run>, Void>, E> {
    let mut runs: BTreeMap<StreamId, Run> = BTreeMap::new();
    for Append { stream, seq, .. } in entries {
        let (stream, seq) = (*stream, *seq);
        let before = match runs.get(&stream) {
            Some(run) => run.last,
            None => last(stream)?,
        };
        if seq != before + 1 && !planted("commit.any_seq") {
            return Ok(Err(Void::Stream { stream, seq, last: before }));
        }
        runs.entry(stream).or_insert(Run { first: seq, last: seq }).last = seq;
    }
    Ok(Ok(runs))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::convert::Infallible;

    const NODE: NodeId = NodeId([7; 16]);

    fn id(epoch: u64, number: u64) -> CommitId {
        CommitId { node: NODE, epoch, number }
    }

    fn judge(authors: &mut Authors, id: CommitId, follows: bool) -> Result<(), Void> {
        let stream = Void::Stream { stream: StreamId([1; 16]), seq: 2, last: 0 };
        let work = || Ok::<_, Infallible>(if follows { Ok(()) } else { Err(stream) });
        authors.judge(id, work).unwrap_or_else(|never| match never {})
    }

    #[test]
    fn a_life_goes_on_number_by_number_and_each_once() {
        let mut authors = Authors::default();
        assert_eq!(judge(&mut authors, id(1, 1), true), Ok(()));
        assert_eq!(judge(&mut authors, id(1, 1), true), Err(Void::Repeated(id(1, 1))));
        assert_eq!(judge(&mut authors, id(1, 2), true), Ok(()));
        let gap = Void::Gap { id: id(1, 4), last: 2 };
        assert_eq!(judge(&mut authors, id(1, 4), true), Err(gap));
        // The one that was overtaken comes too late, and so does whatever comes after.
        assert_eq!(judge(&mut authors, id(1, 3), true), Err(Void::Repeated(id(1, 3))));
        assert_eq!(judge(&mut authors, id(1, 5), true), Err(Void::Over(id(1, 5))));
    }

    #[test]
    fn what_is_void_is_void_for_good_and_seals_its_life() {
        let mut authors = Authors::default();
        assert!(judge(&mut authors, id(3, 1), false).is_err());
        assert_eq!(judge(&mut authors, id(3, 1), true), Err(Void::Repeated(id(3, 1))));
        assert_eq!(judge(&mut authors, id(3, 2), true), Err(Void::Over(id(3, 2))));
        assert_eq!(judge(&mut authors, id(4, 1), true), Ok(()), "the next life is heard");
        assert_eq!(judge(&mut authors, id(3, 2), true), Err(Void::Over(id(3, 2))));
        assert_eq!(authors.epoch(NODE), 4);
        let stored = authors.encode().unwrap();
        assert_eq!(Authors::decode(&stored).unwrap(), authors);
    }

    #[test]
    fn a_read_that_fails_judges_nothing() {
        let mut authors = Authors::default();
        let failed = authors.judge(id(1, 1), || Err::<Result<(), Void>, _>("disk"));
        assert_eq!(failed, Err("disk"));
        assert_eq!(authors, Authors::default());
    }
}
