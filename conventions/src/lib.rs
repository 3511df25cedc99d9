//! Texts that teach agents how to use spaces. No code anywhere knows a convention by name: a space
//! is given its description, an agent its instructions, and both are read like any other text.

/// The description of a task list.
pub const TASK_LIST: &str = include_str!("../task-list.md");
/// The description of a space of locks.
pub const LOCKS: &str = include_str!("../locks.md");
/// The description of a space of findings.
pub const FINDINGS: &str = include_str!("../findings.md");
/// The description of a space of sources.
pub const SOURCES: &str = include_str!("../sources.md");
/// The description of the register of runs.
pub const RUNS: &str = include_str!("../runs.md");

/// The description of a space of reviews.
pub const REVIEWS: &str = include_str!("../reviews.md");

/// Every description, by its name.
pub const ALL: [(&str, &str); 6] = [
    ("task-list", TASK_LIST),
    ("locks", LOCKS),
    ("findings", FINDINGS),
    ("sources", SOURCES),
    ("runs", RUNS),
    ("reviews", REVIEWS),
];

/// Instructions of agents: recipes that run without a model, and for two of them what a model is told
/// instead.
pub mod research {
    /// Splits a question into tasks, brings up who does them, closes what is done.
    pub const COORDINATOR: &str = include_str!("../research/coordinator.md");
    /// Answers one task from the sources.
    pub const RESEARCHER: &str = include_str!("../research/researcher.md");
    /// Makes one answer of all findings.
    pub const SYNTHESISER: &str = include_str!("../research/synthesiser.md");
    /// Finds what the sources say about one task, with a model.
    pub const MODEL_RESEARCHER: &str = include_str!("../research/model-researcher.md");
    /// Writes an answer in its own words, with a model.
    pub const MODEL_SYNTHESISER: &str = include_str!("../research/model-synthesiser.md");
}
