//! What an agent went through, read from its stream: back to where its window was made anew.

use crate::problem::{Problem, ProblemKind};
use crate::store::{LogEntry, Store};
use stoa_actors::id::SessionId;
use stoa_actors::incarnation;
use stoa_actors::session::{Event, Session, TurnOutcome};
use stoa_actors::window::Transcript;

/// How much of it is wanted.
#[derive(Clone, Copy)]
pub(super) enum Reach {
    /// The turn that was begun last.
    Turn,
    /// Since the window was made anew.
    Window {
        /// So many bytes, where that is of an agent of before windows.
        bytes_max: usize,
        /// It was told everything since then: at least back to that.
        told: bool,
    },
}

/// What happened in a session up to an entry of its stream, that one included; `before_it_said` what
/// the model said there, and what came of that, is left out.
pub(super) fn past(
    store: &Store,
    session: SessionId,
    upto: u64,
    reach: Reach,
    before_it_said: bool,
) -> Result<Transcript, Problem> {
    let (mut seq, mut since, mut bytes) = (upto, Vec::new(), 0);
    // The turn that the window goes back to, once that is known.
    let mut first = None;
    let (mut begins, mut fronted) = (false, false);
    while seq > 0 && !begins {
        let mut entry = events(store, session, seq)?;
        if before_it_said && seq == upto {
            let said = entry.iter().position(|it| matches!(it, Event::Thought { .. }));
            entry.truncate(said.unwrap_or(entry.len()));
        }
        for event in entry.into_iter().rev() {
            begins = match (&event, reach) {
                (Event::TurnBegan { .. }, Reach::Turn) => true,
                (Event::TurnBegan { turn, .. }, _) => {
                    let full = matches!(
                        reach,
                        Reach::Window { bytes_max, told } if bytes > bytes_max && (fronted || !told)
                    );
                    first.map_or(full, |first| *turn <= first)
                }
                (Event::Compacted(summary), Reach::Window { .. }) if first.is_none() => {
                    first = Some(summary.since.0);
                    false
                }
                _ => begins,
            };
            bytes += weight(&event);
            fronted |= matches!(&event, Event::Briefed(briefing) if briefing.front);
            // Notes of calls are not told, and are large.
            if !matches!(event, Event::Noted(_)) {
                since.push(event);
            }
        }
        seq -= 1;
    }
    let cut = seq > 0 && first.is_none() && matches!(reach, Reach::Window { .. });
    let mut past = if cut { Transcript::cut() } else { Transcript::default() };
    // Of the entry that it begins in, what stands before it is left out.
    since.reverse();
    let from = match begins {
        true => since.iter().position(|it| matches!(it, Event::TurnBegan { .. })).unwrap_or(0),
        false => 0,
    };
    since[from..].iter().for_each(|event| past.take(event));
    Ok(past)
}

/// What one entry of a session's stream says.
pub(super) fn events(store: &Store, session: SessionId, seq: u64) -> Result<Vec<Event>, Problem> {
    happened(&entry_of(store, session, seq)?)
}

/// What an entry of a session's stream says.
pub(super) fn happened(entry: &LogEntry) -> Result<Vec<Event>, Problem> {
    incarnation::events::<Session>(&entry.body)
        .map_err(|error| Problem::new(ProblemKind::Store, error))
}

/// One entry of a session's stream.
pub(super) fn entry_of(store: &Store, session: SessionId, seq: u64) -> Result<LogEntry, Problem> {
    let place = store.position_of(session.stream(), seq)?;
    place.map(|at| store.entry(at)).transpose()?.flatten().ok_or_else(|| {
        let text = format!("entry {seq} of session {session} is missing");
        Problem::new(ProblemKind::Store, text)
    })
}

fn weight(event: &Event) -> usize {
    match event {
        Event::Thought { thought, .. } => {
            thought.text.len() + thought.code.as_ref().map_or(0, String::len)
        }
        Event::Observed(observation) => observation.text.len(),
        Event::TurnBegan { wakes, .. } => {
            wakes.iter().flat_map(|it| &it.comments).map(String::len).sum()
        }
        Event::TurnEnded { outcome: TurnOutcome::Exhausted(text), .. } => text.len(),
        _ => 0,
    }
}
