//! How much of what goes through the door is in memory, over all connections together.
//!
//! A client that does not read what it is told, or does not send what it has announced, keeps bytes
//! here for as long as it likes. So there is a ceiling over all of them, and whoever wants room under
//! it waits. While somebody waits, the client that has taken (or sent) nothing for the longest time
//! goes, once that is longer than `stalled_ms_max`; what it held is free. Without anybody who waits a
//! client may be as slow as it likes. Only the time counts in which this process waits for the client:
//! that the process itself is slow sends nobody away.
//!
//! Who waits gets room in the order of coming. What is small does not stand in that line and may use
//! the last part of the room, so that an answer of a few bytes is not behind what is large.

use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;

/// What goes through the door in one piece: who has taken or sent so much is not stalled. What is no
/// larger counts as small.
pub(crate) const STRIDE_BYTES: usize = 64 << 10;
/// Which part of the room is kept for what is small.
const SMALL_FACTOR: usize = 8;

/// How soon it is looked again at least, where nobody is waited for.
const LOOK: Duration = Duration::from_millis(10);

/// The ceiling of one direction.
pub(crate) struct Ceiling {
    bytes_max: usize,
    stalled: Duration,
    state: Mutex<State>,
    freed: Notify,
    /// Held by who is first in line.
    line: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct State {
    bytes: usize,
    next: u64,
    clients: BTreeMap<u64, Client>,
}

/// What one client holds.
struct Client {
    bytes: usize,
    /// Since when this process waits for it; nothing while it does not.
    since: Option<Instant>,
    goes: bool,
    told: Arc<Notify>,
}

/// One client's place under the ceiling; it goes with its last handle.
pub(crate) struct Place {
    ceiling: Arc<Ceiling>,
    id: u64,
    told: Arc<Notify>,
}

/// So many bytes of a client, until this is dropped.
pub(crate) struct Held {
    place: Arc<Place>,
    bytes: usize,
}

impl Ceiling {
    pub(crate) fn new(bytes_max: usize, stalled: Duration) -> Arc<Ceiling> {
        Arc::new(Ceiling {
            bytes_max: bytes_max.max(1),
            stalled,
            state: Mutex::default(),
            freed: Notify::new(),
            line: tokio::sync::Mutex::default(),
        })
    }

    /// A place for one more client.
    pub(crate) fn enter(self: &Arc<Self>) -> Arc<Place> {
        let told = Arc::new(Notify::new());
        let mut state = self.state.lock();
        let id = state.next;
        state.next += 1;
        state.clients.insert(id, Client { bytes: 0, since: None, goes: false, told: told.clone() });
        Arc::new(Place { ceiling: self.clone(), id, told })
    }

    /// Bytes under it now.
    pub(crate) fn bytes(&self) -> usize {
        self.state.lock().bytes
    }

    /// So much there is for something of this size.
    fn room_for(&self, bytes: usize) -> usize {
        match bytes <= STRIDE_BYTES {
            true => self.bytes_max,
            false => self.bytes_max - self.bytes_max / SMALL_FACTOR,
        }
    }
}

impl State {
    /// Sends away who is stalled for the longest time, if those who go already do not leave enough;
    /// when nobody is stalled, says when the next will be.
    fn make_room(&mut self, bytes: usize, room: usize, stalled: Duration) -> Option<Instant> {
        let going = self.clients.values().filter(|it| it.goes).map(|it| it.bytes).sum::<usize>();
        let left = self.bytes.saturating_sub(going);
        if going > 0 && (left == 0 || left.saturating_add(bytes) <= room) {
            return None;
        }
        let holding = self.clients.values_mut().filter(|it| it.bytes > 0 && !it.goes);
        let slowest = holding.filter_map(|it| it.since.map(|since| (since, it)));
        let Some((since, client)) = slowest.min_by_key(|(since, _)| *since) else {
            // Nobody is waited for now, and somebody may be in a moment.
            return Some(Instant::now() + stalled.max(LOOK));
        };
        if since + stalled > Instant::now() {
            return Some(since + stalled);
        }
        client.goes = true;
        client.told.notify_one();
        // What it holds is free in a moment. If that is not enough, the next is looked for then.
        None
    }
}

impl Place {
    /// Waits for room. One that is larger than all there is waits until it is alone.
    pub(crate) async fn hold(self: &Arc<Self>, bytes: usize) -> Held {
        let ceiling = &self.ceiling;
        let _first = match bytes <= STRIDE_BYTES {
            true => None,
            false => Some(ceiling.line.lock().await),
        };
        loop {
            let freed = ceiling.freed.notified();
            tokio::pin!(freed);
            freed.as_mut().enable();
            let (held, next) = self.take(bytes);
            if let Some(held) = held {
                return held;
            }
            match next {
                Some(next) => drop(tokio::time::timeout_at(next, freed).await),
                None => freed.await,
            }
        }
    }

    /// Takes room if there is some now.
    pub(crate) fn try_hold(self: &Arc<Self>, bytes: usize) -> Option<Held> {
        let mut state = self.ceiling.state.lock();
        self.fits(&state, bytes).then(|| self.put(&mut state, bytes))
    }

    /// The same, and has room made where there is none; with when to look again.
    fn take(self: &Arc<Self>, bytes: usize) -> (Option<Held>, Option<Instant>) {
        let mut state = self.ceiling.state.lock();
        if self.fits(&state, bytes) {
            return (Some(self.put(&mut state, bytes)), None);
        }
        let room = self.ceiling.room_for(bytes);
        (None, state.make_room(bytes, room, self.ceiling.stalled))
    }

    fn fits(&self, state: &State, bytes: usize) -> bool {
        let room = self.ceiling.room_for(bytes);
        state.bytes.saturating_add(bytes) <= room || bytes > room && state.bytes == 0
    }

    fn put(self: &Arc<Self>, state: &mut State, bytes: usize) -> Held {
        state.bytes = state.bytes.saturating_add(bytes);
        if let Some(client) = state.clients.get_mut(&self.id) {
            client.bytes = client.bytes.saturating_add(bytes);
        }
        Held { place: self.clone(), bytes }
    }

    /// From now on this process waits for the client, to take or to send something.
    pub(crate) fn waits(&self) {
        self.since(Some(Instant::now()));
    }

    /// What it holds is with this process now: the client is not what it waits for.
    pub(crate) fn at_work(&self) {
        self.since(None);
    }

    fn since(&self, since: Option<Instant>) {
        let stays = match self.ceiling.state.lock().clients.get_mut(&self.id) {
            Some(client) => {
                client.since = since;
                std::mem::take(&mut client.goes)
            }
            None => false,
        };
        // Who waits for the room of one that stays after all looks again.
        if stays {
            self.ceiling.freed.notify_waiters();
        }
    }

    /// Returns once the client has to go. It has to be polled after what waits for the client: what it
    /// has taken or sent before this process came to see that counts.
    pub(crate) async fn sent_away(&self) {
        loop {
            self.told.notified().await;
            // Comes back after a look at the sockets.
            tokio::task::yield_now().await;
            if self.ceiling.state.lock().clients.get(&self.id).is_some_and(|it| it.goes) {
                return;
            }
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let ceiling = &self.place.ceiling;
        let mut state = ceiling.state.lock();
        state.bytes = state.bytes.saturating_sub(self.bytes);
        if let Some(client) = state.clients.get_mut(&self.place.id) {
            client.bytes = client.bytes.saturating_sub(self.bytes);
            client.since = client.since.filter(|_| client.bytes > 0);
        }
        drop(state);
        ceiling.freed.notify_waiters();
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.ceiling.state.lock().clients.remove(&self.id);
    }
}

#[cfg(test)]
mod tests;
