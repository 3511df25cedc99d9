//! What an agent owes and is owed, read from the log when its window is made anew.

use super::around::Around;
use crate::caller::Caller;
use crate::problem::{Problem, ProblemKind};
use crate::store::Store;
use std::collections::BTreeSet;
use stoa_actors::behaviour::Behaviour;
use stoa_actors::briefing::{AtomVersion, Obligation, PROMISE, PROMISE_OPEN};
use stoa_actors::id::{Millis, SessionId, SpaceId};
use stoa_actors::incarnation;
use stoa_actors::rights::Named;
use stoa_actors::search::{PageEnd, Query, SearchOrder};
use stoa_actors::session::{AgentSpec, Event, Session};
use stoa_actors::space::{self, Resource, Space};
use stoa_actors::value::Value;

/// Of one kind, in one space; the latest where there are more.
const OWED_IN_SPACE_MAX: usize = 64;

/// Pages of promises, its own and those of others, that are looked through.
const PROMISE_PAGES: usize = 16;

/// How far back what was said in a space that two share is looked through.
const SAID_ENTRIES: u64 = 512;

/// Of what is told to a parent, what its agent has not said itself.
const NOTICES: [&str; 4] = ["quarantined", "parked", "stopped", "exhausted"];

/// What an agent tells its parent at the end of a turn.
const REPORT: &str = "said";

/// All of it; on a thread that may wait.
pub(super) fn obligations(
    of: &Caller,
    charter: &AgentSpec,
    around: &Around,
) -> Result<Vec<Obligation>, Problem> {
    let mut owed = leases(of)?;
    let children = children(of)?;
    owed.extend(said(of, charter.dm, of.session())?);
    for space in around.spaces.iter().map(|it| it.id) {
        owed.extend(promises(of, space)?);
    }
    let shared = children.iter().filter_map(|it| match it {
        Obligation::Child { dm, session, .. } => Some((*dm, *session)),
        _ => None,
    });
    let said = shared.map(|(dm, child)| said(of, dm, child)).collect::<Result<Vec<_>, _>>()?;
    owed.extend(children);
    owed.extend(said.into_iter().flatten());
    Ok(owed)
}

fn leases(of: &Caller) -> Result<Vec<Obligation>, Problem> {
    let (store, me, now) = (of.runtime.store(), of.session(), of.runtime.now());
    let mut spaces = BTreeSet::new();
    for row in store.own_rows::<Space>(&Space::lease_key(me, None, None)) {
        let (key, value) = row?;
        spaces.extend(Space::leased_within(&key, &value, &(Millis(0)..=Millis(u64::MAX))));
    }
    let mut owed = Vec::new();
    for space in spaces {
        let state = crate::host::load::<Space>(store, space.stream())?;
        let own = state.state().leases().filter(|it| it.holder == me && it.is_live(now));
        for lease in own.take(OWED_IN_SPACE_MAX) {
            let (resource, atom) = match &lease.resource {
                Resource::Atom(id) => {
                    (id.to_string(), store.newest(*id)?.map(|(_, it)| version(&it)))
                }
                Resource::Name(name) => (name.clone(), None),
            };
            let (until, intent) = (lease.until, lease.intent.clone());
            owed.push(Obligation::Leased { space, resource, atom, until, intent });
        }
    }
    Ok(owed)
}

fn children(of: &Caller) -> Result<Vec<Obligation>, Problem> {
    let store = of.runtime.store();
    let named: Vec<(SessionId, String)> = {
        let rights = of.runtime.shared().rights.read();
        let name = |child: SessionId| {
            let alias = rights.alias_of(of.session(), Named::Session(child));
            (child, alias.map_or_else(|| child.to_string(), str::to_owned))
        };
        rights.children(of.session()).map(name).collect()
    };
    let mut owed = Vec::new();
    for (session, name) in named {
        // One that is no agent has no space of its own with its parent.
        let Some(dm) = born(store, session)? else { continue };
        let state = store.own_row::<Session>(&Session::phase_key(session))?;
        let state = state.map_or("idle".to_owned(), |it| String::from_utf8_lossy(&it).into_owned());
        owed.push(Obligation::Child { session, name, state, dm });
    }
    Ok(owed)
}

/// The space that an agent shares with its parent.
fn born(store: &Store, session: SessionId) -> Result<Option<SpaceId>, Problem> {
    if store.kind_of(session.stream())?.as_deref() != Some(Session::KIND) {
        return Ok(None);
    }
    let events = super::past::events(store, session, 1)?;
    Ok(events.iter().find_map(|it| match it {
        Event::Born(charter) => Some(charter.dm),
        _ => None,
    }))
}

/// What was said last in a space that an agent shares with its parent, one of them the caller, and is not
/// answered. What an agent reports at the end of a turn answers, and asks nothing.
fn said(of: &Caller, dm: SpaceId, agent: SessionId) -> Result<Vec<Obligation>, Problem> {
    let (store, me) = (of.runtime.store(), of.session());
    if of.level(dm).is_none() {
        return Ok(Vec::new());
    }
    let mut owed = Vec::new();
    let mut own = None;
    let mut seq = store.last_seq(dm.stream())?;
    'entries: for _ in 0..SAID_ENTRIES {
        let place = if seq == 0 { None } else { store.position_of(dm.stream(), seq)? };
        let entry = place.map(|at| store.entry(at)).transpose()?.flatten();
        let Some(entry) = entry else { break };
        seq -= 1;
        let events = incarnation::events::<Space>(&entry.body)
            .map_err(|error| Problem::new(ProblemKind::Store, error))?;
        for event in events {
            let space::Event::AtomPut(atom) = event else { continue };
            let kind = match atom.metadata.get("kind") {
                Some(Value::Text(kind)) => &**kind,
                _ => "",
            };
            // What became of an agent is neither asked nor answered.
            if NOTICES.contains(&kind) {
                continue;
            }
            let by_me = atom.author == me;
            if own.is_some_and(|own| own != by_me) || owed.len() >= OWED_IN_SPACE_MAX {
                break 'entries;
            }
            own = Some(by_me);
            if kind == REPORT && atom.author == agent {
                continue;
            }
            let (space, atom) = (dm, version(&atom));
            owed.push(match by_me {
                true => Obligation::Awaited { space, atom },
                false => Obligation::Unanswered { space, atom },
            });
        }
    }
    owed.reverse();
    Ok(owed)
}

/// Atoms of its own that say that something is promised, the latest first looked at.
fn promises(of: &Caller, space: SpaceId) -> Result<Vec<Obligation>, Problem> {
    let mut query = Query {
        metadata: [(PROMISE.to_owned(), Value::Text(PROMISE_OPEN.to_owned()))].into(),
        order: SearchOrder::Newest,
        limit: of.runtime.shared().config.limits.search.hits_max,
        ..Query::default()
    };
    let mut owed = Vec::new();
    for _ in 0..PROMISE_PAGES {
        let found = of.found_now(space, &query)?;
        let Some(last) = found.last() else { break };
        query.after = Some(PageEnd { id: last.read.atom.id, score: None });
        let own = found.iter().filter(|it| it.read.atom.author == of.session());
        owed.extend(own.map(|it| Obligation::Promised { space, atom: version(&it.read.atom) }));
        if owed.len() >= OWED_IN_SPACE_MAX {
            break;
        }
    }
    owed.truncate(OWED_IN_SPACE_MAX);
    owed.reverse();
    Ok(owed)
}

fn version(atom: &stoa_actors::atom::Atom) -> AtomVersion {
    AtomVersion { id: atom.id, version: atom.version }
}
