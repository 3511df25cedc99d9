//! What can be permitted: a level of use on a subject, and how a change of it is told.
//!
//! These are words alone. Who holds what is for [`crate::rights`] to say.

use crate::id::{Millis, SessionId, SpaceId};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// What may be done in a space, each level including those before it (seed 000, "Permissions").
/// Tools, secrets and models know [`Level::Read`] only: it means "may use".
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Level {
    /// Search and read.
    Read,
    /// Also put new atoms.
    Append,
    /// Also change and deprecate atoms.
    Write,
    /// Also share the space, and change who may do what in it.
    Grant,
}

impl Level {
    /// All of them, lowest first.
    pub const ALL: [Level; 4] = [Level::Read, Level::Append, Level::Write, Level::Grant];
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Level::Read => "read",
            Level::Append => "append",
            Level::Write => "write",
            Level::Grant => "grant",
        })
    }
}

/// The text is not a level.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a level; say read, append, write or grant")]
pub struct NotALevel {
    /// What was given, cut to 64 characters.
    pub text: String,
}

impl FromStr for Level {
    type Err = NotALevel;
    fn from_str(text: &str) -> Result<Self, NotALevel> {
        Level::ALL
            .into_iter()
            .find(|level| level.to_string() == text)
            .ok_or_else(|| NotALevel { text: text.chars().take(64).collect() })
    }
}

/// What a right is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// A space, at any [`Level`].
    Space(SpaceId),
    /// A tool, by the name agents call it.
    Tool(String),
    /// A secret, by its handle; never its bytes.
    Secret(String),
    /// A model, by its name.
    Model(String),
}

impl Subject {
    /// The levels a right on it can name: all of them for a space, [`Level::Read`] for the rest.
    pub fn highest(&self) -> Level {
        match self {
            Subject::Space(_) => Level::Grant,
            Subject::Tool(_) | Subject::Secret(_) | Subject::Model(_) => Level::Read,
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Subject::Space(space) => write!(f, "space {space}"),
            Subject::Tool(name) => write!(f, "tool {name:?}"),
            Subject::Secret(name) => write!(f, "secret {name:?}"),
            Subject::Model(name) => write!(f, "model {name:?}"),
        }
    }
}

/// What may be done with a subject, and what of it may be handed on. The two are apart: a
/// coordinator may hand on what it may not touch itself.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Right {
    /// What it is about.
    pub subject: Subject,
    /// The level at which the holder itself may act.
    pub use_: Option<Level>,
    /// The highest level the holder may pass to those it spawns.
    pub delegate: Option<Level>,
}

impl Right {
    /// May act at `level`, may hand on nothing.
    pub fn to_use(subject: Subject, level: Level) -> Right {
        Right { subject, use_: Some(level), delegate: None }
    }

    /// May hand on up to `level`, may not act.
    pub fn to_delegate(subject: Subject, level: Level) -> Right {
        Right { subject, use_: None, delegate: Some(level) }
    }

    /// All that can be held on the subject.
    pub fn whole(subject: Subject) -> Right {
        let highest = Some(subject.highest());
        Right { subject, use_: highest, delegate: highest }
    }

    /// The higher of its two levels: what a granter must be able to hand on.
    pub fn peak(&self) -> Option<Level> {
        self.use_.max(self.delegate)
    }
}

impl fmt::Display for Right {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = |level: Option<Level>| level.map_or("nothing".into(), |level| level.to_string());
        write!(f, "{} (use {}, delegate {})", self.subject, word(self.use_), word(self.delegate))
    }
}

/// Everything that becomes of rights, as it is told.
pub const RIGHT_KINDS: [&str; 5] =
    ["right.granted", "right.revoked", "right.ended", "right.expired", "right.refused"];

/// What became of one right on a space.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub struct Fact {
    /// `right.granted`, `right.revoked`, `right.ended` with the session that gave or held it,
    /// `right.expired`, or `right.refused`.
    pub kind: &'static str,
    pub space: SpaceId,
    /// Who did it.
    pub by: SessionId,
    pub right: RightChange,
    /// Why, in the words of whoever did it. Of a right that went along with others it tells of
    /// those too.
    pub reason: String,
}

/// The right that was given, taken or refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RightChange {
    /// Who gave it; who asked, where it was refused.
    pub from: SessionId,
    /// Who has or had it; nobody, where it was refused to one that never was.
    pub to: Option<SessionId>,
    /// What its holder may do.
    pub level: Option<Level>,
    /// What its holder may pass on.
    pub delegate: Option<Level>,
    /// When it ends, or would have.
    pub until: Option<Millis>,
}

impl Fact {
    /// Whom it concerns.
    pub fn concerns(&self, session: SessionId) -> bool {
        self.by == session || self.right.from == session || self.right.to == Some(session)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_include_each_other_upwards_and_survive_their_text() {
        assert!(Level::ALL.is_sorted());
        for level in Level::ALL {
            assert_eq!(level.to_string().parse(), Ok(level));
        }
        let error = "admin".parse::<Level>().unwrap_err().to_string();
        assert_eq!(error, "\"admin\" is not a level; say read, append, write or grant");
    }
}
