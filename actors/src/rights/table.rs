//! Applying events, whole or in halves. The shared table that readers ask hears of a revoke before
//! it is durable and of a grant after: it may show less than the log, never more.

use super::{Birth, Event, Link, Named, Rights, Seen, Subject};
use crate::id::{LinkId, Millis, SessionId};
use crate::mutant::planted;
use crate::session::Budget;
use std::collections::{BTreeMap, BTreeSet};

impl Rights {
    /// Applies what the event takes away, at once when it is decided. Once or often is the same,
    /// and what was not given yet is remembered, so that a later [`Rights::widen`] does not
    /// bring it back.
    pub fn narrow(&mut self, event: &Event) {
        match event {
            Event::Revoked { links, .. } | Event::Expired { links } => self.forget(links),
            Event::Ended { session, at, links, .. } => {
                self.forget(links);
                self.close(*session, *at);
                self.gone_sessions.insert(*session, *at);
            }
            Event::Installed { .. }
            | Event::SpaceCreated { .. }
            | Event::Spawned { .. }
            | Event::SpawnRefused { .. }
            | Event::Born { .. }
            | Event::Shared { .. }
            | Event::Named { .. }
            | Event::Unnamed { .. }
            | Event::Chartered { .. }
            | Event::Allotted { .. } => {}
        }
    }

    /// Applies the rest of the event, once it is durable: every event once, in the order of the
    /// log, each after its [`Rights::narrow`]. Then the table is what [`Rights::apply`] makes it.
    pub fn widen(&mut self, event: &Event) {
        match event {
            Event::Installed { link } => self.give(link),
            Event::SpaceCreated { link, alias } | Event::Shared { link, alias } => {
                self.give(link);
                if let (Some(alias), Subject::Space(space)) = (alias, &link.right.subject) {
                    self.call(link.to, alias, Named::Space(*space));
                }
            }
            Event::Spawned { child, parent, at, alias, links, names, .. } => {
                let ended = self.gone_sessions.get(child).copied();
                let ended = ended.filter(|_| !planted("rights.widen_revives_the_ended"));
                let (parent_of, seen) = (Some(*parent), Seen::NotYet);
                let (charter, budget) = (None, Budget::default());
                let birth = Birth { parent: parent_of, at: *at, seen, ended, charter, budget };
                self.births.insert(*child, birth);
                if let Some(alias) = alias {
                    self.call(*parent, alias, Named::Session(*child));
                }
                for link in links {
                    self.give(link);
                }
                for (alias, space) in names {
                    self.call(*child, alias, Named::Space(*space));
                }
            }
            Event::SpawnRefused { .. } => {}
            Event::Born { session } => {
                if let Some(birth) = self.births.get_mut(session) {
                    birth.seen = Seen::Born;
                    if !planted("rights.the_born_stay_owed") {
                        birth.charter = None;
                    }
                }
            }
            Event::Chartered { session, charter } => {
                // One that was ended meanwhile has nothing to begin.
                let charters = planted("rights.widen_charters_the_ended");
                if let Some(birth) = self.births.get_mut(session)
                    && (birth.ended.is_none() || charters)
                {
                    birth.charter = Some(charter.clone());
                }
            }
            Event::Allotted { session, budget } => {
                if let Some(birth) = self.births.get_mut(session) {
                    birth.budget = *budget;
                }
            }
            Event::Named { holder, alias, named } => self.call(*holder, alias, *named),
            Event::Unnamed { holder, alias } => self.uncall(*holder, alias),
            // What these took is taken; all that could bring it back has been heard by now.
            Event::Revoked { links, .. } | Event::Expired { links } => self.unmark(links),
            Event::Ended { session, links, .. } => {
                self.unmark(links);
                self.gone_sessions.remove(session);
            }
        }
    }

    /// The event can follow those before it.
    pub(super) fn assert_follows(&self, event: &Event) {
        let alive = |session: &SessionId| self.living(*session).is_ok();
        let known = |links: &[LinkId]| links.iter().all(|link| self.links.contains_key(link));
        let lands = |link: &Link| {
            let rests = link.basis.is_none_or(|basis| self.links.contains_key(&basis));
            rests && !self.links.contains_key(&link.id)
        };
        let follows = match event {
            Event::Installed { link } => alive(&link.to) && lands(link),
            Event::SpaceCreated { link, .. } => {
                let Subject::Space(space) = &link.right.subject else {
                    panic!("the log creates a space that is none: {event:?}");
                };
                alive(&link.to) && lands(link) && !self.spaces.contains(space)
            }
            Event::Shared { link, .. } => alive(&link.from) && alive(&link.to) && lands(link),
            Event::Spawned { child, parent, links, .. } => {
                let fresh = !self.births.contains_key(child);
                fresh && alive(parent) && links.iter().all(|l| l.to == *child && lands(l))
            }
            Event::SpawnRefused { parent, .. } => alive(parent),
            Event::Born { session }
            | Event::Chartered { session, .. }
            | Event::Allotted { session, .. } => alive(session),
            Event::Revoked { links, .. } | Event::Expired { links } => known(links),
            Event::Named { holder, .. } | Event::Unnamed { holder, .. } => alive(holder),
            Event::Ended { session, links, .. } => alive(session) && known(links),
        };
        assert!(follows, "the log of rights cannot go on with {event:?}");
    }

    fn give(&mut self, link: &Link) {
        if let (None, Subject::Space(space)) = (link.basis, &link.right.subject) {
            self.spaces.insert(*space);
        }
        if self.gone_links.contains(&link.id) && !planted("rights.widen_resurrects") {
            return;
        }
        self.insert(link);
    }

    /// Puts a link into the table and its indexes.
    pub(super) fn insert(&mut self, link: &Link) {
        let subjects = self.held.entry(link.to).or_default();
        if subjects.entry(link.right.subject.clone()).or_default().insert(link.id) {
            *self.counts.entry(link.to).or_insert(0) += 1;
        }
        if let Some(basis) = link.basis {
            self.resting.entry(basis).or_default().insert(link.id);
        }
        if let Some(expires) = link.expires {
            self.expiring.insert((expires, link.id));
        }
        self.links.insert(link.id, link.clone());
    }

    fn forget(&mut self, links: &[LinkId]) {
        for id in links {
            self.gone_links.insert(*id);
            if let Some(link) = self.links.remove(id) {
                self.unindex(&link);
            }
        }
    }

    fn unindex(&mut self, link: &Link) {
        if let Some(subjects) = self.held.get_mut(&link.to) {
            discard(subjects, &link.right.subject, link.id);
            if subjects.is_empty() {
                self.held.remove(&link.to);
            }
            match self.counts.get_mut(&link.to) {
                Some(count) if *count > 1 => *count -= 1,
                _ => drop(self.counts.remove(&link.to)),
            }
        }
        if let Some(basis) = link.basis {
            discard(&mut self.resting, &basis, link.id);
        }
        if let Some(expires) = link.expires {
            self.expiring.remove(&(expires, link.id));
        }
    }

    fn unmark(&mut self, links: &[LinkId]) {
        for link in links {
            self.gone_links.remove(link);
        }
    }

    fn close(&mut self, session: SessionId, at: Millis) {
        if !planted("rights.end_keeps_names") {
            self.names.remove(&session);
        }
        if let Some(birth) = self.births.get_mut(&session) {
            birth.ended = Some(at);
            birth.charter = None;
        }
    }

    fn call(&mut self, holder: SessionId, alias: &str, named: Named) {
        if self.living(holder).is_ok() {
            self.names.entry(holder).or_default().insert(alias.to_owned(), named);
        }
    }

    fn uncall(&mut self, holder: SessionId, alias: &str) {
        if let Some(names) = self.names.get_mut(&holder) {
            names.remove(alias);
            if names.is_empty() {
                self.names.remove(&holder);
            }
        }
    }
}

/// Takes one link out of an index, and the key with its last one.
fn discard<K: Ord>(index: &mut BTreeMap<K, BTreeSet<LinkId>>, key: &K, link: LinkId) {
    if let Some(links) = index.get_mut(key) {
        links.remove(&link);
        if links.is_empty() {
            index.remove(key);
        }
    }
}
