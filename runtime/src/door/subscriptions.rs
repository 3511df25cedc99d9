//! The verbs of subscriptions as messages.

use super::answer::{Answer, Out};
use super::perform::tell_mismatches;
use crate::caller::{Caller, Pulled, SubscriptionCard};
use crate::problem::{Kind, Problem};
use serde::{Deserialize, Serialize};
use stoa_actors::id::{Millis, Position, SpaceId, SubscriptionId};
use stoa_actors::session::Follow;
use stoa_actors::space::{Edit, Filter, Terms};

/// What is asked of subscriptions. With an agent it is one of its, which is named by its space.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the fields are those of the verb, told in its own help")]
pub enum SubscriptionCall {
    Add {
        space: String,
        agent: Option<String>,
        filter: Filter,
        cursor: Option<Position>,
        debounce_ms: u64,
        /// For how long, by the owner's clock; nothing for ever.
        lasts_ms: Option<u64>,
    },
    List {
        space: Option<String>,
        agent: Option<String>,
        all: bool,
    },
    Edit {
        name: String,
        agent: Option<String>,
        edit: Edit,
        /// For how long from now on, by the owner's clock; nothing leaves it as it is.
        lasts_ms: Option<u64>,
        /// What the filter does not name stays as it is; without, it is the whole filter.
        keep: bool,
    },
    Remove {
        name: String,
        agent: Option<String>,
    },
    Read {
        id: SubscriptionId,
        limit: usize,
        lag_max: usize,
        follow: bool,
    },
    Acknowledge {
        id: SubscriptionId,
        cursor: Position,
    },
}

pub(super) async fn perform(
    caller: &Caller,
    call: SubscriptionCall,
    out: &Out,
) -> Result<(), Problem> {
    let runtime = &caller.runtime;
    let one = async |card| out.tell(Answer::Subscription(Box::new(card))).await;
    match call {
        SubscriptionCall::Add { space, agent: None, filter, cursor, debounce_ms, lasts_ms } => {
            let terms = terms(caller, debounce_ms, lasts_ms)?;
            let space = caller.resolve(&space)?;
            let wanted = filter.metadata.clone();
            let id = caller.subscribe(space, filter, cursor, terms).await?;
            tell_mismatches(caller, space, &wanted, out).await?;
            one(caller.subscription(id).await?).await
        }
        SubscriptionCall::Add {
            space,
            agent: Some(agent),
            filter,
            cursor,
            debounce_ms,
            lasts_ms,
        } => {
            let terms = terms(caller, debounce_ms, lasts_ms)?;
            let (agent, space) = agents(caller, &agent, &space)?;
            let head = runtime.store().head_of_stream(space.stream())?;
            let follow = Follow { filter, cursor: cursor.unwrap_or(head), terms };
            follows(&agent, space, follow).await?;
            one(followed(&agent, space).await?).await
        }
        SubscriptionCall::List { space, agent, all } => {
            let space = space.map(|it| caller.resolve(&it)).transpose()?;
            let mut cards = match agent {
                Some(agent) => as_agent(caller, &agent)?.followed().await?,
                None if all => caller.all_subscriptions(space).await?,
                None => caller.subscriptions(space).await?,
            };
            cards.retain(|it| space.is_none_or(|space| space == it.space));
            for card in cards {
                one(card).await?;
            }
            Ok(())
        }
        SubscriptionCall::Edit { name, agent: None, mut edit, lasts_ms, keep } => {
            edit.until = until(caller, &edit, lasts_ms)?;
            let id = named(&name)?;
            if keep && let Some(filter) = edit.filter.take() {
                edit.filter = Some(filter.or(caller.subscription(id).await?.filter));
            }
            one(caller.edit_subscription(id, edit).await?).await
        }
        SubscriptionCall::Edit { name, agent: Some(agent), mut edit, lasts_ms, keep } => {
            edit.until = until(caller, &edit, lasts_ms)?;
            if edit.cursor.is_some() {
                let text = "an agent's cursor goes by its turns, and is not set";
                return Err(Problem::new(Kind::Invalid, text).hint("stoa agent say AGENT TEXT"));
            }
            let (agent, space) = agents(caller, &agent, &name)?;
            let SubscriptionCard { filter, cursor, terms, .. } = followed(&agent, space).await?;
            let terms = edit.terms(&terms);
            let filter = match edit.filter {
                Some(new) if keep => new.or(filter),
                new => new.unwrap_or(filter),
            };
            follows(&agent, space, Follow { filter, cursor, terms }).await?;
            one(followed(&agent, space).await?).await
        }
        SubscriptionCall::Remove { name, agent: None } => {
            caller.unsubscribe(named(&name)?).await?;
            out.tell(Answer::Unsubscribed).await
        }
        SubscriptionCall::Remove { name, agent: Some(agent) } => {
            let (agent, space) = agents(caller, &agent, &name)?;
            followed(&agent, space).await?;
            agent.unfollow_as_agent(&runtime.agent(agent.session())?, space).await?;
            out.tell(Answer::Unsubscribed).await
        }
        SubscriptionCall::Read { id, limit, lag_max, follow } => {
            read(caller, id, limit, lag_max, follow, out).await
        }
        SubscriptionCall::Acknowledge { id, cursor } => {
            one(caller.acknowledge(id, cursor).await?).await
        }
    }
}

/// Terms by the owner's clock.
fn terms(caller: &Caller, debounce_ms: u64, lasts_ms: Option<u64>) -> Result<Terms, Problem> {
    let until = lasts_ms.map(|ms| caller.after(ms)).transpose()?;
    Ok(Terms { debounce_ms, until })
}

/// When it ends, if that is to be another.
fn until(
    caller: &Caller,
    edit: &Edit,
    lasts_ms: Option<u64>,
) -> Result<Option<Option<Millis>>, Problem> {
    let until = lasts_ms.map(|ms| caller.after(ms)).transpose()?;
    Ok(until.map(Some).or(edit.until))
}

async fn read(
    caller: &Caller,
    id: SubscriptionId,
    limit: usize,
    lag_max: usize,
    follow: bool,
    out: &Out,
) -> Result<(), Problem> {
    let mut puller = caller.pull(id).await?;
    // In pieces: what is held in memory at once does not grow with what is asked for.
    let most = caller.runtime.shared().config.history_changes_max;
    let (mut left, mut read) = (limit, None);
    loop {
        let pulled = match left.min(most) {
            piece if follow => Some(puller.next(piece, lag_max).await?),
            0 => None,
            piece => puller.ready(piece, lag_max).await?,
        };
        let Some(Pulled { changes, marker, cursor }) = pulled else { break };
        left = if marker.is_some() { 0 } else { left.saturating_sub(changes.len()) };
        out.all(changes.into_iter().map(Answer::Change)).await?;
        out.all(marker.map(Answer::Lag).into_iter()).await?;
        read = Some(Answer::Read { id, cursor });
        if follow {
            out.all(read.take().into_iter()).await?;
            left = limit;
        }
    }
    out.all(read.into_iter()).await
}

fn named(name: &str) -> Result<SubscriptionId, Problem> {
    name.parse().map_err(|_| {
        let text = format!("{name:?} is no subscription; one of an agent is named by its space");
        Problem::new(Kind::Invalid, text).hint("stoa subscription list")
    })
}

/// An agent under the caller, as itself.
fn as_agent(caller: &Caller, name: &str) -> Result<Caller, Problem> {
    Ok(caller.runtime.caller(caller.agent_named(name)?))
}

/// An agent, and a space as the caller calls it.
fn agents(caller: &Caller, agent: &str, space: &str) -> Result<(Caller, SpaceId), Problem> {
    let agent = as_agent(caller, agent)?;
    let space =
        caller.resolve(space).or_else(|problem| agent.resolve(space).map_err(|_| problem))?;
    Ok((agent, space))
}

async fn follows(agent: &Caller, space: SpaceId, follow: Follow) -> Result<(), Problem> {
    let seat = agent.runtime.agent(agent.session())?;
    agent.follow_as_agent(&seat, space, follow).await
}

async fn followed(agent: &Caller, space: SpaceId) -> Result<SubscriptionCard, Problem> {
    agent.followed().await?.into_iter().find(|it| it.space == space).ok_or_else(|| {
        let text = format!("the agent does not follow space {space}");
        let hint = format!("stoa subscription list --agent {}", agent.session());
        Problem::new(Kind::Unknown, text).hint(hint)
    })
}
