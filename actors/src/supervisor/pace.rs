//! How often, and how fast, a child may be restarted.

use crate::id::Millis;
use crate::mutant::planted;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// OTP's restart intensity: so many restarts within so long, and not one more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intensity {
    /// Restarts allowed in any window. With 0 the first crash is one too many.
    pub restarts_max: u32,
    /// The window in milliseconds; as in OTP a restart exactly this long ago still counts.
    pub within_ms: u64,
}

/// How long a restart waits: `first_ms`, doubled by every further one up to `ceiling_ms`, and
/// `first_ms` again only after the child has been up for `healthy_ms`. With 0 first there is no
/// waiting at all, as in OTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backoff {
    /// The first wait, in milliseconds.
    pub first_ms: u64,
    /// The longest wait, in milliseconds.
    pub ceiling_ms: u64,
    /// The uptime after which all is forgiven, in milliseconds.
    pub healthy_ms: u64,
}

/// The restarts that still count.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct History(VecDeque<Millis>);

impl History {
    /// Counts one restart. Is it one too many?
    pub(super) fn exceeds(&mut self, intensity: Intensity, now: Millis) -> bool {
        if planted("supervisor.restarts_uncounted") {
            return false;
        }
        self.0.retain(|at| now.0.saturating_sub(at.0) <= intensity.within_ms);
        self.0.push_back(now);
        let slack = usize::from(planted("supervisor.one_restart_too_many"));
        self.0.len() > intensity.restarts_max as usize + slack
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}

impl Backoff {
    /// The wait of the next restart, given that of the last one since all was well.
    pub(super) fn after(self, last_ms: Option<u64>) -> u64 {
        last_ms.map_or(self.first_ms, |last| last.saturating_mul(2)).min(self.ceiling_ms)
    }

    /// Was it up for long enough to begin again?
    pub(super) fn forgives(self, up_ms: u64) -> bool {
        (up_ms >= self.healthy_ms && !planted("supervisor.backoff_never_resets"))
            || planted("supervisor.backoff_resets_at_once")
    }
}
