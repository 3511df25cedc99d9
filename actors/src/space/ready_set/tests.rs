use super::*;
use crate::atom::{Content, Metadata};
use crate::id::{Millis, SessionId};
use crate::value::Value;
use std::cell::Cell;

const SPACE: SpaceId = SpaceId([1; 16]);

/// A space in a list, that counts how often it is read whole and how many atoms are read one by one.
struct Counted {
    atoms: Vec<Arc<Atom>>,
    walks: Cell<usize>,
    reads: Cell<usize>,
}

impl Counted {
    fn of(count: u64, says: impl Fn(u64) -> Metadata) -> Counted {
        let atoms = (0..count).map(|n| atom(n, says(n))).collect();
        Counted { atoms, walks: Cell::new(0), reads: Cell::new(0) }
    }
}

impl View for Counted {
    fn atom(&self, id: AtomId) -> Option<Arc<Atom>> {
        self.reads.set(self.reads.get() + 1);
        self.atoms.iter().find(|it| it.id == id).cloned()
    }

    fn version(&self, id: AtomId, _: u64) -> Option<Arc<Atom>> {
        self.atom(id)
    }

    fn space_of(&self, id: AtomId) -> Option<SpaceId> {
        self.atom(id).map(|it| it.space)
    }

    fn sources(&self, _: AtomId, _: Option<&str>) -> Vec<(String, AtomId)> {
        Vec::new()
    }

    fn each_atom(&self, _: SpaceId, to: &mut dyn FnMut(&Arc<Atom>)) {
        self.walks.set(self.walks.get() + 1);
        // Not in the order of birth.
        self.atoms.iter().rev().for_each(to);
    }
}

fn atom(n: u64, metadata: Metadata) -> Arc<Atom> {
    let mut id = [0; 16];
    id[..8].copy_from_slice(&n.to_be_bytes());
    Arc::new(Atom {
        id: AtomId(id),
        space: SPACE,
        version: 1,
        born: n + 1,
        author: SessionId([2; 16]),
        at: Millis(0),
        content: Content::default(),
        annotation: String::new(),
        metadata,
        references: Vec::new(),
        embedding: None,
        deprecated: None,
        attempts: 0,
    })
}

fn of(pairs: &[(&str, u64)]) -> Metadata {
    pairs.iter().map(|(key, it)| ((*key).to_owned(), Value::Int(*it as i64))).collect()
}

fn wanted(key: &str, value: u64) -> ClaimPredicate {
    ClaimPredicate { metadata: of(&[(key, value)]), ..ClaimPredicate::default() }
}

fn ready(ready_set: &ReadySet, wanted: &ClaimPredicate) -> Vec<u64> {
    let number = |id: AtomId| id.0[..8].iter().fold(0, |all, byte| all << 8 | u64::from(*byte));
    ready_set.ready(wanted, &[]).into_iter().flatten().map(number).collect()
}

/// However many conditions there are, and in whatever order they come, a space is read once.
#[test]
fn conditions_in_turns_read_the_space_once() {
    let view = Counted::of(2_000, |n| of(&[("queue", n % 80), ("odd", n % 2)]));
    let (leases, mut limits) = (Leases::default(), Limits::default());
    limits.standing_sets_max = 8;
    let mut ready_set = ReadySet::default();
    for queue in (0..80).chain(0..80) {
        let wanted = wanted("queue", queue);
        ready_set.follow(SPACE, (&wanted, &[]), &leases, &view, &limits);
        let expected: Vec<u64> = (0..2_000).filter(|n| n % 80 == queue).collect();
        assert_eq!(ready(&ready_set, &wanted), expected);
    }
    ready_set.follow(SPACE, (&wanted("odd", 1), &[]), &leases, &view, &limits);
    assert_eq!(ready(&ready_set, &wanted("odd", 1)).len(), 1_000);
    assert_eq!((view.walks.get(), view.reads.get()), (1, 0));
    assert!(ready_set.sets.len() <= 8);
}

/// Where memory is short, a key that has gone costs one more walk, and what it says is the same.
#[test]
fn a_key_that_has_gone_is_read_again() {
    let view = Counted::of(500, |n| of(&[("a", n % 7), ("b", n)]));
    let (leases, mut limits) = (Leases::default(), Limits::default());
    (limits.standing_sets_max, limits.standing_bytes_max) = (1, 10_000);
    let mut ready_set = ReadySet::default();
    for (n, (key, value)) in [("a", 3), ("b", 9), ("a", 5), ("b", 10)].into_iter().enumerate() {
        let wanted = wanted(key, value);
        ready_set.follow(SPACE, (&wanted, &[]), &leases, &view, &limits);
        let fits = |it: &u64| if key == "a" { it % 7 == value } else { *it == value };
        assert_eq!(ready(&ready_set, &wanted), (0..500).filter(fits).collect::<Vec<_>>(), "{n}");
    }
    assert!((2..=4).contains(&view.walks.get()), "{} walks", view.walks.get());
}

/// What is costly to make again outlives what is cheap, and not for ever.
#[test]
fn the_set_that_is_worth_least_goes_first() {
    let set = |n: u64, cost| Set {
        wanted: wanted("n", n),
        ready: Bits::full(64),
        ranked: None,
        cost,
        worth: cost,
    };
    let mut ready_set = ReadySet { sets: vec![set(0, 100), set(1, 1)], ..ReadySet::default() };
    let mut gone = Vec::new();
    for n in 2..300 {
        let before: Vec<ClaimPredicate> =
            ready_set.sets.iter().map(|it| it.wanted.clone()).collect();
        let worth = ready_set.floor + 1;
        ready_set.sets.push(Set { worth, ..set(n, 1) });
        ready_set.drop_some(2, usize::MAX);
        gone.extend(before.into_iter().find(|it| !ready_set.follows(it, &[])));
    }
    assert_eq!(gone[0], wanted("n", 1));
    let when = gone.iter().position(|it| *it == wanted("n", 0)).expect("it goes as well");
    assert!((50..200).contains(&when), "after {when} others");
    ready_set.drop_some(9, 0);
    assert_eq!(ready_set.sets.len(), 1, "the last one stays");
}

fn ordered(ready_set: &ReadySet, wanted: &ClaimPredicate, order: &[OrderBy]) -> Vec<u64> {
    let number = |id: AtomId| id.0[..8].iter().fold(0, |all, byte| all << 8 | u64::from(*byte));
    ready_set.ready(wanted, order).into_iter().flatten().map(number).collect()
}

/// A set in an order is read once; what changes is put in its place, and what lacks the key is last.
#[test]
fn an_order_is_kept_and_not_read_again() {
    let says = |n: u64| if n % 5 == 4 { of(&[("q", 1)]) } else { of(&[("q", 1), ("p", n % 5)]) };
    let mut view = Counted::of(1_000, says);
    let (leases, limits) = (Leases::default(), Limits::default());
    let mut ready_set = ReadySet::default();
    let wanted = wanted("q", 1);
    let place = |n: &u64| if n % 5 == 4 { u64::MAX } else { n % 5 };
    for (by, down) in [(OrderBy::ascending("p"), false), (OrderBy::descending("p"), true)] {
        let order = [by, OrderBy::descending("created")];
        ready_set.follow(SPACE, (&wanted, &order), &leases, &view, &limits);
        let mut expected: Vec<u64> = (0..1_000).collect();
        let key = |n: &u64| if down && n % 5 != 4 { 9 - place(n) } else { place(n) };
        expected.sort_by_key(|n| (key(n), std::cmp::Reverse(*n)));
        assert_eq!(ordered(&ready_set, &wanted, &order), expected);
    }
    assert_eq!((view.walks.get(), view.reads.get()), (1, 2_000));
    let order = [OrderBy::ascending("p"), OrderBy::descending("created")];
    for (n, now) in [(7, of(&[("q", 1)])), (4, of(&[("q", 1), ("p", 0)])), (9, of(&[("p", 0)]))] {
        let old = view.atoms[n].clone();
        let new = Arc::new(Atom { version: 2, metadata: now, ..Atom::clone(&old) });
        let event =
            Event::AtomUpdated { atom: new.clone(), added: Vec::new(), dropped: Vec::new() };
        ready_set.take(SPACE, &event, &leases, &view);
        view.atoms[n] = new;
    }
    let found = ordered(&ready_set, &wanted, &order);
    let at = |n: u64| found.iter().position(|it| *it == n);
    assert_eq!((found.len(), at(9), at(7) > at(14), at(4) < at(6)), (999, None, true, true));
    assert_eq!(ready_set.sets.len(), 2);
    assert!(ready_set.sets.iter().all(|it| it.bytes() > 1_000 * size_of::<AtomId>()));
}
