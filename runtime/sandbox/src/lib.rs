//! Where agents' Python runs: never in this process, and with nothing at hand but what it is given.
//!
//! [`CodeRunner`] is the promise, [`Workers`] keeps it with processes that are thrown away when
//! they misbehave, [`InProcess`] keeps the smaller part of it that one process can. A runner
//! remembers nothing between actions: the REPL travels as [`ActionOutcome::dump`], so that any worker
//! serves any session and a crash costs one action.
//!
//! In reading order: `interpreter` (what an action is), `item`, `ambient` and `preamble`
//! (what it can reach), `traceback` and `dump` (what it leaves); then `wire`, `worker` and `gauge`
//! (the child's side), `child` and `pool` (ours), and `in_process` without any of these.

mod child;
pub mod limits;
mod pool;
mod program;
mod wire;
mod words;

#[cfg(feature = "python")]
mod ambient;
#[cfg(feature = "python")]
mod dump;
#[cfg(feature = "python")]
mod gauge;
#[cfg(feature = "python")]
mod in_process;
#[cfg(feature = "python")]
mod interpreter;
#[cfg(feature = "python")]
mod item;
#[cfg(feature = "python")]
mod preamble;
#[cfg(feature = "python")]
mod traceback;
#[cfg(feature = "python")]
mod worker;

#[cfg(feature = "python")]
pub use in_process::InProcess;
pub use limits::{ActionLimits, WorkersConfig};
pub use pool::Workers;
#[cfg(feature = "python")]
pub use worker::worker_main_if_asked;

use std::pin::Pin;
use stoa_actors::code::{ActionEnd, ActionOutcome, HostCall, Item, Raise};
use stoa_actors::id::Millis;

/// A future in a box, so that the traits here can be objects.
pub type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// One piece of Python and all it may depend on.
///
/// The same action with the same answers of its host is the same run: clock and chance come from
/// here and nowhere else.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub struct Action {
    pub source: String,
    /// The REPL it continues: the last [`ActionOutcome::dump`] of its session, or nothing to begin.
    pub dump: Option<Vec<u8>>,
    /// Names bound before the code runs, over what the REPL had under them. A map of objects such
    /// as `spaces` becomes a `dict`.
    pub globals: Vec<(String, Item)>,
    /// Functions of the host the code may call. Asked for only when the REPL has no such name: an
    /// agent may define its own `llm`.
    pub functions: Vec<String>,
    /// What `datetime.now()` and `time.time()` say at first; each reading is a millisecond later.
    pub now: Millis,
    /// What `random` draws from.
    pub seed: u64,
    /// How far it may go.
    pub limits: ActionLimits,
}

impl Action {
    /// An action in a fresh REPL with nothing at hand, at the epoch, with the default limits.
    pub fn new(source: impl Into<String>) -> Self {
        Self {
            source: source.into(),
            dump: None,
            globals: Vec::new(),
            functions: Vec::new(),
            now: Millis(0),
            seed: 0,
            limits: ActionLimits::default(),
        }
    }
}

/// Who answers the code's calls. Everything it passes is hostile: a handle is looked up, never
/// trusted, and the arguments are checked.
pub trait Host: Send {
    /// Answers one call. While it runs the action's computing clock stands.
    fn call(&mut self, call: HostCall) -> Boxed<'_, Result<Item, Raise>>;

    /// The worker has died, and not of the code. Whether the action shall be run again from its
    /// beginning: by a host that answers the calls it has answered already as it did, and makes
    /// none of them twice.
    fn again(&mut self) -> Boxed<'_, bool> {
        Box::pin(async { false })
    }
}

/// Runs actions. Every failure of code, interpreter or worker is an [`ActionEnd`] of that action.
///
/// Dropping the future cancels the action; of the host only a call under way can then have had an
/// effect.
pub trait CodeRunner: Send + Sync {
    /// Runs one action to its end.
    fn run<'a>(&'a self, action: Action, host: &'a mut dyn Host) -> Boxed<'a, ActionOutcome>;
}

/// Returns at once: what is built without the feature `python` is never a worker.
#[cfg(not(feature = "python"))]
pub fn worker_main_if_asked() {}

/// The notice of an action whose REPL state had to be taken back.
const TAKEN_BACK: &str = "the REPL is as it was before this action";

/// An action that ended without the interpreter's doing; its REPL stands where it stood.
fn ended_outside(class: &str, message: &str, dump: Option<Vec<u8>>) -> ActionOutcome {
    ActionOutcome {
        ending: ActionEnd::Failed {
            class: class.to_owned(),
            traceback: format!("{class}: {message}"),
        },
        printed: String::new(),
        dump,
        notice: Some(TAKEN_BACK.to_owned()),
    }
}

/// Refuses what is too large to be looked at.
fn admit(action: Action) -> Result<Action, ActionOutcome> {
    let (bytes, max) = (action.source.len(), action.limits.source_bytes_max);
    if bytes <= max {
        return Ok(action);
    }
    let message = format!(
        "the code has {bytes} bytes, more than source_bytes_max = {max}; run it in several actions"
    );
    Err(ended_outside("ValueError", &message, action.dump))
}
