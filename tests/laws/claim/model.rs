//! Two spaces as plain lists; every question looks at all of it.

use super::deed::{Deed, Which};
use crate::laws::world::{SPACES, TTL_MAX};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use stoa_actors::atom::Metadata;
use stoa_actors::id::AtomId;
use stoa_actors::rights::Level;
use stoa_actors::space::Resource;
use stoa_actors::value::Value;

const NAME: &str = "the build";

/// In the first space 0 may read, 1 append, 2 and 3 write, 4 grant; the second is closed to 2, and
/// open to write to the others.
pub(crate) fn level(who: u8, space: usize) -> Option<Level> {
    match (who, space) {
        (2, 1) => None,
        (_, 1) => Some(Level::Write),
        (0, _) => Some(Level::Read),
        (1, _) => Some(Level::Append),
        (4, _) => Some(Level::Grant),
        _ => Some(Level::Write),
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Atom {
    pub(crate) id: AtomId,
    pub(crate) space: usize,
    pub(crate) version: u64,
    pub(crate) status: u8,
    pub(crate) on: Vec<AtomId>,
    pub(crate) deprecated: bool,
    pub(crate) attempts: u64,
}

#[derive(Clone, Debug)]
pub(crate) struct Lease {
    pub(crate) who: u8,
    pub(crate) token: u64,
    pub(crate) since: u64,
    pub(crate) until: u64,
    /// What the status was before the claim, if that has set another.
    pub(crate) before: Option<u8>,
    /// Whether it was the last attempt.
    pub(crate) last: bool,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Model {
    /// In the order of birth.
    pub(crate) atoms: Vec<Atom>,
    pub(crate) leases: [BTreeMap<Resource, Lease>; SPACES],
    pub(crate) tokens: [u64; SPACES],
    pub(crate) now: u64,
    /// In every id that a put of this case gives.
    pub(crate) mark: [u8; 8],
}

pub(crate) fn status(metadata: &Metadata) -> u8 {
    match metadata.get("status") {
        Some(Value::Int(it)) => *it as u8,
        _ => u8::MAX,
    }
}

type Told = Result<String, String>;

impl Model {
    /// An id that the `n`-th put of a schedule gives.
    pub(super) fn atom_id(&self, n: u16) -> AtomId {
        let mut id = [9; 16];
        id[..2].copy_from_slice(&n.to_be_bytes());
        id[2..10].copy_from_slice(&self.mark);
        AtomId(id)
    }

    pub(super) fn pick(&self, n: u8) -> Option<&Atom> {
        self.atoms.get(usize::from(n) % self.atoms.len().max(1))
    }

    pub(super) fn resource(&self, n: Option<u8>) -> (usize, Resource) {
        match n {
            Some(n) => {
                let atom = self.pick(n);
                let id = atom.map_or(AtomId([0; 16]), |it| it.id);
                (atom.map_or(0, |it| it.space), Resource::Atom(id))
            }
            None => (0, Resource::Name(NAME.to_owned())),
        }
    }

    pub(super) fn token(&self, n: usize, resource: &Resource, which: Which) -> u64 {
        let token = self.leases[n].get(resource).map_or(0, |it| it.token);
        match which {
            Which::Right => token,
            Which::Old => token.wrapping_sub(1),
            Which::Next => token + 1,
        }
    }

    /// The answer, and whether anything has changed.
    pub(crate) fn take(&mut self, who: u8, deed: &Deed) -> (String, bool) {
        let mut after = self.clone();
        match after.change(who, deed) {
            Ok((told, changed)) => {
                if changed {
                    *self = after;
                }
                (told, changed)
            }
            Err(refused) => (refused, false),
        }
    }

    fn change(&mut self, who: u8, deed: &Deed) -> Result<(String, bool), String> {
        let told = match deed {
            Deed::Put { space, status, on, id } => self.put(who, *space, *id, *status, on)?,
            Deed::Claim { wanted, ranked, ttl, set, attempts } => {
                return self.claim(who, *wanted, ranked.as_deref(), *ttl, (*set, *attempts));
            }
            Deed::Complete { atom, token } => {
                let (n, resource) = self.resource(Some(*atom));
                let token = self.token(n, &resource, *token);
                self.need(who, n, Level::Read)?;
                self.rightful(who, n, &resource, token)?;
                let (id, version) = self.update(who, *atom, 2, None)?;
                self.leases[n].remove(&resource);
                format!("versions {:?}", [(id, version)])
            }
            Deed::Update { atom, status, expect, anew } => {
                let (id, version) = self.update(who, *atom, *status, *expect)?;
                let atom = self.atoms.iter_mut().find(|it| it.id == id && *anew);
                atom.into_iter().for_each(|it| it.attempts = 0);
                format!("version {id} {version}")
            }
            Deed::Deprecate(n) => {
                let (id, version) = self.update(who, *n, u8::MAX, None)?;
                let atom = self.atoms.iter_mut().find(|it| it.id == id);
                atom.into_iter().for_each(|it| it.deprecated = true);
                format!("version {id} {version}")
            }
            Deed::Acquire { atom, ttl } => {
                let (n, resource) = self.resource(*atom);
                self.acquire(who, n, resource, *ttl)?
            }
            Deed::Renew { atom, token, ttl } => {
                let (n, resource) = self.resource(*atom);
                self.need(who, n, Level::Write)?;
                let token = self.token(n, &resource, *token);
                self.rightful(who, n, &resource, token)?;
                let until = self.until(*ttl)?;
                let lease = self.leases[n].get_mut(&resource);
                lease.into_iter().for_each(|it| it.until = until);
                format!("lease {token} until {until}")
            }
            Deed::Release { atom, own, undo } => {
                let (n, resource) = self.resource(*atom);
                if *own {
                    self.need(who, n, Level::Read)?;
                    self.rightful(who, n, &resource, self.token(n, &resource, Which::Right))?;
                } else {
                    self.need(who, n, Level::Grant)?;
                    self.live(n, &resource).ok_or("no lease")?;
                }
                match self.end(n, &resource, *undo) {
                    Some((id, version)) => format!("version {id} {version}"),
                    None => "done".to_owned(),
                }
            }
            Deed::Expire(n) => {
                let mut due: Vec<_> = self.leases[*n].iter().collect();
                due.retain(|(_, it)| it.until <= self.now);
                let due: Vec<Resource> = due.into_iter().map(|(it, _)| it.clone()).collect();
                for it in &due {
                    self.end(*n, it, true);
                }
                return Ok(("done".to_owned(), !due.is_empty()));
            }
            Deed::LetGo { space, within } => {
                let within = within.map_or(0..=u64::MAX, |it| self.within(it));
                let own = |it: &Lease| it.who == who && within.contains(&it.since);
                let own = self.leases[*space].iter().filter(|(_, it)| own(it));
                let own: Vec<Resource> = own.map(|(it, _)| it.clone()).collect();
                for it in &own {
                    self.end(*space, it, true);
                }
                return Ok(("done".to_owned(), !own.is_empty()));
            }
            Deed::Several { first, second, id } => {
                let before = self.atoms.len();
                self.need(who, 0, Level::Append)?;
                let picks = [*first, *second].map(|n| self.pick(n).map(|it| it.id));
                self.put(who, 0, *id, 0, &[*first])?;
                let mut versions = vec![(self.atoms[before].id, 1)];
                for pick in picks {
                    let id = pick.unwrap_or(AtomId([0; 16]));
                    versions.push(self.update_id(who, 0, id, 2, None)?);
                }
                format!("versions {versions:?}")
            }
        };
        Ok((told, true))
    }

    fn need(&self, who: u8, n: usize, needed: Level) -> Result<(), String> {
        match level(who, n) {
            None => Err("unknown".to_owned()),
            Some(held) if held < needed => Err("right".to_owned()),
            Some(_) => Ok(()),
        }
    }

    fn until(&self, ttl: u64) -> Result<u64, String> {
        if ttl == 0 || ttl > TTL_MAX { Err("ttl".to_owned()) } else { Ok(self.now + ttl) }
    }

    fn live(&self, n: usize, resource: &Resource) -> Option<&Lease> {
        self.leases[n].get(resource).filter(|it| self.now < it.until)
    }

    fn leased(&self, lease: &Lease) -> String {
        format!("leased by {} for {}", lease.who, lease.until - self.now)
    }

    fn rightful(&self, who: u8, n: usize, resource: &Resource, token: u64) -> Result<(), String> {
        let live = self.live(n, resource);
        match live.filter(|it| it.who == who && it.token == token) {
            Some(_) => Ok(()),
            None => Err(format!("stale, now {:?}", live.map(|it| it.token))),
        }
    }

    fn put(&mut self, who: u8, space: usize, id: u16, status: u8, on: &[u8]) -> Told {
        self.need(who, space, Level::Append)?;
        let id = self.atom_id(id);
        if self.atoms.iter().any(|it| it.id == id) {
            return Err("taken".to_owned());
        }
        let on: Vec<AtomId> =
            on.iter().map(|n| self.pick(*n).map_or(AtomId([0; 16]), |it| it.id)).collect();
        if on.iter().any(|target| self.seen(who, *target).is_none()) {
            return Err("no atom".to_owned());
        }
        self.atoms.push(Atom { id, space, version: 1, status, on, deprecated: false, attempts: 0 });
        Ok(format!("version {id} 1"))
    }

    fn seen(&self, who: u8, id: AtomId) -> Option<&Atom> {
        self.atoms.iter().find(|it| it.id == id && level(who, it.space).is_some())
    }

    fn update(
        &mut self,
        who: u8,
        atom: u8,
        status: u8,
        expect: Option<u8>,
    ) -> Result<(AtomId, u64), String> {
        let (n, id) = self.pick(atom).map_or((0, AtomId([0; 16])), |it| (it.space, it.id));
        self.update_id(who, n, id, status, expect)
    }

    fn update_id(
        &mut self,
        who: u8,
        n: usize,
        id: AtomId,
        status: u8,
        expect: Option<u8>,
    ) -> Result<(AtomId, u64), String> {
        self.need(who, n, Level::Write)?;
        let leased = self.live(n, &Resource::Atom(id)).filter(|it| it.who != who);
        let leased = leased.map(|it| self.leased(it));
        let atom = self.atoms.iter_mut().find(|it| it.id == id && it.space == n);
        let atom = atom.ok_or("no atom")?;
        if atom.deprecated {
            return Err("deprecated".to_owned());
        }
        leased.map_or(Ok(()), Err)?;
        if expect.is_some_and(|it| it != atom.status) {
            return Err("unexpected".to_owned());
        }
        atom.version += 1;
        atom.status = if status == u8::MAX { atom.status } else { status };
        Ok((id, atom.version))
    }

    fn acquire(&mut self, who: u8, n: usize, resource: Resource, ttl: u64) -> Told {
        self.need(who, n, Level::Write)?;
        if let Resource::Atom(id) = &resource {
            let atom = self.atoms.iter().find(|it| it.id == *id && it.space == n);
            if atom.ok_or("no atom")?.deprecated {
                return Err("deprecated".to_owned());
            }
        }
        if let Some(lease) = self.live(n, &resource) {
            return Err(self.leased(lease));
        }
        let until = self.until(ttl)?;
        self.end(n, &resource, true);
        let token = self.lease(who, n, resource, until, (None, false));
        Ok(format!("lease {token} until {until}"))
    }

    fn lease(
        &mut self,
        who: u8,
        n: usize,
        resource: Resource,
        until: u64,
        (before, last): (Option<u8>, bool),
    ) -> u64 {
        self.tokens[n] += 1;
        let token = self.tokens[n];
        let lease = Lease { who, token, since: self.now, until, before, last };
        self.leases[n].insert(resource, lease);
        token
    }

    /// From so many ticks ago on, for so long.
    pub(crate) fn within(&self, (ago, length): (u16, u16)) -> RangeInclusive<u64> {
        let since = self.now.saturating_sub(ago.into());
        since..=since + u64::from(length)
    }

    /// Ends a lease; what a claim has set is put back if it is still so, and after the last attempt it
    /// was in vain. The version it makes.
    fn end(&mut self, n: usize, resource: &Resource, undo: bool) -> Option<(AtomId, u64)> {
        let lease = self.leases[n].remove(resource)?;
        let Resource::Atom(id) = resource else { return None };
        let atom = self.atoms.iter_mut().find(|it| it.id == *id)?;
        let same = lease.before.is_none() || atom.status == 1;
        if !undo || !same || atom.deprecated {
            return None;
        }
        atom.status = if lease.last { 3 } else { lease.before? };
        atom.version += 1;
        Some((*id, atom.version))
    }

    fn claim(
        &mut self,
        who: u8,
        wanted: u8,
        ranked: Option<&[u8]>,
        ttl: u64,
        (set, attempts): (bool, Option<u8>),
    ) -> Result<(String, bool), String> {
        self.need(who, 0, Level::Write)?;
        // What is tried in vain says 3; these take that as well.
        let takes_any = [3, 5, 7].contains(&wanted);
        match attempts {
            Some(0) => return Err("no attempts".to_owned()),
            Some(_) if takes_any => return Err("still wanted".to_owned()),
            _ => {}
        }
        let until = self.until(ttl)?;
        let fits = |atom: &&Atom| self.fits(who, wanted, atom);
        let all: Vec<Atom> = match ranked {
            Some(ranked) => {
                ranked.iter().filter_map(|n| self.pick(*n)).filter(fits).cloned().collect()
            }
            None => self.atoms.iter().filter(fits).cloned().collect(),
        };
        let mut seen = BTreeSet::new();
        let all: Vec<Atom> = all.into_iter().filter(|it| seen.insert(it.id)).collect();
        let may = |it: &Atom| attempts.is_none_or(|most| it.attempts < most.into());
        let first = all.iter().position(may).unwrap_or(all.len());
        if first > 0 {
            for it in &all[..first] {
                let atom = self.atoms.iter_mut().find(|atom| atom.id == it.id).ok_or("no atom")?;
                (atom.status, atom.version) = (3, atom.version + 1);
            }
            return Ok((format!("used up {first}"), true));
        }
        let Some(Atom { id, status, .. }) = all.first().cloned() else {
            return Ok(("nothing".to_owned(), false));
        };
        let atom = self.atoms.iter_mut().find(|it| it.id == id).ok_or("no atom")?;
        atom.attempts += u64::from(attempts.is_some());
        atom.version += u64::from(set || attempts.is_some());
        atom.status = if set { 1 } else { status };
        let (version, last) = (atom.version, attempts.is_some_and(|it| atom.attempts >= it.into()));
        let before = (set.then_some(status), last);
        let token = self.lease(who, 0, Resource::Atom(id), until, before);
        Ok((format!("claimed {id} {version} under {token} until {until}"), true))
    }

    fn fits(&self, who: u8, wanted: u8, atom: &Atom) -> bool {
        let free = !self.leases[0].contains_key(&Resource::Atom(atom.id));
        let target =
            |id: &AtomId, status| self.seen(who, *id).is_some_and(|it| it.status == status);
        let mut sources = self.atoms.iter().filter(|it| it.on.contains(&atom.id));
        let mut sources_say =
            |status| sources.any(|it| level(who, it.space).is_some() && it.status == status);
        let mut on = atom.on.iter();
        let holds = match wanted {
            0 => atom.status == 0,
            1 => atom.status == 0 && on.all(|it| target(it, 2)),
            2 => atom.status == 0 && on.any(|it| target(it, 2)),
            3 => !on.any(|it| target(it, 0)),
            4 => atom.status == 0 && !sources_say(0),
            5 => sources_say(1),
            6 => atom.status < 2,
            _ => atom.status > 0 && on.all(|it| target(it, 1) || target(it, 2)),
        };
        atom.space == 0 && !atom.deprecated && free && holds
    }
}
