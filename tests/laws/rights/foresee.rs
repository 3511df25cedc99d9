//! What the model foresees of each message, before the actor is asked.

use super::model::{Fact, Grant, Verdict};
use super::schedule::{Asked, Op};
use super::{ALIASES, Host, Trial, charter};
use std::collections::BTreeMap;
use stoa_actors::id::{LinkId, ROOT, SessionId, SpaceId};
use stoa_actors::rights::{
    AgentSpawn, DM, Level, Lifetime, Message, Named, Right, RightRequest, Subject,
};
use stoa_actors::session::Budget;
use stoa_actors::space::Declarations;

/// What the model foresees of a message, and what it then holds for true.
pub(super) struct Foreseen {
    pub(super) verdict: Verdict,
    pub(super) facts: Vec<Fact>,
    pub(super) names: Vec<((SessionId, String), Option<SpaceId>)>,
    pub(super) message: Message,
    pub(super) by: SessionId,
}

impl<H: Host> Trial<H> {
    pub(super) fn foresee(&mut self, op: &Op) -> Foreseen {
        let reason = "because".to_owned();
        match op {
            Op::Install { by, name } => self.foresee_install(*by, *name),
            Op::Create { by, alias } => self.foresee_create(*by, *alias),
            Op::Spawn { by, alias, asks, lifetime } => {
                self.foresee_spawn(*by, *alias, asks, *lifetime)
            }
            Op::SpawnAgent { by, alias, asks, own } => self.foresee_agent(*by, *alias, asks, *own),
            Op::Again => self.foresee_again(),
            Op::Share { by, to, asked } => self.foresee_share(*by, *to, asked),
            Op::Revoke { by, holder, subject, held } => {
                let (by, holder) = (self.who(*by), self.who(*holder));
                let subject = self.subject(*subject, held.then_some(holder));
                let links: Vec<LinkId> = self
                    .model
                    .grants()
                    .filter(|grant| grant.to == holder && grant.right.subject == subject)
                    .filter(|grant| self.model.may_revoke(by, grant.id, self.now))
                    .map(|grant| grant.id)
                    .collect();
                revoked(by, links, Message::Revoke { holder, subject, reason })
            }
            Op::RevokeLink { by, link } => {
                let by = self.who(*by);
                let all: Vec<LinkId> = self.model.grants().map(|grant| grant.id).collect();
                let link = all.get(*link as usize % all.len().max(1)).copied().unwrap_or_default();
                let mine = !all.is_empty() && self.model.may_revoke(by, link, self.now);
                let links = if mine { vec![link] } else { vec![] };
                revoked(by, links, Message::RevokeLink { link, reason })
            }
            Op::Name { .. } | Op::Unname { .. } => self.foresee_name(op),
            Op::End { by, session } => {
                let (by, session) = (self.who(*by), self.who(*session));
                let may = by == session || self.model.descends(session, by);
                let ends = session != ROOT && self.model.alive(session) && may;
                let verdict = if ends && self.model.alive(by) {
                    self.model.names.retain(|(holder, _), _| *holder != session);
                    Verdict::Accepted
                } else {
                    Verdict::Refused
                };
                let message = Message::End { session, reason };
                Foreseen { verdict, facts: vec![Fact::Ended(session)], names: vec![], message, by }
            }
            Op::Expire => plain(ROOT, Verdict::Accepted, Message::Expire),
            Op::Confirm { session } => {
                let session = self.who(*session);
                let alive =
                    if self.model.alive(session) { Verdict::Accepted } else { Verdict::Refused };
                let facts = vec![Fact::Confirmed(session)];
                Foreseen { facts, ..plain(ROOT, alive, Message::ConfirmBirth { session }) }
            }
            Op::Wait { .. } | Op::Restart => unreachable!("not a message"),
        }
    }

    fn foresee_install(&mut self, by: u8, name: u8) -> Foreseen {
        let (by, link) = (self.who(by), LinkId(self.id()));
        let subject = Subject::Tool(format!("t{name}"));
        let verdict = if by == ROOT { Verdict::Accepted } else { Verdict::Refused };
        let fact = origin(link, ROOT, &subject);
        let message = Message::Install { link, subject, reason: String::new() };
        Foreseen { facts: vec![fact], ..plain(by, verdict, message) }
    }

    fn foresee_create(&mut self, by: u8, alias: Option<u8>) -> Foreseen {
        let (by, link, space) = (self.who(by), LinkId(self.id()), SpaceId(self.id()));
        let alias = alias.map(|n| ALIASES[n as usize].to_owned());
        let taken = alias.as_ref().is_some_and(|a| self.model.names.contains_key(&(by, a.clone())));
        let verdict = if taken { Verdict::Refused } else { Verdict::Accepted };
        if !taken && self.model.alive(by) {
            self.subjects.push(Subject::Space(space));
        }
        let names = alias.iter().map(|alias| ((by, alias.clone()), Some(space))).collect();
        let facts = vec![origin(link, by, &Subject::Space(space))];
        let message = Message::CreateSpace {
            space,
            link,
            alias,
            reason: String::new(),
            description: String::new(),
            declares: Declarations::default(),
        };
        Foreseen { verdict, facts, names, message, by }
    }

    fn foresee_spawn(
        &mut self,
        by: u8,
        alias: Option<u8>,
        asks: &[Asked],
        lifetime: Lifetime,
    ) -> Foreseen {
        let (by, child) = (self.who(by), SessionId(self.id()));
        // Numbered, so that parents seldom run out of names; one is inherited by who comes next.
        let alias = alias.map(|n| match n {
            0 => "heir".to_owned(),
            n => format!("child-{n}-{}", self.ids / 8),
        });
        let asks: Vec<RightRequest> = asks.iter().map(|asked| self.ask(by, asked)).collect();
        let mut facts = vec![Fact::Born { child, parent: by, lifetime }];
        let mut names: BTreeMap<(SessionId, String), Option<SpaceId>> = BTreeMap::new();
        let mut verdict = Verdict::Accepted;
        let dead = |key: &(SessionId, String)| {
            self.model.called.get(key).is_some_and(|it| !self.model.alive(*it))
        };
        let key = alias.clone().map(|alias| (by, alias));
        let taken = key.is_some_and(|it| self.model.names.contains_key(&it) && !dead(&it));
        if taken || asks.iter().any(malformed) || !agree(&asks) {
            verdict = Verdict::Refused;
        }
        names.extend(alias.clone().map(|alias| ((by, alias), None)));
        for ask in &asks {
            if verdict != Verdict::Accepted {
                break;
            }
            let expires = ask.expires.map(|at| at.0);
            match self.model.derive(by, self.now, &ask.right, expires, false) {
                Ok(basis) => facts.push(granted(by, child, ask, basis)),
                Err(refused) => verdict = refused,
            }
            if let (Some(alias), Subject::Space(space)) = (&ask.alias, &ask.right.subject) {
                names.insert((child, alias.clone()), Some(*space));
            }
        }
        // What ends with its action brings up nobody, and nobody has a name for it.
        if self.model.passing(by) || (lifetime == Lifetime::OneAction && alias.is_some()) {
            verdict = Verdict::Refused;
        }
        let message = Message::Spawn { child, alias, asks, reason: String::new(), lifetime };
        Foreseen { verdict, facts, names: names.into_iter().collect(), message, by }
    }

    /// As a spawn, and with it a space of the asker's that the child may write.
    fn foresee_agent(&mut self, by: u8, alias: Option<u8>, asks: &[Asked], own: bool) -> Foreseen {
        let foreseen = self.foresee_spawn(by, alias, asks, Lifetime::Lasting);
        let Foreseen { mut verdict, mut facts, mut names, message, by } = foreseen;
        let Message::Spawn { child, alias, asks, reason, .. } = message else {
            unreachable!("a spawn is foreseen as one")
        };
        let dm = SpaceId(self.id());
        let [mine, theirs] = [LinkId(self.id()), LinkId(self.id())];
        let parent = if own { by } else { SessionId([254; 16]) };
        if !own {
            verdict = Verdict::Refused;
        }
        if verdict == Verdict::Accepted && self.model.alive(by) {
            self.subjects.push(Subject::Space(dm));
        }
        facts.insert(0, origin(mine, by, &Subject::Space(dm)));
        let right = Right::to_use(Subject::Space(dm), Level::Write);
        let (from, to, basis, expires) = (by, child, Some(mine), None);
        facts.push(Fact::Granted(Grant { id: theirs, from, to, right, basis, expires }));
        facts.push(Fact::Chartered(child));
        names.push(((child, DM.to_owned()), Some(dm)));
        let dm_links = [mine, theirs];
        let charter = std::sync::Arc::new(charter(parent, child, dm));
        let budget = Budget::default();
        let message = Message::SpawnAgent(Box::new(AgentSpawn {
            child,
            alias,
            asks,
            dm_links,
            charter,
            budget,
            reason,
        }));
        Foreseen { verdict, facts, names, message, by }
    }

    /// A child that is there, dead or alive, is answered again, and nothing comes of it; one that
    /// is not is refused as before, or was never asked for.
    fn foresee_again(&mut self) -> Foreseen {
        let last = self.last_spawn.clone();
        let Some((by, message @ (Message::Spawn { .. } | Message::SpawnAgent { .. }))) = last
        else {
            return plain(ROOT, Verdict::Accepted, Message::Expire);
        };
        plain(by, Verdict::Accepted, message)
    }

    fn foresee_share(&mut self, by: u8, to: u8, asked: &Asked) -> Foreseen {
        let (by, to) = (self.who(by), self.who(to));
        let ask = self.ask(by, asked);
        let expires = ask.expires.map(|at| at.0);
        let basis = self.model.derive(by, self.now, &ask.right, expires, true);
        let well = !malformed(&ask) && self.model.alive(to);
        let facts = basis.iter().map(|basis| granted(by, to, &ask, *basis)).collect();
        let verdict = if well && basis.is_ok() { Verdict::Accepted } else { Verdict::Refused };
        let mut names = Vec::new();
        if let (Some(alias), Subject::Space(space)) = (&ask.alias, &ask.right.subject)
            && let Some(alias) = self.model.alias_for(to, alias, *space)
        {
            names.push(((to, alias), Some(*space)));
        }
        let RightRequest { link, alias, right, expires } = ask;
        let message =
            Message::Share { link, to, alias, right, expires, reason: String::new(), note: None };
        Foreseen { verdict, facts, names, message, by }
    }

    fn foresee_name(&mut self, op: &Op) -> Foreseen {
        match op {
            Op::Name { by, alias, space } => {
                let (by, alias) = (self.who(*by), ALIASES[*alias as usize].to_owned());
                let subject = self.subject(*space, None);
                let Subject::Space(space) = subject else {
                    return plain(by, Verdict::Accepted, Message::Expire);
                };
                let held = self.model.held(self.now);
                let reads = held.get(&(by, subject)).is_some_and(|(use_, _)| use_.is_some());
                let before = self.model.names.get(&(by, alias.clone()));
                let free = before.is_none_or(|named| *named == Some(space));
                let verdict = if reads && free { Verdict::Accepted } else { Verdict::Refused };
                let names = vec![((by, alias.clone()), Some(space))];
                let message = Message::Name { alias, named: Named::Space(space) };
                Foreseen { names, ..plain(by, verdict, message) }
            }
            Op::Unname { by, alias } => {
                let (by, alias) = (self.who(*by), ALIASES[*alias as usize].to_owned());
                let there = self.model.names.remove(&(by, alias.clone())).is_some();
                let verdict = if there { Verdict::Accepted } else { Verdict::Refused };
                plain(by, verdict, Message::Unname { alias })
            }
            _ => unreachable!("not about names"),
        }
    }
}

fn plain(by: SessionId, verdict: Verdict, message: Message) -> Foreseen {
    Foreseen { verdict, facts: vec![], names: vec![], message, by }
}

fn revoked(by: SessionId, links: Vec<LinkId>, message: Message) -> Foreseen {
    let verdict = if links.is_empty() { Verdict::Refused } else { Verdict::Accepted };
    let facts = links.into_iter().map(Fact::Revoked).collect();
    Foreseen { facts, ..plain(by, verdict, message) }
}

fn origin(id: LinkId, to: SessionId, subject: &Subject) -> Fact {
    let right = Right::whole(subject.clone());
    Fact::Granted(Grant { id, from: ROOT, to, right, basis: None, expires: None })
}

fn granted(from: SessionId, to: SessionId, ask: &RightRequest, basis: LinkId) -> Fact {
    let expires = ask.expires.map(|at| at.0);
    let right = ask.right.clone();
    Fact::Granted(Grant { id: ask.link, from, to, right, basis: Some(basis), expires })
}

/// A right must be one, and fit what it is about.
fn malformed(ask: &RightRequest) -> bool {
    let Right { subject, use_, delegate } = &ask.right;
    let space = matches!(subject, Subject::Space(_));
    let too_high = [use_, delegate].into_iter().flatten().any(|level| level.to_string() != "read");
    (use_.is_none() && delegate.is_none()) || (!space && (too_high || ask.alias.is_some()))
}

/// No alias stands for two spaces.
fn agree(asks: &[RightRequest]) -> bool {
    asks.iter().all(|a| {
        asks.iter()
            .all(|b| a.alias.is_none() || a.alias != b.alias || a.right.subject == b.right.subject)
    })
}
