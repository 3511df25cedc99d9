//! What the code's calls do: looking around in spaces.

use super::args::Args;
use super::hands::{Hands, refused};
use super::items::{self, raise};
use crate::caller::{HistoryQuery, Of};
use crate::moment::Moment;
use stoa_actors::code::{Item, Raise};
use stoa_actors::id::{Position, SpaceId};
use stoa_actors::search::{HITS_DEFAULT, Order, Place, Query};
use stoa_actors::value::Value;

impl Hands {
    pub(super) async fn references(&mut self, mut args: Args) -> Result<Item, Raise> {
        let id = args.id("id")?;
        let relation = args.text("relation")?;
        args.end()?;
        let reads = match relation.as_deref().map(|it| (it, it.strip_prefix("<-"))) {
            Some((_, Some(reverse))) => {
                let reverse = Some(reverse).filter(|it| !it.is_empty());
                let sources = self.caller.sources(id, reverse).await.map_err(refused)?;
                sources.into_iter().map(|(_, read)| read).collect()
            }
            other => {
                let relation = other.map(|(it, _)| it);
                self.caller.targets(id, relation).await.map_err(refused)?
            }
        };
        Ok(Item::List(reads.iter().map(|it| self.note(it)).collect()))
    }

    pub(super) async fn history(&mut self, space: SpaceId, mut args: Args) -> Result<Item, Raise> {
        let id = args.take("id").filter(|it| *it != Item::Value(Value::Null));
        let after = Position(args.number("after")?.unwrap_or(0));
        let most = self.caller.runtime.shared().config.history_changes_max;
        let limit = (args.number("limit")?.unwrap_or(100) as usize).min(most);
        let before = args.number("before")?.map(Position);
        let as_of = moment(&mut args)?;
        let (newest, comment) = (args.truth("newest")?, args.text("comment")?);
        let by = args.text("by")?.map(|it| it.parse().map_err(|error| raise("ValueError", error)));
        args.end()?;
        let by = by.transpose()?;
        let query = HistoryQuery { after, before, as_of, limit, newest, by, comment };
        let of = match id {
            Some(id) => Of::Atom(items::id(&id)?),
            None => Of::Space(space),
        };
        let changes = self.caller.history(of, query).await.map_err(refused)?;
        Ok(Item::List(changes.iter().map(items::change).collect()))
    }

    pub(super) async fn difference(&mut self, mut args: Args) -> Result<Item, Raise> {
        let id = args.id("id")?;
        let (from, to) = (args.number("from_version")?, args.number("to_version")?);
        args.end()?;
        let found = self.caller.difference(id, from, to).await.map_err(refused)?;
        Ok(items::difference(&found))
    }

    pub(super) async fn search(&mut self, space: SpaceId, mut args: Args) -> Result<Item, Raise> {
        let query = Query {
            text: args.text("query")?,
            metadata: args.take("metadata").map(items::metadata).transpose()?.unwrap_or_default(),
            references: args
                .take("references")
                .map(items::conditions)
                .transpose()?
                .unwrap_or_default(),
            limit: args.number("limit")?.map_or(HITS_DEFAULT, |it| it as usize),
            include_deprecated: args.truth("include_deprecated")?,
            order: match args.text("order")?.as_deref() {
                None | Some("oldest") => Order::Oldest,
                Some("newest") => Order::Newest,
                Some(_) => return Err(raise("ValueError", "order= is 'oldest' or 'newest'")),
            },
            after: match args.take("after") {
                None | Some(Item::Value(Value::Null)) => None,
                Some(hit) => Some(Place { id: items::id(&hit)?, score: None }),
            },
        };
        let as_of = moment(&mut args)?;
        args.end()?;
        let found = match as_of {
            Some(moment) => self.caller.search_as_of(space, query, moment).await,
            None => self.caller.search(space, query).await,
        };
        let found = found.map_err(refused)?;
        let mut hits = Vec::with_capacity(found.len());
        for it in found {
            // An older version is no base for a change.
            if as_of.is_none() {
                self.remember(it.read.atom.id, it.read.atom.version);
            }
            hits.push(items::atom(&it.read.atom, it.read.position, Some(it.score)));
        }
        Ok(Item::List(hits))
    }
}

/// A position, or what can be typed as a moment.
pub(super) fn moment(args: &mut Args) -> Result<Option<Moment>, Raise> {
    match args.take("as_of") {
        None | Some(Item::Value(Value::Null)) => Ok(None),
        Some(Item::Value(Value::Int(at))) if at >= 0 => {
            Ok(Some(Moment::Position(Position(at as u64))))
        }
        Some(Item::Value(Value::Text(text))) => text.parse().map(Some).map_err(refused),
        Some(_) => Err(raise("TypeError", "as_of= takes a position, a time or how long ago")),
    }
}
