//! How entries of each kind of actor are read without their actors.

use crate::failure::StoreError;
use std::collections::BTreeMap;
use stoa_actors::behaviour::{Behaviour, Row};
use stoa_actors::codec::CodecError;
use stoa_actors::id::StreamId;
use stoa_actors::incarnation;
use stoa_actors::log::Body;

/// What is known of one kind.
#[derive(Clone, Copy)]
struct Decoder {
    rows: fn(StreamId, &Body) -> Result<Vec<Row>, CodecError>,
    names: fn(&Body) -> Result<Vec<&'static str>, CodecError>,
}

/// The kinds of actor whose entries can be read.
#[derive(Clone, Default)]
pub struct Decoders(BTreeMap<&'static str, Decoder>);

impl std::fmt::Debug for Decoders {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl AsRef<Decoders> for Decoders {
    fn as_ref(&self) -> &Decoders {
        self
    }
}

impl Decoders {
    /// Adds a kind of actor; of one that is there already nothing changes.
    #[must_use]
    pub fn with<B: Behaviour>(mut self) -> Decoders {
        self.0.insert(B::KIND, Decoder { rows: incarnation::rows::<B>, names: names::<B> });
        self
    }

    /// The rows derived from an entry. An unknown kind has none of its own; its answers stay.
    ///
    /// Errors: [`StoreError::Codec`] for a body of a known kind that cannot be read.
    pub fn rows(&self, stream: StreamId, body: &Body) -> Result<Vec<Row>, StoreError> {
        match self.0.get(body.kind.as_str()) {
            Some(kind) => Ok((kind.rows)(stream, body)?),
            None => Ok(body
                .answers
                .iter()
                .map(|it| Row::Answer { stream, asker: body.by, key: it.key.clone() })
                .collect()),
        }
    }

    /// The types of an entry's events, as the outside reads them; none of an unknown kind.
    ///
    /// Errors: [`CodecError`] for a body of a known kind that cannot be read.
    pub fn names(&self, body: &Body) -> Result<Vec<&'static str>, CodecError> {
        match self.0.get(body.kind.as_str()) {
            Some(kind) => (kind.names)(body),
            None => Ok(Vec::new()),
        }
    }
}

fn names<B: Behaviour>(body: &Body) -> Result<Vec<&'static str>, CodecError> {
    Ok(incarnation::events::<B>(body)?.iter().map(B::name).collect())
}
