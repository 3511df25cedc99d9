//! Which models agents can have here, and one real call of one of them.

use super::progress::Progress;
use super::screen::{Screen, unwritten};
use super::settings::environment;
use super::table::Sheet;
use serde_json::{Value as Json, json};
use std::time::{Duration, Instant};
use stoa_actors::nearest::nearest;
use stoa_actors::printable::one_line;
use stoa_api::operation::{Column, Line, Page, TextTable, Tone};
use stoa_endpoint::Secret;
use stoa_kernel::model::{LackingKey, RECIPE};
use stoa_kernel::problem::{Problem, ProblemKind, quoted};
use stoa_models::config::{ConfigError, KeySource, ModelEntry, ModelsConfig, ProviderEntry};
use stoa_models::fault::{Fault, FaultKind};
use stoa_models::model::ConfiguredModels;
use stoa_models::reply::ModelReply;
use stoa_models::request::{MessagePart, ModelMessage, ModelRequest};

static MODELS: TextTable = TextTable {
    columns: &[
        Column::new("MODEL"),
        Column::new("AT").cut_to(12).left_out(2),
        Column::new("DIALECT").left_out(1),
        Column::new("KEY").cut_to(16),
    ],
    headed: true,
    tree: false,
};

/// One line of the list.
struct Listed {
    name: String,
    /// Of a model that is configured by its own name.
    entry: Option<ModelEntry>,
    provider: ProviderEntry,
}

impl Listed {
    /// Its address; one that may have a key in it is not shown.
    fn url(&self) -> String {
        stoa_endpoint::shown(&self.provider.url)
    }

    fn key(&self) -> (Tone, String) {
        match &self.provider.key {
            KeySource::None => (Tone::Dim, "none is needed".to_owned()),
            KeySource::Held(key) => match key.secret() {
                Secret::Held(_) => (Tone::Good, "set".to_owned()),
                Secret::Lacking(name) => (Tone::Warn, format!("{name} is not set")),
            },
            KeySource::Variable(name) => (Tone::Warn, format!("{name} is not set")),
            KeySource::File(path) => (Tone::Plain, format!("in {}", path.display())),
            KeySource::Command(words) => {
                (Tone::Plain, format!("said by {}", words.first().map_or("", String::as_str)))
            }
        }
    }

    fn json(&self) -> Json {
        let mut json = json!({
            "model": self.name,
            "url": self.url(),
            "dialect": self.provider.dialect.name(),
            "key": self.key().1,
        });
        if let Some(entry) = &self.entry {
            json["is"] = format!("{}/{}", entry.provider, entry.name).into();
            json["window"] = entry.window.into();
            json["output_max"] = entry.output_max.into();
        }
        json
    }

    fn show(&self, to: &mut Page) {
        let (tone, key) = self.key();
        let cells = [
            Line::new().bold(&self.name),
            Line::new().plain(self.url()),
            Line::new().plain(self.provider.dialect.name()),
            Line::new().piece(tone, key),
        ];
        to.row(&MODELS, cells);
        if let Some(entry) = &self.entry {
            let is = format!(
                "{}/{}, window {}, output_max {}",
                entry.provider, entry.name, entry.window, entry.output_max
            );
            to.detail(Line::new().dim(is));
        }
    }
}

/// The models that are configured and the providers that can be named; of one provider the models that
/// it says it has.
pub(super) async fn list(
    config: ModelsConfig,
    provider: Option<&String>,
    as_json: bool,
) -> Result<(), Problem> {
    if let Some(name) = provider {
        let known = ConfiguredModels::new(config);
        let found = known.provider(name).map_err(|error| unknown(&error))?;
        let progress = Progress::new();
        progress.say(&format!("asking {}", found.host()));
        let models = found.models().await;
        drop(progress);
        let models = models.map_err(|fault| failed(name, &fault, None))?;
        return said(
            models.iter().map(|it| (json!({"model": format!("{name}/{it}")}), it)),
            |it| {
                let mut page = Page::default();
                page.line(Line::new().plain(format!("{name}/{}", one_line(it))));
                page
            },
            as_json,
        );
    }
    let mut all = Vec::new();
    for (name, entry) in &config.models {
        let (entry, provider) = config
            .find(name)
            .map_err(|error| unknown(&error))
            .map(|it| (entry.clone(), it.1.clone()))?;
        all.push(Listed { name: name.clone(), entry: Some(entry), provider });
    }
    for (name, provider) in &config.providers {
        let (name, provider) = (format!("{name}/NAME"), provider.clone());
        all.push(Listed { name, entry: None, provider });
    }
    let recipe = json!({"model": RECIPE, "url": null, "dialect": null, "key": "none is needed"});
    let lines = all.iter().map(|it| (it.json(), Some(it))).chain([(recipe, None)]);
    said(
        lines,
        |it| {
            let mut page = Page::default();
            match it {
                Some(it) => it.show(&mut page),
                None => {
                    let note = Line::new().dim("runs the Python of an agent's instructions");
                    page.row(&MODELS, [Line::new().bold(RECIPE), note, Line::new(), Line::new()]);
                }
            }
            page
        },
        as_json,
    )
}

/// Prints one answer after the other.
fn said<T>(
    all: impl Iterator<Item = (Json, T)>,
    page: impl Fn(T) -> Page,
    as_json: bool,
) -> Result<(), Problem> {
    let (mut to, mut sheet) = (Screen::out(), Sheet::default());
    let mut all = all;
    let written = all.try_for_each(|(json, it)| match as_json {
        true => to.json(&json),
        false => to.page(page(it), &mut sheet),
    });
    written.and_then(|()| to.sheet(&mut sheet)).and_then(|()| to.flush()).map_err(unwritten)
}

/// One real call.
pub(super) async fn test(config: ModelsConfig, name: &str, as_json: bool) -> Result<(), Problem> {
    if name == RECIPE {
        let text = "recipe asks nobody: it runs the Python of an agent's instructions";
        return Err(Problem::new(ProblemKind::Invalid, text).hint("stoa model list"));
    }
    let known = ConfiguredModels::new(config);
    let model = known.model(name).map_err(|error| unknown(&error))?;
    let (entry, provider) = (model.entry(), model.provider());
    let request = ModelRequest {
        model: entry.name.clone(),
        system: vec!["You are being tried out.".to_owned()],
        messages: vec![ModelMessage::User(vec![MessagePart::Text(
            "Answer with the one word: ready".to_owned(),
        )])],
        output_max: entry.output_max,
        window: Some(entry.window),
        sampling: entry.sampling,
        effort: entry.effort.clone(),
        ..ModelRequest::default()
    };
    let progress = Progress::new();
    progress.say(&format!("asking {} at {}", entry.name, provider.host()));
    let began = Instant::now();
    let mut first = None;
    let asked = provider
        .ask(&request, &mut |_| {
            first.get_or_insert_with(Instant::now);
        })
        .await;
    let took = began.elapsed();
    drop(progress);
    let reply = match asked {
        Ok(reply) => reply,
        Err(fault) => {
            // What there is instead is for the provider to say.
            let there = match fault.kind {
                FaultKind::Unknown => provider.models().await.unwrap_or_default(),
                _ => Vec::new(),
            };
            let meant = nearest(&entry.name, there.iter().map(String::as_str));
            return Err(failed(name, &fault, meant.map(|it| format!("{}/{it}", entry.provider))));
        }
    };
    let price = known.config().provider(&entry.provider).ok();
    let price = price.and_then(|it| it.prices.get(&entry.name));
    let cost = price.map(|it| it.of(&reply.usage));
    let first = first.map_or(took, |it| it.duration_since(began));
    tested(name, &reply, (first, took), cost, as_json)
}

fn tested(
    name: &str,
    reply: &ModelReply,
    (first, took): (Duration, Duration),
    cost: Option<f64>,
    as_json: bool,
) -> Result<(), Problem> {
    let usage = reply.usage;
    let json = json!({
        "model": name,
        "answered_by": reply.model,
        "text": reply.text,
        "stop": reply.stop.name(),
        "first_ms": first.as_millis() as u64,
        "took_ms": took.as_millis() as u64,
        "input_tokens": usage.input,
        "cached_tokens": usage.cache_read,
        "output_tokens": usage.output,
        "reasoning_tokens": usage.reasoning,
        "cost": cost,
    });
    let shown = |()| {
        let mut page = Page::default();
        let says = one_line(reply.text.trim()).into_owned();
        page.line(Line::new().bold(name).piece(Tone::Good, " answers: ").plain(says));
        let mut took = format!(
            "first word after {} ms, all of it after {} ms; {} tokens sent, {} said",
            first.as_millis(),
            took.as_millis(),
            usage.input,
            usage.output
        );
        if let Some(cost) = cost {
            took += &format!("; it cost {cost:.6}");
        }
        page.line(Line::new().dim(took));
        page
    };
    said([(json, ())].into_iter(), shown, as_json)
}

fn unknown(error: &ConfigError) -> Problem {
    Problem::new(ProblemKind::Unknown, &error.text).hint("stoa model list")
}

/// Why there is no reply, with what can be typed.
fn failed(name: &str, fault: &Fault, meant: Option<String>) -> Problem {
    let kind = match fault.kind {
        FaultKind::Key | FaultKind::Forbidden | FaultKind::SpendLimit => ProblemKind::Forbidden,
        FaultKind::Unknown => ProblemKind::Unknown,
        kind if kind.may_pass() => ProblemKind::Busy,
        _ => ProblemKind::Invalid,
    };
    let hint = match (&meant, fault.kind) {
        (Some(meant), _) => format!("stoa model test {}", quoted(meant)),
        (None, FaultKind::Unknown) => {
            format!("stoa model list {}", quoted(name.split('/').next().unwrap_or_default()))
        }
        (None, FaultKind::Key) => match fault.text.strip_suffix(" is not set") {
            Some(variable) => format!("export {variable}=KEY"),
            None => "stoa model list".to_owned(),
        },
        (None, _) => format!("stoa model test {}", quoted(name)),
    };
    let meant = meant.map_or(String::new(), |it| format!("; there is {it}"));
    Problem::new(kind, format!("{name}: {fault}{meant}")).hint(hint)
}

/// A key that whoever runs the agents lacks: who that is, and what can be typed. A key crosses no socket,
/// so it is of no use that this process has it.
pub(super) fn of_key(problem: Problem) -> Problem {
    let Some(lacking) = LackingKey::read(&problem.text) else { return problem };
    let LackingKey { model, variable, process } = &lacking;
    if *process == std::process::id() {
        let text = format!("model {model}: {variable} is not set");
        return Problem { text, ..problem };
    }
    match environment(variable) {
        Some(_) => Problem { text: format!("{lacking}; it is set here"), ..problem }
            .hint(format!("kill {process} && stoa serve")),
        None => problem.hint(format!("kill {process} && {variable}=KEY stoa serve")),
    }
}
