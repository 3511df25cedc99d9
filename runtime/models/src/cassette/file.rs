//! The lines of a cassette: each has a hash of itself and of all before it.

use super::{CASSETTE_BYTES_MAX, CassetteError, CassetteHeader, Exchange, FORM};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use stoa_actors::log::Hash;

/// The field that has it.
const HASH: &str = "hash";

/// What vouches for all lines so far; nothing before the first.
#[derive(Clone, Debug, Default)]
pub(super) struct Chain(String);

impl Chain {
    /// The next line.
    pub(super) fn line(&mut self, of: &impl Serialize) -> io::Result<String> {
        let mut json = serde_json::to_value(of)?;
        let hash = self.next(&json);
        if let Some(fields) = json.as_object_mut() {
            fields.insert(HASH.to_owned(), hash.into());
        }
        Ok(format!("{json}\n"))
    }

    /// Takes a line that was read; whether it is as it was written.
    fn takes(&mut self, json: &mut Json) -> bool {
        let said = json.as_object_mut().and_then(|it| it.shift_remove(HASH));
        said == Some(self.next(json).into())
    }

    fn next(&mut self, json: &Json) -> String {
        let mut sorted = json.clone();
        sorted.sort_all_objects();
        self.0 = Hash::of(format!("{}{sorted}", self.0).as_bytes()).to_string();
        self.0.clone()
    }
}

/// What is on a cassette.
pub(super) struct Content {
    pub(super) header: CassetteHeader,
    pub(super) exchanges: Vec<Exchange>,
    pub(super) chain: Chain,
    /// Bytes of its whole lines: what is behind them is half a line.
    pub(super) bytes: u64,
}

/// Reads a cassette; nothing where it has no whole line.
///
/// Errors: it cannot be read, or is not one that this build has written and nobody has changed.
pub(super) fn read(path: &Path, file: &File) -> Result<Option<Content>, CassetteError> {
    let broken = |error| CassetteError::File { path: path.to_owned(), error };
    if !file.metadata().map_err(broken)?.is_file() {
        return Err(broken(io::Error::other("it is no file")));
    }
    let mut text = Vec::new();
    file.take(CASSETTE_BYTES_MAX + 1).read_to_end(&mut text).map_err(broken)?;
    if text.len() as u64 > CASSETTE_BYTES_MAX {
        return Err(CassetteError::TooLong { path: path.to_owned() });
    }
    let whole = text.iter().rposition(|it| *it == b'\n').map_or(0, |at| at + 1);
    let lines = text[..whole].split_inclusive(|it| *it == b'\n').enumerate();
    let mut lines = lines.map(|(at, line)| (at + 1, line));
    let mut chain = Chain::default();
    let Some((number, line)) = lines.next() else { return Ok(None) };
    let first = Line { path, number, line };
    let header: CassetteHeader = first.parsed(&mut chain)?;
    if header.cassette != FORM {
        let why = format!("it is of form {}, and this build reads {FORM}", header.cassette);
        return Err(first.garbled(why));
    }
    let exchange = |(number, line)| Line { path, number, line }.parsed(&mut chain);
    let exchanges = lines.map(exchange).collect::<Result<Vec<Exchange>, _>>()?;
    Ok(Some(Content { header, exchanges, chain, bytes: whole as u64 }))
}

struct Line<'a> {
    path: &'a Path,
    number: usize,
    line: &'a [u8],
}

impl Line<'_> {
    fn parsed<T: DeserializeOwned>(&self, chain: &mut Chain) -> Result<T, CassetteError> {
        let mut json: Json =
            serde_json::from_slice(self.line).map_err(|error| self.garbled(error.to_string()))?;
        if json.get(HASH).is_none() {
            return Err(self.garbled("it is no line of a cassette".to_owned()));
        }
        if !chain.takes(&mut json) {
            return Err(CassetteError::Changed { path: self.path.to_owned(), line: self.number });
        }
        serde_json::from_value(json).map_err(|error| self.garbled(error.to_string()))
    }

    fn garbled(&self, why: String) -> CassetteError {
        CassetteError::Garbled { path: self.path.to_owned(), line: self.number, why }
    }
}
