//! What calls of models took, added up.

use crate::caller::Caller;
use crate::failure::StoreError;
use crate::problem::Problem;
use std::collections::{BTreeMap, BTreeSet};
use stoa_actors::id::{Millis, ROOT, SessionId, SpaceId};
use stoa_actors::rights::Rights;
use stoa_actors::session::{BilledCall, Session, Spent, TokenUsage};

/// By what calls are added up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CostBy {
    /// By who made them.
    Agent,
    /// By who made them, and each whose offspring that is.
    Subtree,
    /// By who was asked, as it is called here.
    Model,
    /// By the space that woke the agent first in the turn of the call.
    Space,
    /// By the hour in which they ended.
    Hour,
}

impl CostBy {
    /// All of them.
    pub const ALL: [CostBy; 5] =
        [CostBy::Agent, CostBy::Subtree, CostBy::Model, CostBy::Space, CostBy::Hour];

    /// In one word, as it is typed.
    pub fn word(self) -> &'static str {
        match self {
            CostBy::Agent => "agent",
            CostBy::Subtree => "subtree",
            CostBy::Model => "model",
            CostBy::Space => "space",
            CostBy::Hour => "hour",
        }
    }
}

/// What calls were added up for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CostOf {
    /// An agent, alone or with its offspring.
    Agent(SessionId),
    /// A model, by its name.
    Model(String),
    /// A space; nothing at the birth of agents.
    Space(Option<SpaceId>),
    /// An hour, by its beginning.
    Hour(Millis),
}

/// Calls of models, added up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CostSum {
    /// How many there were.
    pub calls: u64,
    /// Of these, those of which nobody knows what they took: what they may have taken at most stands
    /// as spent.
    pub unknown: u64,
    /// What stands as spent.
    pub spent: Spent,
    /// Tokens as the providers said; of the unknown there are none.
    pub usage: TokenUsage,
}

impl CostSum {
    fn add(&mut self, spent: Spent, call: &BilledCall) {
        self.calls += 1;
        self.unknown += u64::from(!call.known);
        self.spent = self.spent.plus(spent);
        self.usage = self.usage.plus(call.usage);
    }
}

/// Calls of models, added up for one thing each, and all of them together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub struct Costs {
    pub each: BTreeMap<CostOf, CostSum>,
    pub all: CostSum,
}

const HOUR: u64 = 3_600_000;

impl Caller {
    /// What the calls took of the agents under the caller and of itself, also of those that are dead;
    /// of one of them and its offspring, where one is named. Nothing before `since` counts.
    pub async fn costs(
        &self,
        by: CostBy,
        of: Option<SessionId>,
        since: Millis,
    ) -> Result<Costs, Problem> {
        self.reading(move |caller| Ok(caller.added_up(by, of, since)?)).await
    }

    fn added_up(
        &self,
        by: CostBy,
        of: Option<SessionId>,
        since: Millis,
    ) -> Result<Costs, StoreError> {
        let top = of.unwrap_or(self.session());
        let mut families: BTreeMap<SessionId, Option<BTreeSet<SessionId>>> = BTreeMap::new();
        let mut costs = Costs::default();
        for row in self.runtime.store().own_rows::<Session>(&Session::cost_keys(None)) {
            let (key, value) = row?;
            let Some((who, spent, call)) = Session::read_cost_row(&key, &value) else { continue };
            if call.at < since {
                continue;
            }
            let family = families
                .entry(who)
                .or_insert_with(|| family(&self.runtime.shared().rights.read(), who, top));
            let Some(family) = family else { continue };
            costs.all.add(spent, &call);
            let mut add = |of: CostOf| costs.each.entry(of).or_default().add(spent, &call);
            match by {
                CostBy::Agent => add(CostOf::Agent(who)),
                CostBy::Subtree => family.iter().for_each(|it| add(CostOf::Agent(*it))),
                CostBy::Model => add(CostOf::Model(call.model.clone())),
                CostBy::Space => add(CostOf::Space(call.space)),
                CostBy::Hour => add(CostOf::Hour(Millis(call.at.0 - call.at.0 % HOUR))),
            }
        }
        Ok(costs)
    }
}

/// An agent and those above it up to the one at the top; nothing where it is not below that.
fn family(rights: &Rights, who: SessionId, top: SessionId) -> Option<BTreeSet<SessionId>> {
    let mut family = BTreeSet::from([who]);
    let mut at = who;
    while at != top {
        at = rights.birth(at)?.parent?;
        // The root is no agent.
        if at != ROOT && !family.insert(at) {
            return None;
        }
    }
    Some(family)
}
