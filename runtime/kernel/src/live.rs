//! What models are saying while they say it, for those who look on. Nothing of it is stored.

use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::sync::{Arc, Weak};
use stoa_actors::id::SessionId;
use stoa_actors::live::{Live, LiveBuffer, LiveCursor, LivePart};
use stoa_actors::session::Event;
use tokio::sync::watch;

/// What models say, by agent: of those that are asked or looked at.
#[derive(Default)]
pub(crate) struct LiveChannels(Mutex<BTreeMap<SessionId, Weak<Channel>>>);

struct Channel {
    buffer: Mutex<LiveBuffer>,
    news: watch::Sender<()>,
}

impl Channel {
    fn with(&self, change: impl FnOnce(&mut LiveBuffer)) {
        change(&mut self.buffer.lock());
        self.news.send_replace(());
    }
}

impl LiveChannels {
    fn find(&self, session: SessionId) -> Option<Arc<Channel>> {
        self.0.lock().get(&session)?.upgrade()
    }

    fn open(&self, session: SessionId, bytes_max: usize) -> Arc<Channel> {
        let mut all = self.0.lock();
        if let Some(known) = all.get(&session).and_then(Weak::upgrade) {
            return known;
        }
        if all.len().is_power_of_two() {
            all.retain(|_, it| it.strong_count() > 0);
        }
        let buffer = Mutex::new(LiveBuffer::new(bytes_max));
        let channel = Arc::new(Channel { buffer, news: watch::Sender::new(()) });
        all.insert(session, Arc::downgrade(&channel));
        channel
    }

    /// Somebody looks on at an agent, from the beginning of the request that is under way.
    pub(crate) fn look_on(&self, session: SessionId, bytes_max: usize) -> LiveReader {
        let channel = self.open(session, bytes_max);
        let (cursor, news) = (channel.buffer.lock().begin(), channel.news.subscribe());
        LiveReader { channel, cursor, news }
    }

    /// A model is asked for an agent.
    pub(crate) fn ask(&self, session: SessionId, of: (u64, u32), bytes_max: usize) -> Asking {
        let channel = self.open(session, bytes_max);
        let mut request = 0;
        channel.with(|it| request = it.ask(of.0, of.1));
        Asking { channel, request, replied: false }
    }

    /// An agent has written this.
    pub(crate) fn happened(&self, session: SessionId, events: &[Event]) {
        let mut ends = events.iter().filter_map(end).peekable();
        if ends.peek().is_none() {
            return;
        }
        if let Some(channel) = self.find(session) {
            channel.with(|it| {
                ends.for_each(|end| match end {
                    End::Kept => it.keep(),
                    End::Withdrawn(why) => it.withdraw(why),
                });
            });
        }
    }
}

/// What becomes of what was said.
enum End<'a> {
    Kept,
    Withdrawn(&'a str),
}

fn end(event: &Event) -> Option<End<'_>> {
    Some(match event {
        Event::Thought { .. } | Event::Compacted(_) => End::Kept,
        Event::TurnFailed { why, .. }
        | Event::Deferred { why, .. }
        | Event::WindowFull { why, .. }
        | Event::Quarantined { why, .. } => End::Withdrawn(why),
        Event::Stopped { reason, .. } | Event::Wiped { reason, .. } => End::Withdrawn(reason),
        Event::Interrupted { .. } => End::Withdrawn("it was interrupted"),
        Event::Exhausted { what, .. } => End::Withdrawn(what),
        Event::TurnEnded { .. } => End::Withdrawn("the turn was cut"),
        _ => return None,
    })
}

/// A request under way. What is said in it is withdrawn when it is dropped before it has come to a
/// reply; a reply counts when it is in the log.
pub(crate) struct Asking {
    channel: Arc<Channel>,
    request: u64,
    /// It has come to a reply.
    replied: bool,
}

impl Asking {
    /// Where the model tells what it is saying.
    pub(crate) fn speaker(&self) -> Speaker {
        Speaker(Some((self.channel.clone(), self.request)))
    }

    /// It has come to nothing.
    pub(crate) fn fails(self, why: &str) {
        self.channel.with(|it| it.give_up(self.request, why));
    }

    /// It has come to a reply, of which the log says what becomes of it.
    pub(crate) fn replies(mut self) {
        self.replied = true;
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        if !self.replied {
            self.channel.with(|it| it.give_up(self.request, "the request was cancelled"));
        }
    }
}

/// Where a model tells what it is saying, while it does. What it says in the end is the thought that it
/// returns.
#[derive(Clone, Default)]
pub struct Speaker(Option<(Arc<Channel>, u64)>);

impl Speaker {
    /// More of what it says. It never waits: who looks on too slowly misses some of it.
    pub fn say(&self, part: LivePart) {
        if let Some((channel, request)) = &self.0 {
            channel.with(|it| it.say(*request, part));
        }
    }
}

/// Somebody who looks on.
pub struct LiveReader {
    channel: Arc<Channel>,
    cursor: LiveCursor,
    news: watch::Receiver<()>,
}

impl LiveReader {
    /// What was said since it was asked last.
    pub fn ready(&mut self) -> Vec<Live> {
        self.channel.buffer.lock().read(&mut self.cursor)
    }

    /// What was said since it was asked last; waits until there is something. Dropping the future loses
    /// nothing.
    pub async fn next(&mut self) -> Vec<Live> {
        loop {
            self.news.borrow_and_update();
            let told = self.ready();
            if !told.is_empty() {
                return told;
            }
            // The channel is held here, so its end does not come before the reader's.
            let _ = self.news.changed().await;
        }
    }
}
