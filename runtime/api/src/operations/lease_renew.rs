//! Letting a lease last longer.

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
use stoa_actors::space::Fence;

/// Extend your lease, counted from now; refused after it has expired
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LeaseRenew {
    /// The space's name or id
    pub space: String,
    /// An atom's id, or a name
    pub resource: String,
    /// The token that acquire or claim printed
    pub token: u64,
    /// How long it lasts from now: 90s, 10m, 2h, 7d; at most 30d
    #[serde(default = "ten_minutes")]
    pub lease: Span,
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

impl Operation for LeaseRenew {
    const NAME: &'static str = "lease renew";
    const EFFECT: EffectKind = EffectKind::Writes;
    const RIGHT: RequiredRight = RequiredRight::On(Level::Write);
    const ARGS: &'static [&'static [Arg]] = &[
        &[
            Arg::at("space", ArgForm::Text),
            Arg::at("resource", ArgForm::Text),
            Arg::flag("token", "token", ArgForm::Number, "N"),
            Arg::flag("lease", "lease", ArgForm::Text, "TIME"),
        ],
        WHY,
    ];
    const METHODS: &'static [Method] = &[Method {
        on: On::Space,
        name: "renew",
        takes: &["resource", "lease='10m'", "token=None", "comment=None", "key=None"],
        does: Does::Writes,
        call: called,
    }];
    const QUIET: Quiet = Quiet::Field("/token");
    type Answer = LeaseAnswer;

    async fn perform(self, caller: &Caller, out: &Out<LeaseAnswer>) -> Result<(), Problem> {
        let space = caller.resolve(&self.space)?;
        let resource = caller.resource(space, &self.resource).await?;
        let why = why(self.comment, self.key, || format!("renew {resource}"))?;
        let fence = Fence { resource, token: self.token };
        let lease = caller.renew(space, fence, self.lease.0, why).await?;
        out.tell(LeaseAnswer::of(caller, &lease)).await
    }
}

fn called(api: &mut HostApi, space: SpaceId, mut args: Args) -> CallFuture<'_> {
    Box::pin(async move {
        let resource = resource(&api.caller, space, args.take("resource")).await?;
        let ttl_ms = args.span("lease", LEASE_DEFAULT)?;
        let token = api.token(&resource, args.number("token")?)?;
        let why = api.why(&mut args, "renew")?;
        let why = api.tried(why);
        let fence = Fence { resource, token };
        let got = api.caller.renew(space, fence, ttl_ms, why).await.map_err(refused)?;
        Ok(lease_item(&got))
    })
}
