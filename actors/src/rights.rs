//! The one actor that knows who may do what. A right is a [`Link`] from a granter to a holder; a
//! holder's rights are the join of its live links, and every chain of links ends at the root.
//! What is not here: budgets (they are spent, not held) and the deed itself, which is checked
//! against [`Rights::level`] by whoever is asked to do it.
//!
//! All of it stays in memory, also of agents that are put away, so it is kept small: one row a
//! thing, row numbers instead of ids, sorted lists instead of trees (`rights/arena.rs`).

mod adjust;
mod agent;
mod arena;
mod behaviour;
mod decision;
mod fact;
mod forget;
mod grant;
mod held;
mod link;
mod name;
mod outbox;
mod passing;
mod query;
mod refusal;
mod revoke;
mod row;
mod stored;
mod table;

pub use crate::right::{Fact, Level, NotALevel, RIGHT_KINDS, Right, RightChange, Subject};
pub use adjust::{Adjustment, adjust};
pub use agent::{AgentSpawn, DM};
pub use decision::RightsDecision;
pub use held::Holding;
pub use link::Link;
pub use name::name_fits;
pub use outbox::{Effect, GrantNote};
pub use passing::Lifetime;
pub use refusal::Refusal;
pub use table::RightsTable;

use decision::Asking;

use crate::agent::{AgentSpec, Budget};
use crate::behaviour::EffectId;
use crate::id::{LinkId, Millis, ROOT, SessionId, SpaceId};
use crate::limits::RightsLimits;
use crate::space::Declarations;
use arena::{Arena, RowId, SortedIds};
use row::{LinkRow, NameRow, SessionRow, SpaceRow, Texts};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Every session, space, link and name: the state of the actor. What readers ask is the [`RightsTable`]
/// that it lies in.
#[derive(Clone, Debug)]
pub struct Rights {
    sessions: Arena<SessionRow>,
    spaces: Arena<SpaceRow>,
    links: Arena<LinkRow>,
    names: Arena<NameRow>,
    /// Aliases, reasons, and what tools, secrets and models are called.
    texts: Texts,
    /// What actors are to be begun with, until they are.
    charters: BTreeMap<RowId, Owed>,
    /// Who is to end, by whose word and what for, until its actor has.
    doomed: BTreeMap<RowId, Doom>,
    /// Who is there for one action, and lives.
    passing: BTreeSet<RowId>,
    /// Messages that are not answered yet.
    sent: BTreeMap<EffectId, Effect>,
    expiring: BTreeSet<(Millis, LinkId)>,
    /// The links by holder and subject.
    held: SortedIds,
    /// The links that rest on others, by these.
    resting: SortedIds,
    /// The sessions by who spawned them.
    under: SortedIds,
    /// The names by holder and what they stand for.
    meaning: SortedIds,
    /// The names by how they are spelled.
    spelled: SortedIds,
    sight: Sight,
}

/// What an actor is to be begun with.
#[derive(Clone, Debug, PartialEq)]
struct Owed {
    charter: Arc<AgentSpec>,
    /// What it may spend.
    budget: Budget,
}

/// By whose word a session is to end, and what for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Doom {
    by: SessionId,
    reason: String,
}

/// What the table answers from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sight {
    /// All that is decided: for the actor itself.
    Decided,
    /// Less what was given and is not durable yet: for everybody else.
    Durable,
}

/// When a session came to be, and from whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Birth {
    /// Who spawned it; nothing for the root only.
    pub parent: Option<SessionId>,
    /// When its spawn was decided.
    pub at: Millis,
    /// Has its own actor been seen? Until then the spawn is still owed: [`Rights::unborn`].
    pub seen: SpawnProgress,
    /// When it was wiped. A crash is not an end.
    pub ended: Option<Millis>,
}

/// How far a spawn has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SpawnProgress {
    /// Its rights are recorded, its actor is yet to be made.
    NotYet,
    /// Its actor exists.
    Born,
}

/// What an alias stands for, in its holder's own table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub enum Named {
    /// A space. The name alone opens nothing: the holder needs a right as well.
    Space(SpaceId),
    Session(SessionId),
}

/// One right asked for in a spawn.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub struct RightRequest {
    /// A fresh id for the link.
    pub link: LinkId,
    /// What the child shall call the space.
    pub alias: Option<String>,
    pub right: Right,
    /// When it ends; what it rests on decides if left out.
    pub expires: Option<Millis>,
}

/// What the actor is asked. Who asks, and when, comes with the delivery; ids are fresh ones.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub enum Message {
    /// Give the root a tool, secret or model, to use and to hand on. By the root only.
    Install { link: LinkId, subject: Subject, reason: String },
    /// Create a space, private to the asker.
    CreateSpace {
        space: SpaceId,
        link: LinkId,
        alias: Option<String>,
        reason: String,
        /// What it says it is for; nothing is said where it is empty.
        description: String,
        /// What it declares besides what its description does.
        declares: Declarations,
    },
    /// Bring up a child holding exactly what is asked, which must lie within what the asker may
    /// delegate. The same child by the same parent again is answered again and changes nothing; of
    /// one for a single action nothing is known any more once it has ended.
    Spawn {
        child: SessionId,
        alias: Option<String>,
        asks: Vec<RightRequest>,
        reason: String,
        lifetime: Lifetime,
    },
    /// The same for an agent: with the space that it shares with the asker, and what its actor is
    /// begun with. `charter.parent` is the asker.
    SpawnAgent(Box<AgentSpawn>),
    /// Tell that a spawned session's actor exists: by itself or an ancestor.
    ConfirmBirth { session: SessionId },
    /// End an agent and all agents under it: their actors first, then their rights.
    Wipe { session: SessionId, reason: String },
    /// Tell what became of a message that was sent: by the root, who hosts.
    Delivered { id: EffectId, refused: Option<String> },
    /// Give a right to a living session.
    Share {
        link: LinkId,
        to: SessionId,
        alias: Option<String>,
        right: Right,
        expires: Option<Millis>,
        reason: String,
        /// What is to be said of it, and where.
        note: Option<Box<GrantNote>>,
    },
    /// Take away every right of the holder on the subject that is the asker's to revoke, with all
    /// that rests on it.
    Revoke { holder: SessionId, subject: Subject, reason: String },
    /// Take away one link, with all that rests on it.
    RevokeLink { link: LinkId, reason: String },
    /// Put an alias into the asker's own table.
    Name { alias: String, named: Named },
    /// Take an alias out of the asker's own table.
    Unname { alias: String },
    /// Wipe a session: its links and names go, and all that rests on those links.
    End { session: SessionId, reason: String },
    /// Take out what has expired. Rights end at their expiry without it; this only tidies.
    Expire,
}

/// What happened. Durable: fields may be added in a new version of the stored form only.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub enum Event {
    /// The root was given something.
    Installed { link: Link },
    /// A space exists, and its creator holds it whole.
    SpaceCreated { link: Link, alias: Option<String> },
    /// A session exists, its rights with it.
    Spawned {
        child: SessionId,
        parent: SessionId,
        at: Millis,
        /// What the parent calls the child.
        alias: Option<String>,
        links: Vec<Link>,
        /// What the child calls its spaces.
        names: Vec<(String, SpaceId)>,
        reason: String,
        lifetime: Lifetime,
    },
    /// A parent asked for more than it may delegate. Nothing else came of it.
    SpawnRefused {
        child: SessionId,
        parent: SessionId,
        at: Millis,
        asked: Right,
        /// What the parent could have delegated.
        held: Option<Level>,
        reason: String,
    },
    /// A spawned session's actor exists.
    Born { session: SessionId },
    /// A living session was given a right.
    Shared {
        link: Link,
        /// What its holder calls it: as asked, or the next free alias; nothing if it has one.
        alias: Option<String>,
    },
    /// Links were taken away: the whole cascade, dependents included.
    Revoked { links: Vec<LinkId>, by: SessionId, at: Millis, reason: String },
    /// Links had expired; what rested on them had too.
    Expired { links: Vec<LinkId> },
    /// A name was given.
    Named { holder: SessionId, alias: String, named: Named },
    /// A name was taken back.
    Unnamed { holder: SessionId, alias: String },
    /// A session was wiped, with these links: its own and all that rested on them.
    Ended { session: SessionId, at: Millis, by: SessionId, links: Vec<LinkId>, reason: String },
    /// The session is an agent: its actor is to be begun with this.
    Chartered { session: SessionId, charter: Arc<AgentSpec> },
    /// And with so much to spend.
    Allotted { session: SessionId, budget: Budget },
    /// These agents are to end, their actors first.
    Doomed { sessions: Vec<SessionId>, at: Millis, by: SessionId, reason: String },
    /// A message is to be sent.
    Sent { id: EffectId, effect: Effect },
    /// It was answered.
    Delivered { id: EffectId, refused: Option<String> },
}

/// What the asker hears once the events are durable.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub enum Reply {
    /// Done, or so already.
    Done,
    /// The child has its rights; its actor is to be made.
    Spawned { child: SessionId },
    /// The right was handed, with the expiry it got.
    Granted { link: LinkId, expires: Option<Millis> },
    /// These links are dead: what was asked for and all that rested on it.
    Revoked { links: Vec<LinkId> },
    /// These agents are to end, in this order; none where all of them are already.
    Doomed { sessions: Vec<SessionId> },
}

impl Default for Rights {
    /// The root, holding nothing.
    fn default() -> Rights {
        let mut rights = Rights::empty();
        let root = rights.bear(ROOT, None, Millis(0));
        rights.sessions.get_mut(root).seen = SpawnProgress::Born;
        rights
    }
}

impl Rights {
    fn empty() -> Rights {
        Rights {
            sessions: Arena::default(),
            spaces: Arena::default(),
            links: Arena::default(),
            names: Arena::default(),
            texts: Texts::default(),
            charters: BTreeMap::new(),
            doomed: BTreeMap::new(),
            passing: BTreeSet::new(),
            sent: BTreeMap::new(),
            expiring: BTreeSet::new(),
            held: SortedIds::default(),
            resting: SortedIds::default(),
            under: SortedIds::default(),
            meaning: SortedIds::default(),
            spelled: SortedIds::default(),
            sight: Sight::Decided,
        }
    }

    /// Decides what a message of `by` comes to, within the default limits.
    pub fn decide(
        &self,
        by: SessionId,
        now: Millis,
        message: Message,
    ) -> Result<RightsDecision, Refusal> {
        self.decide_within(&RightsLimits::default(), by, now, message)
    }

    /// Decides what a message of `by` comes to. Refused: nothing is recorded; a refusal that *is*
    /// recorded comes as the decision's answer. A limit that was lowered takes nothing away.
    pub fn decide_within(
        &self,
        limits: &RightsLimits,
        by: SessionId,
        now: Millis,
        message: Message,
    ) -> Result<RightsDecision, Refusal> {
        self.acting(by)?;
        let asking = Asking { by, now, limits };
        match name::composed(message) {
            Message::Install { link, subject, reason } => {
                self.install(asking, link, subject, reason)
            }
            Message::CreateSpace { space, link, alias, reason, description, declares } => {
                let created = self.create_space(asking, space, link, alias, reason)?;
                Ok(self.and_describes(created, asking, space, (description, declares)))
            }
            Message::Spawn { child, alias, asks, reason, lifetime } => {
                self.spawn(asking, grant::Spawn { child, alias, asks, reason, lifetime })
            }
            Message::SpawnAgent(spawn) => self.spawn_agent(asking, *spawn),
            Message::ConfirmBirth { session } => self.confirm_birth(by, session),
            Message::Wipe { session, reason } => self.wipe(asking, session, reason),
            Message::Delivered { id, refused } => self.delivered(asking, id, refused),
            Message::Share { link, to, alias, right, expires, reason, note } => {
                let ask = RightRequest { link, alias, right, expires };
                let shared = self.share(asking, to, ask, reason)?;
                Ok(self.and_notes(shared, asking, link, note))
            }
            Message::Revoke { holder, subject, reason } => {
                self.revoke(asking, holder, &subject, reason)
            }
            Message::RevokeLink { link, reason } => self.revoke_link(asking, link, reason),
            Message::Name { alias, named } => self.name(asking, alias, named),
            Message::Unname { alias } => self.unname(by, alias),
            Message::End { session, reason } => self.end(asking, session, reason),
            Message::Expire => Ok(self.expire(now)),
        }
    }

    /// Applies one event to the actor's state; all of them in order are the state.
    ///
    /// # Panics
    /// Panics if the event cannot follow those before it: the log is broken.
    pub fn apply(&mut self, event: &Event) {
        self.assert_follows(event);
        self.take_in(event);
    }
}

#[cfg(test)]
mod tests;
