//! What spaces say to agents at every step and seldom say anew: instructions, and what a space is
//! for. Kept for as long as nothing more is written there.

use super::around::{Instruction, instructions};
use crate::caller::Caller;
use crate::problem::Problem;
use crate::store::Store;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::{Arc, OnceLock};
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
    instructions: Option<Arc<[Instruction]>>,
}

/// What spaces say, for all agents.
#[derive(Default)]
pub(super) struct Told {
    spaces: Mutex<HashMap<SpaceId, Said>>,
    /// What code can call: the same as long as the process lives.
    reference: OnceLock<Arc<str>>,
}

impl Told {
    /// What code can call, told once.
    pub(super) fn reference(&self, tell: impl FnOnce() -> String) -> Arc<str> {
        self.reference.get_or_init(|| tell().into()).clone()
    }

    fn known<T>(
        &self,
        space: SpaceId,
        last: Position,
        what: impl Fn(&Said) -> Option<T>,
    ) -> Option<T> {
        let said = self.spaces.lock();
        said.get(&space).filter(|it| it.upto >= last).and_then(what)
    }

    /// What a space is for, if that is known.
    pub(super) fn description(&self, store: &Store, space: SpaceId) -> Option<Arc<str>> {
        self.known(space, store.last_about(space.stream()), |it| it.description.clone())
    }

    /// What the instructions in a space say, if that is known.
    pub(super) fn instructions(&self, store: &Store, space: SpaceId) -> Option<Arc<[Instruction]>> {
        self.known(space, store.last_about(space.stream()), |it| it.instructions.clone())
    }

    /// Keeps what was read when everything up to a position was there. Nothing, if more may have been
    /// written since, or if somebody has read later: what was read may be older than that.
    fn keep(&self, space: SpaceId, last: Position, upto: Position, keep: impl FnOnce(&mut Said)) {
        let mut said = self.spaces.lock();
        if last > upto || said.get(&space).is_some_and(|it| it.upto > upto) {
            return;
        }
        if said.len() >= TOLD_SPACES_MAX && !said.contains_key(&space) {
            said.clear();
        }
        let said = said.entry(space).or_insert_with(|| Said { upto, ..Said::default() });
        if said.upto < last {
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
    told.keep(space, store.last_about(space.stream()), upto, |it| {
        it.description = Some(text.clone())
    });
    Ok(text)
}

/// What the instructions in a space say, read by one who may; on a thread that may wait.
pub(super) fn instructed(of: &Caller, space: SpaceId) -> Result<Arc<[Instruction]>, Problem> {
    let (told, store, upto) = (&of.runtime.agents().told, of.runtime.store(), of.runtime.durable());
    if of.level(space).is_some()
        && let Some(known) = told.instructions(store, space)
    {
        return Ok(known);
    }
    let texts: Arc<[Instruction]> = instructions(of, space)?.into();
    if texts.iter().map(|it| it.text.len()).sum::<usize>() <= TOLD_BYTES_MAX {
        told.keep(space, store.last_about(space.stream()), upto, |it| {
            it.instructions = Some(texts.clone())
        });
    }
    Ok(texts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use stoa_actors::briefing::AtomVersion;
    use stoa_actors::id::AtomId;

    const SPACE: SpaceId = SpaceId([1; 16]);

    fn keep(told: &Told, last: u64, upto: u64, text: &str) {
        let text: Arc<str> = text.into();
        told.keep(SPACE, Position(last), Position(upto), |it| it.description = Some(text));
    }

    fn known(told: &Told, last: u64) -> Option<String> {
        told.known(SPACE, Position(last), |it| it.description.as_deref().map(str::to_owned))
    }

    /// One reads, somebody writes, another reads and is done first.
    #[test]
    fn what_was_read_before_a_write_is_never_kept_as_what_is_there_after_it() {
        let told = Told::default();
        keep(&told, 3, 5, "old");
        assert_eq!(known(&told, 3).as_deref(), Some("old"));
        assert_eq!(known(&told, 6), None, "something was written");
        keep(&told, 6, 7, "new");
        keep(&told, 6, 5, "old");
        assert_eq!(known(&told, 6).as_deref(), Some("new"), "it was written before that was kept");
        keep(&told, 3, 5, "old");
        assert_eq!(known(&told, 6).as_deref(), Some("new"), "it was looked at before that");
    }

    #[test]
    fn what_is_kept_together_is_of_one_time() {
        let told = Told::default();
        keep(&told, 3, 5, "old");
        let of = AtomVersion { id: AtomId([3; 16]), version: 1 };
        let texts: Arc<[Instruction]> = Arc::from([Instruction { of, text: "be brief".into() }]);
        told.keep(SPACE, Position(6), Position(7), |it| it.instructions = Some(texts));
        assert_eq!(known(&told, 6), None, "the description is of before the write");
    }
}
