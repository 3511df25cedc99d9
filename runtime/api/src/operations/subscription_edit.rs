//! Changing a subscription.

use super::subscribed::{agents, edit, followed, follows, item, needed, own, subscription_id};
use crate::answer::SubscriptionAnswer;
use crate::caller::{Caller, SubscriptionCard};
use crate::operation::{
    Arg, ArgForm, EffectKind, Meta, Operation, Out, Quiet, RequiredRight, Span, Targets, targets,
};
use crate::problem::{Problem, ProblemKind};
use crate::session::items::raise;
use crate::session::{Args, CallFuture, Does, HostApi, Method, On, refused};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use stoa_actors::id::{Position, SpaceId};
use stoa_actors::session::FollowSpec;
use stoa_actors::space::{Edit, Filter};

/// Change a subscription; unspecified fields stay unchanged
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SubscriptionEdit {
    /// The id of the subscription; with --agent, the space that the agent follows
    pub name: String,
    /// A subscription of this agent [default: yours]
    #[serde(default)]
    pub agent: Option<String>,
    /// Only this type: atom.put, atom.updated, atom.deprecated, ...
    #[serde(default)]
    pub types: Vec<String>,
    /// Only atoms whose metadata matches, as with search: status=open, 'priority>=3'
    #[serde(default)]
    pub metadata: Meta,
    /// Only atoms that refer to this atom, or to any atom by this relation
    #[serde(default)]
    pub references: Targets,
    /// Remove the filter: every change counts
    #[serde(default)]
    pub everything: bool,
    /// Move the cursor here, back or forth
    #[serde(default)]
    pub cursor: Option<u64>,
    /// Wait for a pause of this length before delivery; 0s delivers at once
    #[serde(default)]
    pub debounce: Option<Span>,
    /// It expires after this time, counted from now
    #[serde(default)]
    pub expires: Option<Span>,
    /// It never expires
    #[serde(default)]
    pub forever: bool,
}

impl Operation for SubscriptionEdit {
    const NAME: &'static str = "subscription edit";
    const EFFECT: EffectKind = EffectKind::Writes;
    const RIGHT: RequiredRight = RequiredRight::Own;
    const ARGS: &'static [&'static [Arg]] = &[&[
        Arg::at("name", ArgForm::Text),
        Arg::flag("agent", "agent", ArgForm::Text, "AGENT"),
        Arg::flag("type", "types", ArgForm::EachText, "TYPE"),
        Arg::flag("meta", "metadata", ArgForm::Wanted, "KEY=VALUE"),
        Arg::flag("ref", "references", ArgForm::Relations, "RELATION[=ID]"),
        Arg::switch("everything", "everything").conflicts(&["type", "meta", "ref"]),
        Arg::flag("cursor", "cursor", ArgForm::Number, "POSITION").conflicts(&["agent"]),
        Arg::flag("debounce", "debounce", ArgForm::Text, "TIME"),
        Arg::flag("expires", "expires", ArgForm::Text, "TIME").conflicts(&["forever"]),
        Arg::switch("forever", "forever"),
    ]];
    const METHODS: &'static [Method] = &[Method {
        on: On::Space,
        name: "edit_subscription",
        takes: &[
            "id=None",
            "metadata={}",
            "types=[]",
            "cursor=None",
            "references={}",
            "debounce=None",
            "expires=None",
        ],
        does: Does::Writes,
        call: called,
    }];
    const QUIET: Quiet = Quiet::Field("/id");
    type Answer = SubscriptionAnswer;

    async fn perform(self, caller: &Caller, out: &Out<SubscriptionAnswer>) -> Result<(), Problem> {
        let references = targets(caller, self.references).await?;
        let filter = Filter { types: self.types, metadata: self.metadata.0, references };
        let named_filter = filter != Filter::default();
        if (self.everything && named_filter) || (self.forever && self.expires.is_some()) {
            let text =
                "a filter and --everything exclude each other, and so do --expires and --forever";
            return Err(Problem::new(ProblemKind::Invalid, text).hint("--help"));
        }
        let until = self.expires.map(|it| caller.after(it.0)).transpose()?;
        let mut edit = Edit {
            filter: (self.everything || named_filter).then_some(filter),
            cursor: self.cursor.map(Position),
            debounce_ms: self.debounce.map(|it| it.0),
            until: until.map(Some).or(self.forever.then_some(None)),
        };
        if edit == Edit::default() {
            let problem = Problem::new(ProblemKind::Invalid, "nothing to change is given");
            return Err(problem.hint("--debounce 30s"));
        }
        let Some(agent) = self.agent else {
            let id = caller.subscription_id(&self.name).await?;
            if !self.everything
                && let Some(filter) = edit.filter.take()
            {
                edit.filter = Some(filter.or(caller.subscription(id).await?.filter));
            }
            let card = caller.edit_subscription(id, edit).await?;
            return out.tell(SubscriptionAnswer::of(caller, card)).await;
        };
        if edit.cursor.is_some() {
            let text = "the cursor of an agent follows its turns and cannot be set";
            return Err(Problem::new(ProblemKind::Invalid, text).hint("stoa agent show AGENT"));
        }
        let (agent, space) = agents(caller, &agent, &self.name)?;
        let SubscriptionCard { filter, cursor, terms, .. } = followed(&agent, space).await?;
        let terms = edit.terms(&terms);
        let filter = match edit.filter {
            Some(new) if !self.everything => new.or(filter),
            new => new.unwrap_or(filter),
        };
        follows(&agent, space, FollowSpec { filter, cursor, terms }).await?;
        let card = followed(&agent, space).await?;
        out.tell(SubscriptionAnswer::of(caller, card)).await
    }
}

fn called(api: &mut HostApi, space: SpaceId, mut args: Args) -> CallFuture<'_> {
    Box::pin(async move {
        let id = subscription_id(&mut args)?;
        let edit = edit(api, &mut args).await?;
        let Some(notes) = &api.notes else {
            let card = api.caller.edit_subscription(needed(id)?, edit).await.map_err(refused)?;
            return Ok(item(&card));
        };
        let address = notes.address.clone();
        if edit.cursor.is_some() {
            return Err(raise(
                "ValueError",
                "the cursor of an agent follows its turns and cannot be set",
            ));
        }
        let SubscriptionCard { filter, cursor, terms, .. } = own(api, space).await?;
        let terms = edit.terms(&terms);
        let follow = FollowSpec { filter: edit.filter.unwrap_or(filter), cursor, terms };
        api.caller.follow_as_agent(&address, space, follow).await.map_err(refused)?;
        Ok(item(&own(api, space).await?))
    })
}
