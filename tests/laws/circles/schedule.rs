//! What may happen, among few atoms, so that everything leads somewhere.

use super::model::Model;
use super::{RELATIONS, space};
use proptest::prelude::*;
use std::collections::BTreeMap;
use stoa_actors::atom::{Content, Metadata, Reference};
use stoa_actors::id::{AtomId, EventId, Millis, Position, ROOT};
use stoa_actors::log::Cause;
use stoa_actors::space::{
    Declarations, Draft, Expect, ImportedVersion, Merge, Message, Mutation, Origin, Patch,
};
use stoa_actors::value::Value;

/// Atoms are meant by their number among those that are there.
#[derive(Clone, Debug)]
pub(crate) enum Op {
    Put {
        space: usize,
        status: u8,
        links: Vec<Link>,
    },
    /// Its references by one relation are others.
    Refer(Refer),
    /// Both or neither, in the space where circles are refused.
    Several(Refer, Refer),
    /// A version comes from elsewhere.
    Import {
        atom: u8,
        status: u8,
        links: Vec<Link>,
    },
    Deprecate(u8),
    Erase(u8),
    Declare {
        acyclic: bool,
    },
}

#[derive(Clone, Debug)]
pub(crate) struct Link {
    pub(crate) relation: usize,
    pub(crate) target: u8,
}

#[derive(Clone, Debug)]
pub(crate) struct Refer {
    pub(crate) atom: u8,
    pub(crate) relation: usize,
    pub(crate) targets: Vec<u8>,
}

fn says(status: u8) -> Metadata {
    [("status".to_owned(), Value::Int(status.into()))].into()
}

impl Op {
    pub(crate) fn message(&self, model: &Model) -> Message {
        let id = |n: u8| model.pick(n).map_or(AtomId([0; 16]), |n| model.atoms[n].id);
        let refer = |it: &Refer, id: AtomId| {
            let targets = it.targets.iter().filter_map(|n| model.pick(*n));
            let targets = targets.map(|n| model.atoms[n].id).collect();
            let references = BTreeMap::from([(RELATIONS[it.relation].to_owned(), targets)]);
            let patch = Box::new(Patch { references, ..Patch::default() });
            Mutation::Update { id, expect: Expect::Any, patch }
        };
        match self {
            Op::Put { status, links, .. } => {
                let mut references: BTreeMap<String, Vec<AtomId>> = BTreeMap::new();
                for (relation, n) in model.links(links) {
                    let targets = references.entry(RELATIONS[relation].to_owned()).or_default();
                    targets.push(model.atoms[n].id);
                }
                let (id, metadata) = (Some(model.next_id()), says(*status));
                Message::put(Draft { id, metadata, references, ..Draft::default() })
            }
            Op::Refer(it) => refer(it, id(it.atom)).into(),
            Op::Several(one, other) => {
                let here =
                    |n: u8| model.pick_here(n).map_or(AtomId([0; 16]), |n| model.atoms[n].id);
                let mutations = [one, other].map(|it| refer(it, here(it.atom))).into();
                Message::Transact { mutations, fences: Vec::new() }
            }
            Op::Import { atom, status, links } => {
                let (n, id) = (model.pick(*atom), id(*atom));
                let references = model.links(links).into_iter().map(|(relation, n)| {
                    let relation = RELATIONS[relation].to_owned();
                    Reference { relation, target: model.atoms[n].id }
                });
                let version = n.map_or(1, |n| model.atoms[n].version + 1);
                Message::Import(vec![carried(id, version, says(*status), references.collect())])
            }
            Op::Deprecate(n) => Message::deprecate(id(*n), Expect::Any, None),
            Op::Erase(n) => Message::erase(id(*n), Expect::Any),
            Op::Declare { acyclic } => {
                let one =
                    if *acyclic { "blocked_by:relation:acyclic" } else { "blocked_by:relation" };
                let mut declares = Declarations::default();
                declares.add(one.parse().expect("it is one")).expect("it is the only one");
                Message::Declare { description: None, declares }
            }
        }
    }
}

fn carried(
    id: AtomId,
    version: u64,
    metadata: Metadata,
    references: Vec<Reference>,
) -> ImportedVersion {
    let origin = Origin {
        event: EventId([7; 16]),
        position: Position(1),
        at: Millis(1),
        by: ROOT,
        kind: "atom.updated".to_owned(),
        comment: String::new(),
        key: None,
        cause: Cause::default(),
        space: space(0),
        atom: id,
        references: None,
        superseded_by: None,
    };
    ImportedVersion {
        id,
        version,
        content: Content::default(),
        annotation: String::new(),
        metadata,
        references,
        embedding: None,
        deprecated: None,
        attempts: 0,
        origin,
        imported: None,
        merge: Merge::Refuse,
    }
}

fn link() -> impl Strategy<Value = Link> {
    let relation = prop_oneof![5 => Just(0usize), 1 => Just(1)];
    (relation, 0..10u8).prop_map(|(relation, target)| Link { relation, target })
}

fn refer() -> impl Strategy<Value = Refer> {
    let relation = prop_oneof![6 => Just(0usize), 1 => Just(1)];
    (0..10u8, relation, prop::collection::vec(0..10u8, 0..3))
        .prop_map(|(atom, relation, targets)| Refer { atom, relation, targets })
}

pub(crate) fn schedule(steps: usize) -> impl Strategy<Value = Vec<Op>> {
    let links = || prop::collection::vec(link(), 0..3);
    let home = prop_oneof![4 => Just(0usize), 1 => Just(1), 1 => Just(2)];
    let op = prop_oneof![
        6 => (home, 0..2u8, links())
            .prop_map(|(space, status, links)| Op::Put { space, status, links }),
        10 => refer().prop_map(Op::Refer),
        3 => (refer(), refer()).prop_map(|(one, other)| Op::Several(one, other)),
        3 => (0..10u8, 0..2u8, links())
            .prop_map(|(atom, status, links)| Op::Import { atom, status, links }),
        1 => (0..10u8).prop_map(Op::Deprecate),
        1 => (0..10u8).prop_map(Op::Erase),
        2 => prop::bool::weighted(0.8).prop_map(|acyclic| Op::Declare { acyclic }),
    ];
    prop::collection::vec(op, 1..steps)
}
