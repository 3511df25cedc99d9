//! What spaces store has room to grow: each type with a field more reads today's bytes.

use crate::forms::growth::grown;
use std::collections::BTreeMap;
use std::sync::Arc;
use stoa_actors::atom::{Atom, Content, Metadata, Reference};
use stoa_actors::codec;
use stoa_actors::id::{AtomId, EventId, Millis, Position, SessionId, SpaceId, SubscriptionId};
use stoa_actors::log::Cause;
use stoa_actors::search::{Condition, Direction, OrderBy, Which};
use stoa_actors::space::{
    ClaimPredicate, ClaimRequest, Claimed, Declarations, DeclaredKey, DeclaredRelation, End, Event,
    Fence, Filter, KeyType, Lease, Origin, Reply, Resource, Subscription, Terms, Wake, Was,
};
use stoa_actors::stored;
use stoa_actors::value::Value;

fn status(it: &str) -> Metadata {
    [("status".to_owned(), Value::from(it))].into()
}

fn filter() -> Filter {
    let references = [("answers".to_owned(), vec![AtomId([4; 16])])].into();
    Filter { types: vec!["atom.put".into()], metadata: status("open"), references }
}

fn subscription() -> Subscription {
    Subscription {
        id: SubscriptionId([7; 16]),
        subscriber: SessionId([3; 16]),
        filter: filter(),
        cursor: Position(300),
        terms: Terms { debounce_ms: 30_000, until: Some(Millis(9)) },
    }
}

fn claimed() -> Claimed {
    Claimed { set: status("doing"), before: status("open"), exhausted: Some(status("failed")) }
}

fn lease() -> Lease {
    Lease {
        space: SpaceId([2; 16]),
        resource: Resource::Name("deploy".into()),
        holder: SessionId([3; 16]),
        token: 7,
        since: Millis(0),
        until: Millis(60_000),
        intent: "to be done".into(),
        claimed: Some(claimed()),
    }
}

fn wanted() -> ClaimPredicate {
    let condition = Condition { which: Which::Any, metadata: status("done") };
    let references = [("blocked_by".to_owned(), condition)].into();
    ClaimPredicate { metadata: status("open"), references }
}

fn origin() -> Origin {
    Origin {
        event: EventId([8; 16]),
        position: Position(300),
        at: Millis(1),
        by: SessionId([9; 16]),
        kind: "atom.updated".into(),
        comment: "why".into(),
        key: Some("once".into()),
        cause: Cause { root: None, hop: 3 },
        space: SpaceId([10; 16]),
        atom: AtomId([11; 16]),
        references: None,
        superseded_by: Some(AtomId([12; 16])),
    }
}

fn claim() -> ClaimRequest {
    ClaimRequest {
        text: Some("dig".into()),
        wanted: wanted(),
        ranked: None,
        set: status("doing"),
        ttl_ms: 60_000,
        intent: "to be done".into(),
        order: vec![OrderBy::descending("priority")],
        attempts_max: Some(3),
        exhausted: status("failed"),
    }
}

grown!(a_subscription: Subscription => GrownSubscription {
    id: SubscriptionId, subscriber: SessionId, filter: Filter, cursor: Position, terms: Terms,
} + paused: bool [] subscription());

grown!(a_filter: Filter => GrownFilter {
    types: Vec<String>, metadata: Metadata, references: BTreeMap<String, Vec<AtomId>>,
} + authors: Vec<SessionId> [] filter());

grown!(terms: Terms => GrownTerms { debounce_ms: u64, until: Option<Millis> }
    + every_ms: Option<u64> [] Terms { debounce_ms: 30_000, until: Some(Millis(9)) });

grown!(a_wake: Wake => GrownWake {
    space: SpaceId, first: Position, last: Position, count: u64, comments: Vec<String>, hop: u16,
} + subscription: Option<SubscriptionId> [] Wake {
    space: SpaceId([5; 16]),
    first: Position(301),
    last: Position(70_000),
    count: 3,
    comments: vec!["dug".into()],
    hop: 2,
});

grown!(a_lease: Lease => GrownLease {
    space: SpaceId, resource: Resource, holder: SessionId, token: u64, since: Millis,
    until: Millis, intent: String, claimed: Option<Claimed>,
} + shared: bool [] lease());

grown!(what_a_claim_has_set: Claimed => GrownClaimed {
    set: Metadata, before: Metadata, exhausted: Option<Metadata>,
}
    + references: Vec<Reference> [] claimed());

grown!(a_fence: Fence => GrownFence { resource: Resource, token: u64 }
    + until: Option<Millis> [] Fence { resource: Resource::Atom(AtomId([1; 16])), token: 300 });

grown!(what_is_wanted: ClaimPredicate => GrownWanted {
    metadata: Metadata, references: BTreeMap<String, Condition>,
} + author: Option<SessionId> [] wanted());

grown!(a_condition: Condition => GrownCondition { which: Which, metadata: Metadata }
    + text: Option<String> [] Condition { which: Which::None, metadata: status("done") });

grown!(an_order: OrderBy => GrownOrderBy { key: String, direction: Direction }
    + missing: Option<String> [] OrderBy::descending("priority"));

grown!(what_is_declared: Declarations => GrownDeclarations {
    keys: BTreeMap<String, DeclaredKey>, relations: BTreeMap<String, DeclaredRelation>,
} + links: Vec<String> [] Declarations {
    keys: [("n".to_owned(), DeclaredKey { kind: KeyType::Number, ordered: true })].into(),
    relations: [("see".to_owned(), DeclaredRelation { acyclic: true })].into(),
});

grown!(a_declared_key: DeclaredKey => GrownDeclaredKey { kind: KeyType, ordered: bool }
    + unit: Option<String> [] DeclaredKey { kind: KeyType::Text, ordered: true });

grown!(a_declared_relation: DeclaredRelation => GrownDeclaredRelation { acyclic: bool }
    + inverse: Option<String> [] DeclaredRelation { acyclic: true });

grown!(an_origin: Origin => GrownOrigin {
    event: EventId, position: Position, at: Millis, by: SessionId, kind: String, comment: String,
    key: Option<String>, cause: Cause, space: SpaceId, atom: AtomId,
    references: Option<Vec<Reference>>, superseded_by: Option<AtomId>,
} + realm: Option<String> [] origin());

grown!(a_claim: ClaimRequest => GrownClaim {
    text: Option<String>, wanted: ClaimPredicate, set: Metadata, ttl_ms: u64, intent: String,
    order: Vec<OrderBy>, attempts_max: Option<u64>, exhausted: Metadata,
} + many: u64 [] claim());

/// Each event of a space that something may be added to, with a field more.
#[test]
fn events_of_a_space() {
    #[derive(Debug, PartialEq)]
    enum Later {
        Described {
            language: String,
            text: String,
        },
        AtomPut {
            draft: bool,
            atom: Arc<Atom>,
        },
        SubscriptionSet {
            space: SpaceId,
            subscription: Subscription,
            was: Was,
            why: String,
        },
        Leased {
            lease: Lease,
            waited_ms: u64,
        },
        LeaseEnded {
            space: SpaceId,
            resource: Resource,
            holder: SessionId,
            token: u64,
            until: Millis,
            how: End,
            by: Option<SessionId>,
        },
        Merged(u64),
    }
    stored!(choice Later {
        0 => Described { text } grown { language },
        1 => AtomPut { atom } grown { draft },
        6 => SubscriptionSet { space, subscription, was } grown { why },
        9 => Leased { lease } grown { waited_ms },
        11 => LeaseEnded { space, resource, holder, token, until, how } grown { by },
        13 => Merged(count),
    });
    let atom = Arc::new(Atom {
        id: AtomId([1; 16]),
        space: SpaceId([2; 16]),
        version: 1,
        born: 4,
        author: SessionId([5; 16]),
        at: Millis(6),
        content: Content::Text("dig".into()),
        annotation: String::new(),
        metadata: status("open"),
        references: Vec::new(),
        embedding: None,
        deprecated: None,
        attempts: 0,
    });
    let (space, name) = (SpaceId([2; 16]), || Resource::Name("deploy".into()));
    let today = vec![
        Event::Described("a convention".into()),
        Event::AtomPut(atom.clone()),
        Event::SubscriptionSet { space, subscription: subscription(), was: Was::There },
        Event::Leased(lease()),
        Event::LeaseEnded {
            space,
            resource: name(),
            holder: SessionId([3; 16]),
            token: 7,
            until: Millis(9),
            how: End::Broken,
        },
    ];
    let bytes = codec::encode(1, &today).unwrap();
    let later: Vec<Later> = codec::decode(1, &bytes).unwrap();
    let expected = [
        Later::Described { text: "a convention".into(), language: String::new() },
        Later::AtomPut { atom, draft: false },
        Later::SubscriptionSet {
            space,
            subscription: subscription(),
            was: Was::There,
            why: String::new(),
        },
        Later::Leased { lease: lease(), waited_ms: 0 },
        Later::LeaseEnded {
            space,
            resource: name(),
            holder: SessionId([3; 16]),
            token: 7,
            until: Millis(9),
            how: End::Broken,
            by: None,
        },
    ];
    assert_eq!(later, expected);
    for newer in [Later::Merged(3), Later::Leased { lease: lease(), waited_ms: 9 }] {
        let refused = codec::decode::<Event>(1, &codec::encode(1, &newer).unwrap());
        let refused = refused.unwrap_err().to_string();
        assert!(refused.contains("newer stoa"), "{refused}");
    }
}

/// What was claimed is one field of its answer, so that an answer can say more.
#[test]
fn answers_of_a_space() {
    type Found = Option<(AtomId, u64, Box<Lease>)>;
    #[derive(Debug, PartialEq)]
    enum Later {
        Versions { atoms: Vec<(AtomId, u64)>, fences: Vec<Fence> },
        Claimed { claimed: Found, left: Option<u64> },
    }
    stored!(choice Later {
        3 => Versions { atoms } grown { fences }, 5 => Claimed { claimed } grown { left },
    });
    let found = Some((AtomId([1; 16]), 3, Box::new(lease())));
    let atoms = vec![(AtomId([1; 16]), 300)];
    let today = vec![Reply::Claimed(found.clone()), Reply::Versions(atoms.clone())];
    let later: Vec<Later> = codec::decode(1, &codec::encode(1, &today).unwrap()).unwrap();
    let expected = [
        Later::Claimed { claimed: found, left: None },
        Later::Versions { atoms, fences: Vec::new() },
    ];
    assert_eq!(later, expected);
}

/// A resource of another sort is a case more, and an older build says that it is newer.
#[test]
fn what_can_be_leased() {
    #[derive(Debug, PartialEq)]
    enum Later {
        Atom(AtomId),
        Name { name: String, below: bool },
        All,
    }
    stored!(choice Later { 0 => Atom(id), 1 => Name { name } grown { below }, 2 => All });
    let today = [Resource::Atom(AtomId([1; 16])), Resource::Name("deploy".into())];
    let later: [Later; 2] = codec::decode(1, &codec::encode(1, &today).unwrap()).unwrap();
    let name = Later::Name { name: "deploy".into(), below: false };
    assert_eq!(later, [Later::Atom(AtomId([1; 16])), name]);
    let refused = codec::decode::<Resource>(1, &codec::encode(1, &Later::All).unwrap());
    assert!(refused.unwrap_err().to_string().contains("newer stoa"));
}
