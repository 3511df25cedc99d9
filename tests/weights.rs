//! What a message weighs is what it takes in memory, nearly: the allocator is the oracle.
//!
//! Every case of every message of the package is drawn many times, each of its fields now small, now
//! large by itself, so that a field that is not weighed is one day all there is.

#![expect(unsafe_code, reason = "an allocator that counts is an allocator")]
#![expect(clippy::expect_used, reason = "a law says what it takes for given")]

mod weights {
    pub(crate) mod draw;
    pub(crate) mod rights;
    pub(crate) mod sessions;
    pub(crate) mod spaces;
}

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::collections::BTreeSet;
use stoa_actors::behaviour::Behaviour;
use stoa_actors::mutant;
use stoa_actors::rights::Rights;
use stoa_actors::session::Session;
use stoa_actors::space::Space;
use weights::draw::Draw;

struct Counting;

thread_local! {
    static LIVE: Cell<isize> = const { Cell::new(0) };
}

fn count(bytes: isize) {
    // A thread that ends frees what it has after its counter is gone.
    let _ = LIVE.try_with(|live| live.set(live.get() + bytes));
}

// SAFETY: every call is the system's allocator's own; only sizes are noted beside it.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        count(-(layout.size() as isize));
        // SAFETY: the caller's promise is passed on.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static HEAP: Counting = Counting;

/// What a weight may differ by from what is taken, either way.
const FACTOR: usize = 4;
/// Room is given out by the kibibyte, so less does not matter.
const SLACK: usize = 1 << 10;

/// Messages of one kind: `draw` makes one of case `n`, and `case` says which case one is.
fn hold<B: Behaviour>(
    cases: usize,
    draw: fn(usize, &mut Draw) -> B::Message,
    case: fn(&B::Message) -> usize,
) -> Result<(), String> {
    let mut seen = BTreeSet::new();
    for seed in 0..200 {
        for n in 0..cases {
            let mut dice = Draw::new(seed * 1_000 + n as u64);
            let before = LIVE.get();
            let message = draw(n, &mut dice);
            let taken = (LIVE.get() - before) as usize + size_of::<B::Message>();
            seen.insert(case(&message));
            let weight = B::weight(&message);
            let fits = taken <= FACTOR * weight + SLACK && weight <= FACTOR * taken + SLACK;
            if !fits {
                let kind = B::KIND;
                return Err(format!("{kind} {n}, seed {seed}: takes {taken}, weighs {weight}"));
            }
        }
    }
    let all: BTreeSet<usize> = (0..cases).collect();
    if seen == all { Ok(()) } else { Err(format!("of {} only {seen:?} were drawn", B::KIND)) }
}

fn spaces() -> Result<(), String> {
    hold::<Space>(weights::spaces::CASES, weights::spaces::message, weights::spaces::case)
}

fn sessions() -> Result<(), String> {
    hold::<Session>(weights::sessions::CASES, weights::sessions::message, weights::sessions::case)
}

fn rights() -> Result<(), String> {
    hold::<Rights>(weights::rights::CASES, weights::rights::message, weights::rights::case)
}

#[test]
fn a_message_to_a_space_weighs_what_it_takes() {
    spaces().expect("the weights are right");
}

#[test]
fn a_message_to_a_session_weighs_what_it_takes() {
    sessions().expect("the weights are right");
}

#[test]
fn a_message_to_the_rights_weighs_what_it_takes() {
    rights().expect("the weights are right");
}

#[test]
fn a_weight_that_forgets_something_is_caught() {
    let planted = [
        "space.weighs_no_vectors",
        "weight.forgets_an_element",
        "weight.skips_what_a_case_holds",
        "weight.takes_bytes_for_nothing",
    ];
    for bug in planted {
        let caught = mutant::with(bug, || [spaces(), sessions(), rights()]);
        assert!(caught.iter().any(Result::is_err), "{bug} is let through");
    }
}
