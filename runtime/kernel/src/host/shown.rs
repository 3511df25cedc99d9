//! Who shows what has become durable of the rights, beside the acker.

use std::sync::mpsc::{Sender, channel};

/// Shows in the table of rights what has become durable, and answers whoever asked for it: in order,
/// on a thread of its own. So the acker never waits for those who read the table. What waits here still
/// has its place in the mailbox of the rights, so it is no more than `mailbox_messages_max`, and its
/// weight among all mailboxes' bytes.
pub(crate) struct Shown(Sender<Box<dyn FnOnce() + Send>>);

impl Shown {
    pub(crate) fn start() -> std::io::Result<Shown> {
        let (queue, shows) = channel::<Box<dyn FnOnce() + Send>>();
        let thread = std::thread::Builder::new().name("stoa-rights".into());
        // It ends with the last who can send, and needs no other end.
        thread.spawn(move || shows.into_iter().for_each(|show| show()))?;
        Ok(Shown(queue))
    }

    pub(super) fn show(&self, show: impl FnOnce() + Send + 'static) {
        // It is there for as long as this is.
        drop(self.0.send(Box::new(show)));
    }
}
