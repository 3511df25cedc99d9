//! The audit: walks a store from its first entry and proves the laws, counting what it checked.
//!
//! The rows are held against what the log says they must be, state by state: chain, bodies, dense
//! streams, versions without gap, every pointer, reference and answer, and that every right held
//! has a chain of recorded links to the root.

use crate::blocking::told_to_block;
use crate::decoders::Decoders;
use crate::failure::StoreError;
use crate::store::{Accounts, Store, Tables};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use stoa_actors::atom::{Atom, Content};
use stoa_actors::behaviour::Behaviour;
use stoa_actors::id::{AtomId, Position, RIGHTS, SessionId, StreamId};
use stoa_actors::incarnation;
use stoa_actors::log::{Body, Head, Walk};
use stoa_actors::redaction::{NOBODY, REDACTIONS, Redacted, Redactions};
use stoa_actors::rights::Rights;
use stoa_actors::space::Space;

/// What was checked, and what was found.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub struct Audited {
    /// The last entry that was looked at.
    pub head: Head,
    /// Entries whose place in the chain and body were proved.
    pub entries: u64,
    /// Streams found dense.
    pub streams: u64,
    /// Atoms whose versions are 1 to k.
    pub atoms: u64,
    pub versions: u64,
    /// Derived rows that say what the log says.
    pub rows: u64,
    /// References found from both ends.
    pub references: u64,
    /// Requests answered once.
    pub answers: u64,
    /// Rights with a chain to their origin.
    pub rights: u64,
    /// Atoms that were erased, no version of which says anything.
    pub erased: u64,
    /// What does not hold; at most [`BREACHES_MAX`].
    pub breaches: Vec<String>,
}

/// How many breaches are listed.
pub const BREACHES_MAX: usize = 100;

/// Proves everything up to a head that is durable. Reads beside a running writer, and blocks until it
/// is done.
pub fn audit(
    store: &Store,
    kinds: &impl AsRef<Decoders>,
    upto: Position,
) -> Result<Audited, StoreError> {
    told_to_block(|| prove(store, kinds.as_ref(), upto))
}

fn prove(store: &Store, kinds: &Decoders, upto: Position) -> Result<Audited, StoreError> {
    let mut walk = Walk::new(Head::default(), None);
    let mut accounts = Accounts::of(store);
    let mut ledger = Ledger::default();
    let mut out = Audited::default();
    for raw in store.raw_after(Position(0)) {
        let (at, entry) = raw?;
        if at > upto {
            break;
        }
        let step = walk.step_over(at, &entry, |at, found| accounts.hold(at, found));
        let (header, body) = match step {
            Ok(step) => step,
            Err(StoreError::Breach(breach)) => {
                out.breach(breach.to_string());
                break;
            }
            Err(error) => return Err(error),
        };
        let body = Body::decode(body)?;
        let seq = ledger.seqs.entry(header.stream).or_default();
        *seq += 1;
        if *seq != header.seq {
            out.breach(format!("stream {}: {} follows {}", header.stream, header.seq, *seq - 1));
        }
        if store.position_of(header.stream, header.seq)? != Some(at) {
            out.breach(format!("stream {}: entry {} is not found", header.stream, header.seq));
        }
        ledger.tables.add(at, kinds.rows(header.stream, &body)?);
        ledger.take(&mut out, header.stream, at, &body)?;
    }
    out.head = walk.head();
    out.entries = out.head.position.0;
    out.streams = ledger.seqs.len() as u64;
    out.atoms = ledger.versions.len() as u64;
    let (rows, wrong) = ledger.tables.compare(store, upto)?;
    out.rows = rows;
    wrong.into_iter().for_each(|it| out.breach(it));
    ledger.references(&mut out);
    ledger.rights(&mut out);
    ledger.erased(&mut out);
    Ok(out)
}

impl Audited {
    fn breach(&mut self, what: String) {
        if self.breaches.len() < BREACHES_MAX {
            self.breaches.push(what);
        }
    }
}

/// A naive account, kept apart from the code it checks.
#[derive(Default)]
struct Ledger {
    seqs: BTreeMap<StreamId, u64>,
    tables: Tables,
    versions: BTreeMap<AtomId, u64>,
    /// What each atom refers to, by its newest version.
    forward: BTreeMap<AtomId, Vec<(String, AtomId)>>,
    answered: BTreeSet<(StreamId, SessionId, String)>,
    rights: Rights,
    /// The first version of each atom that still says something.
    says: BTreeMap<AtomId, u64>,
    /// Atoms that are erased; whether all of them has left the log.
    erased: BTreeMap<AtomId, bool>,
}

impl Ledger {
    fn take(
        &mut self,
        out: &mut Audited,
        stream: StreamId,
        at: Position,
        body: &Body,
    ) -> Result<(), StoreError> {
        if let Some(answered) = &body.answers {
            out.answers += 1;
            if !self.answered.insert((stream, body.by, answered.key.clone())) {
                out.breach(format!("{at}: key {:?} was answered twice", answered.key));
            }
        }
        if body.kind == Space::KIND {
            for event in incarnation::events::<Space>(body)? {
                if let Some(atom) = Space::atom(&event) {
                    self.atom(out, at, stream, atom);
                }
            }
        } else if body.kind == Redactions::KIND && stream == REDACTIONS {
            for Redacted { atom, whole, .. } in Redacted::read(body)? {
                match self.erased.get_mut(&atom) {
                    Some(left) => *left |= whole,
                    None if atom == NOBODY => {}
                    None => {
                        out.breach(format!("{at}: atom {atom} is redacted, but was not erased"))
                    }
                }
            }
        } else if body.kind == Rights::KIND && stream == RIGHTS {
            for event in incarnation::events::<Rights>(body)? {
                self.rights.apply(&event);
            }
        }
        Ok(())
    }

    fn atom(&mut self, out: &mut Audited, at: Position, stream: StreamId, atom: &Atom) {
        let version = self.versions.entry(atom.id).or_default();
        if atom.version != *version + 1 {
            let (id, found) = (atom.id, atom.version);
            out.breach(format!("{at}: atom {id} has version {found} after {version}"));
        }
        *version = atom.version;
        out.versions += 1;
        if self.erased.contains_key(&atom.id) {
            out.breach(format!("{at}: atom {} has a version after it was erased", atom.id));
        }
        if atom.content == Content::Erased {
            self.erased.insert(atom.id, false);
            out.erased += 1;
        } else if atom.content != Content::Redacted {
            self.says.entry(atom.id).or_insert(atom.version);
        }
        if atom.space.stream() != stream {
            out.breach(format!("{at}: atom {} is in the stream of another space", atom.id));
        }
        let forward = atom.references.iter().map(|it| (it.relation.clone(), it.target));
        self.forward.insert(atom.id, forward.collect());
    }

    /// Every reference is listed from its target, and nothing else is.
    fn references(&self, out: &mut Audited) {
        let forward: BTreeSet<(AtomId, &str, AtomId)> = self
            .forward
            .iter()
            .flat_map(|(source, all)| all.iter().map(|(how, to)| (*to, how.as_str(), *source)))
            .collect();
        let reverse = self.tables.references();
        out.references = forward.len() as u64;
        for (target, relation, source) in
            forward.iter().filter(|it| !reverse.contains(&(it.0, it.1.to_owned(), it.2)))
        {
            out.breach(format!("{source} {relation} {target} is not listed from its target"));
        }
        if reverse.len() > forward.len() {
            out.breach(format!(
                "{} references are listed that are none",
                reverse.len() - forward.len()
            ));
        }
    }

    /// Nothing that has left the log is in it.
    fn erased(&self, out: &mut Audited) {
        for (id, version) in &self.says {
            if self.erased.get(id) == Some(&true) {
                out.breach(format!(
                    "atom {id} was erased, and its version {version} still says something"
                ));
            }
        }
    }

    fn rights(&self, out: &mut Audited) {
        for link in self.rights.links() {
            out.rights += 1;
            let chain = self.rights.chain(link.id);
            let origin = chain.last().and_then(|id| self.rights.link(*id));
            if origin.is_none_or(|it| it.basis.is_some()) {
                out.breach(format!("right {} rests on nothing", link.id));
            }
        }
    }
}
