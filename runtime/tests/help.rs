//! What a newcomer reads, and what a script reads.

#[path = "help/declares.rs"]
mod declares;
#[path = "help/embedder.rs"]
mod embedder;
mod harness;
#[path = "help/past.rs"]
mod past;
#[path = "help/piped.rs"]
mod piped;
#[path = "help/rights.rs"]
mod rights;
#[path = "help/screen.rs"]
mod screen;
#[path = "help/sharing.rs"]
mod sharing;
#[path = "help/subscriptions.rs"]
mod subscriptions;
#[path = "help/trust.rs"]
mod trust;
#[path = "help/typed.rs"]
mod typed;

use harness::Place;
use rustix::process::Signal;
use serde_json::{Value, json};
use stoa::operations::entry;

/// The verbs that a help names.
fn verbs(help: &str) -> Vec<String> {
    let listed = help.lines().skip_while(|it| *it != "Commands:").skip(1);
    let listed = listed.take_while(|it| !it.is_empty());
    let names = listed.filter_map(|it| it.split_whitespace().next());
    names.filter(|it| *it != "help").map(str::to_owned).collect()
}

/// The help of a command, then of everything below it.
fn help(place: &Place, command: &[String], whole: &mut String) {
    let ended = place.stoa(&[command, &["--help".to_owned()]].concat());
    assert_eq!((ended.code, &*ended.err), (0, ""), "{command:?}");
    let line = ["stoa".to_owned()].iter().chain(command).cloned().collect::<Vec<_>>().join(" ");
    let text: String = ended.out.lines().map(|it| format!("{}\n", it.trim_end())).collect();
    *whole += &format!("$ {line} --help\n{text}\n");
    for verb in verbs(&ended.out) {
        help(place, &[command, &[verb]].concat(), whole);
    }
}

#[test]
fn the_whole_help_reads_so() {
    let mut whole = String::new();
    help(&Place::new(), &[], &mut whole);
    insta::assert_snapshot!("help", whole);
}

#[test]
fn the_version_is_that_of_the_package() {
    let ended = Place::new().stoa(&["-V"]);
    let version = format!("stoa {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!((ended.code, &*ended.out, &*ended.err), (0, &*version, ""));
}

/// The keys of an object, with those of the objects in it.
fn keys(of: &Value) -> String {
    let Value::Object(map) = of else { return String::new() };
    let key = |(key, value): (&String, &Value)| match keys(value) {
        below if below.is_empty() => key.clone(),
        below => format!("{key}({below})"),
    };
    map.iter().map(key).collect::<Vec<_>>().join(" ")
}

const SPACE: &str = "id name level delegate description entries head subscriptions declares";
const ATOM: &str = "id space version position author author_name at annotation metadata(status) \
                    references(see) content";
const PLAIN: &str =
    "id space version position author author_name at annotation metadata references";
const CHANGE: &str = "event_id cursor ts type actor(agent_id session_id name) \
                      refs(space_id atom_id) body(comment hop version)";
const DIFFERENCE: &str = "id from(version author author_name at) \
                          to(version author author_name at) same content(diff)";
const LEASE: &str = "space resource of token holder holder_name until intent";
const LEASED: &str = "event_id cursor ts type actor(agent_id session_id name) refs(space_id) \
                      body(comment hop resource token until)";
const STATUS: &str = "pid agents_run head clock_ahead_ms commits commit_ms sessions agents spaces addresses running \
    scrubbed scrubbed_at indexes vectors failing quarantined";
const AGENT: &str = "id name parent parent_name depth state why model task turns \
                     left(thoughts tokens money seconds turns spawns depth) \
                     spent(thoughts tokens money seconds turns spawns) dm born follows";
const MODEL: &str = "model url dialect key";
const HAPPENING: &str = "cursor ts type actor(agent_id session_id name) refs body(text)";
const ACCESS: &str =
    "on space name session session_name kind level delegate from since until reason";
const RIGHT: &str = "event_id cursor ts type actor(agent_id session_id name) refs(space_id) \
                     body(comment hop right(to to_name from from_name level delegate until))";
const REPORT: &str = "question found text sentences citations left_out how run agents tasks \
    findings failed files passages skipped";
const COPY: &str = "head entries bytes";
const AUDIT: &str = "head entries streams atoms versions rows references answers rights \
    erased breaches";

#[test]
fn every_verb_prints_json_lines_with_the_keys_that_scripts_rely_on() {
    let place = Place::new();
    let mut tried = Vec::new();
    let mut lines = |args: &[&str], each: &str, count: usize| {
        let lines = place.json(args);
        let verb: Vec<&str> = args.iter().copied().take(2).collect();
        let verb = [verb.join(" "), args[0].to_owned()];
        if let Some(entry) = verb.iter().find_map(|it| entry(it)) {
            let schema = entry.answer().to_value();
            let fits = jsonschema::validator_for(&schema).unwrap();
            lines.iter().for_each(|it| fits.validate(it).unwrap());
        }
        let found: Vec<String> = lines.iter().map(keys).collect();
        assert_eq!(found, vec![each; count], "{args:?}");
        tried.push(args[0].to_owned());
        lines
    };
    lines(&["space", "create", "tasks"], SPACE, 1);
    lines(&["access", "tasks"], ACCESS, 1);
    lines(&["session", "list"], "id name parent kind state since", 1);
    lines(&["whoami"], "id name owner parent spaces(tasks) tools secrets models", 1);
    lines(&["space", "create", "notes", "--description", "mine"], SPACE, 1);
    lines(&["space", "list"], SPACE, 2);
    lines(&["space", "show", "notes"], SPACE, 1);
    lines(&["grant", "notes", "bob", "read"], "session name born", 1);
    lines(&["revoke", "notes", "bob"], "revoked", 1);
    let rights = ["watch", "notes", "--cursor", "0", "--no-follow", "--type", "right.granted"];
    lines(&rights, RIGHT, 1);
    let first = place.json(&["put", "tasks", "first"])[0]["id"].as_str().unwrap().to_owned();
    let see = format!("see={first}");
    let put = ["put", "tasks", "x", "--meta", "status=open", "--ref", &see];
    let id = lines(&put, ATOM, 1)[0]["id"].as_str().unwrap().to_owned();
    lines(&["get", &id], ATOM, 1);
    lines(&["update", &id, "y", "--if-version", "1"], ATOM, 1);
    let deprecated = format!("{ATOM} deprecated superseded_by");
    lines(&["deprecate", &id, "--superseded-by", &first, "--force"], &deprecated, 1);
    place.file(
        "changes.jsonl",
        r#"{"put": "then", "metadata": {"status": "open"}, "references": {"see": []}}"#,
    );
    let then = format!("{PLAIN} content").replace("metadata", "metadata(status)");
    lines(&["transaction", "notes", "changes.jsonl"], &then, 1);
    let wrong = place.json(&["put", "tasks", "wrong"])[0]["id"].as_str().unwrap().to_owned();
    let erased = format!("{PLAIN} erased deprecated");
    lines(&["erase", &wrong, "--yes", "--comment", "it must go"], &erased, 1);
    lines(&["search", "tasks", "first"], &format!("{PLAIN} content score"), 1);
    let own = lines(&["history", "tasks"], CHANGE, 6);
    assert_eq!(own[5]["type"], "atom.erased");
    lines(&["history", &id], CHANGE, 3);
    lines(&["history", "--newest", "--limit", "2"], CHANGE, 2);
    lines(&["diff", &id, "1", "2"], DIFFERENCE, 1);
    lines(&["subscription", "list"], "", 0);
    lines(&["watch", "tasks", "--cursor", "0", "--no-follow"], CHANGE, 6);
    lines(&["waits", &first], "id ready stuck only_gone blockers", 1);
    lines(&["claim", "tasks", "first"], &format!("{PLAIN} content lease({LEASE})"), 1);
    let acquired = lines(&["lease", "acquire", "tasks", "a name"], LEASE, 1);
    let token = acquired[0]["token"].to_string();
    lines(&["lease", "renew", "tasks", "a name", "--token", &token], LEASE, 1);
    lines(&["lease", "list", "tasks"], LEASE, 2);
    lines(&["lease", "release", "tasks", "a name", "--token", &token], "released", 1);
    let watch = ["lease", "watch", "tasks", "--no-follow", "--cursor"];
    let first = place.json(&[&watch[..], &["0"]].concat()).remove(0);
    let atoms = LEASED.replace("space_id", "space_id atom_id").replace(" resource", "");
    assert_eq!(keys(&first), atoms, "of the claim");
    lines(&[&watch[..], &[&*first["cursor"].to_string()]].concat(), LEASED, 3);
    let origin = "depth how id version author author_name at turn step text";
    lines(&["why", &id], origin, 1);
    lines(&["cost"], "", 0);
    lines(&["trace"], "upto", 1);
    lines(&["audit"], AUDIT, 1);
    lines(&["status"], STATUS, 1);
    place.json(&["put", "notes", "```python\npass\n```"]);
    lines(&["spawn", "stand by", "--name", "amy", "--instructions", "notes"], AGENT, 1);
    lines(&["agent", "list"], AGENT, 1);
    lines(&["agent", "tree"], AGENT, 1);
    lines(&["agent", "show", "amy"], AGENT, 1);
    let log = place.json(&["agent", "log", "amy"]);
    let code = HAPPENING.replace("text", "text code");
    let found: Vec<String> = log.iter().map(keys).collect();
    assert!(found.iter().all(|it| *it == HAPPENING || *it == code), "{found:?}");
    assert_eq!((found.len(), found.iter().filter(|it| **it == code).count()), (7, 1));
    lines(
        &["agent", "say", "amy", "hello"],
        &format!("{PLAIN} content woken(agents names run)").replace("metadata", "metadata(kind)"),
        1,
    );
    lines(&["agent", "stop", "amy"], AGENT, 1);
    lines(&["agent", "resume", "amy"], AGENT, 1);
    lines(&["agent", "wipe", "amy", "--yes"], "wiped", 1);
    place.file("tides.txt", "The moon pulls the sea, and so the tides come and go.");
    lines(&["research", "What pulls the sea?", "--files", "tides.txt"], REPORT, 1);
    place.file("good.py", "print('said')\n1 + 1");
    let done = lines(&["exec", "good.py"], "printed notice ok value", 1);
    assert_eq!(done, [json!({"printed": "said\n", "notice": null, "ok": true, "value": "2"})]);
    let bytes = ["put", "tasks", "x", "--media-type", "text/x", "--key", "k"];
    let whole = lines(&bytes, &format!("{PLAIN} media_type base64"), 1);
    assert_eq!(whole[0]["base64"], "eA==");
    lines(&["put", "tasks", "--json-content", "[1]"], &format!("{PLAIN} json"), 1);
    lines(&["export", "tasks", "--to", "all"], "exported events", 1);
    let all = place.json(&["export", "tasks"]);
    let first = "type form ts cursor space(space_id description)";
    assert_eq!((keys(&all[0]), keys(&all[all.len() - 1])), (first.into(), "type events".into()));
    lines(&["import", "tasks", "all"], "imported known", 1);
    lines(&["backup", "copy"], &format!("backup {COPY}"), 1);
    lines(&["backup", "copy", "--verify"], &format!("backup {COPY}"), 1);
    lines(&["restore", "copy", "--data", "new"], &format!("restored {COPY}"), 1);
    lines(&["doctor"], "rebuilt_from_entries", 1);
    lines(&["trust"], "directory trusted why_not sections", 1);
    lines(&["model", "list"], MODEL, 4);
    place.json(&["schema", "put"]);
    let listed = place.json(&["schema"]).remove(0)["verbs"].clone();
    let typed = stoa::operations::TABLE.iter().filter(|it| it.typed).map(|it| it.name);
    assert_eq!(listed, serde_json::json!(typed.collect::<Vec<_>>()));
    tried.push("schema".to_owned());
    // What they print is for a shell and for `man`: see `terminal/completes.rs`.
    tried.extend(["completions", "man"].map(str::to_owned));

    let serve = place.serve();
    assert_eq!(place.json(&["status"])[0]["pid"], serve.pid());
    serve.signal(Signal::TERM);
    let ended = serve.end();
    assert_eq!((ended.code, keys(&ended.lines()[0])), (0, "serving pid".to_owned()));
    tried.push("serve".to_owned());

    let mut all = verbs(&place.stoa(&["--help"]).out);
    tried.sort();
    tried.dedup();
    all.sort();
    assert_eq!(tried, all, "every verb is tried");
}

#[test]
fn code_that_fails_is_one_json_line_as_well() {
    let place = Place::new();
    place.json(&["space", "create", "tasks"]);
    let ended = place.start(&["exec", "-", "--json"], b"print('said')\n1 / 0").end();
    let lines = ended.lines();
    assert_eq!((ended.code, lines.len()), (7, 1), "{ended:?}");
    assert_eq!(keys(&lines[0]), "printed notice ok value error(class traceback)");
    assert_eq!((&lines[0]["ok"], &lines[0]["printed"]), (&json!(false), &json!("said\n")));
    assert_eq!(lines[0]["error"]["class"], "ZeroDivisionError");
    let error: Value = serde_json::from_str(&ended.err).unwrap();
    assert_eq!(
        (&error["error"]["kind"], &error["error"]["exit_code"]),
        (&json!("action"), &json!(7))
    );
    let text = error["error"]["text"].as_str().unwrap();
    assert!(text.starts_with("Traceback (most recent call last):\n"), "{text}");
}

#[test]
fn a_relation_is_taken_out_whole_or_one_by_one() {
    let place = Place::new();
    let id = |args: &[&str]| place.json(args)[0]["id"].as_str().unwrap_or_default().to_owned();
    let space = id(&["space", "create", "tasks"]);
    let (one, two) = (id(&["put", "tasks", "1"]), id(&["put", "tasks", "2"]));
    let (after_one, after_two) = (format!("after={one}"), format!("after={two}"));
    let see = format!("see={one}");
    let refs = ["--ref", &after_one, "--ref", &after_two, "--ref", &see];
    let task = id(&[&["put", "tasks", "3"], &refs[..]].concat());
    let update = |more: &[&str]| {
        let args = [&["update", &task][..], more].concat();
        place.json(&args)[0]["references"].clone()
    };
    let left = update(&["--unref", &after_one, "--if-version", "1"]);
    assert_eq!(left, json!({"after": [two], "see": [one]}));
    let gone = place.stoa(&["update", &task, "--unref", &after_one, "--force"]);
    assert_eq!(gone.code, 2, "{}", gone.err);
    let both = place.stoa(&["update", &task, "--unref", "after", "--ref", &after_one, "--force"]);
    assert_eq!(both.code, 2, "{}", both.err);
    assert_eq!(update(&["--unref", "after", "--force"]), json!({"see": [one]}));
    // A space's id is no atom's, though it looks like one.
    let by_id = place.json(&["history", &space]);
    assert_eq!((by_id.len(), &by_id), (5, &place.json(&["history", "tasks"])));
    assert_eq!(place.json(&["history", &task]).len(), 3);
}

#[test]
fn code_erases_what_it_has_put_and_no_more() {
    let place = Place::new();
    let id = |args: &[&str]| place.json(args)[0]["id"].as_str().unwrap_or_default().to_owned();
    place.json(&["space", "create", "tasks"]);
    let own = id(&["put", "tasks", "a secret"]);
    let code = format!(
        "space.erase('{own}', comment='it must go')\n\
         atom = space.get('{own}')\n\
         print(atom.erased, atom.content, atom.version, len(space.search()))\n\
         made = space.put('mine')\n\
         space.erase(made.id)\n\
         try:\n    space.update(made.id, 'back')\n\
         except Exception as no:\n    print(no)"
    );
    place.file("erase.py", code);
    // A session of its own has put nothing of what was there.
    let refused = place.stoa(&["exec", "erase.py", "--spaces", "tasks=write"]);
    assert!(refused.code == 7 && refused.err.contains("this needs grant"), "{refused:?}");
    let done = &place.json(&["exec", "erase.py", "--spaces", "tasks=grant"])[0];
    let printed = done["printed"].as_str().unwrap();
    assert!(printed.starts_with("True None 2 0\n"), "{printed}");
    assert!(printed.contains("was erased; put a new atom"), "{printed}");
    assert_eq!(place.json(&["audit"])[0]["erased"], 2);
}
