//! Many processes at once: one winner each time, also when their owner is killed.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod harness;

use harness::{Ended, Place, Started};
use rustix::process::Signal;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

const PROCESSES: usize = 16;
const TASKS: usize = 64;

/// The recipe of seed 000 until nothing is left to claim; `WORK` is where a claimer takes its time.
const CLAIM: &str = r#"
def pending():
    return space.search(metadata={"status": "pending"}, limit=1000)

lost = 0
tasks = pending()
while tasks:
    for task in tasks:
        blockers = space.references(task.id, relation="blocked_by")
        if all(b.metadata["status"] == "completed" for b in blockers):
            WORK
            try:
                space.update(task.id, metadata={"status": "in_progress", "owner": "me"})
                print("won", task.id)
            except Conflict:
                lost += 1
    tasks = pending()
print("lost", lost)
"#;

fn id(answer: &Value) -> String {
    answer["id"].as_str().unwrap().to_owned()
}

/// A space `tasks`, and the sessions `w0`, `w1`, … that may write there: their ids.
fn workers(place: &Place) -> Vec<String> {
    place.json(&["space", "create", "tasks"]);
    let session = |n: usize| {
        let granted = &place.json(&["grant", "tasks", &format!("w{n}"), "write"])[0];
        granted["session"].as_str().unwrap().to_owned()
    };
    (0..PROCESSES).map(session).collect()
}

/// So many tasks more, all pending.
fn put_tasks(place: &Place) {
    let put = format!(
        "for n in range({TASKS}): space.put(f'task {{n}}', metadata={{'status': 'pending'}})"
    );
    place.file("put.py", put);
    place.json(&["exec", "put.py", "--spaces", "tasks=append"]);
}

/// Each session runs the file, all at once.
fn start_all(place: &Place, file: &str) -> Vec<Started> {
    let start = |n: usize| {
        let session = format!("w{n}");
        place.start(&["exec", file, "--session", &session, "--spaces", "tasks=write"], b"")
    };
    (0..PROCESSES).map(start).collect()
}

fn end_all(started: Vec<Started>) -> Vec<Ended> {
    started.into_iter().map(Started::end).collect()
}

/// The second words of the lines that begin with the first.
fn said<'a>(ended: &'a Ended, first: &str) -> Vec<&'a str> {
    let words = ended.out.lines().filter_map(|it| it.split_once(' '));
    words.filter(|(word, _)| *word == first).map(|(_, second)| second).collect()
}

/// Every task as it is now.
fn tasks(place: &Place) -> Vec<Value> {
    let history = place.json(&["history", "tasks", "--limit", "10000"]);
    let put = history.iter().filter(|it| it["type"] == "atom.put");
    put.map(|it| place.json(&["get", it["refs"]["atom_id"].as_str().unwrap()]).remove(0)).collect()
}

/// Every task was claimed once: by whom.
fn assert_claimed_once(
    place: &Place,
    sessions: &[String],
    count: usize,
) -> BTreeMap<String, String> {
    let tasks = tasks(place);
    assert_eq!(tasks.len(), count);
    for task in &tasks {
        assert_eq!(
            (&task["version"], &task["metadata"]["status"]),
            (&2.into(), &"in_progress".into())
        );
        assert!(sessions.iter().any(|it| task["author"] == **it), "{task}");
    }
    assert_eq!(place.json(&["audit"])[0]["breaches"], json!([]));
    tasks.iter().map(|it| (id(it), it["author"].as_str().unwrap().to_owned())).collect()
}

/// Nobody says that it won what another one has; all that was said to be won.
fn assert_honest(
    winners: &BTreeMap<String, String>,
    said_won: &[(usize, String)],
    sessions: &[String],
) {
    let all: BTreeSet<&String> = said_won.iter().map(|(_, id)| id).collect();
    assert_eq!(all.len(), said_won.len(), "nothing is won twice");
    for (n, id) in said_won {
        assert_eq!(winners[id], sessions[*n], "w{n} says that it won {id}");
    }
}

fn won(ended: &[Ended]) -> Vec<(usize, String)> {
    let each = ended.iter().enumerate();
    each.flat_map(|(n, it)| said(it, "won").into_iter().map(move |id| (n, id.to_owned()))).collect()
}

#[test]
fn sixteen_puts_at_once_are_sixteen_atoms() {
    let place = Place::new();
    place.json(&["space", "create", "tasks"]);
    place.json(&["grant", "tasks", "bob", "append"]);
    let puts = |args: &dyn Fn(usize) -> Vec<String>| {
        let started: Vec<Started> = (0..PROCESSES).map(|n| place.start(&args(n), b"")).collect();
        let ended = end_all(started);
        for it in &ended {
            assert_eq!((it.code, &*it.err), (0, ""), "{}", it.out);
        }
        ended.iter().map(|it| id(&it.lines()[0])).collect::<BTreeSet<_>>()
    };
    let words = |line: String| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
    let atoms = puts(&|n| words(format!("put tasks text{n} --json")));
    assert_eq!(atoms.len(), PROCESSES);
    let one = puts(&|_| words("--as bob put tasks same --key once --meta n=1 --json".into()));
    assert_eq!(one.len(), 1, "one key, one atom, and everybody is told which");
    let found: BTreeSet<String> = tasks(&place).iter().map(id).collect();
    assert_eq!(found, &atoms | &one);
    assert_eq!(place.json(&["audit"])[0]["breaches"], json!([]));
}

#[test]
fn every_task_is_claimed_once_by_the_naive_recipe() {
    let place = Place::new();
    let sessions = workers(&place);
    put_tasks(&place);
    place.file("claim.py", CLAIM.replace("WORK", "pass"));
    let ended = end_all(start_all(&place, "claim.py"));
    for it in &ended {
        assert_eq!((it.code, &*it.err), (0, ""), "{}", it.out);
    }
    let winners = assert_claimed_once(&place, &sessions, TASKS);
    let won = won(&ended);
    assert_honest(&winners, &won, &sessions);
    assert_eq!(won.len(), TASKS, "every winner knows");
}

#[test]
fn whoever_comes_second_gets_a_conflict() {
    let place = Place::new();
    let sessions = workers(&place);
    put_tasks(&place);
    // Everybody has read every task before anybody claims one.
    let (read, claim) = CLAIM.split_once("while tasks:").unwrap();
    place.file("read.py", read);
    let (once, _) = claim.split_once("    tasks = pending()").unwrap();
    let claim = format!("if tasks:{once}print('lost', lost)").replace("WORK", "pass");
    place.file("claim.py", claim);
    for ended in end_all(start_all(&place, "read.py")) {
        assert_eq!((ended.code, &*ended.err), (0, ""));
    }
    let ended = end_all(start_all(&place, "claim.py"));
    for (n, it) in ended.iter().enumerate() {
        assert_eq!((it.code, &*it.err), (0, ""), "{}", it.out);
        let lost: usize = said(it, "lost")[0].parse().unwrap();
        assert_eq!(said(it, "won").len() + lost, TASKS, "w{n} tried each task once");
    }
    let winners = assert_claimed_once(&place, &sessions, TASKS);
    let won = won(&ended);
    assert_honest(&winners, &won, &sessions);
    assert_eq!(won.len(), TASKS, "each of them had one winner");
}

/// The claims that a follower has been told of: task and claimer.
fn told(watch: &str) -> BTreeMap<String, String> {
    let line = |line: &str| -> Option<(String, String)> {
        let change: Value = serde_json::from_str(line).ok()?;
        let by = change["actor"]["session_id"].as_str()?.strip_prefix("sess:")?.to_owned();
        Some((change["refs"]["atom_id"].as_str()?.to_owned(), by))
    };
    watch.lines().filter_map(line).collect()
}

const WATCH: [&str; 6] = ["watch", "tasks", "--cursor", "0", "--type", "atom.updated"];

#[test]
fn a_killed_owner_costs_no_claim_and_makes_none_twice() {
    let place = Place::new();
    let sessions = workers(&place);
    place.file("claim.py", CLAIM.replace("WORK", "for n in range(100000): pass"));
    let (mut claims, mut said_won) = (BTreeMap::new(), Vec::new());
    // First a process that only serves is killed, then one that has something to do itself.
    for only_serves in [true, false] {
        put_tasks(&place);
        let serve = only_serves.then(|| place.serve());
        let watch = place.start(&WATCH, b"");
        watch.wait_for("that it follows", |out| only_serves || !out.is_empty());
        let owner = serve.as_ref().unwrap_or(&watch);
        assert_eq!(place.json(&["status"])[0]["pid"], owner.pid());
        let started = start_all(&place, "claim.py");
        let more = claims.len() + 4;
        watch.wait_for("a few claims", |out| told(out).len() >= more);
        owner.signal(Signal::KILL);
        let ended = end_all(started);
        if only_serves {
            // It has gone on with whoever had the directory next, or has it itself.
            watch.signal(Signal::INT);
        }
        claims = told(&watch.end().out);
        let lost = ended.iter().filter(|it| it.code == 6).count();
        assert!(lost > 0, "somebody was in the middle");
        for it in &ended {
            let says = "hint: stoa --data data status\n";
            assert!(it.code == 0 || (it.code == 6 && it.err.ends_with(says)), "{it:?}");
        }
        said_won.extend(won(&ended));
    }
    let ended = end_all(start_all(&place, "claim.py"));
    for it in &ended {
        assert_eq!((it.code, &*it.err), (0, ""), "{}", it.out);
    }
    said_won.extend(won(&ended));
    let winners = assert_claimed_once(&place, &sessions, 2 * TASKS);
    assert_honest(&winners, &said_won, &sessions);
    for (task, by) in &claims {
        assert_eq!(&winners[task], by, "what a follower has been told stays");
    }
}
