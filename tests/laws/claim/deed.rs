//! What is asked of a space, and as which message.

use super::model::Model;
use std::collections::BTreeMap;
use stoa_actors::atom::Metadata;
use stoa_actors::id::{AtomId, Millis};
use stoa_actors::search::{self, Condition};
use stoa_actors::space::{
    ClaimPredicate, ClaimRequest, Draft, Expect, Fence, Message, Mutation, Patch,
};
use stoa_actors::value::Value;

/// Which token somebody comes with: the one that holds, the one before, the one that is next.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Which {
    Right,
    Old,
    Next,
}

/// What is asked. Atoms are meant by their number among those that are there.
#[derive(Clone, Debug)]
pub(crate) enum Deed {
    Put {
        space: usize,
        status: u8,
        on: Vec<u8>,
        id: u16,
    },
    Claim {
        wanted: u8,
        ranked: Option<Vec<u8>>,
        ttl: u64,
        set: bool,
        /// How often it may be tried.
        attempts: Option<u8>,
    },
    Complete {
        atom: u8,
        token: Which,
    },
    Update {
        atom: u8,
        status: u8,
        expect: Option<u8>,
        /// Lets it be tried anew.
        anew: bool,
    },
    Deprecate(u8),
    Acquire {
        atom: Option<u8>,
        ttl: u64,
    },
    Renew {
        atom: Option<u8>,
        token: Which,
        ttl: u64,
    },
    Release {
        atom: Option<u8>,
        own: bool,
        undo: bool,
    },
    Expire(usize),
    /// Has failed, and gives back what it has leased in a space: all, or what it has leased from so
    /// many ticks ago on, for so long.
    LetGo {
        space: usize,
        within: Option<(u16, u16)>,
    },
    /// Puts one atom, and finishes two: all of it or nothing.
    Several {
        first: u8,
        second: u8,
        id: u16,
    },
}

fn says(status: u8) -> Metadata {
    [("status".to_owned(), Value::Int(status.into()))].into()
}

fn compares(operator: &str, with: Value) -> Metadata {
    let range = Value::Map([(operator.to_owned(), with)].into());
    [("status".to_owned(), range)].into()
}

/// 0 open, 1 taken, 2 done, 3 tried in vain.
fn wanted(n: u8) -> ClaimPredicate {
    let of = |relation: &str, which, status| {
        let condition = Condition { which, metadata: says(status) };
        BTreeMap::from([(relation.to_owned(), condition)])
    };
    let (metadata, references) = match n {
        0 => (says(0), BTreeMap::new()),
        1 => (says(0), of("blocked_by", search::Which::All, 2)),
        2 => (says(0), of("blocked_by", search::Which::Any, 2)),
        3 => (Metadata::new(), of("blocked_by", search::Which::None, 0)),
        4 => (says(0), of("<-blocked_by", search::Which::None, 0)),
        5 => (Metadata::new(), of("<-blocked_by", search::Which::Any, 1)),
        6 => (compares("<", Value::Int(2)), BTreeMap::new()),
        _ => {
            let either = Value::List(vec![Value::Int(1), Value::Float(2.0)]);
            let condition = Condition { metadata: compares("in", either), ..Condition::default() };
            (compares(">", Value::Float(0.5)), [("blocked_by".to_owned(), condition)].into())
        }
    };
    ClaimPredicate { metadata, references }
}

impl Deed {
    /// The space that is asked, and the message; a lease is so many ticks, and the first tick began
    /// then.
    pub(crate) fn message(&self, model: &Model, began: Millis, tick_ms: u64) -> (usize, Message) {
        let pick = |n: u8| model.pick(n).map_or(AtomId([0; 16]), |it| it.id);
        let home = |n: u8| model.pick(n).map_or(0, |it| it.space);
        let resource = |n: &Option<u8>| model.resource(*n);
        let put = |id: u16, status, on: &[u8]| {
            let targets: Vec<AtomId> = on.iter().map(|n| pick(*n)).collect();
            let references = BTreeMap::from([("blocked_by".to_owned(), targets)]);
            let references = if on.is_empty() { BTreeMap::new() } else { references };
            let id = Some(model.atom_id(id));
            Draft { id, metadata: says(status), references, ..Draft::default() }
        };
        let finish = |n: u8| {
            let patch = Box::new(Patch { metadata: says(2), ..Patch::default() });
            Mutation::Update { id: pick(n), expect: Expect::Any, patch }
        };
        match self {
            Deed::Put { space, status, on, id } => (*space, Message::put(put(*id, *status, on))),
            Deed::Claim { wanted: n, ranked, ttl, set, attempts } => {
                let claim = ClaimRequest {
                    text: None,
                    wanted: wanted(*n),
                    ranked: ranked.as_ref().map(|it| it.iter().map(|n| pick(*n)).collect()),
                    set: if *set { says(1) } else { Metadata::new() },
                    ttl_ms: *ttl * tick_ms,
                    intent: String::new(),
                    order: Vec::new(),
                    attempts_max: attempts.map(u64::from),
                    exhausted: if attempts.is_some() { says(3) } else { Metadata::new() },
                };
                (0, Message::Claim(Box::new(claim)))
            }
            Deed::Complete { atom, token } => {
                let (n, resource) = resource(&Some(*atom));
                let fence =
                    Fence { token: model.token(n, &resource, *token), resource: resource.clone() };
                let token = Some(fence.token);
                let release = Mutation::Release { resource, token, undo: false };
                let mutations = vec![finish(*atom), release];
                (n, Message::Transact { mutations, fences: vec![fence] })
            }
            Deed::Update { atom, status, expect, anew } => {
                let patch = Patch {
                    expect: expect.map(says).unwrap_or_default(),
                    metadata: says(*status),
                    attempts: anew.then_some(0),
                    ..Patch::default()
                };
                (home(*atom), Message::update(pick(*atom), Expect::Any, patch))
            }
            Deed::Deprecate(atom) => {
                (home(*atom), Message::deprecate(pick(*atom), Expect::Any, None))
            }
            Deed::Acquire { atom, ttl } => {
                let (n, resource) = resource(atom);
                (n, Message::Acquire { resource, ttl_ms: *ttl * tick_ms, intent: String::new() })
            }
            Deed::Renew { atom, token, ttl } => {
                let (n, resource) = resource(atom);
                let fence = Fence { token: model.token(n, &resource, *token), resource };
                (n, Message::Renew { fence, ttl_ms: *ttl * tick_ms })
            }
            Deed::Release { atom, own, undo } => {
                let (n, resource) = resource(atom);
                let token = own.then(|| model.token(n, &resource, Which::Right));
                (n, Message::Change(Mutation::Release { resource, token, undo: *undo }))
            }
            Deed::Expire(n) => (*n, Message::Expire),
            Deed::LetGo { space, within: None } => {
                (*space, Message::LetGo { since: Millis(0), until: Millis(u64::MAX) })
            }
            Deed::LetGo { space, within: Some(within) } => {
                let ticks = model.within(*within);
                let since = Millis(began.0 + ticks.start() * tick_ms);
                let until = Millis(began.0 + (ticks.end() + 1) * tick_ms - 1);
                (*space, Message::LetGo { since, until })
            }
            Deed::Several { first, second, id } => {
                let new = Mutation::Put(Box::new(put(*id, 0, &[*first])));
                let mutations = vec![new, finish(*first), finish(*second)];
                (0, Message::Transact { mutations, fences: Vec::new() })
            }
        }
    }
}
