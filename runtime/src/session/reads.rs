//! What the code's calls do: looking around in spaces.

use super::args::Args;
use super::hands::{Hands, refused};
use super::items::{self, raise};
use crate::caller::HistoryQuery;
use stoa_actors::code::{Item, Raise};
use stoa_actors::id::{Position, SpaceId};
use stoa_actors::search::{HITS_DEFAULT, Order, Place, Query};
use stoa_actors::space::Filter;
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
        args.end()?;
        let changes = match id {
            Some(id) => self.caller.atom_history(items::id(&id)?).await,
            None => self.caller.history(space, &HistoryQuery { after, limit }).await,
        };
        Ok(Item::List(changes.map_err(refused)?.iter().map(items::change).collect()))
    }

    pub(super) async fn subscribe(
        &mut self,
        space: SpaceId,
        mut args: Args,
    ) -> Result<Item, Raise> {
        let metadata = args.take("metadata").map(items::metadata).transpose()?.unwrap_or_default();
        let types = match args.take("types").map(items::value).transpose()? {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::List(list)) => {
                list.iter().filter_map(|it| it.text().map(str::to_owned)).collect()
            }
            Some(_) => return Err(raise("TypeError", "types= takes a list of texts")),
        };
        let cursor = args.number("cursor")?.map(Position);
        args.end()?;
        let filter = Filter { types, metadata };
        if let Some(notes) = &self.notes {
            let follows = self.caller.follow_as_agent(&notes.seat, space, filter, cursor).await;
            return follows.map(|()| items::text(space)).map_err(refused);
        }
        let id = self.caller.subscribe(space, filter, cursor).await.map_err(refused)?;
        Ok(items::text(id))
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
        args.end()?;
        let found = self.caller.search(space, query).await.map_err(refused)?;
        let mut hits = Vec::with_capacity(found.len());
        for it in found {
            self.remember(it.read.atom.id, it.read.atom.version);
            hits.push(items::atom(&it.read.atom, it.read.position, Some(it.score)));
        }
        Ok(Item::List(hits))
    }
}
