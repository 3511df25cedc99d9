use super::*;
use crate::atom::{Embed, Embedding, Reference};
use crate::id::SpaceId;
use crate::value::Value;

/// Counts letters: two texts with the same ones mean the same.
struct Letters;

impl Embed for Letters {
    fn fingerprint(&self) -> u32 {
        7
    }

    fn embed(&self, text: &str) -> Option<Embedding> {
        let mut dims = vec![0u8; 26];
        text.bytes()
            .filter(u8::is_ascii_lowercase)
            .for_each(|it| dims[usize::from(it - b'a')] += 1);
        let some = dims.iter().any(|it| *it > 0);
        some.then_some(Embedding { fingerprint: 7, scale: 1.0, dims })
    }
}

fn id(n: u8) -> AtomId {
    AtomId([n; 16])
}

fn atom(n: u8, text: &str, metadata: &[(&str, Value)]) -> Atom {
    Atom {
        id: id(n),
        space: SpaceId([1; 16]),
        version: 1,
        born: u64::from(n),
        author: crate::id::ROOT,
        at: crate::id::Millis(0),
        content: text.into(),
        annotation: String::new(),
        metadata: metadata.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect(),
        references: Vec::new(),
        embedding: None,
        deprecated: None,
        attempts: 0,
    }
}

fn index(atoms: &[Atom]) -> Index {
    let mut index = Index::new(SpaceId([1; 16]), Arc::new(Letters));
    atoms.iter().zip(1..).for_each(|(atom, n)| index.upsert(atom, Position(n)));
    index
}

fn found(index: &Index, query: &Query) -> Vec<u8> {
    let vector = query.text.as_deref().and_then(|it| Letters.embed(it));
    let hits = index.search(query, vector.as_ref(), &Nowhere);
    hits.iter().map(|hit| hit.id.0[0]).collect()
}

#[test]
fn meaning_and_words_make_the_rank() {
    let index = index(&[
        atom(1, "zzz qqq", &[]),
        atom(2, "released the binaries", &[]),
        atom(3, "easels ere", &[]),
    ]);
    assert_eq!(found(&index, &Query::text("release")), [2, 3, 1]);
    assert_eq!(found(&index, &Query { limit: 1, ..Query::text("release") }), [2]);
    // Numbers have no letters: words alone, and who has none of them is not found.
    assert_eq!(found(&index, &Query::text("404")), [0; 0]);
}

#[test]
fn all_any_and_none_of_the_targets() {
    let done = ("status", Value::from("completed"));
    let mut both = atom(3, "", &[]);
    both.references =
        [1, 2].map(|n| Reference { relation: "blocked_by".into(), target: id(n) }).into();
    let index = index(&[atom(1, "", std::slice::from_ref(&done)), atom(2, "", &[]), both]);
    let with = |which, relation: &str| Query {
        references: [(
            relation.to_owned(),
            Condition { which, metadata: [("status".to_owned(), "completed".into())].into() },
        )]
        .into(),
        ..Query::default()
    };
    assert_eq!(found(&index, &with(Which::All, "blocked_by")), [1, 2]);
    assert_eq!(found(&index, &with(Which::Any, "blocked_by")), [3]);
    assert_eq!(found(&index, &with(Which::None, "blocked_by")), [1, 2]);
    assert_eq!(found(&index, &with(Which::None, "<-blocked_by")), [1, 2, 3]);
    assert_eq!(found(&index, &with(Which::All, "<-blocked_by")), [3]);
}

#[test]
fn one_number_however_it_is_written() {
    let big = 9_007_199_254_740_993; // 2^53 + 1, which as a fraction is 2^53.
    let index = index(&[
        atom(1, "", &[("n", Value::Int(1))]),
        atom(2, "", &[("n", Value::Float(1.0))]),
        atom(3, "", &[("n", Value::Int(big))]),
        atom(4, "", &[("n", Value::Int(big - 1))]),
        atom(5, "", &[("n", Value::Float(-0.0))]),
    ]);
    let with = |value| Query { metadata: [("n".to_owned(), value)].into(), ..Query::default() };
    assert_eq!(found(&index, &with(Value::Int(1))), [1, 2]);
    assert_eq!(found(&index, &with(Value::Float(1.0))), [1, 2]);
    assert_eq!(found(&index, &with(Value::Int(big))), [3]);
    assert_eq!(found(&index, &with(Value::Float(big as f64))), [4]);
    assert_eq!(found(&index, &with(Value::Int(0))), [5]);
}

fn map(pairs: &[(&str, Value)]) -> Value {
    Value::Map(pairs.iter().map(|(key, it)| ((*key).to_owned(), it.clone())).collect())
}

/// Texts that are kept by their beginning and a hash are in order among the others.
#[test]
fn a_range_goes_through_long_texts() {
    let start = "7".repeat(RANGE_BYTES_MAX);
    let long = |end: &str| Value::from(format!("{start}{end}"));
    let index = index(&[
        atom(1, "", &[("n", long(""))]),
        atom(2, "", &[("n", long("a"))]),
        atom(3, "", &[("n", long("b"))]),
        atom(4, "", &[("n", "8".into())]),
        atom(5, "", &[("n", Value::Int(7))]),
    ]);
    let with = |pairs: &[(&str, Value)]| {
        let query = Query { metadata: [("n".to_owned(), map(pairs))].into(), ..Query::default() };
        query.check(&SearchLimits::default()).unwrap();
        found(&index, &query)
    };
    assert_eq!(with(&[(">=", long(""))]), [1, 2, 3, 4]);
    assert_eq!(with(&[(">", long(""))]), [2, 3, 4]);
    assert_eq!(with(&[("<=", long(""))]), [1]);
    assert_eq!(with(&[(">", "7".into()), ("<", "8".into())]), [1, 2, 3]);
    assert_eq!(with(&[(">", "8".into()), ("<", "7".into())]), [0; 0]);
    assert_eq!(with(&[(">=", "8".into()), ("<=", "8".into())]), [4]);
    assert_eq!(with(&[(">=", "".into()), ("<", Value::Int(9))]), [0; 0]);
    assert_eq!(with(&[("!=", "8".into()), ("in", Value::List(vec![long("b"), "8".into()]))]), [3]);
}

#[test]
fn a_vector_of_another_embedder_is_made_anew() {
    let mut foreign = atom(1, "abc", &[]);
    foreign.embedding = Some(Embedding { fingerprint: 8, scale: 1.0, dims: vec![1; 4] });
    let mut wrong = atom(2, "abc", &[]);
    wrong.embedding = Some(Embedding { fingerprint: 7, scale: f32::NAN, dims: vec![1; 4] });
    let index = index(&[foreign, wrong]);
    let hits = index.search(&Query::text("cab"), Letters.embed("cab").as_ref(), &Nowhere);
    let scores: Vec<f32> = hits.iter().map(|hit| hit.score).collect();
    assert!(scores.len() == 2 && scores.iter().all(|it| (it - 0.6).abs() < 1e-6), "{scores:?}");
}

#[test]
fn a_query_survives_the_codec() {
    let query = Query {
        metadata: [("status".to_owned(), Value::from("open"))].into(),
        references: [("<-blocks".to_owned(), Condition::default())].into(),
        ..Query::text("what")
    };
    let bytes = crate::codec::encode(1, &query).unwrap();
    assert_eq!(crate::codec::decode::<Query>(1, &bytes).unwrap(), query);
}

/// Where most of the best fail the conditions all are looked at: it finds the same, in the same
/// order.
#[test]
fn few_that_hold_are_found_in_the_order_of_rank() {
    let mut index = Index::new(SpaceId([1; 16]), Arc::new(Letters));
    for (n, status) in [(1, "open"), (2, "done")] {
        index.upsert(&atom(n, "404", &[("status", status.into())]), Position(u64::from(n)));
    }
    let all: Vec<Atom> = (0..2_000u64)
        .map(|n| {
            let mut it = atom(0, &format!("abc {}", "d".repeat((n * 7 % 23) as usize)), &[]);
            it.id.0[8..].copy_from_slice(&n.to_be_bytes());
            // Every hundredth looks at the one that is done, the others at the one that is open.
            let target = id(if n % 100 == 99 { 2 } else { 1 });
            it.references = vec![Reference { relation: "on".into(), target }];
            it
        })
        .collect();
    (10..).zip(&all).for_each(|(at, it)| index.upsert(it, Position(at)));
    let done = Condition {
        which: Which::Any,
        metadata: [("status".to_owned(), Value::from("done"))].into(),
    };
    let query =
        Query { references: [("on".to_owned(), done)].into(), limit: 12, ..Query::text("abc") };
    let vector = Letters.embed("abc");
    let hits = index.search(&query, vector.as_ref(), &Nowhere);
    let everything = Query { limit: 2_000, references: Default::default(), ..query };
    let ranked = index.search(&everything, vector.as_ref(), &Nowhere);
    let holds = |hit: &&Hit| u64::from_be_bytes(*hit.id.0.last_chunk().unwrap()) % 100 == 99;
    let expected: Vec<&Hit> = ranked.iter().filter(holds).take(12).collect();
    assert_eq!(expected.len(), 12);
    assert_eq!(hits.iter().collect::<Vec<_>>(), expected);
}
