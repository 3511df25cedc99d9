//! Agents' Python over real worker processes.

#[path = "sandbox/fake.rs"]
mod fake;
#[path = "sandbox/hostile.rs"]
mod hostile;
#[path = "sandbox/impostor.rs"]
mod impostor;
#[cfg(target_os = "linux")]
#[path = "sandbox/orphan.rs"]
mod orphan;
#[path = "sandbox/price.rs"]
mod price;

use fake::{COORDINATOR, Fake, SPACE, WORKER, action, after, failure, run, text, value, workers};
use std::task::{Context, Poll, Waker};
use stoa::sandbox::{Action, Boxed, CodeRunner, Host, InProcess, Workers, WorkersConfig};
use stoa_actors::code::{ActionEnd, HostCall, Item, Raise};
use stoa_actors::value::Value;
use tokio::sync::oneshot;

const CLAIM: &str = include_str!("samples/claim.py");
const FAN_OUT: &str = include_str!("samples/fan_out.py");

#[tokio::test]
async fn the_claim_recipe_of_the_seed_runs_verbatim() {
    let (workers, mut host) = (workers(), Fake::default());
    let outcome = workers.run(action(CLAIM), &mut host).await;
    assert_eq!(outcome.ending, ActionEnd::Done { value: None }, "{outcome:?}");
    let call = |name: &str, args: Vec<Item>, key: &str, item: Item| HostCall {
        on: Some(SPACE),
        name: name.to_owned(),
        args,
        kwargs: vec![(key.to_owned(), item)],
    };
    let map = |pairs: &[(&str, &str)]| {
        let pairs = pairs.iter().map(|(key, value)| ((*key).to_owned(), Value::from(*value)));
        Item::Value(Value::Map(pairs.collect()))
    };
    let claimed = map(&[("status", "in_progress"), ("owner", "me")]);
    let expected = [
        call("search", vec![], "metadata", map(&[("status", "pending")])),
        call("references", vec![text("atom-11")], "relation", text("blocked_by")),
        call("update", vec![text("atom-11")], "metadata", claimed),
    ];
    assert_eq!(host.calls, expected);
}

#[tokio::test]
async fn the_fan_out_of_the_seed_runs_verbatim_in_the_repl_of_an_earlier_action() {
    let (workers, mut host) = (workers(), Fake::default());
    let first = run(&workers, "def extract_segments(text):\n    return text.split('|')").await;
    let outcome = workers.run(after(&first, FAN_OUT), &mut host).await;
    assert_eq!(outcome.ending, ActionEnd::Done { value: None }, "{outcome:?}");
    assert_eq!(host.names(), ["search", "spawn", "spawn", "spawn"]);
    let spawn = &host.calls[3];
    assert_eq!(spawn.on, Some(COORDINATOR));
    assert_eq!(spawn.kwargs[0], ("task".to_owned(), text("Deep research on tides")));
    let tools = Value::List(vec!["web_search".into(), "web_fetch".into()]);
    assert_eq!(spawn.kwargs[3], ("tools".to_owned(), Item::Value(tools)));
}

const VALUES: &[(&str, &str)] = &[
    ("1 + 1", "2"),
    ("x = 1", "None"),
    ("", "None"),
    ("space.search()[0].id", "'atom-11'"),
    ("space.search()[0].metadata['status']", "'pending'"),
    ("space.name", "'findings'"),
    ("space.lazy", "'asked for'"),
    ("hasattr(space, 'nothing'), getattr(space, 'nothing', 7)", "(False, 7)"),
    ("spaces['findings'].search()[1].id", "'atom-12'"),
    ("sorted(spaces), 'other' in spaces", "(['findings', 'notes'], False)"),
    ("echo([1, 2.5, None, True, 'ä', b'\\x00'])", "[1, 2.5, None, True, 'ä', b'\\x00']"),
    ("echo({'b': (1, 2), 'a': {}})", "{'a': {}, 'b': [1, 2]}"),
    ("echo({'b': space, 'a': 1})['b'].search()[0].id", "'atom-11'"),
    ("search()[0].id", "'atom-11'"),
    ("[t.id for s in spaces.values() for t in s.search()][3]", "'atom-12'"),
    ("any(b.metadata['status'] == 'pending' for b in space.search())", "True"),
    ("f'{space.search()[0].id}!'", "'atom-11!'"),
    (
        "def ids(s):\n  try: return [t.id for t in s.search()]\n  finally: s.update()\nids(space)",
        "['atom-11', 'atom-12']",
    ),
    ("space", "Space(name='findings')"),
    ("import json\njson", "<module 'json'>"),
    ("int", "<class 'int'>"),
    ("type(space) is type(spaces['notes'])", "True"),
    ("def llm(x): return x + '!'\nllm('mine')", "'mine!'"),
    ("import datetime\ndatetime.date.today().isoformat()", "'2026-11-21'"),
    ("from datetime import datetime\ndatetime.now().isoformat()", "'2026-11-21T08:10:45'"),
    (
        "from datetime import datetime, timezone as tz, timedelta as td\n\
         datetime.now(tz(td(hours=-9))).isoformat()",
        "'2026-11-20T23:10:45-09:00'",
    ),
    ("time.time() // 1", "1795248645.0"),
    ("a = time.time()\nwhile time.time() < a + 1: pass\n'later'", "'later'"),
    ("import random, math as m\nrandom.randint(3, m.ceil(2.5))", "3"),
    ("import time as clock\nclock.time() == clock.time()", "False"),
    ("random.choice([space]).search()[0].id", "'atom-11'"),
    ("sorted(random.sample([3, 1, 2], 3))", "[1, 2, 3]"),
    ("import re, json\njson.dumps({'a': re.findall('b+', 'abba')})", "'{\"a\": [\"bb\"]}'"),
];

#[tokio::test]
async fn expressions_have_the_values_they_should() {
    let workers = workers();
    for (source, expected) in VALUES {
        let mut action = action(source);
        action.now.0 = 1_795_248_645_000;
        for runner in [&workers as &dyn CodeRunner, &InProcess] {
            let outcome = runner.run(action.clone(), &mut Fake::default()).await;
            assert_eq!(value(&outcome), *expected, "{source}");
        }
    }
}

/// Source, class, and a part of the traceback's last line.
const FAILURES: &[(&str, &str, &str)] = &[
    ("space.conflict()", "Conflict", "Conflict: atom-11 is at version 4, not 3; read it again"),
    ("space.forbidden()", "PermissionError", "PermissionError: you may only read; ask for append"),
    ("raise Conflict('mine')", "Conflict", "Conflict: mine"),
    ("spaces['other']", "KeyError", "KeyError: other (spaces has findings, notes)"),
    ("{}['x']", "KeyError", "KeyError: x"),
    ("space.id", "AttributeError", "AttributeError: 'Space' object has no attribute 'id'"),
    ("undefined", "NameError", "NameError: name 'undefined' is not defined"),
    ("update()", "NameError", "NameError: name 'update' is not defined"),
    ("echo(2 ** 64)", "ValueError", "pass str(n)"),
    ("echo(float('nan'))", "ValueError", "pass None or str(x)"),
    ("echo({1, 2})", "TypeError", "pass a list"),
    ("echo({1: 2})", "TypeError", "keys must be str to leave the sandbox, not int"),
    ("class A: pass\necho(A())", "TypeError", "pass its fields as a dict"),
    ("xs = []\nxs.append(xs)\necho(xs)", "ValueError", "a list or dict contains itself"),
    ("echo(print)", "TypeError", "cannot leave the sandbox"),
    ("type(space)()", "TypeError", "only the host makes objects of this class"),
    ("big()", "ValueError", "larger than answer_bytes_max = 4194304; ask for less"),
    ("llm('x')", "NotImplementedError", "NotImplementedError: llm"),
    ("sorted([1, 2], key=lambda n: echo(n))", "NotImplementedError", "in a list comprehension"),
    ("await echo(1)", "TypeError", "can't be awaited; leave `await` out"),
    ("x = 1\nimport time", "ModuleNotFoundError", "leave the import out, call time.…()"),
    ("1 +", "SyntaxError", "SyntaxError: Expected an expression"),
    ("fail('Odd')", "RuntimeError", "RuntimeError: Odd: as asked"),
];

#[tokio::test]
async fn failures_read_as_in_python() {
    let workers = workers();
    for (source, class, last) in FAILURES {
        let outcome = run(&workers, source).await;
        let (found, traceback) = failure(&outcome);
        let line = traceback.lines().last().unwrap_or_default();
        assert!(found == *class && line.contains(last), "{source}: {found}\n{traceback}");
    }
}

#[tokio::test]
async fn a_traceback_shows_the_lines_that_failed() {
    let workers = workers();
    let first = run(&workers, "def third(xs):\n    return xs[2]").await;
    let second = workers.run(after(&first, "\nthird([1])"), &mut Fake::default()).await;
    let expected = "Traceback (most recent call last):
  File \"<python-input-2>\", line 2, in <module>
    third([1])
    ~~~~~~~~~~
  File \"<python-input-1>\", line 2, in third
    return xs[2]
           ~~~~~
IndexError: list index out of range";
    assert_eq!(failure(&second), ("IndexError", expected));
}

#[tokio::test]
async fn exceptions_of_the_host_can_be_caught_by_their_own_name_only() {
    let workers = workers();
    for class in
        ["Conflict", "PermissionError", "LookupError", "KeyError", "ValueError", "TimeoutError"]
    {
        let source =
            format!("try:\n    fail('{class}')\nexcept {class} as e:\n    said = str(e)\nsaid");
        let outcome = run(&workers, &source).await;
        assert!(value(&outcome).contains("as asked"), "{class}: {outcome:?}");
    }
    let others = "(ValueError, LookupError, PermissionError, RuntimeError, TypeError)";
    let source = format!("try:\n    space.conflict()\nexcept {others}:\n    pass");
    assert_eq!(failure(&run(&workers, &source).await).0, "Conflict");
}

#[tokio::test]
async fn a_rerun_is_the_same_run() {
    let source = "import datetime\nprint(random.random(), random.sample(list(range(99)), 9))\n\
                  print(time.time(), datetime.datetime.now(), {'b', 'a', 'c'}, hash('x'), id([]))";
    let workers = workers();
    let once = run(&workers, source).await;
    assert_eq!(once.ending, ActionEnd::Done { value: None });
    assert_eq!(once.printed, run(&workers, source).await.printed);
    assert_eq!(once.printed, run(&InProcess, source).await.printed);
    let other = Action { seed: 1, ..action(source) };
    let other = workers.run(other, &mut Fake::default()).await;
    assert_ne!(once.printed, other.printed);
}

#[tokio::test]
async fn what_is_too_long_is_cut_with_a_line_saying_so() {
    let workers = workers();
    let outcome = run(&workers, "for i in range(10000): print('x' * 100)").await;
    assert_eq!(outcome.ending, ActionEnd::Done { value: None });
    assert!(outcome.printed.len() < (64 << 10) + 100);
    assert!(outcome.printed.ends_with("\n[cut: 65536 of 1010000 bytes, printed_bytes_max]\n"));
    let outcome = run(&workers, "'é' * 10000").await;
    assert!(value(&outcome).ends_with(" of 20002 bytes, value_bytes_max]\n"), "{outcome:?}");
}

#[tokio::test]
async fn a_repl_that_cannot_be_kept_is_fresh_and_says_so() {
    let workers = workers();
    let outcome = run(&workers, "x = []\nfor i in range(500000): x = [x]").await;
    assert_eq!(outcome.ending, ActionEnd::Done { value: None });
    assert!(outcome.dump.is_none());
    let notice = outcome.notice.unwrap_or_default();
    let whole = notice.contains("fresh REPL") && notice.contains("dump_bytes_max = 4194304");
    assert!(whole, "{notice}");
    let good = run(&workers, "x = 1").await;
    let mut bent = good.dump.clone().expect("a small REPL is kept");
    let last = bent.len() - 1;
    bent[last] ^= 1;
    for (dump, why) in [(bent, "damaged"), (b"\x00other".to_vec(), "another version")] {
        let stale = Action { dump: Some(dump), ..action("x") };
        let outcome = workers.run(stale, &mut Fake::default()).await;
        assert_eq!(failure(&outcome).0, "NameError");
        assert!(outcome.notice.as_deref().is_some_and(|it| it.contains(why)), "{outcome:?}");
        assert!(outcome.dump.is_some());
    }
    let kept = workers.run(after(&good, "x"), &mut Fake::default()).await;
    assert_eq!((value(&kept), &kept.notice), ("1", &None));
}

#[tokio::test]
async fn many_nested_lists_are_kept() {
    let workers = workers();
    let first = run(&workers, "x = []\nfor i in range(100000): x = [x]").await;
    assert!(first.dump.is_some(), "{:?}", first.notice);
    let outcome = workers.run(after(&first, "len(x)"), &mut Fake::default()).await;
    assert_eq!(value(&outcome), "1");
}

#[tokio::test]
async fn waiting_for_the_host_has_its_own_limit() {
    let workers = workers();
    let mut action = action("x = 1\ntry:\n    never()\nexcept BaseException:\n    pass");
    action.limits.host_wait_ms_max = 50;
    let outcome = workers.run(action, &mut Fake::default()).await;
    let (class, traceback) = failure(&outcome);
    let last = "TimeoutError: host calls took more than host_wait_ms_max = 50 ms";
    assert!(class == "TimeoutError" && traceback.ends_with(last), "{traceback}");
    let next = workers.run(after(&outcome, "x"), &mut Fake::default()).await;
    assert_eq!(value(&next), "1", "what it did before it waited is kept");
}

struct Holding(Option<(oneshot::Sender<()>, oneshot::Receiver<()>)>);

impl Host for Holding {
    fn call(&mut self, _: HostCall) -> Boxed<'_, Result<Item, Raise>> {
        let Some((seen, held)) = self.0.take() else { panic!("one call") };
        Box::pin(async move {
            assert_eq!(seen.send(()), Ok(()), "the test waits");
            assert_eq!(held.await, Ok(()), "the test lets go");
            Ok(Item::Value(Value::Null))
        })
    }
}

#[tokio::test]
async fn actions_queue_for_the_workers_up_to_a_limit() {
    let one = WorkersConfig { workers_max: 1, queue_actions_max: 1, ..WorkersConfig::new(WORKER) };
    let workers = Workers::new(one);
    let (hold, held) = oneshot::channel();
    let (seen, mut begun) = oneshot::channel();
    let (mut holding, mut second_host) = (Holding(Some((seen, held))), Fake::default());
    let mut first = workers.run(action("echo(1)"), &mut holding);
    tokio::select! {
        _ = &mut first => panic!("it is held"),
        begun = &mut begun => begun.expect("the first action calls"),
    }
    let mut second = workers.run(action("2"), &mut second_host);
    let mut context = Context::from_waker(Waker::noop());
    assert!(matches!(second.as_mut().poll(&mut context), Poll::Pending), "it stands in the queue");
    let third = run(&workers, "3").await;
    let (class, traceback) = failure(&third);
    assert_eq!(class, "SystemError");
    assert!(traceback.contains("queue_actions_max = 1"), "{traceback}");
    hold.send(()).expect("the first action waits");
    let (first, second) = tokio::join!(first, second);
    assert_eq!((value(&first), value(&second)), ("None", "2"));
}
