//! One Python action of one session, with exactly its rights.
//!
//! The session remembers the version of every atom it has handed to the code, and an update
//! expects that version: of two agents that read the same task and both take it, one gets
//! `Conflict`. What it remembers, and its REPL, are kept outside the log: losing them costs
//! comfort, never a fact.

mod args;
mod called;
mod fit;
mod host_api;
pub mod items;
mod kept;
mod leases;
mod method;
mod notebook;
mod notices;
mod reads;
mod tools;

pub use args::Args;
pub use host_api::HostApi;
pub use host_api::{BUDGET, refused};
pub(crate) use kept::{Kept, Slot};
pub use leases::LEASE_DEFAULT;
pub use method::CallFuture;
pub(crate) use method::Methods;
pub use method::{Does, Method, On};
pub(crate) use notebook::Notebook;
pub use reads::moment;
pub use tools::{budget, level, wants_level};

use crate::caller::{Caller, misspelt, not_owner};
use crate::problem::{Problem, ProblemKind, quoted};
use crate::runtime::Runtime;
use crate::sandbox::{Action, CodeRunner};
use std::sync::Arc;
use stoa_actors::code::{ActionOutcome, Item, Object};
use stoa_actors::id::{AtomId, LinkId, Millis, ROOT, SessionId, SpaceId};
use stoa_actors::log::Cause;
use stoa_actors::rights::{self, Holding, Level, Lifetime, Named, Right, Subject};

/// A space and what the code may do in it.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub struct SpaceGrant {
    /// What the session calls it.
    pub alias: String,
    pub space: SpaceId,
    /// What it may do there.
    pub level: Level,
    /// What of it may be passed on.
    pub(crate) delegate: Option<Level>,
}

/// Runs one action as a child of `caller`, with exactly the rights asked for, by the caller's own
/// names; the first is `space`. A second level is what the code may pass on to those it spawns.
///
/// A named session keeps its REPL, its memory and, when no spaces are given, its rights. One
/// without a name ends with the action. Errors: what the caller may not delegate is refused and
/// recorded, and nothing runs.
pub async fn exec(
    caller: &Caller,
    source: String,
    spaces: &[(String, Level, Option<Level>)],
    session: Option<&str>,
) -> Result<ActionOutcome, Problem> {
    let runtime = caller.runtime.clone();
    let mut asked = Vec::new();
    for (alias, level, delegate) in spaces {
        if asked.iter().any(|it: &SpaceGrant| it.alias == *alias) {
            let text = format!("space {alias:?} is named twice");
            return Err(Problem::new(ProblemKind::Invalid, text)
                .hint(format!("--spaces {}={level}", quoted(alias))));
        }
        let space = caller.resolve(alias)?;
        // By the end of its id it is told as the caller calls it.
        let alias = caller.alias_to_hand_on(alias, space).unwrap_or_else(|| alias.clone());
        asked.push(SpaceGrant { alias, space, level: *level, delegate: *delegate });
    }
    let mut passing = Passing::new(caller);
    let (id, granted, more) = match session {
        Some(name) => named(caller, name, asked).await?,
        None => (passing.spawn(&asked).await?, asked, false),
    };
    // Two actions of one session would each lose what the other leaves behind.
    let turn = runtime.turn_of(id);
    let _turn = turn.lock().await;
    let granted = (&*granted, more);
    let outcome = act(&caller.beside(id), source, granted, session.is_some()).await;
    passing.ends().await?;
    outcome
}

/// A session that ends with its action, also where nobody waits for that any more.
struct Passing {
    caller: Caller,
    /// Once it was asked for.
    session: Option<SessionId>,
}

impl Passing {
    fn new(caller: &Caller) -> Passing {
        Passing { caller: caller.clone(), session: None }
    }

    /// Should the process die meanwhile, its rights expire.
    async fn spawn(&mut self, asked: &[SpaceGrant]) -> Result<SessionId, Problem> {
        let caller = &self.caller;
        let config = &caller.runtime.shared().config;
        let (limits, after) = (&config.action, config.nameless_ms);
        let longest = limits.compute_ms_max + limits.host_wait_ms_max + after;
        let expires = Some(Millis(caller.runtime.now().0 + longest));
        let asks = asked.iter().map(|it| ask(caller, it, expires)).collect();
        let (id, once) = (SessionId(caller.fresh()), Lifetime::OneAction);
        self.session = Some(id);
        caller.spawn_session_as(id, None, asks, "one action", once).await?;
        Ok(id)
    }

    async fn ends(mut self) -> Result<(), Problem> {
        let ended = match self.session {
            Some(session) => end(&self.caller.runtime, session).await,
            None => Ok(()),
        };
        // Otherwise it is tried once more.
        if ended.is_ok() {
            self.session = None;
        }
        ended
    }
}

impl Drop for Passing {
    fn drop(&mut self) {
        let (Some(session), runtime) = (self.session, self.caller.runtime.clone()) else { return };
        let spawner = runtime.shared().spawner.clone();
        spawner.spawn(async move { drop(end(&runtime, session).await) });
    }
}

/// By the word of the root: whoever has spawned it may be gone. One that is not there has ended.
async fn end(runtime: &Runtime, session: SessionId) -> Result<(), Problem> {
    match runtime.caller(ROOT).end_session(session).await {
        Err(problem) if runtime.shared().rights.read().is_living(session) => {
            tracing::warn!(%problem, %session, "a session whose action is over does not end");
            Err(problem)
        }
        _ => Ok(()),
    }
}

async fn act(
    caller: &Caller,
    source: String,
    (granted, more): (&[SpaceGrant], bool),
    keep: bool,
) -> Result<ActionOutcome, Problem> {
    let (runtime, session) = (&caller.runtime, caller.session());
    if keep && runtime.shared().rights.read().is_agent(session) {
        // What its last action left may ride along with a commit that is not there yet.
        runtime.shared().log.settled().await?;
    }
    let kept = if keep { Kept::of(runtime, session)? } else { Kept::default() };
    let before = kept.after(None).unwrap_or_default();
    let runner = runtime.runner()?;
    let now = runtime.now();
    let name = runtime.shared().fresh.id(now);
    let mut action = Action::new(source);
    action.dump = before.dump;
    action.limits = runtime.shared().config.action.clone();
    action.globals = globals(granted);
    action.now = now;
    action.functions = vec![BUDGET.to_owned()];
    action.seed = seed(&name);
    let name = AtomId(name).to_string();
    let lifetime = if keep { Lifetime::Lasting } else { Lifetime::OneAction };
    let mut api = HostApi::new(
        caller.clone(),
        (name.clone(), name),
        (before.seen, before.leases),
        Cause::default(),
        None,
        lifetime,
    );
    let outcome = runner.run(action, &mut api).await;
    api.tell_of_more(more, &outcome);
    let outcome = api.told_besides(outcome);
    if keep {
        let (seen, leases) = api.seen();
        let slot = Slot { action: None, dump: outcome.dump.clone(), seen, leases };
        kept.keep(runtime, session, slot).await?;
    }
    Ok(outcome)
}

/// What `random` draws from, of the name of an action.
pub(crate) fn seed(name: &[u8]) -> u64 {
    name.iter().fold(0, |seed, byte| seed << 7 ^ u64::from(*byte) ^ seed >> 57)
}

/// `space`, `spaces` and `coordinator`.
pub(crate) fn globals(granted: &[SpaceGrant]) -> Vec<(String, Item)> {
    let object = |it: &SpaceGrant| items::space(&it.alias, it.space, it.level);
    let mut globals = vec![
        (
            "spaces".into(),
            Item::Map(granted.iter().map(|it| (it.alias.clone(), object(it))).collect()),
        ),
        (
            "coordinator".into(),
            Item::Object(Object {
                class: "Coordinator".into(),
                handle: host_api::COORDINATOR,
                fields: Vec::new(),
            }),
        ),
    ];
    if let Some(first) = granted.first() {
        globals.push(("space".into(), object(first)));
    }
    globals
}

fn ask(caller: &Caller, it: &SpaceGrant, expires: Option<Millis>) -> rights::RightRequest {
    rights::RightRequest {
        link: LinkId(caller.fresh()),
        alias: Some(it.alias.clone()),
        right: Right {
            subject: Subject::Space(it.space),
            use_: Some(it.level),
            delegate: it.delegate,
        },
        expires,
    }
}

/// The session of that name, made if need be, holding exactly what is asked; what it held already
/// when nothing is.
async fn named(
    caller: &Caller,
    name: &str,
    asked: Vec<SpaceGrant>,
) -> Result<(SessionId, Vec<SpaceGrant>, bool), Problem> {
    let shared = caller.runtime.shared();
    let known = shared.rights.read().called(caller.session(), name);
    let session = match known {
        Some(Named::Session(session)) => session,
        Some(Named::Space(_)) => {
            let text = format!("{name:?} is a space; name a session");
            return Err(Problem::new(ProblemKind::Invalid, text).hint("stoa session list"));
        }
        None => {
            rights::name_fits(name, &shared.config.limits.rights)
                .map_err(|it| misspelt(it, |name| format!("--session {name}")))?;
            not_owner(name)?;
            let asks = asked.iter().map(|it| ask(caller, it, None)).collect();
            let lasting = Lifetime::Lasting;
            let session = caller.spawn_session(Some(name), asks, "exec", lasting).await?;
            return Ok((session, asked, false));
        }
    };
    if asked.is_empty() {
        let first = first_named(caller, session);
        let (mut near, more) = near(caller, session, first.as_slice());
        near.sort_by(|one, other| one.alias.cmp(&other.alias));
        return Ok((session, near, more));
    }
    let held = held(caller, session);
    let rights = |all: &[SpaceGrant]| {
        all.iter().map(|it| (it.space, (it.level, it.delegate))).collect::<Vec<_>>()
    };
    let adjustment = rights::adjust(&rights(&held), &rights(&asked));
    for space in adjustment.withdraw {
        caller.withdraw(session, space).await?;
    }
    for it in adjustment.share.into_iter().filter_map(|place| asked.get(place)) {
        caller.share(session, ask(caller, it, None)).await?;
    }
    Ok((session, asked, false))
}

/// Of the spaces that a session may use the one whose name sorts first: what its code calls `space`.
fn first_named(caller: &Caller, session: SessionId) -> Option<SpaceId> {
    let shared = caller.runtime.shared();
    let (now, rights) = (shared.clock.now(), shared.rights.read());
    let used = |space| rights.level(session, &Subject::Space(space), now).and(Some(space));
    rights.names(session).find_map(|(_, named)| match named {
        Named::Space(space) => used(space),
        Named::Session(_) => None,
    })
}

/// A space that its holder may use, as its code is handed it.
pub fn granted(held: Holding) -> Option<SpaceGrant> {
    match (held.subject, held.use_) {
        (Subject::Space(space), Some(level)) => Some(SpaceGrant {
            alias: held.alias.unwrap_or_else(|| space.to_string()),
            space,
            level,
            delegate: held.delegate,
        }),
        _ => None,
    }
}

/// The spaces that code is handed and a model is told of: the nearest first, then others up to the
/// limit; and whether there are more. Of a session that holds many thousands each step costs what
/// these cost.
pub(crate) fn near(
    caller: &Caller,
    session: SessionId,
    nearest: &[SpaceId],
) -> (Vec<SpaceGrant>, bool) {
    let shared = caller.runtime.shared();
    let (now, max) = (shared.clock.now(), shared.config.context_spaces_max);
    let (near, more) = shared.rights.read().near(session, nearest, max, now);
    (near.into_iter().filter_map(granted).collect(), more)
}

/// What a session holds, in the order in which its names sort.
fn held(caller: &Caller, session: SessionId) -> Vec<SpaceGrant> {
    let shared = caller.runtime.shared();
    let holdings = shared.rights.read().holdings(session, shared.clock.now());
    let mut held: Vec<SpaceGrant> = holdings.into_iter().filter_map(granted).collect();
    held.sort_by(|one, other| one.alias.cmp(&other.alias));
    held
}

impl Runtime {
    /// Ends the sessions whose action went with the process before. In a log that others write to as
    /// well they may be somebody else's: there their rights expire.
    pub(crate) async fn end_passing(&self) {
        if self.shared().config.log.order.node().is_some() {
            return;
        }
        let passing: Vec<SessionId> = self.shared().rights.read().passing().collect();
        for session in passing {
            drop(end(self, session).await);
        }
    }

    /// What runs Python: worker processes.
    pub(crate) fn runner(&self) -> Result<Arc<dyn CodeRunner>, Problem> {
        self.workers().map_err(|error| {
            Problem::new(ProblemKind::Store, format!("no worker for Python: {error}"))
                .hint("call stoa::worker_main_if_asked() first in main, or set Config::workers")
        })
    }
}
