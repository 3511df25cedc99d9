//! `stoa trust`: the owner of a directory says that it counts on this machine.

use super::screen::{Screen, unwritten};
use super::settings::{Settings, no_data, trust_store, untrusted};
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use stoa_actors::log::Hash;
use stoa_actors::trust::Verdict;
use stoa_kernel::limits::Config;
use stoa_kernel::problem::{Problem, ProblemKind};
use stoa_kernel::trust::TrustStore;

/// What is to be done with the trust in a directory.
pub(super) enum Step {
    Trust,
    Show,
    Remove,
}

/// Does it, and prints what counts now.
pub(super) fn trust(data: &Path, named: bool, step: &Step, as_json: bool) -> Result<(), Problem> {
    let lacking = "neither XDG_CONFIG_HOME nor HOME says where your own configuration is";
    let store = trust_store().ok_or_else(|| {
        Problem::new(ProblemKind::Invalid, lacking).hint("export XDG_CONFIG_HOME=/home/YOU/.config")
    })?;
    if let Step::Remove = step {
        let was = store.distrust(data).map_err(|it| untrusted(it, data))?;
        return say(&removed(data, was, as_json));
    }
    let there = |name: &str| data.join(name).symlink_metadata().is_ok();
    if !there("config.toml") && !there("format") {
        return Err(no_data(data, named));
    }
    let settings = Settings::read(data)?;
    settings.fit()?;
    settings.checked(&Config::at(data))?;
    let hashes = settings.hashes();
    if let Step::Trust = step {
        store.trust(data, &hashes).map_err(|it| untrusted(it, data))?;
    }
    let verdict = verdict(&store, data, &hashes)?;
    say(&shown(data, &settings, &verdict, as_json))
}

/// Whoever makes a directory on this machine trusts it: nothing in it has come from anybody else. What
/// its `config.toml` says is not theirs because of that. Where that cannot be recorded the directory is
/// made all the same, and says what is lacking once that is needed.
pub(super) fn own(data: &Path) {
    let made = || -> Option<()> {
        std::fs::create_dir_all(data).ok()?;
        // What holds other things is refused, or has come from somewhere.
        let mut all = std::fs::read_dir(data).ok()?;
        let plain = all.all(|it| it.is_ok_and(|it| it.file_name() == "config.toml"));
        plain.then_some(())?;
        trust_store()?.trust(data, &BTreeMap::new()).ok()
    };
    if made().is_none() {
        tracing::debug!(data = %data.display(), "the new directory is not recorded as trusted");
    }
}

fn verdict(
    store: &TrustStore,
    data: &Path,
    hashes: &BTreeMap<String, Hash>,
) -> Result<Verdict, Problem> {
    store.verdict(data, hashes).map_err(|it| untrusted(it, data))
}

fn say(text: &str) -> Result<(), Problem> {
    let mut to = Screen::out();
    let written = to.text(text).and_then(|()| to.flush());
    written.or_else(|error| match error.kind() {
        io::ErrorKind::BrokenPipe => Ok(()),
        _ => Err(unwritten(error)),
    })
}

fn removed(data: &Path, was: bool, as_json: bool) -> String {
    match (as_json, was) {
        (true, _) => {
            format!("{}\n", json!({"directory": data.display().to_string(), "removed": was}))
        }
        (false, true) => {
            format!(
                "{} is not trusted any more; a process that serves it goes on until it is \
                     stopped\n",
                plain(&data.display().to_string())
            )
        }
        (false, false) => format!("{} was not trusted\n", plain(&data.display().to_string())),
    }
}

fn shown(data: &Path, settings: &Settings, verdict: &Verdict, as_json: bool) -> String {
    let why = |it: Result<(), stoa_actors::trust::Distrust>| it.err().map(|it| it.to_string());
    if as_json {
        let section = |(name, says): (&String, &Json)| {
            let untrusted = why(verdict.section(name));
            (
                name.clone(),
                json!({"trusted": untrusted.is_none(), "why_not": untrusted, "says": says}),
            )
        };
        let sections: serde_json::Map<String, Json> =
            settings.sections.iter().map(section).collect();
        let untrusted = why(verdict.directory());
        let told = json!({
            "directory": data.display().to_string(),
            "trusted": untrusted.is_none(),
            "why_not": untrusted,
            "sections": sections,
        });
        return format!("{told}\n");
    }
    let word = |it| why(it).map_or("trusted".to_owned(), |why| format!("not trusted: {why}"));
    let mut text = format!(
        "{}: {}\n  rights in its log on tools, secrets and models take effect only while it is \
         trusted\n",
        plain(&data.display().to_string()),
        word(verdict.directory())
    );
    for (name, says) in &settings.sections {
        text += &format!("[{}]: {}\n", plain(name), word(verdict.section(name)));
        match says {
            Json::Object(fields) => fields.iter().for_each(|(key, value)| {
                text += &format!("  {} = {}\n", plain(key), plain(&value.to_string()));
            }),
            value => text += &format!("  {}\n", plain(&value.to_string())),
        }
    }
    text
}

/// What somebody else may have written, without anything that a terminal obeys.
fn plain(text: &str) -> String {
    let shown = |it: char| match it {
        '"' | '\'' | '\\' => it.to_string(),
        it => it.escape_debug().to_string(),
    };
    text.chars().map(shown).collect()
}
