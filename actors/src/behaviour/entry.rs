//! What an entry of an actor says, typed, and what is derived from it.

use super::{Behaviour, Row};
use crate::codec::{self, CodecError};
use crate::id::{SessionId, StreamId};
use crate::log::{Answered, Body};

/// The events of an entry, typed.
pub fn events<B: Behaviour>(body: &Body) -> Result<Vec<B::Event>, CodecError> {
    match codec::form(&body.events)? {
        form if form == B::FORM => codec::decode(form, &body.events),
        older => B::upcast(older, &body.events),
    }
}

/// Events as they are stored in a body.
pub fn encode_events<B: Behaviour>(events: &[B::Event]) -> Result<Vec<u8>, CodecError> {
    codec::encode(B::FORM, events)
}

/// A reply as it is stored with the request that it answers.
pub fn encode_reply<B: Behaviour>(reply: &B::Reply) -> Result<Vec<u8>, CodecError> {
    codec::encode(B::FORM, reply)
}

/// Reads a reply as it was stored. Errors: bytes of an unknown form.
pub fn reply<B: Behaviour>(answered: &Answered) -> Result<B::Reply, CodecError> {
    match codec::form(&answered.reply)? {
        form if form == B::FORM => codec::decode(form, &answered.reply),
        older => B::upcast_reply(older, &answered.reply),
    }
}

/// The rows of a stored entry, recomputed: what a rebuild writes and an audit compares.
pub fn rows<B: Behaviour>(stream: StreamId, body: &Body) -> Result<Vec<Row>, CodecError> {
    Ok(rows_of::<B>(stream, body, &events::<B>(body)?))
}

/// The same of an entry whose events are known.
pub(crate) fn rows_of<B: Behaviour>(
    stream: StreamId,
    body: &Body,
    events: &[B::Event],
) -> Vec<Row> {
    let mut rows = Vec::new();
    for (index, event) in events.iter().enumerate() {
        B::project(stream, event, index as u16, &mut rows);
    }
    if let Some(answered) = &body.answers {
        rows.push(answer_row(stream, body.by, answered));
    }
    rows
}

pub(crate) fn answer_row(stream: StreamId, asker: SessionId, answered: &Answered) -> Row {
    Row::Answer { stream, asker, key: answered.key.clone() }
}
