//! What an agent did.

use super::tail::happenings_begin;
use crate::answer::Happened;
use crate::caller::Caller;
use crate::operation::{Arg, ArgForm, EffectKind, JsonLines, Operation, Out, RequiredRight};
use crate::problem::Problem;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use stoa_actors::id::Position;

/// Show what an agent thought, did and saw, oldest first
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
        Arg::flag("code", "code", ArgForm::Local, "").about("Show code and long texts in full"),
    ]];
    const LINES: JsonLines = JsonLines::Piped;
    const NONE: &'static str = "nothing yet";
    type Answer = Happened;

    async fn perform(self, caller: &Caller, out: &Out<Happened>) -> Result<(), Problem> {
        let agent = caller.agent_named(&self.agent)?;
        // It rings for what comes after this, so nothing between two reads is missed.
        let bell = caller.runtime().agent(agent)?.stream_head.watch();
        let limited = Some(self.limit).filter(|it| self.follow && *it != thousand());
        let (mut after, mut left, mut over) = (Position(self.after), self.limit, 0);
        if let Some(tail) = self.tail.or(limited) {
            (after, over) = happenings_begin(caller, agent, after, tail).await?;
            left = if tail == 0 && !self.follow { 0 } else { usize::MAX };
        }
        while left > 0 || self.follow {
            let piece = if self.follow { usize::MAX } else { left.saturating_add(over) };
            let (told, upto) = caller.happened(agent.stream(), after, piece).await?;
            let end = upto == after;
            let passed = over.min(told.len());
            (after, over) = (upto, over - passed);
            left = left.saturating_sub(told.len() - passed);
            let told = told.into_iter().skip(passed);
            out.all(told.map(|it| Happened::of(caller, it))).await?;
            match (end, self.follow) {
                (true, false) => return Ok(()),
                (true, true) => bell.heard().await,
                (false, _) => {}
            }
        }
        Ok(())
    }
}
