//! Which stoa this is.

/// The version alone.
pub(super) const SHORT: &str = env!("CARGO_PKG_VERSION");

/// The same with the commit that it was built from and its date, where they are known.
pub(super) const LONG: &str = concat!(env!("CARGO_PKG_VERSION"), env!("STOA_COMMIT"));
