//! Who may do what.

use crate::answer::AccessAnswer;
use crate::caller::{AccessCard, Caller, OWNER};
use crate::operation::{Arg, ArgForm, EffectKind, Operation, Out, Quiet, RequiredRight};
use crate::problem::{Problem, ProblemKind, quoted};
use crate::session::items;
use crate::session::{Args, CallFuture, Does, HostApi, Method, On, refused};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use stoa_actors::code::Item;
use stoa_actors::id::SpaceId;
use stoa_actors::rights::{Level, Subject};

/// Show permissions: who may do what in a space, or what a session (identity) may do
///
/// One line is one permission: who has it, its level, what its holder may delegate, who granted it,
/// since when, until when, and why. A session can have several permissions on one space; the
/// highest counts. You see the permissions in spaces where you may grant, and those that you gave
/// or received. For a summary of your own, use stoa whoami.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Access {
    /// The space's name or id
    #[serde(default)]
    pub space: Option<String>,
    /// Only the permissions of this session: its name or id
    #[serde(default)]
    pub of: Option<String>,
}

impl Operation for Access {
    const NAME: &'static str = "access";
    const EFFECT: EffectKind = EffectKind::Reads;
    const RIGHT: RequiredRight = RequiredRight::Any;
    const ARGS: &'static [&'static [Arg]] = &[&[
        Arg::at("space", ArgForm::Text).unless("of"),
        Arg::flag("of", "of", ArgForm::Text, "SESSION"),
    ]];
    const METHODS: &'static [Method] = &[
        Method {
            on: On::Space,
            name: "access",
            takes: &["of=None"],
            does: Does::Looks,
            call: |api, space, args| called(api, Some(space), args),
        },
        Method {
            on: On::Coordinator,
            name: "access",
            takes: &["of=None"],
            does: Does::Looks,
            call: |api, _, args| called(api, None, args),
        },
    ];
    const QUIET: Quiet = Quiet::Field("/session");
    type Answer = AccessAnswer;

    async fn perform(self, caller: &Caller, out: &Out<AccessAnswer>) -> Result<(), Problem> {
        let space = self.space.as_deref().map(|it| space(caller, it)).transpose()?;
        let all = match (space, &self.of) {
            (_, Some(of)) => caller.session_of_access(of, space).await?.1,
            (Some(_), None) => caller.access(space, None).await?,
            (None, None) => {
                let text = "name a space, or a session with --of";
                return Err(Problem::new(ProblemKind::Invalid, text).hint("stoa access SPACE"));
            }
        };
        out.all(all.into_iter().map(|it| AccessAnswer::of(caller, it))).await
    }
}

/// The space that is meant; who names a session in its place is told how that is asked.
fn space(caller: &Caller, name: &str) -> Result<SpaceId, Problem> {
    caller.resolve(name).map_err(|problem| {
        match caller.session_named(name).is_ok() || name == OWNER {
            true => {
                let text = format!("{name:?} is a session; ask for it with --of");
                Problem::new(ProblemKind::Invalid, text)
                    .hint(format!("stoa access --of {}", quoted(name)))
            }
            false => problem,
        }
    })
}

/// Of the session itself where neither a space nor another one is named.
fn called(api: &mut HostApi, space: Option<SpaceId>, mut args: Args) -> CallFuture<'_> {
    Box::pin(async move {
        let caller = api.caller.clone();
        let all = match args.text("of")? {
            Some(of) => caller.session_of_access(&of, space).await.map_err(refused)?.1,
            None => caller.access(space, None).await.map_err(refused)?,
        };
        Ok(Item::List(all.iter().map(item).collect()))
    })
}

fn item(held: &AccessCard) -> Item {
    let AccessCard { link, since } = held;
    let level = |it: Option<Level>| it.map_or_else(items::none, items::text);
    let number = |it: u64| Item::Value(stoa_actors::value::Value::Int(it as i64));
    let (on, what) = match &link.right.subject {
        Subject::Space(space) => ("space", space.to_string()),
        Subject::Tool(name) => ("tool", name.clone()),
        Subject::Secret(name) => ("secret", name.clone()),
        Subject::Model(name) => ("model", name.clone()),
    };
    Item::Map(vec![
        ("on".into(), items::text(on)),
        (on.into(), items::text(what)),
        ("session".into(), items::text(link.to)),
        ("level".into(), level(link.right.use_)),
        ("delegate".into(), level(link.right.delegate)),
        ("from".into(), link.basis.map_or_else(items::none, |_| items::text(link.from))),
        ("since".into(), number(since.0)),
        ("until".into(), link.expires.map_or_else(items::none, |it| number(it.0))),
        ("reason".into(), items::text(&link.reason)),
    ])
}
