//! A subtree is stopped, and goes on.

use crate::provider::{FakeProvider, chat};
use crate::{place, until};

/// Brings up two children that wait for their model, and waits for its own.
const LEADS: &str = "I need help.\n```python\nfor n in range(2):\n    coordinator.spawn('wait', \
    name=f'helper{n}', model='fast')\n```";

#[test]
fn a_subtree_is_stopped_and_every_history_goes_on() {
    let provider = FakeProvider::streams(move |_, request, client| {
        let last = request.contains("Go on now.");
        match (request.contains("Lead them"), last) {
            (_, true) => client.tell(&chat("Done.", "stop")),
            (true, _) if !request.contains("I need help") => client.tell(&chat(LEADS, "stop")),
            _ => client.until_it_goes(),
        }
    });
    let place = place(&provider, "");
    let _serve = place.serve();
    let spawn = ["spawn", "Lead them", "--name", "lead", "--model", "fast"];
    place.json(&spawn);
    until("three that are asked", || provider.asked().len() == 4);
    let stopped = place.json(&["agent", "stop", "lead", "--subtree"]);
    assert_eq!(stopped.len(), 3, "{stopped:?}");
    let list = place.json(&["agent", "list"]);
    assert_eq!(list.len(), 3, "{list:?}");
    assert!(list.iter().all(|it| it["state"] == "stopped"), "{list:?}");
    let again = place.json(&["agent", "stop", "lead", "--subtree"]);
    assert_eq!(again.len(), 3, "{again:?}");
    assert_eq!(provider.asked().len(), 4, "nobody is asked any more");
    for name in ["lead", "lead/helper0", "lead/helper1"] {
        place.json(&["agent", "say", name, "Go on now."]);
    }
    let resumed = place.json(&["agent", "resume", "lead", "--subtree"]);
    assert_eq!(resumed.len(), 3, "{resumed:?}");
    until("rest", || place.json(&["agent", "list"]).iter().all(|it| it["state"] == "idle"));
    for request in &provider.asked()[4..] {
        assert!(request.contains("You were stopped"), "it knows that it was cut: {request}");
    }
}
