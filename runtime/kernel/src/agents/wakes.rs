//! Who is told of what is new. The log is the queue: what is kept is who follows which space
//! (`followers`), and here who is to look; losing it costs a walk over the agents, never an event.
//!
//! However much happens, a session is in `due` once; while its turn runs nothing is sent to it,
//! and the end of the turn makes it look again. So of 200 agents that follow one space at most 200
//! wakes are pending.

use super::known::Known;
use crate::blocking::blocking;
use crate::failure::StoreError;
use crate::problem::{Problem, ProblemKind};
use crate::runtime::{Runtime, WeakRuntime};
use parking_lot::Mutex;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Weak};
use std::time::Duration;
use stoa_actors::id::{Millis, ROOT, SessionId};
use stoa_actors::incarnation::Request;
use stoa_actors::session::{ChangeQuery, Ear, Look, Message, New, Phase, Reply, Session};
use tokio::sync::{Notify, Semaphore};

#[derive(Default)]
pub(crate) struct Wakes {
    table: Mutex<Table>,
    news: Arc<Notify>,
    calm: Notify,
    /// What is known of those that are up.
    known: Mutex<BTreeMap<SessionId, Weak<Known>>>,
}

#[derive(Default)]
struct Table {
    due: BTreeSet<SessionId>,
    /// The most that were due at once.
    due_most: usize,
    /// Looking now; who is due again meanwhile looks once more.
    looking: BTreeSet<SessionId>,
    /// Has something to do, or may have: in a turn, about to look, or resting before the next.
    active: BTreeSet<SessionId>,
    /// Who is to look again, and when.
    later: BTreeMap<SessionId, Millis>,
    dispatching: bool,
}

impl Wakes {
    /// The sessions that have something to do, or may have.
    pub(crate) fn active(&self) -> usize {
        self.table.lock().active.len()
    }

    /// Of one that is up; forgotten when its address is.
    pub(super) fn know(&self, session: SessionId, known: &Arc<Known>) {
        let mut all = self.known.lock();
        let full = all.len().is_power_of_two();
        if all.insert(session, Arc::downgrade(known)).is_none() && full {
            all.retain(|_, it| it.strong_count() > 0);
        }
    }

    pub(super) fn ear(&self, session: SessionId) -> Ear {
        let known = self.known.lock().get(&session).and_then(Weak::upgrade);
        known.map_or(Ear::Unknown, |it| it.ear())
    }

    pub(super) fn rests(&self, session: SessionId) {
        let mut table = self.table.lock();
        if !table.due.contains(&session) {
            table.active.remove(&session);
        }
        if table.active.is_empty() {
            self.calm.notify_waiters();
        }
    }

    fn forget(&self, session: SessionId) {
        let mut table = self.table.lock();
        table.due.remove(&session);
        table.later.remove(&session);
        table.active.remove(&session);
        if table.active.is_empty() {
            self.calm.notify_waiters();
        }
    }
}

impl Runtime {
    /// Returns once no agent has anything to do: each has ended its turns, is told of all that was
    /// acknowledged before this was called, and has told all it had to. Nothing goes on after the
    /// store has failed: then it returns as well.
    pub async fn at_rest(&self) {
        let wakes = &self.agents().wakes;
        loop {
            self.ring();
            let calm = wakes.calm.notified();
            tokio::pin!(calm);
            calm.as_mut().enable();
            // What the rights have sent brings agents up, or ends them.
            self.rights().all_performed().await;
            self.ring();
            if wakes.active() == 0 {
                return;
            }
            calm.await;
        }
    }

    /// The most wakes that were pending at once since the open: at most one for each agent.
    pub fn wakes_pending_most(&self) -> usize {
        self.agents().wakes.table.lock().due_most
    }

    /// Something may be new for a session.
    pub(crate) fn wake_up(&self, session: SessionId) {
        let wakes = &self.agents().wakes;
        let mut table = wakes.table.lock();
        table.due.insert(session);
        table.due_most = table.due_most.max(table.due.len());
        table.active.insert(session);
        if !std::mem::replace(&mut table.dispatching, true) {
            let looks = self.shared().config.looks_max;
            tokio::spawn(dispatch(self.downgrade(), wakes.news.clone(), looks));
        }
        drop(table);
        wakes.news.notify_one();
    }

    /// Tells the followers of every space that has gone on.
    fn ring(&self) {
        let wakes = &self.agents().wakes;
        self.shared().followers.tell(|it| self.wake_up(it), |it| wakes.forget(it));
    }

    /// Rings whenever there is something to tell, for as long as the runtime is there.
    pub(crate) fn ring_on(&self) {
        let (weak, shared) = (self.downgrade(), Arc::downgrade(self.shared()));
        tokio::spawn(async move {
            while let Some(shared) = shared.upgrade() {
                tokio::select! {
                    () = shared.followers.told() => {}
                    _ = shared.store.failure.tripped() => return,
                }
                let Some(runtime) = weak.upgrade() else { return };
                runtime.ring();
            }
        });
    }

    /// Brings everyone up to date after an open: who is in the middle of something goes on, who
    /// has missed something is woken, and who is at rest stays there.
    pub(super) async fn listen(self, agents: BTreeSet<SessionId>) -> Result<(), Problem> {
        let runtime = self.clone();
        let look = move || {
            let (mut up, mut follows, mut cursors) = (Vec::new(), Vec::new(), Vec::new());
            for session in agents {
                // One whose entries break it is for its supervisor to see.
                let Some(state) = runtime.life(session)? else {
                    up.push(session);
                    continue;
                };
                // Who is stopped follows as well: it may be resumed.
                follows.extend(state.follows().map(|(space, _)| (space, session)));
                if !state.is_at_rest() {
                    up.push(session);
                } else if state.listens() {
                    cursors.extend(state.follows().map(|(space, it)| (session, space, it.cursor)));
                }
            }
            // First to follow and then to look: what comes in between is not missed.
            runtime.shared().followers.follow_all(follows);
            for (session, space, cursor) in cursors {
                if runtime.store().goes_on(space.stream(), cursor)? {
                    up.push(session);
                }
            }
            Ok::<_, StoreError>(up)
        };
        let up = blocking(look).await??;
        up.into_iter().for_each(|it| self.wake_up(it));
        Ok(())
    }
}

async fn dispatch(runtime: WeakRuntime, news: Arc<Notify>, looks_max: usize) {
    let room = Arc::new(Semaphore::new(looks_max));
    loop {
        let Ok(permit) = room.clone().acquire_owned().await else { return };
        let next = {
            let Some(runtime) = runtime.upgrade() else { return };
            let agents = runtime.agents();
            let mut table = agents.wakes.table.lock();
            let next = table.due.iter().find(|it| !table.looking.contains(it)).copied();
            if let Some(session) = next {
                table.due.remove(&session);
                table.looking.insert(session);
            }
            next
        };
        let Some(session) = next else {
            drop(permit);
            news.notified().await;
            continue;
        };
        let runtime = runtime.clone();
        let news = news.clone();
        tokio::spawn(async move {
            let _permit = permit;
            let Some(runtime) = runtime.upgrade() else { return };
            if let Err(problem) = runtime.look(session).await {
                match runtime.shared().refuses() {
                    // It is woken by the next process that runs it.
                    Some(_) => {
                        tracing::debug!(%session, %problem, "an agent is not woken any more")
                    }
                    None => tracing::warn!(%session, %problem, "an agent could not be woken"),
                }
                runtime.missed(session, &problem);
            }
            runtime.agents().wakes.table.lock().looking.remove(&session);
            news.notify_one();
        });
    }
}

impl Runtime {
    /// A look came to nothing. What passes by itself is looked for again, and whoever waits for rest
    /// waits for that.
    fn missed(&self, session: SessionId, problem: &Problem) {
        let shared = self.shared();
        let passes = problem.kind == ProblemKind::Busy
            && shared.refuses().is_none()
            && self.out_of_service(session).is_none();
        match passes {
            true => {
                let wait = shared.config.outbox_wait_first_ms;
                self.wake_up_at(session, Millis(self.now().0 + wait));
            }
            false => self.agents().wakes.rests(session),
        }
    }

    /// Looks for what is new to a session and tells it.
    async fn look(&self, session: SessionId) -> Result<(), Problem> {
        let state = match self.agents().wakes.ear(session) {
            Ear::Busy => return Ok(()),
            Ear::Open(state) => state,
            Ear::Unknown => Arc::from(super::context::state(self, session).await?),
        };
        let address = self.agent(session)?;
        let funded = state.is_funded();
        if !matches!(state.phase(), Phase::Idle | Phase::Parked { .. }) && !funded {
            // In a turn: its end makes it look again.
            if state.is_at_rest() {
                self.agents().wakes.rests(session);
            }
            return Ok(());
        }
        let New { wakes, cause, later, over, .. } = self.news(session, &state).await?;
        for space in over {
            address.ask(Request::new(ROOT, Message::Unfollow(space)).comment("over")).await?;
        }
        if let Some(at) = later {
            self.wake_up_at(session, at);
        }
        if wakes.is_empty() && !funded {
            // Who waits for a pause still has something to do.
            if state.is_at_rest() && later.is_none() {
                self.agents().wakes.rests(session);
            }
            return Ok(());
        }
        let ask = Request { cause, ..Request::new(ROOT, Message::Wake(wakes)).comment("woken") };
        match address.ask(ask).await?.reply {
            Reply::NotBefore(at) => self.wake_up_at(session, at),
            // Parked, it hears nobody but who is outside: the news stay, and it is at rest. One that is
            // in a turn by now looks again at its end.
            Reply::Busy if super::context::state(self, session).await?.is_at_rest() => {
                self.agents().wakes.rests(session);
            }
            _ => {}
        }
        Ok(())
    }

    /// What is new to a session in the spaces that it follows, and what set it off.
    pub(super) async fn news(&self, session: SessionId, state: &Session) -> Result<New, Problem> {
        let shared = self.shared();
        let quoted_max = shared.config.limits.wake_comments_max;
        let scanned = |space| shared.followers.scanned(space, session);
        let look = Look::new(state, self.now(), quoted_max, scanned);
        let new = self.looked(session, state, look).await?;
        for (space, upto) in &new.scanned {
            shared.followers.scan(*space, session, *upto);
        }
        Ok(new)
    }

    /// What was said to a session in the space that it shares with its parent, and that it has not heard.
    pub(super) async fn words(&self, session: SessionId, state: &Session) -> Result<New, Problem> {
        let quoted_max = self.shared().config.limits.wake_comments_max;
        self.looked(session, state, Look::at_words(state, self.now(), quoted_max)).await
    }

    /// What comes of a look.
    async fn looked(
        &self,
        session: SessionId,
        state: &Session,
        mut look: Look,
    ) -> Result<New, Problem> {
        let most = self.shared().config.follow_entries_max;
        let caller = self.caller(session);
        while let Some(ChangeQuery { space, after, filter }) = look.wants() {
            match caller.changes(space, after, most, &filter).await {
                Ok((changes, upto)) => look.page(changes, upto),
                Err(problem) if problem.kind == ProblemKind::Unknown => look.forbidden(),
                Err(problem) => return Err(problem),
            }
        }
        Ok(look.done(matches!(state.phase(), Phase::Parked { .. })))
    }

    /// Looks again then. However often it is said, one waits for each session: the earliest, which
    /// finds out what comes after it.
    fn wake_up_at(&self, session: SessionId, at: Millis) {
        let agents = self.agents();
        let mut table = agents.wakes.table.lock();
        if table.later.get(&session).is_some_and(|known| *known <= at) {
            return;
        }
        table.later.insert(session, at);
        drop(table);
        let wait = Duration::from_millis(at.0.saturating_sub(self.now().0));
        let runtime = self.downgrade();
        tokio::spawn(async move {
            tokio::time::sleep(wait).await;
            let Some(runtime) = runtime.upgrade() else { return };
            let agents = runtime.agents();
            let mut table = agents.wakes.table.lock();
            let last = table.later.get(&session) == Some(&at);
            if last {
                table.later.remove(&session);
            }
            drop(table);
            // One that was said to be earlier has looked, and has said when to look again.
            if last {
                runtime.wake_up(session);
            }
        });
    }
}
