//! How much an agent may spend, in words and in sums.

use serde::Serialize;
use std::fmt;
use std::str::FromStr;

/// A unit in which agents spend.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum BudgetUnit {
    /// Calls of a model.
    Thoughts,
    /// Tokens of a model, sent and said.
    Tokens,
    /// What models cost, in the currency that prices are in.
    Money,
    /// The time that models and actions take.
    Seconds,
    /// Turns that were begun.
    Turns,
    /// Agents brought up.
    Spawns,
    /// Generations below it: this one is not spent, each generation has one less.
    Depth,
}

/// How finely money and seconds are counted.
const MILLIONTHS: u64 = 1_000_000;
const THOUSANDTHS: u64 = 1_000;

impl BudgetUnit {
    /// All of them, in the order in which they are told.
    pub const ALL: [BudgetUnit; 7] = [
        BudgetUnit::Thoughts,
        BudgetUnit::Tokens,
        BudgetUnit::Money,
        BudgetUnit::Seconds,
        BudgetUnit::Turns,
        BudgetUnit::Spawns,
        BudgetUnit::Depth,
    ];

    /// As it is typed.
    pub fn name(self) -> &'static str {
        match self {
            BudgetUnit::Thoughts => "thoughts",
            BudgetUnit::Tokens => "tokens",
            BudgetUnit::Money => "money",
            BudgetUnit::Seconds => "seconds",
            BudgetUnit::Turns => "turns",
            BudgetUnit::Spawns => "spawns",
            BudgetUnit::Depth => "depth",
        }
    }

    /// Counts of it in one whole.
    pub fn whole(self) -> u64 {
        match self {
            BudgetUnit::Money => MILLIONTHS,
            BudgetUnit::Seconds => THOUSANDTHS,
            _ => 1,
        }
    }

    /// Whether it is taken out of one account and put into another.
    pub fn is_handed_on(self) -> bool {
        self != BudgetUnit::Depth
    }

    /// A count of it, as it is typed: `1.5`.
    pub fn shown(self, count: u64) -> String {
        let whole = self.whole();
        let digits = whole.ilog10() as usize;
        let (whole, rest) = (count / whole, count % whole);
        let rest = format!("{rest:0digits$}");
        match rest.trim_end_matches('0') {
            "" => whole.to_string(),
            rest => format!("{whole}.{rest}"),
        }
    }

    /// A count of it, of what was typed.
    pub fn read(self, text: &str) -> Option<u64> {
        let (whole, rest) = text.split_once('.').unwrap_or((text, ""));
        let digits = self.whole().ilog10() as usize;
        let typed = |it: &str| it.bytes().all(|it| it.is_ascii_digit());
        if whole.is_empty() || !typed(whole) || !typed(rest) || rest.len() > digits {
            return None;
        }
        if text.contains('.') && rest.is_empty() {
            return None;
        }
        let rest: u64 = format!("{rest:0<digits$}").parse().unwrap_or(0);
        whole.parse::<u64>().ok()?.checked_mul(self.whole())?.checked_add(rest)
    }
}

impl fmt::Display for BudgetUnit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// So much of a unit: `20 thoughts`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub struct Amount {
    pub unit: BudgetUnit,
    /// In the unit's counts.
    pub count: u64,
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.unit.shown(self.count), self.unit)
    }
}

/// How much may be spent, by unit; nothing is without a bound in that unit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Budget {
    /// Calls of a model, also those that came to nothing.
    pub thoughts: Option<u64>,
    /// Tokens, as the model reports them.
    pub tokens: Option<u64>,
    /// What models cost, in millionths of the currency that prices are in.
    pub money: Option<u64>,
    /// The time that models and actions take, in milliseconds.
    pub ms: Option<u64>,
    /// Turns begun, also those that failed.
    pub turns: Option<u64>,
    /// Agents brought up.
    pub spawns: Option<u64>,
    /// Generations below it; it is not spent.
    pub depth: Option<u64>,
}

impl Budget {
    /// So many calls of a model.
    pub fn thoughts(thoughts: u64) -> Budget {
        Budget { thoughts: Some(thoughts), ..Budget::default() }
    }

    /// Whether it bounds nothing.
    pub fn is_unbounded(&self) -> bool {
        *self == Budget::default()
    }

    /// Whether it bounds what a call of a model takes.
    pub fn bounds_calls(&self) -> bool {
        [self.thoughts, self.tokens, self.money, self.ms].iter().any(Option::is_some)
    }

    /// So much of one unit; nothing where it is not bounded.
    pub fn of(&self, unit: BudgetUnit) -> Option<u64> {
        match unit {
            BudgetUnit::Thoughts => self.thoughts,
            BudgetUnit::Tokens => self.tokens,
            BudgetUnit::Money => self.money,
            BudgetUnit::Seconds => self.ms,
            BudgetUnit::Turns => self.turns,
            BudgetUnit::Spawns => self.spawns,
            BudgetUnit::Depth => self.depth,
        }
    }

    /// The place of one unit.
    pub fn place(&mut self, unit: BudgetUnit) -> &mut Option<u64> {
        match unit {
            BudgetUnit::Thoughts => &mut self.thoughts,
            BudgetUnit::Tokens => &mut self.tokens,
            BudgetUnit::Money => &mut self.money,
            BudgetUnit::Seconds => &mut self.ms,
            BudgetUnit::Turns => &mut self.turns,
            BudgetUnit::Spawns => &mut self.spawns,
            BudgetUnit::Depth => &mut self.depth,
        }
    }

    /// The units, each with its bound.
    pub fn units(&self) -> [(BudgetUnit, Option<u64>); 7] {
        BudgetUnit::ALL.map(|unit| (unit, self.of(unit)))
    }

    /// The unit of which there is nothing, and without which no turn can be.
    pub fn lacking(&self) -> Option<BudgetUnit> {
        let needed = |unit| !matches!(unit, BudgetUnit::Spawns | BudgetUnit::Depth);
        self.units().into_iter().find(|(unit, n)| *n == Some(0) && needed(*unit)).map(|it| it.0)
    }

    fn with(mut self, other: Budget, of: impl Fn(u64, u64) -> u64) -> Budget {
        for unit in BudgetUnit::ALL.into_iter().filter(|it| it.is_handed_on()) {
            let place = self.place(unit);
            *place = place.map(|mine| of(mine, other.of(unit).unwrap_or(0)));
        }
        self
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
            write!(f, "{}{unit}={}", if place == 0 { "" } else { "," }, unit.shown(n))?;
        }
        Ok(())
    }
}

/// Why a text is no budget.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not a budget; say money=1.50, or several with commas between: thoughts=20, tokens=50000, \
     seconds=600, turns=10, spawns=3, depth=2"
)]
pub struct NoBudget(String);

impl FromStr for Budget {
    type Err = NoBudget;

    fn from_str(text: &str) -> Result<Budget, NoBudget> {
        let mut budget = Budget::default();
        for part in text.split(',') {
            let wrong = || NoBudget(text.to_owned());
            let (name, n) = part.split_once('=').ok_or_else(wrong)?;
            let unit = BudgetUnit::ALL.into_iter().find(|it| it.name() == name.trim());
            let unit = unit.ok_or_else(wrong)?;
            let n = unit.read(n.trim()).ok_or_else(wrong)?;
            if budget.place(unit).replace(n).is_some() {
                return Err(wrong());
            }
        }
        Ok(budget)
    }
}

/// What was spent, whether it is bounded or not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spent {
    /// Calls of a model.
    pub thoughts: u64,
    /// Tokens, as the model reports them.
    pub tokens: u64,
    /// In millionths of the currency that prices are in.
    pub money: u64,
    /// Milliseconds that models and actions took, where they are bounded.
    pub ms: u64,
    /// Turns that were begun.
    pub turns: u64,
    /// Agents brought up.
    pub spawns: u64,
}

impl Spent {
    /// The same as it is taken out of a budget.
    pub fn budget(self) -> Budget {
        Budget {
            thoughts: Some(self.thoughts),
            tokens: Some(self.tokens),
            money: Some(self.money),
            ms: Some(self.ms),
            turns: Some(self.turns),
            spawns: Some(self.spawns),
            depth: None,
        }
    }

    /// Together with more.
    #[must_use]
    pub fn plus(self, more: Spent) -> Spent {
        Spent {
            thoughts: self.thoughts.saturating_add(more.thoughts),
            tokens: self.tokens.saturating_add(more.tokens),
            money: self.money.saturating_add(more.money),
            ms: self.ms.saturating_add(more.ms),
            turns: self.turns.saturating_add(more.turns),
            spawns: self.spawns.saturating_add(more.spawns),
        }
    }
}

/// The most that a call of a model may take, known before it is made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct CallBound {
    /// Sent and said.
    pub tokens: u64,
    /// In millionths; nothing where the model has no price.
    pub money: Option<u64>,
    /// How long it may take, in milliseconds.
    pub ms: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_reads_as_it_is_written() {
        for text in [
            "thoughts=20",
            "tokens=7",
            "thoughts=20,tokens=50000",
            "money=1.5",
            "money=0.000001,seconds=0.001",
            "tokens=0,money=12,seconds=600,turns=3,spawns=0,depth=2",
        ] {
            assert_eq!(text.parse::<Budget>().map(|it| it.to_string()), Ok(text.to_owned()));
        }
        assert_eq!(" thoughts = 1 ".parse(), Ok(Budget::thoughts(1)));
        let money = Budget { money: Some(1_500_000), ms: Some(90_000), ..Budget::default() };
        assert_eq!("money=1.50,seconds=90".parse(), Ok(money));
        let wrong = ["", "20", "thoughts", "thoughts=", "thoughts=-1", "thoughts=1,thoughts=2"];
        let money =
            ["money=-1", "money=1.", "money=.5", "money=1.0000001", "money=1e3", "money=$1"];
        for text in wrong.into_iter().chain(money).chain(["days=3", "thoughts=1,", "thoughts=1.5"])
        {
            assert_eq!(text.parse::<Budget>(), Err(NoBudget(text.to_owned())));
        }
        assert!("money=99999999999999999999".parse::<Budget>().is_err());
        assert!("money=18446744073710".parse::<Budget>().is_err());
    }

    #[test]
    fn what_is_not_bounded_stays_so() {
        let some = Budget { thoughts: Some(3), ..Budget::default() };
        let other = Budget { thoughts: Some(5), tokens: Some(7), ..Budget::default() };
        assert_eq!(some.plus(other), Budget::thoughts(8));
        assert_eq!(some.minus(other), Budget::thoughts(0));
        assert_eq!(Budget::default().minus(other), Budget::default());
        let left = Budget { thoughts: Some(2), tokens: Some(7), ..Budget::default() };
        assert_eq!(other.minus(some), left);
    }

    #[test]
    fn depth_is_not_spent_nor_handed_on() {
        let deep = Budget { depth: Some(3), turns: Some(9), ..Budget::default() };
        assert_eq!(deep.minus(deep), Budget { turns: Some(0), ..deep });
        assert_eq!(deep.plus(deep), Budget { turns: Some(18), ..deep });
        let leaf = Budget { spawns: Some(0), depth: Some(0), turns: Some(1), ..Budget::default() };
        assert_eq!(leaf.lacking(), None);
        assert_eq!(Budget { turns: Some(0), ..leaf }.lacking(), Some(BudgetUnit::Turns));
    }
}
