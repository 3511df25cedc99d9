//! One question, answered from documents by agents that are coordinated through spaces.
//!
//! A run is a question, its documents, a number of researchers and a model. What it is about, and
//! how far it has come, stands in spaces; whoever asks the same again finds it there: unfinished it
//! goes on, finished over the same documents its answer is told again, otherwise it begins anew.
//! Nothing here knows how the work is done: that is in the texts that the agents are given.

use super::attempt::{Attempt, Run};
use super::report::{AnswerSentence, AnswerSource, Citation, Report, ResearchStep};
use super::texts::{paths_id, run_id, space_for};
use super::{IngestProgress, Ingested, ingest};
use crate::caller::{Caller, ReadAtom, WriteOptions};
use crate::limits::ResearchLimits;
use crate::model::LackingKey;
use crate::problem::{Problem, ProblemKind};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;
use stoa_actors::atom::{Atom, Content, Metadata};
use stoa_actors::id::{Position, SpaceId};
use stoa_actors::search::{Query, SearchOrder};
use stoa_actors::space::{Draft, Expect, Filter, Patch};
use stoa_actors::value::Value;
use stoa_conventions::{RUNS, SOURCES};

/// What is asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub struct ResearchAsk {
    pub question: String,
    /// Files and folders, as they are to be cited.
    pub paths: Vec<PathBuf>,
    /// Researchers; a coordinator and a synthesiser come to them.
    pub agents: usize,
    /// Who thinks for researchers and synthesiser: `recipe`, or a model, which answers in its own words.
    pub model: String,
    /// Begin anew, whatever there is.
    pub fresh: bool,
}

/// Why research is not for everybody.
pub const READS: &str = "research reads files with the owner's rights";

/// What the owner types.
pub const RESEARCH: &str = "stoa research 'QUESTION' --files PATH";

/// Changes that are taken in at once.
const NEWS: usize = 64;

/// The space that knows of all runs.
const REGISTER: &str = "research-runs";

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
    let recipe = "stoa research 'QUESTION' --files PATH --model recipe";
    let found = models.find(&ask.model);
    let found = found.map_err(|text| Problem::new(ProblemKind::Invalid, text).hint(recipe))?;
    match LackingKey::of(&ask.model, &*found) {
        None => Ok(()),
        Some(lacking) => {
            let hint = format!("export {}=KEY", lacking.variable);
            Err(Problem::new(ProblemKind::Invalid, lacking).hint(hint))
        }
    }
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
        let answer = match self.wait(&attempt, look).await {
            Err(problem) if problem.kind == ProblemKind::Action => {
                // Who asks again begins anew: those that were stopped stay so.
                let known = self.known(register).await?;
                self.record(register, known.as_ref(), &attempt, &digest, "failed").await?;
                return Err(problem);
            }
            waited => waited?,
        };
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

    /// The answer, waited for as long as anybody works on it.
    async fn wait(
        &self,
        attempt: &Attempt,
        look: &mut (dyn FnMut(ResearchStep) + Send),
    ) -> Result<ReadAtom, Problem> {
        // Where drafts are looked at, all that is new may be one.
        let kind = ("kind".to_owned(), Value::from("answer"));
        let metadata = attempt.reviews.is_none().then_some(kind).into_iter().collect();
        let filter = Filter { metadata, ..Filter::default() };
        let mut news = self.caller.follow(attempt.findings, Position(0), filter)?;
        let runtime = self.caller.runtime();
        let mut often = tokio::time::interval(Duration::from_millis(self.limits.look_ms));
        loop {
            if let Some(answer) = self.answered(attempt).await? {
                return Ok(answer);
            }
            if self.review(attempt, false).await? {
                continue;
            }
            tokio::select! {
                () = news.rung() => drop(news.ready(NEWS).await?),
                _ = often.tick() => look(self.doing(attempt).await?),
                () = runtime.at_rest() => {
                    if self.review(attempt, true).await? {
                        continue;
                    }
                    return match self.answered(attempt).await? {
                        Some(answer) => Ok(answer),
                        None => Err(self.stuck(attempt).await?),
                    };
                }
            }
        }
    }

    /// The answer that is there. Where a model thinks, one that no agent has written.
    async fn answered(&self, attempt: &Attempt) -> Result<Option<ReadAtom>, Problem> {
        let metadata = Metadata::from([("kind".to_owned(), "answer".into())]);
        let (order, limit) =
            (SearchOrder::Newest, self.caller.runtime().config().limits.search.hits_max);
        let query = Query { metadata, limit, order, ..Query::default() };
        let mut all =
            self.caller.search(attempt.findings, query).await?.into_iter().map(|it| it.read);
        let by_the_run =
            |it: &ReadAtom| attempt.reviews.is_none() || it.atom.author == self.caller.session();
        Ok(all.rfind(by_the_run))
    }

    /// Nobody works, and there is no answer.
    async fn stuck(&self, attempt: &Attempt) -> Result<Problem, Problem> {
        let crew = self.crew(attempt).await?;
        // One cause is told once, however many agents it has stopped.
        let mut stopped: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
        for it in &crew {
            let Some(why) = it.why.as_deref().and_then(|it| it.lines().last()) else { continue };
            let name = it.name.as_deref().unwrap_or("an agent");
            stopped.entry((why, it.state.as_str())).or_default().push(name);
        }
        let told = stopped.iter().map(|((why, state), names)| match names.as_slice() {
            [name] => format!("{name} is {state}: {why}"),
            names => format!("{} agents are {state}: {why}", names.len()),
        });
        let why: Vec<String> = told.collect();
        let text = format!("the agents came to rest without an answer; {}", why.join("; "));
        Ok(Problem::new(ProblemKind::Action, text.trim_end_matches("; "))
            .hint(format!("stoa agent log {}", attempt.coordinator)))
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
        let mut citations: Vec<Citation> = match answer.atom.metadata.get("citations") {
            Some(Value::List(list)) => list.iter().filter_map(Citation::of).collect(),
            _ => Vec::new(),
        };
        let found = answer.atom.metadata.get("found") == Some(&Value::Bool(true));
        let sentences: Vec<AnswerSentence> = match answer.atom.metadata.get("sentences") {
            Some(Value::List(list)) => list.iter().filter_map(AnswerSentence::of).collect(),
            // Who quotes says what stands there.
            _ if found => citations.iter().map(AnswerSentence::quoted).collect(),
            _ => Vec::new(),
        };
        if citations.is_empty() {
            citations = sentences.iter().flat_map(|it| it.citations.clone()).collect();
        }
        let left_out = match answer.atom.metadata.get("left_out") {
            Some(Value::Int(number)) => u64::try_from(*number).unwrap_or(0),
            _ => 0,
        };
        let failed = match answer.atom.metadata.get("failed") {
            Some(Value::List(list)) => list.len() as u64,
            _ => 0,
        };
        Ok(Report {
            question: self.ask.question.clone(),
            found,
            text,
            sentences,
            citations,
            left_out,
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
