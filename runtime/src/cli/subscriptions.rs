//! What is typed about subscriptions, as what is asked.

use super::args::{FilterArgs, SubscriptionVerb};
use super::find::wanted;
use super::input::{reference, span};
use std::collections::BTreeMap;
use stoa_actors::id::{AtomId, Position};
use stoa_actors::space::{Edit, Filter};
use stoa_runtime::door::SubscriptionCall;
use stoa_runtime::problem::{Kind, Problem};

pub(super) fn subscription(verb: SubscriptionVerb) -> Result<SubscriptionCall, Problem> {
    Ok(match verb {
        SubscriptionVerb::Add { space, agent, filter, cursor, debounce, expires } => {
            let filter = self::filter(filter)?;
            let debounce_ms = debounce.as_deref().map(pause).transpose()?.unwrap_or(0);
            let lasts_ms = expires.as_deref().map(lasts).transpose()?;
            let cursor = cursor.map(Position);
            SubscriptionCall::Add { space, agent, filter, cursor, debounce_ms, lasts_ms }
        }
        SubscriptionVerb::List { space, agent, all } => {
            SubscriptionCall::List { space, agent, all }
        }
        SubscriptionVerb::Edit {
            name,
            agent,
            filter,
            everything,
            cursor,
            debounce,
            expires,
            forever,
        } => {
            let filter = Some(self::filter(filter)?);
            let filter = filter.filter(|it| everything || *it != Filter::default());
            let debounce_ms = debounce.as_deref().map(pause).transpose()?;
            let lasts_ms = expires.as_deref().map(lasts).transpose()?;
            let until = forever.then_some(None);
            let edit = Edit { filter, cursor: cursor.map(Position), debounce_ms, until };
            if edit == Edit::default() && lasts_ms.is_none() {
                let problem = Problem::new(Kind::Invalid, "nothing is said to be changed");
                return Err(problem.hint("stoa subscription edit ID --debounce 30s"));
            }
            SubscriptionCall::Edit { name, agent, edit, lasts_ms, keep: !everything }
        }
        SubscriptionVerb::Remove { name, agent } => SubscriptionCall::Remove { name, agent },
        SubscriptionVerb::Read { id, limit, lag_max, follow, ack: _ } => {
            SubscriptionCall::Read { id, limit, lag_max, follow }
        }
        SubscriptionVerb::Ack { id, cursor } => {
            SubscriptionCall::Acknowledge { id, cursor: Position(cursor) }
        }
    })
}

fn lasts(text: &str) -> Result<u64, Problem> {
    span(text, "--expires")
}

/// A time that may be nothing.
fn pause(text: &str) -> Result<u64, Problem> {
    if text == "0s" { Ok(0) } else { span(text, "--debounce") }
}

pub(super) fn filter(args: FilterArgs) -> Result<Filter, Problem> {
    let FilterArgs { types, meta, references } = args;
    Ok(Filter {
        types,
        metadata: wanted(&meta, "--meta")?,
        references: self::references(&references)?,
    })
}

/// `RELATION`, or `RELATION=ID`.
fn references(texts: &[String]) -> Result<BTreeMap<String, Vec<AtomId>>, Problem> {
    let mut out: BTreeMap<String, Vec<AtomId>> = BTreeMap::new();
    for text in texts {
        if !text.contains('=') && !text.is_empty() {
            out.entry(text.clone()).or_default();
            continue;
        }
        let (relation, id) = reference(text)?;
        out.entry(relation).or_default().push(id);
    }
    Ok(out)
}
