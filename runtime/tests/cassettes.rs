//! A run that was recorded is told again: by the command line, without a key and without a provider.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[expect(dead_code, reason = "each test uses a part of it")]
mod harness;
#[expect(dead_code, reason = "each test uses a part of it")]
#[path = "harness/provider.rs"]
mod provider;

use harness::{Ended, Place};
use provider::{FakeProvider, answers, chat, messages, ollama, responses};
use serde_json::Value;

const KEY: &str = "sk-open-sesame-0123456789";

/// Tells it ids, which differ from run to run.
const ACTS: &str = "I look.\n```python\natom = space.put('a fern')\nprint(atom, me)\n```";

/// A place of its own whose model is asked there.
fn place(url: &str, dialect: &str, key: bool) -> Place {
    let mut place = Place::new();
    place.variables.retain(|it| it.0 != "LAB_KEY");
    if key {
        place.variables.push(("LAB_KEY".to_owned(), KEY.to_owned()));
    }
    std::fs::create_dir_all(place.path("configuration/stoa")).unwrap();
    let text = format!(
        "[models.fast]\nmodel = \"lab/any\"\n\n[providers.lab]\nurl = \"{url}\"\n\
         dialect = \"{dialect}\"\nkey_env = \"LAB_KEY\"\n"
    );
    place.file("configuration/stoa/config.toml", text);
    place
}

fn spawn(place: &Place, flag: &str, file: &std::path::Path) -> Ended {
    let garden = ["space", "create", "garden"];
    place.json(&garden);
    let file = file.display().to_string();
    place.stoa(&[
        "spawn",
        "Plant it",
        "--name",
        "gardener",
        "--spaces",
        "garden=write",
        "--model",
        "fast",
        flag,
        &file,
    ])
}

/// What the agent thought, and what that took.
fn thoughts(place: &Place) -> Vec<Value> {
    let mut all = place.json(&["agent", "log", "gardener", "--code"]);
    all.retain(|it| it["type"] == "turn.thought");
    all.iter().map(|it| it["body"].clone()).collect()
}

const DEAD: &str = "http://127.0.0.1:9";

#[test]
fn a_recorded_run_is_told_again_without_a_key_and_without_a_provider() {
    type Says = fn(&str) -> String;
    let chat: Says = |text| chat(text, "stop");
    let dialects: [(&str, Says); 4] =
        [("chat", chat), ("anthropic", messages), ("responses", responses), ("ollama", ollama)];
    for (dialect, says) in dialects {
        // It fails once, and is asked again.
        let overloaded = answers(503, &[("retry-after", "1")], "{\"error\": \"busy\"}");
        let said = vec![overloaded, says(ACTS), says("It is planted.")];
        let provider = FakeProvider::says(said);
        let recorded = place(&provider.url, dialect, true);
        let cassette = recorded.path("run.jsonl");
        let ended = spawn(&recorded, "--record", &cassette);
        assert_eq!(ended.code, 0, "{dialect}: {}", ended.err);
        assert_eq!(provider.asked().len(), 3, "{dialect}");
        let written = std::fs::read_to_string(&cassette).unwrap();
        assert!(!written.contains("open-sesame"), "{written}");
        assert_eq!(written.lines().count(), 1 + 3, "{dialect}: {written}");
        let was = thoughts(&recorded);
        assert!(was.len() >= 2, "{was:?}");
        let replayed = place(DEAD, dialect, false);
        let ended = spawn(&replayed, "--replay", &cassette);
        assert_eq!(ended.code, 0, "{dialect}: {}", ended.err);
        assert_eq!(thoughts(&replayed), was, "{dialect}");
        assert_eq!(replayed.json(&["search", "garden"])[0]["content"], "a fern");
        assert_eq!(
            std::fs::read_to_string(&cassette).unwrap(),
            written,
            "nothing is written to it"
        );
    }
}

#[test]
fn a_run_that_asks_something_else_is_told_where_it_differs() {
    let provider = FakeProvider::says(vec![chat("It is planted.", "stop")]);
    let recorded = place(&provider.url, "chat", true);
    let cassette = recorded.path("run.jsonl");
    assert_eq!(spawn(&recorded, "--record", &cassette).code, 0);
    let other = place(DEAD, "chat", false);
    other.json(&["space", "create", "garden", "--description", "Only ferns"]);
    let file = cassette.display().to_string();
    let ended = other.stoa(&[
        "spawn",
        "Water it",
        "--name",
        "gardener",
        "--spaces",
        "garden=write",
        "--model",
        "fast",
        "--replay",
        &file,
    ]);
    assert_ne!(ended.code, 0, "{}", ended.out);
    let status = other.stoa(&["status"]).out;
    assert!(status.contains("the request differs at /messages/"), "{status}{}", ended.err);
    // Changed by hand, it is refused before anything is done.
    let edited = std::fs::read_to_string(&cassette).unwrap().replace("planted", "watered");
    std::fs::write(&cassette, edited).unwrap();
    let refused = spawn(&place(DEAD, "chat", false), "--replay", &cassette);
    assert_eq!(refused.code, 2, "{}", refused.err);
    assert!(refused.err.contains("line 2 is not as it was recorded"), "{}", refused.err);
    let missing = spawn(&place(DEAD, "chat", false), "--replay", &recorded.path("none.jsonl"));
    assert_eq!(missing.code, 3, "{}", missing.err);
}
