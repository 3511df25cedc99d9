//! What is known of an agent that is up without asking it: kept from what it has written.
//!
//! Nothing rests on it. Where it is not known the agent is asked, or its stream is read.

use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use stoa_actors::session::{Ear, Event, Session};
use stoa_actors::window::Transcript;

/// Bytes of what agents went through that are kept while they do nothing; of more it is read from the
/// log again.
const KEPT_BYTES_MAX: usize = 64 << 20;

pub(super) struct Known {
    ear: Mutex<Ear>,
    past: Mutex<Option<Past>>,
    /// Its model is told of more than the running turn.
    remembers: AtomicBool,
    /// What is kept of it, and of all agents.
    bytes: AtomicUsize,
    all_bytes: Arc<AtomicUsize>,
}

/// What was thought and seen.
pub(super) struct Past {
    /// The turn that was begun last.
    pub(super) turn: u64,
    /// Since the window was made anew, or in that turn.
    pub(super) transcript: Arc<Transcript>,
    /// It is not of that turn alone.
    pub(super) whole: bool,
}

impl Past {
    fn of(turn: u64, whole: bool) -> Past {
        Past { turn, transcript: Arc::default(), whole }
    }

    fn take(&mut self, event: &Event) {
        if let Event::TurnBegan { turn, .. } = event {
            self.turn = *turn;
        }
        Arc::make_mut(&mut self.transcript).take(event);
    }
}

impl Known {
    /// Of an agent among others of which something is kept as well.
    pub(super) fn new(all_bytes: Arc<AtomicUsize>) -> Known {
        let (ear, past) = (Mutex::default(), Mutex::default());
        let (remembers, bytes) = (AtomicBool::default(), AtomicUsize::default());
        Known { ear, past, remembers, bytes, all_bytes }
    }

    /// These events are durable, in their order.
    pub(super) fn happened(&self, events: &[Event]) {
        self.ear.lock().happened(events);
        let remembers = self.remembers.load(Ordering::Relaxed);
        let mut past = self.past.lock();
        for event in events {
            match event {
                // All of it is known.
                Event::Born(_) => *past = Some(Past::of(0, true)),
                Event::TurnBegan { turn, .. } => {
                    let whole = past.as_ref().is_some_and(|it| it.whole);
                    if !(whole && (remembers || *turn == 1)) {
                        *past = Some(Past::of(*turn, false));
                    }
                }
                _ => {}
            }
            past.iter_mut().for_each(|past| past.take(event));
            let ended = matches!(
                event,
                Event::TurnFailed { .. }
                    | Event::TurnEnded { .. }
                    | Event::Quarantined { .. }
                    | Event::Parked { .. }
                    | Event::Stopped { .. }
                    | Event::Wiped { .. }
                    | Event::Exhausted { .. }
            );
            let much = self.all_bytes.load(Ordering::Relaxed) > KEPT_BYTES_MAX;
            if ended && (!remembers || much || matches!(event, Event::Wiped { .. })) {
                *past = None;
            }
        }
        self.count(past.as_ref());
    }

    fn count(&self, past: Option<&Past>) {
        let bytes = past.map_or(0, |it| it.transcript.bytes());
        let before = self.bytes.swap(bytes, Ordering::Relaxed);
        self.all_bytes.fetch_add(bytes, Ordering::Relaxed);
        self.all_bytes.fetch_sub(before, Ordering::Relaxed);
    }

    /// It is so, and looks for what is new.
    pub(super) fn looks(&self, then: Arc<Session>) {
        self.ear.lock().listens(then);
    }

    pub(super) fn ear(&self) -> Ear {
        self.ear.lock().clone()
    }

    /// What was thought and seen up to a turn, if that is known: all of it, or what was in that turn.
    pub(super) fn past(&self, turn: u64, whole: bool) -> Option<Arc<Transcript>> {
        self.remembers.store(whole, Ordering::Relaxed);
        let past = self.past.lock();
        let past = past.as_ref().filter(|it| it.turn == turn && (it.whole || !whole))?;
        Some(past.transcript.clone())
    }

    /// The same, read from the stream.
    pub(super) fn keep(&self, past: Past) {
        let mut kept = self.past.lock();
        *kept = Some(past);
        self.count(kept.as_ref());
    }

    pub(super) fn forget(&self) {
        let mut kept = self.past.lock();
        *kept = None;
        self.count(None);
        *self.ear.lock() = Ear::Unknown;
    }
}

impl Drop for Known {
    fn drop(&mut self) {
        self.count(None);
    }
}
