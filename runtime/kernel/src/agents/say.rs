//! Speaking to an agent: for its next turn, for its next step, or at once.

use super::context::state;
use super::control::first_line;
use crate::caller::{Caller, WriteOptions, Written};
use crate::host::{ActorAddress, AskError};
use crate::problem::{Problem, ProblemKind};
use std::sync::Arc;
use std::time::Duration;
use stoa_actors::atom::Content;
use stoa_actors::behaviour::Refused;
use stoa_actors::id::{LinkId, SessionId};
use stoa_actors::incarnation::Request;
use stoa_actors::retry::wait_ms;
use stoa_actors::rights::{self, Level, Right, Subject};
use stoa_actors::session::{Message, Refusal, Session, Steering};
use stoa_actors::space::Draft;

/// When an agent that is in a turn sees what is said to it. One that is in none sees it at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SayWhen {
    /// In its next turn.
    #[default]
    NextTurn,
    /// At its next step.
    NextStep,
    /// Now: the request to its model or the code that runs is cancelled.
    Interrupt,
}

/// How often it is looked up what an agent has not heard, where it hears something meanwhile.
const LOOKS_MAX: u32 = 16;

impl Caller {
    /// Says something to an agent, in the space it shares with its parent: it sees it in its next turn.
    /// Who is above the parent is let in there first, which is recorded.
    pub async fn say(&self, name: &str, text: &str) -> Result<Written, Problem> {
        self.say_when(name, text, SayWhen::NextTurn).await
    }

    /// The same for one that is to see it then. What is said is durable before the agent is told that
    /// it is to see it sooner than in its next turn; after a crash in between it sees it in that.
    ///
    /// Errors: [`ProblemKind::Forbidden`] for one that the caller does not govern and that is to see it
    /// sooner.
    pub async fn say_when(
        &self,
        name: &str,
        text: &str,
        when: SayWhen,
    ) -> Result<Written, Problem> {
        let session = match when {
            SayWhen::NextTurn => self.agent_named(name)?,
            SayWhen::NextStep | SayWhen::Interrupt => self.governed(name)?,
        };
        let card = self.agent_card(session).await?;
        if card.state == "wiped" {
            return Err(Refusal::Wiped.into());
        }
        if text.trim().is_empty() {
            let problem = Problem::new(ProblemKind::Invalid, "the text is empty; say something");
            return Err(problem.hint(format!("stoa agent say {name} TEXT")));
        }
        if when != SayWhen::NextTurn {
            // One that cannot be told is not spoken to at all.
            state(&self.runtime, session).await?;
        }
        if self.level(card.dm).is_none_or(|it| it < Level::Append) {
            let right = Right::to_use(Subject::Space(card.dm), Level::Append);
            let reason = "to speak to it".to_owned();
            let (link, to) = (LinkId(self.fresh()), self.session());
            let (alias, expires, note) = (None, None, None);
            let message = rights::Message::Share { link, to, alias, right, expires, reason, note };
            let parent = self.runtime.caller(card.parent);
            self.runtime.rights().ask(parent.ask(message, WriteOptions::comment("say"))).await?;
        }
        let draft = Draft { content: Content::Text(text.to_owned()), ..Draft::default() };
        let draft = Draft { metadata: [("kind".to_owned(), "said".into())].into(), ..draft };
        let comment = WriteOptions::comment(format!("say: {}", first_line(text)));
        let written = self.put(card.dm, draft, comment).await?;
        match when {
            SayWhen::NextTurn => {}
            SayWhen::NextStep => self.steer(session, Steering::NextStep).await?,
            SayWhen::Interrupt => self.steer(session, Steering::Interrupt).await?,
        }
        Ok(written)
    }

    /// Has an agent see what was said to it and that it has not heard.
    async fn steer(&self, session: SessionId, how: Steering) -> Result<(), Problem> {
        let address = self.runtime.agent(session)?;
        let config = &self.runtime.shared().config;
        let (first, most) = (config.outbox_wait_first_ms, config.outbox_wait_ms_max);
        for tries in 0..LOOKS_MAX {
            match self.steer_once(&address, session, how).await {
                Ok(true) => return Ok(()),
                Ok(false) => {}
                Err(problem) if problem.kind == ProblemKind::Busy => {
                    let wait = wait_ms(tries, first, most);
                    tokio::time::sleep(Duration::from_millis(wait)).await;
                }
                Err(problem) => return Err(unheard(&problem)),
            }
        }
        Err(unheard(&Problem::new(ProblemKind::Busy, "the agent has too much to do")))
    }

    /// Whether it has; not where it has heard a part of it meanwhile.
    async fn steer_once(
        &self,
        address: &Arc<ActorAddress<Session>>,
        session: SessionId,
        how: Steering,
    ) -> Result<bool, Problem> {
        let state = state(&self.runtime, session).await?;
        let new = self.runtime.words(session, &state).await?;
        let wake = new.wakes.into_iter().next();
        let ask = Request::new(self.session(), Message::Steer { wake, how }).comment("say");
        match address.ask(Request { cause: new.cause, ..ask }).await {
            Ok(_) => Ok(true),
            Err(AskError::Refused(Refused::Actor(Refusal::Stale { .. }))) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}

/// What was said is there all the same.
fn unheard(problem: &Problem) -> Problem {
    let text = format!("it is said, and the agent sees it in its next turn: {}", problem.text);
    Problem::new(problem.kind, text).hint("stoa agent list")
}
