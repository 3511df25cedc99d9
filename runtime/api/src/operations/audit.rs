//! Proving the log.

use crate::audit::{self, Audited};
use crate::blocking::blocking;
use crate::caller::Caller;
use crate::operation::{Answer, Arg, EffectKind, Line, Operation, Out, Page, RequiredRight, Tone};
use crate::problem::{Problem, ProblemKind};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Verify the integrity of the whole log and of everything derived from it
///
/// Only the owner of the directory may do this. If something is wrong, it is listed and the exit
/// code is 1.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Audit {}

/// What was checked, and what was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AuditAnswer {
    /// The last entry that was looked at: its position and hash.
    pub head: String,
    /// Entries whose place in the chain and body were proved.
    pub entries: u64,
    /// Streams found dense.
    pub streams: u64,
    /// Atoms whose versions are 1 to k.
    pub atoms: u64,
    /// Versions of atoms that were read.
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
    /// What does not hold.
    pub breaches: Vec<String>,
}

impl From<Audited> for AuditAnswer {
    fn from(it: Audited) -> Self {
        AuditAnswer {
            head: it.head.to_string(),
            entries: it.entries,
            streams: it.streams,
            atoms: it.atoms,
            versions: it.versions,
            rows: it.rows,
            references: it.references,
            answers: it.answers,
            rights: it.rights,
            erased: it.erased,
            breaches: it.breaches,
        }
    }
}

impl Answer for AuditAnswer {
    fn show(&self, to: &mut Page) {
        let counts = [
            ("entries chained and whole", self.entries),
            ("streams dense", self.streams),
            ("atoms with versions 1 to k", self.atoms),
            ("versions", self.versions),
            ("derived rows as the log says", self.rows),
            ("references from both ends", self.references),
            ("requests answered once", self.answers),
            ("rights with a chain to the root", self.rights),
            ("atoms erased", self.erased),
        ];
        for (what, count) in counts {
            to.plain(format!("{count:>10}  {what}"));
        }
        for breach in &self.breaches {
            to.line(Line::new().piece(Tone::Bad, "breach").plain(format!(" {breach}")));
        }
        to.line(Line::new().dim(format!("head {}", self.head)));
    }

    fn failure(&self) -> Option<Problem> {
        let breaches = self.breaches.len();
        let problem = Problem::new(ProblemKind::Store, format!("{breaches} laws do not hold"));
        (breaches > 0).then(|| problem.hint("stoa doctor"))
    }
}

impl Operation for Audit {
    const NAME: &'static str = "audit";
    const EFFECT: EffectKind = EffectKind::Reads;
    const RIGHT: RequiredRight = RequiredRight::Owner("an audit reads every space", "stoa audit");
    const ARGS: &'static [&'static [Arg]] = &[];
    type Answer = AuditAnswer;

    async fn perform(self, caller: &Caller, out: &Out<AuditAnswer>) -> Result<(), Problem> {
        let runtime = &caller.runtime();
        let (store, kinds) = (runtime.store().clone(), runtime.kinds().clone());
        let head = runtime.durable();
        let audited = blocking(move || audit::audit(&store, &kinds, head)).await??;
        out.tell(audited.into()).await
    }
}
