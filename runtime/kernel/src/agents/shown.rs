//! What a model was told at a step that is over, message by message, as it was sent.

use super::around::reference;
use super::context::text_of;
use super::past::{Reach, events, past};
use crate::caller::Caller;
use crate::problem::{Problem, ProblemKind};
use crate::store::Store;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use stoa_actors::id::SessionId;
use stoa_actors::session::{AgentSpec, Budget, Event};
use stoa_actors::window::{CodeStyle, Context, WindowMessage, window, words};

/// One message of a window.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShownMessage {
    /// Whose it is.
    pub role: ShownRole,
    /// What it says in words.
    pub text: String,
    /// The code in it, where some was to be run.
    pub code: Option<String>,
}

/// Whose a message of a window is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ShownRole {
    /// What holds for the whole session.
    System,
    /// What the agent was told.
    Told,
    /// What it said itself.
    Said,
    /// What came of its code.
    Observed,
    /// It was not sent: what has to be known of what was.
    Note,
}

/// A step of a turn, and where in the stream its thought stands.
pub(super) struct StepPlace {
    pub(super) turn: u64,
    pub(super) step: u32,
    /// Of the entry.
    pub(super) seq: u64,
}

impl Caller {
    /// What the model of an agent was told at a step of a turn, the last one where none is named; and
    /// which step that is. What is erased since is shown as erased.
    ///
    /// Errors: [`ProblemKind::Unknown`] where there is no such turn or step, or nothing was thought in
    /// it; [`ProblemKind::Invalid`] of a model that is told nothing in words.
    pub async fn window_at(
        &self,
        agent: SessionId,
        turn: u64,
        step: Option<u32>,
    ) -> Result<(u32, Vec<ShownMessage>), Problem> {
        self.reading(move |it| it.shown_window(agent, turn, step)).await
    }

    pub(super) fn shown_window(
        &self,
        agent: SessionId,
        turn: u64,
        step: Option<u32>,
    ) -> Result<(u32, Vec<ShownMessage>), Problem> {
        let store = self.runtime.store();
        let place = said_at(store, agent, turn, step)?;
        let charter = charter(store, agent)?;
        let model = self.runtime.shared().config.models.find(&charter.model);
        let model = model.map_err(|text| Problem::new(ProblemKind::Invalid, text))?;
        let Some(window_bytes) = model.window_bytes() else {
            let text = format!("model {} is told nothing in words", charter.model);
            return Err(Problem::new(ProblemKind::Invalid, text).hint("stoa agent log AGENT"));
        };
        // As far back as it was told then.
        let reach = Reach::Window { bytes_max: usize::MAX, told: true };
        let past = Arc::new(past(store, agent, place.seq, reach, true)?);
        let front = past.front().cloned().unwrap_or_default();
        let reference = reference(&self.runtime);
        let style = if front.by_calls { CodeStyle::Tool } else { CodeStyle::Fence };
        let other_words = front.words != words(agent, style, &reference);
        let mut texts = std::collections::BTreeMap::new();
        for atom in past.atoms() {
            // Who governs an agent may not read all that it may.
            let hidden = match store.newest(atom.id)? {
                Some((_, newest)) => self.level(newest.space).is_none(),
                None => false,
            };
            match text_of(store, atom)? {
                Some(_) if hidden => drop(texts.insert(atom, "(you may not read it)".into())),
                Some(text) => drop(texts.insert(atom, text)),
                None => {}
            }
        }
        let told = window(&Context {
            session: agent,
            agent: self.path_of(agent),
            turn,
            step: place.step,
            task: charter.task.clone(),
            instructions: Vec::new(),
            reference,
            tools: Vec::new(),
            spaces: Vec::new(),
            more_spaces: front.more_spaces,
            wakes: Vec::new(),
            past,
            front,
            briefing: Arc::default(),
            texts,
            style,
            window_bytes: Some(window_bytes),
            sums_up: None,
            left: Budget::default(),
        });
        let of = |role, text: String| ShownMessage { role, text, code: None };
        let mut shown = Vec::new();
        if other_words {
            let text = "the first two parts were other words then: another build has sent them";
            shown.push(of(ShownRole::Note, text.to_owned()));
        }
        shown.extend(told.system.into_iter().map(|text| of(ShownRole::System, text)));
        shown.extend(told.messages.into_iter().map(|message| match message {
            WindowMessage::Told(text) => of(ShownRole::Told, text),
            WindowMessage::Observed(observation) => of(ShownRole::Observed, observation.text),
            WindowMessage::Said(thought) => {
                ShownMessage { role: ShownRole::Said, text: thought.text, code: thought.code }
            }
        }));
        Ok((place.step, shown))
    }
}

/// What an agent was brought up with.
pub(super) fn charter(store: &Store, agent: SessionId) -> Result<Arc<AgentSpec>, Problem> {
    let born = events(store, agent, 1)?;
    let charter = born.into_iter().find_map(|it| match it {
        Event::Born(charter) => Some(charter),
        _ => None,
    });
    charter.ok_or_else(|| Problem::new(ProblemKind::Store, format!("{agent} has no birth")))
}

/// Where a step of a turn was thought; the last one of the turn where none is named.
fn said_at(
    store: &Store,
    agent: SessionId,
    turn: u64,
    step: Option<u32>,
) -> Result<StepPlace, Problem> {
    let last = store.last_seq(agent.stream())?;
    let (mut low, mut high) = (1, last);
    let mut found = None;
    while low <= high {
        let middle = low + (high - low) / 2;
        match began_before(store, agent, middle)? {
            Some((number, began)) if number >= turn => {
                (found, high) = ((number == turn).then_some(began).or(found), began - 1);
            }
            _ => low = middle + 1,
        }
    }
    let unknown = |text: String| {
        Problem::new(ProblemKind::Unknown, text).hint("stoa agent log AGENT --tail 20")
    };
    let began = found.ok_or_else(|| unknown(format!("it has no turn {turn}")))?;
    let (mut at, mut said) = (1, None);
    'entries: for seq in began..=last {
        for event in events(store, agent, seq)? {
            match event {
                Event::TurnBegan { turn: other, .. } if other != turn => break 'entries,
                Event::Thought { .. } if step.is_none_or(|it| it == at) => {
                    said = Some(StepPlace { turn, step: at, seq });
                }
                Event::Observed(_) | Event::Interrupted { action: Some(_), .. } => at += 1,
                _ => {}
            }
        }
    }
    said.ok_or_else(|| match step {
        Some(step) => unknown(format!("its model said nothing at step {step} of turn {turn}")),
        None => unknown(format!("its model said nothing in turn {turn}")),
    })
}

/// The turn that an entry is of, and the entry that it begins with.
pub(super) fn began_before(
    store: &Store,
    agent: SessionId,
    mut seq: u64,
) -> Result<Option<(u64, u64)>, Problem> {
    while seq > 0 {
        for event in events(store, agent, seq)?.iter().rev() {
            if let Event::TurnBegan { turn, .. } = event {
                return Ok(Some((*turn, seq)));
            }
        }
        seq -= 1;
    }
    Ok(None)
}

/// The step that an entry is of, by the thought that stands in it or before it.
pub(super) fn step_of(
    store: &Store,
    agent: SessionId,
    seq: u64,
) -> Result<Option<StepPlace>, Problem> {
    let Some((turn, began)) = began_before(store, agent, seq)? else { return Ok(None) };
    let (mut at, mut said) = (1, None);
    for seq in began..=seq {
        for event in events(store, agent, seq)? {
            match event {
                Event::Thought { .. } => said = Some(StepPlace { turn, step: at, seq }),
                Event::Observed(_) | Event::Interrupted { action: Some(_), .. } => at += 1,
                _ => {}
            }
        }
    }
    Ok(said)
}
