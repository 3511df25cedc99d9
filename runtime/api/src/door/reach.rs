//! Reaching a data directory: connect, else open, else wait for whoever is about to serve it.

use super::{Address, Door, DoorRequest, Hello, Reply, receive, same_user, send};
use crate::failure::StoreError;
use crate::limits::DoorLimits;
use crate::operation::OutItem;
use crate::problem::{Problem, ProblemKind};
use crate::runtime::{Kinds, Runtime};
use crate::store::ready_directory;
use std::io;
use std::time::{Duration, Instant};
use stoa_kernel::limits::Config;
use tokio::net::UnixStream;

/// How a directory was reached.
pub enum Reached {
    /// Another process has it open and answers.
    Client(Client),
    /// This process has it now, and serves it.
    Owner(Runtime, Door),
}

/// A connection to the owner of a directory.
pub struct Client {
    stream: UnixStream,
    frame_bytes_max: usize,
    /// How long the owner may say nothing at all.
    patience: Duration,
}

/// Connects to whoever serves the directory, or opens it and serves it.
///
/// Sixteen processes at once: one wins the lock, the others find its socket. Errors: what
/// [`Runtime::open_with`] says, and [`StoreError::Locked`] only when the owner does not answer.
pub async fn reach(config: Config, kinds: Kinds, limits: DoorLimits) -> Result<Reached, Problem> {
    let patience = Duration::from_millis(limits.connect_ms_max);
    let give_up = Instant::now() + patience;
    let over = || Instant::now() >= give_up;
    loop {
        match connect(&config, &limits, patience).await {
            Ok(client) => return Ok(Reached::Client(client)),
            // Full, or stopping: that passes.
            Err(Miss::Refused(problem)) if problem.kind == ProblemKind::Busy && !over() => {
                tokio::time::sleep(Duration::from_millis(limits.connect_retry_ms)).await;
                continue;
            }
            Err(Miss::Refused(problem)) => return Err(problem),
            Err(Miss::Silent | Miss::Nobody) => {}
        }
        match ready_directory(&config.log.data) {
            Ok(owned) => {
                let mut door = Door::bind(&config, &limits)?;
                return match Runtime::open_owned(config, kinds, owned).await {
                    Ok(runtime) => {
                        door.open(runtime.clone());
                        Ok(Reached::Owner(runtime, door))
                    }
                    Err(error) => {
                        let problem = Problem::from(error);
                        door.refuse(problem.clone());
                        door.close().await;
                        Err(problem)
                    }
                };
            }
            Err(error @ StoreError::Locked { .. }) if over() => {
                return Err(error.into());
            }
            Err(StoreError::Locked { .. }) => {
                tokio::time::sleep(Duration::from_millis(limits.connect_retry_ms)).await;
            }
            Err(error) => return Err(error.into()),
        }
    }
}

enum Miss {
    /// Nobody listens at the socket.
    Nobody,
    /// Somebody listens and says nothing.
    Silent,
    /// The owner has said no.
    Refused(Problem),
}

async fn connect(config: &Config, limits: &DoorLimits, patience: Duration) -> Result<Client, Miss> {
    let address = Address::of(&config.log.data).map_err(|_| Miss::Nobody)?;
    let mut stream = UnixStream::connect(&address.path).await.map_err(|_| Miss::Nobody)?;
    if !same_user(&stream) {
        return Err(Miss::Nobody);
    }
    let frame_bytes_max = limits.frame_bytes_max;
    loop {
        let hello = tokio::time::timeout(patience, receive(&mut stream, frame_bytes_max)).await;
        match hello {
            Err(_) => return Err(Miss::Silent),
            Ok(Ok(Some(Hello::Opening))) => {}
            Ok(Ok(Some(Hello::Ready))) => return Ok(Client { stream, frame_bytes_max, patience }),
            Ok(Ok(Some(Hello::Refused(problem)))) => return Err(Miss::Refused(problem)),
            // It closed before it spoke, so nothing was asked: it is about to be free.
            Ok(Ok(None) | Err(_)) => return Err(Miss::Nobody),
        }
    }
}

impl Client {
    /// Asks, and hands over each answer as it comes.
    pub async fn ask(
        &mut self,
        request: &DoorRequest,
        mut each: impl FnMut(OutItem) -> io::Result<()>,
    ) -> Result<(), Problem> {
        send(&mut self.stream, request).await.map_err(lost)?;
        loop {
            let reply = receive(&mut self.stream, self.frame_bytes_max);
            let reply = tokio::time::timeout(self.patience, reply).await;
            let silent = |_| lost(io::Error::other(SILENT));
            match reply.map_err(silent)?.map_err(lost)? {
                Some(Reply::Working) => {}
                Some(Reply::Said(said)) => each(said).map_err(|error| {
                    Problem::new(ProblemKind::Store, format!("cannot write the answer: {error}"))
                })?,
                Some(Reply::End(end)) => return end,
                None => return Err(lost(io::Error::other("it hung up"))),
            }
        }
    }
}

/// How it begins that the owner of a directory is gone.
const LOST: &str = "the process that has the directory open is gone: ";

/// Why an owner is given up that is alive, perhaps.
const SILENT: &str = "it says nothing any more";

/// Whether a problem is that the owner of the directory has died, or its connection with it; not that it
/// hangs, for then there is nobody else to ask.
pub fn is_lost(problem: &Problem) -> bool {
    let text = problem.text.strip_prefix(LOST);
    problem.kind == ProblemKind::Busy && text.is_some_and(|it| !it.starts_with(SILENT))
}

/// What those are told who follow, and whom an owner would wait for for ever.
const HANDED_ON: &str =
    "the process that had the directory open is done, and hands it on; ask again";

pub(super) fn handed_on() -> Problem {
    Problem::new(ProblemKind::Busy, HANDED_ON).hint("stoa status")
}

/// Whether a problem is that the owner is done, and the next one is to be asked.
pub fn is_handed_on(problem: &Problem) -> bool {
    problem.kind == ProblemKind::Busy && problem.text == HANDED_ON
}

fn lost(error: io::Error) -> Problem {
    let text = format!(
        "{LOST}{error}; whether the request took effect \
         is not known: type it again with the same --key"
    );
    Problem::new(ProblemKind::Busy, text).hint("stoa status")
}
