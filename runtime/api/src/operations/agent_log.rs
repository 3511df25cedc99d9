//! What an agent did.

use super::tail::happenings_begin;
use crate::answer::{AgentLine, Happened};
use crate::caller::Caller;
use crate::live::LiveReader;
use crate::operation::{Arg, ArgForm, EffectKind, JsonLines, Operation, Out, RequiredRight};
use crate::problem::Problem;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use stoa_actors::id::Position;

/// Show what an agent thought, did and saw, oldest first
///
/// With --live you also see what its model says while it says it. Nothing of that is stored: words that
/// come to no thought are withdrawn, and who reads too slowly is told how much is not shown.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AgentLog {
    /// The agent's name or id
    pub agent: String,
    /// Only entries after this position in the log
    #[serde(default)]
    pub after: u64,
    /// Maximum number of lines
    #[serde(default = "thousand")]
    pub limit: usize,
    /// Only the last N lines [default on a terminal: 100]
    #[serde(default)]
    pub tail: Option<usize>,
    /// Wait for new lines; with --limit or --tail, begin with the last N lines
    #[serde(default)]
    pub follow: bool,
    /// Follow, and show what its model is saying
    #[serde(default)]
    pub live: bool,
}

fn thousand() -> usize {
    1_000
}

impl Operation for AgentLog {
    const NAME: &'static str = "agent log";
    const EFFECT: EffectKind = EffectKind::Reads;
    const RIGHT: RequiredRight = RequiredRight::Own;
    const ARGS: &'static [&'static [Arg]] = &[&[
        Arg::at("agent", ArgForm::Text),
        Arg::flag("after", "after", ArgForm::Number, "POSITION"),
        Arg::flag("limit", "limit", ArgForm::Number, "N"),
        Arg::flag("tail", "tail", ArgForm::Number, "N").conflicts(&["limit"]),
        Arg::switch("follow", "follow"),
        Arg::switch("live", "live"),
        Arg::flag("code", "code", ArgForm::Local, "").about("Show code and long texts in full"),
    ]];
    const LINES: JsonLines = JsonLines::Piped;
    const NONE: &'static str = "nothing yet";
    type Answer = AgentLine;

    async fn perform(self, caller: &Caller, out: &Out<AgentLine>) -> Result<(), Problem> {
        let agent = caller.agent_named(&self.agent)?;
        // It rings for what comes after this, so nothing between two reads is missed.
        let bell = caller.runtime().agent(agent)?.stream_head.watch();
        let mut live = if self.live { Some(caller.live(&self.agent)?) } else { None };
        let follow = self.follow || self.live;
        let limited = Some(self.limit).filter(|it| follow && *it != thousand());
        let (mut after, mut left, mut over) = (Position(self.after), self.limit, 0);
        if let Some(tail) = self.tail.or(limited) {
            (after, over) = happenings_begin(caller, agent, after, tail).await?;
            left = if tail == 0 && !follow { 0 } else { usize::MAX };
        }
        while left > 0 || follow {
            let piece = if follow { usize::MAX } else { left.saturating_add(over) };
            let (told, upto) = caller.happened(agent.stream(), after, piece).await?;
            let end = upto == after;
            let passed = over.min(told.len());
            (after, over) = (upto, over - passed);
            left = left.saturating_sub(told.len() - passed);
            let told = told.into_iter().skip(passed);
            let told = told.map(|it| AgentLine::Happened(Box::new(Happened::of(caller, it))));
            // What is in the log was said before that.
            let said = live.as_mut().map(LiveReader::ready).unwrap_or_default();
            out.all(said.into_iter().map(|it| AgentLine::Live(it.into()))).await?;
            out.all(told).await?;
            match (end, follow) {
                (true, false) => return Ok(()),
                (true, true) => heard(bell.heard(), live.as_mut(), out).await?,
                (false, _) => {}
            }
        }
        Ok(())
    }
}

/// Waits for what comes next: in the log, or from its model, which is told at once.
async fn heard(
    bell: impl Future<Output = ()>,
    live: Option<&mut LiveReader>,
    out: &Out<AgentLine>,
) -> Result<(), Problem> {
    let Some(live) = live else {
        bell.await;
        return Ok(());
    };
    tokio::select! {
        biased;
        () = bell => Ok(()),
        said = live.next() => out.all(said.into_iter().map(|it| AgentLine::Live(it.into()))).await,
    }
}
