//! Looking at agents, speaking to them, stopping and ending them: by themselves and those above
//! them.

use crate::caller::{Caller, NEAREST_AMONG_MAX, WriteOptions};
use crate::problem::{Problem, ProblemKind};
use crate::runtime::Runtime;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use stoa_actors::behaviour::Behaviour;
use stoa_actors::id::{Millis, Position, SessionId, SpaceId};
use stoa_actors::incarnation::Request;
use stoa_actors::nearest::nearest;
use stoa_actors::rights::{self, Birth, Named, Rights, Subject};
use stoa_actors::session::{
    AgentSpec, Budget, Ear, Message, Phase, Refusal, Session, Spent, Trouble, spent_out,
};

/// An agent, as those above it see it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub struct AgentCard {
    pub id: SessionId,
    /// What its parent calls it.
    pub name: Option<String>,
    /// Who spawned it.
    pub parent: SessionId,
    /// `unborn`, `idle`, `running`, `deferred`, `suspended`, `waiting`, `parked`, `stopped`,
    /// `exhausted`, `quarantined` or `wiped`. In a turn that no process runs it is `suspended`, and in
    /// one whose model is to be asked again later `deferred`.
    pub state: String,
    /// Why it is in that state, where there is something to say.
    pub why: Option<String>,
    /// How its turns have failed last; nothing where none ever has.
    pub trouble: Option<Trouble>,
    /// When the turn that failed last is tried again, or the model asked again that gave no answer.
    pub next_try: Option<Millis>,
    /// Who thinks for it.
    pub model: String,
    /// What it was told to do.
    pub task: String,
    /// The space it shares with its parent.
    pub dm: SpaceId,
    /// Turns it has begun.
    pub turns: u64,
    /// What it has left to spend.
    pub left: Budget,
    /// What it has spent.
    pub spent: Spent,
    /// When it was spawned.
    pub born: Millis,
    /// The spaces that wake it.
    pub follows: Vec<(SpaceId, Position)>,
}

impl Caller {
    /// The living agents under the caller, those that were spawned first at the head.
    pub async fn agents(&self) -> Result<Vec<AgentCard>, Problem> {
        let under: Vec<SessionId> = {
            let rights = self.runtime.shared().rights.read();
            by_age(&rights, rights.agents_under(self.session()))
        };
        self.cards_of(under).await
    }

    /// The living agents that the caller has spawned itself, in the same order.
    pub async fn children(&self) -> Result<Vec<AgentCard>, Problem> {
        let own: Vec<SessionId> = {
            let rights = self.runtime.shared().rights.read();
            by_age(&rights, rights.children(self.session()))
        };
        self.cards_of(own).await
    }

    async fn cards_of(&self, agents: Vec<SessionId>) -> Result<Vec<AgentCard>, Problem> {
        self.reading(move |caller| agents.into_iter().map(|it| caller.card_of(it)).collect()).await
    }

    /// One agent under the caller, by its name or its id.
    pub async fn agent(&self, name: &str) -> Result<AgentCard, Problem> {
        self.agent_card(self.agent_named(name)?).await
    }

    /// What an agent is and does now.
    ///
    /// Errors: [`ProblemKind::Unknown`] for one that the caller does not govern.
    pub async fn agent_card(&self, session: SessionId) -> Result<AgentCard, Problem> {
        self.reading(move |caller| caller.card_of(session)).await
    }

    /// By a name of the caller's, by the name its parent gives it when no other agent under the
    /// caller has the same, by the way to one under another (`boss/helper`), or by id.
    pub fn agent_named(&self, name: &str) -> Result<SessionId, Problem> {
        let unknown = || {
            Problem::new(ProblemKind::Unknown, format!("no agent {name:?} under you"))
                .hint("stoa agent list")
        };
        let below = if name.contains('/') { self.session_shown_as(name) } else { None };
        let unlike = |problem: Problem| problem.meant(self.agent_like(name), "agent show");
        let rights = self.runtime.shared().rights.read();
        if let Some(Named::Session(session)) = rights.named(self.session(), name) {
            return Ok(session);
        }
        let under = |it: &SessionId| rights.is_agent(*it) && rights.governs(self.session(), *it);
        if let Some(session) = below.filter(under) {
            return Ok(session);
        }
        if let Ok(session) = name.parse::<SessionId>() {
            let known = rights.governs(self.session(), session);
            return if known { Ok(session) } else { Err(unknown()) };
        }
        let mut found = rights.agents_called(self.session(), name);
        match (found.next(), found.next()) {
            (Some(only), None) => Ok(only),
            (Some(_), Some(_)) => {
                let text = format!("several agents under you are called {name:?}; use the id");
                Err(Problem::new(ProblemKind::Conflict, text).hint("stoa agent list"))
            }
            (None, _) => {
                drop(found);
                drop(rights);
                let ended = self.session_ending(name)?;
                let is_agent = |it: &SessionId| self.runtime.shared().rights.read().is_agent(*it);
                ended.filter(is_agent).ok_or_else(|| unlike(unknown()))
            }
        }
    }

    /// An agent under the caller whose name is much like this.
    fn agent_like(&self, name: &str) -> Option<String> {
        let rights = self.runtime.shared().rights.read();
        let agents = rights.agents_under(self.session()).take(NEAREST_AMONG_MAX);
        let named = |it| rights.alias_of(rights.birth(it)?.parent?, Named::Session(it));
        nearest(name, agents.filter_map(named)).map(str::to_owned)
    }

    /// An agent as it was born, if its first turn has begun: known without a look at its stream.
    pub(super) fn card_at_birth(
        &self,
        session: SessionId,
        charter: &AgentSpec,
        budget: Budget,
    ) -> Option<AgentCard> {
        if !matches!(self.runtime.agents().wakes.ear(session), Ear::Busy) {
            return None;
        }
        let (birth, name, _) = self.birth_of(session);
        let begun = Spent { turns: 1, ..Spent::default() };
        let follows = charter.follows.iter().map(|(space, it)| (*space, it.cursor));
        let follows: BTreeMap<SpaceId, Position> = follows.collect();
        Some(AgentCard {
            id: session,
            name,
            parent: charter.parent,
            state: self.runtime.in_a_turn().to_owned(),
            why: None,
            trouble: None,
            next_try: None,
            model: charter.model.clone(),
            task: charter.task.clone(),
            dm: charter.dm,
            turns: 1,
            left: budget.minus(begun.budget()),
            spent: begun,
            born: birth?.at,
            follows: follows.into_iter().collect(),
        })
    }

    /// What the rights have of an agent: its birth, what its parent calls it, and what it is to
    /// begin with as long as that is owed.
    fn birth_of(&self, session: SessionId) -> (Option<Birth>, Option<String>, Option<AgentSpec>) {
        let rights = self.runtime.shared().rights.read();
        let birth = rights.birth(session);
        let name = birth
            .and_then(|it| it.parent)
            .and_then(|parent| rights.alias_of(parent, Named::Session(session)).map(str::to_owned));
        (birth, name, rights.charter(session).cloned())
    }

    fn card_of(&self, session: SessionId) -> Result<AgentCard, Problem> {
        let (birth, name, owed) = self.birth_of(session);
        let unknown = || {
            Problem::new(ProblemKind::Unknown, format!("no agent {session} under you"))
                .hint("stoa agent list")
        };
        let birth = birth.ok_or_else(unknown)?;
        let parent = birth.parent.ok_or_else(unknown)?;
        let life = self.runtime.life(session)?;
        let begun = match life.as_ref().and_then(Session::charter) {
            Some(charter) => Some(charter.clone()),
            // What it began with is there however what came after it breaks it.
            None => self.runtime.charter(session)?,
        };
        let charter = begun.or(owed).ok_or_else(unknown)?;
        let broken = life.is_none().then(|| "its log cannot be gone on with".to_owned());
        let out = self.runtime.out_of_service(session).or(broken);
        let life = life.unwrap_or_else(|| Session::unborn(session.stream()));
        let (state, why) = if birth.ended.is_some() {
            ("wiped", None)
        } else if let Some(why) = out {
            ("quarantined", Some(why))
        } else {
            let why = match life.phase() {
                Phase::Waiting { why, .. } | Phase::Quarantined { why } => Some(why.clone()),
                Phase::Parked { hop, .. } => Some(format!("{hop} reactions in a row")),
                Phase::Exhausted { what, needs } => {
                    Some(format!("budget: {}", spent_out(what, needs)))
                }
                _ => None,
            };
            match life.phase() {
                Phase::Turning(turn) => match turn.deferral.as_deref() {
                    Some(it) if self.runtime.agents_started() => ("deferred", Some(it.why.clone())),
                    _ => (self.runtime.in_a_turn(), why),
                },
                phase => (phase.word(), why),
            }
        };
        Ok(AgentCard {
            id: session,
            name,
            parent,
            state: state.to_owned(),
            why,
            trouble: life.trouble().cloned(),
            next_try: life.next_try().filter(|_| matches!(state, "waiting" | "deferred")),
            model: charter.model,
            task: charter.task,
            dm: charter.dm,
            turns: life.turns(),
            left: life.account().left(),
            spent: life.account().spent(),
            born: birth.at,
            follows: life.follows().map(|(space, it)| (space, it.cursor)).collect(),
        })
    }

    /// Stops an agent at once; what it has written stays, and nothing wakes it until
    /// [`Caller::resume_agent`].
    pub async fn stop_agent(&self, name: &str, reason: &str) -> Result<AgentCard, Problem> {
        let session = self.governed(name)?;
        let address = self.runtime.agent(session)?;
        let message = Message::Stop { reason: reason.to_owned() };
        address.ask(Request::new(self.session(), message).comment("stop")).await?;
        self.runtime.wake_up(session);
        self.agent_card(session).await
    }

    /// Lets a stopped, parked or quarantined agent go on: it gets a turn. So does one whose budget
    /// was spent, once it has been handed more. Errors: [`ProblemKind::Conflict`] for one that goes on
    /// already, or whose budget is spent still.
    pub async fn resume_agent(&self, name: &str) -> Result<AgentCard, Problem> {
        let session = self.governed(name)?;
        self.revive(session).await?;
        let address = self.runtime.agent(session)?;
        let state = super::context::state(&self.runtime, session).await?;
        let goes = matches!(state.phase(), Phase::Idle | Phase::Turning(_) | Phase::Waiting { .. });
        if goes {
            let text =
                format!("{name:?} is running or waits for changes; there is nothing to resume");
            return Err(
                Problem::new(ProblemKind::Conflict, text).hint(format!("stoa agent show {name}"))
            );
        }
        let news = self.runtime.news(session, &state).await?.wakes;
        address.ask(Request::new(self.session(), Message::Resume(news)).comment("resume")).await?;
        self.runtime.wake_up(session);
        self.agent_card(session).await
    }

    /// Ends an agent and all under it: rights, names and turns go, what they wrote stays, and what
    /// is left of their budgets is back. A crash in between is made good by the next open.
    ///
    /// Errors: [`ProblemKind::Unknown`] for one that is wiped already.
    pub async fn wipe_agent(&self, name: &str, reason: &str) -> Result<u64, Problem> {
        let session = self.governed(name)?;
        let doomed: Vec<SessionId> = {
            let rights = self.runtime.shared().rights.read();
            let own = Some(session).filter(|it| rights.is_agent(*it));
            by_age(&rights, own.into_iter().chain(rights.agents_under(session)))
        };
        if doomed.is_empty() {
            return Err(Refusal::Wiped.into());
        }
        let spaces = self.runtime.spaces_of(doomed.iter().copied());
        let wipe = rights::Message::Wipe { session, reason: reason.to_owned() };
        let ask = self.ask(wipe, WriteOptions::comment("wipe"));
        self.runtime.rights().ask_and_what_follows(ask).await?;
        // The youngest first: what one gives back is given back by its parent in turn.
        for it in doomed.iter().rev() {
            self.runtime.agent(*it)?.all_performed().await;
        }
        for space in spaces {
            self.runtime.end_void_subscriptions(space).await;
        }
        Ok(doomed.len() as u64)
    }

    /// An agent that the caller may stop.
    pub(super) fn governed(&self, name: &str) -> Result<SessionId, Problem> {
        let session = self.agent_named(name)?;
        let rights = self.runtime.shared().rights.read();
        if rights.governs(self.session(), session) {
            return Ok(session);
        }
        let text = format!("{name:?} is not under you");
        Err(Problem::new(ProblemKind::Forbidden, text).hint("stoa agent list"))
    }
}

impl Runtime {
    /// The spaces on which sessions hold something.
    fn spaces_of(&self, sessions: impl Iterator<Item = SessionId>) -> BTreeSet<SpaceId> {
        let (now, rights) = (self.now(), self.shared().rights.read());
        let held = sessions.flat_map(|it| rights.holdings(it, now));
        held.filter_map(|it| match it.subject {
            Subject::Space(space) => Some(space),
            _ => None,
        })
        .collect()
    }
}

/// Those that were spawned first at the head.
pub(super) fn by_age(rights: &Rights, agents: impl Iterator<Item = SessionId>) -> Vec<SessionId> {
    let aged = agents.filter_map(|it| Some((rights.birth(it)?.at, it)));
    let mut aged: Vec<(Millis, SessionId)> = aged.collect();
    aged.sort_unstable();
    aged.into_iter().map(|(_, session)| session).collect()
}

pub(super) fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().chars().take(80).collect()
}
