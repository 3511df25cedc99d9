//! From what was typed to a request, and from the answers to the terminal.

use super::args::{Args, CopyVerb, LeaseVerb, SpaceVerb, SubscriptionVerb, Verb};
use super::call::call;
use super::doctor::doctor;
use super::progress::Progress;
use super::screen::{Screen, hint, note};
use super::trust::{Step, trust};
use super::{carry, copies, json, print, settings, signals, stdin};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use stoa_actors::code::Ending;
use stoa_actors::id::{Position, SubscriptionId};
use stoa_runtime::caller::Mismatch;
use stoa_runtime::config::Config;
use stoa_runtime::door::{
    Answer, Call, Client, Door, Identity, Peer, Reached, Request, SubscriptionCall, answers,
    perform, reach,
};
use stoa_runtime::failure::StoreError;
use stoa_runtime::problem::{Kind, Problem};
use stoa_runtime::runtime::{Runtime, kinds};
use stoa_runtime::store;

pub(crate) async fn run(args: Args) -> Result<(), Problem> {
    let data = data_directory(args.data.clone())?;
    if let Verb::Trust { show, remove } = args.verb {
        let step = match (show, remove) {
            (true, _) => Step::Show,
            (_, true) => Step::Remove,
            _ => Step::Trust,
        };
        return trust(&data, &step, args.json);
    }
    let config = settings::config(&data)?;
    match &args.verb {
        Verb::Copy(CopyVerb::Backup { target, verify: true }) => {
            return copies::verify(target, args.json);
        }
        Verb::Copy(CopyVerb::Restore { backup }) => {
            return copies::restore(backup, &config, args.json);
        }
        verb if !makes_directory(verb) && !is_made(&data)? => {
            let text = format!("there is no stoa data in {}", data.display());
            return Err(Problem::new(Kind::Unknown, text).hint("stoa space create NAME"));
        }
        Verb::Doctor { accept_loss } => return doctor(&config, accept_loss.as_deref(), args.json),
        Verb::Serve => return serve(config, args.json).await,
        _ => {}
    }
    let lines = matches!(&args.verb, Verb::Watch { .. } | Verb::Lease(LeaseVerb::Watch { .. }))
        || matches!(&args.verb, Verb::Copy(CopyVerb::Export { to: None, .. }));
    let json = args.json || lines;
    if let Verb::Copy(CopyVerb::Import { space, file, new_ids, merge, comment }) = args.verb {
        let import = carry::Import::open(file)?;
        let identity = identity(args.acting_as);
        let ask = carry::ImportAsk { identity, space, new_ids, merge, comment };
        return match reach(config, kinds()).await? {
            Reached::Client(mut client) => {
                import.run(&mut Owner::Other(&mut client), ask, json).await
            }
            Reached::Owner(runtime, door) => {
                let work = async { import.run(&mut Owner::This(&runtime), ask, json).await };
                own(&runtime, door, work).await
            }
        };
    }
    let file = match &args.verb {
        Verb::Copy(CopyVerb::Export { to: Some(path), .. }) => Some(carry::Into::begin(path)?),
        _ => None,
    };
    let page = match &args.verb {
        Verb::History(it) => Some(Page { limit: it.limit, newest: it.newest, told: 0, last: 0 }),
        _ => None,
    };
    let ack = matches!(args.verb, Verb::Subscription(SubscriptionVerb::Read { ack: true, .. }));
    let progress = Progress::new();
    let mut out = Out { json, file, progress, page, read: None, failed: None, hung_up: false };
    let request = Request { identity: identity(args.acting_as), call: call(args.verb)? };
    if let Call::Update { patch, .. } = &request.call
        && patch.content.is_none()
        && stdin::has_something()
    {
        note("note: the content stays as it is; with - it is what is piped in");
    }
    let done = match reach(config, kinds()).await? {
        Reached::Client(mut client) => {
            ask(&mut Owner::Other(&mut client), request, ack, &mut out).await
        }
        Reached::Owner(runtime, door) => {
            let work = async { ask(&mut Owner::This(&runtime), request, ack, &mut out).await };
            own(&runtime, door, work).await
        }
    };
    out.end(done)
}

/// Who types without `--as` is the owner of the directory, and says so.
fn identity(acting_as: Option<String>) -> Identity {
    acting_as.map_or(Identity::Owner, Identity::Session)
}

/// Asks, and prints what is answered; what is printed of a subscription is acknowledged then.
async fn ask(
    owner: &mut Owner<'_>,
    request: Request,
    ack: bool,
    out: &mut Out,
) -> Result<(), Problem> {
    let identity = request.identity.clone();
    owner.ask(request, &mut |answer: &Answer| out.tell(answer)).await?;
    match out.acknowledgement().filter(|_| ack) {
        None => Ok(()),
        Some(call) => {
            let request = Request { identity, call };
            owner.ask(request, &mut |answer: &Answer| out.tell(answer)).await
        }
    }
}

/// Whoever has the directory open: another process, or this one.
pub(super) enum Owner<'a> {
    Other(&'a mut Client),
    This(&'a Runtime),
}

impl Owner<'_> {
    /// Asks, and hands over each answer as it comes.
    pub(super) async fn ask(
        &mut self,
        request: Request,
        each: &mut dyn FnMut(&Answer) -> io::Result<()>,
    ) -> Result<(), Problem> {
        match self {
            Owner::Other(client) => client.ask(&request, |answer| each(&answer)).await,
            Owner::This(runtime) => answer(runtime, request, each).await,
        }
    }
}

/// Keeps the directory open. A verb that has it for a moment is waited for; another `serve` is not
/// done in that time.
async fn serve(config: Config, as_json: bool) -> Result<(), Problem> {
    let give_up = Instant::now() + Duration::from_millis(config.connect_ms_max);
    loop {
        match reach(config.clone(), kinds()).await? {
            Reached::Owner(runtime, door) => {
                let work = async {
                    runtime.start_agents().await?;
                    announce(&config, as_json).map_err(unwritten)?;
                    std::future::pending().await
                };
                return own(&runtime, door, work).await;
            }
            Reached::Client(client) => drop(client),
        }
        if Instant::now() >= give_up {
            let text = "another process serves this directory already";
            return Err(Problem::new(Kind::Busy, text).hint("stoa status"));
        }
        tokio::time::sleep(Duration::from_millis(config.connect_retry_ms)).await;
    }
}

/// Says that the directory is open, so that whoever started this can wait for it.
fn announce(config: &Config, as_json: bool) -> io::Result<()> {
    if as_json {
        let serving = serde_json::json!({"serving": config.data, "pid": std::process::id()});
        let mut to = Screen::out();
        to.json(&serving)?;
        return to.flush();
    }
    note(format!("serving {}; interrupt to stop", config.data.display()));
    Ok(())
}

/// This process has the directory: its own verb first, then it stays for those who came.
async fn own(
    runtime: &Runtime,
    mut door: Door,
    work: impl Future<Output = Result<(), Problem>>,
) -> Result<(), Problem> {
    let limit = Duration::from_millis(runtime.config().shutdown_ms_max) + WATCHDOG;
    let interrupts = signals::Interrupts::listen(limit)?;
    let interrupted = || interrupts.heard();
    let done = tokio::select! {
        done = work => done,
        error = runtime.run() => Err(error.into()),
        () = interrupted() => Ok(()),
    };
    let closed = async {
        // Agents that this process has let live have it until they are at rest.
        if done.is_ok() && runtime.agents_started() {
            runtime.at_rest().await;
        }
        door.close().await;
    };
    let left = tokio::select! {
        biased;
        () = interrupted() => Left::Told,
        error = runtime.run() => Left::Failed(error),
        () = closed => Left::Done,
    };
    match left {
        Left::Done => {}
        Left::Failed(error) => door.fail(error).await,
        Left::Told => {
            runtime.close();
            door.shut().await;
        }
    }
    let stopped = runtime.stop().await;
    for undone in runtime.undone() {
        note(format!("note: {undone}"));
        hint("stoa status");
    }
    done?;
    stopped?;
    Ok(())
}

/// Why this process lets go of the directory.
enum Left {
    /// Nobody needs it any more.
    Done,
    /// It is told to.
    Told,
    /// The store has.
    Failed(StoreError),
}

/// How much longer than an orderly stop may take the process waits before it ends anyway.
const WATCHDOG: Duration = Duration::from_millis(500);

async fn answer(
    runtime: &Runtime,
    request: Request,
    each: &mut dyn FnMut(&Answer) -> io::Result<()>,
) -> Result<(), Problem> {
    let (answers, mut ready) = answers(runtime.config());
    let work = perform(runtime, Peer::Owner, request, answers);
    // It takes the queue with it: when nobody reads any more, the work must not wait for room.
    let print = async move {
        while let Some(answer) = ready.next().await {
            each(&answer).map_err(unwritten)?;
        }
        Ok(())
    };
    let (done, printed) = tokio::join!(work, print);
    printed.and(done)
}

pub(super) fn unwritten(error: io::Error) -> Problem {
    Problem::new(Kind::Store, format!("cannot write the answer: {error}")).hint("stoa status")
}

/// A page of a history, so that it can end with what asks for the next.
struct Page {
    limit: usize,
    newest: bool,
    told: usize,
    last: u64,
}

struct Out {
    json: bool,
    /// Where an export goes that does not go to stdout.
    file: Option<carry::Into>,
    progress: Progress,
    page: Option<Page>,
    /// Up to where a subscription is printed.
    read: Option<(SubscriptionId, Position)>,
    /// What makes the command fail although it was answered.
    failed: Option<Problem>,
    /// Whoever read the answers has enough, like `head`: no failure.
    hung_up: bool,
}

impl Out {
    fn tell(&mut self, answer: &Answer) -> io::Result<()> {
        match answer {
            Answer::Doing(doing) => self.progress.show(doing),
            Answer::Making(index) => self.progress.making(index),
            Answer::Copied(copied) => self.progress.copied(copied),
            answer => return self.told(answer),
        }
        Ok(())
    }

    /// What is more than progress.
    fn told(&mut self, answer: &Answer) -> io::Result<()> {
        if let Some(file) = &mut self.file {
            return file.line(answer);
        }
        self.progress.clear();
        if *answer == Answer::Moved {
            note("note: the space has changed since that page; some may be missing or told twice");
            return Ok(());
        }
        if let Answer::Mismatch(it) = answer {
            note(match it {
                Mismatch::Type { meant, .. } => format!("note: {it}; type {meant}"),
                it => format!("note: {it}"),
            });
            if !self.json {
                return Ok(());
            }
        }
        let written = self.write(answer);
        self.hung_up |= written.as_ref().is_err_and(|it| it.kind() == io::ErrorKind::BrokenPipe);
        written?;
        match answer {
            Answer::Outcome(outcome) => {
                if let Some(notice) = &outcome.notice {
                    note(format!("note: {notice}"));
                }
                if let Ending::Failed { traceback, .. } = &outcome.ending {
                    self.failed = Some(
                        Problem::new(Kind::Action, traceback.trim_end())
                            .hint("stoa exec FILE --spaces NAME=LEVEL --json"),
                    );
                }
            }
            Answer::Change(change) => {
                if let Some(page) = &mut self.page {
                    (page.told, page.last) = (page.told + 1, change.position.0);
                }
            }
            Answer::Read { id, cursor } => self.read = Some((*id, *cursor)),
            Answer::Hit { next: Some(next), .. } if !self.json => {
                note(format!("note: there may be more; the same with --after {next}"));
            }
            Answer::Audited(audited) if !audited.breaches.is_empty() => {
                let text = format!("{} laws do not hold", audited.breaches.len());
                self.failed = Some(Problem::new(Kind::Store, text).hint("stoa doctor"));
            }
            _ => {}
        }
        Ok(())
    }

    /// What says that all that is printed has been seen.
    fn acknowledgement(&self) -> Option<Call> {
        let (id, cursor) = self.read.filter(|_| !self.hung_up)?;
        Some(Call::Subscription(SubscriptionCall::Acknowledge { id, cursor }))
    }

    fn write(&self, answer: &Answer) -> io::Result<()> {
        let mut to = Screen::out();
        if self.json {
            to.json(&json::answer(answer))?;
        } else {
            print::answer(&mut to, answer)?;
        }
        to.flush()
    }

    fn end(self, done: Result<(), Problem>) -> Result<(), Problem> {
        if self.hung_up {
            return Ok(());
        }
        if let Some(Page { newest, last, .. }) = self.page.filter(|it| it.told >= it.limit)
            && !self.json
        {
            let on = if newest { "--before" } else { "--after" };
            note(format!("there may be more: add {on} {last}"));
        }
        done.and(self.failed.map_or(Ok(()), Err))?;
        self.file.map_or(Ok(()), |file| file.publish(self.json))
    }
}

/// It is there, or somebody is about to have made it.
fn is_made(data: &Path) -> Result<bool, Problem> {
    for name in ["format", store::BEGUN, store::RESTORING] {
        match data.join(name).try_exists() {
            Ok(true) => return Ok(true),
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                let text = format!("cannot look into {}: {error}", data.display());
                let hint = format!("ls -ld {}", data.display());
                return Err(Problem::new(Kind::Store, text).hint(hint));
            }
            _ => {}
        }
    }
    Ok(false)
}

fn makes_directory(verb: &Verb) -> bool {
    use SpaceVerb::Create;
    matches!(verb, Verb::Space(Create { .. }) | Verb::Exec { .. } | Verb::Serve)
        || matches!(verb, Verb::Research { .. })
}

fn data_directory(given: Option<PathBuf>) -> Result<PathBuf, Problem> {
    if let Some(given) = given {
        return Ok(given);
    }
    let here = std::env::current_dir()
        .map_err(|error| Problem::new(Kind::Store, format!("no working directory: {error}")))?;
    let upward = here.ancestors().map(|it| it.join(".stoa")).find(|it| it.is_dir());
    Ok(upward.unwrap_or_else(|| here.join(".stoa")))
}
