//! The timer: tells every actor that asked for it, by a `Row::Due`, that its time has come. Leases of
//! spaces run out so.
//!
//! What is due stands in rows, derived from the log: the timer looks at the earliest, waits, and
//! tells; what it tells, and whom it leaves alone, is [`Alarm`]'s to say. A process that opens the
//! directory later finds what had become due meanwhile.

use super::{Reach, Shared};
use crate::failure::StoreError;
use std::sync::{Arc, Weak};
use std::time::Duration;
use stoa_actors::alarm::{Alarm, Ring};
use stoa_actors::id::{Millis, RIGHTS, StreamId};

/// Records what had become due while the directory was closed, so that the first who reads finds
/// it so. What cannot be recorded is left to the timer.
pub(crate) async fn settle_due(shared: &Shared, reach: &Arc<dyn Reach>) -> Result<(), StoreError> {
    let rows = due(shared)?;
    let Ring { tell, .. } = Alarm::default().ring(shared.clock.now(), rows.iter().copied());
    let mut told = tokio::task::JoinSet::new();
    for stream in tell {
        let reach = reach.clone();
        told.spawn(async move { drop(reach.due(stream).await) });
    }
    told.join_all().await;
    Ok(())
}

/// Runs for as long as the runtime does; again, should it die.
pub(crate) fn start_timer(shared: &Arc<Shared>, reach: Arc<dyn Reach>) {
    let (wait_ms, shared) = (shared.config.due_retry_ms, Arc::downgrade(shared));
    tokio::spawn(async move {
        while let Err(died) = tokio::spawn(run(shared.clone(), reach.clone())).await {
            tracing::warn!(%died, "the timer begins anew");
            tokio::time::sleep(Duration::from_millis(wait_ms)).await;
        }
    });
}

async fn run(shared: Weak<Shared>, reach: Arc<dyn Reach>) {
    let mut alarm = Alarm::default();
    loop {
        let Some(shared) = shared.upgrade() else { return };
        if !reach.is_there() || shared.store.failure.error().is_some() {
            return;
        }
        // From here on an earlier one is heard of; those before it are in the rows.
        let mut earlier = shared.log.due();
        let rows = match due(&shared) {
            Ok(rows) => rows,
            Err(error) => {
                // A store that cannot be read has ended: leases that stay for ever would hide it.
                shared.store.failure.trip(error);
                return;
            }
        };
        let now = shared.clock.now();
        let Ring { tell, again } = alarm.ring(now, rows.iter().copied());
        for stream in &tell {
            let Some(recorded) = reach.due(*stream).await else { return };
            if let Err(why) = &recorded {
                tracing::warn!(%stream, %why, "it cannot record what is over");
            }
            if !recorded.unwrap_or(false) {
                alarm.failed(*stream, Millis(shared.clock.now().0 + shared.config.due_retry_ms));
            }
        }
        if !tell.is_empty() {
            continue;
        }
        let wait = again.map(|at| Duration::from_millis(at.0.saturating_sub(now.0)));
        // A right that is given meanwhile wakes nobody here; it counts for nothing once its time is over,
        // and its row goes at the next look.
        let look = Duration::from_millis(shared.config.due_look_ms);
        let wait = wait.map_or(look, |wait| wait.min(look));
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            heard = earlier.wait_for(|at| again.is_none_or(|it| *at < it) && at.0 < u64::MAX) => {
                if heard.is_err() {
                    return;
                }
            }
            _ = shared.store.failure.tripped() => return,
        }
    }
}

/// What is due, and the next right to expire; the earliest first.
fn due(shared: &Shared) -> Result<Vec<(Millis, StreamId)>, StoreError> {
    let mut rows = shared.store.due(shared.config.due_rows_max)?;
    let next = shared.rights.read().next_expiry();
    if let Some(at) = next {
        let before = rows.partition_point(|(due, _)| *due <= at);
        // What is not shown is not earlier.
        if before < rows.len() || rows.len() < shared.config.due_rows_max {
            rows.insert(before, (at, RIGHTS));
        }
    }
    Ok(rows)
}
