//! A moment in the past: where in the log it was.

use crate::blocking::blocking;
use crate::failure::StoreError;
use crate::problem::{Problem, ProblemKind};
use crate::runtime::Runtime;
use crate::store::Store;
use serde::{Deserialize, Serialize};
use std::str::FromStr;
use stoa_actors::id::{Millis, Position};

/// A moment, as it is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Moment {
    /// When this entry was the last one.
    Position(Position),
    /// Then, by the clock that the entries were stamped with: what was decided in this millisecond
    /// had happened.
    Time(Millis),
    /// So many milliseconds before now.
    Ago(u64),
}

/// `1234`, `2026-01-31T12:00:00Z`, or `10m`.
impl FromStr for Moment {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Moment, Problem> {
        if let Ok(position) = text.parse() {
            return Ok(Moment::Position(Position(position)));
        }
        let span = text.strip_suffix("ago").map_or(text, str::trim_end);
        if let Some(ms) = crate::clock::span_ms(span) {
            return Ok(Moment::Ago(ms));
        }
        let stamp = text.parse::<jiff::Timestamp>().ok();
        let ms = stamp.and_then(|it| u64::try_from(it.as_millisecond()).ok());
        ms.map(|ms| Moment::Time(Millis(ms))).ok_or_else(|| {
            let said = format!(
                "{text:?} is not a time; use '10m ago', 2026-01-31T12:00:00Z, or a position in \
                 the log"
            );
            Problem::new(ProblemKind::Invalid, said).hint(format!("--as-of {}", with_zone(text)))
        })
    }
}

/// A day or a time without its zone, with one; an example for everything else.
fn with_zone(text: &str) -> String {
    let day = text.parse::<jiff::civil::Date>();
    let time = text.parse::<jiff::civil::DateTime>();
    match (day, time) {
        _ if !text.is_ascii() => None,
        (_, Ok(time)) => Some(time),
        (Ok(day), _) => Some(day.to_datetime(jiff::civil::Time::midnight())),
        _ => None,
    }
    .map_or_else(|| "2026-01-31T12:00:00Z".to_owned(), |time| format!("{time}Z"))
}

/// Entries that were decided side by side may stand in the log in another order than they were
/// stamped in: behind the last that a search finds so many are looked at for one that is as old,
const STAMPS_APART_ENTRIES: usize = 1_024;

/// unless one is younger by so much.
const STAMPS_APART_MS: u64 = 1_000;

/// So many entries are looked at one by one, from the end of the log.
const NEAR_ENTRIES: u64 = 64;

impl Runtime {
    /// Where the log was at a moment; its durable end for one that is still to come.
    ///
    /// A position that the log has not reached is refused: what is not there yet has no past.
    pub async fn moment(&self, moment: Moment) -> Result<Position, Problem> {
        let head = self.durable();
        let last_by = async |then| {
            let store = self.store().clone();
            blocking(move || last_by(&store, then, head)).await?
        };
        match moment {
            Moment::Position(at) if at > head => {
                let text = format!("position {at} is ahead of the log, which is at {head}");
                Err(Problem::new(ProblemKind::Invalid, text).hint(format!("--as-of {head}")))
            }
            Moment::Position(at) => Ok(at),
            Moment::Time(then) => Ok(last_by(then).await?),
            Moment::Ago(ms) => {
                let then = Millis(self.now().0.saturating_sub(ms));
                Ok(last_by(then).await?)
            }
        }
    }
}

/// The last entry that was stamped by then; 0 if none was. The same however long the log is by now.
fn last_by(store: &Store, then: Millis, head: Position) -> Result<Position, StoreError> {
    // From the end: a run of entries that were stamped while the clock was far ahead hides what is
    // behind it from whoever looks in the middle first.
    let (mut low, mut high) = (head.0, head.0);
    let (mut step, near) = (1, head.0.saturating_sub(NEAR_ENTRIES));
    while low > 0 {
        match store.entry(Position(low))? {
            Some(entry) if entry.body.at <= then => break,
            _ => (high, low) = (low.saturating_sub(1), low.saturating_sub(step)),
        }
        // One by one at first, as what is asked for is mostly near the end.
        step *= if low > near { 1 } else { 2 };
    }
    while low < high {
        let middle = low + (high - low).div_ceil(2);
        match store.entry(Position(middle))? {
            Some(entry) if entry.body.at <= then => low = middle,
            _ => high = middle - 1,
        }
    }
    let mut last = Position(low);
    for raw in store.entries_from(Position(low)).take(STAMPS_APART_ENTRIES) {
        let entry = raw?;
        if entry.position > head || entry.body.at.0 > then.0.saturating_add(STAMPS_APART_MS) {
            break;
        }
        if entry.body.at <= then {
            last = entry.position;
        }
    }
    Ok(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_read_as_it_is_typed() {
        let read = |text: &str| text.parse::<Moment>().ok();
        assert_eq!(read("0"), Some(Moment::Position(Position(0))));
        assert_eq!(read("12"), Some(Moment::Position(Position(12))));
        for ago in ["10m", "10m ago", "10mago", "10m  ago"] {
            assert_eq!(read(ago), Some(Moment::Ago(600_000)), "{ago}");
        }
        let hint = |text: &str| text.parse::<Moment>().expect_err(text).hint.unwrap_or_default();
        assert_eq!(hint("2026-11-26"), "--as-of 2026-11-26T00:00:00Z");
        assert_eq!(hint("2026-11-26T10:00"), "--as-of 2026-11-26T10:00:00Z");
        assert_eq!(hint("yesterday"), "--as-of 2026-01-31T12:00:00Z");
        assert_eq!(hint("ago"), "--as-of 2026-01-31T12:00:00Z");
        assert_eq!(read("1970-01-01T00:00:01Z"), Some(Moment::Time(Millis(1_000))));
        assert_eq!(read("1970-01-01T02:00:00+01:00"), Some(Moment::Time(Millis(3_600_000))));
        for none in ["", "yesterday", "-1", "1969-12-31T23:59:59Z", "2026-01-31", "10 m"] {
            assert_eq!(read(none), None, "{none}");
        }
    }
}
