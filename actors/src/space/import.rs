//! Carrying a space from one store to another: what leaves it, and what is taken in.
//!
//! What is taken in is the importer's doing and says so: it is the author, now. Who wrote it where
//! it comes from, when and why is kept beside it as its *origin*, so that nothing is lost on the
//! way and nobody can write history in another's name.

use super::attic::Merge;
use super::{Event, Refusal, Reply, Space, limit, patch, readable};
use crate::atom::{Atom, Content, Deprecation, Embedding, Metadata, Reference};
use crate::behaviour::events;
use crate::behaviour::{Behaviour, Decision, Delivery};
use crate::codec::CodecError;
use crate::difference::lacking;
use crate::id::{AtomId, EventId, Millis, Position, ROOT, SessionId, SpaceId};
use crate::limits::Limits;
use crate::log::{Body, Cause, Hash};
use crate::mutant::planted;
use crate::overlay::{Laid, Overlay};
use crate::right::Level;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Where a version comes from that was taken in: what its first store says of it.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub struct Origin {
    /// Its entry there.
    pub event: EventId,
    /// Where that stood.
    pub position: Position,
    /// When it was decided.
    pub at: Millis,
    pub by: SessionId,
    /// What it was: `atom.put`, …
    pub kind: String,
    pub comment: String,
    /// The idempotency key it was asked with; here it answers nothing.
    pub key: Option<String>,
    /// What set it off.
    pub cause: Cause,
    pub space: SpaceId,
    /// The atom; another one here where ids are made anew.
    pub atom: AtomId,
    /// All that it refers to, where not all of it can be referred to here; not told on the way.
    pub references: Option<Vec<Reference>>,
    /// The atom to read instead; not told on the way.
    pub superseded_by: Option<AtomId>,
}

/// One version of an atom on its way.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub struct ImportedVersion {
    pub id: AtomId,
    pub version: u64,
    pub content: Content,
    /// What it is about.
    pub annotation: String,
    /// Key and value.
    pub metadata: Metadata,
    /// All that it refers to.
    pub references: Vec<Reference>,
    /// Its vector, where it has one to be kept.
    pub embedding: Option<Embedding>,
    /// Set if it is out of use.
    pub deprecated: Option<Deprecation>,
    /// How often it was claimed by claims that count.
    pub attempts: u64,
    /// Where it comes from.
    pub origin: Origin,
    /// By which entry it was taken in where it leaves now; told, and of no effect.
    pub imported: Option<Provenance>,
    /// What becomes of it if it is not what is here.
    pub merge: Merge,
}

/// How a version came into the store that it leaves now.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub struct Provenance {
    pub event: EventId,
    /// Where it stands.
    pub position: Position,
    pub at: Millis,
    pub by: SessionId,
}

impl ImportedVersion {
    /// What leaves with one entry of a space: the atom versions in it, in order.
    pub fn of(
        space: SpaceId,
        position: Position,
        body: &Body,
    ) -> Result<Vec<ImportedVersion>, CodecError> {
        let events = events::<Space>(body)?;
        Ok(events.iter().filter_map(|event| carried(space, position, body, event)).collect())
    }

    /// Under other ids: those of the atoms that are carried along are made anew, the same for the
    /// same space each time; what else is referred to stays.
    pub fn under(mut self, into: SpaceId, carried: &dyn Fn(AtomId) -> bool) -> ImportedVersion {
        let new = |id: AtomId| if carried(id) { renamed(into, id) } else { id };
        self.id = new(self.id);
        for reference in &mut self.references {
            reference.target = new(reference.target);
        }
        if let Some(Deprecation { superseded_by: Some(by) }) = &mut self.deprecated {
            *by = new(*by);
        }
        self
    }

    /// Refuses what no store could take in, whatever is in it.
    pub fn check(&self, limits: &Limits) -> Result<(), Refusal> {
        let says = !self.annotation.is_empty() || !self.metadata.is_empty();
        if self.content.is_gone() && (says || self.embedding.is_some()) {
            return Err(Refusal::Gone);
        }
        patch::vector(self.embedding.as_ref(), limits)?;
        patch::within_limits(
            &self.content,
            &self.annotation,
            &self.metadata,
            &self.references,
            limits,
        )?;
        for reference in &self.references {
            patch::named("a relation", &reference.relation, limits.name_bytes_max)?;
        }
        let key = self.origin.key.as_ref().map_or(0, String::len);
        limit("the origin's key", key, limits.key_bytes_max)?;
        limit("the origin's comment", self.origin.comment.len(), limits.comment_bytes_max)
    }

    /// About the bytes that it takes.
    pub fn bytes(&self) -> usize {
        let metadata = self.metadata.iter().map(|(key, value)| key.len() + value.bytes());
        let references = self.references.iter().map(|it| it.relation.len() + 24);
        let said = metadata.sum::<usize>() + references.sum::<usize>() + self.annotation.len();
        said + self.content.bytes() + self.origin.comment.len() + 512
    }

    /// Whether this is what an atom says. What it refers to may be less here than there.
    fn is_said_by(&self, atom: &Atom) -> bool {
        let same = |it: &Deprecation, here: &Deprecation| {
            here.superseded_by.is_none() || it.superseded_by == here.superseded_by
        };
        let deprecated = match (&self.deprecated, &atom.deprecated) {
            (None, None) => true,
            (Some(it), Some(here)) => same(it, here),
            _ => false,
        };
        // Erased where it comes from, and not yet here.
        self.content == Content::Redacted
            || deprecated
                && self.content == atom.content
                && self.annotation == atom.annotation
                && self.metadata == atom.metadata
                && self.attempts == atom.attempts
                && lacking(&atom.references, &self.references).is_empty()
    }
}

/// The id under which an atom of elsewhere lives in a space.
pub fn renamed(into: SpaceId, id: AtomId) -> AtomId {
    let digest = Hash::of(&[&b"stoa:import"[..], &into.0, &id.0].concat()).0;
    let mut new = [0; 16];
    new.copy_from_slice(&digest[..16]);
    AtomId(new)
}

fn carried(
    space: SpaceId,
    position: Position,
    body: &Body,
    event: &Event,
) -> Option<ImportedVersion> {
    let atom = Space::atom(event)?;
    let by = |atom: &Atom| atom.deprecated.as_ref().and_then(|it| it.superseded_by);
    let (mut origin, imported) = match event {
        Event::AtomImported { origin, .. } | Event::AtomErased { origin: Some(origin), .. } => {
            let taken = Provenance { event: body.id, position, at: body.at, by: body.by };
            ((**origin).clone(), Some(taken))
        }
        _ => {
            let origin = Origin {
                event: body.id,
                position,
                at: body.at,
                by: body.by,
                kind: Space::name(event).to_owned(),
                comment: body.comment.clone(),
                key: body.answers.as_ref().map(|it| it.key.clone()),
                cause: body.cause,
                space,
                atom: atom.id,
                references: None,
                superseded_by: by(atom),
            };
            (origin, None)
        }
    };
    // On the way they are told in one place only.
    let superseded_by = origin.superseded_by.take();
    let references = origin.references.take();
    Some(ImportedVersion {
        id: atom.id,
        version: atom.version,
        content: atom.content.clone(),
        annotation: atom.annotation.clone(),
        metadata: atom.metadata.clone(),
        references: references.unwrap_or_else(|| atom.references.clone()),
        embedding: atom.embedding.clone(),
        deprecated: atom.deprecated.as_ref().map(|_| Deprecation { superseded_by }),
        attempts: atom.attempts,
        origin,
        imported,
        merge: Merge::default(),
    })
}

/// Where a version goes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    /// On top of what is here.
    Here,
    /// Aside, for it lost.
    Attic,
}

impl Space {
    /// Takes versions in, all of them or none; those that are here already are passed over.
    pub(super) fn import(
        &self,
        carried: Vec<ImportedVersion>,
        delivery: &mut Delivery<'_>,
    ) -> Result<Decision<Self>, Refusal> {
        self.need(Level::Write, delivery)?;
        limit("the import", carried.len(), delivery.limits.transaction_mutations_max)?;
        let count = carried.len();
        let mut over = Overlay::default();
        let merges = carried.iter().any(|it| it.merge != Merge::Refuse);
        let (mut events, mut new, mut attic) = (Vec::new(), 0, 0);
        let mut lost = BTreeSet::new();
        for mut it in carried {
            let staged = Laid { over: &over, under: delivery.view };
            let inner = Delivery { view: &staged, fresh: &mut *delivery.fresh, ..*delivery };
            if it.merge == Merge::Attic && lost.contains(&it.id) {
                it.merge = Merge::Lost;
            }
            let id = it.id;
            let (taken, side) = self.take_in(it, &inner)?;
            let count = u64::from(!taken.is_empty());
            match side {
                Side::Here => new += count,
                Side::Attic => {
                    lost.insert(id);
                    attic += count;
                }
            }
            for event in taken {
                let mut rows = Vec::new();
                Space::project(delivery.stream, &event, 0, &mut rows);
                over.lay(0, Space::atom(&event), &rows);
                events.push(event);
            }
        }
        let known = count as u64 - new - attic;
        let reply = match merges {
            true => Reply::Merged { new, known, attic, lost: lost.into_iter().collect() },
            false => Reply::Imported { new, known },
        };
        Ok(Decision { events, effects: Vec::new(), reply, refused: None })
    }

    /// What one version makes happen, and where it goes; nothing if it is there.
    fn take_in(
        &self,
        it: ImportedVersion,
        delivery: &Delivery<'_>,
    ) -> Result<(Vec<Event>, Side), Refusal> {
        let (id, version) = (it.id, it.version);
        let known = Ok((Vec::new(), Side::Here));
        let before = delivery.view.atom(id);
        if before.as_ref().is_some_and(|here| here.space != self.id)
            && !planted("import.takes_what_is_elsewhere")
        {
            return Err(Refusal::Elsewhere(id));
        }
        // Whether an id is in use where the asker cannot look is not for it to learn. So all but
        // the owner get the same no for every id that is not here already and was not made for
        // this space.
        let made_anew = id == renamed(self.id, it.origin.atom);
        if before.is_none()
            && delivery.asker != ROOT
            && !made_anew
            && !planted("import.tells_of_the_hidden")
        {
            return Err(Refusal::Elsewhere(id));
        }
        // What was erased here stays so, whatever comes.
        if before.as_ref().is_some_and(|here| here.content == Content::Erased)
            && !planted("import.brings_back_the_erased")
        {
            return known;
        }
        let newest = before.as_ref().map_or(0, |here| here.version);
        if version == 0 || (version > newest + 1 && it.merge != Merge::Lost) {
            return Err(Refusal::Gap { id, version, newest });
        }
        let there = version <= newest;
        let here = if there { delivery.view.version(id, version) } else { None };
        let same = here.as_ref().is_some_and(|here| it.is_said_by(here));
        if same || (there && planted("import.passes_over_what_differs")) {
            return known;
        }
        let out_of_use = before.as_ref().is_some_and(|here| here.deprecated.is_some());
        // An erase travels, also from a copy that went on by itself.
        let erases = it.content == Content::Erased;
        if erases && (version > newest || it.merge != Merge::Refuse) {
            return self.erased_elsewhere(it, delivery).map(|events| (events, Side::Here));
        }
        match it.merge {
            Merge::Refuse if there || out_of_use => Err(Refusal::Differs { id, version }),
            Merge::Attic if there || out_of_use => Ok((self.to_attic(it, delivery)?, Side::Attic)),
            Merge::Lost if !planted("import.builds_on_what_lost") => {
                Ok((self.to_attic(it, delivery)?, Side::Attic))
            }
            _ => {
                self.unleased(id, delivery)?;
                self.imported(it, before, delivery).map(|event| (vec![event], Side::Here))
            }
        }
    }

    /// An erase travels as well: it takes the same rights here.
    fn erased_elsewhere(
        &self,
        it: ImportedVersion,
        delivery: &Delivery<'_>,
    ) -> Result<Vec<Event>, Refusal> {
        it.check(delivery.limits)?;
        self.erase(it.id, super::Expect::Any, Some(Box::new(it.origin)), delivery)
    }

    pub(super) fn imported(
        &self,
        it: ImportedVersion,
        before: Option<Arc<Atom>>,
        delivery: &Delivery<'_>,
    ) -> Result<Event, Refusal> {
        it.check(delivery.limits)?;
        let known: &[Reference] = before.as_ref().map_or(&[], |here| &here.references);
        let (mut origin, mut deprecated) = (it.origin, it.deprecated);
        // What is not here and what is not for the importer to see are one and the same.
        let mut references = it.references.clone();
        references.retain(|to| known.contains(to) || readable(to.target, delivery).is_ok());
        origin.references = (references.len() < it.references.len()).then_some(it.references);
        if let Some(Deprecation { superseded_by: by }) = &mut deprecated {
            origin.superseded_by = *by;
            *by = by.filter(|by| *by != it.id && readable(*by, delivery).is_ok());
        }
        let by = if planted("import.writes_in_anothers_name") { origin.by } else { delivery.asker };
        let atom = Atom {
            id: it.id,
            space: self.id,
            version: it.version,
            born: before.as_ref().map_or(delivery.seq, |here| here.born),
            author: by,
            at: delivery.now,
            content: it.content,
            annotation: it.annotation,
            metadata: it.metadata,
            references,
            embedding: it.embedding,
            deprecated,
            attempts: it.attempts,
        };
        patch::check(&atom, known, delivery)?;
        if !planted("acyclic.imports_go_unseen") {
            self.leads_nowhere_back(&atom, known, delivery)?;
        }
        let added = lacking(&atom.references, known);
        let dropped = lacking(known, &atom.references);
        let atom = Arc::new(atom);
        Ok(Event::AtomImported { atom, added, dropped, origin: Box::new(origin) })
    }
}
