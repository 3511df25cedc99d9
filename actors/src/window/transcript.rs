//! What an agent went through since its window was made anew: kept from what it has written, or read
//! from its stream, to the same end.

use crate::briefing::{AtomVersion, Briefing, Summary};
use crate::session::{CancelledAction, Event, Observation, Thought, TurnOutcome};
use crate::space::Wake;
use std::fmt::Write;
use std::sync::Arc;

/// What happened, the oldest first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Transcript {
    items: Vec<TranscriptItem>,
    /// What all before it comes down to.
    summary: Option<Summary>,
    /// What came before the first of them is told of nowhere.
    cut: bool,
    /// How many of them are of before the window was made anew.
    kept: usize,
    bytes: usize,
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq)]
pub enum TranscriptItem {
    /// A turn began.
    Began {
        /// Its number in the session.
        turn: u64,
        /// What woke the agent.
        wakes: Vec<Wake>,
    },
    /// It was told this.
    Briefed(Arc<Briefing>),
    /// It said this.
    Said(Thought),
    /// That came of its code.
    Observed(Observation),
    /// Its turn was ended by something else than itself.
    Cut(String),
}

impl TranscriptItem {
    fn bytes(&self) -> usize {
        match self {
            TranscriptItem::Began { wakes, .. } => {
                // Of a comment no more is told.
                let comments = wakes.iter().flat_map(|it| &it.comments);
                comments.map(|it| it.len().min(COMMENT_BYTES)).sum()
            }
            TranscriptItem::Briefed(briefing) => {
                let texts = briefing.spaces.iter().filter_map(|(_, it)| it.description.as_ref());
                let tools = briefing.tools.iter().map(|it| &it.about);
                let said = briefing.said.iter().flat_map(|it| &it.comments);
                let said: usize = said.map(|it| it.len().min(COMMENT_BYTES)).sum();
                said + texts.chain(tools).map(String::len).sum::<usize>()
            }
            TranscriptItem::Said(thought) => {
                let made = thought.generation.as_deref();
                let words = thought.text.len() + thought.code.as_ref().map_or(0, String::len);
                words.max(made.map_or(0, |it| it.blocks.len()))
            }
            TranscriptItem::Observed(observation) => observation.text.len(),
            TranscriptItem::Cut(text) => text.len(),
        }
    }
}

/// Bytes of a comment that are told, about.
const COMMENT_BYTES: usize = 512;

/// Letters that are told of one thing where a summary is made without a model.
const DIGEST_CHARS: usize = 240;

impl Transcript {
    /// Of an agent whose earlier turns are not told.
    pub fn cut() -> Transcript {
        Transcript { cut: true, ..Transcript::default() }
    }

    /// The atoms that were told of since it was made anew.
    pub fn atoms(&self) -> impl Iterator<Item = AtomVersion> {
        self.briefings().flat_map(|it| it.atoms())
    }

    /// What was told besides what was said and seen, one after the other.
    pub fn briefings(&self) -> impl Iterator<Item = &Arc<Briefing>> {
        self.items.iter().filter_map(|it| match it {
            TranscriptItem::Briefed(briefing) => Some(briefing),
            _ => None,
        })
    }

    /// The turn and the step that it begins with.
    pub fn first_step(&self) -> Option<(u64, u32)> {
        self.places().first().map(|it| it.1)
    }

    /// What happened, the oldest first.
    pub fn items(&self) -> &[TranscriptItem] {
        &self.items
    }

    /// What all before it comes down to.
    pub fn summary(&self) -> Option<&Summary> {
        self.summary.as_ref()
    }

    /// Whether what came before is told of nowhere.
    pub fn is_cut(&self) -> bool {
        self.cut
    }

    /// How many of them are of before the window was made anew: what they took then is not what they
    /// take now. All, where it is not known.
    pub fn kept(&self) -> usize {
        if self.cut { self.items.len() } else { self.kept }
    }

    /// Bytes of what was said and seen.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// The briefing that tells everything; nothing where none was since the window was made anew.
    pub fn front(&self) -> Option<&Arc<Briefing>> {
        self.briefings().filter(|it| it.front).last()
    }

    /// What was thought and seen in the turn that was begun last, one step after the other.
    pub fn steps(&self) -> Vec<(&Thought, &Observation)> {
        let began = |it: &TranscriptItem| matches!(it, TranscriptItem::Began { .. });
        let from = self.items.iter().rposition(began).map_or(0, |it| it + 1);
        let (mut steps, mut said) = (Vec::new(), None);
        for item in &self.items[from..] {
            match (item, said) {
                (TranscriptItem::Said(thought), _) => said = Some(thought),
                (TranscriptItem::Observed(observation), Some(thought)) => {
                    steps.push((thought, observation));
                }
                _ => {}
            }
        }
        steps
    }

    /// Takes in what happened next.
    pub fn take(&mut self, event: &Event) {
        let item = match event {
            Event::TurnBegan { turn, wakes, .. } => {
                TranscriptItem::Began { turn: *turn, wakes: wakes.clone() }
            }
            Event::Briefed(briefing) => TranscriptItem::Briefed(briefing.clone()),
            Event::Thought { thought, .. } => TranscriptItem::Said(thought.clone()),
            Event::Observed(observation)
            | Event::Interrupted { action: Some(CancelledAction { observation, .. }), .. } => {
                TranscriptItem::Observed(observation.clone())
            }
            Event::TurnEnded { outcome: TurnOutcome::Exhausted(limit), .. } => {
                TranscriptItem::Cut(format!("That turn was cut at {limit}."))
            }
            Event::TurnFailed { why, .. } | Event::Quarantined { why, .. } => {
                TranscriptItem::Cut(format!("That turn failed: {why}"))
            }
            Event::Stopped { reason, .. } => {
                TranscriptItem::Cut(format!("You were stopped: {reason}"))
            }
            Event::Compacted(summary) => return self.compact(summary),
            _ => return,
        };
        self.bytes += item.bytes();
        self.items.push(item);
    }

    /// What came before is told by a summary from now on, and what holds is told anew.
    fn compact(&mut self, summary: &Summary) {
        let kept = self.at(summary.since);
        let mut items = self.items.split_off(kept);
        // What holds is told anew; what was said is told only once.
        items.retain_mut(|it| match it {
            TranscriptItem::Briefed(briefing) => {
                *briefing = Arc::new(briefing.words());
                !briefing.is_empty()
            }
            _ => true,
        });
        self.bytes = items.iter().map(TranscriptItem::bytes).sum();
        self.kept = items.len();
        (self.items, self.summary, self.cut) = (items, Some(summary.clone()), false);
    }

    /// Where a step of a turn begins.
    pub(super) fn at(&self, since: (u64, u32)) -> usize {
        let places = self.places();
        let first = places.into_iter().find(|(_, place)| *place >= since);
        first.map_or(self.items.len(), |(at, _)| at)
    }

    /// Where a part of it may begin: turns, and the steps in them. A part that is left of a turn begins
    /// with what was said in it.
    fn places(&self) -> Vec<(usize, (u64, u32))> {
        let (mut turn, mut step) = self.summary.as_ref().map_or((0, 1), |it| it.since);
        let (mut places, mut begins, mut told) = (Vec::new(), false, None);
        for (at, item) in self.items.iter().enumerate() {
            match item {
                TranscriptItem::Began { turn: number, .. } => {
                    (turn, step, begins) = (*number, 1, true);
                    places.push((at, (turn, step)));
                }
                TranscriptItem::Said(_) => {
                    // What a turn begins with belongs to its first step.
                    if !std::mem::take(&mut begins) {
                        // What was said to it at this step belongs to it as well.
                        let before = told.take().filter(|it| it + 1 == at);
                        places.push((before.unwrap_or(at), (turn, step)));
                    }
                }
                TranscriptItem::Observed(_) => step += 1,
                TranscriptItem::Briefed(briefing) if !briefing.said.is_empty() => told = Some(at),
                TranscriptItem::Briefed(_) | TranscriptItem::Cut(_) => {}
            }
        }
        places
    }

    /// The turn and the step from which on so many bytes are enough for it; `now` where what came last
    /// is longer. No more is shown of one observation than `observed_max`.
    pub fn since(&self, bytes_max: usize, observed_max: usize, now: (u64, u32)) -> (u64, u32) {
        let (mut bytes, mut since) = (0, now);
        let mut places = self.places();
        for (at, item) in self.items.iter().enumerate().rev() {
            bytes += match item {
                TranscriptItem::Observed(_) => item.bytes().min(observed_max),
                item => item.bytes(),
            };
            if bytes > bytes_max {
                break;
            }
            if places.last().is_some_and(|(place, _)| *place == at) {
                since = places.pop().map_or(now, |(_, place)| place);
            }
        }
        since
    }

    /// What it comes down to where no model has said it: what came before, and of each turn a line, the
    /// latest where there is no room for all.
    pub fn digest(&self, bytes_max: usize) -> String {
        let mut turns: Vec<String> = Vec::new();
        for item in &self.items {
            let line = match item {
                TranscriptItem::Began { turn, wakes } => {
                    let comments = wakes.iter().flat_map(|it| &it.comments);
                    let news: Vec<&str> = comments.map(String::as_str).take(3).collect();
                    turns.push(format!("- Turn {turn}. {}", short(&news.join("; "))));
                    continue;
                }
                TranscriptItem::Said(thought) if !thought.text.trim().is_empty() => {
                    format!(" You: {}", short(&thought.text))
                }
                TranscriptItem::Cut(text) => format!(" {}", short(text)),
                TranscriptItem::Briefed(briefing) if !briefing.said.is_empty() => {
                    let said = briefing.said.iter().flat_map(|it| &it.comments);
                    let said: Vec<&str> = said.map(String::as_str).take(3).collect();
                    format!(" {}", short(&said.join("; ")))
                }
                _ => continue,
            };
            match turns.last_mut() {
                Some(turn) if turn.len() < 4 * DIGEST_CHARS => turn.push_str(&line),
                Some(_) => {}
                None => turns.push(format!("-{line}")),
            }
        }
        let before = self.summary.as_ref().map_or("", |it| it.text.as_str());
        let before = &before[..before.floor_char_boundary(bytes_max / 2)];
        let mut room = bytes_max.saturating_sub(before.len());
        let mut kept: Vec<String> = Vec::new();
        for turn in turns.into_iter().rev() {
            let Some(left) = room.checked_sub(turn.len() + 1) else { break };
            room = left;
            kept.push(turn);
        }
        let mut text = before.to_owned();
        for turn in kept.iter().rev() {
            let _ = write!(text, "\n{turn}");
        }
        text.trim().to_owned()
    }
}

fn short(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<&str>>().join(" ");
    match text.char_indices().nth(DIGEST_CHARS) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text,
    }
}
