//! How rights end: revoked, with their session, or by their expiry; always with all that rests on
//! them.

use super::arena::RowId;
use super::grant::reason_fits;
use super::row::Kind;
use super::{Asking, Event, Level, Refusal, Reply, Rights, RightsDecision, Subject};
use crate::id::{LinkId, Millis, ROOT, SessionId};
use crate::mutant::planted;
use std::collections::BTreeSet;

impl Rights {
    pub(super) fn revoke(
        &self,
        asking: Asking<'_>,
        holder: SessionId,
        subject: &Subject,
        reason: String,
    ) -> Result<RightsDecision, Refusal> {
        let Asking { by, now, limits } = asking;
        reason_fits(&reason, limits)?;
        let roots: Vec<LinkId> = self
            .live(holder, subject, now)
            .filter(|(place, _)| self.may_revoke(by, *place, now))
            .map(|(_, link)| link.id)
            .collect();
        self.take(by, now, &roots, reason)
    }

    pub(super) fn revoke_link(
        &self,
        asking: Asking<'_>,
        link: LinkId,
        reason: String,
    ) -> Result<RightsDecision, Refusal> {
        let Asking { by, now, limits } = asking;
        reason_fits(&reason, limits)?;
        let root = self.links.find(&link).filter(|it| self.links.get(*it).is_live(now));
        let root = root.filter(|it| self.may_revoke(by, *it, now)).map(|_| link);
        self.take(by, now, root.as_slice(), reason)
    }

    fn take(
        &self,
        by: SessionId,
        now: Millis,
        roots: &[LinkId],
        reason: String,
    ) -> Result<RightsDecision, Refusal> {
        if roots.is_empty() {
            return Err(Refusal::NothingToRevoke);
        }
        let links = if planted("rights.revoke_without_cascade") {
            roots.to_vec()
        } else {
            self.cascade(roots)
        };
        let event = Event::Revoked { links: links.clone(), by, at: now, reason };
        Ok(RightsDecision::one(event, Reply::Revoked { links }))
    }

    /// It is whoever's that granted it or something it rests on. Who uses a space at `grant` may
    /// revoke anybody's right in it, except those on which its own rests: that would leave a space
    /// without anybody to grant it.
    fn may_revoke(&self, by: SessionId, link: RowId, now: Millis) -> bool {
        if planted("rights.revoke_by_stranger") {
            return true;
        }
        let granter = self.sessions.find(&by);
        if self.chain_of(link).any(|(_, it)| Some(it.from) == granter) {
            return true;
        }
        let (kind, of) = self.links.get(link).on();
        kind == Kind::Space
            && self.live(by, &self.subject((kind, of)), now).any(|(own, row)| {
                let aside = !self.chain_of(own).any(|(it, _)| it == link)
                    || planted("rights.revoke_the_ground_one_stands_on");
                row.use_ == Some(Level::Grant) && aside
            })
    }

    pub(super) fn end(
        &self,
        asking: Asking<'_>,
        session: SessionId,
        reason: String,
    ) -> Result<RightsDecision, Refusal> {
        let Asking { by, now, limits } = asking;
        reason_fits(&reason, limits)?;
        if session == ROOT {
            return Err(Refusal::RootStays);
        }
        self.living(session)?;
        if !self.is_self_or_ancestor(by, session) {
            return Err(Refusal::NotYoursToEnd(session));
        }
        let own: Vec<LinkId> = self.all_held(session).map(|(_, link)| link.id).collect();
        let links = if planted("rights.end_keeps_children") { own } else { self.cascade(&own) };
        let event = Event::Ended { session, at: now, by, links, reason };
        Ok(RightsDecision::one(event, Reply::Done))
    }

    /// What rests on an expired link has expired too, so this needs no cascade.
    pub(super) fn expire(&self, now: Millis) -> RightsDecision {
        let due = self.expiring.iter().take_while(|&&(at, _)| at <= now);
        let links: Vec<LinkId> = due.map(|&(_, link)| link).collect();
        if links.is_empty() {
            return RightsDecision::nothing(Reply::Done);
        }
        RightsDecision::one(Event::Expired { links }, Reply::Done)
    }

    /// The links and all that rest on them, ordered by id.
    fn cascade(&self, roots: &[LinkId]) -> Vec<LinkId> {
        let mut all: BTreeSet<LinkId> = BTreeSet::new();
        let mut next: Vec<RowId> = roots.iter().filter_map(|id| self.links.find(id)).collect();
        while let Some(link) = next.pop() {
            if all.insert(self.links.get(link).id) {
                let basis = |it: RowId| self.links.get(it).basis;
                let from = self.resting.from(|it| basis(it) < Some(link));
                next.extend(from.take_while(|it| basis(*it) == Some(link)));
            }
        }
        all.into_iter().collect()
    }
}
