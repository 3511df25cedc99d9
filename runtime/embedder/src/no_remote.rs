//! A build without HTTP asks nobody.

use crate::settings::{EmbedError, RemoteConfig};
use std::convert::Infallible;
use std::time::Duration;
use stoa_actors::atom::Embedding;

/// One endpoint and its model: in this build there is none.
pub struct Remote {
    never: Infallible,
}

impl Remote {
    /// Errors: always [`EmbedError::Settings`], which says what to build.
    pub fn new(_: &RemoteConfig, _: usize) -> Result<Remote, EmbedError> {
        let why = "this build asks nobody over HTTP; build it with the feature `http`";
        Err(EmbedError::Settings { what: "url", why: why.to_owned() })
    }

    /// Of no endpoint.
    pub fn fingerprint(&self) -> u32 {
        match self.never {}
    }

    /// Of no endpoint.
    pub fn dims(&self) -> usize {
        match self.never {}
    }

    /// Of no endpoint.
    pub fn name(&self) -> String {
        match self.never {}
    }

    /// Of no endpoint.
    pub async fn embed(&self, _: &[&str], _: Duration) -> Result<Vec<Embedding>, EmbedError> {
        match self.never {}
    }
}
