//! Answers that are read page by page.

use crate::{draft, put, with};
use stoa::caller::{Caller, WriteOptions};
use stoa::config::Config;
use stoa::problem::ProblemKind;
use stoa::search::Found;
use stoa_actors::id::{AtomId, ROOT, SpaceId};
use stoa_actors::search::{PageEnd, Query, SearchOrder};
use stoa_actors::space::{Expect, Patch};

async fn pages(caller: &Caller, space: SpaceId, query: &Query) -> Vec<Found> {
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let page = caller.page(space, query.clone(), after.as_deref()).await.expect("page");
        assert!(page.hits.len() <= query.limit && !page.moved);
        assert!(page.next.is_none() || page.hits.len() == query.limit);
        all.extend(page.hits);
        after = page.next;
        if after.is_none() {
            return all;
        }
    }
}

/// Pages together are one answer, whatever their size; without a text also while others write.
#[tokio::test]
async fn pages_together_are_one_answer() {
    let dir = tempfile::tempdir().expect("a directory");
    let runtime = stoa::open(Config::at(dir.path())).await.expect("opens");
    let caller = runtime.caller(ROOT);
    let space = caller.create_space("s", "").await.expect("space");
    let words = ["login", "bug", "release", "notes", "bread"];
    for n in 0..60 {
        let text = format!("{} {} {n}", words[n % 5], words[n * n % 3]);
        put(&caller, space, draft(&text, &[("kind", ["note", "task"][n % 2])])).await;
    }
    for text in [None, Some("release notes"), Some("404"), Some("bug 7")] {
        for order in [SearchOrder::Oldest, SearchOrder::Newest] {
            for metadata in [&[][..], &[("kind", "task")]] {
                let text = text.map(str::to_owned);
                let query = Query { text, order: order.clone(), ..with(metadata) };
                let whole = Query { limit: 1_000, ..query.clone() };
                let whole = caller.search(space, whole).await.expect("search");
                for limit in [1, 7, 20, 30, 60, 61] {
                    let query = Query { limit, ..query.clone() };
                    assert_eq!(pages(&caller, space, &query).await, whole, "{query:?}");
                }
            }
        }
    }
    // What is put, changed and taken out of use meanwhile moves nothing that has an order of birth.
    let query = Query { limit: 25, ..Query::default() };
    let first = caller.page(space, query.clone(), None).await.expect("page");
    let last = first.hits[24].read.atom.id;
    caller
        .deprecate(last, Expect::Version(1), None, WriteOptions::default())
        .await
        .expect("deprecate");
    let patch = Patch { annotation: Some("changed".into()), ..Patch::default() };
    let changed = first.hits[3].read.atom.id;
    caller
        .update(changed, Expect::Version(1), patch, WriteOptions::default())
        .await
        .expect("update");
    let new = put(&caller, space, draft("late", &[])).await;
    let second = caller.page(space, query.clone(), first.next.as_deref()).await.expect("page");
    let third = caller.page(space, query, second.next.as_deref()).await.expect("page");
    assert_eq!((second.hits.len(), third.hits.len(), third.next), (25, 11, None));
    assert!(!second.moved && !third.moved);
    assert_eq!(third.hits[10].read.atom.id, new);
    assert!(second.hits.iter().all(|it| !first.hits.contains(it)));
    runtime.stop().await.expect("stops");
}

/// A page of a text says when the ranks may have moved; a cursor is good for one query only.
#[tokio::test]
async fn a_cursor_of_something_else_is_refused() {
    let dir = tempfile::tempdir().expect("a directory");
    let runtime = stoa::open(Config::at(dir.path())).await.expect("opens");
    let caller = runtime.caller(ROOT);
    let space = caller.create_space("s", "").await.expect("space");
    let other = caller.create_space("t", "").await.expect("space");
    for n in 0..3 {
        put(&caller, space, draft(&format!("note {n}"), &[])).await;
    }
    let query = Query { limit: 2, ..Query::text("note") };
    let first = caller.page(space, query.clone(), None).await.expect("page");
    let next = first.next.expect("more");
    put(&caller, space, draft("note of another kind", &[])).await;
    let second = caller.page(space, query.clone(), Some(&next)).await.expect("page");
    assert!(second.moved, "{second:?}");
    let wrong = [
        caller.page(other, query.clone(), Some(&next)).await,
        caller.page(space, Query::text("notes"), Some(&next)).await,
        caller.page(space, query.clone(), Some("rubbish")).await,
        caller.page(space, query.clone(), Some("")).await,
    ];
    for refused in wrong {
        let problem = refused.expect_err("refused");
        assert_eq!(problem.kind, ProblemKind::Invalid, "{problem}");
        assert!(problem.hint.expect("a hint").starts_with("stoa search"));
    }
    let stranger = PageEnd { id: AtomId([9; 16]), score: None };
    let query = Query { after: Some(stranger), ..query };
    assert_eq!(caller.search(space, query).await.expect_err("refused").kind, ProblemKind::Invalid);
    runtime.stop().await.expect("stops");
}
