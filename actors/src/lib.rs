//! What stoa's actors *are*: the contract between a decision and its host, and the decisions of
//! spaces, rights, agents and supervisors.
//!
//! What is not here: a clock, chance, a file, a thread, a socket, a log line, anything that awaits.
//! Those arrive as arguments. So everything can be simulated, and a state is a function of the log.
//!
//! No module imports one that imports it. In reading order, from the ground up:
//!
//! - Data: [`id`], [`value`], [`atom`] (a versioned record), [`difference`] of two versions,
//!   [`name`] (what things may be called), [`nearest`] (which name was meant), [`printable`] (what
//!   a reader sees of a text), [`limits`], [`mod@weight`] (what a message takes in memory).
//! - Bytes: [`codec`], [`mod@stored`] (how stored forms grow), [`digest`] (when two requests are the
//!   same), [`log`], [`commit`] (what is written at once), [`scrub`] (when it is verified again),
//!   [`redaction`] (what leaves it).
//! - The contract: [`right`] (levels of permission), [`behaviour`] with its [`outbox`] (messages
//!   between actors), [`incarnation`] (the order of a delivery, written once).
//! - Actors: [`conditions`] on records, [`space`], [`agent`] (what an agent is specified by),
//!   [`rights`] (who may do what), [`briefing`] (what a model is told anew), [`session`] (one agent),
//!   [`search`] (an index of one space), [`code`] (how agents act), [`window`] (all that a model is
//!   told), [`live`] (what it is saying), [`trace`] (what agents did, as spans).
//! - Around them: [`supervisor`] (who is restarted), [`passivation`] (who is put to rest), [`retry`],
//!   [`alarm`] (who is told that something is due), [`clock`], [`trust`] (whether a directory counts
//!   on this machine).
//! - Tests: [`simulation`] runs one kind of actor in memory and crashes it, [`world`] runs all kinds
//!   together, [`mutant`] plants bugs.

pub mod agent;
pub mod alarm;
pub mod atom;
pub mod behaviour;
pub mod briefing;
pub mod clock;
pub mod code;
pub mod codec;
pub mod commit;
pub mod conditions;
pub mod difference;
pub mod digest;
pub mod ending;
mod forms;
pub mod id;
pub mod incarnation;
pub mod limits;
pub mod live;
pub mod log;
pub mod mutant;
pub mod name;
pub mod nearest;
mod overlay;
pub mod passivation;
pub mod printable;
pub mod redaction;
pub mod retry;
pub mod right;
pub mod rights;
pub mod scrub;
pub mod search;
pub mod session;
pub mod simulation;
pub mod space;
pub mod stored;
pub mod supervisor;
pub mod trace;
pub mod trust;
pub mod value;
pub mod weight;
pub mod window;
pub mod world;

pub use behaviour::outbox;
