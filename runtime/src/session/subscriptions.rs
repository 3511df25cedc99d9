//! What the code's calls do: subscriptions. An agent's own wake it, one a space; those of other
//! code have ids, and are read when it likes.

use super::args::Args;
use super::hands::{Hands, refused};
use super::items::{self, raise};
use crate::caller::{Pulled, SubscriptionCard};
use stoa_actors::code::{Item, Raise};
use stoa_actors::id::{Position, SpaceId, SubscriptionId};
use stoa_actors::session::Follow;
use stoa_actors::space::{Edit, Filter};
use stoa_actors::value::Value;

/// Changes that are read at once if the code does not say.
const PULL_CHANGES: u64 = 100;

impl Hands {
    pub(super) async fn subscribe(
        &mut self,
        space: SpaceId,
        mut args: Args,
    ) -> Result<Item, Raise> {
        let edit = self.edit(&mut args)?;
        args.end()?;
        let terms = edit.terms(&Default::default());
        let (filter, cursor) = (edit.filter.unwrap_or_default(), edit.cursor);
        let Some(notes) = &self.notes else {
            let id = self.caller.subscribe(space, filter, cursor, terms).await.map_err(refused)?;
            return Ok(items::text(id));
        };
        let head = self.caller.runtime.store().head_of_stream(space.stream());
        let head = head.map_err(|error| refused(error.into()))?;
        let follow = Follow { filter, cursor: cursor.unwrap_or(head), terms };
        let seat = notes.seat.clone();
        self.caller.follow_as_agent(&seat, space, follow).await.map_err(refused)?;
        Ok(items::text(space))
    }

    pub(super) async fn edit_subscription(
        &mut self,
        space: SpaceId,
        mut args: Args,
    ) -> Result<Item, Raise> {
        let id = subscription_id(&mut args)?;
        let edit = self.edit(&mut args)?;
        args.end()?;
        let Some(notes) = &self.notes else {
            let card = self.caller.edit_subscription(needed(id)?, edit).await.map_err(refused)?;
            return Ok(item(&card));
        };
        let seat = notes.seat.clone();
        if edit.cursor.is_some() {
            return Err(raise("ValueError", "an agent's cursor goes by its turns, and is not set"));
        }
        let SubscriptionCard { filter, cursor, terms, .. } = self.followed(space).await?;
        let terms = edit.terms(&terms);
        let follow = Follow { filter: edit.filter.unwrap_or(filter), cursor, terms };
        self.caller.follow_as_agent(&seat, space, follow).await.map_err(refused)?;
        Ok(item(&self.followed(space).await?))
    }

    pub(super) async fn subscriptions(
        &mut self,
        space: SpaceId,
        args: Args,
    ) -> Result<Item, Raise> {
        args.end()?;
        let cards = match &self.notes {
            Some(_) => self.caller.followed().await.map_err(refused)?,
            None => self.caller.subscriptions(Some(space)).await.map_err(refused)?,
        };
        Ok(Item::List(cards.iter().filter(|it| it.space == space).map(item).collect()))
    }

    pub(super) async fn unsubscribe(
        &mut self,
        space: SpaceId,
        mut args: Args,
    ) -> Result<Item, Raise> {
        let id = subscription_id(&mut args)?;
        args.end()?;
        match &self.notes {
            None => self.caller.unsubscribe(needed(id)?).await.map_err(refused)?,
            Some(notes) => {
                let seat = notes.seat.clone();
                self.followed(space).await?;
                self.caller.unfollow_as_agent(&seat, space).await.map_err(refused)?;
            }
        }
        Ok(Item::Value(Value::Null))
    }

    /// What is new to a subscription; it stays where it is until it is acknowledged.
    pub(super) async fn pull(&mut self, mut args: Args) -> Result<Item, Raise> {
        let id = needed(subscription_id(&mut args)?)?;
        let limit = args.number("limit")?.unwrap_or(PULL_CHANGES) as usize;
        let most = self.caller.runtime.shared().config.history_changes_max;
        let lag_max = args.number("lag_max")?.map_or(most, |it| it as usize);
        args.end()?;
        let mut puller = self.caller.pull(id).await.map_err(refused)?;
        let cursor = self.caller.subscription(id).await.map_err(refused)?.cursor;
        let pulled = puller.ready(limit.min(most), lag_max).await.map_err(refused)?;
        let Pulled { changes, marker, cursor } =
            pulled.unwrap_or(Pulled { changes: Vec::new(), marker: None, cursor });
        let number = |it: u64| Item::Value(Value::Int(it as i64));
        let skipped = marker.map_or(Item::Value(Value::Null), |wake| {
            Item::Map(vec![
                ("count".into(), number(wake.count)),
                ("first".into(), number(wake.first.0)),
                ("last".into(), number(wake.last.0)),
                ("comments".into(), Item::List(wake.comments.iter().map(items::text).collect())),
            ])
        });
        Ok(Item::Map(vec![
            ("changes".into(), Item::List(changes.iter().map(items::change).collect())),
            ("skipped".into(), skipped),
            ("cursor".into(), number(cursor.0)),
        ]))
    }

    pub(super) async fn acknowledge(&mut self, mut args: Args) -> Result<Item, Raise> {
        let id = needed(subscription_id(&mut args)?)?;
        let missing = || raise("TypeError", "ack() needs the cursor that pull() told");
        let cursor = args.number("cursor")?.map(Position).ok_or_else(missing)?;
        args.end()?;
        Ok(item(&self.caller.acknowledge(id, cursor).await.map_err(refused)?))
    }

    async fn followed(&self, space: SpaceId) -> Result<SubscriptionCard, Raise> {
        let all = self.caller.followed().await.map_err(refused)?;
        let found = all.into_iter().find(|it| it.space == space);
        found.ok_or_else(|| raise("LookupError", "you do not follow this space"))
    }

    /// `types=`, `metadata=`, `references=`, `cursor=`, `debounce=`, `expires=`.
    fn edit(&self, args: &mut Args) -> Result<Edit, Raise> {
        let metadata = args.take("metadata").map(items::metadata).transpose()?;
        let types = args.take("types").map(items::value).transpose()?;
        let types = match types {
            None | Some(Value::Null) => None,
            Some(Value::List(list)) => {
                let text = |it: &Value| it.text().map(str::to_owned);
                let texts: Option<Vec<String>> = list.iter().map(text).collect();
                Some(texts.ok_or_else(|| raise("TypeError", "types= takes a list of texts"))?)
            }
            Some(_) => return Err(raise("TypeError", "types= takes a list of texts")),
        };
        let cursor = args.number("cursor")?.map(Position);
        let references = args.take("references").map(items::references).transpose()?;
        let said = metadata.is_some() || types.is_some() || references.is_some();
        let filter = said.then(|| Filter {
            types: types.unwrap_or_default(),
            metadata: metadata.unwrap_or_default(),
            references: references.unwrap_or_default(),
        });
        let debounce_ms =
            args.take("debounce").map(|it| Args::span_of("debounce", it)).transpose()?;
        let until = match args.take("expires") {
            None => None,
            Some(Item::Value(Value::Null)) => Some(None),
            Some(item) => {
                let ms = Args::span_of("expires", item)?;
                Some(Some(self.caller.after(ms).map_err(refused)?))
            }
        };
        Ok(Edit { filter, cursor, debounce_ms, until })
    }
}

fn subscription_id(args: &mut Args) -> Result<Option<SubscriptionId>, Raise> {
    let id = args.text("id")?;
    id.map(|it| it.parse().map_err(|error| raise("ValueError", error))).transpose()
}

fn needed(id: Option<SubscriptionId>) -> Result<SubscriptionId, Raise> {
    id.ok_or_else(|| raise("TypeError", "which? give the id that subscribe() returned"))
}

fn item(card: &SubscriptionCard) -> Item {
    let Filter { types, metadata, references } = &card.filter;
    let references = references.iter().map(|(relation, targets)| {
        (relation.clone(), Item::List(targets.iter().map(items::text).collect()))
    });
    let number = |it: u64| Item::Value(Value::Int(it as i64));
    let or_none = |it: Option<Item>| it.unwrap_or(Item::Value(Value::Null));
    Item::Map(vec![
        ("id".into(), or_none(card.id.map(items::text))),
        ("types".into(), Item::List(types.iter().map(items::text).collect())),
        ("metadata".into(), Item::Value(Value::Map(metadata.clone()))),
        ("references".into(), Item::Map(references.collect())),
        ("cursor".into(), number(card.cursor.0)),
        ("behind".into(), number(card.behind)),
        ("debounce_ms".into(), number(card.terms.debounce_ms)),
        ("until".into(), or_none(card.terms.until.map(|it| number(it.0)))),
    ])
}
