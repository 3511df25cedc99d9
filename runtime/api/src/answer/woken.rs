//! Who hears of what was written.

use super::agent::go_on;
use super::count;
use crate::caller::Caller;
use crate::operation::{Line, Page, Tone};
use crate::problem::Problem;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use stoa_actors::ending::shown;

/// What people are told where no process runs the agents, with what to type.
pub const NOBODY_RUNS: &str = "nobody runs your agents: `stoa serve`";

/// Names that one line shows.
const NAMES_SHOWN: usize = 5;

/// The agents that hear of what was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WokenAnswer {
    /// How many, of those that the caller may know of.
    pub agents: u64,
    /// There may be more: so many were looked at.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub more: bool,
    /// The names that the caller has for them.
    pub names: Vec<String>,
    /// Agents that follow it and are not woken: what state keeps them from it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub held: Vec<HeldAnswer>,
    /// Whether a process runs them; if not they hear of it once one does.
    pub run: bool,
}

/// An agent that follows a space, and that nothing wakes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HeldAnswer {
    /// The id of its session.
    pub id: String,
    /// What the caller calls it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// `parked`, `stopped`, `exhausted` or `quarantined`.
    pub state: String,
}

impl WokenAnswer {
    /// Of what the caller has written in this request; nothing where nobody hears of it.
    pub(crate) async fn of(caller: &Caller) -> Result<Option<WokenAnswer>, Problem> {
        Ok(caller.woken().await?.map(|woken| {
            let mut names: Vec<String> =
                woken.agents.iter().filter_map(|it| caller.name_of(*it)).collect();
            names.sort();
            let held = woken.held.iter().map(|(agent, state)| HeldAnswer {
                id: agent.to_string(),
                name: caller.name_of(*agent),
                state: (*state).to_owned(),
            });
            WokenAnswer {
                agents: woken.agents.len() as u64,
                more: woken.more,
                names,
                held: held.collect(),
                run: woken.run,
            }
        }))
    }

    /// For people, beside the answer.
    pub(crate) fn show(&self, to: &mut Page) {
        for it in self.held.iter().take(NAMES_SHOWN) {
            let name = it.name.as_deref().unwrap_or_else(|| shown(&it.id));
            let line = Line::new().plain("note: ").bold(name).plain(" follows it and is ");
            let line = line.piece(Tone::Warn, &it.state);
            to.aside(
                line.plain(format!(", so it is not woken: `{}`", go_on(&it.state, name, None))),
            );
        }
        if self.held.len() > NAMES_SHOWN {
            let more = self.held.len() - NAMES_SHOWN;
            to.aside(
                Line::new().plain(format!("note: {more} more are not woken: `stoa agent list`")),
            );
        }
        if self.agents == 0 {
            return;
        }
        let agents = count(self.agents, "agent", "agents");
        let least = if self.more { " or more" } else { "" };
        let mut names: Vec<&str> = self.names.iter().map(String::as_str).collect();
        let others = self.agents as usize - names.len().min(NAMES_SHOWN);
        names.truncate(NAMES_SHOWN);
        let mut who = names.join(", ");
        if !who.is_empty() {
            if others > 0 {
                who = format!("{who} and {others} more");
            }
            who = format!(": {who}");
        }
        match self.run {
            true => to.aside(Line::new().plain(format!("note: wakes {agents}{least}{who}"))),
            false => {
                let line =
                    Line::new().plain(format!("note: {agents}{least} would be woken{who}; "));
                to.aside(line.piece(Tone::Warn, NOBODY_RUNS));
            }
        }
    }
}
