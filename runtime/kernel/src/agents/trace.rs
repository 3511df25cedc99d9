//! What agents did, as spans: read from the log from a position on, as far as the caller governs them.

use super::past::{entry_of, happened};
use super::shown::{ShownMessage, began_before, charter};
use crate::caller::Caller;
use crate::problem::Problem;
use crate::store::{LogEntry, Store};
use std::collections::BTreeMap;
use stoa_actors::behaviour::Behaviour;
use stoa_actors::id::{Position, SessionId};
use stoa_actors::log::Cause;
use stoa_actors::session::{Event, Session};
use stoa_actors::space::Wake;
use stoa_actors::trace::{
    AgentTrace, SpanContent, SpanId, SpanPlace, TraceId, TraceSpan, TracedEntry,
};

/// Where somebody is who reads what agents did as spans.
#[derive(Clone, Debug, Default)]
pub struct SpanReader {
    /// Of this agent and those under it; of all where there is none.
    of: Option<SessionId>,
    after: Position,
    words: WordsTold,
    /// What is known of the agents that were met.
    met: BTreeMap<SessionId, AgentTrace>,
}

/// What is told of what somebody wrote, a person or a model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WordsTold {
    /// Nothing: names, numbers and times alone.
    #[default]
    Nothing,
    /// Why something came to nothing.
    Reasons,
    /// What models were told and said, and what code did, besides.
    Everything,
}

/// A span, and what goes with it.
#[derive(Clone, Debug, PartialEq)]
pub struct TracedSpan {
    /// The entry with which it was over.
    pub position: Position,
    /// What was done.
    pub span: TraceSpan,
    /// What the model was told, where that was asked for.
    pub told: Vec<ShownMessage>,
}

impl SpanReader {
    /// One that has read nothing after a position: what was begun before it and is over after it is told
    /// whole.
    pub fn new(of: Option<SessionId>, after: Position, words: WordsTold) -> SpanReader {
        SpanReader { of, after, words, met: BTreeMap::new() }
    }

    /// How far it has read.
    pub fn after(&self) -> Position {
        self.after
    }
}

impl Caller {
    /// What is over after what was read, the oldest first, of the agents under the caller and of itself:
    /// one bounded piece, up to the entry with which `most` are over. It is read to the end once the
    /// reader's position is `upto`.
    ///
    /// Errors: of the store.
    pub async fn spans(
        &self,
        mut reader: SpanReader,
        upto: Position,
        most: usize,
    ) -> Result<(SpanReader, Vec<TracedSpan>), Problem> {
        self.reading(move |caller| {
            let config = &caller.runtime.shared().config;
            let (mut spans, mut bytes) = (Vec::new(), 0);
            for (looked, entry) in caller.runtime.store().entries_from(reader.after).enumerate() {
                let entry = entry?;
                let full = looked >= config.follow_entries_max || bytes >= config.read_piece_bytes;
                if full || spans.len() >= most || entry.position > upto {
                    break;
                }
                bytes += entry.bytes();
                for span in caller.spans_of(&mut reader, &entry)? {
                    let told = caller.told_in(&span);
                    bytes += told.iter().map(|it| it.text.len()).sum::<usize>();
                    spans.push(TracedSpan { position: entry.position, span, told });
                }
                reader.after = entry.position;
            }
            let met_max = config.traced_agents_max;
            if reader.met.len() > met_max {
                reader.met.retain(|_, it| it.is_open());
            }
            Ok((reader, spans))
        })
        .await
    }

    /// What is over with an entry.
    fn spans_of(
        &self,
        reader: &mut SpanReader,
        entry: &LogEntry,
    ) -> Result<Vec<TraceSpan>, Problem> {
        let agent = SessionId(entry.header.stream.0);
        if entry.body.kind != Session::KIND || !self.sees(reader, agent) {
            return Ok(Vec::new());
        }
        let events = happened(entry)?;
        let mut trace = match reader.met.remove(&agent) {
            Some(trace) => trace,
            None => self.trace_of(agent, entry.header.seq, &events)?,
        };
        let mut spans = self.take(&mut trace, agent, entry, &events)?;
        reader.met.insert(agent, trace);
        for span in &mut spans {
            if reader.words != WordsTold::Everything {
                span.content = None;
            }
            if reader.words == WordsTold::Nothing {
                span.error.iter_mut().for_each(|it| it.text.clear());
            }
        }
        Ok(spans)
    }

    fn take(
        &self,
        trace: &mut AgentTrace,
        agent: SessionId,
        entry: &LogEntry,
        events: &[Event],
    ) -> Result<Vec<TraceSpan>, Problem> {
        let mut set_off_by = None;
        for event in events {
            if let Event::TurnBegan { turn, wakes, cause, .. } = event {
                set_off_by = self.set_off_by((agent, *turn), wakes, *cause)?;
            }
        }
        let (id, at) = (entry.body.id, entry.body.at);
        Ok(trace.take(&TracedEntry { id, at, events, set_off_by }))
    }

    fn sees(&self, reader: &SpanReader, agent: SessionId) -> bool {
        let rights = self.runtime.shared().rights.read();
        let under = |by| rights.governs(by, agent);
        under(self.session()) && reader.of.is_none_or(under)
    }

    /// What an agent was doing before an entry of its stream.
    fn trace_of(
        &self,
        agent: SessionId,
        seq: u64,
        events: &[Event],
    ) -> Result<AgentTrace, Problem> {
        let store = self.runtime.store();
        let charter = charter(store, agent)?;
        let name = match self.path_of(agent) {
            name if name.is_empty() => agent.to_string(),
            name => name,
        };
        let own = self.runtime.caller(agent);
        let memory = charter.memory.iter();
        let memory = memory.map(|it| own.name_of_space(*it).unwrap_or_else(|| it.to_string()));
        let model = self.runtime.shared().config.models.find(&charter.model).ok();
        let model = model.and_then(|it| it.full_name()).unwrap_or_else(|| charter.model.clone());
        let mut trace = AgentTrace::new(agent, name, model, memory.collect());
        let begins = events.iter().any(|it| matches!(it, Event::TurnBegan { .. }));
        let began = if begins { None } else { began_before(store, agent, seq - 1)? };
        for seq in began.map_or(seq, |it| it.1)..seq {
            let entry = entry_of(store, agent, seq)?;
            self.take(&mut trace, agent, &entry, &happened(&entry)?)?;
        }
        Ok(trace)
    }

    /// Where that was done which has set off a turn: by somebody whom the caller governs as well.
    fn set_off_by(
        &self,
        (agent, turn): (SessionId, u64),
        wakes: &[Wake],
        cause: Cause,
    ) -> Result<Option<SpanPlace>, Problem> {
        let store = self.runtime.store();
        let trace = cause.root.map(TraceId::of);
        let mut whence: Vec<(SessionId, Position)> = Vec::new();
        for wake in wakes {
            for position in [wake.first, wake.last] {
                // What came from outside was done in no turn, whoever it was done as.
                let entry = store.entry(position)?.filter(|it| it.body.cause.hop > 0);
                whence.extend(entry.map(|it| (it.body.by, position)));
            }
        }
        if wakes.is_empty() {
            let birth = self.runtime.shared().rights.read().birth(agent);
            let born = store.position_of(agent.stream(), 1)?;
            whence.extend(birth.and_then(|it| it.parent).zip(born));
        }
        let mut other = None;
        for (by, at) in whence {
            if by == agent || !self.runtime.shared().rights.read().governs(self.session(), by) {
                continue;
            }
            match place_of(store, by, at)? {
                Some(place) if Some(place.0) == trace => return Ok(Some(place)),
                // A turn that is tried again is of its birth alone where it says so itself.
                _ if wakes.is_empty() && turn > 1 => {}
                place => other = other.or(place),
            }
        }
        Ok(other)
    }

    /// What a model was told at what was said.
    fn told_in(&self, span: &TraceSpan) -> Vec<ShownMessage> {
        match &span.content {
            Some(SpanContent::Said { turn, step, .. }) => {
                // What is not there any more is not told.
                let told = self.shown_window(span.agent, *turn, Some(*step));
                told.map(|it| it.1).unwrap_or_default()
            }
            _ => Vec::new(),
        }
    }
}

/// What a session was doing at a position: the action that ran, else the turn that it was in last.
fn place_of(store: &Store, by: SessionId, at: Position) -> Result<Option<SpanPlace>, Problem> {
    if store.kind_of(by.stream())?.as_deref() != Some(Session::KIND) {
        return Ok(None);
    }
    let upto = store.seq_at(by.stream(), at)?;
    let Some((turn, began)) = began_before(store, by, upto)? else { return Ok(None) };
    let (mut root, mut step, mut acts) = (None, 1, false);
    for seq in began..=upto {
        let entry = entry_of(store, by, seq)?;
        for event in happened(&entry)? {
            match event {
                Event::TurnBegan { cause, .. } => {
                    root = Some(cause.root.unwrap_or(entry.body.id));
                }
                Event::Thought { thought, .. } => acts = thought.code.is_some(),
                Event::Observed(_) | Event::Interrupted { action: Some(_), .. } => {
                    (step, acts) = (step + 1, false);
                }
                _ => {}
            }
        }
    }
    let span = if acts { SpanId::action(by, turn, step) } else { SpanId::turn(by, turn) };
    Ok(root.map(|root| (TraceId::of(root), span)))
}
