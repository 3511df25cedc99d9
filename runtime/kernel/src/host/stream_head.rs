//! What a stream shows outside its actor's mailbox: how far it is durable, and who wants to know.

use parking_lot::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use stoa_actors::id::Position;
use tokio::sync::Notify;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

/// Advanced by the acker once an entry is durable and witnessed; never before.
pub struct StreamHead {
    durable_seq: AtomicU64,
    head: AtomicU64,
    watchers: Mutex<Vec<Weak<Waiter>>>,
    /// In the publisher's queue already: one place there however many entries.
    queued: AtomicBool,
    publisher: Publisher,
}

/// One who waits for a stream to go on. It is woken at most once until it has heard that, so one
/// that stalls costs these few bytes, whatever happens meanwhile.
#[derive(Debug, Default)]
pub struct Waiter {
    woken: AtomicBool,
    told: Notify,
}

impl Waiter {
    fn wake(&self) {
        if !self.woken.swap(true, Ordering::AcqRel) {
            self.told.notify_one();
        }
    }

    /// Returns once it was woken since it has heard last.
    pub async fn heard(&self) {
        while !self.woken.swap(false, Ordering::AcqRel) {
            self.told.notified().await;
        }
    }
}

/// Wakes those who follow, in a task of its own, so that a thousand of them delay no
/// acknowledgement.
#[derive(Clone)]
pub(crate) struct Publisher(UnboundedSender<Arc<StreamHead>>);

impl Publisher {
    pub(crate) fn start() -> Publisher {
        let (queue, mut heads) = unbounded_channel::<Arc<StreamHead>>();
        tokio::spawn(async move {
            while let Some(stream_head) = heads.recv().await {
                stream_head.publish();
            }
        });
        Publisher(queue)
    }
}

impl StreamHead {
    pub(crate) fn new(head: Position, publisher: Publisher) -> Arc<StreamHead> {
        Arc::new(StreamHead {
            durable_seq: AtomicU64::new(0),
            head: AtomicU64::new(head.0),
            watchers: Mutex::default(),
            queued: AtomicBool::new(false),
            publisher,
        })
    }

    /// A new incarnation has loaded up to here.
    pub(crate) fn restored(&self, seq: u64) {
        self.durable_seq.fetch_max(seq, Ordering::AcqRel);
    }

    /// How far the stream is durable.
    pub(crate) fn durable_seq(&self) -> u64 {
        self.durable_seq.load(Ordering::Acquire)
    }

    /// Where its last durable entry stands.
    pub fn head(&self) -> Position {
        Position(self.head.load(Ordering::Acquire))
    }

    /// One more entry is durable.
    pub(crate) fn advance(self: &Arc<Self>, seq: u64, position: Position) {
        self.durable_seq.fetch_max(seq, Ordering::AcqRel);
        self.reach(position);
    }

    /// There is something new up to there, whoever has written it.
    pub(crate) fn reach(self: &Arc<Self>, position: Position) {
        self.head.fetch_max(position.0, Ordering::AcqRel);
        if !self.watchers.lock().is_empty() && !self.queued.swap(true, Ordering::AcqRel) {
            // A publisher that is gone went with its runtime: nobody is left to be woken.
            drop(self.publisher.0.send(self.clone()));
        }
    }

    /// One who is woken whenever there is something new.
    pub fn watch(&self) -> Arc<Waiter> {
        let waiter = Arc::new(Waiter::default());
        self.watchers.lock().push(Arc::downgrade(&waiter));
        waiter
    }

    /// Whether somebody follows.
    pub(crate) fn watched(&self) -> bool {
        let mut watchers = self.watchers.lock();
        watchers.retain(|waiter| waiter.strong_count() > 0);
        !watchers.is_empty()
    }

    fn publish(&self) {
        self.queued.store(false, Ordering::Release);
        self.watchers.lock().retain(|waiter| {
            waiter.upgrade().is_some_and(|waiter| {
                waiter.wake();
                true
            })
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn however_often_it_goes_on_a_stream_is_queued_once() {
        let (queue, mut queued) = unbounded_channel();
        let publisher = Publisher(queue);
        let heads: Vec<_> =
            (0..3).map(|_| StreamHead::new(Position(0), publisher.clone())).collect();
        let waiter = heads[0].watch();
        let other = heads[1].watch();
        for seq in 1..=10_000 {
            heads.iter().for_each(|stream_head| stream_head.advance(seq, Position(seq)));
        }
        assert_eq!(queued.len(), 2, "those that are followed, each once");
        while let Ok(stream_head) = queued.try_recv() {
            stream_head.publish();
        }
        assert!(waiter.woken.load(Ordering::Acquire) && other.woken.load(Ordering::Acquire));
        heads[0].advance(10_001, Position(10_001));
        assert_eq!(queued.len(), 1, "it goes on");
    }
}
