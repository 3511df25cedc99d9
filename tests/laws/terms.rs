//! [cursor] When a subscription tells: after a pause, never later than it may, never after its end;
//! and whom a filter by relation lets pass. Against a look at every millisecond.

use crate::laws::cases;
use proptest::test_runner::Config;
use stoa_actors::atom::{Atom, Content, Reference};
use stoa_actors::id::{AtomId, Millis, SessionId, SpaceId};
use stoa_actors::space::{DEBOUNCES_MAX, Filter, Tells, Terms};

/// What is wrong with when things are told, looked at every millisecond.
fn told_in_time(debounce_ms: u64, until: Option<u64>, gaps: &[u64]) -> Result<(), String> {
    let terms = Terms { debounce_ms, until: until.map(Millis) };
    let mut changes: Vec<u64> = Vec::new();
    for gap in gaps {
        changes.push(changes.last().copied().unwrap_or(1) + gap);
    }
    let end = changes.last().copied().unwrap_or(0) + debounce_ms * (DEBOUNCES_MAX + 1) + 2;
    let mut untold: Vec<u64> = Vec::new();
    for now in 1..=end {
        if until.is_some_and(|until| until <= now) != terms.over(Millis(now)) {
            return Err(format!("cursor: at {now} it is {} over", terms.over(Millis(now))));
        }
        untold.extend(changes.iter().filter(|it| **it == now));
        let (Some(first), Some(last)) = (untold.first(), untold.last()) else { continue };
        let pause = (now.saturating_sub(debounce_ms) + 1..=now).all(|ms| !untold.contains(&ms));
        let patient = now < first + debounce_ms * DEBOUNCES_MAX;
        let tells = terms.tells(Millis(*first), Millis(*last), Millis(now));
        if until.is_some_and(|until| until <= now) {
            match tells {
                Tells::Never => return Ok(()),
                tells => return Err(format!("cursor: at {now} it is over, and tells {tells:?}")),
            }
        }
        if matches!(tells, Tells::At(at) if at <= Millis(now)) {
            return Err(format!("cursor: at {now} it is to be told {tells:?}"));
        }
        let told = tells == Tells::Now;
        if told != (pause || debounce_ms == 0 || !patient) {
            return Err(format!("cursor: at {now} {untold:?} is told: {told}"));
        }
        if told {
            untold.clear();
        }
    }
    if untold.is_empty() { Ok(()) } else { Err(format!("cursor: {untold:?} is never told")) }
}

/// What is wrong with what passes: every relation of the filter leads where it says.
fn passes_what_refers(filter: &[(u8, Vec<u8>)], held: &[(u8, u8)]) -> Result<(), String> {
    let id = |n: u8| AtomId([n + 1; 16]);
    let named = |n: u8| format!("r{n}");
    let reference = |(relation, target): &(u8, u8)| Reference {
        relation: named(*relation),
        target: id(*target),
    };
    let atom = Atom {
        id: id(200),
        space: SpaceId([9; 16]),
        version: 1,
        born: 1,
        author: SessionId([1; 16]),
        at: Millis(1),
        content: Content::default(),
        annotation: String::new(),
        metadata: Default::default(),
        references: held.iter().map(reference).collect(),
        embedding: None,
        deprecated: None,
        attempts: 0,
    };
    let mut asked = Filter::default();
    for (relation, targets) in filter {
        asked.references.insert(named(*relation), targets.iter().map(|it| id(*it)).collect());
    }
    let mut wanted = true;
    for (relation, targets) in &asked.references {
        let ends: Vec<AtomId> = atom
            .references
            .iter()
            .filter(|it| it.relation == *relation)
            .map(|it| it.target)
            .collect();
        let hit = if targets.is_empty() {
            !ends.is_empty()
        } else {
            ends.iter().any(|it| targets.contains(it))
        };
        wanted = wanted && hit;
    }
    if asked.passes("atom.put", Some(&atom)) != wanted {
        return Err(format!("cursor: {asked:?} of {:?}: not {wanted}", atom.references));
    }
    if !asked.references.is_empty() && asked.passes("space.described", None) {
        return Err("cursor: what is no atom refers to something".into());
    }
    Ok(())
}

/// Runs so many cases from a seed; the first breach, cut down.
pub(crate) fn hold(config: Config, seed: u64) -> Result<(), String> {
    let gaps = proptest::collection::vec(0..9u64, 0..60);
    let times = (0..8u64, proptest::option::of(1..200u64), gaps);
    let asked = proptest::collection::vec((0..3u8, proptest::collection::vec(0..4u8, 0..3)), 0..3);
    let references = (asked, proptest::collection::vec((0..3u8, 0..4u8), 0..5));
    cases::hold(config, seed, (times, references), |((debounce_ms, until, gaps), (asked, held))| {
        told_in_time(debounce_ms, until, &gaps)?;
        passes_what_refers(&asked, &held)
    })
}
