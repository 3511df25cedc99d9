//! What is compared after every step.

use super::model::Held;
use super::{ALIASES, Host, Seen, Trial};
use std::collections::BTreeSet;
use stoa_actors::id::{LinkId, Millis, ROOT, SessionId};
use stoa_actors::rights::{Named, Refusal, Rights, Subject};

impl<H: Host> Trial<H> {
    pub(super) fn check(&self) -> Result<(), String> {
        self.check_held()?;
        self.check_derivation()?;
        self.check_names()?;
        self.check_agents()?;
        self.check_told()?;
        self.check_table()
    }

    /// [narrow] [revoke] Everybody holds what the model says, now and later, and nothing else.
    fn check_held(&self) -> Result<(), String> {
        for at in [0, 13, 40].map(|ticks| self.now + ticks * self.host.tick_ms()) {
            let held = self.model.held(at);
            for session in &self.sessions {
                for subject in &self.subjects {
                    let key = (*session, subject.clone());
                    let expected = held.get(&key).copied().unwrap_or_default();
                    let got = (
                        self.host.rights().level(*session, subject, Millis(at)),
                        self.host.rights().delegable(*session, subject, Millis(at)),
                    );
                    if got != expected {
                        return Err(format!(
                            "narrow: {session} holds {got:?} on {subject} at {at}, not {expected:?}"
                        ));
                    }
                }
                self.check_holdings(*session, at, &held)?;
            }
        }
        Ok(())
    }

    fn check_holdings(&self, session: SessionId, at: u64, held: &Held) -> Result<(), String> {
        let listed = self.host.rights().holdings(session, Millis(at));
        let expected = held.iter().filter(|((who, _), _)| *who == session);
        let expected: Vec<_> =
            expected.map(|((_, what), (use_, pass))| (what.clone(), *use_, *pass)).collect();
        let listed: Vec<_> = listed.into_iter().map(|h| (h.subject, h.use_, h.delegate)).collect();
        if listed != expected {
            return Err(format!("narrow: {session} is listed {listed:?}, not {expected:?}"));
        }
        Ok(())
    }

    /// Every live right has a chain of recorded links to the root, and what is dead is dead.
    fn check_derivation(&self) -> Result<(), String> {
        let live = live(self.host.rights(), self.now);
        let expected = self.model.live(self.now);
        if live != expected {
            return Err(format!("revoke: live are {live:?}, should be {expected:?}"));
        }
        for link in live {
            let chain = self.host.rights().chain(link);
            if chain != self.model.chain(link) {
                return Err(format!("derivation: the chain of {link} is {chain:?}"));
            }
            let links: Vec<_> =
                chain.iter().filter_map(|link| self.host.rights().link(*link)).collect();
            let origin = links.last().filter(|link| link.basis.is_none() && link.from == ROOT);
            let joined = links.windows(2).all(|pair| {
                let outlived = pair[1]
                    .expires
                    .is_some_and(|until| pair[0].expires.is_none_or(|expires| expires > until));
                pair[0].from == pair[1].to && !outlived
            });
            if origin.is_none() || !joined || links.len() != chain.len() {
                return Err(format!("derivation: {link} does not come from the root: {links:?}"));
            }
        }
        Ok(())
    }

    /// Names open what their holder may read; all others, forbidden or not, sound alike.
    fn check_names(&self) -> Result<(), String> {
        let held = self.model.held(self.now);
        for session in &self.sessions {
            for alias in ALIASES.into_iter().chain(["findings-2", "notes-2", "dm", "nothing"]) {
                let named = self.model.names.get(&(*session, alias.to_owned()));
                let space = named.copied().flatten().filter(|space| {
                    held.get(&(*session, Subject::Space(*space))).is_some_and(|h| h.0.is_some())
                });
                let expected = space.ok_or(Refusal::UnknownName(alias.to_owned()));
                let got = self.host.rights().resolve(*session, alias, Millis(self.now));
                if got != expected {
                    return Err(format!(
                        "names: {session} finds {got:?} at {alias}, not {expected:?}"
                    ));
                }
            }
            let count = self.model.names.keys().filter(|(holder, _)| holder == session).count();
            if self.host.rights().names(*session).count() != count {
                return Err(format!("names: {session} does not have {count} names"));
            }
        }
        Ok(())
    }

    /// Who has an actor or is to have one, what is still to be begun and with what, and who stands
    /// above whom.
    fn check_agents(&self) -> Result<(), String> {
        let rights = self.host.rights();
        let naive = |of: &dyn Fn(SessionId) -> bool| -> BTreeSet<SessionId> {
            self.sessions.iter().copied().filter(|it| of(*it)).collect()
        };
        let agents: BTreeSet<SessionId> = rights.agents().collect();
        let expected = naive(&|it| self.model.acts(it));
        if agents != expected {
            return Err(format!("agents: these are {agents:?}, should be {expected:?}"));
        }
        let owed: BTreeSet<SessionId> = rights.chartered().map(|(it, ..)| it).collect();
        let expected = naive(&|it| self.model.owed(it));
        if owed != expected {
            return Err(format!("agents: owed are {owed:?}, should be {expected:?}"));
        }
        for (child, charter, _) in rights.chartered() {
            let parent = self.model.parent(child);
            let same = Some(charter.parent) == parent && charter.task == format!("be {child}");
            if !same {
                return Err(format!("agents: {child} is to be begun with {charter:?}"));
            }
        }
        for by in &self.sessions {
            for it in &self.sessions {
                let itself = by == it && (*by == ROOT || self.model.parent(*by).is_some());
                let naive = itself || self.model.descends(*it, *by);
                if rights.governs(*by, *it) != naive {
                    return Err(format!("agents: {by} governs {it}: not {naive}"));
                }
            }
        }
        // Of one at a time, in turns: it is long to look at all for all.
        let turn = self.model.facts.len() % self.sessions.len();
        [ROOT, self.sessions[turn]].into_iter().try_for_each(|by| self.check_who_is_under(by))
    }

    /// What is looked up in an order is what a look at all would find.
    fn check_who_is_under(&self, by: SessionId) -> Result<(), String> {
        let rights = self.host.rights();
        let naive = |of: &dyn Fn(SessionId) -> bool| -> Vec<SessionId> {
            let acts = self.sessions.iter().copied().filter(|it| self.model.acts(*it));
            acts.filter(|it| of(*it)).collect::<BTreeSet<_>>().into_iter().collect()
        };
        let same = |what: &str, found: &mut dyn Iterator<Item = SessionId>, expected| {
            let mut found: Vec<SessionId> = found.collect();
            found.sort_unstable();
            match found == expected {
                true => Ok(()),
                false => Err(format!("agents: {what} {by} are {found:?}, should be {expected:?}")),
            }
        };
        let under = |it| it != by && self.model.descends(it, by);
        same("under", &mut rights.agents_under(by), naive(&under))?;
        let own = |it| self.model.parent(it) == Some(by);
        same("children of", &mut rights.children(by), naive(&own))?;
        for alias in ALIASES {
            let called = |it| {
                let parent = self.model.parent(it);
                let name = parent.map(|parent| (parent, alias.to_owned()));
                name.and_then(|name| self.model.called.get(&name)) == Some(&it)
                    && (it == by || self.model.descends(it, by))
            };
            same(alias, &mut rights.agents_called(by, alias), naive(&called))?;
        }
        let names: Vec<(&str, Named)> = rights.names(by).collect();
        for (_, named) in &names {
            let first = names.iter().find(|(_, other)| other == named).map(|it| it.0);
            let found = rights.alias_of(by, *named);
            if found != first {
                return Err(format!("names: {by} calls {named:?} {found:?}, not {first:?}"));
            }
        }
        Ok(())
    }

    fn check_table(&self) -> Result<(), String> {
        let facts = self.host.heard().checked_sub(1).map_or(0, |last| self.facts[last]);
        let (durable, decided) = (self.model.first(facts), &self.model);
        self.host.check_table(&Seen { durable, decided, now: self.now, sessions: &self.sessions })
    }
}

fn live(rights: &Rights, now: u64) -> BTreeSet<LinkId> {
    rights.links().filter(|link| link.is_live(Millis(now))).map(|link| link.id).collect()
}
