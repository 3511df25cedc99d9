//! Several changes of one space as one: all of them or none, in one entry, each seeing those
//! before.

use super::lease::Fence;
use super::{Draft, Expect, Patch, Refusal, Reply, Resource, Space, limit};
use crate::behaviour::{Behaviour, Decision, Delivery};
use crate::id::AtomId;
use crate::mutant::planted;
use crate::overlay::{Laid, Overlay};
use crate::right::Level;

/// One change of a space. New ones come last: a request is known again by its hash.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub enum Mutation {
    /// Adds an atom.
    Put(Box<Draft>),
    /// Changes an atom: a new version.
    Update {
        id: AtomId,
        /// The version it must be at.
        expect: Expect,
        patch: Box<Patch>,
    },
    /// Takes an atom out of search; it stays readable by id.
    Deprecate {
        id: AtomId,
        /// The version it must be at.
        expect: Expect,
        /// What to read instead.
        superseded_by: Option<AtomId>,
    },
    /// Gives a lease back.
    Release {
        resource: Resource,
        /// Its token; without one it is broken, by whoever may grant rights here.
        token: Option<u64>,
        /// Puts back what the claim has set, if the work has not gone on.
        undo: bool,
    },
    /// Empties an atom, all its versions, for good.
    Erase {
        id: AtomId,
        /// The version it must be at.
        expect: Expect,
    },
    /// Brings an atom that was deprecated back into search.
    Reinstate {
        id: AtomId,
        /// The version it must be at.
        expect: Expect,
    },
}

impl Mutation {
    /// Bytes of the vector that was made for it.
    pub(super) fn vector(&self) -> usize {
        match self {
            Mutation::Put(draft) => draft.embedding.as_ref().map_or(0, |it| it.dims.len()),
            Mutation::Update { patch, .. } => {
                patch.embedding.as_ref().map_or(0, |it| it.embedding.dims.len())
            }
            Mutation::Deprecate { .. }
            | Mutation::Release { .. }
            | Mutation::Erase { .. }
            | Mutation::Reinstate { .. } => 0,
        }
    }
}

impl Space {
    pub(super) fn transact(
        &self,
        mutations: Vec<Mutation>,
        fences: &[Fence],
        delivery: &mut Delivery<'_>,
    ) -> Result<Decision<Self>, Refusal> {
        self.need(Level::Read, delivery)?;
        let max = delivery.limits.transaction_mutations_max;
        limit("the transaction", mutations.len(), max)?;
        limit("the fences", fences.len(), max)?;
        if mutations.is_empty() {
            return Err(Refusal::Empty("the transaction"));
        }
        self.fenced(fences, delivery)?;
        let mut over = Overlay::default();
        let (mut events, mut versions) = (Vec::new(), Vec::new());
        let mut released = Vec::new();
        for mutation in mutations {
            if let Mutation::Release { resource, .. } = &mutation {
                if released.contains(resource) {
                    return Err(Refusal::NoLease(resource.clone()));
                }
                released.push(resource.clone());
            }
            let staged = Laid { over: &over, under: delivery.view };
            let mut inner = Delivery { view: &staged, fresh: &mut *delivery.fresh, ..*delivery };
            let made = match self.change(mutation, &mut inner) {
                Err(_) if planted("transaction.skips_the_refused") => continue,
                made => made?,
            };
            for event in made {
                let mut rows = Vec::new();
                Space::project(delivery.stream, &event, 0, &mut rows);
                over.lay(0, Space::atom(&event), &rows);
                versions.extend(Space::atom(&event).map(|it| (it.id, it.version)));
                events.push(event);
            }
        }
        let reply = Reply::Versions(versions);
        Ok(Decision { events, effects: Vec::new(), reply, refused: None })
    }
}
