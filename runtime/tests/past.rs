//! Any past moment reads as it was: against everything remembered at every step.

use proptest::prelude::*;
use proptest::test_runner::{Config as Cases, TestRng, TestRunner};
use std::collections::BTreeMap;
use std::sync::Arc;
use stoa::as_of::Moment;
use stoa::caller::{Caller, GrantRequest, HistoryQuery, Of, WriteOptions};
use stoa::config::Config;
use stoa::problem::{Problem, ProblemKind};
use stoa_actors::atom::{Atom, Content, Metadata};
use stoa_actors::id::{AtomId, Millis, Position, ROOT, SessionId, SpaceId};
use stoa_actors::rights::Level;
use stoa_actors::search::{Condition, Query, SearchOrder, Which};
use stoa_actors::space::{Change, Draft, Expect, Mutation, Patch};
use stoa_actors::value::Value;

/// One step of a schedule; numbers pick among what there is.
#[derive(Clone, Debug)]
enum Step {
    Put { who: bool, space: bool, status: u8, target: u8 },
    Update { who: bool, atom: u8, status: u8, target: u8 },
    Deprecate { atom: u8 },
    Twice { atom: u8 },
}

fn step() -> impl Strategy<Value = Step> {
    let n = any::<u8>;
    let flip = any::<bool>;
    prop_oneof![
        4 => (flip(), flip(), 0..3u8, n())
            .prop_map(|(who, space, status, target)| Step::Put { who, space, status, target }),
        4 => (flip(), n(), 0..3u8, n())
            .prop_map(|(who, atom, status, target)| Step::Update { who, atom, status, target }),
        1 => n().prop_map(|atom| Step::Deprecate { atom }),
        1 => n().prop_map(|atom| Step::Twice { atom }),
    ]
}

/// Everything there was, and what had been told by then.
#[derive(Clone, Default)]
struct Then {
    atoms: BTreeMap<AtomId, Arc<Atom>>,
    /// In the order of birth.
    born: Vec<AtomId>,
    changes: Vec<(SpaceId, Position, AtomId, u64, SessionId, String)>,
}

struct Trial {
    callers: [Caller; 2],
    spaces: [SpaceId; 2],
    now: Then,
    thens: Vec<(Position, Then)>,
}

fn status(n: u8) -> Metadata {
    [("status".to_owned(), Value::from(["open", "claimed", "done"][usize::from(n)]))].into()
}

impl Trial {
    fn pick(&self, n: u8) -> Option<AtomId> {
        let count = self.now.born.len();
        (count > 0).then(|| self.now.born[usize::from(n) % count])
    }

    fn refers(&self, n: u8) -> BTreeMap<String, Vec<AtomId>> {
        // Every third refers to nothing.
        let target = self.pick(n).filter(|_| !n.is_multiple_of(3));
        [("after".to_owned(), target.into_iter().collect())].into()
    }

    async fn step(&mut self, at: usize, step: &Step) -> Result<(), Problem> {
        let comment = format!("Change {at} of {}", at % 4);
        let why = || WriteOptions::comment(comment.clone());
        let by = |who: bool| usize::from(who);
        let written = match *step {
            Step::Put { who, space, status: n, target } => {
                let draft = Draft {
                    content: Content::Text(format!("text {at}")),
                    metadata: status(n),
                    references: self.refers(target),
                    ..Draft::default()
                };
                let space = self.spaces[usize::from(space)];
                vec![(by(who), self.callers[by(who)].put(space, draft, why()).await?)]
            }
            Step::Update { who, atom, status: n, target } => {
                let Some(id) = self.pick(atom) else { return Ok(()) };
                let references = self.refers(target);
                let patch = Patch { metadata: status(n), references, ..Patch::default() };
                match self.callers[by(who)].update(id, Expect::Any, patch, why()).await {
                    Ok(written) => vec![(by(who), written)],
                    Err(problem) if problem.kind == ProblemKind::Conflict => return Ok(()),
                    Err(problem) => return Err(problem),
                }
            }
            Step::Deprecate { atom } => {
                let Some(id) = self.pick(atom) else { return Ok(()) };
                match self.callers[0].deprecate(id, Expect::Any, None, why()).await {
                    Ok(written) => vec![(0, written)],
                    Err(problem) if problem.kind == ProblemKind::Conflict => return Ok(()),
                    Err(problem) => return Err(problem),
                }
            }
            Step::Twice { atom } => {
                let Some(id) = self.pick(atom) else { return Ok(()) };
                let change = |n| Mutation::Update {
                    id,
                    expect: Expect::Any,
                    patch: Box::new(Patch { metadata: status(n), ..Patch::default() }),
                };
                let both = vec![change(0), change(2)];
                let space = self.now.atoms[&id].space;
                match self.callers[0].transact(space, both, why()).await {
                    Ok(written) => written.into_iter().map(|it| (0, it)).collect(),
                    Err(problem) if problem.kind == ProblemKind::Conflict => return Ok(()),
                    Err(problem) => return Err(problem),
                }
            }
        };
        for (who, written) in written {
            let read = self.callers[0].get_version(written.id, written.version).await?;
            if written.version == 1 {
                self.now.born.push(written.id);
            }
            let (space, by) = (read.atom.space, self.callers[who].session());
            let change =
                (space, written.position, written.id, written.version, by, comment.clone());
            self.now.changes.push(change);
            self.now.atoms.insert(written.id, read.atom);
            self.thens.retain(|(at, _)| *at != written.position);
            self.thens.push((written.position, self.now.clone()));
        }
        Ok(())
    }

    /// Every atom, every search and every history at a moment.
    async fn look(&self, then: &Then, moment: Moment) -> Result<(), String> {
        let root = &self.callers[0];
        for id in &self.now.born {
            let found = root.get_as_of(*id, moment).await;
            match (then.atoms.get(id), found) {
                (Some(atom), Ok(read)) if read.atom == *atom => {}
                (None, Err(problem)) if problem.kind == ProblemKind::Unknown => {}
                (atom, found) => {
                    return Err(format!("{id} at {moment:?}: {found:?}, and it was {atom:?}"));
                }
            }
        }
        for (n, query) in queries().into_iter().enumerate() {
            for space in self.spaces {
                let found = root.search_as_of(space, query.clone(), moment).await;
                let found = found.map_err(|it| it.to_string())?;
                let found: Vec<(AtomId, u64)> =
                    found.iter().map(|it| (it.read.atom.id, it.read.atom.version)).collect();
                let expected = then.search(space, &query);
                if found != expected {
                    return Err(format!(
                        "question {n} of {space} at {moment:?}: {found:?}, not {expected:?}"
                    ));
                }
            }
        }
        Ok(())
    }

    async fn histories(&self, then: &Then, moment: Moment, size: usize) -> Result<(), String> {
        let (root, other) = (&self.callers[0], self.callers[1].session());
        let one = self.now.born.first().copied();
        let of = [Of::Everything, Of::Space(self.spaces[0]), Of::Space(self.spaces[1])];
        for of in of.into_iter().chain(one.map(Of::Atom)) {
            for (by, word) in [(None, None), (Some(other), None), (None, Some("OF 3"))] {
                let mut listed: Vec<(Position, AtomId, u64)> = Vec::new();
                for (space, at, id, version, author, comment) in &then.changes {
                    let here = match of {
                        Of::Everything => true,
                        Of::Space(it) => it == *space,
                        Of::Atom(it) => it == *id,
                    };
                    let says = word.is_none_or(|_| comment.ends_with("of 3"));
                    if here && by.is_none_or(|by| by == *author) && says {
                        listed.push((*at, *id, *version));
                    }
                }
                for newest in [false, true] {
                    let query = HistoryQuery {
                        as_of: Some(moment),
                        limit: size,
                        newest,
                        by,
                        comment: word.map(str::to_owned),
                        ..HistoryQuery::default()
                    };
                    let found = pages(root, of, query).await.map_err(|it| it.to_string())?;
                    if newest {
                        listed.reverse();
                    }
                    if found != listed {
                        return Err(format!("{of:?} {by:?} {word:?}: {found:?} not {listed:?}"));
                    }
                }
            }
        }
        Ok(())
    }
}

/// All pages of a history, one behind the other; only what made a version.
async fn pages(
    caller: &Caller,
    of: Of,
    mut query: HistoryQuery,
) -> Result<Vec<(Position, AtomId, u64)>, Problem> {
    let mut found: Vec<Change> = Vec::new();
    loop {
        let page = caller.history(of, query.clone()).await?;
        let Some(last) = page.last() else { break };
        match query.newest {
            true => query.before = Some(last.position),
            false => query.after = last.position,
        }
        found.extend(page);
    }
    Ok(found
        .iter()
        .filter_map(|it| it.atom.map(|(id, version)| (it.position, id, version)))
        .collect())
}

fn queries() -> Vec<Query> {
    let on = |relation: &str, which, metadata| {
        [(relation.to_owned(), Condition { which, metadata })].into()
    };
    let all = Query { limit: 1_000, ..Query::default() };
    vec![
        all.clone(),
        Query { include_deprecated: true, order: SearchOrder::Newest, ..all.clone() },
        Query { metadata: status(0), ..all.clone() },
        Query { references: on("after", Which::All, status(2)), ..all.clone() },
        Query { references: on("<-after", Which::Any, status(1)), ..all.clone() },
        Query { references: on("<-after", Which::None, Metadata::new()), ..all },
    ]
}

impl Then {
    fn says(&self, id: AtomId, metadata: &Metadata) -> bool {
        let says =
            |atom: &Arc<Atom>| metadata.iter().all(|(key, it)| atom.metadata.get(key) == Some(it));
        self.atoms.get(&id).is_some_and(says)
    }

    fn search(&self, space: SpaceId, query: &Query) -> Vec<(AtomId, u64)> {
        let fits = |atom: &Arc<Atom>| {
            let shown = query.include_deprecated || atom.deprecated.is_none();
            let ends = |relation: &String| -> Vec<AtomId> {
                match relation.strip_prefix("<-") {
                    None => atom.references.iter().map(|it| it.target).collect(),
                    Some(_) => {
                        let refers =
                            |it: &&Arc<Atom>| it.references.iter().any(|it| it.target == atom.id);
                        self.atoms.values().filter(refers).map(|it| it.id).collect()
                    }
                }
            };
            let holds = |(relation, it): (&String, &Condition)| {
                let mut ends = ends(relation).into_iter();
                match it.which {
                    Which::All => ends.all(|id| self.says(id, &it.metadata)),
                    Which::Any => ends.any(|id| self.says(id, &it.metadata)),
                    Which::None => !ends.any(|id| self.says(id, &it.metadata)),
                }
            };
            atom.space == space
                && shown
                && self.says(atom.id, &query.metadata)
                && query.references.iter().all(holds)
        };
        let atoms = self.born.iter().filter_map(|id| self.atoms.get(id));
        let mut found: Vec<_> = atoms.filter(|it| fits(it)).map(|it| (it.id, it.version)).collect();
        if query.order == SearchOrder::Newest {
            found.reverse();
        }
        found
    }
}

async fn run(steps: Vec<Step>, moments: Vec<(u16, u8)>) -> Result<(), String> {
    let said = |it: Problem| it.to_string();
    let dir = tempfile::tempdir().map_err(|it| it.to_string())?;
    let runtime = stoa::open(Config::at(dir.path())).await.map_err(|it| it.to_string())?;
    let root = runtime.caller(ROOT);
    let mut spaces = Vec::new();
    for name in ["one", "two"] {
        spaces.push(root.create_space(name, "").await.map_err(said)?);
        let grant = GrantRequest {
            level: Level::Write,
            delegate: None,
            expires_ms: None,
            reason: "".into(),
        };
        root.grant(name, "other", grant).await.map_err(said)?;
    }
    let other = runtime.caller(root.session_named("other").map_err(said)?);
    let begun = runtime.durable();
    let (callers, spaces) = ([root, other], [spaces[0], spaces[1]]);
    let now = Then::default();
    let mut trial = Trial { callers, spaces, now, thens: vec![(begun, Then::default())] };
    for (at, step) in steps.iter().enumerate() {
        trial.step(at, step).await.map_err(|it| format!("{it} at step {at}: {step:?}"))?;
    }
    for (n, size) in moments {
        let (at, then) = &trial.thens[usize::from(n) % trial.thens.len()];
        let moment = Moment::Position(*at);
        trial.look(then, moment).await?;
        trial.histories(then, moment, usize::from(size) + 1).await?;
        // The last step of a millisecond is what was there by then.
        let stamp = runtime.store().entry(*at).map_err(|it| it.to_string())?;
        let stamp = stamp.map(|it| it.body.at).unwrap_or_default();
        let by_then = runtime.moment(Moment::Time(stamp)).await.map_err(said)?;
        let last = trial.thens.iter().rev().find(|(at, _)| *at <= by_then);
        if by_then < *at || last.is_none() {
            return Err(format!("{at} was stamped {stamp:?}, by which the log was at {by_then}"));
        }
        trial.look(&last.unwrap_or(&trial.thens[0]).1, Moment::Time(stamp)).await?;
    }
    runtime.stop().await.map(drop).map_err(|it| it.to_string())
}

#[test]
fn every_moment_reads_as_it_was() {
    let cases = Cases { cases: 64, failure_persistence: None, ..Cases::default() };
    let mut runner =
        TestRunner::new_with_rng(cases.clone(), TestRng::from_seed(cases.rng_algorithm, &[7; 32]));
    let schedule = (
        proptest::collection::vec(step(), 1..60),
        proptest::collection::vec((any::<u16>(), 0..9u8), 1..4),
    );
    let tokio = tokio::runtime::Runtime::new().expect("threads");
    let held = runner.run(&schedule, |(steps, moments)| {
        tokio.block_on(run(steps, moments)).map_err(TestCaseError::fail)
    });
    held.unwrap_or_else(|error| panic!("{error}"));
}

#[tokio::test]
async fn a_moment_that_is_amiss_is_refused() {
    let dir = tempfile::tempdir().expect("a directory");
    let runtime = stoa::open(Config::at(dir.path())).await.expect("opens");
    let root = runtime.caller(ROOT);
    let space = root.create_space("s", "").await.expect("space");
    let id = root.put(space, Draft::default(), WriteOptions::default()).await.expect("put").id;
    let ahead = Moment::Position(Position(runtime.durable().0 + 1));
    let refused = root.get_as_of(id, ahead).await.expect_err("it is still to come");
    assert_eq!(refused.kind, ProblemKind::Invalid, "{refused}");
    assert!(refused.text.contains("ahead of the log"), "{refused}");
    let refused = root.search_as_of(space, Query::default(), ahead).await.expect_err("so is this");
    assert_eq!(refused.kind, ProblemKind::Invalid, "{refused}");
    let early = root.get_as_of(id, Moment::Time(Millis(1))).await.expect_err("before all");
    assert_eq!(early.kind, ProblemKind::Unknown, "{early}");
    assert!(early.hint.as_ref().is_some_and(|it| it.contains("--as-of")), "{early:?}");
    let none = root.search_as_of(space, Query::default(), Moment::Time(Millis(1))).await;
    assert_eq!(none.expect("nothing was there").len(), 0);
    // Another's eyes see no more of the past than of the present.
    let grant =
        GrantRequest { level: Level::Read, delegate: None, expires_ms: None, reason: "".into() };
    let second = root.create_space("t", "").await.expect("space");
    root.grant("t", "reader", grant).await.expect("granted");
    let reader = runtime.caller(root.session_named("reader").expect("named"));
    let unseen = reader.get_as_of(id, Moment::Ago(0)).await.expect_err("not its own");
    assert_eq!(unseen.text, Problem::no_atom(id).text);
    let all = reader.history(Of::Everything, HistoryQuery::first(100)).await.expect("its own");
    assert!(all.iter().all(|it| it.space == second), "{all:?}");
    runtime.stop().await.expect("stops");
}
