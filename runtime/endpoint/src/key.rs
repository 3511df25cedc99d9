//! A secret that a request is made with.

use secrecy::{ExposeSecret, SecretString};
use std::fmt;

/// A secret: no trace, error or file has it.
#[derive(Clone)]
pub struct Key(Held);

#[derive(Clone)]
enum Held {
    Secret(SecretString),
    /// It is to be in this variable of the environment, and is not.
    Lacking(String),
}

/// Less of a secret tells nothing of it, and ends many a text.
const PART_BYTES_MIN: usize = 4;

/// What stands for a secret where one was.
const MASK: &str = "…";

impl Key {
    /// Takes a key, which is never printed.
    pub fn new(secret: impl Into<String>) -> Key {
        Key(Held::Secret(secret.into().into()))
    }

    /// One that this process was not given: whoever only asks the owner of a directory needs none,
    /// and to open one with it is refused.
    pub fn lacking(variable: impl Into<String>) -> Key {
        Key(Held::Lacking(variable.into()))
    }

    /// As a request needs it.
    pub fn secret(&self) -> Secret<'_> {
        match &self.0 {
            Held::Secret(secret) => Secret::Held(secret.expose_secret()),
            Held::Lacking(variable) => Secret::Lacking(variable),
        }
    }

    /// Takes the secret out of what somebody else says, also where it was cut off in the middle.
    pub fn mask(&self, text: &str) -> String {
        let Secret::Held(secret) = self.secret() else { return text.to_owned() };
        if secret.is_empty() {
            return text.to_owned();
        }
        let mut text = text.replace(secret, MASK);
        // What was cut off may say so.
        let said = text.strip_suffix(MASK).unwrap_or(&text).len();
        let mut cut = secret.char_indices().map(|(at, _)| at).rev();
        let ends = |at: &usize| *at >= PART_BYTES_MIN && text[..said].ends_with(&secret[..*at]);
        if let Some(at) = cut.find(ends) {
            text.replace_range(said - at..said, MASK);
        }
        text
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Key) -> bool {
        self.secret() == other.secret()
    }
}

impl Eq for Key {}

impl fmt::Debug for Key {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("Key(…)")
    }
}

/// A secret as a request needs it.
#[derive(PartialEq, Eq)]
pub enum Secret<'a> {
    /// Here it is.
    Held(&'a str),
    /// It is to be in this variable of the environment, and is not.
    Lacking(&'a str),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_taken_out_of_what_is_answered() {
        let key = Key::new("sesame");
        assert_eq!(key.mask("401: Bearer sesame, sesame"), "401: Bearer …, …");
        assert_eq!(key.mask("401: Bearer sesa"), "401: Bearer …");
        assert_eq!(key.mask("401: Bearer sesam…"), "401: Bearer ……");
        assert_eq!(key.mask("it passes"), "it passes");
        assert_eq!(key.mask("open"), "open");
        assert_eq!(Key::lacking("ANY").mask("sesame"), "sesame");
        assert_eq!(Key::new("").mask("open"), "open");
        assert!(!format!("{key:?}").contains("sesame"), "a key is never shown");
    }
}
