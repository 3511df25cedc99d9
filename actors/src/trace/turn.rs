//! A turn that is not over, and the action in it.

use super::attribute::{self, Attribute, number, text};
use super::{SpanContent, SpanError, SpanId, SpanPlace, TraceId, TraceSpan};
use crate::id::{Millis, SessionId};
use crate::mutant::planted;
use crate::session::{CallNote, Generation, Recorded, Thought, TokenUsage};
use std::collections::BTreeMap;

/// A turn that is not over.
#[derive(Clone, Debug)]
pub(super) struct OpenTurn {
    pub(super) of: SessionId,
    pub(super) trace: TraceId,
    pub(super) set_off_by: Option<SpanPlace>,
    pub(super) number: u64,
    pub(super) began: Millis,
    pub(super) step: u32,
    /// Requests of this step that are over.
    pub(super) requests: u32,
    /// And of all of it.
    pub(super) requests_made: u64,
    /// Since when its model is asked.
    pub(super) asked_since: Millis,
    pub(super) action: Option<OpenAction>,
    pub(super) usage: TokenUsage,
    /// Who has answered last.
    pub(super) model: Option<String>,
}

/// An action that is not over.
#[derive(Clone, Debug)]
pub(super) struct OpenAction {
    began: Millis,
    code: String,
    /// The provider's id of the call that it is.
    call: Option<String>,
    /// Calls that are under way, and since when.
    calls: BTreeMap<u64, Millis>,
}

/// How a request to a model ended.
#[derive(Default)]
pub(super) struct Asked<'a> {
    pub(super) made: Option<&'a Generation>,
    /// What is known of what it took, where nothing was made.
    pub(super) usage: Option<TokenUsage>,
    /// It was asked for a summary.
    pub(super) sums_up: bool,
    pub(super) error: Option<SpanError>,
    pub(super) content: Option<SpanContent>,
}

impl OpenTurn {
    pub(super) fn new(
        of: SessionId,
        number: u64,
        trace: TraceId,
        set_off_by: Option<SpanPlace>,
        began: Millis,
    ) -> OpenTurn {
        OpenTurn {
            of,
            trace,
            set_off_by,
            number,
            began,
            step: 1,
            requests: 0,
            requests_made: 0,
            asked_since: began,
            action: None,
            usage: TokenUsage::default(),
            model: None,
        }
    }

    pub(super) fn id(&self) -> SpanId {
        SpanId::turn(self.of, self.number)
    }

    /// A part of it, which is still to be named.
    pub(super) fn part(&self, (began, ended): (Millis, Millis)) -> TraceSpan {
        TraceSpan {
            trace: self.trace,
            id: self.id(),
            parent: Some(self.id()),
            link: None,
            agent: self.of,
            name: String::new(),
            asks: false,
            // Of a clock that was set back nothing takes less than nothing.
            began: began.min(ended),
            ended,
            error: None,
            attributes: vec![
                (attribute::CONVERSATION, Attribute::Text(self.of.to_string())),
                number(attribute::TURN, self.number),
            ],
            content: None,
        }
    }

    /// One of several things within its step.
    fn named(&self, what: &str, number: u64) -> SpanId {
        SpanId::of(self.of, self.number, (self.step, what, number))
    }

    /// What was searched before its model was asked.
    pub(super) fn remembered(&self, spaces: &[String], found: usize) -> TraceSpan {
        let mut span = self.part((self.asked_since, self.asked_since));
        span.id = self.named("memory", 0);
        let spaces = spaces.join(", ");
        span.name = format!("search_memory {spaces}").trim_end().to_owned();
        span.attributes.extend(text(attribute::OPERATION, "search_memory"));
        span.attributes.extend(text(attribute::DATA_SOURCE, spaces));
        span.attributes.push(number(attribute::FOUND, found as u64));
        span
    }

    /// A request to its model is over, which is called `model` here.
    pub(super) fn asked(&mut self, asked: Asked<'_>, model: &str, at: Millis) -> TraceSpan {
        let took = asked.made.map_or(Millis(0), |it| Millis(at.0.saturating_sub(it.took_ms)));
        let mut span = self.part((self.asked_since.max(took), at));
        span.id = self.named("chat", self.requests.into());
        let answered = asked.made.map(|it| it.model.clone()).filter(|it| !it.is_empty());
        self.model = answered.or(self.model.take());
        let (provider, name) =
            attribute::provider_and_model(self.model.as_deref().unwrap_or(model));
        (span.name, span.asks) = (format!("chat {name}"), true);
        let to = &mut span.attributes;
        to.extend(text(attribute::OPERATION, "chat"));
        to.extend(text(attribute::PROVIDER, provider));
        to.extend(text(attribute::REQUEST_MODEL, name));
        to.push(number(attribute::STEP, self.step.into()));
        to.extend((self.requests > 0).then(|| number(attribute::ATTEMPT, self.requests.into())));
        to.extend(asked.sums_up.then_some((attribute::COMPACTION, Attribute::Flag(true))));
        asked.made.iter().for_each(|made| attribute::generation(to, made));
        let usage = asked.made.map(|it| it.usage).or(asked.usage);
        usage.iter().for_each(|it| attribute::usage(to, *it));
        self.usage = self.usage.plus(usage.unwrap_or_default());
        // Two requests of one step have two names.
        if !planted("trace.one_name_for_two") {
            self.requests = self.requests.saturating_add(1);
        }
        self.requests_made += 1;
        (span.error, span.content) = (asked.error, asked.content);
        span
    }

    /// What its model has said is to be run.
    pub(super) fn act(&mut self, thought: &Thought, at: Millis) {
        let Some(code) = &thought.code else { return };
        let call = thought.generation.as_ref().and_then(|it| it.calls.first());
        let (code, call, calls) = (code.clone(), call.map(|it| it.id.clone()), BTreeMap::new());
        self.action = Some(OpenAction { began: at, code, call, calls });
    }

    /// A call of the running action: that it is about to be made, or its answer.
    pub(super) fn called(&mut self, note: &CallNote, at: Millis) -> Option<TraceSpan> {
        let action = self.action.as_mut()?;
        let Some(answer) = &note.answer else {
            action.calls.insert(note.call, at);
            return None;
        };
        // Of what changes nothing it is not noted when it began.
        let began = action.calls.remove(&note.call).unwrap_or(at);
        let mut span = self.part((began, at));
        span.id = self.named("call", note.call);
        span.parent = Some(SpanId::action(self.of, self.number, self.step));
        span.error = match answer {
            Recorded::Raised { class, message } => {
                Some(SpanError { kind: attribute::exception(class), text: message.clone() })
            }
            _ => None,
        };
        // What is called by a name that nothing has was made up by whoever wrote the code.
        let made_up = span.error.as_ref().is_some_and(|it| it.kind == "AttributeError");
        let (on, name) = note.called.rsplit_once('.').unwrap_or(("", &note.called));
        let name = if made_up || name.is_empty() { attribute::OTHER } else { name };
        let to = &mut span.attributes;
        if name == "search" && !on.is_empty() {
            span.name = format!("retrieval {on}");
            to.extend(text(attribute::OPERATION, "retrieval"));
            to.extend(text(attribute::DATA_SOURCE, on));
            if let Recorded::Atoms(found) = answer {
                to.push(number(attribute::FOUND, found.len() as u64));
            }
        } else {
            let tool = if on.is_empty() { name.to_owned() } else { format!("{on}.{name}") };
            span.name = format!("execute_tool {tool}");
            to.extend(text(attribute::OPERATION, "execute_tool"));
            to.extend(text(attribute::TOOL_NAME, tool));
            to.extend(text(attribute::TOOL_TYPE, "function"));
        }
        to.push((attribute::WROTE, Attribute::Flag(note.wrote)));
        Some(span)
    }

    /// The action is over.
    pub(super) fn acted(
        &mut self,
        result: String,
        error: Option<SpanError>,
        at: Millis,
    ) -> Option<TraceSpan> {
        let action = self.action.take()?;
        let mut span = self.part((action.began, at));
        span.id = SpanId::action(self.of, self.number, self.step);
        span.name = "execute_tool python".to_owned();
        let to = &mut span.attributes;
        to.extend(text(attribute::OPERATION, "execute_tool"));
        to.extend(text(attribute::TOOL_NAME, "python"));
        to.extend(text(attribute::TOOL_TYPE, "function"));
        to.extend(text(attribute::TOOL_CALL, action.call.unwrap_or_default()));
        to.push(number(attribute::STEP, self.step.into()));
        (span.error, span.content) = (error, Some(SpanContent::Ran { code: action.code, result }));
        Some(span)
    }

    /// And the next step begins, with its model being asked.
    pub(super) fn next_step(&mut self, at: Millis) {
        self.step = self.step.saturating_add(1);
        (self.requests, self.asked_since) = (0, at);
    }
}
