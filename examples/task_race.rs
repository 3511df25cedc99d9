//! Eight workers race for two hundred tasks, every fifth blocked by the one before; one of them
//! takes a task and is never heard of again. Each task is done once, by the history of the space.
//!
//!     cargo run --release -p stoa-examples --example task_race

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use stoa::caller::{Caller, ClaimAsk, GrantRequest, HistoryQuery, Of, WriteOptions};
use stoa::config::Config;
use stoa::problem::Problem;
use stoa_actors::atom::{Content, Metadata};
use stoa_actors::id::{AtomId, ROOT, SpaceId};
use stoa_actors::rights::Level;
use stoa_actors::search::{Condition, Query, Which};
use stoa_actors::space::{ClaimPredicate, Draft, Expect, Fence, Patch};
use stoa_actors::value::Value;

const TASKS: usize = 200;
const WORKERS: [&str; 8] = ["ada", "bea", "cleo", "dora", "eve", "fay", "gwen", "hal"];
/// How long a task is somebody's before it is anybody's again.
const LEASE_MS: u64 = 1_500;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let data = tempfile::tempdir()?;
    let runtime = stoa::open(Config::at(data.path())).await?;
    let owner = runtime.caller(ROOT);
    let space = owner.create_space("tasks", "status: pending, doing, completed").await?;
    fill(&owner, space).await?;

    let begun = Instant::now();
    let mut racing = tokio::task::JoinSet::new();
    for name in WORKERS {
        let grant = GrantRequest {
            level: Level::Write,
            delegate: None,
            expires_ms: None,
            reason: String::new(),
        };
        owner.grant("tasks", name, grant).await?;
        let worker = runtime.caller(owner.session_named(name)?);
        racing.spawn(async move { Ok::<_, Problem>((name, work(&worker, space, name).await?)) });
    }
    while let Some(done) = racing.join_next().await {
        let (name, done) = done??;
        let end = if name == "hal" { "  took one, and was never heard of again" } else { "" };
        println!("{name:<5} {done:>3} tasks{end}");
    }
    println!("all of it in {} ms", begun.elapsed().as_millis());

    // Who did what is in the history, whatever anybody says.
    let mut times: BTreeMap<AtomId, usize> = BTreeMap::new();
    let query =
        HistoryQuery { comment: Some("completed by".into()), ..HistoryQuery::first(TASKS * 2) };
    for change in owner.history(Of::Space(space), query).await? {
        *times.entry(change.atom.map_or_else(AtomId::default, |(id, _)| id)).or_default() += 1;
    }
    let twice = times.values().filter(|it| **it > 1).count();
    let open = Query { metadata: status("pending"), ..Query::default() };
    let left = owner.search(space, open).await?.len() + TASKS - times.len();
    println!("{} tasks done, {twice} of them twice, {left} left", times.len());
    runtime.stop().await?;
    if twice > 0 || left > 0 {
        return Err("a task was done twice, or not at all".into());
    }
    Ok(())
}

fn status(status: &str) -> Metadata {
    [("status".to_owned(), Value::from(status))].into()
}

/// Every fifth task waits for the one before it.
async fn fill(owner: &Caller, space: SpaceId) -> Result<(), Problem> {
    let mut before = None::<AtomId>;
    for n in 0..TASKS {
        let blocker = before.filter(|_| n % 5 == 4);
        let draft = Draft {
            content: Content::Text(format!("task {n}")),
            metadata: status("pending"),
            references: blocker.iter().map(|id| ("blocked_by".to_owned(), vec![*id])).collect(),
            ..Draft::default()
        };
        before = Some(owner.put(space, draft, WriteOptions::comment("planned")).await?.id);
    }
    Ok(())
}

async fn work(me: &Caller, space: SpaceId, name: &str) -> Result<usize, Problem> {
    let completed = Condition { which: Which::All, metadata: status("completed") };
    let wanted = ClaimPredicate {
        metadata: status("pending"),
        references: [("blocked_by".to_owned(), completed)].into(),
    };
    let mut done = 0;
    loop {
        let ask = ClaimAsk {
            wanted: wanted.clone(),
            set: status("doing"),
            lease_ms: LEASE_MS,
            intent: format!("{name} works on it"),
            ..ClaimAsk::default()
        };
        let Some(taken) =
            me.claim(space, ask, WriteOptions::comment(format!("claimed by {name}"))).await?
        else {
            // Nothing is free now; what others hold or wait for may be.
            let doing = Query { metadata: status("doing"), limit: 1, ..Query::default() };
            let open = Query { metadata: status("pending"), limit: 1, ..Query::default() };
            if me.search(space, doing).await?.is_empty() && me.search(space, open).await?.is_empty()
            {
                return Ok(done);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
            continue;
        };
        if name == "hal" {
            return Ok(0);
        }
        let (resource, token) = (taken.lease.resource, taken.lease.token);
        let why = WriteOptions {
            fences: vec![Fence { resource, token }],
            ..WriteOptions::comment(format!("completed by {name}"))
        };
        let patch = Patch { metadata: status("completed"), ..Patch::default() };
        let expect = Expect::Version(taken.read.atom.version);
        me.update(taken.read.atom.id, expect, patch, why).await?;
        done += 1;
    }
}
