//! Asking a model: for a thought, or for what came before, summed up.

use super::context::{self, At};
use super::known::Known;
use crate::model::{Context, Model, ModelError};
use crate::runtime::Runtime;
use std::sync::Arc;
use std::time::Duration;
use stoa_actors::briefing::Briefing;
use stoa_actors::session::Thought;
use stoa_actors::window::OBSERVATION_FACTOR;

/// A thought, and what the model was told for it that it had not been told before.
pub(super) async fn think(
    runtime: &Runtime,
    at: At,
    known: &Known,
) -> Result<(Thought, Arc<Briefing>), ModelError> {
    let model = runtime.model(at.session, &at.brief.charter.model).map_err(ModelError::new)?;
    let context = context::context(runtime, at, &*model, known).await;
    let context = context.map_err(|it| ModelError::new(it.text))?;
    let briefing = context.briefing.clone();
    Ok((asked(runtime, model, context).await?, briefing))
}

/// What came before, summed up; and from which turn and step on it is told as it was.
pub(super) async fn sum_up(
    runtime: &Runtime,
    at: At,
    by_model: bool,
    again: bool,
    known: &Known,
) -> Result<(Thought, (u64, u32)), ModelError> {
    let now = (at.turn, at.step);
    let model = runtime.model(at.session, &at.brief.charter.model).map_err(ModelError::new)?;
    let window_bytes = model.window_bytes().unwrap_or(WINDOW_BYTES);
    let context = context::context(runtime, at, &*model, known).await;
    let context = context.map_err(|it| ModelError::new(it.text))?;
    let since = |kept| context.past.since(kept, window_bytes / OBSERVATION_FACTOR, now);
    let since = match since(window_bytes / KEPT_FACTOR) {
        _ if again => now,
        // What came last is kept, also where it is long.
        nothing if nothing == now => since(window_bytes / LAST_KEPT_FACTOR),
        since => since,
    };
    if by_model {
        let context = Context { sums_up: Some(since), ..context };
        let mut thought = asked(runtime, model, context).await?;
        let most = window_bytes / SUMMARY_FACTOR;
        thought.text.truncate(thought.text.floor_char_boundary(most));
        return Ok((thought, since));
    }
    let text = context.past.digest(window_bytes / DIGEST_FACTOR);
    Ok((Thought { text, ..Thought::default() }, since))
}

/// The window of a model that says nothing of its own.
const WINDOW_BYTES: usize = 64 << 10;

/// The part of a window that is told as it was when the window is made anew.
const KEPT_FACTOR: usize = 6;

/// The same of the last step alone.
const LAST_KEPT_FACTOR: usize = 3;

/// The part of a window that a summary may take.
const SUMMARY_FACTOR: usize = 6;

/// The part of a window that a summary may take which no model has made.
const DIGEST_FACTOR: usize = 16;

/// What a model says.
async fn asked(
    runtime: &Runtime,
    model: Arc<dyn Model>,
    context: Context,
) -> Result<Thought, ModelError> {
    let most = runtime.shared().config.model_ms_max;
    let limit = Duration::from_millis(model.ms_max().unwrap_or(most));
    // In a task of its own: what panics in a model is a failure of the turn.
    let mut thinking = Thinking(tokio::spawn(async move { model.think(context).await }));
    match tokio::time::timeout(limit, &mut thinking.0).await {
        Ok(Ok(thought)) => thought,
        Ok(Err(died)) => Err(ModelError::new(format!("the model has failed: {died}"))),
        Err(_) => {
            let text = format!("the model said nothing for {} ms", limit.as_millis());
            Err(ModelError::new(text))
        }
    }
}

/// A model that is asked; who is dropped asks no more.
struct Thinking(tokio::task::JoinHandle<Result<Thought, ModelError>>);

impl Drop for Thinking {
    fn drop(&mut self) {
        self.0.abort();
    }
}
