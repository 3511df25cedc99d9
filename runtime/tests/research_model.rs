//! `stoa research --model`: an answer in a model's words, of which the lines hold every sentence; one
//! that they do not hold is sent back or left out, whatever the model does.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[expect(dead_code, reason = "each test uses a part of it")]
mod harness;
#[expect(dead_code, reason = "each test uses a part of it")]
#[path = "harness/provider.rs"]
mod provider;

use harness::Place;
use provider::{FakeProvider, answers, chat};
use rustix::process::Signal;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// So many runs must really be cut off.
const KILLS: u64 = 12;

const BREAD: &str = "# Baking bread\n\nYeast needs warmth. The dough must rest for two hours before it is\nshaped, or the crumb stays dense.\n\n## Salt\n\nSalt slows the yeast down. Add two grams for every hundred grams of flour.\n";
const QUESTION: &str = "How long must the dough rest?";

/// A library, and a model that is asked there.
fn library(url: &str) -> Place {
    let place = Place::new();
    std::fs::create_dir_all(place.path("docs")).unwrap();
    place.file("docs/bread.md", BREAD);
    std::fs::create_dir_all(place.path("configuration/stoa")).unwrap();
    let text = format!(
        "[models.fast]\nmodel = \"lab/any\"\n\n[providers.lab]\nurl = \"{url}\"\ndialect = \"chat\"\n"
    );
    place.file("configuration/stoa/config.toml", text);
    place
}

const RESEARCH: [&str; 6] = ["research", QUESTION, "--files", "docs", "--model", "fast"];

fn report(place: &Place) -> Value {
    let ended = place.stoa(&[&RESEARCH[..], &["--json"]].concat());
    assert_eq!(ended.code, 0, "{ended:?}");
    ended.lines().remove(0)
}

fn python(code: &str) -> String {
    format!("I act.\n```python\n{code}\n```")
}

/// Finds the lines, and says that it is done.
const FINDS: &str = "import json  # it finds\n\
    job = json.loads(task)\n\
    hit = spaces['sources'].search('dough rest', metadata={'kind': 'passage'}, limit=1)[0]\n\
    spaces['findings'].put('The dough must rest for two hours before it is shaped,', \
    metadata={'kind': 'finding', 'path': hit.metadata['path'], 'line': 3, 'last': 4, 'task': job['task']})\n\
    spaces['findings'].put('done', metadata={'kind': 'closing', 'task': job['task']})";

/// Puts a draft; `PATH` is the file's.
fn drafts(mark: &str, draft: &str) -> String {
    python(&format!(
        "found = spaces['findings'].search(metadata={{'kind': 'finding'}}, limit=9)  # {mark}\n\
         path = found[0].metadata['path']\n\
         spaces['findings'].put({draft:?}.replace('PATH', path), metadata={{'kind': 'draft'}})"
    ))
}

const HELD: &str = "It must rest for two hours before shaping [PATH:3-4].";

/// A model whose researchers work, and whose synthesiser is asked `writes`.
fn model(writes: impl Fn(&str) -> String + Send + Sync + 'static) -> FakeProvider {
    FakeProvider::new(move |_, request| {
        let said = match () {
            () if request.contains("# Answering from findings") => writes(request),
            () if request.contains("# it finds") => "Nothing more.".to_owned(),
            () => python(FINDS),
        };
        chat(&said, "stop")
    })
}

/// Writes a second draft once it is told what is wrong with the first.
fn mends(request: &str) -> String {
    let first = "It must rest for two hours before shaping [PATH:3-4]. Salt speeds the yeast up \
                 [PATH:8]. Water is wet.";
    let second = format!("{HELD} Salt slows the yeast down. [bread.md:8]");
    match () {
        () if request.contains("# second") => "That is all.".to_owned(),
        () if request.contains("the lines do not have `speeds`, `up`") => drafts("second", &second),
        () if request.contains("New in reviews") && !request.contains("# reads") => {
            python("for it in spaces['reviews'].search(limit=9):  # reads\n    print(it.content)")
        }
        () if request.contains("# first") => "That is all.".to_owned(),
        () => drafts("first", first),
    }
}

fn of_kind(place: &Place, report: &Value, space: &str, kind: &str) -> Vec<Value> {
    let space = format!("{}-{space}", report["run"].as_str().unwrap());
    place.json(&["search", &space, "--meta", &format!("kind={kind}"), "--limit", "100"])
}

/// Whatever is cited stands there.
fn check_citations(report: &Value) {
    for it in report["citations"].as_array().unwrap() {
        let file = std::fs::read_to_string(it["path"].as_str().unwrap()).unwrap();
        let (first, last) = (it["line"].as_u64().unwrap(), it["last"].as_u64().unwrap());
        let lines: Vec<&str> = file.lines().collect();
        let cited = lines[first as usize - 1..last as usize].join(" ");
        assert!(cited.contains(it["text"].as_str().unwrap()), "{it} is not in {cited:?}");
    }
}

#[test]
fn a_sentence_that_its_lines_do_not_hold_is_sent_back_and_mended() {
    let provider = model(mends);
    let place = library(&provider.url);
    let said = report(&place);
    assert_eq!((&said["found"], &said["left_out"]), (&json!(true), &json!(0)), "{said}");
    check_citations(&said);
    let sentences = said["sentences"].as_array().unwrap();
    assert_eq!(sentences.len(), 2, "{said}");
    assert_eq!(sentences[1]["text"], "Salt slows the yeast down.");
    assert_eq!(sentences[1]["citations"][0]["line"], 8);
    let objections = of_kind(&place, &said, "reviews", "objection");
    assert_eq!(objections.len(), 1, "{objections:?}");
    let against = objections[0]["content"].as_str().unwrap();
    assert!(against.contains("\"Water is wet.\": it names no lines"), "{against}");
    assert_eq!(against.lines().count(), 2, "{against}");
    // Three researchers, the synthesiser and the coordinator, which needs no model.
    assert_eq!(said["agents"], 5);
    let asked = provider.asked().len();
    let shown = place.stoa(&RESEARCH);
    assert!(shown.out.contains("Salt slows the yeast down. [docs/bread.md:8]"), "{shown:?}");
    assert!(shown.out.contains("before shaping. [docs/bread.md:3-4]"), "{shown:?}");
    assert!(shown.err.contains("the stored answer"), "{shown:?}");
    assert_eq!(provider.asked().len(), asked, "what is stored is not asked for");
    assert!(place.json(&["audit"])[0]["breaches"].as_array().unwrap().is_empty());
}

#[test]
fn what_a_model_insists_on_is_left_out() {
    // It does not even read what is said against it.
    let said = |request: &str| match request.matches("New in reviews").count() {
        told if request.matches("# insists").count() > told => "That is all.".to_owned(),
        _ => drafts("insists", &format!("{HELD} It must rest for three hours [PATH:3].")),
    };
    let provider = model(said);
    let place = library(&provider.url);
    let said = report(&place);
    assert_eq!((&said["found"], &said["left_out"]), (&json!(true), &json!(1)), "{said}");
    assert_eq!(said["sentences"].as_array().unwrap().len(), 1, "{said}");
    assert!(!said["text"].as_str().unwrap().contains("three"), "{said}");
    assert_eq!(of_kind(&place, &said, "findings", "draft").len(), 4);
    assert_eq!(of_kind(&place, &said, "reviews", "objection").len(), 3);
    let shown = place.stoa(&RESEARCH);
    assert!(shown.err.contains("1 sentence was left out"), "{shown:?}");
}

#[test]
fn whoever_cannot_answer_says_so_with_what_came_nearest() {
    let none = python(
        "spaces['findings'].put('not answered', metadata={'kind': 'draft', 'found': False})  # none",
    );
    let says = move |request: &str| match request.contains("# none") {
        true => "That is all.".to_owned(),
        false => none.clone(),
    };
    let provider = model(says);
    let place = library(&provider.url);
    let said = report(&place);
    assert_eq!(said["found"], false, "{said}");
    check_citations(&said);
    let text = said["text"].as_str().unwrap();
    assert!(
        text.starts_with(
            "The documents do not answer this.\nNearest to it:\nYeast needs warmth. The dough"
        ),
        "{text}"
    );
    assert_eq!(said["sentences"], json!([]));
}

#[test]
fn a_model_that_only_talks_comes_to_no_answer_and_to_an_end() {
    let provider =
        FakeProvider::says(vec![chat("It rests for a hundred hours, I am sure.", "stop")]);
    let place = library(&provider.url);
    let said = report(&place);
    assert_eq!(said["found"], false, "{said}");
    assert_eq!(said["text"], "The documents do not answer this.");
    let told = of_kind(&place, &said, "reviews", "objection");
    assert!(told[0]["content"].as_str().unwrap().contains("no atom of kind `draft`"), "{told:?}");
}

#[test]
fn a_model_that_cannot_be_asked_is_told_of_once_with_what_to_type() {
    let refuses = FakeProvider::says(vec![answers(401, &[], "{\"error\": \"no such key\"}")]);
    let place = library(&refuses.url);
    let ended = place.stoa(&RESEARCH);
    assert_eq!(ended.code, 7, "{ended:?}");
    let last = ended.err.lines().rfind(|it| it.starts_with("error: ")).unwrap();
    assert!(last.contains("6 agents are quarantined: fast: "), "{last}");
    assert_eq!(last.matches("quarantined").count(), 1, "{last}");
    // Nobody has found anything: nobody is to make an answer of it.
    let agents = place.json(&["agent", "list"]);
    assert_eq!(agents.len(), 1 + 6, "{agents:?}");
    let text = std::fs::read_to_string(place.path("configuration/stoa/config.toml")).unwrap();
    place.file("configuration/stoa/config.toml", format!("{text}key_env = \"LAB_KEY\"\n"));
    let lacks = place.stoa(&[&RESEARCH[..], &["--fresh"]].concat());
    assert_eq!(lacks.code, 2, "{lacks:?}");
    assert!(lacks.err.contains("LAB_KEY is not set"), "{lacks:?}");
    assert!(lacks.err.contains("hint: export LAB_KEY=KEY"), "{lacks:?}");
}

/// The lines were found, the provider has come back, and the same command is typed again.
#[test]
fn who_asks_again_after_a_failure_is_answered() {
    let works = Arc::new(AtomicBool::new(false));
    let now = works.clone();
    let calm = model(mends);
    let expected = report(&library(&calm.url));
    let provider = FakeProvider::new(move |_, request| {
        if !now.load(Ordering::Relaxed) {
            return answers(401, &[], "{\"error\": \"no such key\"}");
        }
        let said = match () {
            () if request.contains("# Answering from findings") => mends(request),
            () if request.contains("# it finds") => "Nothing more.".to_owned(),
            () => python(FINDS),
        };
        chat(&said, "stop")
    });
    let place = library(&provider.url);
    assert_eq!(place.stoa(&RESEARCH).code, 7);
    works.store(true, Ordering::Relaxed);
    let said = report(&place);
    assert_eq!(said["sentences"].as_array().unwrap().len(), 2, "{said}");
    assert_eq!(said["how"], "Worked");
    assert_eq!(expected["findings"], said["findings"]);
}

/// Found by reading: a closing of no task failed the coordinator, and an answer that a researcher put
/// there kept the synthesiser from being brought up.
#[test]
fn what_a_researcher_puts_there_stops_nobody() {
    let provider = FakeProvider::new(move |_, request| {
        let said = match () {
            () if request.contains("# Answering from findings") => mends(request),
            () if request.contains("# it finds") => "Nothing more.".to_owned(),
            () => python(&format!(
                "{FINDS}\nfor kind in ['closing', 'answer', 'draft']:\n    \
                 spaces['findings'].put('none', metadata={{'kind': kind, 'found': False}})\n\
                 spaces['findings'].put('none', metadata={{'kind': 'closing', 'task': {{'a': 1}}}})"
            )),
        };
        chat(&said, "stop")
    });
    let said = report(&library(&provider.url));
    assert_eq!((&said["found"], &said["left_out"]), (&json!(true), &json!(0)), "{said}");
    assert_eq!(said["sentences"].as_array().unwrap().len(), 2, "{said}");
}

/// A paragraph on one line is several passages.
#[test]
fn a_long_line_is_read_as_a_whole() {
    let provider = model(|request: &str| match request.contains("# long") {
        true => "That is all.".to_owned(),
        false => drafts("long", "The oven is hot [PATH:10]. Bread cools on a rack [PATH:10]."),
    });
    let place = library(&provider.url);
    let between = "It is baked in the morning, and again at noon. ".repeat(60);
    let line = format!("The oven is hot. {between}Bread cools on a rack.");
    place.file("docs/bread.md", format!("{BREAD}\n{line}\n"));
    let said = report(&place);
    assert_eq!(said["sentences"].as_array().unwrap().len(), 2, "{said}");
    check_citations(&said);
}

#[test]
fn an_answer_that_an_agent_puts_there_is_none() {
    let forges = |request: &str| match request.contains("# forges") {
        true => "That is all.".to_owned(),
        false => python(
            "for kind in ['answer', 'draft']:  # forges\n    \
             spaces['findings'].put('A hundred hours.', metadata={'kind': kind, 'found': True})",
        ),
    };
    let provider = model(forges);
    let place = library(&provider.url);
    let said = report(&place);
    assert_eq!(said["found"], false, "{said}");
    assert!(!said["text"].as_str().unwrap().contains("hundred"), "{said}");
}

#[test]
fn a_run_with_a_model_that_is_killed_goes_on_to_the_same_answer() {
    let provider = model(mends);
    let begun = Instant::now();
    let calm = report(&library(&provider.url));
    let whole = u64::try_from(begun.elapsed().as_micros()).unwrap();
    let texts = |of: &Value| -> Vec<Value> {
        of["sentences"].as_array().unwrap().iter().map(|it| it["text"].clone()).collect()
    };
    let (mut draw, mut cut, mut round): (u64, u64, u64) = (0x5eed, 0, 0);
    while cut < KILLS {
        round += 1;
        assert!(round <= 4 * KILLS, "only {cut} runs of {} were cut off", 2 * (round - 1));
        let place = library(&provider.url);
        for _ in 0..2 {
            draw = draw
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let started = place.start(&RESEARCH, b"");
            // No synchronisation: the instant is what is drawn.
            std::thread::park_timeout(Duration::from_micros((draw >> 33) % whole));
            started.signal(Signal::KILL);
            cut += u64::from(started.end().code != 0);
        }
        let said = report(&place);
        assert_eq!(texts(&said), texts(&calm), "round {round}: {said}");
        assert_eq!(said["left_out"], 0, "{said}");
        let answers = of_kind(&place, &said, "findings", "answer");
        assert_eq!(answers.len(), 1, "{answers:?}");
        assert!(place.json(&["audit"])[0]["breaches"].as_array().unwrap().is_empty());
    }
}
