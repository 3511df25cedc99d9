//! The world in memory.

use crate::laws::world::{Heard, Levels, QUOTED_MAX, SPACES, TTL_MAX, World, level};
use std::sync::Arc;
use stoa_actors::atom::Atom;
use stoa_actors::behaviour::{Authority, View};
use stoa_actors::id::{AtomId, Millis, Position, SessionId, SpaceId, StreamId};
use stoa_actors::incarnation::Request;
use stoa_actors::log::Body;
use stoa_actors::rights::Level;
use stoa_actors::simulation::{AppendOutcome, Simulation};
use stoa_actors::space::{Change, Filter, Follower, Message, Space, Wake};

/// Spaces over a simulated log, and what sessions may do there.
pub(crate) struct Simulated(Simulation<Space>, Held);

/// Session and space are told by their first byte, less one: 0 is the root.
#[derive(Clone, Copy)]
struct Held(Levels);

impl Authority for Held {
    fn level(&self, holder: SessionId, space: SpaceId, _: Millis) -> Option<Level> {
        self.0(holder.0[0] - 1, usize::from(space.0[0] - 1))
    }
}

impl Simulated {
    pub(crate) fn new() -> Simulated {
        Simulated::with(level)
    }

    pub(crate) fn with(levels: Levels) -> Simulated {
        let mut simulation = Simulation::new(41);
        simulation.limits.lease_ms_max = TTL_MAX;
        Simulated(simulation, Held(levels))
    }

    fn hear(told: Vec<stoa_actors::simulation::Told<Space>>) -> Vec<Heard> {
        let heard = told.into_iter().map(|it| {
            let (ticket, answer, position) = (it.ticket, it.answer, it.position);
            Heard { ticket, answer, position }
        });
        heard.collect()
    }

    /// Lets a follower look at what is there, until it has seen enough.
    fn look(&self, follower: &mut Follower, space: SpaceId, limit: usize) -> Vec<Change> {
        let mut seen = Vec::new();
        let from = follower.cursor();
        let after = self.0.disk().stream_after(space.stream(), 0).filter(|(at, _)| *at > from);
        for (at, body) in after {
            if seen.len() >= limit {
                break;
            }
            seen.extend(follower.take(at, body).expect("what was written reads"));
        }
        seen
    }
}

impl World for Simulated {
    fn session(&self, who: u8) -> SessionId {
        SessionId([who + 1; 16])
    }

    fn space(&self, n: usize) -> SpaceId {
        assert!(n < SPACES);
        SpaceId([n as u8 + 1; 16])
    }

    fn ask(&mut self, space: usize, ask: Request<Message>) -> u64 {
        let stream = self.space(space).stream();
        let held = self.1;
        self.0.ask_under(stream, ask, &held)
    }

    fn commit(&mut self, count: usize) -> Vec<Heard> {
        Simulated::hear(self.0.commit(count))
    }

    fn quiet(&self) -> bool {
        true
    }

    fn fail(&mut self, nth: u64, fate: AppendOutcome) {
        self.0.fail_append(nth, fate);
    }

    fn crash(&mut self) -> Vec<Heard> {
        self.0.crash();
        Vec::new()
    }

    fn entries(&self, space: usize, seq: u64) -> Vec<(Position, Body)> {
        self.0
            .disk()
            .stream_after(self.space(space).stream(), seq)
            .map(|(at, it)| (at, it.clone()))
            .collect()
    }

    fn atom(&self, id: AtomId) -> Option<Arc<Atom>> {
        self.0.disk().atom(id)
    }

    fn sources(&self, id: AtomId) -> Vec<(String, AtomId)> {
        self.0.disk().sources(id, None)
    }

    fn changes(
        &self,
        _: u8,
        space: usize,
        cursor: Position,
        filter: &Filter,
        limit: usize,
    ) -> (Vec<Change>, Position) {
        let space = self.space(space);
        let mut follower = Follower::new(space, cursor, filter.clone());
        let seen = self.look(&mut follower, space, limit);
        (seen, follower.cursor())
    }

    fn marker(
        &self,
        who: u8,
        space: usize,
        cursor: Position,
        filter: &Filter,
    ) -> (Option<Wake>, Position) {
        let (seen, cursor) = self.changes(who, space, cursor, filter, usize::MAX);
        let to = self.session(who);
        let mut pending = None;
        for change in seen {
            Wake::coalesce(&mut pending, to, &change.notice(), QUOTED_MAX);
        }
        (pending, cursor)
    }

    fn now(&self) -> Millis {
        self.0.now
    }

    fn tick_ms(&self) -> u64 {
        1
    }

    fn due(&self) -> Vec<(Millis, StreamId)> {
        self.0.disk().due().collect()
    }

    fn pass(&mut self, ms: u64) -> bool {
        self.0.now.0 += ms;
        true
    }

    fn holds(&self) -> Result<(), String> {
        let disk = self.0.disk();
        if !disk.folds() {
            return Err("fold: the rows are not those of the log".into());
        }
        if disk.chains() { Ok(()) } else { Err("chain: it does not hold".into()) }
    }

    fn audit(&mut self) -> Result<(), String> {
        self.holds()
    }
}
