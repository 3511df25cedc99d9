//! How a data directory is, told.

use crate::answer::{FailingAnswer, IndexAnswer, StatusAnswer, VectorAnswer};
use crate::blocking::blocking;
use crate::caller::Caller;
use crate::envelope::instant;
use crate::failure::StoreError;
use crate::problem::Problem;
use std::collections::{BTreeMap, BTreeSet};
use stoa_actors::id::{ROOT, SessionId, SpaceId, StreamId};
use stoa_actors::rights::{SpawnProgress, Subject};
use stoa_actors::session::Session;

/// Agents that are listed because their turns have failed.
const FAILING_MAX: usize = 10;
/// Agents that have failed which are looked at for that.
const FAILED_LOOKED_MAX: usize = 64;

/// As far as the caller may see: other spaces and sessions are not counted and not named.
pub(crate) async fn status(caller: &Caller) -> Result<StatusAnswer, Problem> {
    use stoa_actors::supervisor::State;
    let runtime = caller.runtime();
    let owner = caller.session() == ROOT;
    let supervised = runtime.supervised().await;
    let scrubbed = runtime.scrubbed();
    let seen = Sight::by(caller);
    Ok(StatusAnswer {
        pid: (!caller.is_within()).then(std::process::id),
        agents_run: runtime.agents_started(),
        head: runtime.head()?.to_string(),
        clock_ahead_ms: runtime.shared().clock.ahead_ms(),
        commits: runtime.commits(),
        scrubbed: scrubbed.map_or(0, |it| it.head.position.0),
        scrubbed_at: scrubbed.map(|it| instant(it.at)),
        commit_ms: runtime.shared().log.commit_ms(),
        sessions: seen.sessions,
        agents: agents(caller).await?,
        spaces: seen.spaces.len() as u64,
        addresses: runtime.addresses() as u64,
        running: supervised.iter().filter(|(_, it)| *it == State::Running).count() as u64,
        indexes: runtime
            .indexes()
            .into_iter()
            .filter(|it| owner || seen.spaces.contains(&it.space))
            .map(IndexAnswer::of)
            .collect(),
        vectors: runtime.vector_status().filter(|_| owner).map(VectorAnswer::of),
        failing: failing(caller).await?,
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
struct Sight {
    sessions: u64,
    spaces: BTreeSet<SpaceId>,
    streams: BTreeSet<StreamId>,
}

impl Sight {
    fn by(caller: &Caller) -> Sight {
        let (own, shared) = (caller.session(), caller.runtime().shared());
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
        Sight { sessions, spaces, streams }
    }
}

/// By the rows of those that are not idle: none is loaded for it.
async fn agents(caller: &Caller) -> Result<BTreeMap<String, u64>, Problem> {
    let runtime = caller.runtime();
    let all: Vec<(SessionId, bool)> = {
        let rights = runtime.shared().rights.read();
        let unborn = |it: &SessionId| {
            rights.birth(*it).is_some_and(|birth| birth.seen == SpawnProgress::NotYet)
        };
        rights.agents_under(caller.session()).map(|it| (it, unborn(&it))).collect()
    };
    let mut words = caller.phases().await?;
    let mut counts = BTreeMap::new();
    for (agent, unborn) in all {
        let word = match words.remove(&agent) {
            _ if runtime.out_of_service(agent).is_some() => "quarantined".to_owned(),
            Some(word) if word == "running" => runtime.in_a_turn().to_owned(),
            Some(word) => word,
            None if unborn => "unborn".to_owned(),
            None if runtime.is_up(agent.stream()) => "idle".to_owned(),
            None => "passivated".to_owned(),
        };
        *counts.entry(word).or_insert(0) += 1;
    }
    Ok(counts)
}

/// By the rows of those that have failed: only the latest of them are looked at.
async fn failing(caller: &Caller) -> Result<Vec<FailingAnswer>, Problem> {
    let store = caller.runtime().store().clone();
    let under: BTreeSet<SessionId> = {
        let rights = caller.runtime().shared().rights.read();
        rights.agents_under(caller.session()).collect()
    };
    let latest = move || {
        let mut failed = Vec::new();
        for row in store.own_rows::<Session>(Session::failed_keys()) {
            let (key, value) = row?;
            let row = Session::read_failed_row(&key, &value);
            failed.extend(row.filter(|(agent, _)| under.contains(agent)));
        }
        failed.sort_unstable_by_key(|(agent, at)| (std::cmp::Reverse(*at), *agent));
        failed.truncate(FAILED_LOOKED_MAX);
        Ok::<_, StoreError>(failed)
    };
    let mut cards = Vec::new();
    for (agent, _) in blocking(latest).await?? {
        let card = caller.agent_card(agent).await?;
        if card.trouble.as_ref().is_some_and(|it| it.in_a_row > 0) {
            cards.extend(FailingAnswer::of(caller, &card));
            if cards.len() >= FAILING_MAX {
                break;
            }
        }
    }
    Ok(cards)
}
