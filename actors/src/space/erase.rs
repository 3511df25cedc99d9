//! Erasing: an atom's last version says nothing, and neither will those before it.
//!
//! The event is the intent. That what the earlier versions said leaves the log is the log writer's
//! work; see [`crate::redaction`].

use super::lease::{End, ended};
use super::{Event, Expect, Origin, Refusal, Resource, Space};
use crate::atom::{Atom, Content, Deprecation};
use crate::behaviour::Delivery;
use crate::id::AtomId;
use crate::mutant::planted;
use crate::right::Level;
use std::sync::Arc;

impl Space {
    /// By who put the atom, while it may write here, or by who may grant rights here.
    pub(super) fn erase(
        &self,
        id: AtomId,
        expect: Expect,
        origin: Option<Box<Origin>>,
        delivery: &Delivery<'_>,
    ) -> Result<Vec<Event>, Refusal> {
        self.need(Level::Write, delivery)?;
        let before = self.here(id, expect, delivery)?;
        let maker = delivery.view.version(id, 1).map(|first| first.author);
        if maker != Some(delivery.asker) && !planted("erase.anybody_may") {
            self.need(Level::Grant, delivery)?;
        }
        self.unleased(id, delivery)?;
        let mut events = Vec::new();
        let resource = Resource::Atom(id);
        // It remembers what a claim has set.
        events.extend(
            self.leases().find(|it| it.resource == resource).map(|it| ended(it, End::Broken)),
        );
        let atom = Atom {
            id,
            space: self.id,
            version: before.version + 1,
            born: before.born,
            author: delivery.asker,
            at: delivery.now,
            content: Content::Erased,
            annotation: String::new(),
            metadata: Default::default(),
            references: Vec::new(),
            embedding: None,
            deprecated: Some(Deprecation { superseded_by: None }),
            attempts: 0,
        };
        let dropped = before.references.clone();
        events.push(Event::AtomErased { atom: Arc::new(atom), dropped, origin });
        Ok(events)
    }
}
