//! The calls of an agent's action, noted in its stream, so that after a crash the action is run
//! again with the same answers and goes on where it stopped.

use super::fit::Fit;
use super::items;
use crate::host::{ActorAddress, AskError};
use crate::runtime::Runtime;
use std::sync::Arc;
use stoa_actors::code::{HostCall, Item, Raise};
use stoa_actors::digest::{self as canonical, DIGEST_FORM};
use stoa_actors::id::{AtomId, ROOT};
use stoa_actors::incarnation::{Refused, Request};
use stoa_actors::log::Hash;
use stoa_actors::session::{
    CallNote, FoundVersion, Message, Phase, Recorded, RecordedItem, Refusal, Reply, Session,
};

/// The notes of one action.
pub struct Notebook {
    pub address: Arc<ActorAddress<Session>>,
    pub(crate) turn: u64,
    pub(crate) step: u32,
    /// What is known from before a crash.
    pub(crate) known: Arc<Vec<CallNote>>,
}

/// What is known of a call.
pub(crate) enum Known {
    /// Nothing: it is made now.
    Nothing,
    /// It was to be made; whether it was is not known.
    Intent,
    Answer(Result<Item, Raise>),
}

impl Notebook {
    /// What is known of the call of that number.
    pub(crate) fn look(&self, runtime: &Runtime, fit: Fit, call: u64, of: &HostCall) -> Known {
        let mut of_call = self.known.iter().filter(|it| it.call == call).peekable();
        if of_call.peek().is_none() {
            return Known::Nothing;
        }
        let Some(last) = of_call.next_back().filter(|it| it.asked == digest(it.form, of)) else {
            return Known::Answer(Err(items::raise(
                "SystemError",
                format!("call {call} is not the one this action made before the crash"),
            )));
        };
        match &last.answer {
            None => Known::Intent,
            Some(recorded) => Known::Answer(rehydrated(runtime, fit, recorded)),
        }
    }

    /// Reads what is noted by now; whether the action goes on.
    pub(crate) async fn read_again(&mut self) -> bool {
        let Ok(told) = self.address.ask(Request::new(ROOT, Message::Look)).await else {
            return false;
        };
        match told.reply {
            Reply::State(state) => match state.phase() {
                Phase::Turning(it) if (it.number, it.step) == (self.turn, self.step) => {
                    self.known = it.notes.clone();
                    true
                }
                _ => false,
            },
            _ => false,
        }
    }

    /// Says what is about to be done, and returns once that is durable.
    pub(crate) async fn intend(&self, call: u64, called: &str, asked: Hash) -> Result<(), Raise> {
        let called = called.to_owned();
        let note = CallNote { call, form: DIGEST_FORM, asked, answer: None, wrote: true, called };
        self.address.ask(self.noting(note)).await.map(drop).map_err(over)
    }

    /// Keeps an answer: durable with whatever is made durable next, so that nothing can be known
    /// of a later call and not of this one. One that there is no room for is an exception to the code
    /// that runs, and that is what is noted: run again, it gets the same.
    pub(crate) async fn answered(
        &self,
        (call, called): (u64, &str),
        asked: Hash,
        answer: &Result<Item, Raise>,
        wrote: bool,
    ) -> Result<(), Raise> {
        let note = |answer| {
            let (form, answer, called) = (DIGEST_FORM, Some(answer), called.to_owned());
            CallNote { call, form, asked, answer, wrote, called }
        };
        match self.address.ask_aside(self.noting(note(recorded(answer)))).await {
            Err(AskError::Refused(Refused::Actor(full @ Refusal::NotesFull { .. }))) => {
                let raise = items::raise("ValueError", full.to_string());
                let instead = self.noting(note(Recorded::from(&raise)));
                self.address.ask_aside(instead).await.map_err(over)?;
                Err(raise)
            }
            noted => noted.map_err(over),
        }
    }

    fn noting(&self, note: CallNote) -> Request<Message> {
        let (turn, step) = (self.turn, self.step);
        Request::new(ROOT, Message::Note { turn, step, note })
    }
}

fn over(error: impl std::fmt::Display) -> Raise {
    items::raise("SystemError", format!("the turn is over: {error}"))
}

/// What a call asks, digested as this build does.
pub(crate) fn asked(call: &HostCall) -> Hash {
    digest(DIGEST_FORM, call)
}

fn digest(form: u8, call: &HostCall) -> Hash {
    canonical::digest(form, call).unwrap_or_default()
}

fn recorded(answer: &Result<Item, Raise>) -> Recorded {
    match answer {
        Err(raise) => raise.into(),
        // A lease is of that moment: no version tells it again.
        Ok(item @ Item::Object(it)) if it.field("lease").is_none() => match version(item) {
            Some(FoundVersion { id, version, .. }) => Recorded::Atom { id, version },
            None => Recorded::Said(item.into()),
        },
        Ok(Item::List(list)) if !list.is_empty() => {
            match list.iter().map(version).collect::<Option<Vec<_>>>() {
                Some(atoms) => Recorded::Atoms(atoms),
                None => Recorded::Said(RecordedItem::List(
                    list.iter().map(RecordedItem::from).collect(),
                )),
            }
        }
        Ok(item) => Recorded::Said(item.into()),
    }
}

/// Which version of which atom an object stands for, and its score.
fn version(item: &Item) -> Option<FoundVersion> {
    let (id, version) = items::version(item)?;
    Some(FoundVersion { id, version, score: items::score(item) })
}

fn rehydrated(runtime: &Runtime, fit: Fit, recorded: &Recorded) -> Result<Item, Raise> {
    let hit = |id: AtomId, version: u64, score: Option<f32>| {
        let found = runtime.store().version(id, version).ok().flatten();
        let (position, atom) = found.ok_or_else(|| {
            items::raise("SystemError", format!("version {version} of atom {id} is gone"))
        })?;
        Ok::<_, Raise>((atom, position, score))
    };
    match recorded {
        Recorded::Atom { id, version } => {
            let (atom, position, _) = hit(*id, *version, None)?;
            Ok(fit.one(&atom, position))
        }
        Recorded::Atoms(all) => {
            let hits = all.iter().map(|it| hit(it.id, it.version, it.score));
            Ok(Item::List(fit.list(&hits.collect::<Result<Vec<_>, _>>()?)))
        }
        Recorded::Said(said) => Ok(said.into()),
        Recorded::Raised { class, message } => Err(items::raise(class, message.clone())),
    }
}
