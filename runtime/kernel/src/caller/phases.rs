//! What agents are doing, by the rows of those that are not idle: none is loaded for it.

use super::Caller;
use crate::blocking::blocking;
use crate::failure::StoreError;
use crate::problem::Problem;
use crate::store::OwnRow;
use std::collections::BTreeMap;
use stoa_actors::id::SessionId;
use stoa_actors::session::Session;

impl Caller {
    /// What each agent is doing that is not idle, in a word; also of those that the caller does not
    /// govern.
    pub async fn phases(&self) -> Result<BTreeMap<SessionId, String>, Problem> {
        let store = self.runtime.store().clone();
        let words = move || {
            let rows = store.own_rows::<Session>(Session::phase_keys());
            let read = |row: Result<_, StoreError>| {
                row.map(|(key, value): OwnRow| Session::read_phase_row(&key, &value))
            };
            rows.filter_map(|row| read(row).transpose()).collect::<Result<BTreeMap<_, _>, _>>()
        };
        Ok(blocking(words).await??)
    }
}
