//! What the code's calls do: claims, leases and transactions.
//!
//! The session remembers the token of every lease that its code was handed, as it does the version
//! of every atom: a change of a leased atom rests on that token, so that code which was away for
//! longer than its lease changes nothing.

use super::args::Args;
use super::hands::{Hands, refused};
use super::items::{self, raise};
use crate::caller::{ClaimAsk, Why};
use std::collections::BTreeMap;
use stoa_actors::atom::Metadata;
use stoa_actors::code::{Item, Raise};
use stoa_actors::id::{AtomId, SpaceId};
use stoa_actors::space::{Draft, Expect, Fence, Lease, Mutation, Patch, Resource, Wanted};
use stoa_actors::value::Value;

/// How long something is leased when the code does not say.
const LEASE_DEFAULT: &str = "10m";

impl Hands {
    /// The atom with its lease, or None.
    pub(super) async fn claim(&mut self, space: SpaceId, mut args: Args) -> Result<Item, Raise> {
        let query = args.text("query")?;
        let metadata = args.take("metadata").map(items::metadata).transpose()?.unwrap_or_default();
        let references =
            args.take("references").map(items::conditions).transpose()?.unwrap_or_default();
        let set = args.take("set").map(items::metadata).transpose()?.unwrap_or_default();
        let lease_ms = args.span("lease", LEASE_DEFAULT)?;
        let intent = args.text("intent")?.unwrap_or_default();
        let why = self.why(&mut args, "claim")?;
        let why = self.tried(why);
        args.end()?;
        let wanted = Wanted { metadata, references };
        let asked = wanted.metadata.clone();
        let ask = ClaimAsk { query, wanted, set, lease_ms, intent, ..ClaimAsk::default() };
        let Some(taken) = self.caller.claim(space, ask, why).await.map_err(refused)? else {
            // Not worth an index of its own: workers ask in vain all the time.
            if self.caller.runtime.searches().card(space).is_some() {
                self.remark(space, &asked).await?;
            }
            return Ok(Item::Value(Value::Null));
        };
        let Item::Object(mut atom) = self.fit.one(&taken.read.atom, taken.read.position) else {
            return Err(raise("SystemError", "an atom is an object"));
        };
        atom.fields.push(("lease".into(), lease(&taken.lease)));
        let item = Item::Object(atom);
        self.recall(&item);
        Ok(item)
    }

    pub(super) async fn acquire(&mut self, space: SpaceId, mut args: Args) -> Result<Item, Raise> {
        let resource = resource(&mut args)?;
        let ttl_ms = args.span("lease", LEASE_DEFAULT)?;
        let intent = args.text("intent")?.unwrap_or_default();
        let why = self.why(&mut args, "acquire")?;
        let why = self.tried(why);
        args.end()?;
        let got = self.caller.acquire(space, resource, ttl_ms, intent, why).await;
        let item = lease(&got.map_err(refused)?);
        self.recall(&item);
        Ok(item)
    }

    pub(super) async fn renew(&mut self, space: SpaceId, mut args: Args) -> Result<Item, Raise> {
        let resource = resource(&mut args)?;
        let ttl_ms = args.span("lease", LEASE_DEFAULT)?;
        let token = self.token(&resource, args.number("token")?)?;
        let why = self.why(&mut args, "renew")?;
        let why = self.tried(why);
        args.end()?;
        let fence = Fence { resource, token };
        let got = self.caller.renew(space, fence, ttl_ms, why).await.map_err(refused)?;
        Ok(lease(&got))
    }

    pub(super) async fn release(&mut self, space: SpaceId, mut args: Args) -> Result<Item, Raise> {
        let resource = resource(&mut args)?;
        let undo = args.truth("undo")?;
        let token = self.token(&resource, args.number("token")?)?;
        let why = self.why(&mut args, "release")?;
        let why = self.tried(why);
        args.end()?;
        let released = self.caller.release(space, resource.clone(), Some(token), undo, why).await;
        released.map_err(refused)?;
        self.forget_lease(&resource);
        Ok(Item::Value(Value::Null))
    }

    pub(super) async fn leases(&mut self, space: SpaceId, args: Args) -> Result<Item, Raise> {
        args.end()?;
        let all = self.caller.leases(space).await.map_err(refused)?;
        Ok(Item::List(all.iter().map(lease).collect()))
    }

    fn token(&self, resource: &Resource, said: Option<u64>) -> Result<u64, Raise> {
        said.or_else(|| self.lease_of(resource)).ok_or_else(|| {
            raise("ValueError", format!("this session has no lease of {resource}; say token="))
        })
    }

    /// `[{"put": "text", …}, {"update": id, …}, {"deprecate": id}, {"release": id}]`; an atom that
    /// is put `"as"` a name is referred to as `"@name"` behind it.
    pub(super) async fn transaction(
        &mut self,
        space: SpaceId,
        mut args: Args,
    ) -> Result<Item, Raise> {
        let shape = "transaction() takes a list of dicts, {\"put\": text} for instance";
        let list = match args.take("changes") {
            Some(Item::List(list)) => list,
            Some(Item::Value(Value::List(list))) => list.into_iter().map(Item::Value).collect(),
            _ => return Err(raise("TypeError", shape)),
        };
        let mut why = self.why(&mut args, "transaction")?;
        args.end()?;
        let mut named = BTreeMap::new();
        let (mut mutations, mut released) = (Vec::new(), Vec::new());
        for (place, item) in (0..).zip(list) {
            let Some(mut change) = Args::of("transaction", item) else {
                return Err(raise("TypeError", shape));
            };
            let mutation = self.mutation(&mut change, place, &mut named, &mut why)?;
            change.end()?;
            if let Mutation::Release { resource, .. } = &mutation {
                released.push(resource.clone());
            }
            mutations.push(mutation);
        }
        let why = self.keyed(why, &mutations);
        let written = self.caller.transact(space, mutations, why).await.map_err(refused)?;
        released.iter().for_each(|it| self.forget_lease(it));
        let mut made = Vec::with_capacity(written.len());
        for it in written {
            let read = self.caller.get_version(it.id, it.version).await.map_err(refused)?;
            made.push(self.note(&read));
        }
        Ok(Item::List(made))
    }

    fn mutation(
        &self,
        args: &mut Args,
        place: u64,
        named: &mut BTreeMap<String, AtomId>,
        why: &mut Why,
    ) -> Result<Mutation, Raise> {
        let metadata = |args: &mut Args| {
            Ok::<Metadata, Raise>(
                args.take("metadata").map(items::metadata).transpose()?.unwrap_or_default(),
            )
        };
        if let Some(content) = args.take("put") {
            let references = args.take("references").map(|it| items::named_references(it, named));
            let references = references.transpose()?.unwrap_or_default();
            let content = items::content(content, args.text("media_type")?)?;
            let annotation = args.text("annotation")?.unwrap_or_default();
            let metadata = metadata(args)?;
            let id = match args.text("as")? {
                Some(name) => {
                    let id = AtomId(self.fresh(place));
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
            let id = items::named_id(&id, named)?;
            let references = args.take("references").map(|it| items::named_references(it, named));
            let references = references.transpose()?.unwrap_or_default();
            let content = args.take("content").filter(|it| *it != Item::Value(Value::Null));
            let media_type = args.text("media_type")?;
            let content = content.map(|it| items::content(it, media_type)).transpose()?;
            let annotation = args.text("annotation")?;
            let expect = args.take("expect").map(items::metadata).transpose()?.unwrap_or_default();
            let version = self.expected(id, args, named)?;
            let metadata = metadata(args)?;
            self.rest_on(id, why);
            let embedding = None;
            let attempts = None;
            let patch =
                Patch { expect, content, annotation, metadata, references, attempts, embedding };
            return Ok(Mutation::Update { id, expect: version, patch: Box::new(patch) });
        }
        if let Some(id) = args.take("deprecate") {
            let id = items::named_id(&id, named)?;
            let by = args.take("superseded_by").filter(|it| *it != Item::Value(Value::Null));
            let superseded_by = by.map(|it| items::named_id(&it, named)).transpose()?;
            let expect = self.expected(id, args, named)?;
            self.rest_on(id, why);
            return Ok(Mutation::Deprecate { id, expect, superseded_by });
        }
        if args.has("release") {
            let resource = resource_of(args.take("release"))?;
            let undo = args.truth("undo")?;
            let token = Some(self.token(&resource, args.number("token")?)?);
            return Ok(Mutation::Release { resource, token, undo });
        }
        Err(raise("ValueError", "a change is one of put, update, deprecate and release"))
    }

    /// The base of a change; an atom of the same transaction has no other.
    fn expected(
        &self,
        id: AtomId,
        args: &mut Args,
        named: &BTreeMap<String, AtomId>,
    ) -> Result<Expect, Raise> {
        if named.values().any(|it| *it == id) { Ok(Expect::Any) } else { self.expect(id, args) }
    }
}

/// An atom by itself or its id, or the name of anything else.
fn resource(args: &mut Args) -> Result<Resource, Raise> {
    resource_of(args.take("resource"))
}

fn resource_of(item: Option<Item>) -> Result<Resource, Raise> {
    match item {
        Some(Item::Value(Value::Text(name))) => Ok(Resource::named(&name)),
        Some(item @ Item::Object(_)) => items::id(&item).map(Resource::Atom),
        _ => Err(raise("TypeError", "a lease is of an atom, or of something with a name")),
    }
}

/// A lease as the code sees it: plain data.
fn lease(lease: &Lease) -> Item {
    let number = |it: u64| Item::Value(Value::Int(it as i64));
    let resource = match &lease.resource {
        Resource::Atom(id) => items::text(id),
        Resource::Name(name) => items::text(name),
    };
    Item::Map(vec![
        ("resource".into(), resource),
        ("token".into(), number(lease.token)),
        ("until".into(), number(lease.until.0)),
        ("holder".into(), items::text(lease.holder)),
        ("intent".into(), items::text(&lease.intent)),
    ])
}

/// The resource and the token of a lease that the code was handed.
pub(super) fn leased(item: &Item) -> Option<(Resource, u64)> {
    let Item::Map(fields) = item else { return None };
    let field = |name: &str| fields.iter().find(|(key, _)| key == name).map(|(_, it)| it);
    match (field("resource"), field("token"), field("until")) {
        (Some(Item::Value(Value::Text(name))), Some(Item::Value(Value::Int(token))), Some(_)) => {
            Some((Resource::named(name), *token as u64))
        }
        _ => None,
    }
}
