//! A question answered from documents by supervised agents, as a library does it: kill it half-way
//! and type it again, and it goes on.
//!
//!     cargo run --release -p stoa-examples --example research -- 'QUESTION' PATH...

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "an example shows what it does")]

use std::path::PathBuf;
use stoa::config::Config;
use stoa::research::{ResearchAsk, ResearchLimits, ResearchStep, research};
use stoa_actors::id::ROOT;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // The worker for Python is this program itself.
    stoa::worker_main_if_asked();
    let mut args = std::env::args().skip(1);
    let question = args.next().unwrap_or_else(|| "What must hold after a crash?".to_owned());
    let mut paths: Vec<PathBuf> =
        args.map(|it| PathBuf::from(it).canonicalize()).collect::<Result<_, _>>()?;
    if paths.is_empty() {
        paths.push(PathBuf::from("README.md").canonicalize()?);
    }
    // Everything is in this directory: spaces, agents, rights, and what was done.
    let runtime = stoa::open(Config::at(".stoa")).await?;
    let owner = runtime.caller(ROOT);
    let ask = ResearchAsk { question, paths, agents: 3, model: "recipe".into(), fresh: false };
    let mut look = |doing: ResearchStep| eprintln!("{doing:?}");
    let report = research(&owner, &ask, &ResearchLimits::default(), &mut look).await?;
    println!("{}\n", report.text);
    for agent in owner.agents().await? {
        let name = agent.name.unwrap_or_default();
        println!("{name:<32} {:<8} {} turns", agent.state, agent.turns);
    }
    runtime.at_rest().await;
    runtime.stop().await?;
    Ok(())
}
