//! What the table answers. Each is a look-up in what one holder has, never a walk over all links.

use super::arena::RowId;
use super::row::{Kind, LinkRow, NEVER, NameRow, On, SessionRow};
use super::{Birth, Level, Link, Named, Refusal, Right, Rights, SpawnProgress, Subject};
use crate::agent::{AgentSpec, Budget};
use crate::id::{LinkId, Millis, SessionId, SpaceId};
use crate::mutant::planted;
use crate::name::composed;
use std::sync::Arc;

impl Rights {
    /// The level at which `holder` may act now: the highest of its live links.
    pub fn level(&self, holder: SessionId, subject: &Subject, now: Millis) -> Option<Level> {
        self.live(holder, subject, now).filter_map(|(_, link)| link.use_).max()
    }

    /// The highest level `holder` may hand on now.
    pub fn delegable(&self, holder: SessionId, subject: &Subject, now: Millis) -> Option<Level> {
        self.live(holder, subject, now).filter_map(|(_, link)| link.delegate).max()
    }

    /// The space that `holder` calls `alias`, if it may at least read it.
    pub fn resolve(&self, holder: SessionId, alias: &str, now: Millis) -> Result<SpaceId, Refusal> {
        match self.named(holder, alias) {
            Some(Named::Space(space)) => {
                if self.level(holder, &Subject::Space(space), now).is_some() {
                    return Ok(space);
                }
                if planted("rights.forbidden_is_not_unknown") {
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
        let (holder, text) = (self.sessions.find(&holder)?, self.texts.find(&composed(alias))?);
        let row = self.names.get(self.names.find(&(holder, Some(text)))?);
        self.shows(row.hidden).then(|| self.named_by(row.is_space, row.of))
    }

    /// The same, but nothing for a session that has ended: its name is free again.
    pub fn called(&self, holder: SessionId, alias: &str) -> Option<Named> {
        self.named(holder, alias).filter(|it| match it {
            Named::Session(session) => self.living(*session).is_ok(),
            Named::Space(_) => true,
        })
    }

    /// Whether there is such a session, and it has not ended.
    pub fn is_living(&self, session: SessionId) -> bool {
        self.living(session).is_ok()
    }

    pub(super) fn named_by(&self, is_space: bool, of: RowId) -> Named {
        match is_space {
            true => Named::Space(self.spaces.get(of).id),
            false => Named::Session(self.sessions.get(of).id),
        }
    }

    /// The whole table of names of `holder`, whether or not it may still reach them, ordered.
    pub fn names(&self, holder: SessionId) -> impl Iterator<Item = (&str, Named)> {
        let mut names: Vec<(&str, Named)> = self.names_as_they_come(holder).collect();
        names.sort_unstable_by_key(|(alias, _)| *alias);
        names.into_iter()
    }

    fn names_as_they_come(&self, holder: SessionId) -> impl Iterator<Item = (&str, Named)> {
        let told = |row: &NameRow| (self.texts.get(row.text), self.named_by(row.is_space, row.of));
        self.names_of(holder).map(told)
    }

    pub(super) fn names_of(&self, holder: SessionId) -> impl Iterator<Item = &NameRow> {
        let holder = self.sessions.find(&holder);
        let rows = holder.into_iter().flat_map(move |holder| {
            let rows = self.names.from(&(holder, None)).map(|(_, row)| row);
            rows.take_while(move |row| row.holder == holder)
        });
        rows.filter(|row| self.shows(row.hidden))
    }

    /// What `holder` calls something; the first of several names.
    pub fn alias_of(&self, holder: SessionId, named: Named) -> Option<&str> {
        let (is_space, of) = match named {
            Named::Space(space) => (true, self.spaces.find(&space)?),
            Named::Session(session) => (false, self.sessions.find(&session)?),
        };
        let means = (self.sessions.find(&holder)?, Some((is_space, of)));
        let from = self.meaning.from(|it| self.names.get(it).means() < means);
        let same = from.map(|it| self.names.get(it)).take_while(|row| row.means() == means);
        same.filter(|row| self.shows(row.hidden)).map(|row| self.texts.get(row.text)).min()
    }

    /// Every space there is, ordered by id.
    pub fn spaces(&self) -> impl Iterator<Item = SpaceId> {
        self.spaces.iter().filter(|(_, row)| self.shows(row.hidden)).map(|(_, row)| row.id)
    }

    pub(super) fn subject(&self, (kind, of): On) -> Subject {
        let text = || self.texts.get(of).to_owned();
        match kind {
            Kind::Space => Subject::Space(self.spaces.get(of).id),
            Kind::Tool => Subject::Tool(text()),
            Kind::Secret => Subject::Secret(text()),
            Kind::Model => Subject::Model(text()),
        }
    }

    /// Where a subject's row stands; nothing for one that nobody has a right on.
    fn on(&self, subject: &Subject) -> Option<On> {
        Some(match subject {
            Subject::Space(space) => (Kind::Space, self.spaces.find(space)?),
            Subject::Tool(name) => (Kind::Tool, self.texts.find(name)?),
            Subject::Secret(name) => (Kind::Secret, self.texts.find(name)?),
            Subject::Model(name) => (Kind::Model, self.texts.find(name)?),
        })
    }

    /// The links from one to its origin, both counted; nothing if it is dead.
    pub fn chain(&self, link: LinkId) -> Vec<LinkId> {
        let first = self.links.find(&link).filter(|it| self.shows(self.links.get(*it).hidden));
        let chain = first.into_iter().flat_map(|it| self.chain_of(it));
        chain.map(|(_, link)| link.id).collect()
    }

    pub(super) fn chain_of(&self, link: RowId) -> impl Iterator<Item = (RowId, &LinkRow)> {
        let with_row = |link: RowId| (link, self.links.get(link));
        std::iter::successors(Some(with_row(link)), move |(_, link)| link.basis.map(with_row))
    }

    /// One link, unless it was revoked or tidied away.
    pub fn link(&self, link: LinkId) -> Option<Link> {
        let row = self.links.get(self.links.find(&link)?);
        self.shows(row.hidden).then(|| self.told(row))
    }

    /// Every link there is, ordered by id; expired ones included until they are tidied away.
    pub fn links(&self) -> impl Iterator<Item = Link> {
        let seen = self.links.iter().filter(|(_, row)| self.shows(row.hidden));
        seen.map(|(_, row)| self.told(row))
    }

    /// A link in full.
    pub(super) fn told(&self, row: &LinkRow) -> Link {
        let (use_, delegate) = (row.use_, row.delegate);
        Link {
            id: row.id,
            from: self.sessions.get(row.from).id,
            to: self.sessions.get(row.to).id,
            right: Right { subject: self.subject(row.on()), use_, delegate },
            basis: row.basis.map(|it| self.links.get(it).id),
            expires: Some(row.expires).filter(|at| *at != NEVER),
            reason: self.texts.get(row.reason).to_owned(),
        }
    }

    /// The links that give `holder` something on `subject` now.
    pub(super) fn live(
        &self,
        holder: SessionId,
        subject: &Subject,
        now: Millis,
    ) -> impl Iterator<Item = (RowId, &LinkRow)> {
        let key = self.sessions.find(&holder).zip(self.on(subject));
        let all = key.into_iter().flat_map(move |(to, on)| {
            let from = self.held.from(move |it| self.links.get(it).held_as() < (to, Some(on)));
            let rows = from.map(|it| (it, self.links.get(it)));
            rows.take_while(move |(_, link)| link.held_as() == (to, Some(on)))
        });
        all.filter(move |(_, link)| link.is_live(now) && self.shows(link.hidden))
    }

    pub(super) fn seen(&self, session: SessionId) -> Option<(RowId, &SessionRow)> {
        let place = self.sessions.find(&session)?;
        let row = self.sessions.get(place);
        self.shows(row.hidden).then_some((place, row))
    }

    fn birth_of(&self, row: &SessionRow) -> Birth {
        Birth {
            parent: row.parent.map(|it| self.sessions.get(it).id),
            at: row.at,
            seen: row.seen,
            ended: Some(row.ended).filter(|_| !row.lives()),
        }
    }

    /// Where a session comes from, also once it is wiped.
    pub fn birth(&self, session: SessionId) -> Option<Birth> {
        self.seen(session).map(|(_, row)| self.birth_of(row))
    }

    /// The root and every session that was spawned and is not forgotten, ordered by id.
    pub fn births(&self) -> impl Iterator<Item = (SessionId, Birth)> {
        let seen = self.sessions.iter().filter(|(_, row)| self.shows(row.hidden));
        seen.map(|(_, row)| (row.id, self.birth_of(row)))
    }

    /// The living sessions whose actor is still owed: after a crash the spawn is finished for
    /// these.
    pub fn unborn(&self) -> impl Iterator<Item = SessionId> {
        self.births()
            .filter(|(_, birth)| birth.seen == SpawnProgress::NotYet && birth.ended.is_none())
            .map(|(session, _)| session)
    }

    /// Whether a session is a living agent: it has an actor, or is to have one.
    pub fn is_agent(&self, session: SessionId) -> bool {
        self.seen(session).is_some_and(|(place, row)| self.acts(place, row))
    }

    fn acts(&self, place: RowId, row: &SessionRow) -> bool {
        let agent = row.seen == SpawnProgress::Born || self.charters.contains_key(&place);
        row.lives() && row.parent.is_some() && agent
    }

    /// The living agents, ordered by id.
    pub fn agents(&self) -> impl Iterator<Item = SessionId> {
        let seen = self.sessions.iter().filter(|(_, row)| self.shows(row.hidden));
        seen.filter(|(place, row)| self.acts(*place, row)).map(|(_, row)| row.id)
    }

    fn spawned_by(&self, parent: RowId) -> impl Iterator<Item = (RowId, &SessionRow)> {
        let from = self.under.from(move |it| self.sessions.get(it).parent < Some(parent));
        let rows = from.map(|it| (it, self.sessions.get(it)));
        let own = rows.take_while(move |(_, row)| row.parent == Some(parent));
        own.filter(|(_, row)| self.shows(row.hidden))
    }

    /// The living agents that a session has spawned itself, in no order.
    pub fn children(&self, of: SessionId) -> impl Iterator<Item = SessionId> {
        let spawned = self.sessions.find(&of).into_iter().flat_map(|it| self.spawned_by(it));
        spawned.filter(|(place, row)| self.acts(*place, row)).map(|(_, row)| row.id)
    }

    /// The living agents under a session, without itself, each behind the one it is under. It looks at
    /// those alone, however many others there are.
    pub fn agents_under(&self, session: SessionId) -> impl Iterator<Item = SessionId> {
        let mut above: Vec<RowId> = self.sessions.find(&session).into_iter().collect();
        let mut found = std::collections::VecDeque::new();
        std::iter::from_fn(move || {
            while found.is_empty() {
                for (place, row) in self.spawned_by(above.pop()?) {
                    above.push(place);
                    if self.acts(place, row) {
                        found.push_back(row.id);
                    }
                }
            }
            found.pop_front()
        })
    }

    /// The living agents under a session, and itself, that their parents call so.
    pub fn agents_called(&self, by: SessionId, alias: &str) -> impl Iterator<Item = SessionId> {
        let text = self.texts.find(&composed(alias));
        let rows = text.into_iter().flat_map(move |text| {
            let from = self.spelled.from(move |it| self.names.get(it).text < text);
            from.map(|it| self.names.get(it)).take_while(move |row| row.text == text)
        });
        let sessions = rows.filter(|row| !row.is_space && self.shows(row.hidden));
        sessions.filter_map(move |name| {
            let row = self.sessions.get(name.of);
            let own = row.parent == Some(name.holder) && self.shows(row.hidden);
            let agent = own && self.acts(name.of, row);
            (agent && self.is_self_or_ancestor(by, row.id)).then_some(row.id)
        })
    }

    /// What the actor of a living agent is to be begun with, until it is.
    pub fn charter(&self, session: SessionId) -> Option<&AgentSpec> {
        let (place, _) = self.seen(session)?;
        self.charters.get(&place).map(|it| &*it.charter)
    }

    /// The agents whose actor is still to be begun, and with what, ordered by id.
    pub fn chartered(&self) -> impl Iterator<Item = (SessionId, Arc<AgentSpec>, Budget)> {
        let with_row = self.charters.iter().map(|(it, owed)| (self.sessions.get(*it), owed));
        let seen = with_row.filter(|(row, _)| self.shows(row.hidden));
        let told = |(row, it): (&SessionRow, &super::Owed)| (row.id, it.charter.clone(), it.budget);
        let mut owed: Vec<_> = seen.map(told).collect();
        owed.sort_unstable_by_key(|(session, ..)| *session);
        owed.into_iter()
    }

    /// Whether `by` may stop, wake, look into and end a session: it itself and those above it.
    pub fn governs(&self, by: SessionId, session: SessionId) -> bool {
        self.seen(session).is_some() && self.is_self_or_ancestor(by, session)
    }

    /// The parent of a session, its parent, and so on to the root.
    pub fn ancestors(&self, session: SessionId) -> impl Iterator<Item = SessionId> {
        let parent = |row: &SessionRow| row.parent.map(|it| self.sessions.get(it));
        let first = self.sessions.find(&session).and_then(|it| parent(self.sessions.get(it)));
        std::iter::successors(first, move |row| parent(row)).map(|row| row.id)
    }

    pub(super) fn is_self_or_ancestor(&self, by: SessionId, session: SessionId) -> bool {
        by == session || self.ancestors(session).any(|ancestor| ancestor == by)
    }

    /// When the next link expires: the time to send [`super::Message::Expire`]. A host asks for it
    /// besides the rows of what is due: the rights are in memory anyway.
    pub fn next_expiry(&self) -> Option<Millis> {
        self.expiring.first().map(|&(at, _)| at)
    }

    /// Whether it is to end: it may do nothing more that others would have to undo.
    pub fn is_doomed(&self, session: SessionId) -> bool {
        self.seen(session).is_some_and(|(place, _)| self.doomed.contains_key(&place))
    }

    /// Who may be obeyed and given something: who lives, and is not to end.
    pub(super) fn acting(&self, session: SessionId) -> Result<&SessionRow, Refusal> {
        if self.is_doomed(session) && !planted("rights.the_doomed_go_on") {
            return Err(Refusal::NoSuchSession(session));
        }
        self.living(session)
    }

    pub(super) fn living(&self, session: SessionId) -> Result<&SessionRow, Refusal> {
        let row = self.seen(session).map(|(_, row)| row).filter(|row| row.lives());
        row.ok_or(Refusal::NoSuchSession(session))
    }
}
