//! What models cost.

use crate::agents::{CostBy, CostSum};
use crate::answer::{CostAnswer, amounts};
use crate::caller::Caller;
use crate::operation::{Arg, ArgForm, EffectKind, Operation, Out, RequiredRight, Span};
use crate::problem::{Problem, ProblemKind};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use stoa_actors::id::Millis;

/// Show what the calls of models took
///
/// Of your agents and those under them, also of those that are wiped. A call of which nobody knows
/// what it took, for a crash or a broken connection has cut it off, counts with all that it may have
/// taken. Money is in the currency in which you have written the prices.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cost {
    /// This agent and those under it alone
    #[serde(default)]
    pub agent: Option<String>,
    /// For each agent, subtree, model, space or hour
    #[serde(default = "by_agent")]
    pub by: String,
    /// Of the last so long alone, 24h for instance
    #[serde(default)]
    pub within: Option<Span>,
}

fn by_agent() -> String {
    CostBy::Agent.word().to_owned()
}

impl Operation for Cost {
    const NAME: &'static str = "cost";
    const EFFECT: EffectKind = EffectKind::Reads;
    const RIGHT: RequiredRight = RequiredRight::Own;
    const ARGS: &'static [&'static [Arg]] = &[&[
        Arg::at("agent", ArgForm::Text),
        Arg::flag("by", "by", ArgForm::Text, "WHAT"),
        Arg::flag("within", "within", ArgForm::Text, "TIME"),
    ]];
    const NONE: &'static str = "no model was called";
    type Answer = CostAnswer;

    async fn perform(self, caller: &Caller, out: &Out<CostAnswer>) -> Result<(), Problem> {
        let by = CostBy::ALL.into_iter().find(|it| it.word() == self.by).ok_or_else(|| {
            let words: Vec<&str> = CostBy::ALL.iter().map(|it| it.word()).collect();
            let text = format!("--by {:?} is none of {}", self.by, words.join(", "));
            Problem::new(ProblemKind::Invalid, text).hint("--by subtree")
        })?;
        let of = self.agent.as_deref().map(|it| caller.agent_named(it)).transpose()?;
        let now = caller.runtime().now();
        let since = self.within.map_or(Millis(0), |it| Millis(now.0.saturating_sub(it.0)));
        let costs = caller.costs(by, of, since).await?;
        let mut each: Vec<_> = costs.each.into_iter().collect();
        // What costs most stands first; hours one after the other.
        if by != CostBy::Hour {
            let most = |it: &CostSum| (it.spent.money, it.spent.tokens, it.calls);
            each.sort_by_key(|(_, sum)| std::cmp::Reverse(most(sum)));
        }
        let several = each.len() > 1;
        for (of, sum) in each {
            out.tell(CostAnswer::of(caller, by, &of, &sum)).await?;
        }
        match several {
            true => out.aside(format!("all together: {}", amounts(&costs.all))).await,
            false => Ok(()),
        }
    }
}
