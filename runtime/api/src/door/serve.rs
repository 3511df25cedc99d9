//! The owner's side: accept, greet, and stay until everybody is done or is told to go.

use super::visit::{Inside, Visit, stopping};
use super::{Address, Hello, same_user, send};
use crate::ceiling::Ceiling;
use crate::failure::StoreError;
use crate::limits::DoorLimits;
use crate::problem::{Problem, ProblemKind};
use crate::runtime::Runtime;
use rustix::fs::{AtFlags, Dev};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::time::Duration;
use stoa_kernel::limits::Config;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinHandle;

/// The open door of a data directory. Bound before the store is opened, so that whoever comes
/// meanwhile waits at the door instead of fighting for the lock.
pub struct Door {
    inside: watch::Sender<Inside>,
    clients: watch::Receiver<usize>,
    shut: watch::Sender<Option<Problem>>,
    leaving: watch::Sender<bool>,
    accepting: Option<JoinHandle<()>>,
    bound: Bound,
    answers: Arc<Ceiling>,
    requests: Arc<Ceiling>,
}

/// What is on its way through a door, now and whenever it is asked.
#[derive(Clone)]
pub struct DoorLoad {
    answers: Arc<Ceiling>,
    requests: Arc<Ceiling>,
}

impl DoorLoad {
    /// Bytes of answers that clients are yet to take, the frames made of them included;
    /// `answers_bytes_max` bounds them.
    pub fn answers_bytes(&self) -> usize {
        self.answers.bytes()
    }

    /// Bytes of large requests that come in or are worked on; `requests_bytes_max` bounds them.
    pub fn requests_bytes(&self) -> usize {
        self.requests.bytes()
    }
}

/// The socket that was bound here. Its directory may be moved, and another process may have put
/// another socket under the same path: only this one is ever removed.
struct Bound {
    directory: std::fs::File,
    is: (Dev, u64),
}

impl Bound {
    fn of(data: &std::path::Path) -> io::Result<Bound> {
        let directory = std::fs::File::open(data)?;
        let is = Bound::found(&directory)?;
        Ok(Bound { directory, is })
    }

    fn found(directory: &std::fs::File) -> io::Result<(Dev, u64)> {
        let found = rustix::fs::statat(directory, NAME, AtFlags::SYMLINK_NOFOLLOW)?;
        Ok((found.st_dev, found.st_ino))
    }

    fn remove(&self) {
        if Bound::found(&self.directory).is_ok_and(|it| it == self.is) {
            let _ = rustix::fs::unlinkat(&self.directory, NAME, AtFlags::empty());
        }
    }
}

/// Left behind it would do no harm: who finds nobody behind it opens the directory and replaces it.
impl Drop for Bound {
    fn drop(&mut self) {
        self.remove();
    }
}

const NAME: &str = "stoa.sock";

impl Door {
    /// Binds the socket of a directory that is ours; a socket left behind by a crash is replaced.
    pub(crate) fn bind(config: &Config, limits: &DoorLimits) -> Result<Door, StoreError> {
        let socket = config.log.data.join(NAME);
        let refused = |what: &'static str| {
            let path = socket.clone();
            move |error: io::Error| StoreError::File { what, path, why: error.to_string() }
        };
        match std::fs::remove_file(&socket) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(refused("cannot replace")(error));
            }
            _ => {}
        }
        let address = Address::of(&config.log.data).map_err(refused("cannot name"))?;
        let listener = UnixListener::bind(&address.path).map_err(refused("cannot serve"))?;
        let private = std::fs::Permissions::from_mode(0o600);
        std::fs::set_permissions(&socket, private).map_err(refused("cannot protect"))?;
        let bound = Bound::of(&config.log.data).map_err(refused("cannot look at"))?;
        let inside = watch::Sender::new(Inside::Opening);
        let (counter, clients) = watch::channel(0);
        let (shut, leaving) = (watch::Sender::new(None), watch::Sender::new(false));
        let stalled = Duration::from_millis(limits.stalled_ms_max);
        let answers = Ceiling::new(limits.answers_bytes_max, stalled);
        let requests = Ceiling::new(limits.requests_bytes_max, stalled);
        let hall = Hall {
            answers: answers.clone(),
            requests: requests.clone(),
            inside: inside.subscribe(),
            counter,
            shut: shut.subscribe(),
            leaving: leaving.subscribe(),
            places: Arc::new(Semaphore::new(limits.connections_max)),
            refusals: Arc::new(Semaphore::new(REFUSALS_MAX)),
            limits: limits.clone(),
        };
        let accepting = Some(tokio::spawn(hall.accept(listener)));
        Ok(Door { inside, clients, shut, leaving, accepting, bound, answers, requests })
    }

    /// From now on clients are answered.
    pub(crate) fn open(&self, runtime: Runtime) {
        self.inside.send_replace(Inside::Open(runtime));
    }

    /// The store could not be opened: everybody at the door is told why.
    pub(crate) fn refuse(&self, problem: Problem) {
        self.inside.send_replace(Inside::Refused(problem));
    }

    /// How many clients there are now.
    pub fn clients(&self) -> usize {
        *self.clients.borrow()
    }

    /// What is on its way through it.
    pub fn load(&self) -> DoorLoad {
        DoorLoad { answers: self.answers.clone(), requests: self.requests.clone() }
    }

    /// Waits until nobody is left, then closes. Whoever follows what happens would never leave, and is
    /// told to ask the next one. Who connects meanwhile hears nothing, and finds
    /// the directory free a moment later; who was let in before that is still answered.
    pub async fn close(&mut self) {
        self.leaving.send_replace(true);
        drop(self.clients.wait_for(|count| *count == 0).await);
        self.accept_no_more().await;
        drop(self.clients.wait_for(|count| *count == 0).await);
        self.bound.remove();
    }

    /// Closes at once: nobody is let in or answered any more, and everybody hears that the owner is
    /// stopping. What was asked and not answered may have taken effect.
    pub async fn shut(&mut self) {
        self.dismiss(stopping()).await;
    }

    /// Closes after the store has failed: who has asked is answered, with that, and nobody waits for
    /// anything any more.
    pub async fn fail(&mut self, error: StoreError) {
        self.accept_no_more().await;
        let answered = self.clients.wait_for(|count| *count == 0);
        drop(tokio::time::timeout(GOODBYE, answered).await);
        self.dismiss(error.into()).await;
    }

    async fn accept_no_more(&mut self) {
        if let Some(accepting) = self.accepting.take() {
            accepting.abort();
            drop(accepting.await);
        }
    }

    async fn dismiss(&mut self, why: Problem) {
        self.shut.send_replace(Some(why));
        self.accept_no_more().await;
        let gone = self.clients.wait_for(|count| *count == 0);
        drop(tokio::time::timeout(GOODBYE, gone).await);
        self.bound.remove();
    }
}

/// Clients that are told at the same time that there is no place for them; others hear nothing.
const REFUSALS_MAX: usize = 64;
/// How long a client has to take in why it has to go.
const GOODBYE: Duration = Duration::from_millis(500);

struct Hall {
    inside: watch::Receiver<Inside>,
    counter: watch::Sender<usize>,
    shut: watch::Receiver<Option<Problem>>,
    leaving: watch::Receiver<bool>,
    places: Arc<Semaphore>,
    refusals: Arc<Semaphore>,
    answers: Arc<Ceiling>,
    requests: Arc<Ceiling>,
    limits: DoorLimits,
}

/// Counts one client for as long as it is there.
struct Guest(watch::Sender<usize>);

impl Drop for Guest {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}

impl Hall {
    async fn accept(self, listener: UnixListener) {
        loop {
            let Ok((stream, _)) = listener.accept().await else {
                // Out of descriptors, perhaps: give others the time to close theirs.
                tokio::time::sleep(Duration::from_millis(10)).await;
                continue;
            };
            // Whoever is let in here is the owner of the directory.
            if !same_user(&stream) {
                continue;
            }
            match self.places.clone().try_acquire_owned() {
                Ok(place) => self.let_in(stream, place),
                Err(_) => self.turn_away(stream),
            }
        }
    }

    fn let_in(&self, stream: UnixStream, place: OwnedSemaphorePermit) {
        self.counter.send_modify(|count| *count += 1);
        let guest = Guest(self.counter.clone());
        let (inside, shut, limits) = (self.inside.clone(), self.shut.clone(), self.limits.clone());
        let leaving = self.leaving.clone();
        let visit = Visit::new(stream, self.answers.enter(), self.requests.enter(), leaving);
        tokio::spawn(async move {
            if let Err(error) = visit.attend(inside, shut, &limits).await {
                tracing::debug!(%error, "a client is gone");
            }
            drop((guest, place));
        });
    }

    /// Says that it is full: that is no reason to take the owner for dead.
    fn turn_away(&self, mut stream: UnixStream) {
        let Ok(one) = self.refusals.clone().try_acquire_owned() else { return };
        let max = self.limits.connections_max;
        let text = format!(
            "the process that has the directory open serves {max} connections and takes no more; \
             try again in a moment"
        );
        let full = Hello::Refused(Problem::new(ProblemKind::Busy, text).hint("stoa status"));
        tokio::spawn(async move {
            drop(tokio::time::timeout(GOODBYE, send(&mut stream, &full)).await);
            drop(one);
        });
    }
}
