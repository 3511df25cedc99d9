//! Why an address or a key is none.

/// Why nobody can be asked there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AddressError {
    /// It is no address.
    #[error("{0}")]
    NoUrl(String),
    /// Of another kind.
    #[error("it is neither http nor https")]
    Scheme,
    /// It would be read on the way.
    #[error("a key goes to another machine by https alone")]
    Plain,
    /// It would be shown.
    #[error("a key in it would be shown; give its name as key_env")]
    KeyInside,
    /// Nothing can be added behind it.
    #[error("it goes on behind a ? or #, where nothing can be added")]
    Query,
    /// An empty one.
    #[error("the key is empty")]
    KeyEmpty,
    /// One that no header takes.
    #[error("the key is no header: it has a line end, or what is no ASCII")]
    KeyNoHeader,
    /// The key is to be in the environment, and is not.
    #[error("{0} is not set")]
    KeyLacking(String),
    /// TLS, or the like.
    #[error("{0}")]
    Client(String),
}
