//! What must be so when nothing is left to do.

use super::scene::{
    DOOMED, GIVEN, LEADS, Scene, WORKERS, child, declares, dm, everybody, lead, other_space,
    task_space,
};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use stoa_actors::atom::{Atom, Content};
use stoa_actors::behaviour::Behaviour;
use stoa_actors::id::{AtomId, Millis, RIGHTS, SessionId, SpaceId, StreamId};
use stoa_actors::rights::{self, Rights};
use stoa_actors::session::{BudgetUnit, Event, LedgerEntry, Phase, Session, Settlement, Spent};
use stoa_actors::space::{self, Space};
use stoa_actors::value::Value;

pub(crate) fn all(scene: &mut Scene) -> Result<(), String> {
    fold(scene)?;
    outbox(scene)?;
    requests(scene)?;
    tasks(scene)?;
    spawned(scene)?;
    wiped(scene)?;
    budgets(scene)?;
    letters(scene)?;
    described(scene)?;
    phases(scene)
}

fn fold(scene: &Scene) -> Result<(), String> {
    let disk = scene.world.disk();
    if disk.folds() && disk.chains() { Ok(()) } else { Err("fold: the log is damaged".into()) }
}

fn outbox(scene: &mut Scene) -> Result<(), String> {
    let rows: Vec<_> = scene.world.disk().owed().collect();
    if !rows.is_empty() {
        let of = |(stream, _): &(StreamId, u64)| {
            let events: Vec<&Event> = session_events(scene, SessionId(stream.0)).collect();
            let from = events.len().saturating_sub(12);
            format!("{:?}", &events[from..])
        };
        let last: Vec<String> = rows.iter().map(of).collect();
        return Err(format!("outbox: rows say that something is owed: {rows:?}, behind {last:?}"));
    }
    for session in everybody() {
        let owes = scene.world.owes(session.stream());
        let phase = scene.world.state::<Session>(session.stream()).phase().clone();
        // Who is idle looks again at every start.
        let at_rest = !matches!(phase, Phase::Turning(_) | Phase::Waiting { .. });
        if !at_rest || owes.len() > 1 {
            return Err(format!("outbox: {session} is {phase:?} and owes {owes:?}"));
        }
    }
    if let Some(at) = scene.world.rights().next_expiry() {
        return Err(format!("expiry: a right that expires at {at:?} is there still"));
    }
    let rights = scene.world.owes(RIGHTS);
    if rights.is_empty() { Ok(()) } else { Err(format!("outbox: the rights owe {rights:?}")) }
}

/// The rows say what those who live and are not idle are doing.
fn phases(scene: &mut Scene) -> Result<(), String> {
    let rows = scene.world.disk().own_rows::<Session>(Session::phase_keys());
    let rows = rows.filter_map(|(key, value)| Session::read_phase_row(key, value));
    let rows: BTreeMap<SessionId, String> = rows.collect();
    let mut told = BTreeMap::new();
    for it in everybody() {
        let phase = scene.world.state::<Session>(it.stream()).phase();
        if !matches!(phase, Phase::Unborn | Phase::Idle | Phase::Wiped) {
            told.insert(it, phase.word().to_owned());
        }
    }
    if rows == told { Ok(()) } else { Err(format!("phase: rows say {rows:?}, it is {told:?}")) }
}

/// Whoever is outside was answered.
fn requests(scene: &Scene) -> Result<(), String> {
    let all = scene.tasks.iter().chain(&scene.noted).chain([&scene.wipe]);
    for request in all {
        match scene.world.answer(*request) {
            Some(outcome) if outcome.refused().is_none() => {}
            other => return Err(format!("once: request {request} heard {other:?}")),
        }
    }
    Ok(())
}

fn says(atom: &Atom, status: &str) -> bool {
    atom.metadata.get("status") == Some(&status.into())
}

/// Events of a space, in order.
fn events(scene: &Scene, space: SpaceId) -> impl Iterator<Item = (SessionId, &space::Event)> {
    scene.world.disk().events::<Space>(space.stream())
}

fn tasks(scene: &mut Scene) -> Result<(), String> {
    let mut done: BTreeMap<AtomId, usize> = BTreeMap::new();
    let (mut asked, mut noted) = (0, 0);
    for (_, event) in events(scene, task_space()) {
        match event {
            space::Event::AtomPut(atom) if says(atom, "open") => {
                asked += 1;
                done.insert(atom.id, 0);
            }
            space::Event::AtomPut(_) => noted += 1,
            space::Event::AtomUpdated { atom, .. } if says(atom, "done") => {
                *done.entry(atom.id).or_default() += 1;
            }
            _ => {}
        }
    }
    if asked != scene.tasks.len() {
        return Err(format!("once: {asked} tasks are there, of {}", scene.tasks.len()));
    }
    if let Some((task, times)) = done.iter().find(|(_, times)| **times != 1) {
        return Err(format!("once: task {task} is done {times} times"));
    }
    if noted != asked {
        return Err(format!("once: {noted} notes of {asked} tasks"));
    }
    given_back(scene)?;
    in_their_order(scene)?;
    let leases = scene.world.state::<Space>(task_space().stream()).leases().count();
    if leases > 0 { Err(format!("lease: {leases} are there still")) } else { Ok(()) }
}

/// Of the tasks that are open the one of least rank is claimed; of equals the one that was put last,
/// and those without a rank behind all others. Each says how often it was.
fn in_their_order(scene: &Scene) -> Result<(), String> {
    let mut open: BTreeMap<AtomId, (i64, Reverse<(u64, AtomId)>)> = BTreeMap::new();
    let mut claims: BTreeMap<AtomId, u64> = BTreeMap::new();
    for (_, event) in events(scene, task_space()) {
        let Some(atom) = Space::atom(event) else { continue };
        *claims.entry(atom.id).or_default() += u64::from(says(atom, "doing"));
        if claims[&atom.id] != atom.attempts {
            return Err(format!("attempts: {claims:?} were made, and {atom:?} says otherwise"));
        }
        if says(atom, "doing") {
            let mine = open.get(&atom.id).copied();
            if mine.is_none() || open.values().min() != mine.as_ref() {
                return Err(format!("order: of {open:?} {atom:?} was claimed"));
            }
        }
        open.remove(&atom.id);
        if says(atom, "open") {
            let rank = match atom.metadata.get("rank") {
                Some(Value::Int(rank)) => *rank,
                _ => i64::MAX,
            };
            open.insert(atom.id, (rank, Reverse((atom.born, atom.id))));
        }
    }
    Ok(())
}

/// What was leased in a turn that failed is given back before the agent goes on; of one that is put
/// out of service what it has leased by then is, and nothing else.
fn given_back(scene: &Scene) -> Result<(), String> {
    let mut leased: BTreeMap<SessionId, BTreeSet<u64>> = BTreeMap::new();
    let mut failed: BTreeMap<SessionId, BTreeSet<u64>> = BTreeMap::new();
    let mut out: BTreeMap<SessionId, Millis> = BTreeMap::new();
    let mut since: BTreeMap<u64, Millis> = BTreeMap::new();
    let disk = scene.world.disk();
    for (at, ((stream, of_session), (_, of_space))) in
        (1..).zip(disk.happened::<Session>().zip(disk.happened::<Space>()))
    {
        for event in of_session {
            let who = SessionId(stream.0);
            match event {
                Event::TurnBegan { .. } => {
                    let kept = failed.remove(&who).unwrap_or_default();
                    if !kept.is_empty() {
                        return Err(format!("lease: {who} goes on at {at} with {kept:?} leased"));
                    }
                    leased.remove(&who);
                }
                Event::Wiped { .. } => drop(out.insert(who, Millis(u64::MAX))),
                Event::Quarantined { at, .. } | Event::Stopped { at, .. } => {
                    failed.remove(&who);
                    out.insert(who, *at);
                }
                Event::TurnFailed { .. } => {
                    failed.insert(who, leased.remove(&who).unwrap_or_default());
                }
                _ => {}
            }
        }
        for event in of_space {
            match event {
                space::Event::Leased(lease) => {
                    leased.entry(lease.holder).or_default().insert(lease.token);
                    since.insert(lease.token, lease.since);
                }
                space::Event::LeaseEnded { holder, token, how, .. } => {
                    leased.get_mut(holder).map(|it| it.remove(token));
                    let known = failed.get_mut(holder).is_some_and(|it| it.remove(token));
                    let mut out = out.get(holder).zip(since.get(token));
                    let out = out.take_if(|(out, since)| since <= out).is_some();
                    if *how == space::End::Abandoned && !known && !out {
                        return Err(format!("lease: {holder} lost {token}, and has not failed"));
                    }
                }
                _ => {}
            }
        }
    }
    Ok(())
}

fn session_events(scene: &Scene, of: SessionId) -> impl Iterator<Item = &Event> {
    scene.world.disk().events::<Session>(of.stream()).map(|(_, event)| event)
}

fn spawned(scene: &mut Scene) -> Result<(), String> {
    for parent in (0..LEADS).map(lead) {
        let asked: Vec<SessionId> = session_events(scene, parent)
            .filter_map(|it| match it {
                Event::Spawning { spawn, .. } => Some(spawn.child),
                _ => None,
            })
            .collect();
        for (n, it) in asked.iter().enumerate() {
            let again = asked.iter().filter(|other| *other == it).count();
            let born = session_events(scene, *it);
            let births = born.filter(|it| matches!(it, Event::Born(_))).count();
            let known = scene.world.rights().birth(*it);
            let doomed = parent == lead(DOOMED);
            // Of one whose parent was to end the rights may have refused it, or ended it unborn; and
            // what is asked for anew after it has ended they refuse.
            if (!doomed && again != 1)
                || births > 1
                || (!doomed && (births != 1 || known.is_none()))
            {
                return Err(format!("spawn: child {n} {it}: {births} births, {known:?}"));
            }
            let heard = scene.world.state::<Session>(parent.stream()).follows();
            let heard = heard.filter(|(space, _)| *space == dm(parent, n)).count();
            if !doomed && heard != 1 {
                return Err(format!("spawn: {parent} does not hear child {n}"));
            }
        }
    }
    Ok(())
}

fn wiped(scene: &mut Scene) -> Result<(), String> {
    let doomed = lead(DOOMED);
    let under: Vec<SessionId> =
        std::iter::once(doomed).chain((0..WORKERS).map(|n| child(doomed, n))).collect();
    for it in under {
        let birth = scene.world.rights().birth(it);
        let phase = scene.world.state::<Session>(it.stream()).phase().clone();
        let ended = birth.is_none_or(|it| it.ended.is_some());
        let dead = match birth {
            Some(_) => phase == Phase::Wiped,
            None => phase == Phase::Unborn,
        };
        if !ended || !dead {
            return Err(format!("wipe: {it} is {phase:?}, and its rights say {birth:?}"));
        }
        let rights = scene.world.rights();
        if !rights.holdings(it, scene.world.now()).is_empty() || rights.is_agent(it) {
            return Err(format!("wipe: {it} holds something still"));
        }
    }
    Ok(())
}

/// What there is of a family's budget is what its lead was given: left, put aside or spent, or given
/// back. And nobody was billed more than stands as spent.
fn budgets(scene: &mut Scene) -> Result<(), String> {
    for n in 0..LEADS {
        let lead = lead(n);
        let mut sum = Spent::default().budget();
        for it in std::iter::once(lead).chain((0..WORKERS).map(|it| child(lead, it))) {
            let purse = scene.world.state::<Session>(it.stream()).account().clone();
            if purse.sent().count() > 0 {
                return Err(format!("budget: something of {it} is on its way"));
            }
            let put_aside = purse.reserved().map_or(Spent::default(), |it| it.most);
            let (left, spent) = (purse.left(), purse.spent().plus(put_aside));
            sum = sum.plus(left).plus(spent.budget());
            let billed = scene.bills.borrow().get(&it).copied().unwrap_or_default();
            let over = billed
                .budget()
                .units()
                .into_iter()
                .any(|(unit, billed)| billed > spent.budget().of(unit));
            if over {
                return Err(format!("budget: {it} was billed {billed:?}, and {spent:?} stands"));
            }
        }
        // What it had when it gave that back is nowhere else.
        let mut alive = Session::unborn(lead.stream());
        for event in session_events(scene, lead) {
            if matches!(event, Event::Booked(LedgerEntry::Settled(Settlement::Returned))) {
                sum = sum.plus(alive.account().left());
            }
            alive.apply(event);
        }
        let mut bounded = GIVEN.units().into_iter().filter(|(unit, _)| unit.is_handed_on());
        let short =
            |(unit, given): &(BudgetUnit, Option<u64>)| given.is_some() && sum.of(*unit) != *given;
        if let Some((unit, given)) = bounded.find(short) {
            return Err(format!("budget: of {given:?} {unit} given to lead {n} there is {sum:?}"));
        }
    }
    Ok(())
}

fn letters(scene: &mut Scene) -> Result<(), String> {
    for it in everybody() {
        let dm = scene.world.state::<Session>(it.stream()).charter().map(|it| it.dm);
        let events_of = || session_events(scene, it);
        let told = events_of().filter(|it| matches!(it, Event::Told(_))).count();
        let Some(dm) = dm else { continue };
        let mine = events(scene, dm)
            .filter(|(by, event)| *by == it && matches!(event, space::Event::AtomPut(_)));
        let untold = events_of().filter(|it| matches!(it, Event::Untold { .. })).count();
        let ended = scene.world.rights().birth(it).is_none_or(|it| it.ended.is_some());
        if untold > 0 && !ended {
            return Err(format!("letters: {untold} of {it} are nowhere"));
        }
        // A letter that is there may have lost who waited for that: it was wiped.
        let wiped = events_of().any(|it| matches!(it, Event::Wiped { .. }));
        let count = mine.count();
        if count < told || (count > told && !wiped) {
            return Err(format!("letters: {it} has told {told}, and {count} are there"));
        }
        let wrote = events_of().filter(|it| matches!(it, Event::Wrote { .. })).count();
        if count > wrote {
            return Err(format!("letters: {it} wrote {wrote}, and {count} are there"));
        }
    }
    Ok(())
}

fn described(scene: &mut Scene) -> Result<(), String> {
    for (n, space) in [task_space(), other_space(0), other_space(1)].into_iter().enumerate() {
        let said: Vec<&String> = events(scene, space)
            .filter_map(|(_, it)| match it {
                space::Event::Described(text) => Some(text),
                _ => None,
            })
            .collect();
        if said != [&format!("is space {n}")] {
            return Err(format!("describe: {space} has said {said:?}"));
        }
        let declared: Vec<_> = events(scene, space)
            .filter_map(|(_, it)| match it {
                space::Event::Declared(declares) => Some(declares),
                _ => None,
            })
            .collect();
        let declares = declares(n);
        if declared != Vec::from_iter((!declares.is_empty()).then_some(&declares)) {
            return Err(format!("declare: {space} has declared {declared:?}"));
        }
    }
    for n in 0..LEADS {
        let notes = events(scene, dm(stoa_actors::id::ROOT, n));
        let note = |event: &space::Event| match event {
            space::Event::AtomPut(atom) => {
                atom.content == Content::Text("you may read this".into())
            }
            _ => false,
        };
        let notes = notes.filter(|(_, it)| note(it)).count();
        if notes != 1 {
            return Err(format!("note: {notes} of lead {n}"));
        }
    }
    let rights = scene.world.disk().events::<Rights>(RIGHTS);
    let doomed = rights.filter(|(_, it)| matches!(it, rights::Event::Doomed { .. })).count();
    if doomed == 1 { Ok(()) } else { Err(format!("wipe: doomed {doomed} times")) }
}
