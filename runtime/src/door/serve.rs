//! The owner's side: accept, greet, answer, and stay until everybody is done.

use super::{Address, Hello, Reply, perform, receive, send};
use crate::config::Config;
use crate::failure::StoreError;
use crate::problem::Problem;
use crate::runtime::Runtime;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinHandle;

#[derive(Clone)]
enum Inside {
    Opening,
    Open(Runtime),
    Refused(Problem),
}

/// The open door of a data directory. Bound before the store is opened, so that whoever comes
/// meanwhile waits at the door instead of fighting for the lock.
pub struct Door {
    inside: watch::Sender<Inside>,
    clients: watch::Receiver<usize>,
    accepting: JoinHandle<()>,
    socket: std::path::PathBuf,
}

impl Door {
    /// Binds the socket of a directory that is ours; a socket left behind by a crash is replaced.
    pub(crate) fn bind(config: &Config) -> Result<Door, StoreError> {
        let socket = config.data.join("stoa.sock");
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
        let address = Address::of(&config.data).map_err(refused("cannot name"))?;
        let listener = UnixListener::bind(&address.path).map_err(refused("cannot serve"))?;
        let private = std::fs::Permissions::from_mode(0o600);
        std::fs::set_permissions(&socket, private).map_err(refused("cannot protect"))?;
        let inside = watch::Sender::new(Inside::Opening);
        let (counter, clients) = watch::channel(0);
        let hall = Hall {
            inside: inside.subscribe(),
            counter,
            seats: Arc::new(Semaphore::new(config.connections_max)),
            config: config.clone(),
        };
        let accepting = tokio::spawn(hall.accept(listener));
        Ok(Door { inside, clients, accepting, socket })
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

    /// Waits until nobody is left, then closes. Who connects meanwhile hears nothing, and finds
    /// the directory free a moment later; who was let in before that is still answered.
    pub async fn close(mut self) {
        drop(self.clients.wait_for(|count| *count == 0).await);
        self.accepting.abort();
        drop((&mut self.accepting).await);
        drop(self.clients.wait_for(|count| *count == 0).await);
        drop(std::fs::remove_file(&self.socket));
    }
}

struct Hall {
    inside: watch::Receiver<Inside>,
    counter: watch::Sender<usize>,
    seats: Arc<Semaphore>,
    config: Config,
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
            let Ok(seat) = self.seats.clone().acquire_owned().await else { return };
            let Ok((stream, _)) = listener.accept().await else {
                // Out of descriptors, perhaps: give others the time to close theirs.
                tokio::time::sleep(Duration::from_millis(10)).await;
                continue;
            };
            if !same_user(&stream) {
                continue;
            }
            self.counter.send_modify(|count| *count += 1);
            let guest = Guest(self.counter.clone());
            let (inside, config) = (self.inside.clone(), self.config.clone());
            tokio::spawn(async move {
                if let Err(error) = attend(stream, inside, &config).await {
                    tracing::debug!(%error, "a client is gone");
                }
                drop((guest, seat));
            });
        }
    }
}

/// The file's mode keeps others out already; this holds also where it was changed.
fn same_user(stream: &UnixStream) -> bool {
    let own = rustix::process::geteuid().as_raw();
    stream.peer_cred().is_ok_and(|peer| peer.uid() == own || peer.uid() == 0)
}

async fn attend(
    mut stream: UnixStream,
    mut inside: watch::Receiver<Inside>,
    config: &Config,
) -> io::Result<()> {
    let runtime = loop {
        let now = inside.borrow_and_update().clone();
        match now {
            Inside::Open(runtime) => break runtime,
            Inside::Refused(problem) => return send(&mut stream, &Hello::Refused(problem)).await,
            Inside::Opening => {
                send(&mut stream, &Hello::Opening).await?;
                let wait = Duration::from_millis(config.opening_ms);
                drop(tokio::time::timeout(wait, inside.changed()).await);
            }
        }
    };
    send(&mut stream, &Hello::Ready).await?;
    let (mut from, mut to) = stream.into_split();
    while let Some(request) = receive(&mut from, config.frame_bytes_max).await? {
        let (answers, mut ready) = mpsc::channel(config.answers_max);
        let work = perform(&runtime, request, answers);
        tokio::pin!(work);
        let mut end = None;
        let mut beat = tokio::time::interval(Duration::from_millis(config.working_ms));
        beat.reset();
        // A client that hangs up ends its request at the next wait.
        loop {
            tokio::select! {
                biased;
                answer = ready.recv() => match answer {
                    Some(answer) => send(&mut to, &Reply::Answer(Box::new(answer))).await?,
                    None => break,
                },
                result = &mut work, if end.is_none() => end = Some(result),
                _ = beat.tick() => send(&mut to, &Reply::Working).await?,
                gone = from.readable() => {
                    gone?;
                    let mut byte = [0; 1];
                    match from.try_read(&mut byte) {
                        Ok(0) => return Ok(()),
                        Ok(_) => return Err(io::Error::other("a client spoke out of turn")),
                        Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                        Err(error) => return Err(error),
                    }
                }
            }
        }
        let result = match end {
            Some(result) => result,
            None => work.await,
        };
        send(&mut to, &Reply::End(result)).await?;
    }
    Ok(())
}
