//! What is new to a subscription.

use super::subscribed::{needed, subscription_id};
use crate::answer::{ChangeAnswer, SubscriptionEntry};
use crate::caller::{Caller, Pulled};
use crate::operation::{Arg, ArgForm, EffectKind, JsonLines, Operation, Out, RequiredRight};
use crate::problem::Problem;
use crate::session::items;
use crate::session::{Args, CallFuture, Does, HostApi, Method, On, refused};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use stoa_actors::code::Item;
use stoa_actors::value::Value;

/// Read what others changed since the cursor of a subscription
///
/// The output ends with the cursor to acknowledge. If there are more than --lag-max changes, one
/// line stands for all of them: their number, first and last position, and the first comments.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SubscriptionRead {
    /// The id of the subscription
    pub id: String,
    /// Maximum number of changes; those of one transaction stay together
    #[serde(default = "hundred")]
    pub limit: usize,
    /// If there are more changes than this, print one line for all
    #[serde(default = "ten_thousand")]
    pub lag_max: usize,
    /// Wait for new changes
    #[serde(default)]
    pub follow: bool,
}

fn hundred() -> usize {
    100
}

fn ten_thousand() -> usize {
    10_000
}

impl Operation for SubscriptionRead {
    const NAME: &'static str = "subscription read";
    const EFFECT: EffectKind = EffectKind::Reads;
    const RIGHT: RequiredRight = RequiredRight::Own;
    const ARGS: &'static [&'static [Arg]] = &[&[
        Arg::at("id", ArgForm::Text),
        Arg::flag("limit", "limit", ArgForm::Number, "N"),
        Arg::flag("lag-max", "lag_max", ArgForm::Number, "N"),
        Arg::flag("ack", "ack", ArgForm::Local, "")
            .about("Acknowledge what is printed, after it is printed"),
        Arg::switch("follow", "follow").conflicts(&["ack"]),
    ]];
    const METHODS: &'static [Method] = &[Method {
        on: On::Space,
        name: "pull",
        takes: &["id", "limit=100", "lag_max=None"],
        does: Does::Looks,
        call: |api, _, args| called(api, args),
    }];
    const LINES: JsonLines = JsonLines::Piped;
    const NONE: &'static str = "nothing new";
    type Answer = SubscriptionEntry;

    async fn perform(self, caller: &Caller, out: &Out<SubscriptionEntry>) -> Result<(), Problem> {
        let (id, limit) = (caller.subscription_id(&self.id).await?, self.limit);
        let mut puller = caller.pull(id).await?;
        // In pieces: what is held in memory at once does not grow with what is asked for.
        let most = caller.runtime().config().history_changes_max;
        let (mut left, mut read) = (limit, None);
        loop {
            let pulled = match left.min(most) {
                piece if self.follow => Some(puller.next(piece, self.lag_max).await?),
                0 => None,
                piece => puller.ready(piece, self.lag_max).await?,
            };
            let Some(Pulled { changes, marker, cursor }) = pulled else { break };
            left = if marker.is_some() { 0 } else { left.saturating_sub(changes.len()) };
            let change = |it| SubscriptionEntry::Change(Box::new(ChangeAnswer::of(caller, it)));
            out.all(changes.iter().map(change)).await?;
            out.all(marker.map(SubscriptionEntry::skipped).into_iter()).await?;
            read = Some(SubscriptionEntry::UpTo { read: id.to_string(), cursor: cursor.0 });
            if self.follow {
                out.all(read.take().into_iter()).await?;
                left = limit;
            }
        }
        out.all(read.into_iter()).await
    }
}

/// It stays where it is until it is acknowledged.
fn called(api: &mut HostApi, mut args: Args) -> CallFuture<'_> {
    Box::pin(async move {
        let id = needed(subscription_id(&mut args)?)?;
        let limit = args.number("limit")?.unwrap_or(100) as usize;
        let most = api.caller.runtime().config().history_changes_max;
        let lag_max = args.number("lag_max")?.map_or(most, |it| it as usize);
        let mut puller = api.caller.pull(id).await.map_err(refused)?;
        let cursor = api.caller.subscription(id).await.map_err(refused)?.cursor;
        let pulled = puller.ready(limit.min(most), lag_max).await.map_err(refused)?;
        let Pulled { changes, marker, cursor } =
            pulled.unwrap_or(Pulled { changes: Vec::new(), marker: None, cursor });
        let number = |it: u64| Item::Value(Value::Int(it as i64));
        let skipped = marker.map_or(items::none(), |wake| {
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
    })
}
