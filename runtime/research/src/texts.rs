//! The names of a run and its spaces, and the texts that its agents are given.

use super::ResearchAsk;
use crate::caller::{Caller, WriteOptions};
use crate::problem::Problem;
use stoa_actors::atom::{Content, Metadata};
use stoa_actors::id::SpaceId;
use stoa_actors::log::Hash;
use stoa_actors::search::Query;
use stoa_actors::space::{Draft, Expect, Patch};
use stoa_actors::value::Value;

/// A space of that name, made if need be: the same however often a crash cuts this off.
pub(super) async fn space_for(
    caller: &Caller,
    name: &str,
    description: &str,
) -> Result<SpaceId, Problem> {
    if let Ok(space) = caller.resolve(name) {
        return Ok(space);
    }
    let space = SpaceId(id(&format!("{} {name}", caller.session())));
    caller.create_space_as(space, name, description).await?;
    Ok(space)
}

/// A space that holds a text for agents, as it is shipped unless somebody has changed it.
pub(super) async fn instructions(caller: &Caller, name: &str, text: &str) -> Result<(), Problem> {
    let space = space_for(caller, name, "How an agent behaves; a text that may be changed").await?;
    let edition = Hash::of(text.as_bytes()).to_string();
    let metadata = Metadata::from([("edition".to_owned(), Value::Text(edition.clone()))]);
    let content = Content::Text(text.to_owned());
    let there = caller.search(space, Query { limit: 1, ..Query::default() }).await?;
    let why = WriteOptions::comment(format!("the text that comes with this build, {edition:.8}"));
    let Some(found) = there.first() else {
        let draft = Draft { content, metadata, ..Draft::default() };
        return caller.put(space, draft, why.key(edition)).await.map(drop);
    };
    let atom = &found.read.atom;
    let shipped = match (&atom.content, atom.metadata.get("edition").and_then(Value::text)) {
        (Content::Text(now), Some(known)) => Hash::of(now.as_bytes()).to_string() == known,
        _ => false,
    };
    if !shipped || atom.content == content {
        return Ok(());
    }
    let patch = Patch { content: Some(content), metadata, ..Patch::default() };
    caller.update(atom.id, Expect::Version(atom.version), patch, why).await.map(drop)
}
/// The id that a name always has.
pub(super) fn id(name: &str) -> [u8; 16] {
    let mut id = [0; 16];
    id.copy_from_slice(&Hash::of(name.as_bytes()).0[..16]);
    id
}

/// The documents, however they were named and in whatever order.
pub(super) fn paths_id(ask: &ResearchAsk) -> String {
    let mut paths: Vec<String> = ask.paths.iter().map(|it| it.display().to_string()).collect();
    paths.sort();
    paths.dedup();
    short(&paths.join("\0"))
}

pub(super) fn run_id(ask: &ResearchAsk) -> String {
    let of = [&ask.question, &paths_id(ask), &ask.agents.to_string(), &ask.model];
    short(&of.map(String::as_str).join("\0"))
}

fn short(text: &str) -> String {
    Hash::of(text.as_bytes()).to_string().chars().take(10).collect()
}
