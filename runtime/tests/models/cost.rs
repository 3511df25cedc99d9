//! What models cost: reserved before a call, settled after it, and told by `stoa cost`.

use crate::harness::{Ended, Place};
use crate::provider::{FakeProvider, answers, chat};
use rustix::process::Signal;
use serde_json::Value;
use std::time::{Duration, Instant};

const ACTS: &str = "I look.\n```python\nspace.put('a fern')\n```";
/// What 900 tokens sent and 30 said cost, at 3 and 15 a million.
const CALL: f64 = 0.003_15;
const OUTPUT_MAX: u64 = 200;

const PRICE: &str = "[providers.lab.prices.any]\ninput = 3\noutput = 15\n";

fn place(provider: &FakeProvider, more: &str) -> Place {
    let place = Place::new();
    std::fs::create_dir_all(place.path("configuration/stoa")).unwrap();
    let url = &provider.url;
    let text = format!(
        "[models.fast]\nmodel = \"lab/any\"\noutput_max = {OUTPUT_MAX}\n\n[providers.lab]\n\
         url = \"{url}\"\ndialect = \"chat\"\n{more}"
    );
    place.file("configuration/stoa/config.toml", text);
    place.json(&["space", "create", "garden"]);
    place
}

fn spawn(place: &Place, budget: &str) -> Ended {
    let spawn = ["spawn", "Plant it", "--name", "gardener", "--spaces", "garden=write"];
    place.stoa(&[&spawn[..], &["--model", "fast", "--budget", budget]].concat())
}

fn agent(place: &Place) -> Value {
    place.json(&["agent", "show", "gardener"]).remove(0)
}

fn cost(place: &Place, more: &[&str]) -> Vec<Value> {
    place.json(&[&["cost"], more].concat())
}

fn is(found: &Value, wanted: f64) -> bool {
    (found.as_f64().unwrap() - wanted).abs() < 1e-9
}

#[test]
fn what_a_call_costs_is_told_by_agent_subtree_model_space_and_hour() {
    let provider = FakeProvider::says(vec![chat(ACTS, "stop"), chat("Planted.", "stop")]);
    let place = place(&provider, PRICE);
    let ended = spawn(&place, "money=1,tokens=50000,seconds=60");
    assert_eq!(ended.code, 0, "{ended:?}");
    let agent = agent(&place);
    assert!(is(&agent["spent"]["money"], 2.0 * CALL), "{agent}");
    assert!(is(&agent["left"]["money"], 1.0 - 2.0 * CALL), "{agent}");
    assert_eq!((&agent["left"]["tokens"], &agent["spent"]["turns"]), (&48_140.into(), &1.into()));
    assert!(agent["left"]["seconds"].as_f64().unwrap() < 60.0, "{agent}");
    let log = place.json(&["agent", "log", "gardener"]);
    let reserved = log.iter().filter(|it| it["type"] == "budget.reserved").count();
    assert_eq!(reserved, 2, "{log:?}");
    for by in ["agent", "subtree", "model", "space", "hour"] {
        let told = cost(&place, &["--by", by]);
        assert_eq!(told.len(), 1, "{by}: {told:?}");
        let (told, by) = (&told[0], &Value::from(by));
        assert_eq!((&told["by"], &told["calls"], &told["unknown"]), (by, &2.into(), &0.into()));
        assert_eq!((&told["tokens"], &told["input"]), (&1_860.into(), &1_800.into()), "{told}");
        assert!(is(&told["money"], 2.0 * CALL), "{told}");
    }
    assert_eq!(cost(&place, &["--by", "model"])[0]["name"], "fast");
    assert_eq!(cost(&place, &["gardener", "--within", "1h"])[0]["name"], "gardener");
    assert_eq!(cost(&place, &["--within", "0s"]), Vec::<Value>::new());
    let people = place.stoa(&["cost"]).out;
    assert!(people.contains("0.0063"), "{people}");
    let wrong = place.stoa(&["cost", "--by", "day"]);
    assert!(
        wrong.code == 2 && wrong.err.contains("agent, subtree, model, space, hour"),
        "{wrong:?}"
    );
    // What it cost is told of the dead as well.
    place.json(&["agent", "wipe", "gardener", "--yes"]);
    assert_eq!(cost(&place, &["--by", "subtree"])[0]["calls"], 2);
}

#[test]
fn a_call_that_may_take_more_than_there_is_is_not_made() {
    let provider = FakeProvider::says(vec![chat(ACTS, "stop"), chat("Planted.", "stop")]);
    let place = place(&provider, PRICE);
    let ended = spawn(&place, "money=0.004");
    // What is left would pay for it as it turns out; nobody knows that before.
    assert!(provider.asked().is_empty(), "{ended:?}");
    let card = agent(&place);
    assert_eq!(card["state"], "exhausted", "{card}");
    let why = card["why"].as_str().unwrap();
    assert!(why.contains("a call of the model may take 0.0"), "{why}");
    assert!(why.ends_with("and 0.004 is left"), "{why}");
    // A little more is no cause to try again; enough is.
    let more = place.stoa(&["agent", "resume", "gardener", "--budget", "money=0.000001"]);
    assert!(more.code == 0 && more.out.contains("--budget money=1"), "{more:?}");
    let plain = place.stoa(&["agent", "resume", "gardener"]);
    assert!(plain.code != 0 && plain.err.contains("a call of the model may take"), "{plain:?}");
    // What is said meanwhile is heard then.
    place.stoa(&["agent", "say", "gardener", "mind\nthe hedgehogs"]);
    let now = agent(&place);
    assert_eq!((&now["state"], &now["turns"]), (&"exhausted".into(), &card["turns"]), "{now}");
    assert!(provider.asked().is_empty());
    let resumed = place.stoa(&["agent", "resume", "gardener", "--budget", "money=1"]);
    assert_eq!(resumed.code, 0, "{resumed:?}");
    let serve = place.serve();
    let until = Instant::now() + Duration::from_secs(20);
    while agent(&place)["state"] != "idle" {
        assert!(Instant::now() < until, "{}", agent(&place));
    }
    drop(serve);
    assert!(provider.asked()[0].contains("the hedgehogs"), "{:?}", provider.asked());
    assert!(is(&agent(&place)["spent"]["money"], 2.0 * CALL), "{}", agent(&place));
}

#[test]
fn a_call_that_a_crash_cuts_off_stands_as_spent() {
    let provider = FakeProvider::new(|n, _| {
        if n == 0 {
            // It is killed before that.
            std::thread::park_timeout(Duration::from_secs(60));
        }
        chat("Done.", "stop")
    });
    let place = place(&provider, PRICE);
    let serve = place.serve();
    let spawned = spawn(&place, "money=1,tokens=100000");
    assert_eq!(spawned.code, 0, "{spawned:?}");
    let until = Instant::now() + Duration::from_secs(20);
    while provider.asked().is_empty() {
        assert!(Instant::now() < until);
    }
    let before = agent(&place);
    let reserved = 100_000 - before["left"]["tokens"].as_u64().unwrap();
    assert!(reserved > OUTPUT_MAX + 1_000, "{before}");
    assert_eq!(before["spent"]["tokens"], 0, "{before}");
    serve.signal(Signal::KILL);
    drop(serve.end());
    let serve = place.serve();
    let until = Instant::now() + Duration::from_secs(20);
    while agent(&place)["state"] != "idle" {
        assert!(Instant::now() < until, "{}", agent(&place));
    }
    assert_eq!(provider.asked().len(), 2);
    let card = agent(&place);
    assert_eq!(card["spent"]["tokens"], reserved + 930, "{card}");
    assert_eq!(card["left"]["tokens"], 100_000 - reserved - 930, "{card}");
    assert_eq!(card["spent"]["thoughts"], 2, "{card}");
    let told = cost(&place, &[]).remove(0);
    assert_eq!((&told["calls"], &told["unknown"]), (&2.into(), &1.into()), "{told}");
    assert!(place.stoa(&["cost"]).out.contains("nobody knows what was taken"));
    drop(serve);
}

#[test]
fn a_call_that_is_refused_is_free_and_one_that_breaks_is_not() {
    let refused =
        answers(429, &[("retry-after-ms", "5")], r#"{"error":{"type":"rate_limit_error"}}"#);
    let cut = answers(200, &[("content-type", "text/event-stream")], "data: {\"choices\":[]}\n\n");
    let provider = FakeProvider::says(vec![refused, cut, chat("Done.", "stop")]);
    let place = place(&provider, PRICE);
    let ended = spawn(&place, "money=1,tokens=100000");
    assert_eq!(ended.code, 0, "{ended:?}");
    let told = cost(&place, &[]).remove(0);
    assert_eq!((&told["calls"], &told["unknown"]), (&2.into(), &1.into()), "{told}");
    assert!(told["tokens"].as_u64().unwrap() > 930 + OUTPUT_MAX + 1_000, "{told}");
    assert_eq!(agent(&place)["spent"]["thoughts"], 2, "one broke, one came");
}

#[test]
fn a_provider_that_does_not_say_what_a_reply_took_is_paid_the_most() {
    let body = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Done.\"},\
                \"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";
    let said = answers(200, &[("content-type", "text/event-stream")], body);
    let provider = FakeProvider::says(vec![said]);
    let place = place(&provider, PRICE);
    let ended = spawn(&place, "tokens=100000");
    assert_eq!(ended.code, 0, "{ended:?}");
    let asked = provider.asked().remove(0);
    let sent = asked.split_once("\r\n\r\n").unwrap().1.len() as u64;
    assert_eq!(agent(&place)["spent"]["tokens"], sent + OUTPUT_MAX);
}

#[test]
fn a_budget_in_money_wants_a_model_with_a_price() {
    let provider = FakeProvider::says(vec![chat("Done.", "stop")]);
    let place = place(&provider, "");
    let ended = spawn(&place, "money=1");
    assert_eq!(ended.code, 2, "{ended:?}");
    assert!(ended.err.contains("model fast has no price"), "{ended:?}");
    assert!(ended.err.contains("prices") && provider.asked().is_empty(), "{ended:?}");
    assert!(place.json(&["agent", "list"]).is_empty());
    let ended = spawn(&place, "tokens=100000");
    assert_eq!(ended.code, 0, "{ended:?}");
}
