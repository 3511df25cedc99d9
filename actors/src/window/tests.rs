use super::*;
use crate::briefing::{
    AtomVersion, Briefing, Obligation, Sight, SpaceBrief, Summary, Surroundings,
};
use crate::id::{AtomId, Millis, Position, SessionId, SpaceId};
use crate::log::Cause;
use crate::rights::Level;
use crate::session::{Budget, Event, Observation, thought};
use crate::space::Wake;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

const GARDEN: SpaceId = SpaceId([2; 16]);
const BRIEF: AtomVersion = AtomVersion { id: AtomId([1; 16]), version: 1 };
const DONE: AtomVersion = AtomVersion { id: AtomId([1; 16]), version: 2 };

fn garden() -> SpaceBrief {
    let description = Some("One atom for each plant.".to_owned());
    SpaceBrief { alias: "garden".to_owned(), level: Level::Write, description }
}

fn surroundings() -> Surroundings {
    Surroundings {
        instructions: vec![BRIEF],
        spaces: BTreeMap::from([(GARDEN, garden())]),
        more_spaces: true,
        unlisted: BTreeSet::new(),
        tools: BTreeMap::from([("weather".to_owned(), "weather(place)".to_owned())]),
    }
}

fn context() -> Context {
    let texts = [(BRIEF, "Be brief.\n"), (DONE, "Say when you are done.")];
    Context {
        session: SessionId([7; 16]),
        agent: "gardener".to_owned(),
        turn: 1,
        step: 1,
        task: " Water the plants.\n".to_owned(),
        instructions: vec!["Be brief.\n".to_owned()],
        reference: "space.get(id)\n".into(),
        tools: vec!["weather(place)".to_owned()],
        spaces: Vec::new(),
        more_spaces: true,
        wakes: Vec::new(),
        past: Arc::default(),
        front: Arc::new(Briefing::front(&surroundings())),
        briefing: Arc::default(),
        texts: texts.into_iter().map(|(of, text)| (of, text.into())).collect(),
        style: CodeStyle::Fence,
        window_bytes: Some(64 << 10),
        sums_up: None,
        left: Budget::default(),
    }
}

/// What happened in turns of one step each.
fn happened(turns: std::ops::RangeInclusive<u64>, observed: &str) -> Vec<Event> {
    let turn = |turn: u64| {
        let comments = vec![format!("watered {turn}")];
        let (first, last) = (Position(3), Position(5));
        let wake = Wake { space: GARDEN, first, last, count: 2, comments, hop: 0 };
        let wakes = if turn == 1 { Vec::new() } else { vec![wake] };
        let observation = Observation { text: observed.to_owned(), failed: None };
        let (cause, at) = (Cause::default(), Millis(0));
        [
            Event::TurnBegan { turn, wakes, cause, at },
            Event::Thought { thought: thought("I look.\n```python\n1\n```"), at },
            Event::Observed(observation),
            Event::Thought { thought: thought(&format!("Turn {turn} is done.")), at },
        ]
    };
    turns.flat_map(turn).collect()
}

fn after(events: &[Event]) -> Context {
    let mut past = Transcript::default();
    events.iter().for_each(|it| past.take(it));
    Context { past: Arc::new(past), ..context() }
}

fn told(text: &str) -> WindowMessage {
    WindowMessage::Told(text.to_owned())
}

#[test]
fn a_model_is_told_what_it_may_know() {
    let told_of = window(&context());
    let system = told_of.system.join("\n\n");
    for part in [
        "```python",
        "space.get(id)",
        "# Your tools\nweather(place)",
        "# Your task\nWater the plants.\n",
        "# Your instructions\nBe brief.",
        "## garden (write)\nOne atom for each plant.",
        "coordinator.space(NAME)",
    ] {
        assert!(system.contains(part), "{part} in {system}");
    }
    let begun = window(&after(&happened(1..=1, "1")[..1]));
    assert_eq!(begun.messages, [told("Turn 1. Begin with your task.")]);
    let calls = Context { style: CodeStyle::Tool, ..context() };
    assert!(window(&calls).system[0].contains("Call the tool `python`"));
}

#[test]
fn what_happens_is_added_behind_what_stands() {
    let events = happened(1..=3, "seen");
    let mut before = window(&after(&[]));
    for upto in 1..=events.len() {
        let next = window(&after(&events[..upto]));
        assert_eq!(next.system, before.system);
        assert_eq!(next.messages[..before.messages.len()], before.messages[..]);
        before = next;
    }
    assert_eq!(before.messages.len(), 12);
    assert_eq!(before.messages[4], told("Turn 2.\nNew in garden: 2\n- watered 2"));
}

#[test]
fn what_changes_is_told_behind_it_and_stands_there_from_then_on() {
    let mut now = surroundings();
    let mut known = Sight::default();
    known.take(&Briefing::front(&now));
    now.instructions = vec![DONE];
    now.spaces.get_mut(&GARDEN).unwrap().level = Level::Read;
    now.spaces.insert(SpaceId([3; 16]), SpaceBrief { alias: "shed".into(), ..garden() });
    now.tools.clear();
    let briefing = Arc::new(known.until(&now));
    let events = happened(1..=2, "seen");
    let old = after(&events);
    let new = Context { briefing: briefing.clone(), ..old.clone() };
    let (stood, stands) = (window(&old), window(&new));
    assert_eq!(stands.system, stood.system);
    let (last, rest) = stands.messages.split_last().unwrap();
    assert_eq!(rest, stood.messages);
    let text = "This instruction holds from now on, in the place of what it said before:\nSay when you are done.\n\n\
        You have this space: garden (read)\n\n\
        You have this space: shed (write)\nOne atom for each plant.\n\n\
        You may not use this tool any more: weather";
    assert_eq!(*last, told(text));
    // Once it is said it is the log's, at the same place.
    let mut said = events;
    said.extend([Event::Briefed(briefing), happened(3..=3, "")[1].clone()]);
    let later = window(&after(&said));
    assert_eq!(later.messages[..stands.messages.len()], stands.messages[..]);
}

#[test]
fn what_is_erased_is_told_as_erased() {
    let erased = Context { texts: BTreeMap::new(), ..context() };
    let system = window(&erased).system.join("\n");
    assert!(system.contains("# Your instructions\n(erased)"), "{system}");
}

#[test]
fn a_summary_takes_the_place_of_what_came_before_it() {
    let mut events = happened(1..=9, "seen");
    let summary = Summary { text: "It was dry.".into(), since: (8, 1), by_model: true };
    events.extend(happened(10..=10, "")[..1].to_vec());
    events.push(Event::Compacted(summary));
    let mut front = Briefing::front(&surroundings());
    front.obligations = vec![Obligation::Promised { space: GARDEN, atom: DONE }];
    let of = Context { front: Arc::new(front.clone()), ..after(&events) };
    assert!(of.past.front().is_none(), "everything is to be told again");
    let anew = window(&of);
    let text = "What came before, summed up in your own words:\nIt was dry.\n\n\
        What you owe and are owed, by the log:\n- promised, in garden, 01010101010101010101010101 v2: \
        Say when you are done.";
    let WindowMessage::Told(first) = &anew.messages[0] else { panic!("{anew:?}") };
    assert_eq!(first.replace(&DONE.id.to_string(), "01010101010101010101010101"), text);
    assert_eq!(anew.messages[1], told("Turn 8.\nNew in garden: 2\n- watered 8"));
    assert_eq!(anew.messages.last(), Some(&told("Turn 10.\nNew in garden: 2\n- watered 10")));
    assert_eq!(anew.messages.len(), 1 + 2 * 4 + 1);
    events.extend([Event::Briefed(Arc::new(front)), happened(10..=10, "")[1].clone()]);
    let later = window(&Context { front: of.front.clone(), ..after(&events) });
    assert_eq!(later.messages[..anew.messages.len()], anew.messages[..]);
}

#[test]
fn a_part_that_is_kept_is_whole_steps_and_no_longer_than_it_may_be() {
    let events = happened(1..=6, &"x".repeat(100));
    let past = after(&events).past;
    assert_eq!(past.since(0, usize::MAX, (7, 1)), (7, 1), "nothing");
    assert_eq!(past.since(usize::MAX, usize::MAX, (7, 1)), (1, 1), "everything");
    let mut last = (7, 1);
    for bytes in 0..1_000 {
        let since = past.since(bytes, usize::MAX, (7, 1));
        assert!(since <= last, "{since:?} of {bytes} bytes");
        last = since;
        let mut kept = (*past).clone();
        let before = kept.bytes();
        kept.take(&Event::Compacted(Summary { since, ..Summary::default() }));
        assert!(kept.bytes() <= bytes.min(before), "{} of {bytes}", kept.bytes());
        assert_eq!(
            kept.since(usize::MAX, usize::MAX, (7, 1)),
            since,
            "the same place is found again"
        );
        let began = matches!(kept.items().first(), Some(TranscriptItem::Began { .. }));
        let said = matches!(kept.items().first(), Some(TranscriptItem::Said(_)));
        assert!(began || said || kept.items().is_empty(), "{:?}", kept.items().first());
    }
}

#[test]
fn of_a_long_observation_its_beginning_and_its_end_are_told() {
    let long = format!("first{}last", "ä".repeat(60_000));
    let of = after(&happened(1..=1, &long));
    let window = window(&of);
    let WindowMessage::Observed(seen) = &window.messages[2] else { panic!("{window:?}") };
    assert!(seen.text.len() < 17 << 10, "{}", seen.text.len());
    assert!(seen.text.starts_with("first") && seen.text.ends_with("last"));
    assert!(seen.text.contains(" bytes are left out"));
}

#[test]
fn what_no_model_sums_up_is_summed_up_by_what_was_said() {
    let past = after(&happened(1..=40, "seen")).past;
    let text = past.digest(1_000);
    assert!(text.len() <= 1_000 && text.ends_with("Turn 40 is done."), "{text}");
    assert!(text.contains("- Turn 40. watered 40 You: I look. You: Turn 40 is done."), "{text}");
    assert!(!text.contains("Turn 2 is done."), "the latest have the room: {text}");
    assert_eq!(past.digest(0), "");
}

/// What stays is not summed up, so that a summary is asked for in a window that is full.
#[test]
fn a_summary_is_asked_for_of_what_it_takes_the_place_of() {
    let full = after(&happened(1..=9, "seen"));
    let asked = window(&Context { sums_up: Some((8, 1)), ..full.clone() });
    let all = window(&full);
    let (last, before) = asked.messages.split_last().unwrap();
    assert_eq!(asked.system, all.system);
    assert_eq!(before, &all.messages[..7 * 4]);
    assert!(matches!(last, WindowMessage::Told(text) if text.contains("nearly full")), "{last:?}");
    assert_eq!(all.messages[7 * 4], told("Turn 8.\nNew in garden: 2\n- watered 8"));
}

#[test]
fn what_woke_it_and_what_it_owes_take_no_more_than_their_part() {
    let comments = (0..200).map(|n| format!("{n}: {}", "long ".repeat(500))).collect();
    let (first, last) = (Position(3), Position(5));
    let wake = Wake { space: GARDEN, first, last, count: 200, comments, hop: 0 };
    let (cause, at) = (Cause::default(), Millis(0));
    let began = [Event::TurnBegan { turn: 2, wakes: vec![wake], cause, at }];
    let mut front = Briefing::front(&surroundings());
    front.obligations = (0..500)
        .map(|n| Obligation::Leased {
            space: GARDEN,
            resource: format!("{n} {}", "can ".repeat(100)),
            atom: None,
            until: Millis(0),
            intent: "to water ".repeat(100),
        })
        .collect();
    let of = Context { front: Arc::new(front), ..after(&began) };
    let told = window(&of);
    let [WindowMessage::Told(owed), WindowMessage::Told(woken)] = &told.messages[..] else {
        panic!("{told:?}")
    };
    assert!((8 << 10..17 << 10).contains(&owed.len()), "{}", owed.len());
    assert!(owed.contains(" more, which there is no room for"), "{owed}");
    assert!((4 << 10..9 << 10).contains(&woken.len()) && woken.ends_with("- …"), "{}", woken.len());
}
