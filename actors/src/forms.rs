//! The stored forms: for every type that is in an entry, its layout, apart from the type. See
//! [`mod@crate::stored`] for how a layout grows.

mod atoms;
mod entries;
mod rights;
mod sessions;
mod spaces;
