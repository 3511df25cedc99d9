//! What spaces say to agents at every step and seldom say anew: instructions, and what a space is
//! for. Kept for as long as nothing more is written there.

use super::context::instructions;
use crate::caller::Caller;
use crate::problem::Problem;
use crate::store::Store;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::Arc;
use stoa_actors::id::{Position, SpaceId};

/// Spaces of which something is kept.
const TOLD_SPACES_MAX: usize = 256;
/// Bytes of one space's instructions that are kept; longer ones are read every time.
const TOLD_BYTES_MAX: usize = 16 << 10;

/// What one space says.
#[derive(Clone, Default)]
struct Said {
    /// Everything of the space up to there is in it.
    upto: Position,
    description: Option<Arc<str>>,
    instructions: Option<Arc<[String]>>,
}

/// What spaces say, for all agents.
#[derive(Default)]
pub(super) struct Told(Mutex<HashMap<SpaceId, Said>>);

impl Told {
    fn known<T>(
        &self,
        store: &Store,
        space: SpaceId,
        what: impl Fn(&Said) -> Option<T>,
    ) -> Option<T> {
        let said = self.0.lock();
        let fresh = |it: &&Said| !store.may_go_on(space.stream(), it.upto);
        said.get(&space).filter(fresh).and_then(what)
    }

    /// What a space is for, if that is known.
    pub(super) fn description(&self, store: &Store, space: SpaceId) -> Option<Arc<str>> {
        self.known(store, space, |it| it.description.clone())
    }

    /// What the instructions in a space say, if that is known.
    pub(super) fn instructions(&self, store: &Store, space: SpaceId) -> Option<Arc<[String]>> {
        self.known(store, space, |it| it.instructions.clone())
    }

    fn keep(&self, store: &Store, space: SpaceId, upto: Position, keep: impl FnOnce(&mut Said)) {
        let mut said = self.0.lock();
        if said.len() >= TOLD_SPACES_MAX && !said.contains_key(&space) {
            said.clear();
        }
        let said = said.entry(space).or_default();
        if store.may_go_on(space.stream(), said.upto) {
            *said = Said { upto, ..Said::default() };
        }
        keep(said);
    }
}

/// What a space is for; on a thread that may wait.
pub(super) fn described(of: &Caller, space: SpaceId) -> Result<Arc<str>, Problem> {
    let (told, store, upto) = (&of.runtime.agents().told, of.runtime.store(), of.runtime.durable());
    if let Some(known) = told.description(store, space) {
        return Ok(known);
    }
    let text: Arc<str> = of.described(space)?.into();
    told.keep(store, space, upto, |it| it.description = Some(text.clone()));
    Ok(text)
}

/// What the instructions in a space say, read by one who may; on a thread that may wait.
pub(super) fn instructed(of: &Caller, space: SpaceId) -> Result<Arc<[String]>, Problem> {
    let (told, store, upto) = (&of.runtime.agents().told, of.runtime.store(), of.runtime.durable());
    let texts: Arc<[String]> = instructions(of, space)?.into();
    if texts.iter().map(String::len).sum::<usize>() <= TOLD_BYTES_MAX {
        told.keep(store, space, upto, |it| it.instructions = Some(texts.clone()));
    }
    Ok(texts)
}
