//! Asking a model: for a thought, or for what came before, summed up.

use super::context::{self, At};
use super::known::Known;
use crate::model::{Context, Model, ModelError};
use crate::runtime::Runtime;
use std::sync::Arc;
use std::time::Duration;
use stoa_actors::agent::CallBound;
use stoa_actors::briefing::Briefing;
use stoa_actors::id::{ROOT, SessionId};
use stoa_actors::incarnation::Request;
use stoa_actors::retry::{Unanswered, wait_ms};
use stoa_actors::session::{Billing, Message, Reply, Thought};
use stoa_actors::window::OBSERVATION_FACTOR;

/// A thought, and what the model was told for it that it had not been told before; nothing where the
/// model may not be asked.
pub(super) async fn think(
    runtime: &Runtime,
    at: At,
    known: &Known,
) -> Result<Option<(Thought, Arc<Briefing>)>, ModelError> {
    let asker = Asker::of(&at);
    let model = runtime.model(at.session, &at.brief.charter.model).map_err(not_made)?;
    let context = context::context(runtime, at, &*model, known).await;
    let context = context.map_err(|it| not_made(it.text))?;
    let briefing = context.briefing.clone();
    let thought = asked(runtime, asker, model, context).await?;
    Ok(thought.map(|thought| (thought, briefing)))
}

/// What came before, summed up; and from which turn and step on it is told as it was. Nothing where the
/// model may not be asked.
pub(super) async fn sum_up(
    runtime: &Runtime,
    at: At,
    by_model: bool,
    again: bool,
    known: &Known,
) -> Result<Option<(Thought, (u64, u32))>, ModelError> {
    let (now, asker) = ((at.turn, at.step), Asker::of(&at));
    let model = runtime.model(at.session, &at.brief.charter.model).map_err(not_made)?;
    let window_bytes = model.window_bytes().unwrap_or(WINDOW_BYTES);
    let context = context::context(runtime, at, &*model, known).await;
    let context = context.map_err(|it| not_made(it.text))?;
    let since = |kept| context.past.since(kept, window_bytes / OBSERVATION_FACTOR, now);
    let since = match since(window_bytes / KEPT_FACTOR) {
        _ if again => now,
        // What came last is kept, also where it is long.
        nothing if nothing == now => since(window_bytes / LAST_KEPT_FACTOR),
        since => since,
    };
    if by_model {
        let context = Context { sums_up: Some(since), ..context };
        let thought = asked(runtime, asker, model, context).await?;
        let most = window_bytes / SUMMARY_FACTOR;
        return Ok(thought.map(|mut thought| {
            thought.text.truncate(thought.text.floor_char_boundary(most));
            (thought, since)
        }));
    }
    let text = context.past.digest(window_bytes / DIGEST_FACTOR);
    Ok(Some((Thought { text, ..Thought::default() }, since)))
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

/// Why a model was not asked.
fn not_made(why: String) -> ModelError {
    ModelError::new(why).billed(Billing::NotMade)
}

/// Who asks a model, for which request, and whether what that takes is bounded.
struct Asker {
    session: SessionId,
    of: (u64, u32),
    attempt: u32,
    bounded: bool,
}

impl Asker {
    fn of(at: &At) -> Asker {
        let bounded = at.brief.left.bounds_calls();
        Asker { session: at.session, of: (at.turn, at.step), attempt: at.attempt, bounded }
    }

    /// How long the model may be asked, once what it may take at most is put aside; nothing where there
    /// is not so much, or the turn is over.
    async fn reserve(self, runtime: &Runtime, bound: CallBound) -> Option<u64> {
        if !self.bounded {
            return Some(bound.ms);
        }
        let address = runtime.agent(self.session).ok()?;
        let config = &runtime.shared().config;
        let (first, most) = (config.outbox_wait_first_ms, config.outbox_wait_ms_max);
        let mut failures = 0;
        loop {
            let message = Message::may_ask(self.of, self.attempt, bound);
            match address.ask(Request::new(ROOT, message)).await {
                Ok(receipt) => {
                    return match receipt.reply {
                        Reply::Granted { ms_max } => Some(ms_max.unwrap_or(bound.ms).min(bound.ms)),
                        _ => None,
                    };
                }
                // If it was granted before its actor died, that call stands as spent.
                Err(error)
                    if matches!(error.unanswered(), Unanswered::NoRoom | Unanswered::Restarted) =>
                {
                    tokio::time::sleep(Duration::from_millis(wait_ms(failures, first, most))).await;
                    failures += 1;
                }
                // The turn is over, or what is owed is owed again by whoever is started next.
                Err(_) => return None,
            }
        }
    }
}

/// What a model says; nothing where it may not be asked.
async fn asked(
    runtime: &Runtime,
    asker: Asker,
    model: Arc<dyn Model>,
    context: Context,
) -> Result<Option<Thought>, ModelError> {
    let ms = model.ms_max().unwrap_or(runtime.shared().config.model_ms_max);
    let bound = match asker.bounded {
        true => CallBound { ms, ..model.most(&context).map_err(|it| it.billed(Billing::NotMade))? },
        false => CallBound { ms, ..CallBound::default() },
    };
    let (session, of) = (asker.session, asker.of);
    let Some(ms) = asker.reserve(runtime, bound).await else { return Ok(None) };
    let limit = Duration::from_millis(ms);
    let live_bytes_max = runtime.shared().config.live_bytes_max;
    let live = runtime.agents().live.ask(session, of, live_bytes_max);
    let speaker = live.speaker();
    // In a task of its own: what panics in a model is a failure of the turn.
    let thinking = tokio::spawn(async move { model.think_aloud(context, speaker).await });
    let thought = thought(Thinking(thinking), limit).await;
    match &thought {
        Ok(_) => live.replies(),
        Err(error) => live.fails(&error.text),
    }
    thought
}

async fn thought(mut thinking: Thinking, limit: Duration) -> Result<Option<Thought>, ModelError> {
    match tokio::time::timeout(limit, &mut thinking.0).await {
        Ok(Ok(thought)) => thought.map(Some),
        Ok(Err(died)) => {
            Err(ModelError::new(format!("the model has failed: {died}")).billed(Billing::Unknown))
        }
        Err(_) => {
            let text = format!("the model said nothing for {} ms", limit.as_millis());
            Err(ModelError::new(text).billed(Billing::Unknown))
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
