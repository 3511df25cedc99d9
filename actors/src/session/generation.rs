//! How a thought came to be, where a provider made it.

/// A reply of a provider that a thought was read from: what it is told again, and what it took.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Generation {
    /// Who was asked, `PROVIDER/NAME`, whatever it is called here.
    pub model: String,
    /// Who has answered, as the provider says.
    pub answered_by: String,
    /// The provider's name of the reply.
    pub reply: String,
    /// Why the reply ends: `end`, `call`, `length`, …
    pub stop: String,
    /// What it took.
    pub usage: TokenUsage,
    /// The calls that it wanted, by the provider's ids: their results go back under these.
    pub calls: Vec<GeneratedCall>,
    /// The reply's blocks as they came, one JSON array; empty where the words are all of it. Signed
    /// reasoning is in it. It goes back to the same model only.
    pub blocks: String,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
    /// When the first of it came, in milliseconds since it was asked for; 0 where older builds have not
    /// kept it.
    pub first_ms: u64,
    /// How many tokens it might have said; 0 where older builds have not kept it.
    pub output_max: u64,
    /// Whose machine has answered: a host, with a port where it has one of its own; empty where older
    /// builds have not kept it.
    pub server: String,
}

impl Generation {
    /// What it holds besides the words and the code, in bytes.
    pub(super) fn bytes(&self) -> usize {
        let call = |it: &GeneratedCall| it.id.len() + it.name.len() + it.arguments.len();
        let calls: usize = self.calls.iter().map(call).sum();
        calls
            + self.blocks.len()
            + self.reply.len()
            + self.answered_by.len()
            + self.stop.len()
            + self.server.len()
    }
}

/// A call that a model wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GeneratedCall {
    /// What the result is sent back under.
    pub id: String,
    /// What it called.
    pub name: String,
    /// Its arguments, as the JSON text that came.
    pub arguments: String,
}

/// Tokens that a reply took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TokenUsage {
    /// All that was sent, whether it was in the provider's cache or not.
    pub input: u64,
    /// Of these, those that were read from the cache.
    pub cache_read: u64,
    /// Of these, those that were written to it.
    pub cache_write: u64,
    /// All that was said, reasoning included.
    pub output: u64,
    /// Of these, those of reasoning.
    pub reasoning: u64,
}

impl TokenUsage {
    /// What two replies took together.
    #[must_use]
    pub fn plus(self, more: TokenUsage) -> TokenUsage {
        TokenUsage {
            input: self.input.saturating_add(more.input),
            cache_read: self.cache_read.saturating_add(more.cache_read),
            cache_write: self.cache_write.saturating_add(more.cache_write),
            output: self.output.saturating_add(more.output),
            reasoning: self.reasoning.saturating_add(more.reasoning),
        }
    }
}
