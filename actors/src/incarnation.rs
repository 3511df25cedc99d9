//! The order of a delivery, written once: decide → project → apply in private memory → append →
//! (durable and witnessed) → reply, effects, wakes.
//!
//! An [`Incarnation`] is one life of one actor: its state as it *will* be once everything it has
//! appended is durable, and an overlay of what is decided but not yet durable. The host does the
//! appending; it never unwinds, because an append that fails ends the store and every incarnation
//! with it. Every answer, refusals and reads included, is given only after the appends it rests on
//! are durable: that is the host's half of the bargain.

pub use crate::behaviour::{Refused, Request, encode_events, encode_reply, events, reply, rows};

use crate::behaviour::{Authority, Behaviour, Decision, Delivery, EffectId, Row, View, answer_row};
use crate::codec::{self, CodecError};
use crate::digest::{DIGEST_FORM, digest};
use crate::id::{EventId, Millis, SessionId, StreamId};
use crate::limits::Limits;
use crate::log::{Answered, Body, Hash};
use crate::mutant;
use crate::overlay::{Laid, Overlay};

/// The durable side of an incarnation's view.
pub trait Durable: View {
    /// The recorded answer to a request, and the number of its entry in the stream.
    fn answered(&self, stream: StreamId, asker: SessionId, key: &str) -> Option<(u64, Answered)>;
}

/// What the host brings to one delivery.
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub struct HostContext<'a> {
    pub now: Millis,
    /// Sixteen fresh bytes for an id.
    pub fresh: &'a mut dyn FnMut() -> [u8; 16],
    /// What is durable.
    pub durable: &'a dyn Durable,
    /// How far this stream is durable: what lies under it leaves the overlay.
    pub durable_seq: u64,
    /// Who may do what.
    pub authority: &'a dyn Authority,
    /// What one mutation may carry.
    pub limits: &'a Limits,
}

/// One entry on its way to the log writer.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub struct Append {
    pub stream: StreamId,
    /// Its number in the stream.
    pub seq: u64,
    /// The encoded body.
    pub body: Vec<u8>,
    /// Its hash, made here so that actors hash in parallel.
    pub digest: Hash,
    /// What is derived from it.
    pub rows: Vec<Row>,
    /// The state after it, when one is due.
    pub snapshot: Option<Vec<u8>>,
}

impl Append {
    /// What it takes in memory while it is on its way.
    pub fn weight(&self) -> usize {
        let own = |row: &Row| match row {
            Row::Own { key, value, .. } => key.len() + value.as_ref().map_or(0, Vec::len),
            _ => 0,
        };
        let rows = self.rows.iter().map(|row| size_of::<Row>() + own(row)).sum::<usize>();
        self.body.len() + rows + self.snapshot.as_ref().map_or(0, Vec::len)
    }
}

/// An answer: what the asker gets once everything it rests on is durable.
pub type Response<B> = Result<<B as Behaviour>::Reply, Refused<<B as Behaviour>::Refusal>>;

/// What the host does with a delivery.
pub struct Step<B: Behaviour> {
    /// What is appended, if anything. Without it the answer rides behind what is in flight.
    pub append: Option<Append>,
    /// What the asker is told when that is durable.
    pub answer: Response<B>,
    /// The entry that the answer is about: this one's, or the one it repeats.
    pub seq: Option<u64>,
    /// What happened, for those who follow.
    pub events: Vec<B::Event>,
    /// What is started then.
    pub effects: Vec<(EffectId, B::Effect)>,
    /// What alone goes on of all that was started before; nothing where all of it does.
    pub goes_on: Option<Vec<EffectId>>,
}

/// One life of one actor.
#[derive(Debug)]
pub struct Incarnation<B: Behaviour> {
    stream: StreamId,
    state: B,
    seq: u64,
    /// The entry after which the last snapshot was taken; 0 before the first.
    snapped: u64,
    /// Bytes of the last snapshot.
    weight: usize,
    /// Bytes of events since.
    written: usize,
    overlay: Overlay,
}

impl<B: Behaviour> Incarnation<B> {
    /// Before the first event.
    pub fn unborn(stream: StreamId) -> Self {
        let state = B::unborn(stream);
        Incarnation {
            stream,
            state,
            seq: 0,
            snapped: 0,
            weight: 0,
            written: 0,
            overlay: Overlay::default(),
        }
    }

    /// From a snapshot taken after entry `seq`; nothing if it is of another form.
    pub fn restore(stream: StreamId, seq: u64, snapshot: &[u8]) -> Option<Self> {
        let state = codec::decode_state(B::SNAPSHOT_FORM, snapshot).ok()?;
        let weight = snapshot.len();
        Some(Incarnation { state, seq, snapped: seq, weight, ..Incarnation::unborn(stream) })
    }

    /// Takes the next durable entry in.
    pub fn replay(&mut self, seq: u64, body: &Body) -> Result<(), CodecError> {
        self.replay_read(seq, body, &events::<B>(body)?);
        Ok(())
    }

    /// The same of an entry whose events are known.
    pub(crate) fn replay_read(&mut self, seq: u64, body: &Body, events: &[B::Event]) {
        assert_eq!(seq, self.seq + 1, "a stream has no gap");
        events.iter().for_each(|event| self.state.apply(event));
        self.seq = seq;
        self.written += body.events.len();
    }

    /// The state, pending entries included.
    pub fn state(&self) -> &B {
        &self.state
    }

    /// The state, for a host that keeps it elsewhere between two deliveries.
    pub fn state_mut(&mut self) -> &mut B {
        &mut self.state
    }

    /// The number of the last entry decided on.
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// Entries since the last snapshot: what a load reads again.
    pub fn behind_snapshot(&self) -> u64 {
        self.seq - self.snapped
    }

    /// The state, for good.
    pub fn into_state(self) -> B {
        self.state
    }

    /// The state, encoded as a snapshot.
    pub fn snapshot(&self) -> Result<Vec<u8>, CodecError> {
        codec::encode_state(B::SNAPSHOT_FORM, &self.state)
    }

    /// Whether a decision on a request looks up what is not ready, and may read much; see
    /// [`Behaviour::prepare`]. What was answered before looks nothing up.
    pub fn must_prepare(&self, ask: &Request<B::Message>, durable: &dyn Durable) -> bool {
        let known = |key: &String| {
            let pending = self.overlay.answer(ask.asker, key).is_some();
            pending || durable.answered(self.stream, ask.asker, key).is_some()
        };
        !self.state.is_ready(&ask.message) && !ask.key.as_ref().is_some_and(known)
    }

    /// Makes that ready. It decides nothing, so a host may do it before it takes the locks that a
    /// decision needs, and on a thread that may wait.
    pub fn prepare(
        &mut self,
        message: &B::Message,
        durable: &dyn Durable,
        durable_seq: u64,
        limits: &Limits,
    ) {
        self.overlay.trim(durable_seq);
        self.state.prepare(message, &Laid { over: &self.overlay, under: durable }, limits);
    }

    /// Takes one delivery: decides, projects and applies, and says what is to be appended.
    pub fn deliver(&mut self, ask: Request<B::Message>, given: HostContext<'_>) -> Step<B> {
        self.overlay.trim(given.durable_seq);
        self.attempt(ask, given).unwrap_or_else(|refused| Step {
            append: None,
            answer: Err(refused),
            seq: None,
            events: Vec::new(),
            effects: Vec::new(),
            goes_on: None,
        })
    }

    fn attempt(
        &mut self,
        ask: Request<B::Message>,
        given: HostContext<'_>,
    ) -> Result<Step<B>, Refused<B::Refusal>> {
        let Request { message, asker, key, comment, cause } = ask;
        fits("the comment", comment.len(), given.limits.comment_bytes_max)?;
        let mut request = None;
        if let Some(key) = key {
            fits("the idempotency key", key.len(), given.limits.key_bytes_max)?;
            let known = self.overlay.answer(asker, &key);
            if let Some((seq, answered)) =
                known.or_else(|| given.durable.answered(self.stream, asker, &key))
            {
                return repeat(key, seq, &answered, &message);
            }
            request = Some((key, digest(DIGEST_FORM, &message).map_err(oversize)?));
        }
        let view = Laid { over: &self.overlay, under: given.durable };
        self.state.prepare(&message, &view, given.limits);
        let decision = self
            .state
            .decide(
                message,
                &mut Delivery {
                    now: given.now,
                    asker,
                    cause,
                    stream: self.stream,
                    seq: self.seq + 1,
                    view: &Laid { over: &self.overlay, under: given.durable },
                    authority: given.authority,
                    limits: given.limits,
                    fresh: given.fresh,
                },
            )
            .map_err(Refused::Actor)?;
        let Decision { events, effects, reply, refused } = decision;
        if events.is_empty() {
            let answer = refused.map_or(Ok(reply), |no| Err(Refused::Actor(no)));
            return Ok(Step { append: None, answer, seq: None, events, effects, goes_on: None });
        }
        let answers = match request {
            Some((key, request)) if refused.is_none() => {
                let reply = encode_reply::<B>(&reply).map_err(oversize)?;
                Some(Answered { key, form: DIGEST_FORM, request, reply })
            }
            _ => None,
        };
        let body = Body {
            id: EventId((given.fresh)()),
            at: given.now,
            kind: B::KIND.to_owned(),
            by: asker,
            agent: None,
            cause,
            comment,
            answers,
            events: encode_events::<B>(&events).map_err(oversize)?,
        };
        let bytes = body.encode().map_err(oversize)?;
        let append = self.take_in(&events, body, bytes, &given);
        let answer = refused.map_or(Ok(reply), |no| Err(Refused::Actor(no)));
        let cuts = events.iter().any(B::cuts);
        let owed = || self.state.resume().into_iter().map(|(id, _)| id).collect();
        let goes_on = cuts.then(owed);
        Ok(Step { append: Some(append), answer, seq: Some(self.seq), events, effects, goes_on })
    }

    /// From here on nothing is refused: the entry will be durable, or the store ends.
    fn take_in(
        &mut self,
        events: &[B::Event],
        body: Body,
        bytes: Vec<u8>,
        given: &HostContext<'_>,
    ) -> Append {
        self.seq += 1;
        let events_bytes = body.events.len();
        let mut rows = Vec::new();
        for (index, event) in events.iter().enumerate() {
            let from = rows.len();
            B::project(self.stream, event, index as u16, &mut rows);
            self.state.apply(event);
            self.state.index(event, &Laid { over: &self.overlay, under: given.durable });
            self.overlay.lay(self.seq, B::atom(event), &rows[from..]);
        }
        if let Some(answered) = body.answers
            && !mutant::planted("idempotency.not_recorded")
        {
            rows.push(answer_row(self.stream, body.by, &answered));
            self.overlay.lay_answer(self.seq, body.by, answered);
        }
        self.written += events_bytes;
        let entries = given.limits.snapshot_entries;
        // A state from before an erase may hold what was erased.
        let erases = rows.iter().any(|row| row.erases().is_some());
        let due = erases || self.behind_snapshot() >= entries && self.written >= self.weight;
        let snapshot = due.then(|| self.snapshot().ok()).flatten();
        if due {
            (self.snapped, self.written) = (self.seq, 0);
            self.weight = snapshot.as_ref().map_or(self.weight, Vec::len);
        }
        Append {
            stream: self.stream,
            seq: self.seq,
            digest: Hash::of(&bytes),
            body: bytes,
            rows,
            snapshot,
        }
    }
}

fn fits<R: std::error::Error>(
    what: &'static str,
    bytes: usize,
    max: usize,
) -> Result<(), Refused<R>> {
    if bytes > max { Err(Refused::TooLong { what, bytes, max }) } else { Ok(()) }
}

fn oversize<R: std::error::Error>(error: impl std::fmt::Display) -> Refused<R> {
    Refused::Oversize(error.to_string())
}

fn repeat<B: Behaviour>(
    key: String,
    seq: u64,
    answered: &Answered,
    message: &B::Message,
) -> Result<Step<B>, Refused<B::Refusal>> {
    // By the form of then: an upgrade makes no other request of it.
    let request = digest(answered.form, message).map_err(oversize)?;
    if answered.request != request && !mutant::planted("idempotency.ignores_payload") {
        return Err(Refused::KeyReused(key));
    }
    let reply = reply::<B>(answered).map_err(oversize)?;
    let (events, effects) = (Vec::new(), Vec::new());
    Ok(Step { append: None, answer: Ok(reply), seq: Some(seq), events, effects, goes_on: None })
}

#[cfg(test)]
mod tests;
