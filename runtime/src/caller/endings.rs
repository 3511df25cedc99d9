//! Ids as people type them: whole, or by their end. An end is looked up only among what the caller
//! may see, and what fits two of these is told and not guessed.

use super::Caller;
use crate::problem::{Kind, Problem};
use stoa_actors::ending::Ending;
use stoa_actors::id::{AtomId, ROOT, SessionId, SpaceId, SubscriptionId};
use stoa_actors::rights::Subject;
use stoa_actors::space::{Resource, Space};

/// Atoms of others that end alike, and are looked through for one that the caller can read.
const LOOKED_MAX: usize = 10_000;

impl Caller {
    /// The atom that is meant by an id, or by the end of one.
    ///
    /// Errors: [`Kind::Unknown`] when no atom that the caller can read ends so, [`Kind::Conflict`]
    /// when several do, [`Kind::Invalid`] for what is no id.
    pub async fn atom_id(&self, text: &str) -> Result<AtomId, Problem> {
        let Some(ending) = Ending::parse(text) else {
            let amiss = |error| Problem::new(Kind::Invalid, error).hint("stoa search SPACE --json");
            return text.parse().map_err(amiss);
        };
        let found = self.reading(move |caller| caller.atoms_ending(ending)).await?;
        only(&found, text, "atom", "get")?.ok_or_else(|| Problem::no_atom(text))
    }

    fn atoms_ending(&self, ending: Ending) -> Result<Vec<AtomId>, Problem> {
        let store = self.runtime.store();
        let rows = store.own_rows::<Space>(&Space::endings_key(&ending.key_prefix()));
        let mut found = Vec::new();
        for row in rows.take(LOOKED_MAX) {
            let (key, _) = row?;
            let Some(id) = Space::of_endings_key(&key).filter(|it| ending.is_of(&it.0)) else {
                continue;
            };
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

    /// What a lease is of: an atom of the space by its id or the end of one, or a name.
    pub async fn resource(&self, space: SpaceId, text: &str) -> Result<Resource, Problem> {
        // A name is small letters more often than not; an end is shown in capitals.
        if Ending::parse(text).is_none() || text.chars().any(|it| it.is_ascii_lowercase()) {
            return Ok(Resource::named(text));
        }
        match self.atom_id(text).await {
            Ok(id) if self.get(id).await?.atom.space == space => Ok(Resource::Atom(id)),
            Ok(_) => Ok(Resource::named(text)),
            Err(problem) if problem.kind == Kind::Unknown => Ok(Resource::named(text)),
            Err(problem) => Err(problem),
        }
    }

    /// The subscription of the caller's that is meant by an id, or by the end of one.
    pub async fn subscription_id(&self, text: &str) -> Result<SubscriptionId, Problem> {
        if let Ok(id) = text.parse() {
            return Ok(id);
        }
        let unknown = || {
            let text =
                format!("{text:?} is no subscription; one of an agent is named by its space");
            Problem::new(Kind::Invalid, text).hint("stoa subscription list")
        };
        let ending = Ending::parse(text).ok_or_else(unknown)?;
        let all = self.subscriptions(None).await?.into_iter().filter_map(|it| it.id);
        let found: Vec<SubscriptionId> = all.filter(|it| ending.is_of(&it.0)).collect();
        only(&found, text, "subscription", "subscription read")?.ok_or_else(unknown)
    }

    /// The space that the caller may use or hand on whose id ends so.
    pub(crate) fn space_ending(&self, text: &str) -> Result<Option<SpaceId>, Problem> {
        let Some(ending) = Ending::parse(text) else { return Ok(None) };
        let held = self.holdings().into_iter().filter_map(|it| match it.subject {
            Subject::Space(space) => Some(space),
            _ => None,
        });
        let mut found: Vec<SpaceId> = held.filter(|it| ending.is_of(&it.0)).collect();
        found.dedup();
        only(&found, text, "space", "space show")
    }

    /// The session that the caller may see whose id ends so.
    pub(crate) fn session_ending(&self, text: &str) -> Result<Option<SessionId>, Problem> {
        let Some(ending) = Ending::parse(text) else { return Ok(None) };
        let (own, shared) = (self.session(), self.runtime.shared());
        let rights = shared.rights.read();
        let seen = |it: &SessionId| own == ROOT || own == *it || rights.governs(own, *it);
        let all = rights.births().filter(|(_, birth)| birth.ended.is_none()).map(|(it, _)| it);
        let found: Vec<SessionId> = all.filter(|it| ending.is_of(&it.0) && seen(it)).collect();
        only(&found, text, "session", "agent show")
    }
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
            let text = format!("{what}s that end in {end}: {}{more}; which?", ids.join(", "));
            Err(Problem::new(Kind::Conflict, text)
                .hint(format!("stoa {verb} {}", first.to_string())))
        }
    }
}
