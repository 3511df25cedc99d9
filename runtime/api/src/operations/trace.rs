//! What agents did, as spans.

use crate::agents::{SpanReader, TracedSpan, WordsTold};
use crate::answer::{SpanAnswer, TraceLine, TraceUpto};
use crate::as_of::Moment;
use crate::caller::Caller;
use crate::operation::{Arg, ArgForm, EffectKind, JsonLines, Operation, Out, RequiredRight, Span};
use crate::problem::{Problem, ProblemKind};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use stoa_actors::id::{Position, SessionId};

/// Show traces of what your agents did
///
/// A turn of an agent is a span. Below it stand the calls of its model, the code that it ran and what
/// that called, each with how long it took. A trace is all that came of one thing from outside, across
/// agents. Spans are made from the log, so you can ask for them at any time, also after a crash, and
/// their ids are always the same. They have the names of OpenTelemetry's conventions for generative AI.
/// The names of agents, spaces and tools are in them; what else was written, by you or by a model, is not
/// unless you ask for it with --content. When a call of a space began is not known, only when it was
/// answered.
///
/// With --to they are sent to a collector over OTLP. Headers that it wants, such as a key, are read from
/// OTEL_EXPORTER_OTLP_HEADERS; OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES say whose spans they are. A
/// collector that cannot be reached is asked again; nothing is left out meanwhile.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Trace {
    /// This agent and those under it alone: its name or id
    #[serde(default)]
    pub agent: Option<String>,
    /// Only what was over after this cursor
    #[serde(default)]
    pub cursor: Option<u64>,
    /// Only what was over within the last so long, 24h for instance
    #[serde(default)]
    pub within: Option<Span>,
    /// Maximum number of spans; those that are over with the same entry come together
    #[serde(default)]
    pub limit: Option<usize>,
    /// Only the last N spans, as trees [default on a terminal: 100]
    #[serde(default)]
    pub tail: Option<usize>,
    /// Wait for what comes next; it begins now, unless you say where
    #[serde(default)]
    pub follow: bool,
    /// With what models were told and said, and what code did
    #[serde(default)]
    pub content: bool,
    /// With why something came to nothing, in words [default on a terminal]
    #[serde(default)]
    pub reasons: bool,
}

impl Operation for Trace {
    const NAME: &'static str = "trace";
    const EFFECT: EffectKind = EffectKind::Reads;
    const RIGHT: RequiredRight = RequiredRight::Own;
    const ARGS: &'static [&'static [Arg]] = &[&[
        Arg::at("agent", ArgForm::Text),
        Arg::flag("cursor", "cursor", ArgForm::Number, "POSITION"),
        Arg::flag("within", "within", ArgForm::Text, "TIME").conflicts(&["cursor"]),
        Arg::flag("limit", "limit", ArgForm::Number, "N").conflicts(&["to"]),
        Arg::flag("tail", "tail", ArgForm::Number, "N").conflicts(&["cursor", "limit", "to"]),
        Arg::switch("follow", "follow"),
        Arg::switch("content", "content"),
        Arg::switch("reasons", "reasons"),
        Arg::flag("to", "to", ArgForm::LocalText, "URL")
            .about("Send them to this OpenTelemetry collector, http://localhost:4318 for instance"),
        Arg::flag("cursor-file", "cursor_file", ArgForm::LocalPath, "FILE")
            .requires("to")
            .about("Keep in this file how far was sent, and go on from there the next time"),
    ]];
    const LINES: JsonLines = JsonLines::Piped;
    const NONE: &'static str = "no turn of an agent is over";
    type Answer = TraceLine;

    async fn perform(self, caller: &Caller, out: &Out<TraceLine>) -> Result<(), Problem> {
        let of = self.agent.as_deref().map(|it| caller.agent_named(it)).transpose()?;
        let words = match (self.content, self.reasons) {
            (true, _) => WordsTold::Everything,
            (_, true) => WordsTold::Reasons,
            _ => WordsTold::Nothing,
        };
        let runtime = caller.runtime();
        let begin = match (self.cursor, self.within) {
            (Some(cursor), _) if cursor > runtime.durable().0 => {
                let head = runtime.durable();
                let text = format!("cursor {cursor} is ahead of the log, which is at {head}");
                return Err(Problem::new(ProblemKind::Invalid, text).hint("stoa trace --tail 20"));
            }
            (Some(cursor), _) => Position(cursor),
            (_, Some(within)) => caller.runtime().moment(Moment::Ago(within.0)).await?,
            _ if self.follow && self.tail.is_none() => runtime.durable(),
            _ => Position(0),
        };
        let mut reader = SpanReader::new(of, begin, words);
        if let Some(tail) = self.tail {
            let most = if self.content { TAIL_CONTENT_MAX } else { TAIL_MAX };
            if tail > most {
                let with = if self.content { " with --content" } else { "" };
                let text = format!("--tail {tail} is more than {most}, the most{with}");
                return Err(Problem::new(ProblemKind::Invalid, text).hint(format!("--tail {most}")));
            }
            let upto = runtime.durable();
            let last = last(caller, (of, words), (begin, upto), tail).await?;
            reader = SpanReader::new(of, upto, words);
            let spans = last.iter().map(SpanAnswer::of).collect();
            let spans = if self.follow { spans } else { SpanAnswer::as_trees(spans) };
            out.all(spans.into_iter().map(TraceLine::from)).await?;
            if !self.follow {
                return out.tell(TraceLine::Upto(TraceUpto { upto: upto.0 })).await;
            }
        }
        let mut left = self.limit.unwrap_or(usize::MAX);
        loop {
            let upto = runtime.durable();
            while reader.after() < upto && left > 0 {
                let (read, spans) = caller.spans(reader, upto, left).await?;
                reader = read;
                left = left.saturating_sub(spans.len());
                out.all(spans.iter().map(|it| SpanAnswer::of(it).into())).await?;
            }
            if !self.follow || left == 0 {
                return out.tell(TraceLine::Upto(TraceUpto { upto: reader.after().0 })).await;
            }
            runtime.gone_on(reader.after()).await;
        }
    }
}

/// Spans that are held for one answer, so that they can be told as trees.
const TAIL_MAX: usize = 10_000;

/// The same where what was said is told: each may be a whole window.
const TAIL_CONTENT_MAX: usize = 100;

/// Entries that are looked through for the last spans at first.
const BACK: u64 = 4_096;

/// The last so many spans that were over between two positions: looked for ever further back, and told
/// with what was said only once it is known where they begin.
async fn last(
    caller: &Caller,
    (of, words): (Option<SessionId>, WordsTold),
    (begin, upto): (Position, Position),
    tail: usize,
) -> Result<Vec<TracedSpan>, Problem> {
    if tail == 0 {
        return Ok(Vec::new());
    }
    let mut back = BACK;
    loop {
        let from = Position(upto.0.saturating_sub(back)).max(begin);
        let found = read(caller, SpanReader::new(of, from, WordsTold::Nothing), upto, tail).await?;
        if found.len() >= tail || from == begin {
            let first = found.first().map_or(upto.0, |it| it.position.0);
            let from = Position(first.saturating_sub(1)).max(begin);
            return read(caller, SpanReader::new(of, from, words), upto, tail).await;
        }
        back = back.saturating_mul(8);
    }
}

/// The last of what a reader reads.
async fn read(
    caller: &Caller,
    mut reader: SpanReader,
    upto: Position,
    tail: usize,
) -> Result<Vec<TracedSpan>, Problem> {
    let mut last = Vec::new();
    while reader.after() < upto {
        let (read, spans) = caller.spans(reader, upto, usize::MAX).await?;
        reader = read;
        last.extend(spans);
        last.drain(..last.len().saturating_sub(tail));
    }
    Ok(last)
}
