//! Recording: each exchange is a line, written when it is over and before it is acted upon.

use super::file::{Chain, read};
use super::{
    AnswerEnd, CASSETTE_BYTES_MAX, CassetteError, CassetteHeader, Exchange, FORM, PieceBytes,
    RecordedPiece,
};
use crate::fault::{Fault, FaultKind};
use crate::request::Place;
use serde_json::Value as Json;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;
use stoa_endpoint::{Key, Secret};

/// Writes what is asked and answered.
#[derive(Debug)]
pub struct Recorder {
    path: PathBuf,
    header: CassetteHeader,
    began: Instant,
    out: Mutex<Out>,
    secrets: Mutex<Vec<Key>>,
}

#[derive(Debug)]
struct Out {
    file: File,
    chain: Chain,
    bytes: u64,
}

impl Recorder {
    /// Begins a cassette, or goes on with one: then it stays the run that it was. `seed` and `began_ms`
    /// are of the run that begins.
    ///
    /// Errors: the file cannot be written, is no cassette, was changed, or is recorded to by another
    /// process.
    pub fn open(path: &Path, seed: u64, began_ms: u64) -> Result<Recorder, CassetteError> {
        let broken = |error| CassetteError::File { path: path.to_owned(), error };
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o600);
        let mut file = options.open(path).map_err(broken)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(CassetteError::Busy { path: path.to_owned() });
            }
            Err(TryLockError::Error(error)) => return Err(broken(error)),
        }
        let (header, out) = match read(path, &file)? {
            Some(known) => {
                file.set_len(known.bytes).map_err(broken)?;
                file.seek(SeekFrom::End(0)).map_err(broken)?;
                let out = Out { file, chain: known.chain, bytes: known.bytes };
                (known.header, out)
            }
            None => {
                let version = env!("CARGO_PKG_VERSION").to_owned();
                let header = CassetteHeader { cassette: FORM, version, seed, began_ms };
                file.set_len(0).and_then(|()| file.rewind()).map_err(broken)?;
                let mut out = Out { file, chain: Chain::default(), bytes: 0 };
                out.add(&header).map_err(broken)?;
                (header, out)
            }
        };
        let (out, secrets) = (Mutex::new(out), Mutex::default());
        Ok(Recorder { path: path.to_owned(), header, began: Instant::now(), out, secrets })
    }

    /// How its run began.
    pub fn header(&self) -> &CassetteHeader {
        &self.header
    }

    /// Never writes this secret.
    pub fn hide(&self, key: &Key) {
        let mut secrets = self.secrets.lock().unwrap_or_else(PoisonError::into_inner);
        if matches!(key.secret(), Secret::Held(_)) && !secrets.contains(key) {
            secrets.push(key.clone());
        }
    }

    /// A request is on its way.
    pub fn asks(
        self: &Arc<Self>,
        place: &Place,
        provider: &str,
        dialect: &str,
        request: &Json,
    ) -> Tape {
        let exchange = Exchange {
            place: place.clone(),
            at_ms: self.began.elapsed().as_millis() as u64,
            provider: provider.to_owned(),
            dialect: dialect.to_owned(),
            request: request.clone(),
            status: None,
            headers: Vec::new(),
            pieces: Vec::new(),
            end: AnswerEnd::Cancelled,
            took_ms: 0,
        };
        Tape {
            recorder: self.clone(),
            began: Instant::now(),
            exchange,
            came: Vec::new(),
            over: false,
        }
    }

    fn write(&self, mut exchange: Exchange, came: Vec<(u64, Vec<u8>)>) -> Result<(), Fault> {
        let secrets = self.secrets.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for key in &secrets {
            masked(&mut exchange.request, key);
            exchange.headers.iter_mut().for_each(|it| it.1 = key.mask(&it.1));
            if let AnswerEnd::Broken { text, .. } = &mut exchange.end {
                *text = key.mask(text);
            }
        }
        exchange.pieces = pieces(came, &secrets);
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        out.add(&exchange).map_err(|error| {
            let text = format!("cassette {}: {error}", self.path.display());
            Fault::new(FaultKind::Cassette, text)
        })
    }
}

impl Out {
    /// Adds a line; one that there is no room for leaves the file as it was.
    fn add(&mut self, of: &impl serde::Serialize) -> io::Result<()> {
        let mut chain = self.chain.clone();
        let line = chain.line(of)?;
        let bytes = self.bytes + line.len() as u64;
        if bytes > CASSETTE_BYTES_MAX {
            let text = format!("it is full: {CASSETTE_BYTES_MAX} bytes; record to another file");
            return Err(io::Error::other(text));
        }
        if let Err(error) = self.file.write_all(line.as_bytes()) {
            self.file.set_len(self.bytes)?;
            self.file.seek(SeekFrom::End(0))?;
            return Err(error);
        }
        (self.chain, self.bytes) = (chain, bytes);
        Ok(())
    }
}

/// What came, without secrets. One that is in several pieces makes one of them.
fn pieces(came: Vec<(u64, Vec<u8>)>, secrets: &[Key]) -> Vec<RecordedPiece> {
    let all: Vec<u8> = came.iter().flat_map(|it| it.1.iter().copied()).collect();
    let said = String::from_utf8_lossy(&all);
    let mut text = said.clone().into_owned();
    for key in secrets {
        if let Secret::Held(secret) = key.secret()
            && !secret.is_empty()
        {
            text = key.mask(&text.replace(&quoted(secret), MASK));
        }
    }
    if text == said {
        let piece =
            |(ms, bytes): (u64, Vec<u8>)| RecordedPiece { ms, bytes: PieceBytes::of(&bytes) };
        return came.into_iter().map(piece).collect();
    }
    let ms = came.last().map_or(0, |it| it.0);
    vec![RecordedPiece { ms, bytes: PieceBytes::Text(text) }]
}

/// What stands in the place of a secret that is written otherwise than it is.
const MASK: &str = "***";

/// A secret as it stands within a text of JSON.
fn quoted(secret: &str) -> String {
    let text = Json::from(secret).to_string();
    text[1..text.len() - 1].to_owned()
}

fn masked(json: &mut Json, key: &Key) {
    match json {
        Json::String(text) => *text = key.mask(text),
        Json::Array(all) => all.iter_mut().for_each(|it| masked(it, key)),
        Json::Object(fields) => fields.values_mut().for_each(|it| masked(it, key)),
        _ => {}
    }
}

/// An exchange that is being recorded. Who drops it before it is over has not waited for it.
#[derive(Debug)]
pub struct Tape {
    recorder: Arc<Recorder>,
    began: Instant,
    exchange: Exchange,
    came: Vec<(u64, Vec<u8>)>,
    over: bool,
}

impl Tape {
    /// The answer has begun.
    pub fn answered<'a>(&mut self, status: u16, headers: impl Iterator<Item = (&'a str, &'a str)>) {
        self.exchange.status = Some(status);
        let kept = headers.filter(|it| is_kept(it.0));
        self.exchange.headers = kept.map(|it| (it.0.to_owned(), it.1.to_owned())).collect();
    }

    /// More of it has come.
    pub fn piece(&mut self, bytes: &[u8]) {
        self.came.push((self.ms(), bytes.to_vec()));
    }

    /// It is over.
    ///
    /// Errors: it could not be written.
    pub fn ended(mut self, fault: Option<&Fault>) -> Result<(), Fault> {
        let end = match fault {
            None => AnswerEnd::Whole,
            Some(fault) => {
                let (kind, text) = (fault.kind.name().to_owned(), fault.text.clone());
                AnswerEnd::Broken { kind, text, paid: fault.paid }
            }
        };
        self.close(end)
    }

    fn ms(&self) -> u64 {
        self.began.elapsed().as_millis() as u64
    }

    fn close(&mut self, end: AnswerEnd) -> Result<(), Fault> {
        self.over = true;
        let mut exchange = self.exchange.clone();
        (exchange.end, exchange.took_ms) = (end, self.ms());
        self.recorder.write(exchange, std::mem::take(&mut self.came))
    }
}

impl Drop for Tape {
    fn drop(&mut self) {
        if !self.over
            && let Err(fault) = self.close(AnswerEnd::Cancelled)
        {
            tracing::warn!("{fault}");
        }
    }
}

/// Headers of an answer that something is decided by. No other one is written: it may be a secret.
fn is_kept(name: &str) -> bool {
    let exact = ["content-type", "date", "x-should-retry", "request-id", "x-request-id"];
    let begins = ["retry-after", "x-ratelimit-", "anthropic-ratelimit-"];
    exact.contains(&name) || begins.iter().any(|it| name.starts_with(it))
}
