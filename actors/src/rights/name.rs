//! Aliases: each holder's own words for spaces and sessions, never global.

use super::{
    Asking, Event, Message, Named, Refusal, Reply, RightRequest, Rights, RightsDecision, Subject,
};
use crate::id::{SessionId, SpaceId};
use crate::limits::RightsLimits;
use crate::mutant::planted;
use crate::name;
use std::borrow::Cow;

impl Rights {
    pub(super) fn name(
        &self,
        asking: Asking<'_>,
        alias: String,
        named: Named,
    ) -> Result<RightsDecision, Refusal> {
        let Asking { by, now, limits } = asking;
        match named {
            Named::Space(space) if self.level(by, &Subject::Space(space), now).is_none() => {
                return Err(Refusal::UnknownName(space.to_string()));
            }
            Named::Session(session) => {
                self.living(session)?;
                self.stays(session)?;
            }
            Named::Space(_) => {}
        }
        if self.named(by, &alias) == Some(named) {
            return Ok(RightsDecision::nothing(Reply::Done));
        }
        let freed = self.alias_is_free(limits, by, &alias)?;
        let event = Event::Named { holder: by, alias, named };
        Ok(RightsDecision::one(event, Reply::Done).after(freed))
    }

    pub(super) fn unname(&self, by: SessionId, alias: String) -> Result<RightsDecision, Refusal> {
        match self.named(by, &alias) {
            Some(_) => Ok(RightsDecision::one(Event::Unnamed { holder: by, alias }, Reply::Done)),
            None => Err(Refusal::UnknownName(alias)),
        }
    }

    /// May `holder` itself put `alias` into its table? Where it still stands for a session that has
    /// ended, the event that takes it from there comes first.
    pub(super) fn alias_is_free(
        &self,
        limits: &RightsLimits,
        holder: SessionId,
        alias: &str,
    ) -> Result<Option<Event>, Refusal> {
        name_fits(alias, limits)?;
        match (self.named(holder, alias), self.called(holder, alias)) {
            (Some(_), Some(_)) => Err(Refusal::AliasTaken(alias.to_owned())),
            (Some(_), None) if planted("rights.name_of_the_dead_stays") => {
                Err(Refusal::AliasTaken(alias.to_owned()))
            }
            (Some(_), None) => Ok(Some(Event::Unnamed { holder, alias: alias.to_owned() })),
            (None, _) => self.has_room_for_a_name(limits, holder).map(|()| None),
        }
    }

    pub(super) fn has_room_for_a_name(
        &self,
        limits: &RightsLimits,
        holder: SessionId,
    ) -> Result<(), Refusal> {
        let max = limits.names_per_holder_max;
        if self.living(holder).is_ok_and(|row| row.names as usize >= max) {
            return Err(Refusal::TooManyNames { holder, max });
        }
        Ok(())
    }

    /// What a space is called that somebody else shares under `alias`. The granter learns nothing
    /// of the holder's table: a space that has a name keeps it, and a taken alias becomes
    /// `alias-2`.
    pub(super) fn alias_for(
        &self,
        holder: SessionId,
        alias: String,
        space: SpaceId,
    ) -> Option<String> {
        if self.alias_of(holder, Named::Space(space)).is_some() {
            return None;
        }
        let free = |alias: &String| {
            self.named(holder, alias).is_none() || planted("rights.alias_overwrites")
        };
        let numbered = (2u64..).map(|n| format!("{alias}-{n}"));
        std::iter::once(alias.clone()).chain(numbered).find(free)
    }
}

/// Refuses a name that cannot be written down: empty, longer than
/// [`RightsLimits::name_bytes_max`], not to be [typed again](crate::name), or read as an id: what is
/// called by an id would stand for the thing whose id it is.
pub fn name_fits(name: &str, limits: &RightsLimits) -> Result<(), Refusal> {
    let max = limits.name_bytes_max;
    if name.is_empty() || name.len() > max {
        return Err(Refusal::BadName { bytes: name.len(), max });
    }
    if name.parse::<SpaceId>().is_ok() {
        return Err(Refusal::NameLikeId(name.to_owned()));
    }
    Ok(name::check(name)?)
}

/// The message with its names in the form in which names are compared.
pub(super) fn composed(mut message: Message) -> Message {
    let compose = |alias: &mut String| {
        if let Cow::Owned(composed) = name::composed(alias) {
            *alias = composed;
        }
    };
    let each = |asks: &mut Vec<RightRequest>| {
        asks.iter_mut().flat_map(|it| &mut it.alias).for_each(compose)
    };
    match &mut message {
        Message::CreateSpace { alias, .. } | Message::Share { alias, .. } => {
            alias.iter_mut().for_each(compose);
        }
        Message::Spawn { alias, asks, .. } => {
            alias.iter_mut().for_each(compose);
            each(asks);
        }
        Message::SpawnAgent(spawn) => {
            spawn.alias.iter_mut().for_each(compose);
            each(&mut spawn.asks);
        }
        Message::Name { alias, .. } | Message::Unname { alias } => compose(alias),
        Message::Install { .. }
        | Message::ConfirmBirth { .. }
        | Message::Revoke { .. }
        | Message::RevokeLink { .. }
        | Message::End { .. }
        | Message::Wipe { .. }
        | Message::Delivered { .. }
        | Message::Expire => {}
    }
    message
}
