//! Random schedules: few words, few values and few relations, so that everything meets.

use super::model::WORDS;
use proptest::prelude::*;
use stoa_actors::atom::Metadata;
use stoa_actors::search::{Condition, OrderBy, Query, SearchOrder, Which};
use stoa_actors::space::Declarations;
use stoa_actors::value::Value;

/// One step.
#[derive(Clone, Debug)]
pub(crate) enum Op {
    Put(Said),
    /// In another space, which the asker can read or not.
    Elsewhere(Said, bool),
    Update(u8, Said),
    Deprecate(u8),
    Reinstate(u8),
    Search(Query),
    /// Begins a segment of so many vectors.
    Freeze(usize),
    /// Ends it.
    Seal,
}

/// What an atom says. Targets are numbers of atoms that there are.
#[derive(Clone, Debug)]
pub(crate) struct Said {
    pub(crate) text: String,
    pub(crate) annotation: String,
    pub(crate) metadata: Metadata,
    pub(crate) references: Vec<(String, u8)>,
    /// A vector that came with it, of the index's embedder or not.
    pub(crate) embedding: Option<bool>,
}

const RELATIONS: [&str; 2] = ["blocked_by", "part_of"];

fn text(words_max: usize) -> impl Strategy<Value = String> {
    let word = prop::sample::select(&WORDS[..]).prop_map(|(word, _)| word);
    prop::collection::vec(word, 0..=words_max).prop_map(|words| words.join(" "))
}

pub(crate) fn value() -> impl Strategy<Value = Value> {
    let big = 9_007_199_254_740_993;
    let long = "open ".repeat(60);
    let same = |it: f64| Value::List(vec![Value::Float(it)]);
    let seldom = prop::sample::select(vec![
        Value::Null,
        Value::Bool(true),
        Value::Int(0),
        Value::Float(-0.0),
        Value::Float(0.0),
        Value::Float(2.5),
        Value::Int(big),
        Value::Int(big - 1),
        Value::Float(big as f64),
        Value::Int(i64::MAX),
        Value::Float(i64::MAX as f64),
        same(0.0),
        same(-0.0),
        same(1.0),
        Value::List(vec![Value::Int(1)]),
        Value::from(long.as_str()),
        Value::from(format!("{long}bug")),
        Value::Map([(">=".to_owned(), Value::Int(1))].into()),
        Value::Map([("of".to_owned(), Value::Int(1))].into()),
        Value::Map([("of".to_owned(), Value::from("open"))].into()),
        Value::Map(
            [("of".to_owned(), Value::Map([("n".to_owned(), Value::Int(1))].into()))].into(),
        ),
        Value::List(vec![Value::from("open"), Value::from("task"), Value::Int(1), Value::Int(1)]),
    ]);
    prop_oneof![
        4 => Just(Value::from("open")),
        4 => Just(Value::from("task")),
        2 => Just(Value::Int(1)),
        2 => Just(Value::Float(1.0)),
        2 => prop::sample::select(vec![Value::Int(big), Value::Int(big - 1)]),
        3 => seldom,
    ]
}

pub(crate) fn metadata(keys_max: usize) -> impl Strategy<Value = Metadata> {
    let key = prop::sample::select(vec!["status", "status", "n", "n", "n.of"]);
    prop::collection::btree_map(key.prop_map(str::to_owned), value(), 0..=keys_max)
}

/// What is compared with: near the values there are, and between them.
fn bound() -> impl Strategy<Value = Value> {
    let big = 9_007_199_254_740_993;
    prop::sample::select(vec![
        Value::Int(0),
        Value::Int(1),
        Value::Int(2),
        Value::Float(1.0),
        Value::Float(2.5),
        Value::Float(-0.5),
        Value::Int(big),
        Value::Int(big),
        Value::Int(big - 1),
        Value::Float(big as f64),
        Value::Int(i64::MAX),
        Value::Float(i64::MAX as f64),
        Value::from(""),
        Value::from("open"),
        Value::from("open "),
        Value::from("p"),
        Value::from("task"),
    ])
}

/// A value, or how one compares.
fn asked() -> impl Strategy<Value = Value> {
    let order = (prop::sample::select(vec!["<", "<=", ">", ">="]), bound());
    let list = prop::collection::vec(value(), 0..3).prop_map(Value::List);
    let one = prop_oneof![
        6 => order.prop_map(|(operator, bound)| (operator.to_owned(), bound)),
        1 => value().prop_map(|it| ("==".to_owned(), it)),
        2 => value().prop_map(|it| ("!=".to_owned(), it)),
        1 => list.prop_map(|it| ("in".to_owned(), it)),
        1 => bound().prop_map(|it| ("contains".to_owned(), it)),
    ];
    let range = prop::collection::vec(one, 1..3);
    prop_oneof![
        1 => value(),
        1 => range.prop_map(|all| Value::Map(all.into_iter().collect())),
    ]
}

fn plain(keys_max: usize) -> impl Strategy<Value = Metadata> {
    let keys = vec!["status", "status", "n", "n", "n.of", "status.of", "n.of.n"];
    let key = prop::sample::select(keys).prop_map(str::to_owned);
    prop::collection::btree_map(key, asked(), 0..=keys_max)
}

/// Now and then with alternatives, which say something each.
pub(crate) fn wanted(keys_max: usize) -> impl Strategy<Value = Metadata> {
    let one = plain(2).prop_filter("it says something", |it| !it.is_empty());
    let any = prop::collection::vec(one.prop_map(Value::Map), 1..3).prop_map(Value::List);
    let any = prop::option::weighted(0.2, any);
    (plain(keys_max), any).prop_map(|(mut metadata, any)| {
        metadata.extend(any.map(|it| ("any".to_owned(), it)));
        metadata
    })
}

fn said() -> impl Strategy<Value = Said> {
    let relation = prop::sample::select(&RELATIONS[..]).prop_map(str::to_owned);
    let references = prop::collection::vec((relation, any::<u8>()), 0..4);
    let embedding = prop_oneof![8 => Just(None), 1 => Just(Some(true)), 1 => Just(Some(false))];
    (text(8), text(2), metadata(2), references, embedding).prop_map(
        |(text, annotation, metadata, references, embedding)| Said {
            text,
            annotation,
            metadata,
            references,
            embedding,
        },
    )
}

fn condition() -> impl Strategy<Value = (String, Condition)> {
    let relation = prop::sample::select(vec!["blocked_by", "part_of", "<-blocked_by", "<-part_of"]);
    let which = prop::sample::select(vec![Which::All, Which::Any, Which::None]);
    (relation, which, wanted(1))
        .prop_map(|(relation, which, metadata)| (relation.into(), Condition { which, metadata }))
}

/// The keys that have an order here.
pub(crate) fn declared() -> Declarations {
    let mut declared = Declarations::default();
    for one in ["n:number", "status:text:ordered"] {
        declared.add(one.parse().expect("it is one")).expect("each once");
    }
    declared
}

/// By what is declared, each once at most.
pub(crate) fn order() -> impl Strategy<Value = Vec<OrderBy>> {
    let keys = prop::sample::subsequence(vec!["n", "status", "created"], 1..=3).prop_shuffle();
    (keys, any::<[bool; 3]>()).prop_map(|(keys, down)| {
        let one =
            |(key, down)| if down { OrderBy::descending(key) } else { OrderBy::ascending(key) };
        keys.into_iter().zip(down).map(one).collect()
    })
}

fn query() -> impl Strategy<Value = Query> {
    let references = prop_oneof![
        2 => Just(vec![]),
        3 => prop::collection::vec(condition(), 1..3),
    ];
    let metadata = prop_oneof![2 => Just(Metadata::new()), 1 => wanted(1), 1 => wanted(2)];
    let keys =
        order().prop_map(|keys| SearchOrder::By(declared().order(&keys).unwrap_or_default()));
    let order =
        prop_oneof![1 => Just(SearchOrder::Oldest), 1 => Just(SearchOrder::Newest), 2 => keys];
    let text = prop::option::weighted(0.6, text(3));
    (text, metadata, references, 0..8usize, any::<bool>(), order).prop_map(
        |(text, metadata, references, limit, include_deprecated, order)| Query {
            metadata,
            references: references.into_iter().collect(),
            limit,
            include_deprecated,
            order: if text.is_some() && !order.keys().is_empty() {
                SearchOrder::Newest
            } else {
                order
            },
            text,
            after: None,
        },
    )
}

/// Up to `steps_max` steps, about half of them searches.
pub(crate) fn schedule(steps_max: usize) -> impl Strategy<Value = Vec<Op>> {
    let op = prop_oneof![
        6 => said().prop_map(Op::Put),
        1 => (said(), any::<bool>()).prop_map(|(said, readable)| Op::Elsewhere(said, readable)),
        3 => (any::<u8>(), said()).prop_map(|(which, said)| Op::Update(which, said)),
        1 => any::<u8>().prop_map(Op::Deprecate),
        1 => any::<u8>().prop_map(Op::Reinstate),
        8 => query().prop_map(Op::Search),
        1 => (1..20usize).prop_map(Op::Freeze),
        1 => Just(Op::Seal),
    ];
    prop::collection::vec(op, steps_max / 2..=steps_max)
}
