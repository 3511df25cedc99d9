//! From what was typed to a request, and from the answers to the terminal.

use super::incidents::Told;
use super::local::{Local, local, schemas};
use super::look::look;
use super::owner::{Interrupted, Owner, own};
use super::screen::{Screen, note, unwritten};
use super::trust::{self, Step};
use super::typed::flag;
use super::{
    again, ask, carry, cassette, complete, confirm, copies, diagnostics, doctor, man, models,
    settings, traces,
};
use clap::ArgMatches;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use stoa_api::door::{Identity, Reached, reach};
use stoa_api::operations::entry;
use stoa_api::{DoorLimits, kinds};
use stoa_kernel::limits::Config;
use stoa_kernel::problem::{Problem, ProblemKind};
use stoa_kernel::store;

pub(crate) async fn run(typed: &ArgMatches) -> Result<(), Problem> {
    let (name, verb) = verb(typed);
    let json = typed.get_flag("json");
    let acting = match identity(typed.get_one("as").cloned()) {
        Ok(Identity::Session(session)) => Some(session),
        _ => None,
    };
    again::keep(typed, &name, verb, acting.as_deref());
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
    match local {
        Some(Local::Completions) => {
            let shell = verb.get_one::<String>("shell").map(String::as_str);
            return complete::script(shell.unwrap_or_default());
        }
        Some(Local::Man) => return man::pages(verb.get_one("dir").map(PathBuf::as_path)),
        _ => {}
    }
    let (data, named) = data_directory(typed.get_one("data").cloned())?;
    if local == Some(Local::Trust) {
        let step = match (verb.get_flag("show"), verb.get_flag("remove")) {
            (true, _) => Step::Show,
            (_, true) => Step::Remove,
            _ => Step::Trust,
        };
        return trust::trust(&data, named, &step, json);
    }
    if let Some(Local::ModelList | Local::ModelTest) = local {
        let config = settings::models_config(&data)?;
        return match verb.try_get_one::<String>("model").ok().flatten() {
            Some(model) => models::test(config, model, json).await,
            None => models::list(config, verb.get_one("provider"), json).await,
        };
    }
    let operation = entry(&name);
    let makes =
        local == Some(Local::Serve) || name == SPACE_CREATE || operation.is_some_and(|it| it.makes);
    let is_made = is_made(&data)?;
    if makes && !is_made {
        trust::own(&data);
    }
    let cassette = cassette::typed(verb)?;
    let config = settings::config(&data, cassette)?;
    let path = |name: &str| verb.get_one::<PathBuf>(name).cloned().unwrap_or_default();
    if local == Some(Local::Restore) {
        return copies::restore(&path("backup"), &config, json);
    }
    if flag(verb, "verify") {
        return copies::verify(&path("target"), json);
    }
    let identity = identity(typed.get_one("as").cloned())?;
    if !makes && !is_made {
        return Err(settings::no_data(&data, named));
    }
    match (local, operation) {
        (Some(Local::Doctor), _) => {
            if let Some(head) = verb.get_one::<String>("accept-loss")
                && !flag(verb, confirm::YES)
            {
                confirm::loss_of_all_behind(head)?;
            }
            doctor::doctor(&config, verb.get_one::<String>("accept-loss").map(String::as_str), json)
        }
        (Some(Local::Serve), _) => serve(config, json).await,
        (Some(Local::Import), _) => import(config, identity, verb, json).await,
        (_, Some(operation)) => match traces_to(verb) {
            Some(to) => traces::send(config, identity, operation, (verb, to), json).await,
            None => ask::ask(config, identity, operation, verb, json).await,
        },
        (_, None) => Err(Problem::new(ProblemKind::Invalid, format!("there is no verb {name:?}"))),
    }
}

/// The collector that was typed, of the one verb that has it: what another is written to is a path.
fn traces_to(typed: &ArgMatches) -> Option<&str> {
    typed.try_get_one::<String>("to").ok().flatten().map(String::as_str)
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
    match reach(config, kinds(), DoorLimits::default()).await? {
        Reached::Client(mut client) => import.run(&mut Owner::Other(&mut client), ask, json).await,
        Reached::Owner(runtime, door) => {
            let work = async { import.run(&mut Owner::This(&runtime), ask, json).await };
            own(&runtime, door, Interrupted::Stops, Told::beside(json), work).await
        }
    }
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
    Problem::new(ProblemKind::Invalid, text).hint(format!("unset {name}"))
}

/// Keeps the directory open. A verb that has it for a moment is waited for; another `serve` is not
/// done in that time.
async fn serve(config: Config, as_json: bool) -> Result<(), Problem> {
    let limits = DoorLimits::default();
    let give_up = Instant::now() + Duration::from_millis(limits.connect_ms_max);
    loop {
        match reach(config.clone(), kinds(), limits.clone()).await? {
            Reached::Owner(runtime, door) => {
                let work = async {
                    runtime.start_agents().await?;
                    announce(&config, as_json).map_err(unwritten)?;
                    std::future::pending().await
                };
                let told = if as_json { Told::Lines } else { Told::People };
                return own(&runtime, door, Interrupted::Stops, told, work).await;
            }
            Reached::Client(client) => drop(client),
        }
        if Instant::now() >= give_up {
            let text = "another process serves this directory already";
            return Err(Problem::new(ProblemKind::Busy, text).hint("stoa status"));
        }
        tokio::time::sleep(Duration::from_millis(limits.connect_retry_ms)).await;
    }
}

/// Says that the directory is open, so that whoever started this can wait for it.
fn announce(config: &Config, as_json: bool) -> io::Result<()> {
    if as_json {
        let serving = serde_json::json!({"serving": config.log.data, "pid": std::process::id()});
        let mut to = Screen::out();
        to.json(&serving)?;
        return to.flush();
    }
    if !look().quiet {
        note(format!("serving {}; interrupt to stop", config.log.data.display()));
    }
    Ok(())
}

/// It is there, or somebody is about to have made it.
fn is_made(data: &Path) -> Result<bool, Problem> {
    for name in ["format", store::BEGUN, store::RESTORING] {
        match data.join(name).try_exists() {
            Ok(true) => return Ok(true),
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                let text = format!("cannot look into {}: {error}", data.display());
                let hint = format!("ls -ld {}", data.display());
                return Err(Problem::new(ProblemKind::Store, text).hint(hint));
            }
            _ => {}
        }
    }
    Ok(false)
}

/// Which it is, and whether somebody has said so.
fn data_directory(given: Option<PathBuf>) -> Result<(PathBuf, bool), Problem> {
    if let Some(given) = given {
        return Ok((given, true));
    }
    if let Some(given) = environment("STOA_DATA")? {
        return Ok((given.into(), true));
    }
    let here = std::env::current_dir().map_err(|error| {
        Problem::new(ProblemKind::Store, format!("no working directory: {error}"))
    })?;
    let upward = here.ancestors().map(|it| it.join(".stoa")).find(|it| it.is_dir());
    Ok((upward.unwrap_or_else(|| here.join(".stoa")), false))
}
