//! What the log must hold, by the list of commits alone. It shares no code with the fold, and looks
//! at the whole list anew for each commit in it.

use std::collections::{BTreeMap, BTreeSet};
use stoa::store::LogEntry;
use stoa_actors::commit::{Commit, CommitWork};
use stoa_actors::id::StreamId;
use stoa_actors::incarnation::Append;
use stoa_actors::log::Hash;
use stoa_actors::redaction::REDACTIONS;

/// Which of the commits count.
fn counted(stands: &[Commit]) -> Vec<bool> {
    let mut counts: Vec<bool> = Vec::new();
    let mut lengths: BTreeMap<StreamId, u64> = BTreeMap::new();
    for (at, commit) in stands.iter().enumerate() {
        let before = || stands[..at].iter().zip(&counts);
        let id = commit.id;
        let first = before().all(|(it, _)| it.id != id);
        let newest = before().all(|(it, _)| it.id.node != id.node || it.id.epoch <= id.epoch);
        // Each that stands for the first time in its life counts, or the life ends there.
        let mut seen = BTreeSet::new();
        let same_life = |it: &Commit| (it.id.node, it.id.epoch) == (id.node, id.epoch);
        let firsts = before().filter(|(it, _)| same_life(it) && seen.insert(it.id));
        let (mut unbroken, mut number) = (true, 1);
        for (_, counts) in firsts {
            (unbroken, number) = (unbroken && *counts, number + 1);
        }
        let mut then = lengths.clone();
        let mut follows = |it: &Append| {
            let length = then.entry(it.stream).or_default();
            *length += 1;
            *length == it.seq
        };
        let follow = match &commit.work {
            CommitWork::Entries(entries) => entries.iter().all(&mut follows),
            CommitWork::Redaction(_) => true,
        };
        let count = first && newest && unbroken && id.number == number && follow;
        if count {
            lengths = then;
        }
        counts.push(count);
    }
    counts
}

/// How many entries the list makes, without those that account for redactions.
pub(crate) fn entries(stands: &[Commit]) -> usize {
    let counted = stands.iter().zip(counted(stands)).filter(|(_, counts)| *counts);
    let entries = counted.map(|(it, _)| match &it.work {
        CommitWork::Entries(entries) => entries.len(),
        CommitWork::Redaction(_) => 0,
    });
    entries.sum()
}

/// Holds a log against the list: the same entries in the same sequence, each chained to the one
/// before, and behind a redaction the entry that accounts for it.
pub(crate) fn holds(stands: &[Commit], log: &[LogEntry]) -> Result<(), String> {
    let counts = counted(stands);
    let applied = stands.iter().zip(&counts).filter(|(_, counts)| **counts).map(|(it, _)| it);
    let mut left = log.iter().peekable();
    for commit in applied {
        let CommitWork::Entries(entries) = &commit.work else {
            left.next_if(|it| it.header.stream == REDACTIONS);
            continue;
        };
        for it in entries {
            let found = left.next().map(|it| (it.header.stream, it.header.seq, it.header.body));
            if found != Some((it.stream, it.seq, it.digest)) {
                return Err(format!("{found:?} stands where {} has {it:?}", commit.id));
            }
        }
    }
    if let Some(more) = left.next() {
        return Err(format!("{} is in the log and not in the order", more.position));
    }
    let mut previous = Hash::default();
    for (at, LogEntry { position, header, .. }) in (1u64..).zip(log) {
        if position.0 != at || header.previous != previous {
            return Err(format!("chain: {position} does not follow {previous}"));
        }
        let stream = &header.stream.0[..];
        let bytes = [&header.previous.0[..], stream, &header.seq.to_be_bytes(), &header.body.0];
        previous = Hash::of(&[&at.to_be_bytes()[..], &bytes.concat()].concat());
    }
    Ok(())
}
