//! What is typed wrong changes nothing, and is answered with the next thing to type.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "bad_input/backups.rs"]
mod backups;
#[path = "bad_input/carrying.rs"]
mod carrying;
#[path = "bad_input/full_disk.rs"]
mod full_disk;
#[path = "bad_input/hostile.rs"]
mod hostile;
#[path = "bad_input/identity.rs"]
mod identity;
#[path = "bad_input/place.rs"]
mod place;
#[path = "bad_input/private.rs"]
mod private;
#[path = "bad_input/stores.rs"]
mod stores;
#[path = "bad_input/table.rs"]
mod table;

mod harness;

use harness::{Ended, Place};
use std::io::Write;
use table::{Row, nothing_written, refusal_written};

/// A directory with spaces, sessions and atoms for the table.
struct Setting {
    place: Place,
    atom: String,
    gone: String,
}

impl Setting {
    fn new() -> Setting {
        let place = Place::new();
        for space in ["tasks", "other"] {
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
        place.json(&["space", "create", "how"]);
        place.json(&["put", "how", "```python\ndm.put('here')\n```"]);
        for agent in ["keeper", "stale"] {
            place.json(&["spawn", "stand by", "--name", agent, "--instructions", "how"]);
        }
        place.json(&[
            "spawn",
            "count",
            "--name",
            "miser",
            "--instructions",
            "how",
            "--budget",
            "thoughts=9",
        ]);
        place.json(&["agent", "wipe", "stale", "--yes"]);
        Setting { place, atom, gone }
    }

    fn run(&self, args: &[String]) -> Ended {
        let (file, args) = match args.split_last() {
            Some((last, front)) if last.starts_with('<') => (Some(&last[1..]), front),
            _ => (None, args),
        };
        let stdin = file.map_or(Vec::new(), |it| std::fs::read(self.place.path(it)).unwrap());
        let args: Vec<String> = args.iter().map(|it| self.fill(it)).collect();
        self.place.start(&args, &stdin).end()
    }

    fn fill(&self, arg: &str) -> String {
        let deep = |levels| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        arg.replace("{atom}", &self.atom)
            .replace("{gone}", &self.gone)
            .replace("{none}", "01J00000000000000000000000")
            .replace("{100k}", &"x".repeat(100_000))
            .replace("{deep33}", &deep(33))
            .replace("{deep127}", &deep(127))
            .replace("{deep129}", &deep(129))
    }

    /// The last entry: its position and its hash.
    fn head(&self) -> (u64, String) {
        let head = self.place.json(&["status"])[0]["head"].as_str().unwrap().to_owned();
        let (position, hash) = head.split_once(':').unwrap();
        (position.parse().unwrap(), hash.to_owned())
    }

    /// Every row: its code, its text, nothing printed, and so many entries written.
    fn hold(&self, table: &[Row], entries: u64) {
        let mut wrong = String::new();
        for Row { args, says, code } in table {
            let before = self.head();
            let ended = self.run(args);
            let said = masked(&ended.err);
            let last = said.lines().last().unwrap_or_default();
            let typable = ["hint: stoa ", "hint: --", "hint: kill ", "hint: split "];
            let helps = typable.iter().any(|it| last.starts_with(it));
            let after = self.head();
            let wrote = after.0 - before.0;
            let right = wrote == entries && (wrote > 0 || after == before);
            if (ended.code, said.trim_end()) != (*code, says) || !ended.out.is_empty() {
                wrong += &format!("{args:?}, {}, {said:?}, {}\n", ended.code, ended.out);
            }
            if !helps || !right {
                wrong += &format!("{args:?}: helps {helps}, wrote {wrote} entries\n");
            }
        }
        assert!(wrong.is_empty(), "{wrong}");
    }
}

/// Past the capture of output: whoever runs the tests is to see it.
fn skipped(what: &str) {
    std::io::stderr().write_all(format!("SKIPPED: {what}\n").as_bytes()).unwrap();
}

/// Ids are as random as they should be.
fn masked(text: &str) -> String {
    let id = |word: &str| {
        word.len() == 26 && word.chars().all(|c| c.is_ascii_digit() || c.is_ascii_uppercase())
    };
    let mut out = String::new();
    for word in text.split_inclusive(|c: char| !c.is_ascii_alphanumeric()) {
        let bare = word.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
        if id(bare) { out += &word.replace(bare, "ID") } else { out += word }
    }
    out
}

#[test]
fn what_is_typed_wrong_changes_nothing_when_this_process_owns_the_directory() {
    let setting = Setting::new();
    setting.hold(&nothing_written(), 0);
    setting.hold(&refusal_written(), 1);
}

#[test]
fn what_is_typed_wrong_changes_nothing_when_another_process_owns_the_directory() {
    let setting = Setting::new();
    let serve = setting.place.serve();
    setting.hold(&nothing_written(), 0);
    setting.hold(&refusal_written(), 1);
    assert_eq!(setting.place.json(&["status"])[0]["pid"], serve.pid(), "it served all along");
    let audited = &setting.place.json(&["audit"])[0];
    assert_eq!(audited["breaches"], serde_json::json!([]));
}
