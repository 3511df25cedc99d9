//! Who thinks for agents: a trait, and the two models that need no network.
//!
//! A model is asked once for each step of a turn with everything it may know, and says words, code
//! to run, or both; without code the turn ends. It keeps nothing between calls: whatever it should
//! remember is in the [`Context`], which is read from the log.

use crate::sandbox::Boxed;
use parking_lot::Mutex;
use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::Arc;
use stoa_actors::session::{Thought, thought};

pub use stoa_actors::session::{ModelError, Passing, PassingKind};
pub use stoa_actors::window::{Card, Context, Exchange};

/// Who thinks. It may be asked the same twice, after a crash.
pub trait Model: Send + Sync + 'static {
    /// One thought. Dropping the future cancels it.
    fn think(&self, context: Context) -> Boxed<'_, Result<Thought, ModelError>>;
}

/// The models of a runtime, by name.
#[derive(Clone)]
pub struct Models(BTreeMap<String, Arc<dyn Model>>);

/// The name of [`Recipe`].
pub const RECIPE: &str = stoa_actors::trust::BUILT_IN_MODEL;

impl Default for Models {
    /// The one that needs nothing: `recipe`.
    fn default() -> Self {
        Models(BTreeMap::new()).with(RECIPE, Recipe)
    }
}

impl fmt::Debug for Models {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl Models {
    /// Adds a model under a name; a second one takes its place.
    #[must_use]
    pub fn with(mut self, name: &str, model: impl Model) -> Models {
        self.0.insert(name.to_owned(), Arc::new(model));
        self
    }

    /// The one of that name.
    pub fn get(&self, name: &str) -> Option<Arc<dyn Model>> {
        self.0.get(name).cloned()
    }

    /// The names of all models, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

/// Answers every wake with the Python of its instructions: all fenced `python` of all atoms, in
/// order. An exception that the recipe does not catch fails the turn.
#[derive(Clone, Copy, Debug, Default)]
pub struct Recipe;

impl Model for Recipe {
    fn think(&self, context: Context) -> Boxed<'_, Result<Thought, ModelError>> {
        Box::pin(async move {
            if let Some(Exchange { observation, .. }) = context.steps.last() {
                return match &observation.failed {
                    Some(_) => Err(ModelError::new(observation.text.trim_end().to_owned())),
                    None => Ok(Thought::default()),
                };
            }
            let code: String =
                context.instructions.iter().filter_map(|it| thought(it).code).collect();
            if code.is_empty() {
                return Err(ModelError::new(
                    "its instructions hold no ```python recipe; put one there, or name another model"
                        .to_owned(),
                ));
            }
            Ok(Thought { code: Some(code), ..Thought::default() })
        })
    }
}

/// Says what it was given, one reply for each call, whoever asks: for tests.
#[derive(Clone, Default)]
pub struct Scripted(Arc<Mutex<Script>>);

#[derive(Default)]
struct Script {
    replies: VecDeque<Result<String, String>>,
    asked: Vec<Context>,
}

impl Scripted {
    /// Replies in Markdown, code in `python` fences.
    pub fn new<T: Into<String>>(replies: impl IntoIterator<Item = T>) -> Scripted {
        let replies = replies.into_iter().map(|it| Ok(it.into())).collect();
        Scripted(Arc::new(Mutex::new(Script { replies, asked: Vec::new() })))
    }

    /// Adds a failure.
    #[must_use]
    pub fn then_fails(self, why: &str) -> Scripted {
        self.0.lock().replies.push_back(Err(why.to_owned()));
        self
    }

    /// Adds a reply.
    #[must_use]
    pub fn then(self, reply: &str) -> Scripted {
        self.0.lock().replies.push_back(Ok(reply.to_owned()));
        self
    }

    /// What it was asked so far.
    pub fn asked(&self) -> Vec<Context> {
        self.0.lock().asked.clone()
    }

    /// Panics unless every reply was used.
    ///
    /// # Panics
    /// When replies are left.
    pub fn assert_complete(&self) {
        let left = self.0.lock().replies.len();
        assert_eq!(left, 0, "{left} replies of the script were not asked for");
    }
}

impl Model for Scripted {
    fn think(&self, context: Context) -> Boxed<'_, Result<Thought, ModelError>> {
        Box::pin(async move {
            let mut script = self.0.lock();
            script.asked.push(context);
            match script.replies.pop_front() {
                Some(Ok(reply)) => Ok(thought(&reply)),
                Some(Err(why)) => Err(ModelError::new(why)),
                None => Err(ModelError::new("the script has no more replies".to_owned())),
            }
        })
    }
}
