//! What several operations hand to code, and take from it.

use crate::agents::AgentCard;
use crate::answer::NOBODY_RUNS;
use crate::caller::Caller;
use crate::operation::{Answer, Out};
use crate::problem::Problem;
use crate::session::items::{self, raise};
use crate::session::refused;
use stoa_actors::code::{Item, Object, Raise};
use stoa_actors::id::SpaceId;
use stoa_actors::rights::{DM, Level};
use stoa_actors::search::OrderBy;
use stoa_actors::space::{Lease, Resource};
use stoa_actors::value::Value;

/// An atom by itself or its id, or the name of anything else.
pub(super) async fn resource(
    caller: &Caller,
    space: SpaceId,
    item: Option<Item>,
) -> Result<Resource, Raise> {
    match item {
        Some(Item::Value(Value::Text(name))) => {
            caller.resource(space, &name).await.map_err(refused)
        }
        Some(item @ Item::Object(_)) => items::id(&item).map(Resource::Atom),
        _ => Err(raise("TypeError", "a lease is of an atom, or of something with a name")),
    }
}

/// Says that no process runs the agents, where it is so and there are any.
pub(super) async fn nobody_runs<A: Answer>(
    caller: &Caller,
    any: bool,
    out: &Out<A>,
) -> Result<(), Problem> {
    match any && !caller.runtime().agents_started() {
        true => out.aside(NOBODY_RUNS).await,
        false => Ok(()),
    }
}

/// `"priority"`, or `["priority", "-created"]`.
pub(super) fn order(item: Option<Item>) -> Result<Vec<OrderBy>, Raise> {
    let wrong =
        || raise("TypeError", "order= takes keys, [\"priority\", \"-created\"] for instance");
    let by = |it: &Value| {
        let text = it.text().filter(|it| !it.is_empty()).ok_or_else(wrong)?;
        text.parse().map_err(|_| wrong())
    };
    match item.map(items::value).transpose()? {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::List(list)) => list.iter().map(by).collect(),
        Some(one) => Ok(vec![by(&one)?]),
    }
}

/// A lease as code sees it: plain data.
pub(super) fn lease_item(lease: &Lease) -> Item {
    let number = |it: u64| Item::Value(Value::Int(it as i64));
    let resource = match &lease.resource {
        Resource::Atom(id) => items::text(id),
        Resource::Name(name) => items::text(name),
    };
    Item::Map(vec![
        ("resource".into(), resource),
        ("token".into(), number(lease.token)),
        ("until".into(), number(lease.until.0)),
        ("holder".into(), items::text(lease.holder)),
        ("intent".into(), items::text(&lease.intent)),
    ])
}

/// An agent as its parent's code sees it.
pub(super) fn agent_item(card: &AgentCard) -> Item {
    Item::Object(Object {
        class: "Agent".into(),
        handle: u128::from_be_bytes(card.id.0),
        fields: vec![
            ("id".into(), items::text(card.id)),
            ("name".into(), items::text(card.name.as_deref().unwrap_or_default())),
            ("state".into(), items::text(&card.state)),
            (DM.into(), items::space(DM, card.dm, Level::Grant)),
        ],
    })
}
