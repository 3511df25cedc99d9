//! What a session leaves behind for its next action, outside the log: losing it costs comfort,
//! never a fact.

use crate::blocking::blocking;
use crate::problem::{Problem, ProblemKind};
use crate::runtime::Runtime;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use stoa_actors::codec;
use stoa_actors::id::{AtomId, SessionId};
use stoa_actors::space::Resource;

/// The form of [`Kept`]; another one is forgotten.
const KEPT_FORM: u8 = 3;

/// What one action left.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Slot {
    /// Which action: turn and step; nothing outside an agent's turns.
    pub(crate) action: Option<(u64, u32)>,
    #[serde(with = "serde_bytes")]
    pub(crate) dump: Option<Vec<u8>>,
    /// The version of each atom that the code has been handed.
    pub(crate) seen: BTreeMap<AtomId, u64>,
    /// The token of each lease that it was handed and has not given back.
    pub(crate) leases: BTreeMap<Resource, u64>,
}

/// The last two: the one that is newer than the log when a crash comes in between is not the one
/// that a re-run begins with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Kept(Vec<Slot>);

impl Kept {
    pub(crate) fn of(runtime: &Runtime, session: SessionId) -> Result<Kept, Problem> {
        let bytes = runtime.store().repl(session)?;
        Ok(bytes.and_then(|it| codec::decode(KEPT_FORM, &it).ok()).unwrap_or_default())
    }

    /// What that action left; nothing when it is not there any more.
    pub(crate) fn after(&self, action: Option<(u64, u32)>) -> Option<Slot> {
        self.0.iter().rev().find(|it| it.action == action).cloned()
    }

    /// Keeps it: what the session does next finds it.
    pub(crate) async fn keep(
        self,
        runtime: &Runtime,
        session: SessionId,
        slot: Slot,
    ) -> Result<(), Problem> {
        let (bytes, store) = (self.with(slot)?, runtime.store().clone());
        Ok(blocking(move || store.keep_repl(session, &bytes)).await??)
    }

    /// Keeps it with whatever is written next: the observation of the action, behind which comes
    /// whoever looks for it.
    pub(crate) fn keep_with_what_follows(
        self,
        runtime: &Runtime,
        session: SessionId,
        slot: Slot,
    ) -> Result<(), Problem> {
        runtime.shared().log.keep_repl(session, self.with(slot)?);
        Ok(())
    }

    fn with(mut self, slot: Slot) -> Result<Vec<u8>, Problem> {
        self.0.retain(|it| it.action != slot.action);
        self.0.push(slot);
        let older = self.0.len().saturating_sub(2);
        self.0.drain(..older);
        codec::encode(KEPT_FORM, &self).map_err(|it| Problem::new(ProblemKind::Store, it))
    }
}
