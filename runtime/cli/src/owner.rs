//! Whoever has the directory open: how it is asked, and how this process has it for a while and lets
//! go of it in order.

use super::incidents::Told;
use super::screen::{hint, note, unwritten};
use super::{again, signals};
use std::io;
use std::time::Duration;
use stoa_api::DoorLimits;
use stoa_api::door::{Client, Door, DoorRequest, Peer, perform};
use stoa_api::operation::{OutItem, answers};
use stoa_kernel::failure::StoreError;
use stoa_kernel::problem::Problem;
use stoa_kernel::runtime::Runtime;

/// Whoever has the directory open: another process, or this one.
pub(super) enum Owner<'a> {
    Other(&'a mut Client),
    This(&'a Runtime),
}

impl Owner<'_> {
    /// Asks, and hands over each answer as it comes.
    pub(super) async fn ask(
        &mut self,
        request: DoorRequest,
        each: &mut dyn FnMut(&OutItem) -> io::Result<()>,
    ) -> Result<(), Problem> {
        match self {
            Owner::Other(client) => client.ask(&request, |said| each(&said)).await,
            Owner::This(runtime) => answer(runtime, request, each).await,
        }
    }
}

/// This process has the directory: its own verb first, then it stays for those who came.
pub(super) async fn own(
    runtime: &Runtime,
    mut door: Door,
    interrupted: Interrupted,
    told: Told,
    work: impl Future<Output = Result<(), Problem>>,
) -> Result<(), Problem> {
    let hands_on = interrupted == Interrupted::HandsOn;
    let handing_on = if hands_on { HANDING_ON } else { Duration::ZERO };
    let limit = Duration::from_millis(runtime.config().shutdown_ms_max) + handing_on + WATCHDOG;
    let interrupts = signals::Interrupts::listen(limit)?;
    let interrupted = || interrupts.heard();
    let done = tokio::select! {
        done = work => done,
        error = runtime.run() => Err(error.into()),
        () = interrupted() => Ok(()),
        () = told.tell_on(runtime) => Ok(()),
    };
    let closed = async {
        // Agents that this process has let live have it until they are at rest.
        if done.is_ok() && runtime.agents_started() {
            runtime.at_rest().await;
        }
        door.close().await;
    };
    let left = tokio::select! {
        biased;
        () = interrupted() => Left::Told,
        error = runtime.run() => Left::Failed(error),
        () = closed => Left::Done,
        () = told.tell_on(runtime) => Left::Done,
    };
    match left {
        Left::Done => {}
        Left::Failed(error) => door.fail(error).await,
        Left::Told => {
            if hands_on {
                // Who follows too goes on without this process.
                drop(tokio::time::timeout(HANDING_ON, door.close()).await);
            }
            runtime.close();
            door.shut().await;
        }
    }
    let stopped = runtime.stop().await;
    told.tell(runtime);
    for undone in runtime.undone() {
        note(format!("note: {undone}"));
        hint(&again::here("stoa status"));
    }
    done?;
    stopped?;
    Ok(())
}

/// What an interrupt means to those who are connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Interrupted {
    /// The directory is served no more: they end.
    Stops,
    /// This process alone is done: who follows goes on.
    HandsOn,
}

/// How long those who are at work have to be done before an interrupt ends them.
const HANDING_ON: Duration = Duration::from_millis(500);

/// Why this process lets go of the directory.
enum Left {
    /// Nobody needs it any more.
    Done,
    /// It is told to.
    Told,
    /// The store has.
    Failed(StoreError),
}

/// How much longer than an orderly stop may take the process waits before it ends anyway.
const WATCHDOG: Duration = Duration::from_millis(500);

async fn answer(
    runtime: &Runtime,
    request: DoorRequest,
    each: &mut dyn FnMut(&OutItem) -> io::Result<()>,
) -> Result<(), Problem> {
    let (answers, mut ready) = answers(&DoorLimits::default());
    let work = perform(runtime, Peer::Own, request, answers);
    // It takes the queue with it: when nobody reads any more, the work must not wait for room.
    let print = async move {
        while let Some(said) = ready.next().await {
            each(&said).map_err(unwritten)?;
        }
        Ok(())
    };
    let (done, printed) = tokio::join!(work, print);
    printed.and(done)
}
