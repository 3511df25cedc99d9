//! Taking a task.

use super::lease_item;
use crate::answer::{AtomAnswer, WokenAnswer};
use crate::caller::{Caller, ClaimAsk};
use crate::operation::{
    Arg, ArgForm, Conditions, EffectKind, Meta, Note, Operation, Out, Quiet, RequiredRight, Span,
    WHY, why,
};
use crate::problem::{Problem, ProblemKind};
use crate::session::items::{self, raise};
use crate::session::{Args, CallFuture, Does, HostApi, LEASE_DEFAULT, Method, On, refused};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use stoa_actors::code::Item;
use stoa_actors::id::SpaceId;
use stoa_actors::rights::Level;
use stoa_actors::search::OrderBy;
use stoa_actors::space::ClaimPredicate;

/// Find, update and lease one atom in one step, like taking a task from a queue
///
/// If many claim at once, each gets a different atom. The lease (a lock that expires) keeps others
/// away. When the lease expires, the values of --set are put back, unless you have changed them,
/// and somebody else can claim the atom. If nothing matches, the exit code is 3.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Claim {
    /// The space's name or id
    pub space: String,
    /// Take the best match for this text [default: the oldest atom]
    #[serde(default)]
    pub query: Option<String>,
    /// Only an atom whose metadata matches: status=open, 'priority>=3'
    #[serde(default)]
    pub metadata: Meta,
    /// Only an atom whose references match, as with search: blocked_by:status=done
    #[serde(default)]
    pub references: Conditions,
    /// Metadata to set: status=doing, typed as with put; null removes the key
    #[serde(default)]
    pub set: Meta,
    /// Sort by this declared key; -KEY puts the highest first; several keys are used in turn;
    /// `created` is the time of creation [default: created]
    #[serde(default)]
    pub order: Vec<String>,
    /// Only an atom that was claimed fewer times than this; each such claim is counted
    #[serde(default)]
    pub attempts_max: Option<u64>,
    /// Metadata to set on an atom whose attempts are used up, so that it no longer matches:
    /// status=failed
    #[serde(default)]
    pub exhausted: Meta,
    /// How long the lease lasts: 90s, 10m, 2h, 7d; at most 30d
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

impl Claim {
    /// Whatever is there, for ten minutes.
    pub fn of(space: impl Into<String>) -> Claim {
        Claim {
            space: space.into(),
            query: None,
            metadata: Meta::default(),
            references: Conditions::default(),
            set: Meta::default(),
            order: Vec::new(),
            attempts_max: None,
            exhausted: Meta::default(),
            lease: ten_minutes(),
            intent: String::new(),
            comment: None,
            key: None,
        }
    }
}

impl Operation for Claim {
    const NAME: &'static str = "claim";
    const EFFECT: EffectKind = EffectKind::Writes;
    const RIGHT: RequiredRight = RequiredRight::On(Level::Write);
    const ARGS: &'static [&'static [Arg]] = &[
        &[
            Arg::at("space", ArgForm::Text),
            Arg::at("query", ArgForm::Text),
            Arg::flag("meta", "metadata", ArgForm::Wanted, "KEY=VALUE"),
            Arg::flag("ref", "references", ArgForm::Conditions, "RELATION:KEY=VALUE"),
            Arg::flag("set", "set", ArgForm::Pairs, "KEY=VALUE"),
            Arg::flag("order", "order", ArgForm::Texts, "KEY"),
            Arg::flag("attempts-max", "attempts_max", ArgForm::Number, "N"),
            Arg::flag("exhausted", "exhausted", ArgForm::Pairs, "KEY=VALUE")
                .requires("attempts-max"),
            Arg::flag("lease", "lease", ArgForm::Text, "TIME"),
            Arg::flag("intent", "intent", ArgForm::Text, "TEXT"),
        ],
        WHY,
    ];
    const METHODS: &'static [Method] = &[Method {
        on: On::Space,
        name: "claim",
        takes: &[
            "query=None",
            "metadata={}",
            "references={}",
            "set={}",
            "lease='10m'",
            "intent=''",
            "comment=None",
            "key=None",
            "order=[]",
            "attempts_max=None",
            "exhausted={}",
        ],
        does: Does::Writes,
        call: called,
    }];
    const QUIET: Quiet = Quiet::Field("/id");
    type Answer = AtomAnswer;

    async fn perform(self, caller: &Caller, out: &Out<AtomAnswer>) -> Result<(), Problem> {
        let id = caller.resolve(&self.space)?;
        let why = why(self.comment, self.key, || format!("claim from {}", self.space))?;
        let ask = ClaimAsk {
            query: self.query,
            wanted: ClaimPredicate {
                metadata: self.metadata.0.clone(),
                references: self.references.0,
            },
            set: self.set.0,
            lease_ms: self.lease.0,
            intent: self.intent,
            order: ordered(&self.order),
            attempts_max: self.attempts_max,
            exhausted: self.exhausted.0,
        };
        let wanted = ask.wanted.clone();
        let taken = out.meanwhile(caller.runtime(), id, caller.claim(id, ask, why)).await?;
        match taken {
            Some(taken) => {
                let woken = WokenAnswer::of(caller).await?;
                out.tell(AtomAnswer { woken, ..AtomAnswer::taken(caller, &taken) }).await
            }
            None => {
                out.mismatches(caller, id, &self.metadata.0).await?;
                tell_of_stuck(caller, out, id, wanted).await?;
                let text = format!("nothing to claim in {:?}", self.space);
                let hint = format!("stoa search {}", crate::problem::quoted(&self.space));
                Err(Problem::new(ProblemKind::Unknown, text).hint(hint))
            }
        }
    }
}

/// The keys that something is ordered by, as they are typed.
fn ordered(texts: &[String]) -> Vec<OrderBy> {
    texts.iter().filter_map(|it| it.parse().ok()).collect()
}

/// Atoms that wait and are looked at, where nothing can be claimed.
const WAITING_MAX: usize = 100;

/// Tells of what waits for something that is gone, and so for ever.
async fn tell_of_stuck(
    caller: &Caller,
    out: &Out<AtomAnswer>,
    space: SpaceId,
    wanted: ClaimPredicate,
) -> Result<(), Problem> {
    if wanted.references.is_empty() {
        return Ok(());
    }
    let waiting = caller.waiting(space, wanted, WAITING_MAX).await?;
    for it in waiting.iter().filter(|it| it.is_stuck()) {
        let id = it.read.atom.id;
        let text = format!("atom {id} waits for something that is gone: `stoa waits {id}`");
        out.note(Note::all(text)).await?;
    }
    Ok(())
}

/// The atom with its lease, or None.
fn called(api: &mut HostApi, space: SpaceId, mut args: Args) -> CallFuture<'_> {
    Box::pin(async move {
        let query = args.text("query")?;
        let metadata = args.take("metadata").map(items::metadata).transpose()?.unwrap_or_default();
        let references = args.take("references").map(items::conditions).transpose()?;
        let set = args.take("set").map(items::metadata).transpose()?.unwrap_or_default();
        let lease_ms = args.span("lease", LEASE_DEFAULT)?;
        let intent = args.text("intent")?.unwrap_or_default();
        let why = api.why(&mut args, "claim")?;
        let why = api.tried(why);
        let wanted = ClaimPredicate { metadata, references: references.unwrap_or_default() };
        let asked = wanted.metadata.clone();
        let order = super::shared::order(args.take("order"))?;
        let attempts_max = args.number("attempts_max")?;
        let exhausted = args.take("exhausted").map(items::metadata).transpose()?;
        let exhausted = exhausted.unwrap_or_default();
        let ask = ClaimAsk { query, wanted, set, lease_ms, intent, order, attempts_max, exhausted };
        let Some(taken) = api.caller.claim(space, ask, why).await.map_err(refused)? else {
            // Not worth an index of its own: workers ask in vain all the time.
            if api.caller.runtime().index_of(space).is_some() {
                api.remark(space, &asked).await?;
            }
            return Ok(items::none());
        };
        let Item::Object(mut atom) = api.fit.one(&taken.read.atom, taken.read.position) else {
            return Err(raise("SystemError", "an atom is an object"));
        };
        atom.fields.push(("lease".into(), lease_item(&taken.lease)));
        let item = Item::Object(atom);
        api.recall(&item);
        Ok(item)
    })
}
