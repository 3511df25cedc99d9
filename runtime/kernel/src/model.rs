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
use stoa_actors::session::{INTERRUPTED, Thought, thought};

pub use crate::live::Speaker;
pub use stoa_actors::agent::CallBound;
pub use stoa_actors::live::LivePart;
pub use stoa_actors::session::{Billing, ModelError, Passing, PassingKind, Remedy};
pub use stoa_actors::window::{Card, CodeStyle, Context};

/// Who thinks. It may be asked the same twice, after a crash.
pub trait Model: Send + Sync + 'static {
    /// One thought. Dropping the future cancels it.
    fn think(&self, context: Context) -> Boxed<'_, Result<Thought, ModelError>>;

    /// The same, and tells those who look on what it is saying. One that does not stream says nothing
    /// before it is done.
    fn think_aloud(&self, context: Context, _: Speaker) -> Boxed<'_, Result<Thought, ModelError>> {
        self.think(context)
    }

    /// The most that a thought of this takes, in tokens and in money; asked where that is bounded, and
    /// before the model is. One that says nothing of it costs nothing.
    ///
    /// Errors: the model cannot be asked so.
    fn most(&self, _: &Context) -> Result<CallBound, ModelError> {
        Ok(CallBound { tokens: 0, money: Some(0), ms: 0 })
    }

    /// Whether it is known what it costs.
    fn is_priced(&self) -> bool {
        true
    }

    /// How long it may take for one thought, where it bounds that itself; otherwise it is
    /// [`model_ms_max`](crate::limits::Config::model_ms_max).
    fn ms_max(&self) -> Option<u64> {
        None
    }

    /// Bytes that its window holds: so much it is told of what the agent went through. Nothing where
    /// it is told of the running turn alone.
    fn window_bytes(&self) -> Option<usize> {
        None
    }

    /// How it acts.
    fn style(&self) -> CodeStyle {
        CodeStyle::Fence
    }

    /// Who is asked, `PROVIDER/NAME`, whatever it is called here; nothing of one that asks nobody.
    fn full_name(&self) -> Option<String> {
        None
    }

    /// The variable of the environment that it needs, and that this process was not given.
    fn lacks(&self) -> Option<String> {
        None
    }
}

/// Models that are found by their names, beside those that are named one by one.
pub trait ModelSource: fmt::Debug + Send + Sync + 'static {
    /// The one of that name. It is looked for at each thought.
    ///
    /// Errors: why there is none, with what there is.
    fn find(&self, name: &str) -> Result<Arc<dyn Model>, String>;
}

/// A model whose key the process lacks that would ask it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("model {model}: {variable} is not set in process {process}, which runs the agents")]
pub struct LackingKey {
    /// Whose key it is.
    pub model: String,
    /// The variable of the environment that it is to be in.
    pub variable: String,
    /// The process that lacks it.
    pub process: u32,
}

impl LackingKey {
    /// Of a model that is asked by this process; nothing where it lacks none.
    pub fn of(name: &str, model: &dyn Model) -> Option<LackingKey> {
        let (model, variable) = (name.to_owned(), model.lacks()?);
        Some(LackingKey { model, variable, process: std::process::id() })
    }

    /// Of a text that tells of one; nothing of another text.
    pub fn read(text: &str) -> Option<LackingKey> {
        let (model, rest) = text.strip_prefix("model ")?.split_once(": ")?;
        let (variable, rest) = rest.split_once(" is not set in process ")?;
        let process = rest.strip_suffix(", which runs the agents")?.parse().ok()?;
        Some(LackingKey { model: model.to_owned(), variable: variable.to_owned(), process })
    }
}

/// The models of a runtime, by name.
#[derive(Clone)]
pub struct Models {
    named: BTreeMap<String, Arc<dyn Model>>,
    source: Option<Arc<dyn ModelSource>>,
}

/// The name of [`Recipe`].
pub const RECIPE: &str = stoa_actors::trust::BUILT_IN_MODEL;

impl Default for Models {
    /// The one that needs nothing: `recipe`.
    fn default() -> Self {
        Models { named: BTreeMap::new(), source: None }.with(RECIPE, Recipe)
    }
}

impl fmt::Debug for Models {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.named.keys()).entries(&self.source).finish()
    }
}

impl Models {
    /// Adds a model under a name; a second one takes its place.
    #[must_use]
    pub fn with(mut self, name: &str, model: impl Model) -> Models {
        self.named.insert(name.to_owned(), Arc::new(model));
        self
    }

    /// Looks there for what is not named here.
    #[must_use]
    pub fn or_from(mut self, source: Arc<dyn ModelSource>) -> Models {
        self.source = Some(source);
        self
    }

    /// The one of that name.
    ///
    /// Errors: why there is none, with what there is.
    pub fn find(&self, name: &str) -> Result<Arc<dyn Model>, String> {
        match (self.named.get(name), &self.source) {
            (Some(model), _) => Ok(model.clone()),
            (None, Some(source)) => source.find(name),
            (None, None) => {
                let names: Vec<&str> = self.names().collect();
                let names = names.join(", ");
                Err(format!("model {name:?} is not configured here; there are: {names}"))
            }
        }
    }

    /// The names of those that are named one by one, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.named.keys().map(String::as_str)
    }
}

/// Answers every wake with the Python of its instructions: all fenced `python` of all atoms, in
/// order. An exception that the recipe does not catch fails the turn.
#[derive(Clone, Copy, Debug, Default)]
pub struct Recipe;

impl Model for Recipe {
    fn think(&self, context: Context) -> Boxed<'_, Result<Thought, ModelError>> {
        Box::pin(async move {
            if let Some((_, observation)) = context.steps().last() {
                return match &observation.failed {
                    // What it was interrupted for is seen in its next turn.
                    Some(class) if class == INTERRUPTED => Ok(Thought::default()),
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
