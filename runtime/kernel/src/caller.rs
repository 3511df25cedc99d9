//! What one session can do: every operation of spaces and rights, under its rights and no others.
//!
//! Writes go to the actor's mailbox and come back durable. Reads go past it: snapshot first,
//! rights second, so that a reader never sees what was written after its right was revoked.

mod access;
mod carry;
mod claims;
mod declare;
mod endings;
mod facts;
mod history;
mod load;
mod mismatch;
mod names;
mod past;
mod phases;
mod reading;
mod reads;
mod search;
mod sharing;
mod spaces;
mod subscriptions;
mod waits;
mod wrote;

pub use access::AccessCard;
pub use carry::{ExportReader, Imported};
pub use claims::{ClaimAsk, ClaimedAtom};
pub use facts::Watching;
pub use history::{Change, ChangeStream};
pub use mismatch::Mismatch;
pub(crate) use names::NEAREST_AMONG_MAX;
pub use names::OWNER;
pub use past::{Difference, HistoryQuery, Of};
pub use reads::{ReadAtom, Referred};
pub use search::{Found, Looked, SearchPage};
pub use sharing::{GrantRequest, Granted};
pub(crate) use sharing::{misspelt, not_owner};
pub use spaces::SpaceCard;
pub use subscriptions::{Pulled, Puller, SubscriptionCard};
pub use waits::WaitReport;
use wrote::Wrote;

use crate::host::{AskError, Receipt};
use crate::problem::{Problem, ProblemKind};
use crate::runtime::Runtime;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use stoa_actors::id::{AtomId, Position, SessionId, SpaceId};
use stoa_actors::incarnation::Request;
use stoa_actors::log::{Cause, Hash};
use stoa_actors::retry::{Repeatable, again};
use stoa_actors::rights::{Level, Named, Subject};
use stoa_actors::space::{Draft, Expect, Fence, Message, Mutation, Patch, Refusal, Reply};

/// What goes with every mutation.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct WriteOptions {
    /// What it is for, like a commit message; what subscribers are told.
    pub comment: String,
    /// Makes repeating it harmless.
    pub key: Option<String>,
    /// What set it off.
    pub cause: Cause,
    /// The leases that must hold when it takes effect.
    pub fences: Vec<Fence>,
}

impl WriteOptions {
    /// With a comment.
    pub fn comment(comment: impl Into<String>) -> WriteOptions {
        WriteOptions { comment: comment.into(), ..WriteOptions::default() }
    }

    /// And an idempotency key.
    #[must_use]
    pub fn key(self, key: impl Into<String>) -> WriteOptions {
        WriteOptions { key: Some(key.into()), ..self }
    }
}

/// A version that was written, and its entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub struct Written {
    pub id: AtomId,
    /// Its version now.
    pub version: u64,
    /// The entry that says so.
    pub position: Position,
}

/// What acts as one session; cheap to clone.
#[derive(Clone)]
pub struct Caller {
    pub(crate) runtime: Runtime,
    session: SessionId,
    /// Where it writes, if that is wanted.
    wrote: Option<Arc<Wrote>>,
    /// Whether it asks from within the process that has the directory open.
    within: bool,
}

impl Runtime {
    /// Acts as a session. Who may act as whom is for the door to say.
    pub fn caller(&self, session: SessionId) -> Caller {
        Caller { runtime: self.clone(), session, wrote: None, within: false }
    }
}

impl Caller {
    /// What it acts in.
    pub fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    /// The session that acts.
    pub fn session(&self) -> SessionId {
        self.session
    }

    /// The same, which asks from within the process that has the directory open.
    pub fn within(self) -> Caller {
        Caller { within: true, ..self }
    }

    /// Whether it does.
    pub fn is_within(&self) -> bool {
        self.within
    }

    /// What the caller may do in a space now; nothing where it may not read.
    pub fn level(&self, space: SpaceId) -> Option<Level> {
        let shared = self.runtime.shared();
        let now = shared.clock.now();
        shared.rights.read().level(self.session, &Subject::Space(space), now)
    }

    /// Whether the caller may use something that is no space.
    pub(crate) fn holds(&self, subject: &Subject) -> bool {
        let shared = self.runtime.shared();
        let now = shared.clock.now();
        shared.rights.read().level(self.session, subject, now).is_some()
    }

    pub(crate) fn ask<M>(&self, message: M, why: WriteOptions) -> Request<M> {
        let WriteOptions { comment, key, cause, fences: _ } = why;
        Request { message, asker: self.session, key, comment, cause }
    }

    /// Bytes of an id that nobody has yet.
    pub fn fresh(&self) -> [u8; 16] {
        let shared = self.runtime.shared();
        shared.fresh.id(shared.clock.now())
    }

    /// An id that the caller draws again whenever it asks for the same.
    pub fn fresh_of(&self, what: &str) -> [u8; 16] {
        let mut id = [0; 16];
        let hash = Hash::of(format!("{} {what}", self.session).as_bytes());
        id.copy_from_slice(&hash.0[..16]);
        id
    }

    /// The space that the caller calls so; its id will do as well.
    pub fn resolve(&self, name: &str) -> Result<SpaceId, Problem> {
        let shared = self.runtime.shared();
        let now = shared.clock.now();
        if let Ok(space) = shared.rights.read().resolve(self.session, name, now) {
            return Ok(space);
        }
        let by_id = match name.parse() {
            Ok(space) => Some(space),
            Err(_) => self.space_ending(name)?,
        };
        let by_id = by_id.filter(|space| self.level(*space).is_some());
        by_id.ok_or_else(|| Problem::no_space(name).meant(self.space_like(name), "space show"))
    }

    /// The same for a space that the caller can perhaps not use, but hand on.
    pub(crate) fn resolve_to_hand_on(&self, name: &str) -> Result<SpaceId, Problem> {
        let shared = self.runtime.shared();
        let now = shared.clock.now();
        let named = shared.rights.read().named(self.session, name);
        let space = match named {
            Some(Named::Space(space)) => Some(space),
            _ => name.parse().ok(),
        };
        let subject = space.map(Subject::Space);
        let delegable = |it| shared.rights.read().delegable(self.session, it, now).is_some();
        match space {
            Some(space) if subject.as_ref().is_some_and(delegable) => Ok(space),
            _ => self.resolve(name),
        }
    }

    /// Adds an atom. Durable when this returns.
    pub async fn put(
        &self,
        space: SpaceId,
        draft: Draft,
        why: WriteOptions,
    ) -> Result<Written, Problem> {
        let draft = self.embedded(draft).await;
        self.mutate(space, Mutation::Put(Box::new(draft)), why).await
    }

    /// Changes an atom: a new version, if it is at the expected one.
    pub async fn update(
        &self,
        id: AtomId,
        expect: Expect,
        patch: Patch,
        why: WriteOptions,
    ) -> Result<Written, Problem> {
        let before = self.get(id).await?;
        let patch = self.embedded_patch(&before.atom, patch).await;
        let mutation = Mutation::Update { id, expect, patch: Box::new(patch) };
        self.mutate(before.atom.space, mutation, why).await
    }

    /// The patch, without single references that the atom has now. Whether it is still so when it
    /// is changed is for the expected version to say.
    ///
    /// Errors: [`ProblemKind::Invalid`] when there is no such reference, but for a request with a key,
    /// which may have taken it out already.
    pub async fn unreferenced(
        &self,
        id: AtomId,
        mut patch: Patch,
        unref: &[(String, AtomId)],
        why: &WriteOptions,
    ) -> Result<Patch, Problem> {
        if unref.is_empty() {
            return Ok(patch);
        }
        let atom = self.get(id).await?.atom;
        for (relation, target) in unref {
            if !patch.without(&atom, relation, *target) && why.key.is_none() {
                let text = format!("atom {id} has no reference {relation} to {target}");
                return Err(Problem::new(ProblemKind::Invalid, text).hint(format!("stoa get {id}")));
            }
        }
        Ok(patch)
    }

    /// Takes an atom out of search, if it is at the expected version.
    pub async fn deprecate(
        &self,
        id: AtomId,
        expect: Expect,
        superseded_by: Option<AtomId>,
        why: WriteOptions,
    ) -> Result<Written, Problem> {
        let space = self.get(id).await?.atom.space;
        let mutation = Mutation::Deprecate { id, expect, superseded_by };
        self.mutate(space, mutation, why).await
    }

    /// Brings an atom that was deprecated back into search, if it is at the expected version.
    pub async fn reinstate(
        &self,
        id: AtomId,
        expect: Expect,
        why: WriteOptions,
    ) -> Result<Written, Problem> {
        let space = self.get(id).await?.atom.space;
        self.mutate(space, Mutation::Reinstate { id, expect }, why).await
    }

    /// Empties an atom for good, all its versions: the caller put it and may write in its space, or
    /// may grant rights there. That it was there, its comments, authors, times and references stay.
    ///
    /// When this returns no read, search, history, export or audit shows what it said, and no
    /// later open does. Files hold the bytes until an orderly stop has written the log anew; copies
    /// made before keep them: backups, exports, and what agents have noted of it in their own
    /// sessions. Errors: [`ProblemKind::Conflict`] at another version, or erased already.
    pub async fn erase(
        &self,
        id: AtomId,
        expect: Expect,
        why: WriteOptions,
    ) -> Result<Written, Problem> {
        let space = self.get(id).await?.atom.space;
        self.mutate(space, Mutation::Erase { id, expect }, why).await
    }

    /// One change of a space, on the leases that it rests on.
    async fn mutate(
        &self,
        space: SpaceId,
        mutation: Mutation,
        why: WriteOptions,
    ) -> Result<Written, Problem> {
        let fences = why.fences.clone();
        let message = match fences.is_empty() {
            true => mutation.into(),
            false => Message::Transact { mutations: vec![mutation], fences },
        };
        let receipt = self.send(space, message, why).await?;
        let (id, version) = match &receipt.reply {
            Reply::Version { id, version } => (*id, *version),
            Reply::Versions(all) if all.len() == 1 => all[0],
            reply => {
                return Err(Problem::new(
                    ProblemKind::Store,
                    format!("an unexpected answer: {reply:?}"),
                ));
            }
        };
        let invalid = || Problem::new(ProblemKind::Store, format!("atom {id} was written nowhere"));
        Ok(Written { id, version, position: receipt.position.ok_or_else(invalid)? })
    }

    /// Sent again, where it has a key, after what passes by itself.
    async fn send(
        &self,
        space: SpaceId,
        message: Message,
        why: WriteOptions,
    ) -> Result<Receipt<Reply>, Problem> {
        Ok(self.sent(space, message, why).await?)
    }

    /// The same with the refusal as the space has given it.
    async fn sent(
        &self,
        space: SpaceId,
        mut message: Message,
        why: WriteOptions,
    ) -> Result<Receipt<Reply>, AskError<Refusal>> {
        let tries_max = self.runtime.shared().config.write_tries_max;
        let request = if why.key.is_some() { Repeatable::Keyed } else { Repeatable::Unkeyed };
        let mut tried = 0;
        loop {
            tried += 1;
            let address = self.runtime.space(space).map_err(AskError::Store)?;
            // What is sent but once is not copied.
            let last = request == Repeatable::Unkeyed || tried >= tries_max;
            let (sent, rest) =
                if last { (message, None) } else { (message.clone(), Some(message)) };
            let ask = self.ask(sent, why.clone());
            match address.ask(ask).await {
                Ok(receipt) => {
                    if let (Some(wrote), Some(at)) = (&self.wrote, receipt.position) {
                        wrote.note(space, self.session, at);
                    }
                    return Ok(receipt);
                }
                Err(error) => match rest {
                    Some(rest) if again(error.unanswered(), request, tried, tries_max) => {
                        message = rest;
                    }
                    _ => return Err(error),
                },
            }
        }
    }
}
