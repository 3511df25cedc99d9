//! Where the scrub of an old log goes on: pure, told how far it came and when.
//!
//! An open walks the log from the last checkpoint only. What lies below is walked in the
//! background, pass after pass, so that damage on the medium is found before a backup of the good
//! entries is gone.

use crate::id::Millis;
use crate::log::Head;

/// How far a pass has come. Disposable: without it the pass begins anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Scrubbed {
    /// Everything up to here was found whole by this pass.
    pub head: Head,
    /// When the pass began.
    pub began: Millis,
    /// When it had come so far.
    pub at: Millis,
}

/// The pass to go on with, or nothing for now.
///
/// A pass that is not at the checkpoint goes on where it stopped, over any number of opens and
/// however late. One that is there follows the checkpoint as it moves; `every_ms` after it began
/// another begins at the first entry.
pub fn due(
    so_far: Option<Scrubbed>,
    checkpoint: Head,
    now: Millis,
    every_ms: u64,
) -> Option<Scrubbed> {
    if checkpoint == Head::default() {
        return None;
    }
    let begin = Scrubbed { head: Head::default(), began: now, at: now };
    match so_far {
        None => Some(begin),
        Some(pass) if pass.head.position < checkpoint.position => Some(pass),
        Some(pass) => (now.0.saturating_sub(pass.began.0) >= every_ms).then_some(begin),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::Position;
    use crate::log::Hash;

    const fn head(position: u64) -> Head {
        Head { position: Position(position), hash: Hash([7; 32]) }
    }

    #[test]
    fn a_pass_goes_on_until_it_is_there_and_another_begins_when_it_is_due() {
        let begin = |now| Some(Scrubbed { head: Head::default(), began: now, at: now });
        assert_eq!(due(None, Head::default(), Millis(5), 100), None, "nothing is below it");
        assert_eq!(due(None, head(9), Millis(5), 100), begin(Millis(5)));
        let half = Scrubbed { head: head(4), began: Millis(5), at: Millis(6) };
        // However late: begun anew each time, a slow pass would never see the end.
        assert_eq!(due(Some(half), head(9), Millis(5_000), 100), Some(half));
        let whole = Scrubbed { head: head(9), ..half };
        assert_eq!(due(Some(whole), head(9), Millis(104), 100), None);
        assert_eq!(due(Some(whole), head(9), Millis(105), 100), begin(Millis(105)));
        assert_eq!(due(Some(whole), head(20), Millis(6), 100), Some(whole));
        // A clock that was set back is no reason to walk it all again.
        assert_eq!(due(Some(whole), head(9), Millis(1), 100), None);
    }
}
