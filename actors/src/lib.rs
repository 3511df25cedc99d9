//! What stoa's actors *are*: the contract between a decision and its host, and the decisions of
//! spaces, rights and supervisors.
//!
//! What is not here: a clock, chance, a file, a thread, a socket, a log line, anything that awaits.
//! Those arrive as arguments, so that everything can be simulated, and so that a state is a
//! function of the log.
//!
//! In reading order: [`id`], [`value`] and [`atom`] are the data, [`difference`] is what two versions
//! of an atom differ in; [`behaviour`] is the contract, [`incarnation`] the order of a delivery, [`mod@outbox`] what
//! actors send each other;
//! [`space`], [`session`] and [`rights`] are actors, [`supervisor`] says who is started again,
//! [`passivation`] who is let go for a while, [`retry`] what is asked again and when, [`alarm`] who
//! is told that something is due, [`clock`] when a host's time begins; [`log`] is the pure half of
//! the log, [`commit`] what is written to it at once and how that is judged, [`scrub`] when it is walked again, [`redaction`] what leaves it, [`codec`] its bytes,
//! [`mod@stored`] how what is in them can grow, [`digest`] what a request is however it is laid out;
//! [`trust`] says whether a directory counts on this machine; [`code`] is how agents act, [`search`]
//! how they find atoms; [`simulation`] runs any actor in memory and crashes it; [`printable`] is what
//! a reader sees of a text, [`name`] what things may be called, [`nearest`] which word was meant;
//! [`limits`] bounds it all, [`mod@weight`] says what a message takes, [`mutant`] plants bugs for the tests.

pub mod alarm;
pub mod atom;
pub mod behaviour;
pub mod clock;
pub mod code;
pub mod codec;
pub mod commit;
pub mod difference;
pub mod digest;
pub mod ending;
mod forms;
pub mod id;
pub mod incarnation;
pub mod limits;
pub mod log;
pub mod mutant;
pub mod name;
pub mod nearest;
pub mod outbox;
pub mod passivation;
pub mod printable;
pub mod redaction;
pub mod retry;
pub mod rights;
pub mod scrub;
pub mod search;
pub mod session;
pub mod simulation;
pub mod space;
pub mod stored;
pub mod supervisor;
pub mod trust;
pub mod value;
pub mod weight;
pub mod world;
