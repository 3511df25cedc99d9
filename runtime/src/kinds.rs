//! Which kinds of actor this build knows: how to read a stream without its actor.

use crate::failure::StoreError;
use std::collections::BTreeMap;
use stoa_actors::behaviour::{Behaviour, Row};
use stoa_actors::codec::CodecError;
use stoa_actors::id::StreamId;
use stoa_actors::incarnation;
use stoa_actors::log::Body;

/// What is known of one kind.
#[derive(Clone, Copy, Debug)]
struct Kind {
    rows: fn(StreamId, &Body) -> Result<Vec<Row>, CodecError>,
    names: fn(&Body) -> Result<Vec<&'static str>, CodecError>,
}

/// The kinds of actor whose entries can be read. A library adds its own at [`Kinds::with`].
#[derive(Clone, Debug, Default)]
pub struct Kinds(BTreeMap<&'static str, Kind>);

impl Kinds {
    /// Adds one.
    #[must_use]
    pub fn with<B: Behaviour>(mut self) -> Kinds {
        self.0.insert(B::KIND, Kind { rows: incarnation::rows::<B>, names: names::<B> });
        self
    }

    /// The rows derived from an entry. An unknown kind has none of its own; its answers stay.
    pub(crate) fn rows(&self, stream: StreamId, body: &Body) -> Result<Vec<Row>, StoreError> {
        match self.0.get(body.kind.as_str()) {
            Some(kind) => Ok((kind.rows)(stream, body)?),
            None => Ok(body
                .answers
                .iter()
                .map(|it| Row::Answer { stream, asker: body.by, key: it.key.clone() })
                .collect()),
        }
    }

    /// The types of an entry's events, as the outside reads them.
    pub fn names(&self, body: &Body) -> Result<Vec<&'static str>, StoreError> {
        match self.0.get(body.kind.as_str()) {
            Some(kind) => Ok((kind.names)(body)?),
            None => Ok(Vec::new()),
        }
    }
}

fn names<B: Behaviour>(body: &Body) -> Result<Vec<&'static str>, CodecError> {
    Ok(incarnation::events::<B>(body)?.iter().map(B::name).collect())
}
