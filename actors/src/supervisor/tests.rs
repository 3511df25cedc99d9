//! OTP's case matrix. Random schedules against a reference model are in `tests/supervision.rs`.

use super::*;

type Name = &'static str;

const NO_BACKOFF: Backoff = Backoff { first_ms: 0, ceiling_ms: 0, healthy_ms: 0 };
const GENEROUS: Intensity = Intensity { restarts_max: 100, within_ms: 1_000 };
const NONE: Intensity = Intensity { restarts_max: 0, within_ms: 1_000 };
const STRATEGIES: [Strategy; 3] = [Strategy::OneForOne, Strategy::OneForAll, Strategy::RestForOne];

fn spec(id: Name, restart: Restart) -> ChildSpec<Name> {
    ChildSpec { id, restart, shutdown: Shutdown::Deadline { ms: 5_000 }, intensity: None }
}

fn crashed() -> Exit {
    Exit::Crashed("boom".into())
}

/// Does at once whatever is ordered, and writes it down.
fn obey(
    supervisor: &mut Supervisor<Name>,
    orders: Vec<SupervisorCommand<Name>>,
    now: Millis,
) -> Vec<String> {
    let mut written = Vec::new();
    let mut todo = std::collections::VecDeque::from(orders);
    while let Some(order) = todo.pop_front() {
        let (line, next) = match order {
            SupervisorCommand::Start(child) => {
                (format!("start {child}"), supervisor.started(&child, now))
            }
            SupervisorCommand::StartAfter { child, ms } => {
                (format!("start {child} after {ms}"), supervisor.started(&child, now))
            }
            SupervisorCommand::Stop { child, shutdown } => {
                let how = match shutdown {
                    Shutdown::BrutalKill => "kill",
                    Shutdown::Deadline { .. } => "stop",
                    Shutdown::Infinity => "await",
                };
                (format!("{how} {child}"), supervisor.exited(&child, Exit::Shutdown, now))
            }
            SupervisorCommand::Quarantine { child, .. } => (format!("quarantine {child}"), vec![]),
            SupervisorCommand::Escalate { .. } => ("escalate".into(), vec![]),
        };
        written.push(line);
        todo.extend(next);
    }
    written
}

fn up(strategy: Strategy, intensity: Intensity, specs: Vec<ChildSpec<Name>>) -> Supervisor<Name> {
    let mut supervisor = Supervisor::new(strategy, intensity, NO_BACKOFF);
    for spec in specs {
        assert_eq!(supervisor.add(spec), Ok(vec![]));
    }
    let orders = supervisor.start();
    obey(&mut supervisor, orders, Millis(0));
    supervisor
}

fn exit(supervisor: &mut Supervisor<Name>, id: Name, exit: Exit, now: u64) -> Vec<String> {
    let orders = supervisor.exited(&id, exit, Millis(now));
    obey(supervisor, orders, Millis(now))
}

fn stop(supervisor: &mut Supervisor<Name>) -> Vec<String> {
    let orders = supervisor.stop();
    obey(supervisor, orders, Millis(0))
}

#[test]
fn restart_types_by_exits_by_strategies() {
    use Restart::{Permanent, Temporary, Transient};
    let exits = [Exit::Normal, Exit::Shutdown, crashed()];
    // Is `b` restarted after Normal, Shutdown, Crashed?
    let table = [
        (Permanent, [true, true, true]),
        (Transient, [false, false, true]),
        (Temporary, [false, false, false]),
    ];
    for (restart, restarted) in table {
        for (how, restarted) in exits.iter().zip(restarted) {
            for strategy in STRATEGIES {
                let specs = vec![spec("a", Permanent), spec("b", restart), spec("c", Permanent)];
                let mut supervisor = up(strategy, GENEROUS, specs);
                let expected: &[&str] = match (restarted, strategy) {
                    (false, _) => &[],
                    (true, Strategy::OneForOne) => &["start b"],
                    (true, Strategy::OneForAll) => {
                        &["stop c", "stop a", "start a", "start b", "start c"]
                    }
                    (true, Strategy::RestForOne) => &["stop c", "start b", "start c"],
                };
                let seen = exit(&mut supervisor, "b", how.clone(), 1);
                assert_eq!(seen, expected, "{restart:?} {how:?} {strategy:?}");
                let state = match (restarted, restart) {
                    (true, _) => Some(&State::Running),
                    (false, Temporary) => None,
                    (false, _) => Some(&State::Finished),
                };
                assert_eq!(supervisor.state(&"b"), state);
            }
        }
    }
}

#[test]
fn every_shutdown_mode_reaches_its_child_and_the_last_goes_first() {
    for strategy in STRATEGIES {
        let mut specs =
            ["a", "b", "c"].map(|id| ChildSpec { ..spec(id, Restart::Permanent) }).to_vec();
        specs[0].shutdown = Shutdown::BrutalKill;
        specs[2].shutdown = Shutdown::Infinity;
        let mut supervisor = up(strategy, GENEROUS, specs);
        assert_eq!(stop(&mut supervisor), ["await c", "stop b", "kill a"]);
        assert_eq!(supervisor.phase(), &SupervisorPhase::Stopped);
        assert_eq!(supervisor.add(spec("d", Restart::Permanent)), Err(Refusal::GoingDown));
    }
}

#[test]
fn a_group_goes_with_its_temporary_children_and_comes_without_them() {
    let specs = vec![
        spec("a", Restart::Transient),
        spec("b", Restart::Permanent),
        spec("c", Restart::Temporary),
    ];
    let mut supervisor = up(Strategy::OneForAll, GENEROUS, specs);
    // A finished transient child begins anew with its group.
    assert_eq!(exit(&mut supervisor, "a", Exit::Normal, 1), [""; 0]);
    let seen = exit(&mut supervisor, "b", crashed(), 2);
    assert_eq!(seen, ["stop c", "start a", "start b"]);
    assert_eq!(supervisor.state(&"c"), None);
}

#[test]
fn past_the_intensity_all_go_down_and_the_supervisor_with_them() {
    for strategy in STRATEGIES {
        let specs = ["a", "b", "c"].map(|id| spec(id, Restart::Permanent)).to_vec();
        let once = Intensity { restarts_max: 1, within_ms: 1_000 };
        let mut supervisor = up(strategy, once, specs);
        exit(&mut supervisor, "b", Exit::Normal, 1_000);
        // One restart of a group is one restart, and a clean exit of a permanent child counts.
        let seen = exit(&mut supervisor, "b", crashed(), 2_000);
        assert_eq!(seen, ["stop c", "stop a", "escalate"]);
        assert_eq!(supervisor.phase(), &SupervisorPhase::GaveUp);
    }
}

#[test]
fn an_old_restart_no_longer_counts() {
    let once = Intensity { restarts_max: 1, within_ms: 1_000 };
    let mut supervisor = up(Strategy::OneForOne, once, vec![spec("a", Restart::Permanent)]);
    for now in [1_000, 2_001, 3_002] {
        assert_eq!(exit(&mut supervisor, "a", crashed(), now), ["start a"]);
    }
    assert_eq!(exit(&mut supervisor, "a", crashed(), 4_002), ["escalate"]);
}

#[test]
fn what_does_not_restart_does_not_count() {
    for (restart, how) in [(Restart::Transient, Exit::Shutdown), (Restart::Temporary, crashed())] {
        let mut supervisor = up(Strategy::OneForOne, NONE, vec![spec("a", restart)]);
        assert_eq!(exit(&mut supervisor, "a", how, 1), [""; 0]);
        assert_eq!(supervisor.phase(), &SupervisorPhase::Up);
    }
}

#[test]
fn a_dynamic_child_is_quarantined_alone_and_revived_with_a_clean_record() {
    for strategy in STRATEGIES {
        let own = Some(Intensity { restarts_max: 1, within_ms: 1_000 });
        let dynamic = ChildSpec { intensity: own, ..spec("s", Restart::Permanent) };
        let specs = vec![spec("a", Restart::Permanent), dynamic];
        let mut supervisor = up(strategy, NONE, specs);
        for _ in 0..2 {
            assert_eq!(exit(&mut supervisor, "s", crashed(), 1), ["start s"]);
            assert_eq!(exit(&mut supervisor, "s", crashed(), 2), ["quarantine s"]);
            assert_eq!(exit(&mut supervisor, "s", crashed(), 3), [""; 0]);
            let orders = supervisor.revive(&"s").unwrap();
            assert_eq!(obey(&mut supervisor, orders, Millis(3)), ["start s"]);
        }
        assert_eq!(supervisor.revive(&"s"), Err(Refusal::NotDown));
    }
}

#[test]
fn nobody_starts_before_whoever_must_go_is_gone() {
    let specs = ["a", "b", "c"].map(|id| spec(id, Restart::Permanent)).to_vec();
    let mut supervisor = up(Strategy::OneForAll, GENEROUS, specs);
    let shutdown = Shutdown::Deadline { ms: 5_000 };
    let halt = |child| vec![SupervisorCommand::Stop { child, shutdown }];
    assert_eq!(supervisor.exited(&"b", crashed(), Millis(1)), halt("c"));
    // `a` falls over before its turn to be stopped: that is no second restart.
    assert_eq!(supervisor.exited(&"a", crashed(), Millis(2)), []);
    assert_eq!(supervisor.exited(&"c", crashed(), Millis(3)), [SupervisorCommand::Start("a")]);
    // And `b` waits until `a` is up.
    assert_eq!(supervisor.started(&"a", Millis(4)), [SupervisorCommand::Start("b")]);
    assert_eq!(supervisor.exited(&"a", crashed(), Millis(5)), halt("b"));
    assert_eq!(supervisor.exited(&"b", Exit::Shutdown, Millis(6)), [SupervisorCommand::Start("a")]);
}

#[test]
fn waits_double_and_begin_again_after_a_healthy_time() {
    let backoff = Backoff { first_ms: 100, ceiling_ms: 350, healthy_ms: 1_000 };
    let mut supervisor = Supervisor::new(Strategy::OneForOne, GENEROUS, backoff);
    supervisor.add(spec("a", Restart::Permanent)).unwrap();
    let orders = supervisor.start();
    assert_eq!(obey(&mut supervisor, orders, Millis(0)), ["start a"]);
    for (now, wait) in [(1, 100), (2, 200), (1_001, 350), (2_000, 350), (3_000, 100), (3_001, 200)]
    {
        let expected = format!("start a after {wait}");
        assert_eq!(exit(&mut supervisor, "a", crashed(), now), [expected]);
    }
}

#[test]
fn a_child_is_added_removed_and_stopped_while_it_waits() {
    let backoff = Backoff { first_ms: 100, ceiling_ms: 100, healthy_ms: 1_000 };
    let mut supervisor = Supervisor::new(Strategy::RestForOne, GENEROUS, backoff);
    supervisor.add(spec("a", Restart::Permanent)).unwrap();
    assert_eq!(supervisor.start(), [SupervisorCommand::Start("a")]);
    assert_eq!(supervisor.add(spec("b", Restart::Permanent)), Ok(vec![]));
    assert_eq!(supervisor.add(spec("b", Restart::Permanent)), Err(Refusal::ChildTaken));
    let wait = SupervisorCommand::StartAfter { child: "a", ms: 100 };
    assert_eq!(supervisor.exited(&"a", crashed(), Millis(1)), [wait]);
    let shutdown = Shutdown::Deadline { ms: 5_000 };
    let halt = SupervisorCommand::Stop { child: "a", shutdown };
    assert_eq!(supervisor.remove(&"a"), Ok(vec![halt]));
    assert_eq!(supervisor.exited(&"a", Exit::Shutdown, Millis(2)), [SupervisorCommand::Start("b")]);
    assert_eq!(supervisor.remove(&"a"), Err(Refusal::NoSuchChild));
    assert_eq!(stop(&mut supervisor), ["stop b"]);
}

#[test]
fn dynamic_neighbours_stop_together() {
    let dynamic = |id| ChildSpec { intensity: Some(GENEROUS), ..spec(id, Restart::Temporary) };
    let specs = vec![spec("a", Restart::Permanent), dynamic("s"), dynamic("t")];
    let mut supervisor = up(Strategy::OneForOne, NONE, specs);
    let shutdown = Shutdown::Deadline { ms: 5_000 };
    let halt = |child| SupervisorCommand::Stop { child, shutdown };
    assert_eq!(supervisor.stop(), [halt("t"), halt("s")]);
    assert_eq!(supervisor.exited(&"s", Exit::Shutdown, Millis(1)), []);
    assert_eq!(supervisor.exited(&"t", Exit::Shutdown, Millis(1)), [halt("a")]);
    assert_eq!(supervisor.exited(&"a", Exit::Shutdown, Millis(1)), []);
    assert_eq!(supervisor.phase(), &SupervisorPhase::Stopped);
}
