//! From what was typed to a request, and from the answers to the terminal.

use super::incidents::Told;
use super::local::{Local, local, schemas};
use super::progress;
use super::screen::{Screen, hint, note};
use super::trust::{Step, trust};
use super::{again, carry, copies, diagnostics, doctor, settings, signals, spawned, typed};
use clap::ArgMatches;
use serde_json::Value as Json;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use stoa_runtime::answer::NOBODY_RUNS;
use stoa_runtime::config::Config;
use stoa_runtime::door::{Client, Door, Identity, Peer, Reached, Request, perform, reach};
use stoa_runtime::failure::StoreError;
use stoa_runtime::operation::{Answer, Entry, Page, Said, answers};
use stoa_runtime::operations::{SubscriptionAck, entry};
use stoa_runtime::problem::{Kind, Problem};
use stoa_runtime::runtime::{Runtime, kinds};
use stoa_runtime::store;

pub(crate) async fn run(typed: &ArgMatches) -> Result<(), Problem> {
    let (name, verb) = verb(typed);
    let json = typed.get_flag("json");
    let session = typed.get_one::<String>("as").map(String::as_str);
    let directory = typed.get_one::<PathBuf>("data").map(|it| it.to_string_lossy());
    again::keep(directory.as_deref(), session);
    diagnostics::show(typed, rust_log(), json)?;
    let local = local(&name);
    if local == Some(Local::Schema) {
        let verb: Vec<String> = verb.get_many("verb").into_iter().flatten().cloned().collect();
        let mut to = Screen::out();
        let schemas = schemas(&verb.join(" "))?;
        let written = match json {
            true => to.json(&schemas),
            false => to.whole_lines(&format!("{schemas:#}")),
        };
        return written.map_err(unwritten);
    }
    let data = data_directory(typed.get_one("data").cloned())?;
    if local == Some(Local::Trust) {
        let step = match (verb.get_flag("show"), verb.get_flag("remove")) {
            (true, _) => Step::Show,
            (_, true) => Step::Remove,
            _ => Step::Trust,
        };
        return trust(&data, &step, json);
    }
    let config = settings::config(&data)?;
    let path = |name: &str| verb.get_one::<PathBuf>(name).cloned().unwrap_or_default();
    if local == Some(Local::Restore) {
        return copies::restore(&path("backup"), &config, json);
    }
    let operation = entry(&name);
    if flag(verb, "verify") {
        return copies::verify(&path("target"), json);
    }
    let identity = identity(typed.get_one("as").cloned())?;
    let makes = local == Some(Local::Serve) || operation.is_some_and(|it| it.makes);
    if !makes && name != SPACE_CREATE && !is_made(&data)? {
        let text = format!("there is no stoa data in {}", data.display());
        return Err(Problem::new(Kind::Unknown, text).hint("stoa space create NAME"));
    }
    match (local, operation) {
        (Some(Local::Doctor), _) => {
            doctor::doctor(&config, verb.get_one::<String>("accept-loss").map(String::as_str), json)
        }
        (Some(Local::Serve), _) => serve(config, json).await,
        (Some(Local::Import), _) => import(config, identity, verb, json).await,
        (_, Some(operation)) => ask(config, identity, operation, verb, json).await,
        (_, None) => Err(Problem::new(Kind::Invalid, format!("there is no verb {name:?}"))),
    }
}

/// What makes a directory where there is none, and is no wonder to anybody.
const SPACE_CREATE: &str = "space create";

/// The verb that was typed, with the one that it stands below, and what was typed for it.
fn verb(typed: &ArgMatches) -> (String, &ArgMatches) {
    let Some((first, below)) = typed.subcommand() else { return (String::new(), typed) };
    match below.subcommand() {
        Some((second, last)) => (format!("{first} {second}"), last),
        None => (first.to_owned(), below),
    }
}

fn flag(typed: &ArgMatches, name: &str) -> bool {
    typed.try_get_one::<bool>(name).is_ok_and(|it| it == Some(&true))
}

async fn import(
    config: Config,
    identity: Identity,
    typed: &ArgMatches,
    json: bool,
) -> Result<(), Problem> {
    let import = carry::Import::open(typed.get_one("file").cloned())?;
    let ask = carry::ImportAsk {
        identity,
        space: typed.get_one::<String>("space").cloned().unwrap_or_default(),
        new_ids: typed.get_flag("new-ids"),
        merge: typed.get_flag("merge"),
        comment: typed.get_one("comment").cloned(),
    };
    match reach(config, kinds()).await? {
        Reached::Client(mut client) => import.run(&mut Owner::Other(&mut client), ask, json).await,
        Reached::Owner(runtime, door) => {
            let work = async { import.run(&mut Owner::This(&runtime), ask, json).await };
            own(&runtime, door, Told::beside(json), work).await
        }
    }
}

/// Asks whoever has the directory open, and prints what is answered.
async fn ask(
    config: Config,
    identity: Identity,
    operation: &'static Entry,
    typed: &ArgMatches,
    json: bool,
) -> Result<(), Problem> {
    let to = typed.try_get_one::<PathBuf>("to").ok().flatten();
    let file = to.map(|path| carry::Into::begin(path)).transpose()?;
    let bodies = typed::bodies(operation, typed)?;
    let request = |body: Json| Request {
        identity: identity.clone(),
        operation: operation.name.to_owned(),
        body: body.to_string().into_bytes(),
    };
    let requests: Vec<Request> = bodies.into_iter().map(request).collect();
    let ack = flag(typed, "ack").then(|| identity.clone());
    let progress = progress::Progress::new();
    let lines = json || operation.lines;
    let mut out = Out {
        operation,
        json: lines,
        file,
        progress,
        read: None,
        failed: None,
        hung_up: false,
        hold: false,
        held: None,
    };
    let done = match reach(config, kinds()).await? {
        Reached::Client(mut client) => {
            ask_all(&mut Owner::Other(&mut client), requests, ack, &mut out).await
        }
        Reached::Owner(runtime, door) => {
            let work = async {
                let owner = &mut Owner::This(&runtime);
                match operation.name {
                    SPAWN => {
                        let who = identity.clone();
                        spawned::wait_for_rest(&runtime, owner, requests, who, &mut out).await
                    }
                    _ => ask_all(owner, requests, ack, &mut out).await,
                }
            };
            let done = own(&runtime, door, Told::beside(json), work).await;
            out.release().map_err(unwritten)?;
            let ran = done.as_ref().map_or_else(|it| it.kind == Kind::Action, |()| true);
            if ran && RUNS_AGENTS.contains(&operation.name) && !json {
                note(format!("note: from now on {NOBODY_RUNS}"));
            }
            done
        }
    };
    out.end(done, json)
}

/// Who types without `--as` is the owner of the directory, and says so.
fn identity(typed: Option<String>) -> Result<Identity, Problem> {
    if let Some(session) = typed {
        return Ok(Identity::Session(session));
    }
    match environment("STOA_AS")?.map(OsString::into_string) {
        None => Ok(Identity::Owner),
        Some(Ok(session)) => Ok(Identity::Session(session)),
        Some(Err(_)) => Err(unusable("STOA_AS")),
    }
}

/// What stands for a flag that is not typed. One that is there and says nothing is a mistake: it
/// must not make anybody more than it was meant to.
#[expect(clippy::disallowed_methods, reason = "what is typed can be put there once for all")]
fn environment(name: &'static str) -> Result<Option<OsString>, Problem> {
    match std::env::var_os(name) {
        Some(value) if value.is_empty() => Err(unusable(name)),
        value => Ok(value),
    }
}

/// What shows diagnostics in many a program; one that says nothing stands for nothing.
#[expect(clippy::disallowed_methods, reason = "what is typed can be put there once for all")]
fn rust_log() -> Option<OsString> {
    std::env::var_os("RUST_LOG")
}

fn unusable(name: &str) -> Problem {
    let text = format!("{name} is set, and is empty or no text");
    Problem::new(Kind::Invalid, text).hint(format!("unset {name}"))
}

/// Asks one after the other; what is printed of a subscription is acknowledged then.
pub(super) async fn ask_all(
    owner: &mut Owner<'_>,
    requests: Vec<Request>,
    ack: Option<Identity>,
    out: &mut Out,
) -> Result<(), Problem> {
    for request in requests {
        owner.ask(request, &mut |said| out.tell(said)).await?;
    }
    match (ack, out.read.take().filter(|_| !out.hung_up)) {
        (Some(identity), Some(read)) => {
            let request = Request::of(identity, &read)?;
            out.operation = entry(&request.operation).unwrap_or(out.operation);
            owner.ask(request, &mut |said| out.tell(said)).await
        }
        _ => Ok(()),
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
        each: &mut dyn FnMut(&Said) -> io::Result<()>,
    ) -> Result<(), Problem> {
        match self {
            Owner::Other(client) => client.ask(&request, |said| each(&said)).await,
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
                let told = if as_json { Told::Lines } else { Told::People };
                return own(&runtime, door, told, work).await;
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
    told: Told,
    work: impl Future<Output = Result<(), Problem>>,
) -> Result<(), Problem> {
    let limit = Duration::from_millis(runtime.config().shutdown_ms_max) + WATCHDOG;
    let interrupts = signals::Interrupts::listen(limit)?;
    let interrupted = || interrupts.heard();
    let done = tokio::select! {
        done = work => done,
        error = runtime.run() => Err(error.into()),
        () = interrupted() => Ok(()),
        () = told.tell_on(runtime) => Ok(()),
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
        () = told.tell_on(runtime) => Left::Done,
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
    told.tell(runtime);
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
    each: &mut dyn FnMut(&Said) -> io::Result<()>,
) -> Result<(), Problem> {
    let (answers, mut ready) = answers(runtime.config());
    let work = perform(runtime, Peer::Own, request, answers);
    // It takes the queue with it: when nobody reads any more, the work must not wait for room.
    let print = async move {
        while let Some(said) = ready.next().await {
            each(&said).map_err(unwritten)?;
        }
        Ok(())
    };
    let (done, printed) = tokio::join!(work, print);
    printed.and(done)
}

pub(super) fn unwritten(error: io::Error) -> Problem {
    Problem::new(Kind::Store, format!("cannot write the answer: {error}")).hint("stoa status")
}

pub(super) struct Out {
    /// Whose answers they are.
    operation: &'static Entry,
    json: bool,
    /// Where an export goes that does not go to stdout.
    file: Option<carry::Into>,
    progress: progress::Progress,
    /// Up to where a subscription is printed.
    read: Option<SubscriptionAck>,
    /// What makes the command fail although it was answered.
    failed: Option<Problem>,
    /// Whoever read the answers has enough, like `head`: no failure.
    hung_up: bool,
    /// The answer is not printed yet: a better one may come.
    hold: bool,
    held: Option<Vec<u8>>,
}

impl Out {
    /// Keeps the next answer instead of printing it.
    pub(super) fn hold(&mut self) {
        self.hold = true;
    }

    /// What is kept.
    pub(super) fn held<A: Answer>(&self) -> Option<A> {
        self.held.as_ref().and_then(|it| serde_json::from_slice(it).ok())
    }

    /// Prints another answer than the one that is kept.
    pub(super) fn print_instead(&mut self, json: &[u8]) -> io::Result<()> {
        self.held = Some(json.to_owned());
        self.release()
    }

    /// Prints what is kept.
    fn release(&mut self) -> io::Result<()> {
        self.hold = false;
        self.held.take().map_or(Ok(()), |json| self.answer(&json))
    }

    fn tell(&mut self, said: &Said) -> io::Result<()> {
        match said {
            Said::Progress(it) => {
                self.progress.show(it);
                Ok(())
            }
            Said::Note(it) => {
                self.progress.clear();
                match (&it.json, self.json) {
                    (Some(line), true) => self.written(|to| to.json_text(line))?,
                    (None, true) => return Ok(()),
                    (_, false) => {}
                }
                note(format!("note: {}", it.text));
                Ok(())
            }
            Said::Answer(json) => self.answer(json),
        }
    }

    fn answer(&mut self, json: &[u8]) -> io::Result<()> {
        if self.hold {
            self.held = Some(json.to_owned());
            return Ok(());
        }
        if let Some(file) = &mut self.file {
            return file.line(json);
        }
        self.progress.clear();
        let mut page = Page::at(std::env::current_dir().unwrap_or_default());
        let failed = self.operation.show(json, &mut page).map_err(io::Error::other)?;
        self.failed = failed.or(self.failed.take());
        if self.json {
            let text = String::from_utf8_lossy(json).into_owned();
            self.written(|to| to.json_text(&text))?;
            page.blocks.clear();
        }
        self.written(|to| to.page(page))?;
        if self.operation.name == SUBSCRIPTION_READ {
            self.read = serde_json::from_slice(json).ok().and_then(|it: Json| {
                let (id, cursor) = (it["read"].as_str()?.to_owned(), it["cursor"].as_u64()?);
                Some(SubscriptionAck { id, cursor })
            });
        }
        Ok(())
    }

    fn written(&mut self, write: impl FnOnce(&mut Screen) -> io::Result<()>) -> io::Result<()> {
        let mut to = Screen::out();
        let written = write(&mut to).and_then(|()| to.flush());
        self.hung_up |= written.as_ref().is_err_and(|it| it.kind() == io::ErrorKind::BrokenPipe);
        written
    }

    fn end(self, done: Result<(), Problem>, json: bool) -> Result<(), Problem> {
        if self.hung_up {
            return Ok(());
        }
        done.and(self.failed.map_or(Ok(()), Err))?;
        self.file.map_or(Ok(()), |file| file.publish(json))
    }
}

/// It stays until the agents that it lets live are at rest, and tells how the new one is then.
const SPAWN: &str = "spawn";

/// Verbs that have this process run the agents while they are at work, and no longer.
const RUNS_AGENTS: [&str; 3] = [SPAWN, "agent say", "agent resume"];

/// What is told up to a cursor can be acknowledged.
const SUBSCRIPTION_READ: &str = "subscription read";

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

fn data_directory(given: Option<PathBuf>) -> Result<PathBuf, Problem> {
    if let Some(given) = given {
        return Ok(given);
    }
    if let Some(given) = environment("STOA_DATA")? {
        return Ok(given.into());
    }
    let here = std::env::current_dir()
        .map_err(|error| Problem::new(Kind::Store, format!("no working directory: {error}")))?;
    let upward = here.ancestors().map(|it| it.join(".stoa")).find(|it| it.is_dir());
    Ok(upward.unwrap_or_else(|| here.join(".stoa")))
}
