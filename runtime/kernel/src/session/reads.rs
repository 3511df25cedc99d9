//! What is handed to code of what was found.

use super::args::Args;
use super::fit::Hit;
use super::host_api::{HostApi, refused};
use super::items::raise;
use crate::as_of::Moment;
use stoa_actors::atom::Metadata;
use stoa_actors::code::{Item, Raise};
use stoa_actors::id::{Position, SpaceId};
use stoa_actors::value::Value;

impl HostApi {
    /// As many as fit into one answer, how many that are, and how many there were.
    pub fn list(&mut self, hits: Vec<Hit>, remember: bool) -> (Item, usize, usize) {
        let items = self.fit.list(&hits);
        for (atom, ..) in hits.iter().take(items.len()).filter(|_| remember) {
            self.remember(atom.id, atom.version);
        }
        let told = items.len();
        (Item::List(items), told, hits.len())
    }

    /// Remarks which conditions fit nothing by the type of what they compare with.
    pub async fn remark(&mut self, space: SpaceId, wanted: &Metadata) -> Result<(), Raise> {
        if wanted.is_empty() {
            return Ok(());
        }
        for it in self.caller.mismatches(space, wanted).await.map_err(refused)? {
            self.notice(it.to_string());
        }
        Ok(())
    }
}

/// A position, or what can be typed as a moment.
pub fn moment(args: &mut Args) -> Result<Option<Moment>, Raise> {
    match args.take("as_of") {
        None | Some(Item::Value(Value::Null)) => Ok(None),
        Some(Item::Value(Value::Int(at))) if at >= 0 => {
            Ok(Some(Moment::Position(Position(at as u64))))
        }
        Some(Item::Value(Value::Text(text))) => text.parse().map(Some).map_err(refused),
        Some(_) => Err(raise("TypeError", "as_of= takes a position, a time or how long ago")),
    }
}
