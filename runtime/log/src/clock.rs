//! The host clock: max(wall, last logged) at start, but not far ahead of the wall, then monotonic.
//! A step of the wall clock neither freezes nor mass-expires anything.

use crate::fault;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Instant, SystemTime, UNIX_EPOCH};
use stoa_actors::clock::begin;
use stoa_actors::id::Millis;
use stoa_actors::log::Hash;

/// Never runs backwards, and over a restart only where the log is further ahead of the wall than it
/// may be ([`stoa_actors::clock::begin`]).
#[derive(Debug)]
pub struct Clock {
    base: Millis,
    started: Instant,
}

impl Clock {
    /// Starts at the wall's time, or at what was logged last if that is a little later.
    pub fn start(last_logged: Millis, ahead_ms_max: u64) -> Clock {
        Clock::at(begin(wall(), last_logged, ahead_ms_max))
    }

    /// Starts as a run began that was recorded, but never ahead of the wall: who wrote it may be anybody.
    pub fn of(origin: RunOrigin) -> Clock {
        Clock::at(origin.began.min(wall()))
    }

    fn at(base: Millis) -> Clock {
        Clock { base, started: Instant::now() }
    }

    /// The time now, in milliseconds since 1970; it never goes back.
    pub fn now(&self) -> Millis {
        Millis(self.base.0 + self.started.elapsed().as_millis() as u64)
    }

    /// How far it is ahead of the wall clock now; less than nothing where it is behind.
    pub fn ahead_ms(&self) -> i64 {
        self.now().0 as i64 - wall().0 as i64
    }
}

/// What a new log begins with: two that begin with the same draw the same ids, in the same order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunOrigin {
    /// What ids are drawn from.
    pub seed: u64,
    /// What the clock shows at first.
    pub began: Millis,
}

impl RunOrigin {
    /// Of now, and by chance.
    pub fn draw() -> RunOrigin {
        let seed = u64::from_be_bytes(tail(&ulid::Ulid::generate().to_bytes()));
        RunOrigin { seed, began: wall() }
    }
}

fn wall() -> Millis {
    let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Millis((wall.as_millis() as u64).saturating_add(fault::wall_ahead_ms()))
}

/// Milliseconds of a time as people write it: `500ms`, `90s`, `10m`, `2h`, `7d`.
pub fn span_ms(text: &str) -> Option<u64> {
    let digits = text.find(|it: char| !it.is_ascii_digit())?;
    let (count, unit) = text.split_at(digits);
    let unit = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    count.parse::<u64>().ok()?.checked_mul(unit)
}

/// Fresh ids: time first, so that rows of one moment lie together, then chance.
#[derive(Debug)]
pub struct Fresh {
    count: AtomicU64,
    origin: Option<RunOrigin>,
}

impl Default for Fresh {
    fn default() -> Self {
        Fresh::new()
    }
}

impl Fresh {
    /// A source of ids of this process.
    pub fn new() -> Fresh {
        // ULIDs draw from the system's generator; the counter keeps those of one process apart.
        let count = u64::from_be_bytes(tail(&ulid::Ulid::generate().to_bytes()));
        Fresh { count: AtomicU64::new(count), origin: None }
    }

    /// A source of the ids that a log draws which begins so.
    pub fn of(origin: RunOrigin) -> Fresh {
        Fresh { count: AtomicU64::new(0), origin: Some(origin) }
    }

    /// The next id, of a moment; ids of later moments sort behind.
    pub fn id(&self, now: Millis) -> [u8; 16] {
        let count = self.count.fetch_add(1, Ordering::Relaxed);
        let (moment, mut bytes) = match &self.origin {
            None => (now, ulid::Ulid::generate().to_bytes()),
            Some(RunOrigin { seed, began }) => {
                let chance = Hash::of(&[seed.to_be_bytes(), count.to_be_bytes()].concat()).0;
                let mut bytes = [0; 16];
                bytes.copy_from_slice(&chance[..16]);
                // The moment goes on with the count, so that they sort as they were drawn.
                (Millis(began.0.saturating_add(count >> 16)), bytes)
            }
        };
        bytes[..6].copy_from_slice(&moment.0.to_be_bytes()[2..]);
        bytes[6..8].copy_from_slice(&(count as u16).to_be_bytes());
        bytes
    }
}

fn tail(bytes: &[u8; 16]) -> [u8; 8] {
    let mut out = [0; 8];
    out.copy_from_slice(&bytes[8..]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recorded_run_does_not_set_the_clock_forward() {
        let of = |began| Clock::of(RunOrigin { seed: 7, began: Millis(began) }).now();
        assert!(of(u64::MAX) <= wall(), "it began in a time to come");
        assert!(of(1_000) < Millis(1_000_000), "it began long ago");
    }

    #[test]
    fn two_logs_that_begin_the_same_draw_the_same_ids() {
        let origin = RunOrigin { seed: 7, began: Millis(1_764_385_914_000) };
        let drawn = |origin| {
            let fresh = Fresh::of(origin);
            (0..70_000).map(|at| fresh.id(Millis(at))).collect::<Vec<_>>()
        };
        let ids = drawn(origin);
        assert_eq!(ids, drawn(origin));
        assert!(ids.is_sorted_by(|a, b| a < b), "they sort as they were drawn");
        let others = drawn(RunOrigin { seed: 8, ..origin });
        assert!(ids.iter().zip(&others).all(|(a, b)| a != b));
        assert_ne!(RunOrigin::draw().seed, RunOrigin::draw().seed);
    }

    #[test]
    fn times_are_read_as_people_write_them() {
        let read = |text| span_ms(text);
        assert_eq!(read("500ms"), Some(500));
        assert_eq!(
            (read("90s"), read("10m"), read("2h")),
            (Some(90_000), Some(600_000), Some(7_200_000))
        );
        assert_eq!((read("7d"), read("0s")), (Some(604_800_000), Some(0)));
        for none in ["", "s", "10", "10 m", "-1s", "1.5h", "10y", "99999999999999999999s", "é"] {
            assert_eq!(read(none), None, "{none}");
        }
        assert_eq!(read("18446744073709551615d"), None);
    }
}
