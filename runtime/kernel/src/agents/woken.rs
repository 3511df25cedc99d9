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
    /// Whether a process runs them.
    pub run: bool,
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
            let mut woken = Woken { agents: Vec::new(), more, run };
            for (agent, space, by, places) in looks {
                if !woken.agents.contains(&agent) && caller.hears(agent, space, by, places)? {
                    woken.agents.push(agent);
                }
            }
            Ok((!woken.agents.is_empty()).then_some(woken))
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
    fn hears(
        &self,
        agent: SessionId,
        space: SpaceId,
        by: SessionId,
        (first, last): (Position, Position),
    ) -> Result<bool, Problem> {
        if self.runtime.out_of_service(agent).is_some() {
            return Ok(false);
        }
        let Some(life) = self.runtime.life(agent)?.filter(|it| it.listens()) else {
            return Ok(false);
        };
        let now = self.runtime.now();
        let found = life.follows().find(|(it, _)| *it == space);
        let Some((_, follow)) = found.filter(|(_, it)| !it.terms.over(now)) else {
            return Ok(false);
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
                return Ok(true);
            }
        }
        Ok(false)
    }
}
