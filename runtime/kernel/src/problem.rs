//! What a caller is told when something does not happen: a kind to act on, a text, and what to
//! type next.

mod backup;

use crate::failure::StoreError;
use serde::{Deserialize, Serialize};
use stoa_actors::log::Breach;
use stoa_actors::name::Misspelt;
use stoa_actors::search::ConditionRefusal;
use stoa_actors::space::Undeclared;
use stoa_actors::{rights, session, space};

/// What kind of no it is; each has an exit code of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum ProblemKind {
    /// The request itself is wrong: malformed, or over a limit.
    Invalid,
    /// Not there, or not for the caller to see: never told apart.
    Unknown,
    /// The caller sees it but may not do this.
    Forbidden,
    /// Somebody was first.
    Conflict,
    /// Ask again in a moment, with the same key.
    Busy,
    /// The store is refused, has failed, or is stopping.
    Store,
    /// The code of an action ended in an error.
    Action,
}

impl ProblemKind {
    /// What programs call it.
    pub fn name(self) -> &'static str {
        match self {
            ProblemKind::Store => "store",
            ProblemKind::Invalid => "invalid",
            ProblemKind::Unknown => "unknown",
            ProblemKind::Forbidden => "forbidden",
            ProblemKind::Conflict => "conflict",
            ProblemKind::Busy => "busy",
            ProblemKind::Action => "action",
        }
    }

    /// The exit code of the command line.
    pub fn exit_code(self) -> u8 {
        match self {
            ProblemKind::Store => 1,
            ProblemKind::Invalid => 2,
            ProblemKind::Unknown => 3,
            ProblemKind::Forbidden => 4,
            ProblemKind::Conflict => 5,
            ProblemKind::Busy => 6,
            ProblemKind::Action => 7,
        }
    }
}

/// A no, for the caller.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{text}")]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub struct Problem {
    pub kind: ProblemKind,
    /// What it is and what would help.
    pub text: String,
    /// What can be typed next: a command, in which SPACE, SESSION, AGENT, ID and the like stand for
    /// what was typed; or a flag, in the place of the one that was typed; or `--help` of the verb.
    pub hint: Option<String>,
}

impl Problem {
    /// Without a hint.
    pub fn new(kind: ProblemKind, text: impl ToString) -> Problem {
        Problem { kind, text: text.to_string(), hint: None }
    }

    /// With the command to type.
    #[must_use]
    pub fn hint(self, hint: impl Into<String>) -> Problem {
        Problem { hint: Some(hint.into()), ..self }
    }

    /// The same text for a space that is not there and one that the caller may not see.
    pub fn no_space(name: &str) -> Problem {
        Problem::new(ProblemKind::Unknown, format!("no space {name:?} that you can read"))
            .hint("stoa space list")
    }

    /// With the name that was probably meant, and what shows it.
    #[must_use]
    pub fn meant(self, like: Option<String>, verb: &str) -> Problem {
        let Some(like) = like else { return self };
        let hint = format!("stoa {verb} {}", quoted(&like));
        Problem { text: format!("{}; there is {like:?}", self.text), ..self }.hint(hint)
    }

    /// The same text for an atom that is not there and one that the caller may not see.
    pub fn no_atom(id: impl ToString) -> Problem {
        Problem::new(ProblemKind::Unknown, format!("no atom {} that you can read", id.to_string()))
            .hint("stoa search SPACE")
    }
}

/// A word as a shell reads it.
pub fn quoted(word: &str) -> String {
    let plain = |it: char| it.is_alphanumeric() || matches!(it, '-' | '_' | '/' | '.' | ':');
    match !word.is_empty() && word.chars().all(plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', "'\\''")),
    }
}

/// What gives up all behind the last entry that holds.
fn give_up(breach: &Breach) -> String {
    format!("stoa doctor --accept-loss {}", breach.keeps())
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        let hint = match &error {
            StoreError::Locked { pid: Some(pid), .. } => Some(format!("kill {pid}")),
            StoreError::Locked { .. } => Some("stoa --data OTHER_DIR status".to_owned()),
            StoreError::OlderFormat { .. } => {
                Some("stoa --data NEW_DIR import SPACE FILE".to_owned())
            }
            StoreError::NewerFormat { .. } => Some("stoa --version".to_owned()),
            StoreError::Unrestored { path } => {
                Some(format!("stoa --data {} restore BACKUP", path.display()))
            }
            StoreError::Moved { .. } => Some("stoa --data DIR status".to_owned()),
            StoreError::InTheWay { path, .. } => Some(format!("mv {} OTHER_NAME", path.display())),
            StoreError::NoThreads(_) => Some("ulimit -u".to_owned()),
            StoreError::NoRoom { path, .. } => Some(format!("df -h {}", path.display())),
            StoreError::Foreign { path, own, .. } => {
                let path = path.display();
                Some(format!("sudo chown -R {own} {path} && chmod -R go= {path}"))
            }
            StoreError::Exposed { path, .. } => Some(format!("chmod 700 {}", path.display())),
            StoreError::Occupied { .. } => Some("stoa --data NEW_DIR restore BACKUP".to_owned()),
            StoreError::Breach(breach) => Some(give_up(breach)),
            StoreError::Damaged { breach, .. } => Some(give_up(breach)),
            StoreError::Codec(_) => Some("stoa doctor".to_owned()),
            StoreError::Stopping | StoreError::Unfinished { .. } => Some("stoa status".to_owned()),
            StoreError::Settings { hint, .. } => Some(hint.clone()),
            StoreError::File { .. } => {
                Some("stoa --data WRITABLE_DIR space create NAME".to_owned())
            }
            StoreError::Engine(_) | StoreError::Invariant(_) => Some("stoa audit".to_owned()),
            StoreError::Order(_) | StoreError::Void(_) => Some("stoa status".to_owned()),
        };
        let kind = match error {
            StoreError::Stopping | StoreError::NoThreads(_) | StoreError::Void(_) => {
                ProblemKind::Busy
            }
            StoreError::Settings { .. } => ProblemKind::Invalid,
            _ => ProblemKind::Store,
        };
        Problem { kind, text: error.to_string(), hint }
    }
}

impl From<space::InvalidSubscription> for Problem {
    fn from(invalid: space::InvalidSubscription) -> Self {
        space::Refusal::from(invalid).into()
    }
}

impl From<space::Refusal> for Problem {
    fn from(refusal: space::Refusal) -> Self {
        use space::Refusal;
        let refusal = match refusal {
            Refusal::Subscription(space::InvalidSubscription::Condition(it)) => {
                Refusal::Condition(it)
            }
            refusal => refusal,
        };
        let text = refusal.to_string();
        let (kind, hint) = match refusal {
            Refusal::Misspelt(Misspelt { right: Some(right), .. }) => {
                (ProblemKind::Invalid, format!("stoa lease acquire SPACE {}", quoted(&right)))
            }
            Refusal::Unknown => (ProblemKind::Unknown, "stoa space list".to_owned()),
            Refusal::NoAtom(_) => (ProblemKind::Unknown, "stoa search SPACE".to_owned()),
            Refusal::NoSubscription(_) => {
                (ProblemKind::Unknown, "stoa space show SPACE".to_owned())
            }
            Refusal::Right { needed, .. } => {
                (ProblemKind::Forbidden, format!("stoa grant SPACE SESSION {needed}"))
            }
            Refusal::Conflict { id, .. } => (ProblemKind::Conflict, format!("stoa get {id}")),
            Refusal::Deprecated { by: Some(by), .. } => {
                (ProblemKind::Conflict, format!("stoa get {by}"))
            }
            Refusal::Deprecated { id, by: None } => {
                (ProblemKind::Conflict, format!("stoa deprecate {id} --undo --force"))
            }
            Refusal::InUse(id) => (ProblemKind::Conflict, format!("stoa get {id}")),
            Refusal::Erased(id) => (ProblemKind::Conflict, format!("stoa history {id}")),
            Refusal::Gone => (ProblemKind::Invalid, "stoa erase --help".to_owned()),
            Refusal::Taken(id) | Refusal::Unexpected { id, .. } => {
                (ProblemKind::Conflict, format!("stoa get {id}"))
            }
            Refusal::Differs { .. } => {
                (ProblemKind::Conflict, "stoa import SPACE FILE --merge".to_owned())
            }
            Refusal::Elsewhere(_) => {
                (ProblemKind::Conflict, "stoa import SPACE FILE --new-ids".to_owned())
            }
            Refusal::Gap { .. } => {
                (ProblemKind::Invalid, "stoa export SPACE --to NEW_FILE".to_owned())
            }
            Refusal::Leased { .. } | Refusal::Stale { .. } => {
                (ProblemKind::Conflict, "stoa lease list SPACE".to_owned())
            }
            Refusal::NoLease(_) => (ProblemKind::Unknown, "stoa lease list SPACE".to_owned()),
            Refusal::Ttl { .. } => (ProblemKind::Invalid, "--lease 10m".to_owned()),
            Refusal::Limit { what, .. } if what.contains("subscriptions") => {
                (ProblemKind::Invalid, "stoa subscription list".to_owned())
            }
            Refusal::Condition(it) => (ProblemKind::Invalid, condition_hint(&it)),
            Refusal::Subscription(space::InvalidSubscription::Type { nearest, .. }) => {
                (ProblemKind::Invalid, format!("--type {}", nearest.unwrap_or("atom.put")))
            }
            Refusal::Undeclared(it) => (ProblemKind::Invalid, undeclared_hint(&it)),
            Refusal::Misdeclared(_) => (ProblemKind::Invalid, "--help".to_owned()),
            Refusal::TextAndOrder | Refusal::NoAttempts | Refusal::StillWanted => {
                (ProblemKind::Invalid, "--help".to_owned())
            }
            Refusal::UsedUp(_) => (ProblemKind::Busy, "stoa claim SPACE".to_owned()),
            Refusal::Circle { target, .. } => (ProblemKind::Conflict, format!("stoa get {target}")),
            Refusal::Far { target, .. } => (ProblemKind::Invalid, format!("stoa get {target}")),
            Refusal::OwnSuccessor => (ProblemKind::Invalid, "--help".to_owned()),
            _ => (ProblemKind::Invalid, "--help".to_owned()),
        };
        Problem { kind, text, hint: Some(hint) }
    }
}

/// What the one above types, so that a session may pass on as much.
fn more_to_delegate(asked: &rights::Right) -> String {
    match &asked.subject {
        rights::Subject::Space(space) => {
            let level = asked.use_.max(asked.delegate).unwrap_or(rights::Level::Read);
            format!("stoa grant {space} SESSION {level} --delegate {level}")
        }
        _ => "stoa whoami".to_owned(),
    }
}

/// The name that was meant, as it can be typed; else where it is told what there is.
fn undeclared_hint(refusal: &Undeclared) -> String {
    match (refusal, refusal.nearest()) {
        (Undeclared::Key { .. }, Some(key)) => {
            format!("--meta {}", quoted(&format!("{key}=VALUE")))
        }
        (Undeclared::Relation { .. }, Some(name)) => {
            format!("--ref {}", quoted(&format!("{name}:KEY=VALUE")))
        }
        (Undeclared::Order { .. }, Some(key)) => format!("--order {}", quoted(key)),
        _ => "stoa space show SPACE".to_owned(),
    }
}

/// A condition as it can be typed.
pub(crate) fn condition_hint(refusal: &ConditionRefusal) -> String {
    let (key, operator) = match refusal {
        ConditionRefusal::NoJoin { .. } | ConditionRefusal::NoAlternatives => {
            return r#"--meta 'any:=[{"status": "open"}, {"status": "new"}]'"#.to_owned();
        }
        ConditionRefusal::NoList { key, .. } => {
            return format!("--meta {}", quoted(&format!(r#"{key}:={{"in": ["a", "b"]}}"#)));
        }
        ConditionRefusal::Unknown { key, .. } | ConditionRefusal::Unordered { key, .. } => {
            (key, ">=3")
        }
        ConditionRefusal::Nothing { key }
        | ConditionRefusal::Long { key, .. }
        | ConditionRefusal::Value { key, .. } => (key, "=VALUE"),
        _ => return "--meta KEY=VALUE".to_owned(),
    };
    format!("--meta {}", quoted(&format!("{key}{operator}")))
}

/// What lets an agent go on whose budget is spent in this unit, as it is typed; by the text that tells
/// of it: `money = 1.5 …`.
pub fn enough(what: &str) -> String {
    let what = what.strip_prefix("budget: ").unwrap_or(what);
    let (unit, least) = match what.split(' ').next() {
        Some("tokens") => ("tokens", 50_000),
        Some("money") => ("money", 1),
        Some("seconds") => ("seconds", 600),
        Some("turns") => ("turns", 10),
        _ => ("thoughts", 10),
    };
    // For two calls, where it is said what one may take.
    let call = what.split_once("may take ").and_then(|(_, rest)| rest.split(',').next());
    let calls = call.and_then(|it| it.parse::<f64>().ok()).map_or(0, |it| (2.0 * it).ceil() as u64);
    format!("{unit}={}", calls.max(least))
}

impl From<session::Refusal> for Problem {
    fn from(refusal: session::Refusal) -> Self {
        use session::Refusal;
        if let Refusal::Follow(invalid) = refusal {
            return invalid.into();
        }
        if let Refusal::Exhausted(what) = &refusal {
            let hint = format!("stoa agent resume AGENT --budget {}", enough(what));
            return Problem::new(ProblemKind::Conflict, refusal).hint(hint);
        }
        let (kind, hint) = match refusal {
            Refusal::Unborn | Refusal::Wiped => (ProblemKind::Unknown, "stoa agent list"),
            Refusal::Stale { .. } => (ProblemKind::Conflict, "stoa agent list"),
            Refusal::BudgetShort { .. } | Refusal::NoMoreSpawns | Refusal::TooDeep => {
                (ProblemKind::Forbidden, "stoa agent list")
            }
            Refusal::BudgetUnnamed(_) | Refusal::BudgetEmpty(_) => {
                (ProblemKind::Invalid, "--budget thoughts=20")
            }
            Refusal::BudgetUnbounded(_) | Refusal::DepthAdded => {
                (ProblemKind::Invalid, "stoa agent show AGENT")
            }
            _ => (ProblemKind::Invalid, "stoa agent list"),
        };
        Problem::new(kind, refusal).hint(hint)
    }
}

impl From<rights::Refusal> for Problem {
    fn from(refusal: rights::Refusal) -> Self {
        use rights::Refusal;
        let text = refusal.to_string();
        if let Refusal::Misspelt(Misspelt { right: Some(right), .. }) = &refusal {
            let hint = format!("stoa space create {}", quoted(right));
            return Problem::new(ProblemKind::Invalid, text).hint(hint);
        }
        if let Refusal::BeyondDelegable { asked, .. } = &refusal {
            return Problem {
                kind: ProblemKind::Forbidden,
                text,
                hint: Some(more_to_delegate(asked)),
            };
        }
        let (kind, hint) = match refusal {
            Refusal::UnknownName(_) => (ProblemKind::Unknown, "stoa space list"),
            Refusal::NoSuchSession(_) => (ProblemKind::Unknown, "stoa session list"),
            Refusal::BadName { .. } | Refusal::Misspelt(_) | Refusal::NameLikeId(_) => {
                (ProblemKind::Invalid, "--help")
            }
            Refusal::NothingToRevoke => (ProblemKind::Forbidden, "stoa access SPACE"),
            Refusal::MayNotShare(_)
            | Refusal::OutlivesBasis { .. }
            | Refusal::NotYoursToEnd(_)
            | Refusal::OnlyRoot
            | Refusal::RootStays => (ProblemKind::Forbidden, "stoa whoami"),
            Refusal::AliasTaken(_)
            | Refusal::SessionTaken(_)
            | Refusal::SpaceTaken(_)
            | Refusal::LinkTaken(_) => (ProblemKind::Conflict, "stoa space list"),
            _ => (ProblemKind::Invalid, "--help"),
        };
        Problem { kind, text, hint: Some(hint.to_owned()) }
    }
}
