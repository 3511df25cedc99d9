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
