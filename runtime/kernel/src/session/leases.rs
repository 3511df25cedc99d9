//! The leases of which code was handed the tokens.
//!
//! The session remembers the token of every lease that its code was handed, as it does the version
//! of every atom: a change of a leased atom rests on that token, so that code which was away for
//! longer than its lease changes nothing.

use super::host_api::HostApi;
use super::items::raise;
use stoa_actors::code::{Item, Raise};
use stoa_actors::space::Resource;
use stoa_actors::value::Value;

/// How long something is leased when nobody says, in milliseconds.
pub const LEASE_DEFAULT: u64 = 600_000;

impl HostApi {
    /// The fencing token of a lease: as said, or the one that the session was handed.
    ///
    /// Errors: `ValueError` where neither is there.
    pub fn token(&self, resource: &Resource, said: Option<u64>) -> Result<u64, Raise> {
        said.or_else(|| self.lease_of(resource)).ok_or_else(|| {
            raise("ValueError", format!("this session has no lease of {resource}; say token="))
        })
    }
}

/// The resource and the token of a lease that the code was handed.
pub(super) fn leased(item: &Item) -> Option<(Resource, u64)> {
    let Item::Map(fields) = item else { return None };
    let field = |name: &str| fields.iter().find(|(key, _)| key == name).map(|(_, it)| it);
    match (field("resource"), field("token"), field("until")) {
        (Some(Item::Value(Value::Text(name))), Some(Item::Value(Value::Int(token))), Some(_)) => {
            Some((Resource::named(name), *token as u64))
        }
        _ => None,
    }
}
