//! One client at the door: greeted, answered request by request, and told to go when the owner stops.

use super::reach::handed_on;
use super::{DoorRequest, Hello, Peer, Reply, perform, receive_under, send, send_under};
use crate::ceiling::Place;
use crate::limits::DoorLimits;
use crate::operation::{Told, told};
use crate::problem::{Problem, ProblemKind};
use crate::runtime::Runtime;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet};

/// What is behind the door.
#[derive(Clone)]
pub(super) enum Inside {
    Opening,
    Open(Runtime),
    Refused(Problem),
}

/// A client, for as long as it is there.
pub(super) struct Visit {
    from: OwnedReadHalf,
    to: OwnedWriteHalf,
    /// Whether the client is between two frames, and so can be told something.
    whole: bool,
    greeted: bool,
    /// Its share of what is on its way to all clients, and of what comes from them.
    answers: Arc<Place>,
    requests: Arc<Place>,
    /// Whether the owner would go, if it were not for those who are there.
    leaving: watch::Receiver<bool>,
}

/// How long a client that is told to go has to take that in.
const FAREWELL: Duration = Duration::from_millis(200);

impl Visit {
    pub(super) fn new(
        stream: UnixStream,
        answers: Arc<Place>,
        requests: Arc<Place>,
        leaving: watch::Receiver<bool>,
    ) -> Visit {
        let (from, to) = stream.into_split();
        Visit { from, to, whole: true, greeted: false, answers, requests, leaving }
    }

    /// Until the client has gone, or has to.
    pub(super) async fn attend(
        mut self,
        inside: watch::Receiver<Inside>,
        mut shut: watch::Receiver<Option<Problem>>,
        limits: &DoorLimits,
    ) -> io::Result<()> {
        let why = async {
            let why = shut.wait_for(Option::is_some).await;
            why.map_or(None, |it| it.clone())
        };
        let (takes, sends) = (self.answers.clone(), self.requests.clone());
        let why = tokio::select! {
            biased;
            // From here on nothing is acknowledged, whatever becomes of it.
            why = why => why,
            done = self.answer_all(inside, limits) => return done,
            () = takes.sent_away() => Some(stalled("takes nothing of what it is told")),
            () = sends.sent_away() => Some(stalled("sends nothing of what it has announced")),
        };
        if let Some(why) = why.filter(|_| self.whole) {
            drop(tokio::time::timeout(FAREWELL, self.farewell(why)).await);
        }
        Ok(())
    }

    async fn farewell(&mut self, why: Problem) -> io::Result<()> {
        match self.greeted {
            true => self.tell(&Reply::End(Err(why))).await,
            false => self.greet(&Hello::Refused(why)).await,
        }
    }

    async fn greet(&mut self, hello: &Hello) -> io::Result<()> {
        self.whole = false;
        send(&mut self.to, hello).await?;
        self.whole = true;
        Ok(())
    }

    async fn tell(&mut self, reply: &Reply) -> io::Result<()> {
        self.whole = false;
        send_under(&mut self.to, reply, &self.answers).await?;
        self.whole = true;
        Ok(())
    }

    async fn answer_all(
        &mut self,
        mut inside: watch::Receiver<Inside>,
        limits: &DoorLimits,
    ) -> io::Result<()> {
        let runtime = loop {
            let now = inside.borrow_and_update().clone();
            match now {
                Inside::Open(runtime) => break runtime,
                Inside::Refused(problem) => return self.greet(&Hello::Refused(problem)).await,
                Inside::Opening => {
                    self.greet(&Hello::Opening).await?;
                    let wait = Duration::from_millis(limits.opening_ms);
                    drop(tokio::time::timeout(wait, inside.changed()).await);
                }
            }
        };
        self.greet(&Hello::Ready).await?;
        self.greeted = true;
        let mut patience = Duration::from_millis(limits.idle_ms_max);
        loop {
            // One that asks nothing, or not all of it, holds a place that others want.
            let bytes_max = limits.frame_bytes_max;
            let asked = receive_under(&mut self.from, bytes_max, &self.requests, patience).await?;
            // The room of the request is given back once it is answered.
            let Some((request, _held)) = asked else { return Ok(()) };
            self.answer(&runtime, request, limits).await?;
            patience = Duration::from_millis(limits.idle_answered_ms_max);
        }
    }

    async fn answer(
        &mut self,
        runtime: &Runtime,
        request: DoorRequest,
        limits: &DoorLimits,
    ) -> io::Result<()> {
        let (answers, mut ready) = told(limits, self.answers.clone());
        let (follows, mut leaving) = (request.follows(), self.leaving.clone());
        // A task of its own: however long it computes, the heart beats.
        let (of, mut work) = (runtime.clone(), JoinSet::new());
        work.spawn(async move { perform(&of, Peer::Owner, request, answers).await });
        let mut end = None;
        let mut beat = tokio::time::interval(Duration::from_millis(limits.working_ms));
        beat.reset();
        // A client that hangs up ends its request at the next wait.
        loop {
            tokio::select! {
                biased;
                () = async { drop(leaving.wait_for(|it| *it).await) }, if follows => {
                    return self.tell(&Reply::End(Err(handed_on()))).await;
                }
                answer = ready.recv() => match answer {
                    Some(Told { said, held }) => {
                        self.tell(&Reply::Said(said)).await?;
                        drop(held);
                    }
                    None => break,
                },
                Some(ended) = work.join_next(), if end.is_none() => end = Some(ended),
                _ = beat.tick() => self.tell(&Reply::Working).await?,
                gone = self.from.readable() => {
                    gone?;
                    let mut byte = [0; 1];
                    match self.from.try_read(&mut byte) {
                        Ok(0) => return Err(io::Error::other("it hung up")),
                        Ok(_) => return Err(io::Error::other("a client spoke out of turn")),
                        Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                        Err(error) => return Err(error),
                    }
                }
            }
        }
        let ended = match end {
            Some(ended) => Some(ended),
            None => work.join_next().await,
        };
        let result = match ended {
            Some(Ok(result)) => result,
            Some(Err(error)) => Err(died(&error)),
            None => {
                Err(Problem::new(ProblemKind::Store, "the request is gone").hint("stoa status"))
            }
        };
        self.tell(&Reply::End(result)).await
    }
}

fn died(error: &JoinError) -> Problem {
    Problem::new(ProblemKind::Store, format!("the request died: {error}")).hint("stoa status")
}

/// Why a client has to go whom others wait for.
fn stalled(how: &str) -> Problem {
    let text = format!(
        "this connection {how}, and others wait for the room that it holds; whether a request that \
         writes took effect is not known: type it again with the same --key"
    );
    Problem::new(ProblemKind::Busy, text).hint("stoa status")
}

/// Why an owner that is told to stop answers nobody any more.
pub(super) fn stopping() -> Problem {
    let text = "the process that has the directory open is stopping; whether a request that writes \
                took effect is not known: type it again with the same --key";
    Problem::new(ProblemKind::Busy, text).hint("stoa status")
}
