//! [access] Who is told of which rights, and of what became of them: those whom it concerns and those
//! who may grant there, and in the words of the reason only where they may know of all that it is
//! about. What somebody may not know of is as if it were not there.

use super::model::Held;
use super::{Host, Trial};
use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use stoa_actors::id::{LinkId, Millis, ROOT, SessionId, SpaceId};
use stoa_actors::rights::{Event, Fact, Level, Lifetime, Link, Subject};

/// Links as they were given, but for those of sessions for one action.
pub(super) type Given = BTreeMap<LinkId, Link>;

/// What is told of a fact: its kind, of which space, from whom, to whom, why.
type Told = (String, SpaceId, SessionId, Option<SessionId>, String);

/// What the model says now.
struct Naive<'a> {
    live: &'a BTreeSet<LinkId>,
    held: &'a Held,
}

impl Naive<'_> {
    /// Whether somebody may grant there.
    fn grants_on(&self, session: SessionId, subject: &Subject) -> bool {
        let use_ = self.held.get(&(session, subject.clone())).and_then(|it| it.0);
        matches!(subject, Subject::Space(_)) && use_ == Some(Level::Grant)
    }
}

impl<H: Host> Trial<H> {
    /// Of each space what somebody is told who looks at it, and of each session; of two who look at
    /// a time, in turns: it is long to look at all for all.
    pub(super) fn check_told(&self) -> Result<(), String> {
        let turn = self.model.facts.len() % self.sessions.len();
        let (live, held) = (self.model.live(self.now), self.model.held(self.now));
        let now = Naive { live: &live, held: &held };
        for to in [ROOT, self.sessions[turn]] {
            for subject in &self.subjects {
                if let Subject::Space(space) = subject {
                    self.check_links(&now, to, Some(*space), None)?;
                    self.check_links(&now, to, Some(*space), Some(self.sessions[turn / 2]))?;
                }
            }
            self.check_links(&now, to, None, None)?;
            for of in &self.sessions {
                self.check_links(&now, to, None, Some(*of))?;
            }
        }
        Ok(())
    }

    fn check_links(
        &self,
        now: &Naive<'_>,
        to: SessionId,
        on: Option<SpaceId>,
        of: Option<SessionId>,
    ) -> Result<(), String> {
        let of = if on.is_none() { of.or(Some(to)) } else { of };
        let sees = |from: SessionId, holder: SessionId, subject: &Subject| {
            [from, holder].contains(&to) || to == ROOT || now.grants_on(to, subject)
        };
        let mut expected: Vec<LinkId> = self
            .model
            .grants()
            .filter(|it| now.live.contains(&it.id))
            .filter(|it| on.is_none_or(|on| it.right.subject == Subject::Space(on)))
            .filter(|it| of.is_none_or(|of| it.to == of))
            .filter(|it| sees(it.from, it.to, &it.right.subject))
            .map(|it| it.id)
            .collect();
        expected.sort_unstable();
        let links = self.host.rights().links_told(to, on, of, Millis(self.now));
        let told: Vec<LinkId> = links.iter().map(|it| it.id).collect();
        if told != expected {
            return Err(format!(
                "access: {to} is told {told:?} on {on:?} of {of:?}, not {expected:?}"
            ));
        }
        Ok(())
    }

    /// What everybody is told of an entry that has just been recorded.
    pub(super) fn check_entry(&mut self, by: SessionId, events: &[Event]) -> Result<(), String> {
        let mut said: Vec<(Told, SessionId)> = Vec::new();
        for event in events {
            self.naive(by, event, &mut said);
        }
        let mut facts = Vec::new();
        for event in events {
            let Ok(found) = event.facts(|link| Ok::<_, Infallible>(self.given.get(&link).cloned()));
            facts.extend(found);
        }
        let (live, held) = (self.model.live(self.now), self.model.held(self.now));
        let now = Naive { live: &live, held: &held };
        for to in &self.sessions {
            let sees = |(told, by): &&(Told, SessionId)| {
                let concerned = *by == *to || told.2 == *to || told.3 == Some(*to);
                concerned || *to == ROOT || now.grants_on(*to, &Subject::Space(told.1))
            };
            let whole = said.iter().all(|it| sees(&it));
            let expected: Vec<Told> = said
                .iter()
                .filter(sees)
                .map(|((kind, space, from, holder, reason), _)| {
                    let own = whole || kind == "right.granted";
                    let reason = if own { reason.clone() } else { String::new() };
                    (kind.clone(), *space, *from, *holder, reason)
                })
                .collect();
            let told = self.host.rights().facts_told(*to, facts.clone(), Millis(self.now));
            let of =
                |it: Fact| (it.kind.to_owned(), it.space, it.right.from, it.right.to, it.reason);
            let told: Vec<Told> = told.into_iter().map(of).collect();
            if told != expected {
                return Err(format!("access: {to} is told {told:?}, not {expected:?}"));
            }
        }
        Ok(())
    }

    /// What an event says, link by link, with who did it.
    fn naive(&mut self, by: SessionId, event: &Event, said: &mut Vec<(Told, SessionId)>) {
        let mut fact = |kind: &str, by: SessionId, link: &Link, reason: &str| {
            if let Subject::Space(space) = link.right.subject {
                let told = (kind.to_owned(), space, link.from, Some(link.to), reason.to_owned());
                said.push((told, by));
            }
        };
        let (kind, links, reason) = match event {
            Event::Shared { link, .. } => {
                fact("right.granted", link.from, link, &link.reason);
                self.given.insert(link.id, link.clone());
                return;
            }
            Event::Installed { link } | Event::SpaceCreated { link, .. } => {
                self.given.insert(link.id, link.clone());
                return;
            }
            Event::Spawned { lifetime: Lifetime::OneAction, .. } => return,
            Event::Spawned { links, .. } => {
                for link in links {
                    // What it brings along is not handed on by anybody.
                    if link.basis.is_some() {
                        fact("right.granted", link.from, link, &link.reason);
                    }
                    self.given.insert(link.id, link.clone());
                }
                return;
            }
            Event::SpawnRefused { parent, asked, reason, .. } => {
                if let Subject::Space(space) = asked.subject {
                    let told = ("right.refused".to_owned(), space, *parent, None, reason.clone());
                    said.push((told, *parent));
                }
                return;
            }
            Event::Revoked { links, reason, .. } => ("right.revoked", links, reason.as_str()),
            Event::Ended { links, reason, .. } => ("right.ended", links, reason.as_str()),
            Event::Expired { links } => ("right.expired", links, ""),
            _ => return,
        };
        for id in links {
            if let Some(link) = self.given.get(id) {
                fact(kind, if kind == "right.expired" { link.from } else { by }, link, reason);
            }
        }
    }
}
