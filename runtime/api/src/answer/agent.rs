//! An agent, and what it did.

use super::change::Actor;
use super::count;
use super::happens::{self, HAPPENS};
use crate::agents::{AgentCard, AgentEvent};
use crate::caller::Caller;
use crate::envelope::instant;
use crate::operation::{Answer, Column, Line, Page, TextTable, Tone, Units};
use crate::problem::{Problem, ProblemKind, enough, quoted};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use stoa_actors::agent::{Budget, BudgetUnit, Spent};
use stoa_actors::ending::{short_ids, shown};

/// So much spent, by unit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Spending {
    /// Calls of a model.
    pub thoughts: u64,
    /// Tokens, as the model reports them; of a call that was cut off, all that it might have taken.
    pub tokens: u64,
    /// What the calls cost, in the currency that prices are in; 0 where a model has no price.
    pub money: f64,
    /// Seconds that models and actions took, where they are bounded.
    pub seconds: f64,
    /// Turns that were begun.
    pub turns: u64,
    /// Agents brought up.
    pub spawns: u64,
}

impl From<Spent> for Spending {
    fn from(spent: Spent) -> Spending {
        let whole = |unit: BudgetUnit, n: u64| n as f64 / unit.whole() as f64;
        Spending {
            thoughts: spent.thoughts,
            tokens: spent.tokens,
            money: whole(BudgetUnit::Money, spent.money),
            seconds: whole(BudgetUnit::Seconds, spent.ms),
            turns: spent.turns,
            spawns: spent.spawns,
        }
    }
}

/// A space that wakes an agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Followed {
    /// The id of the space.
    pub space: String,
    /// Up to where it has seen it.
    pub cursor: u64,
}

/// How an agent's turns have failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Failed {
    /// Why the last one failed; the end of it where that is long.
    pub text: String,
    /// When it failed, as RFC 3339.
    pub at: String,
    /// The number of the turn that failed.
    pub turn: u64,
    /// How many have failed in a row: none between them has changed or said anything. 0 once one
    /// has, or the agent was resumed.
    pub in_a_row: u32,
    /// When the first of the row failed.
    pub since: String,
    /// When it is tried again; null where it is not.
    pub next_try: Option<String>,
}

impl Failed {
    /// What a card says of it.
    pub fn of(card: &AgentCard) -> Option<Failed> {
        let it = card.trouble.as_ref()?;
        Some(Failed {
            text: it.why.clone(),
            at: instant(it.at),
            turn: it.turn,
            in_a_row: it.in_a_row,
            since: instant(it.since),
            next_try: card.next_try.filter(|_| card.state == "waiting").map(instant),
        })
    }

    /// In one line, without the name of the agent.
    pub fn shown(&self, to: &Page) -> String {
        let (at, since) = (to.time(&self.at), to.time(&self.since));
        let last = self.text.lines().rev().find(|it| !it.trim().is_empty()).unwrap_or_default();
        let mut text = match self.in_a_row {
            0 => format!("turn {} failed {at}, and a later one went well", self.turn),
            1 => format!("turn {} failed {at}", self.turn),
            many => {
                format!("{many} turns failed in a row, the first {since}, the last {at}")
            }
        };
        if let Some(next) = &self.next_try {
            text = format!("{text}; next try {}", to.time(next));
        }
        format!("{text}: {}", last.trim())
    }
}

/// An agent, as lists and trees show it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AgentAnswer {
    /// The id of the session that the agent is.
    pub id: String,
    /// What its parent calls it.
    pub name: Option<String>,
    /// Who spawned it.
    pub parent: String,
    /// What the caller calls that one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_name: Option<String>,
    /// How deep it stands in the tree.
    pub depth: u32,
    /// `unborn`, `idle`, `running`, `deferred`, `suspended`, `waiting`, `parked`, `stopped`,
    /// `exhausted`, `quarantined` or `wiped`. In a turn that no process runs it is `suspended`, and in
    /// one whose model is to be asked again later `deferred`.
    pub state: String,
    /// Why it is in that state, where there is something to say.
    pub why: Option<String>,
    /// When its model is asked again, as RFC 3339, where that is put off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deferred_until: Option<String>,
    /// How its turns have failed last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<Failed>,
    /// Who thinks for it.
    pub model: String,
    /// What it was told to do.
    pub task: String,
    /// Turns it has begun.
    pub turns: u64,
    /// What it has left to spend.
    pub left: Units,
    /// What it has spent.
    pub spent: Spending,
    /// The space it shares with its parent.
    pub dm: String,
    /// When it was spawned.
    pub born: String,
    /// The spaces that wake it.
    pub follows: Vec<Followed>,
}

impl AgentAnswer {
    /// As the caller sees it.
    pub fn of(caller: &Caller, card: AgentCard, depth: u32) -> AgentAnswer {
        let follows = card.follows.iter();
        let failed = Failed::of(&card);
        AgentAnswer {
            failed,
            id: card.id.to_string(),
            name: card.name,
            parent: card.parent.to_string(),
            parent_name: caller.name_of(card.parent),
            depth,
            deferred_until: card.next_try.filter(|_| card.state == "deferred").map(instant),
            state: card.state,
            why: card.why,
            model: card.model,
            task: card.task,
            turns: card.turns,
            left: card.left.into(),
            spent: card.spent.into(),
            dm: card.dm.to_string(),
            born: instant(card.born),
            follows: follows
                .map(|(space, cursor)| Followed { space: space.to_string(), cursor: cursor.0 })
                .collect(),
        }
    }
}

/// Agents, one a line.
static AGENTS: TextTable = TextTable {
    columns: &[
        Column::new("NAME"),
        Column::new("STATE"),
        Column::number("TURNS").left_out(2),
        Column::new("ID").left_out(1),
        Column::new("TASK").cut_to(10).left_out(3),
    ],
    headed: true,
    tree: true,
};

/// What lets an agent go on that its state keeps from it.
pub(super) fn go_on(state: &str, name: &str, why: Option<&str>) -> String {
    let more = match (state, why) {
        ("exhausted", Some(why)) => format!(" --budget {}", enough(why)),
        // Of which unit is told there.
        ("exhausted", None) => return format!("stoa agent show {}", quoted(name)),
        _ => String::new(),
    };
    format!("stoa agent resume {}{more}", quoted(name))
}

/// What the state of an agent means to who looks on.
fn tone(state: &str) -> Tone {
    match state {
        "running" => Tone::Good,
        "deferred" | "suspended" | "waiting" | "parked" | "stopped" | "exhausted" => Tone::Warn,
        "quarantined" => Tone::Bad,
        "unborn" => Tone::New,
        _ => Tone::Plain,
    }
}

impl AgentAnswer {
    /// Why a command fails that has waited for this agent: its last turns have failed.
    pub fn failure_of_its_own(&self) -> Option<Problem> {
        let failed = self.failed.as_ref().filter(|it| it.in_a_row > 0)?;
        let name = self.name.as_deref().unwrap_or(&self.id);
        let last = failed.text.lines().rev().find(|it| !it.trim().is_empty()).unwrap_or_default();
        let how = if self.state == "quarantined" { "is quarantined" } else { "has failed" };
        let text = format!("agent {} {how}: {}", quoted(name), last.trim());
        Some(
            Problem::new(ProblemKind::Action, text)
                .hint(format!("stoa agent log {}", quoted(name))),
        )
    }
}

impl Answer for AgentAnswer {
    fn show(&self, to: &mut Page) {
        let name = self.name.as_deref().unwrap_or_else(|| shown(&self.id));
        let task = self.task.lines().next().unwrap_or_default();
        let cells = [
            Line::new().bold(name),
            Line::new().piece(tone(&self.state), &self.state),
            Line::new().plain(self.turns),
            Line::new().dim(shown(&self.id)),
            Line::new().plain(short_ids(task)),
        ];
        to.branch(&AGENTS, self.depth, cells);
        if let Some(failed) = &self.failed {
            let tone = if failed.in_a_row > 0 { Tone::Bad } else { Tone::Dim };
            let shown = failed.shown(to);
            to.detail(Line::new().piece(tone, shown));
        }
        // Why a turn is tried again, or no more, is said by how it failed.
        let said = self.failed.is_some() && matches!(&*self.state, "waiting" | "quarantined");
        if let Some(why) = self.why.as_ref().filter(|_| !said) {
            let why = why.lines().last().unwrap_or_default();
            match &self.deferred_until {
                Some(until) => {
                    let when = to.time(until);
                    to.detail(
                        Line::new()
                            .piece(Tone::Warn, format!("asks its model again {when}: {why}")),
                    );
                }
                None => to.detail(Line::new().dim(why)),
            }
        }
        if matches!(&*self.state, "parked" | "stopped" | "exhausted" | "quarantined") {
            let line = Line::new().dim("goes on with ");
            to.detail(line.plain(format!("`{}`", go_on(&self.state, name, self.why.as_deref()))));
        }
        let mut indented = |text: &str| to.detail(Line::new().dim(text));
        let left = Budget::from(self.left);
        if !left.is_unbounded() {
            indented(&format!("left: {left}"));
        }
    }
}

/// What is not said of what an agent did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NoRefs {}

/// What an agent did, in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Words {
    /// What was thought, run, seen or refused.
    pub text: String,
    /// The code in it, where some was run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
}

/// What an agent did, in the envelope of changes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Happened {
    /// What to go on after.
    pub cursor: u64,
    /// When it was written, as RFC 3339.
    pub ts: String,
    /// What happened: `turn.began`, …
    #[serde(rename = "type")]
    pub kind: String,
    /// The session that did it.
    pub actor: Actor,
    /// Always empty: what happened names no atom.
    pub refs: NoRefs,
    /// What happened, in words.
    pub body: Words,
}

impl Happened {
    /// As the caller sees it.
    pub fn of(caller: &Caller, it: AgentEvent) -> Happened {
        Happened {
            cursor: it.position.0,
            ts: instant(it.at),
            kind: it.kind,
            actor: Actor::of(caller, it.agent),
            refs: NoRefs {},
            body: Words { text: it.text, code: it.code },
        }
    }
}

/// How Python begins to tell what was raised, which it names in its last line.
const TRACEBACK: &str = "Traceback (most recent call last):";

/// The first line of a text, or what a traceback says was raised; and how many more there are.
fn folded(text: &str) -> String {
    let lines: Vec<&str> = text.lines().filter(|it| !it.trim().is_empty()).collect();
    let (Some(first), Some(last)) = (lines.first(), lines.last()) else { return String::new() };
    let told = match first.strip_suffix(TRACEBACK) {
        Some(before) => format!("{before}{}", last.trim()),
        None => (*first).to_owned(),
    };
    match lines.len() - 1 {
        0 => told,
        more => format!("{told} (+{})", count(more as u64, "line", "lines")),
    }
}

impl Happened {
    /// What was said besides the code, and the code.
    fn said(&self) -> (&str, Option<&str>) {
        let Some(code) = self.body.code.as_deref() else { return (&self.body.text, None) };
        let said = self.body.text.strip_suffix(code.trim()).unwrap_or(&self.body.text);
        (said.trim_end(), Some(code))
    }
}

impl Answer for Happened {
    fn show(&self, to: &mut Page) {
        let (said, code) = self.said();
        let code_lines = code.map(|it| count(it.trim().lines().count() as u64, "line", "lines"));
        let mut words = Line::new().plain(short_ids(&folded(said)));
        if let Some(lines) = code_lines {
            let gap = if said.is_empty() { "" } else { "  " };
            words = words.dim(format!("{gap}{lines} of code"));
        }
        let when = to.time(&self.ts);
        let cells = [
            Line::new().dim(self.cursor),
            Line::new().dim(when),
            Line::new().plain(self.actor.shown()),
            happens::kind(&self.kind),
            Line::new(),
            words,
        ];
        to.row(&HAPPENS, cells);
        if to.code && self.body.text.trim().contains('\n') {
            let indented = self.body.text.trim_end().lines().map(|it| format!("    {it}\n"));
            to.text(indented.collect::<String>());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_traceback_is_told_by_what_was_raised() {
        let raised =
            "turn 1: Traceback (most recent call last):\n  in <module>\n  ValueError: x\n\n";
        assert_eq!(folded(raised), "turn 1: ValueError: x (+2 lines)");
        assert_eq!(folded("\none\n two \n"), "one (+1 line)");
        assert_eq!(folded("one"), "one");
        assert_eq!(folded(" \n"), "");
    }
}
