//! What the table answers. Each is a look-up in what one holder has, never a walk over all links.

use super::{Birth, Level, Link, Named, Refusal, Rights, Seen, Subject};
use crate::id::{LinkId, Millis, SessionId, SpaceId};
use crate::session::{Budget, Charter};
use std::collections::BTreeMap;

/// One subject that a session holds something on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holding {
    /// What it is about.
    pub subject: Subject,
    /// What the holder calls it, if it is a space with a name; the first of several.
    pub alias: Option<String>,
    /// The level at which the holder may act.
    pub use_: Option<Level>,
    /// The level it may hand on.
    pub delegate: Option<Level>,
    /// When the first of these two levels lapses; nothing if neither ever does.
    pub expires: Option<Millis>,
}

impl Rights {
    /// The level at which `holder` may act now: the highest of its live links.
    pub fn level(&self, holder: SessionId, subject: &Subject, now: Millis) -> Option<Level> {
        self.live(holder, subject, now).filter_map(|link| link.right.use_).max()
    }

    /// The highest level `holder` may hand on now.
    pub fn delegable(&self, holder: SessionId, subject: &Subject, now: Millis) -> Option<Level> {
        self.live(holder, subject, now).filter_map(|link| link.right.delegate).max()
    }

    /// The space that `holder` calls `alias`, if it may at least read it.
    pub fn resolve(&self, holder: SessionId, alias: &str, now: Millis) -> Result<SpaceId, Refusal> {
        match self.named(holder, alias) {
            Some(Named::Space(space)) => {
                if self.level(holder, &Subject::Space(space), now).is_some() {
                    return Ok(space);
                }
                if crate::mutant::planted("rights.forbidden_is_not_unknown") {
                    return Err(Refusal::NothingToRevoke);
                }
            }
            Some(Named::Session(_)) | None => {}
        }
        Err(Refusal::UnknownName(alias.to_owned()))
    }

    /// The living session that `holder` calls `alias`.
    pub fn resolve_session(&self, holder: SessionId, alias: &str) -> Result<SessionId, Refusal> {
        match self.named(holder, alias) {
            Some(Named::Session(session)) if self.living(session).is_ok() => Ok(session),
            _ => Err(Refusal::UnknownName(alias.to_owned())),
        }
    }

    /// What `holder` calls `alias`, whether or not it may still reach it.
    pub fn named(&self, holder: SessionId, alias: &str) -> Option<Named> {
        self.names.get(&holder)?.get(alias).copied()
    }

    /// The whole table of names of `holder`, whether or not it may still reach them.
    pub fn names(&self, holder: SessionId) -> impl Iterator<Item = (&str, Named)> {
        self.names.get(&holder).into_iter().flatten().map(|(alias, named)| (alias.as_str(), *named))
    }

    /// Every space there is.
    pub fn spaces(&self) -> impl Iterator<Item = SpaceId> {
        self.spaces.iter().copied()
    }

    /// All that `holder` has now, ordered by subject.
    pub fn holdings(&self, holder: SessionId, now: Millis) -> Vec<Holding> {
        let aliases: BTreeMap<SpaceId, &str> = self
            .names(holder)
            .filter_map(|(alias, named)| match named {
                Named::Space(space) => Some((space, alias)),
                Named::Session(_) => None,
            })
            // The first alias of several is the last one put in.
            .collect::<Vec<_>>()
            .into_iter()
            .rev()
            .collect();
        self.held
            .get(&holder)
            .into_iter()
            .flat_map(BTreeMap::keys)
            .filter_map(|subject| self.holding(holder, subject, &aliases, now))
            .collect()
    }

    fn holding(
        &self,
        holder: SessionId,
        subject: &Subject,
        aliases: &BTreeMap<SpaceId, &str>,
        now: Millis,
    ) -> Option<Holding> {
        let use_ = self.level(holder, subject, now);
        let delegate = self.delegable(holder, subject, now);
        // A level lapses with the longest-lived of the links that give it.
        let lapse = |level: Option<Level>, of: fn(&Link) -> Option<Level>| {
            let giving = self.live(holder, subject, now).filter(|link| of(link) == level);
            giving.map(Link::lifetime).max().filter(|_| level.is_some())
        };
        let lapses = [lapse(use_, |link| link.right.use_), lapse(delegate, |l| l.right.delegate)];
        let first = lapses.into_iter().flatten().min()?;
        let alias = match subject {
            Subject::Space(space) => aliases.get(space).map(|&alias| alias.to_owned()),
            _ => None,
        };
        let expires = Some(first).filter(|&at| at != Millis(u64::MAX));
        Some(Holding { subject: subject.clone(), alias, use_, delegate, expires })
    }

    /// The links from one to its origin, both counted; nothing if it is dead.
    pub fn chain(&self, link: LinkId) -> Vec<LinkId> {
        let first = self.links.get(&link);
        std::iter::successors(first, |link| self.links.get(&link.basis?))
            .map(|link| link.id)
            .collect()
    }

    /// One link, unless it was revoked or tidied away.
    pub fn link(&self, link: LinkId) -> Option<&Link> {
        self.links.get(&link)
    }

    /// Every link there is, ordered by id; expired ones included until they are tidied away.
    pub fn links(&self) -> impl Iterator<Item = &Link> {
        self.links.values()
    }

    /// The links that give `holder` something on `subject` now.
    pub fn live(
        &self,
        holder: SessionId,
        subject: &Subject,
        now: Millis,
    ) -> impl Iterator<Item = &Link> {
        self.held
            .get(&holder)
            .and_then(|subjects| subjects.get(subject))
            .into_iter()
            .flatten()
            .filter_map(|id| self.links.get(id))
            .filter(move |link| link.is_live(now))
    }

    /// Where a session comes from, also once it is wiped.
    pub fn birth(&self, session: SessionId) -> Option<&Birth> {
        self.births.get(&session)
    }

    /// Every session ever spawned and the root, ordered by id.
    pub fn births(&self) -> impl Iterator<Item = (SessionId, &Birth)> {
        self.births.iter().map(|(&session, birth)| (session, birth))
    }

    /// The living sessions whose actor is still owed: after a crash the spawn is finished for
    /// these.
    pub fn unborn(&self) -> impl Iterator<Item = SessionId> {
        self.births()
            .filter(|(_, birth)| birth.seen == Seen::NotYet && birth.ended.is_none())
            .map(|(session, _)| session)
    }

    /// The living agents: the sessions that have an actor, or are to have one.
    pub fn agents(&self) -> impl Iterator<Item = SessionId> {
        let agent = |birth: &Birth| birth.seen == Seen::Born || birth.charter.is_some();
        let living = |birth: &Birth| birth.ended.is_none() && birth.parent.is_some();
        self.births()
            .filter(move |(_, birth)| living(birth) && agent(birth))
            .map(|(session, _)| session)
    }

    /// The agents whose actor is still to be begun, and with what.
    pub fn chartered(&self) -> impl Iterator<Item = (SessionId, &Charter, Budget)> {
        self.births()
            .filter(|(_, birth)| birth.ended.is_none())
            .filter_map(|(session, birth)| Some((session, birth.charter.as_deref()?, birth.budget)))
    }

    /// Whether `by` may stop, wake, look into and end a session: it itself and those above it.
    pub fn governs(&self, by: SessionId, session: SessionId) -> bool {
        self.births.contains_key(&session) && self.is_self_or_ancestor(by, session)
    }

    /// The parent of a session, its parent, and so on to the root.
    pub fn ancestors(&self, session: SessionId) -> impl Iterator<Item = SessionId> {
        let parent = |session: &SessionId| self.births.get(session)?.parent;
        std::iter::successors(parent(&session), parent)
    }

    pub(super) fn is_self_or_ancestor(&self, by: SessionId, session: SessionId) -> bool {
        by == session || self.ancestors(session).any(|ancestor| ancestor == by)
    }

    /// When the next link expires: the time to send [`super::Message::Expire`].
    pub fn next_expiry(&self) -> Option<Millis> {
        self.expiring.first().map(|&(at, _)| at)
    }

    pub(super) fn living(&self, session: SessionId) -> Result<&Birth, Refusal> {
        self.births
            .get(&session)
            .filter(|birth| birth.ended.is_none())
            .ok_or(Refusal::NoSuchSession(session))
    }
}
