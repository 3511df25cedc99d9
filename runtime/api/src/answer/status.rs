//! How a data directory is.

use super::{Failed, NOBODY_RUNS};
use crate::VectorStatus;
use crate::agents::AgentCard;
use crate::caller::Caller;
use crate::operation::{Answer, Line, Page, Tone};
use crate::search::IndexCard;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use stoa_actors::ending::shown;

/// How far the index of a space is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct IndexAnswer {
    /// The id of the space.
    pub space: String,
    /// Entries of it that were read.
    pub entries: u64,
    /// Entries there were when reading began: while it is less than that, searches wait.
    pub of: u64,
    /// Atoms in it.
    pub atoms: u64,
    /// Vectors that segments find, so that they need not be scanned.
    pub sealed: u64,
    /// How many vectors are in the segment that is being made, and of how many.
    pub sealing: Option<(u64, u64)>,
}

/// How the embedder that is asked is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct VectorAnswer {
    /// The model, and where.
    pub embedder: String,
    /// The dimensions of its vectors.
    pub dims: usize,
    /// Every atom up to here has its vector.
    pub upto: u64,
    /// Entries behind that.
    pub behind: u64,
    /// Whether searches go by its vectors; by the built-in ones until it has come to the end.
    pub serves: bool,
    /// Texts that it refused, since the open: found by their words alone.
    pub refused: u64,
    /// Why it does not go on; null when it does.
    pub why: Option<String>,
}

/// An agent whose last turns have failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FailingAnswer {
    /// The id of the agent.
    pub id: String,
    /// What the caller calls it, or what its parent does.
    pub name: Option<String>,
    /// What it is doing: `waiting` for the next try, `quarantined`, …
    pub state: String,
    /// How its turns have failed.
    pub failed: Failed,
}

/// How a data directory is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StatusAnswer {
    /// The process that has it open, another one than that which asks; null where the call itself
    /// has opened it, for as long as it takes.
    pub pid: Option<u32>,
    /// Whether a process runs the agents: `stoa serve` does.
    pub agents_run: bool,
    /// The last durable entry: its position and hash.
    pub head: String,
    /// How far its clock is ahead of the machine's, in milliseconds.
    pub clock_ahead_ms: i64,
    /// Commits since it was opened.
    pub commits: u64,
    /// How long the commit that runs has taken, in milliseconds.
    pub commit_ms: u64,
    /// How many sessions there are that have not ended.
    pub sessions: u64,
    /// Agents alive, by what they are doing; those at rest that have no actor in memory are
    /// `passivated`.
    pub agents: BTreeMap<String, u64>,
    /// Spaces there are.
    pub spaces: u64,
    /// Actors that have an address: in use, or used lately.
    pub addresses: u64,
    /// Supervised actors that are up.
    pub running: u64,
    /// Up to where the log below the checkpoint was walked again.
    pub scrubbed: u64,
    /// When it had come so far; null when nothing was due yet.
    pub scrubbed_at: Option<String>,
    /// The indexes of searches in memory.
    pub indexes: Vec<IndexAnswer>,
    /// The embedder that is asked; null where there is only the one that is built in.
    pub vectors: Option<VectorAnswer>,
    /// Agents whose last turns have failed, the latest first.
    pub failing: Vec<FailingAnswer>,
    /// Actors kept out of service, and why.
    pub quarantined: Vec<(String, String)>,
}

impl IndexAnswer {
    /// Of an index in memory.
    pub(crate) fn of(it: IndexCard) -> IndexAnswer {
        IndexAnswer {
            space: it.space.to_string(),
            entries: it.entries,
            of: it.of,
            atoms: it.atoms,
            sealed: it.sealed,
            sealing: it.sealing,
        }
    }
}

impl VectorAnswer {
    /// Of the embedder that is asked.
    pub(crate) fn of(it: VectorStatus) -> VectorAnswer {
        VectorAnswer {
            embedder: it.embedder,
            dims: it.dims,
            upto: it.upto.0,
            behind: it.behind,
            serves: it.serves,
            refused: it.refused,
            why: it.why,
        }
    }
}

impl FailingAnswer {
    /// Of an agent that has failed, as the caller sees it.
    pub(crate) fn of(caller: &Caller, card: &AgentCard) -> Option<FailingAnswer> {
        Some(FailingAnswer {
            id: card.id.to_string(),
            name: caller.name_of(card.id).or_else(|| card.name.clone()),
            state: card.state.clone(),
            failed: Failed::of(card)?,
        })
    }
}

/// A difference between the clocks that is told.
const CLOCK_TOLD_MS: i64 = 1_000;

impl Answer for StatusAnswer {
    fn show(&self, to: &mut Page) {
        let scrubbed_at = self.scrubbed_at.as_ref().map(|it| to.time(it));
        let mut line = |key: &str, value: String| {
            to.line(Line::new().dim(format!("{key:<12}")).plain(format!(" {value}")));
        };
        line(
            "process",
            match (self.pid, self.agents_run) {
                (None, _) => "no process serves the directory; this command opened it for \
                              itself"
                    .to_owned(),
                (Some(pid), true) => format!("{pid} has it open, and runs the agents"),
                (Some(pid), false) => format!("{pid} has it open"),
            },
        );
        line("head", self.head.clone());
        if self.clock_ahead_ms.abs() >= CLOCK_TOLD_MS {
            let way = if self.clock_ahead_ms > 0 { "ahead of" } else { "behind" };
            let seconds = self.clock_ahead_ms.abs() / 1_000;
            line("clock", format!("{seconds} s {way} this machine's: so the log says"));
        }
        line("spaces", self.spaces.to_string());
        line("sessions", self.sessions.to_string());
        for (state, count) in &self.agents {
            line("agents", format!("{count} {state}"));
        }
        line("running", format!("{} actors, {} addresses", self.running, self.addresses));
        line("commits", format!("{} since it was opened", self.commits));
        let scrubbed = scrubbed_at.as_ref();
        line(
            "scrubbed",
            scrubbed.map_or_else(
                || "nothing is due".to_owned(),
                |at| format!("to {} ({at})", self.scrubbed),
            ),
        );
        for it in &self.indexes {
            if it.entries < it.of {
                let far = format!("of {}: {} of {} entries are read", it.space, it.entries, it.of);
                line("index", far);
            }
            if let Some((done, of)) = it.sealing {
                let far = format!("of {}: {done} of {of} vectors are in a segment", it.space);
                line("index", far);
            }
        }
        if let Some(it) = &self.vectors {
            let served = if it.serves { "" } else { ", not served yet" };
            let lag =
                if it.behind == 0 { "up to date".into() } else { format!("{} behind", it.behind) };
            line("vectors", format!("{} ({} dims): {lag}{served}", it.embedder, it.dims));
            if it.refused > 0 {
                line("", format!("{} texts were refused: found by words alone", it.refused));
            }
            if let Some(why) = &it.why {
                let lag = Line::new().piece(Tone::Warn, "vectors lag");
                to.line(lag.plain(format!("  {why}")));
            }
        }
        for it in &self.failing {
            let failed = it.failed.shown(to);
            let name = it.name.as_deref().unwrap_or_else(|| shown(&it.id));
            let who = Line::new().piece(Tone::Bad, format!("{:<12}", "failing"));
            to.line(who.plain(" ").bold(name).plain(format!("  {failed}")));
        }
        for (stream, why) in &self.quarantined {
            let who = Line::new().piece(Tone::Bad, format!("quarantined  {stream}"));
            to.line(who.plain(format!(" {why}")));
        }
        if !self.agents.is_empty() && !self.agents_run {
            to.line(Line::new().piece(Tone::Warn, NOBODY_RUNS));
        }
    }
}
