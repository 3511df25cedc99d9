//! `--record` and `--replay`: what models are asked and answer, to a file and from one.

use super::settings::quoted;
use clap::{Arg, ArgMatches, value_parser};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use stoa_kernel::clock::RunOrigin;
use stoa_kernel::problem::{Problem, ProblemKind};
use stoa_models::cassette::{Cassette, CassetteError, Recorder, Replay};

/// Verbs that have this process run agents.
const RUN_AGENTS: [&str; 5] = ["serve", "spawn", "agent say", "agent resume", "research"];

const RECORD: &str = "record";
const REPLAY: &str = "replay";

/// What is typed of it, for a verb that has this process run agents.
pub(super) fn args_of(verb: &str) -> Vec<Arg> {
    if !RUN_AGENTS.contains(&verb) {
        return Vec::new();
    }
    let file = |name: &'static str| {
        let arg = Arg::new(name).long(name).value_name("FILE").display_order(ORDER);
        arg.value_parser(value_parser!(PathBuf))
    };
    vec![
        file(RECORD).conflicts_with(REPLAY).help(
            "Write what models are asked and answer into this file, without keys; go on if it has \
             been begun",
        ),
        file(REPLAY).help(
            "Answer from a recorded file instead of asking models: no key, no network, no cost",
        ),
    ]
}

/// Behind what a verb has of its own, before `--yes`.
const ORDER: usize = 99;

/// The one that was typed.
pub(super) fn typed(verb: &ArgMatches) -> Result<Option<Cassette>, Problem> {
    let Some(NamedCassette { flag, path }) = named(verb) else { return Ok(None) };
    let opened = match flag {
        RECORD => {
            let RunOrigin { seed, began } = RunOrigin::draw();
            Recorder::open(&path, seed, began.0).map(|it| Cassette::Record(Arc::new(it)))
        }
        _ => Replay::open(&path).map(|it| Cassette::Replay(Arc::new(it))),
    };
    opened.map(Some).map_err(|it| unusable(it, &path))
}

fn unusable(error: CassetteError, path: &Path) -> Problem {
    let kind = match &error {
        CassetteError::Busy { .. } => ProblemKind::Busy,
        CassetteError::File { error, .. } if error.kind() == std::io::ErrorKind::NotFound => {
            ProblemKind::Unknown
        }
        CassetteError::File { .. } => ProblemKind::Store,
        _ => ProblemKind::Invalid,
    };
    // What is no cassette, or was changed, is not written over.
    let path = match kind {
        ProblemKind::Unknown => path.to_owned(),
        _ => path.with_extension("new.jsonl"),
    };
    Problem::new(kind, &error).hint(format!("stoa serve --{RECORD} {}", quoted(&path)))
}

/// What was typed of it.
pub(super) struct NamedCassette {
    flag: &'static str,
    path: PathBuf,
}

/// The one that was typed, by its name.
pub(super) fn named(verb: &ArgMatches) -> Option<NamedCassette> {
    let typed = |flag| {
        let path = verb.try_get_one::<PathBuf>(flag).ok().flatten()?.clone();
        Some(NamedCassette { flag, path })
    };
    typed(RECORD).or_else(|| typed(REPLAY))
}

impl NamedCassette {
    /// Another process has the directory, and its models are asked.
    pub(super) fn elsewhere(&self) -> Problem {
        let NamedCassette { flag, path } = self;
        let text = format!(
            "another process serves this directory and asks the models; --{flag} would have no effect"
        );
        let hint = format!("stoa serve --{flag} {}", quoted(path));
        Problem::new(ProblemKind::Invalid, text).hint(hint)
    }
}
