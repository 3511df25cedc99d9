//! Characters whose two halves come in two events.
//!
//! A server that counts in UTF-16, as all do that are written in JavaScript, may cut its text between
//! the two surrogates of one character: `"a \ud83e"`, and in the next event `"\udd80 b"`. Neither is
//! text by itself. Together they are; where they do not come together nothing is made up.

/// Bytes of an escape: `\ud83e`.
const ESCAPE: usize = 6;

/// The half that waits for the other one, which begins a text of the next event.
#[derive(Default)]
pub(super) struct Surrogates(Option<[u8; ESCAPE]>);

impl Surrogates {
    /// The event without the half that one of its texts ends with, which is held; with the half that
    /// was held before the text that begins with the other one. Nothing where a half has no other.
    pub(super) fn joined(&mut self, json: &[u8]) -> Option<Vec<u8>> {
        let mut held = self.0.take();
        let mut out = Vec::with_capacity(json.len() + ESCAPE);
        // Right behind a quote that is not escaped: a text may begin here.
        let mut begins = false;
        let mut rest = json;
        while !rest.is_empty() {
            let length = match (unit(rest), unit(rest.get(ESCAPE..).unwrap_or_default())) {
                (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => 2 * ESCAPE,
                (Some(_), _) => ESCAPE,
                (None, _) if rest[0] == b'\\' => rest.len().min(2),
                (None, _) => 1,
            };
            let (this, behind) = rest.split_at(length);
            match unit(this) {
                Some(0xd800..=0xdbff) if length == ESCAPE => {
                    let ends = behind.first() == Some(&b'"') && self.0.is_none();
                    self.0 = Some(this.try_into().ok().filter(|_| ends)?);
                }
                Some(0xdc00..=0xdfff) => {
                    out.extend_from_slice(&held.take().filter(|_| begins)?);
                    out.extend_from_slice(this);
                }
                _ => out.extend_from_slice(this),
            }
            begins = this == b"\"";
            rest = behind;
        }
        held.is_none().then_some(out)
    }

    /// Whether the other half has not come.
    pub(super) fn is_half(&self) -> bool {
        self.0.is_some()
    }
}

/// The unit of UTF-16 that is escaped here.
fn unit(json: &[u8]) -> Option<u16> {
    let digits = json.get(..ESCAPE)?.strip_prefix(b"\\u")?;
    u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}
