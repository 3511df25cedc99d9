//! What agents did, as spans.

use crate::agents::{ShownMessage, ShownRole, TracedSpan};
use crate::envelope::instant;
use crate::operation::{Answer, Column, Line, Page, TextTable, Tone};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};
use std::collections::BTreeMap;
use stoa_actors::ending::shown;
use stoa_actors::trace::{Attribute, SpanContent, TraceSpan};

/// A span, or how far was looked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum TraceLine {
    /// Something that an agent did.
    Span(Box<SpanAnswer>),
    /// The last line, unless it follows.
    Upto(TraceUpto),
}

impl From<SpanAnswer> for TraceLine {
    fn from(span: SpanAnswer) -> TraceLine {
        TraceLine::Span(Box::new(span))
    }
}

/// How far was looked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TraceUpto {
    /// What is over later has a cursor behind this one.
    pub upto: u64,
}

/// Something that an agent did: one span of OpenTelemetry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SpanAnswer {
    /// The trace: 32 hexadecimal digits.
    pub trace: String,
    /// The span: 16 hexadecimal digits.
    pub span: String,
    /// The span that it was done within, of this agent or another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    /// What has set it off, where that is of another trace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<SpanLink>,
    /// What is done and with what: `chat claude-sonnet-5`.
    pub name: String,
    /// `client` where somebody else was asked, else `internal`.
    pub kind: String,
    /// The agent's id.
    pub agent: String,
    /// When it began.
    pub began: String,
    /// When it was over.
    pub ended: String,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
    /// Why it came to nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<SpanProblem>,
    /// By the names of OpenTelemetry's conventions; what begins with `stoa.` is stoa's own.
    pub attributes: Map<String, Json>,
    /// The entry of the log with which it was over.
    pub cursor: u64,
    /// How deep it stands in its tree; nothing where spans are told as they end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub depth: Option<u32>,
}

/// A span of another trace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SpanLink {
    /// Of which trace.
    pub trace: String,
    /// Which span of it.
    pub span: String,
}

/// Why something came to nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SpanProblem {
    /// In a word: `error.type`.
    pub kind: String,
    /// In words, where they were asked for.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub text: String,
}

impl SpanAnswer {
    /// As the caller sees it.
    pub fn of(traced: &TracedSpan) -> SpanAnswer {
        let TracedSpan { position, span, told } = traced;
        let mut attributes: Map<String, Json> =
            span.attributes.iter().map(|(name, it)| ((*name).to_owned(), plain(it))).collect();
        if let Some(error) = &span.error {
            attributes.insert("error.type".to_owned(), error.kind.clone().into());
        }
        said(&mut attributes, span, told);
        SpanAnswer {
            trace: span.trace.to_string(),
            span: span.id.to_string(),
            parent: span.parent.map(|it| it.to_string()),
            link: span
                .link
                .map(|(trace, span)| SpanLink { trace: trace.to_string(), span: span.to_string() }),
            name: span.name.clone(),
            kind: if span.asks { "client" } else { "internal" }.to_owned(),
            agent: span.agent.to_string(),
            began: instant(span.began),
            ended: instant(span.ended),
            took_ms: span.ended.0.saturating_sub(span.began.0),
            error: span
                .error
                .as_ref()
                .map(|it| SpanProblem { kind: it.kind.clone(), text: it.text.clone() }),
            attributes,
            cursor: position.0,
            depth: None,
        }
    }

    /// In the order of trees: what was done within something stands below it, in the order of time.
    pub fn as_trees(mut spans: Vec<SpanAnswer>) -> Vec<SpanAnswer> {
        // What takes no time stands before what came after it.
        spans.sort_by(|one, other| (&one.began, one.cursor).cmp(&(&other.began, other.cursor)));
        let place: BTreeMap<String, usize> =
            spans.iter().enumerate().map(|(at, it)| (it.span.clone(), at)).collect();
        let mut below: Vec<Vec<usize>> = vec![Vec::new(); spans.len()];
        let mut stack = Vec::new();
        for (at, span) in spans.iter().enumerate().rev() {
            let above = span.parent.as_ref().and_then(|it| place.get(it));
            match above.filter(|it| **it != at) {
                Some(above) => below[*above].push(at),
                None => stack.push((at, 0)),
            }
        }
        let mut spans: Vec<Option<SpanAnswer>> = spans.into_iter().map(Some).collect();
        let mut trees = Vec::with_capacity(spans.len());
        while let Some((at, depth)) = stack.pop() {
            let span = spans[at].take();
            trees.extend(span.map(|it| SpanAnswer { depth: Some(depth), ..it }));
            stack.extend(below[at].iter().map(|it| (*it, depth + 1)));
        }
        trees
    }
}

fn plain(attribute: &Attribute) -> Json {
    match attribute {
        Attribute::Text(it) => it.clone().into(),
        Attribute::Texts(it) => it.clone().into(),
        Attribute::Number(it) => (*it).into(),
        Attribute::Seconds(it) => (*it).into(),
        Attribute::Flag(it) => (*it).into(),
    }
}

/// What was told and said, by the schemas of the conventions.
fn said(to: &mut Map<String, Json>, span: &TraceSpan, told: &[ShownMessage]) {
    let text = |it: &str| json!({"type": "text", "content": it});
    let call = |code: &str| json!({"type": "tool_call", "id": null, "name": "python", "arguments": {"code": code}});
    let spoken = |words: &str, code: Option<&String>| {
        let words = (!words.is_empty()).then(|| text(words));
        let parts: Vec<Json> = words.into_iter().chain(code.map(|it| call(it))).collect();
        json!({"role": "assistant", "parts": parts})
    };
    let mut put = |name: &str, it: Json| to.insert(name.to_owned(), it);
    match &span.content {
        None => {}
        Some(SpanContent::Said { text: words, code, .. }) => {
            let of = |role: ShownRole| told.iter().filter(move |it| it.role == role);
            let system: Vec<Json> = of(ShownRole::System).map(|it| text(&it.text)).collect();
            let messages = told.iter().filter_map(|it| match it.role {
                ShownRole::System | ShownRole::Note => None,
                ShownRole::Told => Some(json!({"role": "user", "parts": [text(&it.text)]})),
                ShownRole::Said => Some(spoken(&it.text, it.code.as_ref())),
                ShownRole::Observed => Some(json!({
                    "role": "tool",
                    "parts": [{"type": "tool_call_response", "id": null, "response": it.text}],
                })),
            });
            let messages: Vec<Json> = messages.collect();
            if !messages.is_empty() {
                put("gen_ai.system_instructions", system.into());
                put("gen_ai.input.messages", messages.into());
            }
            let mut answer = spoken(words, code.as_ref());
            answer["finish_reason"] = if code.is_some() { "tool_call" } else { "stop" }.into();
            put("gen_ai.output.messages", json!([answer]));
        }
        Some(SpanContent::SummedUp(words)) => {
            let mut answer = spoken(words, None);
            answer["finish_reason"] = "stop".into();
            put("gen_ai.output.messages", json!([answer]));
        }
        Some(SpanContent::Ran { code, result }) => {
            put("gen_ai.tool.call.arguments", json!({"code": code}));
            put("gen_ai.tool.call.result", result.clone().into());
        }
    }
}

/// Spans below each other.
static SPANS: TextTable = TextTable {
    columns: &[
        Column::new("SPAN").cut_to(24),
        Column::number("TOOK"),
        Column::number("TOKENS").left_out(2),
        Column::new("BEGAN").left_out(1),
        Column::new("AGENT").left_out(3),
    ],
    headed: true,
    tree: true,
};

/// How long something took, for people: `12 ms`, `3.4 s`, `2 min 5 s`.
fn took(ms: u64) -> String {
    match ms {
        // Of many a call it is not known when it began.
        0 => String::new(),
        1..1_000 => format!("{ms} ms"),
        1_000..60_000 => format!("{}.{} s", ms / 1_000, ms % 1_000 / 100),
        _ => format!("{} min {} s", ms / 60_000, ms % 60_000 / 1_000),
    }
}

impl Answer for TraceLine {
    fn show(&self, to: &mut Page) {
        let TraceLine::Span(span) = self else { return };
        let tokens = |it: &str| span.attributes.get(&format!("gen_ai.usage.{it}_tokens"))?.as_u64();
        let tokens = match (tokens("input"), tokens("output")) {
            (None, None) => String::new(),
            (sent, said) => format!("{} + {}", sent.unwrap_or(0), said.unwrap_or(0)),
        };
        let name = Line::new()
            .piece(if span.error.is_some() { Tone::Bad } else { Tone::Bold }, &span.name);
        let began = to.time(&span.began);
        let cells = [
            name,
            Line::new().plain(took(span.took_ms)),
            Line::new().dim(tokens),
            Line::new().dim(began),
            Line::new().dim(shown(&span.agent)),
        ];
        to.branch(&SPANS, span.depth.unwrap_or(0), cells);
        if let Some(error) = &span.error {
            let why = error.text.lines().rev().find(|it| !it.trim().is_empty());
            let text = match why {
                None => error.kind.clone(),
                Some(why) if why.starts_with(&error.kind) => why.to_owned(),
                Some(why) => format!("{}: {why}", error.kind),
            };
            to.detail(Line::new().piece(Tone::Bad, text));
        }
    }
}
