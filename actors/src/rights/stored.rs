//! What of the table is kept in a snapshot, row by row: all but the orders, which the rows give
//! back. Written and read in one pass, so that neither needs a second table beside the first.

use super::arena::RowId;
use super::row::NEVER;
use super::{Doom, Effect, Lifetime, Link, Named, Owed, Rights, SpawnProgress};
use crate::agent::{AgentSpec, Budget};
use crate::behaviour::EffectId;
use crate::id::{Millis, SessionId, SpaceId};
use crate::mutant::planted;
use serde::de::{self, DeserializeSeed, SeqAccess, Visitor};
use serde::ser::{SerializeMap, SerializeSeq, SerializeStruct};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

/// In the order they are written in.
const FIELDS: &[&str] = &["births", "spaces", "links", "names", "sent"];

/// A session as it is kept: its charter is borrowed to write, owned when read.
#[derive(PartialEq, Serialize, Deserialize)]
pub(super) struct Birth<C> {
    parent: Option<SessionId>,
    at: Millis,
    seen: SpawnProgress,
    ended: Option<Millis>,
    charter: Option<C>,
    budget: Budget,
    doom: Option<Doom>,
    lifetime: Lifetime,
}

impl Rights {
    fn kept_births(&self) -> impl Iterator<Item = (SessionId, Birth<&AgentSpec>)> {
        self.sessions.iter().map(|(place, row)| {
            let birth = Birth {
                parent: row.parent.map(|it| self.sessions.get(it).id),
                at: row.at,
                seen: row.seen,
                ended: Some(row.ended).filter(|_| !row.lives()),
                charter: self.charters.get(&place).map(|it| &*it.charter),
                budget: self.charters.get(&place).map(|it| it.budget).unwrap_or_default(),
                doom: self.doomed.get(&place).cloned(),
                lifetime: self.lifetime(place),
            };
            (row.id, birth)
        })
    }

    fn kept_links(&self) -> impl Iterator<Item = Link> {
        self.links.iter().map(|(_, row)| self.told(row))
    }

    fn kept_names(&self) -> impl Iterator<Item = (SessionId, Vec<(&str, Named)>)> {
        let named = self.sessions.iter().filter(|(_, row)| row.names > 0);
        named.map(|(holder, row)| {
            let from = self.names.from(&(holder, None)).map(|(_, it)| it);
            let own = from.take_while(|it| it.holder == holder);
            let name = |it: &super::row::NameRow| {
                (self.texts.get(it.text), self.named_by(it.is_space, it.of))
            };
            let mut names: Vec<(&str, Named)> = own.map(name).collect();
            names.sort_unstable_by_key(|(alias, _)| *alias);
            (row.id, names)
        })
    }

    /// As they came: that is the order in which those of a holder are told.
    fn kept_spaces(&self) -> impl Iterator<Item = SpaceId> {
        self.spaces.in_place().map(|row| row.id)
    }
}

/// By what is kept: where a row stands is of no account.
impl PartialEq for Rights {
    fn eq(&self, other: &Rights) -> bool {
        self.kept_births().eq(other.kept_births())
            && self.kept_links().eq(other.kept_links())
            && self.kept_names().eq(other.kept_names())
            && self.kept_spaces().eq(other.kept_spaces())
            && self.sent == other.sent
    }
}

/// So many pairs, made one by one.
struct Pairs<F>(usize, F);

impl<K: Serialize, V: Serialize, I: Iterator<Item = (K, V)>, F: Fn() -> I> Serialize for Pairs<F> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(Some(self.0))?;
        (self.1)().try_for_each(|(key, value)| map.serialize_entry(&key, &value))?;
        map.end()
    }
}

/// So many things, made one by one.
struct All<F>(usize, F);

impl<T: Serialize, I: Iterator<Item = T>, F: Fn() -> I> Serialize for All<F> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut all = to.serialize_seq(Some(self.0))?;
        (self.1)().try_for_each(|it| all.serialize_element(&it))?;
        all.end()
    }
}

/// The aliases of one holder, in order.
struct Aliases<'a>(Vec<(&'a str, Named)>);

impl Serialize for Aliases<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_map(self.0.iter().copied())
    }
}

impl Serialize for Rights {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut out = to.serialize_struct("Stored", FIELDS.len())?;
        let holders = self.sessions.iter().filter(|(_, row)| row.names > 0).count();
        let names = || self.kept_names().map(|(holder, names)| (holder, Aliases(names)));
        out.serialize_field("births", &Pairs(self.sessions.len(), || self.kept_births()))?;
        out.serialize_field("spaces", &All(self.spaces.len(), || self.kept_spaces()))?;
        out.serialize_field("links", &All(self.links.len(), || self.kept_links()))?;
        out.serialize_field("names", &Pairs(holders, names))?;
        out.serialize_field("sent", &self.sent)?;
        out.end()
    }
}

/// Takes the elements of a sequence one by one; of a map too, which is stored as its pairs are.
struct Each<'a, T>(&'a mut dyn FnMut(T) -> Result<(), String>, PhantomData<T>);

impl<'de, T: Deserialize<'de>> DeserializeSeed<'de> for Each<'_, T> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_seq(self)
    }
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for Each<'_, T> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("rows of the rights")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut rows: A) -> Result<(), A::Error> {
        while let Some(row) = rows.next_element()? {
            (self.0)(row).map_err(de::Error::custom)?;
        }
        Ok(())
    }
}

struct Whole;

impl<'de> Visitor<'de> for Whole {
    type Value = Rights;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the table of rights")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut fields: A) -> Result<Rights, A::Error> {
        let mut rights = Rights::empty();
        let mut parents = Vec::new();
        each(&mut fields, |(session, birth)| rights.restore_birth(session, birth, &mut parents))?;
        for (child, parent) in parents {
            let place = rights.sessions.find(&parent);
            match planted("rights.restart_forgets_who_is_under") {
                true => rights.sessions.get_mut(child).parent = place,
                false => rights.put_under(child, place),
            }
        }
        each(&mut fields, |space: SpaceId| {
            rights.make_space(space);
            Ok(())
        })?;
        let mut bases = Vec::new();
        each(&mut fields, |link: Link| {
            let place = rights.insert(&link, None).ok_or("a link between strangers")?;
            bases.extend(link.basis.map(|basis| (place, basis)));
            Ok(())
        })?;
        for (link, basis) in bases {
            let place = rights.links.find(&basis);
            if !planted("rights.restart_forgets_what_rests") {
                rights.rest(link, place);
            }
        }
        each(&mut fields, |(holder, names): (SessionId, Vec<(String, Named)>)| {
            for (alias, named) in names {
                if let Named::Session(session) = named
                    && !rights.sessions.has(&session)
                {
                    return Err(format!("{alias:?} names a session that is not there"));
                }
                rights.call(holder, &alias, named);
            }
            Ok(())
        })?;
        each(&mut fields, |(id, effect): (EffectId, Effect)| {
            rights.sent.insert(id, effect);
            Ok(())
        })?;
        Ok(rights)
    }
}

fn each<'de, A: SeqAccess<'de>, T: Deserialize<'de>>(
    fields: &mut A,
    mut row: impl FnMut(T) -> Result<(), String>,
) -> Result<(), A::Error> {
    let short = || de::Error::invalid_length(0, &Whole);
    fields.next_element_seed(Each(&mut row, PhantomData))?.ok_or_else(short)
}

impl<'de> Deserialize<'de> for Rights {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Rights, D::Error> {
        from.deserialize_struct("Stored", FIELDS, Whole)
    }
}

impl Rights {
    fn restore_birth(
        &mut self,
        session: SessionId,
        birth: Birth<Arc<AgentSpec>>,
        parents: &mut Vec<(RowId, SessionId)>,
    ) -> Result<(), String> {
        if self.sessions.has(&session) {
            return Err(format!("session {session} is there twice"));
        }
        let place = self.bear(session, None, birth.at);
        let row = self.sessions.get_mut(place);
        (row.seen, row.ended) = (birth.seen, birth.ended.unwrap_or(NEVER));
        parents.extend(birth.parent.map(|parent| (place, parent)));
        if let Some(charter) = birth.charter {
            self.charters.insert(place, Owed { charter, budget: birth.budget });
        }
        if let Some(doom) = birth.doom {
            self.doomed.insert(place, doom);
        }
        if birth.lifetime == Lifetime::OneAction {
            self.passing.insert(place);
        }
        Ok(())
    }
}
