//! What became of rights on spaces, as the log of rights says it and as those read it who may know
//! of it: whoever may grant rights in the space, and those whom it concerns. To others it is as if
//! it had not happened.

use super::{Event, Fact, Level, Lifetime, Link, Right, RightChange, Rights, Subject};
use crate::id::{LinkId, Millis, ROOT, SessionId, SpaceId};
use crate::mutant::planted;

fn change(link: &Link) -> RightChange {
    let Link { from, to, right, expires, .. } = link;
    let (level, delegate) = (right.use_, right.delegate);
    RightChange { from: *from, to: Some(*to), level, delegate, until: *expires }
}

impl Event {
    /// The links that it gives.
    pub fn given(&self) -> &[Link] {
        match self {
            Event::Installed { link }
            | Event::SpaceCreated { link, .. }
            | Event::Shared { link, .. } => std::slice::from_ref(link),
            Event::Spawned { links, .. } => links,
            _ => &[],
        }
    }

    /// Whether it brings up a session for one action: what that one is given ends with the action,
    /// and neither is told of.
    pub fn is_of_one_action(&self) -> bool {
        matches!(self, Event::Spawned { lifetime: Lifetime::OneAction, .. })
            && !planted("rights.actions_are_told_of")
    }

    /// The links that it takes.
    pub fn taken(&self) -> &[LinkId] {
        match self {
            Event::Revoked { links, .. }
            | Event::Expired { links }
            | Event::Ended { links, .. } => links,
            _ => &[],
        }
    }

    /// What it says of rights on spaces, link by link. `given` finds a link as it was given; nothing
    /// for one that is not told of.
    pub fn facts<E>(
        &self,
        mut given: impl FnMut(LinkId) -> Result<Option<Link>, E>,
    ) -> Result<Vec<Fact>, E> {
        let fact = |kind, by: SessionId, link: &Link, reason: &str| match link.right.subject {
            Subject::Space(space) => {
                let (right, reason) = (change(link), reason.to_owned());
                Some(Fact { kind, space, by, right, reason })
            }
            _ => None,
        };
        // Whoever makes a space or is given something from outside has it from nobody.
        let granted = |links: &[Link]| {
            let handed = links.iter().filter(|it| it.basis.is_some());
            handed.filter_map(|it| fact("right.granted", it.from, it, &it.reason)).collect()
        };
        Ok(match self {
            _ if self.is_of_one_action() => Vec::new(),
            Event::SpawnRefused { parent, asked, reason, .. } => {
                let Right { subject: Subject::Space(space), use_, delegate } = asked else {
                    return Ok(Vec::new());
                };
                let (from, to, until) = (*parent, None, None);
                let right = RightChange { from, to, level: *use_, delegate: *delegate, until };
                let (kind, reason) = ("right.refused", reason.clone());
                vec![Fact { kind, space: *space, by: *parent, right, reason }]
            }
            Event::Revoked { by, reason, .. } | Event::Ended { by, reason, .. } => {
                let kind = match self {
                    Event::Revoked { .. } => "right.revoked",
                    _ => "right.ended",
                };
                let mut facts = Vec::new();
                for link in self.taken() {
                    facts.extend(given(*link)?.and_then(|it| fact(kind, *by, &it, reason)));
                }
                facts
            }
            Event::Expired { links } => {
                let mut facts = Vec::new();
                for link in links {
                    let link = given(*link)?;
                    facts.extend(link.and_then(|it| fact("right.expired", it.from, &it, "")));
                }
                facts
            }
            _ => granted(self.given()),
        })
    }
}

impl Rights {
    /// What an entry of the log of rights says, as far as a session may know of it. One reason for
    /// several rights speaks of each, so it is told to those who may know of all of them.
    pub fn facts_told(&self, to: SessionId, facts: Vec<Fact>, now: Millis) -> Vec<Fact> {
        let all = facts.len();
        let concerns = |it: &Fact| it.concerns(to) && !planted("rights.the_concerned_are_not_told");
        let sees = |it: &Fact| concerns(it) || self.oversees(to, it.space, now);
        let mut told: Vec<Fact> = facts.into_iter().filter(sees).collect();
        if told.len() < all && !planted("rights.a_reason_speaks_of_others") {
            let others = |it: &&mut Fact| it.kind != "right.granted";
            told.iter_mut().filter(others).for_each(|it| it.reason.clear());
        }
        told
    }

    /// The rights that there are now on a space, of one session, or of one session on a space, in the
    /// order of their ids, as far as a session may know of them. Without either they are its own.
    pub fn links_told(
        &self,
        to: SessionId,
        on: Option<SpaceId>,
        of: Option<SessionId>,
        now: Millis,
    ) -> Vec<Link> {
        let mut links = match (on, of) {
            (Some(space), None) => self.links_on(space, now),
            (_, of) => self.links_of(of.unwrap_or(to), now),
        };
        let here = |it: &Link| on.is_none_or(|on| it.right.subject == Subject::Space(on));
        let sees = |it: &Link| match it.right.subject {
            _ if it.to == to || it.from == to || to == ROOT => true,
            Subject::Space(space) => self.oversees(to, space, now),
            _ => planted("rights.anybody_knows_of_tools"),
        };
        links.retain(|it| here(it) && sees(it));
        links
    }

    /// Whether somebody may know of a right on a space that does not concern it.
    fn oversees(&self, session: SessionId, space: SpaceId, now: Millis) -> bool {
        let level = self.level(session, &Subject::Space(space), now);
        let enough = if planted("rights.writers_oversee") { Level::Write } else { Level::Grant };
        session == ROOT || level >= Some(enough)
    }

    /// Every right that a session has now; also those that rest on others.
    fn links_of(&self, holder: SessionId, now: Millis) -> Vec<Link> {
        let live = self.all_held(holder).map(|(_, row)| row).filter(|it| it.is_live(now));
        let mut links: Vec<Link> =
            live.filter(|it| self.shows(it.hidden)).map(|it| self.told(it)).collect();
        links.sort_by_key(|it| it.id);
        links
    }

    /// Every right that somebody has on a space now. It looks at every link that there is.
    fn links_on(&self, space: SpaceId, now: Millis) -> Vec<Link> {
        let Some(place) = self.spaces.find(&space) else { return Vec::new() };
        let on = (super::row::Kind::Space, place);
        let rows = self.links.iter().map(|(_, row)| row);
        let live = rows.filter(|it| it.on() == on && it.is_live(now) && self.shows(it.hidden));
        live.map(|it| self.told(it)).collect()
    }

    /// What a session is, in a word: `owner`, `agent`, `session`, or `action` for one that ends with
    /// its action.
    pub fn sort_of(&self, session: SessionId) -> Option<&'static str> {
        let (place, row) = self.seen(session)?;
        Some(match row.parent {
            None => "owner",
            _ if self.passing.contains(&place) => "action",
            _ if row.seen == super::SpawnProgress::Born || self.charters.contains_key(&place) => {
                "agent"
            }
            _ => "session",
        })
    }
}
