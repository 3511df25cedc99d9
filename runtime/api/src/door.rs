//! The door for other processes of the same user: `DIR/stoa.sock`.
//!
//! Whoever opens the directory serves the socket; everybody else connects. A frame is a length
//! (u32, little endian) and a value of [`stoa_actors::codec`]. The owner speaks first, so that a
//! client which hears nothing has asked for nothing and can try again.

mod perform;
mod reach;
mod serve;
mod visit;

pub use perform::{DoorRequest, perform};
pub use reach::{Client, Reached, is_handed_on, is_lost, reach};
pub use serve::{Door, DoorLoad};
pub use stoa_kernel::identity::{Identity, Peer};

use crate::ceiling::{Held, Place, STRIDE_BYTES};
use crate::operation::OutItem;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use stoa_actors::codec;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::UnixStream;

/// The form of a frame; a client and an owner of different forms refuse each other.
const FRAME_FORM: u8 = 10;

/// What the owner says first, and again while it opens its store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Hello {
    /// The owner is opening the directory: wait, and ask again.
    Opening,
    /// The owner takes requests now.
    Ready,
    /// It could not open: the reason.
    Refused(crate::problem::Problem),
}

/// What the owner answers with: any number of answers, then the end.
#[derive(Clone, Debug, Serialize, Deserialize)]
enum Reply {
    /// Nothing yet; the owner is alive.
    Working,
    Said(OutItem),
    End(Result<(), crate::problem::Problem>),
}

/// The file's mode keeps others out already; this holds also where it was changed, and where
/// somebody else has put a socket in its place.
fn same_user(stream: &UnixStream) -> bool {
    let own = rustix::process::geteuid().as_raw();
    stream.peer_cred().is_ok_and(|peer| peer.uid() == own || peer.uid() == 0)
}

/// What goes through the socket: a head, of the form of this build, and behind it JSON as it is.
trait Framed: Serialize + DeserializeOwned {
    fn json(&self) -> &[u8] {
        &[]
    }

    fn with(self, _: Vec<u8>) -> Self {
        self
    }
}

impl Framed for Hello {}

impl Framed for DoorRequest {
    fn json(&self) -> &[u8] {
        &self.body
    }

    fn with(self, body: Vec<u8>) -> DoorRequest {
        DoorRequest { body, ..self }
    }
}

impl Framed for Reply {
    fn json(&self) -> &[u8] {
        match self {
            Reply::Said(OutItem::Answer(json)) => json,
            _ => &[],
        }
    }

    fn with(self, json: Vec<u8>) -> Reply {
        match self {
            Reply::Said(OutItem::Answer(_)) => Reply::Said(OutItem::Answer(json)),
            other => other,
        }
    }
}

async fn send<T: Framed>(to: &mut (impl AsyncWrite + Unpin), value: &T) -> io::Result<()> {
    to.write_all(&framed(value)?).await?;
    to.flush().await
}

/// The same to a client under a ceiling, which hears how it goes on.
async fn send_under<T: Framed>(
    to: &mut (impl AsyncWrite + Unpin),
    value: &T,
    place: &Place,
) -> io::Result<()> {
    for stride in framed(value)?.chunks(STRIDE_BYTES) {
        place.waits();
        to.write_all(stride).await?;
    }
    to.flush().await?;
    place.at_work();
    Ok(())
}

/// The lengths of a frame and of its head.
const LENGTH_BYTES: usize = 4;

fn framed<T: Framed>(value: &T) -> io::Result<Vec<u8>> {
    let mut frame = vec![0; 2 * LENGTH_BYTES];
    codec::encode_into(FRAME_FORM, value, &mut frame).map_err(io::Error::other)?;
    let head = (frame.len() - 2 * LENGTH_BYTES) as u32;
    frame.extend_from_slice(value.json());
    let bytes = (frame.len() - LENGTH_BYTES) as u32;
    frame[..LENGTH_BYTES].copy_from_slice(&bytes.to_le_bytes());
    frame[LENGTH_BYTES..2 * LENGTH_BYTES].copy_from_slice(&head.to_le_bytes());
    Ok(frame)
}

fn unframed<T: Framed>(mut frame: Vec<u8>) -> io::Result<T> {
    let invalid = || io::Error::other("a frame is cut short");
    let head = *frame.first_chunk::<LENGTH_BYTES>().ok_or_else(invalid)?;
    let end = (u32::from_le_bytes(head) as usize).saturating_add(LENGTH_BYTES);
    let head = frame.get(LENGTH_BYTES..end).ok_or_else(invalid)?;
    let value: T = codec::decode(FRAME_FORM, head).map_err(io::Error::other)?;
    frame.drain(..end);
    Ok(value.with(frame))
}

/// The next value; nothing at the end of the connection.
async fn receive<T: Framed>(
    from: &mut (impl AsyncRead + Unpin),
    bytes_max: usize,
) -> io::Result<Option<T>> {
    let Some(bytes) = announced(from, bytes_max).await? else { return Ok(None) };
    let mut frame = vec![0; bytes];
    from.read_exact(&mut frame).await.map_err(cut_off)?;
    unframed(frame).map(Some)
}

/// The same from a client under a ceiling, with the room that it has: it is given back when the
/// request is answered. What is small needs none. Nothing as well where the client lets itself be
/// waited for longer than `patience`; that it waits for room itself is not its doing.
async fn receive_under<T: Framed>(
    from: &mut (impl AsyncRead + Unpin),
    bytes_max: usize,
    place: &Arc<Place>,
    patience: Duration,
) -> io::Result<Option<(T, Option<Held>)>> {
    let announced = tokio::time::timeout(patience, announced(from, bytes_max)).await;
    let Some(bytes) = announced.unwrap_or(Ok(None))? else { return Ok(None) };
    let held = match bytes > STRIDE_BYTES {
        // As it comes in, and as it is understood.
        true => Some(place.hold(bytes.saturating_mul(2)).await),
        false => None,
    };
    let mut frame = vec![0; bytes];
    let whole = async {
        for stride in frame.chunks_mut(STRIDE_BYTES) {
            place.waits();
            from.read_exact(stride).await?;
        }
        Ok::<_, io::Error>(())
    };
    let Ok(whole) = tokio::time::timeout(patience, whole).await else { return Ok(None) };
    whole?;
    place.at_work();
    Ok(Some((unframed(frame)?, held)))
}

/// An owner that closes a connection in the middle of an answer does so for a reason.
fn cut_off(error: io::Error) -> io::Error {
    if error.kind() != io::ErrorKind::UnexpectedEof {
        return error;
    }
    io::Error::other(
        "it ended in the middle of an answer; it may have been killed, or it has closed a connection \
         that took nothing (stalled_ms_max) while others waited for room (answers_bytes_max)",
    )
}

/// How large the next frame is; nothing at the end of the connection.
async fn announced(
    from: &mut (impl AsyncRead + Unpin),
    bytes_max: usize,
) -> io::Result<Option<usize>> {
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
    Ok(Some(bytes))
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
