//! Giving somebody a right.

use crate::answer::plain_answer;
use crate::caller::{Caller, GrantRequest as Given};
use crate::operation::{
    Arg, ArgForm, EffectKind, LevelName, Operation, Out, Quiet, RequiredRight, Span,
};
use crate::problem::Problem;
use crate::session::items;
use crate::session::{Args, CallFuture, Does, HostApi, Method, On, level, refused, wants_level};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use stoa_actors::ending::shown;
use stoa_actors::rights::Level;

/// Give a session (identity) a permission on a space
///
/// You need the level grant on the space. Levels: read; append (add atoms); write (change atoms);
/// grant (give permissions). Each includes those before it.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Grant {
    /// The space's name or id
    pub space: String,
    /// Who gets the permission: the name or id of a session; an unused name makes a new session
    pub session: String,
    /// read, append, write or grant
    pub level: LevelName,
    /// The highest level that it may itself delegate [default: none]
    #[serde(default)]
    pub delegate: Option<LevelName>,
    /// The permission expires after this time: 90s, 10m, 2h, 7d [default: never]
    #[serde(default)]
    pub expires: Option<Span>,
    /// The reason; it is kept in the log
    #[serde(default)]
    pub reason: String,
}

plain_answer! {
    /// A right that was given.
    Granted {
        /// The session that holds the right.
        session: String,
        /// What the caller calls it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
        /// Whether the session was made for it.
        born: bool,
    } |it| {
        let id = shown(&it.session);
        let who = it.name.as_ref().map_or(id.to_owned(), |name| format!("{name}, {id}"));
        match it.born {
            true => format!("granted to a new session of yours: {who}"),
            false => format!("granted to {who}"),
        }
    }
}

impl Operation for Grant {
    const NAME: &'static str = "grant";
    const EFFECT: EffectKind = EffectKind::Writes;
    const RIGHT: RequiredRight = RequiredRight::On(Level::Grant);
    const ARGS: &'static [&'static [Arg]] = &[&[
        Arg::at("space", ArgForm::Text),
        Arg::at("session", ArgForm::Text),
        Arg::at("level", ArgForm::Text),
        Arg::flag("delegate", "delegate", ArgForm::Text, "LEVEL"),
        Arg::flag("expires", "expires", ArgForm::Text, "TIME"),
        Arg::flag("reason", "reason", ArgForm::Text, "REASON"),
    ]];
    const METHODS: &'static [Method] = &[Method {
        on: On::Coordinator,
        name: "grant",
        takes: &["agent", "space", "level", "reason=''"],
        does: Does::Writes,
        call: |api, _, args| called(api, args),
    }];
    const QUIET: Quiet = Quiet::Field("/session");
    type Answer = Granted;

    async fn perform(self, caller: &Caller, out: &Out<Granted>) -> Result<(), Problem> {
        let given = Given {
            level: self.level.0,
            delegate: self.delegate.map(|it| it.0),
            expires_ms: self.expires.map(|it| it.0),
            reason: self.reason,
        };
        let granted = caller.grant(&self.space, &self.session, given).await?;
        let (session, born) = (granted.session, granted.born);
        let name = caller.name_of(session);
        out.tell(Granted { session: session.to_string(), name, born }).await
    }
}

fn called(api: &mut HostApi, mut args: Args) -> CallFuture<'_> {
    Box::pin(async move {
        let to = args.text("agent")?.unwrap_or_default();
        let space = args.text("space")?.unwrap_or_default();
        let level = level(args.text("level")?)?.ok_or_else(|| wants_level("level="))?;
        let reason = args.text("reason")?.unwrap_or_default();
        let given = Given { level, delegate: None, expires_ms: None, reason };
        let cause = api.cause;
        api.caller.grant_to_agent(&space, &to, given, cause).await.map_err(refused)?;
        Ok(items::none())
    })
}
