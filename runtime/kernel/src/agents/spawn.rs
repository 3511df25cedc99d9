//! Bringing up an agent: its rights first, then its actor; a crash in between is made good by the
//! next start, for what is owed stands in the rights.

use super::AgentCard;
use crate::caller::{Caller, GrantRequest, WriteOptions, misspelt, not_owner};
use crate::model::{LackingKey, RECIPE};
use crate::problem::{Problem, ProblemKind};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::sync::Arc;
use stoa_actors::id::{LinkId, Position, ROOT, SessionId, SpaceId};
use stoa_actors::log::Cause;
use stoa_actors::outbox::Outcome;
use stoa_actors::rights::{self, AgentSpawn, Level, Named, Right, Rights, Subject};
use stoa_actors::session::{self, AgentSpec, Budget, FollowSpec, Refusal};

/// What an agent is to be and to have: `spawn` of seed 000. What is left out it does not get; the
/// model it inherits.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SpawnAsk {
    /// What to do.
    pub task: String,
    /// What the asker shall call it.
    pub name: Option<String>,
    /// The space whose atoms say how to behave, by the asker's name for it; to be read by the
    /// child.
    pub instructions: Option<String>,
    /// Spaces that are searched at each of its turns for what may be of use in it, by the asker's
    /// names; to be read by the child.
    #[serde(default)]
    pub memory: Vec<String>,
    /// What it may do where; the first is `space`.
    pub spaces: Vec<SpaceAsk>,
    /// What it may call.
    pub tools: Vec<String>,
    /// What it may have tools use for it.
    pub secrets: Vec<String>,
    /// Who thinks for it.
    pub model: Option<String>,
    /// Models that it does not think with itself, and may give to its children.
    #[serde(default)]
    pub models: Vec<String>,
    /// The spaces that wake it, by the asker's names.
    pub follows: Vec<String>,
    /// What it may spend: of an agent's, taken out of its own. Left out it is without a bound, which
    /// a bounded agent cannot give.
    pub budget: Budget,
}

/// A right on a space, by the asker's name for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpaceAsk {
    /// What the child calls it.
    pub alias: String,
    /// What the asker calls it, or its id; the same if nothing is said.
    pub space: Option<String>,
    /// To act at this level.
    pub use_: Option<Level>,
    /// To hand on up to this one.
    pub delegate: Option<Level>,
}

impl SpaceAsk {
    /// To use, and not to hand on.
    pub fn to_use(alias: &str, level: Level) -> SpaceAsk {
        SpaceAsk { alias: alias.to_owned(), space: None, use_: Some(level), delegate: None }
    }

    /// To hand on, and not to use.
    pub fn to_delegate(alias: &str, level: Level) -> SpaceAsk {
        SpaceAsk { alias: alias.to_owned(), space: None, use_: None, delegate: Some(level) }
    }

    /// To use and to hand on.
    pub fn whole(alias: &str, level: Level) -> SpaceAsk {
        SpaceAsk { delegate: Some(level), ..SpaceAsk::to_use(alias, level) }
    }

    fn name(&self) -> &str {
        self.space.as_deref().unwrap_or(&self.alias)
    }
}

impl Caller {
    /// Brings up an agent. When this returns it is born, and its first turn is owed.
    ///
    /// Errors: [`ProblemKind::Forbidden`] when more is asked for than the caller may hand on, which is
    /// recorded; also for more of a budget than the caller has left, which is not;
    /// [`ProblemKind::Unknown`] for a name that the caller does not have.
    pub async fn spawn(&self, ask: SpawnAsk) -> Result<AgentCard, Problem> {
        self.spawn_with(ask, Cause::default(), || self.fresh()).await
    }

    /// The same with given ids: with the same ones again it is the same agent.
    pub async fn spawn_with(
        &self,
        ask: SpawnAsk,
        cause: Cause,
        mut fresh: impl FnMut() -> [u8; 16],
    ) -> Result<AgentCard, Problem> {
        if ask.task.trim().is_empty() {
            return Err(Problem::new(ProblemKind::Invalid, "the task is empty; say what to do")
                .hint("stoa spawn TASK --instructions SPACE"));
        }
        if let Some(name) = &ask.name {
            let limits = &self.runtime.shared().config.limits.rights;
            rights::name_fits(name, limits)
                .map_err(|it| misspelt(it, |name| format!("--name {name}")))?;
            not_owner(name)?;
        }
        let child = SessionId(fresh());
        let dm = SpaceId(fresh());
        let dm_links = [LinkId(fresh()), LinkId(fresh())];
        let model = self.model_for(ask.model.as_deref(), ask.budget).await?;
        let instructions = ask.instructions.as_deref();
        let instructions = instructions.map(|it| self.resolve_to_hand_on(it)).transpose()?;
        let memory = ask.memory.iter().map(|it| self.resolve_to_hand_on(it));
        let mut memory = memory.collect::<Result<Vec<SpaceId>, _>>()?;
        let to_read: Vec<(SpaceId, &String)> = instructions
            .into_iter()
            .zip(&ask.instructions)
            .chain(memory.iter().copied().zip(&ask.memory))
            .collect();
        let mut seen = BTreeSet::new();
        memory.retain(|it| seen.insert(*it));
        let (asks, first) = self.asks(&ask, &model, &to_read, &mut fresh).await?;
        let mut follows = vec![(dm, Position(0))];
        for name in &ask.follows {
            let space = self.resolve_to_hand_on(name)?;
            follows.push((space, self.runtime.store().head_of_stream(space.stream())?));
        }
        let follow = |(space, cursor)| (space, FollowSpec::all(cursor));
        let charter = Arc::new(AgentSpec {
            parent: self.session(),
            task: ask.task.clone(),
            instructions,
            model,
            dm,
            first,
            follows: follows.into_iter().map(follow).collect(),
            memory,
            root: cause.root,
        });
        let max = self.runtime.shared().config.limits.session.task_bytes_max;
        if ask.task.len() > max {
            let text = format!("the task has {} bytes; the limit is {max}", ask.task.len());
            return Err(Problem::new(ProblemKind::Invalid, text).hint("--help"));
        }
        let spawn = AgentSpawn {
            child,
            alias: ask.name.clone(),
            asks,
            dm_links,
            charter: charter.clone(),
            budget: ask.budget,
            reason: "spawn".to_owned(),
        };
        let comment = format!("spawn {}", ask.name.as_deref().unwrap_or("an agent"));
        let why = WriteOptions { cause, ..WriteOptions::comment(comment) };
        match self.charter_of(self.session())? {
            None => self.spawn_by_rights(spawn, why).await,
            Some(_) => self.spawn_by_session(spawn, why).await,
        }
        .map_err(|problem| match ask.name.as_deref().and_then(|it| self.called(it)) {
            // The name is taken by another.
            Some(Named::Session(_)) if problem.kind == ProblemKind::Conflict => {
                problem.hint("stoa agent list")
            }
            _ => problem,
        })?;
        match self.card_at_birth(child, &charter, ask.budget) {
            Some(card) => Ok(card),
            None => self.agent_card(child).await,
        }
    }

    /// Of a session that is no agent: it has no budget that a child's could come out of.
    async fn spawn_by_rights(&self, spawn: AgentSpawn, why: WriteOptions) -> Result<(), Problem> {
        if let Some(unit) = spawn.budget.lacking() {
            return Err(Refusal::BudgetEmpty(unit).into());
        }
        let message = rights::Message::SpawnAgent(Box::new(spawn));
        let asked = self.runtime.rights().ask_and_what_follows(self.ask(message, why)).await;
        let (_, outcomes) = asked?;
        match outcomes.iter().find_map(Outcome::refused) {
            Some(why) => Err(Problem::new(ProblemKind::Invalid, format!("it is not begun: {why}"))),
            None => Ok(()),
        }
    }

    /// Of an agent: its session takes out the budget, asks the rights, and takes it back should they
    /// refuse.
    async fn spawn_by_session(&self, spawn: AgentSpawn, why: WriteOptions) -> Result<(), Problem> {
        let child = spawn.child;
        let address = self.runtime.agent(self.session())?;
        let message = session::Message::Spawn(Box::new(spawn));
        let ask = self.ask(message, why).key(format!("spawn-{child}"));
        let (receipt, outcomes) = address.ask_and_what_follows(ask).await?;
        if let Some(outcome) = outcomes.into_iter().find(|it| it.refused().is_some()) {
            let why = outcome.refused().unwrap_or_default().to_owned();
            return Err(match outcome.into_refusal::<Rights>() {
                Some(refusal) => refusal.into(),
                None => Problem::new(ProblemKind::Invalid, why),
            });
        }
        // Asked before a crash: whatever was on its way then is waited for.
        if let session::Reply::Sent(id) = receipt.reply {
            address.performed(id).await;
        }
        if self.runtime.shared().rights.read().birth(child).is_none() {
            let text = "the agent was refused before; nothing of its budget is gone";
            return Err(Problem::new(ProblemKind::Forbidden, text));
        }
        Ok(())
    }

    /// What the child calls a space: as it was named, where that is no id or the end of one.
    fn alias_for_child(&self, ask: &SpaceAsk, space: SpaceId) -> Option<String> {
        match ask.space.is_some() {
            true => Some(ask.alias.clone()),
            false => self.alias_to_hand_on(&ask.alias, space),
        }
    }

    /// What the child asks of the rights.
    async fn asks(
        &self,
        ask: &SpawnAsk,
        model: &str,
        to_read: &[(SpaceId, &String)],
        fresh: &mut impl FnMut() -> [u8; 16],
    ) -> Result<(Vec<rights::RightRequest>, Option<SpaceId>), Problem> {
        let mut asks = Vec::new();
        let mut link = |alias: Option<String>, right: Right| {
            let link = LinkId(fresh());
            rights::RightRequest { link, alias, right, expires: None }
        };
        let mut first = None;
        let mut readable = Vec::new();
        for it in &ask.spaces {
            let space = self.resolve_to_hand_on(it.name())?;
            let (use_, delegate) = (it.use_, it.delegate);
            if use_.is_some() {
                first = first.or(Some(space));
                readable.push(space);
            }
            let right = Right { subject: Subject::Space(space), use_, delegate };
            asks.push(link(self.alias_for_child(it, space), right));
        }
        for (space, name) in to_read {
            if !readable.contains(space) {
                readable.push(*space);
                let alias = self.alias_to_hand_on(name, *space);
                asks.push(link(alias, Right::to_use(Subject::Space(*space), Level::Read)));
            }
        }
        for name in &ask.tools {
            self.install(Subject::Tool(name.clone())).await?;
            asks.push(link(None, Right::whole(Subject::Tool(name.clone()))));
        }
        for name in &ask.secrets {
            asks.push(link(None, Right::whole(Subject::Secret(name.clone()))));
        }
        if model != RECIPE {
            asks.push(link(None, Right::whole(Subject::Model(model.to_owned()))));
        }
        for name in ask.models.iter().filter(|it| *it != model && *it != RECIPE) {
            let subject = Subject::Model(name.clone());
            self.install(subject.clone()).await?;
            let level = subject.highest();
            asks.push(link(None, Right::to_delegate(subject, level)));
        }
        Ok((asks, first))
    }

    /// The model that is named, else the asker's own, else the one that needs nothing.
    async fn model_for(&self, named: Option<&str>, budget: Budget) -> Result<String, Problem> {
        let model = match named {
            Some(name) => name.to_owned(),
            None => {
                let charter = self.charter_of(self.session())?;
                charter.map_or_else(|| RECIPE.to_owned(), |it| it.model)
            }
        };
        let config = &self.runtime.shared().config;
        let found = config
            .models
            .find(&model)
            .map_err(|text| Problem::new(ProblemKind::Invalid, text).hint("--model recipe"))?;
        if let Some(lacking) = LackingKey::of(&model, &*found) {
            let hint = format!("export {}=KEY", lacking.variable);
            return Err(Problem::new(ProblemKind::Invalid, lacking).hint(hint));
        }
        if budget.money.is_some() && !found.is_priced() {
            let text = format!(
                "model {model} has no price, and the budget is in money: write \
                 [providers.PROVIDER.prices.\"NAME\"] with input and output into config.toml, or \
                 bound its tokens"
            );
            return Err(Problem::new(ProblemKind::Invalid, text).hint("--budget tokens=200000"));
        }
        if model != RECIPE {
            self.install(Subject::Model(model.clone())).await?;
        }
        Ok(model)
    }

    /// What is configured is the root's to hand on, from when it first does. To anybody else it is of no
    /// use: they hold what the root had before. And a provider has a model of every name, which an agent
    /// that tries them all must not make into rights.
    async fn install(&self, subject: Subject) -> Result<(), Problem> {
        let config = &self.runtime.shared().config;
        let configured = match &subject {
            Subject::Tool(name) => config.tools.get(name).is_some(),
            Subject::Model(name) => config.models.find(name).is_ok(),
            Subject::Secret(_) | Subject::Space(_) => false,
        };
        let root = self.runtime.caller(ROOT);
        if !configured {
            return Ok(());
        }
        self.runtime.needs_trust(&subject)?;
        if self.session() != ROOT || root.holds(&subject) {
            return Ok(());
        }
        let reason = "configured".to_owned();
        let message = rights::Message::Install { link: LinkId(self.fresh()), subject, reason };
        self.runtime.rights().ask(root.ask(message, WriteOptions::comment("configured"))).await?;
        Ok(())
    }

    /// Gives an agent of the caller's one more right.
    pub async fn grant_to_agent(
        &self,
        space: &str,
        to: &str,
        grant: GrantRequest,
        cause: Cause,
    ) -> Result<(), Problem> {
        match self.called(to) {
            Some(Named::Session(_)) => self.grant_for(space, to, grant, cause).await.map(drop),
            _ => Err(Problem::new(ProblemKind::Unknown, format!("no agent {to:?} of yours"))
                .hint("stoa agent list")),
        }
    }
}

#[cfg(test)]
mod tests;
