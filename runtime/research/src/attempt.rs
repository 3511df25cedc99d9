//! A run and one attempt at it: its spaces, the texts of its agents, and its coordinator.

use super::ResearchAsk;
use super::texts::{id, instructions, space_for};
use crate::agents::{AgentCard, SpaceAsk, SpawnAsk};
use crate::caller::{Caller, ReadAtom, WriteOptions};
use crate::limits::ResearchLimits;
use crate::model::RECIPE;
use crate::problem::{Problem, ProblemKind};
use stoa_actors::atom::{Content, Metadata};
use stoa_actors::id::SpaceId;
use stoa_actors::log::Cause;
use stoa_actors::rights::Level;
use stoa_actors::search::Query;
use stoa_actors::space::Draft;
use stoa_actors::value::Value;
use stoa_conventions::{FINDINGS, REVIEWS, TASK_LIST, research};

/// A run on its way.
pub(super) struct Run<'a> {
    pub(super) caller: &'a Caller,
    pub(super) ask: &'a ResearchAsk,
    pub(super) limits: &'a ResearchLimits,
    /// Names it: the same for the same question, documents, number and model.
    pub(super) id: String,
    pub(super) sources: SpaceId,
}

/// Where one attempt at a run stands.
pub(super) struct Attempt {
    pub(super) number: u64,
    pub(super) coordinator: String,
    pub(super) tasks: SpaceId,
    pub(super) findings: SpaceId,
    /// What is said against drafts, where a model writes them.
    pub(super) reviews: Option<SpaceId>,
}

impl Run<'_> {
    /// The agents of the attempt before are at nothing any more.
    pub(super) async fn clear(&self, attempt: u64) -> Result<(), Problem> {
        if attempt == 1 {
            return Ok(());
        }
        let before = self.coordinator(attempt - 1);
        match self.caller.wipe_agent(&before, "the question is asked anew").await {
            Err(problem) if problem.kind != ProblemKind::Unknown => Err(problem),
            _ => Ok(()),
        }
    }

    fn coordinator(&self, attempt: u64) -> String {
        match attempt {
            0 | 1 => format!("run-{}", self.id),
            _ => format!("run-{}-{attempt}", self.id),
        }
    }

    /// Brings everything about that the coordinator needs, and the coordinator; again is harmless.
    pub(super) async fn begin(&self, number: u64) -> Result<Attempt, Problem> {
        let coordinator = self.coordinator(number);
        let tasks = format!("{coordinator}-tasks");
        let findings = format!("{coordinator}-findings");
        let thinks = self.ask.model != RECIPE;
        let reviews = format!("{coordinator}-reviews");
        let attempt = Attempt {
            number,
            reviews: match thinks {
                true => Some(space_for(self.caller, &reviews, REVIEWS).await?),
                false => None,
            },
            tasks: space_for(self.caller, &tasks, TASK_LIST).await?,
            findings: space_for(self.caller, &findings, FINDINGS).await?,
            coordinator,
        };
        if self.caller.agent_named(&attempt.coordinator).is_ok() {
            return Ok(attempt);
        }
        instructions(self.caller, "research-coordinator", research::COORDINATOR).await?;
        let (researcher, synthesiser) = match thinks {
            true => (research::MODEL_RESEARCHER, research::MODEL_SYNTHESISER),
            false => (research::RESEARCHER, research::SYNTHESISER),
        };
        let thinking = if thinks { "-model" } else { "" };
        let crew = [
            (format!("research-researcher{thinking}"), researcher),
            (format!("research-synthesiser{thinking}"), synthesiser),
        ];
        for (name, text) in &crew {
            instructions(self.caller, name, text).await?;
        }
        let question = Draft {
            content: Content::Text(self.ask.question.clone()),
            metadata: Metadata::from([
                ("kind".to_owned(), "question".into()),
                ("agents".to_owned(), Value::Int(self.ask.agents as i64)),
                ("run".to_owned(), Value::Text(attempt.coordinator.clone())),
                ("model".to_owned(), Value::Text(self.ask.model.clone())),
            ]),
            ..Draft::default()
        };
        let why = WriteOptions::comment("the question").key("question");
        self.caller.put(attempt.tasks, question, why).await?;
        let named = |alias: &str, space: &str, use_, delegate| SpaceAsk {
            alias: alias.to_owned(),
            space: Some(space.to_owned()),
            use_,
            delegate,
        };
        let sources = self.sources.to_string();
        let mut spaces = vec![
            named("tasks", &tasks, Some(Level::Write), None),
            named("findings", &findings, Some(Level::Read), Some(Level::Append)),
            named("sources", &sources, None, Some(Level::Read)),
        ];
        spaces.extend(thinks.then(|| named("reviews", &reviews, None, Some(Level::Read))));
        spaces.extend(crew.iter().map(|it| SpaceAsk::to_delegate(&it.0, Level::Read)));
        let ask = SpawnAsk {
            task: self.ask.question.clone(),
            name: Some(attempt.coordinator.clone()),
            instructions: Some("research-coordinator".to_owned()),
            spaces,
            // It follows its text, whoever thinks for the others.
            model: Some(RECIPE.to_owned()),
            models: vec![self.ask.model.clone()],
            follows: vec![findings.clone()],
            ..SpawnAsk::default()
        };
        let mut drawn = 0;
        let fresh = || {
            drawn += 1;
            id(&format!("{} {drawn}", attempt.coordinator))
        };
        self.caller.spawn_with(ask, Cause::default(), fresh).await?;
        Ok(attempt)
    }

    pub(super) async fn crew(&self, attempt: &Attempt) -> Result<Vec<AgentCard>, Problem> {
        let session = self.caller.agent_named(&attempt.coordinator)?;
        let mut crew = vec![self.caller.agent_card(session).await?];
        crew.extend(self.caller.runtime().caller(session).agents().await?);
        Ok(crew)
    }

    pub(super) async fn of_kind(
        &self,
        space: SpaceId,
        kind: &str,
    ) -> Result<Vec<ReadAtom>, Problem> {
        let metadata = Metadata::from([("kind".to_owned(), kind.into())]);
        let limit = self.caller.runtime().config().limits.search.hits_max;
        let found = self.caller.search(space, Query { metadata, limit, ..Query::default() });
        Ok(found.await?.into_iter().map(|it| it.read).collect())
    }
}
