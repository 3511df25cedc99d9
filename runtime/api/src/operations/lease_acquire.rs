//! Getting a lease.

use super::{lease_item, resource};
use crate::answer::LeaseAnswer;
use crate::caller::Caller;
use crate::operation::{
    Arg, ArgForm, EffectKind, Operation, Out, Quiet, RequiredRight, Span, WHY, why,
};
use crate::problem::Problem;
use crate::session::{Args, CallFuture, Does, HostApi, LEASE_DEFAULT, Method, On, refused};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use stoa_actors::id::SpaceId;
use stoa_actors::rights::Level;

/// Acquire a lease (a lock that expires); refused while somebody holds it
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LeaseAcquire {
    /// The space's name or id
    pub space: String,
    /// An atom's id, or a name: deploy/production
    pub resource: String,
    /// How long it lasts: 90s, 10m, 2h, 7d; at most 30d
    #[serde(default = "ten_minutes")]
    pub lease: Span,
    /// What you will do with it; others can see this
    #[serde(default)]
    pub intent: String,
    /// Why the change is made; shown in the history and to followers of the space
    #[serde(default)]
    pub comment: Option<String>,
    /// Idempotency key: a repeated command with the same key takes effect once
    #[serde(default)]
    pub key: Option<String>,
}

fn ten_minutes() -> Span {
    Span(LEASE_DEFAULT)
}

impl Operation for LeaseAcquire {
    const NAME: &'static str = "lease acquire";
    const EFFECT: EffectKind = EffectKind::Writes;
    const RIGHT: RequiredRight = RequiredRight::On(Level::Write);
    const ARGS: &'static [&'static [Arg]] = &[
        &[
            Arg::at("space", ArgForm::Text),
            Arg::at("resource", ArgForm::Text),
            Arg::flag("lease", "lease", ArgForm::Text, "TIME"),
            Arg::flag("intent", "intent", ArgForm::Text, "TEXT"),
        ],
        WHY,
    ];
    const METHODS: &'static [Method] = &[Method {
        on: On::Space,
        name: "acquire",
        takes: &["resource", "lease='10m'", "intent=''", "comment=None", "key=None"],
        does: Does::Writes,
        call: called,
    }];
    const QUIET: Quiet = Quiet::Field("/token");
    type Answer = LeaseAnswer;

    async fn perform(self, caller: &Caller, out: &Out<LeaseAnswer>) -> Result<(), Problem> {
        let space = caller.resolve(&self.space)?;
        let resource = caller.resource(space, &self.resource).await?;
        let why = why(self.comment, self.key, || format!("acquire {resource}"))?;
        let lease = caller.acquire(space, resource, self.lease.0, self.intent, why).await?;
        out.tell(LeaseAnswer::of(caller, &lease)).await
    }
}

fn called(api: &mut HostApi, space: SpaceId, mut args: Args) -> CallFuture<'_> {
    Box::pin(async move {
        let resource = resource(&api.caller, space, args.take("resource")).await?;
        let ttl_ms = args.span("lease", LEASE_DEFAULT)?;
        let intent = args.text("intent")?.unwrap_or_default();
        let why = api.why(&mut args, "acquire")?;
        let why = api.tried(why);
        let got = api.caller.acquire(space, resource, ttl_ms, intent, why).await;
        let item = lease_item(&got.map_err(refused)?);
        api.recall(&item);
        Ok(item)
    })
}
