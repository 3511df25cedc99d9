//! Exporting a space and importing one.

use super::{Caller, WriteOptions};
use crate::embedder;
use crate::envelope::Exported;
use crate::failure::StoreError;
use crate::problem::{Problem, ProblemKind};
use crate::store::LogEntry;
use serde::{Deserialize, Serialize};
use stoa_actors::atom::Embed;
use stoa_actors::id::{AtomId, Position, SpaceId, StreamId};
use stoa_actors::search::words;
use stoa_actors::space::{ImportedVersion, Message, Reply};

/// What one piece of an import has brought.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Imported {
    /// Versions that were not there.
    pub new: u64,
    /// Versions that were there, just so.
    pub known: u64,
    /// Versions that lost to what is there, and are kept in the attic now.
    pub attic: u64,
    /// The atoms of which some did, now or before: whoever goes on importing the same copy says so
    /// of their later versions.
    pub lost: Vec<AtomId>,
}

/// Reads a space as it was at one head, in pieces.
pub struct ExportReader {
    caller: Caller,
    stream: StreamId,
    seq: u64,
    exported: Exported,
    built_in: u32,
}

impl Caller {
    /// Every version of every atom of a space, as it is durable now: at one head each export is the
    /// same, byte for byte. Needs `read`.
    pub async fn export(&self, space: SpaceId) -> Result<ExportReader, Problem> {
        self.level(space).ok_or_else(|| Problem::no_space(&space.to_string()))?;
        let upto = self.runtime.durable();
        let last = self.runtime.store().entry(upto)?;
        let at = last.map_or_else(|| self.runtime.now(), |entry| entry.body.at);
        let description = self.description(space).await?;
        let exported = Exported { space, description, upto, at };
        let built_in = embedder::built_in().fingerprint();
        Ok(ExportReader {
            caller: self.clone(),
            stream: space.stream(),
            seq: 0,
            exported,
            built_in,
        })
    }

    /// Takes versions in that come from another store, or another space: all of them or none, in
    /// one entry, which is the caller's doing. Those that are there already are passed over, so a
    /// piece may be sent again; sent whole again, an import that was cut off is completed. Needs
    /// `write`.
    ///
    /// What was exported without a vector gets one. Errors: [`ProblemKind::Conflict`] for a version that
    /// is there and says something else, for an id that is in use elsewhere, and for an atom that
    /// somebody has leased; [`ProblemKind::Invalid`] for a version without the one before, and over a
    /// limit.
    pub async fn import(
        &self,
        space: SpaceId,
        mut carried: Vec<ImportedVersion>,
        why: WriteOptions,
    ) -> Result<Imported, Problem> {
        for it in &mut carried {
            if it.embedding.is_none() {
                let text = words(&it.annotation, &it.metadata, &it.content);
                it.embedding = self.embed(text).await;
            }
        }
        match self.send(space, Message::Import(carried), why).await?.reply {
            Reply::Imported { new, known } => Ok(Imported { new, known, ..Imported::default() }),
            Reply::Merged { new, known, attic, lost } => Ok(Imported { new, known, attic, lost }),
            reply => {
                Err(Problem::new(ProblemKind::Store, format!("an unexpected answer: {reply:?}")))
            }
        }
    }
}

impl ExportReader {
    /// What the first line says.
    pub fn exported(&self) -> &Exported {
        &self.exported
    }

    /// How far it has read, and how far it will: numbers of the space's entries.
    pub fn so_far(&self) -> Result<(u64, u64), Problem> {
        Ok((self.seq, self.caller.runtime.store().last_seq(self.stream)?.max(self.seq)))
    }

    /// The next versions, in order; nothing at the end.
    pub async fn piece(&mut self) -> Result<Option<Vec<ImportedVersion>>, Problem> {
        let (stream, from, upto) = (self.stream, self.seq, self.exported.upto);
        let (space, built_in) = (self.exported.space, self.built_in);
        let read = self.caller.reading(move |caller| {
            let mut piece = Piece { found: Vec::new(), bytes: 0, read: 0, seq: from };
            let config = &caller.runtime.shared().config;
            for entry in caller.runtime.store().entries_after(stream, from) {
                let entry = entry?;
                let full = piece.bytes >= config.read_piece_bytes
                    || piece.read >= config.follow_entries_max;
                if entry.position > upto || full {
                    break;
                }
                piece.take(space, &entry, built_in)?;
            }
            // Rights second: what was read before a revoke is not handed out after it.
            caller.level(space).ok_or_else(|| Problem::no_space(&space.to_string()))?;
            Ok(piece)
        });
        let Piece { found, read, seq, .. } = read.await?;
        self.seq = seq;
        Ok((read > 0).then_some(found))
    }

    /// Everything up to here is in it.
    pub fn upto(&self) -> Position {
        self.exported.upto
    }
}

/// What of a space leaves it together.
struct Piece {
    found: Vec<ImportedVersion>,
    bytes: usize,
    read: usize,
    seq: u64,
}

impl Piece {
    /// What is made by the embedder that is built in can be made again.
    fn take(&mut self, space: SpaceId, entry: &LogEntry, built_in: u32) -> Result<(), StoreError> {
        (self.seq, self.read) = (entry.header.seq, self.read + 1);
        for mut it in ImportedVersion::of(space, entry.position, &entry.body)? {
            self.bytes += it.bytes();
            it.embedding = it.embedding.filter(|made| made.fingerprint != built_in);
            self.found.push(it);
        }
        Ok(())
    }
}
