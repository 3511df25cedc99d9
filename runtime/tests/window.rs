//! An agent remembers: what its model is told over turns, restarts and changes, and once that is too much
//! for its window.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[expect(dead_code, reason = "each test uses a part of it")]
mod harness;
#[expect(dead_code, reason = "each test uses a part of it")]
#[path = "harness/provider.rs"]
mod provider;

use harness::Place;
use provider::{FakeProvider, answers, chat, chat_to, messages};
use serde_json::Value;

const KEY: &str = "sk-open-sesame-0123456789";

/// A place with a space `garden`, and a model `fast` of a provider that is asked there.
fn place(provider: &FakeProvider, dialect: &str, model: &str) -> Place {
    let mut place = Place::new();
    place.variables.push(("LAB_KEY".to_owned(), KEY.to_owned()));
    std::fs::create_dir_all(place.path("configuration/stoa")).unwrap();
    let url = &provider.url;
    let text = format!(
        "[models.fast]\nmodel = \"lab/any\"\n{model}\n\n[providers.lab]\nurl = \"{url}\"\n\
         dialect = \"{dialect}\"\nkey_env = \"LAB_KEY\"\n"
    );
    place.file("configuration/stoa/config.toml", text);
    place.json(&["space", "create", "garden"]);
    place.json(&["space", "create", "how"]);
    place
}

const SPAWN: [&str; 10] = [
    "spawn",
    "Plant it",
    "--name",
    "gardener",
    "--spaces",
    "garden=write",
    "--instructions",
    "how",
    "--model",
    "fast",
];

/// Runs a command that must go well.
fn run(place: &Place, args: &[&str]) {
    let ended = place.stoa(args);
    assert_eq!(ended.code, 0, "{args:?}: {ended:?}");
}

fn say(place: &Place, text: &str) {
    run(place, &["agent", "say", "gardener", text]);
    let agent = place.json(&["agent", "show", "gardener"]).remove(0);
    assert_eq!(agent["state"], "idle", "{agent}");
}

fn body(request: &str) -> Value {
    serde_json::from_str(request.split_once("\r\n\r\n").unwrap().1).unwrap()
}

/// What a request tells, in its order, without the marks of a cache.
fn told(request: &str) -> String {
    fn unmarked(value: &mut Value) {
        match value {
            Value::Object(map) => {
                map.remove("cache_control");
                map.values_mut().for_each(unmarked);
            }
            Value::Array(list) => list.iter_mut().for_each(unmarked),
            _ => {}
        }
    }
    let mut body = body(request);
    unmarked(&mut body);
    let part = |name: &str| body[name].as_array().cloned().unwrap_or_default();
    ["tools", "system", "messages"]
        .iter()
        .flat_map(|it| part(it))
        .map(|it| it.to_string())
        .collect()
}

/// The part of what was told before that stands at the same place.
fn kept(before: &str, now: &str) -> f64 {
    let same = before.bytes().zip(now.bytes()).take_while(|(one, other)| one == other).count();
    same as f64 / before.len() as f64
}

#[test]
fn what_was_told_stands_where_it_was_over_turns_restarts_and_changes() {
    type Says = fn(&str) -> String;
    let chat: Says = |text| chat(text, "stop");
    for (dialect, says) in [("chat", chat), ("anthropic", messages)] {
        let provider = FakeProvider::new(move |n, _| match n % 2 {
            // Observations of 1 byte to 50,000.
            0 => says(&format!(
                "I look.\n```python\nprint('x' * {})\n```",
                3usize.pow(n as u32 % 11)
            )),
            _ => says("I have seen it."),
        });
        let place = place(&provider, dialect, "window = 1000000");
        place.json(&["space", "create", "shed", "--description", "Where the tools are."]);
        place.json(&["put", "how", "Be brief."]);
        let how = place.json(&["search", "how"])[0]["id"].as_str().unwrap().to_owned();
        run(&place, &SPAWN);
        for turn in 2..=20 {
            match turn {
                7 => run(&place, &["update", &how, "Be briefer.", "--force"]),
                12 => run(&place, &["grant", "shed", "gardener", "read"]),
                _ => {}
            }
            say(&place, &format!("Look again, the {turn}th time."));
        }
        let asked = provider.asked();
        // A grant wakes it as well, now or with what comes next.
        assert!(matches!(asked.len(), 40 | 42), "{dialect}: {}", asked.len());
        let all: Vec<String> = asked.iter().map(|it| told(it)).collect();
        for (n, pair) in all.windows(2).enumerate() {
            let kept = kept(&pair[0], &pair[1]);
            assert!(kept >= 0.99, "{dialect}: of request {n} {kept} stands in the next one");
        }
        let last = all.last().unwrap();
        for part in [
            "Plant it",
            "Look again, the 2th time.",
            "I have seen it.",
            "Be briefer.",
            "Where the tools are.",
        ] {
            assert!(last.contains(part), "{dialect}: {part}");
        }
        assert_eq!(last.matches("Be brief.").count(), 1, "{dialect}: what was told stays");
        assert!(last.len() > 50_000, "{dialect}: what was seen is told whole");
    }
}

/// What asks for a summary.
const FULL: &str = "Your window is nearly full";

/// A model that reads little: some turns of a few thousand letters fill its window.
const SMALL: &str = "window = 8000\noutput_max = 500";

/// Sees a lot in each turn, and sums up as it is told to.
fn sees_a_lot(sums_up: impl Fn(usize) -> String + Send + Sync + 'static) -> FakeProvider {
    let summaries = std::sync::atomic::AtomicUsize::new(0);
    FakeProvider::new(move |_, request| {
        let body = body(request);
        // As many providers count: four bytes are a token.
        let tokens = told(request).len() / 4;
        let chat = |text: &str| chat_to(tokens, text, "stop");
        let last = body["messages"].as_array().unwrap().last().unwrap().to_string();
        match last {
            last if last.contains(FULL) => {
                sums_up(summaries.fetch_add(1, std::sync::atomic::Ordering::SeqCst))
            }
            last if last.contains("Observation:") => chat("I have seen it."),
            _ if body["messages"].as_array().unwrap().len() == 2 && last.contains("Turn 1.") => {
                chat(&format!("I begin.\n```python\n{OWES}\n```"))
            }
            _ => chat("I look.\n```python\nprint('fern ' * 900)\n```"),
        }
    })
}

fn kinds(place: &Place) -> Vec<String> {
    let log = place.json(&["agent", "log", "gardener"]);
    log.iter().map(|it| it["type"].as_str().unwrap().to_owned()).collect()
}

fn count(place: &Place, kind: &str) -> usize {
    kinds(place).iter().filter(|it| *it == kind).count()
}

/// What an agent does in its first turn, so that it owes something of each kind.
const OWES: &str = "task = space.claim(metadata={'status': 'open'}, set={'status': 'doing'}, \
    lease='50m', intent='to water it')\n\
    space.acquire('the can', lease='50m')\n\
    space.put('I shall report on Monday', metadata={'promise': 'open'})\n\
    plans = coordinator.create_space('plans')\n\
    plans.put('`' * 3 + 'python\\npass\\n' + '`' * 3)\n\
    helper = coordinator.spawn('Hold the can', name='helper', model='recipe', \
    instructions='plans', budget={'thoughts': 5, 'tokens': 100})\n\
    helper.dm.put('Is the can heavy?')\n\
    print('done')";

#[test]
fn a_window_that_is_full_is_made_anew_and_what_is_owed_comes_from_the_log() {
    let provider = sees_a_lot(|n| chat(&format!("Summary {n}: the fern is dry."), "stop"));
    let place = place(&provider, "chat", SMALL);
    place.json(&["put", "how", "Be brief."]);
    place.json(&["put", "garden", "Water the fern", "--meta", "status=open"]);
    run(&place, &[&SPAWN[..], &["--budget", "thoughts=1000,tokens=10000000"]].concat());
    for turn in 2..=12 {
        say(&place, &format!("Look again, the {turn}th time."));
    }
    let log = place.json(&["agent", "log", "gardener"]);
    let failed = log.iter().find(|it| it["body"]["text"].to_string().contains("Traceback"));
    assert_eq!(failed, None);
    assert!(count(&place, "window.full") >= 2, "{:?}", kinds(&place));
    assert_eq!(count(&place, "window.full"), count(&place, "window.compacted"));
    assert_eq!(count(&place, "turn.failed"), 0);
    let asked: Vec<String> = provider.asked().iter().map(|it| told(it)).collect();
    let anew = asked.iter().position(|it| it.contains("Summary 0: the fern is dry.")).unwrap();
    assert!(asked[anew - 1].contains(FULL), "the summary takes the place of what came before");
    assert!(!asked[anew].contains("Look again, the 2th time."), "{}", asked[anew]);
    let last = asked.last().unwrap();
    for part in [
        "Plant it",
        "Be brief.",
        "What came before, summed up in your own words",
        "(to water it): Water the fern",
        "the can",
        "promised, in garden",
        "I shall report on Monday",
        "your child helper",
        "Is the can heavy?",
        // Said in its own space with its parent, and not answered yet.
        "not answered yet, in dm",
    ] {
        assert!(asked[anew].contains(part), "{part} in {}", asked[anew]);
        assert!(last.contains(part), "{part} in {last}");
    }
    // The provider is sent no more than its window.
    for told in &asked {
        assert!(told.len() / 4 < 8_000, "{}", told.len());
    }
    // Between one compaction and the next everything stands.
    let mut pairs = 0;
    for pair in asked[anew..].windows(2) {
        if !pair[0].contains(FULL) && !pair[1].contains(FULL) {
            assert!(kept(&pair[0], &pair[1]) >= 0.99, "{}", kept(&pair[0], &pair[1]));
            pairs += 1;
        }
    }
    assert!(pairs > 5);
}

#[test]
fn a_model_that_sums_up_badly_costs_no_turn() {
    let refuses = || answers(400, &[], r#"{"error": {"message": "no"}}"#);
    type Says = Box<dyn Fn(usize) -> String + Send + Sync>;
    let all: [(&str, Says); 3] = [
        ("it fails", Box::new(move |_| refuses())),
        ("it says nothing", Box::new(|_| chat("", "stop"))),
        ("it is cut off", Box::new(|_| chat("The fern", "length"))),
    ];
    for (what, says) in all {
        let provider = sees_a_lot(says);
        let place = place(&provider, "chat", SMALL);
        place.json(&["put", "how", "Be brief."]);
        run(&place, &SPAWN);
        for turn in 2..=8 {
            say(&place, &format!("Look again, the {turn}th time."));
        }
        assert_eq!(count(&place, "turn.failed"), 0, "{what}");
        assert!(count(&place, "window.compacted") >= 1, "{what}");
        let asked: Vec<String> = provider.asked().iter().map(|it| told(it)).collect();
        let last = asked.last().unwrap();
        assert!(last.contains("summed up as your log has it"), "{what}: {last}");
        assert!(last.contains("Turn 2. say: Look again, the 2th time."), "{what}: {last}");
    }
}

#[test]
fn what_a_model_was_told_is_shown_and_what_is_erased_is_shown_as_erased() {
    let provider = FakeProvider::says(vec![
        chat("I look.\n```python\nspace.put('a fern')\nprint('seen')\n```", "stop"),
        chat("It is planted.", "stop"),
    ]);
    let place = place(&provider, "chat", "");
    place.json(&["put", "how", "The secret is basil."]);
    let how = place.json(&["search", "how"])[0]["id"].as_str().unwrap().to_owned();
    run(&place, &SPAWN);
    say(&place, "And now?");
    let show = |args: &[&str]| place.json(&[&["agent", "show", "gardener"], args].concat());
    let first = show(&["--turn", "1", "--step", "1"]);
    let sent = body(&provider.asked()[0]);
    let texts: Vec<&str> = first.iter().map(|it| it["text"].as_str().unwrap()).collect();
    for text in &texts {
        assert!(sent.to_string().contains(&serde_json::to_string(text).unwrap()[1..20]), "{text}");
    }
    assert_eq!(texts.last(), Some(&"Turn 1. Begin with your task."));
    assert!(texts.iter().any(|it| it.contains("The secret is basil.")));
    let second = show(&["--turn", "1"]);
    assert_eq!(second.len(), first.len() + 2);
    assert_eq!(second[first.len()]["code"], "space.put('a fern')\nprint('seen')\n");
    assert_eq!(second.last().unwrap()["text"], "seen\n");
    let people = place.stoa(&["agent", "show", "gardener", "--turn", "1"]);
    assert!(
        people.out.contains("── said") && people.out.contains("space.put('a fern')"),
        "{people:?}"
    );
    // What is erased is gone from what was told as well; what was sent cannot be taken back.
    run(&place, &["erase", &how, "--yes"]);
    let erased = show(&["--turn", "2"]);
    let text = serde_json::to_string(&erased).unwrap();
    assert!(!text.contains("basil") && text.contains("(erased)"), "{text}");
    say(&place, "And then?");
    assert!(!provider.asked().last().unwrap().contains("basil"));
    // What there is not is said to be not there.
    for (args, part) in [
        (["--turn", "9"], "it has no turn 9"),
        (["--turn", "0"], "it has no turn 0"),
        (["--step", "1"], "--step goes with --turn"),
    ] {
        let ended = place.stoa(&[&["agent", "show", "gardener"], &args[..]].concat());
        assert!(ended.code != 0 && ended.err.contains(part), "{ended:?}");
    }
}

#[test]
fn what_may_be_of_use_is_found_for_a_turn_and_an_atom_says_what_it_was_made_from() {
    let provider = FakeProvider::says(vec![
        chat("Nothing yet.", "stop"),
        chat(
            "I look.\n```python\nseen = next(iter(space.search()))\nspace.put('water: ' + seen.content)\n```",
            "stop",
        ),
        chat("It is written.", "stop"),
        chat("Well.", "stop"),
    ]);
    let place = place(&provider, "chat", "");
    place.json(&["space", "create", "facts"]);
    place.json(&["put", "facts", "A fern wants water twice a week."]);
    place.json(&["put", "facts", "The bank opens at nine."]);
    place.json(&["put", "garden", "a fern by the door"]);
    place.json(&["put", "how", "Be brief."]);
    run(&place, &[&SPAWN[..], &["--memory", "facts"]].concat());
    say(&place, "How often does a fern want water?\nAnd who said so?");
    let told: Vec<String> = provider.asked().iter().map(|it| told(it)).collect();
    assert!(told[1].contains("This may be of use to you now:"), "{}", told[1]);
    assert!(told[1].contains("A fern wants water twice a week."), "{}", told[1]);
    // Of what is said in many lines its wake has the first one.
    assert!(told[1].contains("> And who said so?"), "{}", told[1]);
    // What it was told it is not told again.
    say(&place, "How often does a fern want water, I asked?");
    let last = self::told(provider.asked().last().unwrap());
    assert_eq!(last.matches("A fern wants water twice a week.").count(), 1, "{last}");
    let found = place.json(&["search", "garden", "water"]);
    let made = found.iter().find(|it| it["content"] == "water: a fern by the door").unwrap();
    let why = place.json(&["why", made["id"].as_str().unwrap()]);
    let of = |how: &str| -> Vec<&str> {
        let all = why.iter().filter(|it| it["how"] == how && it["depth"].as_u64() <= Some(1));
        all.map(|it| it["text"].as_str().unwrap()).collect()
    };
    assert_eq!(of("asked"), ["water: a fern by the door"]);
    assert_eq!((&why[0]["turn"], &why[0]["step"]), (&2.into(), &1.into()));
    assert!(why[0]["code"].as_str().unwrap().contains("space.put("));
    assert_eq!(of("read"), ["a fern by the door"]);
    assert_eq!(of("instruction"), ["Be brief."]);
    assert!(of("found").contains(&"A fern wants water twice a week."), "{why:?}");
    let people = place.stoa(&["why", made["id"].as_str().unwrap()]);
    assert!(people.out.contains("gardener, turn 2 step 1"), "{people:?}");
}
