//! Keeping a cursor in a space.

use super::subscribed::{agents, edit, followed, follows};
use crate::answer::SubscriptionAnswer;
use crate::caller::Caller;
use crate::operation::{
    Arg, ArgForm, EffectKind, Meta, Operation, Out, Quiet, RequiredRight, Span, Targets, targets,
};
use crate::problem::Problem;
use crate::session::items;
use crate::session::{Args, CallFuture, Does, HostApi, Method, On, refused};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use stoa_actors::id::{Position, SpaceId};
use stoa_actors::rights::Level;
use stoa_actors::session::FollowSpec;
use stoa_actors::space::{Filter, Terms};

/// Add a subscription: a stored cursor in a space, with a filter
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SubscriptionAdd {
    /// The space's name or id
    pub space: String,
    /// For this agent; matching changes wake it [default: for you]
    #[serde(default)]
    pub agent: Option<String>,
    /// Only this type: atom.put, atom.updated, atom.deprecated, ... [default: all]
    #[serde(default)]
    pub types: Vec<String>,
    /// Only atoms whose metadata matches, as with search: status=open, 'priority>=3'
    #[serde(default)]
    pub metadata: Meta,
    /// Only atoms that refer to this atom, or to any atom by this relation
    #[serde(default)]
    pub references: Targets,
    /// Begin after this cursor [default: now]
    #[serde(default)]
    pub cursor: Option<u64>,
    /// Wait for a pause of this length before delivery, at most ten times as long: 30s [default:
    /// deliver at once]
    #[serde(default)]
    pub debounce: Option<Span>,
    /// The subscription expires after this time: 90s, 10m, 2h, 7d [default: never]
    #[serde(default)]
    pub expires: Option<Span>,
}

impl Operation for SubscriptionAdd {
    const NAME: &'static str = "subscription add";
    const EFFECT: EffectKind = EffectKind::Writes;
    const RIGHT: RequiredRight = RequiredRight::On(Level::Read);
    const ARGS: &'static [&'static [Arg]] = &[&[
        Arg::at("space", ArgForm::Text),
        Arg::flag("agent", "agent", ArgForm::Text, "AGENT"),
        Arg::flag("type", "types", ArgForm::EachText, "TYPE"),
        Arg::flag("meta", "metadata", ArgForm::Wanted, "KEY=VALUE"),
        Arg::flag("ref", "references", ArgForm::Relations, "RELATION[=ID]"),
        Arg::flag("cursor", "cursor", ArgForm::Number, "POSITION"),
        Arg::flag("debounce", "debounce", ArgForm::Text, "TIME"),
        Arg::flag("expires", "expires", ArgForm::Text, "TIME"),
    ]];
    const METHODS: &'static [Method] = &[Method {
        on: On::Space,
        name: "subscribe",
        takes: &[
            "metadata={}",
            "types=[]",
            "cursor=None",
            "references={}",
            "debounce='0s'",
            "expires=None",
        ],
        does: Does::Writes,
        call: called,
    }];
    const QUIET: Quiet = Quiet::Field("/id");
    type Answer = SubscriptionAnswer;

    async fn perform(self, caller: &Caller, out: &Out<SubscriptionAnswer>) -> Result<(), Problem> {
        let until = self.expires.map(|it| caller.after(it.0)).transpose()?;
        let terms = Terms { debounce_ms: self.debounce.map_or(0, |it| it.0), until };
        let references = targets(caller, self.references).await?;
        let filter = Filter { types: self.types, metadata: self.metadata.0, references };
        let cursor = self.cursor.map(Position);
        let card = match self.agent {
            None => {
                let space = caller.resolve(&self.space)?;
                let wanted = filter.metadata.clone();
                let id = caller.subscribe(space, filter, cursor, terms).await?;
                out.mismatches(caller, space, &wanted).await?;
                caller.subscription(id).await?
            }
            Some(agent) => {
                let (agent, space) = agents(caller, &agent, &self.space)?;
                let head = caller.runtime().store().head_of_stream(space.stream())?;
                let follow = FollowSpec { filter, cursor: cursor.unwrap_or(head), terms };
                follows(&agent, space, follow).await?;
                followed(&agent, space).await?
            }
        };
        out.tell(SubscriptionAnswer::of(caller, card)).await
    }
}

fn called(api: &mut HostApi, space: SpaceId, mut args: Args) -> CallFuture<'_> {
    Box::pin(async move {
        let edit = edit(api, &mut args).await?;
        let terms = edit.terms(&Default::default());
        let (filter, cursor) = (edit.filter.unwrap_or_default(), edit.cursor);
        let Some(notes) = &api.notes else {
            let id = api.caller.subscribe(space, filter, cursor, terms).await.map_err(refused)?;
            return Ok(items::text(id));
        };
        let head = api.caller.runtime().store().head_of_stream(space.stream());
        let head = head.map_err(|error| refused(error.into()))?;
        let follow = FollowSpec { filter, cursor: cursor.unwrap_or(head), terms };
        let address = notes.address.clone();
        api.caller.follow_as_agent(&address, space, follow).await.map_err(refused)?;
        Ok(items::text(space))
    })
}
