//! How a data directory is, told.

use crate::VectorStatus;
use crate::caller::Caller;
use crate::problem::Problem;
use crate::search::IndexCard;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use stoa_actors::id::{Millis, Position, ROOT, SpaceId, StreamId};
use stoa_actors::log::Head;
use stoa_actors::rights::Subject;

/// How a data directory is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// The process that has it open.
    pub pid: u32,
    /// The last durable entry.
    pub head: Head,
    /// How far its clock is ahead of the machine's, in milliseconds; less than nothing where it is
    /// behind. It follows the log where the machine's clock was set back, within a bound.
    pub clock_ahead_ms: i64,
    /// Commits since it was opened.
    pub commits: u64,
    /// How long the commit that runs has taken, in milliseconds.
    pub commit_ms: u64,
    /// Sessions alive.
    pub sessions: u64,
    /// Agents alive, by what they are doing: `idle`, `running`, …; those at rest that have no actor
    /// in memory are `passivated`.
    pub agents: BTreeMap<String, u64>,
    /// Spaces there are.
    pub spaces: u64,
    /// Actors that have a seat: in use, or used lately.
    pub seats: u64,
    /// Supervised actors that are up.
    pub running: u64,
    /// Up to where the log below the checkpoint was walked again, by the pass that runs or ran last.
    pub scrubbed: Position,
    /// When it had come so far; nothing when nothing was due yet.
    pub scrubbed_at: Option<Millis>,
    /// The indexes of searches in memory, and how far each is.
    pub indexes: Vec<IndexCard>,
    /// The embedder that is asked, and why its vectors lag; nothing where there is only the one
    /// that is built in.
    pub vectors: Option<VectorStatus>,
    /// Actors kept out of service, and why.
    pub quarantined: Vec<(String, String)>,
}

/// As far as the caller may see: other spaces and sessions are not counted and not named.
pub(super) async fn status(caller: &Caller) -> Result<Status, Problem> {
    use stoa_actors::supervisor::State;
    let runtime = &caller.runtime;
    let owner = caller.session() == ROOT;
    let supervised = runtime.supervised().await;
    let scrubbed = runtime.scrubbed();
    let seen = Seen::by(caller);
    Ok(Status {
        pid: std::process::id(),
        head: runtime.head()?,
        clock_ahead_ms: runtime.shared().clock.ahead_ms(),
        commits: runtime.commits(),
        scrubbed: scrubbed.map_or(Position(0), |it| it.head.position),
        scrubbed_at: scrubbed.map(|it| it.at),
        commit_ms: runtime.shared().log.commit_ms(),
        sessions: seen.sessions,
        agents: agents(caller).await?,
        spaces: seen.spaces.len() as u64,
        seats: runtime.seats() as u64,
        running: supervised.iter().filter(|(_, it)| *it == State::Running).count() as u64,
        indexes: runtime
            .indexes()
            .into_iter()
            .filter(|it| owner || seen.spaces.contains(&it.space))
            .collect(),
        vectors: runtime.vector_status().filter(|_| owner),
        quarantined: supervised
            .into_iter()
            .filter(|(stream, _)| owner || seen.streams.contains(stream))
            .filter_map(|(stream, state)| match state {
                State::Quarantined { why } => Some((stream.to_string(), why)),
                _ => None,
            })
            .collect(),
    })
}

/// What there is, as far as one session may see it.
struct Seen {
    sessions: u64,
    spaces: BTreeSet<SpaceId>,
    streams: BTreeSet<StreamId>,
}

impl Seen {
    fn by(caller: &Caller) -> Seen {
        let (own, shared) = (caller.session(), caller.runtime.shared());
        let (now, rights) = (shared.clock.now(), shared.rights.read());
        let reads = |space: &SpaceId| {
            own == ROOT || rights.level(own, &Subject::Space(*space), now).is_some()
        };
        let spaces: BTreeSet<SpaceId> = rights.spaces().filter(reads).collect();
        let mut streams: BTreeSet<StreamId> = spaces.iter().map(|it| it.stream()).collect();
        let mut sessions = 0;
        for (session, birth) in rights.births() {
            if own == ROOT || own == session || rights.governs(own, session) {
                streams.insert(session.stream());
                sessions += u64::from(birth.ended.is_none());
            }
        }
        Seen { sessions, spaces, streams }
    }
}

async fn agents(caller: &Caller) -> Result<BTreeMap<String, u64>, Problem> {
    let mut counts = BTreeMap::new();
    for card in caller.agents().await? {
        let at_rest = card.state == "idle" && !caller.runtime.is_up(card.id.stream());
        let state = if at_rest { "passivated".to_owned() } else { card.state };
        *counts.entry(state).or_insert(0) += 1;
    }
    Ok(counts)
}
