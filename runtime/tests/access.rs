//! Who may do what, and what became of it: told to those who may grant rights in a space and to those
//! whom it concerns, and to nobody else, whatever they ask.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod harness;
#[path = "access/model.rs"]
mod model;
#[path = "access/typed.rs"]
mod typed;

use model::{Model, Seen};
use stoa::caller::{Caller, Change, GrantRequest, HistoryQuery, Of, WriteOptions};
use stoa::config::Config;
use stoa::failure::StoreError;
use stoa::runtime::Runtime;
use stoa_actors::id::{Position, ROOT, SessionId, SpaceId};
use stoa_actors::rights::Level;
use stoa_actors::space::Filter;

/// Chances, the same for a seed.
struct Chances(u64);

impl Chances {
    fn below(&mut self, n: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % n
    }

    fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }
}

/// Some sessions, some spaces, and what they do to each other.
async fn act(runtime: &Runtime, chances: &mut Chances) -> (Vec<SessionId>, Vec<SpaceId>) {
    let root = runtime.caller(ROOT);
    let (mut sessions, mut spaces) = (vec![ROOT], Vec::new());
    for number in 0..2 {
        spaces.push(root.create_space(&format!("s{number}"), "").await.unwrap());
    }
    for name in ["ann", "bob", "eve", "joe"] {
        let given = GrantRequest {
            level: Level::Read,
            delegate: None,
            expires_ms: None,
            reason: String::new(),
        };
        let space = spaces[chances.below(2)].to_string();
        sessions.push(root.grant(&space, name, given).await.unwrap().session);
    }
    for step in 0..40 {
        let by = runtime.caller(chances.one(&sessions));
        let (space, to) = (chances.one(&spaces), chances.one(&sessions));
        let (space, reason) = (space.to_string(), format!("reason {step}"));
        // What is refused is refused.
        match chances.below(10) {
            0 => {
                if let Ok(made) = by.create_space(&format!("own {step}"), "").await {
                    spaces.push(made);
                }
            }
            1..=5 => {
                let delegate = [None, Some(Level::Read), Some(Level::Grant)][chances.below(3)];
                let (level, expires_ms) = (Level::ALL[chances.below(4)], None);
                let given = GrantRequest { level, delegate, expires_ms, reason };
                let to = match chances.below(4) {
                    0 => format!("new{step}"),
                    _ => to.to_string(),
                };
                if let Ok(granted) = by.grant(&space, &to, given).await
                    && granted.born
                {
                    sessions.push(granted.session);
                }
            }
            6 | 7 => drop(by.revoke(&space, &to.to_string(), &reason).await),
            _ => {
                let space = space.parse().unwrap();
                drop(by.put(space, Default::default(), WriteOptions::comment(reason)).await);
            }
        }
    }
    (sessions, spaces)
}

async fn open() -> (tempfile::TempDir, Runtime) {
    let directory = tempfile::tempdir().unwrap();
    let runtime = opened(&directory).await;
    (directory, runtime)
}

async fn opened(directory: &tempfile::TempDir) -> Runtime {
    loop {
        match stoa::open(Config::at(directory.path())).await {
            // The tasks of the runtime before are about to end.
            Err(StoreError::Locked { .. }) => tokio::task::yield_now().await,
            opened => return opened.unwrap(),
        }
    }
}

fn rights(changes: &[Change]) -> Vec<Seen> {
    changes.iter().filter(|it| it.right.is_some()).map(Seen::of).collect()
}

async fn whole(caller: &Caller, of: Of, page: usize, newest: bool) -> Vec<Change> {
    let mut query = HistoryQuery { limit: page, newest, ..HistoryQuery::default() };
    let mut all = Vec::new();
    loop {
        let found = caller.history(of, query.clone()).await.unwrap();
        let Some(last) = found.last().map(|it| it.position) else { return all };
        match newest {
            true => query.before = Some(last),
            false => query.after = last,
        }
        all.extend(found);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_is_told_what_the_naive_model_says() {
    for seed in 0..12 {
        let (_directory, runtime) = open().await;
        let mut chances = Chances(seed);
        let (sessions, spaces) = act(&runtime, &mut chances).await;
        let model = Model::of(&runtime);
        for session in &sessions {
            let caller = runtime.caller(*session);
            let told = |space| model.told(*session, space);
            for (page, newest) in [(1_000, false), (1, false), (3, true)] {
                let all = whole(&caller, Of::Everything, page, newest).await;
                let mut expected = told(None);
                if newest {
                    expected.reverse();
                }
                let found = rights(&all);
                assert_eq!(found, expected, "seed {seed}: {session}, pages of {page}");
                let places: Vec<u64> = all.iter().map(|it| it.position.0).collect();
                let ordered =
                    if newest { places.is_sorted_by(|a, b| a >= b) } else { places.is_sorted() };
                assert!(ordered, "seed {seed}: one cursor for all: {places:?}");
            }
            for space in &spaces {
                let access = caller.access(Some(*space), None).await.unwrap();
                let found: Vec<_> = access.iter().map(|it| it.link.id).collect();
                assert_eq!(
                    found,
                    model.links(*session, Some(*space), None),
                    "seed {seed}: {session}"
                );
                for it in &access {
                    assert_eq!(it.since, model.since(it.link.id), "seed {seed}");
                }
                if model.level(*session, *space).is_none() && *session != ROOT {
                    assert!(
                        caller.history(Of::Space(*space), HistoryQuery::first(9)).await.is_err()
                    );
                    assert!(caller.watch(*space, Position(0), Filter::default()).is_err());
                    continue;
                }
                if model.level(*session, *space).is_none() {
                    continue;
                }
                for (page, newest) in [(1_000, false), (2, false), (1, true)] {
                    let mut found = rights(&whole(&caller, Of::Space(*space), page, newest).await);
                    if newest {
                        found.reverse();
                    }
                    assert_eq!(found, told(Some(*space)), "seed {seed}: {session} on {space}");
                }
                let watched = async |filter: Filter, chances: &mut Chances| {
                    let mut watch = caller.watch(*space, Position(0), filter).unwrap();
                    let mut seen = Vec::new();
                    loop {
                        let piece = watch.ready(1 + chances.below(5)).await.unwrap();
                        if piece.is_empty() {
                            return seen;
                        }
                        seen.extend(piece);
                    }
                };
                let seen = watched(Filter::default(), &mut chances).await;
                let history = whole(&caller, Of::Space(*space), 1_000, false).await;
                assert_eq!(seen, history, "seed {seed}: what is watched is what was");
                let of = |it: &Change| it.kind == "right.revoked";
                let filter = Filter { types: vec!["right.revoked".into()], ..Filter::default() };
                let revoked = watched(filter, &mut chances).await;
                assert_eq!(revoked, history.into_iter().filter(of).collect::<Vec<_>>());
            }
            for of in &sessions {
                let access = caller.access(None, Some(*of)).await.unwrap();
                let found: Vec<_> = access.iter().map(|it| it.link.id).collect();
                assert_eq!(found, model.links(*session, None, Some(*of)), "seed {seed}");
            }
        }
        runtime.stop().await.unwrap();
    }
}

/// Where things stand in the log of rights is in memory alone, and is made anew.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_told_is_the_same_after_another_open() {
    let (directory, runtime) = open().await;
    let (sessions, _) = act(&runtime, &mut Chances(99)).await;
    let mut before = Vec::new();
    for session in &sessions {
        before.push(whole(&runtime.caller(*session), Of::Everything, 50, false).await);
    }
    runtime.stop().await.unwrap();
    drop(runtime);
    let runtime = opened(&directory).await;
    // The newest first: the first that is asked about is what went last.
    for (session, before) in sessions.iter().zip(before) {
        let mut after = whole(&runtime.caller(*session), Of::Everything, 1_000, true).await;
        after.reverse();
        assert_eq!(after.len(), before.len());
        assert_eq!(rights(&after).len(), rights(&before).len());
    }
    runtime.stop().await.unwrap();
}

/// Somebody who watches hears of a grant when it happens, and of none that is not its concern.
#[tokio::test(flavor = "multi_thread")]
async fn a_watcher_hears_of_what_it_may_know() {
    let (_directory, runtime) = open().await;
    let root = runtime.caller(ROOT);
    let space = root.create_space("s", "").await.unwrap();
    let given = |level, reason: &str| {
        let (delegate, expires_ms, reason) = (None, None, reason.to_owned());
        GrantRequest { level, delegate, expires_ms, reason }
    };
    let ann = root.grant("s", "ann", given(Level::Read, "to look")).await.unwrap().session;
    let ann = runtime.caller(ann);
    let mut watch = ann.watch(space, runtime.durable(), Filter::default()).unwrap();
    let mut all = root.watch(space, runtime.durable(), Filter::default()).unwrap();
    root.grant("s", "bob", given(Level::Grant, "a secret reason")).await.unwrap();
    let heard = all.next(9).await.unwrap();
    assert_eq!((&*heard[0].kind, &*heard[0].comment), ("right.granted", "a secret reason"));
    assert_eq!(watch.ready(9).await.unwrap(), []);
    root.revoke("s", "bob", "it was wrong").await.unwrap();
    let heard = all.next(9).await.unwrap();
    assert_eq!((&*heard[0].kind, &*heard[0].comment), ("right.revoked", "it was wrong"));
    assert_eq!(watch.ready(9).await.unwrap(), []);
    root.put(space, Default::default(), WriteOptions::comment("seen by all")).await.unwrap();
    let heard = watch.next(9).await.unwrap();
    assert_eq!((heard.len(), &*heard[0].comment), (1, "seen by all"));
    // Its own it hears of.
    root.grant("s", &ann.session().to_string(), given(Level::Write, "more")).await.unwrap();
    let heard = watch.next(9).await.unwrap();
    assert_eq!((&*heard[0].kind, &*heard[0].comment), ("right.granted", "more"));
    runtime.stop().await.unwrap();
}
