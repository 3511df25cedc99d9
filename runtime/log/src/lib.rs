//! What is durable: one log of every actor, in one directory, owned by one process.
//!
//! An entry is acknowledged once it is on the medium and the witness says so; every entry holds the
//! hash of the one before. All tables are derived from the log and can be made anew.
//!
//! In reading order: [`limits`] is what bounds it; [`log`] writes entries and tells when they are
//! durable, in the [`order`] of one process or of several; [`store`] opens a directory, reads it and
//! proves it; [`decoders`] read entries without their actors; [`audit`] proves all of it, [`backup`]
//! copies it, and a [`atomic_file`] is a file that is not yet whole. [`blocking`] is the one way from async
//! code to reads of unknown length, [`clock`] the clock that never runs backwards, [`failure`] the
//! errors, [`fault`] the writes that a test lets fail.

pub mod atomic_file;
pub mod audit;
pub mod backup;
pub mod blocking;
pub mod clock;
pub mod decoders;
pub mod failure;
#[doc(hidden)]
pub mod fault;
pub mod limits;
pub mod log;
#[doc(hidden)]
pub mod order;
pub mod store;

pub use decoders::Decoders;
pub use limits::LogConfig;
