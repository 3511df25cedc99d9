//! A decision that went wrong, looked at from behind: what was on the board when it was taken, who
//! changed what since, and what two versions differ in.
//!
//!     cargo run --release -p stoa-examples --example time_travel

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use stoa::as_of::Moment;
use stoa::caller::{Caller, HistoryQuery, Of, WriteOptions};
use stoa::config::Config;
use stoa::problem::Problem;
use stoa::unified;
use stoa_actors::atom::{Content, Metadata};
use stoa_actors::id::{AtomId, ROOT, SpaceId};
use stoa_actors::search::Query;
use stoa_actors::space::{Draft, Expect, Patch};
use stoa_actors::value::Value;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let data = tempfile::tempdir()?;
    let runtime = stoa::open(Config::at(data.path())).await?;
    let owner = runtime.caller(ROOT);
    let board = owner.create_space("decisions", "What was decided, and on what grounds").await?;

    let latency = put(&owner, board, "p99 latency is 40 ms", "fact").await?;
    put(&owner, board, "the budget is two machines", "fact").await?;
    let decision = put(&owner, board, "We cache answers\nfor one hour.\n", "decision").await?;
    let decided = runtime.durable();

    // Afterwards the ground moves.
    change(&owner, latency, "p99 latency is 900 ms", "the disk was replaced").await?;
    put(&owner, board, "answers change every minute", "fact").await?;
    change(&owner, decision, "We cache answers\nfor one second.\n", "an hour was wrong").await?;

    let then = Moment::Position(decided);
    let facts = Query { metadata: kind("fact"), ..Query::default() };
    println!("what was known when it was decided:");
    let known = owner.search_as_of(board, facts.clone(), then).await?;
    known.iter().for_each(|it| println!("  {}", text(&it.read.atom.content)));
    println!("what is known now:");
    let now = owner.search(board, facts).await?;
    now.iter().for_each(|it| println!("  {}", text(&it.read.atom.content)));

    println!("what came in between, the newest first:");
    let since = HistoryQuery { after: decided, newest: true, ..HistoryQuery::first(10) };
    for change in owner.history(Of::Space(board), since).await? {
        println!("  {:>3}  {}", change.position.0, change.comment);
    }

    println!("and the decision itself:");
    let difference = owner.difference(decision, None, None).await?;
    if let Some((before, after)) = &difference.content {
        unified(before, after).lines().for_each(|line| println!("  {line}"));
    }
    let read = owner.get_as_of(decision, then).await?;
    assert_eq!((read.atom.version, known.len(), now.len()), (1, 2, 3));
    runtime.stop().await?;
    Ok(())
}

fn kind(kind: &str) -> Metadata {
    [("kind".to_owned(), Value::from(kind))].into()
}

fn text(content: &Content) -> &str {
    match content {
        Content::Text(text) => text,
        _ => "",
    }
}

async fn put(to: &Caller, space: SpaceId, text: &str, of: &str) -> Result<AtomId, Problem> {
    let draft = Draft { content: Content::from(text), metadata: kind(of), ..Draft::default() };
    let first = text.lines().next().unwrap_or_default();
    Ok(to.put(space, draft, WriteOptions::comment(format!("noted: {first}"))).await?.id)
}

async fn change(to: &Caller, id: AtomId, text: &str, comment: &str) -> Result<(), Problem> {
    let patch = Patch { content: Some(Content::from(text)), ..Patch::default() };
    to.update(id, Expect::Version(1), patch, WriteOptions::comment(comment)).await.map(drop)
}
