//! A copy that has gone on by itself is merged: what is here stays, what lost to it is kept aside,
//! each version once, in whatever pieces and however often the copy comes.

use super::{IMPORTER, INTO, Levels, Sim, Way, call};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use stoa_actors::atom::Atom;
use stoa_actors::behaviour::View;
use stoa_actors::id::AtomId;
use stoa_actors::incarnation::Request;
use stoa_actors::space::{ATTIC_OF, ATTIC_VERSION, ImportedVersion, Merge, Message, Reply};
use stoa_actors::value::Value;

pub(super) fn hold(target: &mut Sim, all: &[ImportedVersion], way: &Way) -> Result<(), String> {
    let Some(from) = all.get(usize::from(way.bent) % all.len().max(1)) else { return Ok(()) };
    let copy = gone_on(all, from);
    let theirs: Vec<&ImportedVersion> =
        copy.iter().filter(|it| it.id == from.id && it.version >= from.version).collect();
    let before = atoms(target);
    if take(target, &copy, way)? != theirs.len() as u64 {
        return Err("merge: not every version that lost is kept aside".into());
    }
    let after = atoms(target);
    for (id, was) in &before {
        if after.get(id) != Some(was) {
            return Err(format!("merge: {was:?} is here no more: {:?}", after.get(id)));
        }
    }
    let aside: Vec<&Arc<Atom>> = after.values().filter(|it| !before.contains_key(&it.id)).collect();
    for it in &theirs {
        let of = Value::from(from.id.to_string());
        let kept = aside.iter().find(|kept| {
            kept.metadata.get(ATTIC_OF) == Some(&of)
                && kept.metadata.get(ATTIC_VERSION) == Some(&Value::Int(it.version as i64))
        });
        let says = kept.is_some_and(|kept| {
            let by = kept.deprecated.as_ref().and_then(|it| it.superseded_by);
            kept.annotation == it.annotation && kept.content == it.content && by == Some(from.id)
        });
        if !says {
            return Err(format!("merge: {it:?} is kept as {kept:?}"));
        }
    }
    let head = target.disk().head();
    if aside.len() != theirs.len() || take(target, &copy, way)? != 0 {
        return Err("merge: something is kept aside twice".into());
    }
    if target.disk().head() != head {
        return Err("merge: merged again it is not the same".into());
    }
    Ok(())
}

/// The same space, but for what became of one atom from one version on; and one more version of it.
fn gone_on(all: &[ImportedVersion], from: &ImportedVersion) -> Vec<ImportedVersion> {
    let mut copy = all.to_vec();
    for it in &mut copy {
        it.merge = Merge::Attic;
        if it.id == from.id && it.version >= from.version {
            it.annotation = format!("theirs {}", it.version);
            it.origin.event.0[0] ^= 0x55;
        }
    }
    let last = copy.iter().rev().find(|it| it.id == from.id).cloned();
    copy.extend(last.map(|last| ImportedVersion {
        version: last.version + 1,
        annotation: "theirs, and more".into(),
        ..last
    }));
    copy
}

fn atoms(sim: &Sim) -> BTreeMap<AtomId, Arc<Atom>> {
    let mut all = BTreeMap::new();
    sim.disk().each_atom(INTO, &mut |atom| drop(all.insert(atom.id, atom.clone())));
    all
}

/// As an importer does it: of what has lost the later versions are said to have lost.
fn take(sim: &mut Sim, all: &[ImportedVersion], way: &Way) -> Result<u64, String> {
    let (mut attic, mut losers, mut rest, mut turn) = (0, BTreeSet::new(), all, 0);
    while !rest.is_empty() {
        let length = usize::from(way.pieces[turn % way.pieces.len()]).min(rest.len());
        let mut piece = rest[..length].to_vec();
        for it in piece.iter_mut().filter(|it| losers.contains(&it.id)) {
            it.merge = Merge::Lost;
        }
        let message = Message::Import(piece);
        if way.lost[turn % way.lost.len()] {
            sim.ask_under(INTO.stream(), Request::new(IMPORTER, message.clone()), &Levels);
            sim.crash();
        }
        match call(sim, INTO, IMPORTER, message) {
            Ok(Reply::Merged { attic: more, lost, .. }) => {
                attic += more;
                losers.extend(lost);
            }
            other => return Err(format!("merge: a piece was refused: {other:?}")),
        }
        rest = &rest[length..];
        turn += 1;
    }
    Ok(attic)
}
