//! A session as a naive list of what became of it. It foretells every answer and every entry, and
//! keeps the books that the laws are read from; it shares types with the code under test, no logic.

use super::life::{Followed, Life, Now};
use super::steering::joined;
use super::words::{Heard, What};
use std::collections::{BTreeMap, BTreeSet};
use stoa_actors::behaviour::EffectId;
use stoa_actors::id::SpaceId;
use stoa_actors::limits::SessionLimits;
use stoa_actors::session::{Event, LedgerEntry, Message, PassingKind, Thought, TurnOutcome};
use stoa_actors::space::Wake;

pub(crate) struct Model {
    pub(crate) dm: SpaceId,
    pub(crate) limits: SessionLimits,
    pub(crate) life: Life,
    pub(crate) follows: BTreeMap<SpaceId, Followed>,
    /// What happened in each space.
    pub(crate) notices: BTreeMap<SpaceId, Vec<(u64, u16)>>,
    /// Of that, what ended turns were woken by.
    seen: BTreeSet<(SpaceId, u64)>,
    turns: u64,
    pub(crate) acted: Option<(u64, u32)>,
    failures: Vec<u64>,
    /// So many of them, the oldest, are forgotten.
    forgiven: usize,
    barren: u32,
    rest_until: u64,
    /// Every letter; those that are told are out of `untold`.
    pub(crate) letters: BTreeSet<EffectId>,
    pub(crate) untold: BTreeSet<EffectId>,
    /// What it has leased is being given back.
    pub(crate) lets_go: BTreeMap<EffectId, (u64, u64)>,
    /// What it was told of what holds.
    pub(crate) told: Option<u64>,
}

impl Model {
    pub(crate) fn new(dm: SpaceId, limits: SessionLimits) -> Model {
        Model {
            dm,
            limits,
            life: Life::Unborn,
            follows: BTreeMap::new(),
            notices: BTreeMap::new(),
            seen: BTreeSet::new(),
            turns: 0,
            acted: None,
            failures: Vec::new(),
            forgiven: 0,
            barren: 0,
            rest_until: 0,
            letters: BTreeSet::new(),
            untold: BTreeSet::new(),
            lets_go: BTreeMap::new(),
            told: None,
        }
    }

    /// What happened in a space after a cursor, as one wake.
    pub(crate) fn news(&self, space: SpaceId, cursor: u64) -> Option<Wake> {
        let all = self.notices.get(&space)?;
        let new: Vec<&(u64, u16)> = all.iter().filter(|it| it.0 > cursor).collect();
        Some(Wake {
            space,
            first: stoa_actors::id::Position(new.first()?.0),
            last: stoa_actors::id::Position(new.last()?.0),
            count: new.len() as u64,
            comments: Vec::new(),
            hop: new.iter().map(|it| it.1).max()?,
        })
    }

    /// How far from outside the nearest word is that a parked one waits for.
    pub(crate) fn answer_hop(&self) -> u16 {
        let Life::Parked { heard } = &self.life else { return 0 };
        let said = self.notices.get(&self.dm).into_iter().flatten();
        said.filter(|it| it.0 > *heard).map(|it| it.1).min().unwrap_or(0)
    }

    /// What is foretold of a message.
    pub(crate) fn foretell(&self, now: u64, message: &Message, answer: u16) -> (Heard, Vec<What>) {
        let turn = |wakes: Vec<Wake>, hop| What::Began { turn: self.turns + 1, wakes, hop };
        match (message, &self.life) {
            (Message::Begin(..), Life::Unborn) => {
                (Heard::Done, vec![What::Born, turn(Vec::new(), 1)])
            }
            (_, Life::Unborn) => (Heard::Unborn, vec![]),
            (Message::LetGone(id), _) => {
                let gone = self.lets_go.contains_key(id).then_some(What::LetGo(*id));
                (Heard::Done, gone.into_iter().collect())
            }
            (_, Life::Wiped) => (Heard::Wiped, vec![]),
            (Message::Wake(wakes), _) => self.foretell_wake(now, wakes, answer),
            (Message::Steer { wake, how }, _) => {
                self.foretell_steer(now, wake.as_ref(), *how, answer)
            }
            (
                Message::Think { .. }
                | Message::Note { .. }
                | Message::Observe { .. }
                | Message::Defer { .. }
                | Message::WindowFull { .. }
                | Message::SumUp { .. }
                | Message::Fail { .. }
                | Message::Retry { .. },
                _,
            ) => self.foretell_outcome(now, message),
            (Message::Told { id, refused }, _) => {
                let what = match refused {
                    None => What::Told(*id),
                    Some(_) => What::Untold(*id),
                };
                let told = self.untold.contains(id).then_some(what);
                (Heard::Done, told.into_iter().collect())
            }
            (Message::Follow { space, follow }, _) => {
                if self.follows.contains_key(space) {
                    return (Heard::Done, vec![]);
                }
                if self.follows.len() >= self.limits.follows_max {
                    return (Heard::Limit, vec![]);
                }
                let cursor = follow.cursor.0;
                (Heard::Done, vec![What::Followed { space: *space, cursor }])
            }
            (Message::Unfollow(space), _) => {
                let known = self.follows.contains_key(space);
                (Heard::Done, known.then_some(What::Unfollowed(*space)).into_iter().collect())
            }
            (Message::Stop { .. }, Life::Stopped) => (Heard::Done, vec![]),
            (Message::Stop { .. }, _) => {
                (Heard::Done, vec![What::Stopped, What::Wrote("stopped".into())])
            }
            (Message::Resume(wakes), Life::Parked { .. } | Life::Stopped | Life::Quarantined) => {
                (Heard::Done, vec![What::Resumed, turn(self.unseen(wakes), 1)])
            }
            (Message::Wipe { .. }, _) => (Heard::Done, vec![What::Wiped]),
            _ => (Heard::Done, vec![]),
        }
    }

    /// Of what is done outside.
    fn foretell_outcome(&self, now: u64, message: &Message) -> (Heard, Vec<What>) {
        match (message, &self.life) {
            (Message::Think { turn, step, attempt, thought, briefing }, Life::Turning(it))
                if (it.turn, it.step) == (*turn, *step) && it.asks() && it.requests == *attempt =>
            {
                let briefed = !briefing.is_empty();
                (Heard::Done, self.foretell_thought(now, it, thought, briefed))
            }
            (Message::Note { turn, step, note }, Life::Turning(it))
                if (it.turn, it.step) == (*turn, *step) && it.acting.is_some() =>
            {
                let large = it.notes.iter().filter(|it| !it.wrote).count();
                let fits = note.wrote || large < self.limits.notes_bytes_max / 4_500;
                match it.notes.len() < self.limits.notes_max && fits {
                    true => (Heard::Done, vec![What::Noted]),
                    false => (Heard::Limit, vec![]),
                }
            }
            (Message::Observe { turn, step, .. }, Life::Turning(it))
                if (it.turn, it.step) == (*turn, *step) && it.acting.is_some() =>
            {
                let mut whats = vec![What::Observed];
                if now > it.began + it.deferred_ms + self.limits.turn_ms_max {
                    whats.extend(self.cut(now, it));
                }
                (Heard::Done, whats)
            }
            (Message::Defer { turn, step, attempt, passing, .. }, Life::Turning(it))
                if (it.turn, it.step) == (*turn, *step)
                    && it.acting.is_none()
                    && it.requests == *attempt =>
            {
                let failures = it.deferred.map_or(0, |it| it.1);
                let failed = passing.kind == PassingKind::Failed;
                (
                    Heard::Done,
                    match failed {
                        true if failures + 1 == self.limits.model_tries_max => {
                            self.model_failed(now, it)
                        }
                        true => vec![What::Spent, What::Deferred],
                        false => vec![What::Deferred],
                    },
                )
            }
            (Message::WindowFull { turn, step, attempt, .. }, Life::Turning(it))
                if (it.turn, it.step) == (*turn, *step)
                    && it.acting.is_none()
                    && it.requests == *attempt =>
            {
                let full = match (it.compacting, it.compactions) {
                    (None, 0) => What::Full(true),
                    (None, 1) | (Some(true), _) => What::Full(false),
                    _ => return (Heard::Done, self.model_failed(now, it)),
                };
                (Heard::Done, it.answered().into_iter().chain([full]).collect())
            }
            (Message::SumUp { turn, step, attempt, thought, .. }, Life::Turning(it))
                if (it.turn, it.step) == (*turn, *step)
                    && it.compacting.is_some()
                    && it.requests == *attempt =>
            {
                let by_model = it.compacting == Some(true);
                let says = thought.unusable.is_none() && !thought.text.is_empty();
                let what = if by_model && !says { What::Full(false) } else { What::Compacted };
                let spent = by_model.then_some(What::Spent);
                (Heard::Done, it.answered().into_iter().chain(spent).chain([what]).collect())
            }
            (Message::Fail { turn, step, attempt, .. }, Life::Turning(it))
                if (it.turn, it.step) == (*turn, *step) && it.is_at(*attempt) =>
            {
                (Heard::Done, self.model_failed(now, it))
            }
            (Message::Retry { turn: of }, Life::Waiting { turn: failed, wakes, hop, .. })
                if of == failed =>
            {
                (
                    Heard::Done,
                    vec![What::Began { turn: self.turns + 1, wakes: wakes.clone(), hop: *hop }],
                )
            }
            _ => (Heard::Stale, vec![]),
        }
    }

    /// Whom it was asked in vain it was asked all the same. A summary that its model does not make is
    /// made without it.
    fn model_failed(&self, now: u64, it: &Now) -> Vec<What> {
        match (it.compacting, &it.acting) {
            (Some(true), _) => {
                it.answered().into_iter().chain([What::Spent, What::Full(false)]).collect()
            }
            (None, None) => [vec![What::Spent], self.failed(now)].concat(),
            _ => self.failed(now),
        }
    }

    /// A model is asked again when its provider has said, or after doubling waits; never sooner, and
    /// little later.
    pub(crate) fn in_time(
        &self,
        now: u64,
        message: &Message,
        events: &[Event],
    ) -> Result<(), String> {
        let (Message::Defer { passing, .. }, Life::Turning(it)) = (message, &self.life) else {
            return Ok(());
        };
        let until = events.iter().find_map(|event| match event {
            Event::Deferred { until, .. } => Some(until.0),
            _ => None,
        });
        let Some(until) = until else { return Ok(()) };
        let times = it.deferred.map_or(0, |it| it.0);
        let mut own = self.limits.deferral_first_ms;
        (0..times).for_each(|_| own = (own * 2).min(self.limits.deferral_ms_max));
        let least = passing.wait_ms.unwrap_or(own);
        let floor = match times {
            0 => 0,
            1..4 => self.limits.deferral_first_ms,
            _ => own.min(self.limits.deferral_first_ms * 10),
        };
        let least = least.max(floor);
        let most = least + passing.wait_ms.unwrap_or(1_000) / 4 + 1;
        match (now + least..=now + most).contains(&until) {
            true => Ok(()),
            false => Err(format!("deferrals: at {now} until {until}, not {least} to {most} later")),
        }
    }

    /// What no turn has seen.
    fn unseen(&self, wakes: &[Wake]) -> Vec<Wake> {
        let new = |it: &&Wake| self.follows.get(&it.space).is_some_and(|at| it.first.0 > at.cursor);
        wakes.iter().filter(new).cloned().collect()
    }

    pub(super) fn foretell_wake(
        &self,
        now: u64,
        wakes: &[Wake],
        answer: u16,
    ) -> (Heard, Vec<What>) {
        let new = self.unseen(wakes);
        if new.is_empty() {
            return (Heard::Done, vec![]);
        }
        let said = new.iter().filter(|it| it.space == self.dm).map(|it| it.last.0).max();
        let hop = new.iter().map(|it| it.hop + 1).max().unwrap_or(0);
        let turn = |hop| vec![What::Began { turn: self.turns + 1, wakes: new.clone(), hop }];
        match &self.life {
            Life::Parked { heard } if said.is_some_and(|it| it > *heard) => {
                match answer < self.limits.hops_max {
                    true => (Heard::Done, turn(answer + 1)),
                    false => (Heard::Busy, vec![]),
                }
            }
            Life::Idle if now < self.rest_until && said.is_none() => {
                (Heard::NotBefore(self.rest_until), vec![])
            }
            Life::Idle if hop > self.limits.hops_max => {
                let parked = What::Parked { hop, heard: said.unwrap_or(0) };
                (Heard::Done, vec![parked, What::Wrote(format!("parked at {hop}"))])
            }
            Life::Idle => (Heard::Done, turn(hop)),
            _ => (Heard::Busy, vec![]),
        }
    }

    fn foretell_thought(&self, now: u64, it: &Now, thought: &Thought, briefed: bool) -> Vec<What> {
        let said = self.foretell_said(now, it, thought);
        // Only what is thought in the end tells that the model is there again, and what it was told.
        if said.first() != Some(&What::Thought) {
            return said;
        }
        let briefed = briefed.then_some(What::Briefed);
        it.answered().into_iter().chain(briefed).chain(said).collect()
    }

    fn foretell_said(&self, now: u64, it: &Now, thought: &Thought) -> Vec<What> {
        let bytes = thought.text.len() + thought.code.as_ref().map_or(0, String::len);
        if bytes > self.limits.thought_bytes_max {
            return [vec![What::Spent], self.failed(now)].concat();
        }
        if thought.unusable.is_some() {
            let mut whats = vec![What::Thought];
            match it.step > self.limits.turn_steps_max {
                true => whats.extend(self.cut(now, it)),
                false => whats.push(What::Observed),
            }
            return whats;
        }
        if thought.code.is_none() {
            let mut whats = vec![What::Thought, self.end(now, it, true)];
            if !thought.text.is_empty() {
                whats.push(What::Wrote("said".into()));
            }
            return whats;
        }
        if it.step > self.limits.turn_steps_max {
            return [vec![What::Spent], self.cut(now, it)].concat();
        }
        vec![What::Thought]
    }

    pub(super) fn cut(&self, now: u64, it: &Now) -> Vec<What> {
        vec![self.end(now, it, false), What::Wrote("exhausted".into())]
    }

    fn end(&self, now: u64, it: &Now, done: bool) -> What {
        let mut rest = self.limits.rest_first_ms;
        (0..self.barren).for_each(|_| rest = (rest * 2).min(self.limits.rest_ms_max));
        let rest = if it.changed { 0 } else { rest.min(self.limits.rest_ms_max) };
        What::Ended { done, rest_until: now + rest }
    }

    fn failed(&self, now: u64) -> Vec<What> {
        let since = now.saturating_sub(self.limits.failures_within_ms);
        let counted = self.failures.iter().filter(|it| **it >= since).count();
        if counted == self.limits.failures_max as usize {
            return vec![What::Quarantined, What::Wrote("quarantined".into())];
        }
        let mut wait = self.limits.backoff_first_ms;
        (0..counted).for_each(|_| wait = (wait * 2).min(self.limits.backoff_ms_max));
        let forgiven = self.failures.len() - counted - self.forgiven;
        let forgiven = (forgiven > 0).then_some(What::Forgiven(forgiven as u64));
        forgiven.into_iter().chain([What::Failed { retry_at: now + wait }]).collect()
    }

    /// Takes an entry in; what is wrong with it whatever was foretold.
    pub(crate) fn take(&mut self, now: u64, event: &Event) -> Result<(), String> {
        match event {
            Event::Born(charter) => {
                self.life = Life::Idle;
                let of = |it: u64| Followed { from: it, cursor: it };
                let all = charter.follows.iter().map(|(space, it)| (*space, of(it.cursor.0)));
                self.follows = all.collect();
            }
            Event::TurnBegan { turn, wakes, cause, .. } => {
                if let Life::Turning(it) = &self.life {
                    return Err(format!("turns: {turn} begins within {}", it.turn));
                }
                if *turn != self.turns + 1 {
                    return Err(format!("turns: {turn} follows {}", self.turns));
                }
                if let Life::Waiting { until, .. } = &self.life
                    && now < *until
                {
                    return Err(format!("failures: {turn} begins at {now}, before {until}"));
                }
                let first = match &self.life {
                    Life::Waiting { first, .. } => *first,
                    _ => *turn,
                };
                self.turns = *turn;
                self.life = Life::Turning(Box::new(Now {
                    turn: *turn,
                    first,
                    step: 1,
                    wakes: wakes.clone(),
                    cause: *cause,
                    began: now,
                    acting: None,
                    notes: Vec::new(),
                    changed: false,
                    deferred: None,
                    deferred_ms: 0,
                    requests: 0,
                    compacting: None,
                    compactions: 0,
                    steered: Vec::new(),
                }));
            }
            Event::FollowSet { space, follow } => {
                self.seen.retain(|it| it.0 != *space);
                let at = follow.cursor.0;
                self.follows.insert(*space, Followed { from: at, cursor: at });
            }
            Event::Unfollowed(space) => {
                self.follows.remove(space);
                match &mut self.life {
                    Life::Turning(it) => {
                        it.wakes.retain(|it| it.space != *space);
                        it.steered.retain(|it| it.space != *space);
                    }
                    Life::Waiting { wakes, .. } => wakes.retain(|it| it.space != *space),
                    _ => {}
                }
            }
            Event::Wrote { id, .. } => {
                if !self.letters.insert(*id) {
                    return Err(format!("letters: two have the name {id}"));
                }
                self.untold.insert(*id);
            }
            Event::Told(id) | Event::Untold { id, .. } => drop(self.untold.remove(id)),
            Event::Parked { heard, .. } => self.life = Life::Parked { heard: heard.0 },
            Event::Stopped { lets_go, .. } => {
                self.lets_go.insert(*lets_go, (0, now));
                self.life = Life::Stopped;
            }
            Event::Quarantined { lets_go, .. } => {
                self.lets_go.insert(*lets_go, (0, now));
                self.life = Life::Quarantined;
            }
            Event::LetGo(id) => drop(self.lets_go.remove(id)),
            Event::Resumed { .. } => {
                self.failures.clear();
                self.forgiven = 0;
                self.life = Life::Idle;
            }
            Event::Wiped { lets_go, .. } => {
                self.lets_go.insert(*lets_go, (0, u64::MAX));
                self.life = Life::Wiped;
                self.follows.clear();
                self.untold.clear();
            }
            Event::Steered { wake } => match &mut self.life {
                Life::Turning(it) => {
                    it.steered.push(wake.clone());
                    if !it.asks() {
                        joined(&mut it.steered);
                    }
                }
                Life::Waiting { wakes, .. } => {
                    wakes.push(wake.clone());
                    joined(wakes);
                }
                life => return Err(format!("steering: {wake:?} is kept by one that is {life:?}")),
            },
            _ => return self.take_in_turn(now, event),
        }
        Ok(())
    }

    fn take_in_turn(&mut self, now: u64, event: &Event) -> Result<(), String> {
        let Life::Turning(it) = &mut self.life else {
            return Err(format!("turns: outside of one: {event:?}"));
        };
        match event {
            Event::Deferred { kind, until, .. } => {
                let (times, failures, before) = it.deferred.unwrap_or((0, 0, 0));
                if now < before {
                    return Err(format!("deferrals: it was asked at {now}, before {before}"));
                }
                let failed = u32::from(*kind == PassingKind::Failed);
                it.deferred = Some((times + 1, failures + failed, until.0));
                it.deferred_ms += until.0 - now;
                it.requests += 1;
            }
            Event::Answered => it.deferred = None,
            Event::WindowFull { by_model, .. } => {
                it.requests += 1;
                it.compacting = Some(*by_model);
                if it.compactions > 1 {
                    return Err("windows: one is made anew for ever".to_owned());
                }
            }
            Event::Compacted(_) => {
                (it.compacting, self.told) = (None, None);
                it.compactions += 1;
                it.requests += 1;
            }
            Event::Briefed(briefing) => {
                for wake in &briefing.said {
                    if it.wakes.contains(wake) {
                        return Err(format!("steering: {wake:?} is told twice"));
                    }
                    // Of a space that is no longer followed it is in neither.
                    if let Some(at) = it.steered.iter().position(|it| it == wake) {
                        it.wakes.push(it.steered.remove(at));
                    }
                }
                match &briefing.instructions[..] {
                    [] if !briefing.said.is_empty() && !briefing.front => {}
                    [version] => {
                        let again = self.told == Some(version.version);
                        if self.told.is_none() != briefing.front || again {
                            let was = self.told;
                            return Err(format!("windows: {was:?} was told, then {briefing:?}"));
                        }
                        self.told = Some(version.version);
                    }
                    _ => return Err(format!("windows: {briefing:?} is told")),
                }
            }
            Event::Interrupted { action: Some(cancelled), .. } => {
                let since = it.acting.as_ref().map_or(0, |it| it.1.0);
                self.lets_go.insert(cancelled.lets_go, (since, now));
                it.step += 1;
                (it.acting, it.requests, it.compactions) = (None, 0, 0);
                it.notes.clear();
                joined(&mut it.steered);
            }
            Event::Interrupted { .. } => {
                it.requests += 1;
                joined(&mut it.steered);
            }
            Event::Thought { thought, at } => {
                it.acting = thought.code.clone().map(|code| (code, *at));
                if it.acting.is_some() && it.step > self.limits.turn_steps_max {
                    return Err(format!("turns: {} actions in one", it.step));
                }
            }
            Event::Noted(note) => {
                it.changed |= note.wrote;
                it.notes.push(note.clone());
            }
            Event::Observed(_) => {
                if it.acting.is_some() {
                    self.acted = Some((it.turn, it.step));
                }
                it.step += 1;
                (it.acting, it.deferred) = (None, None);
                (it.requests, it.compactions) = (0, 0);
                it.notes.clear();
            }
            Event::Forgiven { failures } => self.forgiven += *failures as usize,
            Event::Booked(LedgerEntry::Spent { .. }) => {}
            Event::TurnFailed { retry_at, .. } => {
                self.failures.push(now);
                let (turn, first, until) = (it.turn, it.first, retry_at.0);
                let wakes = it.wakes.iter().chain(&it.steered).cloned().collect();
                let hop = it.cause.hop;
                let since = it.began;
                self.life = Life::Waiting { turn, first, since, until, wakes, hop };
            }
            Event::TurnEnded { outcome, rest_until } => {
                let ended = it.clone();
                self.barren = if ended.changed { 0 } else { self.barren + 1 };
                self.rest_until = rest_until.0;
                if *outcome == TurnOutcome::Done {
                    self.failures.clear();
                    self.forgiven = 0;
                }
                self.life = Life::Idle;
                for wake in &ended.wakes {
                    self.see(wake)?;
                }
            }
            other => return Err(format!("turns: not of one: {other:?}")),
        }
        Ok(())
    }

    /// A turn that this woke has ended.
    fn see(&mut self, wake: &Wake) -> Result<(), String> {
        let space = wake.space;
        let Some(follow) = self.follows.get_mut(&space) else { return Ok(()) };
        let within = |at: u64| at >= wake.first.0 && at <= wake.last.0;
        for (at, _) in self.notices.get(&space).into_iter().flatten().filter(|it| within(it.0)) {
            if !self.seen.insert((space, *at)) {
                return Err(format!("wakes: two ended turns saw {at} of {space}"));
            }
        }
        follow.cursor = follow.cursor.max(wake.last.0);
        Ok(())
    }

    /// What is before a cursor was seen, since it is followed.
    pub(crate) fn none_lost(&self) -> Result<(), String> {
        for (space, it) in &self.follows {
            let passed = |at: u64| at > it.from && at <= it.cursor;
            let all = self.notices.get(space).into_iter().flatten();
            for (at, _) in all.filter(|it| passed(it.0)) {
                if !self.seen.contains(&(*space, *at)) {
                    return Err(format!("wakes: {at} of {space} was passed and never seen"));
                }
            }
        }
        Ok(())
    }
}
