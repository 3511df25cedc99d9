//! Code that wants the machine for itself: each costs its action, in time, and nothing else.

use crate::fake::{Fake, action, after, failure, run, value, workers};
use std::time::{Duration, Instant};
use stoa::sandbox::{Action, ActionLimits, CodeRunner};
use stoa_actors::code::ActionEnd;

type Ends = &'static [&'static str];

const TIME: Ends = &["TimeoutError"];
const MEMORY: Ends = &["MemoryError"];
const MEMORY_OR_TIME: Ends = &["MemoryError", "TimeoutError"];
const SYNTAX: Ends = &["SyntaxError"];
const ABSENT: Ends = &["NameError", "AttributeError", "ModuleNotFoundError"];
const FORBIDDEN: Ends = &["PermissionError", "RuntimeError"];

/// Source, and how it may end.
const CORPUS: &[(&str, Ends)] = &[
    ("while True: pass", TIME),
    ("while True:\n  try:\n    while True: pass\n  except BaseException: pass", TIME),
    ("'a'*10**10", MEMORY),
    ("[0]*10**10", MEMORY),
    ("x=[]\nwhile True: x.append('a'*100)", MEMORY_OR_TIME),
    ("d={}\ni=0\nwhile True:\n  d[i]=str(i)*50\n  i+=1", MEMORY_OR_TIME),
    ("s='a'\nwhile True: s=s+s", MEMORY_OR_TIME),
    ("s=[1]\nwhile True: s=s+s", MEMORY_OR_TIME),
    ("list(range(10**12))", MEMORY_OR_TIME),
    ("sum(i for i in range(10**12))", MEMORY_OR_TIME),
    ("def f(n): return f(n+1)\nf(0)", &["RecursionError"]),
    ("def f(x): return sorted([1,2], key=f)\nf(1)", &["RecursionError"]),
    ("eval('1'+'+1'*2000000)", ABSENT),
    ("try: 1/0\nexcept ZeroDivisionError as eval: pass\neval('1'+'+1'*2000000)", ABSENT),
    ("exec('x=1')", ABSENT),
    ("compile('1','','eval')", ABSENT),
    ("10**10**8", MEMORY_OR_TIME),
    ("1<<10**10", MEMORY_OR_TIME),
    ("open('/etc/passwd').read()", FORBIDDEN),
    ("open('/tmp/x','w').write('x')", FORBIDDEN),
    ("from pathlib import Path\nPath('/etc/passwd').read_text()", FORBIDDEN),
    ("import os\nos.environ['PATH']", FORBIDDEN),
    ("import os\nos.getenv('PATH')", FORBIDDEN),
    ("import os\nos.system('true')", ABSENT),
    ("import socket", ABSENT),
    ("import subprocess", ABSENT),
    ("().__class__.__bases__", ABSENT),
    ("object.__subclasses__()", ABSENT),
    ("__import__('os')", ABSENT),
    ("globals()", ABSENT),
    ("__builtins__", ABSENT),
    ("space.__class__.__init__", ABSENT),
    ("time.sleep(3600)", FORBIDDEN),
    ("while True: print('x'*1000)", TIME),
    ("while True: echo(1)", &["RuntimeError"]),
    ("while True:\n  try: echo(1)\n  except BaseException: pass", &["RuntimeError"]),
    ("while True: hasattr(space, 'x')", &["RuntimeError"]),
    ("echo('a'*(2<<20))", &["ValueError"]),
    ("echo([0]*10**6)", &["ValueError"]),
    ("import re\nre.match(r'(a|a)*b\\1', 'a'*40)", &["re.PatternError", "TimeoutError"]),
    ("len(str(7**(10**6)))", &["ValueError", "TimeoutError"]),
    ("raise ValueError('a'*10**7)", &["ValueError"]),
    ("type(space)()", &["TypeError"]),
    ("import re\nwhile True: re.compile('a|'*10**6)", MEMORY_OR_TIME),
    ("x=7**(10**6)\nwhile True: x%(x-1)", TIME),
    ("while True: ('a'*3*10**7).split('a')", MEMORY_OR_TIME),
    ("while True: sorted(range(3000000, 0, -1))", MEMORY_OR_TIME),
    ("'%10000000000d' % 1", &["TypeError"]),
    ("'{:>10000000000}'.format(1)", MEMORY_OR_TIME),
    ("'a'.ljust(10**11)", MEMORY),
    ("bytes(10**11)", MEMORY),
    ("('a'*10**7).replace('a', 'b'*10**5)", MEMORY_OR_TIME),
    ("class A:\n  def __repr__(self): return repr(self)\nrepr(A())", &["RecursionError"]),
    ("class A:\n  def __eq__(self, o): return self == o\nA() == A()", &["RecursionError"]),
    ("x=()\nfor i in range(10**5): x=(x,)\nhash(x)", &["RecursionError", "MemoryError"]),
    ("x=[]\nfor i in range(10**5): x=[x]\nx==[x]", &["RecursionError", "MemoryError"]),
    ("import json\njson.loads('['*10**6)", &["json.JSONDecodeError", "RecursionError"]),
    ("x=[]\nfor i in range(10**5): x=[x]\nimport json\njson.dumps(x)", &["RecursionError"]),
    ("x=[]\nfor i in range(10**5): x=[x]\necho(x)", &["ValueError", "TypeError"]),
    ("x=[]\nfor i in range(10**5): x=[x]\nraise ValueError(x)", &["RuntimeError"]),
    ("int('9'*10**7)", &["ValueError"]),
    ("raise SystemExit", &["SystemExit"]),
    ("raise KeyboardInterrupt", &["KeyboardInterrupt"]),
    ("import asyncio\nasync def f():\n  while True: pass\nasyncio.run(f())", TIME),
    ("import sys\nsys.exit(3)", &["AttributeError", "SystemExit"]),
    ("f = lambda: f()\nmax([1,2], key=lambda x: f())", &["RecursionError"]),
];

fn corpus() -> Vec<(String, Ends)> {
    let fixed = CORPUS.iter().map(|(source, ends)| ((*source).to_owned(), *ends));
    let around = |open: &str, n: usize, close: &str| open.repeat(n) + "1" + &close.repeat(n);
    let built = [
        ("x = 1\n".repeat(170_000), &["ValueError"][..]),
        (around("(", 10_000, ")"), SYNTAX),
        (around("[", 15_000, "]"), SYNTAX),
        (around("not ", 8_000, ""), SYNTAX),
        (around("-", 30_000, ""), SYNTAX),
        (around("lambda:", 4_000, ""), SYNTAX),
        (around("", 16_000, ".x"), SYNTAX),
        (around("", 16_000, "+1"), SYNTAX),
        (around("", 16_000, "()"), SYNTAX),
        (around("", 10_000, "[0]"), SYNTAX),
        ("\0".repeat(100), SYNTAX),
    ];
    fixed.chain(built).collect()
}

#[tokio::test]
async fn hostile_code_costs_its_action_and_nothing_else() {
    let workers = workers();
    let limits = ActionLimits { compute_ms_max: 500, ..ActionLimits::default() };
    let longest = Duration::from_millis(limits.compute_ms_max) + Duration::from_secs(1);
    let before = run(&workers, "kept = ['still', 'here']").await;
    assert!(before.dump.is_some());
    let mut wrong = Vec::new();
    for (source, ends) in corpus() {
        let hostile = Action { limits: limits.clone(), ..after(&before, &source) };
        let begun = Instant::now();
        let outcome = workers.run(hostile, &mut Fake::default()).await;
        let took = begun.elapsed();
        let ActionEnd::Failed { class, traceback } = &outcome.ending else {
            wrong.push(format!("{}: ran through", head(&source)));
            continue;
        };
        if !ends.contains(&class.as_str()) || took > longest || traceback.len() > 20_000 {
            wrong.push(format!("{} after {took:?}: {class}: {}", head(&source), head(traceback)));
        }
        let next = workers.run(after(&before, "' '.join(kept)"), &mut Fake::default()).await;
        assert_eq!(value(&next), "'still here'", "after {}", head(&source));
        let own = workers.run(after(&outcome, "' '.join(kept)"), &mut Fake::default()).await;
        if outcome.dump.is_some() {
            assert_eq!(value(&own), "'still here'", "in the REPL {} left", head(&source));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

fn head(text: &str) -> &str {
    &text[..text.floor_char_boundary(80)]
}

#[tokio::test]
async fn a_memory_bomb_within_one_allocation_of_the_wall_is_a_memory_error() {
    let workers = workers();
    // Past the interpreter's own check: the kernel refuses, and the worker aborts.
    let mut bomb = action("x = []\nwhile True: x.append('a' * 50_000_000)");
    bomb.limits.memory_bytes_max = 64 << 30;
    let outcome = workers.run(bomb, &mut Fake::default()).await;
    let (class, traceback) = failure(&outcome);
    assert_eq!(class, "MemoryError", "{traceback}");
    assert_eq!(value(&run(&workers, "1 + 1").await), "2");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_memory_bomb_ends_before_the_wall_and_keeps_what_it_printed() {
    let workers = workers();
    let bomb = "print('before')\nx = []\nwhile True: x.append('a' * 1000)";
    let outcome = run(&workers, bomb).await;
    assert_eq!(failure(&outcome).0, "MemoryError");
    // A worker that aborts takes it along.
    assert_eq!(outcome.printed, "before\n");
}
