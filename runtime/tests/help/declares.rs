//! What a space declares, and what is done by it: order, attempts, circles, and what a task waits
//! for.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use super::harness::Place;
use serde_json::json;

fn place() -> Place {
    let place = Place::new();
    let declare = "priority:number,status:text,blocked_by:relation:acyclic";
    place.json(&["space", "create", "tasks", "--declare", declare]);
    place
}

fn put(place: &Place, text: &str, more: &[&str]) -> String {
    let line = [&["put", "tasks", text, "--meta", "status=open"], more].concat();
    place.json(&line)[0]["id"].as_str().unwrap().to_owned()
}

#[test]
fn what_is_declared_is_shown_and_added_to() {
    let place = place();
    let shown = |place: &Place| place.json(&["space", "show", "tasks"])[0]["declares"].clone();
    let first = json!(["priority:number", "status:text", "blocked_by:relation:acyclic"]);
    assert_eq!(shown(&place), first);
    place.json(&["space", "describe", "tasks", "--declare", "owner:text"]);
    assert_eq!(shown(&place).as_array().unwrap().len(), 4);
    place.json(&["space", "describe", "tasks", "what is to do"]);
    assert_eq!(shown(&place).as_array().unwrap().len(), 4, "a description declares nothing away");
    for wrong in ["priority", "priority:colour", "a:relation:ordered", ":number"] {
        let refused = place.stoa(&["space", "describe", "tasks", "--declare", wrong]);
        assert_eq!(refused.code, 2, "{wrong}: {refused:?}");
        assert!(refused.err.contains("hint: "), "{refused:?}");
    }
}

#[test]
fn a_condition_that_is_misspelt_claims_nothing() {
    let place = place();
    let first = put(&place, "first", &[]);
    let blocked = put(&place, "second", &["--ref", &format!("blocked_by={first}")]);
    let misspelt = ["claim", "tasks", "--ref", "blockedby:status=completed"];
    let refused = place.stoa(&misspelt);
    assert_eq!(refused.code, 2, "{refused:?}");
    assert!(refused.err.contains("blocked_by"), "the nearest is named: {refused:?}");
    let refused = place.stoa(&["search", "tasks", "--meta", "prority>=1"]);
    assert!(refused.code == 2 && refused.err.contains("priority"), "{refused:?}");
    // What the one waits for is one question; and once that is gone, it is told.
    let waits = |id: &str| place.json(&["waits", id, "--ref", "blocked_by:status=completed"]);
    let told = &waits(&blocked)[0];
    assert_eq!((&told["ready"], &told["stuck"]), (&json!(false), &json!(false)), "{told}");
    assert_eq!(told["blockers"][0]["target"], *first);
    assert_eq!(waits(&first)[0]["ready"], true);
    place.json(&["erase", &first, "--yes"]);
    let told = &waits(&blocked)[0];
    assert_eq!(
        (&told["stuck"], &told["blockers"][0]["why"]),
        (&json!(true), &json!("gone: erased"))
    );
    let nothing = place.stoa(&[
        "claim",
        "tasks",
        "--meta",
        "status=open",
        "--ref",
        "blocked_by:status=completed",
    ]);
    assert_eq!(nothing.code, 3, "{nothing:?}");
    assert!(nothing.err.contains(&format!(" waits {blocked}`")), "{nothing:?}");
}

/// A slip was accepted without a word, and counted as used from then on.
#[test]
fn what_is_written_and_not_declared_is_told() {
    let place = place();
    let words = ["put", "tasks", "x", "--meta", "statsu=open", "--meta", "priority=high"];
    let said = place.stoa(&words);
    assert_eq!(said.code, 0, "{said:?}");
    for note in [
        "note: this space declares no key \"statsu\"; it declares \"status\"",
        "note: the key \"priority\" is declared as number, and this is a text: it comes last in an \
         order",
    ] {
        assert!(said.err.contains(note), "{said:?}");
    }
    let put = place.json(&words).remove(0);
    let told = |of: &serde_json::Value| {
        let all = of["undeclared"].as_array().cloned().unwrap_or_default();
        all.iter().map(|it| (it["name"].clone(), it["nearest"].clone())).collect::<Vec<_>>()
    };
    let slips = [(json!("priority"), json!(null)), (json!("statsu"), json!("status"))];
    assert_eq!(told(&put), slips);
    // An update is told of what it sets, and no more.
    let id = put["id"].as_str().unwrap();
    let fits = ["update", id, "--meta", "priority=3", "--meta", "statsu=null", "--force"];
    let updated = place.json(&fits).remove(0);
    assert_eq!((told(&updated), &updated["metadata"]), (vec![], &json!({"priority": 3})));
    let refers = ["update", id, "--ref", &format!("blocked={id}"), "--force"];
    let updated = place.json(&refers).remove(0);
    assert_eq!(told(&updated), [(json!("blocked"), json!("blocked_by"))]);
    // A transaction is told once, behind the last.
    let line = r#"{"put": "a", "metadata": {"colour": "red"}}"#;
    place.file("two.jsonl", format!("{line}\n{line}\n"));
    let written = place.json(&["transaction", "tasks", "two.jsonl"]);
    assert_eq!((told(&written[0]), told(&written[1]).len()), (vec![], 1), "{written:?}");
    // In a space without declarations nothing is a slip.
    place.json(&["space", "create", "notes"]);
    let put = place.json(&["put", "notes", "x", "--meta", "statsu=open"]).remove(0);
    assert_eq!(told(&put), []);
}

/// What is declared is nearer than what somebody has written; and the hint is what was typed, with
/// the one word mended.
#[test]
fn a_condition_is_typed_again_with_the_declared_name() {
    let place = place();
    place.json(&["put", "tasks", "x", "--meta", "statsu=open"]);
    let hint = |line: &[&str]| {
        let refused = place.stoa(line);
        assert_eq!(refused.code, 2, "{refused:?}");
        refused.err.lines().last().unwrap_or_default().to_owned()
    };
    let search = ["search", "tasks", "fence", "--meta", "statusu=open", "--limit", "3"];
    assert_eq!(
        hint(&search),
        "hint: stoa --data data search tasks fence --limit 3 --meta 'status=open'"
    );
    assert_eq!(
        hint(&["search", "tasks", "--meta", "prio>=3"]),
        "hint: stoa --data data search tasks --meta 'priority>=3'"
    );
    assert_eq!(
        hint(&["claim", "tasks", "--ref", "blockedby:status=done", "--meta", "status=open"]),
        "hint: stoa --data data claim tasks --meta 'status=open' --ref 'blocked_by:status=done'"
    );
    assert_eq!(
        hint(&["search", "tasks", "--order", "-priorty"]),
        "hint: stoa --data data search tasks --order -priority"
    );
}

#[test]
fn what_a_task_waits_for_is_told_with_what_it_is_now() {
    let place = place();
    let first = put(&place, "first", &[]);
    let second = put(&place, "second", &["--ref", &format!("blocked_by={first}")]);
    let said = place.stoa(&["waits", &second]);
    assert!(said.out.contains("refers to nothing that is gone"), "{said:?}");
    assert!(said.err.contains("--ref RELATION:KEY=VALUE"), "{said:?}");
    assert_eq!(place.json(&["waits", &second])[0]["only_gone"], true);
    let said = place.stoa(&["waits", &second, "--ref", "blocked_by:status=done"]);
    assert!(said.out.contains("not yet as it must be: status is \"open\""), "{said:?}");
    assert!(!said.err.contains("note:"), "{said:?}");
    let said = place.stoa(&["waits", &second, "--ref", "blocked_by:priority>=2"]);
    assert!(said.out.contains("priority is null"), "{said:?}");
}

#[test]
fn claims_and_searches_go_in_an_order_that_is_declared() {
    let place = place();
    for (text, priority) in [("low", "1"), ("high", "9"), ("middle", "5"), ("late", "9")] {
        put(&place, text, &["--meta", &format!("priority={priority}")]);
    }
    let texts = |order: &str| {
        let found = place.json(&["search", "tasks", "--order", order]);
        found.iter().map(|it| it["content"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(texts("-priority"), ["high", "late", "middle", "low"]);
    assert_eq!(texts("priority,-created"), ["low", "middle", "late", "high"]);
    let claim = ["claim", "tasks", "--meta", "status=open", "--set", "status=taken"];
    let taken = place.json(&[&claim[..], &["--order", "-priority"]].concat());
    assert_eq!(taken[0]["content"], "high");
    place.file("next.py", "space.claim(metadata={'status': 'open'}, order='-priority').content");
    let taken = place.json(&["exec", "next.py", "--spaces", "tasks=write"]);
    assert_eq!(taken[0]["value"], "'late'");
    let refused = place.stoa(&["search", "tasks", "--order", "colour"]);
    assert!(refused.code == 2 && refused.err.contains("colour"), "{refused:?}");
}

#[test]
fn a_task_that_was_tried_in_vain_is_put_out_of_the_way() {
    let place = place();
    let id = put(&place, "impossible", &[]);
    let claim = [
        "claim",
        "tasks",
        "--meta",
        "status=open",
        "--attempts-max",
        "2",
        "--exhausted",
        "status=failed",
    ];
    for attempt in 1..=2 {
        let taken = place.json(&claim).remove(0);
        assert_eq!(taken["attempts"], attempt);
        let token = taken["lease"]["token"].to_string();
        place.json(&["lease", "release", "tasks", &id, "--token", &token]);
    }
    assert_eq!(place.stoa(&claim).code, 3);
    let failed = &place.json(&["get", &id])[0];
    assert_eq!((&failed["metadata"]["status"], &failed["attempts"]), (&json!("failed"), &json!(2)));
    let again = ["update", &id, "--retry", "--meta", "status=open", "--force"];
    assert!(place.json(&again)[0].get("attempts").is_none());
    assert_eq!(place.json(&claim)[0]["attempts"], 1);
}

#[test]
fn a_circle_is_refused_at_the_write_that_closes_it() {
    let place = place();
    let first = put(&place, "first", &[]);
    let second = put(&place, "second", &["--ref", &format!("blocked_by={first}")]);
    let refused =
        place.stoa(&["update", &first, "--ref", &format!("blocked_by={second}"), "--force"]);
    assert_eq!(refused.code, 5, "{refused:?}");
    assert!(refused.err.contains(&second), "the way back is told: {refused:?}");
}

/// Each reads nothing of what the others add, and takes nothing of it away.
#[test]
fn what_many_declare_at_once_is_all_declared() {
    let place = place();
    let serve = place.serve();
    let declare = |n: u8| {
        place.start(&["space", "describe", "tasks", "--declare", &format!("k{n}:number")], b"")
    };
    let all: Vec<_> = (0..8).map(declare).collect();
    for it in all {
        let ended = it.end();
        assert_eq!(ended.code, 0, "{ended:?}");
    }
    let declares = place.json(&["space", "show", "tasks"])[0]["declares"].clone();
    assert_eq!(declares.as_array().unwrap().len(), 3 + 8, "{declares}");
    drop(serve);
}
