//! Rights as a list of what was accepted and nothing else. Every question walks the whole list:
//! no index, no cascade, no stored minimum. It shares types with the code under test, no logic.

use std::collections::{BTreeMap, BTreeSet};
use stoa_actors::id::{LinkId, ROOT, SessionId, SpaceId};
use stoa_actors::rights::{Level, Lifetime, Right, Subject};

/// One thing that was accepted.
#[derive(Clone, Debug)]
pub(crate) enum Fact {
    Granted(Grant),
    /// By itself; what rested on it is not listed.
    Revoked(LinkId),
    Born {
        child: SessionId,
        parent: SessionId,
        lifetime: Lifetime,
    },
    /// It is an agent.
    Chartered(SessionId),
    /// Its actor exists.
    Confirmed(SessionId),
    Ended(SessionId),
}

#[derive(Clone, Debug)]
pub(crate) struct Grant {
    pub(crate) id: LinkId,
    pub(crate) from: SessionId,
    pub(crate) to: SessionId,
    pub(crate) right: Right,
    pub(crate) basis: Option<LinkId>,
    /// As asked for, not as inherited.
    pub(crate) expires: Option<u64>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Verdict {
    Accepted,
    /// Refused, and recorded.
    Denied,
    Refused,
}

#[derive(Clone, Default)]
pub(crate) struct Model {
    pub(crate) facts: Vec<Fact>,
    /// Holder and alias; the space, or nothing for a session.
    pub(crate) names: BTreeMap<(SessionId, String), Option<SpaceId>>,
    /// Which session such a name was given to last.
    pub(crate) called: BTreeMap<(SessionId, String), SessionId>,
}

/// What one session holds on one subject: use, delegate.
pub(crate) type Held = BTreeMap<(SessionId, Subject), (Option<Level>, Option<Level>)>;

impl Model {
    /// The model as it was after the first `facts` of them.
    pub(crate) fn first(&self, facts: usize) -> Model {
        Model { facts: self.facts[..facts].to_vec(), ..Model::default() }
    }

    pub(crate) fn grants(&self) -> impl Iterator<Item = &Grant> {
        self.facts.iter().filter_map(|fact| match fact {
            Fact::Granted(grant) => Some(grant),
            _ => None,
        })
    }

    fn grant(&self, id: LinkId) -> &Grant {
        self.grants().find(|grant| grant.id == id).expect("a basis was granted")
    }

    /// Who brought it up; nobody any more once one that was there for one action has ended.
    pub(crate) fn parent(&self, session: SessionId) -> Option<SessionId> {
        let (parent, lifetime) = self.birth(session)?;
        let ended = self.is(|it| matches!(it, Fact::Ended(s) if *s == session));
        (lifetime == Lifetime::Lasting || !ended).then_some(parent)
    }

    fn birth(&self, session: SessionId) -> Option<(SessionId, Lifetime)> {
        self.facts.iter().find_map(|fact| match fact {
            Fact::Born { child, parent, lifetime } if *child == session => {
                Some((*parent, *lifetime))
            }
            _ => None,
        })
    }

    /// It lives, and ends with its action.
    pub(crate) fn passing(&self, session: SessionId) -> bool {
        let lifetime = self.birth(session).map(|(_, lifetime)| lifetime);
        lifetime == Some(Lifetime::OneAction) && self.alive(session)
    }

    pub(crate) fn alive(&self, session: SessionId) -> bool {
        (session == ROOT || self.parent(session).is_some())
            && !self.facts.iter().any(|fact| matches!(fact, Fact::Ended(s) if *s == session))
    }

    fn is(&self, fact: impl Fn(&Fact) -> bool) -> bool {
        self.facts.iter().any(fact)
    }

    /// Its actor is still to be begun.
    pub(crate) fn owed(&self, session: SessionId) -> bool {
        self.alive(session)
            && self.is(|it| matches!(it, Fact::Chartered(s) if *s == session))
            && !self.is(|it| matches!(it, Fact::Confirmed(s) if *s == session))
    }

    /// It has an actor, or is to have one.
    pub(crate) fn acts(&self, session: SessionId) -> bool {
        let confirmed = self.is(|it| matches!(it, Fact::Confirmed(s) if *s == session));
        session != ROOT && self.alive(session) && (confirmed || self.owed(session))
    }

    pub(crate) fn descends(&self, session: SessionId, from: SessionId) -> bool {
        self.parent(session).is_some_and(|parent| parent == from || self.descends(parent, from))
    }

    /// The live links. A basis is granted before what rests on it, so one walk is enough.
    pub(crate) fn live(&self, now: u64) -> BTreeSet<LinkId> {
        let mut revoked = BTreeSet::new();
        let mut ended = BTreeSet::new();
        for fact in &self.facts {
            match fact {
                Fact::Revoked(link) => drop(revoked.insert(*link)),
                Fact::Ended(session) => drop(ended.insert(*session)),
                Fact::Granted(_) | Fact::Born { .. } | Fact::Chartered(_) | Fact::Confirmed(_) => {}
            }
        }
        let mut live = BTreeSet::new();
        for grant in self.grants() {
            let stands = !revoked.contains(&grant.id)
                && !ended.contains(&grant.to)
                && grant.expires.is_none_or(|at| now < at)
                && grant.basis.is_none_or(|basis| live.contains(&basis));
            if stands {
                live.insert(grant.id);
            }
        }
        live
    }

    pub(crate) fn held(&self, now: u64) -> Held {
        let live = self.live(now);
        let mut held = Held::new();
        for grant in self.grants().filter(|grant| live.contains(&grant.id)) {
            let entry = held.entry((grant.to, grant.right.subject.clone())).or_default();
            entry.0 = entry.0.max(grant.right.use_);
            entry.1 = entry.1.max(grant.right.delegate);
        }
        held
    }

    /// The link and all it rests on.
    pub(crate) fn chain(&self, link: LinkId) -> Vec<LinkId> {
        let mut chain = vec![link];
        while let Some(basis) = self.grant(chain[chain.len() - 1]).basis {
            chain.push(basis);
        }
        chain
    }

    /// When the link dies by itself: the earliest expiry asked for along its chain.
    pub(crate) fn dies(&self, link: LinkId) -> Option<u64> {
        self.chain(link).into_iter().filter_map(|link| self.grant(link).expires).min()
    }

    /// What a right handed on by `by` rests on, or how it is refused.
    pub(crate) fn derive(
        &self,
        by: SessionId,
        now: u64,
        right: &Right,
        expires: Option<u64>,
        sharing: bool,
    ) -> Result<LinkId, Verdict> {
        let denied = if sharing { Verdict::Refused } else { Verdict::Denied };
        let live = self.live(now);
        let space = matches!(right.subject, Subject::Space(_));
        let mut covering: Vec<&Grant> = self
            .grants()
            .filter(|held| live.contains(&held.id) && held.to == by)
            .filter(|held| held.right.subject == right.subject)
            .filter(|held| {
                let may_pass = held.right.delegate;
                if sharing && space {
                    held.right.use_ == Some(Level::Grant) && right.delegate <= may_pass
                } else {
                    right.use_ <= may_pass && right.delegate <= may_pass
                }
            })
            .collect();
        // The one that lives longest, then the smallest id.
        covering.sort_by_key(|held| held.id);
        covering.sort_by_key(|held| std::cmp::Reverse(self.dies(held.id).unwrap_or(u64::MAX)));
        let basis = covering.first().ok_or(denied)?;
        match (expires, self.dies(basis.id)) {
            (Some(at), _) if at <= now => Err(Verdict::Refused),
            (Some(at), Some(until)) if at > until => Err(denied),
            _ => Ok(basis.id),
        }
    }

    pub(crate) fn may_revoke(&self, by: SessionId, link: LinkId, now: u64) -> bool {
        let live = self.live(now);
        if !live.contains(&link) {
            return false;
        }
        if self.chain(link).into_iter().any(|link| self.grant(link).from == by) {
            return true;
        }
        let subject = &self.grant(link).right.subject;
        matches!(subject, Subject::Space(_))
            && self.grants().any(|own| {
                own.to == by
                    && live.contains(&own.id)
                    && own.right.subject == *subject
                    && own.right.use_ == Some(Level::Grant)
                    && !self.chain(own.id).contains(&link)
            })
    }

    /// What a shared space is called by its new holder.
    pub(crate) fn alias_for(
        &self,
        holder: SessionId,
        alias: &str,
        space: SpaceId,
    ) -> Option<String> {
        if self.names.iter().any(|((of, _), named)| *of == holder && *named == Some(space)) {
            return None;
        }
        let mut candidate = alias.to_owned();
        let mut n = 1;
        while self.names.contains_key(&(holder, candidate.clone())) {
            n += 1;
            candidate = format!("{alias}-{n}");
        }
        Some(candidate)
    }
}
