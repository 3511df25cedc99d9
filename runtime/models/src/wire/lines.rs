//! Bytes to lines: ended by LF, CR or both, also where a piece of the stream ends between the two.

use crate::fault::{Fault, FaultKind};

/// Bytes of one line.
pub const LINE_BYTES_MAX: usize = 1 << 20;

const BOM: &[u8] = b"\xef\xbb\xbf";

/// Splits a stream of bytes.
#[derive(Default)]
pub(super) struct Lines {
    /// The beginning of a line whose end has not come.
    held: Vec<u8>,
    /// The last byte was a CR: an LF right behind it ends no other line.
    after_cr: bool,
    begun: bool,
}

impl Lines {
    /// Takes the next bytes and hands on each line that they end, without its end.
    pub(super) fn feed(
        &mut self,
        mut piece: &[u8],
        take: &mut dyn FnMut(&[u8]) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        if piece.is_empty() {
            return Ok(());
        }
        if std::mem::take(&mut self.after_cr) && piece[0] == b'\n' {
            piece = &piece[1..];
        }
        while let Some(at) = piece.iter().position(|it| matches!(it, b'\n' | b'\r')) {
            let (line, rest) = piece.split_at(at);
            piece = &rest[1..];
            if rest[0] == b'\r' {
                match piece.first() {
                    Some(b'\n') => piece = &piece[1..],
                    Some(_) => {}
                    None => self.after_cr = true,
                }
            }
            self.hold(line)?;
            let whole = std::mem::take(&mut self.held);
            take(self.unmarked(&whole))?;
        }
        self.hold(piece)
    }

    /// The line that the stream has not ended, if there is one.
    pub(super) fn rest(
        &mut self,
        take: &mut dyn FnMut(&[u8]) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        let rest = std::mem::take(&mut self.held);
        if rest.is_empty() { Ok(()) } else { take(self.unmarked(&rest)) }
    }

    fn hold(&mut self, piece: &[u8]) -> Result<(), Fault> {
        if self.held.len() + piece.len() > LINE_BYTES_MAX {
            let text = format!("a line of more than {LINE_BYTES_MAX} bytes");
            return Err(Fault::new(FaultKind::TooLong, text));
        }
        self.held.extend_from_slice(piece);
        Ok(())
    }

    /// A stream may begin with a mark of its encoding.
    fn unmarked<'a>(&mut self, line: &'a [u8]) -> &'a [u8] {
        match std::mem::replace(&mut self.begun, true) {
            true => line,
            false => line.strip_prefix(BOM).unwrap_or(line),
        }
    }
}
