//! The one way from async code to work that blocks: reads of the store whose length depends on what
//! was written, files, the engine.
//!
//! Such a read on a thread of the executor stops every other task of that thread, the heartbeats of
//! clients included. It runs on the pool of blocking threads instead, a bounded piece at a time;
//! between two pieces other work gets its turn, and a caller that has gone ends the read.

use crate::failure::StoreError;
use parking_lot::Mutex;
use std::cell::Cell;
use std::sync::Arc;

thread_local! {
    static MAY_BLOCK: Cell<bool> = const { Cell::new(false) };
}

/// Runs work that blocks on a thread that may wait.
///
/// Errors: [`StoreError::Invariant`] when the work panics.
pub async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, StoreError> {
    let done = Arc::new(Mutex::new(None));
    let told = done.clone();
    on_a_thread(Box::new(move || {
        let value = work();
        *told.lock() = Some(value);
    }))
    .await?;
    let value = done.lock().take();
    value.ok_or_else(|| StoreError::Invariant("a read died".to_owned()))
}

/// Compiled once for whatever it runs: a task of its own for each kind of work is a third of what
/// the compiler makes of a read.
async fn on_a_thread(work: Box<dyn FnOnce() + Send>) -> Result<(), StoreError> {
    #[expect(clippy::disallowed_methods, reason = "this is the one place")]
    let running = tokio::task::spawn_blocking(move || {
        let _mark = Mark::set();
        work();
    });
    running.await.map_err(|error| StoreError::Invariant(format!("a read died: {error}")))
}

/// Marks the thread for as long as the work runs, also when it panics: threads are used again.
struct Mark;

impl Mark {
    fn set() -> Mark {
        MAY_BLOCK.set(true);
        Mark
    }
}

impl Drop for Mark {
    fn drop(&mut self) {
        MAY_BLOCK.set(false);
    }
}

/// Runs work whose caller was told that it blocks: what the library offers without `async`.
pub(crate) fn told_to_block<T>(work: impl FnOnce() -> T) -> T {
    let before = MAY_BLOCK.replace(true);
    let done = work();
    MAY_BLOCK.set(before);
    done
}

/// Panics in a debug build when a read without a bound begins on a thread of the executor. So every
/// test is a test that there is none.
#[track_caller]
pub(crate) fn assert_may_block() {
    debug_assert!(
        MAY_BLOCK.get() || tokio::runtime::Handle::try_current().is_err(),
        "a read without a bound begins on the executor; go through `blocking`"
    );
}

/// Entries that a reading thread goes through before it lets others go first: a reader of much
/// works on for as long as the kernel lets it, milliseconds, while a commit takes tenths of one.
const YIELD_ENTRIES: usize = 16;

/// What is read, with a turn for others every now and then.
pub(crate) fn in_turns<T>(of: impl Iterator<Item = T>) -> impl Iterator<Item = T> {
    let mut read = 0;
    of.inspect(move |_| {
        read += 1;
        if read % YIELD_ENTRIES == 0 && MAY_BLOCK.get() {
            std::thread::yield_now();
        }
    })
}
