//! How rights come to be: installed for the root, by creating a space, by spawning, by sharing.

use super::name::name_fits;
use super::row::{LinkRow, NEVER};
use super::{
    Asking, Event, Level, Lifetime, Link, Refusal, Reply, Right, RightRequest, Rights,
    RightsDecision, SpawnProgress, Subject,
};
use crate::id::{LinkId, ROOT, SessionId, SpaceId};
use crate::limits::RightsLimits;
use crate::mutant::planted;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// A spawn as its parent asks for it.
pub(super) struct Spawn {
    pub(super) child: SessionId,
    pub(super) alias: Option<String>,
    pub(super) asks: Vec<RightRequest>,
    pub(super) reason: String,
    pub(super) lifetime: Lifetime,
}

/// How a right is handed on: which of the granter's two bits must cover it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Spawn,
    Share,
}

impl Rights {
    pub(super) fn install(
        &self,
        asking: Asking<'_>,
        link: LinkId,
        subject: Subject,
        reason: String,
    ) -> Result<RightsDecision, Refusal> {
        if asking.by != ROOT || matches!(subject, Subject::Space(_)) {
            return Err(Refusal::OnlyRoot);
        }
        let right = Right::whole(subject);
        right_fits(&right, asking.limits)?;
        let link = self.origin(asking.limits, ROOT, link, right, reason)?;
        let reply = Reply::Granted { link: link.id, expires: None };
        Ok(RightsDecision::one(Event::Installed { link }, reply))
    }

    pub(super) fn create_space(
        &self,
        asking: Asking<'_>,
        space: SpaceId,
        link: LinkId,
        alias: Option<String>,
        reason: String,
    ) -> Result<RightsDecision, Refusal> {
        if self.spaces.has(&space) {
            return Err(Refusal::SpaceTaken(space));
        }
        let free = |alias: &String| self.alias_is_free(asking.limits, asking.by, alias);
        let freed = alias.as_ref().map(free).transpose()?.flatten();
        let link = self.origin(
            asking.limits,
            asking.by,
            link,
            Right::whole(Subject::Space(space)),
            reason,
        )?;
        let reply = Reply::Granted { link: link.id, expires: None };
        Ok(RightsDecision::one(Event::SpaceCreated { link, alias }, reply).after(freed))
    }

    fn origin(
        &self,
        limits: &RightsLimits,
        to: SessionId,
        id: LinkId,
        right: Right,
        reason: String,
    ) -> Result<Link, Refusal> {
        reason_fits(&reason, limits)?;
        self.link_is_fresh(id)?;
        self.has_room_for_a_link(limits, to)?;
        Ok(Link { id, from: ROOT, to, right, basis: None, expires: None, reason })
    }

    pub(super) fn spawn(
        &self,
        asking: Asking<'_>,
        spawn: Spawn,
    ) -> Result<RightsDecision, Refusal> {
        let Asking { by, now, limits } = asking;
        let Spawn { child, alias, asks, reason, lifetime } = spawn;
        if let Some(birth) = self.birth(child) {
            return match birth.parent {
                Some(parent) if parent == by => {
                    Ok(RightsDecision::nothing(Reply::Spawned { child }))
                }
                _ => Err(Refusal::SessionTaken(child)),
            };
        }
        reason_fits(&reason, limits)?;
        self.stays(by)?;
        if lifetime == Lifetime::OneAction && alias.is_some() {
            return Err(Refusal::Passing(child));
        }
        if self.ancestors(by).count() + 1 > limits.ancestors_max {
            return Err(Refusal::TooDeep { max: limits.ancestors_max });
        }
        let free = |alias: &String| self.alias_is_free(limits, by, alias);
        let freed = alias.as_ref().map(free).transpose()?.flatten();
        let names = self.asks_fit(limits, &asks)?;
        let mut links = Vec::with_capacity(asks.len());
        for ask in asks {
            match self.derive(asking, child, &ask, &reason, Way::Spawn) {
                Ok(link) => links.push(link),
                Err(refusal) => return self.refuse_spawn(asking, child, ask, reason, refusal),
            }
        }
        if planted("rights.child_default_all") && links.is_empty() {
            links.extend(self.links().find(|link| link.to == by).map(|basis| Link {
                id: LinkId(child.0),
                from: by,
                to: child,
                basis: Some(basis.id),
                ..basis
            }));
        }
        let names = names.into_iter().collect();
        let at = now;
        let parent = by;
        let event = Event::Spawned { child, parent, at, alias, links, names, reason, lifetime };
        Ok(RightsDecision::one(event, Reply::Spawned { child }).after(freed))
    }

    /// Too much was asked for: that is recorded. Anything else is only refused.
    fn refuse_spawn(
        &self,
        asking: Asking<'_>,
        child: SessionId,
        ask: RightRequest,
        reason: String,
        refusal: Refusal,
    ) -> Result<RightsDecision, Refusal> {
        let Asking { by, now, .. } = asking;
        let held = match &refusal {
            Refusal::BeyondDelegable { held, .. } => *held,
            Refusal::OutlivesBasis { .. } => self.delegable(by, &ask.right.subject, now),
            _ => return Err(refusal),
        };
        if planted("rights.spawn_refused_in_silence") {
            return Err(refusal);
        }
        let asked = ask.right;
        let event = Event::SpawnRefused { child, parent: by, at: now, asked, held, reason };
        Ok(RightsDecision { events: vec![event], answer: Err(refusal) })
    }

    /// Are the asks well-formed, each by itself and all together? Answers with the child's names.
    fn asks_fit(
        &self,
        limits: &RightsLimits,
        asks: &[RightRequest],
    ) -> Result<BTreeMap<String, SpaceId>, Refusal> {
        let max = limits.asks_per_spawn_max;
        if asks.len() > max {
            return Err(Refusal::TooManyAsks { asked: asks.len(), max });
        }
        let mut fresh = BTreeSet::new();
        let mut names = BTreeMap::new();
        for ask in asks {
            right_fits(&ask.right, limits)?;
            self.link_is_fresh(ask.link)?;
            if !fresh.insert(ask.link) {
                return Err(Refusal::LinkTaken(ask.link));
            }
            let Some(alias) = &ask.alias else { continue };
            name_fits(alias, limits)?;
            let space = aliased(&ask.right.subject)?;
            if names.insert(alias.clone(), space).is_some_and(|before| before != space) {
                return Err(Refusal::AliasTaken(alias.clone()));
            }
        }
        Ok(names)
    }

    pub(super) fn confirm_birth(
        &self,
        by: SessionId,
        session: SessionId,
    ) -> Result<RightsDecision, Refusal> {
        if !self.is_self_or_ancestor(by, session) {
            return Err(Refusal::NoSuchSession(session));
        }
        match self.living(session)?.seen {
            SpawnProgress::Born => Ok(RightsDecision::nothing(Reply::Done)),
            SpawnProgress::NotYet => Ok(RightsDecision::one(Event::Born { session }, Reply::Done)),
        }
    }

    pub(super) fn share(
        &self,
        asking: Asking<'_>,
        to: SessionId,
        ask: RightRequest,
        reason: String,
    ) -> Result<RightsDecision, Refusal> {
        let limits = asking.limits;
        reason_fits(&reason, limits)?;
        right_fits(&ask.right, limits)?;
        self.link_is_fresh(ask.link)?;
        if let Some(alias) = &ask.alias {
            name_fits(alias, limits)?;
            aliased(&ask.right.subject)?;
        }
        let link = self.derive(asking, to, &ask, &reason, Way::Share)?;
        // Whom it is for is looked at last: who has nothing to share learns nothing of sessions.
        self.living(to)?;
        self.has_room_for_a_link(limits, to)?;
        let alias = match (ask.alias, &link.right.subject) {
            (Some(alias), Subject::Space(space)) => {
                self.has_room_for_a_name(limits, to)?;
                self.alias_for(to, alias, *space)
            }
            _ => None,
        };
        let reply = Reply::Granted { link: link.id, expires: link.expires };
        Ok(RightsDecision::one(Event::Shared { link, alias }, reply))
    }

    /// The link that hands `ask` from `by` to `to`, or why it may not.
    fn derive(
        &self,
        asking: Asking<'_>,
        to: SessionId,
        ask: &RightRequest,
        reason: &str,
        way: Way,
    ) -> Result<Link, Refusal> {
        let Asking { by, now, .. } = asking;
        let right = ask.right.clone();
        let basis = self.basis(asking, &right, way)?;
        let until = Some(basis.expires).filter(|at| *at != NEVER);
        let expires = match (ask.expires, until) {
            (Some(expires), _) if expires <= now => {
                return Err(Refusal::AlreadyExpired { expires, now });
            }
            (Some(expires), Some(until))
                if expires > until && !planted("rights.expiry_beyond_basis") =>
            {
                return Err(Refusal::OutlivesBasis { asked: right, until });
            }
            (None, _) if planted("rights.expiry_not_inherited") => None,
            (asked, until) => asked.or(until),
        };
        let reason = reason.to_owned();
        Ok(Link { id: ask.link, from: by, to, right, basis: Some(basis.id), expires, reason })
    }

    /// The live link of `by` that covers the right: the one that lives longest, then the one with
    /// the smallest id, so that a replay of the message finds the same.
    fn basis(&self, asking: Asking<'_>, right: &Right, way: Way) -> Result<&LinkRow, Refusal> {
        let Asking { by, now, limits } = asking;
        let max = limits.chain_links_max;
        let covering =
            || self.live(by, &right.subject, now).filter(|(_, link)| covers(link, right, way));
        if covering().next().is_none() {
            return Err(match way {
                Way::Spawn => Refusal::BeyondDelegable {
                    asked: right.clone(),
                    held: self.delegable(by, &right.subject, now),
                },
                Way::Share => Refusal::MayNotShare(right.clone()),
            });
        }
        let near = covering().filter(|(link, _)| self.chain_of(*link).nth(max - 1).is_none());
        let near = near.map(|(_, link)| link);
        let best = if planted("rights.basis_dies_first") {
            near.min_by_key(|link| (link.expires, link.id))
        } else {
            near.max_by_key(|link| (link.expires, Reverse(link.id)))
        };
        best.ok_or_else(|| Refusal::ChainTooLong { subject: right.subject.clone(), max })
    }

    pub(super) fn link_is_fresh(&self, link: LinkId) -> Result<(), Refusal> {
        if self.links.has(&link) { Err(Refusal::LinkTaken(link)) } else { Ok(()) }
    }

    fn has_room_for_a_link(&self, limits: &RightsLimits, holder: SessionId) -> Result<(), Refusal> {
        let max = limits.links_per_holder_max;
        if self.living(holder).is_ok_and(|row| row.links as usize >= max) {
            return Err(Refusal::TooManyLinks { holder, max });
        }
        Ok(())
    }
}

/// Does one held right cover another that is to be handed on? The delegate bit comes from a
/// delegate bit only. The use bit comes from it too, and with `grant` on a space from use itself.
fn covers(held: &LinkRow, asked: &Right, way: Way) -> bool {
    let space = matches!(asked.subject, Subject::Space(_));
    if way == Way::Share && space {
        let needed =
            if planted("rights.share_needs_only_write") { Level::Write } else { Level::Grant };
        return held.use_ >= Some(needed)
            && (held.delegate >= asked.delegate || planted("rights.share_widens_delegate"));
    }
    let skipped = match way {
        Way::Spawn => planted("rights.spawn_skips_delegate"),
        Way::Share => planted("rights.share_skips_delegate"),
    };
    skipped
        || held.delegate >= asked.peak()
        || (planted("rights.use_as_delegate") && held.use_ >= asked.peak())
}

fn right_fits(right: &Right, limits: &RightsLimits) -> Result<(), Refusal> {
    match (&right.subject, right.peak()) {
        (_, None) => return Err(Refusal::EmptyRight(right.subject.clone())),
        (subject, Some(peak)) if peak > subject.highest() => {
            return Err(Refusal::LevelUnknown(subject.clone()));
        }
        _ => {}
    }
    match &right.subject {
        Subject::Space(_) => Ok(()),
        Subject::Tool(name) | Subject::Secret(name) | Subject::Model(name) => {
            name_fits(name, limits)
        }
    }
}

fn aliased(subject: &Subject) -> Result<SpaceId, Refusal> {
    match subject {
        Subject::Space(space) => Ok(*space),
        _ => Err(Refusal::NotAliased(subject.clone())),
    }
}

pub(super) fn reason_fits(reason: &str, limits: &RightsLimits) -> Result<(), Refusal> {
    let max = limits.reason_bytes_max;
    if reason.len() > max {
        return Err(Refusal::ReasonTooLong { bytes: reason.len(), max });
    }
    Ok(())
}
