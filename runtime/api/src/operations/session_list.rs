//! The sessions that there are.

use crate::agents::SessionCard;
use crate::answer::SessionAnswer;
use crate::caller::Caller;
use crate::operation::{Arg, EffectKind, Operation, Out, Quiet, RequiredRight};
use crate::problem::Problem;
use crate::session::items;
use crate::session::{Args, CallFuture, Does, HostApi, Method, On, refused};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use stoa_actors::code::Item;
use stoa_actors::value::Value;

/// List the sessions (identities): your own and those under it, oldest first
///
/// A session is who acts: the owner of the directory, an agent, an identity made by grant or exec,
/// or one that exists for a single action.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SessionList {
    /// Include those that have ended
    #[serde(default)]
    pub all: bool,
}

impl Operation for SessionList {
    const NAME: &'static str = "session list";
    const EFFECT: EffectKind = EffectKind::Reads;
    const RIGHT: RequiredRight = RequiredRight::Any;
    const ARGS: &'static [&'static [Arg]] = &[&[Arg::switch("all", "all")]];
    const METHODS: &'static [Method] = &[Method {
        on: On::Coordinator,
        name: "sessions",
        takes: &["all=False"],
        does: Does::Looks,
        call: called,
    }];
    const QUIET: Quiet = Quiet::Field("/id");
    type Answer = SessionAnswer;

    async fn perform(self, caller: &Caller, out: &Out<SessionAnswer>) -> Result<(), Problem> {
        let cards = caller.sessions(self.all).await?;
        out.all(cards.iter().map(|it| SessionAnswer::of(caller, it))).await
    }
}

fn called(api: &mut HostApi, _: stoa_actors::id::SpaceId, mut args: Args) -> CallFuture<'_> {
    Box::pin(async move {
        let all = args.truth("all")?;
        let cards = api.caller.sessions(all).await.map_err(refused)?;
        let item = |card: &SessionCard| {
            let name = api.caller.name_of(card.id);
            Item::Map(vec![
                ("id".into(), items::text(card.id)),
                ("name".into(), name.map_or_else(items::none, items::text)),
                ("parent".into(), card.parent.map_or_else(items::none, items::text)),
                ("kind".into(), items::text(card.kind)),
                ("state".into(), items::text(&card.state)),
                ("since".into(), Item::Value(Value::Int(card.since.0 as i64))),
            ])
        };
        Ok(Item::List(cards.iter().map(item).collect()))
    })
}
