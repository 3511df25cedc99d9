use super::*;
use crate::log::Cause;
use crate::session::{BilledCall, Event, LedgerEntry, Reserved, Spent, TokenUsage};

const ME: SessionId = SessionId([7; 16]);

/// What is told of entries, each with when it was decided.
fn told(entries: &[(u64, Vec<Event>)]) -> Vec<(String, u64, u64, Option<String>)> {
    let mut trace = AgentTrace::new(ME, "gardener".into(), "lab/any".into(), Vec::new());
    let each = |(at, events): &(u64, Vec<Event>)| {
        let id = EventId([*at as u8; 16]);
        trace.take(&TracedEntry { id, at: Millis(*at), events, set_off_by: None })
    };
    let spans: Vec<TraceSpan> = entries.iter().flat_map(each).collect();
    let of = |it: TraceSpan| (it.name, it.began.0, it.ended.0, it.error.map(|it| it.kind));
    spans.into_iter().map(of).collect()
}

fn began(at: u64) -> Event {
    let (wakes, cause) = (Vec::new(), Cause::default());
    Event::TurnBegan { turn: 1, wakes, cause, at: Millis(at) }
}

fn spent() -> Event {
    let (usage, known) = (TokenUsage { input: 9, ..TokenUsage::default() }, true);
    let call = Some(Box::new(BilledCall { usage, known, ..BilledCall::default() }));
    Event::Booked(LedgerEntry::spent(Spent::default(), call))
}

fn exhausted() -> Event {
    Event::Exhausted { what: "tokens".into(), needs: crate::session::Budget::default() }
}

fn span(name: &str, began: u64, ended: u64, error: &str) -> (String, u64, u64, Option<String>) {
    (name.to_owned(), began, ended, (!error.is_empty()).then(|| error.to_owned()))
}

#[test]
fn a_turn_that_has_not_enough_to_begin_with_is_over() {
    let all = told(&[(10, vec![began(10)]), (20, vec![exhausted()]), (90, vec![began(90)])]);
    assert_eq!(all, [span("invoke_agent gardener", 10, 20, "limit")]);
}

#[test]
fn a_request_that_is_cancelled_and_ends_the_turn_is_one() {
    let interrupted = Event::Interrupted { by: ME, at: Millis(30), action: None };
    let all = told(&[(10, vec![began(10)]), (30, vec![spent(), interrupted, exhausted()])]);
    let chat = span("chat any", 10, 30, "cancelled");
    assert_eq!(all, [chat, span("invoke_agent gardener", 10, 30, "limit")]);
}

#[test]
fn a_request_that_is_put_off_is_none() {
    let (kind, why) = (crate::session::PassingKind::Limited, "busy".to_owned());
    let deferred = Event::Deferred { kind, why, at: Millis(20), until: Millis(500) };
    let interrupted = Event::Interrupted { by: ME, at: Millis(30), action: None };
    let all = told(&[(10, vec![began(10)]), (20, vec![deferred]), (30, vec![interrupted])]);
    assert_eq!(all, [span("chat any", 10, 20, "rate_limited")]);
}

#[test]
fn a_request_that_a_crash_has_cut_off_is_told() {
    let reserved = Reserved { most: Spent::default(), since: Millis(40) };
    let reserved = Event::Booked(LedgerEntry::Reserved(reserved));
    let all = told(&[
        (10, vec![began(10)]),
        (11, vec![reserved.clone()]),
        (40, vec![spent(), reserved]),
        (70, vec![exhausted()]),
    ]);
    let lost = span("chat any", 10, 40, "lost");
    assert_eq!(all, [lost, span("invoke_agent gardener", 10, 70, "limit")]);
}

#[test]
fn every_id_is_one_and_none_is_nothing() {
    let turns = (1..200).map(|turn| SpanId::turn(ME, turn));
    let actions = (1..200).map(|step| SpanId::action(ME, 1, step));
    let all: std::collections::BTreeSet<SpanId> = turns.chain(actions).collect();
    assert_eq!(all.len(), 398);
    assert!(all.iter().all(|it| it.0 != [0; 8]));
}
