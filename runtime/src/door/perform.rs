//! Every verb as one message, and what is answered: the same for this process and for others.

use super::agents::AgentCall;
use super::answer::{Answer, Answers, Out};
use super::identity::{Identity, Peer};
use super::leases::LeaseCall;
use super::past::HistoryCall;
use super::status::status;
use super::subscriptions::SubscriptionCall;
use crate::agents::SpawnAsk;
use crate::audit;
use crate::backup::{Copied, Copying};
use crate::blocking::blocking;
use crate::caller::{Caller, ClaimAsk, Grant, Why};
use crate::moment::Moment;
use crate::problem::{Kind, Problem};
use crate::research::ResearchAsk;
use crate::runtime::Runtime;
use crate::search::Page;
use crate::session;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use stoa_actors::atom::Metadata;
use stoa_actors::id::{AtomId, Position, SpaceId};
use stoa_actors::rights::Level;
use stoa_actors::search::Query;
use stoa_actors::space::{Carried, Draft, Expect, Filter, Mutation, Patch};

/// What a process asks of the owner.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// Who asks. A request that does not say so is refused.
    pub identity: Identity,
    /// What.
    pub call: Call,
}

/// One verb.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the fields are those of the verb, told in its own help")]
pub enum Call {
    CreateSpace {
        name: String,
        description: String,
    },
    Spaces,
    Space {
        name: String,
    },
    Describe {
        space: String,
        description: String,
    },
    Grant {
        space: String,
        to: String,
        grant: Grant,
    },
    Revoke {
        space: String,
        from: String,
        reason: String,
    },
    Put {
        space: String,
        draft: Draft,
        why: Why,
    },
    Get {
        id: AtomId,
        version: Option<u64>,
        as_of: Option<Moment>,
    },
    /// `unref` are single references to be taken out besides, of what the atom is then.
    Update {
        id: AtomId,
        expect: Expect,
        patch: Patch,
        unref: Vec<(String, AtomId)>,
        why: Why,
    },
    Deprecate {
        id: AtomId,
        expect: Expect,
        superseded_by: Option<AtomId>,
        why: Why,
    },
    Erase {
        id: AtomId,
        expect: Expect,
        why: Why,
    },
    Transact {
        space: String,
        mutations: Vec<Mutation>,
        why: Why,
    },
    Claim {
        space: String,
        ask: Box<ClaimAsk>,
        why: Why,
    },
    Lease(LeaseCall),
    Subscription(SubscriptionCall),
    History(HistoryCall),
    Difference {
        id: AtomId,
        from: Option<u64>,
        to: Option<u64>,
    },
    /// `after` is the cursor of the page before.
    Search {
        space: String,
        query: Query,
        after: Option<String>,
        as_of: Option<Moment>,
    },
    Watch {
        space: String,
        after: Option<Position>,
        filter: Filter,
        follow: bool,
    },
    /// Everything that happens and that the caller may see.
    WatchAll {
        after: Option<Position>,
        follow: bool,
    },
    Exec(ExecAsk),
    Spawn(Box<SpawnAsk>),
    Agent(AgentCall),
    Research(Box<ResearchAsk>),
    Status,
    Audit(AuditAsk),
    Export {
        space: String,
    },
    /// One piece; `describe` says what the space is for, if it does not say so yet.
    Import {
        space: String,
        carried: Vec<Carried>,
        describe: Option<String>,
        why: Why,
    },
    /// Of everything, so for the root alone. The path is the owner's to write.
    Backup {
        target: PathBuf,
    },
}

/// One Python action and the rights it is to have.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExecAsk {
    /// The code.
    pub source: String,
    /// What it may do, by the caller's own names; the first is `space`.
    pub spaces: Vec<(String, Level, Option<Level>)>,
    /// Keeps its REPL, its rights and its memory under this name.
    pub session: Option<String>,
}

/// How much of the log is proved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AuditAsk {
    /// All of it.
    Whole,
}

/// Does what is asked, if who asks may; answers go out as they come. `peer` is what the door knows
/// of the other side.
pub async fn perform(
    runtime: &Runtime,
    peer: Peer,
    request: Request,
    answers: Answers,
) -> Result<(), Problem> {
    let caller = runtime.admit(peer, &request.identity)?;
    caller.may_ask(&request.call)?;
    let out = Out(answers);
    match request.call {
        Call::CreateSpace { name, description } => {
            let id = caller.create_space(&name, &description).await?;
            out.tell(Answer::Space(caller.show_space(id).await?)).await
        }
        Call::Spaces => out.all(caller.spaces().await?.into_iter().map(Answer::Space)).await,
        Call::Space { name } => {
            let id = caller.resolve(&name)?;
            out.tell(Answer::Space(caller.show_space(id).await?)).await
        }
        Call::Describe { space, description } => {
            let id = caller.resolve(&space)?;
            caller.describe(id, &description).await?;
            out.tell(Answer::Space(caller.show_space(id).await?)).await
        }
        Call::Grant { space, to, grant } => {
            let granted = caller.grant(&space, &to, grant).await?;
            out.tell(Answer::Granted(granted)).await
        }
        Call::Revoke { space, from, reason } => {
            let links = caller.revoke(&space, &from, &reason).await?;
            out.tell(Answer::Revoked { links }).await
        }
        Call::Put { space, draft, why } => {
            let space = caller.resolve(&space)?;
            let written = caller.put(space, draft, why).await?;
            out.tell(Answer::Atom(caller.get_version(written.id, written.version).await?)).await
        }
        Call::Get { id, version, as_of } => {
            let read = match (version, as_of) {
                (Some(version), _) => caller.get_version(id, version).await?,
                (None, Some(moment)) => caller.get_as_of(id, moment).await?,
                (None, None) => caller.get(id).await?,
            };
            out.tell(Answer::Atom(read)).await
        }
        Call::Update { id, expect, patch, unref, why } => {
            let patch = caller.unreferenced(id, patch, &unref, &why).await?;
            let written = caller.update(id, expect, patch, why).await?;
            out.tell(Answer::Atom(caller.get_version(id, written.version).await?)).await
        }
        Call::Deprecate { id, expect, superseded_by, why } => {
            let written = caller.deprecate(id, expect, superseded_by, why).await?;
            out.tell(Answer::Atom(caller.get_version(id, written.version).await?)).await
        }
        Call::Erase { id, expect, why } => {
            caller.erase(id, expect, why).await?;
            out.tell(Answer::Atom(caller.get(id).await?)).await
        }
        Call::Transact { space, mutations, why } => {
            let written = caller.transact(caller.resolve(&space)?, mutations, why).await?;
            for it in written {
                out.tell(Answer::Atom(caller.get_version(it.id, it.version).await?)).await?;
            }
            Ok(())
        }
        Call::Claim { space, ask, why } => {
            let id = caller.resolve(&space)?;
            let wanted = ask.wanted.metadata.clone();
            let taken = out.meanwhile(runtime, id, caller.claim(id, *ask, why)).await?;
            if taken.is_none() {
                tell_mismatches(&caller, id, &wanted, &out).await?;
            }
            let taken = taken.ok_or_else(|| {
                Problem::new(Kind::Unknown, format!("nothing to claim in {space:?}"))
                    .hint(format!("stoa search {space}"))
            })?;
            out.tell(Answer::Taken(Box::new(taken))).await
        }
        Call::Lease(call) => super::leases::perform(&caller, call, &out).await,
        Call::Subscription(call) => super::subscriptions::perform(&caller, call, &out).await,
        Call::History(call) => super::past::history(&caller, call, &out).await,
        Call::Difference { id, from, to } => {
            let difference = Box::new(caller.difference(id, from, to).await?);
            out.tell(Answer::Difference(difference)).await
        }
        Call::Search { space, query, after, as_of } => {
            search(&caller, &space, query, after, as_of, &out).await
        }
        Call::Watch { space, after, filter, follow } => {
            watch(&caller, &space, after, filter, follow, &out).await
        }
        Call::WatchAll { after, follow } => {
            super::agents::watch(&caller, after, follow, &out).await
        }
        Call::Spawn(ask) => {
            runtime.start_agents().await?;
            let card = Box::new(caller.spawn(*ask).await?);
            out.tell(Answer::Agent { card, depth: 0 }).await
        }
        Call::Agent(call) => super::agents::perform(&caller, call, &out).await,
        Call::Research(ask) => {
            let looking = out.0.clone();
            let mut look = |doing| looking.tell_now(Answer::Doing(doing));
            let report = caller.research(&ask, &mut look).await?;
            out.tell(Answer::Report(Box::new(report))).await
        }
        Call::Exec(ExecAsk { source, spaces, session }) => {
            let outcome = session::exec(&caller, source, &spaces, session.as_deref()).await?;
            out.tell(Answer::Outcome(outcome)).await
        }
        Call::Status => out.tell(Answer::Status(status(&caller).await?)).await,
        Call::Audit(AuditAsk::Whole) => {
            let (store, kinds) = (runtime.store().clone(), runtime.kinds().clone());
            let head = runtime.durable();
            let audited = blocking(move || audit::audit(&store, &kinds, head)).await??;
            out.tell(Answer::Audited(audited)).await
        }
        Call::Export { space } => export(&caller, &space, &out).await,
        Call::Import { space, carried, describe, why } => {
            let id = caller.resolve(&space)?;
            if let Some(text) = describe.filter(|text| !text.is_empty())
                && caller.description(id).await?.is_empty()
            {
                caller.describe(id, &text).await?;
            }
            out.tell(Answer::Imported(caller.import(id, carried, why).await?)).await
        }
        Call::Backup { target } => {
            let looking = out.0.clone();
            let look = move |copied| looking.tell_now(Answer::Copied(copied));
            out.tell(Answer::Backup(runtime.backup(&target, look).await?)).await
        }
    }
}

async fn watch(
    caller: &Caller,
    space: &str,
    after: Option<Position>,
    filter: Filter,
    follow: bool,
    out: &Out,
) -> Result<(), Problem> {
    let id = caller.resolve(space)?;
    let after = match after {
        Some(after) => after,
        None => caller.show_space(id).await?.head,
    };
    let wanted = filter.metadata.clone();
    let mut reader = caller.follow(id, after, filter)?;
    tell_mismatches(caller, id, &wanted, out).await?;
    let most = caller.runtime.shared().config.watch_changes_max;
    loop {
        let changes = if follow { reader.next(most).await? } else { reader.ready(most).await? };
        if changes.is_empty() {
            return Ok(());
        }
        out.all(changes.into_iter().map(Answer::Change)).await?;
    }
}

/// In pieces: what is held in memory at once does not grow with what is asked for.
async fn search(
    caller: &Caller,
    space: &str,
    query: Query,
    mut after: Option<String>,
    as_of: Option<Moment>,
    out: &Out,
) -> Result<(), Problem> {
    let space = caller.resolve(space)?;
    let bytes_max = caller.runtime.config().read_piece_bytes;
    // All pieces look at one moment.
    let as_of = match as_of {
        Some(moment) => Some(Moment::Position(caller.runtime.moment(moment).await?)),
        None => None,
    };
    let (mut left, mut told_of_move) = (query.limit, false);
    let first = after.is_none() && as_of.is_none();
    loop {
        let piece = Query { limit: left, ..query.clone() };
        let Page { hits, mut next, moved } =
            caller.page_within(space, piece, after.as_deref(), as_of, bytes_max).await?;
        if hits.is_empty() && first && left == query.limit {
            tell_mismatches(caller, space, &query.metadata, out).await?;
        }
        if moved && !std::mem::replace(&mut told_of_move, true) {
            out.tell(Answer::Moved).await?;
        }
        left = left.saturating_sub(hits.len());
        let on = next.take_if(|_| left > 0 && !hits.is_empty());
        let last = hits.len().saturating_sub(1);
        let hit = |(n, found)| {
            let next = if n == last { next.take() } else { None };
            Answer::Hit { found, next }
        };
        out.all(hits.into_iter().enumerate().map(hit)).await?;
        match on {
            Some(cursor) => after = Some(cursor),
            None => return Ok(()),
        }
    }
}

/// Tells which conditions fit nothing by the type of what they compare with.
pub(super) async fn tell_mismatches(
    caller: &Caller,
    space: SpaceId,
    wanted: &Metadata,
    out: &Out,
) -> Result<(), Problem> {
    if wanted.is_empty() {
        return Ok(());
    }
    out.all(caller.mismatches(space, wanted).await?.into_iter().map(Answer::Mismatch)).await
}

async fn export(caller: &Caller, space: &str, out: &Out) -> Result<(), Problem> {
    let mut export = caller.export(caller.resolve(space)?).await?;
    out.tell(Answer::Exporting(export.exported().clone())).await?;
    let mut events = 0;
    while let Some(piece) = export.piece().await? {
        events += piece.len() as u64;
        out.all(piece.into_iter().map(|it| Answer::Carried(Box::new(it)))).await?;
        let (done, of) = export.so_far()?;
        out.0.tell_now(Answer::Copied(Copied { how: Copying::Export, done, of }));
    }
    out.tell(Answer::Exported { events }).await
}
