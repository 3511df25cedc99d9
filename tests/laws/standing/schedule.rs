//! What may happen: few keys and few values, so that everything meets.

use super::model::Model;
use crate::laws::search::schedule::{metadata, order, wanted};
use proptest::prelude::*;
use std::collections::BTreeMap;
use stoa_actors::atom::Metadata;
use stoa_actors::id::AtomId;
use stoa_actors::limits::SearchLimits;
use stoa_actors::search::{Condition, OrderBy, Query, Which};
use stoa_actors::space::{
    ClaimPredicate, ClaimRequest, Declaration, Declarations, Draft, Expect, Message, Mutation,
    Patch, Resource,
};

/// A schedule, the conditions that are claimed by in it, and how much room there is.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) wanted: Vec<ClaimPredicate>,
    pub(crate) orders: Vec<Vec<OrderBy>>,
    pub(crate) sets_max: usize,
    pub(crate) bytes_max: usize,
    pub(crate) steps: Vec<Step>,
}

#[derive(Clone, Debug)]
pub(crate) enum Step {
    Ask(Deed),
    /// Makes so many decisions durable.
    Commit(u8),
    Crash,
}

/// Atoms are meant by their number among those that are there.
#[derive(Clone, Debug)]
pub(crate) enum Deed {
    /// All in one entry.
    Put(Vec<Said>),
    Update(u8, Metadata),
    Deprecate(u8),
    Reinstate(u8),
    Erase(u8),
    Claim {
        wanted: u8,
        order: u8,
        set: Metadata,
    },
    Release(u8),
    Declare(Vec<Declaration>),
}

/// A new atom.
#[derive(Clone, Debug)]
pub(crate) struct Said {
    id: u32,
    pub(crate) metadata: Metadata,
    pub(crate) on: Vec<u8>,
}

impl Said {
    pub(crate) fn id(&self) -> AtomId {
        let mut id = [9; 16];
        id[..4].copy_from_slice(&self.id.to_be_bytes());
        AtomId(id)
    }
}

impl Case {
    pub(crate) fn order(&self, n: u8) -> &[OrderBy] {
        &self.orders[usize::from(n) % self.orders.len()]
    }
}

impl Deed {
    pub(crate) fn message(&self, model: &Model, case: &Case) -> Message {
        let pick = |n: u8| model.pick(n).map_or(AtomId([0; 16]), |it| it.id);
        match self {
            Deed::Put(all) => {
                let put = |said: &Said| {
                    let on: Vec<AtomId> =
                        said.on.iter().filter_map(|n| model.pick(*n)).map(|it| it.id).collect();
                    let references = BTreeMap::from([("blocked_by".to_owned(), on)]);
                    let (id, metadata) = (Some(said.id()), said.metadata.clone());
                    Mutation::Put(Box::new(Draft { id, metadata, references, ..Draft::default() }))
                };
                Message::Transact { mutations: all.iter().map(put).collect(), fences: Vec::new() }
            }
            Deed::Update(n, metadata) => {
                let patch = Patch { metadata: metadata.clone(), ..Patch::default() };
                Message::update(pick(*n), Expect::Any, patch)
            }
            Deed::Deprecate(n) => Message::deprecate(pick(*n), Expect::Any, None),
            Deed::Reinstate(n) => Message::reinstate(pick(*n), Expect::Any),
            Deed::Erase(n) => Message::erase(pick(*n), Expect::Any),
            Deed::Claim { wanted, order, set } => Message::Claim(Box::new(ClaimRequest {
                wanted: case.wanted[usize::from(*wanted) % case.wanted.len()].clone(),
                order: case.order(*order).to_vec(),
                set: set.clone(),
                ttl_ms: 1_000_000,
                ..ClaimRequest::default()
            })),
            Deed::Release(n) => {
                let resource = Resource::Atom(pick(*n));
                Mutation::Release { resource, token: None, undo: false }.into()
            }
            Deed::Declare(all) => {
                let mut declares = Declarations::default();
                all.iter().for_each(|it| declares.add(it.clone()).expect("each name once"));
                Message::Declare { description: None, declares }
            }
        }
    }
}

fn condition() -> impl Strategy<Value = (String, Condition)> {
    let which = prop::sample::select(vec![Which::All, Which::Any, Which::None]);
    let relation = prop::sample::select(vec!["blocked_by", "<-blocked_by"]);
    // Most often what atoms come to say and cease to.
    let open = Metadata::from([("status".to_owned(), "open".into())]);
    let metadata = prop_oneof![2 => Just(open), 1 => wanted(1)];
    (relation, which, metadata)
        .prop_map(|(relation, which, metadata)| (relation.into(), Condition { which, metadata }))
}

fn whole() -> impl Strategy<Value = ClaimPredicate> {
    let references = prop::option::weighted(0.4, condition());
    (prop_oneof![2 => wanted(2), 1 => Just(Metadata::new())], references)
        .prop_map(|(metadata, it)| ClaimPredicate {
            metadata,
            references: it.into_iter().collect(),
        })
        .prop_filter("somebody can have meant it", |it| {
            let ClaimPredicate { metadata, references } = it.clone();
            Query { metadata, references, ..Query::default() }
                .check(&SearchLimits::default())
                .is_ok()
        })
}

fn declarations() -> Vec<Declaration> {
    let all = ["n:number", "status:text:ordered", "blocked_by:relation", "other:any"];
    all.iter().map(|it| it.parse().expect("it is one")).collect()
}

fn deed() -> impl Strategy<Value = Deed> {
    let on = prop::collection::vec(0..12u8, 0..3);
    let said =
        (any::<u32>(), metadata(3), on).prop_map(|(id, metadata, on)| Said { id, metadata, on });
    let at = 0..16u8;
    let set = prop_oneof![1 => Just(Metadata::new()), 1 => metadata(1)];
    let status = |it: &'static str| Metadata::from([("status".to_owned(), it.into())]);
    let status = prop::sample::select(vec!["open", "task"]).prop_map(status);
    let change = prop_oneof![metadata(2), status];
    prop_oneof![
        3 => prop::collection::vec(said, 1..4).prop_map(Deed::Put),
        10 => (at.clone(), change).prop_map(|(n, it)| Deed::Update(n, it)),
        1 => at.clone().prop_map(Deed::Deprecate),
        1 => at.clone().prop_map(Deed::Reinstate),
        1 => at.clone().prop_map(Deed::Erase),
        12 => (any::<u8>(), any::<u8>(), set)
            .prop_map(|(wanted, order, set)| Deed::Claim { wanted, order, set }),
        1 => prop::sample::subsequence(declarations(), 0..=4).prop_map(Deed::Declare),
        8 => at.prop_map(Deed::Release),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        24 => deed().prop_map(Step::Ask),
        6 => (1..8u8).prop_map(Step::Commit),
        1 => Just(Step::Crash),
    ]
}

pub(crate) fn case(steps: usize) -> impl Strategy<Value = Case> {
    let wanted = prop::collection::vec(whole(), 1..6);
    let bytes_max = prop_oneof![2 => Just(1 << 20), 3 => 0..4_000usize];
    let orders = prop::collection::vec(prop_oneof![1 => Just(Vec::new()), 3 => order()], 1..3);
    // Most often there is an order from the start.
    let first = prop_oneof![1 => Just(Vec::new()), 3 => Just(declarations())];
    let first = first.prop_map(|all| Step::Ask(Deed::Declare(all)));
    let steps = (first, prop::collection::vec(step(), 1..steps)).prop_map(|(first, mut steps)| {
        steps.insert(0, first);
        steps
    });
    (wanted, orders, 1..4usize, bytes_max, steps).prop_map(
        |(wanted, orders, sets_max, bytes_max, steps)| Case {
            wanted,
            orders,
            sets_max,
            bytes_max,
            steps,
        },
    )
}
