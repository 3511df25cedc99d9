//! What the library says of itself, on standard error: what `--log` asks for, else `-v`, else
//! `RUST_LOG`; else warnings and errors.
//!
//! A line is escaped whole, whatever an agent or a worker has put into it. With `--json` it is a
//! line of JSON.

use super::screen::{Screen, note};
use clap::ArgMatches;
use jiff::Timestamp;
use serde_json::{Map, Value as Json, json};
use std::ffi::OsString;
use std::fmt;
use std::str::FromStr;
use stoa_actors::nearest::nearest;
use stoa_api::operation::{Line, Tone};
use stoa_kernel::problem::{Problem, ProblemKind};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::{Context, SubscriberExt};

/// What is shown where nobody asks for more.
const DEFAULT: &str = "warn";
/// What `-v` shows, and what it shows twice and more.
const VERBOSE: [&str; 2] = ["info,stoa=debug", "debug,stoa=trace"];

const LEVELS: [&str; 6] = ["error", "warn", "info", "debug", "trace", "off"];

/// Shows diagnostics from here on.
///
/// Errors: [`ProblemKind::Invalid`] for a filter that is typed and is none. One in the environment may be
/// meant for other programs: it is told of and passed over.
pub(super) fn show(
    typed: &ArgMatches,
    environment: Option<OsString>,
    json: bool,
) -> Result<(), Problem> {
    let verbose = usize::from(typed.get_count("verbose"));
    let filter = match (typed.get_one::<String>("log"), verbose.checked_sub(1)) {
        (Some(filter), _) => read(filter).map_err(|why| {
            Problem::new(ProblemKind::Invalid, format!("--log: {why}"))
                .hint("stoa --log debug status")
        })?,
        (None, Some(more)) => of(VERBOSE[more.min(1)]),
        (None, None) => inherited(environment),
    };
    let shown = tracing_subscriber::registry().with(Shown { json }.with_filter(filter));
    // Nobody else has set one: this is part of main.
    drop(tracing::subscriber::set_global_default(shown));
    Ok(())
}

fn of(filter: &str) -> Targets {
    Targets::from_str(filter).unwrap_or_default()
}

fn inherited(environment: Option<OsString>) -> Targets {
    let Some(filter) = environment.filter(|it| !it.is_empty()) else { return of(DEFAULT) };
    let read = match filter.to_str() {
        Some(text) => Targets::from_str(text).map_err(|error| error.to_string()),
        None => Err("it is no text".to_owned()),
    };
    read.unwrap_or_else(|why| {
        note(format!("note: RUST_LOG is passed over: {}: {why}", filter.to_string_lossy()));
        of(DEFAULT)
    })
}

/// A level, or levels by target. A word that is no level is a slip of the hand.
fn read(filter: &str) -> Result<Targets, String> {
    for word in filter.split(',').map(str::trim) {
        let level = word.rsplit_once('=').map_or(word, |(_, level)| level);
        if !LEVELS.contains(&level.to_ascii_lowercase().as_str()) {
            let meant = nearest(level, LEVELS);
            let meant = meant.map_or(String::new(), |it| format!("; did you mean {it}?"));
            return Err(format!(
                "{level:?} is not a level: say {}, or TARGET=LEVEL{meant}",
                LEVELS.join(", ")
            ));
        }
    }
    Targets::from_str(filter).map_err(|error| error.to_string())
}

/// Prints each event.
struct Shown {
    json: bool,
}

impl<S: Subscriber> Layer<S> for Shown {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let meta = event.metadata();
        let (level, at) = (*meta.level(), format!("{:.3}", Timestamp::now()));
        // Where nobody can be told there is nobody to tell that to.
        drop(match self.json {
            true => Screen::aside().json(&json!({"log": {
                "ts": at,
                "level": level.as_str().to_ascii_lowercase(),
                "target": meta.target(),
                "text": fields.text,
                "fields": fields.others,
            }})),
            false => Screen::aside().line(line(level, &at, meta.target(), fields)),
        });
    }
}

fn line(level: Level, at: &str, target: &str, fields: Fields) -> Line {
    let (tone, word) = match level {
        Level::ERROR => (Tone::Bad, "error"),
        Level::WARN => (Tone::Warn, "warn"),
        Level::INFO => (Tone::Plain, "info"),
        Level::DEBUG => (Tone::Dim, "debug"),
        Level::TRACE => (Tone::Dim, "trace"),
    };
    let line = Line::new().dim(at).plain(" ").piece(tone, format!("{word:<5}"));
    let line = line.dim(format!(" {target}: ")).plain(fields.text);
    let field = |line: Line, (key, value): (String, Json)| {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        line.dim(format!(" {key}=")).plain(value)
    };
    fields.others.into_iter().fold(line, field)
}

/// What an event says.
#[derive(Default)]
struct Fields {
    text: String,
    others: Map<String, Json>,
}

impl Fields {
    fn put(&mut self, field: &Field, value: Json) {
        self.others.insert(field.name().to_owned(), value);
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let text = format!("{value:?}");
        match field.name() {
            "message" => self.text = text,
            _ => self.put(field, Json::from(text)),
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "message" => self.text = value.to_owned(),
            _ => self.put(field, Json::from(value)),
        }
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, Json::from(value));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, Json::from(value));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, Json::from(value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_that_is_no_level_is_told_with_the_nearest() {
        for good in ["warn", "DEBUG", "off", "stoa=trace", "info,stoa_kernel::log=debug"] {
            assert!(read(good).is_ok(), "{good}");
        }
        for (wrong, says) in [
            ("debu", "did you mean debug?"),
            ("", "\"\" is not a level"),
            ("stoa=loud", "\"loud\" is not a level"),
            ("warn,,info", "\"\" is not a level"),
        ] {
            let why = read(wrong).unwrap_err();
            assert!(why.contains(says), "{wrong:?}: {why}");
        }
        for shown in [DEFAULT, VERBOSE[0], VERBOSE[1]] {
            assert!(read(shown).is_ok(), "{shown}");
        }
    }
}
