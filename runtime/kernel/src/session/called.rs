//! What a call of code is called where people look on: `tasks.claim`.

use super::host_api::{ATTRIBUTE, COORDINATOR, HostApi};
use stoa_actors::code::{HostCall, Item};
use stoa_actors::id::SpaceId;
use stoa_actors::value::Value;

/// Characters of a name that are noted; code can ask for a name of any length.
const NAME_CHARS: usize = 48;

impl HostApi {
    /// The method with what it was called on, by the session's own name for it. An attribute that is
    /// asked for is named like a method.
    pub(super) fn called(&self, call: &HostCall) -> String {
        let name = match (call.name.as_str(), call.args.first()) {
            (ATTRIBUTE, Some(Item::Value(Value::Text(name)))) => name,
            (name, _) => name,
        };
        let on = match call.on {
            None => None,
            Some(COORDINATOR) => Some("coordinator".to_owned()),
            Some(space) => {
                let space = SpaceId(space.to_be_bytes());
                Some(self.caller.name_of_space(space).unwrap_or_else(|| "space".to_owned()))
            }
        };
        let cut = |text: &str| text.chars().take(NAME_CHARS).collect::<String>();
        match on {
            None => cut(name),
            Some(on) => format!("{}.{}", cut(&on), cut(name)),
        }
    }
}
