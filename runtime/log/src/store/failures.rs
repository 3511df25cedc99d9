//! Agents that have failed a turn, by the rows that their kind keeps of it.

use super::{Store, keys};
use crate::failure::StoreError;
use std::collections::BTreeMap;
use stoa_actors::behaviour::{Behaviour, Row};
use stoa_actors::id::Position;
use stoa_actors::incarnation;
use stoa_actors::session::Session;

impl Store {
    /// A directory of a build that did not list who has failed gets that list: once, by a walk over
    /// its log.
    pub(super) fn list_failures(&self) -> Result<(), StoreError> {
        if self.meta.contains_key(keys::FAILURES)? {
            return Ok(());
        }
        let mut last: BTreeMap<Vec<u8>, Option<Vec<u8>>> = BTreeMap::new();
        for entry in self.entries_from(Position(0)) {
            let entry = entry?;
            if entry.body.kind != Session::KIND {
                continue;
            }
            let mut rows = Vec::new();
            for event in incarnation::events::<Session>(&entry.body)? {
                Session::project(entry.header.stream, &event, 0, &mut rows);
            }
            for row in rows {
                if let Row::Own { key, value, .. } = row
                    && key.starts_with(Session::failed_keys())
                {
                    last.insert(key, value);
                }
            }
        }
        let mut batch = self.batch(last.len());
        for (key, value) in last {
            if let Some(value) = value {
                batch.insert(&self.own, keys::own(Session::KIND, &key), value);
            }
        }
        batch.insert(&self.meta, keys::FAILURES, [1]);
        batch.sync_all()
    }
}
