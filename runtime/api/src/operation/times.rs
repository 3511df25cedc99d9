//! How people are told when something was, or will be. Programs are told RFC 3339.

use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

/// How times are told.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Times {
    /// As programs are told them: RFC 3339, in UTC.
    #[default]
    Exact,
    /// How long ago, or in how long; by the date and the clock where that is more than a day.
    Ago(Zoned),
    /// By the clock, with the date where that is another day: for lines that stay on a screen while
    /// time goes on.
    Clock(Zoned),
}

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

impl Times {
    /// Told from this moment on, in this time zone.
    pub fn ago(now: Timestamp, zone: TimeZone) -> Times {
        Times::Ago(now.to_zoned(zone))
    }

    /// The same by the clock.
    pub fn clock(now: Timestamp, zone: TimeZone) -> Times {
        Times::Clock(now.to_zoned(zone))
    }

    /// A time of an answer. What is no time is told as it is.
    pub fn told(&self, time: &str) -> String {
        let (Times::Ago(now) | Times::Clock(now)) = self else { return time.to_owned() };
        let Ok(at) = time.parse::<Timestamp>() else { return time.to_owned() };
        let at = at.to_zoned(now.time_zone().clone());
        match self {
            Times::Clock(_) if at.date() == now.date() => at.strftime("%H:%M:%S").to_string(),
            Times::Clock(_) => dated(&at),
            _ => ago(&at, now),
        }
    }
}

fn dated(at: &Zoned) -> String {
    at.strftime("%Y-%m-%d %H:%M").to_string()
}

fn ago(at: &Zoned, now: &Zoned) -> String {
    let ms = now.timestamp().as_millisecond().saturating_sub(at.timestamp().as_millisecond());
    // What is still to come is not told as sooner than it is.
    let seconds =
        if ms < 0 { -ms.unsigned_abs().div_ceil(1_000).cast_signed() } else { ms / 1_000 };
    let whole = |unit: i64| {
        if seconds < 0 {
            seconds.unsigned_abs().div_ceil(unit as u64)
        } else {
            (seconds / unit) as u64
        }
    };
    let span = match seconds.abs() {
        0 => return "now".to_owned(),
        1..MINUTE => format!("{} s", whole(1)),
        MINUTE..HOUR => format!("{} m", whole(MINUTE)),
        HOUR..=DAY => format!("{} h", whole(HOUR)),
        _ => return dated(at),
    };
    if seconds < 0 { format!("in {span}") } else { format!("{span} ago") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn people_are_told_how_long_ago_and_programs_when() {
        let zone = TimeZone::fixed(jiff::tz::offset(2));
        let now = at("2026-03-04T12:00:00Z");
        let times = Times::ago(now, zone.clone());
        let rows = [
            ("2026-03-04T12:00:00Z", "now"),
            ("2026-03-04T11:59:59.500Z", "now"),
            ("2026-03-04T11:59:59Z", "1 s ago"),
            ("2026-03-04T11:59:00.001Z", "59 s ago"),
            ("2026-03-04T11:59:00Z", "1 m ago"),
            ("2026-03-04T11:00:01Z", "59 m ago"),
            ("2026-03-04T11:00:00Z", "1 h ago"),
            ("2026-03-03T12:00:00Z", "24 h ago"),
            ("2026-03-03T11:59:59Z", "2026-03-03 13:59"),
            ("2026-03-04T12:00:00.001Z", "in 1 s"),
            ("2026-03-04T12:09:59.990Z", "in 10 m"),
            ("2026-03-04T13:00:01Z", "in 2 h"),
            ("2026-03-06T23:30:00Z", "2026-03-07 01:30"),
            ("no time", "no time"),
            ("", ""),
        ];
        for (time, told) in rows {
            assert_eq!(times.told(time), told, "{time}");
            assert_eq!(Times::Exact.told(time), time);
        }
        let clock = Times::clock(now, zone);
        assert_eq!(clock.told("2026-03-04T11:59:59Z"), "13:59:59");
        assert_eq!(clock.told("2026-03-03T12:00:00Z"), "2026-03-03 14:00");
    }

    #[test]
    fn no_time_is_too_far_away() {
        let times = Times::ago(at("2026-03-04T12:00:00Z"), TimeZone::UTC);
        for time in ["-009999-01-03T00:00:00Z", "9999-12-30T00:00:00Z"] {
            assert!(times.told(time).ends_with("00:00"), "{time}");
        }
    }
}
