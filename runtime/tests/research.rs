//! `stoa research`: answered with the lines each sentence stands on, cut off and gone on with,
//! refused, and led to its end without those who fail.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod harness;

use harness::{Ended, Place};
use rustix::process::Signal;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};

/// So many runs must really be cut off.
const KILLS: u64 = 30;

const BREAD: &str = "# Baking bread\n\nYeast needs warmth. The dough must rest for two hours before it is\nshaped, or the crumb stays dense.\n\n## Salt\n\nSalt slows the yeast down. Add two grams for every hundred grams of flour.\n";
const TIDES: &str = "Tides\n=====\n\nThe moon pulls the sea. A spring tide comes when sun and moon\nstand in one line, twice in every month.\n\nA neap tide is the weakest; it follows the half moon.\n";
const QUESTION: &str = "How long must the dough rest before it is shaped?";

fn library() -> Place {
    let place = Place::new();
    std::fs::create_dir(place.path("docs")).unwrap();
    place.file("docs/bread.md", BREAD);
    place.file("docs/tides.txt", TIDES);
    place
}

fn research(place: &Place, question: &str, more: &[&str]) -> Ended {
    place.stoa(&[&["research", question, "--files", "docs"], more].concat())
}

fn report(place: &Place, question: &str, more: &[&str]) -> Value {
    let ended = research(place, question, &[more, &["--json"]].concat());
    assert_eq!(ended.code, 0, "{ended:?}");
    ended.lines().remove(0)
}

/// Every word of every cited sentence stands on the lines that are cited.
fn check_citations(report: &Value) {
    for it in report["citations"].as_array().unwrap() {
        let file = std::fs::read_to_string(it["path"].as_str().unwrap()).unwrap();
        let (first, last) = (it["line"].as_u64().unwrap(), it["last"].as_u64().unwrap());
        let lines: Vec<&str> = file.lines().collect();
        let cited = lines[first as usize - 1..last as usize].join(" ");
        for word in it["text"].as_str().unwrap().split_whitespace() {
            assert!(cited.contains(word), "{word:?} of {it} is not in {cited:?}");
        }
    }
}

fn of_kind(place: &Place, space: &str, kind: &str) -> Vec<Value> {
    place.json(&["search", space, "--meta", &format!("kind={kind}"), "--limit", "1000"])
}

/// What was found, whoever found it.
fn findings(place: &Place, run: &str) -> BTreeSet<(String, String, u64)> {
    let found = of_kind(place, &format!("{run}-findings"), "finding");
    let key = |it: &Value| {
        let path = Path::new(it["metadata"]["path"].as_str().unwrap());
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let line = it["metadata"]["line"].as_u64().unwrap();
        (it["content"].as_str().unwrap().to_owned(), name, line)
    };
    found.iter().map(key).collect()
}

#[test]
fn an_answer_names_the_lines_it_stands_on_and_is_kept() {
    let place = library();
    let first = report(&place, QUESTION, &[]);
    assert_eq!(first["found"], true, "{first}");
    assert_eq!(first["how"], "Worked");
    check_citations(&first);
    let best = &first["citations"][0];
    assert!(best["path"].as_str().unwrap().ends_with("docs/bread.md"));
    assert_eq!((best["line"].as_u64(), best["last"].as_u64()), (Some(3), Some(4)));
    assert_eq!(first["agents"], 5, "three researchers, a coordinator and a synthesiser");
    let text = research(&place, QUESTION, &[]);
    assert!(text.out.contains("two hours before it is shaped"), "{text:?}");
    assert!(text.out.contains("[docs/bread.md:3]"), "{text:?}");
    assert!(text.err.contains("the stored answer"), "{text:?}");
    // Every task was closed by what it refers to.
    let run = first["run"].as_str().unwrap();
    let tasks = of_kind(&place, &format!("{run}-tasks"), "task");
    assert_eq!(tasks.len(), 4);
    for task in &tasks {
        assert_eq!(task["metadata"]["status"], "completed");
        assert_eq!(task["references"]["closed_by"].as_array().unwrap().len(), 1);
    }
    let states: Vec<Value> = place.json(&["agent", "list"]);
    assert_eq!(states.len(), 5);
    assert!(states.iter().all(|it| it["state"] == "idle"), "{states:?}");
    // The order of the paths and a repetition make no other run; a change of a file does.
    let stored = place.json(&["research", QUESTION, "--files", "docs", "docs"]).remove(0);
    assert_eq!((&stored["how"], &stored["text"]), (&json!("Stored"), &first["text"]));
    place.file("docs/bread.md", BREAD.replace("two hours", "three hours"));
    let changed = report(&place, QUESTION, &[]);
    assert_eq!(changed["how"], "Worked");
    assert!(changed["text"].as_str().unwrap().contains("three hours"), "{changed}");
    assert_eq!(report(&place, QUESTION, &["--fresh"])["how"], "Worked");
    assert!(place.json(&["audit"])[0]["breaches"].as_array().unwrap().is_empty());
}

#[test]
fn what_the_documents_do_not_hold_is_not_made_up() {
    let place = library();
    let said = report(&place, "Which port does the PostgreSQL server listen on?", &[]);
    assert_eq!(said["found"], false, "{said}");
    check_citations(&said);
    let none = research(&place, "qwxz vbnk", &[]);
    assert_eq!((none.code, none.out.as_str()), (0, "The documents do not answer this.\n"));
}

#[test]
fn a_run_that_is_killed_goes_on_and_finds_the_same() {
    let calm = library();
    let begun = Instant::now();
    let run = report(&calm, QUESTION, &[])["run"].as_str().unwrap().to_owned();
    // The instants are drawn over what a whole run takes on this machine, however fast it is.
    let whole = u64::try_from(begun.elapsed().as_micros()).unwrap();
    let expected = findings(&calm, &run);
    assert!(!expected.is_empty());
    let mut draw: u64 = 0x5eed;
    let mut cut = 0;
    let mut round = 0;
    while cut < KILLS {
        round += 1;
        assert!(round <= 4 * KILLS, "only {cut} runs of {} were cut off", 2 * (round - 1));
        let place = library();
        // Killed at a random instant, twice, then let go on.
        for _ in 0..2 {
            draw = draw
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let started = place.start(&["research", QUESTION, "--files", "docs", "--json"], b"");
            // No synchronisation: the instant is what is drawn.
            std::thread::park_timeout(Duration::from_micros((draw >> 33) % whole));
            started.signal(Signal::KILL);
            cut += u64::from(started.end().code != 0);
        }
        let last = report(&place, QUESTION, &[]);
        let run = last["run"].as_str().unwrap();
        assert_eq!(findings(&place, run), expected, "round {round}");
        check_citations(&last);
        let tasks = of_kind(&place, &format!("{run}-tasks"), "task");
        assert_eq!(tasks.len(), 4, "round {round}: {tasks:?}");
        for task in &tasks {
            let closed = task["references"]["closed_by"].as_array().unwrap().len();
            assert_eq!((closed, &task["metadata"]["status"]), (1, &json!("completed")));
        }
        let answers = of_kind(&place, &format!("{run}-findings"), "answer");
        assert_eq!(answers.len(), 1, "round {round}");
        let closings = of_kind(&place, &format!("{run}-findings"), "closing");
        assert_eq!(closings.len(), 3, "round {round}: no task was done twice");
        assert!(place.json(&["audit"])[0]["breaches"].as_array().unwrap().is_empty());
    }
}

/// The recipe of the researchers, with a first line of one's own.
fn sabotage(place: &Place, line: &str) {
    let atom = place.json(&["search", "research-researcher"]).remove(0);
    let text =
        atom["content"].as_str().unwrap().replacen("```python", &format!("```python\n{line}"), 1);
    place.file("sabotage.md", text);
    let id = atom["id"].as_str().unwrap();
    place.json(&["update", id, "--file", "sabotage.md", "--force"]);
}

#[test]
fn a_researcher_who_fails_is_replaced_and_at_last_done_without() {
    let place = library();
    report(&place, "What is a neap tide?", &[]);
    // The text of the instructions is the user's from now on: a new build leaves it alone.
    sabotage(
        &place,
        "import json\nif json.loads(task)['query'] == json.loads(task)['question']:\n    1 / 0",
    );
    let said = report(&place, QUESTION, &[]);
    assert_eq!((&said["found"], &said["failed"]), (&json!(true), &json!(1)), "{said}");
    assert!(said["text"].as_str().unwrap().contains("Without the researchers of task 1"));
    assert_eq!(said["agents"], 6, "one was replaced");
    let states = place.json(&["agent", "list"]);
    let out: Vec<&Value> = states.iter().filter(|it| it["state"] == "quarantined").collect();
    assert_eq!(out.len(), 2, "the first and who replaced it: {states:?}");
    assert!(out[0]["why"].as_str().unwrap().contains("ZeroDivisionError"));
}

#[test]
fn a_crew_that_fails_whole_ends_in_a_plain_error() {
    let place = library();
    report(&place, "What is a neap tide?", &[]);
    let atom = place.json(&["search", "research-coordinator"]).remove(0);
    let id = atom["id"].as_str().unwrap();
    for broken in ["```python\n1 / 0\n```", "```python\nthis is no python\n```", "no recipe at all"]
    {
        place.file("broken.md", broken);
        place.json(&["update", id, "--file", "broken.md", "--force"]);
        let ended = research(&place, QUESTION, &["--fresh"]);
        assert_eq!(ended.code, 7, "{broken}: {ended:?}");
        assert!(ended.err.contains("came to rest without an answer"), "{ended:?}");
        assert!(ended.err.contains("hint: stoa --data data agent log run-"), "{ended:?}");
    }
}

#[test]
fn what_cannot_be_asked_is_refused_and_nothing_is_begun() {
    let place = library();
    std::fs::create_dir(place.path("empty")).unwrap();
    std::fs::create_dir(place.path("binaries")).unwrap();
    place.file("binaries/a.out", b"\x7fELF\0\0\0\0");
    let long = "x".repeat(100_000);
    let cases: [(&[&str], &str); 8] = [
        (&["research", "", "--files", "docs"], "the question is empty"),
        (&["research", "  ", "--files", "docs"], "the question is empty"),
        (&["research", &long, "--files", "docs"], "the limit is 8192"),
        (&["research", QUESTION, "--files", "nowhere"], "cannot read nowhere"),
        (&["research", QUESTION, "--files", "empty"], "empty"),
        (&["research", QUESTION, "--files", "binaries"], "binaries"),
        (&["research", QUESTION, "--files", "docs", "--agents", "0"], "0 researchers cannot be"),
        (&["research", QUESTION, "--files", "docs", "--agents", "10000"], "from 1 to 64 can"),
    ];
    for (args, says) in cases {
        let ended = place.stoa(args);
        assert!(matches!(ended.code, 2 | 3), "{args:?}: {ended:?}");
        assert!(ended.err.contains(says), "{args:?}: {ended:?}");
        assert!(ended.err.contains("hint: stoa --data data research"), "{args:?}: {ended:?}");
        assert_eq!(ended.out, "");
    }
    let unknown = research(&place, QUESTION, &["--model", "clever"]);
    assert!(unknown.err.contains("model \"clever\" is not configured; there are: recipe"));
    assert_eq!(place.json(&["agent", "list"]), Vec::<Value>::new());
}

#[test]
fn a_second_terminal_looks_on_and_speaks() {
    let place = library();
    let serve = place.serve();
    let watch = place.start(&["watch", "--cursor", "0"], b"");
    let said = report(&place, QUESTION, &[]);
    assert_eq!(said["found"], true);
    assert_eq!(place.json(&["status"])[0]["pid"], serve.pid());
    let run = said["run"].as_str().unwrap();
    watch.wait_for("what agents think and the last task's end", |out| {
        // Not the code, which says it too.
        out.contains("turn.thought") && out.contains("\"comment\":\"the answer is there\"")
    });
    // The coordinator hears what is said to it: one more turn.
    let turns = |place: &Place| place.json(&["agent", "show", run])[0]["turns"].as_u64().unwrap();
    let before = turns(&place);
    let word = place.json(&["agent", "say", run, "thank you"]).remove(0);
    assert_eq!(word["content"], "thank you");
    watch.wait_for("the turn that the word has set off", |out| {
        let last = format!("turn {}, woken by 1: say: thank you", before + 1);
        out.contains(&last)
    });
    let tree = place.stoa(&["agent", "tree"]);
    assert!(tree.out.contains(&format!("\n  {run}-researcher-1")), "{tree:?}");
    let agents = &place.json(&["status"])[0]["agents"];
    let all: u64 = agents.as_object().unwrap().values().map(|it| it.as_u64().unwrap()).sum();
    assert_eq!(all, 5, "{agents}");
    assert_eq!(place.json(&["agent", "wipe", run, "--yes"])[0]["wiped"], 5);
    drop(watch);
    serve.signal(Signal::TERM);
    assert_eq!(serve.end().code, 0);
}
