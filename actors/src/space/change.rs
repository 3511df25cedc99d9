//! One change of an atom: what it needs, and what happens.

use super::{Event, Expect, Mutation, Refusal, Space, next, readable, updated};
use crate::atom::{Atom, Content, Deprecation};
use crate::behaviour::Delivery;
use crate::id::AtomId;
use crate::mutant;
use crate::right::Level;
use std::sync::Arc;

impl Space {
    /// The events of one change.
    pub(super) fn change(
        &self,
        mutation: Mutation,
        delivery: &mut Delivery<'_>,
    ) -> Result<Vec<Event>, Refusal> {
        match mutation {
            Mutation::Put(draft) => {
                self.need(Level::Append, delivery)?;
                // Nothing refers to it yet, so no circle leads through it.
                let atom = draft.atom(self.id, delivery)?;
                Ok(vec![Event::AtomPut(Arc::new(atom))])
            }
            Mutation::Update { id, expect, patch } => {
                let needed = if mutant::planted("space.append_updates") {
                    Level::Append
                } else {
                    Level::Write
                };
                self.need(needed, delivery)?;
                let before = self.current(id, expect, delivery)?;
                self.unleased(id, delivery)?;
                let atom = patch.apply(&before, delivery)?;
                self.leads_nowhere_back(&atom, &before.references, delivery)?;
                Ok(vec![updated(atom, &before.references)])
            }
            Mutation::Deprecate { id, expect, superseded_by } => {
                self.need(Level::Write, delivery)?;
                let before = self.current(id, expect, delivery)?;
                self.unleased(id, delivery)?;
                if superseded_by == Some(id) {
                    return Err(Refusal::OwnSuccessor);
                }
                superseded_by.map_or(Ok(()), |by| readable(by, delivery))?;
                let mut atom = next(&before, delivery);
                atom.deprecated = Some(Deprecation { superseded_by });
                Ok(vec![Event::AtomDeprecated(Arc::new(atom))])
            }
            Mutation::Reinstate { id, expect } => {
                self.need(Level::Write, delivery)?;
                let before = self.here(id, expect, delivery)?;
                self.unleased(id, delivery)?;
                if before.deprecated.is_none()
                    && !mutant::planted("space.reinstates_what_is_in_use")
                {
                    return Err(Refusal::InUse(id));
                }
                let mut atom = next(&before, delivery);
                atom.deprecated = None;
                Ok(vec![updated(atom, &before.references)])
            }
            Mutation::Erase { id, expect } => self.erase(id, expect, None, delivery),
            Mutation::Release { resource, token, undo } => {
                self.release(resource, token, undo, delivery)
            }
        }
    }

    /// The atom as it is, if it is here, in use, and at the expected version.
    pub(super) fn current(
        &self,
        id: AtomId,
        expect: Expect,
        delivery: &Delivery<'_>,
    ) -> Result<Arc<Atom>, Refusal> {
        let atom = self.here(id, expect, delivery)?;
        match &atom.deprecated {
            Some(_) if mutant::planted("space.updates_the_deprecated") => Ok(atom),
            Some(Deprecation { superseded_by: by }) => Err(Refusal::Deprecated { id, by: *by }),
            None => Ok(atom),
        }
    }

    /// The atom as it is, if it is here, not erased, and at the expected version.
    pub(super) fn here(
        &self,
        id: AtomId,
        expect: Expect,
        delivery: &Delivery<'_>,
    ) -> Result<Arc<Atom>, Refusal> {
        let here = delivery.view.atom(id).filter(|it| it.space == self.id);
        let atom = here.ok_or(Refusal::NoAtom(id))?;
        if let Expect::Version(expected) = expect
            && expected != atom.version
            && !mutant::planted("space.ignores_expected_version")
        {
            return Err(Refusal::Conflict { id, expected, current: atom.version });
        }
        match &atom.content {
            Content::Erased if !mutant::planted("erase.leaves_it_in_use") => {
                Err(Refusal::Erased(id))
            }
            _ => Ok(atom),
        }
    }
}
