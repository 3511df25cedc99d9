//! The protocols of the providers, as pure functions of bytes: what is sent, and what came.
//!
//! A [`Decoder`] is fed whatever pieces a connection gives. It makes of them one [`ModelReply`] that is
//! complete, or one [`Fault`]; where the pieces were cut makes no difference. A server that answers
//! with one JSON value where a stream was asked for is understood as well.

mod anthropic;
mod calls;
mod chat;
mod encode;
mod events;
mod lines;
mod look;
mod ollama;
mod responses;
mod status;
mod surrogates;

pub use events::EVENT_BYTES_MAX;
pub use lines::LINE_BYTES_MAX;
pub use status::{Headers, refused, wait_of};

use crate::fault::{Fault, FaultKind};
use crate::reply::{Delta, ModelReply};
use events::Events;
use lines::Lines;
use serde_json::Value as Json;
use surrogates::Surrogates;

/// Bytes of one reply, as they come.
pub const REPLY_BYTES_MAX: usize = 16 << 20;

/// Bytes of what is not understood that are shown.
const SHOWN_BYTES: usize = 200;

/// How a provider is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Dialect {
    /// The Messages of Anthropic: `/v1/messages`.
    Anthropic,
    /// The Responses of OpenAI: `/v1/responses`.
    Responses,
    /// Chat completions, as most servers speak them: `/v1/chat/completions`.
    Chat,
    /// What Ollama speaks by itself: `/api/chat`.
    Ollama,
}

impl Dialect {
    /// All of them.
    pub const ALL: [Dialect; 4] =
        [Dialect::Anthropic, Dialect::Responses, Dialect::Chat, Dialect::Ollama];

    /// Its name in configuration.
    pub fn name(self) -> &'static str {
        match self {
            Dialect::Anthropic => "anthropic",
            Dialect::Responses => "responses",
            Dialect::Chat => "chat",
            Dialect::Ollama => "ollama",
        }
    }
}

/// What each protocol makes of its events.
trait Wire: Send {
    /// Takes one event of a stream.
    fn event(&mut self, name: &str, data: &Json, out: &mut Vec<Delta>) -> Result<(), Fault>;
    /// Takes a reply that came as one value.
    fn whole(&mut self, reply: &Json, out: &mut Vec<Delta>) -> Result<(), Fault>;
    /// Whether the provider has said that the reply is complete.
    fn is_complete(&self) -> bool;
    /// Whether anything was said that a reply could be without a word of its end.
    fn says_something(&self) -> bool;
    /// All that was said.
    fn reply(self: Box<Self>) -> ModelReply;
}

/// Reads one reply, piece by piece.
pub struct Decoder {
    dialect: Dialect,
    form: Form,
    wire: Box<dyn Wire>,
    bytes: usize,
    accept_unfinished: bool,
    stream: Stream,
}

/// What is known of a stream besides what it says.
#[derive(Default)]
struct Stream {
    /// It has said that nothing follows.
    done: bool,
    surrogates: Surrogates,
}

/// In which form a reply comes. That is seen by its first byte.
enum Form {
    Unknown,
    Events(Events),
    /// A value a line.
    Values(Lines),
    /// All of it is one value.
    Whole(Vec<u8>),
}

impl Decoder {
    /// A reader of one reply. `accept_unfinished`: some servers end a stream without saying that the
    /// reply is complete, and cannot be told from a connection that broke; it is taken then.
    pub fn new(dialect: Dialect, accept_unfinished: bool) -> Decoder {
        let wire: Box<dyn Wire> = match dialect {
            Dialect::Anthropic => Box::<anthropic::Messages>::default(),
            Dialect::Responses => Box::<responses::Responses>::default(),
            Dialect::Chat => Box::<chat::Chat>::default(),
            Dialect::Ollama => Box::<ollama::Ollama>::default(),
        };
        let stream = Stream::default();
        Decoder { dialect, form: Form::Unknown, wire, bytes: 0, accept_unfinished, stream }
    }

    /// Takes the next bytes, and tells what they add.
    ///
    /// Errors: why there will be no reply; nothing is to be fed after that.
    pub fn feed(&mut self, mut piece: &[u8]) -> Result<Vec<Delta>, Fault> {
        self.bytes += piece.len();
        if self.bytes > REPLY_BYTES_MAX {
            let text = format!("more than {REPLY_BYTES_MAX} bytes");
            return Err(Fault::new(FaultKind::TooLong, text));
        }
        let mut out = Vec::new();
        if let Form::Unknown = self.form {
            // What is blank in front says nothing in any form.
            piece = piece.trim_ascii_start();
            let Some(first) = piece.first() else { return Ok(out) };
            self.form = match (self.dialect, first) {
                (Dialect::Ollama, _) => Form::Values(Lines::default()),
                (_, b'{' | b'[') => Form::Whole(Vec::new()),
                _ => Form::Events(Events::default()),
            };
        }
        let Decoder { form, wire, stream, .. } = self;
        match form {
            Form::Unknown => {}
            Form::Events(events) => {
                events.feed(piece, &mut |name, data| event(wire, stream, name, data, &mut out))?;
            }
            Form::Values(lines) => {
                lines.feed(piece, &mut |line| value(wire, stream, line, &mut out))?;
            }
            Form::Whole(held) => held.extend_from_slice(piece),
        }
        Ok(out)
    }

    /// The reply, once the connection has ended.
    ///
    /// Errors: [`FaultKind::Cut`] where the provider has not said that it is complete.
    pub fn end(mut self) -> Result<(ModelReply, Vec<Delta>), Fault> {
        let mut out = Vec::new();
        let Decoder { form, wire, stream, .. } = &mut self;
        let rest = match form {
            Form::Unknown => Ok(()),
            Form::Events(events) => {
                events.rest(&mut |name, data| event(wire, stream, name, data, &mut out))
            }
            Form::Values(lines) => lines.rest(&mut |line| value(wire, stream, line, &mut out)),
            Form::Whole(held) => parsed(held).and_then(|it| wire.whole(&it, &mut out)),
        };
        match rest {
            // What is in the midst of an event says no more than that the stream was cut.
            Err(fault) if fault.kind == FaultKind::Garbled => {
                return Err(Fault::new(FaultKind::Cut, fault.text));
            }
            rest => rest?,
        }
        if self.stream.surrogates.is_half() {
            return Err(half());
        }
        let complete =
            self.wire.is_complete() || self.accept_unfinished && self.wire.says_something();
        match complete {
            true => Ok((self.wire.reply(), out)),
            false => Err(Fault::new(FaultKind::Cut, format!("after {} bytes", self.bytes))),
        }
    }

    /// Whether the provider has said that the reply is complete. What it took may still follow.
    pub fn is_complete(&self) -> bool {
        self.wire.is_complete()
    }

    /// Whether the rest of the connection says nothing more.
    pub fn is_done(&self) -> bool {
        self.stream.done || self.dialect != Dialect::Chat && self.wire.is_complete()
    }
}

fn event(
    wire: &mut Box<dyn Wire>,
    stream: &mut Stream,
    name: &str,
    data: &[u8],
    out: &mut Vec<Delta>,
) -> Result<(), Fault> {
    if stream.done {
        return Ok(());
    }
    if data == b"[DONE]" {
        stream.done = true;
        return Ok(());
    }
    let event = match parsed(data) {
        Ok(event) if !stream.surrogates.is_half() => event,
        read => match (stream.surrogates.joined(data), read) {
            (Some(joined), _) => parsed(&joined)?,
            (None, Err(fault)) => return Err(fault),
            (None, Ok(_)) => return Err(half()),
        },
    };
    wire.event(name, &event, out)
}

fn value(
    wire: &mut Box<dyn Wire>,
    stream: &mut Stream,
    line: &[u8],
    out: &mut Vec<Delta>,
) -> Result<(), Fault> {
    // Some servers in between send it as events all the same.
    let line = line.strip_prefix(b"data:").unwrap_or(line).trim_ascii();
    match line.is_empty() || line.starts_with(b":") {
        true => Ok(()),
        false => event(wire, stream, "", line, out),
    }
}

fn half() -> Fault {
    Fault::new(FaultKind::Garbled, "half a character, and not its other half")
}

fn parsed(bytes: &[u8]) -> Result<Json, Fault> {
    serde_json::from_slice(bytes).map_err(|error| {
        let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(SHOWN_BYTES)]);
        Fault::new(FaultKind::Garbled, format!("{error}: {shown}"))
    })
}
