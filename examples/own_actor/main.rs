//! Runs an actor of one's own, kills its process with `kill -9`, and sees it come back.
//!
//!     cargo run -p stoa-examples --example own_actor

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "an example shows what it does")]

mod till;

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use stoa::prelude::*;
use till::{Message, PrintReceipt, Till};

/// The till's own stream of the log.
const STREAM: StreamId = StreamId(*b"the corner shop!");

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    match std::env::args().nth(1) {
        Some(dir) => sell(Path::new(&dir)).await,
        None => shop().await,
    }
}

/// Opens the directory and addresses the till in it; receipts are printed to stderr.
async fn open(
    dir: &Path,
) -> Result<(Runtime, Arc<ActorAddress<Till>>), Box<dyn std::error::Error>> {
    let runtime = Runtime::open_with(Config::at(dir), kinds().with::<Till>()).await?;
    let print = |sale, receipt: PrintReceipt| -> Boxed<'static, _> {
        Box::pin(async move {
            eprintln!("receipt {sale}: {} cents", receipt.cents);
            Some(Message::Printed(sale))
        })
    };
    let printer: Arc<dyn Perform<Till>> = Arc::new(print);
    let till = runtime.actor_with(STREAM, printer)?;
    Ok((runtime, till))
}

/// Sells until it is killed; what is printed was acknowledged.
async fn sell(dir: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let (_runtime, till) = open(dir).await?;
    loop {
        let receipt = till.ask(Request::new(ROOT, Message::Sell(5)).comment("an apple")).await?;
        writeln!(std::io::stdout(), "{}", receipt.reply)?;
    }
}

async fn shop() -> Result<(), Box<dyn std::error::Error>> {
    let dir = tempfile::tempdir()?;
    let mut seller =
        Command::new(std::env::current_exe()?).arg(dir.path()).stdout(Stdio::piped()).spawn()?;
    let mut told = BufReader::new(seller.stdout.take().ok_or("no output")?).lines();
    let mut acknowledged = 0;
    for _ in 0..40 {
        acknowledged = told.next().ok_or("the seller stopped")??.parse()?;
    }
    seller.kill()?;
    seller.wait()?;
    // What it still said before it died counts as well.
    for line in told.map_while(Result::ok) {
        acknowledged = line.parse().unwrap_or(acknowledged);
    }
    let (runtime, till) = open(dir.path()).await?;
    let refunded = till.ask(Request::new(ROOT, Message::Refund(5)).key("refund-1")).await?;
    println!(
        "{acknowledged} cents were acknowledged; after a refund of 5 there are {}",
        refunded.reply
    );
    assert!(refunded.reply + 5 >= acknowledged, "nothing acknowledged is lost");
    let again = till.ask(Request::new(ROOT, Message::Refund(5)).key("refund-1")).await?;
    assert_eq!(again, refunded, "the same request again happens once");
    runtime.stop().await?;
    Ok(())
}
