//! What spaces are asked.

use super::draw::Draw;
use stoa_actors::atom::{Deprecation, Reference};
use stoa_actors::id::{EventId, Millis, Position, SubscriptionId};
use stoa_actors::search::{Condition, OrderBy, Which};
use stoa_actors::space::{
    ClaimPredicate, ClaimRequest, Declarations, DeclaredKey, DeclaredRelation, Draft, Edit, Expect,
    Fence, ImportedVersion, KeyType, MadeFor, Merge, Message, Mutation, Origin, Patch, Provenance,
};

pub(crate) const CASES: usize = 15;

/// One more case does not compile here, and is then drawn.
pub(crate) fn case(message: &Message) -> usize {
    match message {
        Message::Describe(_) => 0,
        Message::Change(_) => 1,
        Message::Transact { .. } => 2,
        Message::Claim(_) => 3,
        Message::Acquire { .. } => 4,
        Message::Renew { .. } => 5,
        Message::Expire => 6,
        Message::Subscribe { .. } => 7,
        Message::Edit { .. } => 8,
        Message::Unsubscribe(_) => 9,
        Message::Advance { .. } => 10,
        Message::Import(_) => 11,
        Message::EndVoid => 12,
        Message::LetGo { .. } => 13,
        Message::Declare { .. } => 14,
        Message::DeclareMore(_) => 15,
    }
}

pub(crate) fn message(n: usize, draw: &mut Draw) -> Message {
    let id = SubscriptionId([7; 16]);
    match n {
        0 => Message::Describe(draw.text()),
        1 => Message::Change(mutation(draw)),
        2 => Message::Transact { mutations: draw.short(mutation), fences: draw.list(fence) },
        3 => Message::Claim(Box::new(claim(draw))),
        4 => Message::Acquire { resource: draw.resource(), ttl_ms: 7, intent: draw.text() },
        5 => Message::Renew { fence: fence(draw), ttl_ms: 7 },
        6 => Message::Expire,
        7 => {
            let (filter, terms) = (draw.filter(), draw.terms());
            Message::Subscribe { filter, cursor: Position(7), terms }
        }
        8 => Message::Edit { id, edit: edit(draw) },
        9 => Message::Unsubscribe(id),
        10 => Message::Advance { id, cursor: Position(7) },
        11 => Message::Import(draw.short(carried)),
        12 => Message::EndVoid,
        13 => Message::LetGo { since: Millis(7), until: Millis(8) },
        14 => Message::Declare { description: draw.maybe(Draw::text), declares: declares(draw) },
        _ => Message::DeclareMore(declares(draw)),
    }
}

fn mutation(draw: &mut Draw) -> Mutation {
    let expect = if draw.below(2) == 0 { Expect::Version(7) } else { Expect::Any };
    let id = draw.atom();
    match draw.below(6) {
        0 => Mutation::Put(Box::new(draft(draw))),
        1 => Mutation::Update { id, expect, patch: Box::new(patch(draw)) },
        2 => Mutation::Deprecate { id, expect, superseded_by: draw.maybe(Draw::atom) },
        3 => Mutation::Release { resource: draw.resource(), token: Some(7), undo: true },
        4 => Mutation::Erase { id, expect },
        _ => Mutation::Reinstate { id, expect },
    }
}

// No field is left to a default: one more does not compile here.
fn draft(draw: &mut Draw) -> Draft {
    Draft {
        id: draw.maybe(Draw::atom),
        content: draw.content(),
        annotation: draw.text(),
        metadata: draw.metadata(),
        references: draw.references(),
        embedding: draw.maybe(Draw::embedding),
    }
}

fn patch(draw: &mut Draw) -> Patch {
    Patch {
        expect: draw.metadata(),
        content: draw.maybe(Draw::content),
        annotation: draw.maybe(Draw::text),
        metadata: draw.metadata(),
        references: draw.references(),
        attempts: Some(7),
        embedding: draw.maybe(|it| MadeFor { base: 7, embedding: it.embedding() }),
    }
}

fn fence(draw: &mut Draw) -> Fence {
    Fence { resource: draw.resource(), token: 7 }
}

fn claim(draw: &mut Draw) -> ClaimRequest {
    let condition = |it: &mut Draw| Condition { which: Which::Any, metadata: it.metadata() };
    ClaimRequest {
        text: draw.maybe(Draw::text),
        wanted: ClaimPredicate { metadata: draw.metadata(), references: draw.map(condition) },
        ranked: draw.maybe(|it| it.list(Draw::atom)),
        set: draw.metadata(),
        ttl_ms: 7,
        intent: draw.text(),
        order: draw.list(|it| OrderBy::ascending(it.text())),
        attempts_max: Some(7),
        exhausted: draw.metadata(),
    }
}

pub(crate) fn declares(draw: &mut Draw) -> Declarations {
    let relation = |_: &mut Draw| DeclaredRelation { acyclic: true };
    let key = |_: &mut Draw| DeclaredKey { kind: KeyType::Number, ordered: true };
    Declarations { keys: draw.map(key), relations: draw.map(relation) }
}

fn edit(draw: &mut Draw) -> Edit {
    let filter = draw.maybe(Draw::filter);
    Edit { filter, cursor: Some(Position(7)), debounce_ms: None, until: Some(None) }
}

fn reference(draw: &mut Draw) -> Reference {
    Reference { relation: draw.text(), target: draw.atom() }
}

fn carried(draw: &mut Draw) -> ImportedVersion {
    ImportedVersion {
        id: draw.atom(),
        version: 7,
        content: draw.content(),
        annotation: draw.text(),
        metadata: draw.metadata(),
        references: draw.list(reference),
        embedding: draw.maybe(Draw::embedding),
        deprecated: draw.maybe(|it| Deprecation { superseded_by: Some(it.atom()) }),
        attempts: 7,
        origin: origin(draw),
        imported: draw.maybe(|it| Provenance {
            event: EventId(it.id()),
            position: Position(7),
            at: Millis(7),
            by: it.session(),
        }),
        merge: Merge::Attic,
    }
}

fn origin(draw: &mut Draw) -> Origin {
    Origin {
        event: EventId(draw.id()),
        position: Position(7),
        at: Millis(7),
        by: draw.session(),
        kind: draw.text(),
        comment: draw.text(),
        key: draw.maybe(Draw::text),
        cause: draw.cause(),
        space: draw.space(),
        atom: draw.atom(),
        references: draw.maybe(|it| it.list(reference)),
        superseded_by: draw.maybe(Draw::atom),
    }
}
