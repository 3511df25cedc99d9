//! How the actors of a directory that was opened come to life.

use super::{Inner, Kinds, Parts, Runtime};
use crate::blocking::blocking;
use crate::clock::{Clock, Fresh};
use crate::facts::Facts;
use crate::failure::StoreError;
use crate::host::{
    ActorAddress, Deps, Followers, Hook, Nothing, Post, Publisher, Registry, Shared, Shown,
    Supervised, Supervisors,
};
use crate::keyed_lock::KeyedLock;
use crate::limits::Config;
use crate::log::Log;
use crate::store::{Opened, Scrub};
use parking_lot::{Mutex, RwLock};
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use stoa_actors::id::{Millis, RIGHTS, StreamId};
use stoa_actors::incarnation::Incarnation;
use stoa_actors::rights::{Rights, RightsTable};
use tokio::sync::Semaphore;

impl Runtime {
    /// The rights are up when this returns, and messages are delivered; `rights` is what the log
    /// says of them. What actors owed when the process before went is still to be delivered:
    /// [`Runtime::deliver_owed`].
    pub(crate) async fn start(
        config: Config,
        kinds: Kinds,
        opened: Opened,
        rights: Incarnation<Rights>,
        parts: Parts,
    ) -> Result<Runtime, StoreError> {
        let store = opened.store.clone();
        let (last, undone) = (opened.last, opened.undone.clone());
        // What has happened already in a log is of another run.
        let origin = config.origin.filter(|_| last == Millis(0));
        let (clock, fresh) = match origin {
            Some(origin) => (Clock::of(origin), Fresh::of(origin)),
            None => (Clock::start(last, config.log.clock_ahead_ms_max), Fresh::new()),
        };
        let (log, threads) = Log::start(&config.log, kinds.as_ref(), opened)?;
        let supervisors = Supervisors::start(&config, &store.failure).await?;
        let bytes = Arc::new(Semaphore::new((config.mailbox_bytes_max / 1024).max(1)));
        let shared = Arc::new(Shared {
            rights: RwLock::default(),
            spawner: tokio::runtime::Handle::current(),
            config,
            store,
            log,
            clock,
            fresh,
            shown: Shown::start().map_err(unstarted)?,
            rights_decided: AtomicU64::new(0),
            rights_durable: AtomicU64::new(0),
            followers: Followers::default(),
            post: Post::new(),
            closed: AtomicBool::new(false),
        });
        let deps = Deps { shared, supervisors, publisher: Publisher::start(), bytes };
        let hook = Hook {
            restored: |table, state| *table = RightsTable::new(state),
            exchange: RightsTable::exchange,
            decided: |table, events| events.iter().for_each(|event| table.hide(event)),
            durable: |table, events| events.iter().for_each(|event| table.show(event)),
        };
        let rights = ActorAddress::with(RIGHTS, &deps, Some(hook), Some(rights), Arc::new(Nothing));
        Supervised::restarting(&*rights);
        deps.supervisors.adopt_static(rights.clone()).await?;
        rights.settled().await.map_err(|error| StoreError::Invariant(error.to_string()))?;
        // Each answer rides behind a piece of what a crash left half redacted.
        while !deps.shared.store.erasures()?.is_empty() {
            deps.shared.log.settled().await?;
        }
        let scrub = Scrub::start(&deps.shared.config.log, &deps.shared.store, last);
        kinds.parts().iter().for_each(|it| parts.put(it.clone()));
        let inner = Inner {
            registry: Registry::start(&deps),
            deps,
            kinds,
            rights,
            parts,
            facts: Facts::default(),
            threads: Mutex::new(Some(threads)),
            scrub: scrub.map_err(unstarted)?,
            workers: OnceLock::new(),
            turns: KeyedLock::default(),
            undone: Mutex::new(undone),
        };
        inner.hear_of_others();
        let runtime = Runtime(Arc::new(inner));
        runtime.watch_commits();
        tokio::spawn(runtime.shared().log.clone().publish());
        runtime.shared().post.open(Arc::new(runtime.downgrade()));
        Ok(runtime)
    }

    /// A commit that hangs is a store that failed, and so is a directory that is not there any more.
    fn watch_commits(&self) {
        let shared = self.0.deps.shared.clone();
        let limit = shared.config.log.commit_ms_max;
        tokio::spawn(async move {
            let mut tick = tokio::time::interval(Duration::from_millis(1_000.min(limit)));
            loop {
                // Whoever watches holds the directory: it lets go as soon as the store has ended.
                tokio::select! {
                    _ = tick.tick() => {}
                    _ = shared.store.failure.tripped() => return,
                }
                if shared.store.has_moved() {
                    let path = shared.config.log.data.clone();
                    shared.store.failure.trip(StoreError::Moved { path });
                    return;
                }
                let ms = shared.log.commit_ms();
                if ms > limit {
                    let why = format!("a commit has hung for {ms} ms (limit {limit})");
                    shared.store.failure.trip(StoreError::Engine(why));
                }
            }
        });
    }

    /// Brings up every actor that owes a message to another one, to deliver it.
    pub(crate) async fn deliver_owed(&self) -> Result<(), StoreError> {
        let store = self.store().clone();
        let owing = blocking(move || {
            let kind = |stream: StreamId| Ok((stream, store.kind_of(stream)?));
            store.owing()?.into_iter().map(kind).collect::<Result<Vec<_>, StoreError>>()
        });
        let mut owing = owing.await??;
        // What the rights owe makes others owe: whoever waits for all of it finds them at it.
        if let Some(rights) = owing.iter().position(|(stream, _)| *stream == RIGHTS) {
            let (stream, kind) = owing.swap_remove(rights);
            self.kinds().bring_up(self, &kind.unwrap_or_default(), stream).await?;
        }
        let weak = self.downgrade();
        tokio::spawn(async move {
            for (stream, kind) in owing {
                let Some(runtime) = weak.upgrade() else { return };
                let kind = kind.unwrap_or_default();
                if let Err(error) = runtime.kinds().bring_up(&runtime, &kind, stream).await {
                    tracing::warn!(%stream, %error, "it cannot deliver what it owes");
                }
            }
        });
        Ok(())
    }
}

/// Why a thread that is needed is not there.
pub(crate) fn unstarted(error: std::io::Error) -> StoreError {
    StoreError::NoThreads(error.to_string())
}
