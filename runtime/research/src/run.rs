//! One question, answered from documents by agents that are coordinated through spaces.
//!
//! A run is a question, its documents, a number of researchers and a model. What it is about, and
//! how far it has come, stands in spaces; whoever asks the same again finds it there: unfinished it
//! goes on, finished over the same documents its answer is told again, otherwise it begins anew.
//! Nothing here knows how the work is done: that is in the texts that the agents are given.

use super::report::{AnswerSource, Citation, Report, ResearchStep};
use super::texts::{id, instructions, paths_id, run_id, space_for};
use super::{IngestProgress, Ingested, ingest};
use crate::agents::{AgentCard, SpaceAsk, SpawnAsk};
use crate::caller::{Caller, ReadAtom, WriteOptions};
use crate::limits::ResearchLimits;
use crate::problem::{Problem, ProblemKind};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::time::Duration;
use stoa_actors::atom::{Atom, Content, Metadata};
use stoa_actors::id::{Position, SpaceId};
use stoa_actors::log::Cause;
use stoa_actors::rights::Level;
use stoa_actors::search::{Query, SearchOrder};
use stoa_actors::space::{Draft, Expect, Filter, Patch};
use stoa_actors::value::Value;
use stoa_conventions::{FINDINGS, RUNS, SOURCES, TASK_LIST, research};

/// What is asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub struct ResearchAsk {
    pub question: String,
    /// Files and folders, as they are to be cited.
    pub paths: Vec<PathBuf>,
    /// Researchers; a coordinator and a synthesiser come to them.
    pub agents: usize,
    /// Who thinks for all of them.
    pub model: String,
    /// Begin anew, whatever there is.
    pub fresh: bool,
}

/// Why research is not for everybody.
pub const READS: &str = "research reads files with the owner's rights";

/// What the owner types.
pub const RESEARCH: &str = "stoa research 'QUESTION' --files PATH";

/// The space that knows of all runs.
const REGISTER: &str = "research-runs";

/// A run on its way.
struct Run<'a> {
    caller: &'a Caller,
    ask: &'a ResearchAsk,
    limits: &'a ResearchLimits,
    /// Names it: the same for the same question, documents, number and model.
    id: String,
    sources: SpaceId,
}

/// Where one attempt at a run stands.
struct Attempt {
    number: u64,
    coordinator: String,
    tasks: SpaceId,
    findings: SpaceId,
}

/// Answers a question from documents. `look` is told how it goes.
///
/// By crash: what is done is kept, and the same question goes on from there. Errors:
/// [`ProblemKind::Invalid`] for a question or a number out of bounds and for documents that hold
/// nothing to be read, [`ProblemKind::Forbidden`] for anybody but the owner of the directory, whose
/// process reads the files, [`ProblemKind::Action`] when the agents came to rest without an answer.
pub async fn research(
    caller: &Caller,
    ask: &ResearchAsk,
    limits: &ResearchLimits,
    look: &mut (dyn FnMut(ResearchStep) + Send),
) -> Result<Report, Problem> {
    let ask = &ResearchAsk { question: ask.question.trim().to_owned(), ..ask.clone() };
    caller.is_owner(READS, RESEARCH)?;
    check(caller, ask, limits)?;
    caller.runtime().start_agents().await?;
    let place = paths_id(ask);
    let sources = space_for(caller, &format!("sources-{place}"), SOURCES).await?;
    let mut reading = |IngestProgress { files, done, passages }: IngestProgress| {
        let [files, done, passages] = [files, done, passages].map(|it| it as u64);
        look(ResearchStep::Reading { files, done, passages });
    };
    let read = ingest(caller, sources, &ask.paths, &limits.sources, &mut reading).await?;
    let run = Run { caller, ask, limits, id: run_id(ask), sources };
    run.answer(&read, look).await
}

fn check(caller: &Caller, ask: &ResearchAsk, limits: &ResearchLimits) -> Result<(), Problem> {
    let models = &caller.runtime().config().models;
    let invalid = |text: String| {
        Problem::new(ProblemKind::Invalid, text).hint("stoa research 'QUESTION' --files PATH")
    };
    if ask.question.is_empty() {
        return Err(invalid("the question is empty".into()));
    }
    let (bytes, max) = (ask.question.len(), limits.question_bytes_max);
    if bytes > max {
        let text = format!("the question has {bytes} bytes; the limit is {max}");
        return Err(invalid(format!("{text}; put long texts into a file and ask about it")));
    }
    if ask.agents == 0 || ask.agents > limits.researchers_max {
        let max = limits.researchers_max;
        let text = format!("{} researchers cannot be; from 1 to {max} can", ask.agents);
        return Err(Problem::new(ProblemKind::Invalid, text)
            .hint("stoa research 'QUESTION' --files PATH --agents 3"));
    }
    if let Err(text) = models.find(&ask.model) {
        return Err(Problem::new(ProblemKind::Invalid, text)
            .hint("stoa research 'QUESTION' --files PATH --model recipe"));
    }
    Ok(())
}

impl Run<'_> {
    async fn answer(
        &self,
        read: &Ingested,
        look: &mut (dyn FnMut(ResearchStep) + Send),
    ) -> Result<Report, Problem> {
        let register = space_for(self.caller, REGISTER, RUNS).await?;
        let known = self.known(register).await?;
        // Nobody else writes there: where its last change stands is which state it is in.
        let state = self.caller.runtime().store().head_of_stream(self.sources.stream())?;
        let digest = state.to_string();
        let text = |atom: &Atom, key: &str| {
            atom.metadata.get(key).and_then(Value::text).map(str::to_owned)
        };
        let number = |atom: &Atom| match atom.metadata.get("attempt") {
            Some(Value::Int(number)) => *number as u64,
            _ => 1,
        };
        let (attempt, how) = match &known {
            None => (1, AnswerSource::Worked),
            Some(run) => {
                let same = text(&run.atom, "sources") == Some(digest.clone()) && !self.ask.fresh;
                match text(&run.atom, "status").as_deref() {
                    Some("completed") if same => (number(&run.atom), AnswerSource::Stored),
                    Some("running") if same => (number(&run.atom), AnswerSource::Resumed),
                    _ => (number(&run.atom) + 1, AnswerSource::Worked),
                }
            }
        };
        if how == AnswerSource::Worked {
            self.clear(attempt).await?;
        }
        let attempt = self.begin(attempt).await?;
        if how == AnswerSource::Worked {
            self.record(register, known.as_ref(), &attempt, &digest, "running").await?;
        }
        let answer = self.wait(&attempt, look).await?;
        if how != AnswerSource::Stored {
            let known = self.known(register).await?;
            self.record(register, known.as_ref(), &attempt, &digest, "completed").await?;
        }
        self.report(&attempt, &answer, how, read).await
    }

    /// The atom that stands for this run.
    async fn known(&self, register: SpaceId) -> Result<Option<ReadAtom>, Problem> {
        let metadata = [("run".to_owned(), Value::Text(self.id.clone()))].into();
        let query = Query { metadata, limit: 1, order: SearchOrder::Newest, ..Query::default() };
        Ok(self.caller.search(register, query).await?.into_iter().next().map(|it| it.read))
    }

    async fn record(
        &self,
        register: SpaceId,
        known: Option<&ReadAtom>,
        attempt: &Attempt,
        digest: &str,
        status: &str,
    ) -> Result<(), Problem> {
        let metadata = Metadata::from([
            ("kind".to_owned(), "run".into()),
            ("run".to_owned(), Value::Text(self.id.clone())),
            ("attempt".to_owned(), Value::Int(attempt.number as i64)),
            ("agents".to_owned(), Value::Int(self.ask.agents as i64)),
            ("model".to_owned(), Value::Text(self.ask.model.clone())),
            ("coordinator".to_owned(), Value::Text(attempt.coordinator.clone())),
            ("sources".to_owned(), Value::Text(digest.to_owned())),
            ("status".to_owned(), Value::Text(status.to_owned())),
        ]);
        let why = WriteOptions::comment(format!("run {} is {status}", self.id));
        match known {
            Some(read) => {
                let patch = Patch { metadata, ..Patch::default() };
                let (id, expect) = (read.atom.id, Expect::Version(read.atom.version));
                self.caller.update(id, expect, patch, why).await.map(drop)
            }
            None => {
                let content = Content::Text(self.ask.question.clone());
                let draft = Draft { content, metadata, ..Draft::default() };
                self.caller.put(register, draft, why).await.map(drop)
            }
        }
    }

    /// The agents of the attempt before are at nothing any more.
    async fn clear(&self, attempt: u64) -> Result<(), Problem> {
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
    async fn begin(&self, number: u64) -> Result<Attempt, Problem> {
        let coordinator = self.coordinator(number);
        let tasks = format!("{coordinator}-tasks");
        let findings = format!("{coordinator}-findings");
        let attempt = Attempt {
            number,
            tasks: space_for(self.caller, &tasks, TASK_LIST).await?,
            findings: space_for(self.caller, &findings, FINDINGS).await?,
            coordinator,
        };
        if self.caller.agent_named(&attempt.coordinator).is_ok() {
            return Ok(attempt);
        }
        instructions(self.caller, "research-coordinator", research::COORDINATOR).await?;
        instructions(self.caller, "research-researcher", research::RESEARCHER).await?;
        instructions(self.caller, "research-synthesiser", research::SYNTHESISER).await?;
        let question = Draft {
            content: Content::Text(self.ask.question.clone()),
            metadata: Metadata::from([
                ("kind".to_owned(), "question".into()),
                ("agents".to_owned(), Value::Int(self.ask.agents as i64)),
                ("run".to_owned(), Value::Text(attempt.coordinator.clone())),
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
        let ask = SpawnAsk {
            task: self.ask.question.clone(),
            name: Some(attempt.coordinator.clone()),
            instructions: Some("research-coordinator".to_owned()),
            spaces: vec![
                named("tasks", &tasks, Some(Level::Write), None),
                named("findings", &findings, Some(Level::Read), Some(Level::Append)),
                named("sources", &sources, None, Some(Level::Read)),
                SpaceAsk::to_delegate("research-researcher", Level::Read),
                SpaceAsk::to_delegate("research-synthesiser", Level::Read),
            ],
            model: Some(self.ask.model.clone()),
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

    /// The answer, waited for as long as anybody works on it.
    async fn wait(
        &self,
        attempt: &Attempt,
        look: &mut (dyn FnMut(ResearchStep) + Send),
    ) -> Result<ReadAtom, Problem> {
        let metadata = Metadata::from([("kind".to_owned(), "answer".into())]);
        let filter = Filter { metadata: metadata.clone(), ..Filter::default() };
        let mut answers = self.caller.follow(attempt.findings, Position(0), filter)?;
        let runtime = self.caller.runtime();
        let often = Duration::from_millis(self.limits.look_ms);
        let mut often = tokio::time::interval(often);
        loop {
            if let Some(answer) = answers.ready(1).await?.first()
                && let Some((id, _)) = answer.atom
            {
                return self.caller.get(id).await;
            }
            tokio::select! {
                () = answers.rung() => {}
                _ = often.tick() => look(self.doing(attempt).await?),
                () = runtime.at_rest() => {
                    if answers.ready(1).await?.is_empty() {
                        return Err(self.stuck(attempt).await?);
                    }
                    let query = Query { metadata: metadata.clone(), limit: 1, ..Query::default() };
                    let found = self.caller.search(attempt.findings, query).await?;
                    let found = found.into_iter().next().map(|it| it.read);
                    return found.ok_or_else(|| Problem::new(ProblemKind::Store, "the answer is gone"));
                }
            }
        }
    }

    /// Nobody works, and there is no answer.
    async fn stuck(&self, attempt: &Attempt) -> Result<Problem, Problem> {
        let crew = self.crew(attempt).await?;
        let why = crew.iter().filter_map(|it| {
            let name = it.name.as_deref().unwrap_or("an agent");
            let why = it.why.as_deref()?.lines().last()?;
            Some(format!("{name} is {}: {why}", it.state))
        });
        let why: Vec<String> = why.collect();
        let text = format!("the agents came to rest without an answer; {}", why.join("; "));
        Ok(Problem::new(ProblemKind::Action, text.trim_end_matches("; "))
            .hint(format!("stoa agent log {}", attempt.coordinator)))
    }

    async fn crew(&self, attempt: &Attempt) -> Result<Vec<AgentCard>, Problem> {
        let session = self.caller.agent_named(&attempt.coordinator)?;
        let mut crew = vec![self.caller.agent_card(session).await?];
        crew.extend(self.caller.runtime().caller(session).agents().await?);
        Ok(crew)
    }

    async fn of_kind(&self, space: SpaceId, kind: &str) -> Result<Vec<ReadAtom>, Problem> {
        let metadata = Metadata::from([("kind".to_owned(), kind.into())]);
        let limit = self.caller.runtime().config().limits.search.hits_max;
        let found = self.caller.search(space, Query { metadata, limit, ..Query::default() });
        Ok(found.await?.into_iter().map(|it| it.read).collect())
    }

    async fn doing(&self, attempt: &Attempt) -> Result<ResearchStep, Problem> {
        let tasks = self.of_kind(attempt.tasks, "task").await?;
        let closed = |it: &&ReadAtom| {
            let status = it.atom.metadata.get("status").and_then(Value::text);
            matches!(status, Some("completed" | "failed"))
        };
        let crew = self.crew(attempt).await?;
        Ok(ResearchStep::Working {
            agents: crew.len() as u64,
            running: crew.iter().filter(|it| it.state == "running").count() as u64,
            tasks: tasks.len() as u64,
            closed: tasks.iter().filter(closed).count() as u64,
            findings: self.of_kind(attempt.findings, "finding").await?.len() as u64,
        })
    }

    async fn report(
        &self,
        attempt: &Attempt,
        answer: &ReadAtom,
        how: AnswerSource,
        read: &Ingested,
    ) -> Result<Report, Problem> {
        let text = match &answer.atom.content {
            Content::Text(text) => text.clone(),
            Content::Json(value) => value.to_string(),
            _ => String::new(),
        };
        let citations = match answer.atom.metadata.get("citations") {
            Some(Value::List(list)) => list.iter().filter_map(Citation::of).collect(),
            _ => Vec::new(),
        };
        let failed = match answer.atom.metadata.get("failed") {
            Some(Value::List(list)) => list.len() as u64,
            _ => 0,
        };
        Ok(Report {
            question: self.ask.question.clone(),
            found: answer.atom.metadata.get("found") == Some(&Value::Bool(true)),
            text,
            citations,
            how,
            run: attempt.coordinator.clone(),
            agents: self.crew(attempt).await?.len() as u64,
            tasks: self.of_kind(attempt.tasks, "task").await?.len() as u64,
            findings: self.of_kind(attempt.findings, "finding").await?.len() as u64,
            failed,
            files: read.files as u64,
            passages: read.passages as u64,
            skipped: read
                .skipped
                .iter()
                .map(|it| (it.path.clone(), it.reason.to_string()))
                .collect(),
        })
    }
}
