//! A REPL between two actions, as bytes.

use monty::{Dump, MontyRepl, Session, SessionRef};
use monty_types::MONTY_VERSION;

/// The form of what stands around the interpreter's own bytes.
const FORM: u8 = 1;

/// The name the interpreter files a session under. It is in no traceback.
pub(super) const SCRIPT: &str = "action.py";

/// Why a REPL could not be taken up again.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub(super) enum Stale {
    #[error("it was kept by another version of the interpreter")]
    OtherVersion,
    #[error("what was kept of it is damaged")]
    Damaged,
}

/// FNV-1a: tells damage, not malice, from what was written. Its value is stored, so it is our own.
pub(super) fn fingerprint(bytes: &[u8]) -> u64 {
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, step)
}

/// Form, length and text of the interpreter's version.
fn head() -> Vec<u8> {
    let mut head = vec![FORM, MONTY_VERSION.len() as u8];
    head.extend_from_slice(MONTY_VERSION.as_bytes());
    head
}

/// The bytes [`open`] takes.
pub(super) fn seal(repl: &MontyRepl) -> Result<Vec<u8>, String> {
    let state = monty::dump(SCRIPT, None, SessionRef::Idle(repl)).map_err(|it| it.to_string())?;
    let mut bytes = head();
    bytes.reserve_exact(8 + state.len());
    bytes.extend_from_slice(&fingerprint(&state).to_le_bytes());
    bytes.extend_from_slice(&state);
    Ok(bytes)
}

/// The REPL in the bytes. Only in a worker: bytes that were forged can do worse than fail.
pub(super) fn open(bytes: &[u8]) -> Result<MontyRepl, Stale> {
    let rest = bytes.strip_prefix(head().as_slice()).ok_or(Stale::OtherVersion)?;
    let (sum, state) = rest.split_first_chunk::<8>().ok_or(Stale::Damaged)?;
    if u64::from_le_bytes(*sum) != fingerprint(state) {
        return Err(Stale::Damaged);
    }
    match Dump::load(state).map(|dump| dump.state) {
        Ok(Session::Idle(repl)) => Ok(*repl),
        _ => Err(Stale::Damaged),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use monty_types::{CompileOptions, MontyObject, PrintWriter, ResourceTracker};

    fn kept() -> Vec<u8> {
        let tracker = ResourceTracker::default();
        let mut repl = MontyRepl::new(SCRIPT, tracker, CompileOptions::default());
        repl.feed_run("x = [1, 'a']", vec![], PrintWriter::Disabled).unwrap();
        seal(&repl).unwrap()
    }

    #[test]
    fn a_repl_comes_back() {
        let mut repl = open(&kept()).unwrap();
        let value = repl.feed_run("len(x)", vec![], PrintWriter::Disabled).unwrap();
        assert_eq!(value, MontyObject::Int(2));
    }

    #[test]
    fn any_flipped_byte_is_seen() {
        let bytes = kept();
        for at in 0..bytes.len() {
            let mut bent = bytes.clone();
            bent[at] ^= 0x10;
            assert!(open(&bent).is_err(), "byte {at} of {}", bytes.len());
        }
        for cut in [0, 1, 8, bytes.len() - 1] {
            assert!(open(&bytes[..cut]).is_err(), "{cut} bytes");
        }
        let mut other = bytes;
        other[0] = FORM + 1;
        assert_eq!(open(&other).unwrap_err(), Stale::OtherVersion);
    }
}
