//! What one session holds: a walk over its own links, or over those on one subject.

use super::arena::RowId;
use super::row::{Kind, LinkRow, NEVER, On};
use super::{Level, Named, Rights, Subject};
use crate::id::{Millis, SessionId, SpaceId};
use std::collections::{BTreeMap, BTreeSet};

/// One subject that a session holds something on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holding {
    /// What it is about.
    pub subject: Subject,
    /// What the holder calls it, if it is a space with a name; the first of several.
    pub alias: Option<String>,
    /// The level at which the holder may act.
    pub use_: Option<Level>,
    /// The level it may hand on.
    pub delegate: Option<Level>,
    /// When the first of these two levels lapses; nothing if neither ever does.
    pub expires: Option<Millis>,
}

impl Rights {
    /// All that `holder` has now, ordered by subject.
    pub fn holdings(&self, holder: SessionId, now: Millis) -> Vec<Holding> {
        let mut subjects: Vec<On> = self.all_held(holder).map(|(_, link)| link.on()).collect();
        subjects.dedup();
        let mut aliases: BTreeMap<RowId, &str> = BTreeMap::new();
        for row in self.names_of(holder).filter(|row| row.is_space) {
            let alias = self.texts.get(row.text);
            let first = aliases.entry(row.of).or_insert(alias);
            *first = alias.min(first);
        }
        let all = subjects.into_iter().filter_map(|on| {
            let alias = aliases.get(&on.1).filter(|_| on.0 == Kind::Space);
            self.held_on(holder, self.subject(on), alias.copied(), now)
        });
        let mut all: Vec<Holding> = all.collect();
        all.sort_by(|a, b| a.subject.cmp(&b.subject));
        all
    }

    /// The spaces that `holder` has something on now, one after the other as they stand in the
    /// table: whoever wants some of them pays for no more.
    pub fn spaces_held(&self, holder: SessionId, now: Millis) -> impl Iterator<Item = Holding> {
        self.of_kind(holder, Kind::Space, now)
    }

    /// The tools, in the same way.
    pub fn tools_held(&self, holder: SessionId, now: Millis) -> impl Iterator<Item = Holding> {
        self.of_kind(holder, Kind::Tool, now)
    }

    /// The spaces that `holder` may use, the nearest first and then others, up to `max`; and whether
    /// there are more.
    pub fn near(
        &self,
        holder: SessionId,
        nearest: &[SpaceId],
        max: usize,
        now: Millis,
    ) -> (Vec<Holding>, bool) {
        let near = nearest.iter();
        let near = near.filter_map(|it| self.holding(holder, Subject::Space(*it), now));
        let all = near.chain(self.spaces_held(holder, now)).filter(|it| it.use_.is_some());
        let mut known = BTreeSet::new();
        let mut new = all.filter(|it| known.insert(it.subject.clone()));
        (new.by_ref().take(max).collect(), new.next().is_some())
    }

    fn of_kind(&self, holder: SessionId, kind: Kind, now: Millis) -> impl Iterator<Item = Holding> {
        let whose = move |it: RowId| {
            let row = self.links.get(it);
            (row.to, row.kind)
        };
        let all = self.sessions.find(&holder).into_iter().flat_map(move |to| {
            let from = self.held.from(move |it| whose(it) < (to, kind));
            from.take_while(move |it| whose(*it) == (to, kind))
        });
        let mut last = None;
        let each = all.map(|it| self.links.get(it).on());
        let each = each.filter(move |on| last.replace(*on) != Some(*on));
        each.filter_map(move |on| self.holding(holder, self.subject(on), now))
    }

    /// What `holder` has on one subject now, if anything.
    pub fn holding(&self, holder: SessionId, subject: Subject, now: Millis) -> Option<Holding> {
        let alias = match subject {
            Subject::Space(space) => self.alias_of(holder, Named::Space(space)),
            _ => None,
        };
        self.held_on(holder, subject, alias, now)
    }

    fn held_on(
        &self,
        holder: SessionId,
        subject: Subject,
        alias: Option<&str>,
        now: Millis,
    ) -> Option<Holding> {
        let live = || self.live(holder, &subject, now).map(|(_, link)| link);
        let use_ = live().filter_map(|link| link.use_).max();
        let delegate = live().filter_map(|link| link.delegate).max();
        // A level lapses with the longest-lived of the links that give it.
        let lapse = |level: Option<Level>, of: fn(&LinkRow) -> Option<Level>| {
            let giving = live().filter(|link| of(link) == level);
            giving.map(|link| link.expires).max().filter(|_| level.is_some())
        };
        let lapses = [lapse(use_, |link| link.use_), lapse(delegate, |link| link.delegate)];
        let first = lapses.into_iter().flatten().min()?;
        let alias = alias.map(str::to_owned);
        let expires = Some(first).filter(|&at| at != NEVER);
        Some(Holding { subject, alias, use_, delegate, expires })
    }

    /// Every link of one holder, dead ones included, by subject.
    pub(super) fn all_held(&self, holder: SessionId) -> impl Iterator<Item = (RowId, &LinkRow)> {
        let holder = self.sessions.find(&holder);
        holder.into_iter().flat_map(move |to| {
            let from = self.held.from(move |it| self.links.get(it).held_as() < (to, None));
            from.map(|it| (it, self.links.get(it))).take_while(move |(_, link)| link.to == to)
        })
    }
}
