use super::*;
use std::sync::Arc;
use stoa_actors::atom::{Atom, Content, Embedding, Metadata};
use stoa_actors::id::{AtomId, Millis, Position, ROOT, SpaceId};
use stoa_actors::search::Index;

const WIDTH: usize = 256;

/// The same numbers every time.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }

    /// Roughly by Gauss, from -1 to 1.
    fn wide(&mut self) -> f32 {
        (0..4).map(|_| (self.next() % 2_001) as f32 / 4_000.0 - 0.25).sum()
    }
}

/// Vectors around centres, as texts of a few kinds are; less in the later dimensions.
fn vectors(count: usize, chance: &mut Chance) -> Vec<Vec<i8>> {
    let mut centres = Chance(7);
    let centres: Vec<Vec<f32>> =
        (0..40).map(|_| (0..WIDTH).map(|_| centres.wide()).collect()).collect();
    let one = |_| -> Vec<i8> {
        let centre = &centres[chance.next() as usize % centres.len()];
        let mut dim = |n: usize| (centre[n] + 0.8 * chance.wide()) / (1.0 + n as f32 / 64.0);
        (0..WIDTH).map(|n| (dim(n) * 70.0) as i8).collect()
    };
    (0..count).map(one).collect()
}

fn frozen(vectors: &[Vec<i8>]) -> Frozen {
    let mut index = Index::new(SpaceId([1; 16]), stoa_embedder::built_in());
    for (n, vector) in (0u64..).zip(vectors) {
        let mut id = [0; 16];
        id[..8].copy_from_slice(&n.to_be_bytes());
        let atom = Atom {
            id: AtomId(id),
            space: SpaceId([1; 16]),
            version: 1,
            born: n,
            author: ROOT,
            at: Millis(0),
            content: Content::default(),
            annotation: String::new(),
            metadata: Metadata::new(),
            references: Vec::new(),
            embedding: Some(Embedding {
                fingerprint: stoa_embedder::FINGERPRINT,
                scale: 1.0,
                dims: vector.iter().map(|it| *it as u8).collect(),
            }),
            deprecated: None,
            attempts: 0,
        };
        index.upsert(&Arc::new(atom), Position(n));
    }
    let mut frozen = index.freeze();
    while index.copy(&mut frozen, 100) {}
    frozen
}

fn segment(frozen: &Frozen) -> Segment {
    let mut builder = Builder::new(frozen);
    while builder.step(64).expect("steps") {}
    builder.finish().expect("a segment")
}

fn cosine(one: &[i8], other: &[i8]) -> f64 {
    let dot = |one: &[i8], other: &[i8]| -> f64 {
        one.iter().zip(other).map(|(one, other)| f64::from(*one) * f64::from(*other)).sum()
    };
    dot(one, other) / (dot(one, one) * dot(other, other)).sqrt()
}

/// Of the ten nearest by a plain scan .95 are among the 64 that it finds.
#[test]
fn a_segment_finds_nearly_all_that_a_scan_finds() {
    let mut chance = Chance(41);
    let all = vectors(3_000, &mut chance);
    let segment = segment(&frozen(&all));
    let mut found = 0;
    for asked in vectors(50, &mut chance) {
        let near = segment.nearest(&asked, 64).expect("it can say");
        assert_eq!(near.len(), 64);
        let mut scanned: Vec<(f64, u32)> =
            (0..).zip(&all).map(|(n, it)| (cosine(it, &asked), n)).collect();
        scanned.sort_by(|one, other| other.0.total_cmp(&one.0));
        found += scanned[..10].iter().filter(|(_, n)| near.contains(n)).count();
    }
    assert!(found >= 475, "recall {found} of 500");
}

/// hora loses what stands beside many equal vectors; here they are one.
#[test]
fn equal_vectors_are_all_found_and_hide_nobody() {
    let mut all = vectors(6, &mut Chance(43));
    let equal = all[5].clone();
    all.extend(std::iter::repeat_n(equal.clone(), 300));
    let segment = segment(&frozen(&all));
    assert_eq!(segment.groups.len(), 6);
    let mut near = segment.nearest(&equal, 1).expect("it can say");
    near.truncate(301);
    near.sort_unstable();
    assert_eq!(near, (5..306).collect::<Vec<u32>>());
    for (n, vector) in (0u32..).zip(&all[..5]) {
        let near = segment.nearest(vector, 3).expect("it can say");
        assert_eq!(near[0], n);
    }
    let few = segment.nearest(&equal, 999).expect("it can say");
    assert_eq!(few.len(), all.len(), "all, where there are fewer");
}

/// Whatever panics inside of hora makes a segment that cannot say, and no panic outside.
#[test]
fn a_panic_inside_is_the_end_of_the_segment_only() {
    let all = vectors(40, &mut Chance(47));
    let segment = segment(&frozen(&all));
    assert!(segment.nearest(&all[0], 4).is_some());
    assert_eq!(segment.nearest(&all[0][1..], 4), None, "of another width");
    assert_eq!(segment.nearest(&[0; WIDTH], 4), None, "without length");
    assert!(segment.nearest(&all[0], 4).is_some(), "neither comes as far as hora");
    // A row of another width than its own, which no caller can ask for.
    assert_eq!(segment.search(&[], 4), None);
    assert!(segment.failed.load(Ordering::Relaxed));
    assert_eq!(segment.nearest(&all[0], 4), None);
}

/// A graph that does not lead to most of what it should have is not taken.
#[test]
fn a_segment_that_finds_too_little_is_none() {
    let all = vectors(1_000, &mut Chance(59));
    let frozen = frozen(&all);
    let mut builder = Builder::new(&frozen);
    assert_eq!(builder.step(200), Ok(true));
    match builder.finish() {
        Err(SegmentError::Lossy { percent }) => assert!((1..50).contains(&percent), "{percent}"),
        Err(other) => panic!("{other}"),
        Ok(segment) => panic!("it finds everything with an effort of {}", segment.effort),
    }
}

#[test]
fn a_panic_while_it_is_made_makes_none() {
    let mut graph = Graph::new(WIDTH, 4);
    let whole = row(&vectors(1, &mut Chance(53))[0]).expect("a row");
    for number in 0..3 {
        graph.add(&whole, number).expect("taken");
    }
    let mut endless = whole.clone();
    // One over a length of nothing: every distance to it is no number.
    *endless.last_mut().expect("an end") = Unit::default() / Unit::default();
    graph.add(&endless, 3).expect("taken");
    assert_eq!(graph.link(), Err(SegmentError::Panic));
    assert!(matches!(Graph::new(WIDTH, 4).add(&whole[1..], 0), Err(SegmentError::Refused(_))));
}
