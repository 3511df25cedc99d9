//! Claims, leases and transactions, for one session.

use super::{Caller, ReadAtom, WriteOptions, Written};
use crate::host::{AskError, Receipt};
use crate::problem::{Problem, ProblemKind};
use serde::{Deserialize, Serialize};
use stoa_actors::atom::Metadata;
use stoa_actors::id::{AtomId, SpaceId};
use stoa_actors::incarnation::Refused;
use stoa_actors::search::{OrderBy, Query};
use stoa_actors::space::{
    ClaimPredicate, ClaimRequest, Fence, Lease, Message, Mutation, Refusal, Reply, Resource, Space,
};

/// What is to be claimed, and how.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub struct ClaimAsk {
    /// The nearest in meaning first; the oldest without.
    pub query: Option<String>,
    /// What it must be like.
    pub wanted: ClaimPredicate,
    /// What it says from then on; null removes a key.
    pub set: Metadata,
    /// How long it is leased.
    pub lease_ms: u64,
    pub intent: String,
    /// What comes first without a text, by keys that the space declares as ordered; the oldest where
    /// none is named, and of equals.
    pub order: Vec<OrderBy>,
    /// How often an atom may be claimed by such claims; nothing counts without it. The count is
    /// `attempts` of the atom, and a [`Patch`](stoa_actors::space::Patch) may set it back.
    pub attempts_max: Option<u64>,
    /// What is set on an atom whose attempts are used up; it must leave the atom unwanted.
    pub exhausted: Metadata,
}

/// What was claimed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClaimedAtom {
    /// The atom, as the claim has left it.
    pub read: ReadAtom,
    /// Until when nobody else has it.
    pub lease: Lease,
}

impl Caller {
    /// Finds an atom that is as wanted, changes it and leases it to the caller, in one decision of
    /// the space: whoever else asks at the same moment gets another one. Nothing if none is left.
    ///
    /// With a text the candidates are found first, best first, and the space looks at each again;
    /// without one it goes by a set that it keeps, in the order of the claim, at a cost that does not
    /// grow with the work that is done or blocked. When the lease runs out, or is given up, what `set` has changed is put
    /// back, unless it has been changed since. Errors: [`ProblemKind::Invalid`] for a lease of zero or of
    /// more than `lease_ms_max`, for a condition on a name that a space which declares neither declares
    /// nor uses, for an order by a key that it does not declare as ordered, and for an `exhausted` that
    /// leaves an atom wanted.
    pub async fn claim(
        &self,
        space: SpaceId,
        ask: ClaimAsk,
        why: WriteOptions,
    ) -> Result<Option<ClaimedAtom>, Problem> {
        let limits = &self.runtime.shared().config.limits;
        let most = limits.search.hits_max;
        for limit in [self.runtime.shared().config.claim_candidates.min(most), most] {
            let ClaimAsk { query, wanted, set, lease_ms, intent, order, attempts_max, exhausted } =
                ask.clone();
            let ranked = match &query {
                Some(text) => Some(self.candidates(space, text, &wanted, limit).await?),
                None => None,
            };
            let few = ranked.as_ref().is_none_or(|it| it.len() < limit);
            let (text, ttl_ms) = (query, lease_ms);
            let claim = ClaimRequest {
                text,
                wanted,
                ranked,
                set,
                ttl_ms,
                intent,
                order,
                attempts_max,
                exhausted,
            };
            match self.claimed(space, claim, &why).await?.reply {
                Reply::Claimed(Some((id, version, lease))) => {
                    let read = self.get_version(id, version).await?;
                    return Ok(Some(ClaimedAtom { read, lease: *lease }));
                }
                Reply::Claimed(None) if few => return Ok(None),
                // All of them went to others meanwhile; there may be more behind them.
                Reply::Claimed(None) => {}
                reply => return Err(invalid(&reply)),
            }
        }
        Ok(None)
    }

    /// Claims again for as long as what came first was tried as often as it may be: each time some of
    /// it is put out of the way.
    async fn claimed(
        &self,
        space: SpaceId,
        claim: ClaimRequest,
        why: &WriteOptions,
    ) -> Result<Receipt<Reply>, Problem> {
        let mut message = Message::Claim(Box::new(claim));
        loop {
            let counts = matches!(&message, Message::Claim(it) if it.attempts_max.is_some());
            let again = counts.then(|| message.clone());
            match (self.sent(space, message, why.clone()).await, again) {
                (Err(AskError::Refused(Refused::Actor(Refusal::UsedUp(_)))), Some(again)) => {
                    message = again;
                }
                (answer, _) => return Ok(answer?),
            }
        }
    }

    async fn candidates(
        &self,
        space: SpaceId,
        text: &str,
        wanted: &ClaimPredicate,
        limit: usize,
    ) -> Result<Vec<AtomId>, Problem> {
        let ClaimPredicate { metadata, references } = wanted.clone();
        let text = Some(text.to_owned());
        let query = Query { text, metadata, references, limit, ..Query::default() };
        self.ranked(space, query).await
    }

    /// Several changes of one space, in this order, each seeing those before: all of them, in one
    /// entry, or none. A reference to an atom of the same transaction is made by giving that one an
    /// id of one's own.
    pub async fn transact(
        &self,
        space: SpaceId,
        mutations: Vec<Mutation>,
        why: WriteOptions,
    ) -> Result<Vec<Written>, Problem> {
        let mut made = Vec::with_capacity(mutations.len());
        for mutation in mutations {
            made.push(match mutation {
                Mutation::Put(draft) => Mutation::Put(Box::new(self.embedded(*draft).await)),
                other => other,
            });
        }
        let (fences, why) = (why.fences.clone(), WriteOptions { fences: Vec::new(), ..why });
        let message = Message::Transact { mutations: made, fences };
        let receipt = self.send(space, message, why).await?;
        match (receipt.reply, receipt.position) {
            (Reply::Versions(all), Some(position)) => {
                let written = |(id, version)| Written { id, version, position };
                Ok(all.into_iter().map(written).collect())
            }
            (reply, _) => Err(invalid(&reply)),
        }
    }

    /// Leases something to the caller, for so long.
    pub async fn acquire(
        &self,
        space: SpaceId,
        resource: Resource,
        ttl_ms: u64,
        intent: String,
        why: WriteOptions,
    ) -> Result<Lease, Problem> {
        self.lease(space, Message::Acquire { resource, ttl_ms, intent }, why).await
    }

    /// Lets a lease last for so long from now on. Errors: [`ProblemKind::Conflict`] once it is over, also
    /// where nobody else has it: what was worked on is to be read again.
    pub async fn renew(
        &self,
        space: SpaceId,
        fence: Fence,
        ttl_ms: u64,
        why: WriteOptions,
    ) -> Result<Lease, Problem> {
        self.lease(space, Message::Renew { fence, ttl_ms }, why).await
    }

    async fn lease(
        &self,
        space: SpaceId,
        message: Message,
        why: WriteOptions,
    ) -> Result<Lease, Problem> {
        match self.send(space, message, why).await?.reply {
            Reply::Lease(lease) => Ok(lease),
            reply => Err(invalid(&reply)),
        }
    }

    /// Gives a lease back; with `undo` what its claim had set is put back, unless it has been
    /// changed since. Without a token somebody else's is broken, which takes the level grant.
    pub async fn release(
        &self,
        space: SpaceId,
        resource: Resource,
        token: Option<u64>,
        undo: bool,
        why: WriteOptions,
    ) -> Result<(), Problem> {
        let mutation = Mutation::Release { resource, token, undo };
        self.send(space, mutation.into(), why).await.map(drop)
    }

    /// The leases that hold now.
    pub async fn leases(&self, space: SpaceId) -> Result<Vec<Lease>, Problem> {
        let state = self
            .reading(move |caller| {
                Ok(crate::host::load::<Space>(caller.runtime.store(), space.stream())?)
            })
            .await?;
        self.level(space).ok_or_else(|| Problem::no_space(&space.to_string()))?;
        let now = self.runtime.now();
        Ok(state.state().leases().filter(|it| it.is_live(now)).cloned().collect())
    }
}

fn invalid(reply: &Reply) -> Problem {
    Problem::new(ProblemKind::Store, format!("an unexpected answer: {reply:?}"))
}
