//! Lines to server-sent events.

use super::lines::Lines;
use crate::fault::{Fault, FaultKind};

/// Bytes of one event.
pub const EVENT_BYTES_MAX: usize = 4 << 20;

/// One event: its name, empty where it has none, and its data.
type Take<'a> = dyn FnMut(&str, &[u8]) -> Result<(), Fault> + 'a;

/// Reads a stream of server-sent events. Comments, empty data and data that is a comment are no
/// events.
#[derive(Default)]
pub(super) struct Events {
    lines: Lines,
    event: Event,
}

#[derive(Default)]
struct Event {
    name: String,
    data: Vec<u8>,
    /// Whether there was any line of data.
    says: bool,
}

impl Events {
    pub(super) fn feed(&mut self, piece: &[u8], take: &mut Take<'_>) -> Result<(), Fault> {
        let event = &mut self.event;
        self.lines.feed(piece, &mut |line| event.line(line, take))
    }

    /// What came at the end, also if nothing has ended it.
    pub(super) fn rest(&mut self, take: &mut Take<'_>) -> Result<(), Fault> {
        let event = &mut self.event;
        self.lines.rest(&mut |line| event.line(line, take))?;
        event.end(take)
    }
}

impl Event {
    fn line(&mut self, line: &[u8], take: &mut Take<'_>) -> Result<(), Fault> {
        if line.is_empty() {
            return self.end(take);
        }
        let colon = line.iter().position(|it| *it == b':');
        let (field, value) = match colon {
            Some(at) => (&line[..at], &line[at + 1..]),
            None => (line, &[][..]),
        };
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match field {
            b"event" => self.name = String::from_utf8_lossy(value).into_owned(),
            b"data" => {
                if self.data.len() + value.len() > EVENT_BYTES_MAX {
                    let text = format!("an event of more than {EVENT_BYTES_MAX} bytes");
                    return Err(Fault::new(FaultKind::TooLong, text));
                }
                if std::mem::replace(&mut self.says, true) {
                    self.data.push(b'\n');
                }
                self.data.extend_from_slice(value);
            }
            // A comment, an id, a time to reconnect after, and what is yet to be invented.
            _ => {}
        }
        Ok(())
    }

    fn end(&mut self, take: &mut Take<'_>) -> Result<(), Fault> {
        let Event { name, data, .. } = std::mem::take(self);
        let data = data.trim_ascii();
        if data.is_empty() || data.starts_with(b":") {
            return Ok(());
        }
        take(&name, data)
    }
}
