//! Every recipe of every convention runs, as it is written, in a space that follows it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod harness;

use harness::Place;
use rustix::process::Signal;
use serde_json::json;
use stoa_conventions::ALL;

/// What stands between fences of Python.
fn recipes(text: &str) -> Vec<&str> {
    let after = text.split("```python\n").skip(1);
    after.map(|it| it.split_once("```").unwrap().0).collect()
}

#[test]
fn every_recipe_runs_in_a_space_that_follows_its_convention() {
    let place = Place::new();
    place.json(&["space", "create", "first"]);
    let serve = place.serve();
    assert_eq!(place.json(&["status"])[0]["pid"], serve.pid());
    for (name, text) in ALL {
        // What it declares stands in front.
        let title =
            text.strip_prefix("---\n").map_or(text, |it| it.split_once("\n---\n").unwrap().1);
        assert!(title.starts_with("# "), "{name} has a title");
        place.json(&["space", "create", name, &format!("--description={text}")]);
        for n in 0..3 {
            let task = ["--meta", "kind=task", "--meta", "status=pending"];
            place.json(&[&["put", name, &format!("task {n}")], &task[..]].concat());
            let finding = ["--meta", "kind=finding", "--meta", "path=a", "--meta", "line=1"];
            place.json(&[&["put", name, "what was asked"], &finding[..]].concat());
            let run = ["--meta", "kind=run", "--meta", "status=running", "--meta", "coordinator=a"];
            place.json(&[&["put", name, "a question"], &run[..]].concat());
        }
        let recipes = recipes(text);
        assert!(!recipes.is_empty(), "{name} shows how");
        // In the order in which they are told, in one session: they go on from each other.
        for (n, recipe) in recipes.iter().enumerate() {
            place.file("recipe.py", recipe);
            let spaces = format!("{name}=write");
            let session = format!("{name} worker");
            let args = ["exec", "recipe.py", "--session", &session, "--spaces", &spaces];
            let ended = place.stoa(&args);
            assert_eq!((ended.code, &*ended.err), (0, ""), "recipe {n} of {name}:\n{recipe}");
        }
    }
    let done = place.json(&["search", "task-list", "--meta", "status=completed"]);
    assert_eq!(done.len(), 1, "one was completed");
    assert_eq!(place.json(&["search", "task-list", "--meta", "status=in_progress"]).len(), 1);
    assert!(place.json(&["lease", "list", "task-list"]).is_empty(), "and given back");
    assert!(place.json(&["lease", "list", "locks"]).is_empty());
    serve.signal(Signal::TERM);
    serve.end();
    assert_eq!(place.json(&["audit"])[0]["breaches"], json!([]));
}
