//! What an agent did, entry by entry.

use crate::caller::{Caller, Change};
use crate::problem::{Problem, ProblemKind};
use crate::store::LogEntry;
use serde::{Deserialize, Serialize};
use stoa_actors::behaviour::Behaviour;
use stoa_actors::briefing::Briefing;
use stoa_actors::codec::CodecError;
use stoa_actors::id::{Millis, Position, RIGHTS, SessionId, SpaceId, StreamId};
use stoa_actors::incarnation;
use stoa_actors::log::Body;
use stoa_actors::printable::count;
use stoa_actors::rights::Rights;
use stoa_actors::session::{
    Budget, CallNote, CancelledAction, Event, LedgerEntry, Recorded, RecordedItem, Session,
    Settlement, Spent, TurnOutcome, spent_out,
};
use stoa_actors::space::Space;
use stoa_actors::value::Value;

/// Something of the log that a caller may see.
pub enum Sighting {
    /// A change of a space.
    Change(Change),
    /// What an agent did.
    AgentEvent(AgentEvent),
}

/// One entry of an agent's stream, in words.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub struct AgentEvent {
    pub position: Position,
    pub at: Millis,
    pub agent: SessionId,
    /// What happened: `turn.began`, …
    pub kind: String,
    /// In words: what was thought, run, seen or refused.
    pub text: String,
    /// The code in it, where some was run.
    pub code: Option<String>,
}

impl Caller {
    /// What became of rights after a cursor, the oldest first: for the root alone.
    ///
    /// Errors: [`ProblemKind::Forbidden`] for anybody else.
    pub async fn rights_history(
        &self,
        after: Position,
        limit: usize,
    ) -> Result<Vec<AgentEvent>, Problem> {
        self.is_owner("the history of all rights tells of every session", "stoa space list")?;
        self.all_of(RIGHTS, after, limit).await
    }

    /// What the caller may see of the log after a cursor, and how far that was looked for: changes
    /// of spaces that it can read, what became of rights that it may know of, and what agents under
    /// it did. One bounded piece.
    pub async fn seen_after(
        &self,
        after: Position,
        upto: Position,
    ) -> Result<(Vec<Sighting>, Position), Problem> {
        self.reading(move |caller| {
            let config = &caller.runtime.shared().config;
            let (mut seen, mut cursor, mut bytes) = (Vec::new(), after, 0);
            for (looked, entry) in caller.runtime.store().entries_from(after).enumerate() {
                let entry = entry?;
                let full = looked >= config.follow_entries_max || bytes >= config.read_piece_bytes;
                if full || entry.position > upto {
                    break;
                }
                (cursor, bytes) = (entry.position, bytes + entry.bytes());
                seen.extend(caller.seen(&entry)?);
            }
            Ok((seen, cursor))
        })
        .await
    }

    fn seen(&self, entry: &LogEntry) -> Result<Vec<Sighting>, Problem> {
        let (stream, at) = (entry.header.stream, entry.position);
        let (space, session) = (SpaceId(stream.0), SessionId(stream.0));
        match entry.body.kind.as_str() {
            Space::KIND if self.level(space).is_some() => {
                let changes = Change::of(space, at, &entry.body).map_err(invalid)?;
                Ok(changes.into_iter().map(|(it, _)| Sighting::Change(it)).collect())
            }
            Session::KIND
                if self.runtime.shared().rights.read().governs(self.session(), session) =>
            {
                Ok(happenings(session, at, &entry.body)?
                    .into_iter()
                    .map(Sighting::AgentEvent)
                    .collect())
            }
            Rights::KIND if stream == RIGHTS => {
                Ok(self.told_of_rights(entry)?.into_iter().map(Sighting::Change).collect())
            }
            _ => Ok(Vec::new()),
        }
    }

    /// What an agent did after a cursor, the oldest first.
    pub async fn agent_log(
        &self,
        name: &str,
        after: Position,
        limit: usize,
    ) -> Result<Vec<AgentEvent>, Problem> {
        let session = self.agent_named(name)?;
        self.all_of(session.stream(), after, limit).await
    }

    async fn all_of(
        &self,
        stream: StreamId,
        mut after: Position,
        limit: usize,
    ) -> Result<Vec<AgentEvent>, Problem> {
        let mut found = Vec::new();
        while found.len() < limit {
            let (piece, upto) = self.happened(stream, after, limit - found.len()).await?;
            if upto == after {
                break;
            }
            after = upto;
            found.extend(piece);
        }
        Ok(found)
    }

    /// What happened in a stream after a cursor, and how far it was read: one bounded piece, which
    /// costs what is new and not what was before.
    pub async fn happened(
        &self,
        stream: StreamId,
        after: Position,
        limit: usize,
    ) -> Result<(Vec<AgentEvent>, Position), Problem> {
        if !self.runtime.store().goes_on(stream, after)? {
            return Ok((Vec::new(), after));
        }
        self.reading(move |caller| {
            let (store, config) = (caller.runtime.store(), &caller.runtime.shared().config);
            let from = store.seq_at(stream, after)?;
            let (mut found, mut cursor, mut bytes) = (Vec::new(), after, 0);
            for (looked, entry) in store.entries_after(stream, from).enumerate() {
                let full = looked >= config.follow_entries_max || bytes >= config.read_piece_bytes;
                if full || found.len() >= limit {
                    break;
                }
                let entry = entry?;
                (cursor, bytes) = (entry.position, bytes + entry.bytes());
                found.extend(match stream {
                    RIGHTS => caller.of_rights(&entry)?,
                    _ => happenings(SessionId(stream.0), entry.position, &entry.body)?,
                });
            }
            Ok((found, cursor))
        })
        .await
    }

    fn of_rights(&self, entry: &LogEntry) -> Result<Vec<AgentEvent>, Problem> {
        let Body { at, by, comment, .. } = &entry.body;
        let names = self.runtime.kinds().names(&entry.body)?.into_iter();
        let happening = |kind: &str| AgentEvent {
            position: entry.position,
            at: *at,
            agent: *by,
            kind: kind.to_owned(),
            text: comment.clone(),
            code: None,
        };
        Ok(names.map(happening).collect())
    }
}

fn invalid(error: CodecError) -> Problem {
    Problem::new(ProblemKind::Store, error)
}

fn happenings(
    agent: SessionId,
    position: Position,
    body: &Body,
) -> Result<Vec<AgentEvent>, Problem> {
    let events = incarnation::events::<Session>(body).map_err(invalid)?;
    let happening = |event: &Event| AgentEvent {
        position,
        at: body.at,
        agent,
        kind: Session::name(event).to_owned(),
        text: told(event),
        code: match event {
            Event::Thought { thought, .. } => thought.code.clone(),
            _ => None,
        },
    };
    Ok(events.iter().map(happening).collect())
}

fn told(event: &Event) -> String {
    match event {
        Event::Born(charter) => charter.task.clone(),
        Event::TurnBegan { turn, wakes, .. } => {
            let news: u64 = wakes.iter().map(|it| it.count).sum();
            let quoted: Vec<&str> =
                wakes.iter().flat_map(|it| &it.comments).map(String::as_str).take(3).collect();
            match news {
                0 => format!("turn {turn}"),
                _ => format!("turn {turn}, woken by {news}: {}", quoted.join("; ")),
            }
        }
        Event::Thought { thought, .. } => {
            let code = thought.code.as_deref().unwrap_or_default();
            [thought.text.as_str(), code].join("\n").trim().to_owned()
        }
        Event::Deferred { why, .. } | Event::WindowFull { why, .. } => why.clone(),
        Event::Briefed(briefing) => briefed(briefing),
        Event::Compacted(summary) => summary.text.clone(),
        Event::Noted(note) => called(note),
        Event::Observed(observation)
        | Event::Interrupted { action: Some(CancelledAction { observation, .. }), .. } => {
            observation.text.trim_end().to_owned()
        }
        Event::Interrupted { action: None, .. } => {
            "its request is cancelled, and the model is asked anew".to_owned()
        }
        Event::Steered { wake } => wake.comments.join("; "),
        Event::TurnEnded { outcome, .. } => match outcome {
            TurnOutcome::Done => String::new(),
            TurnOutcome::Exhausted(limit) => format!("cut at {limit}"),
        },
        Event::TurnFailed { why, .. } | Event::Quarantined { why, .. } => why.clone(),
        Event::Parked { hop, .. } => format!("after {hop} reactions in a row"),
        Event::Stopped { reason, .. } | Event::Wiped { reason, .. } => reason.clone(),
        Event::FollowSet { space, .. } => format!("space {space}"),
        Event::Unfollowed(space) => format!("space {space}"),
        Event::Wrote { letter, .. } => format!("{}: {}", letter.subject, letter.text),
        Event::Booked(booking) => booked(booking),
        Event::Exhausted { what, needs } => format!("budget: {}", spent_out(what, needs)),
        Event::Forgiven { failures } => format!("{failures} failures no longer count"),
        Event::Untold { why, .. } => why.clone(),
        Event::Spawning { spawn, .. } => spawn.charter.task.clone(),
        Event::Resumed { .. } | Event::Told(_) | Event::LetGo(_) | Event::Answered => String::new(),
    }
}

/// What a model was told besides, in a few words: `everything`, `2 instructions, 1 space`.
fn briefed(briefing: &Briefing) -> String {
    let parts = [
        (briefing.instructions.len(), "instruction", "instructions"),
        (briefing.withdrawn.len(), "instruction withdrawn", "instructions withdrawn"),
        (briefing.spaces.len(), "space", "spaces"),
        (briefing.lost.len(), "space lost", "spaces lost"),
        (briefing.tools.len(), "tool", "tools"),
        (briefing.tools_lost.len(), "tool lost", "tools lost"),
        (briefing.said.iter().map(|it| it.count as usize).sum(), "message", "messages"),
        (briefing.found.len(), "atom found", "atoms found"),
        (briefing.obligations.len(), "obligation", "obligations"),
    ];
    let told = parts.into_iter().filter(|it| it.0 > 0);
    let told: Vec<String> = told.map(|(n, one, more)| count(n as u64, one, more)).collect();
    told.join(", ")
}

/// Characters of an answer to a call that are told.
const CAME_CHARS: usize = 120;

/// A call by its name, and what came of it: `tasks.claim → 01J8… v2`.
fn called(note: &CallNote) -> String {
    let name = match note.called.as_str() {
        "" => format!("call {}", note.call),
        name => name.to_owned(),
    };
    let cut = |text: String| text.chars().take(CAME_CHARS).collect::<String>();
    let came = match &note.answer {
        None => return format!("{name} is about to be made"),
        Some(Recorded::Raised { class, message }) => cut(format!("{class}: {message}")),
        Some(Recorded::Atom { id, version }) => format!("{id} v{version}"),
        Some(Recorded::Atoms(atoms)) => count(atoms.len() as u64, "atom", "atoms"),
        Some(Recorded::Said(said)) => cut(came(said)),
    };
    format!("{name} → {came}")
}

fn came(said: &RecordedItem) -> String {
    let text = |it: &RecordedItem| match it {
        RecordedItem::Value(Value::Text(text)) => Some(text.clone()),
        RecordedItem::Value(value) => Some(value.to_string()),
        _ => None,
    };
    match said {
        RecordedItem::Value(Value::Null) => "None".to_owned(),
        RecordedItem::Value(value) => value.to_string(),
        RecordedItem::Bytes(bytes) => count(bytes.len() as u64, "byte", "bytes"),
        RecordedItem::Object(object) => {
            let field = |name: &str| object.fields.iter().find(|it| it.0 == name).map(|it| &it.1);
            match (field("id").and_then(text), field("version").and_then(text)) {
                (Some(id), Some(version)) => format!("{id} v{version}"),
                (Some(id), None) => format!("{} {id}", object.class),
                _ => object.class.clone(),
            }
        }
        RecordedItem::List(list) if list.is_empty() => "nothing".to_owned(),
        RecordedItem::List(list) => format!("a list of {}", list.len()),
        RecordedItem::Map(map) => {
            let keys: Vec<&str> = map.iter().map(|(key, _)| key.as_str()).collect();
            format!("a map of {}", keys.join(", "))
        }
    }
}

fn booked(booking: &LedgerEntry) -> String {
    match booking {
        LedgerEntry::Allotted(budget) | LedgerEntry::Funded { budget, .. } => budget.to_string(),
        LedgerEntry::Spent { thoughts, tokens, money, ms, call } => {
            let spent = Spent {
                thoughts: *thoughts,
                tokens: *tokens,
                money: *money,
                ms: *ms,
                ..Spent::default()
            };
            let unknown = call.as_ref().is_some_and(|it| !it.known);
            let how = if unknown { " (nobody knows what it took: this is the most)" } else { "" };
            format!("{}{how}", some_of(spent))
        }
        LedgerEntry::Reserved(reserved) => format!("up to {}", some_of(reserved.most)),
        LedgerEntry::Lent { loan, .. } => format!("{} to {}", loan.budget, loan.child),
        LedgerEntry::Settled(Settlement::Repaid { child, rest }) => format!("{rest} by {child}"),
        LedgerEntry::Settled(_) => String::new(),
    }
}

/// The units of which something was spent.
fn some_of(spent: Spent) -> Budget {
    let all = spent.budget();
    let mut some = Budget::default();
    for (unit, count) in all.units() {
        *some.place(unit) = count.filter(|it| *it > 0);
    }
    some
}
