//! What atoms wait for: which atoms at the other ends of their references are not as a condition
//! wants them, and which of these are gone.

use super::{Caller, ReadAtom};
use crate::problem::Problem;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use stoa_actors::atom::Atom;
use stoa_actors::behaviour::View;
use stoa_actors::id::{AtomId, SpaceId};
use stoa_actors::search::{Condition, Query};
use stoa_actors::space::{Blocker, ClaimPredicate, Readable};

/// What one atom waits for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub struct WaitReport {
    pub read: ReadAtom,
    /// What it waits for, by relation; nothing if its references are as wanted.
    pub blockers: Vec<Blocker>,
    /// No condition was given: only what is gone was looked for.
    pub only_gone: bool,
}

impl WaitReport {
    /// Whether it waits for something that is gone: it does so for ever, unless it refers to another
    /// one.
    pub fn is_stuck(&self) -> bool {
        self.blockers.iter().any(|it| it.why.is_gone())
    }
}

impl Caller {
    /// What an atom waits for before its references are as these conditions want them.
    ///
    /// Without a condition it is asked which atoms are gone that it refers to by a relation that its
    /// space declares. Of the atoms that refer to it at most `hits_max` are looked at. Errors:
    /// [`Kind::Unknown`](crate::problem::ProblemKind::Unknown) when the caller cannot read the atom,
    /// [`Kind::Invalid`](crate::problem::ProblemKind::Invalid) as of [`Caller::search`].
    pub async fn waits(
        &self,
        id: AtomId,
        references: BTreeMap<String, Condition>,
    ) -> Result<WaitReport, Problem> {
        let space = self.get(id).await?.atom.space;
        let declares = self.declares(space).await?;
        let only_gone = references.is_empty();
        let references = match only_gone {
            true => {
                let all = declares.relations.keys();
                all.map(|it| (it.clone(), Condition::default())).collect()
            }
            false => references,
        };
        let query = Query { references, limit: 0, ..Query::default() };
        let wanted =
            ClaimPredicate { references: query.references.clone(), ..ClaimPredicate::default() };
        // It refuses what a search refuses, and finds nothing.
        self.ranked(space, query).await?;
        self.reading(move |caller| {
            let report = caller.waits_now(caller.read(id)?, &wanted)?;
            Ok(WaitReport { only_gone, ..report })
        })
        .await
    }

    /// Of the oldest atoms that are as wanted but for their references, those that wait for something,
    /// and for what: why a claim finds nothing. At most `limit` atoms are looked at.
    pub async fn waiting(
        &self,
        space: SpaceId,
        wanted: ClaimPredicate,
        limit: usize,
    ) -> Result<Vec<WaitReport>, Problem> {
        let names = Query { references: wanted.references.clone(), limit: 0, ..Query::default() };
        self.ranked(space, names).await?;
        let metadata = wanted.metadata.clone();
        let found = self.search(space, Query { metadata, limit, ..Query::default() }).await?;
        self.reading(move |caller| {
            let all = found.into_iter().map(|it| caller.waits_now(it.read, &wanted));
            let all = all.collect::<Result<Vec<_>, _>>()?;
            Ok(all.into_iter().filter(|it| !it.blockers.is_empty()).collect())
        })
        .await
    }

    fn waits_now(&self, read: ReadAtom, wanted: &ClaimPredicate) -> Result<WaitReport, Problem> {
        let blockers = wanted.waits(&read.atom, &Reader { caller: self });
        // Rights second: what was read before a revoke is not handed out after it.
        let read = self.permitted(read.atom.id, Some((read.position, read.atom)))?;
        Ok(WaitReport { read, blockers, only_gone: false })
    }
}

/// What the caller can read. A store that cannot be read stops.
struct Reader<'a> {
    caller: &'a Caller,
}

impl Readable for Reader<'_> {
    fn atom(&self, id: AtomId) -> Option<Arc<Atom>> {
        let atom = View::atom(self.caller.runtime.store(), id)?;
        self.caller.level(atom.space).map(|_| atom)
    }

    fn sources(&self, target: AtomId, relation: &str) -> Vec<Arc<Atom>> {
        let most = self.caller.runtime.shared().config.limits.search.hits_max;
        let sources = self.caller.runtime.store().referrers(target, Some(relation));
        let ids = sources.map_while(Result::ok).map(|(_, id)| id);
        ids.take(most).filter_map(|id| self.atom(id)).collect()
    }
}
