//! What the operations of subscriptions share.

use crate::caller::{Caller, SubscriptionCard};
use crate::problem::{Problem, ProblemKind};
use crate::session::items::{self, raise};
use crate::session::{Args, HostApi, refused};
use stoa_actors::code::{Item, Raise};
use stoa_actors::id::{Position, SpaceId, SubscriptionId};
use stoa_actors::session::FollowSpec;
use stoa_actors::space::{Edit, Filter};
use stoa_actors::value::Value;

/// An agent under the caller, as itself.
pub(super) fn as_agent(caller: &Caller, name: &str) -> Result<Caller, Problem> {
    Ok(caller.runtime().caller(caller.agent_named(name)?))
}

/// An agent, and a space as the caller calls it.
pub(super) fn agents(
    caller: &Caller,
    agent: &str,
    space: &str,
) -> Result<(Caller, SpaceId), Problem> {
    let agent = as_agent(caller, agent)?;
    let space =
        caller.resolve(space).or_else(|problem| agent.resolve(space).map_err(|_| problem))?;
    Ok((agent, space))
}

pub(super) async fn follows(
    agent: &Caller,
    space: SpaceId,
    follow: FollowSpec,
) -> Result<(), Problem> {
    let address = agent.runtime().agent(agent.session())?;
    agent.follow_as_agent(&address, space, follow).await
}

pub(super) async fn followed(agent: &Caller, space: SpaceId) -> Result<SubscriptionCard, Problem> {
    agent.followed().await?.into_iter().find(|it| it.space == space).ok_or_else(|| {
        let text = format!("the agent does not follow space {space}");
        let hint = format!("stoa subscription list --agent {}", agent.session());
        Problem::new(ProblemKind::Unknown, text).hint(hint)
    })
}

pub(super) fn subscription_id(args: &mut Args) -> Result<Option<SubscriptionId>, Raise> {
    let id = args.text("id")?;
    id.map(|it| it.parse().map_err(|error| raise("ValueError", error))).transpose()
}

pub(super) fn needed(id: Option<SubscriptionId>) -> Result<SubscriptionId, Raise> {
    id.ok_or_else(|| raise("TypeError", "which? give the id that subscribe() returned"))
}

/// A subscription as code sees it.
pub(super) fn item(card: &SubscriptionCard) -> Item {
    let Filter { types, metadata, references } = &card.filter;
    let references = references.iter().map(|(relation, targets)| {
        (relation.clone(), Item::List(targets.iter().map(items::text).collect()))
    });
    let number = |it: u64| Item::Value(Value::Int(it as i64));
    let or_none = |it: Option<Item>| it.unwrap_or(items::none());
    Item::Map(vec![
        ("id".into(), or_none(card.id.map(items::text))),
        ("types".into(), Item::List(types.iter().map(items::text).collect())),
        ("metadata".into(), Item::Value(Value::Map(metadata.clone()))),
        ("references".into(), Item::Map(references.collect())),
        ("cursor".into(), number(card.cursor.0)),
        ("behind".into(), number(card.behind)),
        ("debounce_ms".into(), number(card.terms.debounce_ms)),
        ("until".into(), or_none(card.terms.until.map(|it| number(it.0)))),
    ])
}

/// The agent's own subscription of a space.
pub(super) async fn own(api: &HostApi, space: SpaceId) -> Result<SubscriptionCard, Raise> {
    let all = api.caller.followed().await.map_err(refused)?;
    let found = all.into_iter().find(|it| it.space == space);
    found.ok_or_else(|| raise("LookupError", "you do not follow this space"))
}

/// `types=`, `metadata=`, `references=`, `cursor=`, `debounce=`, `expires=`.
pub(super) async fn edit(api: &HostApi, args: &mut Args) -> Result<Edit, Raise> {
    let metadata = args.take("metadata").map(items::metadata).transpose()?;
    let types = args.take("types").map(items::value).transpose()?;
    let types = match types {
        None | Some(Value::Null) => None,
        Some(Value::List(list)) => {
            let text = |it: &Value| it.text().map(str::to_owned);
            let texts: Option<Vec<String>> = list.iter().map(text).collect();
            Some(texts.ok_or_else(|| raise("TypeError", "types= takes a list of texts"))?)
        }
        Some(_) => return Err(raise("TypeError", "types= takes a list of texts")),
    };
    let cursor = args.number("cursor")?.map(Position);
    let references = match args.take("references") {
        Some(item) => Some(api.references(Some(item), &Default::default()).await?),
        None => None,
    };
    let said = metadata.is_some() || types.is_some() || references.is_some();
    let filter = said.then(|| Filter {
        types: types.unwrap_or_default(),
        metadata: metadata.unwrap_or_default(),
        references: references.unwrap_or_default(),
    });
    let debounce_ms = args.take("debounce").map(|it| Args::span_of("debounce", it)).transpose()?;
    let until = match args.take("expires") {
        None => None,
        Some(Item::Value(Value::Null)) => Some(None),
        Some(item) => {
            let ms = Args::span_of("expires", item)?;
            Some(Some(api.caller.after(ms).map_err(refused)?))
        }
    };
    Ok(Edit { filter, cursor, debounce_ms, until })
}
