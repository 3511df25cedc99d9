//! The verbs that look back.

use super::answer::{Answer, Out};
use crate::caller::{Caller, HistoryQuery, Of};
use crate::problem::Problem;
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
    let of = match of {
        None => Of::Everything,
        Some(of) => named(caller, &of).await?,
    };
    // In pieces: what is held in memory at once does not grow with what is asked for.
    let most = caller.runtime.shared().config.history_changes_max;
    let mut left = query.limit;
    while left > 0 {
        let piece = HistoryQuery { limit: left.min(most), ..query.clone() };
        let changes = caller.history(of, piece).await?;
        let Some(last) = changes.last().map(|it| it.position) else { return Ok(()) };
        match query.newest {
            true => query.before = Some(last),
            false => query.after = last,
        }
        left = left.saturating_sub(changes.len());
        out.all(changes.into_iter().map(Answer::Change)).await?;
    }
    Ok(())
}

/// Both kinds of id look alike, and an atom's may be chosen: a space that the caller can read goes
/// first. What is neither is told as an atom.
async fn named(caller: &Caller, of: &str) -> Result<Of, Problem> {
    match (caller.resolve(of), of.parse::<AtomId>()) {
        (Ok(space), _) => Ok(Of::Space(space)),
        (Err(problem), Err(_)) => Err(problem),
        (Err(_), Ok(id)) => caller.get(id).await.map(|_| Of::Atom(id)),
    }
}

fn session(caller: &Caller, name: &str) -> Result<SessionId, Problem> {
    caller.session_named(name).or_else(|problem| name.parse().map_err(|_| problem))
}
