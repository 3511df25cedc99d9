//! The tools, and what is left to spend: calls of code that are about nothing that there is.

use super::args::Args;
use super::host_api::{HostApi, refused};
use super::items::{self, raise};
use crate::caller::Caller;
use crate::problem::{Problem, ProblemKind};
use crate::runtime::Runtime;
use crate::tool::{Repeat, Tool, ToolCall, ToolError};
use std::collections::BTreeMap;
use std::sync::Arc;
use stoa_actors::code::{HostCall, Item, Raise};
use stoa_actors::id::ROOT;
use stoa_actors::incarnation::Request;
use stoa_actors::log::Hash;
use stoa_actors::rights::{Level, Subject};
use stoa_actors::session::{Budget, BudgetUnit, Message, Reply, Session};
use stoa_actors::value::Value;

/// Why a right that is in the log has no effect.
const NOT_TRUSTED: &str = "the directory is not trusted on this machine";

impl Runtime {
    /// Whether a right that the log holds takes effect on this machine: what reaches outside the
    /// directory does only where the directory is trusted.
    pub fn takes_effect(&self, subject: &Subject) -> bool {
        self.shared().config.host_grants.cover(subject)
    }

    /// The same as a refusal that says what to do.
    pub(crate) fn needs_trust(&self, subject: &Subject) -> Result<(), Problem> {
        if self.takes_effect(subject) {
            return Ok(());
        }
        let text = format!("{subject} is not used here: {NOT_TRUSTED}");
        Err(Problem::new(ProblemKind::Forbidden, text).hint("stoa trust"))
    }

    /// Which tool goes by that name.
    pub(crate) fn tool(&self, name: &str) -> Option<Arc<dyn Tool>> {
        self.shared().config.tools.get(name)
    }
}

/// What the caller has left to spend: without a bound for who is no agent.
async fn left(caller: &Caller) -> Result<Budget, Problem> {
    let (runtime, session) = (&caller.runtime, caller.session());
    if caller.charter_of(session)?.is_none() {
        return Ok(Budget::default());
    }
    let address = runtime.kinds().actor::<Session>(runtime, session.stream())?;
    match address.ask(Request::new(ROOT, Message::Look)).await?.reply {
        Reply::State(state) => Ok(state.account().left()),
        reply => Err(Problem::new(ProblemKind::Store, format!("an unexpected answer: {reply:?}"))),
    }
}

impl HostApi {
    /// What the session has left to spend; `None` for a unit without a bound.
    pub async fn budget(&self, call: HostCall) -> Result<Item, Raise> {
        Args::none(call)?;
        let left = left(&self.caller).await.map_err(refused)?;
        let shown = |unit: BudgetUnit, left: u64| match unit.whole() {
            1 => Value::Int(left as i64),
            whole => Value::Float(left as f64 / whole as f64),
        };
        let unit = |(unit, left): (BudgetUnit, Option<u64>)| {
            (unit.name().to_owned(), left.map_or(Value::Null, |left| shown(unit, left)))
        };
        Ok(Item::Value(Value::Map(left.units().map(unit).into())))
    }

    /// An id that this very call draws again when it is made again.
    pub fn fresh(&self, number: u64) -> [u8; 16] {
        let name = format!("{} {} {number}", self.caller.session(), self.place());
        let mut id = [0; 16];
        id.copy_from_slice(&Hash::of(name.as_bytes()).0[..16]);
        id
    }

    pub(super) async fn tool(&mut self, call: HostCall, asked: Hash) -> Result<Item, Raise> {
        let subject = Subject::Tool(call.name.clone());
        if !self.caller.holds(&subject) {
            return Err(raise("NameError", format!("name '{}' is not defined", call.name)));
        }
        self.caller.runtime.needs_trust(&subject).map_err(refused)?;
        let tool = self.caller.runtime.tool(&call.name).ok_or_else(|| {
            raise("RuntimeError", format!("tool {} is not configured here", call.name))
        })?;
        let name = call.name;
        let call = ToolCall {
            key: format!("{}-{}", self.caller.session(), self.place()),
            args: call.args.into_iter().map(items::value).collect::<Result<_, _>>()?,
            kwargs: call
                .kwargs
                .into_iter()
                .map(|(name, item)| Ok((name, items::value(item)?)))
                .collect::<Result<BTreeMap<_, _>, Raise>>()?,
        };
        if let Some(notes) = &self.notes {
            notes.intend(self.calls, &name, asked).await?;
        }
        let said = tool.call(call).await;
        said.map(Item::Value).map_err(|ToolError(why)| raise("RuntimeError", why))
    }

    /// A call that was made before a crash, perhaps.
    pub(super) async fn tool_again(&mut self, call: HostCall, asked: Hash) -> Result<Item, Raise> {
        let repeat = self.caller.runtime.tool(&call.name).map(|it| it.repeat());
        let name = call.name.clone();
        let answer = match repeat {
            Some(Repeat::SameKey) => self.tool(call, asked).await,
            Some(Repeat::Ask) | None => Err(raise(
                "RuntimeError",
                format!("{name}() was cut off by a crash; whether it took effect is not known"),
            )),
        };
        if let Some(notes) = &self.notes {
            notes.answered((self.calls, &name), asked, &answer, true).await?;
        }
        answer
    }
}

/// `20` for so many thoughts, or units by name: `{"tokens": 50000, "money": 1.5}`.
pub fn budget(item: Item) -> Result<Budget, Raise> {
    let wrong = || {
        raise(
            "TypeError",
            "budget= takes thoughts as a number, or a dict, {\"thoughts\": 20, \"money\": 1.5} for instance",
        )
    };
    let number = |unit: BudgetUnit, value: &Value| match value {
        Value::Null => Ok(None),
        Value::Int(n) => {
            let n = u64::try_from(*n).ok().and_then(|n| n.checked_mul(unit.whole()));
            n.map(Some).ok_or_else(wrong)
        }
        // What is finer than it is counted is rounded.
        Value::Float(n) if unit.whole() > 1 && *n >= 0.0 && *n < 1e12 => {
            Ok(Some((n * unit.whole() as f64).round() as u64))
        }
        _ => Err(wrong()),
    };
    match items::value(item)? {
        Value::Map(mut units) => {
            let mut budget = Budget::default();
            for unit in BudgetUnit::ALL {
                let typed = units.remove(unit.name()).unwrap_or(Value::Null);
                *budget.place(unit) = number(unit, &typed)?;
            }
            if units.is_empty() { Ok(budget) } else { Err(wrong()) }
        }
        thoughts => {
            let thoughts = number(BudgetUnit::Thoughts, &thoughts)?;
            Ok(Budget { thoughts, ..Budget::default() })
        }
    }
}

/// The level that code named, if it named one.
///
/// Errors: `ValueError` for a word that is no level.
pub fn level(text: Option<String>) -> Result<Option<Level>, Raise> {
    text.map(|it| it.parse().map_err(|error| raise("ValueError", error))).transpose()
}

/// The exception of a level that is missing, or is none.
pub fn wants_level(what: &str) -> Raise {
    raise("TypeError", format!("{what} takes read, append, write or grant"))
}
