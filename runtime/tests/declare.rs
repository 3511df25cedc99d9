//! Spaces that declare keys and relations, through the library: what is refused, what comes first,
//! and that it is so after a restart.

#![expect(clippy::unwrap_used, reason = "a test says what it takes for given")]

#[path = "declare/attempts.rs"]
mod attempts;
#[path = "declare/circles.rs"]
mod circles;

use std::collections::BTreeMap;
use std::path::Path;
use stoa::as_of::Moment;
use stoa::caller::{Caller, ClaimAsk, WriteOptions};
use stoa::config::Config;
use stoa::failure::StoreError;
use stoa::problem::{Problem, ProblemKind};
use stoa::runtime::Runtime;
use stoa_actors::atom::Metadata;
use stoa_actors::id::{AtomId, ROOT, SpaceId};
use stoa_actors::search::{Condition, OrderBy, Query, SearchOrder};
use stoa_actors::space::{ClaimPredicate, Declarations, Draft, Expect, Patch};
use stoa_actors::value::Value;

fn declares(all: &[&str]) -> Declarations {
    let mut declares = Declarations::default();
    all.iter().for_each(|it| declares.add(it.parse().unwrap()).unwrap());
    declares
}

fn says(pairs: &[(&str, Value)]) -> Metadata {
    pairs.iter().map(|(key, it)| ((*key).to_owned(), it.clone())).collect()
}

fn open_tasks() -> Metadata {
    says(&[("status", "open".into())])
}

fn done(relation: &str) -> BTreeMap<String, Condition> {
    let metadata = says(&[("status", "done".into())]);
    [(relation.to_owned(), Condition { metadata, ..Condition::default() })].into()
}

/// Whoever had it before may be about to let go of it.
async fn open(dir: &Path) -> Runtime {
    loop {
        match stoa::open(Config::at(dir)).await {
            Err(StoreError::Locked { .. }) => tokio::task::yield_now().await,
            opened => return opened.unwrap(),
        }
    }
}

async fn put(caller: &Caller, space: SpaceId, text: &str, metadata: Metadata) -> AtomId {
    let draft = Draft { content: text.into(), metadata, ..Draft::default() };
    caller.put(space, draft, WriteOptions::default()).await.unwrap().id
}

async fn search(caller: &Caller, space: SpaceId, wanted: ClaimPredicate) -> Result<usize, Problem> {
    let ClaimPredicate { metadata, references } = wanted;
    let query = Query { metadata, references, ..Query::default() };
    Ok(caller.search(space, query).await?.len())
}

async fn claim(caller: &Caller, space: SpaceId, wanted: ClaimPredicate) -> Result<usize, Problem> {
    let ask = ClaimAsk { wanted, lease_ms: 60_000, ..ClaimAsk::default() };
    Ok(caller.claim(space, ask, WriteOptions::default()).await?.iter().len())
}

const CONVENTION: &str =
    "---\ndeclares: [priority:number, status:text, blocked_by:relation]\n---\n# Tasks\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_that_is_neither_declared_nor_used_is_refused_with_the_nearest() {
    let dir = tempfile::tempdir().unwrap();
    let runtime = open(dir.path()).await;
    let caller = runtime.caller(ROOT);
    let plain = caller.create_space("plain", "# Tasks").await.unwrap();
    let declared = caller.create_space("declared", CONVENTION).await.unwrap();
    for space in [plain, declared] {
        let blocker = put(&caller, space, "first", says(&[("status", "open".into())])).await;
        let references = [("blocked_by".to_owned(), vec![blocker])].into();
        let metadata = says(&[("status", "open".into()), ("owner", "ann".into())]);
        let draft = Draft { metadata, references, ..Draft::default() };
        caller.put(space, draft, WriteOptions::default()).await.unwrap();
    }
    let of = |metadata: Metadata, references| ClaimPredicate { metadata, references };
    let typo = || of(open_tasks(), done("blockedby"));
    // It matches vacuously, as it always has.
    assert_eq!(search(&caller, plain, typo()).await, Ok(2));
    assert_eq!(claim(&caller, plain, typo()).await, Ok(1));
    for refused in [search(&caller, declared, typo()).await, claim(&caller, declared, typo()).await]
    {
        let refused = refused.unwrap_err();
        assert_eq!(refused.kind, ProblemKind::Invalid);
        assert!(refused.text.contains("\"blockedby\"") && refused.text.contains("\"blocked_by\""));
        assert_eq!(refused.hint.as_deref(), Some("--ref 'blocked_by:KEY=VALUE'"));
    }
    let any = Value::List(vec![Value::Map(says(&[("ownr", "ann".into())]))]);
    let mistakes = [
        of(says(&[("stauts", "open".into())]), BTreeMap::new()),
        of(says(&[("any", any)]), BTreeMap::new()),
        of(open_tasks(), done("<-blockedby")),
        of(
            Metadata::new(),
            [(
                "blocked_by".to_owned(),
                Condition { metadata: says(&[("statu", 1.into())]), ..Condition::default() },
            )]
            .into(),
        ),
    ];
    for wanted in mistakes {
        let (searched, claimed) = (
            search(&caller, declared, wanted.clone()).await,
            claim(&caller, declared, wanted.clone()).await,
        );
        assert_eq!(searched, claimed, "{wanted:?}");
        assert!(searched.unwrap_err().text.contains("there is"), "{wanted:?}");
    }
    // By meaning, and at a moment, as well.
    let text = ClaimAsk {
        query: Some("first".into()),
        wanted: typo(),
        lease_ms: 1_000,
        ..ClaimAsk::default()
    };
    assert!(caller.claim(declared, text, WriteOptions::default()).await.is_err());
    let past = Query { references: done("blockedby"), ..Query::default() };
    let at = Moment::Position(runtime.durable());
    assert!(caller.search_as_of(declared, past, at).await.is_err());
    // What is used is as good as what is declared, and a declared name need not be used.
    let owner = of(says(&[("owner", "ann".into())]), BTreeMap::new());
    assert_eq!(search(&caller, declared, owner.clone()).await, Ok(1));
    let priority = of(says(&[("priority", 1.into())]), BTreeMap::new());
    assert_eq!(search(&caller, declared, priority.clone()).await, Ok(0));
    assert_eq!(claim(&caller, declared, priority).await, Ok(0));
    assert_eq!(claim(&caller, declared, of(open_tasks(), done("blocked_by"))).await, Ok(1));
    assert_eq!(claim(&caller, declared, owner).await, Ok(1));
    runtime.stop().await.unwrap();
}

async fn claimed(caller: &Caller, space: SpaceId, order: &[&str]) -> Option<String> {
    let order = order.iter().map(|it| it.parse().unwrap()).collect();
    let wanted = ClaimPredicate { metadata: open_tasks(), ..ClaimPredicate::default() };
    let ask = ClaimAsk { wanted, order, lease_ms: 60_000, ..ClaimAsk::default() };
    let taken = caller.claim(space, ask, WriteOptions::default()).await.unwrap()?;
    Some(format!("{:?}", taken.read.atom.content))
}

async fn found(caller: &Caller, space: SpaceId, order: &[&str], limit: usize) -> Vec<String> {
    let order = SearchOrder::By(order.iter().map(|it| it.parse().unwrap()).collect());
    let query = Query { metadata: open_tasks(), order, limit, ..Query::default() };
    let (mut all, mut after): (Vec<String>, Option<String>) = (Vec::new(), None);
    loop {
        let page = caller.page(space, query.clone(), after.as_deref()).await.unwrap();
        all.extend(page.hits.iter().map(|it| format!("{:?}", it.read.atom.content)));
        match page.next {
            Some(next) => after = Some(next),
            None => return all,
        }
    }
}

/// The order that a search tells is the one in which claims take, also of what is changed and what
/// comes later, and after a restart.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn searches_and_claims_go_in_the_order_that_is_declared() {
    let dir = tempfile::tempdir().unwrap();
    let runtime = open(dir.path()).await;
    let caller = runtime.caller(ROOT);
    let space = caller.create_space("tasks", "").await.unwrap();
    caller.declare(space, declares(&["priority:number", "title:text:ordered"])).await.unwrap();
    let with = |priority: Option<Value>| {
        let mut all = open_tasks();
        all.extend(priority.map(|it| ("priority".to_owned(), it)));
        all
    };
    let numbers = [Some(3.into()), None, Some(Value::Float(0.5)), Some("1".into()), Some(3.into())];
    let mut ids = Vec::new();
    for (n, priority) in numbers.into_iter().enumerate() {
        ids.push(put(&caller, space, &format!("task {n}"), with(priority)).await);
    }
    let text =
        |all: &[u8]| -> Vec<String> { all.iter().map(|n| format!("Text(\"task {n}\")")).collect() };
    let up = ["priority", "-created"];
    for limit in [1, 2, 100] {
        assert_eq!(found(&caller, space, &up, limit).await, text(&[2, 4, 0, 3, 1]));
        assert_eq!(found(&caller, space, &["-priority"], limit).await, text(&[0, 4, 2, 1, 3]));
        assert_eq!(found(&caller, space, &["-created"], limit).await, text(&[4, 3, 2, 1, 0]));
        assert_eq!(found(&caller, space, &["title"], limit).await, text(&[0, 1, 2, 3, 4]));
    }
    for order in ["status", "prority"] {
        let order = vec![OrderBy::ascending(order)];
        let ask = ClaimAsk { order: order.clone(), lease_ms: 1, ..ClaimAsk::default() };
        let refused = caller.claim(space, ask, WriteOptions::default()).await.unwrap_err();
        let query = Query { order: SearchOrder::By(order), ..Query::default() };
        let searched = caller.search(space, query).await.unwrap_err();
        assert_eq!((refused.kind, &refused.text), (ProblemKind::Invalid, &searched.text));
    }
    let both =
        Query { order: SearchOrder::By(vec![OrderBy::ascending("priority")]), ..Query::text("x") };
    assert_eq!(caller.search(space, both).await.unwrap_err().kind, ProblemKind::Invalid);

    assert_eq!(claimed(&caller, space, &up).await, Some(text(&[2]).remove(0)));
    let patch = Patch { metadata: says(&[("priority", 9.into())]), ..Patch::default() };
    caller.update(ids[4], Expect::Any, patch, WriteOptions::default()).await.unwrap();
    put(&caller, space, "task 5", with(Some(8.into()))).await;
    assert_eq!(claimed(&caller, space, &up).await, Some(text(&[0]).remove(0)));
    assert_eq!(found(&caller, space, &up, 100).await, text(&[2, 0, 5, 4, 3, 1]));
    runtime.stop().await.unwrap();
    drop((caller, runtime));

    let runtime = open(dir.path()).await;
    let caller = runtime.caller(ROOT);
    let card = caller.show_space(space).await.unwrap();
    assert_eq!(card.declares, declares(&["priority:number", "title:text:ordered"]));
    assert_eq!(caller.declares(space).await, Ok(card.declares));
    for n in [5, 4, 3, 1] {
        assert_eq!(claimed(&caller, space, &up).await, Some(text(&[n]).remove(0)));
    }
    assert_eq!(claimed(&caller, space, &up).await, None);
    runtime.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_space_declares_from_its_first_moment_and_anew() {
    let dir = tempfile::tempdir().unwrap();
    let runtime = open(dir.path()).await;
    let caller = runtime.caller(ROOT);
    let more = declares(&["priority:number:unordered", "see:relation"]);
    let space = caller.create_space_declaring("tasks", CONVENTION, more).await.unwrap();
    let all: Vec<String> =
        caller.declares(space).await.unwrap().iter().map(|it| it.to_string()).collect();
    let expected =
        ["priority:number:unordered", "status:text", "blocked_by:relation", "see:relation"];
    assert_eq!(all, expected);
    assert_eq!(caller.show_space(space).await.unwrap().description, CONVENTION);
    // A text that declares nothing leaves what is declared as it is.
    caller.describe(space, "# Tasks").await.unwrap();
    assert_eq!(caller.declares(space).await.unwrap().len(), 4);
    caller.describe(space, "---\ndeclares: [x:any]\n---\n").await.unwrap();
    assert_eq!(caller.declares(space).await.unwrap(), declares(&["x:any"]));
    // Both at once: of what both declare, what is said apart counts.
    let more = declares(&["status:text:ordered", "see:relation"]);
    caller.describe_declaring(space, CONVENTION, more).await.unwrap();
    assert_eq!(
        caller.declares(space).await.unwrap(),
        declares(&[
            "priority:number",
            "status:text:ordered",
            "blocked_by:relation",
            "see:relation"
        ])
    );
    caller.describe(space, "---\ndeclares: [x:any]\n---\n").await.unwrap();
    caller.declare(space, Declarations::default()).await.unwrap();
    assert!(caller.declares(space).await.unwrap().is_empty());
    let key = |name: &str| declares(&[&format!("{name}:number")]);
    for wrong in [key("created"), key("-n"), key(&"n".repeat(300)), declares(&["<-see:relation"])] {
        assert_eq!(
            caller.declare(space, wrong.clone()).await.unwrap_err().kind,
            ProblemKind::Invalid
        );
        let made = caller.create_space_declaring("other", "", wrong).await.unwrap_err();
        assert_eq!(made.kind, ProblemKind::Invalid);
        assert!(caller.resolve("other").is_err(), "nothing was made");
    }
    for text in ["---\ndeclares: [n:numbers]\n---\n", "---\ndeclares: [n:number, n:text]\n---\n"] {
        assert_eq!(caller.describe(space, text).await.unwrap_err().kind, ProblemKind::Invalid);
        assert_eq!(
            caller.create_space("other", text).await.unwrap_err().kind,
            ProblemKind::Invalid
        );
    }
    assert_eq!(
        caller.show_space(space).await.unwrap().description,
        "---\ndeclares: [x:any]\n---\n"
    );
    runtime.stop().await.unwrap();
}
