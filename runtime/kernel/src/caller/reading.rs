//! Reads of unknown length on behalf of a caller.

use super::Caller;
use crate::blocking::blocking;
use crate::problem::Problem;

impl Caller {
    /// Reads the store for the caller on a thread that may wait.
    pub async fn reading<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Caller) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let caller = self.clone();
        blocking(move || read(&caller)).await?
    }
}
