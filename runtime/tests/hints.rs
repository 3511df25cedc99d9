//! What an error says to type can be typed: it is a command line of ours, it names what there is, and
//! it is for the directory and the identity that were typed.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[expect(dead_code, reason = "each test uses a part of it")]
mod harness;
#[expect(dead_code, reason = "each test uses a part of it")]
#[path = "bad_input/table.rs"]
mod table;

use harness::{Ended, Place};
use table::{Row, nothing_written, refusal_written};

/// What stands for something that nobody has typed, or that was typed wrong.
const UNKNOWN: [&str; 13] = [
    "TEXT",
    "TASK",
    "KEY",
    "VALUE",
    "RELATION",
    "ID",
    "FILE",
    "FILES",
    "PATH",
    "QUESTION",
    "SPACE",
    "ANOTHER_KEY",
    "KEY=VALUE",
];

/// Verbs that only look, so that a hint with one of them can be run where it is.
const LOOKS: [&str; 10] = [
    "space list",
    "session list",
    "agent list",
    "agent show",
    "lease list",
    "search",
    "history",
    "get",
    "access",
    "whoami",
];

struct Setting {
    place: Place,
    atom: String,
    gone: String,
}

impl Setting {
    fn new() -> Setting {
        let place = Place::new();
        for space in ["tasks", "other", "how"] {
            place.json(&["space", "create", space]);
        }
        place.json(&["grant", "other", "bob", "read"]);
        place.json(&["grant", "other", "amy", "append"]);
        let id = |args: &[&str]| place.json(args)[0]["id"].as_str().unwrap().to_owned();
        let atom = id(&["put", "tasks", "x", "--key", "used"]);
        let gone = id(&["put", "tasks", "y"]);
        place.json(&["deprecate", &gone, "--if-version", "1"]);
        place.file("big", vec![b'x'; (8 << 20) + 1]);
        place.file("bent", b"ab\xff");
        place.file("ok.py", "print('ran')");
        place.json(&["put", "how", "```python\ndm.put('here')\n```"]);
        let spawn = ["spawn", "stand by", "--instructions", "how", "--name"];
        for agent in ["keeper", "stale"] {
            place.json(&[&spawn[..], &[agent]].concat());
        }
        place.json(&[&spawn[..], &["miser", "--budget", "thoughts=9"]].concat());
        place.json(&["agent", "wipe", "stale", "--yes"]);
        Setting { place, atom, gone }
    }

    fn run(&self, row: &Row, more: &[&str]) -> Ended {
        let deep = |levels| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        let fill = |arg: &String| {
            arg.replace("{atom}", &self.atom)
                .replace("{gone}", &self.gone)
                .replace("{none}", "01J00000000000000000000000")
                .replace("{100k}", &"x".repeat(100_000))
                .replace("{deep33}", &deep(33))
                .replace("{deep127}", &deep(127))
                .replace("{deep129}", &deep(129))
        };
        let (stdin, args) = match row.args.split_last() {
            Some((last, front)) if last.starts_with('<') => {
                (std::fs::read(self.place.path(&last[1..])).unwrap(), front)
            }
            _ => (Vec::new(), &row.args[..]),
        };
        let more = more.iter().map(|it| (*it).to_owned());
        let args: Vec<String> = args.iter().map(fill).chain(more).collect();
        self.place.start(&args, &stdin).end()
    }

    /// What a hint is at fault for; nothing where it can be typed.
    fn fault(&self, row: &Row, hint: &str) -> Option<&'static str> {
        let Some(command) = hint.strip_prefix("stoa ") else {
            // What only the system can do: of files and processes.
            let system = ["split ", "kill "].iter().any(|it| hint.starts_with(it));
            return (!system).then_some("is no command");
        };
        let words = words(command);
        if stoa_cli::parse(&words).is_err() {
            return Some("is no command line");
        }
        let typed = |flag: &str| row.args.iter().position(|it| it == flag);
        let says = |flag: &str, value: &str| words.windows(2).any(|it| it == [flag, value]);
        if !says("--data", "data") {
            return Some("is not for this directory");
        }
        let acting = typed("--as").map(|at| row.args[at + 1].as_str());
        // Whoever grants is another one, and one that is not there can look at nothing.
        let other = words.contains(&"grant".to_owned()) || acting == Some("nobody");
        if acting.is_some_and(|it| !says("--as", it)) && !other {
            return Some("is not for this identity");
        }
        let placeholder = |word: &str| {
            let word = word.rsplit(['=', ':']).next().unwrap_or(word);
            word.len() > 1 && word.bytes().all(|it| it.is_ascii_uppercase() || it == b'_')
        };
        if words.iter().any(|it| placeholder(it) && !UNKNOWN.iter().any(|one| it.ends_with(one))) {
            return Some("leaves out what was typed");
        }
        let known = |word: &str, verbs: &[&str]| {
            words.iter().any(|it| it == word) && verbs.contains(&row.args[0].as_str())
        };
        if known("SPACE", &["put", "search", "claim", "grant", "lease", "subscription", "watch"]) {
            return Some("leaves out the space that was typed");
        }
        let verb = |it: &&str| it.split(' ').all(|word| words.iter().any(|one| one == word));
        let help = words.iter().any(|it| it == "--help");
        if !help && LOOKS.iter().any(verb) {
            let ended = self.place.stoa(&words);
            return (ended.code != 0).then_some("names what is not there");
        }
        None
    }
}

/// Words as a shell reads them, as far as single quotes go.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut open) = (Vec::new(), None::<String>);
    let mut quoted = false;
    for c in line.chars() {
        match c {
            '\'' => {
                quoted = !quoted;
                open.get_or_insert_default();
            }
            ' ' if !quoted => words.extend(open.take()),
            c => open.get_or_insert_default().push(c),
        }
    }
    words.extend(open);
    words
}

#[test]
fn every_hint_can_be_typed() {
    let setting = Setting::new();
    let mut wrong = String::new();
    let (rows, refused) = (nothing_written(), refusal_written());
    for row in rows.iter().chain(&refused) {
        let ended = setting.run(row, &[]);
        assert_eq!(ended.code, row.code, "{:?}: {}", row.args, ended.err);
        let hint = ended.err.lines().last().and_then(|it| it.strip_prefix("hint: "));
        let hint = hint.unwrap_or_else(|| panic!("{:?}: {}", row.args, ended.err));
        if let Some(fault) = setting.fault(row, hint) {
            wrong += &format!("{:?}: {hint}: it {fault}\n", row.args);
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn a_hint_in_json_is_for_this_directory_and_this_identity() {
    let setting = Setting::new();
    let said = |args: &[&str]| {
        let args = args.iter().map(|it| (*it).to_owned()).collect();
        let ended = setting.run(&Row { args, says: String::new(), code: 0 }, &["--json"]);
        let error: serde_json::Value = serde_json::from_str(&ended.err).unwrap();
        error["error"]["hint"].as_str().unwrap().to_owned()
    };
    let hint = said(&["--as", "bob", "put", "other", "x"]);
    assert_eq!(hint, "stoa --data data grant other bob append");
    let hint = said(&["--as", "bob", "put", "nowhere", "x"]);
    assert_eq!(hint, "stoa --data data --as bob space list");
    let hint = said(&["put", "tasks", "x", "--meta", "a", "--meta", "b=1"]);
    assert_eq!(hint, "stoa --data data put tasks x --meta 'b=1' --json --meta 'a=VALUE'");
}

#[test]
fn a_word_that_is_no_verb_leads_to_the_help_of_this_directory() {
    let place = Place::new();
    let ended = place.stoa(&["--data", "a b", "--as=bob", "put", "--nonsense"]);
    let last = ended.err.lines().last();
    assert_eq!(last, Some("hint: stoa --data 'a b' --as bob put --help"), "{ended:?}");
}

#[test]
fn a_misspelt_flag_is_told_which_flag_of_its_verb_was_meant() {
    let place = Place::new();
    for (typed, meant) in [
        (&["update", "ID", "--exepct", "a=1"][..], "'--expect'"),
        (&["put", "s", "x", "--met", "a=1"], "'--meta'"),
        (&["spawn", "x", "--instruction", "s"], "'--instructions'"),
        (&["search", "s", "--limt=3"], "'--limit'"),
        // Of every verb, where none of its own is near.
        (&["put", "s", "x", "--jsn"], "'--json'"),
    ] {
        let ended = place.stoa(typed);
        let told = format!("tip: a similar argument exists: {meant}");
        assert!(ended.code == 2 && ended.err.contains(&told), "{typed:?}: {ended:?}");
    }
}

/// What is typed is read by the verbs that it names; what was meant is told from all of them.
#[test]
fn a_misspelt_verb_is_told_which_was_meant_though_another_one_is_named() {
    let place = Place::new();
    for (typed, meant) in [
        (&["serach", "put", "x"][..], "'search'"),
        (&["leese", "search"], "'lease'"),
        (&["lease", "aquire", "put"], "'acquire'"),
        (&["srve"], "'serve'"),
    ] {
        let ended = place.stoa(typed);
        assert!(ended.code == 2 && ended.err.contains(meant), "{typed:?}: {ended:?}");
    }
}
