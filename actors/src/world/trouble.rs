//! What happens besides: what is due, crashes, deaths, and actors that rest or are out of service.

use super::World;
use super::kind::AnyAsk;
use super::run::{Happening, Waiter, number};
use crate::alarm::Ring;
use crate::behaviour::EffectId;
use crate::id::{Millis, RIGHTS, ROOT, StreamId};
use crate::log::Cause;
use crate::mutant::planted;

impl World {
    /// What is due, and the next right to expire; the earliest first.
    fn due(&self) -> impl Iterator<Item = (Millis, StreamId)> {
        let next = self.host.rights.next_expiry().filter(|_| !planted("timer.forgets_the_rights"));
        let next = next.map(|at| (at, RIGHTS));
        let mut due: Vec<(Millis, StreamId)> = self.host.disk.due().chain(next).collect();
        due.sort_by_key(|(at, _)| *at);
        due.into_iter()
    }

    pub(super) fn ring_when_due(&mut self) {
        let Some((at, _)) = self.due().next() else { return };
        if self.ring_at.is_none_or(|known| at < known) {
            self.ring_at = Some(at);
            self.then(at.max(self.host.now), true, Happening::Ring);
        }
    }

    /// The timer looks at what is due.
    pub(super) fn ring(&mut self) {
        self.ring_at = None;
        if planted("timer.sleeps") {
            return;
        }
        let due: Vec<_> = self.due().collect();
        let Ring { tell, again } = self.alarm.ring(self.host.now, due.into_iter());
        for stream in tell {
            let Some(kind) = self.host.disk.kind_of(stream) else { continue };
            let Some(message) = self.host.kinds.get(kind).and_then(|it| it.due()) else {
                continue;
            };
            let (key, comment, cause) = (None, String::new(), Cause::default());
            let ask = AnyAsk { message, asker: ROOT, key, comment, cause };
            // What it records it has recorded before it is looked at again.
            self.alarm.failed(stream, Millis(self.host.now.0 + 50));
            self.ask(kind, stream, ask, Waiter::Timer(stream));
        }
        if let Some(at) = again {
            self.ring_at = Some(at);
            self.then(at, true, Happening::Ring);
        }
    }

    /// Everything dies, and is opened again.
    pub(super) fn crash(&mut self) {
        self.mark(&[4, self.host.disk.head().position.0]);
        self.calendar.retain(|_, (dies, _)| !*dies);
        self.running.clear();
        self.out.clear();
        self.commit_due = false;
        self.ring_at = None;
        self.host.crash();
        for (_, waiter) in std::mem::take(&mut self.waiters) {
            if let Waiter::Outside(request) = waiter {
                self.ask_again(request);
            }
        }
        self.follow_all();
        let streams: Vec<StreamId> = self.host.disk.streams().collect();
        for stream in streams {
            let owed = self.host.bring_up(stream);
            self.start(stream, owed);
        }
        self.ring_when_due();
    }

    /// One actor dies, and goes on with what it owes.
    pub(super) fn death(&mut self) {
        if let Some(stream) = self.dies(5) {
            let owed = self.host.bring_up(stream);
            self.start(stream, owed);
        }
    }

    /// One actor dies, behind what it has appended; nothing where all of them do.
    fn dies(&mut self, mark: u64) -> Option<StreamId> {
        let streams: Vec<StreamId> = self.host.disk.streams().collect();
        let stream = *streams.get(self.chance.below(streams.len() as u64) as usize)?;
        self.mark(&[mark, number(stream)]);
        if let Some(pending) = self.host.is_pending(stream) {
            let told = self.host.commit(pending);
            self.tell_all(told);
        }
        if self.host.stopped() {
            self.crash();
            return None;
        }
        self.host.kill(stream);
        Some(stream)
    }

    /// An actor that nobody uses is put away.
    pub(super) fn rest(&mut self) {
        let idle: Vec<StreamId> = self.host.resting().collect();
        let idle: Vec<StreamId> = idle
            .into_iter()
            .filter(|it| self.running.range((*it, 0)..=(*it, EffectId::MAX)).next().is_none())
            .collect();
        if let Some(stream) = idle.get(self.chance.below(idle.len() as u64) as usize) {
            self.mark(&[6, number(*stream)]);
            self.host.kill(*stream);
        }
    }

    /// One actor has died too often, and is back after a while.
    pub(super) fn quarantine(&mut self) {
        let Some(stream) = self.dies(7) else { return };
        if stream == RIGHTS {
            let owed = self.host.bring_up(stream);
            return self.start(stream, owed);
        }
        self.out.insert(stream);
        let at = Millis(self.host.now.0 + 1 + self.chance.below(200));
        self.then(at, true, Happening::Revive(stream));
    }

    pub(super) fn revive(&mut self, stream: StreamId) {
        if self.out.remove(&stream) {
            let owed = self.host.bring_up(stream);
            self.start(stream, owed);
        }
    }
}
