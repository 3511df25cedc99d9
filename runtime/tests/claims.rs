//! Claims and leases, by real processes: nothing is done twice, and nothing stays with the dead.

mod harness;

use harness::{Ended, Place, Started};
use rustix::process::Signal;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

const PROCESSES: usize = 32;
const TASKS: usize = 96;

/// Takes one after the other, and finishes each in one entry with the end of its lease.
const WORK: &str = r#"
task = space.claim(metadata={"status": "open"}, references={"blocked_by": {"status": "done"}},
                   set={"status": "doing"}, lease="5s")
while task is not None:
    for n in range(100000): pass
    space.transaction([
        {"update": task, "metadata": {"status": "done"}},
        {"release": task},
    ])
    print("did", task.id)
    task = space.claim(metadata={"status": "open"}, references={"blocked_by": {"status": "done"}},
                       set={"status": "doing"}, lease="5s")
"#;

/// Every fifth waits for the one before it.
const PUT: &str = r#"
before = None
for n in range(TASKS):
    references = {"blocked_by": [before.id]} if n % 5 == 4 else {}
    before = space.put(f"task {n}", metadata={"status": "open"}, references=references)
"#;

fn start_all(place: &Place) -> Vec<Started> {
    let start = |n: usize| {
        let session = format!("w{n}");
        place.start(&["exec", "work.py", "--session", &session, "--spaces", "tasks=write"], b"")
    };
    (0..PROCESSES).map(start).collect()
}

fn status(place: &Place, of: &str) -> usize {
    let query = ["search", "tasks", "--meta", &format!("status={of}"), "--limit", "1000"];
    place.json(&query).len()
}

#[test]
fn many_processes_do_every_task_once_though_their_owner_is_killed_twice() {
    let place = Place::new();
    place.json(&["space", "create", "tasks"]);
    for n in 0..PROCESSES {
        place.json(&["grant", "tasks", &format!("w{n}"), "write"]);
    }
    place.file("put.py", PUT.replace("TASKS", &TASKS.to_string()));
    place.file("work.py", WORK);
    // A machine that is faster than the signal does them all before it comes: more of them then.
    let (mut tasks, mut finished, mut cut_off) = (0, 0, 0);
    while cut_off < 2 {
        if tasks - finished < TASKS / 2 {
            assert!(tasks < 20 * TASKS, "nobody was ever in the middle");
            place.json(&["exec", "put.py", "--spaces", "tasks=append"]);
            tasks += TASKS;
        }
        let serve = place.serve();
        assert_eq!(place.json(&["status"])[0]["pid"], serve.pid());
        let watch = ["watch", "tasks", "--cursor", "0", "--type", "lease.released"];
        let watch = place.start(&watch, b"");
        let started = start_all(&place);
        // Some more than before, so that this owner is in the middle of it as well.
        watch.wait_for("some of them", |out| out.lines().count() >= finished + 5);
        serve.signal(Signal::KILL);
        // It would go on with the next one.
        watch.signal(Signal::KILL);
        finished = watch.end().out.lines().count();
        let ended: Vec<Ended> = started.into_iter().map(Started::end).collect();
        cut_off += usize::from(ended.iter().any(|it| it.code != 0));
    }
    // What those had who are gone is free again in a while, and done by the others.
    let deadline = Instant::now() + Duration::from_secs(60);
    while status(&place, "done") < tasks {
        assert!(Instant::now() < deadline, "{} are done", status(&place, "done"));
        let ended: Vec<Ended> = start_all(&place).into_iter().map(Started::end).collect();
        let failed: Vec<_> =
            ended.iter().filter(|it| it.code != 0).map(|it| (it.code, &it.err)).collect();
        assert!(failed.is_empty(), "{failed:?}");
    }
    assert_eq!((status(&place, "done"), status(&place, "doing")), (tasks, 0));
    let history = place.json(&["history", "tasks", "--limit", "10000"]);
    let mut done: BTreeMap<String, usize> = BTreeMap::new();
    let (mut held, mut tokens) = (BTreeMap::<String, u64>::new(), 0);
    for change in &history {
        match change["type"].as_str().unwrap() {
            "lease.acquired" => tokens += 1,
            "lease.released" => *done.entry(change["cursor"].to_string()).or_default() += 1,
            _ => {}
        }
        if let (Some(id), Some(version)) =
            (change["refs"]["atom_id"].as_str(), change["body"]["version"].as_u64())
        {
            let before = held.insert(id.to_owned(), version).unwrap_or(0);
            assert_eq!(version, before + 1, "{id} has a gap");
        }
    }
    assert_eq!(done.len(), tasks, "each was finished once: {tokens} claims");
    assert!(tokens >= tasks);
    assert_eq!(place.json(&["audit"])[0]["breaches"], json!([]));
}

fn claim(place: &Place, who: &str) -> Ended {
    let of = ["--as", who, "claim", "tasks", "--meta", "status=open", "--set", "status=doing"];
    place.stoa(&[&of[..], &["--lease", "1s", "--json"]].concat())
}

#[test]
fn what_a_dead_holder_held_is_free_within_its_time_also_after_a_restart() {
    let place = Place::new();
    place.json(&["space", "create", "tasks"]);
    place.json(&["grant", "tasks", "amy", "write"]);
    place.json(&["grant", "tasks", "bob", "write"]);
    place.json(&["put", "tasks", "the only one", "--meta", "status=open"]);
    let mut token = 0;
    for killed in [false, true] {
        let serve = place.serve();
        let begun = Instant::now();
        let first = claim(&place, "amy");
        assert_eq!(first.code, 0, "{first:?}");
        let lease = first.lines()[0]["lease"].clone();
        assert!(lease["token"].as_u64().unwrap() > token, "tokens only grow");
        token = lease["token"].as_u64().unwrap();
        assert_eq!(claim(&place, "bob").code, 3, "there is nothing else to claim");
        let serve = if killed {
            serve.signal(Signal::KILL);
            serve.end();
            place.serve()
        } else {
            serve
        };
        let second = loop {
            let ended = claim(&place, "bob");
            if ended.code == 0 {
                break ended.lines().remove(0);
            }
            assert_eq!(ended.code, 3, "{ended:?}");
            assert!(begun.elapsed() < Duration::from_secs(30), "it is never free");
        };
        assert!(begun.elapsed() >= Duration::from_secs(1), "it was amy's for so long");
        assert_eq!(second["metadata"]["status"], "doing");
        let history = place.json(&["history", "tasks", "--limit", "1000"]);
        let at = |kind: &str| {
            let found = history.iter().rev().find(|it| it["type"] == kind).unwrap();
            found["ts"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap().as_millisecond()
        };
        let until = lease["until"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
        let late = at("lease.expired") - until.as_millisecond();
        // A restart takes what it takes: then it counts from the moment it is open.
        assert!(late >= 0 && (killed || late <= 1_000), "recorded {late} ms late");
        let token = second["lease"]["token"].to_string();
        let id = second["id"].as_str().unwrap();
        let give_back = ["lease", "release", "tasks", id, "--token", &token, "--undo"];
        let given = place.stoa(&[&["--as", "bob"][..], &give_back[..]].concat());
        assert_eq!(given.code, 0, "{given:?}");
        assert_eq!(status(&place, "open"), 1, "what the claim had set is put back");
        serve.signal(Signal::TERM);
        serve.end();
    }
}

/// Whoever looks first after a while finds what is so, and a change of a lease says which.
#[test]
fn what_ran_out_while_nobody_had_the_directory_is_over_for_the_first_who_looks() {
    let place = Place::new();
    place.json(&["space", "create", "tasks"]);
    place.json(&["grant", "tasks", "amy", "write"]);
    let id = place.json(&["put", "tasks", "a task", "--meta", "status=open"])[0]["id"].clone();
    let claimed = claim(&place, "amy").lines().remove(0);
    let (_nobody, quiet) = std::sync::mpsc::channel::<()>();
    assert!(quiet.recv_timeout(Duration::from_millis(1_200)).is_err());
    assert_eq!(status(&place, "open"), 1);
    let history = place.json(&["history", "tasks"]);
    for kind in ["lease.acquired", "lease.expired"] {
        let change = history.iter().find(|it| it["type"] == kind).unwrap();
        assert_eq!((&change["refs"]["atom_id"], &change["body"]["token"]), (&id, &json!(1)));
        assert_eq!(change["body"]["until"], claimed["lease"]["until"], "{change}");
    }
    place.json(&["lease", "acquire", "tasks", "the build", "--lease", "1h"]);
    let last = place.json(&["history", "tasks", "--newest", "--limit", "1"]).remove(0);
    assert_eq!(last["body"]["resource"], "the build");
}

fn exec(place: &Place, code: &str) -> Value {
    place.file("code.py", code);
    let ended = place.stoa(&["exec", "code.py", "--session", "amy", "--json"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    ended.lines().remove(0)
}

#[test]
fn code_claims_leases_and_changes_several_things_at_once() {
    let place = Place::new();
    place.json(&["space", "create", "tasks"]);
    place.json(&["grant", "tasks", "amy", "write"]);
    let said = exec(
        &place,
        r#"
made = space.transaction([
    {"put": "lay the floor", "as": "floor", "metadata": {"status": "open"}},
    {"put": "paint the walls", "metadata": {"status": "open"},
     "references": {"blocked_by": "@floor"}},
])
print(len(made), made[1].references["blocked_by"] == [made[0].id])
task = space.claim("walls", metadata={"status": "open"}, set={"status": "doing"})
print(task.content, task.metadata["status"], task.lease["token"], task.version)
free = space.claim(metadata={"status": "open"}, references={"blocked_by": {"status": "done"}})
print(free.content, free.lease["token"])
print(space.claim(metadata={"status": "open"}))
print([it["token"] for it in space.leases()])
"#,
    );
    let lines: Vec<&str> = said["printed"].as_str().unwrap().lines().collect();
    let expected = ["2 True", "paint the walls doing 1 2", "lay the floor 2", "None", "[1, 2]"];
    assert_eq!(lines, expected);
    // The next action knows the leases still; a transaction with something wrong changes nothing.
    let said = exec(
        &place,
        r#"
try:
    space.transaction([{"update": task, "metadata": {"status": "done"}},
                       {"update": free, "metadata": {"status": "done"}, "expect": {"status": "no"}}])
except Conflict as error:
    print("nothing", space.get(task.id).metadata["status"])
try:
    space.update(free, metadata={"status": "x"}, expect={"status": "shut"})
except Conflict as error:
    print("unexpected", "status" in str(error))
space.update(free, metadata={"status": "done"}, expect={"status": "open"})
space.release(task, undo=True)
print(space.get(task.id).metadata["status"], len(space.leases()))
lease = space.acquire("deploy/production", lease="1h", intent="roll out")
try:
    space.acquire("deploy/production")
except Conflict as error:
    print("held", "deploy/production" in str(error))
print(space.renew("deploy/production", lease="2h")["until"] > lease["until"])
space.release("deploy/production")
try:
    space.renew("deploy/production", token=lease["token"])
except Conflict as error:
    print("over")
"#,
    );
    let lines: Vec<&str> = said["printed"].as_str().unwrap().lines().collect();
    assert_eq!(lines, ["nothing doing", "unexpected True", "open 1", "held True", "True", "over"]);
    // A lease that has run out meanwhile: what rests on it changes nothing.
    let said = exec(
        &place,
        r#"
task = space.claim(metadata={"status": "open"}, set={"status": "doing"}, lease=1)
print(task.content)
"#,
    );
    assert_eq!(said["printed"], "paint the walls\n");
    let serve = place.serve();
    let watch = place.start(&["watch", "tasks", "--cursor", "0", "--type", "lease.expired"], b"");
    watch.wait_for("that it has run out", |out| out.contains("lease.expired"));
    let said = exec(
        &place,
        r#"
try:
    space.update(task, metadata={"status": "done"}, force=True)
except Conflict as error:
    print(error)
"#,
    );
    assert!(said["printed"].as_str().unwrap().contains("has ended"), "{said}");
    assert_eq!(status(&place, "open"), 1);
    drop((serve, watch));
    assert_eq!(place.json(&["audit"])[0]["breaches"], json!([]));
}

/// References in a circle, or of an atom to itself, end every search and claim that follows them;
/// what is out of use is claimed by nobody.
#[test]
fn what_refers_in_a_circle_or_is_out_of_use_is_claimed_by_nobody() {
    let place = Place::new();
    place.json(&["space", "create", "tasks"]);
    let put = |text: &str| {
        let put = place.json(&["put", "tasks", text, "--meta", "status=open"]).remove(0);
        put["id"].as_str().unwrap().to_owned()
    };
    let (one, other, own, gone) = (put("one"), put("other"), put("own"), put("gone"));
    for (from, to) in [(&one, &other), (&other, &one), (&own, &own)] {
        let blocked = format!("blocked_by={to}");
        place.json(&["update", from, "--ref", &blocked, "--force"]);
    }
    place.json(&["deprecate", &gone, "--force"]);
    let free = ["--meta", "status=open", "--ref", "blocked_by:status=completed"];
    let claim = place.stoa(&[&["claim", "tasks"], &free[..]].concat());
    assert_eq!((claim.code, claim.err.contains("nothing to claim")), (3, true), "{}", claim.err);
    let claim = place.stoa(&[&["claim", "tasks", "gone"], &free[..]].concat());
    assert_eq!(claim.code, 3, "by meaning as well: {}", claim.err);
    assert_eq!(place.json(&[&["search", "tasks"], &free[..]].concat()), Vec::<Value>::new());
    let reverse = ["search", "tasks", "--ref", "any:<-blocked_by:status=open"];
    assert_eq!(place.json(&reverse).len(), 3);
    let lease = place.stoa(&["lease", "acquire", "tasks", &gone]);
    assert_eq!((lease.code, lease.err.contains("deprecated")), (5, true), "{}", lease.err);
    // Once one of the circle is done, so can the other be.
    place.json(&["update", &one, "--meta", "status=completed", "--force"]);
    let claimed = place.json(&[&["claim", "tasks"], &free[..]].concat());
    assert_eq!(claimed[0]["id"], json!(other));
}
