//! The door for other processes of the same user: `DIR/stoa.sock`.
//!
//! Whoever opens the directory serves the socket; everybody else connects. A frame is a length
//! (u32, little endian) and a value of [`stoa_actors::codec`]. The owner speaks first, so that a
//! client which hears nothing has asked for nothing and can try again.

mod agents;
mod answer;
mod identity;
mod leases;
mod past;
mod perform;
mod reach;
mod serve;
mod status;
mod subscriptions;
mod visit;

pub use agents::AgentCall;
pub use answer::Answer;
pub use identity::{Identity, Peer};
pub(crate) use identity::{READS, RESEARCH};
pub use leases::LeaseCall;
pub use past::HistoryCall;
pub use perform::{AuditAsk, Call, ExecAsk, Request, perform};
pub use reach::{Client, Reached, reach};
pub use serve::Door;
pub use status::Status;
pub use subscriptions::SubscriptionCall;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::io;
use std::path::{Path, PathBuf};
use stoa_actors::codec;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::UnixStream;

/// The form of a frame; a client and an owner of different forms refuse each other.
const FRAME_FORM: u8 = 9;

/// What the owner says first, and again while it opens its store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Hello {
    /// Recovering; wait.
    Opening,
    /// Ask.
    Ready,
    /// It could not open: the reason.
    Refused(crate::problem::Problem),
}

/// What the owner answers with: any number of answers, then the end.
#[derive(Clone, Debug, Serialize, Deserialize)]
enum Reply {
    /// Nothing yet; the owner is alive.
    Working,
    Answer(Box<Answer>),
    End(Result<(), crate::problem::Problem>),
}

/// The file's mode keeps others out already; this holds also where it was changed, and where
/// somebody else has put a socket in its place.
fn same_user(stream: &UnixStream) -> bool {
    let own = rustix::process::geteuid().as_raw();
    stream.peer_cred().is_ok_and(|peer| peer.uid() == own || peer.uid() == 0)
}

async fn send<T: Serialize>(to: &mut (impl AsyncWrite + Unpin), value: &T) -> io::Result<()> {
    let mut frame = vec![0; 4];
    codec::encode_into(FRAME_FORM, value, &mut frame).map_err(io::Error::other)?;
    let bytes = (frame.len() - 4) as u32;
    frame[..4].copy_from_slice(&bytes.to_le_bytes());
    to.write_all(&frame).await?;
    to.flush().await
}

/// The next value; nothing at the end of the connection.
async fn receive<T: DeserializeOwned>(
    from: &mut (impl AsyncRead + Unpin),
    bytes_max: usize,
) -> io::Result<Option<T>> {
    let mut length = [0; 4];
    match from.read_exact(&mut length).await {
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(error),
    }
    let bytes = u32::from_le_bytes(length) as usize;
    if bytes > bytes_max {
        let text = format!("a frame of {bytes} bytes is over the limit of {bytes_max}");
        return Err(io::Error::other(text));
    }
    let mut frame = vec![0; bytes];
    from.read_exact(&mut frame).await?;
    codec::decode(FRAME_FORM, &frame).map(Some).map_err(io::Error::other)
}

/// The socket of a directory, by a path short enough for the system: at most 107 bytes fit, so a
/// deep directory is named through an open handle on it.
struct Address {
    path: PathBuf,
    _directory: Option<std::fs::File>,
}

const SOCKET_PATH_BYTES_MAX: usize = 100;

impl Address {
    fn of(data: &Path) -> io::Result<Address> {
        let path = data.join("stoa.sock");
        if path.as_os_str().len() <= SOCKET_PATH_BYTES_MAX {
            return Ok(Address { path, _directory: None });
        }
        use std::os::fd::AsRawFd;
        let directory = std::fs::File::open(data)?;
        let path = format!("/proc/self/fd/{}/stoa.sock", directory.as_raw_fd()).into();
        Ok(Address { path, _directory: Some(directory) })
    }
}
