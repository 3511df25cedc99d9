//! A space as a file and back, over real stores: what leaves is what came, in every field, and an
//! import that was cut off is completed by another.

#![expect(clippy::unwrap_used, reason = "a test says what it takes for given")]

use proptest::prelude::*;
use stoa::audit::audit;
use stoa::caller::{Caller, HistoryQuery, Imported, Of, WriteOptions};
use stoa::config::Config;
use stoa::envelope::{Batches, Exported, check, ended, exported, line};
use stoa::problem::ProblemKind;
use stoa::runtime::{Runtime, kinds};
use stoa_actors::atom::{Content, Deprecation, Embedding, Reference};
use stoa_actors::id::{AtomId, EventId, Millis, Position, ROOT, SessionId, SpaceId};
use stoa_actors::limits::Limits;
use stoa_actors::log::Cause;
use stoa_actors::search::Query;
use stoa_actors::space::{Draft, Expect, ImportedVersion, Merge, Mutation, Origin, Patch};
use stoa_actors::value::Value;

fn id() -> impl Strategy<Value = [u8; 16]> {
    any::<[u8; 16]>()
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Int),
        any::<f64>().prop_filter("JSON has no NaN", |it| it.is_finite()).prop_map(Value::Float),
        any::<String>().prop_map(Value::Text),
    ];
    leaf.prop_recursive(4, 16, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::List),
            proptest::collection::btree_map(any::<String>(), inner, 0..4).prop_map(Value::Map),
        ]
    })
}

fn content() -> impl Strategy<Value = Content> {
    let bytes = proptest::collection::vec(any::<u8>(), 0..40);
    prop_oneof![
        any::<String>().prop_map(Content::Text),
        value().prop_map(Content::Json),
        (any::<String>(), bytes)
            .prop_map(|(media_type, bytes)| Content::Bytes { media_type, bytes }),
    ]
}

fn references() -> impl Strategy<Value = Vec<Reference>> {
    let targets = proptest::collection::btree_set(id(), 1..3);
    let all = proptest::collection::btree_map("[a-z]{1,9}", targets, 0..3);
    all.prop_map(|all| {
        let each = all.into_iter().flat_map(|(relation, targets)| {
            let to = move |target| Reference { relation: relation.clone(), target: AtomId(target) };
            targets.into_iter().map(to)
        });
        each.collect()
    })
}

fn origin() -> impl Strategy<Value = Origin> {
    let ids = (id(), id(), id());
    let kind = prop_oneof![Just("atom.put"), Just("atom.updated"), Just("atom.deprecated")];
    let cause = (proptest::option::of(id()), any::<u16>());
    let said = (any::<String>(), proptest::option::of(any::<String>()));
    let when = (0..u64::MAX >> 1, 0..u64::MAX >> 1);
    (ids, kind, cause, said, when).prop_map(|(ids, kind, cause, said, when)| Origin {
        event: EventId(ids.0),
        position: Position(when.0),
        at: Millis(when.1),
        by: SessionId(ids.1),
        kind: kind.to_owned(),
        comment: said.0,
        key: said.1,
        cause: Cause { root: cause.0.map(EventId), hop: cause.1 },
        space: SpaceId(ids.2),
        atom: AtomId::default(),
        references: None,
        superseded_by: None,
    })
}

fn carried() -> impl Strategy<Value = ImportedVersion> {
    let metadata = proptest::collection::btree_map("\\PC{1,9}", value(), 0..4);
    let embedding = (any::<u32>(), any::<f32>(), any::<[u8; 8]>())
        .prop_filter("what is no scale is refused", |it| it.1.is_finite())
        .prop_map(|it| Embedding { fingerprint: it.0, scale: it.1.abs(), dims: it.2.to_vec() });
    let embedding = proptest::option::of(embedding);
    let by = proptest::option::of(id()).prop_map(|it| it.map(AtomId));
    let deprecated =
        proptest::option::of(by.prop_map(|superseded_by| Deprecation { superseded_by }));
    let rest = (references(), embedding, deprecated, origin());
    (id(), content(), any::<String>(), metadata, rest).prop_map(
        |(id, content, annotation, metadata, rest)| {
            let (references, embedding, deprecated, origin) = rest;
            let attempts = metadata.len() as u64;
            ImportedVersion {
                id: AtomId(id),
                version: 1,
                content,
                annotation,
                metadata,
                references,
                embedding,
                attempts,
                deprecated,
                origin: Origin { atom: AtomId(id), ..origin },
                imported: None,
                merge: Merge::default(),
            }
        },
    )
}

fn file(all: &[ImportedVersion]) -> String {
    let (space, upto, at) = (SpaceId([1; 16]), Position(7), Millis(5));
    let first = exported(&Exported { space, description: "for \"it\"".into(), upto, at });
    let lines = all.iter().map(line);
    let all = std::iter::once(first).chain(lines).chain([ended(all.len() as u64)]);
    all.map(|it| format!("{it}\n")).collect()
}

fn read(text: &str) -> Vec<ImportedVersion> {
    let mut batches = Batches::new(text.as_bytes(), &Limits::default());
    let mut all = Vec::new();
    loop {
        let batch = batches.batch().unwrap();
        if batch.is_empty() {
            return all;
        }
        all.extend(batch);
    }
}

proptest! {
    #[test]
    fn every_field_survives_its_line(all in proptest::collection::vec(carried(), 0..4)) {
        let text = file(&all);
        prop_assert_eq!(read(&text), all.clone());
        let ids: std::collections::BTreeSet<AtomId> = all.iter().map(|it| it.id).collect();
        let checked = check(text.as_bytes(), &Limits::default());
        if ids.len() == all.len() {
            prop_assert_eq!(checked.map(|it| it.events), Ok(all.len() as u64));
        }
        // However it is cut, that is noticed.
        for cut in (0..text.trim_end().len()).filter(|at| text.is_char_boundary(*at)).step_by(17) {
            prop_assert!(check(&text.as_bytes()[..cut], &Limits::default()).is_err());
        }
    }
}

async fn open(dir: &tempfile::TempDir, name: &str) -> (Runtime, Caller, SpaceId) {
    let runtime = stoa::open(Config::at(dir.path().join(name))).await.unwrap();
    let caller = runtime.caller(ROOT);
    let space = caller.create_space("notes", "").await.unwrap();
    (runtime, caller, space)
}

async fn leaving(caller: &Caller, space: SpaceId) -> Vec<ImportedVersion> {
    let mut export = caller.export(space).await.unwrap();
    let mut all = Vec::new();
    while let Some(piece) = export.piece().await.unwrap() {
        all.extend(piece.into_iter().map(|it| ImportedVersion { imported: None, ..it }));
    }
    all
}

/// Some atoms with a history, transactions of several versions of one among them.
async fn fill(caller: &Caller, space: SpaceId) -> Vec<AtomId> {
    let mut ids: Vec<AtomId> = Vec::new();
    for n in 0..40u64 {
        let references = ids.last().map(|id| ("after".to_owned(), vec![*id])).into_iter().collect();
        let content = match n % 3 {
            0 => Content::Text(format!("note {n} on tides")),
            1 => Content::Json(Value::Float(n as f64 / 7.0)),
            _ => Content::Bytes { media_type: "image/png".into(), bytes: vec![n as u8; 300] },
        };
        let embedding =
            (n == 3).then(|| Embedding { fingerprint: 9, scale: 0.1, dims: vec![1, 2] });
        let metadata = [("n".to_owned(), Value::Int(n as i64 % 5))].into();
        let draft = Draft { content, metadata, references, embedding, ..Draft::default() };
        let why = WriteOptions::comment(format!("put {n}")).key(format!("key {n}"));
        ids.push(caller.put(space, draft, why).await.unwrap().id);
        let id = ids[n as usize / 2];
        let patch = |text: String| {
            let patch = Patch { annotation: Some(text), ..Patch::default() };
            Mutation::Update { id, expect: Expect::Any, patch: Box::new(patch) }
        };
        if n % 4 == 0 {
            let both = vec![patch(format!("first {n}")), patch(format!("second {n}"))];
            caller.transact(space, both, WriteOptions::comment("twice")).await.unwrap();
        }
    }
    caller
        .deprecate(ids[7], Expect::Any, Some(ids[8]), WriteOptions::comment("old"))
        .await
        .unwrap();
    ids
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_is_the_space_again_and_goes_on_where_it_was_cut_off() {
    let dir = tempfile::tempdir().unwrap();
    let (first, caller, space) = open(&dir, "first").await;
    let ids = fill(&caller, space).await;
    let all = leaving(&caller, space).await;
    assert_eq!(read(&file(&all)), all);
    let (second, importer, into) = open(&dir, "second").await;
    // The first half, then all of it in other pieces, then all of it again.
    let why = || WriteOptions::comment("import");
    let mut sum = Imported::default();
    for piece in all[..all.len() / 2].chunks(5).chain(all.chunks(7)).chain(all.chunks(256)) {
        let Imported { new, known, .. } =
            importer.import(into, piece.to_vec(), why()).await.unwrap();
        (sum.new, sum.known) = (sum.new + new, sum.known + known);
    }
    assert_eq!(sum.new, all.len() as u64);
    assert_eq!(leaving(&importer, into).await, all);
    for id in &ids {
        let (was, is) = (caller.get(*id).await.unwrap(), importer.get(*id).await.unwrap());
        assert_eq!((is.atom.version, &is.atom.content), (was.atom.version, &was.atom.content));
        assert_eq!(is.atom.references, was.atom.references);
        // Made again, or carried along; a version that had none has one now.
        assert!(was.atom.embedding.is_none() || is.atom.embedding == was.atom.embedding);
        let changes = importer.history(Of::Atom(*id), HistoryQuery::first(1_000)).await.unwrap();
        let versions: Vec<u64> = changes.iter().filter_map(|it| Some(it.atom?.1)).collect();
        assert_eq!(versions, (1..=is.atom.version).collect::<Vec<_>>());
        assert!(changes.iter().all(|it| it.kind == "atom.imported" && it.origin.is_some()));
    }
    let found = |caller: &Caller, space| {
        let caller = caller.clone();
        async move { caller.search(space, Query::text("tides")).await.unwrap() }
    };
    let seen = |all: Vec<stoa::search::Found>| -> Vec<(AtomId, u64)> {
        all.iter().map(|it| (it.read.atom.id, it.read.atom.version)).collect()
    };
    let found = (seen(found(&caller, space).await), seen(found(&importer, into).await));
    assert!(found.0.len() > 5);
    assert_eq!(found.0, found.1);
    let audited = audit(second.store(), &kinds(), second.durable()).unwrap();
    assert_eq!((audited.breaches, audited.versions), (vec![], all.len() as u64));
    // Twice in one store: not under the same ids, but as often as one likes under new ones.
    let copy = importer.create_space("copy", "").await.unwrap();
    let refused = importer.import(copy, all[..3].to_vec(), why()).await.unwrap_err();
    assert_eq!(
        (refused.kind, refused.hint.as_deref()),
        (ProblemKind::Conflict, Some("stoa import SPACE FILE --new-ids"))
    );
    let anew = || all.iter().map(|it| it.clone().under(copy, &|id| ids.contains(&id)));
    for new in [all.len() as u64, 0] {
        let brought = importer.import(copy, anew().collect(), why()).await.unwrap();
        assert_eq!(brought.new, new);
    }
    let inside = leaving(&importer, copy).await;
    assert!(inside.iter().all(|it| !ids.contains(&it.id)));
    let targets = inside.iter().flat_map(|it| &it.references);
    assert!(targets.clone().count() > 10);
    assert!(targets.into_iter().all(|it| !ids.contains(&it.target)));
    let audited = audit(second.store(), &kinds(), second.durable()).unwrap();
    assert_eq!(audited.breaches, Vec::<String>::new());
    second.stop().await.unwrap();
    first.stop().await.unwrap();
}
