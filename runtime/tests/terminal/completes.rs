//! Shells, manual pages, the version, and git.

use crate::harness::Place;
use std::process::Command;

fn bash(place: &Place, script: &str) -> String {
    let binary = std::path::Path::new(env!("CARGO_BIN_EXE_stoa"));
    let script = format!("PATH={}:$PATH\n{script}", binary.parent().unwrap().display());
    let done = Command::new("bash")
        .args(["--norc", "-c", &script])
        .current_dir(place.path("."))
        .env_remove("STOA_DATA")
        .env_remove("STOA_AS")
        .output()
        .unwrap();
    assert!(done.status.success(), "{done:?}");
    String::from_utf8(done.stdout).unwrap()
}

/// What bash offers behind these words.
fn offered(place: &Place, words: &[&str]) -> Vec<String> {
    let quoted: Vec<String> = words.iter().map(|it| format!("'{it}'")).collect();
    let last = words.len() - 1;
    let (word, before) = (words[last], words[last - 1]);
    let script = format!(
        "source <(stoa completions bash)\n\
         COMP_WORDS=({}); COMP_CWORD={last}; COMP_TYPE=9; COMP_LINE='{}'; COMP_POINT=${{#COMP_LINE}}\n\
         _clap_complete_stoa stoa '{word}' '{before}' 2>/dev/null\n\
         printf '%s\\n' \"${{COMPREPLY[@]}}\"",
        quoted.join(" "),
        words.join(" "),
    );
    let mut offered: Vec<String> = bash(place, &script)
        .split(['\n', '\u{b}'])
        .map(|it| it.trim().to_owned())
        .filter(|it| !it.is_empty())
        .collect();
    offered.sort();
    offered
}

#[test]
fn bash_completes_verbs_and_what_there_is() {
    let place = Place::new();
    let data = ["--data", "data"];
    for space in ["tasks", "tables", "a space with blanks", "how"] {
        place.json(&["space", "create", space]);
    }
    place.json(&["put", "how", "```python\npass\n```"]);
    place.json(&["spawn", "stand by", "--name", "amy", "--instructions", "how"]);
    let put = place.json(&["put", "tasks", "text"]);
    let atom = put[0]["id"].as_str().unwrap();
    let offers = |words: &[&str]| offered(&place, &[&["stoa"], &data[..], words].concat());
    assert_eq!(offers(&["sub"]), ["subscription"]);
    assert_eq!(offers(&["space", "cr"]), ["create"]);
    assert_eq!(offers(&["search", "--incl"]), ["--include-deprecated"]);
    assert_eq!(offers(&["search", "ta"]), ["tables", "tasks"]);
    assert_eq!(offers(&["agent", "log", "a"]), ["amy"]);
    assert_eq!(offers(&["spawn", "x", "--spaces", "tas"]), ["tasks="]);
    let end = &atom[18..];
    assert_eq!(offers(&["get", &end[..4]]), [end]);
    assert_eq!(offers(&["get", &end[..4].to_lowercase()]), [end]);
    // Another who types is offered what is theirs; nobody is offered what would have to be quoted.
    place.json(&["grant", "tables", "bob", "read"]);
    assert_eq!(offers(&["--as", "bob", "search", "ta"]), ["tables"]);
    assert_eq!(offers(&["--as", "b"]), ["bob"]);
    assert!(!offers(&["search", ""]).iter().any(|it| it.contains("blanks")));
    // Where there is no directory there are no names, and none is made.
    assert!(
        !offered(&place, &["stoa", "--data", "none", "search", "t"]).contains(&"tasks".to_owned())
    );
    assert!(!place.path("none").exists());
}

#[test]
fn every_shell_has_its_script() {
    let place = Place::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = place.stoa(&["completions", shell]);
        assert!(script.code == 0 && script.out.contains("STOA_COMPLETE"), "{script:?}");
    }
    assert_eq!(place.stoa(&["completions", "csh"]).code, 2);
    assert!(!place.path("data").exists());
}

#[test]
fn the_manual_has_a_page_for_each_verb_and_man_renders_it() {
    let place = Place::new();
    let done = place.stoa(&["man", "pages"]);
    assert_eq!(done.code, 0, "{done:?}");
    for entry in stoa::operations::TABLE.iter().filter(|it| it.typed) {
        let name = format!("pages/stoa-{}.1", entry.name.replace(' ', "-"));
        let page = std::fs::read_to_string(place.path(&name)).unwrap_or_default();
        assert!(page.contains(".SH OPTIONS"), "{name}: {page}");
    }
    let one = place.stoa(&["man"]);
    assert_eq!(one.out, std::fs::read_to_string(place.path("pages/stoa.1")).unwrap());
    if Command::new("man").arg("--version").output().is_err() {
        return;
    }
    let rendered = Command::new("man")
        .args(["-l", "pages/stoa-put.1"])
        .current_dir(place.path("."))
        .env("MANWIDTH", "80")
        .env("MANPAGER", "cat")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&rendered.stdout).into_owned();
    // A machine without a formatter has a man that says so.
    if rendered.status.success() {
        assert!(text.contains("--annotation") && text.contains("Add an atom"), "{text}");
    }
}

#[test]
fn the_version_is_short_or_whole() {
    let place = Place::new();
    let short = place.stoa(&["-V"]).out;
    assert_eq!(short, format!("stoa {}\n", env!("CARGO_PKG_VERSION")));
    let long = place.stoa(&["--version"]).out;
    let rest = long.strip_prefix(short.trim_end()).unwrap().trim();
    // A commit of twelve digits and its date, where they are known.
    let told = rest.is_empty()
        || rest.len() == "(0123456789ab 2026-01-31)".len()
            && rest[1..13].chars().all(|it| it.is_ascii_hexdigit());
    assert!(told, "{long:?}");
}

#[test]
fn a_directory_is_not_seen_by_git_and_what_is_written_there_stays() {
    let place = Place::new();
    place.json(&["space", "create", "s"]);
    assert_eq!(std::fs::read(place.path("data/.gitignore")).unwrap(), b"*\n");
    let git = |args: &[&str]| {
        let done = Command::new("git").args(args).current_dir(place.path(".")).output().unwrap();
        assert!(done.status.success(), "{done:?}");
        String::from_utf8(done.stdout).unwrap()
    };
    git(&["init", "--quiet"]);
    // The owner's own configuration is beside it here, and seen.
    assert_eq!(git(&["status", "--porcelain"]), "?? configuration/\n");
    // It is in nobody's way.
    place.json(&["backup", "copy"]);
    place.json(&["restore", "copy", "--data", "restored"]);
    assert_eq!(std::fs::read(place.path("restored/.gitignore")).unwrap(), b"*\n");
    place.json(&["doctor"]);
    place.json(&["trust", "--show"]);
    // What is there already stays, also before there is anything else.
    std::fs::create_dir(place.path("own")).unwrap();
    place.file("own/.gitignore", "db\n");
    place.json(&["--data", "own", "space", "create", "s"]);
    assert_eq!(std::fs::read(place.path("own/.gitignore")).unwrap(), b"db\n");
    std::fs::create_dir(place.path("other")).unwrap();
    place.file("other/.gitignore", "db\n");
    place.json(&["restore", "copy", "--data", "other"]);
    assert_eq!(std::fs::read(place.path("other/.gitignore")).unwrap(), b"db\n");
    // Who takes it away is not given it again.
    std::fs::remove_file(place.path("data/.gitignore")).unwrap();
    place.json(&["put", "s", "x"]);
    assert!(!place.path("data/.gitignore").exists());
}
