//! An order that many nodes share, in memory, and that does everything an order may: commits come
//! late, twice and after their node has died, some are refused, and nodes see them at different
//! times. With a bug planted it also does what an order must not.

use parking_lot::Mutex;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Weak};
use std::time::Duration;
use stoa::failure::StoreError;
use stoa::order::{CommitOrder, Joining, OrderSlot, OrderWaker, Ordered, Orders};
use stoa_actors::behaviour::Behaviour;
use stoa_actors::commit::{Commit, CommitId, CommitWork};
use stoa_actors::id::{EventId, Millis, NodeId, ROOT, StreamId};
use stoa_actors::incarnation::{self, Append};
use stoa_actors::log::{Body, Cause, Hash};
use stoa_actors::space::{Event, Space};

/// How often something happens to what is on its way.
const TICK: Duration = Duration::from_micros(300);

/// What happens, in percent of the chances there are for it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Whims {
    /// Nothing for now.
    pub(crate) late: u64,
    /// It stands twice.
    pub(crate) twice: u64,
    /// It overtakes what was offered before it.
    pub(crate) overtakes: u64,
    /// It is refused.
    pub(crate) refused: u64,
    /// A node is handed out again what it had.
    pub(crate) again: u64,
    /// Somebody else's commit stands before it.
    pub(crate) strangers: u64,
}

/// What an order must not do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bug {
    /// The reply to an offer is lost, and it is offered again as another commit.
    RetriedAsNew,
    /// A commit is handed out to its offerer before it stands, and then it never does.
    Early,
    /// What was refused stands.
    RefusedStands,
    /// Two commits stand in another sequence for one of the nodes.
    Swapped,
}

#[derive(Default)]
struct State {
    stands: Vec<Commit>,
    stranger: Stranger,
    on_the_way: VecDeque<Commit>,
    nodes: BTreeMap<NodeId, Node>,
    chance: u64,
    whims: Whims,
    bug: Option<Bug>,
    /// How often the bug has come true.
    bitten: u64,
}

#[derive(Default)]
struct Node {
    bell: Option<OrderWaker>,
    /// How many of the commits it may see.
    sees: usize,
    refused: VecDeque<(CommitId, String)>,
    early: VecDeque<Commit>,
}

/// A node that nobody runs: it writes to a stream of its own, and not always what goes there.
#[derive(Default)]
pub(crate) struct Stranger {
    epoch: u64,
    number: u64,
    seq: u64,
}

impl Stranger {
    pub(crate) fn commit(&mut self, invalid: bool) -> Commit {
        let text = format!("stranger {}/{}", self.epoch, self.number);
        let body = Body {
            id: EventId([9; 16]),
            at: Millis(1),
            kind: Space::KIND.to_owned(),
            by: ROOT,
            agent: None,
            cause: Cause::default(),
            comment: String::new(),
            answers: None,
            events: incarnation::encode_events::<Space>(&[Event::Described(text)]).unwrap(),
        };
        let body = body.encode().unwrap();
        if self.epoch == 0 || invalid {
            (self.epoch, self.number) = (self.epoch + 1, 0);
        }
        self.number += 1;
        // Invalid it follows nothing, and ends that life.
        self.seq += u64::from(!invalid);
        let seq = if invalid { self.seq + 2 } else { self.seq };
        let (epoch, number) = (self.epoch, self.number);
        self.epoch += u64::from(invalid);
        self.number = if invalid { 0 } else { self.number };
        let digest = Hash::of(&body);
        let stream = StreamId([0xee; 16]);
        let append = Append { stream, seq, body, digest, rows: Vec::new(), snapshot: None };
        let id = CommitId { node: NodeId([0xee; 16]), epoch, number };
        Commit { id, work: CommitWork::Entries(vec![append]) }
    }
}

/// The order itself; it outlives the nodes.
#[derive(Clone)]
pub(crate) struct Realm(Arc<Mutex<State>>);

impl Realm {
    pub(crate) fn new(seed: u64, whims: Whims) -> Realm {
        let state = State { chance: seed, whims, ..State::default() };
        let realm = Realm(Arc::new(Mutex::new(state)));
        let weak = Arc::downgrade(&realm.0);
        std::thread::spawn(move || tick(&weak));
        realm
    }

    pub(crate) fn plant(&self, bug: Bug) {
        self.0.lock().bug = Some(bug);
    }

    pub(crate) fn bitten(&self) -> u64 {
        self.0.lock().bitten
    }

    /// From now on this happens.
    pub(crate) fn set(&self, whims: Whims) {
        self.0.lock().whims = whims;
    }

    /// Whether nothing is on its way, and what stands.
    pub(crate) fn idle(&self) -> (bool, Vec<Commit>) {
        let state = self.0.lock();
        let all = state.stands.len();
        let idle = state.nodes.values().all(|it| it.sees == all && it.refused.is_empty());
        (state.on_the_way.is_empty() && idle, state.stands.clone())
    }

    /// What stands so far.
    pub(crate) fn stands(&self) -> Vec<Commit> {
        self.0.lock().stands.clone()
    }

    /// What a node is opened with.
    pub(crate) fn order(&self, node: NodeId, offers_max: usize) -> Orders {
        let realm = self.clone();
        Orders::shared(node, offers_max, move |Joining { after, bell }| {
            let mut state = realm.0.lock();
            let here = state.nodes.entry(node).or_default();
            *here = Node { bell: Some(bell), ..Node::default() };
            let next = after.0 as usize;
            Ok(Box::new(Link { realm: realm.0.clone(), node, next }))
        })
    }
}

/// A node's end of it.
struct Link {
    realm: Arc<Mutex<State>>,
    node: NodeId,
    next: usize,
}

impl CommitOrder for Link {
    fn offer(&mut self, commit: Commit) -> Result<(), StoreError> {
        self.realm.lock().on_the_way.push_back(commit.shared());
        Ok(())
    }

    fn next(&mut self) -> Result<Option<Ordered>, StoreError> {
        let mut state = self.realm.lock();
        let node = state.nodes.entry(self.node).or_default();
        let sees = node.sees;
        if let Some((id, why)) = node.refused.pop_front() {
            return Ok(Some(Ordered::Refused { id, why }));
        }
        if let Some(commit) = node.early.pop_front() {
            let place = Some(OrderSlot(self.next as u64));
            return Ok(Some(Ordered::Stands { place, commit }));
        }
        if self.next >= sees.min(state.stands.len()) {
            return Ok(None);
        }
        let again = state.whims.again;
        if self.next > 0 && state.happens(again) {
            self.next -= 1;
        }
        let mut at = self.next;
        // The first node sees them as they are.
        let first = state.nodes.keys().next() == Some(&self.node);
        if state.bug == Some(Bug::Swapped) && !first && sees >= at + 2 && state.both_count(at) {
            state.bitten += 1;
            state.bug = None;
            let (one, other) = (state.stands[at].clone(), state.stands[at + 1].clone());
            state.nodes.entry(self.node).or_default().early.push_back(one);
            self.next += 2;
            let place = Some(OrderSlot(at as u64 + 1));
            return Ok(Some(Ordered::Stands { place, commit: other }));
        }
        self.next += 1;
        let commit = state.stands[at].clone();
        at += 1;
        Ok(Some(Ordered::Stands { place: Some(OrderSlot(at as u64)), commit }))
    }
}

impl State {
    /// A number that looks like chance and is the same for the same seed.
    fn number(&mut self) -> u64 {
        self.chance = self.chance.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut it = self.chance;
        it = (it ^ (it >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        it = (it ^ (it >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        it ^ (it >> 31)
    }

    /// Whether two neighbours are of two nodes, and stand there for the first time.
    fn both_count(&self, at: usize) -> bool {
        let (one, other) = (self.stands[at].id, self.stands[at + 1].id);
        let strange = |id: CommitId| id.node == NodeId([0xee; 16]);
        let before = self.stands[..at].iter().any(|it| it.id == one || it.id == other);
        one.node != other.node && !strange(one) && !strange(other) && !before
    }

    fn happens(&mut self, percent: u64) -> bool {
        self.number() % 100 < percent
    }

    /// One of those on their way arrives, or what else may become of it.
    fn arrive(&mut self) {
        let whims = self.whims;
        if self.on_the_way.is_empty() || self.happens(whims.late) {
            return;
        }
        if self.happens(whims.strangers) {
            let invalid = self.happens(30);
            let commit = self.stranger.commit(invalid);
            self.stands.push(commit);
        }
        let overtakes = self.on_the_way.len() > 1 && self.happens(whims.overtakes);
        let Some(commit) = self.on_the_way.remove(usize::from(overtakes)) else { return };
        let id = commit.id;
        // Once it stands it is not refused any more.
        let stood = self.stands.iter().any(|it| it.id == id);
        if !stood && self.happens(whims.refused) {
            let node = self.nodes.entry(id.node).or_default();
            node.refused.push_back((id, "the order is out of sorts".into()));
            if self.bug == Some(Bug::RefusedStands) {
                self.bitten += 1;
                self.stands.push(commit);
            }
            return;
        }
        match self.bug {
            Some(Bug::RetriedAsNew) if matches!(commit.work, CommitWork::Entries(_)) => {
                self.bitten += 1;
                self.bug = None;
                let id = CommitId { number: id.number + 1, ..id };
                let again = Commit { id, ..commit.clone() };
                self.stands.extend([commit, again]);
                return;
            }
            Some(Bug::Early) => {
                self.bitten += 1;
                self.bug = None;
                self.nodes.entry(id.node).or_default().early.push_back(commit);
                return;
            }
            _ => {}
        }
        if self.happens(whims.twice) {
            let later = commit.clone();
            self.on_the_way.push_back(later);
        }
        self.stands.push(commit);
    }
}

fn tick(realm: &Weak<Mutex<State>>) {
    while let Some(realm) = realm.upgrade() {
        let mut state = realm.lock();
        for _ in 0..2 {
            state.arrive();
        }
        let (whims, stands) = (state.whims, state.stands.len());
        let nodes: Vec<NodeId> = state.nodes.keys().copied().collect();
        let mut bells = Vec::new();
        for node in nodes {
            let late = state.happens(whims.late);
            let node = state.nodes.entry(node).or_default();
            let new = node.sees < stands || !node.refused.is_empty() || !node.early.is_empty();
            if new && !late {
                node.sees = stands;
                bells.extend(node.bell.clone());
            }
        }
        drop(state);
        drop(realm);
        bells.iter().for_each(OrderWaker::ring);
        std::thread::park_timeout(TICK);
    }
}
