//! Segments of vectors, over a real store: what is found is what a scan finds, whatever is written,
//! changed and swapped in meanwhile.

#![expect(clippy::expect_used, reason = "a test says what it takes for given")]

use std::collections::BTreeMap;
use std::time::Duration;
use stoa::caller::{Caller, WriteOptions};
use stoa::config::Config;
use stoa::embedder;
use stoa::runtime::Runtime;
use stoa::search::IndexCard;
use stoa_actors::atom::{Content, Embed, Metadata};
use stoa_actors::id::{AtomId, Position, ROOT, SpaceId};
use stoa_actors::search::{Condition, Hit, Index, Nowhere, PageEnd, Query, Which};
use stoa_actors::space::{Draft, Expect, Patch};
use stoa_actors::value::Value;

/// The same choices every time.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % end
    }

    fn words(&mut self, from: &[&str], count: usize) -> String {
        (0..count).map(|_| from[self.below(from.len())]).collect::<Vec<_>>().join(" ")
    }
}

fn vocabulary() -> Vec<&'static str> {
    let text = include_str!("../../LICENSE-APACHE");
    let words = text.split(|it: char| !it.is_alphabetic()).filter(|it| it.len() > 3);
    words.collect::<std::collections::BTreeSet<_>>().into_iter().collect()
}

fn draft(chance: &mut Chance, words: &[&str], on: &[AtomId]) -> Draft {
    let status = ["open", "done", "done"][chance.below(3)];
    let targets = if on.is_empty() { vec![] } else { vec![on[chance.below(on.len())]] };
    Draft {
        content: Content::Text(chance.words(words, 12)),
        metadata: Metadata::from([
            ("status".into(), Value::from(status)),
            ("n".into(), Value::Int(chance.below(100) as i64)),
        ]),
        references: BTreeMap::from([("on".to_owned(), targets)]),
        ..Draft::default()
    }
}

fn queries(chance: &mut Chance, words: &[&str]) -> Vec<Query> {
    let text = Some(chance.words(words, 3));
    let plain = Query { text, limit: 10, ..Query::default() };
    let half = Value::Map([("<".to_owned(), Value::Int(50))].into());
    let open = Condition {
        which: Which::Any,
        metadata: [("status".to_owned(), Value::from("done"))].into(),
    };
    vec![
        Query { metadata: [("n".to_owned(), half)].into(), ..plain.clone() },
        Query { references: [("on".to_owned(), open)].into(), ..plain.clone() },
        Query { include_deprecated: true, ..plain.clone() },
        plain,
    ]
}

async fn card(runtime: &Runtime, so: impl Fn(&IndexCard) -> bool) -> IndexCard {
    let waiting = async {
        loop {
            match runtime.indexes().into_iter().find(|it| so(it)) {
                Some(card) => return card,
                None => tokio::task::yield_now().await,
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(110), waiting).await.expect("in time")
}

/// Everything as it is now, in an index that only scans.
async fn scanned(caller: &Caller, space: SpaceId) -> Index {
    let mut index = Index::new(space, embedder::built_in());
    let mut all = Query { limit: 1_000, include_deprecated: true, ..Query::default() };
    loop {
        let page = caller.search(space, all.clone()).await.expect("search");
        for it in &page {
            index.upsert(&it.read.atom, it.read.position);
        }
        match page.last() {
            Some(last) => all.after = Some(PageEnd { id: last.read.atom.id, score: None }),
            None => return index,
        }
    }
}

/// Over random writes and swaps: every score is the scan's, and of its ten best .95 are found.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_segments_find_is_what_a_scan_finds() {
    let dir = tempfile::tempdir().expect("a directory");
    let config = Config {
        search_segment_atoms: 200,
        search_scan_atoms: 1,
        search_idle_ms: 1,
        index_follow_ms: 1,
        ..Config::at(dir.path())
    };
    let runtime = stoa::open(config).await.expect("opens");
    let caller = runtime.caller(ROOT);
    let space = caller.create_space("s", "").await.expect("space");
    let (words, mut chance) = (vocabulary(), Chance(41));
    let mut ids: Vec<AtomId> = Vec::new();
    let (mut expected, mut found) = (0, 0);
    for round in 0..4 {
        for n in 0..[800, 60, 250, 30][round] {
            let mut new = draft(&mut chance, &words, &ids);
            if n % 40 == 0 {
                // Some say the same as others.
                new.content = Content::from("the very same words");
            }
            ids.push(caller.put(space, new, WriteOptions::default()).await.expect("put").id);
        }
        for n in 0..40 {
            let id = ids[chance.below(ids.len())];
            if n % 4 == 0 {
                let gone = caller.deprecate(id, Expect::Any, None, WriteOptions::default()).await;
                // It may be deprecated already.
                drop(gone);
                continue;
            }
            let content = Some(Content::Text(chance.words(&words, 12)));
            let patch = Patch { content, ..Patch::default() };
            drop(caller.update(id, Expect::Any, patch, WriteOptions::default()).await);
        }
        let scan = scanned(&caller, space).await;
        if round != 1 {
            // In one round the newest is scanned beside the segments, in the others it is in one.
            let whole = |it: &IndexCard| it.atoms - it.sealed < 200 && it.sealing.is_none();
            card(&runtime, whole).await;
        }
        for _ in 0..12 {
            for query in queries(&mut chance, &words) {
                let vector = query.text.as_deref().and_then(|it| embedder::built_in().embed(it));
                let all = Query { limit: 100_000, ..query.clone() };
                let all: Vec<Hit> = scan.search(&all, vector.as_ref(), &Nowhere);
                let hits = caller.search(space, query.clone()).await.expect("search");
                assert_eq!(hits.len(), all.len().min(10), "{query:?}");
                assert!(hits.is_sorted_by(|one, other| one.score >= other.score), "{query:?}");
                for hit in &hits {
                    let id = hit.read.atom.id;
                    let same = all.iter().find(|it| it.id == id).expect("it fits");
                    assert_eq!((hit.score, hit.read.position), (same.score, same.position));
                }
                let best = &all[..hits.len()];
                let worst = best.last().map_or(0.0, |it| it.score);
                expected += best.len();
                found += hits.iter().filter(|it| it.score >= worst).count();
            }
        }
    }
    let card = card(&runtime, |it| it.space == space).await;
    assert!(card.sealed >= 700, "{card:?}");
    assert!(found * 100 >= expected * 95, "{found} of {expected}");
    runtime.stop().await.expect("stops");
}

/// A runtime that stops does not wait for a segment, and the next open finds the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_segment_that_is_being_made_is_given_up_at_the_end() {
    let dir = tempfile::tempdir().expect("a directory");
    let config = Config {
        search_segment_atoms: 1_500,
        search_idle_ms: 0,
        index_follow_ms: 1,
        ..Config::at(dir.path())
    };
    let runtime = stoa::open(config.clone()).await.expect("opens");
    let caller = runtime.caller(ROOT);
    let space = caller.create_space("s", "").await.expect("space");
    let (words, mut chance) = (vocabulary(), Chance(43));
    for _ in 0..1_500 {
        let new = draft(&mut chance, &words, &[]);
        caller.put(space, new, WriteOptions::default()).await.expect("put");
    }
    let query = Query::text("licence");
    let before = caller.search(space, query.clone()).await.expect("search");
    let made = card(&runtime, |it| it.sealing.is_some_and(|(done, _)| done > 0)).await;
    assert_eq!((made.atoms, made.sealed), (1_500, 0), "{made:?}");
    runtime.stop().await.expect("stops");
    let lower = Config { search_segment_bytes_max: 1, ..config };
    drop((caller, runtime));
    let runtime = loop {
        match stoa::open(lower.clone()).await {
            Ok(runtime) => break runtime,
            Err(stoa::failure::StoreError::Locked { .. }) => {
                tokio::task::yield_now().await;
            }
            Err(error) => panic!("{error}"),
        }
    };
    let after = runtime.caller(ROOT).search(space, query).await.expect("search");
    assert_eq!(after, before);
    let without = card(&runtime, |it| it.space == space).await;
    assert_eq!((without.sealed, without.sealing), (0, None), "no memory for it");
    assert!(without.entries >= Position(1_500).0);
    runtime.stop().await.expect("stops");
}
