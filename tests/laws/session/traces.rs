//! - *traces*: what is told of a stream as spans is what happened in it, each thing once: held against a
//!   list of the entries, looked through for each thing from its beginning on. Whoever begins later is
//!   told the same, and nothing that anybody has written is in a name or an attribute.

use std::collections::{BTreeMap, BTreeSet};
use stoa_actors::id::{EventId, Millis};
use stoa_actors::incarnation;
use stoa_actors::log::Body;
use stoa_actors::session::{
    CallNote, Event, GeneratedCall, Generation, LedgerEntry, Session, Thought, TokenUsage,
    TurnOutcome,
};
use stoa_actors::trace::{AgentTrace, Attribute, SpanId, TraceId, TraceSpan, TracedEntry};

/// What nobody is to read that has not asked for it.
const SECRET: &str = "sesame";

struct Entry {
    id: EventId,
    at: Millis,
    events: Vec<Event>,
}

/// What a span comes down to: what it is, in which turn, and from when to when.
type Told = (String, u64, u64, u64, bool);

/// Holds what is told of a stream against it.
pub(super) fn hold(bodies: impl Iterator<Item = Body>) -> Result<(), String> {
    let (mut entries, mut said) = (Vec::new(), 0);
    for body in bodies {
        let events = incarnation::events::<Session>(&body).map_err(|it| it.to_string())?;
        let events = events.into_iter().map(|event| spoken(event, &mut said)).collect();
        entries.push(Entry { id: body.id, at: body.at, events });
    }
    let spans = all(&entries, 0);
    let told: Vec<Told> = spans.iter().map(told).collect();
    let mut wanted = expected(&entries);
    let mut sorted = told.clone();
    wanted.sort();
    sorted.sort();
    if sorted != wanted {
        let odd = sorted.iter().filter(|it| !wanted.contains(it)).collect::<Vec<_>>();
        let lost = wanted.iter().filter(|it| !sorted.contains(it)).collect::<Vec<_>>();
        return Err(format!("traces: told {odd:?}, and not {lost:?}"));
    }
    nested(&spans)?;
    secret(&spans)?;
    for begin in 1..entries.len() {
        let begins = |it: &Event| matches!(it, Event::TurnBegan { .. });
        let later = all(&entries, begin);
        if entries[begin].events.iter().any(begins) && !spans.ends_with(&later) {
            return Err(format!("traces: from entry {begin} on something else is told"));
        }
    }
    Ok(())
}

/// Something that a provider has made, and what nobody is to read, in whatever has words.
fn spoken(event: Event, said: &mut u64) -> Event {
    match event {
        Event::Thought { thought, at } => {
            *said += 1;
            let usage = TokenUsage { input: *said, output: 1, ..TokenUsage::default() };
            let calls = vec![GeneratedCall { id: "call".to_owned(), ..GeneratedCall::default() }];
            let made = Generation {
                model: "lab/any".to_owned(),
                usage,
                calls,
                took_ms: *said % 40,
                ..Generation::default()
            };
            let words = |it: String| format!("{it}{SECRET}");
            let thought = Thought {
                text: words(thought.text),
                code: thought.code.map(words),
                unusable: thought.unusable.map(words),
                generation: (!said.is_multiple_of(3)).then(|| Box::new(made)),
                ..thought
            };
            Event::Thought { thought, at }
        }
        Event::Noted(note) => Event::Noted(CallNote { called: "garden.put".to_owned(), ..note }),
        Event::Observed(mut observation) => {
            observation.text.push_str(SECRET);
            observation.failed = (!said.is_multiple_of(2)).then(|| SECRET.to_owned());
            Event::Observed(observation)
        }
        Event::TurnFailed { at, retry_at, .. } => {
            Event::TurnFailed { why: SECRET.to_owned(), at, retry_at }
        }
        other => other,
    }
}

fn all(entries: &[Entry], from: usize) -> Vec<TraceSpan> {
    let memory = vec!["notes".to_owned()];
    let mut trace = AgentTrace::new(super::ME, "gardener".into(), "lab/any".into(), memory);
    let each = |it: &Entry| {
        trace.take(&TracedEntry { id: it.id, at: it.at, events: &it.events, set_off_by: None })
    };
    entries[from..].iter().flat_map(each).collect()
}

fn told(span: &TraceSpan) -> Told {
    let number = |name: &str| {
        let value = span.attributes.iter().find(|it| it.0 == name).map(|it| &it.1);
        if let Some(Attribute::Number(number)) = value { *number } else { 0 }
    };
    let turn = number("stoa.turn");
    (span.name.clone(), turn, span.began.0, span.ended.0, span.error.is_some())
}

/// The same from the entries: for each thing that began, the first that ended it.
fn expected(entries: &[Entry]) -> Vec<Told> {
    let flat: Vec<(usize, u64, &Event)> = entries
        .iter()
        .enumerate()
        .flat_map(|(n, it)| it.events.iter().map(move |event| (n, it.at.0, event)))
        .collect();
    let mut wanted = Vec::new();
    for (at, (_, began, event)) in flat.iter().enumerate() {
        let Event::TurnBegan { turn, .. } = event else { continue };
        let over = flat[at..].iter().position(|(_, _, it)| ends_turn(it).is_some());
        let Some(over) = over.map(|it| it + at) else { continue };
        let (_, ended, end) = flat[over];
        let well = ends_turn(end) == Some(true);
        wanted.push(("invoke_agent gardener".to_owned(), *turn, *began, ended, !well));
        of_turn(*turn, entries, &flat[at..=over], &mut wanted);
    }
    wanted
}

/// Whether it ends a turn, and if so whether that ends well.
fn ends_turn(event: &Event) -> Option<bool> {
    match event {
        Event::TurnEnded { outcome, .. } => Some(*outcome == TurnOutcome::Done),
        Event::TurnFailed { .. }
        | Event::Quarantined { .. }
        | Event::Exhausted { .. }
        | Event::Stopped { .. }
        | Event::Wiped { .. } => Some(false),
        _ => None,
    }
}

fn of_turn(turn: u64, entries: &[Entry], of: &[(usize, u64, &Event)], wanted: &mut Vec<Told>) {
    let mut asked = of[0].1;
    let chat = |began: u64, ended: u64, bad: bool| {
        ("chat any".to_owned(), turn, began.min(ended), ended, bad)
    };
    let runs = |at: usize| {
        // The last thing that has begun or ended an action.
        let edge = of[..at].iter().rev().find_map(|(_, _, it)| match it {
            Event::Thought { thought, .. } => Some(thought.code.is_some()),
            Event::Observed(_) | Event::Interrupted { action: Some(_), .. } => Some(false),
            _ => None,
        });
        edge == Some(true)
    };
    for (at, (n, now, event)) in of.iter().enumerate() {
        let spent = entries[*n].events.iter().find_map(|it| match it {
            Event::Booked(LedgerEntry::Spent { call, .. }) => Some(call.is_some()),
            _ => None,
        });
        let told = |it: &Event| {
            matches!(it, Event::Thought { .. } | Event::Interrupted { action: None, .. })
        };
        let said = entries[*n].events.iter().any(told);
        match event {
            Event::Thought { thought, .. } => {
                if let Some(made) = &thought.generation {
                    let began = asked.max(now.saturating_sub(made.took_ms));
                    wanted.push(chat(began, *now, thought.unusable.is_some()));
                }
                if thought.code.is_some() {
                    let ends = |it: &Event| {
                        let over = matches!(it, Event::Observed(_) | Event::Interrupted { .. });
                        over || ends_turn(it).is_some()
                    };
                    let end = of[at..].iter().find(|it| ends(it.2));
                    let bad = end.is_some_and(|it| match it.2 {
                        Event::Observed(observation) => observation.failed.is_some(),
                        _ => true,
                    });
                    let ended = end.map_or(*now, |it| it.1);
                    wanted.push(("execute_tool python".to_owned(), turn, *now, ended, bad));
                }
            }
            Event::Noted(note) if note.answer.is_some() && runs(at) => {
                // Since the thought.
                let since = of[..at].iter().rposition(|it| matches!(it.2, Event::Thought { .. }));
                let intent = of[since.unwrap_or(0)..at].iter().find(|it| {
                    matches!(it.2, Event::Noted(it) if it.call == note.call && it.answer.is_none())
                });
                let began = intent.map_or(*now, |it| it.1);
                wanted.push(("execute_tool garden.put".to_owned(), turn, began, *now, false));
            }
            Event::Deferred { until, .. } => {
                wanted.push(chat(asked, *now, true));
                asked = until.0.max(*now);
            }
            Event::WindowFull { .. } => {
                wanted.extend(spent.map(|_| chat(asked, *now, true)));
                asked = *now;
            }
            Event::Compacted(summary) if summary.by_model => {
                wanted.push(chat(asked, *now, false));
                asked = *now;
            }
            Event::Interrupted { action: None, .. } => {
                // Unless it was to be asked later.
                wanted.extend((asked <= *now).then(|| chat(asked, *now, true)));
                asked = *now;
            }
            Event::Observed(_) | Event::Interrupted { .. } => asked = *now,
            it if ends_turn(it) == Some(false) && !runs(at) && !said => {
                let failed = matches!(it, Event::TurnFailed { .. } | Event::Quarantined { .. });
                if spent == Some(true) || failed && spent.is_some() {
                    wanted.push(chat(asked, *now, true));
                }
            }
            _ => {}
        }
    }
}

/// Each has a name of its own, stands within what it names, and a turn took what its requests took.
fn nested(spans: &[TraceSpan]) -> Result<(), String> {
    let known: BTreeMap<SpanId, &TraceSpan> = spans.iter().map(|it| (it.id, it)).collect();
    if known.len() != spans.len() {
        return Err("traces: two spans have one id".to_owned());
    }
    let mut sent: BTreeMap<SpanId, u64> = BTreeMap::new();
    let mut traces: BTreeSet<(TraceId, u64)> = BTreeSet::new();
    for span in spans {
        if span.began > span.ended {
            return Err(format!("traces: {} takes less than nothing", span.name));
        }
        let input = span.attributes.iter().find(|it| it.0 == "gen_ai.usage.input_tokens");
        let input = match input {
            Some((_, Attribute::Number(input))) => *input,
            _ => 0,
        };
        traces.insert((span.trace, told(span).1));
        match span.parent {
            None if sent.remove(&span.id).unwrap_or(0) != input => {
                return Err(format!("traces: {} has not the sum of its requests", span.name));
            }
            None => {}
            Some(parent) => {
                *sent.entry(parent).or_default() += input;
                let Some(above) = known.get(&parent) else {
                    return Err(format!("traces: {} stands below nothing", span.name));
                };
                if above.trace != span.trace || above.began > span.began || above.ended < span.ended
                {
                    return Err(format!("traces: {} is not within {}", span.name, above.name));
                }
            }
        }
    }
    let turns: BTreeSet<u64> = traces.iter().map(|it| it.1).collect();
    match turns.len() == traces.len() {
        true => Ok(()),
        false => Err("traces: a turn is in two traces".to_owned()),
    }
}

/// Nothing that anybody has written is where it was not asked for.
fn secret(spans: &[TraceSpan]) -> Result<(), String> {
    for span in spans {
        let kind = span.error.as_ref().map(|it| it.kind.clone());
        let plain = format!("{} {:?} {kind:?}", span.name, span.attributes);
        if plain.contains(SECRET) {
            return Err(format!("traces: it is told what was written: {plain}"));
        }
    }
    Ok(())
}
