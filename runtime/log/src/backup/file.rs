//! The file of a backup: written under another name, read entry by entry.

use super::BackupError;
use crate::atomic_file::AtomicFile;
use std::fs::File;
use std::io::{BufReader, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use stoa_actors::codec::VALUE_BYTES_MAX;
use stoa_actors::id::Position;
use stoa_actors::log::{HEADER_BYTES, Hash, Head};

const MAGIC: &[u8; 11] = b"stoa backup";
const FORM: u8 = 2;
/// A chunk is closed once it holds so much.
const CHUNK_BYTES: usize = 1 << 20;
/// The largest chunk: one that was nearly full, and the largest entry.
const CHUNK_BYTES_MAX: usize = CHUNK_BYTES + VALUE_BYTES_MAX + HEADER_BYTES + 8;
/// So much at most waits for the medium: a sync of much more would hold up everybody else's.
const UNSYNCED_BYTES_MAX: usize = 4 << 20;

fn next_sum(before: Hash, bytes: &[u8]) -> Hash {
    Hash::of(&[&before.0[..], bytes].concat())
}

/// A backup that is being written. Without [`Writing::publish`] nothing is left of it.
pub(super) struct Writing {
    part: AtomicFile,
    chunk: Vec<u8>,
    sum: Hash,
    bytes: u64,
    unsynced: usize,
}

impl Writing {
    pub(super) fn begin(target: &Path, asked: Position) -> Result<Writing, BackupError> {
        let part = AtomicFile::begin(target).map_err(|error| unwritten(target, error))?;
        let chunk = Vec::with_capacity(CHUNK_BYTES + 4096);
        let mut writing = Writing { part, chunk, sum: Hash::default(), bytes: 0, unsynced: 0 };
        let front = [&MAGIC[..], &[FORM], &asked.0.to_be_bytes()].concat();
        writing.sum = next_sum(writing.sum, &front);
        writing.put(&front)?;
        Ok(writing)
    }

    /// One more entry; whether a chunk was written.
    pub(super) fn add(&mut self, entry: &[u8]) -> Result<bool, BackupError> {
        self.chunk.extend((entry.len() as u32).to_be_bytes());
        self.chunk.extend(entry);
        let full = self.chunk.len() >= CHUNK_BYTES;
        if full {
            self.close_chunk()?;
        }
        Ok(full)
    }

    fn close_chunk(&mut self) -> Result<(), BackupError> {
        if self.chunk.is_empty() {
            return Ok(());
        }
        let chunk = std::mem::take(&mut self.chunk);
        self.sum = next_sum(self.sum, &chunk);
        let sum = self.sum;
        self.put(&(chunk.len() as u32).to_be_bytes())?;
        self.put(&chunk)?;
        self.put(&sum.0)?;
        self.chunk = chunk;
        self.chunk.clear();
        Ok(())
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), BackupError> {
        let target = self.part.target().to_owned();
        let failed = |error| unwritten(&target, error);
        self.part.file.write_all(bytes).map_err(failed)?;
        self.bytes += bytes.len() as u64;
        self.unsynced += bytes.len();
        if self.unsynced >= UNSYNCED_BYTES_MAX {
            self.part.file.sync_data().map_err(failed)?;
            self.unsynced = 0;
        }
        Ok(())
    }

    /// The last entry was the one of this head; gives the file to be read back.
    pub(super) fn end(&mut self, head: Head) -> Result<Reading, BackupError> {
        self.close_chunk()?;
        let end = [&0u32.to_be_bytes()[..], &head.position.0.to_be_bytes(), &head.hash.0].concat();
        let sum = next_sum(self.sum, &end);
        self.put(&end)?;
        self.put(&sum.0)?;
        self.part.file.sync_all().map_err(|error| unwritten(self.part.target(), error))?;
        Reading::open_as(self.part.path(), self.part.target())
    }

    /// Gives it its name, for good; its size.
    pub(super) fn publish(self) -> Result<u64, BackupError> {
        let target = self.part.target().to_owned();
        self.part.publish().map_err(|error| unwritten(&target, error))?;
        Ok(self.bytes)
    }
}

fn unwritten(target: &Path, error: std::io::Error) -> BackupError {
    match error.kind() {
        ErrorKind::AlreadyExists => BackupError::Exists(target.to_owned()),
        ErrorKind::ResourceBusy => BackupError::Busy(target.to_owned()),
        _ => BackupError::file("cannot write", target)(error),
    }
}

/// A backup that is read.
pub(super) struct Reading {
    /// What it is called.
    pub(super) path: PathBuf,
    /// Where it is.
    pub(super) file: PathBuf,
    from: BufReader<File>,
    pub(super) asked: Position,
    sum: Hash,
    chunk: Vec<u8>,
    /// How much of the chunk is read.
    read: usize,
    /// What is wrong with the chunk, told once its entries were looked at: those that do not hold
    /// say more.
    invalid: Option<Trouble>,
}

/// What comes next in a file.
pub(super) enum Next<'a> {
    Entry(&'a [u8]),
    /// Nothing: the head that the file ends at.
    End(Head),
}

/// Why nothing does; the caller knows after which entry.
pub(super) enum Trouble {
    Cut,
    Sum,
    Failed(BackupError),
}

impl Reading {
    pub(super) fn open(path: &Path) -> Result<Reading, BackupError> {
        Reading::open_as(path, path)
    }

    /// The same, named otherwise in what is told.
    fn open_as(path: &Path, name: &Path) -> Result<Reading, BackupError> {
        let failed = BackupError::file("cannot read", name);
        let file = File::open(path).map_err(&failed)?;
        let mut from = BufReader::with_capacity(256 << 10, file);
        let mut front = [0; 20];
        let foreign = |error: std::io::Error| match error.kind() {
            ErrorKind::UnexpectedEof => BackupError::Foreign(name.to_owned()),
            _ => failed(error),
        };
        from.read_exact(&mut front[..12]).map_err(foreign)?;
        if &front[..11] != MAGIC {
            return Err(BackupError::Foreign(name.to_owned()));
        }
        if front[11] != FORM {
            let (path, found) = (name.to_owned(), front[11]);
            return Err(match found < FORM {
                true => BackupError::Older { path, found, known: FORM },
                false => BackupError::Newer { path, found, known: FORM },
            });
        }
        from.read_exact(&mut front[12..]).map_err(|error| match error.kind() {
            ErrorKind::UnexpectedEof => {
                BackupError::Cut { path: name.to_owned(), after: Head::default() }
            }
            _ => failed(error),
        })?;
        let mut asked = [0; 8];
        asked.copy_from_slice(&front[12..]);
        Ok(Reading {
            path: name.to_owned(),
            file: path.to_owned(),
            from,
            asked: Position(u64::from_be_bytes(asked)),
            sum: next_sum(Hash::default(), &front),
            chunk: Vec::new(),
            read: 0,
            invalid: None,
        })
    }

    pub(super) fn next(&mut self) -> Result<Next<'_>, Trouble> {
        if self.read == self.chunk.len() {
            if let Some(invalid) = self.invalid.take() {
                return Err(invalid);
            }
            let bytes = u32::from_be_bytes(self.take()?) as usize;
            if bytes == 0 {
                return self.end();
            }
            if bytes > CHUNK_BYTES_MAX {
                return Err(Trouble::Sum);
            }
            self.read_chunk(bytes)?;
        }
        let rest = &self.chunk[self.read..];
        let length = rest.first_chunk().map(|it| u32::from_be_bytes(*it) as usize);
        let Some(entry) = length.and_then(|bytes| rest.get(4..)?.get(..bytes)) else {
            return Err(self.invalid.take().unwrap_or(Trouble::Sum));
        };
        self.read += 4 + entry.len();
        Ok(Next::Entry(entry))
    }

    fn read_chunk(&mut self, bytes: usize) -> Result<(), Trouble> {
        (self.read, self.invalid) = (0, None);
        self.chunk.clear();
        let read = (&mut self.from).take(bytes as u64).read_to_end(&mut self.chunk);
        if read.map_err(|error| self.trouble(error))? < bytes {
            self.invalid = Some(Trouble::Cut);
            return Ok(());
        }
        self.sum = next_sum(self.sum, &self.chunk);
        match self.take() {
            Ok(sum) if Hash(sum) == self.sum => {}
            Ok(_) => self.invalid = Some(Trouble::Sum),
            Err(trouble) => self.invalid = Some(trouble),
        }
        Ok(())
    }

    fn end(&mut self) -> Result<Next<'_>, Trouble> {
        let position: [u8; 8] = self.take()?;
        let hash: [u8; 32] = self.take()?;
        let end = [&[0; 4][..], &position, &hash].concat();
        let sum = next_sum(self.sum, &end);
        if Hash(self.take()?) != sum {
            return Err(Trouble::Sum);
        }
        let mut more = [0];
        if self.from.read(&mut more).map_err(|error| self.trouble(error))? > 0 {
            return Err(Trouble::Sum);
        }
        let position = Position(u64::from_be_bytes(position));
        Ok(Next::End(Head { position, hash: Hash(hash) }))
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], Trouble> {
        let mut out = [0; N];
        self.from.read_exact(&mut out).map_err(|error| self.trouble(error))?;
        Ok(out)
    }

    fn trouble(&self, error: std::io::Error) -> Trouble {
        match error.kind() {
            ErrorKind::UnexpectedEof => Trouble::Cut,
            _ => Trouble::Failed(BackupError::file("cannot read", &self.path)(error)),
        }
    }
}
