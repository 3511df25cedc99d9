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
    })
}

fn of(pairs: &[(&str, u64)]) -> Metadata {
    pairs.iter().map(|(key, it)| ((*key).to_owned(), Value::Int(*it as i64))).collect()
}

fn wanted(key: &str, value: u64) -> Wanted {
    Wanted { metadata: of(&[(key, value)]), ..Wanted::default() }
}

fn ready(standing: &Standing, wanted: &Wanted) -> Vec<u64> {
    let number = |id: AtomId| id.0[..8].iter().fold(0, |all, byte| all << 8 | u64::from(*byte));
    standing.ready(wanted).into_iter().flatten().map(number).collect()
}

/// However many conditions there are, and in whatever order they come, a space is read once.
#[test]
fn conditions_in_turns_read_the_space_once() {
    let view = Counted::of(2_000, |n| of(&[("queue", n % 80), ("odd", n % 2)]));
    let (leases, mut limits) = (Leases::default(), Limits::default());
    limits.standing_sets_max = 8;
    let mut standing = Standing::default();
    for queue in (0..80).chain(0..80) {
        let wanted = wanted("queue", queue);
        standing.follow(SPACE, &wanted, &leases, &view, &limits);
        let expected: Vec<u64> = (0..2_000).filter(|n| n % 80 == queue).collect();
        assert_eq!(ready(&standing, &wanted), expected);
    }
    standing.follow(SPACE, &wanted("odd", 1), &leases, &view, &limits);
    assert_eq!(ready(&standing, &wanted("odd", 1)).len(), 1_000);
    assert_eq!((view.walks.get(), view.reads.get()), (1, 0));
    assert!(standing.sets.len() <= 8);
}

/// Where memory is short, a key that has gone costs one more walk, and what it says is the same.
#[test]
fn a_key_that_has_gone_is_read_again() {
    let view = Counted::of(500, |n| of(&[("a", n % 7), ("b", n)]));
    let (leases, mut limits) = (Leases::default(), Limits::default());
    (limits.standing_sets_max, limits.standing_bytes_max) = (1, 10_000);
    let mut standing = Standing::default();
    for (n, (key, value)) in [("a", 3), ("b", 9), ("a", 5), ("b", 10)].into_iter().enumerate() {
        let wanted = wanted(key, value);
        standing.follow(SPACE, &wanted, &leases, &view, &limits);
        let fits = |it: &u64| if key == "a" { it % 7 == value } else { *it == value };
        assert_eq!(ready(&standing, &wanted), (0..500).filter(fits).collect::<Vec<_>>(), "{n}");
    }
    assert!((2..=4).contains(&view.walks.get()), "{} walks", view.walks.get());
}

/// What is costly to make again outlives what is cheap, and not for ever.
#[test]
fn the_set_that_is_worth_least_goes_first() {
    let set =
        |n: u64, cost| Set { wanted: wanted("n", n), ready: Bits::full(64), cost, worth: cost };
    let mut standing = Standing { sets: vec![set(0, 100), set(1, 1)], ..Standing::default() };
    let mut gone = Vec::new();
    for n in 2..300 {
        let before: Vec<Wanted> = standing.sets.iter().map(|it| it.wanted.clone()).collect();
        let worth = standing.floor + 1;
        standing.sets.push(Set { worth, ..set(n, 1) });
        standing.drop_some(2, usize::MAX);
        gone.extend(before.into_iter().find(|it| !standing.follows(it)));
    }
    assert_eq!(gone[0], wanted("n", 1));
    let when = gone.iter().position(|it| *it == wanted("n", 0)).expect("it goes as well");
    assert!((50..200).contains(&when), "after {when} others");
    standing.drop_some(9, 0);
    assert_eq!(standing.sets.len(), 1, "the last one stays");
}
