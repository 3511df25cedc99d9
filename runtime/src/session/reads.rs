//! What the code's calls do: looking around in spaces.

use super::args::Args;
use super::fit::Hit;
use super::hands::{Hands, refused};
use super::items::{self, raise};
use crate::caller::{HistoryQuery, Of, Referred};
use crate::moment::Moment;
use crate::search::Found;
use stoa_actors::atom::{Content, Metadata};
use stoa_actors::code::{Item, Raise};
use stoa_actors::id::{Position, SpaceId};
use stoa_actors::search::{HITS_DEFAULT, Order, Place, Query};
use stoa_actors::value::Value;

impl Hands {
    pub(super) async fn references(&mut self, mut args: Args) -> Result<Item, Raise> {
        let id = args.id("id")?;
        let relation = args.text("relation")?;
        let skip = args.number("skip")?.unwrap_or(0) as usize;
        args.end()?;
        let referred = match relation.as_deref().map(|it| (it, it.strip_prefix("<-"))) {
            Some((_, Some(reverse))) => {
                let reverse = Some(reverse).filter(|it| !it.is_empty());
                self.caller.sources(id, reverse, skip).await
            }
            other => self.caller.targets(id, other.map(|(it, _)| it), skip).await,
        };
        let Referred { found, next } = referred.map_err(refused)?;
        let hits = found.into_iter().map(|(_, it)| (it.atom, it.position, None));
        let (items, told, all) = self.list(hits.collect(), true);
        if told < all || next.is_some() {
            let skip = if told < all { skip + told } else { next.unwrap_or_default() };
            self.notice(format!("references() ended early, for one answer; skip={skip} goes on"));
        }
        Ok(items)
    }

    /// As many as fit into one answer, how many that are, and how many there were.
    fn list(&mut self, hits: Vec<Hit>, remember: bool) -> (Item, usize, usize) {
        let items = self.fit.list(&hits);
        for (atom, ..) in hits.iter().take(items.len()).filter(|_| remember) {
            self.remember(atom.id, atom.version);
        }
        let told = items.len();
        (Item::List(items), told, hits.len())
    }

    /// `read(id, start=0, end=None)`: a part of a text in characters, or of bytes.
    pub(super) async fn read(&mut self, mut args: Args) -> Result<Item, Raise> {
        let id = args.id("id")?;
        let start = args.number("start")?.unwrap_or(0) as usize;
        let end = args.number("end")?.map_or(usize::MAX, |it| it as usize);
        let version = args.number("version")?;
        args.end()?;
        let read = match version {
            Some(version) => self.caller.get_version(id, version).await,
            None => self.caller.get(id).await,
        };
        let atom = read.map_err(refused)?.atom;
        let room = self.fit.bytes();
        if let Content::Bytes { bytes, .. } = &atom.content {
            let end = end.min(bytes.len()).max(start.min(bytes.len()));
            let part = &bytes[start.min(bytes.len())..end];
            self.ends_early(part.len() > room, start + room);
            return Ok(Item::Bytes(part[..part.len().min(room)].to_vec()));
        }
        let text = items::whole_text(&atom.content);
        let part = text.chars().skip(start).take(end.saturating_sub(start)).collect::<String>();
        let kept = part.floor_char_boundary(room);
        self.ends_early(kept < part.len(), start + part[..kept].chars().count());
        Ok(items::text(&part[..kept]))
    }

    fn ends_early(&mut self, early: bool, next: usize) {
        if early {
            self.notice(format!("read() ended early, for one answer; start={next} goes on"));
        }
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
        let wanted = query.metadata.clone();
        let found = self.caller.looked(space, query, as_of).await.map_err(refused)?;
        if found.hits.is_empty() && as_of.is_none() {
            self.remark(space, &wanted).await?;
        }
        let hit = |it: Found| (it.read.atom, it.read.position, Some(it.score));
        let hits = found.hits.into_iter().map(hit).collect();
        // An older version is no base for a change.
        let (items, told, all) = self.list(hits, as_of.is_none());
        if told < all || found.cut {
            let text = "search() ended early, for one answer; after=hits[-1] goes on";
            self.notice(text.to_owned());
        }
        Ok(items)
    }
}

impl Hands {
    /// Remarks which conditions fit nothing by the type of what they compare with.
    pub(super) async fn remark(&mut self, space: SpaceId, wanted: &Metadata) -> Result<(), Raise> {
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
