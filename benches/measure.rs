//! What every bench shares: medians, and what else the machine was doing.

use std::time::Instant;

/// Lowest, middle and highest.
pub fn spread(mut of: Vec<f64>) -> (f64, f64, f64) {
    of.sort_by(f64::total_cmp);
    (of[0], of[of.len() / 2], of[of.len() - 1])
}

/// The value below which `part` of them lie.
pub fn quantile(of: &mut [f64], part: f64) -> f64 {
    of.sort_by(f64::total_cmp);
    of[((of.len() - 1) as f64 * part) as usize]
}

/// The load averages: absolutes are worth little where others work as well.
pub fn load() -> String {
    std::fs::read_to_string("/proc/loadavg").unwrap_or_default().trim().to_owned()
}

/// Microseconds since.
pub fn micros(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1e6
}

/// How often everything is measured; `ROUNDS=n` for another count.
pub fn rounds() -> usize {
    std::env::var("ROUNDS").ok().and_then(|it| it.parse().ok()).unwrap_or(15)
}
