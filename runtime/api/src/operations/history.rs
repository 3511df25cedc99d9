//! Looking back.

use super::tail::changes_begin;
use crate::answer::ChangeAnswer;
use crate::caller::{Caller, HistoryQuery, Of};
use crate::operation::{
    Arg, ArgForm, EffectKind, JsonLines, Operation, Out, Quiet, RequiredRight, When,
};
use crate::problem::{Problem, ProblemKind};
use crate::session::items::{self, raise};
use crate::session::{Args, CallFuture, Does, HostApi, Method, On, moment, refused};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use stoa_actors::code::Item;
use stoa_actors::id::{Position, SessionId, SpaceId};

/// Show the changes of a space, of an atom, or of everything you can read
///
/// A page ends with the position to continue from. Permissions that were granted, revoked and
/// refused are included for those who may grant in the space and for those whom they concern, with
/// the reason.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct History {
    /// An atom's id, or a space's name or id [default: every space that you can read]
    pub of: Option<String>,
    /// Only changes after this position in the log
    pub after: u64,
    /// Only changes before this position in the log
    pub before: Option<u64>,
    /// Only changes up to then: a position in the log, a time like 2026-01-31T12:00:00Z, or '10m ago'
    pub as_of: Option<When>,
    /// Maximum number of changes; those of one transaction stay together
    pub limit: usize,
    /// Only the last N changes, oldest first [default on a terminal: 100]
    pub tail: Option<usize>,
    /// The newest first
    pub newest: bool,
    /// Only changes by this session: its name or id
    pub by: Option<String>,
    /// Only changes whose comment contains this; upper and lower case are equal
    pub comment: Option<String>,
}

impl Default for History {
    fn default() -> Self {
        let (of, before, as_of, by, comment, tail) = (None, None, None, None, None, None);
        History { of, after: 0, before, as_of, limit: 100, tail, newest: false, by, comment }
    }
}

impl Operation for History {
    const NAME: &'static str = "history";
    const EFFECT: EffectKind = EffectKind::Reads;
    const RIGHT: RequiredRight = RequiredRight::Any;
    const ARGS: &'static [&'static [Arg]] = &[&[
        Arg::at("of", ArgForm::Text),
        Arg::flag("after", "after", ArgForm::Number, "POSITION"),
        Arg::flag("before", "before", ArgForm::Number, "POSITION"),
        Arg::flag("as-of", "as_of", ArgForm::Text, "MOMENT"),
        Arg::flag("limit", "limit", ArgForm::Number, "N"),
        Arg::flag("tail", "tail", ArgForm::Number, "N").conflicts(&["newest", "limit"]),
        Arg::switch("newest", "newest"),
        Arg::flag("by", "by", ArgForm::Text, "SESSION"),
        Arg::flag("comment", "comment", ArgForm::Text, "TEXT"),
    ]];
    const METHODS: &'static [Method] = &[Method {
        on: On::Space,
        name: "history",
        takes: &[
            "id=None",
            "after=0",
            "limit=100",
            "before=None",
            "as_of=None",
            "newest=False",
            "comment=None",
            "by=None",
        ],
        does: Does::Looks,
        call: called,
    }];
    const LINES: JsonLines = JsonLines::Piped;
    const NONE: &'static str = "nothing has happened there";
    const QUIET: Quiet = Quiet::Id("/refs/atom_id");
    type Answer = ChangeAnswer;

    async fn perform(self, caller: &Caller, out: &Out<ChangeAnswer>) -> Result<(), Problem> {
        let mut query = HistoryQuery {
            after: Position(self.after),
            before: self.before.map(Position),
            as_of: self.as_of.as_ref().map(When::moment).transpose()?,
            limit: self.limit,
            newest: self.newest,
            by: self.by.map(|it| session(caller, &it)).transpose()?,
            comment: self.comment,
        };
        let of = match &self.of {
            None => Of::Everything,
            Some(of) => named(caller, of).await?,
        };
        if let Some(tail) = self.tail {
            if self.newest {
                let text = "--tail and --newest exclude each other";
                return Err(Problem::new(ProblemKind::Invalid, text).hint("stoa history --tail 20"));
            }
            query.after = changes_begin(caller, of, &query, tail).await?;
            query.limit = if tail == 0 { 0 } else { usize::MAX };
        }
        // In pieces: what is held in memory at once does not grow with what is asked for.
        let most = caller.runtime().config().history_changes_max;
        let (mut left, mut last, mut first) = (query.limit, None, None);
        while left > 0 {
            let piece = HistoryQuery { limit: left.min(most), ..query.clone() };
            let changes = caller.history(of, piece).await?;
            first = first.or(changes.first().map(|it| it.position));
            let Some(at) = changes.last().map(|it| it.position) else { break };
            last = Some(at);
            match query.newest {
                true => query.before = Some(at),
                false => query.after = at,
            }
            left = left.saturating_sub(changes.len());
            out.all(changes.iter().map(|it| ChangeAnswer::of(caller, it))).await?;
        }
        match last {
            Some(_) if self.tail.is_some() => {
                let older =
                    HistoryQuery { before: first, after: Position(self.after), limit: 1, ..query };
                match (first, caller.history(of, older).await?.is_empty()) {
                    (Some(first), false) => {
                        out.aside(format!("there is more before that: add --before {first}")).await
                    }
                    _ => Ok(()),
                }
            }
            Some(_) if left > 0 => Ok(()),
            Some(last) => {
                let on = if query.newest { "--before" } else { "--after" };
                out.aside(format!("there may be more: add {on} {last}")).await
            }
            None => Ok(()),
        }
    }
}

/// Both kinds of id look alike, and an atom's may be chosen: a space that the caller can read goes
/// first. What is neither is told as an atom.
async fn named(caller: &Caller, of: &str) -> Result<Of, Problem> {
    match (caller.resolve(of), caller.atom_id(of).await) {
        (Ok(space), _) => Ok(Of::Space(space)),
        (Err(_), Err(problem)) if problem.kind == ProblemKind::Conflict => Err(problem),
        (Err(problem), Err(_)) => Err(problem),
        (Err(_), Ok(id)) => caller.get(id).await.map(|_| Of::Atom(id)),
    }
}

fn session(caller: &Caller, name: &str) -> Result<SessionId, Problem> {
    match (caller.session_named(name), name.parse()) {
        (Ok(session), _) | (Err(_), Ok(session)) => Ok(session),
        (Err(problem), Err(_)) => match caller.session_shown_as(name) {
            Some(session) => Ok(session),
            None => caller.session_ever(name)?.ok_or(problem),
        },
    }
}

fn called(api: &mut HostApi, space: SpaceId, mut args: Args) -> CallFuture<'_> {
    Box::pin(async move {
        let id = args.said("id");
        let after = Position(args.number("after")?.unwrap_or(0));
        let most = api.caller.runtime().config().history_changes_max;
        let limit = (args.number("limit")?.unwrap_or(100) as usize).min(most);
        let before = args.number("before")?.map(Position);
        let as_of = moment(&mut args)?;
        let (newest, comment) = (args.truth("newest")?, args.text("comment")?);
        let by = args.text("by")?;
        let by = by.map(|it| it.parse().map_err(|error| raise("ValueError", error))).transpose()?;
        let query = HistoryQuery { after, before, as_of, limit, newest, by, comment };
        let of = match id {
            Some(id) => Of::Atom(api.named_id(&id, &Default::default()).await?),
            None => Of::Space(space),
        };
        let changes = api.caller.history(of, query).await.map_err(refused)?;
        Ok(Item::List(changes.iter().map(items::change).collect()))
    })
}
