//! The naive model: the log of rights read from its first entry, everything kept, and the rule as it
//! is said.

use std::collections::BTreeMap;
use stoa::caller::Change;
use stoa::runtime::Runtime;
use stoa_actors::behaviour::Behaviour;
use stoa_actors::id::{LinkId, Millis, Position, ROOT, SessionId, SpaceId};
use stoa_actors::incarnation;
use stoa_actors::rights::{Event, Level, Link, Rights, Subject};

/// What became of a right, as somebody is told of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    at: Position,
    kind: String,
    space: SpaceId,
    by: SessionId,
    from: SessionId,
    to: Option<SessionId>,
    level: Option<Level>,
    reason: String,
}

impl Seen {
    pub(crate) fn of(change: &Change) -> Seen {
        let right = change.right.as_ref().unwrap();
        Seen {
            at: change.position,
            kind: change.kind.clone(),
            space: change.space,
            by: change.by,
            from: right.from,
            to: right.to,
            level: right.level,
            reason: change.comment.clone(),
        }
    }
}

#[derive(Default)]
pub(crate) struct Model {
    /// All that were ever given, with when and whether they still are.
    links: BTreeMap<LinkId, (Link, Millis, bool)>,
    /// Those of one entry together.
    facts: Vec<Vec<Seen>>,
}

fn space(link: &Link) -> Option<SpaceId> {
    match link.right.subject {
        Subject::Space(space) => Some(space),
        _ => None,
    }
}

impl Model {
    pub(crate) fn of(runtime: &Runtime) -> Model {
        let mut model = Model::default();
        tokio::task::block_in_place(|| {
            for at in 1..=runtime.durable().0 {
                let entry = runtime.store().entry(Position(at)).unwrap().unwrap();
                if entry.body.kind == Rights::KIND {
                    let events = incarnation::events::<Rights>(&entry.body).unwrap();
                    let mut facts = Vec::new();
                    for event in &events {
                        model.take(Position(at), entry.body.at, event, &mut facts);
                    }
                    model.facts.push(facts);
                }
            }
        });
        model
    }

    fn take(&mut self, at: Position, now: Millis, event: &Event, facts: &mut Vec<Seen>) {
        let mut fact = |kind: &str, by: SessionId, link: &Link, reason: &str| {
            let Some(space) = space(link) else { return };
            let (from, to, level) = (link.from, Some(link.to), link.right.use_);
            let (kind, reason) = (kind.to_owned(), reason.to_owned());
            facts.push(Seen { at, kind, space, by, from, to, level, reason });
        };
        match event {
            Event::Installed { link } | Event::SpaceCreated { link, .. } => {
                self.links.insert(link.id, (link.clone(), now, true));
            }
            Event::Shared { link, .. } => {
                fact("right.granted", link.from, link, &link.reason);
                self.links.insert(link.id, (link.clone(), now, true));
            }
            Event::Spawned { links, .. } => {
                for link in links {
                    fact("right.granted", link.from, link, &link.reason);
                    self.links.insert(link.id, (link.clone(), now, true));
                }
            }
            Event::SpawnRefused { parent, asked, reason, .. } => {
                if let Subject::Space(space) = asked.subject {
                    let (kind, reason) = ("right.refused".to_owned(), reason.clone());
                    let (by, from, to, level) = (*parent, *parent, None, asked.use_);
                    facts.push(Seen { at, kind, space, by, from, to, level, reason });
                }
            }
            Event::Revoked { links, by, reason, .. } => {
                for id in links {
                    let known = self.links.get_mut(id).unwrap();
                    known.2 = false;
                    fact("right.revoked", *by, &known.0, reason);
                }
            }
            Event::Ended { .. } | Event::Expired { .. } => panic!("nobody has done that"),
            _ => {}
        }
    }

    pub(crate) fn level(&self, session: SessionId, on: SpaceId) -> Option<Level> {
        let held = self
            .links
            .values()
            .filter(|(link, _, lives)| *lives && link.to == session && space(link) == Some(on));
        held.filter_map(|(link, ..)| link.right.use_).max()
    }

    fn oversees(&self, session: SessionId, on: SpaceId) -> bool {
        session == ROOT || self.level(session, on) == Some(Level::Grant)
    }

    /// What a session is told of a space, or of all.
    pub(crate) fn told(&self, session: SessionId, on: Option<SpaceId>) -> Vec<Seen> {
        let sees = |it: &Seen| {
            let concerned = it.by == session || it.from == session || it.to == Some(session);
            concerned || self.oversees(session, it.space)
        };
        let mut told = Vec::new();
        for facts in &self.facts {
            let whole = facts.iter().all(sees);
            for fact in facts.iter().filter(|it| sees(it) && on.is_none_or(|on| on == it.space)) {
                let mut fact = fact.clone();
                if !whole && fact.kind != "right.granted" {
                    fact.reason = String::new();
                }
                told.push(fact);
            }
        }
        told
    }

    /// The links that a session may know of.
    pub(crate) fn links(
        &self,
        session: SessionId,
        on: Option<SpaceId>,
        of: Option<SessionId>,
    ) -> Vec<LinkId> {
        let sees = |link: &Link| {
            let concerned = link.from == session || link.to == session;
            concerned || session == ROOT || space(link).is_some_and(|it| self.oversees(session, it))
        };
        let wanted = |link: &Link| {
            of.is_none_or(|of| link.to == of) && on.is_none_or(|on| space(link) == Some(on))
        };
        let lives = self.links.values().filter(|(_, _, lives)| *lives);
        lives.filter(|(it, ..)| sees(it) && wanted(it)).map(|(it, ..)| it.id).collect()
    }

    pub(crate) fn since(&self, link: LinkId) -> Millis {
        self.links[&link].1
    }
}
