//! What an erase leaves: nothing of what was said, everything of what happened.
//!
//! A space with a history of puts, updates, claims and transactions; some of its atoms are erased,
//! by those who may. Then every body is redacted as the log writer does it, and held against what
//! it was: the same rows, the same other atoms, and none of the words.

use crate::laws::cases;
use proptest::prelude::*;
use proptest::test_runner::Config;
use std::collections::BTreeSet;
use stoa_actors::atom::{Atom, Content};
use stoa_actors::behaviour::{Authority, Behaviour, View};
use stoa_actors::id::{AtomId, Millis, SessionId, SpaceId};
use stoa_actors::incarnation::{self, Incarnation, Refused, Request, Response};
use stoa_actors::log::Body;
use stoa_actors::redaction::{redacted, stored};
use stoa_actors::rights::Level;
use stoa_actors::simulation::Simulation;
use stoa_actors::space::{
    ClaimPredicate, ClaimRequest, Draft, Expect, ImportedVersion, Message, Mutation, Patch,
    Refusal, Reply, Resource, Space,
};
use stoa_actors::value::Value;

const SPACE: SpaceId = SpaceId([9; 16]);

/// 0 may grant, 1 and 2 write, 3 append, 4 nothing.
struct Levels;

fn level(who: u8) -> Option<Level> {
    [Some(Level::Grant), Some(Level::Write), Some(Level::Write), Some(Level::Append), None]
        [usize::from(who % 5)]
}

impl Authority for Levels {
    fn level(&self, holder: SessionId, _: SpaceId, _: Millis) -> Option<Level> {
        level(holder.0[0])
    }
}

#[derive(Clone, Debug)]
pub(crate) enum Step {
    Put { who: u8, refer: Option<u8> },
    Update { who: u8, atom: u8 },
    Claim { who: u8, keyed: bool },
    Renew { who: u8, atom: u8 },
    Both { who: u8, one: u8, other: u8 },
    Erase { who: u8, atom: u8 },
    Again { atom: u8 },
    Crash,
}

fn step() -> impl Strategy<Value = Step> {
    let who = || 0..5u8;
    let atom = || any::<u8>();
    prop_oneof![
        4 => (who(), proptest::option::of(atom())).prop_map(|(who, refer)| Step::Put { who, refer }),
        4 => (who(), atom()).prop_map(|(who, atom)| Step::Update { who, atom }),
        2 => (who(), any::<bool>()).prop_map(|(who, keyed)| Step::Claim { who, keyed }),
        1 => (who(), atom()).prop_map(|(who, atom)| Step::Renew { who, atom }),
        2 => (who(), atom(), atom()).prop_map(|(who, one, other)| Step::Both { who, one, other }),
        3 => (who(), atom()).prop_map(|(who, atom)| Step::Erase { who, atom }),
        1 => atom().prop_map(|atom| Step::Again { atom }),
        1 => Just(Step::Crash),
    ]
}

pub(crate) fn hold(config: Config, seed: u64, steps_max: usize) -> Result<(), String> {
    let steps = proptest::collection::vec(step(), 1..steps_max);
    cases::hold(config, seed, steps, |steps| run(&steps))
}

/// What an atom was made to say, in every version: a word that nothing else says.
fn word(n: usize) -> String {
    format!("secret-{n:04}-")
}

struct Trial {
    sim: Simulation<Space>,
    /// The atoms, who put each, and whether it is erased.
    atoms: Vec<(AtomId, u8, bool)>,
    count: u64,
}

impl Trial {
    fn ask(&mut self, who: u8, key: Option<String>, message: Message) -> Response<Space> {
        self.sim.now.0 += 1;
        let mut ask = Request::new(SessionId([who % 5; 16]), message);
        ask.key = key;
        let ticket = self.sim.ask_under(SPACE.stream(), ask, &Levels);
        let told = self.sim.settle().into_iter().find(|it| it.ticket == ticket);
        told.map(|it| it.answer).unwrap_or_else(|| panic!("everything was settled"))
    }

    fn pick(&self, n: u8) -> Option<(usize, AtomId)> {
        let at = usize::from(n) % self.atoms.len().max(1);
        self.atoms.get(at).map(|it| (at, it.0))
    }

    fn patch(&mut self, at: usize) -> Patch {
        self.count += 1;
        let said = format!("{}{}", word(at), self.count);
        Patch {
            content: Some(Content::Text(said.clone())),
            annotation: Some(said.clone()),
            metadata: [("status".to_owned(), Value::Text(said))].into(),
            ..Patch::default()
        }
    }

    fn take(&mut self, step: &Step) -> Result<(), String> {
        match step {
            Step::Put { who, refer } => {
                let at = self.atoms.len();
                let target = refer.and_then(|n| self.pick(n));
                let Patch { content, annotation, metadata, .. } = self.patch(at);
                let draft = Draft {
                    content: content.unwrap_or_default(),
                    annotation: annotation.unwrap_or_default(),
                    metadata,
                    references: target
                        .map(|it| ("see".to_owned(), vec![it.1]))
                        .into_iter()
                        .collect(),
                    ..Draft::default()
                };
                if let Ok(Reply::Version { id, .. }) = self.ask(*who, None, Message::put(draft)) {
                    self.atoms.push((id, *who % 5, false));
                }
            }
            Step::Update { who, atom } => {
                let Some((at, id)) = self.pick(*atom) else { return Ok(()) };
                let message = Message::update(id, Expect::Any, self.patch(at));
                let answer = self.ask(*who, None, message);
                if self.atoms[at].2 && answer.is_ok() {
                    return Err(format!("erase: {id} was changed after it was erased"));
                }
            }
            Step::Claim { who, keyed } => {
                // What it sets cannot be known before it is known what it finds: all say the same.
                let set = [("owner".to_owned(), Value::Text("secret-owner".into()))].into();
                let (ttl_ms, intent) = (10_000, String::new());
                let claim = ClaimRequest {
                    set,
                    ttl_ms,
                    intent,
                    wanted: ClaimPredicate::default(),
                    ..ClaimRequest::default()
                };
                let key = keyed.then(|| format!("claim {}", self.sim.now.0));
                let answer = self.ask(*who, key, Message::Claim(Box::new(claim)));
                if let Ok(Reply::Claimed(Some((id, ..)))) = answer
                    && self.atoms.iter().any(|it| it.0 == id && it.2)
                {
                    return Err(format!("erase: {id} was claimed after it was erased"));
                }
            }
            Step::Renew { who, atom } => {
                let Some((_, id)) = self.pick(*atom) else { return Ok(()) };
                let resource = Resource::Atom(id);
                let lease =
                    self.sim.state(SPACE.stream()).leases().find(|it| it.resource == resource);
                let Some(token) = lease.map(|it| it.token) else { return Ok(()) };
                let fence = stoa_actors::space::Fence { resource, token };
                let key = Some(format!("renew {}", self.sim.now.0));
                self.ask(*who, key, Message::Renew { fence, ttl_ms: 9_000 }).ok();
            }
            Step::Both { who, one, other } => {
                let (Some((a, one)), Some((b, other))) = (self.pick(*one), self.pick(*other))
                else {
                    return Ok(());
                };
                let update = |id, patch| Mutation::Update { id, expect: Expect::Any, patch };
                let mutations = vec![
                    update(one, Box::new(self.patch(a))),
                    update(other, Box::new(self.patch(b))),
                    update(one, Box::new(self.patch(a))),
                ];
                self.ask(*who, None, Message::Transact { mutations, fences: vec![] }).ok();
            }
            Step::Erase { who, atom } => return self.erase(*who, *atom),
            Step::Again { atom } => return self.again(*atom),
            Step::Crash => self.sim.crash(),
        }
        Ok(())
    }

    fn erase(&mut self, who: u8, atom: u8) -> Result<(), String> {
        let Some((at, id)) = self.pick(atom) else { return Ok(()) };
        let who = who % 5;
        let (_, maker, erased) = self.atoms[at];
        let may =
            level(who) == Some(Level::Grant) || level(who) == Some(Level::Write) && maker == who;
        match self.ask(who, None, Message::erase(id, Expect::Any)) {
            Ok(_) if !may => Err(format!("erase: {who} erased what {maker} has put")),
            Ok(_) if erased => Err(format!("erase: {id} was erased twice")),
            Ok(_) => {
                self.atoms[at].2 = true;
                Ok(())
            }
            Err(Refused::Actor(Refusal::Erased(_))) if erased => Ok(()),
            Err(Refused::Actor(Refusal::Leased { .. })) if may => Ok(()),
            Err(Refused::Actor(Refusal::Right { .. } | Refusal::Unknown)) if !may => Ok(()),
            Err(Refused::Actor(Refusal::Erased(_))) if !may => Ok(()),
            Err(no) => Err(format!("erase: {who} may erase {id} of {maker}: {no}")),
        }
    }

    /// What left before it was erased does not bring it back.
    fn again(&mut self, atom: u8) -> Result<(), String> {
        let Some((at, id)) = self.pick(atom) else { return Ok(()) };
        let Some(newest) = self.sim.disk().atom(id).filter(|_| self.atoms[at].2) else {
            return Ok(());
        };
        let entries: Vec<_> = self.sim.disk().stream_after(SPACE.stream(), 0).collect();
        let all = entries
            .iter()
            .flat_map(|(at, body)| ImportedVersion::of(SPACE, *at, body).unwrap_or_default());
        let mut said = all.filter(|it| it.id == id && !it.content.is_gone());
        let Some(last) = said.next_back() else {
            return Ok(());
        };
        let next =
            ImportedVersion { version: newest.version + 1, deprecated: None, ..last.clone() };
        for it in [last, next] {
            match self.ask(0, None, Message::Import(vec![it])) {
                Ok(Reply::Imported { new: 0, known: 1 }) => {}
                other => return Err(format!("erase: {id} was brought back: {other:?}")),
            }
        }
        Ok(())
    }
}

fn run(steps: &[Step]) -> Result<(), String> {
    let mut trial = Trial { sim: Simulation::new(5), atoms: Vec::new(), count: 0 };
    trial.sim.now = Millis(1_000);
    for step in steps {
        trial.take(step)?;
    }
    let Trial { mut sim, atoms, .. } = trial;
    let erased: Vec<(usize, AtomId)> =
        (0..).zip(&atoms).filter(|(_, it)| it.2).map(|(n, it)| (n, it.0)).collect();
    let live = sim.state(SPACE.stream()).clone();
    let mut replayed = Incarnation::<Space>::unborn(SPACE.stream());
    let bodies: Vec<Body> =
        sim.disk().stream_after(SPACE.stream(), 0).map(|it| it.1.clone()).collect();
    for (seq, body) in (1..).zip(&bodies) {
        let mut new = body.clone();
        for (_, id) in &erased {
            new = redacted(&new, *id).map_err(|it| it.to_string())?.unwrap_or(new);
            // Done again, as after a crash, it is the same.
            if redacted(&new, *id).map_err(|it| it.to_string())?.is_some() {
                return Err(format!("erase: {new:?} is redacted twice"));
            }
        }
        let rows = |body| incarnation::rows::<Space>(SPACE.stream(), body);
        if rows(body).ok() != rows(&new).ok() {
            return Err(format!("fold: {body:?} has other rows than {new:?}"));
        }
        says_nothing(&new, &erased)?;
        others_stay(body, &new, &erased)?;
        replayed.replay(seq, &new).map_err(|it| it.to_string())?;
    }
    if *replayed.state() != live {
        return Err(format!("fold: {:?} is not {live:?}", replayed.state()));
    }
    for (_, id) in &erased {
        let newest = sim.disk().atom(*id).ok_or("erase: it is not there at all")?;
        if newest.content != Content::Erased
            || !newest.metadata.is_empty()
            || !newest.references.is_empty()
        {
            return Err(format!("erase: {newest:?} says something"));
        }
    }
    if sim.disk().folds() && sim.disk().chains() { Ok(()) } else { Err("fold, chain".into()) }
}

/// Looked for in the bytes that are stored.
fn says_nothing(body: &Body, erased: &[(usize, AtomId)]) -> Result<(), String> {
    let (bytes, _) = stored(body).map_err(|it| it.to_string())?;
    let text = String::from_utf8_lossy(&bytes);
    let gone: BTreeSet<AtomId> = erased.iter().map(|it| it.1).collect();
    for (n, id) in erased {
        if text.contains(&word(*n)) {
            return Err(format!("erase: {id} still says {:?} in {body:?}", word(*n)));
        }
    }
    let events = incarnation::events::<Space>(body).map_err(|it| it.to_string())?;
    let atoms: Vec<AtomId> = events.iter().filter_map(Space::atom).map(|it| it.id).collect();
    // An entry of erased atoms alone: neither a claim nor its answer says what was set.
    let alone = !atoms.is_empty() && atoms.iter().all(|id| gone.contains(id));
    if alone && text.contains("secret-") {
        return Err(format!("erase: something of {atoms:?} is left in {body:?}"));
    }
    Ok(())
}

fn others_stay(was: &Body, is: &Body, erased: &[(usize, AtomId)]) -> Result<(), String> {
    let atoms = |body: &Body| -> Vec<Atom> {
        let events = incarnation::events::<Space>(body).unwrap_or_default();
        events.iter().filter_map(Space::atom).map(|it| (**it).clone()).collect()
    };
    let (was_all, is_all) = (atoms(was), atoms(is));
    let same = (&is.id, is.at, is.by, &is.comment) == (&was.id, was.at, was.by, &was.comment)
        && was_all.len() == is_all.len();
    let each = was_all.iter().zip(&is_all).all(|(was, is)| {
        let gone = erased.iter().any(|it| it.1 == was.id);
        let kept = (was.id, was.version, was.author, was.at, &was.references)
            == (is.id, is.version, is.author, is.at, &is.references);
        kept && if gone { is.content.is_gone() } else { was == is }
    });
    if same && each { Ok(()) } else { Err(format!("erase: {was:?} has become {is:?}")) }
}
