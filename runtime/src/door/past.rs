//! The verbs that look back.

use super::answer::{Answer, Out};
use crate::caller::{Caller, Change, HistoryQuery, Of};
use crate::problem::{Kind, Problem};
use serde::{Deserialize, Serialize};
use stoa_actors::id::{AtomId, SessionId};

/// What happened, where, and by whom.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HistoryCall {
    /// An atom by its id, a space by its name or id, or everything.
    pub of: Option<String>,
    /// A session by its name or id.
    pub by: Option<String>,
    /// Which part of it.
    pub query: HistoryQuery,
}

pub(super) async fn history(caller: &Caller, call: HistoryCall, out: &Out) -> Result<(), Problem> {
    let HistoryCall { of, by, mut query } = call;
    if let Some(by) = by {
        query.by = Some(session(caller, &by)?);
    }
    let changes = match of {
        None => caller.history(Of::Everything, query).await?,
        Some(of) => named(caller, &of, query).await?,
    };
    out.all(changes.into_iter().map(Answer::Change)).await
}

/// Both kinds of id look alike; what is neither is told as an atom.
async fn named(caller: &Caller, of: &str, query: HistoryQuery) -> Result<Vec<Change>, Problem> {
    let space = caller.resolve(of).map(Of::Space);
    let Ok(id) = of.parse::<AtomId>() else { return caller.history(space?, query).await };
    match (caller.history(Of::Atom(id), query.clone()).await, space) {
        (Err(problem), Ok(space)) if problem.kind == Kind::Unknown => {
            caller.history(space, query).await
        }
        (found, _) => found,
    }
}

fn session(caller: &Caller, name: &str) -> Result<SessionId, Problem> {
    caller.session_named(name).or_else(|problem| name.parse().map_err(|_| problem))
}
