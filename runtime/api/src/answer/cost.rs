//! What calls of models took.

use super::count;
use crate::agents::{CostBy, CostOf, CostSum};
use crate::caller::Caller;
use crate::envelope::instant;
use crate::operation::{Answer, Column, Line, Page, TextTable, Tone};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use stoa_actors::agent::BudgetUnit;
use stoa_actors::ending::shown;

/// Calls of models, added up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CostAnswer {
    /// By what: `agent`, `subtree`, `model`, `space` or `hour`.
    pub by: String,
    /// The id of the agent or the space, the name of the model, the beginning of the hour; nothing
    /// for what agents did at their birth.
    pub of: Option<String>,
    /// What the caller calls it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// How many calls.
    pub calls: u64,
    /// Of these, those of which nobody knows what they took.
    pub unknown: u64,
    /// Tokens that stand as spent.
    pub tokens: u64,
    /// Tokens that were sent, of the calls that are known.
    pub input: u64,
    /// Of these, those that were read from the provider's cache.
    pub cache_read: u64,
    /// Tokens that were said.
    pub output: u64,
    /// Of these, those of reasoning.
    pub reasoning: u64,
    /// Money that stands as spent; 0 where a model has no price.
    pub money: f64,
}

impl CostAnswer {
    /// As the caller sees it.
    pub fn of(caller: &Caller, by: CostBy, of: &CostOf, sum: &CostSum) -> CostAnswer {
        let (of, name) = match of {
            CostOf::Agent(it) => (Some(it.to_string()), caller.name_of(*it)),
            CostOf::Model(name) => (Some(name.clone()), Some(name.clone())),
            CostOf::Space(Some(it)) => (Some(it.to_string()), caller.name_of_space(*it)),
            CostOf::Space(None) => (None, None),
            CostOf::Hour(at) => (Some(instant(*at)), None),
        };
        CostAnswer {
            by: by.word().to_owned(),
            of,
            name,
            calls: sum.calls,
            unknown: sum.unknown,
            tokens: sum.spent.tokens,
            input: sum.usage.input,
            cache_read: sum.usage.cache_read,
            output: sum.usage.output,
            reasoning: sum.usage.reasoning,
            money: sum.spent.money as f64 / BudgetUnit::Money.whole() as f64,
        }
    }
}

/// In words: `3 calls, 1200 tokens, 0.05 in money`.
pub fn amounts(sum: &CostSum) -> String {
    let calls = count(sum.calls, "call", "calls");
    let money = BudgetUnit::Money.shown(sum.spent.money);
    format!("{calls}, {} tokens, {money} in money", sum.spent.tokens)
}

/// What things cost, one a line.
static COSTS: TextTable = TextTable {
    columns: &[
        Column::new("OF"),
        Column::number("CALLS"),
        Column::number("TOKENS"),
        Column::number("SENT").left_out(1),
        Column::number("CACHED").left_out(1),
        Column::number("SAID").left_out(1),
        Column::number("MONEY"),
    ],
    headed: true,
    tree: false,
};

impl Answer for CostAnswer {
    fn show(&self, to: &mut Page) {
        let of = match (&self.name, &self.of) {
            (Some(name), _) => name.clone(),
            // 2026-11-28T20:00:00Z, up to the hour.
            (None, Some(at)) if self.by == "hour" => match at.split_once('T') {
                Some((day, time)) => format!("{day} {} h UTC", time.get(..2).unwrap_or(time)),
                None => at.clone(),
            },
            (None, Some(id)) => shown(id).to_owned(),
            (None, None) => "not woken by a space".to_owned(),
        };
        let cells = [
            Line::new().bold(of),
            Line::new().plain(self.calls),
            Line::new().plain(self.tokens),
            Line::new().dim(self.input),
            Line::new().dim(self.cache_read),
            Line::new().dim(self.output),
            Line::new().plain(format!("{:.4}", self.money)),
        ];
        to.row(&COSTS, cells);
        if self.unknown > 0 {
            let calls = count(self.unknown, "call", "calls");
            let text = format!(
                "of {calls} nobody knows what was taken: the most stands as spent, where a budget \
                 bounds it"
            );
            to.detail(Line::new().piece(Tone::Warn, text));
        }
    }
}
