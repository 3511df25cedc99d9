//! Five agents and a task list: each runs the claim recipe in Python, in a worker process, with
//! `tasks=write` and nothing else. No task is done twice, and what is done is still done when the
//! command is typed again.
//!
//!     cargo run --release -p stoa-examples --example tasks

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "an example shows what it does")]

use std::path::PathBuf;
use stoa::caller::{Caller, WriteOptions};
use stoa::config::Config;
use stoa::session::exec;
use stoa_actors::atom::Content;
use stoa_actors::code::{ActionEnd, ActionOutcome};
use stoa_actors::id::{AtomId, ROOT};
use stoa_actors::rights::Level;
use stoa_actors::space::Draft;
use stoa_actors::value::Value;

const AGENTS: [&str; 5] = ["ada", "bea", "cleo", "dora", "eve"];
const STEPS: [&str; 4] = ["survey", "draft", "review", "publish"];
const TOPICS: [&str; 4] = ["logs", "rights", "leases", "search"];

/// What every agent runs until it finds nothing: one task, claimed and completed.
const RECIPE: &str = r#"
claimed = None
free = space.search(
    metadata={"status": "pending"},
    references={"blocked_by": {"status": "completed"}},
)
for task in free:
    try:
        space.update(task.id, metadata={"status": "in_progress", "owner": me}, comment="claim")
    except Conflict:
        continue  # somebody was first
    space.update(task.id, metadata={"status": "completed"}, comment="done")
    claimed = task.annotation
    break
claimed
"#;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // The worker for Python is this program itself.
    stoa::worker_main_if_asked();
    let args: Vec<String> = std::env::args().collect();
    let given = args.iter().position(|it| it == "--data").and_then(|at| args.get(at + 1));
    let data = given.map_or_else(|| PathBuf::from(".stoa"), PathBuf::from);
    let runtime = stoa::open(Config::at(&data)).await?;
    let owner = runtime.caller(ROOT);
    let list = task_list(&owner).await?;
    println!("{list} tasks in {}, {} agents", data.display(), AGENTS.len());

    let working = AGENTS.map(|name| tokio::spawn(work(owner.clone(), name)));
    let mut claimed = 0;
    for agent in working {
        claimed += agent.await??;
    }
    if claimed == 0 {
        println!("nothing left to claim: it was all done before, and still is");
    } else {
        println!("{claimed} tasks claimed and done, none of them twice");
    }
    println!(
        "type it again, or look: cargo run --release -- --data {} history tasks",
        data.display()
    );
    runtime.stop().await?;
    Ok(())
}

/// Makes the list once: for each topic four steps, each blocked by the one before.
async fn task_list(owner: &Caller) -> Result<usize, Box<dyn std::error::Error>> {
    let about = "A task list. status: pending, in_progress, completed; blocked_by: what must be \
                 completed first. Find work: search for pending tasks with all blockers completed.";
    let space = match owner.resolve("tasks") {
        Ok(space) => space,
        Err(_) => owner.create_space("tasks", about).await?,
    };
    for topic in TOPICS {
        let mut before: Option<AtomId> = None;
        for step in STEPS {
            let draft = Draft {
                id: None,
                content: Content::Text(format!("{step} the chapter on {topic}")),
                annotation: format!("{step} {topic}"),
                metadata: [("status".to_owned(), Value::from("pending"))].into(),
                references: before.iter().map(|id| ("blocked_by".to_owned(), vec![*id])).collect(),
                embedding: None,
            };
            // The same key every time: however often this runs, there is one such task.
            let why = WriteOptions::comment("plan").key(format!("{topic}/{step}"));
            before = Some(owner.put(space, draft, why).await?.id);
        }
    }
    Ok(TOPICS.len() * STEPS.len())
}

async fn work(owner: Caller, name: &str) -> Result<usize, stoa::problem::Problem> {
    let spaces = [("tasks".to_owned(), Level::Write, None)];
    let mut claimed = 0;
    loop {
        let source = format!("me = {name:?}\n{RECIPE}");
        let outcome = exec(&owner, source, &spaces, Some(name)).await?;
        match task_of(&outcome) {
            Some(task) => println!("{name:<5} claimed {task}"),
            None => return Ok(claimed),
        }
        claimed += 1;
    }
}

fn task_of(outcome: &ActionOutcome) -> Option<&str> {
    match &outcome.ending {
        ActionEnd::Done { value } => value.as_deref(),
        ActionEnd::Failed { traceback, .. } => {
            eprintln!("{traceback}");
            None
        }
    }
}
