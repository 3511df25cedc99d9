//! What the rights and the agents they begin have to say to each other: an agent's specification, its
//! budget, and what it is told from above.

mod budget;
mod order;
mod spec;

pub use budget::{Amount, Budget, BudgetUnit, CallBound, NoBudget, Spent};
pub use order::AgentOrder;
pub use spec::{AgentSpec, FollowSpec};
