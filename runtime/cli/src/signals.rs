//! Interrupts, heard on a thread of their own: however busy everything else is, the first one begins
//! an orderly end, and the process is gone when that has taken too long, or at the second one.

use super::screen::{self, Lines};
use std::time::Duration;
use stoa_kernel::failure::StoreError;
use stoa_kernel::problem::{Problem, ProblemKind};
use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// Hears SIGTERM and SIGINT; cheap to clone.
#[derive(Clone)]
pub(super) struct Interrupts(watch::Receiver<bool>);

/// What the signals are heard by. Where its thread cannot be started it is dropped among tasks, which
/// must not wait for it.
struct Clock(Option<Runtime>);

impl Drop for Clock {
    fn drop(&mut self) {
        self.0.take().into_iter().for_each(Runtime::shutdown_background);
    }
}

impl Interrupts {
    /// Begins to listen. After the first signal the process ends within `limit`, in order or not.
    pub(super) fn listen(limit: Duration) -> Result<Interrupts, Problem> {
        let failed = |what: &str, error: std::io::Error| {
            Problem::new(ProblemKind::Store, format!("cannot listen for signals: {what}: {error}"))
                .hint("stoa --help")
        };
        let clock = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let clock = Clock(Some(clock.map_err(|error| failed("no timer", error))?));
        let (tell, told) = watch::channel(false);
        let heard = {
            let _inside = clock.0.as_ref().map(Runtime::enter);
            let both = signal(SignalKind::terminate()).and_then(|term| {
                signal(SignalKind::interrupt()).map(|interrupt| (term, interrupt))
            });
            both.map_err(|error| failed("no handler", error))?
        };
        let (mut term, mut interrupt) = heard;
        let thread = std::thread::Builder::new().name("stoa-signals".into());
        let listening = thread.spawn(move || {
            let Some(runtime) = clock.0.as_ref() else { return };
            runtime.block_on(async move {
                let mut next = async || {
                    tokio::select! {
                        _ = term.recv() => {}
                        _ = interrupt.recv() => {}
                    }
                };
                next().await;
                tell.send_replace(true);
                let in_time = tokio::time::timeout(limit, next()).await.is_ok();
                let why = if in_time { "interrupted again" } else { "it takes too long" };
                let text =
                    format!("not shut down gracefully, {why}; what was acknowledged is durable");
                screen::error(&text, Lines::One);
                #[expect(clippy::disallowed_methods, reason = "nothing else ends what hangs")]
                std::process::exit(i32::from(ProblemKind::Store.exit_code()));
            });
        });
        listening.map_err(|error| StoreError::NoThreads(error.to_string()))?;
        Ok(Interrupts(told))
    }

    /// Returns once the first one was heard.
    pub(super) async fn heard(&self) {
        let mut told = self.0.clone();
        if told.wait_for(|it| *it).await.is_err() {
            // Nobody listens any more: the process is about to end.
            std::future::pending::<()>().await;
        }
    }
}
