//! What a model is told at a step: what the agent is, what it went through, and what holds now.

use super::around::{Around, reference};
use super::found::Searched;
use super::known::{Known, Past};
use super::obligations::obligations;
use super::past::{Reach, past};
use crate::caller::Caller;
use crate::model::{Context, Model};
use crate::problem::{Problem, ProblemKind};
use crate::runtime::Runtime;
use crate::store::Store;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use stoa_actors::atom::Content;
use stoa_actors::briefing::{AtomVersion, Briefing};
use stoa_actors::id::{ROOT, SessionId, SpaceId};
use stoa_actors::incarnation::Request;
use stoa_actors::session::{Brief, Message, Reply, Session};
use stoa_actors::window::{CodeStyle, Transcript, words};

/// What a window may hold of what was read from the log, in windows: it is made anew before that, but
/// for an agent of before windows.
const READ_FACTOR: usize = 2;

/// What is thought about.
pub(super) struct At {
    pub(super) session: SessionId,
    pub(super) turn: u64,
    pub(super) step: u32,
    /// Which request of the step it is.
    pub(super) attempt: u32,
    pub(super) brief: Brief,
    /// A summary is wanted.
    pub(super) sums_up: bool,
}

/// The state of an agent, as it will be once everything it has decided is durable.
pub(super) async fn state(runtime: &Runtime, session: SessionId) -> Result<Box<Session>, Problem> {
    let look = Request::new(ROOT, Message::Look);
    match runtime.agent(session)?.ask(look).await?.reply {
        Reply::State(state) => Ok(state),
        reply => Err(Problem::new(ProblemKind::Store, format!("an unexpected answer: {reply:?}"))),
    }
}

/// Everything that a model is told. What it was not told before is its
/// [`briefing`](Context::briefing).
pub(super) async fn context(
    runtime: &Runtime,
    at: At,
    model: &dyn Model,
    known: &Known,
) -> Result<Context, Problem> {
    let caller = runtime.caller(at.session);
    let window_bytes = model.window_bytes();
    let charter = at.brief.charter.clone();
    let nearest = charter.first.into_iter().chain([charter.dm]);
    let nearest = nearest.chain(at.brief.wakes.iter().map(|it| it.space));
    let nearest = nearest.chain(at.brief.told.iter().flat_map(|it| it.spaces())).collect();
    let mut past = known.past(at.turn, window_bytes.is_some());
    let mut searched = match window_bytes {
        Some(bytes) if at.step == 1 && !at.sums_up => {
            // What was told already is not told again.
            if past.is_none() && !charter.memory.is_empty() {
                let turn = at.turn;
                let told = at.brief.told.is_some();
                let read =
                    caller.reading(move |it| read_past(it, turn, told, window_bytes)).await?;
                past = Some(read.transcript.clone());
                known.keep(read);
            }
            Searched::search(&caller, &at.brief, past.as_deref(), bytes).await?
        }
        _ => Searched::default(),
    };
    // One that is told of this turn alone sees a word in the next.
    let said = window_bytes.filter(|_| !at.sums_up && !at.brief.said.is_empty());
    if let Some(bytes) = said {
        searched.hear(&caller, charter.dm, &at.brief.said, bytes).await?;
        searched.said.clone_from(&at.brief.said);
    }
    let telling = Telling { style: model.style(), window_bytes, nearest, searched };
    let at_once = match past {
        Some(past) => Around::known(&caller, charter.instructions, &telling.nearest)
            .and_then(|around| telling.at_once(&caller, &at, around, past)),
        None => None,
    };
    if let Some(context) = at_once {
        return Ok(context);
    }
    // In one go: each is a way to another thread and back.
    let past = known.past(at.turn, window_bytes.is_some());
    let (context, read) = caller.reading(move |it| telling.read(it, at, past)).await?;
    read.into_iter().for_each(|it| known.keep(it));
    Ok(context)
}

/// What is told, and how.
struct Telling {
    style: CodeStyle,
    window_bytes: Option<usize>,
    nearest: Vec<SpaceId>,
    searched: Searched,
}

/// What is told at a step, by reference.
struct Told {
    front: Arc<Briefing>,
    briefing: Arc<Briefing>,
}

impl Telling {
    /// If nothing has to be read for it.
    fn at_once(
        &self,
        of: &Caller,
        at: &At,
        around: Around,
        past: Arc<Transcript>,
    ) -> Option<Context> {
        let mut briefing = self.briefing(of, at, &around, &past);
        if owes(&briefing, &past) {
            return None;
        }
        self.searched.tell(&mut briefing);
        let told = self.told(of, briefing, &around, &past);
        let mut texts = self.texts(&around);
        let wanted = wanted(&told, &past, self.window_bytes.is_some());
        texts.retain(|it, _| wanted.contains(it));
        let context = |texts| self.context(of, at, around, past.clone(), told, texts);
        (texts.len() == wanted.len()).then(|| context(texts))
    }

    /// On a thread that may wait; with what was read of what it went through.
    fn read(
        self,
        of: &Caller,
        at: At,
        known: Option<Arc<Transcript>>,
    ) -> Result<(Context, Option<Past>), Problem> {
        let store = of.runtime.store();
        let around = Around::read(of, at.brief.charter.instructions, &self.nearest)?;
        let (past, read) = match known {
            Some(past) => (past, None),
            None => {
                let read = read_past(of, at.turn, at.brief.told.is_some(), self.window_bytes)?;
                (read.transcript.clone(), Some(read))
            }
        };
        let mut briefing = self.briefing(of, &at, &around, &past);
        if owes(&briefing, &past) {
            briefing.obligations = obligations(of, &at.brief.charter, &around)?;
        }
        self.searched.tell(&mut briefing);
        let told = self.told(of, briefing, &around, &past);
        let mut texts = self.texts(&around);
        for atom in wanted(&told, &past, self.window_bytes.is_some()) {
            if let Some(text) = text_of(store, atom)? {
                texts.insert(atom, text);
            }
        }
        Ok((self.context(of, &at, around, past, told, texts), read))
    }

    /// What has to be told: everything, where the window tells nothing of what holds.
    fn briefing(&self, of: &Caller, at: &At, around: &Around, past: &Transcript) -> Briefing {
        let now = around.told(of, &self.nearest, at.brief.told.as_deref());
        let mut briefing = match at.brief.told.as_deref() {
            Some(_) if self.window_bytes.is_some() && past.front().is_none() => {
                Briefing::front(&now)
            }
            told => Briefing::after(told, &now),
        };
        if briefing.front {
            briefing.words = words(at.session, self.style, &reference(&of.runtime));
            briefing.window_bytes = self.window_bytes.unwrap_or(0) as u64;
            briefing.by_calls = self.style == CodeStyle::Tool;
        }
        briefing
    }

    fn told(&self, of: &Caller, briefing: Briefing, around: &Around, past: &Transcript) -> Told {
        let briefing = Arc::new(briefing);
        let front = match (briefing.front, past.front()) {
            (true, _) => briefing.clone(),
            (false, Some(front)) => front.clone(),
            // It is told of this turn alone, and of what holds now.
            (false, None) => Arc::new(Briefing::front(&around.told(of, &self.nearest, None))),
        };
        Told { front, briefing }
    }

    fn texts(&self, around: &Around) -> BTreeMap<AtomVersion, Arc<str>> {
        let instructions = around.instructions.iter().map(|it| (it.of, it.text.clone()));
        instructions.chain(self.searched.texts.iter().cloned()).collect()
    }

    fn context(
        &self,
        of: &Caller,
        at: &At,
        around: Around,
        past: Arc<Transcript>,
        told: Told,
        texts: BTreeMap<AtomVersion, Arc<str>>,
    ) -> Context {
        let At { session, turn, step, .. } = *at;
        let Around { instructions, spaces, more_spaces, tools } = around;
        let alias = |space| {
            let known = spaces.iter().find(|it| it.id == space);
            known.map_or_else(|| space.to_string(), |it| it.alias.clone())
        };
        Context {
            session,
            agent: of.path_of(session),
            turn,
            step,
            task: at.brief.charter.task.clone(),
            instructions: instructions.iter().map(|it| it.text.to_string()).collect(),
            reference: reference(&of.runtime),
            tools: tools.into_iter().map(|(_, about)| about).collect(),
            wakes: at.brief.wakes.iter().map(|it| (alias(it.space), it.clone())).collect(),
            past,
            front: told.front,
            briefing: told.briefing,
            texts,
            style: self.style,
            window_bytes: self.window_bytes,
            sums_up: None,
            left: at.brief.left,
            spaces,
            more_spaces,
        }
    }
}

/// What it went through, from the log; on a thread that may wait.
fn read_past(
    of: &Caller,
    turn: u64,
    told: bool,
    window_bytes: Option<usize>,
) -> Result<Past, Problem> {
    let (store, session) = (of.runtime.store(), of.session());
    let reach = match window_bytes {
        // What was told of what holds is there, and all that came behind it.
        Some(bytes) => Reach::Window { bytes_max: bytes.saturating_mul(READ_FACTOR), told },
        None => Reach::Turn,
    };
    let seq = store.last_seq(session.stream())?;
    let transcript = Arc::new(past(store, session, seq, reach, false)?);
    Ok(Past { turn, transcript, whole: window_bytes.is_some() })
}

/// Whether what it owes is told as well: what came before is told by a summary, or not at all.
fn owes(briefing: &Briefing, past: &Transcript) -> bool {
    briefing.front && (past.summary().is_some() || past.is_cut())
}

/// The atoms whose texts are in the window.
fn wanted(told: &Told, past: &Transcript, whole: bool) -> BTreeSet<AtomVersion> {
    let now = told.front.atoms().chain(told.briefing.atoms());
    match whole {
        true => now.chain(past.atoms()).collect(),
        false => now.collect(),
    }
}

/// What a version of an atom says; nothing where it is erased.
pub(super) fn text_of(store: &Store, of: AtomVersion) -> Result<Option<Arc<str>>, Problem> {
    let found = store.version(of.id, of.version)?;
    Ok(found.and_then(|(_, atom)| match &atom.content {
        Content::Text(text) => Some(text.as_str().into()),
        Content::Json(value) => Some(value.to_string().into()),
        Content::Bytes { media_type, bytes } => {
            Some(format!("({media_type}, {} bytes)", bytes.len()).into())
        }
        Content::Erased | Content::Redacted => None,
    }))
}
