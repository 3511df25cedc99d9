//! Giving a lease back.

use super::resource;
use crate::answer::plain_answer;
use crate::caller::Caller;
use crate::operation::{Arg, ArgForm, EffectKind, Operation, Out, Quiet, RequiredRight, WHY, why};
use crate::problem::{Problem, ProblemKind};
use crate::session::items;
use crate::session::{Args, CallFuture, Does, HostApi, Method, On, refused};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use stoa_actors::id::SpaceId;
use stoa_actors::rights::Level;

/// Release a lease with its token, or break the lease of somebody else
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LeaseRelease {
    /// The space's name or id
    pub space: String,
    /// An atom's id, or a name
    pub resource: String,
    /// The token that acquire or claim printed
    #[serde(default)]
    pub token: Option<u64>,
    /// Take it away from its holder; needs the level grant
    #[serde(default, rename = "break")]
    pub break_it: bool,
    /// Put back the values that the claim has set, unless they have been changed
    #[serde(default)]
    pub undo: bool,
    /// Why the change is made; shown in the history and to followers of the space
    #[serde(default)]
    pub comment: Option<String>,
    /// Idempotency key: a repeated command with the same key takes effect once
    #[serde(default)]
    pub key: Option<String>,
}

plain_answer! {
    /// A lease that is over.
    Released {
        /// Always true: the lease is released.
        released: bool,
    } |_| "released".to_owned()
}

impl Operation for LeaseRelease {
    const NAME: &'static str = "lease release";
    const EFFECT: EffectKind = EffectKind::Writes;
    const RIGHT: RequiredRight = RequiredRight::On(Level::Write);
    const ARGS: &'static [&'static [Arg]] = &[
        &[
            Arg::at("space", ArgForm::Text),
            Arg::at("resource", ArgForm::Text),
            Arg::flag("token", "token", ArgForm::Number, "N").unless("break"),
            Arg::switch("break", "break").conflicts(&["token"]),
            Arg::switch("undo", "undo"),
        ],
        WHY,
    ];
    const METHODS: &'static [Method] = &[Method {
        on: On::Space,
        name: "release",
        takes: &["resource", "undo=False", "token=None", "comment=None", "key=None"],
        does: Does::Writes,
        call: called,
    }];
    const QUIET: Quiet = Quiet::Nothing;
    type Answer = Released;

    async fn perform(self, caller: &Caller, out: &Out<Released>) -> Result<(), Problem> {
        let space = caller.resolve(&self.space)?;
        let resource = caller.resource(space, &self.resource).await?;
        if self.token.is_some() == self.break_it {
            let text = "give the --token of the lease, or --break it";
            let hint = format!("stoa lease list {}", crate::problem::quoted(&self.space));
            return Err(Problem::new(ProblemKind::Invalid, text).hint(hint));
        }
        let why = why(self.comment, self.key, || format!("release {resource}"))?;
        caller.release(space, resource, self.token, self.undo, why).await?;
        out.tell(Released { released: true }).await
    }
}

fn called(api: &mut HostApi, space: SpaceId, mut args: Args) -> CallFuture<'_> {
    Box::pin(async move {
        let resource = resource(&api.caller, space, args.take("resource")).await?;
        let undo = args.truth("undo")?;
        let token = api.token(&resource, args.number("token")?)?;
        let why = api.why(&mut args, "release")?;
        let why = api.tried(why);
        let released = api.caller.release(space, resource.clone(), Some(token), undo, why).await;
        released.map_err(refused)?;
        api.forget_lease(&resource);
        Ok(items::none())
    })
}
