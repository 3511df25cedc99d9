//! How much an agent may spend, in words and in sums.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// How much may be spent, by unit; nothing is without a bound in that unit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Budget {
    /// Calls of a model, also those that came to nothing.
    pub thoughts: Option<u64>,
    /// Tokens, as the model reports them.
    pub tokens: Option<u64>,
}

impl Budget {
    /// So many calls of a model.
    pub fn thoughts(thoughts: u64) -> Budget {
        Budget { thoughts: Some(thoughts), tokens: None }
    }

    /// Whether it bounds nothing.
    pub fn is_unbounded(&self) -> bool {
        *self == Budget::default()
    }

    /// The units by name.
    pub fn units(&self) -> [(&'static str, Option<u64>); 2] {
        [("thoughts", self.thoughts), ("tokens", self.tokens)]
    }

    fn with(self, other: Budget, of: impl Fn(u64, u64) -> u64) -> Budget {
        let unit = |mine: Option<u64>, its: Option<u64>| Some(of(mine?, its.unwrap_or(0)));
        Budget {
            thoughts: unit(self.thoughts, other.thoughts),
            tokens: unit(self.tokens, other.tokens),
        }
    }

    /// More, where it is bounded.
    #[must_use]
    pub fn plus(self, more: Budget) -> Budget {
        self.with(more, u64::saturating_add)
    }

    /// Less, where it is bounded; never less than nothing.
    #[must_use]
    pub fn minus(self, less: Budget) -> Budget {
        self.with(less, u64::saturating_sub)
    }
}

/// `thoughts=20,tokens=50000`, the units without a bound left out.
impl fmt::Display for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bounded = self.units().into_iter().filter_map(|(unit, n)| Some((unit, n?)));
        for (place, (unit, n)) in bounded.enumerate() {
            write!(f, "{}{unit}={n}", if place == 0 { "" } else { "," })?;
        }
        Ok(())
    }
}

/// Why a text is no budget.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a budget; say thoughts=20, tokens=50000 or both with a comma between")]
pub struct NoBudget(String);

impl FromStr for Budget {
    type Err = NoBudget;

    fn from_str(text: &str) -> Result<Budget, NoBudget> {
        let mut budget = Budget::default();
        for part in text.split(',') {
            let wrong = || NoBudget(text.to_owned());
            let (unit, n) = part.split_once('=').ok_or_else(wrong)?;
            let place = match unit.trim() {
                "thoughts" => &mut budget.thoughts,
                "tokens" => &mut budget.tokens,
                _ => return Err(wrong()),
            };
            let n = n.trim().parse().map_err(|_| wrong())?;
            if place.replace(n).is_some() {
                return Err(wrong());
            }
        }
        Ok(budget)
    }
}

/// What was spent, whether it is bounded or not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub struct Spent {
    /// Calls of a model.
    pub thoughts: u64,
    pub tokens: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_reads_as_it_is_written() {
        for text in ["thoughts=20", "tokens=7", "thoughts=20,tokens=50000"] {
            assert_eq!(text.parse::<Budget>().map(|it| it.to_string()), Ok(text.to_owned()));
        }
        assert_eq!(" thoughts = 1 ".parse(), Ok(Budget::thoughts(1)));
        let wrong = ["", "20", "thoughts", "thoughts=", "thoughts=-1", "thoughts=1,thoughts=2"];
        for text in wrong.into_iter().chain(["money=3", "thoughts=1,", "thoughts=1.5"]) {
            assert_eq!(text.parse::<Budget>(), Err(NoBudget(text.to_owned())));
        }
    }

    #[test]
    fn what_is_not_bounded_stays_so() {
        let some = Budget { thoughts: Some(3), tokens: None };
        let other = Budget { thoughts: Some(5), tokens: Some(7) };
        assert_eq!(some.plus(other), Budget::thoughts(8));
        assert_eq!(some.minus(other), Budget::thoughts(0));
        assert_eq!(Budget::default().minus(other), Budget::default());
        assert_eq!(other.minus(some), Budget { thoughts: Some(2), tokens: Some(7) });
    }
}
