//! [one-log] Every node that folds the commits of an order has the log that the list of them says,
//! whoever offered them and however often they stand; and what an offerer is told is so, once.
//!
//! The oracle knows no lives and no numbers that are kept: it looks at the whole list anew for each
//! commit in it.

use super::cases;
use proptest::prelude::*;
use proptest::test_runner::Config;
use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use stoa_actors::commit::{Authors, Commit, CommitId, CommitWork, Void, runs};
use stoa_actors::id::{NodeId, Position, StreamId};
use stoa_actors::incarnation::Append;
use stoa_actors::log::{Hash, Head};

const NODES: u8 = 3;
/// Few, so that nodes are in each other's way.
const STREAMS: u8 = 3;

#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// A node offers entries of these streams.
    Offer { node: u8, streams: Vec<u8> },
    /// The `nth` of what a node has on its way stands.
    Stand { node: u8, nth: usize },
    /// What stood stands again.
    Again { nth: usize },
    /// The first of what a node has on its way is refused.
    Refuse { node: u8 },
    /// A node takes up to so many of what stands.
    Take { node: u8, count: usize },
    /// A node dies and is opened again.
    Crash { node: u8 },
}

fn steps(most: usize) -> impl Strategy<Value = Vec<Step>> {
    let node = || 0..NODES;
    let step = prop_oneof![
        6 => (node(), prop::collection::vec(0..STREAMS, 1..4))
            .prop_map(|(node, streams)| Step::Offer { node, streams }),
        6 => (node(), prop_oneof![4 => Just(0_usize), 1 => 0..3_usize])
            .prop_map(|(node, nth)| Step::Stand { node, nth }),
        2 => (0..64_usize).prop_map(|nth| Step::Again { nth }),
        1 => node().prop_map(|node| Step::Refuse { node }),
        6 => (node(), 1..6_usize).prop_map(|(node, count)| Step::Take { node, count }),
        1 => node().prop_map(|node| Step::Crash { node }),
    ];
    prop::collection::vec(step, 1..most)
}

type Entry = (StreamId, u64, Hash);

#[derive(Clone, Default)]
struct Node {
    authors: Authors,
    seqs: BTreeMap<StreamId, u64>,
    head: Head,
    log: Vec<(Entry, Head)>,
    /// How many of what stands it has taken.
    taken: usize,
    epoch: u64,
    number: u64,
    /// The last numbers that it has decided.
    decided: BTreeMap<StreamId, u64>,
    flights: BTreeSet<CommitId>,
    /// Something was refused while what was offered before it is on its way: no other life begins
    /// before that is judged.
    ending: bool,
    told: Vec<(CommitId, bool)>,
}

impl Node {
    fn begin_anew(&mut self) {
        (self.epoch, self.number, self.ending) = (self.epoch + 1, 0, false);
        self.decided = self.seqs.clone();
        let flights = std::mem::take(&mut self.flights);
        self.told.extend(flights.into_iter().map(|it| (it, false)));
    }

    fn offer(&mut self, node: u8, streams: &[u8], digests: &mut u64) -> Commit {
        let entry = |stream: &u8| {
            let stream = StreamId([*stream; 16]);
            let seq = self.decided.entry(stream).or_insert(0);
            *seq += 1;
            *digests += 1;
            let body = digests.to_be_bytes().to_vec();
            let digest = Hash::of(&body);
            Append { stream, seq: *seq, body, digest, rows: Vec::new(), snapshot: None }
        };
        let entries = streams.iter().map(entry).collect();
        self.number += 1;
        let id = CommitId { node: NodeId([node; 16]), epoch: self.epoch, number: self.number };
        self.flights.insert(id);
        Commit { id, work: CommitWork::Entries(entries) }
    }

    fn refuse(&mut self, id: CommitId) {
        if self.flights.contains(&id) {
            let behind = self.flights.split_off(&id);
            self.told.extend(behind.into_iter().map(|it| (it, false)));
            self.ending = true;
            self.end();
        }
    }

    fn end(&mut self) {
        if self.ending && self.flights.is_empty() {
            self.begin_anew();
        }
    }

    fn take(&mut self, commit: &Commit) {
        let CommitWork::Entries(entries) = &commit.work else { return };
        let seqs = &self.seqs;
        let last = |stream| Ok::<_, Infallible>(seqs.get(&stream).copied().unwrap_or(0));
        let judged: Result<Result<_, Void>, Infallible> =
            self.authors.judge(commit.id, || runs(entries, last));
        let flies = self.flights.remove(&commit.id);
        match judged.unwrap_or_else(|never| match never {}) {
            Ok(runs) => {
                for Append { stream, seq, digest, .. } in entries {
                    self.head = self.head.then(*stream, *seq, *digest).1;
                    self.log.push(((*stream, *seq, *digest), self.head));
                }
                self.seqs.extend(runs.into_iter().map(|(stream, run)| (stream, run.last)));
                if flies {
                    self.told.push((commit.id, true));
                }
            }
            Err(_) if flies => {
                self.told.push((commit.id, false));
                self.begin_anew();
            }
            Err(_) => {}
        }
        self.end();
    }
}

/// Which of the commits count: each is held against all that stand before it.
fn counted(stands: &[Commit]) -> Vec<bool> {
    let mut counts: Vec<bool> = Vec::new();
    for (at, commit) in stands.iter().enumerate() {
        let before = || stands[..at].iter().zip(&counts);
        let same_life =
            |it: &Commit| it.id.node == commit.id.node && it.id.epoch == commit.id.epoch;
        let first = before().all(|(it, _)| it.id != commit.id);
        let newest =
            before().all(|(it, _)| it.id.node != commit.id.node || it.id.epoch <= commit.id.epoch);
        // Each that stands for the first time in its life counts, or the life ends there.
        let mut seen = BTreeSet::new();
        let firsts = before().filter(|(it, _)| same_life(it) && seen.insert(it.id));
        let firsts: Vec<bool> = firsts.map(|(_, counts)| *counts).collect();
        let unbroken = firsts.iter().all(|counts| *counts);
        let next = commit.id.number == firsts.len() as u64 + 1;
        let CommitWork::Entries(entries) = &commit.work else { continue };
        let mut lengths: BTreeMap<StreamId, u64> = BTreeMap::new();
        for (it, _) in before().filter(|(_, counts)| **counts) {
            let CommitWork::Entries(entries) = &it.work else { continue };
            entries.iter().for_each(|it| *lengths.entry(it.stream).or_default() += 1);
        }
        let follows = entries.iter().all(|it| {
            let length = lengths.entry(it.stream).or_default();
            *length += 1;
            *length == it.seq
        });
        counts.push(first && newest && unbroken && next && follows);
    }
    counts
}

pub(crate) fn run(steps: Vec<Step>) -> Result<(), String> {
    let mut nodes: Vec<Node> = vec![Node::default(); usize::from(NODES)];
    nodes.iter_mut().for_each(Node::begin_anew);
    let mut on_the_way: BTreeMap<u8, Vec<Commit>> = BTreeMap::new();
    let (mut stands, mut digests): (Vec<Commit>, u64) = (Vec::new(), 0);
    let mut refused = BTreeSet::new();
    for step in steps {
        match step {
            Step::Offer { node, streams } => {
                let offerer = &mut nodes[usize::from(node)];
                if !offerer.ending {
                    let commit = offerer.offer(node, &streams, &mut digests);
                    on_the_way.entry(node).or_default().push(commit);
                }
            }
            Step::Stand { node, nth } => {
                let mine = on_the_way.entry(node).or_default();
                if nth < mine.len() {
                    stands.push(mine.remove(nth));
                }
            }
            Step::Again { nth } if nth < stands.len() => stands.push(stands[nth].clone()),
            Step::Again { .. } => {}
            Step::Refuse { node } => {
                let mine = on_the_way.entry(node).or_default();
                if !mine.is_empty() {
                    let id = mine.remove(0).id;
                    refused.insert(id);
                    nodes[usize::from(node)].refuse(id);
                }
            }
            Step::Take { node, count } => {
                let node = &mut nodes[usize::from(node)];
                for commit in stands.iter().skip(node.taken).take(count) {
                    node.take(commit);
                    node.taken += 1;
                }
            }
            Step::Crash { node } => {
                let node = &mut nodes[usize::from(node)];
                // What was on its way is told nobody.
                node.flights.clear();
                node.begin_anew();
            }
        }
    }
    for node in &mut nodes {
        stands[node.taken..].iter().for_each(|commit| node.take(commit));
    }
    judge(&nodes, &stands, &refused)
}

fn judge(nodes: &[Node], stands: &[Commit], refused: &BTreeSet<CommitId>) -> Result<(), String> {
    let counts = counted(stands);
    let applied: Vec<&Commit> =
        stands.iter().zip(&counts).filter(|(_, counts)| **counts).map(|(it, _)| it).collect();
    let mut log: Vec<(Entry, Head)> = Vec::new();
    let mut head = Head::default();
    for commit in &applied {
        let CommitWork::Entries(entries) = &commit.work else { continue };
        for it in entries {
            let header = [&head.hash.0[..], &it.stream.0, &it.seq.to_be_bytes(), &it.digest.0];
            let position = Position(head.position.0 + 1);
            let hash = Hash::of(&[&position.0.to_be_bytes()[..], &header.concat()].concat());
            head = Head { position, hash };
            log.push(((it.stream, it.seq, it.digest), head));
        }
    }
    let ids: BTreeSet<CommitId> = applied.iter().map(|it| it.id).collect();
    for (n, node) in nodes.iter().enumerate() {
        if node.log != log {
            return Err(format!("node {n} holds {:?}, the order says {log:?}", node.log));
        }
        let mut heard = BTreeSet::new();
        for (id, yes) in &node.told {
            if !heard.insert(*id) {
                return Err(format!("node {n} tells twice of {id}"));
            }
            if *yes != ids.contains(id) {
                return Err(format!("node {n} says {yes} of {id}"));
            }
        }
    }
    match ids.intersection(refused).next() {
        Some(id) => Err(format!("{id} was refused and is in the log")),
        None => Ok(()),
    }
}

pub(crate) fn hold(config: Config, seed: u64, most: usize) -> Result<(), String> {
    cases::hold(config, seed, steps(most), run)
}
