//! Several changes of one space, all or none.

use super::resource;
use crate::answer::{AtomAnswer, UndeclaredAnswer};
use crate::caller::{Caller, WriteOptions};
use crate::operation::{
    Arg, ArgForm, EffectKind, Meta, Needed, Operation, Out, Plain, Quiet, RequiredRight, Targets,
    WHY, base, content, some, why,
};
use crate::problem::{Problem, ProblemKind};
use crate::session::items::{self, raise};
use crate::session::{Args, CallFuture, Does, HostApi, Method, On, refused};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use stoa_actors::atom::{Content, Metadata};
use stoa_actors::code::{Item, Raise};
use stoa_actors::id::{AtomId, SpaceId};
use stoa_actors::rights::Level;
use stoa_actors::space::{Draft, Expect, Mutation, Patch};
use stoa_actors::value::Value;

/// Make several changes in one space: all of them or none
///
/// One change per line, as JSON: `{"put": "text", "metadata": {...}, "as": "a name"}`,
/// `{"update": ID, "if_version": 1, "metadata": {...}}`, `{"deprecate": ID, "force": true}`,
/// `{"release": RESOURCE, "token": 7}`. An atom that is put "as" a name is called "@name" in the
/// lines after it: `{"put": "then", "references": {"blocked_by": ["@a name"]}}`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Transaction {
    /// The space's name or id
    pub space: String,
    /// The changes: a file of JSON Lines, or - for stdin [default: stdin if it is piped]
    pub changes: Vec<TransactionLine>,
    /// Why the change is made; shown in the history and to followers of the space
    #[serde(default)]
    pub comment: Option<String>,
    /// Idempotency key: a repeated command with the same key takes effect once
    #[serde(default)]
    pub key: Option<String>,
}

/// One change: exactly one of `put`, `update`, `deprecate` and `release`.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TransactionLine {
    /// What a new atom says: text, or any JSON; null with `base64` beside it.
    #[serde(deserialize_with = "some", skip_serializing_if = "Option::is_none")]
    pub put: Option<Plain>,
    /// The id of an atom to change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub update: Option<String>,
    /// The id of an atom to take out of search.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deprecate: Option<String>,
    /// What is leased and is to be given back: an atom's id, or a name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub release: Option<String>,
    /// What a new atom is called in the changes behind it.
    #[serde(rename = "as", skip_serializing_if = "Option::is_none")]
    pub named: Option<String>,
    /// The new content as text, of an update.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// The new content as JSON, of an update.
    #[serde(deserialize_with = "some", skip_serializing_if = "Option::is_none")]
    pub json: Option<Plain>,
    /// The content as bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base64: Option<String>,
    /// Of which type the bytes are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    /// What it is about, for search.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub annotation: Option<String>,
    /// Key and value; null removes a key.
    pub metadata: Meta,
    /// What it refers to.
    pub references: Targets,
    /// Only if its metadata says so.
    pub expect: Meta,
    /// The version you have read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub if_version: Option<u64>,
    /// Whatever version it is at.
    pub force: bool,
    /// The atom to read instead, of a deprecation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub superseded_by: Option<String>,
    /// The token of the lease.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<u64>,
    /// Put back what the claim has set.
    pub undo: bool,
}

const CHANGES: Needed =
    Needed { what: "the transaction", hint: "stoa transaction SPACE FILE.jsonl" };

impl Operation for Transaction {
    const NAME: &'static str = "transaction";
    const EFFECT: EffectKind = EffectKind::Writes;
    const RIGHT: RequiredRight = RequiredRight::On(Level::Append);
    const ARGS: &'static [&'static [Arg]] =
        &[&[Arg::at("space", ArgForm::Text), Arg::at("changes", ArgForm::JsonLines(CHANGES))], WHY];
    const METHODS: &'static [Method] = &[Method {
        on: On::Space,
        name: "transaction",
        takes: &["changes", "comment=None", "key=None"],
        does: Does::Writes,
        call: called,
    }];
    const QUIET: Quiet = Quiet::Field("/id");
    type Answer = AtomAnswer;

    async fn perform(self, caller: &Caller, out: &Out<AtomAnswer>) -> Result<(), Problem> {
        let space = caller.resolve(&self.space)?;
        let why = why(self.comment, self.key, || format!("transaction in {}", self.space))?;
        let mut ids = Ids { caller, space, named: BTreeMap::new(), key: why.key.clone() };
        let mut mutations = Vec::with_capacity(self.changes.len());
        for (place, change) in (1..).zip(self.changes) {
            let mutation = ids.mutation(change).await.map_err(|problem| Problem {
                text: format!("change {place}: {}", problem.text),
                hint: Some("--help".to_owned()),
                ..problem
            })?;
            mutations.push(mutation);
        }
        let said = mutations.iter().map(said).collect();
        let mut undeclared = UndeclaredAnswer::of(caller, space, said).await?;
        let written = caller.transact(space, mutations, why).await?;
        for (left, it) in (0..written.len()).rev().zip(written) {
            let read = caller.get_version(it.id, it.version).await?;
            // It is one entry: who hears of it, and what is not declared, is told behind the last.
            out.tell(match left {
                0 => {
                    let strays = std::mem::take(&mut undeclared);
                    AtomAnswer::written(caller, &read).await?.with(strays)
                }
                _ => AtomAnswer::of(caller, &read),
            })
            .await?;
        }
        Ok(())
    }
}

/// The metadata and the relations that a change sets.
fn said(mutation: &Mutation) -> (Metadata, Vec<String>) {
    match mutation {
        Mutation::Put(it) => (it.metadata.clone(), it.references.keys().cloned().collect()),
        Mutation::Update { patch, .. } => (patch.metadata.clone(), patch.relations()),
        _ => Default::default(),
    }
}

/// What a new atom says; null is a key that it has not.
fn without_null(metadata: Meta) -> Metadata {
    metadata.0.into_iter().filter(|(_, it)| *it != Value::Null).collect()
}

/// The atoms that changes name.
struct Ids<'a> {
    caller: &'a Caller,
    space: SpaceId,
    named: BTreeMap<String, AtomId>,
    /// With one, what is put has the same id whenever it is asked again.
    key: Option<String>,
}

impl Ids<'_> {
    async fn id(&self, text: &str) -> Result<AtomId, Problem> {
        match text.strip_prefix('@') {
            Some(name) => self.named.get(name).copied().ok_or_else(|| {
                Problem::new(
                    ProblemKind::Invalid,
                    format!("no earlier line puts an atom as {name:?}"),
                )
            }),
            None => self.caller.atom_id(text).await,
        }
    }

    async fn references(&self, of: Targets) -> Result<BTreeMap<String, Vec<AtomId>>, Problem> {
        let mut out = BTreeMap::new();
        for (relation, texts) in of.0 {
            let mut ids = Vec::with_capacity(texts.len());
            for text in &texts {
                ids.push(self.id(text).await?);
            }
            out.insert(relation, ids);
        }
        Ok(out)
    }

    /// An atom of the same transaction has no version that anybody has read.
    fn base(&self, id: AtomId, change: &TransactionLine) -> Result<Expect, Problem> {
        match self.named.values().any(|it| *it == id) || !change.expect.0.is_empty() {
            true => Ok(change.if_version.map_or(Expect::Any, Expect::Version)),
            false => base(id, change.if_version, change.force),
        }
    }

    fn fresh(&self, name: &str) -> AtomId {
        match &self.key {
            Some(key) => AtomId(self.caller.fresh_of(&format!("transaction {key} {name}"))),
            None => AtomId(self.caller.fresh()),
        }
    }

    async fn mutation(&mut self, mut change: TransactionLine) -> Result<Mutation, Problem> {
        let said = [
            change.put.is_some(),
            change.update.is_some(),
            change.deprecate.is_some(),
            change.release.is_some(),
        ];
        if said.iter().filter(|it| **it).count() != 1 {
            let text = "a change has exactly one of put, update, deprecate and release";
            return Err(Problem::new(ProblemKind::Invalid, text));
        }
        let references = self.references(std::mem::take(&mut change.references)).await?;
        if let Some(Plain(put)) = change.put.take() {
            let (text, json) = match put {
                Value::Text(text) => (Some(text), None),
                Value::Null if change.base64.is_some() => (None, None),
                other => (None, Some(Plain(other))),
            };
            let content = content(text, json, change.base64, change.media_type)?;
            let id = change.named.map(|name| {
                let id = self.fresh(&name);
                self.named.insert(name, id);
                id
            });
            return Ok(Mutation::Put(Box::new(Draft {
                id,
                content: content.unwrap_or_default(),
                annotation: change.annotation.unwrap_or_default(),
                metadata: without_null(change.metadata),
                references,
                embedding: None,
            })));
        }
        if let Some(id) = &change.update {
            let id = self.id(id).await?;
            let expect = self.base(id, &change)?;
            let content = content(change.content, change.json, change.base64, change.media_type)?;
            let patch = Patch {
                expect: change.expect.0,
                content,
                annotation: change.annotation,
                metadata: change.metadata.0,
                references,
                attempts: None,
                embedding: None,
            };
            return Ok(Mutation::Update { id, expect, patch: Box::new(patch) });
        }
        if let Some(id) = &change.deprecate {
            let id = self.id(id).await?;
            let expect = self.base(id, &change)?;
            let superseded_by = match &change.superseded_by {
                Some(by) => Some(self.id(by).await?),
                None => None,
            };
            return Ok(Mutation::Deprecate { id, expect, superseded_by });
        }
        let resource = change.release.unwrap_or_default();
        let resource = self.caller.resource(self.space, &resource).await?;
        let (token, undo) = (change.token, change.undo);
        if token.is_none() {
            let text = "a release needs \"token\", the token of the lease";
            return Err(Problem::new(ProblemKind::Invalid, text));
        }
        Ok(Mutation::Release { resource, token, undo })
    }
}

/// `[{"put": "text", …}, {"update": id, …}, {"deprecate": id}, {"release": id}]`; an atom that
/// is put `"as"` a name is referred to as `"@name"` behind it.
fn called(api: &mut HostApi, space: SpaceId, mut args: Args) -> CallFuture<'_> {
    Box::pin(async move {
        let shape = "transaction() takes a list of dicts, {\"put\": text} for instance";
        let list = match args.take("changes") {
            Some(Item::List(list)) => list,
            Some(Item::Value(Value::List(list))) => list.into_iter().map(Item::Value).collect(),
            _ => return Err(raise("TypeError", shape)),
        };
        let mut why = api.why(&mut args, "transaction")?;
        let mut named = BTreeMap::new();
        let (mut mutations, mut released) = (Vec::new(), Vec::new());
        for (place, item) in (0..).zip(list) {
            let Some(mut change) = Args::of("transaction", item) else {
                return Err(raise("TypeError", shape));
            };
            let mutation = mutation(api, space, &mut change, place, &mut named, &mut why).await?;
            change.end()?;
            if let Mutation::Release { resource, .. } = &mutation {
                released.push(resource.clone());
            }
            mutations.push(mutation);
        }
        let why = api.keyed(why, &mutations);
        let written = api.caller.transact(space, mutations, why).await.map_err(refused)?;
        released.iter().for_each(|it| api.forget_lease(it));
        let mut made = Vec::with_capacity(written.len());
        for it in written {
            let read = api.caller.get_version(it.id, it.version).await.map_err(refused)?;
            made.push(api.note(&read));
        }
        Ok(Item::List(made))
    })
}

async fn mutation(
    api: &HostApi,
    space: SpaceId,
    args: &mut Args,
    place: u64,
    named: &mut BTreeMap<String, AtomId>,
    why: &mut WriteOptions,
) -> Result<Mutation, Raise> {
    let metadata = |args: &mut Args| {
        Ok::<Metadata, Raise>(
            args.take("metadata").map(items::metadata).transpose()?.unwrap_or_default(),
        )
    };
    if let Some(said) = args.take("put") {
        let references = api.references(args.take("references"), named).await?;
        let content: Content = items::content(said, args.text("media_type")?)?;
        let annotation = args.text("annotation")?.unwrap_or_default();
        let metadata = metadata(args)?;
        let id = match args.text("as")? {
            Some(name) => {
                let id = AtomId(api.fresh(place));
                named.insert(name, id);
                Some(id)
            }
            None => None,
        };
        let embedding = None;
        let draft = Draft { id, content, annotation, metadata, references, embedding };
        return Ok(Mutation::Put(Box::new(draft)));
    }
    if let Some(id) = args.take("update") {
        let id = api.named_id(&id, named).await?;
        let references = api.references(args.take("references"), named).await?;
        let content = args.said("content");
        let media_type = args.text("media_type")?;
        let content = content.map(|it| items::content(it, media_type)).transpose()?;
        let annotation = args.text("annotation")?;
        let expect = args.take("expect").map(items::metadata).transpose()?.unwrap_or_default();
        let version = expected(api, id, args, named)?;
        let metadata = metadata(args)?;
        api.rest_on(id, why);
        let embedding = None;
        let attempts = None;
        let patch =
            Patch { expect, content, annotation, metadata, references, attempts, embedding };
        return Ok(Mutation::Update { id, expect: version, patch: Box::new(patch) });
    }
    if let Some(id) = args.take("deprecate") {
        let id = api.named_id(&id, named).await?;
        let by = args.said("superseded_by");
        let superseded_by = match by {
            Some(by) => Some(api.named_id(&by, named).await?),
            None => None,
        };
        let expect = expected(api, id, args, named)?;
        api.rest_on(id, why);
        return Ok(Mutation::Deprecate { id, expect, superseded_by });
    }
    if args.has("release") {
        let resource = resource(&api.caller, space, args.take("release")).await?;
        let undo = args.truth("undo")?;
        let token = Some(api.token(&resource, args.number("token")?)?);
        return Ok(Mutation::Release { resource, token, undo });
    }
    Err(raise("ValueError", "a change is one of put, update, deprecate and release"))
}

/// The base of a change; an atom of the same transaction has no other.
fn expected(
    api: &HostApi,
    id: AtomId,
    args: &mut Args,
    named: &BTreeMap<String, AtomId>,
) -> Result<Expect, Raise> {
    if named.values().any(|it| *it == id) { Ok(Expect::Any) } else { api.expect(id, args) }
}
