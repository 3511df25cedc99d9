//! A space that is carried to another store is the same there, however often and in whatever pieces
//! it is taken in, and nobody's history is written but the importer's own.
//!
//! [version] [fold] [chain] of what was taken in; what leaves again is what came; what differs,
//! what is missing in between and what belongs to another space is refused, and changes nothing.

mod merge;

use crate::laws::cases;
use proptest::prelude::*;
use proptest::test_runner::Config;
use stoa_actors::atom::{Content, Embedding};
use stoa_actors::behaviour::{Authority, View};
use stoa_actors::id::{AtomId, Millis, ROOT, SessionId, SpaceId};
use stoa_actors::incarnation::{Refused, Request, Response};
use stoa_actors::rights::Level;
use stoa_actors::simulation::Simulation;
use stoa_actors::space::{
    Draft, Expect, ImportedVersion, Message, Mutation, Patch, Refusal, Reply, Space,
};
use stoa_actors::value::Value;

const WRITER: SessionId = SessionId([1; 16]);
const IMPORTER: SessionId = ROOT;
/// May write where the importer does, and is not the owner.
const PROBER: SessionId = SessionId([2; 16]);
/// The space that is carried, the one it is carried to, one that both can read, one that the
/// importer cannot.
const FROM: SpaceId = SpaceId([11; 16]);
const INTO: SpaceId = SpaceId([12; 16]);
const OPEN: SpaceId = SpaceId([13; 16]);
const SHUT: SpaceId = SpaceId([14; 16]);

struct Levels;

impl Authority for Levels {
    fn level(&self, holder: SessionId, space: SpaceId, _: Millis) -> Option<Level> {
        (holder == WRITER || space == INTO || space == OPEN).then_some(Level::Write)
    }
}

/// One change of the space that is carried; numbers pick among what there is.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Put { word: u8, refer: Option<u8>, abroad: bool },
    Update { atom: u8, word: u8, refer: Option<u8> },
    Deprecate { atom: u8, by: Option<u8> },
    Both { word: u8, atom: u8 },
}

/// What is done with the pieces on the way.
#[derive(Clone, Debug)]
pub(crate) struct Way {
    pieces: Vec<u8>,
    /// Which pieces are lost before they are durable, and sent again.
    lost: Vec<bool>,
    new_ids: bool,
    /// Which event is tampered with afterwards.
    bent: u16,
}

fn step() -> impl Strategy<Value = Step> {
    let refer = || proptest::option::of(any::<u8>());
    prop_oneof![
        4 => (any::<u8>(), refer(), any::<bool>())
            .prop_map(|(word, refer, abroad)| Step::Put { word, refer, abroad }),
        4 => (any::<u8>(), any::<u8>(), refer())
            .prop_map(|(atom, word, refer)| Step::Update { atom, word, refer }),
        1 => (any::<u8>(), refer()).prop_map(|(atom, by)| Step::Deprecate { atom, by }),
        2 => (any::<u8>(), any::<u8>()).prop_map(|(word, atom)| Step::Both { word, atom }),
    ]
}

fn way() -> impl Strategy<Value = Way> {
    let pieces = proptest::collection::vec(1..7u8, 1..8);
    let lost = proptest::collection::vec(any::<bool>(), 8);
    (pieces, lost, any::<bool>(), any::<u16>()).prop_map(|(pieces, lost, new_ids, bent)| Way {
        pieces,
        lost,
        new_ids,
        bent,
    })
}

pub(crate) fn hold(config: Config, seed: u64, steps_max: usize) -> Result<(), String> {
    let steps = proptest::collection::vec(step(), 1..steps_max);
    cases::hold(config, seed, (steps, way()), |(steps, way)| run(&steps, &way))
}

fn content(word: u8) -> Content {
    match word % 3 {
        0 => Content::Text(format!("word {word} \u{2028}\"")),
        1 => Content::Json(Value::List(vec![Value::Float(f64::from(word) / 7.0), Value::Null])),
        _ => Content::Bytes { media_type: "image/png".into(), bytes: vec![word, 0, 255] },
    }
}

fn draft(word: u8, relation: &str, target: Option<AtomId>) -> Draft {
    let references = target.map(|id| (relation.to_owned(), vec![id])).into_iter().collect();
    Draft {
        id: None,
        content: content(word),
        annotation: format!("about {word}"),
        metadata: [("status".to_owned(), Value::Int(i64::from(word)))].into(),
        references,
        embedding: word.is_multiple_of(2).then(|| Embedding {
            fingerprint: 7,
            scale: 0.5,
            dims: vec![word],
        }),
    }
}

type Sim = Simulation<Space>;

fn call(sim: &mut Sim, space: SpaceId, who: SessionId, message: Message) -> Response<Space> {
    let ask = Request::new(who, message).comment("why").key(format!("key {}", sim.disk().head()));
    let ticket = sim.ask_under(space.stream(), ask, &Levels);
    let told = sim.settle().into_iter().find(|it| it.ticket == ticket);
    told.map(|it| it.answer).unwrap_or_else(|| panic!("everything was settled"))
}

fn put(sim: &mut Sim, space: SpaceId, draft: Draft) -> Option<AtomId> {
    match call(sim, space, WRITER, Message::put(draft)) {
        Ok(Reply::Version { id, .. }) => Some(id),
        _ => None,
    }
}

fn pick<T: Copy>(of: &[T], n: u8) -> Option<T> {
    of.get(usize::from(n) % of.len().max(1)).copied()
}

/// A space with a history, and what leaves of it.
fn fill(steps: &[Step]) -> (Sim, Vec<AtomId>) {
    let mut sim = Sim::new(1);
    let abroad: Vec<AtomId> =
        [OPEN, SHUT].iter().filter_map(|it| put(&mut sim, *it, draft(0, "", None))).collect();
    let mut atoms = Vec::new();
    for step in steps {
        sim.now.0 += 1;
        match step {
            Step::Put { word, refer, abroad: away } => {
                let targets = if *away { &abroad } else { &atoms };
                let target = refer.and_then(|n| pick(targets, n));
                atoms.extend(put(&mut sim, FROM, draft(*word, "after", target)));
            }
            Step::Update { atom, word, refer } => {
                let Some(id) = pick(&atoms, *atom) else { continue };
                let targets: Vec<AtomId> =
                    refer.and_then(|n| pick(&atoms, n)).into_iter().collect();
                let references = [("see".to_owned(), targets)].into();
                let content = Some(content(*word));
                let patch = Patch { content, references, ..Patch::default() };
                call(&mut sim, FROM, WRITER, Message::update(id, Expect::Any, patch)).ok();
            }
            Step::Deprecate { atom, by } => {
                let Some(id) = pick(&atoms, *atom) else { continue };
                let by = by.and_then(|n| pick(&atoms, n)).filter(|by| *by != id);
                call(&mut sim, FROM, WRITER, Message::deprecate(id, Expect::Any, by)).ok();
            }
            Step::Both { word, atom } => {
                let Some(id) = pick(&atoms, *atom) else { continue };
                let patch = || {
                    let annotation = Some(format!("both {word}"));
                    Box::new(Patch { annotation, ..Patch::default() })
                };
                let update = || Mutation::Update { id, expect: Expect::Any, patch: patch() };
                let mutations = vec![update(), update()];
                let both = Message::Transact { mutations, fences: vec![] };
                call(&mut sim, FROM, WRITER, both).ok();
            }
        }
    }
    (sim, abroad)
}

fn leaving(sim: &Sim, space: SpaceId) -> Vec<ImportedVersion> {
    let entries = sim.disk().stream_after(space.stream(), 0);
    entries
        .flat_map(|(at, body)| ImportedVersion::of(space, at, body).unwrap_or_default())
        .collect()
}

/// Takes the pieces in, some of them twice because the first time was lost.
fn take(sim: &mut Sim, all: &[ImportedVersion], way: &Way) -> Result<(u64, u64), String> {
    let (mut sum, mut rest, mut turn) = ((0, 0), all, 0);
    while !rest.is_empty() {
        let length = usize::from(way.pieces[turn % way.pieces.len()]).min(rest.len());
        let message = Message::Import(rest[..length].to_vec());
        if way.lost[turn % way.lost.len()] {
            sim.ask_under(INTO.stream(), Request::new(IMPORTER, message.clone()), &Levels);
            sim.crash();
        }
        match call(sim, INTO, IMPORTER, message) {
            Ok(Reply::Imported { new, known }) => sum = (sum.0 + new, sum.1 + known),
            other => return Err(format!("carry: a piece was refused: {other:?}")),
        }
        rest = &rest[length..];
        turn += 1;
    }
    Ok(sum)
}

fn plain(all: Vec<ImportedVersion>) -> Vec<ImportedVersion> {
    all.into_iter().map(|it| ImportedVersion { imported: None, ..it }).collect()
}

fn run(steps: &[Step], way: &Way) -> Result<(), String> {
    let (source, abroad) = fill(steps);
    let mut target = Sim::new(2);
    target.now = Millis(9_000);
    // What the space refers to elsewhere is here as well: one is for the importer to see.
    for (space, id) in [OPEN, SHUT].into_iter().zip(abroad) {
        put(&mut target, space, Draft { id: Some(id), ..draft(0, "", None) });
    }
    let mut all = leaving(&source, FROM);
    let ids: Vec<AtomId> = all.iter().map(|it| it.id).collect();
    if way.new_ids {
        all = all.into_iter().map(|it| it.under(INTO, &|id| ids.contains(&id))).collect();
    }
    let count = all.len() as u64;
    if take(&mut target, &all, way)? != (count, 0) {
        return Err("carry: not all of it was new".into());
    }
    same(&source, &target, &ids, &all)?;
    if plain(leaving(&target, INTO)) != all {
        return Err(format!("carry: {:?} came, {:?} leaves", all, leaving(&target, INTO)));
    }
    let head = target.disk().head();
    if take(&mut target, &all, way)? != (0, count) || target.disk().head() != head {
        return Err("carry: taken in again it is not the same".into());
    }
    refused(&mut target, &all, way)?;
    merge::hold(&mut target, &all, way)?;
    if !target.disk().chains() || !target.disk().folds() {
        return Err("chain, fold: what was taken in does not hold".into());
    }
    Ok(())
}

/// Held against the atoms of the first store, field by field.
fn same(source: &Sim, target: &Sim, ids: &[AtomId], all: &[ImportedVersion]) -> Result<(), String> {
    for (old, it) in ids.iter().zip(all) {
        let was = source.disk().version(*old, it.version).ok_or("version: it was never there")?;
        let is = target.disk().version(it.id, it.version).ok_or("version: it did not arrive")?;
        let says = |it: &stoa_actors::atom::Atom| {
            let deprecated = it.deprecated.is_some();
            (it.version, it.content.clone(), it.annotation.clone(), it.metadata.clone(), deprecated)
        };
        if says(&was) != says(&is) || was.embedding != is.embedding {
            return Err(format!("carry: {was:?} has become {is:?}"));
        }
        if is.author != IMPORTER || is.space != INTO || is.at < Millis(9_000) {
            return Err(format!("carry: {is:?} is not the importer's doing"));
        }
        for reference in &is.references {
            let space = target.disk().space_of(reference.target);
            if !matches!(space, Some(INTO | OPEN)) {
                return Err(format!("reference: {is:?} refers to what its importer cannot see"));
            }
            let sources = target.disk().sources(reference.target, Some(&reference.relation));
            let newest = target.disk().atom(is.id).is_some_and(|it| it.version == is.version);
            if newest && !sources.iter().any(|(_, source)| *source == is.id) {
                return Err(format!("reference: {is:?} is not listed from its target"));
            }
        }
        let at_home = |id: AtomId| matches!(target.disk().space_of(id), Some(INTO | OPEN));
        let meant = it.references.iter().filter(|it| at_home(it.target)).count();
        // What came later could not be referred to yet: nothing of one space refers ahead.
        if is.references.len() != meant {
            return Err(format!("reference: of {:?} there is {:?}", it.references, is.references));
        }
    }
    Ok(())
}

/// What is not what is here, does not follow, or belongs elsewhere is refused and changes nothing.
fn refused(target: &mut Sim, all: &[ImportedVersion], way: &Way) -> Result<(), String> {
    let Some(it) = all.get(usize::from(way.bent) % all.len().max(1)) else { return Ok(()) };
    let head = target.disk().head();
    let mut refuse = |it: ImportedVersion, right: &dyn Fn(&Refusal) -> bool| {
        let (id, version) = (it.id, it.version);
        // Beside one that would be taken in: all or nothing.
        let fresh =
            ImportedVersion { id: AtomId([77; 16]), version: 1, deprecated: None, ..it.clone() };
        let answer = call(target, INTO, IMPORTER, Message::Import(vec![fresh, it]));
        match answer {
            Err(Refused::Actor(refusal)) if right(&refusal) => Ok(()),
            other => Err(format!("carry: {id} version {version} should be refused: {other:?}")),
        }
    };
    let bent = ImportedVersion { annotation: "bent".into(), ..it.clone() };
    refuse(bent, &|no| matches!(no, Refusal::Differs { .. }))?;
    let metadata = [("x".to_owned(), Value::Null)].into();
    refuse(ImportedVersion { metadata, ..it.clone() }, &|no| {
        matches!(no, Refusal::Differs { .. })
    })?;
    let gap = ImportedVersion { id: AtomId([88; 16]), version: 2, ..it.clone() };
    refuse(gap, &|no| matches!(no, Refusal::Gap { newest: 0, .. }))?;
    for space in [OPEN, SHUT] {
        let theirs = call(target, space, WRITER, Message::put(draft(1, "", None)));
        let Ok(Reply::Version { id, .. }) = theirs else { return Err(format!("{theirs:?}")) };
        let taken = |no: &Refusal| *no == Refusal::Elsewhere(id);
        let answer = call(
            target,
            INTO,
            IMPORTER,
            Message::Import(vec![ImportedVersion { id, version: 2, ..it.clone() }]),
        );
        if !matches!(&answer, Err(Refused::Actor(no)) if taken(no)) {
            return Err(format!("carry: an atom of {space} was taken: {answer:?}"));
        }
    }
    // Whether there is something that it cannot see makes no difference to who is not the owner.
    let hidden = target
        .disk()
        .stream_after(SHUT.stream(), 0)
        .find_map(|(at, body)| ImportedVersion::of(SHUT, at, body).ok()?.first().map(|it| it.id));
    for id in [Some(AtomId([99; 16])), hidden].into_iter().flatten() {
        let probe = ImportedVersion { id, version: 1, deprecated: None, ..it.clone() };
        let answer = call(target, INTO, PROBER, Message::Import(vec![probe]));
        if !matches!(&answer, Err(Refused::Actor(Refusal::Elsewhere(no))) if *no == id) {
            return Err(format!("carry: an import tells whether {id} is there: {answer:?}"));
        }
    }
    let import = Message::Import(vec![it.clone()]);
    let stranger = call(target, SHUT, IMPORTER, import);
    if !matches!(stranger, Err(Refused::Actor(Refusal::Unknown))) {
        return Err(format!("carry: who may not write has imported: {stranger:?}"));
    }
    if target.disk().head().position.0 != head.position.0 + 2 {
        return Err("carry: what was refused has changed something".into());
    }
    Ok(())
}
