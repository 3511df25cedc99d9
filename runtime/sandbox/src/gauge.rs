//! The worker watches itself: its memory, its time and whether its parent lives.

use monty_types::{BASELINE_MEMORY, LIVE_MEMORY};
use rustix::process::{Pid, getppid};
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How often memory is measured while code computes. A bomb grows some ten megabytes in that time.
const COMPUTING_TICK: Duration = Duration::from_millis(5);

/// How often the parent is looked for while the host thinks.
const WAITING_TICK: Duration = Duration::from_millis(20);

/// Past its limit by this factor an action ends the process, if nobody has killed it.
const OVERDUE_FACTOR: u32 = 4;

/// What the worker does. Idle it waits in a read of its standard input, which ends with the parent.
#[derive(Clone, Copy)]
enum Phase {
    Idle,
    Computing { since: Instant, max: Duration },
    Waiting { max: Duration },
    Over,
}

/// Measures the process while an action runs.
///
/// `monty` limits memory by two public counters that an allocator of its own would keep. A library
/// cannot set the allocator of the binary it is in, so they are fed from the resident size: coarse,
/// but enough to end a bomb as a Python error long before the kernel's limit ends the process.
pub(super) struct Gauge {
    phase: Mutex<Phase>,
    begun: Condvar,
    statm: Option<File>,
    page_bytes: usize,
    parent: Option<Pid>,
}

/// Why the process is to end.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum End {
    Orphaned,
    Overdue,
    Over,
}

impl Gauge {
    /// Opens what it reads, before the process gives up opening files.
    pub(super) fn new() -> Self {
        Self {
            phase: Mutex::new(Phase::Idle),
            begun: Condvar::new(),
            // Linux only; elsewhere the kernel's limits are the memory wall.
            statm: File::open("/proc/self/statm").ok(),
            page_bytes: rustix::param::page_size(),
            parent: getppid(),
        }
    }

    /// Memory counts from here.
    pub(super) fn rebase(&self) {
        if let Some(bytes) = self.resident_bytes() {
            BASELINE_MEMORY.store(bytes, Relaxed);
            LIVE_MEMORY.store(bytes, Relaxed);
        }
    }

    /// An action begins to compute.
    pub(super) fn begin(&self, max: Duration) {
        self.rebase();
        *self.phase() = Phase::Computing { since: Instant::now(), max };
        self.begun.notify_one();
    }

    /// The host is asked.
    pub(super) fn pause(&self) {
        let mut phase = self.phase();
        if let Phase::Computing { max, .. } = *phase {
            *phase = Phase::Waiting { max };
        }
    }

    /// The host has answered.
    pub(super) fn resume(&self) {
        let mut phase = self.phase();
        if let Phase::Waiting { max } = *phase {
            *phase = Phase::Computing { since: Instant::now(), max };
        }
    }

    /// The action has ended.
    pub(super) fn end(&self) {
        *self.phase() = Phase::Idle;
    }

    /// There will be no more actions.
    pub(super) fn close(&self) {
        *self.phase() = Phase::Over;
        self.begun.notify_one();
    }

    /// The memory the process has now, where that can be known.
    pub(super) fn resident_bytes(&self) -> Option<usize> {
        let mut text = [0; 128];
        let length = self.statm.as_ref()?.read_at(&mut text, 0).ok()?;
        let pages = std::str::from_utf8(&text[..length]).ok()?.split(' ').nth(1)?;
        Some(pages.parse::<usize>().ok()? * self.page_bytes)
    }

    /// Measures until there is a reason to end.
    pub(super) fn watch(&self) -> End {
        let mut phase = self.phase();
        loop {
            let tick = match *phase {
                Phase::Over => return End::Over,
                Phase::Idle => {
                    phase = self.begun.wait(phase).unwrap_or_else(PoisonError::into_inner);
                    continue;
                }
                Phase::Computing { since, max } if since.elapsed() > max * OVERDUE_FACTOR => {
                    return End::Overdue;
                }
                Phase::Computing { .. } => COMPUTING_TICK,
                Phase::Waiting { .. } => WAITING_TICK,
            };
            if getppid() != self.parent {
                return End::Orphaned;
            }
            if let Some(bytes) = self.resident_bytes() {
                LIVE_MEMORY.store(bytes, Relaxed);
            }
            let waited = self.begun.wait_timeout(phase, tick);
            phase = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn phase(&self) -> MutexGuard<'_, Phase> {
        self.phase.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_overdue_action_is_a_reason_to_end() {
        let gauge = Gauge::new();
        gauge.begin(Duration::from_millis(1));
        assert_eq!(gauge.watch(), End::Overdue);
        gauge.begin(Duration::from_secs(3600));
        gauge.pause();
        gauge.close();
        assert_eq!(gauge.watch(), End::Over);
    }
}
