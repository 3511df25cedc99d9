//! What the code's calls do: methods of spaces, under the session's rights.

use super::args::Args;
use super::items::{self, raise};
use super::notebook::{Known, Notebook, digest};
use crate::caller::{Caller, HistoryQuery, Read, Why};
use crate::problem::{Kind, Problem};
use crate::sandbox::{Boxed, Host};
use std::collections::BTreeMap;
use stoa_actors::code::{HostCall, Item, Raise};
use stoa_actors::id::{AtomId, Position, SpaceId};
use stoa_actors::log::{Cause, Hash};
use stoa_actors::search::{HITS_DEFAULT, Order, Query};
use stoa_actors::space::{Draft, Expect, Filter, Patch};
use stoa_actors::value::Value;

/// The handle of the one coordinator.
pub(super) const COORDINATOR: u128 = 1;

/// The function that tells what is left to spend; no tool can take its name.
pub(crate) const BUDGET: &str = "budget";

/// The host of one action.
pub(crate) struct Hands {
    pub(super) caller: Caller,
    /// Names the action in the keys of its writes: the same whenever it is run again.
    pub(super) action: String,
    pub(super) calls: u64,
    /// Workers that have died of nothing it did.
    deaths: u32,
    seen: BTreeMap<AtomId, u64>,
    pub(super) cause: Cause,
    /// An agent's: its calls are noted.
    pub(super) notes: Option<Notebook>,
    pub(super) lifetime: Lifetime,
}

/// How long the session outlives the action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lifetime {
    /// It stays: an agent, or a session with a name.
    Lasting,
    /// It ends with the action, and so would all that rests on its rights.
    OneAction,
}

impl Host for Hands {
    fn call(&mut self, call: HostCall) -> Boxed<'_, Result<Item, Raise>> {
        Box::pin(async move {
            self.calls += 1;
            let (asked, kind) = (digest(&call), Effectful::of(&call));
            match self.known(asked) {
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
            "search" | "references" | "history" | "agents" | "__getattr__" | BUDGET => {
                Effectful::Read
            }
            "get" if call.args.len() > 1 || call.kwargs.iter().any(|(it, _)| it == "version") => {
                Effectful::OldVersion
            }
            "get" => Effectful::Read,
            _ => Effectful::Write,
        }
    }
}

impl Hands {
    pub(crate) fn new(
        caller: Caller,
        action: String,
        seen: BTreeMap<AtomId, u64>,
        cause: Cause,
        notes: Option<Notebook>,
        lifetime: Lifetime,
    ) -> Hands {
        Hands { caller, action, calls: 0, deaths: 0, seen, cause, notes, lifetime }
    }

    fn known(&self, asked: Hash) -> Known {
        let look = |notes: &Notebook| notes.look(&self.caller.runtime, self.calls, asked);
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
    fn recall(&mut self, item: &Item) {
        match item {
            Item::Object(_) => {
                if let Some((id, version)) = items::version(item) {
                    self.remember(id, version);
                }
            }
            Item::List(list) => list.iter().for_each(|it| self.recall(it)),
            _ => {}
        }
    }

    /// What the session has seen by now.
    pub(crate) fn seen(self) -> BTreeMap<AtomId, u64> {
        self.seen
    }

    async fn method(&mut self, space: SpaceId, call: HostCall) -> Result<Item, Raise> {
        let mut args = Args::new(call);
        match args.method.as_str() {
            "search" => self.search(space, args).await,
            "get" => self.get(args).await,
            "put" => self.put(space, args).await,
            "update" => self.update(args).await,
            "deprecate" => self.deprecate(args).await,
            "references" => self.references(args).await,
            "history" => self.history(space, args).await,
            "subscribe" => self.subscribe(space, args).await,
            "describe" => {
                let text = args.text("description")?.unwrap_or_default();
                args.end()?;
                self.caller.describe(space, &text).await.map_err(refused)?;
                Ok(Item::Value(Value::Null))
            }
            "__getattr__" => Err(raise("AttributeError", format!("there is no {}", args.asked()))),
            name => Err(raise(
                "AttributeError",
                format!(
                    "a Space has no {name}; it has search, get, put, update, deprecate, references, history, subscribe, describe"
                ),
            )),
        }
    }

    /// Notes the version that the code is handed.
    pub(super) fn note(&mut self, read: &Read) -> Item {
        self.remember(read.atom.id, read.atom.version);
        items::read(read)
    }

    fn remember(&mut self, id: AtomId, version: u64) {
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
        args.end()?;
        let read = match version {
            Some(version) => self.caller.get_version(id, version).await.map_err(refused)?,
            None => self.caller.get(id).await.map_err(refused)?,
        };
        // An older version is no base for a change.
        if version.is_some() { Ok(items::read(&read)) } else { Ok(self.note(&read)) }
    }

    async fn put(&mut self, space: SpaceId, mut args: Args) -> Result<Item, Raise> {
        let content = args.take("content");
        let annotation = args.text("annotation")?.unwrap_or_default();
        let metadata = args.take("metadata").map(items::metadata).transpose()?.unwrap_or_default();
        let references =
            args.take("references").map(items::references).transpose()?.unwrap_or_default();
        let media_type = args.text("media_type")?;
        let why = self.why(&mut args, "put")?;
        args.end()?;
        let content = content.map(|it| items::content(it, media_type)).transpose()?;
        let content = content.unwrap_or_default();
        let draft = Draft { content, annotation, metadata, references, embedding: None };
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
        let expect = self.expect(id, &mut args)?;
        let why = self.why(&mut args, "update")?;
        args.end()?;
        let content = content.map(|it| items::content(it, media_type)).transpose()?;
        let patch = Patch { content, annotation, metadata, references, embedding: None };
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
        let why = self.why(&mut args, "deprecate")?;
        args.end()?;
        match self.caller.deprecate(id, expect, by, why).await {
            Ok(written) => {
                self.remember(id, written.version);
                Ok(Item::Value(Value::Null))
            }
            Err(problem) => Err(self.conflict(id, problem).await),
        }
    }

    /// The base of a change: what was said, else the version that the code was handed.
    fn expect(&self, id: AtomId, args: &mut Args) -> Result<Expect, Raise> {
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

    async fn references(&mut self, mut args: Args) -> Result<Item, Raise> {
        let id = args.id("id")?;
        let relation = args.text("relation")?;
        args.end()?;
        let reads = match relation.as_deref().map(|it| (it, it.strip_prefix("<-"))) {
            Some((_, Some(reverse))) => {
                let reverse = Some(reverse).filter(|it| !it.is_empty());
                let sources = self.caller.sources(id, reverse).await.map_err(refused)?;
                sources.into_iter().map(|(_, read)| read).collect()
            }
            other => {
                let relation = other.map(|(it, _)| it);
                self.caller.targets(id, relation).await.map_err(refused)?
            }
        };
        Ok(Item::List(reads.iter().map(|it| self.note(it)).collect()))
    }

    async fn history(&mut self, space: SpaceId, mut args: Args) -> Result<Item, Raise> {
        let id = args.take("id").filter(|it| *it != Item::Value(Value::Null));
        let after = Position(args.number("after")?.unwrap_or(0));
        let most = self.caller.runtime.shared().config.history_changes_max;
        let limit = (args.number("limit")?.unwrap_or(100) as usize).min(most);
        args.end()?;
        let changes = match id {
            Some(id) => self.caller.atom_history(items::id(&id)?).await,
            None => self.caller.history(space, &HistoryQuery { after, limit }).await,
        };
        Ok(Item::List(changes.map_err(refused)?.iter().map(items::change).collect()))
    }

    async fn subscribe(&mut self, space: SpaceId, mut args: Args) -> Result<Item, Raise> {
        let metadata = args.take("metadata").map(items::metadata).transpose()?.unwrap_or_default();
        let types = match args.take("types").map(items::value).transpose()? {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::List(list)) => {
                list.iter().filter_map(|it| it.text().map(str::to_owned)).collect()
            }
            Some(_) => return Err(raise("TypeError", "types= takes a list of texts")),
        };
        let cursor = args.number("cursor")?.map(Position);
        args.end()?;
        let filter = Filter { types, metadata };
        if let Some(notes) = &self.notes {
            let follows = self.caller.follow_as_agent(&notes.seat, space, filter, cursor).await;
            return follows.map(|()| items::text(space)).map_err(refused);
        }
        let id = self.caller.subscribe(space, filter, cursor).await.map_err(refused)?;
        Ok(items::text(id))
    }

    async fn search(&mut self, space: SpaceId, mut args: Args) -> Result<Item, Raise> {
        let query = Query {
            text: args.text("query")?,
            metadata: args.take("metadata").map(items::metadata).transpose()?.unwrap_or_default(),
            references: args
                .take("references")
                .map(items::conditions)
                .transpose()?
                .unwrap_or_default(),
            limit: args.number("limit")?.map_or(HITS_DEFAULT, |it| it as usize),
            include_deprecated: args.truth("include_deprecated")?,
            order: match args.text("order")?.as_deref() {
                None | Some("oldest") => Order::Oldest,
                Some("newest") => Order::Newest,
                Some(_) => return Err(raise("ValueError", "order= is 'oldest' or 'newest'")),
            },
        };
        args.end()?;
        let found = self.caller.search(space, query).await.map_err(refused)?;
        let mut hits = Vec::with_capacity(found.len());
        for it in found {
            self.remember(it.read.atom.id, it.read.atom.version);
            hits.push(items::atom(&it.read.atom, it.read.position, Some(it.score)));
        }
        Ok(Item::List(hits))
    }

    pub(super) fn why(&self, args: &mut Args, verb: &str) -> Result<Why, Raise> {
        let comment = args.text("comment")?.unwrap_or_else(|| format!("{verb} by code"));
        let key = args.text("key")?;
        let key = key.unwrap_or_else(|| format!("{}-{}", self.action, self.calls));
        Ok(Why { cause: self.cause, ..Why::comment(comment).key(key) })
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
