//! What bounds the rights actor. Each has a [`Refusal`](super::Refusal) of its own.

/// Live links to one holder.
pub const LINKS_PER_HOLDER_MAX: usize = 4_096;
/// Aliases in one holder's table.
pub const NAMES_PER_HOLDER_MAX: usize = 4_096;
/// Rights asked for in one spawn.
pub const ASKS_PER_SPAWN_MAX: usize = 64;
/// Links from a right to its origin, both ends counted.
pub const CHAIN_LINKS_MAX: usize = 64;
/// Sessions from one to the root, itself not counted.
pub const ANCESTORS_MAX: usize = 64;
/// UTF-8 bytes of a reason.
pub const REASON_BYTES_MAX: usize = 1_024;
/// UTF-8 bytes of an alias, and of the name of a tool, secret or model.
pub const NAME_BYTES_MAX: usize = 128;
