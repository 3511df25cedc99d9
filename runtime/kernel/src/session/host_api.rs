//! What the code's calls do: methods of spaces, under the session's rights.

use super::args::Args;
use super::fit::Fit;
use super::items::{self, raise};
use super::leases::leased;
use super::method::{Does, Method, Methods, On};
use super::notebook::{Known, Notebook, asked};
use crate::caller::{Caller, ReadAtom, WriteOptions};
use crate::problem::{Problem, ProblemKind};
use crate::sandbox::{Boxed, Host};
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;
use stoa_actors::code::{HostCall, Item, Raise};
use stoa_actors::digest::{DIGEST_FORM, digest};
use stoa_actors::id::{AtomId, SpaceId};
use stoa_actors::log::{Cause, Hash};
use stoa_actors::nearest::nearest;
use stoa_actors::rights::Lifetime;
use stoa_actors::space::{Expect, Fence, Resource};
use stoa_actors::value::Value;

/// The handle of the one coordinator.
pub(crate) const COORDINATOR: u128 = 1;

/// What the interpreter asks for where an object has no such field.
pub(super) const ATTRIBUTE: &str = "__getattr__";

/// The function that tells what is left to spend; no tool can take its name.
pub const BUDGET: &str = "budget";

/// The host of one action.
pub struct HostApi {
    /// In whose name.
    pub caller: Caller,
    methods: Arc<[&'static Method]>,
    /// Names the action in the keys of its writes: the same whenever it is run again, and in every
    /// try of a turn.
    pub(crate) action: String,
    /// Names the try.
    attempt: String,
    pub(crate) calls: u64,
    /// What is being asked, and how often the action had asked that before.
    now: (Hash, u64),
    /// How often it has asked each.
    asked: BTreeMap<Hash, u64>,
    /// Workers that have died of nothing it did.
    deaths: u32,
    seen: BTreeMap<AtomId, u64>,
    leases: BTreeMap<Resource, u64>,
    /// What its writes are said to follow from.
    pub cause: Cause,
    /// An agent's: its calls are noted.
    pub notes: Option<Notebook>,
    /// How long rights last that it is granted or hands on.
    pub lifetime: Lifetime,
    /// What of answers fits into this action.
    pub fit: Fit,
    /// What the code is to be told besides what it printed.
    pub(crate) notices: Vec<String>,
}

impl Host for HostApi {
    fn call(&mut self, call: HostCall) -> Boxed<'_, Result<Item, Raise>> {
        Box::pin(async move {
            self.calls += 1;
            let (asked, kind) = (asked(&call), Effectful::of(&self.methods, &call));
            let called = self.called(&call);
            let times = self.asked.entry(asked).or_default();
            self.now = (asked, *times);
            *times += 1;
            match self.known(&call) {
                Known::Answer(answer) => {
                    // What the first run was handed, this one knows as well.
                    if kind.base {
                        answer.iter().for_each(|it| self.recall(it));
                    }
                    return answer;
                }
                Known::Intent => return self.tool_again(call, asked).await,
                Known::Nothing => {}
            }
            let answer = self.perform(call, asked).await;
            if let Some(notes) = &self.notes {
                let wrote = kind.writes && answer.is_ok();
                notes.answered((self.calls, &called), asked, &answer, wrote).await?;
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Effectful {
    writes: bool,
    /// What it is told of atoms is a base for changes.
    base: bool,
}

impl Effectful {
    fn of(methods: &[&'static Method], call: &HostCall) -> Effectful {
        let on = match call.on {
            Some(COORDINATOR) => Some(On::Coordinator),
            Some(_) => Some(On::Space),
            None => None,
        };
        match on.and_then(|on| method(methods, on, &call.name)) {
            Some(method) => {
                Effectful { writes: method.does == Does::Writes, base: method.is_base(call) }
            }
            None => {
                let looks = call.name == ATTRIBUTE || (on.is_none() && call.name == BUDGET);
                Effectful { writes: !looks, base: true }
            }
        }
    }
}

impl HostApi {
    pub(crate) fn new(
        caller: Caller,
        (action, attempt): (String, String),
        (seen, leases): (BTreeMap<AtomId, u64>, BTreeMap<Resource, u64>),
        cause: Cause,
        notes: Option<Notebook>,
        lifetime: Lifetime,
    ) -> HostApi {
        let fit = Fit::new(caller.runtime.shared().config.action.answer_bytes_max);
        let methods = Methods::of(&caller.runtime);
        HostApi {
            caller,
            methods,
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
    pub(crate) fn lease_of(&self, resource: &Resource) -> Option<u64> {
        self.leases.get(resource).copied()
    }

    /// Forgets the token of a lease that is given back.
    pub fn forget_lease(&mut self, resource: &Resource) {
        self.leases.remove(resource);
    }

    /// A change of an atom that the code has leased rests on that lease.
    pub fn rest_on(&self, id: AtomId, why: &mut WriteOptions) {
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
            Some(COORDINATOR) => self.method(On::Coordinator, SpaceId([0; 16]), call).await,
            Some(handle) => self.method(On::Space, SpaceId(handle.to_be_bytes()), call).await,
            None if call.name == BUDGET => self.budget(call).await,
            None => self.tool(call, asked).await,
        }
    }

    /// Remembers the atoms of an answer that is given again.
    pub fn recall(&mut self, item: &Item) {
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

    /// A method of a space, or of `coordinator`, which has the space of no bytes.
    async fn method(&mut self, on: On, space: SpaceId, call: HostCall) -> Result<Item, Raise> {
        if call.name == ATTRIBUTE {
            return self.attribute(on, space, &call).await;
        }
        let Some(method) = method(&self.methods, on, &call.name) else {
            return Err(no_method(&self.methods, on, &call.name));
        };
        let args = Args::bound(call, method)?;
        (method.call)(self, space, args).await
    }

    async fn attribute(&self, on: On, space: SpaceId, call: &HostCall) -> Result<Item, Raise> {
        let asked = match call.args.first() {
            Some(Item::Value(Value::Text(name))) => name.as_str(),
            _ => "such attribute",
        };
        if on == On::Space && asked == "description" {
            self.caller.level(space).ok_or_else(|| refused(Problem::no_space("here")))?;
            return self.caller.description(space).await.map(items::text).map_err(refused);
        }
        Err(no_method(&self.methods, on, asked))
    }

    /// Notes the version that the code is handed.
    pub fn note(&mut self, read: &ReadAtom) -> Item {
        self.remember(read.atom.id, read.atom.version);
        self.fit.one(&read.atom, read.position)
    }

    /// Remembers that the session has seen this version.
    pub fn remember(&mut self, id: AtomId, version: u64) {
        let most = self.caller.runtime.shared().config.seen_atoms_max;
        if self.seen.len() >= most && !self.seen.contains_key(&id) {
            // The oldest id goes: ids are made in order of time.
            self.seen.pop_first();
        }
        self.seen.insert(id, version);
    }

    /// The atom that a call is about.
    pub async fn id(&self, args: &mut Args) -> Result<AtomId, Raise> {
        match args.atom()? {
            Item::Value(Value::Text(text)) => self.caller.atom_id(&text).await.map_err(refused),
            item => items::id(&item),
        }
    }

    /// An atom by itself, its id or the end of one, or by the name that it has in a transaction.
    pub async fn named_id(
        &self,
        item: &Item,
        named: &BTreeMap<String, AtomId>,
    ) -> Result<AtomId, Raise> {
        match item {
            Item::Value(Value::Text(text)) => match text.strip_prefix('@') {
                Some(name) => named.get(name).copied().ok_or_else(|| {
                    raise("ValueError", format!("nothing before is put as {name:?}"))
                }),
                None => self.caller.atom_id(text).await.map_err(refused),
            },
            item => items::id(item),
        }
    }

    /// `{"blocked_by": [id, …]}`; one target may stand without its list.
    pub async fn references(
        &self,
        item: Option<Item>,
        named: &BTreeMap<String, AtomId>,
    ) -> Result<BTreeMap<String, Vec<AtomId>>, Raise> {
        let mut out = BTreeMap::new();
        for (relation, targets) in item.map(items::targets).transpose()?.unwrap_or_default() {
            let mut ids = Vec::with_capacity(targets.len());
            for target in &targets {
                ids.push(self.named_id(target, named).await?);
            }
            out.insert(relation, ids);
        }
        Ok(out)
    }

    /// The base of a change: what was said, else the version that the code was handed.
    pub fn expect(&self, id: AtomId, args: &mut Args) -> Result<Expect, Raise> {
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
    pub async fn conflict(&self, id: AtomId, problem: Problem) -> Raise {
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

    /// The comment, key and cause of a write, out of its arguments; `verb` stands for a comment.
    ///
    /// Errors: `TypeError` for a comment or key that is no text.
    pub fn why(&self, args: &mut Args, verb: &str) -> Result<WriteOptions, Raise> {
        let comment = args.text("comment")?.unwrap_or_else(|| format!("{verb} by code"));
        let key = args.text("key")?;
        Ok(WriteOptions { cause: self.cause, key, ..WriteOptions::comment(comment) })
    }

    /// A name for this call that it has whenever the action is run again, and in every try of the
    /// turn: by what it asks, for a try may take another way.
    pub fn place(&self) -> String {
        let (asked, times) = self.now;
        let asked: String = asked.0[..8].iter().map(|it| format!("{it:02x}")).collect();
        format!("{}-{asked}-{times}", self.action)
    }

    /// With that name as its key, unless the code has said one. What it rests on besides what it
    /// asks, as the versions that the code has seen, makes it another request.
    pub fn keyed(&self, why: WriteOptions, basis: &impl Serialize) -> WriteOptions {
        let tokens: Vec<u64> = why.fences.iter().map(|it| it.token).collect();
        let basis = digest(DIGEST_FORM, &(basis, tokens)).unwrap_or_default();
        let basis: String = basis.0[..4].iter().map(|it| format!("{it:02x}")).collect();
        let key = || Some(format!("{}-{basis}", self.place()));
        WriteOptions { key: why.key.clone().or_else(key), ..why }
    }

    /// The same of what is asked anew in every try: what a failed one has leased is given back.
    pub fn tried(&self, why: WriteOptions) -> WriteOptions {
        let key = || Some(format!("{}-{}", self.attempt, self.calls));
        WriteOptions { key: why.key.clone().or_else(key), ..why }
    }
}

fn method(methods: &[&'static Method], on: On, name: &str) -> Option<&'static Method> {
    methods.iter().copied().find(|it| it.on == on && it.name == name)
}

fn no_method(methods: &[&'static Method], on: On, name: &str) -> Raise {
    let all: Vec<&str> = methods.iter().filter(|it| it.on == on).map(|it| it.name).collect();
    let (what, besides) = match on {
        On::Space => ("a Space", ", and name, id, level, description"),
        On::Coordinator => ("coordinator", ""),
    };
    let text = match nearest(name, all.iter().copied()) {
        Some(near) => format!("{what} has no {name}; there is {near}"),
        None => format!("{what} has no {name}; it has {}{besides}", all.join(", ")),
    };
    raise("AttributeError", text)
}

/// A no as the code gets it.
pub fn refused(problem: Problem) -> Raise {
    let class = match problem.kind {
        ProblemKind::Unknown => "LookupError",
        ProblemKind::Forbidden => "PermissionError",
        ProblemKind::Conflict => "Conflict",
        ProblemKind::Invalid => "ValueError",
        ProblemKind::Busy | ProblemKind::Store | ProblemKind::Action => "RuntimeError",
    };
    raise(class, problem.text)
}
