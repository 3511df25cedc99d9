//! Every planted bug is caught: a law that lets one through proves nothing. `actors/src/mutant.rs`
//! tells how they are planted.

#![expect(clippy::expect_used, reason = "a law says what it takes for given")]

mod laws {
    pub(crate) mod budget;
    pub(crate) mod carry;
    pub(crate) mod cases;
    pub(crate) mod circles;
    pub(crate) mod claim;
    pub(crate) mod clock;
    pub(crate) mod commits;
    pub(crate) mod cursor;
    pub(crate) mod erase;
    pub(crate) mod rights;
    pub(crate) mod rights_in_memory;
    pub(crate) mod search;
    pub(crate) mod session;
    pub(crate) mod simulated;
    pub(crate) mod space;
    pub(crate) mod standing;
    pub(crate) mod subscribers;
    pub(crate) mod supervision;
    pub(crate) mod terms;
    pub(crate) mod whole;
    pub(crate) mod world;
}

use laws::rights_in_memory::InMemory;
use laws::simulated::Simulated;
use laws::space::schedule::Writes;
use proptest::test_runner::Config;
use stoa_actors::mutant;

/// Few cases, none of them cut down, none of them kept.
fn quick(cases: u32) -> Config {
    Config { cases, max_shrink_iters: 0, failure_persistence: None, ..Config::default() }
}

fn rights() -> Result<(), String> {
    laws::rights::hold(quick(64), 41, 60, InMemory::default)
}

fn spaces() -> Result<(), String> {
    laws::space::hold(quick(128), 41, 60, Writes::Hold, Simulated::new)
}

fn cursor() -> Result<(), String> {
    laws::cursor::hold(quick(128), 41, 80, Simulated::new)
}

fn terms() -> Result<(), String> {
    laws::terms::hold(quick(128), 41)
}

fn subscribers() -> Result<(), String> {
    laws::subscribers::hold(quick(128), 41)
}

fn stop() -> Result<(), String> {
    laws::space::hold(quick(128), 41, 60, Writes::Fail, Simulated::new)
}

fn clock() -> Result<(), String> {
    laws::clock::hold(quick(256), 41, 30)
}

fn search() -> Result<(), String> {
    laws::search::hold(quick(1_024), 41, 40)
}

fn claims() -> Result<(), String> {
    let world = || Simulated::with(laws::claim::model::level);
    laws::claim::hold(quick(1_024), 41, 80, world)
}

fn circles() -> Result<(), String> {
    laws::circles::hold(quick(512), 41, 60)
}

fn standing() -> Result<(), String> {
    laws::standing::hold(quick(1_024), 41, 100)
}

fn carrying() -> Result<(), String> {
    laws::carry::hold(quick(128), 41, 20)
}

fn erasing() -> Result<(), String> {
    laws::erase::hold(quick(256), 41, 40)
}

fn sessions() -> Result<(), String> {
    laws::session::hold(quick(2_048), 41, 120)
}

fn commits() -> Result<(), String> {
    laws::commits::hold(quick(512), 41, 60)
}

fn budgets() -> Result<(), String> {
    laws::budget::hold(quick(256), 43, 120)?;
    laws::budget::trees::hold(7, 300, 80)
}

fn supervision() -> Result<(), String> {
    laws::supervision::hold(quick(96), 41, 80)
}

fn whole() -> Result<(), String> {
    laws::whole::hold(41, 200)
}

const SEARCH: &[&str] = &[
    "order.goes_up_only",
    "search.all_is_any",
    "search.any_is_all",
    "search.at_most_is_below",
    "search.compares_embedders",
    "search.deprecated_stays",
    "search.facets_stay",
    "search.forbidden_source_decides",
    "search.length_stays",
    "search.limit_before_conditions",
    "search.links_stay",
    "search.near_forgets_words",
    "search.near_is_always_sure",
    "search.newest_is_oldest",
    "search.one_is_not_one_point_zero",
    "search.other_is_any",
    "search.page_begins_anew",
    "search.postings_stay",
    "search.range_is_a_map",
    "search.range_rounds",
    "search.sealed_vector_stays",
    "search.unreadable_target_holds",
    "search.vector_stays",
];

const SPACES: &[&str] = &[
    "idempotency.ignores_payload",
    "idempotency.not_recorded",
    "overlay.forgets_too_soon",
    "space.append_updates",
    "space.ignores_expected_version",
    "space.keeps_dropped_references",
    "space.read_is_enough",
    "space.reinstates_what_is_in_use",
    "space.refers_to_the_forbidden",
    "space.skips_a_version",
    "space.updates_the_deprecated",
];

const CLAIMS: &[&str] = &[
    "claim.attempts_are_not_counted",
    "claim.the_used_up_come_back",
    "claim.tries_once_more",
    "claim.takes_the_leased",
    "claim.trusts_the_candidates",
    "claim.waits_for_ever",
    "lease.any_token_will_do",
    "lease.anybodys_token_will_do",
    "lease.claim_stays",
    "lease.lets_go_of_later",
    "lease.lets_go_of_others",
    "lease.never_ends",
    "lease.stale_writes",
    "lease.taken_twice",
    "lease.token_stays",
    "lease.undoes_the_work",
    "lease.writes_through",
    "search.range_is_a_map",
    "space.expects_nothing",
    "transaction.skips_the_refused",
];

const CIRCLES: &[&str] = &[
    "acyclic.follows_other_spaces",
    "acyclic.imports_go_unseen",
    "acyclic.looks_one_step_ahead",
    "waits.forgets_who_is_out_of_use",
];

const STANDING: &[&str] = &[
    "claim.as_it_was_written",
    "claim.changes_are_not_filed",
    "claim.ranges_begin_too_late",
    "claim.sets_stand_still",
    "claim.the_released_stay_taken",
    "claim.waits_for_ever",
    "claim.what_went_is_nowhere",
    "declare.keys_are_not_looked_at",
    "declare.relations_are_not_looked_at",
    "order.goes_up_only",
    "order.what_moved_stays",
    "search.any_is_all",
];

const SUBSCRIBERS: &[&str] = &[
    "cursor.anybody_ends_it",
    "cursor.is_found_for_ever",
    "cursor.one_takes_every_place",
    "cursor.outlives_its_right",
];

const TERMS: &[&str] = &["cursor.any_target_will_do", "cursor.never_over", "cursor.waits_for_ever"];
const CARRYING: &[&str] = &[
    "import.builds_on_what_lost",
    "import.passes_over_what_differs",
    "import.takes_what_is_elsewhere",
    "import.tells_of_the_hidden",
    "import.writes_in_anothers_name",
];

const ERASING: &[&str] = &[
    "erase.anybody_may",
    "erase.leaves_it_in_use",
    "import.brings_back_the_erased",
    "redaction.keeps_metadata",
];

const CLOCK: &[&str] = &["clock.follows_any_entry", "clock.follows_the_wall"];

const COMMITS: &[&str] =
    &["commit.any_seq", "commit.applies_twice", "commit.jumps", "commit.never_seals"];

const CURSOR: &[&str] = &[
    "cursor.advance_is_forgotten",
    "cursor.advances_too_far",
    "cursor.an_edit_begins_anew",
    "cursor.looks_again",
    "cursor.marker_counts_own",
    "cursor.marker_counts_the_quoted",
];

const SESSIONS: &[&str] = &[
    "session.answers_begin_anew",
    "session.answers_itself",
    "session.cursor_stands",
    "session.failures_pile_up",
    "session.fails_for_ever",
    "session.follow_skips",
    "session.forgets_answers",
    "session.forgets_letters",
    "session.forgets_what_woke_it",
    "session.forgets_what_was_said",
    "session.hears_as_it_was",
    "session.hears_the_interrupted",
    "session.joins_what_is_being_told",
    "session.is_put_off_twice",
    "session.letters_share_a_name",
    "session.looks_as_it_was",
    "session.no_park",
    "session.no_rest",
    "session.retries_for_another",
    "session.sees_too_soon",
    "session.sees_what_it_was_not_told",
    "session.notes_unbounded",
    "session.steps_unbounded",
    "session.takes_the_stale",
    "session.tries_anew",
    "session.tries_for_ever",
    "session.tries_for_nothing",
    "session.waits_as_it_likes",
    "session.waits_at_its_own_cost",
    "session.waits_the_same",
    "session.wakes_the_stopped",
    "session.wakes_twice",
    "trace.loses_what_is_cut_off",
    "trace.one_name_for_two",
    "trace.tells_what_was_written",
    "trace.waits_are_requests",
    "window.made_anew_for_ever",
    "window.not_told_anew",
];

const BUDGETS: &[&str] = &[
    "budget.a_crash_is_free",
    "budget.asks_for_more_than_it_has",
    "budget.forgets_what_it_owes",
    "budget.goes_deeper",
    "budget.lends_and_keeps",
    "budget.lends_too_much",
    "budget.lends_what_is_being_spent",
    "budget.never_used_up",
    "budget.repaid_twice",
    "budget.reserves_nothing",
    "budget.returns_early",
    "budget.spawns_are_free",
    "budget.stopping_is_free",
    "budget.thoughts_are_free",
    "budget.turns_are_free",
    "session.tries_for_nothing",
    "window.summed_up_for_nothing",
];

/// In each saga, in the outbox, in the timer.
const WHOLE: &[&str] = &[
    "budget.funds_and_takes_back",
    "budget.keeps_what_is_left",
    "budget.spawns_for_nothing",
    "lease.stays_with_the_failed",
    "session.gives_back_what_is_leased_later",
    "outbox.another_key_each_time",
    "outbox.gives_up",
    "outbox.gives_up_on_who_is_out",
    "outbox.takes_silence_for_no",
    "rights.forgets_to_describe",
    "rights.forgets_to_say",
    "rights.forgets_what_it_sent",
    "rights.the_doomed_go_on",
    "rights.wipes_who_is_not_begun",
    "session.does_not_hear_its_child",
    "session.looks_past_the_new",
    "session.tells_and_forgets",
    "timer.forgets_the_rights",
    "timer.sleeps",
];

const STOP: &[&str] = &["stop.acknowledges_what_failed", "stop.answers_reads", "stop.goes_on"];

const SUPERVISION: &[&str] = &[
    "supervisor.backoff_never_resets",
    "supervisor.backoff_resets_at_once",
    "supervisor.clean_exit_uncounted",
    "supervisor.dynamic_child_escalates",
    "supervisor.finished_stays",
    "supervisor.one_for_one_takes_all",
    "supervisor.one_restart_too_many",
    "supervisor.rest_is_all",
    "supervisor.restart_does_not_wait",
    "supervisor.restarts_uncounted",
    "supervisor.stops_do_not_wait",
    "supervisor.stops_in_start_order",
    "supervisor.temporary_comes_back",
    "supervisor.transient_is_permanent",
];

const RIGHTS: &[&str] = &[
    "rights.a_reason_speaks_of_others",
    "rights.actions_are_told_of",
    "rights.agent_without_charter",
    "rights.alias_overwrites",
    "rights.anybody_knows_of_tools",
    "rights.basis_dies_first",
    "rights.charters_for_another",
    "rights.child_default_all",
    "rights.child_may_only_read_its_dm",
    "rights.end_keeps_children",
    "rights.end_keeps_names",
    "rights.expiry_beyond_basis",
    "rights.expiry_not_inherited",
    "rights.forbidden_is_not_unknown",
    "rights.level_ignores_expiry",
    "rights.name_of_the_dead_stays",
    "rights.readers_see_names_too_soon",
    "rights.readers_see_too_soon",
    "rights.readers_see_who_is_not_born",
    "rights.readers_wait_for_ever",
    "rights.restart_forgets_what_rests",
    "rights.restart_forgets_who_is_under",
    "rights.revoke_by_stranger",
    "rights.revoke_the_ground_one_stands_on",
    "rights.revoke_without_cascade",
    "rights.share_needs_only_write",
    "rights.share_skips_delegate",
    "rights.share_widens_delegate",
    "rights.spawn_refused_in_silence",
    "rights.spawn_skips_delegate",
    "rights.the_born_stay_owed",
    "rights.the_concerned_are_not_told",
    "rights.the_passing_have_names",
    "rights.the_passing_stay",
    "rights.use_as_delegate",
    "rights.writers_oversee",
];

/// The laws hold without any, and break with each.
fn all_caught(names: &'static [&'static str], laws: fn() -> Result<(), String>) {
    assert_eq!(laws(), Ok(()), "without a planted bug");
    let missed: Vec<&str> =
        names.iter().copied().filter(|name| mutant::with(name, laws).is_ok()).collect();
    assert!(missed.is_empty(), "the laws let these through: {missed:?}");
}

#[test]
fn the_laws_of_budgets_catch_every_planted_bug() {
    all_caught(BUDGETS, budgets);
}

#[test]
fn the_laws_of_a_whole_system_catch_every_planted_bug() {
    all_caught(WHOLE, whole);
}

#[test]
fn the_law_of_clocks_catches_every_planted_bug() {
    all_caught(CLOCK, clock);
}

#[test]
fn the_law_of_commits_catches_every_planted_bug() {
    all_caught(COMMITS, commits);
}

#[test]
fn the_laws_of_carrying_catch_every_planted_bug() {
    all_caught(CARRYING, carrying);
}

#[test]
fn the_laws_of_erasing_catch_every_planted_bug() {
    all_caught(ERASING, erasing);
}

#[test]
fn the_laws_of_claims_catch_every_planted_bug() {
    all_caught(CLAIMS, claims);
}

#[test]
fn the_law_of_circles_catches_every_planted_bug() {
    all_caught(CIRCLES, circles);
}

#[test]
fn the_law_of_standing_sets_catches_every_planted_bug() {
    all_caught(STANDING, standing);
}

#[test]
fn the_laws_of_rights_catch_every_planted_bug() {
    all_caught(RIGHTS, rights);
}

#[test]
fn the_laws_of_search_catch_every_planted_bug() {
    all_caught(SEARCH, search);
}

#[test]
fn the_laws_of_sessions_catch_every_planted_bug() {
    all_caught(SESSIONS, sessions);
}

#[test]
fn the_laws_of_supervision_catch_every_planted_bug() {
    all_caught(SUPERVISION, supervision);
}

#[test]
fn the_law_of_cursors_catches_every_planted_bug() {
    all_caught(CURSOR, cursor);
}

#[test]
fn the_law_of_subscribers_catches_every_planted_bug() {
    all_caught(SUBSCRIBERS, subscribers);
}

#[test]
fn the_law_of_terms_catches_every_planted_bug() {
    all_caught(TERMS, terms);
}

#[test]
fn the_law_of_stopping_catches_every_planted_bug() {
    all_caught(STOP, stop);
}

#[test]
fn the_laws_of_spaces_catch_every_planted_bug() {
    all_caught(SPACES, spaces);
}
