//! From what stands in the stream of a session, entry by entry, to spans.

use super::attribute::{self, number, text};
use super::turn::{Asked, OpenTurn};
use super::{SpanContent, SpanError, SpanPlace, TraceId, TraceSpan};
use crate::id::{EventId, Millis, SessionId};
use crate::mutant::planted;
use crate::session::{BilledCall, Event, LedgerEntry, PassingKind, Thought, TurnOutcome};
use crate::trust::BUILT_IN_MODEL;

/// An entry of the stream of a session.
#[derive(Clone, Copy, Debug)]
pub struct TracedEntry<'a> {
    /// Its name outside the log.
    pub id: EventId,
    /// When it was decided.
    pub at: Millis,
    /// What happened in it.
    pub events: &'a [Event],
    /// Where that was done which has set off the turn that begins in it.
    pub set_off_by: Option<SpanPlace>,
}

/// What an agent is doing: takes one entry after the other, and tells of each thing when it is over.
///
/// It begins at any entry with which a turn begins; until then there is nothing to tell.
#[derive(Clone, Debug)]
pub struct AgentTrace {
    of: SessionId,
    name: String,
    /// As it is called here.
    model: String,
    /// What the spaces are called that are searched for each turn.
    memory: Vec<String>,
    turn: Option<OpenTurn>,
}

impl AgentTrace {
    /// Of an agent by its name, with its model and the names of the spaces that are searched for it.
    pub fn new(of: SessionId, name: String, model: String, memory: Vec<String>) -> AgentTrace {
        AgentTrace { of, name, model, memory, turn: None }
    }

    /// Whether it is in a turn: something is still to be told of it.
    pub fn is_open(&self) -> bool {
        self.turn.is_some()
    }

    /// Takes the next entry, and tells what is over with it: what is within comes before what it is in.
    pub fn take(&mut self, entry: &TracedEntry<'_>) -> Vec<TraceSpan> {
        let mut told = Vec::new();
        let spent = Spent::of(entry.events);
        for event in entry.events {
            self.happened(event, entry, &spent, &mut told);
        }
        told
    }

    fn happened(
        &mut self,
        event: &Event,
        entry: &TracedEntry<'_>,
        spent: &Spent<'_>,
        told: &mut Vec<TraceSpan>,
    ) {
        let at = entry.at;
        if let Event::TurnBegan { turn, cause, .. } = event {
            let trace = TraceId::of(cause.root.unwrap_or(entry.id));
            self.over(error("lost", ""), spent, at, told);
            self.turn = Some(OpenTurn::new(self.of, *turn, trace, entry.set_off_by, at));
            return;
        }
        let Some(turn) = &mut self.turn else { return };
        match event {
            Event::Briefed(briefing) if !briefing.found.is_empty() => {
                told.push(turn.remembered(&self.memory, briefing.found.len()));
            }
            Event::Thought { thought, .. } => {
                told.extend(said(turn, thought, &self.model, at));
                turn.act(thought, at);
            }
            Event::Deferred { kind, why, until, .. } => {
                let kind = match kind {
                    PassingKind::Limited => "rate_limited",
                    PassingKind::Failed => FAILED,
                };
                told.push(turn.asked(spent.unanswered(error(kind, why)), &self.model, at));
                if !planted("trace.waits_are_requests") {
                    turn.asked_since = (*until).max(at);
                }
            }
            Event::WindowFull { why, .. } => {
                let asked = spent.any.then(|| spent.unanswered(error("window_full", why)));
                told.extend(asked.map(|it| turn.asked(it, &self.model, at)));
                turn.asked_since = at;
            }
            Event::Compacted(summary) if summary.by_model => {
                let content = Some(SpanContent::SummedUp(summary.text.clone()));
                let asked = Asked { sums_up: true, content, ..spent.asked() };
                told.push(turn.asked(asked, &self.model, at));
                turn.asked_since = at;
            }
            Event::Noted(note) => told.extend(turn.called(note, at)),
            Event::Observed(observation) => {
                let error = observation.failed.as_ref().map(|class| SpanError {
                    kind: attribute::exception(class),
                    text: observation.text.clone(),
                });
                told.extend(turn.acted(observation.text.clone(), error, at));
                turn.next_step(at);
            }
            Event::Interrupted { action: Some(cancelled), .. } => {
                let result = cancelled.observation.text.clone();
                told.extend(turn.acted(result, Some(error(CANCELLED, "")), at));
                turn.next_step(at);
            }
            Event::Interrupted { action: None, .. } => {
                // One that is put off is not under way.
                if turn.asked_since <= at {
                    told.push(turn.asked(spent.unanswered(error(CANCELLED, "")), &self.model, at));
                }
                turn.asked_since = at;
            }
            // One that a crash has cut off is paid for when the next is to be made.
            Event::Booked(LedgerEntry::Reserved(_)) if spent.call.is_some() => {
                told.push(turn.asked(spent.unanswered(error("lost", "")), &self.model, at));
                turn.asked_since = at;
            }
            Event::TurnEnded { outcome: TurnOutcome::Done, .. } => self.end(None, at, told),
            Event::TurnEnded { outcome: TurnOutcome::Exhausted(limit), .. } => {
                self.over(error("limit", limit), spent, at, told);
            }
            // There is not enough left to ask its model: what woke it stays new.
            Event::Exhausted { what, .. } => self.over(error("limit", what), spent, at, told),
            Event::TurnFailed { why, .. } | Event::Quarantined { why, .. } => {
                self.over(error(FAILED, why), spent, at, told);
            }
            Event::Stopped { reason, .. } | Event::Wiped { reason, .. } => {
                self.over(error(CANCELLED, reason), spent, at, told);
            }
            _ => {}
        }
    }

    /// The turn came to nothing, whatever it was at.
    fn over(&mut self, why: SpanError, spent: &Spent<'_>, at: Millis, told: &mut Vec<TraceSpan>) {
        let Some(turn) = &mut self.turn else { return };
        let cancelled = error(CANCELLED, &why.text);
        // One that is not paid for was made all the same where it has failed.
        let failed = spent.any && why.kind == FAILED && self.model != BUILT_IN_MODEL;
        let thinks = turn.action.is_none() && !spent.told;
        match turn.acted(String::new(), Some(cancelled), at) {
            Some(_) if planted("trace.loses_what_is_cut_off") => {}
            Some(span) => told.push(span),
            None if thinks && (failed || spent.call.is_some()) => {
                told.push(turn.asked(spent.unanswered(why.clone()), &self.model, at));
            }
            None => {}
        }
        self.end(Some(why), at, told);
    }

    fn end(&mut self, error: Option<SpanError>, at: Millis, told: &mut Vec<TraceSpan>) {
        let Some(turn) = self.turn.take() else { return };
        let mut span = turn.part((turn.began, at));
        span.id = turn.id();
        (span.parent, span.link) = match turn.set_off_by {
            Some((trace, by)) if trace == turn.trace => (Some(by), None),
            other => (None, other),
        };
        span.name = format!("invoke_agent {}", self.name);
        let called = turn.model.as_deref().unwrap_or(&self.model);
        let (provider, model) = attribute::provider_and_model(called);
        let to = &mut span.attributes;
        to.extend(text(attribute::OPERATION, "invoke_agent"));
        to.extend(text(attribute::PROVIDER, provider));
        to.extend(text(attribute::REQUEST_MODEL, model));
        to.extend(text(attribute::AGENT_ID, self.of.to_string()));
        to.extend(text(attribute::AGENT_NAME, &self.name));
        attribute::usage(to, turn.usage);
        to.push(number(attribute::REQUESTS, turn.requests_made));
        span.error = error;
        told.push(span);
    }
}

const FAILED: &str = "failed";

const CANCELLED: &str = "cancelled";

fn error(kind: &str, text: &str) -> SpanError {
    SpanError { kind: kind.to_owned(), text: text.to_owned() }
}

/// What a model has said, where a provider made it.
fn said(turn: &mut OpenTurn, thought: &Thought, model: &str, at: Millis) -> Option<TraceSpan> {
    let made = thought.generation.as_deref()?;
    let error = thought.unusable.as_deref().map(|text| error("unusable_reply", text));
    let content = Some(SpanContent::Said {
        turn: turn.number,
        step: turn.step,
        text: thought.text.clone(),
        code: thought.code.clone(),
    });
    let asked = Asked { made: Some(made), error, content, ..Asked::default() };
    Some(turn.asked(asked, model, at))
}

/// What stands as spent in an entry.
struct Spent<'a> {
    /// Anything at all.
    any: bool,
    /// On a call of the model.
    call: Option<&'a BilledCall>,
    /// And what became of that call stands there as well.
    told: bool,
}

impl<'a> Spent<'a> {
    fn of(events: &'a [Event]) -> Spent<'a> {
        let spent = events.iter().find_map(|it| match it {
            Event::Booked(LedgerEntry::Spent { call, .. }) => Some(call.as_deref()),
            _ => None,
        });
        let told = |it: &Event| {
            matches!(it, Event::Thought { .. } | Event::Interrupted { action: None, .. })
        };
        Spent { any: spent.is_some(), call: spent.flatten(), told: events.iter().any(told) }
    }

    /// A request that was paid for so.
    fn asked(&self) -> Asked<'a> {
        let known = self.call.filter(|it| it.known);
        Asked { usage: known.map(|it| it.usage), ..Asked::default() }
    }

    /// The same, of one that has come to nothing.
    fn unanswered(&self, why: SpanError) -> Asked<'a> {
        Asked { error: Some(why), ..self.asked() }
    }
}
