//! Where the last so many begin: looked for backwards, so that what is held in memory does not grow
//! with how many they are.

use crate::caller::{Caller, HistoryQuery, Of};
use crate::problem::Problem;
use stoa_actors::id::{Position, SessionId};

/// After which position the last `tail` changes stand that a query finds.
pub(super) async fn changes_begin(
    caller: &Caller,
    of: Of,
    query: &HistoryQuery,
    tail: usize,
) -> Result<Position, Problem> {
    let most = caller.runtime().config().history_changes_max;
    let mut newest = HistoryQuery { newest: true, ..query.clone() };
    let (mut left, mut begin) = (tail, None);
    while left > 0 {
        newest.limit = left.min(most);
        let changes = caller.history(of, newest.clone()).await?;
        let Some(at) = changes.last().map(|it| it.position) else { break };
        (begin, newest.before) = (Some(at), Some(at));
        left = left.saturating_sub(changes.len());
    }
    // Those of one transaction stand together, so they all come.
    Ok(begin.map_or(query.after, |at| Position(at.0.saturating_sub(1)).max(query.after)))
}

/// After which position what an agent did last is to be read, and how much of that is to be passed
/// over so that `tail` of it are left.
pub(super) async fn happenings_begin(
    caller: &Caller,
    agent: SessionId,
    after: Position,
    tail: usize,
) -> Result<(Position, usize), Problem> {
    let (stream, store) = (agent.stream(), caller.runtime().store());
    // An entry holds one of them at least.
    let first = store.last_seq(stream)?.saturating_sub(tail as u64);
    let begin = if first == 0 { None } else { store.position_of(stream, first)? };
    let begin = begin.unwrap_or_default().max(after);
    let (mut count, mut upto) = (0_usize, begin);
    loop {
        let (told, read) = caller.happened(stream, upto, usize::MAX).await?;
        count += told.len();
        if read == upto {
            return Ok((begin, count.saturating_sub(tail)));
        }
        upto = read;
    }
}
