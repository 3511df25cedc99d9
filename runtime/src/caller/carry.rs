//! Exporting a space and importing one.

use super::{Caller, Why};
use crate::embedder;
use crate::envelope::Exported;
use crate::failure::StoreError;
use crate::problem::{Kind, Problem};
use serde::{Deserialize, Serialize};
use stoa_actors::atom::Embed;
use stoa_actors::id::{Position, SpaceId, StreamId};
use stoa_actors::search::words;
use stoa_actors::space::{Carried, Message, Reply};

/// What one piece of an import has brought.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Imported {
    /// Versions that were not there.
    pub new: u64,
    /// Versions that were there, just so.
    pub known: u64,
}

/// Reads a space as it was at one head, in pieces.
pub struct Export {
    caller: Caller,
    stream: StreamId,
    seq: u64,
    exported: Exported,
    built_in: u32,
}

/// Entries of a piece are read until their contents take so much.
const EXPORT_BYTES: usize = 1 << 20;
/// And at most so many.
const EXPORT_ENTRIES: usize = 512;

impl Caller {
    /// Every version of every atom of a space, as it is durable now. Needs `read`.
    pub fn export(&self, space: SpaceId) -> Result<Export, Problem> {
        self.level(space).ok_or_else(|| Problem::no_space(&space.to_string()))?;
        let exported = Exported {
            space,
            description: self.description(space)?,
            upto: self.runtime.durable(),
            at: self.runtime.now(),
        };
        let built_in = embedder::built_in().fingerprint();
        Ok(Export { caller: self.clone(), stream: space.stream(), seq: 0, exported, built_in })
    }

    /// Takes versions in that come from another store, or another space: all of them or none, in
    /// one entry, which is the caller's doing. Those that are there already are passed over, so a
    /// piece may be sent again; sent whole again, an import that was cut off is completed. Needs
    /// `write`.
    ///
    /// What was exported without a vector gets one. Errors: [`Kind::Conflict`] for a version that
    /// is there and says something else, for an id that is in use elsewhere, and for an atom that
    /// somebody has leased; [`Kind::Invalid`] for a version without the one before, and over a
    /// limit.
    pub async fn import(
        &self,
        space: SpaceId,
        mut carried: Vec<Carried>,
        why: Why,
    ) -> Result<Imported, Problem> {
        let mut bytes = 0;
        for it in &mut carried {
            bytes += it.bytes();
            if it.embedding.is_none() {
                let text = words(&it.annotation, &it.metadata, &it.content);
                it.embedding = self.embed(text).await;
            }
        }
        match self.send(space, Message::Import(carried), why, bytes).await?.reply {
            Reply::Imported { new, known } => Ok(Imported { new, known }),
            reply => Err(Problem::new(Kind::Store, format!("an answer amiss: {reply:?}"))),
        }
    }
}

impl Export {
    /// What the first line says.
    pub fn exported(&self) -> &Exported {
        &self.exported
    }

    /// How far it has read, and how far it will: numbers of the space's entries.
    pub fn so_far(&self) -> Result<(u64, u64), Problem> {
        Ok((self.seq, self.caller.runtime.store().last_seq(self.stream)?.max(self.seq)))
    }

    /// The next versions, in order; nothing at the end.
    pub fn piece(&mut self) -> Result<Option<Vec<Carried>>, Problem> {
        let (mut found, mut bytes, mut read) = (Vec::new(), 0, 0);
        let store = self.caller.runtime.store();
        for entry in store.entries_after(self.stream, self.seq) {
            let entry = entry?;
            if entry.position > self.exported.upto
                || bytes >= EXPORT_BYTES
                || read >= EXPORT_ENTRIES
            {
                break;
            }
            (self.seq, read) = (entry.header.seq, read + 1);
            let space = self.exported.space;
            let leaving = Carried::of(space, entry.position, &entry.body);
            for mut it in leaving.map_err(StoreError::from)? {
                bytes += it.bytes();
                it.embedding = it.embedding.filter(|made| made.fingerprint != self.built_in);
                found.push(it);
            }
        }
        // Rights second: what was read before a revoke is not handed out after it.
        let space = self.exported.space;
        self.caller.level(space).ok_or_else(|| Problem::no_space(&space.to_string()))?;
        Ok((read > 0).then_some(found))
    }

    /// Everything up to here is in it.
    pub fn upto(&self) -> Position {
        self.exported.upto
    }
}
