//! Identities. A ULID names a thing and nothing else: order and time are the log position's work.

use serde::de::Visitor;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// The text is not an id of this kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not an id; ids are 26 letters and digits, as `put --json` prints them")]
pub struct NotAnId {
    /// What was given, cut to 64 characters.
    pub text: String,
}

/// The bytes of an id.
struct Sixteen;

impl Visitor<'_> for Sixteen {
    type Value = [u8; 16];

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("sixteen bytes")
    }

    fn visit_bytes<E: serde::de::Error>(self, bytes: &[u8]) -> Result<[u8; 16], E> {
        bytes.try_into().map_err(|_| E::invalid_length(bytes.len(), &self))
    }
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
        pub struct $name(pub [u8; 16]);

        /// Byte by byte, as one number: two instructions where a comparison of bytes is a call, and
        /// every index of every table compares ids.
        impl Ord for $name {
            fn cmp(&self, other: &Self) -> std::cmp::Ordering {
                u128::from_be_bytes(self.0).cmp(&u128::from_be_bytes(other.0))
            }
        }

        impl PartialOrd for $name {
            fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
                Some(self.cmp(other))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&ulid::Ulid::from_bytes(self.0).to_string())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({self})", stringify!($name))
            }
        }

        impl FromStr for $name {
            type Err = NotAnId;
            fn from_str(text: &str) -> Result<Self, NotAnId> {
                ulid::Ulid::from_string(text)
                    .map(|id| $name(id.to_bytes()))
                    .map_err(|_| NotAnId { text: text.chars().take(64).collect() })
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                match to.is_human_readable() {
                    true => to.collect_str(self),
                    // At once: as an array it goes byte by byte through the encoder, and ids are
                    // half of what is stored besides texts.
                    false => to.serialize_bytes(&self.0),
                }
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                if from.is_human_readable() {
                    let text = <std::borrow::Cow<'_, str>>::deserialize(from)?;
                    text.parse().map_err(serde::de::Error::custom)
                } else {
                    from.deserialize_bytes(Sixteen).map($name)
                }
            }
        }

        impl $name {
            /// The same sixteen bytes as a stream of the log.
            pub fn stream(self) -> StreamId {
                StreamId(self.0)
            }
        }
    };
}

id!(
    /// Names an atom for good.
    AtomId
);
id!(
    /// Names a space for good.
    SpaceId
);
id!(
    /// A session. The session *is* the agent: a fresh session is another agent (seed 000).
    SessionId
);
id!(
    /// An agent that outlives its sessions, where there is one.
    AgentId
);
id!(
    /// One entry of the log, for people and other systems; inside, its position is the cursor.
    EventId
);
id!(
    /// One right handed from a granter to a holder.
    LinkId
);
id!(
    /// One subscription of a session to a space.
    SubscriptionId
);
id!(
    /// One data directory among those that share an order of the log.
    NodeId
);
id!(
    /// A stream of the log: the entries of one actor.
    StreamId
);

/// The session that owns the data directory: every right's chain ends here.
pub const ROOT: SessionId = SessionId([0; 16]);

/// The stream of the one `rights` actor.
pub const RIGHTS: StreamId = StreamId(*b"\0stoa:rights\0\0\0\0");

/// Milliseconds since the Unix epoch, by the runtime's clock: never earlier than what was logged.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Millis(pub u64);

/// A place in the log, 1…N without gap. The only cursor there is; 0 is before everything.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Position(pub u64);

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_survives_its_text() {
        let id = AtomId([7; 16]);
        assert_eq!(id.to_string().parse::<AtomId>(), Ok(id));
        assert_eq!("nonsense".parse::<AtomId>(), Err(NotAnId { text: "nonsense".into() }));
    }

    #[test]
    fn ids_are_ordered_as_their_bytes_are() {
        let ids: Vec<AtomId> = (0..=255u8)
            .flat_map(|n| (0..16).map(move |at| (n, at)))
            .map(|(n, at)| {
                let mut id = [n.wrapping_mul(97); 16];
                id[at] = n;
                AtomId(id)
            })
            .collect();
        for (a, b) in ids.iter().zip(ids.iter().skip(7)) {
            assert_eq!(a.cmp(b), a.0.cmp(&b.0));
        }
    }

    #[test]
    fn an_id_is_stored_as_its_bytes_and_other_bytes_are_none() {
        use crate::codec::{decode, encode};
        let id = AtomId([7; 16]);
        let mut stored = encode(1, &id).unwrap();
        assert_eq!(stored, [&[1, 16][..], &id.0].concat());
        assert_eq!(decode::<AtomId>(1, &stored).unwrap(), id);
        stored[1] = 15;
        assert!(decode::<AtomId>(1, &stored[..17]).is_err());
        stored[1] = 17;
        assert!(decode::<AtomId>(1, &[&stored[..], &[7]].concat()).is_err());
    }
}
