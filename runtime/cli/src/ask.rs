//! Asking whoever has the directory open, and following what happens for as long as somebody reads it.

use super::asking::{Asking, ask_all};
use super::incidents::Told;
use super::look::look;
use super::owner::{Interrupted, Owner, own};
use super::screen::{note, until_nobody_reads, unwritten};
use super::show::{self, Out};
use super::typed::{self, flag};
use super::{carry, cassette, confirm, resume, spawned};
use clap::ArgMatches;
use std::path::PathBuf;
use std::time::Duration;
use stoa_api::answer::NOBODY_RUNS;
use stoa_api::door::{Identity, Reached, is_handed_on, is_lost, reach};
use stoa_api::operation::AnyOperation;
use stoa_api::{DoorLimits, kinds};
use stoa_kernel::failure::StoreError;
use stoa_kernel::limits::Config;
use stoa_kernel::problem::{Problem, ProblemKind};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Asks whoever has the directory open, and prints what is answered.
pub(super) async fn ask(
    config: Config,
    identity: Identity,
    operation: &'static AnyOperation,
    typed: &ArgMatches,
    json: bool,
) -> Result<(), Problem> {
    let to = typed.try_get_one::<PathBuf>("to").ok().flatten();
    let file = to.map(|path| carry::Into::begin(path)).transpose()?;
    let question = confirm::question(operation, typed)?;
    let mut bodies = typed::bodies(operation, typed)?;
    bodies.iter_mut().for_each(|it| show::shown(operation, typed, json, it));
    let ack = flag(typed, "ack").then(|| identity.clone());
    let mut out = Out::new(operation, typed, file, json);
    let cassette = cassette::named(typed);
    let mut asking = Asking { identity, operation, bodies, ack, question, cassette };
    let done = match goes_on(operation, typed) {
        None => reached(config, &mut asking, &mut out, &mut Enough(None)).await,
        Some(begin) => follow(config, &mut asking, begin, &mut out).await,
    };
    out.end(done, json)
}

/// Verbs that have this process run the agents while they are at work, and no longer.
const RUNS_AGENTS: [&str; 3] = ["spawn", "agent say", "agent resume"];

/// Of these the ones that tell how the agents are that they were asked for, once all are at rest.
const TELLS_AT_REST: [&str; 2] = ["spawn", "agent resume"];

async fn reached(
    config: Config,
    asking: &mut Asking,
    out: &mut Out,
    enough: &mut Enough,
) -> Result<(), Problem> {
    let reached = tokio::select! {
        reached = reach(config, kinds(), DoorLimits::default()) => reached?,
        () = enough.or_interrupted() => return Ok(()),
    };
    match reached {
        Reached::Client(mut client) => {
            if let Some(cassette) = &asking.cassette {
                return Err(cassette.elsewhere());
            }
            let mut owner = Owner::Other(&mut client);
            tokio::select! {
                done = ask_all(&mut owner, asking, out) => done,
                () = enough.or_interrupted() => Ok(()),
            }
        }
        Reached::Owner(runtime, door) => {
            // An interrupt is heard by whoever has the directory: it stops in order.
            let mut owner = Owner::This(&runtime);
            let interrupted =
                if enough.0.is_some() { Interrupted::HandsOn } else { Interrupted::Stops };
            let (name, json) = (asking.operation.name, out.is_json());
            let work = async {
                let waits = TELLS_AT_REST.contains(&name);
                let asked = async {
                    match waits {
                        true => spawned::wait_for_rest(&runtime, &mut owner, asking, out).await,
                        false => ask_all(&mut owner, asking, out).await,
                    }
                };
                tokio::select! {
                    done = asked => done,
                    () = enough.nobody_reads() => Ok(()),
                }
            };
            let done = own(&runtime, door, interrupted, Told::beside(json), work).await;
            out.release().map_err(unwritten)?;
            let ran = done.as_ref().map_or_else(|it| it.kind == ProblemKind::Action, |()| true);
            if ran && RUNS_AGENTS.contains(&name) && !json && !look().quiet {
                note(format!("note: from now on {NOBODY_RUNS}"));
            }
            done
        }
    }
}

/// What ends a verb that follows what happens; nothing of it ends another one.
struct Enough(Option<Follower>);

struct Follower {
    nobody_reads: tokio::sync::oneshot::Receiver<()>,
    /// Heard also while nobody listens: from the first one on, an interrupt ends no process by itself.
    interrupts: Signal,
}

impl Enough {
    /// Begins to look whether anybody reads.
    fn of_readers() -> Result<Enough, Problem> {
        let (tell, told) = tokio::sync::oneshot::channel();
        let waits = std::thread::Builder::new().name("stoa-reader".into());
        let waits = waits.spawn(move || {
            until_nobody_reads();
            // The verb may have ended meanwhile.
            let _ = tell.send(());
        });
        waits.map_err(|error| StoreError::NoThreads(error.to_string()))?;
        let interrupts = signal(SignalKind::interrupt()).map_err(|error| {
            let text = format!("cannot listen for signals: {error}");
            Problem::new(ProblemKind::Store, text).hint("stoa --help")
        })?;
        Ok(Enough(Some(Follower { nobody_reads: told, interrupts })))
    }

    async fn nobody_reads(&mut self) {
        match &mut self.0 {
            Some(it) => drop((&mut it.nobody_reads).await),
            None => std::future::pending().await,
        }
    }

    async fn or_interrupted(&mut self) {
        match &mut self.0 {
            None => std::future::pending().await,
            Some(it) => tokio::select! {
                _ = &mut it.nobody_reads => {}
                _ = it.interrupts.recv() => {}
            },
        }
    }
}

/// Asks for what happens until it is interrupted or nobody reads it. Whoever has the directory open may
/// die meanwhile: the next one is asked, from where the last one was.
async fn follow(
    config: Config,
    asking: &mut Asking,
    (field, flag): (&'static str, &'static str),
    out: &mut Out,
) -> Result<(), Problem> {
    let mut enough = Enough::of_readers()?;
    if let Some(after) = asking.bodies.iter().find_map(|it| it[field].as_u64()) {
        out.seen.begin(after);
    }
    let (mut tries, mut upto) = (0, out.seen.cursor());
    loop {
        let done = reached(config.clone(), asking, out, &mut enough).await;
        let Err(problem) = done else { return Ok(()) };
        let cursor = out.seen.cursor();
        tries = if cursor == upto && is_lost(&problem) { tries + 1 } else { 1 };
        upto = cursor;
        let handed_on = is_handed_on(&problem);
        if out.hung_up || !(handed_on || is_lost(&problem)) || tries > resume::ASKED_AGAIN_MOST {
            return Err(resume::hint(problem, flag, cursor));
        }
        if let Some(after) = out.seen.go_on() {
            asking.bodies.iter_mut().for_each(|it| resume::begin(it, field, after));
        }
        if !handed_on && !look().quiet {
            let from = cursor.map_or_else(String::new, |it| format!(" after cursor {it}"));
            note(format!("note: the process that had the directory open is gone; going on{from}"));
        }
        tokio::select! {
            () = tokio::time::sleep(Duration::from_millis(DoorLimits::default().connect_retry_ms)) => {}
            () = enough.or_interrupted() => return Ok(()),
        }
    }
}

/// Whether it was typed to stay until it is interrupted, and can be asked again.
fn goes_on(operation: &AnyOperation, typed: &ArgMatches) -> Option<(&'static str, &'static str)> {
    resume::field(operation).filter(|_| show::follows(operation, typed))
}
