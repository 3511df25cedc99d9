//! Clock and chance of an action: functions of its start, so that a re-run is the same run.

use super::item::instance;
use monty_types::{
    DictPairs, ExcType, ExtFunctionResult, MontyDate, MontyDateTime, MontyException, MontyObject,
    MontyTimeZone, MontyUuid, OsFunctionCall,
};

/// The high half of the ids of `time` and `random`; see [`super::item`] for those of classes.
const AMBIENT_TAG: u128 = 0x7374_6f61_0061_6d62 << 64;
const TIME: u128 = AMBIENT_TAG | 1;
const RANDOM: u128 = AMBIENT_TAG | 2;

const DAY_MS: u64 = 86_400_000;

/// What an action sees of time and chance.
pub(super) struct Ambient {
    now_ms: u64,
    chance: u64,
}

type Args = Vec<MontyObject>;

impl Ambient {
    pub(super) fn new(now_ms: u64, seed: u64) -> Self {
        Self { now_ms, chance: seed }
    }

    /// The module of this name, if it is one of ours. The interpreter has neither.
    pub(super) fn module(name: &str) -> Option<MontyObject> {
        let id = match name {
            "time" => TIME,
            "random" => RANDOM,
            _ => return None,
        };
        Some(instance("module".to_owned(), MontyUuid::from_u128(id), DictPairs::default()))
    }

    /// Whether the handle is one of ours.
    pub(super) fn owns(handle: u128) -> bool {
        handle == TIME || handle == RANDOM
    }

    /// Answers a function of one of the modules.
    pub(super) fn call(&mut self, handle: u128, name: &str, args: Args) -> ExtFunctionResult {
        let answer = if handle == TIME { self.time(name) } else { self.random(name, args) };
        match answer {
            Ok(object) => object.into(),
            Err(error) => error.into(),
        }
    }

    /// Answers what the interpreter asks of an operating system: the clock, and nothing else.
    pub(super) fn system(&mut self, call: &OsFunctionCall) -> ExtFunctionResult {
        match call {
            OsFunctionCall::DateToday => MontyObject::Date(date(self.tick() / DAY_MS)).into(),
            OsFunctionCall::DateTimeNow(zone) => {
                MontyObject::DateTime(datetime(self.tick(), zone.as_ref())).into()
            }
            other => other.on_no_handler().into(),
        }
    }

    /// A reading of the clock. Each is a millisecond later, so that a loop that waits for the
    /// clock ends.
    fn tick(&mut self) -> u64 {
        let now = self.now_ms;
        self.now_ms += 1;
        now
    }

    fn time(&mut self, name: &str) -> Result<MontyObject, MontyException> {
        match name {
            "time" | "monotonic" | "perf_counter" | "process_time" => {
                Ok(MontyObject::Float(self.tick() as f64 / 1000.0))
            }
            "time_ns" | "monotonic_ns" | "perf_counter_ns" => {
                Ok(MontyObject::Int(self.tick() as i64 * 1_000_000))
            }
            "sleep" => Err(refuse(
                ExcType::RuntimeError,
                "an action cannot sleep; end it, and a subscription wakes you",
            )),
            _ => Err(no_function("time", name)),
        }
    }

    fn random(&mut self, name: &str, args: Args) -> Result<MontyObject, MontyException> {
        match (name, args.as_slice()) {
            ("random", []) => Ok(MontyObject::Float(self.unit())),
            ("uniform", [low, high]) => {
                let (low, high) = (number(low)?, number(high)?);
                Ok(MontyObject::Float(low + (high - low) * self.unit()))
            }
            ("randint", [MontyObject::Int(low), MontyObject::Int(high)]) => {
                self.whole(*low, high.checked_add(1))
            }
            ("randrange", [MontyObject::Int(end)]) => self.whole(0, Some(*end)),
            ("randrange", [MontyObject::Int(low), MontyObject::Int(end)]) => {
                self.whole(*low, Some(*end))
            }
            ("choice", [sequence]) => {
                let items = sequence_of(sequence)?;
                let at = self.below(items.len()).ok_or_else(|| {
                    refuse(ExcType::IndexError, "cannot choose from an empty sequence")
                })?;
                Ok(items[at].clone())
            }
            ("sample", [sequence, MontyObject::Int(k)]) => self.sample(sequence_of(sequence)?, *k),
            ("shuffle", _) => Err(refuse(
                ExcType::NotImplementedError,
                "random.shuffle cannot change a list here; use xs = random.sample(xs, len(xs))",
            )),
            _ => Err(no_function("random", name)),
        }
    }

    fn sample(&mut self, mut items: Args, k: i64) -> Result<MontyObject, MontyException> {
        let k = usize::try_from(k).ok().filter(|k| *k <= items.len()).ok_or_else(|| {
            refuse(ExcType::ValueError, "sample larger than population or is negative")
        })?;
        for at in 0..k {
            let other = at + self.below(items.len() - at).unwrap_or(0);
            items.swap(at, other);
        }
        items.truncate(k);
        Ok(MontyObject::List(items))
    }

    fn whole(&mut self, low: i64, end: Option<i64>) -> Result<MontyObject, MontyException> {
        let span = end.and_then(|end| end.checked_sub(low)).and_then(|it| usize::try_from(it).ok());
        let at = span.and_then(|span| self.below(span));
        let number = at.and_then(|at| low.checked_add(i64::try_from(at).ok()?));
        number
            .map(MontyObject::Int)
            .ok_or_else(|| refuse(ExcType::ValueError, "empty or too wide range for random"))
    }

    fn unit(&mut self) -> f64 {
        (self.draw() >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn below(&mut self, end: usize) -> Option<usize> {
        let wide = u128::from(self.draw()) * u128::try_from(end).ok()?;
        (end > 0).then_some((wide >> 64) as usize)
    }

    /// SplitMix64 (Steele, Lea and Flood, 2014).
    fn draw(&mut self) -> u64 {
        self.chance = self.chance.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.chance ^ (self.chance >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

fn refuse(class: ExcType, message: &str) -> MontyException {
    MontyException::new(class, Some(message.to_owned()))
}

fn no_function(module: &str, name: &str) -> MontyException {
    let message = format!("module '{module}' has no function '{name}' for these arguments");
    refuse(ExcType::AttributeError, &message)
}

fn number(object: &MontyObject) -> Result<f64, MontyException> {
    match object {
        MontyObject::Int(number) => Ok(*number as f64),
        MontyObject::Float(number) => Ok(*number),
        other => Err(refuse(ExcType::TypeError, &format!("not a number: {}", other.type_name()))),
    }
}

fn sequence_of(object: &MontyObject) -> Result<Args, MontyException> {
    match object {
        MontyObject::List(items) | MontyObject::Tuple(items) => Ok(items.clone()),
        MontyObject::String(text) => {
            Ok(text.chars().map(|c| MontyObject::String(c.to_string())).collect())
        }
        other => Err(refuse(ExcType::TypeError, &format!("not a sequence: {}", other.type_name()))),
    }
}

/// Proleptic Gregorian date of a day since the epoch (Hinnant, `civil_from_days`).
fn date(days: u64) -> MontyDate {
    // Python's calendar ends with the year 9999.
    let shifted = days.min(2_932_896) + 719_468;
    let era = shifted / 146_097;
    let of_era = shifted % 146_097;
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    MontyDate {
        year: (era * 400 + year_of_era + u64::from(month <= 2)) as i32,
        month: month as u8,
        day: (of_year - (153 * shifted_month + 2) / 5 + 1) as u8,
    }
}

fn datetime(now_ms: u64, zone: Option<&MontyTimeZone>) -> MontyDateTime {
    let offset_ms = zone.map_or(0, |zone| i64::from(zone.offset_seconds) * 1000);
    let local_ms = now_ms.saturating_add_signed(offset_ms);
    let MontyDate { year, month, day } = date(local_ms / DAY_MS);
    let of_day = local_ms % DAY_MS;
    MontyDateTime {
        year,
        month,
        day,
        hour: (of_day / 3_600_000) as u8,
        minute: (of_day / 60_000 % 60) as u8,
        second: (of_day / 1000 % 60) as u8,
        microsecond: (of_day % 1000 * 1000) as u32,
        offset_seconds: zone.map(|zone| zone.offset_seconds),
        timezone_name: zone.and_then(|zone| zone.name.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        for (days, expected) in [
            (0, (1970, 1, 1)),
            (59, (1970, 3, 1)),
            (11_016, (2000, 2, 29)),
            (20_778, (2026, 11, 21)),
            (2_932_896, (9999, 12, 31)),
            (u64::MAX / DAY_MS, (9999, 12, 31)),
        ] {
            let MontyDate { year, month, day } = date(days);
            assert_eq!((year, month, day), expected, "day {days}");
        }
    }

    #[test]
    fn chance_is_a_function_of_its_seed() {
        let draws = |seed| {
            let mut ambient = Ambient::new(0, seed);
            (0..1000).map(|_| ambient.below(6).unwrap()).collect::<Vec<_>>()
        };
        assert_eq!(draws(1), draws(1));
        assert_ne!(draws(1), draws(2));
        for face in 0..6 {
            let n = draws(3).iter().filter(|it| **it == face).count();
            assert!((100..250).contains(&n), "face {face}: {n} of 1000");
        }
    }

    #[test]
    fn the_clock_moves_with_each_reading() {
        let mut ambient = Ambient::new(1_500, 0);
        assert_eq!(ambient.time("time").unwrap(), MontyObject::Float(1.5));
        assert_eq!(ambient.time("time").unwrap(), MontyObject::Float(1.501));
    }
}
