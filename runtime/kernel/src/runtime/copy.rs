//! The backup of what is open.

use super::Runtime;
use crate::backup::{self, BackupError, BackupSummary, Copied};
use std::path::Path;

impl Runtime {
    /// Writes everything that is durable when this is asked into one file, beside running writers;
    /// by crash and by errors as [`backup::take`].
    pub async fn backup(
        &self,
        target: &Path,
        look: impl FnMut(Copied) + Send + 'static,
    ) -> Result<BackupSummary, BackupError> {
        let shared = self.shared();
        let log = shared.log.clone();
        let durable = move || log.durable();
        backup::take(shared.store.clone(), &shared.config.log, durable, target, look).await
    }
}
