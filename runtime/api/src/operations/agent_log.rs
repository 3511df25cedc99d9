//! What an agent did.

use crate::answer::Happened;
use crate::caller::Caller;
use crate::operation::{Arg, Effect, How, Operation, Out, Right};
use crate::problem::Problem;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use stoa_actors::id::Position;

/// What an agent thought, did and saw, the oldest first
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AgentLog {
    /// Its name, or its id
    pub agent: String,
    /// Only what came after this position in the log
    #[serde(default)]
    pub after: u64,
    /// At most so many lines
    #[serde(default = "thousand")]
    pub limit: usize,
    /// Wait for more
    #[serde(default)]
    pub follow: bool,
}

fn thousand() -> usize {
    1_000
}

impl Operation for AgentLog {
    const NAME: &'static str = "agent log";
    const EFFECT: Effect = Effect::Reads;
    const RIGHT: Right = Right::Own;
    const ARGS: &'static [&'static [Arg]] = &[&[
        Arg::at("agent", How::Text),
        Arg::flag("after", "after", How::Number, "POSITION"),
        Arg::flag("limit", "limit", How::Number, "N"),
        Arg::switch("follow", "follow"),
    ]];
    type Answer = Happened;

    async fn perform(self, caller: &Caller, out: &Out<Happened>) -> Result<(), Problem> {
        let agent = caller.agent_named(&self.agent)?;
        // It rings for what comes after this, so nothing between two reads is missed.
        let bell = caller.runtime().agent(agent)?.face.watch();
        let (mut after, mut left) = (Position(self.after), self.limit);
        while left > 0 {
            let (told, upto) = caller.happened(agent.stream(), after, left).await?;
            let end = upto == after;
            (after, left) = (upto, left.saturating_sub(told.len()));
            out.all(told.into_iter().map(|it| Happened::of(caller, it))).await?;
            match (end, self.follow) {
                (true, false) => return Ok(()),
                (true, true) => bell.heard().await,
                (false, _) => {}
            }
        }
        Ok(())
    }
}
