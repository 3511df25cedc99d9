//! [cursor] Followers with durable cursors, against a plain list of what became durable.
//!
//! Sessions write into two spaces, followers look at what is new, whole or as one marker when they
//! are too far behind, and advance their cursors; spaces and followers crash at random instants.
//! Every look is foretold: each change after the cursor once and in order, or a marker for exactly
//! those. What anybody was shown is never unsaid, and a cursor never passes what was not shown.

use crate::laws::cases;
use crate::laws::world::{Heard, QUOTED_MAX, SPACES, World};
use proptest::prelude::*;
use proptest::test_runner::Config;
use std::collections::{BTreeMap, BTreeSet};
use stoa_actors::behaviour::Behaviour;
use stoa_actors::id::{AtomId, Position, SubscriptionId};
use stoa_actors::incarnation::{self, Incarnation, Request};
use stoa_actors::space::{
    Change, Draft, Edit, Expect, Filter, Message, Patch, Reply, Space, Terms, Wake,
};
use stoa_actors::value::Value;

/// One step of a schedule; numbers pick among what there is.
#[derive(Clone, Debug)]
enum Step {
    Put { writer: u8, word: u8 },
    Update { writer: u8, atom: u8, word: u8 },
    Look { follower: u8, limit: u8, lag_max: u8 },
    Advance { follower: u8 },
    Edit { follower: u8, word: Option<u8>, back: Option<u8> },
    Commit(u8),
    Crash,
    Fall { follower: u8 },
}

fn step() -> impl Strategy<Value = Step> {
    let follower = || 0..FOLLOWERS.len() as u8;
    prop_oneof![
        6 => (any::<u8>(), 0..3u8).prop_map(|(writer, word)| Step::Put { writer, word }),
        4 => (any::<u8>(), any::<u8>(), 0..3u8)
            .prop_map(|(writer, atom, word)| Step::Update { writer, atom, word }),
        8 => (follower(), 1..6u8, 0..12u8)
            .prop_map(|(follower, limit, lag_max)| Step::Look { follower, limit, lag_max }),
        4 => follower().prop_map(|follower| Step::Advance { follower }),
        2 => (follower(), proptest::option::of(0..3u8), proptest::option::of(0..9u8))
            .prop_map(|(follower, word, back)| Step::Edit { follower, word, back }),
        6 => (1..8u8).prop_map(Step::Commit),
        1 => Just(Step::Crash),
        2 => follower().prop_map(|follower| Step::Fall { follower }),
    ]
}

/// Who may write where.
const WRITERS: [(u8, usize); 4] = [(2, 0), (3, 0), (1, 1), (3, 1)];

/// Who follows what: type of entry, and word in the atom's metadata. Two of them write as well.
const FOLLOWERS: [(u8, usize, Option<&str>, Option<u8>); 4] = [
    (1, 0, None, None),
    (3, 0, Some("atom.put"), None),
    (3, 1, None, Some(1)),
    (1, 1, Some("atom.updated"), Some(2)),
];

/// One entry, as whoever asked for it knows it.
#[derive(Clone, Debug)]
struct Item {
    who: u8,
    kind: &'static str,
    word: Option<u8>,
    comment: String,
}

struct Place {
    who: u8,
    space: usize,
    kind: Option<&'static str>,
    word: Option<u8>,
    id: SubscriptionId,
    /// Where this life of the follower is.
    cursor: Position,
    /// How far any life has looked.
    looked: Position,
    /// The last cursor that was acknowledged.
    acknowledged: Position,
    /// Every cursor that was asked to be kept.
    asked: BTreeSet<Position>,
}

impl Place {
    fn filter(&self) -> Filter {
        let metadata = self.word.map(|it| ("word".to_owned(), Value::Int(it.into())));
        Filter {
            types: self.kind.iter().map(|it| (*it).to_owned()).collect(),
            metadata: metadata.into_iter().collect(),
            ..Filter::default()
        }
    }

    fn wants(&self, item: &Item) -> bool {
        self.kind.is_none_or(|it| it == item.kind)
            && self.word.is_none_or(|it| item.word == Some(it))
    }
}

/// What a question is, so that its answer can be judged.
enum Asked {
    Write,
    Advance { follower: usize, cursor: Position },
    Edit { follower: usize, word: Option<u8>, cursor: Option<Position> },
    Subscribe,
}

struct Trial<W> {
    world: W,
    places: Vec<Place>,
    items: BTreeMap<String, Item>,
    open: BTreeMap<u64, Asked>,
    atoms: Vec<(usize, AtomId)>,
    /// What anybody was shown: it must stay.
    shown: BTreeSet<(Position, String)>,
}

impl<W: World> Trial<W> {
    fn ask(&mut self, space: usize, message: Message, item: Item, asked: Asked) {
        let ask = Request::new(self.world.session(item.who), message).comment(&item.comment);
        self.items.insert(item.comment.clone(), item);
        let ticket = self.world.ask(space, ask);
        self.open.insert(ticket, asked);
    }

    fn item(&self, who: u8, kind: &'static str, word: Option<u8>) -> Item {
        Item { who, kind, word, comment: format!("change {}", self.items.len()) }
    }

    fn hear(&mut self, heard: Vec<Heard>) -> Result<(), String> {
        for Heard { ticket, answer, .. } in heard {
            let asked = self.open.remove(&ticket).ok_or("ack: answered twice")?;
            match (asked, answer) {
                (Asked::Write, Ok(Reply::Version { id, version })) => {
                    let at = self.world.atom(id).map(|it| it.space);
                    let space = (0..SPACES).find(|n| at == Some(self.world.space(*n)));
                    let space = space.ok_or_else(|| format!("ack: {id} is nowhere"))?;
                    if version == 1 {
                        self.atoms.push((space, id));
                    }
                }
                (Asked::Advance { follower, cursor }, Ok(Reply::Done)) => {
                    let place = &mut self.places[follower];
                    place.acknowledged = place.acknowledged.max(cursor);
                }
                (Asked::Edit { follower, word, cursor }, Ok(Reply::Done)) => {
                    let place = &mut self.places[follower];
                    place.word = word;
                    if let Some(cursor) = cursor {
                        (place.cursor, place.acknowledged) = (cursor, cursor);
                    }
                }
                (Asked::Subscribe, Ok(Reply::Subscribed(id))) => {
                    let place = self.places.iter_mut().find(|it| it.id == SubscriptionId([0; 16]));
                    place.ok_or("nobody subscribed")?.id = id;
                }
                (_, answer) => return Err(format!("an unexpected answer: {answer:?}")),
            }
        }
        Ok(())
    }

    fn subscribe(&mut self) -> Result<(), String> {
        for (who, space, kind, word) in FOLLOWERS {
            let (id, start) = (SubscriptionId([0; 16]), Position(0));
            let asked = BTreeSet::from([start]);
            let place = Place {
                who,
                space,
                kind,
                word,
                id,
                cursor: start,
                looked: start,
                acknowledged: start,
                asked,
            };
            let (filter, terms) = (place.filter(), Terms::default());
            let message = Message::Subscribe { filter, cursor: start, terms };
            self.places.push(place);
            let item = self.item(who, "subscription.created", None);
            self.ask(space, message, item, Asked::Subscribe);
            let heard = self.world.commit(usize::MAX);
            self.hear(heard)?;
        }
        Ok(())
    }

    /// The plain list: every durable entry of a space, as it was asked for.
    fn list(&self, space: usize) -> Result<Vec<(Position, Item)>, String> {
        let mut list = Vec::new();
        for (at, body) in self.world.entries(space, 0) {
            let item = self.items.get(&body.comment);
            let item = item.ok_or_else(|| format!("atomic: nobody asked for {body:?}"))?;
            let events = incarnation::events::<Space>(&body).map_err(|it| it.to_string())?;
            let kinds: Vec<&str> = events.iter().map(Space::name).collect();
            if kinds != [item.kind] || body.by != self.world.session(item.who) {
                return Err(format!("atomic: {body:?} with {kinds:?} is not {item:?}"));
            }
            list.push((at, item.clone()));
        }
        Ok(list)
    }

    fn look(&mut self, follower: usize, limit: usize, lag_max: usize) -> Result<(), String> {
        // While something is in flight nobody can say what is to be seen.
        if !self.world.quiet() {
            return Ok(());
        }
        let place = &self.places[follower];
        let (who, space, before) = (place.who, place.space, place.cursor);
        let list = self.list(space)?;
        let new: Vec<&(Position, Item)> =
            list.iter().filter(|(at, it)| *at > before && place.wants(it)).collect();
        let (shown, cursor) = if new.len() > lag_max {
            let (marker, cursor) = self.world.marker(who, space, before, &place.filter());
            let others: Vec<_> = new.iter().copied().filter(|(_, it)| it.who != who).collect();
            covers(marker.as_ref(), &others)?;
            (new.clone(), cursor)
        } else {
            let (changes, cursor) = self.world.changes(who, space, before, &place.filter(), limit);
            let first: Vec<_> = new.iter().copied().take(limit).collect();
            self.are(&changes, &first)?;
            (first, cursor)
        };
        let passed = new.iter().filter(|(at, _)| *at <= cursor).count();
        if passed != shown.len() || cursor < before {
            return Err(format!(
                "cursor: from {before} to {cursor} it passed {passed} changes and showed {}",
                shown.len()
            ));
        }
        self.shown.extend(shown.iter().map(|(at, it)| (*at, it.comment.clone())));
        let place = &mut self.places[follower];
        place.cursor = cursor;
        place.looked = place.looked.max(cursor);
        Ok(())
    }

    fn are(&self, changes: &[Change], items: &[&(Position, Item)]) -> Result<(), String> {
        let same = changes.len() == items.len()
            && changes.iter().zip(items).all(|(change, (at, item))| {
                let by = self.world.session(item.who);
                (change.position, change.by) == (*at, by)
                    && change.kind == item.kind
                    && change.comment == item.comment
            });
        if same { Ok(()) } else { Err(format!("cursor: {changes:?} is not {items:?}")) }
    }

    /// What a follower finds when it starts again: the cursor that its space keeps.
    fn kept(&self, place: &Place) -> Result<Position, String> {
        let stream = self.world.space(place.space).stream();
        let mut space = Incarnation::<Space>::unborn(stream);
        for (seq, (_, body)) in (1..).zip(self.world.entries(place.space, 0)) {
            space.replay(seq, &body).map_err(|it| it.to_string())?;
        }
        let own = space.state().subscriptions().find(|it| it.id == place.id);
        let own = own.ok_or("cursor: the subscription is lost")?;
        let cursor = own.cursor;
        if own.filter != place.filter() {
            return Err(format!("cursor: {:?} is kept, {:?} was said", own.filter, place.filter()));
        }
        if cursor < place.acknowledged {
            return Err(format!("cursor: {cursor} is kept, {} acknowledged", place.acknowledged));
        }
        if !place.asked.contains(&cursor) || cursor > place.looked {
            return Err(format!("cursor: {cursor} is kept, which nobody asked for"));
        }
        Ok(cursor)
    }

    fn crash(&mut self) -> Result<(), String> {
        let heard = self.world.crash();
        self.hear(heard)?;
        self.open.clear();
        let mut there = BTreeSet::new();
        for space in 0..SPACES {
            let list = self.list(space)?;
            there.extend(list.into_iter().map(|(at, it)| (at, it.comment)));
        }
        if let Some((at, what)) = self.shown.difference(&there).next() {
            return Err(format!("cursor: {what} at {at} was shown and is not there any more"));
        }
        self.places.iter().try_for_each(|place| self.kept(place).map(drop))
    }

    fn step(&mut self, step: &Step) -> Result<(), String> {
        let metadata = |word: u8| BTreeMap::from([("word".to_owned(), Value::Int(word.into()))]);
        match step {
            Step::Put { writer, word } => {
                let (who, space) = WRITERS[usize::from(*writer) % WRITERS.len()];
                let draft = Draft { metadata: metadata(*word), ..Draft::default() };
                let item = self.item(who, "atom.put", Some(*word));
                self.ask(space, Message::put(draft), item, Asked::Write);
            }
            Step::Update { writer, atom, word } => {
                // In the first space only one of the writers may update.
                let (who, space) = WRITERS[1 + usize::from(*writer) % (WRITERS.len() - 1)];
                let here: Vec<AtomId> =
                    self.atoms.iter().filter(|it| it.0 == space).map(|it| it.1).collect();
                let Some(id) = here.get(usize::from(*atom) % here.len().max(1)).copied() else {
                    return Ok(());
                };
                let patch = Patch { metadata: metadata(*word), ..Patch::default() };
                let message = Message::update(id, Expect::Any, patch);
                let item = self.item(who, "atom.updated", Some(*word));
                self.ask(space, message, item, Asked::Write);
            }
            Step::Look { follower, limit, lag_max } => {
                let (limit, lag_max) = (usize::from(*limit), usize::from(*lag_max));
                self.look(usize::from(*follower), limit, lag_max)?;
            }
            Step::Advance { follower } => {
                let follower = usize::from(*follower);
                let place = &mut self.places[follower];
                let (who, space, id, cursor) = (place.who, place.space, place.id, place.cursor);
                place.asked.insert(cursor);
                let item = self.item(who, "subscription.advanced", None);
                let asked = Asked::Advance { follower, cursor };
                self.ask(space, Message::Advance { id, cursor }, item, asked);
            }
            Step::Edit { follower, word, back } => {
                let follower = usize::from(*follower);
                let place = &self.places[follower];
                let (who, space, id) = (place.who, place.space, place.id);
                let cursor = back.map(|back| Position(place.cursor.0.saturating_sub(back.into())));
                let filter = Place { word: *word, asked: BTreeSet::new(), ..*place }.filter();
                let edit = Edit { filter: Some(filter), cursor, ..Edit::default() };
                self.places[follower].asked.extend(cursor);
                let item = self.item(who, "subscription.edited", None);
                let asked = Asked::Edit { follower, word: *word, cursor };
                self.ask(space, Message::Edit { id, edit }, item, asked);
                // Whoever edits waits for the answer: till then nobody can say what is looked for.
                let heard = self.world.commit(usize::MAX);
                self.hear(heard)?;
            }
            Step::Commit(count) => {
                let heard = self.world.commit(usize::from(*count));
                self.hear(heard)?;
            }
            Step::Crash => self.crash()?,
            Step::Fall { follower } => {
                let follower = usize::from(*follower);
                if self.world.quiet() {
                    self.places[follower].cursor = self.kept(&self.places[follower])?;
                }
            }
        }
        Ok(())
    }
}

/// A marker is for exactly these; it quotes no more than it may.
fn covers(marker: Option<&Wake>, items: &[&(Position, Item)]) -> Result<(), String> {
    let same = match (marker, items) {
        (None, []) => true,
        (Some(marker), [first, .., last] | [first @ last]) => {
            let comments: Vec<&String> =
                items.iter().take(QUOTED_MAX).map(|(_, it)| &it.comment).collect();
            (marker.first, marker.last) == (first.0, last.0)
                && marker.count == items.len() as u64
                && marker.comments.iter().eq(comments)
        }
        _ => false,
    };
    if same { Ok(()) } else { Err(format!("cursor: {marker:?} does not cover {items:?}")) }
}

fn run<W: World>(world: W, steps: &[Step]) -> Result<(), String> {
    let (items, open) = (BTreeMap::new(), BTreeMap::new());
    let (places, atoms, shown) = (Vec::new(), Vec::new(), BTreeSet::new());
    let mut trial = Trial { world, places, items, open, atoms, shown };
    trial.subscribe()?;
    for (at, step) in steps.iter().enumerate() {
        trial.step(step).map_err(|breach| format!("{breach}\nat step {at}: {step:?}"))?;
    }
    let heard = trial.world.commit(usize::MAX);
    trial.hear(heard)?;
    for follower in 0..FOLLOWERS.len() {
        trial.look(follower, usize::MAX, usize::MAX)?;
    }
    trial.crash()?;
    trial.world.audit()
}

/// Runs `cases` schedules of up to `steps` steps from a seed, each in a world of its own; the first
/// breach, cut down.
pub(crate) fn hold<W: World>(
    config: Config,
    seed: u64,
    steps: usize,
    world: impl Fn() -> W,
) -> Result<(), String> {
    let schedule = proptest::collection::vec(step(), 1..steps);
    cases::hold(config, seed, schedule, |steps| run(world(), &steps))
}
