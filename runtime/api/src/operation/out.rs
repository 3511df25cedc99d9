//! What is told, and where it goes.

use super::Answer;
use crate::backup::Copied;
use crate::caller::{Caller, Mismatch};
use crate::ceiling::{Ceiling, Held, Place};
use crate::limits::DoorLimits;
use crate::problem::{Problem, ProblemKind};
use crate::research::ResearchStep;
use crate::runtime::Runtime;
use crate::search::IndexCard;
use serde::{Deserialize, Serialize};
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;
use stoa_actors::atom::Metadata;
use stoa_actors::id::SpaceId;
use tokio::sync::mpsc::{Receiver, Sender, channel};

/// Something that is told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum OutItem {
    /// An answer, as JSON.
    Answer(#[serde(skip)] Vec<u8>),
    /// A word about the answers.
    Note(Note),
    /// How far it is.
    Progress(Progress),
}

impl OutItem {
    /// An answer, read back.
    pub fn answer<A: Answer>(&self) -> Option<A> {
        match self {
            OutItem::Answer(json) => serde_json::from_slice(json).ok(),
            _ => None,
        }
    }
}

/// A word about the answers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// What people are shown.
    pub text: String,
    /// The same for programs, as JSON; nothing where they see it by themselves.
    pub json: Option<String>,
}

impl Note {
    /// One that programs are told as well.
    pub fn all(text: impl Into<String>) -> Note {
        let text = text.into();
        Note { json: Some(serde_json::json!({"note": text}).to_string()), text }
    }
}

/// How far something is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "each is what its type says")]
pub enum Progress {
    Doing(ResearchStep),
    /// The index that a search waits for is being made.
    Making(IndexCard),
    Copied(Copied),
}

/// Something on its way, and the room that it has.
pub(crate) struct Told {
    pub(crate) said: OutItem,
    /// It counts twice: as it is, and as the frame that is made of it.
    pub(crate) held: Held,
}

/// Where answers go. Who does not take them has the work for them wait: at `answers_max` of them,
/// and at `answers_bytes_max`, which counts all who are answered through one door.
#[derive(Clone)]
pub struct Answers {
    to: Sender<Told>,
    place: Arc<Place>,
}

/// Where they come out.
pub struct Ready(Receiver<Told>);

/// A way for answers to somebody in this process, with room of its own.
pub fn answers(limits: &DoorLimits) -> (Answers, Ready) {
    let stalled = Duration::from_millis(limits.stalled_ms_max);
    let (answers, ready) = told(limits, Ceiling::new(limits.answers_bytes_max, stalled).enter());
    (answers, Ready(ready))
}

/// The same under a ceiling that others are under as well.
pub(crate) fn told(limits: &DoorLimits, place: Arc<Place>) -> (Answers, Receiver<Told>) {
    let (to, ready) = channel(limits.answers_max.max(1));
    (Answers { to, place }, ready)
}

impl Ready {
    /// The next; nothing once no more will come.
    pub async fn next(&mut self) -> Option<OutItem> {
        self.0.recv().await.map(|told| told.said)
    }
}

/// What it takes besides what it says.
const FRAME_BYTES: usize = 64;

fn bytes(said: &OutItem) -> usize {
    let bytes = match said {
        OutItem::Answer(json) => json.len(),
        OutItem::Note(note) => note.text.len() + note.json.as_ref().map_or(0, String::len),
        OutItem::Progress(_) => FRAME_BYTES,
    };
    held_bytes(bytes)
}

fn held_bytes(bytes: usize) -> usize {
    (bytes + FRAME_BYTES).saturating_mul(2)
}

fn written<A: Serialize>(answer: &A, kept: Option<Vec<u8>>) -> Result<Written, Problem> {
    let mut to = Written { bytes: 0, kept };
    serde_json::to_writer(&mut to, answer).map_err(unwritten)?;
    Ok(to)
}

fn unwritten(error: serde_json::Error) -> Problem {
    Problem::new(ProblemKind::Store, format!("no JSON: {error}"))
}

/// Counts what is written, and keeps it where it is to.
struct Written {
    bytes: usize,
    kept: Option<Vec<u8>>,
}

impl std::io::Write for Written {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.bytes += bytes.len();
        if let Some(kept) = &mut self.kept {
            kept.extend_from_slice(bytes);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Answers {
    async fn say(&self, said: OutItem) -> Result<(), Problem> {
        let held = self.place.hold(bytes(&said)).await;
        self.send(Told { said, held }).await
    }

    async fn send(&self, told: Told) -> Result<(), Problem> {
        let gone = |_| Problem::new(ProblemKind::Busy, "nobody listens any more");
        self.to.send(told).await.map_err(gone)
    }

    /// Who does not keep up is told less, not later.
    pub(crate) fn say_now(&self, progress: Progress) {
        let said = OutItem::Progress(progress);
        if let Some(held) = self.place.try_hold(bytes(&said)) {
            drop(self.to.try_send(Told { said, held }));
        }
    }
}

/// Where an operation tells its answers.
pub struct Out<A> {
    /// Of whatever type they are.
    pub(crate) to: Answers,
    of: PhantomData<fn(A)>,
}

/// How often somebody who waits for an index is told how far it is.
const INDEX_LOOK: Duration = Duration::from_millis(500);

impl<A: Answer> Out<A> {
    pub(super) fn new(to: Answers) -> Out<A> {
        Out { to, of: PhantomData }
    }

    /// Tells one answer.
    pub async fn tell(&self, answer: A) -> Result<(), Problem> {
        // The room for it is there before it is written.
        let bytes = written(&answer, None)?.bytes;
        let held = self.to.place.hold(held_bytes(bytes)).await;
        let json = written(&answer, Some(Vec::with_capacity(bytes)))?.kept.unwrap_or_default();
        drop(answer);
        self.to.send(Told { said: OutItem::Answer(json), held }).await
    }

    /// Tells several answers, in order; ends at the first that cannot be told.
    pub async fn all(&self, answers: impl Iterator<Item = A>) -> Result<(), Problem> {
        for answer in answers {
            self.tell(answer).await?;
        }
        Ok(())
    }

    /// Says something about the answers.
    pub async fn note(&self, note: Note) -> Result<(), Problem> {
        self.to.say(OutItem::Note(note)).await
    }

    /// Says something about the answers that programs see by themselves.
    pub async fn aside(&self, text: impl Into<String>) -> Result<(), Problem> {
        self.note(Note { text: text.into(), json: None }).await
    }

    /// Says how far it is, if somebody looks on.
    pub fn now(&self, progress: Progress) {
        self.to.say_now(progress);
    }

    /// Says how far the index of a space is while something waits for it.
    pub(crate) async fn meanwhile<T>(
        &self,
        runtime: &Runtime,
        space: SpaceId,
        work: impl Future<Output = T>,
    ) -> T {
        tokio::pin!(work);
        let mut tick = tokio::time::interval(INDEX_LOOK);
        tick.reset();
        loop {
            tokio::select! {
                done = &mut work => return done,
                _ = tick.tick() => {
                    let card = runtime.index_of(space);
                    let making = card.filter(IndexCard::is_being_made);
                    making.into_iter().for_each(|it| self.now(Progress::Making(it)));
                }
            }
        }
    }

    /// Tells which conditions fit nothing by the type of what they compare with.
    pub(crate) async fn mismatches(
        &self,
        caller: &Caller,
        space: SpaceId,
        wanted: &Metadata,
    ) -> Result<(), Problem> {
        if wanted.is_empty() {
            return Ok(());
        }
        for it in caller.mismatches(space, wanted).await? {
            let text = match &it {
                Mismatch::Type { meant, .. } => format!("{it}; type {meant}"),
                Mismatch::Key { .. } => it.to_string(),
            };
            self.note(Note { text, json: Some(it.json().to_string()) }).await?;
        }
        Ok(())
    }
}
