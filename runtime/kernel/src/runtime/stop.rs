//! The orderly stop, and what it leaves for the next open where the disk does not let it finish.

use super::Runtime;
use crate::blocking::blocking;
use crate::failure::StoreError;
use crate::log::Threads;
use crate::store::{Store, Undone};
use std::time::Duration;
use stoa_actors::log::Head;

impl Runtime {
    /// Stops in order: nothing more is taken in, then actors in reverse order of their start, then
    /// the log, then a checkpoint so that the next open is quick. After an erase the whole log is
    /// written anew, so that the files do not hold any more what was erased.
    ///
    /// It ends also where the disk is full or fails: no wait on the engine is longer than
    /// [`crate::limits::LogConfig::engine_ms_max`] without progress. What is left is in
    /// [`Runtime::undone`].
    ///
    /// Errors: [`StoreError::Unfinished`] after `shutdown_ms_max`, whatever holds it up: the store
    /// is left as after a crash then, with everything that was acknowledged.
    pub async fn stop(&self) -> Result<Option<Head>, StoreError> {
        let Some(threads) = self.0.threads.lock().take() else { return Ok(None) };
        self.close();
        let ms = self.shared().config.shutdown_ms_max;
        let in_order = self.stop_in_order(threads);
        match tokio::time::timeout(Duration::from_millis(ms), in_order).await {
            Ok(stopped) => stopped,
            Err(_) => {
                let error = self.store().failure.trip(StoreError::Unfinished { ms });
                self.0.deps.supervisors.kill();
                Err(error)
            }
        }
    }

    async fn stop_in_order(&self, threads: Threads) -> Result<Option<Head>, StoreError> {
        self.0.scrub.stop();
        self.0.parts.stop();
        // Lazy entries and whatever is in flight become durable before their actors go.
        let settling = self.shared().log.settled().await;
        self.0.deps.supervisors.stop().await;
        self.shared().log.stop();
        let (runtime, config) = (self.clone(), self.shared().config.clone());
        let end = blocking(move || {
            let store = runtime.store();
            runtime.0.scrub.join();
            runtime.0.parts.join();
            let patience = Duration::from_millis(config.log.engine_ms_max);
            let Some((head, unpointed)) = threads.join(&store.failure, patience)? else {
                return Ok(None);
            };
            if let Some(error) = store.failure.error() {
                return Err(error);
            }
            let undone = leave(store, head, unpointed >= config.log.checkpoint_stop_entries);
            runtime.0.undone.lock().extend(undone?);
            store.failure.trip(StoreError::Stopping);
            Ok(Some(head))
        });
        let stopped = end.await?;
        settling?;
        stopped
    }

    /// What an open or a stop could not do; it is done by a later one.
    pub fn undone(&self) -> Vec<Undone> {
        self.0.undone.lock().clone()
    }
}

/// The work of a stop that can wait for another time.
fn leave(store: &Store, head: Head, checkpoint: bool) -> Result<Vec<Undone>, StoreError> {
    if checkpoint && let Err(error) = store.make_checkpoint(head) {
        // The engine takes nothing any more, so the purge would fail as well.
        let mut undone = vec![Undone::Checkpoint { why: why(&error) }];
        if store.has_residue()? {
            undone.push(Undone::Purge { why: why(&error) });
        }
        return Ok(undone);
    }
    if store.has_residue()?
        && let Err(error) = store.purge()
    {
        return Ok(vec![Undone::Purge { why: why(&error) }]);
    }
    Ok(Vec::new())
}

/// The store has not failed by this: everything that was acknowledged is in it.
fn why(error: &StoreError) -> String {
    match error {
        StoreError::Engine(text) => text.clone(),
        error => error.to_string(),
    }
}
