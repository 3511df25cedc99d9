//! Code that wants the machine for itself costs its action; who owns the directory goes on.

use crate::harness::Place;

/// A file, what it runs, and what stderr ends with.
const HOSTILE: &[(&str, &str)] = &[
    ("while True: pass", "TimeoutError: the code computed for more than compute_ms_max = 5000 ms"),
    ("x = ['a' * 10 ** 6]\nwhile True: x.append(x[-1] + 'b')", "MemoryError: the code needed more"),
    ("x = 'a' * 10 ** 12", "MemoryError: the code needed more than memory_bytes_max"),
    ("def f(): return f()\nf()", "RecursionError: maximum recursion depth exceeded"),
    ("open('/etc/passwd').read()", "PermissionError: Permission denied: '/etc/passwd'"),
    ("import os\nos.environ['HOME']", "RuntimeError: 'os.environ' is not supported"),
    ("import socket", "ModuleNotFoundError: No module named 'socket'"),
    ("while True: space.history()", "RuntimeError: more than host_calls_max = 1000 host calls"),
    ("space.put('x' * (9 << 20))", "ValueError: the arguments are larger than call_bytes_max"),
    ("1 +", "SyntaxError: Expected an expression"),
];

#[test]
fn hostile_code_costs_its_action() {
    let place = Place::new();
    place.json(&["space", "create", "tasks"]);
    let serve = place.serve();
    for (code, says) in HOSTILE {
        place.file("hostile.py", code);
        let ended = place.stoa(&["exec", "hostile.py", "--spaces", "tasks=write"]);
        assert_eq!((ended.code, &*ended.out), (7, ""), "{code}: {}", ended.err);
        assert!(ended.err.contains(says), "{code}: {}", ended.err);
        let hint = "hint: stoa --data data exec FILE --spaces NAME=LEVEL --json\n";
        assert!(ended.err.ends_with(hint), "{code}: {}", ended.err);
        place.file("next.py", "1 + 1");
        let next = place.stoa(&["exec", "next.py", "--spaces", "tasks=write"]);
        assert_eq!((next.code, &*next.out, &*next.err), (0, "2\n", ""), "after {code}");
    }
    let status = &place.json(&["status"])[0];
    assert_eq!((&status["pid"], &status["sessions"]), (&serve.pid().into(), &1.into()));
    assert_eq!(place.json(&["history", "tasks"]).len(), 0, "nothing was put");
    assert_eq!(place.json(&["audit"])[0]["breaches"], serde_json::json!([]));
}

#[test]
fn a_flood_of_prints_is_cut_and_ends() {
    let place = Place::new();
    place.json(&["space", "create", "tasks"]);
    place.file("flood.py", "while True: print('x' * 1000)");
    let ended = place.stoa(&["exec", "flood.py"]);
    assert_eq!(ended.code, 7, "{}", ended.err);
    assert!(ended.out.len() < 70_000, "{} bytes", ended.out.len());
    assert!(ended.out.contains("[cut: 65536 of "), "{}", &ended.out[ended.out.len() - 100..]);
    assert!(ended.err.contains("TimeoutError"), "{}", ended.err);
}

#[test]
fn code_that_is_too_long_is_not_run() {
    let place = Place::new();
    place.json(&["space", "create", "tasks"]);
    place.file("long.py", format!("space.put('x')\n#{}", "x".repeat(32 << 10)));
    let ended = place.stoa(&["exec", "long.py", "--spaces", "tasks=append"]);
    let says = "note: the REPL is as it was before this action\n\
                error: ValueError: the code has 32784 bytes, more than source_bytes_max = 32768; \
                run it in several actions\n\
                hint: stoa --data data exec FILE --spaces NAME=LEVEL --json\n";
    assert_eq!((ended.code, &*ended.err, &*ended.out), (7, says, ""));
    assert_eq!(place.json(&["history", "tasks"]).len(), 0, "nothing was put");
}
