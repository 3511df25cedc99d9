//! Redaction: what an erased atom has said leaves the log, and the log still proves itself.
//!
//! An erase is an event of its space, and the intent: from then on the atom has a last version that
//! says nothing. Then the bodies of all entries that hold an earlier version are replaced by
//! *redacted* ones, piece by piece: the same events, but of that atom no content, annotation,
//! metadata or vector. Their headers stay, so the chain holds; that their bodies no longer match is
//! accounted for by an entry of the stream [`REDACTIONS`], written in one batch with them, that
//! names each position and the digest of what stands there now. A body that matches neither its
//! header nor such a digest is damaged.
//!
//! What stays: that there was an atom, its versions, when, by whom and why (comments), what it
//! referred to, idempotency keys, and the digests of what was there, by which somebody who guesses
//! it can find that the guess was right.

use crate::atom::{Atom, Content};
use crate::behaviour::{Behaviour, Decision, Delivery, Row};
use crate::codec::{self, CodecError};
use crate::id::{AtomId, EventId, Millis, Position, SessionId, StreamId};
use crate::incarnation;
use crate::log::{Answered, BODY_FORM, Body, Cause, Hash, Head};
use crate::mutant::planted;
use crate::space::{self, Reply, Resource, Space};
use serde::{Deserialize, Serialize};
use std::convert::Infallible;
use std::sync::Arc;

/// The stream that accounts for what was redacted. No actor decides it: the log writer alone knows
/// what stands in the log.
pub const REDACTIONS: StreamId = StreamId(*b"\0stoa:redactions");

/// In the place of the atom, where a loss was accepted and what had left before it is accounted for
/// anew.
pub const NOBODY: AtomId = AtomId([0; 16]);

/// Some bodies were replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redacted {
    /// Because of which erased atom.
    pub atom: AtomId,
    /// Where, and the digests of the bodies that stand there now.
    pub bodies: Vec<(Position, Hash)>,
    /// Whether that was the last of it.
    pub whole: bool,
}

/// Tells the kind of the stream to whoever reads it; it takes no messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Redactions;

/// There is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Never {}

impl Behaviour for Redactions {
    const KIND: &'static str = "redactions";
    type Message = Never;
    type Event = Redacted;
    type Effect = Infallible;
    type Reply = Never;
    type Refusal = Infallible;

    fn unborn(_: StreamId) -> Self {
        Redactions
    }

    fn decide(&self, no: Never, _: &mut Delivery<'_>) -> Result<Decision<Self>, Infallible> {
        match no {}
    }

    fn apply(&mut self, _: &Redacted) {}

    fn name(_: &Redacted) -> &'static str {
        "log.redacted"
    }

    fn project(_: StreamId, event: &Redacted, _: u16, rows: &mut Vec<Row>) {
        if event.whole {
            rows.push(Row::Redacted { id: event.atom });
        }
    }
}

impl Redacted {
    /// The body of the entry that says so, on behalf of who erased the atom and when, after a head.
    pub fn body(&self, by: (SessionId, Millis), after: Head) -> Result<Body, CodecError> {
        let mut id = [0; 16];
        id.copy_from_slice(&Hash::of(&[&b"redacted"[..], &after.hash.0].concat()).0[..16]);
        Ok(Body {
            id: EventId(id),
            at: by.1,
            kind: Redactions::KIND.to_owned(),
            by: by.0,
            agent: None,
            cause: Cause::default(),
            comment: String::new(),
            answers: None,
            events: incarnation::encode_events::<Redactions>(std::slice::from_ref(self))?,
        })
    }

    /// What an entry of the stream says.
    pub fn read(body: &Body) -> Result<Vec<Redacted>, CodecError> {
        incarnation::events::<Redactions>(body)
    }
}

/// What a version of an erased atom leaves behind.
pub fn redacted_version(atom: &Atom) -> Atom {
    if atom.content == Content::Erased {
        return atom.clone();
    }
    let metadata = match planted("redaction.keeps_metadata") {
        true => atom.metadata.clone(),
        false => Default::default(),
    };
    Atom {
        content: Content::Redacted,
        annotation: String::new(),
        metadata,
        embedding: None,
        ..atom.clone()
    }
}

/// A body without what it says of an erased atom; nothing if it says nothing of it (any more).
/// Done again it is the same.
pub fn redacted(body: &Body, erased: AtomId) -> Result<Option<Body>, CodecError> {
    if body.kind != Space::KIND {
        return Ok(None);
    }
    let mut events = incarnation::events::<Space>(body)?;
    events.iter_mut().for_each(|event| empty(event, erased));
    let answers = body.answers.as_ref().map(|it| answered(it, erased)).transpose()?;
    let new =
        Body { events: incarnation::encode_events::<Space>(&events)?, answers, ..body.clone() };
    Ok((new != *body).then_some(new))
}

fn empty(event: &mut space::Event, erased: AtomId) {
    use space::Event;
    match event {
        Event::AtomPut(atom)
        | Event::AtomDeprecated(atom)
        | Event::AtomUpdated { atom, .. }
        | Event::AtomImported { atom, .. }
            if atom.id == erased =>
        {
            *atom = Arc::new(redacted_version(atom));
        }
        Event::Leased(lease) if lease.resource == Resource::Atom(erased) => lease.claimed = None,
        _ => {}
    }
}

/// The reply to a claim says what the claim has set.
fn answered(answered: &Answered, erased: AtomId) -> Result<Answered, CodecError> {
    let mut reply: Reply = incarnation::reply::<Space>(answered)?;
    match &mut reply {
        Reply::Claimed(Some((id, _, lease))) if *id == erased => lease.claimed = None,
        Reply::Lease(lease) if lease.resource == Resource::Atom(erased) => lease.claimed = None,
        _ => return Ok(answered.clone()),
    }
    Ok(Answered { reply: incarnation::encode_reply::<Space>(&reply)?, ..answered.clone() })
}

/// The stored form of a body that was redacted.
pub fn stored(body: &Body) -> Result<(Vec<u8>, Hash), CodecError> {
    let bytes = codec::encode(BODY_FORM, body)?;
    let digest = Hash::of(&bytes);
    Ok((bytes, digest))
}

/// Who erased an atom, and when, if it is erased.
pub fn erased_by(atom: &Atom) -> Option<(SessionId, Millis)> {
    (atom.content == Content::Erased).then_some((atom.author, atom.at))
}
