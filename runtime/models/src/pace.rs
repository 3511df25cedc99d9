//! How fast a provider is asked: pure, told what time it is.
//!
//! Each request takes a place in time, by the requests and by the tokens that a minute may have, and
//! none before the provider itself lets it: what one request was told by it holds for all.

use std::time::Duration;

/// How much a provider is asked for, at most. Nothing of it is bounded unless it is set, but how many
/// requests are under way at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// Requests that are under way at once.
    pub concurrency: usize,
    /// Requests that are begun in a minute.
    pub requests_per_minute: Option<u32>,
    /// Tokens that are sent and said in a minute.
    pub tokens_per_minute: Option<u64>,
}

impl Default for Pace {
    fn default() -> Self {
        Pace { concurrency: 64, requests_per_minute: None, tokens_per_minute: None }
    }
}

/// A minute's worth that fills up again as time goes on. Time is counted from the first request.
#[derive(Clone, Debug)]
struct Bucket {
    per_minute: f64,
    /// What is left; less than nothing where more was taken than there was.
    left: f64,
    at: Duration,
}

impl Bucket {
    fn new(per_minute: f64) -> Bucket {
        Bucket { per_minute, left: per_minute, at: Duration::ZERO }
    }

    fn flow(&mut self, now: Duration) {
        let minutes = now.saturating_sub(self.at).as_secs_f64() / 60.0;
        self.left = (self.left + minutes * self.per_minute).min(self.per_minute);
        self.at = self.at.max(now);
    }

    /// How long until there is so much: or all that a minute has, where that is less.
    fn wait(&self, amount: f64) -> Duration {
        let lacks = amount.min(self.per_minute) - self.left;
        Duration::from_secs_f64((lacks / self.per_minute).max(0.0) * 60.0)
    }
}

/// How many minutes' worth one request may take of those that follow it.
const OWED_MINUTES_MAX: f64 = 10.0;

/// What is known of how fast a provider may be asked.
#[derive(Clone, Debug)]
pub struct Pacer {
    requests: Option<Bucket>,
    tokens: Option<Bucket>,
    not_before: Duration,
}

impl Pacer {
    /// One that has seen no request.
    pub fn new(pace: &Pace) -> Pacer {
        Pacer {
            requests: pace.requests_per_minute.map(|it| Bucket::new(f64::from(it))),
            tokens: pace.tokens_per_minute.map(|it| Bucket::new(it as f64)),
            not_before: Duration::ZERO,
        }
    }

    /// Takes a place for a request of about so many tokens.
    ///
    /// Errors: how long until there is one; nothing is taken then.
    pub fn admit(&mut self, now: Duration, tokens: u64) -> Result<(), Duration> {
        let mut wait = self.not_before.saturating_sub(now);
        for (bucket, amount) in [(&mut self.requests, 1.0), (&mut self.tokens, tokens as f64)] {
            if let Some(bucket) = bucket {
                bucket.flow(now);
                wait = wait.max(bucket.wait(amount));
            }
        }
        // Less than this is what numbers are rounded by.
        if wait > Duration::from_micros(10) {
            return Err(wait);
        }
        for (bucket, amount) in [(&mut self.requests, 1.0), (&mut self.tokens, tokens as f64)] {
            if let Some(bucket) = bucket {
                bucket.left -= amount;
            }
        }
        Ok(())
    }

    /// What a request took after all.
    pub fn settle(&mut self, admitted: u64, took: u64) {
        if let Some(bucket) = &mut self.tokens {
            let left = (bucket.left + admitted as f64 - took as f64).min(bucket.per_minute);
            // Whatever a server says it took, it is asked again within minutes.
            bucket.left = left.max(-OWED_MINUTES_MAX * bucket.per_minute);
        }
    }

    /// The provider wants nothing more before that long from now.
    pub fn hold(&mut self, now: Duration, wait: Duration) {
        self.not_before = self.not_before.max(now + wait);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_minute_has_so_many_requests() {
        let pace = Pace { requests_per_minute: Some(2), ..Pace::default() };
        let mut pacer = Pacer::new(&pace);
        assert_eq!(pacer.admit(s(0), 1), Ok(()));
        assert_eq!(pacer.admit(s(0), 1), Ok(()));
        assert_eq!(pacer.admit(s(0), 1), Err(s(30)));
        assert_eq!(pacer.admit(s(30), 1), Ok(()));
        assert_eq!(pacer.admit(s(30), 1), Err(s(30)));
    }

    #[test]
    fn what_one_was_told_holds_for_all() {
        let mut pacer = Pacer::new(&Pace::default());
        assert_eq!(pacer.admit(s(1), 1_000_000), Ok(()));
        pacer.hold(s(1), s(20));
        pacer.hold(s(2), s(5));
        assert_eq!(pacer.admit(s(2), 1), Err(s(19)));
        assert_eq!(pacer.admit(s(21), 1), Ok(()));
    }

    #[test]
    fn tokens_are_counted_by_what_was_taken() {
        let pace = Pace { tokens_per_minute: Some(600), ..Pace::default() };
        let mut pacer = Pacer::new(&pace);
        // More than a minute has is let through once all of one is there.
        assert_eq!(pacer.admit(s(0), 6_000), Ok(()));
        assert_eq!(pacer.admit(s(0), 100), Err(s(550)));
        pacer.settle(6_000, 300);
        assert_eq!(pacer.admit(s(0), 300), Ok(()));
        assert_eq!(pacer.admit(s(0), 10), Err(s(1)));
    }

    proptest! {
        /// Held against the list of all that was let through.
        #[test]
        fn no_minute_has_more_than_two(
            steps in prop::collection::vec((0u64..20_000, 1u64..400), 1..200),
        ) {
            let pace = Pace {
                requests_per_minute: Some(10),
                tokens_per_minute: Some(1_000),
                ..Pace::default()
            };
            let mut pacer = Pacer::new(&pace);
            let (mut now, mut all) = (Duration::ZERO, Vec::new());
            for (ms, tokens) in steps {
                now += Duration::from_millis(ms);
                if let Err(wait) = pacer.admit(now, tokens) {
                    prop_assert!(wait > Duration::ZERO && wait <= s(60) + Duration::from_millis(1));
                    // Who waits so long is let through, and nobody has waited for nothing.
                    now += wait;
                    prop_assert_eq!(pacer.admit(now, tokens), Ok(()));
                }
                all.push((now, tokens));
            }
            // A full minute's worth may stand at the beginning, and another flows.
            for (at, _) in &all {
                let within = all.iter().filter(|it| it.0 >= *at && it.0 < *at + s(60));
                let (count, tokens) = within.fold((0, 0), |sum, it| (sum.0 + 1, sum.1 + it.1));
                prop_assert!(count <= 20 && tokens <= 2_000, "{count} requests, {tokens} tokens");
            }
        }
    }
}
