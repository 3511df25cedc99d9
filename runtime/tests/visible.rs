//! What a person sees who does not look into a log: what failed, who runs the agents, whom a write
//! wakes, which process has the directory, and what the library says of itself.

#[path = "visible/diagnostics.rs"]
mod diagnostics;
#[path = "visible/failures.rs"]
mod failures;
mod harness;
#[path = "visible/older.rs"]
mod older;
#[path = "visible/woken.rs"]
mod woken;

use harness::{Place, Started};
use serde_json::Value;

/// A space with a recipe, and one to work in.
fn recipe(place: &Place, name: &str, python: &str) {
    place.json(&["space", "create", name]);
    place.json(&["put", name, &format!("```python\n{python}\n```")]);
}

/// One agent as it is shown.
fn shown(place: &Place, agent: &str) -> Value {
    place.json(&["agent", "show", agent]).remove(0)
}

/// Waits until a command says so: what it waits for happens in another process, without a sign.
fn until(what: &str, mut so: impl FnMut() -> bool) {
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
    while !so() {
        assert!(std::time::Instant::now() < deadline, "not reached: {what}");
    }
}

/// Keeps the directory open for people.
fn serve(place: &Place) -> Started {
    let serve = place.start(&["serve"], b"");
    until("that it serves", || place.path("data/stoa.sock").exists());
    serve
}
