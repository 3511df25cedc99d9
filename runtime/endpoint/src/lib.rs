//! Who is asked over HTTP: an address that a key may go to, and the key.
//!
//! A key goes to `https`, or to this machine; no redirect takes it elsewhere, and no trace, error or
//! file has it.

#[cfg(feature = "http")]
mod address;
mod error;
mod key;
mod shown;

#[cfg(feature = "http")]
pub use address::Address;
pub use error::AddressError;
pub use key::{Key, Secret};
pub use shown::shown;
