//! The record of which directories their owner trusts, kept in the owner's own configuration.
//!
//! One file for each directory: `trust/HASH.json`, with HASH the SHA-256 of the directory's
//! canonical path. Each is private to its owner and written whole or not at all. What cannot be
//! read is refused with its name, never taken for "not trusted" in silence. The comparison itself
//! is [`stoa_actors::trust`]. The library does not look for the owner's configuration: whoever
//! opens a directory names it.

use rustix::fs::{Mode, OFlags};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use stoa_actors::log::Hash;
use stoa_actors::trust::{DirectoryId, Presence, Record, Verdict};

/// The form of a record.
const FORM: u32 = 1;
/// A larger file is no record.
const TRUST_BYTES_MAX: u64 = 64 << 10;
/// The file in a data directory that holds its number.
const IDENTITY: &str = "identity";

/// Why trust cannot be looked up or recorded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub enum TrustError {
    /// A file cannot be read or written.
    #[error("{what} {}: {why}", .path.display())]
    File {
        /// What was tried.
        what: &'static str,
        /// On which file.
        path: PathBuf,
        /// What the system said.
        why: String,
    },
    /// The directory belongs to another user, who can change it at any time.
    #[error("{} belongs to user {owner}, so you cannot trust it", .path.display())]
    Foreign { path: PathBuf, owner: u32 },
    /// A record is there and cannot be relied on.
    #[error("the record of trust {} is not usable: {why}", .path.display())]
    Broken {
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
}

fn failed(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> TrustError {
    move |error| TrustError::File { what, path: path.to_owned(), why: error.to_string() }
}

/// A record as it is stored.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    form: u32,
    /// For people; what counts is its hash.
    path: String,
    path_sha256: String,
    owner: u32,
    directory: String,
    sections: BTreeMap<String, String>,
}

/// Where one user's records are.
#[derive(Clone, Debug)]
pub struct TrustStore {
    root: PathBuf,
}

impl TrustStore {
    /// The records below a user's own configuration of stoa.
    pub fn at(configuration: impl AsRef<Path>) -> TrustStore {
        TrustStore { root: configuration.as_ref().join("trust") }
    }

    /// What of a directory is trusted now. A directory that is not there is not trusted.
    ///
    /// Errors: [`TrustError::Broken`] when there is a record that cannot be relied on.
    pub fn verdict(
        &self,
        data: &Path,
        sections: &BTreeMap<String, Hash>,
    ) -> Result<Verdict, TrustError> {
        // What cannot be looked at is not trusted; whoever opens it says what is wrong with it.
        let Ok(path) = fs::canonicalize(data) else { return Ok(Verdict::default()) };
        let record = self.read(&self.place(&path))?;
        let seen = Presence {
            path: hash_of(&path),
            owner: fs::metadata(&path).map_err(failed("cannot look at", &path))?.uid(),
            directory: identity(&path),
            sections: sections.clone(),
        };
        Ok(Verdict::of(record.as_ref(), &seen))
    }

    /// Records that a directory and these sections of its settings are trusted. The directory gets
    /// a new number. Durable when this returns.
    pub fn trust(&self, data: &Path, sections: &BTreeMap<String, Hash>) -> Result<(), TrustError> {
        let path = fs::canonicalize(data).map_err(failed("cannot look at", data))?;
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&ulid::Ulid::generate().to_bytes());
        let directory = Hash::of(&bytes).to_string()[..32].to_owned();
        let owner = fs::metadata(&path).map_err(failed("cannot look at", &path))?.uid();
        if owner != rustix::process::geteuid().as_raw() {
            return Err(TrustError::Foreign { path, owner });
        }
        let place = path.join(IDENTITY);
        write(&place, directory.as_bytes()).map_err(failed("cannot write", &place))?;
        let stored = Stored {
            form: FORM,
            path: path.display().to_string(),
            path_sha256: hash_of(&path).to_string(),
            owner,
            directory,
            sections: sections.iter().map(|(name, it)| (name.clone(), it.to_string())).collect(),
        };
        self.ready()?;
        let place = self.place(&path);
        let text = serde_json::to_vec_pretty(&stored).map_err(io::Error::other);
        text.and_then(|it| write(&place, &it)).map_err(failed("cannot write", &place))
    }

    /// Forgets that a directory was trusted, also one that is not there any more; whether it was.
    pub fn distrust(&self, data: &Path) -> Result<bool, TrustError> {
        let absolute = || std::path::absolute(data);
        let path = fs::canonicalize(data).or_else(|_| absolute());
        let place = self.place(&path.map_err(failed("cannot look at", data))?);
        match fs::remove_file(&place).and_then(|()| File::open(&self.root)?.sync_all()) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(failed("cannot remove", &place)(error)),
        }
    }

    /// The file of a directory's record.
    fn place(&self, path: &Path) -> PathBuf {
        self.root.join(format!("{}.json", hash_of(path)))
    }

    /// Makes the folder of the records, private to its owner.
    fn ready(&self) -> Result<(), TrustError> {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(&self.root);
        made.map_err(failed("cannot make", &self.root))?;
        self.guard()
    }

    /// Records that others can write say nothing.
    fn guard(&self) -> Result<(), TrustError> {
        let found = match fs::metadata(&self.root) {
            Ok(found) => found,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(failed("cannot look at", &self.root)(error)),
        };
        let why = exposed(found.uid(), found.mode(), 0o022);
        why.map_or(Ok(()), |why| Err(TrustError::Broken { path: self.root.clone(), why }))
    }

    fn read(&self, place: &Path) -> Result<Option<Record>, TrustError> {
        let broken = |why: String| TrustError::Broken { path: place.to_owned(), why };
        let file = match open_plain(place) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(broken(error.to_string())),
        };
        self.guard()?;
        let found = file.metadata().map_err(|error| broken(error.to_string()))?;
        if let Some(why) = exposed(found.uid(), found.mode(), 0o077) {
            return Err(broken(why));
        }
        let mut text = String::new();
        file.take(TRUST_BYTES_MAX)
            .read_to_string(&mut text)
            .map_err(|error| broken(error.to_string()))?;
        let stored: Stored =
            serde_json::from_str(&text).map_err(|error| broken(error.to_string()))?;
        if stored.form != FORM {
            return Err(broken(format!("it has form {}, this build reads {FORM}", stored.form)));
        }
        stored.record().ok_or_else(|| broken("a hash in it is not one".to_owned())).map(Some)
    }
}

impl Stored {
    fn record(&self) -> Option<Record> {
        let section = |(name, hash): (&String, &String)| Some((name.clone(), Hash(hex(hash)?)));
        Some(Record {
            path: Hash(hex(&self.path_sha256)?),
            owner: self.owner,
            directory: DirectoryId(hex(&self.directory)?),
            sections: self.sections.iter().map(section).collect::<Option<_>>()?,
        })
    }
}

fn hash_of(path: &Path) -> Hash {
    Hash::of(path.as_os_str().as_bytes())
}

fn hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut out = [0; N];
    if text.len() != 2 * N || !text.bytes().all(|it| it.is_ascii_hexdigit()) {
        return None;
    }
    for (byte, pair) in out.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(out)
}

/// The number of a directory; none where it has none that can be read.
fn identity(data: &Path) -> Option<DirectoryId> {
    let mut text = String::new();
    open_plain(&data.join(IDENTITY)).ok()?.take(64).read_to_string(&mut text).ok()?;
    hex(text.trim()).map(DirectoryId)
}

/// What is wrong with a file that belongs to somebody else or that others can use.
fn exposed(owner: u32, mode: u32, others: u32) -> Option<String> {
    let own = rustix::process::geteuid().as_raw();
    if owner != own {
        return Some(format!("it belongs to user {owner}, not to you (user {own})"));
    }
    (mode & others != 0).then(|| format!("others can use it: its mode is {:o}", mode & 0o7777))
}

/// Opens a file that is a file: no link, no pipe, no device.
pub fn open_plain(path: &Path) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = match rustix::fs::open(path, flags, Mode::empty()) {
        Ok(file) => File::from(file),
        Err(rustix::io::Errno::LOOP) => return Err(io::Error::other("it is a symbolic link")),
        Err(error) => return Err(error.into()),
    };
    match file.metadata()?.is_file() {
        true => Ok(file),
        false => Err(io::Error::other("it is not a file")),
    }
}

/// Writes a private file, whole or not at all.
fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let part = path.with_file_name(format!(".{name}.{}", ulid::Ulid::generate()));
    let written = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&part)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(&part, path))
        .and_then(|()| File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all());
    if written.is_err() {
        drop(fs::remove_file(&part));
    }
    written
}
