//! Applying events, and the table that readers ask. Both are one structure: what is decided is in
//! it at once, so a loss shows at once; a gain is hidden from readers until it is durable. So the
//! table may show less than the log, never more.

use super::arena::RowId;
use super::row::{Kind, LinkRow, NEVER, NameRow, SessionRow, SpaceRow};
use super::{Event, Lifetime, Link, Named, Owed, Rights, Sight, SpawnProgress, Subject};
use crate::agent::Budget;
use crate::id::{LinkId, Millis, SessionId, SpaceId};
use crate::mutant::planted;
use std::ops::Deref;

/// The state of the rights actor, as readers see it.
///
/// Between two deliveries it is here and nowhere else. The actor's host exchanges it for what the
/// actor has meanwhile, lets it decide, exchanges again and [hides](RightsTable::hide) what was given;
/// once that is durable it [shows](RightsTable::show) it.
#[derive(Debug)]
pub struct RightsTable(Rights);

impl Default for RightsTable {
    fn default() -> RightsTable {
        RightsTable::new(Rights::default())
    }
}

impl Deref for RightsTable {
    type Target = Rights;

    fn deref(&self) -> &Rights {
        &self.0
    }
}

impl RightsTable {
    /// All of which is durable.
    pub fn new(rights: Rights) -> RightsTable {
        RightsTable(Rights { sight: Sight::Durable, ..rights })
    }

    /// Gives the state to the actor, or takes it back.
    pub fn exchange(&mut self, rights: &mut Rights) {
        std::mem::swap(&mut self.0, rights);
        rights.sight = Sight::Decided;
        self.0.sight = Sight::Durable;
    }

    /// What the event gives is decided and not durable: to be called once it is applied, and before
    /// anybody reads.
    pub fn hide(&mut self, event: &Event) {
        if !planted("rights.readers_see_too_soon") {
            self.0.set_hidden(event, true);
        }
    }

    /// The event is durable: every event once, in the order of the log. What was taken away
    /// meanwhile stays away.
    pub fn show(&mut self, event: &Event) {
        if !planted("rights.readers_wait_for_ever") {
            self.0.set_hidden(event, false);
        }
    }
}

impl Rights {
    pub(super) fn shows(&self, hidden: bool) -> bool {
        self.sight == Sight::Decided || !hidden
    }

    fn set_hidden(&mut self, event: &Event, hidden: bool) {
        match event {
            Event::Installed { link } => self.hide_link(link.id, hidden),
            Event::SpaceCreated { link, alias } | Event::Shared { link, alias } => {
                self.hide_link(link.id, hidden);
                let Subject::Space(space) = link.right.subject else { return };
                if let (None, Some(place)) = (link.basis, self.spaces.find(&space)) {
                    self.spaces.get_mut(place).hidden = hidden;
                }
                if let Some(alias) = alias {
                    self.hide_name(link.to, alias, Named::Space(space), hidden);
                }
            }
            Event::Spawned { child, parent, alias, links, names, .. } => {
                let planted = planted("rights.readers_see_who_is_not_born");
                if let Some(place) = self.sessions.find(child) {
                    self.sessions.get_mut(place).hidden = hidden && !planted;
                }
                if let Some(alias) = alias {
                    self.hide_name(*parent, alias, Named::Session(*child), hidden);
                }
                links.iter().for_each(|link| self.hide_link(link.id, hidden));
                for (alias, space) in names {
                    self.hide_name(*child, alias, Named::Space(*space), hidden);
                }
            }
            Event::Named { holder, alias, named } => {
                self.hide_name(*holder, alias, *named, hidden);
            }
            // Nothing that a reader could use before its time.
            Event::Born { .. }
            | Event::Chartered { .. }
            | Event::Allotted { .. }
            | Event::SpawnRefused { .. }
            | Event::Revoked { .. }
            | Event::Expired { .. }
            | Event::Unnamed { .. }
            | Event::Doomed { .. }
            | Event::Sent { .. }
            | Event::Delivered { .. }
            | Event::Ended { .. } => {}
        }
    }

    fn hide_link(&mut self, link: LinkId, hidden: bool) {
        if let Some(place) = self.links.find(&link) {
            self.links.get_mut(place).hidden = hidden;
        }
    }

    /// A name that means something else by now was given again meanwhile.
    fn hide_name(&mut self, holder: SessionId, alias: &str, named: Named, hidden: bool) {
        let key = self.sessions.find(&holder).zip(self.texts.find(alias));
        let found = key.and_then(|(holder, text)| self.names.find(&(holder, Some(text))));
        let Some(place) = found else { return };
        let row = self.names.get(place);
        let same = self.named_by(row.is_space, row.of) == named;
        if same && !(hidden && planted("rights.readers_see_names_too_soon")) {
            self.names.get_mut(place).hidden = hidden;
        }
    }

    pub(super) fn take_in(&mut self, event: &Event) {
        match event {
            Event::Installed { link } => self.give(link),
            Event::SpaceCreated { link, alias } | Event::Shared { link, alias } => {
                self.give(link);
                if let (Some(alias), Subject::Space(space)) = (alias, &link.right.subject) {
                    self.call(link.to, alias, Named::Space(*space));
                }
            }
            Event::Spawned { child, parent, at, alias, links, names, lifetime, .. } => {
                let parent_of = self.sessions.find(parent);
                let place = self.bear(*child, parent_of, *at);
                if *lifetime == Lifetime::OneAction {
                    self.passing.insert(place);
                }
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
                if let Some(place) = self.sessions.find(session) {
                    self.sessions.get_mut(place).seen = SpawnProgress::Born;
                    if !planted("rights.the_born_stay_owed") {
                        self.charters.remove(&place);
                    }
                }
            }
            Event::Chartered { session, charter } => {
                if let Some(place) = self.sessions.find(session) {
                    let (charter, budget) = (charter.clone(), Budget::default());
                    self.charters.insert(place, Owed { charter, budget });
                }
            }
            Event::Allotted { session, budget } => {
                let owed = self.sessions.find(session).and_then(|it| self.charters.get_mut(&it));
                if let Some(owed) = owed {
                    owed.budget = *budget;
                }
            }
            Event::Named { holder, alias, named } => self.call(*holder, alias, *named),
            Event::Unnamed { holder, alias } => self.uncall(*holder, alias),
            Event::Revoked { links, .. } | Event::Expired { links } => self.forget(links),
            Event::Ended { session, at, links, .. } => {
                self.forget(links);
                self.close(*session, *at);
            }
            Event::Doomed { sessions, by, reason, .. } => {
                for session in sessions {
                    if let Some(place) = self.sessions.find(session) {
                        let (by, reason) = (*by, reason.clone());
                        self.doomed.insert(place, super::Doom { by, reason });
                    }
                }
            }
            Event::Sent { id, effect } => {
                self.sent.insert(*id, effect.clone());
            }
            Event::Delivered { id, .. } => {
                self.sent.remove(id);
            }
        }
    }

    /// The event can follow those before it.
    pub(super) fn assert_follows(&self, event: &Event) {
        let alive = |session: &SessionId| self.living(*session).is_ok();
        let known = |links: &[LinkId]| links.iter().all(|link| self.links.has(link));
        let lands = |link: &Link| {
            let rests = link.basis.is_none_or(|basis| self.links.has(&basis));
            rests && !self.links.has(&link.id)
        };
        let follows = match event {
            Event::Installed { link } => alive(&link.to) && lands(link),
            Event::SpaceCreated { link, .. } => {
                let Subject::Space(space) = &link.right.subject else {
                    panic!("the log creates a space that is none: {event:?}");
                };
                alive(&link.to) && lands(link) && !self.spaces.has(space)
            }
            Event::Shared { link, .. } => alive(&link.from) && alive(&link.to) && lands(link),
            Event::Spawned { child, parent, links, .. } => {
                let fresh = !self.sessions.has(child);
                fresh && alive(parent) && links.iter().all(|l| l.to == *child && lands(l))
            }
            Event::SpawnRefused { parent, .. } => alive(parent),
            Event::Born { session }
            | Event::Chartered { session, .. }
            | Event::Allotted { session, .. } => alive(session),
            Event::Revoked { links, .. } | Event::Expired { links } => known(links),
            Event::Named { holder, .. } | Event::Unnamed { holder, .. } => alive(holder),
            Event::Doomed { sessions, .. } => sessions.iter().all(alive),
            Event::Sent { id, .. } => !self.sent.contains_key(id),
            Event::Delivered { .. } => true,
            Event::Ended { session, links, .. } => alive(session) && known(links),
        };
        assert!(follows, "the log of rights cannot go on with {event:?}");
    }

    pub(super) fn bear(&mut self, id: SessionId, parent: Option<RowId>, at: Millis) -> RowId {
        let (seen, hidden) = (SpawnProgress::NotYet, false);
        let row =
            SessionRow { id, at, ended: NEVER, parent: None, links: 0, names: 0, seen, hidden };
        let place = self.sessions.put(&id, row);
        self.put_under(place, parent);
        place
    }

    /// Puts a session that has none yet among those of its parent.
    pub(super) fn put_under(&mut self, session: RowId, parent: Option<RowId>) {
        self.sessions.get_mut(session).parent = parent;
        if parent.is_some() {
            let sessions = &self.sessions;
            self.under.insert(session, |it| (sessions.get(it).parent, it) < (parent, session));
        }
    }

    pub(super) fn make_space(&mut self, id: SpaceId) -> RowId {
        match self.spaces.find(&id) {
            Some(place) => place,
            None => self.spaces.put(&id, SpaceRow { id, hidden: false }),
        }
    }

    fn give(&mut self, link: &Link) {
        let basis = link.basis.and_then(|it| self.links.find(&it));
        let place = self.insert(link, basis);
        assert!(place.is_some(), "a link between sessions that were never spawned: {link:?}");
    }

    /// Puts a link into the table and its orders; nothing if it is between strangers.
    pub(super) fn insert(&mut self, link: &Link, basis: Option<RowId>) -> Option<RowId> {
        let (from, to) = (self.sessions.find(&link.from)?, self.sessions.find(&link.to)?);
        let (kind, of) = match &link.right.subject {
            Subject::Space(space) => (Kind::Space, self.make_space(*space)),
            Subject::Tool(name) => (Kind::Tool, self.texts.hold(name)),
            Subject::Secret(name) => (Kind::Secret, self.texts.hold(name)),
            Subject::Model(name) => (Kind::Model, self.texts.hold(name)),
        };
        let row = LinkRow {
            id: link.id,
            expires: link.expires.unwrap_or(NEVER),
            from,
            to,
            of,
            basis,
            reason: self.texts.hold(&link.reason),
            kind,
            use_: link.right.use_,
            delegate: link.right.delegate,
            hidden: false,
        };
        let place = self.links.put(&link.id, row);
        let links = &self.links;
        let held = |it: RowId| (links.get(it).held_as(), it) < (row.held_as(), place);
        self.held.insert(place, held);
        self.rest(place, basis);
        if let Some(expires) = link.expires {
            self.expiring.insert((expires, link.id));
        }
        self.sessions.get_mut(to).links += 1;
        Some(place)
    }

    /// Puts a link among those that rest on its basis, if it has one.
    pub(super) fn rest(&mut self, link: RowId, basis: Option<RowId>) {
        self.links.get_mut(link).basis = basis;
        if basis.is_some() {
            let links = &self.links;
            self.resting.insert(link, |it| (links.get(it).basis, it) < (basis, link));
        }
    }

    pub(super) fn call(&mut self, holder: SessionId, alias: &str, named: Named) {
        let Some(holder) = self.sessions.find(&holder) else { return };
        if !self.sessions.get(holder).lives() {
            return;
        }
        let (is_space, of) = match named {
            Named::Space(space) => (true, self.make_space(space)),
            Named::Session(session) => match self.sessions.find(&session) {
                Some(place) => (false, place),
                None => panic!("a name for a session that was never spawned: {session}"),
            },
        };
        let text = self.texts.hold(alias);
        let row = NameRow { holder, text, of, is_space, hidden: false };
        let known = self.names.find(&(holder, Some(text)));
        let place = match known {
            Some(place) => {
                self.unlist(place);
                *self.names.get_mut(place) = row;
                self.texts.release(text);
                place
            }
            None => {
                self.sessions.get_mut(holder).names += 1;
                self.names.put(&(holder, Some(text)), row)
            }
        };
        let names = &self.names;
        self.meaning.insert(place, |it| (names.get(it).means(), it) < (row.means(), place));
        self.spelled.insert(place, |it| (names.get(it).text, it) < (row.text, place));
    }

    /// Takes a name out of the orders.
    pub(super) fn unlist(&mut self, place: RowId) {
        let (names, row) = (&self.names, *self.names.get(place));
        self.meaning.remove(place, |it| (names.get(it).means(), it) < (row.means(), place));
        self.spelled.remove(place, |it| (names.get(it).text, it) < (row.text, place));
    }
}
