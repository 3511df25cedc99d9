//! The one codec of everything stored: a form byte, then bincode under a limit.
//!
//! How a type grows within a form is said by its layout ([`mod@crate::stored`]); what cannot be said so is
//! a new form, with an upcast from the one before. Every form keeps a fixture (`tests/forms.rs`).

use serde::Serialize;
use serde::de::DeserializeOwned;

/// The largest value that is written or read, in bytes.
pub const VALUE_BYTES_MAX: usize = 24 << 20;

/// The largest state that is kept as a snapshot, in bytes. It is disposable and this process's own,
/// and the rights of some hundred thousand agents are larger than any one value may be.
pub const STATE_BYTES_MAX: usize = 1 << 30;

/// Bytes that are not what they should be.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub enum CodecError {
    /// Larger than [`VALUE_BYTES_MAX`], or a state than [`STATE_BYTES_MAX`].
    #[error("a value of {bytes} bytes is over the limit of {max}")]
    TooLarge { bytes: usize, max: usize },
    /// The first byte names a form that this build does not know.
    #[error(
        "stored form {found} is not one this build reads (it reads {expected}); use a newer stoa"
    )]
    UnknownForm {
        /// The byte found.
        found: u8,
        /// The byte expected.
        expected: u8,
    },
    /// Cut short, or not of this type.
    #[error("stored bytes do not decode: {0}")]
    Damaged(String),
}

/// The form of an encoded value.
pub fn form(bytes: &[u8]) -> Result<u8, CodecError> {
    bytes.first().copied().ok_or_else(|| CodecError::Damaged("empty".into()))
}

/// Appends `form` and the value.
pub fn encode_into<T: Serialize + ?Sized>(
    form: u8,
    value: &T,
    out: &mut Vec<u8>,
) -> Result<(), CodecError> {
    encode_within(form, value, out, VALUE_BYTES_MAX)
}

/// `form` and the value.
pub fn encode<T: Serialize + ?Sized>(form: u8, value: &T) -> Result<Vec<u8>, CodecError> {
    let mut out = Vec::with_capacity(256);
    encode_into(form, value, &mut out)?;
    Ok(out)
}

/// `form` and a state, for a snapshot.
pub fn encode_state<T: Serialize + ?Sized>(form: u8, state: &T) -> Result<Vec<u8>, CodecError> {
    let mut out = Vec::new();
    encode_within(form, state, &mut out, STATE_BYTES_MAX)?;
    Ok(out)
}

fn encode_within<T: Serialize + ?Sized>(
    form: u8,
    value: &T,
    out: &mut Vec<u8>,
    max: usize,
) -> Result<(), CodecError> {
    let start = out.len();
    out.push(form);
    bincode::serde::encode_into_std_write(value, out, bincode::config::standard())
        .map_err(|error| CodecError::Damaged(error.to_string()))?;
    // bincode checks its limit only when it decodes.
    let bytes = out.len() - start;
    if bytes > max { Err(CodecError::TooLarge { bytes, max }) } else { Ok(()) }
}

/// Reads what [`encode`] wrote under the same form; refuses trailing bytes.
pub fn decode<T: DeserializeOwned>(form: u8, bytes: &[u8]) -> Result<T, CodecError> {
    decode_within::<T, VALUE_BYTES_MAX>(form, bytes)
}

/// Reads what [`encode_state`] wrote under the same form; refuses trailing bytes.
pub fn decode_state<T: DeserializeOwned>(form: u8, bytes: &[u8]) -> Result<T, CodecError> {
    decode_within::<T, STATE_BYTES_MAX>(form, bytes)
}

fn decode_within<T: DeserializeOwned, const MAX: usize>(
    form: u8,
    bytes: &[u8],
) -> Result<T, CodecError> {
    let Some((&found, rest)) = bytes.split_first() else {
        return Err(CodecError::Damaged("empty".into()));
    };
    if found != form {
        return Err(CodecError::UnknownForm { found, expected: form });
    }
    let config = bincode::config::standard().with_limit::<MAX>();
    let (value, read) = bincode::serde::decode_from_slice(rest, config)
        .map_err(|error| CodecError::Damaged(error.to_string()))?;
    if read != rest.len() {
        return Err(CodecError::Damaged(format!("{} bytes too many", rest.len() - read)));
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_what_is_not_whole() {
        let bytes = encode(1, &("text", 7u64)).unwrap();
        assert_eq!(decode::<(String, u64)>(1, &bytes).unwrap(), ("text".into(), 7));
        assert!(matches!(
            decode::<(String, u64)>(2, &bytes),
            Err(CodecError::UnknownForm { found: 1, expected: 2 })
        ));
        assert!(decode::<(String, u64)>(1, &bytes[..bytes.len() - 1]).is_err());
        let longer = [&bytes[..], &[0]].concat();
        assert!(decode::<(String, u64)>(1, &longer).is_err());
        assert!(decode::<String>(1, &[1, 253, 255, 255, 255, 255, 255, 255, 255, 255]).is_err());
    }
}
