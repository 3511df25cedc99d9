//! What agents did, sent to an OpenTelemetry collector. How far that is stands nowhere but with whoever
//! sends it: the log has it all, and the same ids each time.

use super::asking::head;
use super::incidents::Told;
use super::look::look;
use super::owner::{Interrupted, Owner, own};
use super::progress::Progress;
use super::screen::{Screen, done, note, unwritten};
use super::settings::{environment, quoted};
use super::typed::{self, flag};
use clap::ArgMatches;
use serde_json::{Value as Json, json};
use std::path::PathBuf;
use std::time::Duration;
use stoa_api::answer::{SpanAnswer, TraceLine};
use stoa_api::door::{DoorRequest, Identity, Reached, is_handed_on, is_lost, reach};
use stoa_api::operation::{AnyOperation, OutItem};
use stoa_api::{DoorLimits, kinds};
use stoa_endpoint::AddressError;
use stoa_kernel::limits::Config;
use stoa_kernel::problem::{Problem, ProblemKind};
use stoa_traces::limits::SPANS_MAX;
use stoa_traces::{Collector, CollectorError, SendFault, ServiceResource};

/// How often in a row a collector is asked again by whoever does not stay.
const TRIES_MAX: u32 = 4;

/// How long it waits at first; twice as long each time, up to a minute.
const FIRST_WAIT_MS: u64 = 250;

/// How often it is looked for what is new.
const LOOK: Duration = Duration::from_secs(1);

/// Whoever has the directory is asked again after that.
const LOST_WAIT: Duration = Duration::from_millis(200);

/// How often in a row it is asked again without having sent anything.
const LOST_MAX: u32 = 25;

/// Spans on their way.
struct Sender {
    identity: Identity,
    operation: &'static AnyOperation,
    body: Json,
    collector: Collector,
    /// Where it is kept how far was sent.
    file: Option<PathBuf>,
    follow: bool,
    json: bool,
    cursor: Option<u64>,
    sent: u64,
    progress: Progress,
}

/// Sends what was asked for to the collector that was typed.
pub(super) async fn send(
    config: Config,
    identity: Identity,
    operation: &'static AnyOperation,
    (typed, to): (&ArgMatches, &str),
    json: bool,
) -> Result<(), Problem> {
    let collector = collector(to)?;
    let mut bodies = typed::bodies(operation, typed)?;
    let mut body = bodies.pop().unwrap_or_else(|| json!({}));
    let follow = flag(typed, "follow");
    let file = typed.get_one::<PathBuf>("cursor-file").cloned();
    let kept = file.as_ref().map(kept).transpose()?.flatten();
    let cursor = kept.or(body["cursor"].as_u64());
    if let Some(fields) = body.as_object_mut() {
        fields.remove("follow");
        fields.insert("limit".to_owned(), SPANS_MAX.into());
    }
    let progress = Progress::new();
    let mut sender = Sender {
        identity,
        operation,
        body,
        collector,
        file,
        follow,
        json,
        cursor,
        sent: 0,
        progress,
    };
    let mut lost = 0;
    loop {
        let before = sender.sent;
        let problem = match reached(config.clone(), &mut sender).await {
            Ok(()) => break,
            Err(problem) => problem,
        };
        lost = if sender.sent > before { 0 } else { lost + 1 };
        if !(is_handed_on(&problem) || is_lost(&problem)) || lost > LOST_MAX {
            return Err(problem);
        }
        tokio::time::sleep(LOST_WAIT).await;
    }
    sender.tell_end()
}

async fn reached(config: Config, sender: &mut Sender) -> Result<(), Problem> {
    match reach(config, kinds(), DoorLimits::default()).await? {
        Reached::Client(mut client) => sender.run(&mut Owner::Other(&mut client)).await,
        Reached::Owner(runtime, door) => {
            let json = sender.json;
            let work = async { sender.run(&mut Owner::This(&runtime)).await };
            own(&runtime, door, Interrupted::HandsOn, Told::beside(json), work).await
        }
    }
}

impl Sender {
    async fn run(&mut self, owner: &mut Owner<'_>) -> Result<(), Problem> {
        let begins = self.cursor.is_some() || !self.body["within"].is_null();
        if self.follow && !begins {
            self.cursor = Some(head(owner, &self.identity).await?);
            self.keep()?;
        }
        loop {
            let (spans, upto) = self.next(owner).await?;
            let over = spans.is_empty() && self.cursor == Some(upto);
            if !spans.is_empty() {
                self.deliver(&spans).await?;
            }
            if self.cursor != Some(upto) {
                self.cursor = Some(upto);
                self.keep()?;
            }
            match (over, self.follow) {
                (false, _) => {}
                (true, true) => tokio::time::sleep(LOOK).await,
                (true, false) => return Ok(()),
            }
        }
    }

    /// What is over next, and how far was looked.
    async fn next(&mut self, owner: &mut Owner<'_>) -> Result<(Vec<SpanAnswer>, u64), Problem> {
        if let (Some(cursor), Some(fields)) = (self.cursor, self.body.as_object_mut()) {
            fields.insert("cursor".to_owned(), cursor.into());
            fields.remove("within");
        }
        let request = DoorRequest {
            identity: self.identity.clone(),
            operation: self.operation.name.to_owned(),
            body: self.body.to_string().into_bytes(),
        };
        let (mut spans, mut upto) = (Vec::new(), None);
        let mut take = |said: &OutItem| {
            match said.answer::<TraceLine>() {
                Some(TraceLine::Span(span)) => spans.push(*span),
                Some(TraceLine::Upto(it)) => upto = Some(it.upto),
                None => {}
            }
            Ok(())
        };
        owner.ask(request, &mut take).await?;
        let upto = upto.ok_or_else(|| {
            Problem::new(ProblemKind::Store, "an unexpected answer").hint("stoa status")
        })?;
        Ok((spans, upto))
    }

    /// Sends spans until they are taken.
    async fn deliver(&mut self, spans: &[SpanAnswer]) -> Result<(), Problem> {
        let mut tries = 0;
        let taken = loop {
            self.progress.say(&format!("sent {}; sending {}", self.sent, spans.len()));
            let fault = match self.collector.send(spans).await {
                Ok(taken) => break taken,
                Err(fault) => fault,
            };
            let Some(again_ms) = fault.again_ms else { return Err(refused(&fault)) };
            if tries == 0 || !self.follow {
                self.progress.clear();
                self.say(&format!("note: {}; it is asked again", fault.text))?;
            }
            tries += 1;
            if tries > TRIES_MAX && !self.follow {
                return Err(refused(&fault));
            }
            let wait = again_ms.max(FIRST_WAIT_MS << tries.min(8));
            tokio::time::sleep(Duration::from_millis(wait)).await;
        };
        self.progress.clear();
        if tries > 0 {
            self.say(&format!("note: {} takes them again", self.collector.host()))?;
        }
        self.sent += spans.len() as u64 - taken.rejected.min(spans.len() as u64);
        if taken.rejected > 0 {
            let text =
                format!("warning: {} does not keep {}", self.collector.host(), taken.rejected);
            let why =
                if taken.said.is_empty() { String::new() } else { format!(": {}", taken.said) };
            self.say(&format!("{text}{why}"))?;
        }
        if taken.cut > 0 {
            let text = format!("warning: {} went without content: too large", taken.cut);
            self.say(&text)?;
        }
        Ok(())
    }

    fn say(&self, text: &str) -> Result<(), Problem> {
        match (self.json, look().quiet) {
            (true, _) => {
                let mut to = Screen::out();
                to.json(&json!({"note": text})).and_then(|()| to.flush()).map_err(unwritten)
            }
            (_, true) => Ok(()),
            _ => {
                note(text);
                Ok(())
            }
        }
    }

    /// Keeps how far was sent. What was sent since then before a crash is sent again.
    fn keep(&self) -> Result<(), Problem> {
        if let (Some(path), Some(cursor)) = (&self.file, self.cursor) {
            let mut part = path.clone().into_os_string();
            part.push(".part");
            let written = std::fs::write(&part, format!("{cursor}\n"));
            written.and_then(|()| std::fs::rename(&part, path)).map_err(|error| {
                let text = format!("cannot write {}: {error}", path.display());
                let hint = "stoa trace --to URL --cursor-file WRITABLE_DIR/FILE";
                Problem::new(ProblemKind::Store, text).hint(hint)
            })?;
        }
        match self.json && self.follow {
            true => {
                let mut to = Screen::out();
                let told = to.json(&json!({"sent": self.sent, "upto": self.cursor}));
                told.and_then(|()| to.flush()).map_err(unwritten)
            }
            false => Ok(()),
        }
    }

    fn tell_end(&self) -> Result<(), Problem> {
        let (sent, upto) = (self.sent, self.cursor);
        let told = match self.json {
            true => Screen::out().json(&json!({"sent": sent, "upto": upto})),
            false => {
                let host = self.collector.host();
                done(format!("sent {sent} spans to {host}, up to cursor {}", upto.unwrap_or(0)))
            }
        };
        told.map_err(unwritten)
    }
}

/// How far was sent before; nothing where that was never kept.
fn kept(path: &PathBuf) -> Result<Option<u64>, Problem> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => {
            let text = format!("cannot read {}: {error}", path.display());
            return Err(Problem::new(ProblemKind::Store, text).hint("stoa trace --to URL"));
        }
    };
    text.trim().parse().map(Some).map_err(|_| {
        let text = format!("{} is no cursor: it is to be one number", path.display());
        Problem::new(ProblemKind::Invalid, text).hint(format!("rm {}", quoted(path)))
    })
}

/// By what is typed, and by the variables that OpenTelemetry's own exporters read.
fn collector(to: &str) -> Result<Collector, Problem> {
    let names = ["OTEL_EXPORTER_OTLP_TRACES_HEADERS", "OTEL_EXPORTER_OTLP_HEADERS"];
    let with = names.into_iter().find_map(|name| Some((name, environment(name)?)));
    let (variable, with) = with.unwrap_or((names[1], String::new()));
    let service = environment("OTEL_SERVICE_NAME");
    let more = environment("OTEL_RESOURCE_ATTRIBUTES").unwrap_or_default();
    let resource = ServiceResource::new(service.as_deref(), &more);
    Collector::new(to, (variable, &with), resource).map_err(|error| {
        let hint = match &error {
            CollectorError::Address(AddressError::KeyInside) => {
                "export OTEL_EXPORTER_OTLP_HEADERS='authorization=Basic%20KEY'".to_owned()
            }
            CollectorError::Address(_) => "stoa trace --to http://localhost:4318".to_owned(),
            CollectorError::Headers { variable, .. } => {
                format!("export {variable}='authorization=Bearer%20KEY'")
            }
        };
        let text = match &error {
            CollectorError::Address(AddressError::KeyInside) => {
                format!("--to {}: a key in an address would be shown", stoa_endpoint::shown(to))
            }
            CollectorError::Address(_) => format!("--to {}: {error}", stoa_endpoint::shown(to)),
            CollectorError::Headers { .. } => error.to_string(),
        };
        Problem::new(ProblemKind::Invalid, text).hint(hint)
    })
}

fn refused(fault: &SendFault) -> Problem {
    match fault.status {
        Some(401 | 403) => {
            let hint = "export OTEL_EXPORTER_OTLP_HEADERS='authorization=Bearer%20KEY'";
            Problem::new(ProblemKind::Forbidden, &fault.text).hint(hint)
        }
        Some(404 | 405) | None if fault.again_ms.is_none() => {
            Problem::new(ProblemKind::Unknown, &fault.text)
                .hint("stoa trace --to http://localhost:4318")
        }
        _ if fault.again_ms.is_some() => {
            Problem::new(ProblemKind::Busy, &fault.text).hint("stoa trace --follow --to URL")
        }
        _ => Problem::new(ProblemKind::Invalid, &fault.text).hint("stoa trace --tail 20"),
    }
}
