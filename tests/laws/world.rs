//! Where the laws of spaces are tried: in memory, or over a real store. The suites know no more of
//! it than this, so that both are held to the same schedules by the same naive models.

use std::sync::Arc;
use stoa_actors::atom::Atom;
use stoa_actors::id::{AtomId, Millis, Position, SessionId, SpaceId, StreamId};
use stoa_actors::incarnation::{Refused, Request};
use stoa_actors::log::Body;
use stoa_actors::rights::Level;
use stoa_actors::simulation::AppendOutcome;
use stoa_actors::space::{Change, Filter, Message, Refusal, Reply, Wake};

/// Spaces in every world.
pub(crate) const SPACES: usize = 2;
/// Comments that a marker quotes, in every world: few, so that most markers cover more.
pub(crate) const QUOTED_MAX: usize = 3;

/// Session `who` holds the `who`-th level in the first space; in the second 1 and 3 may write, the
/// others nothing.
pub(crate) fn level(who: u8, space: usize) -> Option<Level> {
    let by_place = [None, Some(Level::Read), Some(Level::Append), Some(Level::Write)];
    match (who, space) {
        (who, 0) => by_place[usize::from(who)],
        (0 | 2, _) => None,
        _ => Some(Level::Write),
    }
}

/// Ticks that a lease may last, in every world.
pub(crate) const TTL_MAX: u64 = 1_000;

/// What a session may do in a space, if anything.
pub(crate) type Levels = fn(who: u8, space: usize) -> Option<Level>;

/// What an asker was told.
#[derive(Debug)]
pub(crate) struct Heard {
    pub(crate) ticket: u64,
    pub(crate) answer: Result<Reply, Refused<Refusal>>,
    pub(crate) position: Option<Position>,
}

/// Two spaces and a few sessions.
pub(crate) trait World {
    fn session(&self, who: u8) -> SessionId;
    fn space(&self, n: usize) -> SpaceId;
    /// Asks; the answer is heard when it comes to that.
    fn ask(&mut self, space: usize, ask: Request<Message>) -> u64;
    /// Goes on until the oldest `count` questions are answered.
    fn commit(&mut self, count: usize) -> Vec<Heard>;
    /// Whether everything that was asked is answered.
    fn quiet(&self) -> bool;
    /// Lets the `nth` write from now on fail.
    fn fail(&mut self, nth: u64, fate: AppendOutcome);
    /// Dies, and is opened again. What was heard before it died, and not yet listened to.
    fn crash(&mut self) -> Vec<Heard>;
    /// The durable entries of a space after its entry number `seq`.
    fn entries(&self, space: usize, seq: u64) -> Vec<(Position, Body)>;
    fn atom(&self, id: AtomId) -> Option<Arc<Atom>>;
    fn sources(&self, id: AtomId) -> Vec<(String, AtomId)>;
    /// The changes after a cursor, at most `limit`, and the cursor to go on from.
    fn changes(
        &self,
        who: u8,
        space: usize,
        cursor: Position,
        filter: &Filter,
        limit: usize,
    ) -> (Vec<Change>, Position);
    /// The one marker for everything after a cursor, and the cursor to go on from.
    fn marker(
        &self,
        who: u8,
        space: usize,
        cursor: Position,
        filter: &Filter,
    ) -> (Option<Wake>, Position);
    fn now(&self) -> Millis;
    /// What a schedule's millisecond lasts.
    fn tick_ms(&self) -> u64;
    /// The leases that will be over, and when.
    fn due(&self) -> Vec<(Millis, StreamId)>;
    /// Lets time go by, where it is the world's own; says whether it is.
    fn pass(&mut self, ms: u64) -> bool;
    /// [chain] and [fold], wherever that is cheap: asked after every step.
    fn holds(&self) -> Result<(), String>;
    /// The same, whatever it costs: asked once, at the end.
    fn audit(&mut self) -> Result<(), String>;
}
