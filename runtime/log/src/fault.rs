//! Writes that fail on demand, where the feature `faults` is on: a promise about failed writes that
//! no failed write was held against proves nothing. Only the tests of this package turn it on;
//! without it nothing of this is left.

#[cfg(not(feature = "faults"))]
use crate::failure::StoreError;

/// Where a write can fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub enum Point {
    /// Before a batch is committed: nothing of it is in the log.
    Commit,
    /// After it: all of it is in the log, and still it is an error.
    Committed,
    /// Before the witness is written.
    Witness,
    Witnessed,
    /// Before a message between actors is delivered: no write, and it only can be held.
    Deliver,
}

/// Nothing fails by itself.
#[cfg(not(feature = "faults"))]
#[derive(Clone, Debug, Default)]
pub struct Faults(());

#[cfg(not(feature = "faults"))]
impl Faults {
    pub const fn holds(&self, _point: Point) -> bool {
        false
    }

    pub(crate) const fn meet(&self, _point: Point) -> Result<(), StoreError> {
        Ok(())
    }
}

/// The wall clock is right.
#[cfg(not(feature = "faults"))]
pub(crate) const fn wall_ahead_ms() -> u64 {
    0
}

#[cfg(feature = "faults")]
pub(crate) use on::wall_ahead_ms;
#[cfg(feature = "faults")]
pub use on::{Faults, set_wall_ahead};

#[cfg(feature = "faults")]
mod on {
    use super::Point;
    use crate::failure::StoreError;
    use parking_lot::{Condvar, Mutex};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    static WALL_AHEAD_MS: AtomicU64 = AtomicU64::new(0);

    /// Sets the wall clock of this process forward.
    pub fn set_wall_ahead(ms: u64) {
        WALL_AHEAD_MS.store(ms, Ordering::Relaxed);
    }

    pub(crate) fn wall_ahead_ms() -> u64 {
        WALL_AHEAD_MS.load(Ordering::Relaxed)
    }

    /// At most one fault that is yet to come, and one write that is held; shared by all clones.
    #[derive(Clone, Debug, Default)]
    pub struct Faults(Arc<Mutex<Option<(Point, u64)>>>, Arc<(Mutex<Option<Point>>, Condvar)>);

    impl Faults {
        /// Lets the `nth` write at this point from now on fail, 1 being the next.
        pub fn plant(&self, point: Point, nth: u64) {
            assert!(nth > 0, "the next write is number 1");
            *self.0.lock() = Some((point, nth));
        }

        /// Whether the fault is still to come.
        pub fn waits(&self) -> bool {
            self.0.lock().is_some()
        }

        /// From now on a write at this point waits until [`Faults::release`]; what is held at
        /// another goes on.
        pub fn hold(&self, point: Point) {
            *self.1.0.lock() = Some(point);
            self.1.1.notify_all();
        }

        /// Lets what is held go on.
        pub fn release(&self) {
            *self.1.0.lock() = None;
            self.1.1.notify_all();
        }

        pub fn holds(&self, point: Point) -> bool {
            *self.1.0.lock() == Some(point)
        }

        pub(crate) fn meet(&self, point: Point) -> Result<(), StoreError> {
            let mut held = self.1.0.lock();
            while *held == Some(point) {
                self.1.1.wait(&mut held);
            }
            drop(held);
            let mut planted = self.0.lock();
            match &mut *planted {
                Some((at, left)) if *at == point => *left -= 1,
                _ => return Ok(()),
            }
            if planted.is_some_and(|(_, left)| left > 0) {
                return Ok(());
            }
            *planted = None;
            Err(StoreError::Engine(format!("a fault was planted at {point:?}")))
        }
    }
}
