//! What a task waits for.

use crate::caller::{Caller, WaitReport as Found};
use crate::operation::{
    Answer, Arg, ArgForm, Conditions, EffectKind, Line, Operation, Out, Page, RequiredRight, Tone,
};
use crate::problem::Problem;
use crate::session::items;
use crate::session::{Args, CallFuture, Does, HostApi, Method, On, refused};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use stoa_actors::code::Item;
use stoa_actors::ending::{short_ids, shown};
use stoa_actors::printable::one_line;
use stoa_actors::rights::Level;
use stoa_actors::value::Value;

/// Show what an atom waits for, and which of that is gone
///
/// Each line is an atom that it refers to and that does not match --ref. Without --ref it shows the
/// targets that are gone, of all relations that the space declares.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Waits {
    /// The atom's id; several may be given
    pub id: String,
    /// What its references must match, as with search: blocked_by:status=done
    #[serde(default)]
    pub references: Conditions,
}

/// One atom that another waits for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BlockerAnswer {
    /// By which relation.
    pub relation: String,
    /// Which atom; null where it is one that the caller cannot see, or where none is there.
    pub target: Option<String>,
    /// Why it is waited for, in words.
    pub why: String,
    /// It is gone, and will never fit.
    pub gone: bool,
}

/// What an atom waits for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WaitsAnswer {
    /// The id of the atom.
    pub id: String,
    /// It waits for nothing.
    pub ready: bool,
    /// It waits for what is gone, and so for ever.
    pub stuck: bool,
    /// Only what is gone was looked for: no condition was given.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub only_gone: bool,
    /// What it waits for.
    pub blockers: Vec<BlockerAnswer>,
}

impl From<Found> for WaitsAnswer {
    fn from(found: Found) -> Self {
        let blockers = found.blockers.iter().map(|it| BlockerAnswer {
            relation: it.relation.clone(),
            target: it.target.map(|id| id.to_string()),
            why: it.to_string(),
            gone: it.why.is_gone(),
        });
        WaitsAnswer {
            id: found.read.atom.id.to_string(),
            ready: found.blockers.is_empty(),
            stuck: found.is_stuck(),
            only_gone: found.only_gone,
            blockers: blockers.collect(),
        }
    }
}

impl Answer for WaitsAnswer {
    fn show(&self, to: &mut Page) {
        let line = Line::new().bold(shown(&self.id));
        to.line(match (self.ready, self.stuck) {
            (true, _) if self.only_gone => line.plain("  refers to nothing that is gone"),
            (true, _) => line.piece(Tone::Good, "  waits for nothing"),
            (_, true) => line.piece(Tone::Bad, "  waits for something that is gone"),
            (_, false) => line.piece(Tone::Warn, "  waits"),
        });
        for it in &self.blockers {
            let tone = if it.gone { Tone::Bad } else { Tone::Plain };
            let target = it.target.as_deref().map_or("-", shown);
            let line = Line::new().dim(format!("{} -> {target}  ", one_line(&it.relation)));
            to.line(line.piece(tone, short_ids(&it.why)));
        }
        if self.only_gone {
            let more = "what must hold of the others is asked with --ref RELATION:KEY=VALUE";
            to.aside(Line::new().plain(format!("note: {more}")));
        }
    }
}

impl Operation for Waits {
    const NAME: &'static str = "waits";
    const EFFECT: EffectKind = EffectKind::Reads;
    const RIGHT: RequiredRight = RequiredRight::On(Level::Read);
    const ARGS: &'static [&'static [Arg]] = &[&[
        Arg::at("id", ArgForm::Ids),
        Arg::flag("ref", "references", ArgForm::Conditions, "RELATION:KEY=VALUE"),
    ]];
    const METHODS: &'static [Method] = &[Method {
        on: On::Space,
        name: "waits",
        takes: &["id", "references={}"],
        does: Does::Looks,
        call: |api, _, args| called(api, args),
    }];
    type Answer = WaitsAnswer;

    async fn perform(self, caller: &Caller, out: &Out<WaitsAnswer>) -> Result<(), Problem> {
        let id = caller.atom_id(&self.id).await?;
        out.tell(caller.waits(id, self.references.0).await?.into()).await
    }
}

fn called(api: &mut HostApi, mut args: Args) -> CallFuture<'_> {
    Box::pin(async move {
        let id = api.id(&mut args).await?;
        let references = args.take("references").map(items::conditions).transpose()?;
        let found = api.caller.waits(id, references.unwrap_or_default()).await;
        let WaitsAnswer { blockers, .. } = found.map_err(refused)?.into();
        let blocker = |it: BlockerAnswer| {
            Item::Map(vec![
                ("relation".into(), items::text(it.relation)),
                ("target".into(), it.target.map_or(items::none(), items::text)),
                ("why".into(), items::text(it.why)),
                ("gone".into(), Item::Value(Value::Bool(it.gone))),
            ])
        };
        Ok(Item::List(blockers.into_iter().map(blocker).collect()))
    })
}
