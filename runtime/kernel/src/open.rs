//! The open of a directory: what everything is put together from.
//!
//! Whatever is built on the runtime is known here, and nothing knows this.

use crate::agents;
use crate::blocking::blocking;
use crate::failure::StoreError;
use crate::host::{Nothing, Reach, load, settle_due, start_timer};
use crate::limits::Config;
use crate::runtime::{Kinds, Parts, Runtime, unstarted};
use crate::search::Searches;
use crate::store::{Opened, Owned, ready_directory};
use crate::vectors::Vectors;
use std::sync::Arc;
use stoa_actors::id::RIGHTS;
use stoa_actors::redaction::Redactions;
use stoa_actors::rights::Rights;

/// The kinds of actor that come with the runtime, without what code can call: see
/// [`Kinds::callable`].
pub fn kinds() -> Kinds {
    agents::kinds().performed::<Rights>(|_, _| Arc::new(Nothing)).with::<Redactions>()
}

impl Runtime {
    /// Opens a directory, made if it is not there, with the kinds of actor that it may hold: rows of
    /// a kind that is not among them are not derived.
    ///
    /// Errors: [`StoreError::Locked`] while another process has it, [`StoreError::NewerFormat`],
    /// [`StoreError::Breach`] when the log does not hold what was acknowledged,
    /// [`StoreError::Damaged`] when a scrub has found that and it is so still.
    pub async fn open_with(config: Config, kinds: Kinds) -> Result<Runtime, StoreError> {
        let owned = ready_directory(&config.log.data)?;
        Runtime::open_owned(config, kinds, owned).await
    }

    /// The same in a directory whose lock is held.
    pub async fn open_owned(
        config: Config,
        kinds: Kinds,
        owned: Owned,
    ) -> Result<Runtime, StoreError> {
        let (settings, known) = (config.clone(), kinds.clone());
        let open = blocking(move || {
            let opened = Opened::open(&settings.log, owned, known.as_ref())?;
            let rights = load::<Rights>(&opened.store, RIGHTS)?;
            Ok::<_, StoreError>((opened, rights))
        });
        let (opened, rights) = open.await??;
        let (head, walked) = (opened.head, opened.walked);
        tracing::info!(directory = %config.log.data.display(), %head, walked, "the directory is open");
        let parts = Parts::default();
        let vectors = Vectors::configured(&config, &opened.store)?;
        let remote = vectors.clone().map(|it| (it, opened.store.clone()));
        let searches = Arc::new(Searches::new(&config, remote));
        parts.put(searches.clone());
        if let Some(vectors) = &vectors {
            parts.put(vectors.clone());
        }
        let runtime = Runtime::start(config, kinds, opened, rights, parts).await?;
        searches.start(runtime.shared()).map_err(unstarted)?;
        runtime.ring_on();
        runtime.deliver_owed().await?;
        let reach: Arc<dyn Reach> = Arc::new(runtime.downgrade());
        settle_due(runtime.shared(), &reach).await?;
        runtime.end_passing().await;
        start_timer(runtime.shared(), reach);
        if let Some(vectors) = vectors {
            vectors.follow(&runtime, searches);
        }
        Ok(runtime)
    }
}
