//! What the code's calls do: methods of spaces, under the session's rights.

use super::args::Args;
use super::claims::leased;
use super::fit::Fit;
use super::items::{self, raise};
use super::notebook::{Known, Notebook, asked};
use super::reads::moment;
use crate::caller::{Caller, Read, Why};
use crate::problem::{Kind, Problem};
use crate::sandbox::{Boxed, Host};
use serde::Serialize;
use std::collections::BTreeMap;
use stoa_actors::code::{HostCall, Item, Raise};
use stoa_actors::digest::{DIGEST_FORM, digest};
use stoa_actors::id::{AtomId, SpaceId};
use stoa_actors::log::{Cause, Hash};
use stoa_actors::rights::Lifetime;
use stoa_actors::space::{Draft, Expect, Fence, Patch, Resource};
use stoa_actors::value::Value;

/// The handle of the one coordinator.
pub(super) const COORDINATOR: u128 = 1;

/// The function that tells what is left to spend; no tool can take its name.
pub(crate) const BUDGET: &str = "budget";

/// The host of one action.
pub(crate) struct Hands {
    pub(super) caller: Caller,
    /// Names the action in the keys of its writes: the same whenever it is run again, and in every
    /// try of a turn.
    pub(super) action: String,
    /// Names the try.
    attempt: String,
    pub(super) calls: u64,
    /// What is being asked, and how often the action had asked that before.
    now: (Hash, u64),
    /// How often it has asked each.
    asked: BTreeMap<Hash, u64>,
    /// Workers that have died of nothing it did.
    deaths: u32,
    seen: BTreeMap<AtomId, u64>,
    leases: BTreeMap<Resource, u64>,
    pub(super) cause: Cause,
    /// An agent's: its calls are noted.
    pub(super) notes: Option<Notebook>,
    pub(super) lifetime: Lifetime,
    pub(super) fit: Fit,
    /// What the code is to be told besides what it printed.
    pub(super) notices: Vec<String>,
}

impl Host for Hands {
    fn call(&mut self, call: HostCall) -> Boxed<'_, Result<Item, Raise>> {
        Box::pin(async move {
            self.calls += 1;
            let (asked, kind) = (asked(&call), Effectful::of(&call));
            let times = self.asked.entry(asked).or_default();
            self.now = (asked, *times);
            *times += 1;
            match self.known(&call) {
                Known::Answer(answer) => {
                    // What the first run was handed, this one knows as well.
                    if kind != Effectful::OldVersion {
                        answer.iter().for_each(|it| self.recall(it));
                    }
                    return answer;
                }
                Known::Intent => return self.tool_again(call, asked).await,
                Known::Nothing => {}
            }
            let answer = self.perform(call, asked).await;
            if let Some(notes) = &self.notes {
                let wrote = kind == Effectful::Write && answer.is_ok();
                notes.answered(self.calls, asked, &answer, wrote).await?;
            }
            answer
        })
    }

    /// What this action has asked so far is noted: run again it gets the same answers, and goes on
    /// where its worker died.
    fn again(&mut self) -> Boxed<'_, bool> {
        Box::pin(async move {
            let most = self.caller.runtime.shared().config.worker_deaths_max;
            let Some(notes) = &mut self.notes else { return false };
            self.deaths += 1;
            self.calls = 0;
            self.asked.clear();
            self.deaths <= most && notes.read_again().await
        })
    }
}

/// What a call does to the world and to the session's memory.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Effectful {
    Read,
    /// An older version is no base for a change.
    OldVersion,
    Write,
}

impl Effectful {
    fn of(call: &HostCall) -> Effectful {
        match call.name.as_str() {
            "diff" => Effectful::OldVersion,
            "get" if call.args.len() > 1 || call.kwargs.iter().any(|(it, _)| it == "version") => {
                Effectful::OldVersion
            }
            "get" | "search" if call.kwargs.iter().any(|(it, _)| it == "as_of") => {
                Effectful::OldVersion
            }
            "get" | "read" | "search" | "references" | "history" | "agents" | "space"
            | "leases" | "subscriptions" | "pull" | "__getattr__" | BUDGET => Effectful::Read,
            _ => Effectful::Write,
        }
    }
}

impl Hands {
    pub(crate) fn new(
        caller: Caller,
        (action, attempt): (String, String),
        (seen, leases): (BTreeMap<AtomId, u64>, BTreeMap<Resource, u64>),
        cause: Cause,
        notes: Option<Notebook>,
        lifetime: Lifetime,
    ) -> Hands {
        let fit = Fit::new(caller.runtime.shared().config.action.answer_bytes_max);
        Hands {
            caller,
            action,
            attempt,
            calls: 0,
            now: (Hash::default(), 0),
            asked: BTreeMap::new(),
            deaths: 0,
            seen,
            leases,
            cause,
            notes,
            lifetime,
            fit,
            notices: Vec::new(),
        }
    }

    /// The token of a lease that the code was handed.
    pub(super) fn lease_of(&self, resource: &Resource) -> Option<u64> {
        self.leases.get(resource).copied()
    }

    pub(super) fn forget_lease(&mut self, resource: &Resource) {
        self.leases.remove(resource);
    }

    /// A change of an atom that the code has leased rests on that lease.
    pub(super) fn rest_on(&self, id: AtomId, why: &mut Why) {
        let resource = Resource::Atom(id);
        let fence = self.lease_of(&resource).map(|token| Fence { resource, token });
        why.fences.extend(fence);
    }

    fn known(&self, call: &HostCall) -> Known {
        let look = |it: &Notebook| it.look(&self.caller.runtime, self.fit, self.calls, call);
        self.notes.as_ref().map_or(Known::Nothing, look)
    }

    async fn perform(&mut self, call: HostCall, asked: Hash) -> Result<Item, Raise> {
        match call.on {
            Some(COORDINATOR) => self.coordinate(call).await,
            Some(handle) => {
                let space = SpaceId(handle.to_be_bytes());
                self.method(space, call).await
            }
            None if call.name == BUDGET => self.budget(call).await,
            None => self.tool(call, asked).await,
        }
    }

    /// Remembers the atoms of an answer that is given again.
    pub(super) fn recall(&mut self, item: &Item) {
        if let Some((resource, token)) = leased(item) {
            self.leases.insert(resource, token);
            return;
        }
        match item {
            Item::Object(object) => {
                if let Some(lease) = object.field("lease") {
                    self.recall(lease);
                }
                if let Some((id, version)) = items::version(item) {
                    self.remember(id, version);
                }
            }
            Item::List(list) => list.iter().for_each(|it| self.recall(it)),
            _ => {}
        }
    }

    /// What the session has seen by now.
    pub(crate) fn seen(self) -> (BTreeMap<AtomId, u64>, BTreeMap<Resource, u64>) {
        (self.seen, self.leases)
    }

    async fn method(&mut self, space: SpaceId, call: HostCall) -> Result<Item, Raise> {
        let mut args = Args::new(call);
        match args.method.as_str() {
            "search" => self.search(space, args).await,
            "get" => self.get(args).await,
            "read" => self.read(args).await,
            "put" => self.put(space, args).await,
            "update" => self.update(args).await,
            "deprecate" => self.deprecate(args).await,
            "erase" => self.erase(args).await,
            "references" => self.references(args).await,
            "history" => self.history(space, args).await,
            "diff" => self.difference(args).await,
            "subscribe" => self.subscribe(space, args).await,
            "edit_subscription" => self.edit_subscription(space, args).await,
            "subscriptions" => self.subscriptions(space, args).await,
            "unsubscribe" => self.unsubscribe(space, args).await,
            "pull" => self.pull(args).await,
            "ack" => self.acknowledge(args).await,
            "claim" => self.claim(space, args).await,
            "transaction" => self.transaction(space, args).await,
            "acquire" => self.acquire(space, args).await,
            "renew" => self.renew(space, args).await,
            "release" => self.release(space, args).await,
            "leases" => self.leases(space, args).await,
            "describe" => {
                let text = args.text("description")?.unwrap_or_default();
                args.end()?;
                self.caller.describe(space, &text).await.map_err(refused)?;
                Ok(Item::Value(Value::Null))
            }
            "__getattr__" if args.asked() == "description" => {
                self.caller.level(space).ok_or_else(|| refused(Problem::no_space("here")))?;
                self.caller.description(space).await.map(items::text).map_err(refused)
            }
            "__getattr__" => Err(raise("AttributeError", format!("there is no {}", args.asked()))),
            name => Err(raise(
                "AttributeError",
                format!(
                    "a Space has no {name}; it has search, get, read, put, update, deprecate, erase, claim, transaction, acquire, renew, release, leases, references, history, diff, subscribe, subscriptions, edit_subscription, unsubscribe, pull, ack, describe, and name, id, level, description"
                ),
            )),
        }
    }

    /// Notes the version that the code is handed.
    pub(super) fn note(&mut self, read: &Read) -> Item {
        self.remember(read.atom.id, read.atom.version);
        self.fit.one(&read.atom, read.position)
    }

    pub(super) fn remember(&mut self, id: AtomId, version: u64) {
        let most = self.caller.runtime.shared().config.seen_atoms_max;
        if self.seen.len() >= most && !self.seen.contains_key(&id) {
            // The oldest id goes: ids are made in order of time.
            self.seen.pop_first();
        }
        self.seen.insert(id, version);
    }

    async fn get(&mut self, mut args: Args) -> Result<Item, Raise> {
        let id = args.id("id")?;
        let version = args.number("version")?;
        let as_of = moment(&mut args)?;
        args.end()?;
        let read = match (version, as_of) {
            (Some(version), _) => self.caller.get_version(id, version).await,
            (None, Some(moment)) => self.caller.get_as_of(id, moment).await,
            (None, None) => self.caller.get(id).await,
        };
        let read = read.map_err(refused)?;
        // An older version is no base for a change.
        let now = version.is_none() && as_of.is_none();
        if now { Ok(self.note(&read)) } else { Ok(self.fit.one(&read.atom, read.position)) }
    }

    async fn put(&mut self, space: SpaceId, mut args: Args) -> Result<Item, Raise> {
        let content = args.take("content");
        let annotation = args.text("annotation")?.unwrap_or_default();
        let metadata = args.take("metadata").map(items::metadata).transpose()?.unwrap_or_default();
        let references =
            args.take("references").map(items::references).transpose()?.unwrap_or_default();
        let media_type = args.text("media_type")?;
        let why = self.why(&mut args, "put")?;
        let why = self.keyed(why, &());
        args.end()?;
        let content = content.map(|it| items::content(it, media_type)).transpose()?;
        let content = content.unwrap_or_default();
        let (id, embedding) = (None, None);
        let draft = Draft { id, content, annotation, metadata, references, embedding };
        let written = self.caller.put(space, draft, why).await.map_err(refused)?;
        let read = self.caller.get_version(written.id, written.version).await.map_err(refused)?;
        Ok(self.note(&read))
    }

    async fn update(&mut self, mut args: Args) -> Result<Item, Raise> {
        let id = args.id("id")?;
        let content = args.take("content").filter(|it| *it != Item::Value(Value::Null));
        let annotation = args.text("annotation")?;
        let metadata = args.take("metadata").map(items::metadata).transpose()?.unwrap_or_default();
        let references =
            args.take("references").map(items::references).transpose()?.unwrap_or_default();
        let media_type = args.text("media_type")?;
        let says = args.take("expect").map(items::metadata).transpose()?.unwrap_or_default();
        let expect = self.expect(id, &mut args)?;
        let mut why = self.why(&mut args, "update")?;
        self.rest_on(id, &mut why);
        let why = self.keyed(why, &expect);
        args.end()?;
        let content = content.map(|it| items::content(it, media_type)).transpose()?;
        let patch =
            Patch { expect: says, content, annotation, metadata, references, ..Patch::default() };
        let written = match self.caller.update(id, expect, patch, why).await {
            Ok(written) => written,
            Err(problem) => return Err(self.conflict(id, problem).await),
        };
        let read = self.caller.get_version(id, written.version).await.map_err(refused)?;
        Ok(self.note(&read))
    }

    async fn deprecate(&mut self, mut args: Args) -> Result<Item, Raise> {
        let id = args.id("id")?;
        let by = args.take("superseded_by").filter(|it| *it != Item::Value(Value::Null));
        let by = by.as_ref().map(items::id).transpose()?;
        let expect = self.expect(id, &mut args)?;
        let mut why = self.why(&mut args, "deprecate")?;
        self.rest_on(id, &mut why);
        let why = self.keyed(why, &expect);
        args.end()?;
        match self.caller.deprecate(id, expect, by, why).await {
            Ok(written) => {
                self.remember(id, written.version);
                Ok(Item::Value(Value::Null))
            }
            Err(problem) => Err(self.conflict(id, problem).await),
        }
    }

    /// For good, and whatever version it is at: what is erased need not be read first.
    async fn erase(&mut self, mut args: Args) -> Result<Item, Raise> {
        let id = args.id("id")?;
        let expect = args.number("if_version")?.map_or(Expect::Any, Expect::Version);
        let mut why = self.why(&mut args, "erase")?;
        self.rest_on(id, &mut why);
        let why = self.keyed(why, &());
        args.end()?;
        match self.caller.erase(id, expect, why).await {
            Ok(written) => {
                self.remember(id, written.version);
                Ok(Item::Value(Value::Null))
            }
            Err(problem) => Err(self.conflict(id, problem).await),
        }
    }

    /// The base of a change: what was said, else the version that the code was handed.
    pub(super) fn expect(&self, id: AtomId, args: &mut Args) -> Result<Expect, Raise> {
        let said = args.number("if_version")?;
        let force = args.truth("force")?;
        match (said, force, self.seen.get(&id)) {
            (Some(version), ..) => Ok(Expect::Version(version)),
            (None, true, _) => Ok(Expect::Any),
            (None, false, Some(seen)) => Ok(Expect::Version(*seen)),
            (None, false, None) => Err(raise(
                "ValueError",
                format!(
                    "atom {id} was not read in this session; get it first, or say if_version= or force=True"
                ),
            )),
        }
    }

    /// A conflict carries what the atom is now.
    async fn conflict(&self, id: AtomId, problem: Problem) -> Raise {
        let mut raised = refused(problem);
        if raised.class == "Conflict"
            && let Ok(read) = self.caller.get(id).await
        {
            let metadata = Value::Map(read.atom.metadata.clone());
            let (version, author) = (read.atom.version, read.atom.author);
            raised.message =
                format!("{}; now version {version} by {author}: {metadata}", raised.message);
        }
        raised
    }

    pub(super) fn why(&self, args: &mut Args, verb: &str) -> Result<Why, Raise> {
        let comment = args.text("comment")?.unwrap_or_else(|| format!("{verb} by code"));
        let key = args.text("key")?;
        Ok(Why { cause: self.cause, key, ..Why::comment(comment) })
    }

    /// A name for this call that it has whenever the action is run again, and in every try of the
    /// turn: by what it asks, for a try may take another way.
    pub(super) fn place(&self) -> String {
        let (asked, times) = self.now;
        let asked: String = asked.0[..8].iter().map(|it| format!("{it:02x}")).collect();
        format!("{}-{asked}-{times}", self.action)
    }

    /// With that name as its key, unless the code has said one. What it rests on besides what it
    /// asks, as the versions that the code has seen, makes it another request.
    pub(super) fn keyed(&self, why: Why, basis: &impl Serialize) -> Why {
        let tokens: Vec<u64> = why.fences.iter().map(|it| it.token).collect();
        let basis = digest(DIGEST_FORM, &(basis, tokens)).unwrap_or_default();
        let basis: String = basis.0[..4].iter().map(|it| format!("{it:02x}")).collect();
        let key = || Some(format!("{}-{basis}", self.place()));
        Why { key: why.key.clone().or_else(key), ..why }
    }

    /// The same of what is asked anew in every try: what a failed one has leased is given back.
    pub(super) fn tried(&self, why: Why) -> Why {
        let key = || Some(format!("{}-{}", self.attempt, self.calls));
        Why { key: why.key.clone().or_else(key), ..why }
    }
}

/// A no as the code gets it.
pub(super) fn refused(problem: Problem) -> Raise {
    let class = match problem.kind {
        Kind::Unknown => "LookupError",
        Kind::Forbidden => "PermissionError",
        Kind::Conflict => "Conflict",
        Kind::Invalid => "ValueError",
        Kind::Busy | Kind::Store | Kind::Action => "RuntimeError",
    };
    raise(class, problem.text)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A turn that only looks is one in which nothing happened.
    #[test]
    fn what_only_looks_is_no_write() {
        let of = |name: &str| {
            let (args, kwargs) = (Vec::new(), Vec::new());
            Effectful::of(&HostCall { on: None, name: name.into(), args, kwargs })
        };
        for name in ["get", "search", "agents", "space", "leases"] {
            assert!(of(name) == Effectful::Read, "{name}");
        }
        for name in ["put", "create_space", "grant", "fetch"] {
            assert!(of(name) == Effectful::Write, "{name}");
        }
    }
}
