//! What becomes of an agent that has failed: what it has leased is given back, and its parent hears
//! of it.

use super::Executor;
use crate::blocking::blocking;
use crate::caller::Caller;
use crate::failure::StoreError;
use crate::problem::{Problem, ProblemKind};
use crate::runtime::Runtime;
use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::time::Duration;
use stoa_actors::atom::Content;
use stoa_actors::id::{Millis, SessionId};
use stoa_actors::incarnation::Request;
use stoa_actors::outbox::Outgoing;
use stoa_actors::retry::{Repeatable, Unanswered, again, wait_ms};
use stoa_actors::space::{self, Draft, Space};

impl Runtime {
    /// Ends what a session has leased within that time, for it has failed. A space that takes nothing
    /// is left out: there its leases run out.
    ///
    /// Errors: those of the store.
    pub(super) async fn let_go(
        &self,
        session: SessionId,
        within: RangeInclusive<Millis>,
    ) -> Result<(), Problem> {
        let (since, until) = (*within.start(), *within.end());
        let config = &self.shared().config;
        let (mut left_out, mut failures) = (BTreeSet::new(), 0);
        loop {
            let (store, within) = (self.store().clone(), within.clone());
            let spaces = move || {
                let mut spaces = BTreeSet::new();
                for row in store.own_rows::<Space>(&Space::lease_key(session, None, None)) {
                    let (key, value) = row?;
                    spaces.extend(Space::leased_within(&key, &value, &within));
                }
                Ok::<_, StoreError>(spaces)
            };
            let mut spaces = blocking(spaces).await??;
            spaces.retain(|it| !left_out.contains(it));
            if spaces.is_empty() {
                return Ok(());
            }
            for space in spaces {
                let ask = Request::new(session, space::Message::LetGo { since, until });
                let done = self.space(space)?.ask(ask.comment("its holder has failed")).await;
                let Err(error) = done else { continue };
                match error.unanswered() {
                    Unanswered::Stopped => return Err(error.into()),
                    // However often it arrives, it happens once.
                    why if again(why, Repeatable::Keyed, failures, u32::MAX) => {
                        let (first, most) =
                            (config.outbox_wait_first_ms, config.outbox_wait_ms_max);
                        let wait = wait_ms(failures, first, most);
                        failures += 1;
                        tokio::time::sleep(Duration::from_millis(wait)).await;
                    }
                    _ => {
                        tracing::warn!(%session, %space, %error, "a lease is not given back");
                        left_out.insert(space);
                    }
                }
            }
        }
    }
}

impl Executor {
    /// Its parent hears that its actor is kept out of service, and nobody waits for it any more.
    pub(super) async fn tell_of_quarantine(self, why: String) -> Option<()> {
        let (runtime, session) = (self.runtime.upgrade()?, self.session);
        runtime.agents().wakes.rests(session);
        // Somebody may start it again meanwhile.
        let until = runtime.now();
        let told = async {
            let charter = runtime.charter(session)?;
            let seq = runtime.store().last_seq(session.stream())?;
            Ok::<_, Problem>(charter.map(|it| (it, seq)))
        };
        match told.await {
            Ok(Some((charter, seq))) => {
                let text = format!("quarantined, for my actor died too often: {why}");
                let draft = Draft {
                    content: Content::Text(text),
                    metadata: [("kind".to_owned(), "quarantined".into())].into(),
                    ..Draft::default()
                };
                let put = space::Message::put(draft);
                let letter = Outgoing::new::<Space>(charter.dm.stream(), session, put);
                // Of every number of entries it can be told once: more of the same says nothing.
                let key = format!("quarantined-{seq}");
                if let Err(problem) = runtime.let_go(session, Millis(0)..=until).await {
                    tracing::warn!(%session, %problem, "what it has leased is not given back");
                }
                let letter = letter.comment("quarantined");
                drop(runtime.shared().deliver(&letter, &key).await);
            }
            Ok(None) => {}
            Err(problem) => tracing::warn!(%session, %problem, "nobody hears of a quarantine"),
        }
        Some(())
    }
}

impl Caller {
    /// Starts the actor of an agent again that is kept out of service.
    pub(super) async fn revive(&self, session: SessionId) -> Result<(), Problem> {
        if self.runtime.out_of_service(session).is_none() {
            return Ok(());
        }
        let revived = self.runtime.revive(session.stream()).await;
        revived.map_err(|why| Problem::new(ProblemKind::Busy, why).hint("stoa status"))
    }
}
