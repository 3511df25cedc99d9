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
use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;
use stoa_api::answer::{SpanAnswer, TraceLine};
use stoa_api::door::{DoorRequest, Identity, Reached, is_handed_on, is_lost, reach};
use stoa_api::operation::{AnyOperation, OutItem};
use stoa_api::{DoorLimits, kinds};
use stoa_endpoint::AddressError;
use stoa_kernel::limits::Config;
use stoa_kernel::problem::{Problem, ProblemKind};
use stoa_traces::limits::{FIRST_WAIT_MS, SPANS_MAX, SPANS_SAID_MAX};
use stoa_traces::{Collector, CollectorError, SendFault, ServiceResource};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// How often in a row a collector is asked again by whoever does not stay.
const TRIES_MAX: u32 = 4;

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
    /// All of it was looked through.
    done: bool,
    /// As it was typed.
    to: String,
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
    let begins = body["cursor"].as_u64();
    if let (Some(kept), Some(path)) = (kept, &file)
        && (begins.is_some() || !body["within"].is_null())
    {
        let text = format!("{} says already to begin after {kept}", path.display());
        let hint = format!("stoa trace --to {to} --cursor-file {}", quoted(path));
        return Err(Problem::new(ProblemKind::Invalid, text).hint(hint));
    }
    let from_the_first = !follow && body["within"].is_null();
    let cursor = kept.or(begins).or(from_the_first.then_some(0));
    if let Some(fields) = body.as_object_mut() {
        fields.remove("follow");
        let most = if flag(typed, "content") { SPANS_SAID_MAX } else { SPANS_MAX };
        fields.insert("limit".to_owned(), most.into());
    }
    let progress = Progress::new();
    let (sent, done, to) = (0, false, to.to_owned());
    let mut sender = Sender {
        identity,
        operation,
        body,
        collector,
        file,
        follow,
        json,
        cursor,
        sent,
        done,
        to,
        progress,
    };
    // From here on an interrupt ends no process by itself.
    let mut interrupts = signal(SignalKind::interrupt()).map_err(|error| {
        let text = format!("cannot listen for signals: {error}");
        Problem::new(ProblemKind::Store, text).hint("stoa --help")
    })?;
    sender.keep()?;
    let mut lost = 0;
    loop {
        let before = sender.sent;
        let problem = match reached(config.clone(), &mut sender, &mut interrupts).await {
            Ok(()) => break,
            Err(problem) => problem,
        };
        lost = if sender.sent > before { 0 } else { lost + 1 };
        if !(is_handed_on(&problem) || is_lost(&problem)) || lost > LOST_MAX {
            return Err(problem);
        }
        tokio::select! {
            () = tokio::time::sleep(LOST_WAIT) => {}
            _ = interrupts.recv() => break,
        }
    }
    match sender.done || sender.follow {
        true => sender.tell_end(),
        false => {
            let text = format!("interrupted; {} spans are sent", sender.sent);
            Err(Problem::new(ProblemKind::Busy, text).hint(sender.again()))
        }
    }
}

async fn reached(
    config: Config,
    sender: &mut Sender,
    interrupts: &mut Signal,
) -> Result<(), Problem> {
    let reached = tokio::select! {
        reached = reach(config, kinds(), DoorLimits::default()) => reached?,
        _ = interrupts.recv() => return Ok(()),
    };
    match reached {
        Reached::Client(mut client) => {
            let mut owner = Owner::Other(&mut client);
            tokio::select! {
                done = sender.run(&mut owner) => done,
                _ = interrupts.recv() => Ok(()),
            }
        }
        // Whoever has the directory stops in order.
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
                (true, false) => {
                    self.done = true;
                    return Ok(());
                }
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
            let Some(again_ms) = fault.again_ms else { return Err(self.refused(&fault)) };
            tries += 1;
            if tries > TRIES_MAX && !self.follow {
                return Err(self.refused(&fault));
            }
            if tries == 1 {
                self.progress.clear();
                self.say(&format!("note: {}; it is asked again", fault.text))?;
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
            self.warn(&format!("{text}{why}"))?;
        }
        if taken.cut > 0 {
            let text = format!("warning: {} went without content: too large", taken.cut);
            self.warn(&text)?;
        }
        Ok(())
    }

    fn say(&self, text: &str) -> Result<(), Problem> {
        if !self.json && look().quiet { Ok(()) } else { self.warn(text) }
    }

    /// Says what is missing, also to who wants to hear nothing.
    fn warn(&self, text: &str) -> Result<(), Problem> {
        match self.json {
            true => {
                let mut to = Screen::out();
                to.json(&json!({"note": text})).and_then(|()| to.flush()).map_err(unwritten)
            }
            false => {
                note(text);
                Ok(())
            }
        }
    }

    /// What to type to go on.
    fn again(&self) -> String {
        let mut line = format!("stoa trace --to {}", stoa_endpoint::shown(&self.to));
        match (&self.file, self.cursor) {
            (Some(path), _) => line += &format!(" --cursor-file {}", quoted(path)),
            (None, Some(cursor)) if cursor > 0 => line += &format!(" --cursor {cursor}"),
            _ => {}
        }
        line
    }

    fn refused(&self, fault: &SendFault) -> Problem {
        let (kind, hint) = match fault.status {
            Some(401 | 403) => {
                let name = headers().0;
                (ProblemKind::Forbidden, format!("export {name}='authorization=Bearer%20KEY'"))
            }
            Some(404 | 405) => {
                (ProblemKind::Unknown, "stoa trace --to http://localhost:4318".to_owned())
            }
            _ if fault.again_ms.is_some() => (ProblemKind::Busy, self.again()),
            _ => (ProblemKind::Invalid, self.again()),
        };
        Problem::new(kind, &fault.text).hint(hint)
    }

    /// Keeps how far was sent. What was sent since then before a crash is sent again.
    fn keep(&self) -> Result<(), Problem> {
        if let (Some(path), Some(cursor)) = (&self.file, self.cursor) {
            let mut part = path.clone().into_os_string();
            part.push(".part");
            let written = std::fs::File::create(&part).and_then(|mut to| {
                to.write_all(format!("{cursor}\n").as_bytes())?;
                to.sync_all()
            });
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
    let (variable, with) = headers();
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

/// What is sent in front of each request, and the variable that says so: the first of these that is set.
fn headers() -> (&'static str, String) {
    let names = ["OTEL_EXPORTER_OTLP_TRACES_HEADERS", "OTEL_EXPORTER_OTLP_HEADERS"];
    let with = names.into_iter().find_map(|name| Some((name, environment(name)?)));
    with.unwrap_or((names[1], String::new()))
}
