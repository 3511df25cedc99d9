//! Where the host's clock begins when a log is opened.

use crate::id::Millis;
use crate::mutant::planted;

/// Not before what was logged last, so that a wall clock that was set back neither freezes nor
/// mass-expires anything; and not further ahead of the wall than `ahead_ms_max`, so that one entry
/// that was made while the wall clock was far ahead does not move all later ones for ever.
pub fn begin(wall: Millis, last_logged: Millis, ahead_ms_max: u64) -> Millis {
    let most = match planted("clock.follows_any_entry") {
        true => Millis(u64::MAX),
        false => Millis(wall.0.saturating_add(ahead_ms_max)),
    };
    match planted("clock.follows_the_wall") {
        true => wall,
        false => last_logged.min(most).max(wall),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_that_no_clock_shows_is_no_trouble() {
        assert_eq!(begin(Millis(5), Millis(u64::MAX), 10), Millis(15));
        assert_eq!(begin(Millis(u64::MAX), Millis(0), 10), Millis(u64::MAX));
        assert_eq!(begin(Millis(5), Millis(12), 10), Millis(12));
    }
}
