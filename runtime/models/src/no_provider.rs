//! A build without HTTP asks nobody.

use crate::cassette::Cassette;
use crate::config::ProviderConfig;
use crate::fault::Fault;
use crate::limits::ProviderWaits;
use crate::reply::{Delta, ModelReply};
use crate::request::{ModelRequest, Place};
use crate::wire::Dialect;
use std::convert::Infallible;
use stoa_endpoint::AddressError;

/// A provider that can be asked: in this build there is none.
#[derive(Debug)]
pub struct Provider {
    never: Infallible,
}

impl Provider {
    /// Errors: always [`AddressError::Client`], which says what to build.
    pub fn new(_: ProviderConfig) -> Result<Provider, AddressError> {
        let why = "this build asks nobody over HTTP; build it with the feature `http`";
        Err(AddressError::Client(why.to_owned()))
    }

    /// Of no provider.
    #[must_use]
    pub fn with_cassette(self, _: Option<Cassette>) -> Provider {
        match self.never {}
    }

    /// Of no provider.
    pub fn host(&self) -> String {
        match self.never {}
    }

    /// Of no provider.
    pub async fn ask(
        &self,
        _: &ModelRequest,
        _: &mut (dyn FnMut(Delta) + Send),
    ) -> Result<ModelReply, Fault> {
        match self.never {}
    }

    /// Of no provider.
    pub async fn ask_at(
        &self,
        _: &Place,
        _: &ModelRequest,
        _: &mut (dyn FnMut(Delta) + Send),
    ) -> Result<ModelReply, Fault> {
        match self.never {}
    }

    /// Of no provider.
    pub async fn models(&self) -> Result<Vec<String>, Fault> {
        match self.never {}
    }

    /// Of no provider.
    pub fn dialect(&self) -> Dialect {
        match self.never {}
    }

    /// Of no provider.
    pub fn waits(&self) -> &ProviderWaits {
        match self.never {}
    }

    /// Of no provider.
    pub fn lacks(&self) -> Option<&str> {
        match self.never {}
    }
}
