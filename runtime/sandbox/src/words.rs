//! What a worker says on its standard error: its panics, and what the engine below it says. It is
//! read as it comes, so that a worker never waits for a reader, and told line by line to whoever
//! listens for diagnostics.

use parking_lot::Mutex;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::process::ChildStderr;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// What is kept of a worker's words: the last of them.
const LAST_WORDS_BYTES_MAX: usize = 4 << 10;
/// What is told of them in a worker's life.
const WORKER_TOLD_BYTES_MAX: usize = 64 << 10;

/// The words of one worker.
pub(super) struct Words {
    last: Arc<Mutex<Vec<u8>>>,
    reading: JoinHandle<()>,
}

impl Words {
    /// Reads them until the worker ends.
    pub(super) fn of(worker: Option<u32>, from: ChildStderr) -> Words {
        let last = Arc::new(Mutex::new(Vec::new()));
        let reading = tokio::spawn(read(worker.unwrap_or_default(), from, last.clone()));
        Words { last, reading }
    }

    /// The last of them, once it has ended; what there is when that takes too long.
    pub(super) async fn last(&mut self, wait: Duration) -> String {
        drop(timeout(wait, &mut self.reading).await);
        String::from_utf8_lossy(&self.last.lock()).into_owned()
    }
}

impl Drop for Words {
    fn drop(&mut self) {
        self.reading.abort();
    }
}

async fn read(worker: u32, mut from: ChildStderr, last: Arc<Mutex<Vec<u8>>>) {
    let (mut piece, mut line, mut told) = ([0; 1 << 10], Vec::new(), 0);
    while let Ok(count @ 1..) = from.read(&mut piece).await {
        let piece = &piece[..count];
        keep(&mut last.lock(), piece);
        let left = WORKER_TOLD_BYTES_MAX.saturating_sub(told);
        told += count;
        line.extend_from_slice(&piece[..count.min(left)]);
        if left <= count && left > 0 {
            tell(worker, &std::mem::take(&mut line));
            tell(worker, b"it says more than is told of it");
        }
        while let Some(end) = line.iter().position(|it| *it == b'\n') {
            let rest = line.split_off(end + 1);
            tell(worker, &std::mem::replace(&mut line, rest));
        }
    }
    tell(worker, &line);
}

fn keep(last: &mut Vec<u8>, piece: &[u8]) {
    last.extend_from_slice(piece);
    let older = last.len().saturating_sub(LAST_WORDS_BYTES_MAX);
    last.drain(..older);
}

fn tell(worker: u32, line: &[u8]) {
    let line = String::from_utf8_lossy(line);
    if !line.trim().is_empty() {
        tracing::info!(worker, "a Python worker says: {}", line.trim_end());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt::Debug;
    use std::process::Stdio;
    use tokio::process::Command;
    use tracing::field::{Field, Visit};
    use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

    /// Keeps what is told.
    #[derive(Clone, Default)]
    struct Ear(Arc<Mutex<Vec<String>>>);

    impl Visit for Ear {
        fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
            if field.name() == "message" {
                self.0.lock().push(format!("{value:?}"));
            }
        }
    }

    impl<S: tracing::Subscriber> Layer<S> for Ear {
        fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
            event.record(&mut self.clone());
        }
    }

    async fn said(script: &str) -> (String, Vec<String>) {
        let ear = Ear::default();
        let listens = tracing_subscriber::registry().with(ear.clone());
        let _listening = tracing::subscriber::set_default(listens);
        let mut child = Command::new("sh");
        let mut child = child.args(["-c", script]).stderr(Stdio::piped()).spawn().unwrap();
        let mut words = Words::of(child.id(), child.stderr.take().unwrap());
        let last = words.last(Duration::from_secs(60)).await;
        child.wait().await.unwrap();
        let told = ear.0.lock().clone();
        (last, told.into_iter().filter(|it| it.contains("worker") || it.contains("says")).collect())
    }

    #[tokio::test]
    async fn each_line_is_told_and_the_last_of_them_are_kept() {
        let (last, told) = said("echo one >&2; printf 'two\nhalf' >&2").await;
        assert_eq!(
            last,
            "one
two
half"
        );
        let line = |it: &str| format!("a Python worker says: {it}");
        assert_eq!(told, ["one", "two", "half"].map(line));
    }

    /// It is read to its end, or the worker would wait; no more of it is kept and told than may be.
    #[tokio::test]
    async fn a_flood_is_read_and_cut() {
        let (last, told) = said("yes 'a line of a flood' | head -c 1000000 >&2").await;
        assert_eq!(last.len(), LAST_WORDS_BYTES_MAX);
        let bytes: usize = told.iter().map(String::len).sum();
        assert!(bytes < 4 * WORKER_TOLD_BYTES_MAX, "{bytes} bytes");
        assert!(told.last().unwrap().contains("more than is told"), "{:?}", told.last());
    }
}
