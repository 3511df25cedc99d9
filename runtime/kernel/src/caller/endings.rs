//! Ids as people type them: whole, or by their end. An end is looked up only among what the caller
//! may see, and what fits two of these is told and not guessed.

use super::Caller;
use crate::problem::{Problem, ProblemKind};
use std::collections::BTreeSet;
use stoa_actors::ending::{IdSuffix, SHOWN_CHARS};
use stoa_actors::id::{AtomId, ROOT, SessionId, SpaceId, SubscriptionId};
use stoa_actors::rights::{Birth, Subject};
use stoa_actors::space::Resource;

/// Atoms of others that end alike, and are looked through for one that the caller can read.
const LOOKED_MAX: usize = 10_000;

impl Caller {
    /// The atom that is meant by an id, or by the end of one.
    ///
    /// Errors: [`ProblemKind::Unknown`] when no atom that the caller can read ends so, [`ProblemKind::Conflict`]
    /// when several do, [`ProblemKind::Invalid`] for what is no id.
    pub async fn atom_id(&self, text: &str) -> Result<AtomId, Problem> {
        let Some(ending) = IdSuffix::parse(text) else {
            let invalid =
                |error| Problem::new(ProblemKind::Invalid, error).hint("stoa search SPACE --json");
            return text.parse().map_err(invalid);
        };
        let found = self.reading(move |caller| caller.atoms_ending(ending)).await?;
        only(&found, text, "atom", "get")?.ok_or_else(|| Problem::no_atom(text))
    }

    fn atoms_ending(&self, ending: IdSuffix) -> Result<Vec<AtomId>, Problem> {
        let store = self.runtime.store();
        let mut found = Vec::new();
        let alike = store.atoms_ending(ending, LOOKED_MAX + 1)?;
        for (looked, id) in alike.into_iter().enumerate() {
            if looked >= LOOKED_MAX {
                let text = "too many ids end in this; type more of the id";
                return Err(
                    Problem::new(ProblemKind::Conflict, text).hint("stoa search SPACE --json")
                );
            }
            let read = store.newest(id)?;
            if read.is_some_and(|(_, atom)| self.level(atom.space).is_some()) {
                found.push(id);
                if found.len() > NAMED_MAX {
                    break;
                }
            }
        }
        Ok(found)
    }

    /// What a lease is of: an atom of the space by its id, or by the end of one as it is shown; or a
    /// name.
    pub async fn resource(&self, space: SpaceId, text: &str) -> Result<Resource, Problem> {
        let Some(ending) = as_shown(text) else { return Ok(Resource::named(text)) };
        let mut found = self.reading(move |caller| caller.atoms_ending(ending)).await?;
        let mut here = Vec::with_capacity(found.len());
        for id in found.drain(..) {
            if self.get(id).await.is_ok_and(|it| it.atom.space == space) {
                here.push(id);
            }
        }
        let only = only(&here, text, "atom", "get")?;
        Ok(only.map_or_else(|| Resource::named(text), Resource::Atom))
    }

    /// The subscription that is meant by an id, or by the end of one: of the caller's, and of those
    /// in spaces where it may grant rights.
    pub async fn subscription_id(&self, text: &str) -> Result<SubscriptionId, Problem> {
        if let Ok(id) = text.parse() {
            return Ok(id);
        }
        let unknown = || {
            let text =
                format!("{text:?} is not a subscription; one of an agent is named by its space");
            Problem::new(ProblemKind::Invalid, text).hint("stoa subscription list")
        };
        let ending = IdSuffix::parse(text).ok_or_else(unknown)?;
        let (mut all, others) =
            (self.subscriptions(None).await?, self.all_subscriptions(None).await);
        all.extend(others.unwrap_or_default());
        let all = all.into_iter().filter_map(|it| it.id);
        let found: BTreeSet<SubscriptionId> = all.filter(|it| ending.is_of(&it.0)).collect();
        let found: Vec<SubscriptionId> = found.into_iter().collect();
        only(&found, text, "subscription", "subscription read")?.ok_or_else(unknown)
    }

    /// The space that the caller may use or hand on whose id ends so.
    pub(crate) fn space_ending(&self, text: &str) -> Result<Option<SpaceId>, Problem> {
        let Some(ending) = as_shown(text) else { return Ok(None) };
        let held = self.holdings().into_iter().filter_map(|it| match it.subject {
            Subject::Space(space) => Some(space),
            _ => None,
        });
        let mut found: Vec<SpaceId> = held.filter(|it| ending.is_of(&it.0)).collect();
        found.dedup();
        only(&found, text, "space", "space show")
    }

    /// The living session that the caller may see whose id ends so.
    pub(crate) fn session_ending(&self, text: &str) -> Result<Option<SessionId>, Problem> {
        self.session_of(text, |birth| birth.ended.is_none())
    }

    /// The same of those that are over as well.
    pub fn session_ever(&self, text: &str) -> Result<Option<SessionId>, Problem> {
        self.session_of(text, |_| true)
    }

    fn session_of(
        &self,
        text: &str,
        counts: impl Fn(&Birth) -> bool,
    ) -> Result<Option<SessionId>, Problem> {
        let Some(ending) = as_shown(text) else { return Ok(None) };
        let (own, shared) = (self.session(), self.runtime.shared());
        let rights = shared.rights.read();
        let seen = |it: &SessionId| own == ROOT || own == *it || rights.governs(own, *it);
        let all = rights.births().filter(|(_, birth)| counts(birth)).map(|(it, _)| it);
        let found: Vec<SessionId> = all.filter(|it| ending.is_of(&it.0) && seen(it)).collect();
        only(&found, text, "session", "agent show")
    }
}

/// The end of an id just as it is shown, or more of it. What takes names as well takes no less: a
/// word that somebody gives to something else must not fit the id of another thing.
fn as_shown(text: &str) -> Option<IdSuffix> {
    let shown = text.len() >= SHOWN_CHARS && !text.bytes().any(|it| it.is_ascii_lowercase());
    IdSuffix::parse(text).filter(|_| shown)
}

/// Ids that are named where an end fits several.
const NAMED_MAX: usize = 4;

/// The only one, if there is one.
fn only<T: Copy + ToString>(
    found: &[T],
    end: &str,
    what: &str,
    verb: &str,
) -> Result<Option<T>, Problem> {
    match found {
        [] => Ok(None),
        [only] => Ok(Some(*only)),
        [first, ..] => {
            let ids: Vec<String> = found.iter().take(NAMED_MAX).map(T::to_string).collect();
            let more = if found.len() > NAMED_MAX { ", and more" } else { "" };
            let text = format!(
                "several {what}s end in {end}: {}{more}; type more of the id",
                ids.join(", ")
            );
            Err(Problem::new(ProblemKind::Conflict, text)
                .hint(format!("stoa {verb} {}", first.to_string())))
        }
    }
}
