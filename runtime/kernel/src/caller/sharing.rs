//! Saying who may do what in spaces.

use super::OWNER;
use super::{Caller, WriteOptions};
use crate::problem::{Problem, ProblemKind, quoted};
use serde::{Deserialize, Serialize};
use stoa_actors::id::{LinkId, Millis, SessionId, SpaceId};
use stoa_actors::log::Cause;
use stoa_actors::rights::{self, Level, Lifetime, Named, Right, Subject};

/// The end of the year 9999, the last that a time is written for.
const LATEST: Millis = Millis(253_402_207_200_999);

/// A right to be given.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub struct GrantRequest {
    /// To use at this level.
    pub level: Level,
    /// To pass on up to this one.
    pub delegate: Option<Level>,
    /// For how long from when it is decided, by the owner's clock; nothing for ever.
    pub expires_ms: Option<u64>,
    pub reason: String,
}

/// A right that was given.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub struct Granted {
    pub session: SessionId,
    /// Whether the session was made for it.
    pub born: bool,
}

impl Caller {
    /// What the caller calls so, or the living session with this id.
    pub(crate) fn called(&self, name: &str) -> Option<Named> {
        let rights = self.runtime.shared().rights.read();
        let by_id = || name.parse().ok().filter(|id| rights.is_living(*id)).map(Named::Session);
        rights.called(self.session, name).or_else(by_id)
    }

    /// The session that the caller calls so; its id will do as well, and the way to one under
    /// another: `boss/helper`.
    pub fn session_named(&self, name: &str) -> Result<SessionId, Problem> {
        let named = match self.called(name) {
            Some(Named::Session(session)) => Some(session),
            _ if name.contains('/') => self.session_shown_as(name).filter(|it| self.lives(*it)),
            _ => self.session_ending(name)?,
        };
        named.ok_or_else(|| {
            let text = format!("no session {name:?} of yours");
            let problem = Problem::new(ProblemKind::Unknown, text).hint("stoa session list");
            problem.meant(self.session_like(name), "access --of")
        })
    }

    fn lives(&self, session: SessionId) -> bool {
        self.runtime.shared().rights.read().is_living(session)
    }

    /// Gives a session a right on a space; a name that is not taken makes a session.
    ///
    /// The level `grant` is enough for it; what the session may itself pass on takes as much to
    /// pass on as well. By who may pass on but not grant, a new session is made and no other served.
    /// An agent hears of it in the space that it shares with its parent.
    pub async fn grant(
        &self,
        space: &str,
        to: &str,
        grant: GrantRequest,
    ) -> Result<Granted, Problem> {
        self.grant_for(space, to, grant, Cause::default()).await
    }

    /// The same, and what set it off.
    pub(crate) async fn grant_for(
        &self,
        space: &str,
        to: &str,
        grant: GrantRequest,
        cause: Cause,
    ) -> Result<Granted, Problem> {
        let id = self.resolve(space)?;
        // What reads as an id is no new name, and may be that of a session.
        if to.parse::<SessionId>().is_err() {
            rights::name_fits(to, &self.runtime.shared().config.limits.rights).map_err(
                |refusal| misspelt(refusal, |to| format!("stoa grant SPACE {to} LEVEL")),
            )?;
            not_owner(to)?;
        }
        let right = Right {
            subject: Subject::Space(id),
            use_: Some(grant.level),
            delegate: grant.delegate,
        };
        let alias = self.alias_to_hand_on(space, id);
        let known = match self.called(to) {
            Some(known) => Some(known),
            None => self.session_ending(to)?.map(Named::Session),
        };
        if known.is_none() && to.parse::<SessionId>().is_ok() {
            let text = format!("there is no living session {to}");
            return Err(Problem::new(ProblemKind::Unknown, text).hint("stoa session list"));
        }
        let expires = grant.expires_ms.map(|ms| self.after(ms)).transpose()?;
        let link = LinkId(self.fresh());
        let comment = format!("grant {to} {} on {space}", grant.level);
        match known {
            Some(Named::Session(session)) => {
                let note = self.note_of_grant(session, space, &grant)?;
                let (to, reason) = (session, grant.reason);
                let message =
                    rights::Message::Share { link, to, alias, right, expires, reason, note };
                let ask =
                    self.ask(message, WriteOptions { cause, ..WriteOptions::comment(comment) });
                self.runtime.rights().ask_and_what_follows(ask).await?;
                Ok(Granted { session, born: false })
            }
            Some(Named::Space(_)) => {
                let text = format!("{to:?} is a space; name a session");
                Err(Problem::new(ProblemKind::Invalid, text).hint("stoa session list"))
            }
            None if self.shares_by_grant(&right) => {
                let (named, lasting) = (Some(to), Lifetime::Lasting);
                let session = self.spawn_session(named, vec![], &grant.reason, lasting).await?;
                let (reason, comment) = (grant.reason, WriteOptions::comment(comment));
                let (to, note) = (session, None);
                let message =
                    rights::Message::Share { link, to, alias, right, expires, reason, note };
                self.runtime.rights().ask(self.ask(message, comment)).await?;
                Ok(Granted { session, born: true })
            }
            None => {
                let ask = rights::RightRequest { link, alias, right, expires };
                let (named, lasting) = (Some(to), Lifetime::Lasting);
                let session = self.spawn_session(named, vec![ask], &grant.reason, lasting).await?;
                Ok(Granted { session, born: true })
            }
        }
    }

    /// What a space is called by whoever is handed it: as it was named, and not by its id.
    pub(crate) fn alias_to_hand_on(&self, named: &str, space: SpaceId) -> Option<String> {
        let by_name = self.runtime.shared().rights.read().named(self.session, named).is_some();
        match (by_name, named.parse::<SpaceId>()) {
            (true, _) => Some(named.to_owned()),
            (false, Ok(_)) => None,
            (false, Err(_)) => self.name_of_space(space),
        }
    }

    /// Whether the caller may share a right by its level alone, which it may not pass on to a child.
    fn shares_by_grant(&self, right: &Right) -> bool {
        let shared = self.runtime.shared();
        let (rights, now) = (shared.rights.read(), shared.clock.now());
        let level = rights.level(self.session, &right.subject, now);
        let delegable = rights.delegable(self.session, &right.subject, now);
        level == Some(Level::Grant)
            && delegable >= right.delegate
            && delegable < right.use_.max(right.delegate)
    }

    /// The moment so long from now, by the owner's clock.
    ///
    /// Errors: [`ProblemKind::Invalid`] for now, and for one that is later than anybody can write down.
    pub fn after(&self, ms: u64) -> Result<Millis, Problem> {
        if ms == 0 {
            let text = "the time must be longer than 0; use a time like 90s, 10m, 2h or 7d";
            return Err(Problem::new(ProblemKind::Invalid, text).hint("--expires 10m"));
        }
        let at = self.runtime.now().0.checked_add(ms).map(Millis);
        at.filter(|at| *at <= LATEST).ok_or_else(|| {
            let text = format!("{ms} ms from now is too far in the future");
            Problem::new(ProblemKind::Invalid, text).hint("--expires 7d")
        })
    }

    /// Brings up a session with exactly these rights.
    pub(crate) async fn spawn_session(
        &self,
        alias: Option<&str>,
        asks: Vec<rights::RightRequest>,
        reason: &str,
        lifetime: Lifetime,
    ) -> Result<SessionId, Problem> {
        let child = SessionId(self.fresh());
        self.spawn_session_as(child, alias, asks, reason, lifetime).await?;
        Ok(child)
    }

    /// The same, of a fresh id.
    pub(crate) async fn spawn_session_as(
        &self,
        child: SessionId,
        alias: Option<&str>,
        asks: Vec<rights::RightRequest>,
        reason: &str,
        lifetime: Lifetime,
    ) -> Result<(), Problem> {
        let reason = reason.to_owned();
        let alias = alias.map(str::to_owned);
        let message = rights::Message::Spawn { child, alias, asks, reason, lifetime };
        self.runtime
            .rights()
            .ask(self.ask(message, WriteOptions::comment("spawn a session")))
            .await?;
        Ok(())
    }

    /// Takes from a session what it holds on a space, with everything that rests on it. Once this
    /// returns nothing of it commits any more.
    pub async fn revoke(&self, space: &str, from: &str, reason: &str) -> Result<u64, Problem> {
        let id = self.resolve(space)?;
        let holder = self.session_named(from)?;
        let reason = reason.to_owned();
        let subject = Subject::Space(id);
        let message = rights::Message::Revoke { holder, subject, reason };
        let comment = WriteOptions::comment(format!("revoke {space} from {from}"));
        let receipt = self.runtime.rights().ask(self.ask(message, comment)).await?;
        self.runtime.end_void_subscriptions(id).await;
        match receipt.reply {
            rights::Reply::Revoked { links } => Ok(links.len() as u64),
            _ => Ok(0),
        }
    }

    /// Gives an existing session one more right.
    pub(crate) async fn share(
        &self,
        to: SessionId,
        ask: rights::RightRequest,
    ) -> Result<(), Problem> {
        let rights::RightRequest { link, alias, right, expires } = ask;
        let reason = "exec".to_owned();
        let note = None;
        let message = rights::Message::Share { link, to, alias, right, expires, reason, note };
        self.runtime
            .rights()
            .ask(self.ask(message, WriteOptions::comment("share a space")))
            .await?;
        Ok(())
    }

    /// Takes what a session holds on a space.
    pub(crate) async fn withdraw(&self, from: SessionId, space: SpaceId) -> Result<(), Problem> {
        let (subject, reason) = (Subject::Space(space), "exec".to_owned());
        let message = rights::Message::Revoke { holder: from, subject, reason };
        self.runtime
            .rights()
            .ask(self.ask(message, WriteOptions::comment("withdraw a space")))
            .await?;
        Ok(())
    }

    /// Ends a session: its rights go, with everything that rests on them.
    pub(crate) async fn end_session(&self, session: SessionId) -> Result<(), Problem> {
        let reason = "the action is over".to_owned();
        let message = rights::Message::End { session, reason };
        self.runtime
            .rights()
            .ask(self.ask(message, WriteOptions::comment("end a session")))
            .await?;
        Ok(())
    }
}

/// Refuses the name that the owner of the directory goes by.
pub(crate) fn not_owner(name: &str) -> Result<(), Problem> {
    if !name.eq_ignore_ascii_case(OWNER) {
        return Ok(());
    }
    let text = format!("{name:?} is reserved for the owner of the directory; choose another name");
    Err(Problem::new(ProblemKind::Invalid, text).hint("stoa whoami"))
}

/// The refusal of a name, with the verb that was meant.
pub(crate) fn misspelt(refusal: rights::Refusal, verb: impl Fn(&str) -> String) -> Problem {
    let right = match &refusal {
        rights::Refusal::Misspelt(it) => it.right.clone(),
        _ => None,
    };
    let problem = Problem::from(refusal);
    match right {
        Some(right) => problem.hint(verb(&quoted(&right))),
        None => problem,
    }
}
