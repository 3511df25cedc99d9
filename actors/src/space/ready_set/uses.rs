//! Which names the atoms of a space use: known of what is kept, or looked up.

use super::roster::Roster;
use super::{Leases, ReadySet};
use crate::atom::{Atom, Metadata};
use crate::behaviour::View;
use crate::conditions::lookup;
use crate::id::SpaceId;
use crate::limits::Limits;
use crate::space::Used;
use crate::value::Value;
use std::collections::BTreeSet;
use std::sync::Arc;

/// The names that the atoms of a space use.
pub(in crate::space) struct Uses<'a> {
    pub(super) roster: Option<&'a Roster>,
    pub(super) space: SpaceId,
    pub(super) view: &'a dyn View,
}

impl ReadySet {
    /// What is used, whether it is kept or not.
    pub(in crate::space) fn uses<'a>(&'a self, space: SpaceId, view: &'a dyn View) -> Uses<'a> {
        Uses { roster: self.roster.as_ref(), space, view }
    }

    /// Whether nothing has to be looked up to tell which of these keys and relations are used.
    pub(in crate::space) fn knows(
        &self,
        keys: &BTreeSet<&str>,
        relations: &BTreeSet<&str>,
    ) -> bool {
        let Some(roster) = &self.roster else { return keys.is_empty() && relations.is_empty() };
        keys.iter().all(|it| roster.has_key(it).is_some())
            && relations.iter().all(|it| roster.has_relation(it).is_some())
    }

    /// Keeps from now on, as far as there is room, who has these keys.
    pub(in crate::space) fn learn(
        &mut self,
        space: SpaceId,
        keys: &BTreeSet<&str>,
        leases: &Leases,
        view: &dyn View,
        limits: &Limits,
    ) {
        let asked: Metadata = keys.iter().map(|it| ((*it).to_owned(), Value::Null)).collect();
        let roster = self.roster.get_or_insert_default();
        roster.file(space, &asked, leases, view, limits.standing_bytes_max);
        roster.keep_within(limits.standing_bytes_max);
    }
}

impl Uses<'_> {
    fn any(&self, is_one: &dyn Fn(&Atom) -> bool) -> bool {
        let mut found = false;
        self.view.each_atom(self.space, &mut |atom: &Arc<Atom>| found = found || is_one(atom));
        found
    }
}

impl Used for Uses<'_> {
    fn key(&self, path: &str) -> bool {
        let known = self.roster.and_then(|it| it.has_key(path));
        known.unwrap_or_else(|| self.any(&|it| lookup(&it.metadata, path).is_some()))
    }

    fn relation(&self, name: &str) -> bool {
        let known = self.roster.and_then(|it| it.has_relation(name));
        known.unwrap_or_else(|| self.any(&|it| it.references.iter().any(|to| to.relation == name)))
    }

    fn keys(&self, most: usize) -> Vec<String> {
        self.roster.into_iter().flat_map(|it| it.keys()).take(most).map(str::to_owned).collect()
    }

    fn relations(&self, most: usize) -> Vec<String> {
        let all = self.roster.into_iter().flat_map(|it| it.relations());
        all.take(most).map(str::to_owned).collect()
    }
}
