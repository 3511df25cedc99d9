//! Following what happens.

use super::tail::changes_begin;
use crate::agents::Sighting;
use crate::answer::SeenAtom;
use crate::caller::{Caller, HistoryQuery, Of};
use crate::operation::{
    Arg, ArgForm, EffectKind, JsonLines, Meta, Operation, Out, Quiet, RequiredRight,
};
use crate::problem::{Problem, ProblemKind};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use stoa_actors::id::Position;
use stoa_actors::space::Filter;

/// Follow the changes of a space, or of everything: one line per change
///
/// Without a space you see all that you may see: the changes of spaces you can read, and what your
/// agents think, do and see. Changes of permissions (right.granted, right.revoked, right.ended,
/// right.expired, right.refused) are included for those who may grant in the space and for those
/// whom they concern. It runs until it is interrupted.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Watch {
    /// The space's name or id [default: everything]
    #[serde(default)]
    pub space: Option<String>,
    /// Begin after this cursor; nothing after it is left out [default: now]
    #[serde(default)]
    pub cursor: Option<u64>,
    /// Begin with the last N changes of the space
    #[serde(default)]
    pub tail: Option<usize>,
    /// Exit when there is nothing new, instead of waiting
    #[serde(default)]
    pub no_follow: bool,
    /// Only this type: atom.put, atom.updated, atom.deprecated, right.granted, ... [default: all]
    #[serde(default)]
    pub types: Vec<String>,
    /// Only atoms whose metadata matches, as with search: status=failed, 'priority>=3'
    #[serde(default)]
    pub metadata: Meta,
}

impl Operation for Watch {
    const NAME: &'static str = "watch";
    const EFFECT: EffectKind = EffectKind::Reads;
    const RIGHT: RequiredRight = RequiredRight::Any;
    const ARGS: &'static [&'static [Arg]] = &[&[
        Arg::at("space", ArgForm::Text),
        Arg::flag("cursor", "cursor", ArgForm::Number, "POSITION"),
        Arg::flag("tail", "tail", ArgForm::Number, "N").requires("space").conflicts(&["cursor"]),
        Arg::switch("no-follow", "no_follow"),
        Arg::flag("type", "types", ArgForm::EachText, "TYPE").requires("space"),
        Arg::flag("meta", "metadata", ArgForm::Wanted, "KEY=VALUE").requires("space"),
        Arg::flag("code", "code", ArgForm::Local, "").about("Show code and long texts in full"),
    ]];
    const LINES: JsonLines = JsonLines::Piped;
    const NONE: &'static str = "nothing new";
    const QUIET: Quiet = Quiet::Id("/refs/atom_id");
    type Answer = SeenAtom;

    async fn perform(self, caller: &Caller, out: &Out<SeenAtom>) -> Result<(), Problem> {
        let after = self.cursor.map(Position);
        let filter = Filter { types: self.types, metadata: self.metadata.0, ..Filter::default() };
        match self.space {
            Some(space) => {
                let after = match self.tail {
                    Some(tail) => Some(last(caller, &space, tail).await?),
                    None => after,
                };
                one(caller, &space, after, filter, !self.no_follow, out).await
            }
            None if filter != Filter::default() => {
                let text = "a filter needs a space";
                Err(Problem::new(ProblemKind::Invalid, text).hint("stoa watch SPACE"))
            }
            None => everything(caller, after, !self.no_follow, out).await,
        }
    }
}

/// Where the last so many changes of a space begin.
async fn last(caller: &Caller, space: &str, tail: usize) -> Result<Position, Problem> {
    let id = caller.resolve(space)?;
    match tail {
        0 => Ok(caller.show_space(id).await?.head),
        tail => changes_begin(caller, Of::Space(id), &HistoryQuery::default(), tail).await,
    }
}

async fn one(
    caller: &Caller,
    space: &str,
    after: Option<Position>,
    filter: Filter,
    follow: bool,
    out: &Out<SeenAtom>,
) -> Result<(), Problem> {
    let id = caller.resolve(space)?;
    let after = match after {
        Some(after) => after,
        None => caller.runtime().durable(),
    };
    let wanted = filter.metadata.clone();
    let mut reader = caller.watch(id, after, filter)?;
    out.mismatches(caller, id, &wanted).await?;
    let most = caller.runtime().config().watch_changes_max;
    loop {
        let changes = if follow { reader.next(most).await? } else { reader.ready(most).await? };
        if changes.is_empty() {
            return Ok(());
        }
        out.all(changes.iter().map(|it| SeenAtom::change(caller, it))).await?;
    }
}

async fn everything(
    caller: &Caller,
    after: Option<Position>,
    follow: bool,
    out: &Out<SeenAtom>,
) -> Result<(), Problem> {
    let runtime = &caller.runtime();
    let mut cursor = after.unwrap_or_else(|| runtime.durable());
    loop {
        let upto = runtime.durable();
        while cursor < upto {
            let (seen, looked) = caller.seen_after(cursor, upto).await?;
            cursor = looked;
            let seen = seen.into_iter().map(|it| match it {
                Sighting::Change(it) => SeenAtom::change(caller, &it),
                Sighting::AgentEvent(it) => SeenAtom::happened(caller, it),
            });
            out.all(seen).await?;
        }
        if !follow {
            return Ok(());
        }
        runtime.gone_on(cursor).await;
    }
}
