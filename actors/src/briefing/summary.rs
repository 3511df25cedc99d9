//! What the turns before come down to.

/// What an agent's earlier turns come down to, once they do not fit into its window any more.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// What was done, decided and learnt.
    pub text: String,
    /// The turn and the step from which on what happened is told as it was.
    pub since: (u64, u32),
    /// Whether its model has said it; otherwise it is made of what was said, without one.
    pub by_model: bool,
}
