//! Which agents hear of what a caller has written: so that whoever writes knows that somebody acts on
//! it, or that nobody does.

use crate::caller::Caller;
use crate::problem::Problem;
use stoa_actors::id::{Position, ROOT, SessionId, SpaceId};
use stoa_actors::rights::{Level, Subject};
use stoa_actors::space::Follower;

/// Followers of one space that are looked at.
const FOLLOWERS_LOOKED_MAX: usize = 64;

/// The agents that hear of what was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Woken {
    /// Which, in no order that means anything: those that the caller may know of.
    pub agents: Vec<SessionId>,
    /// There were more followers than are looked at.
    pub more: bool,
    /// Those that follow what was written and yet are not woken by it, with the state that keeps
    /// them from it: `parked`, `stopped`, `exhausted`, `quarantined`.
    pub held: Vec<(SessionId, &'static str)>,
    /// Whether a process runs them.
    pub run: bool,
}

/// What an agent makes of what was written.
enum Hearing {
    /// It does not follow it.
    Nothing,
    /// It is woken by it.
    Wakes,
    /// It follows it, and its state keeps it from being woken.
    Held(&'static str),
}

impl Caller {
    /// The agents that hear of what this request has written so far; nothing where none does. Told are
    /// those under the caller, and in a space where it may grant rights all that follow it.
    pub async fn woken(&self) -> Result<Option<Woken>, Problem> {
        let Some(wrote) = self.wrote() else { return Ok(None) };
        let run = self.runtime.agents_started();
        let mut looks = Vec::new();
        let mut more = false;
        for ((space, by), places) in wrote {
            let mut followers = self.may_follow(space, run);
            followers.retain(|it| *it != by);
            more |= followers.len() > FOLLOWERS_LOOKED_MAX;
            followers.truncate(FOLLOWERS_LOOKED_MAX);
            looks.extend(followers.into_iter().map(|agent| (agent, space, by, places)));
        }
        if looks.is_empty() {
            return Ok(None);
        }
        self.reading(move |caller| {
            let mut woken = Woken { agents: Vec::new(), more, held: Vec::new(), run };
            for (agent, space, by, places) in looks {
                if woken.agents.contains(&agent) || woken.held.iter().any(|it| it.0 == agent) {
                    continue;
                }
                match caller.hearing(agent, space, by, places)? {
                    Hearing::Nothing => {}
                    Hearing::Wakes => woken.agents.push(agent),
                    Hearing::Held(state) => woken.held.push((agent, state)),
                }
            }
            Ok((!woken.agents.is_empty() || !woken.held.is_empty()).then_some(woken))
        })
        .await
    }

    /// Who follows a space, or may: of an agent that no process runs its state says it.
    fn may_follow(&self, space: SpaceId, run: bool) -> Vec<SessionId> {
        let shared = self.runtime.shared();
        let followers = if run { shared.followers.of(space) } else { Vec::new() };
        let (now, rights) = (shared.clock.now(), shared.rights.read());
        let subject = Subject::Space(space);
        let all = self.session() == ROOT
            || rights.level(self.session(), &subject, now) == Some(Level::Grant);
        let known = |it: &SessionId| all || rights.governs(self.session(), *it);
        if run {
            return followers.into_iter().filter(known).collect();
        }
        let reads = |it: &SessionId| rights.level(*it, &subject, now).is_some();
        rights.agents().filter(|it| reads(it) && known(it)).take(FOLLOWERS_LOOKED_MAX + 1).collect()
    }

    /// Whether an agent follows a space so that it hears of what somebody has written there.
    fn hearing(
        &self,
        agent: SessionId,
        space: SpaceId,
        by: SessionId,
        (first, last): (Position, Position),
    ) -> Result<Hearing, Problem> {
        let Some(life) = self.runtime.life(agent)? else { return Ok(Hearing::Nothing) };
        let now = self.runtime.now();
        let found = life.follows().find(|(it, _)| *it == space);
        let Some((_, follow)) = found.filter(|(_, it)| !it.terms.over(now)) else {
            return Ok(Hearing::Nothing);
        };
        let (store, config) = (self.runtime.store(), &self.runtime.shared().config);
        let before = Position(first.0.saturating_sub(1));
        let mut follower = Follower::new(space, before, follow.filter.clone());
        let from = store.seq_at(space.stream(), before)?;
        for entry in store.entries_after(space.stream(), from).take(config.follow_entries_max) {
            let entry = entry?;
            if entry.position > last {
                break;
            }
            let changes = follower.take(entry.position, &entry.body);
            let changes = changes.map_err(crate::failure::StoreError::from)?;
            if changes.iter().any(|it| it.by == by) {
                let out = self.runtime.out_of_service(agent).map(|_| "quarantined");
                return Ok(match out.or_else(|| life.deaf_to(space)) {
                    Some(state) => Hearing::Held(state),
                    None if life.listens() => Hearing::Wakes,
                    None => Hearing::Nothing,
                });
            }
        }
        Ok(Hearing::Nothing)
    }
}
