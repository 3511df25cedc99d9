//! Directories that cannot be opened are left as they are, and say why.

use crate::harness::{Ended, Place, Started};
use crate::skipped;
use rustix::process::{Signal, geteuid};
use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

const NONE: &str = "01J00000000000000000000000";

/// Every file below a path, and what is in it.
fn bytes(path: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(path).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.append(&mut bytes(&path));
        } else {
            found.insert(path.clone(), std::fs::read(path).unwrap());
        }
    }
    found
}

#[track_caller]
fn assert_said(ended: &Ended, code: i32, says: &str) {
    assert_eq!((ended.code, ended.err.trim_end(), &*ended.out), (code, says, ""));
}

/// One atom in one space.
fn filled() -> Place {
    let place = Place::new();
    place.json(&["space", "create", "tasks"]);
    place.json(&["put", "tasks", "kept"]);
    place
}

#[test]
fn a_directory_of_a_newer_format_is_left_alone() {
    let place = filled();
    place.file("data/format", "99\n");
    let before = bytes(&place.path("data"));
    for args in [&["status"][..], &["put", "tasks", "x"], &["doctor"], &["serve"], &["audit"]] {
        let says = "error: data has data format 99, this build reads 3; use a newer stoa\n\
                    hint: stoa --version";
        assert_said(&place.stoa(args), 1, says);
    }
    assert!(bytes(&place.path("data")) == before, "not a byte has changed");
}

#[test]
fn a_directory_of_an_older_format_is_left_alone_and_the_way_on_is_told() {
    let place = filled();
    place.file("data/format", "1\n");
    let before = bytes(&place.path("data"));
    for args in [&["status"][..], &["put", "tasks", "x"], &["doctor"], &["serve"], &["audit"]] {
        let says = "error: data has data format 1, which only a preview of stoa reads; this build \
                    reads 3: export its spaces with the stoa that wrote it, and import them into a \
                    new directory\nhint: stoa --data NEW_DIR import SPACE FILE";
        let space = args.get(1).copied().unwrap_or("SPACE");
        assert_said(&place.stoa(args), 1, &says.replace("SPACE", space));
    }
    assert!(bytes(&place.path("data")) == before, "not a byte has changed");
}

#[test]
fn where_there_is_no_data_nothing_is_made() {
    let place = Place::new();
    place.file("file", "mine");
    let verbs: [&[&str]; 9] = [
        &["get", NONE],
        &["put", "tasks", "x"],
        &["update", NONE, "x", "--force"],
        &["history", "tasks"],
        &["watch", "tasks"],
        &["status"],
        &["audit"],
        &["doctor"],
        &["doctor", "--accept-loss", "1:00", "--yes"],
    ];
    for args in verbs {
        for data in ["data", "file", "file/sub", "deep/er"] {
            let name = if ["put", "watch"].contains(&args[0]) { "tasks" } else { "NAME" };
            let says = format!(
                "error: there is no stoa data in {data}\n\
                 hint: stoa --data {data} space create {name}"
            );
            assert_said(&place.stoa(&[&["--data", data], args].concat()), 3, &says);
        }
    }
    assert_eq!(bytes(&place.path("")), BTreeMap::from([(place.path("file"), b"mine".to_vec())]));
}

#[test]
fn a_directory_that_cannot_be_made_says_so() {
    let place = Place::new();
    place.file("file", "mine");
    for (data, why) in [
        ("file", "File exists (os error 17)"),
        ("file/sub", "Not a directory (os error 20)"),
        ("/proc/none", "No such file or directory (os error 2)"),
    ] {
        let says = format!(
            "error: cannot make the data directory {data}: {why}\n\
             hint: stoa --data WRITABLE_DIR space create x"
        );
        if !data.starts_with("/proc") || cfg!(target_os = "linux") {
            assert_said(&place.stoa(&["--data", data, "space", "create", "x"]), 1, &says);
        }
    }
    assert_eq!(std::fs::read(place.path("file")).unwrap(), b"mine");
}

#[test]
fn a_directory_that_may_not_be_written_says_so() {
    if geteuid().is_root() {
        skipped("a directory without permission, as root may write everything");
        return;
    }
    let place = filled();
    let before = bytes(&place.path("data"));
    let lock = std::fs::Permissions::from_mode(0o400);
    std::fs::set_permissions(place.path("data/lock"), lock).unwrap();
    let says = "error: cannot write data/lock: Permission denied (os error 13)\n\
                hint: stoa --data WRITABLE_DIR space create NAME";
    assert_said(&place.stoa(&["status"]), 1, says);
    assert!(bytes(&place.path("data")) == before, "not a byte has changed");
}

#[test]
fn an_owner_that_hangs_is_named_and_goes_on_later() {
    let place = filled();
    let before = place.json(&["status"])[0]["head"].clone();
    let serve = place.serve();
    serve.signal(Signal::STOP);
    let began = Instant::now();
    let ended = place.stoa(&["status"]);
    let took = began.elapsed();
    let pid = serve.pid();
    let says = format!(
        "error: data is locked by another process that does not answer (process {pid})\n\
         hint: kill {pid}"
    );
    serve.signal(Signal::CONT);
    assert_said(&ended, 1, &says);
    assert!(took < Duration::from_secs(15), "it took {took:?}");
    let status = &place.json(&["status"])[0];
    assert_eq!((&status["pid"], &status["head"]), (&pid.into(), &before));
}

#[test]
fn a_follower_of_an_owner_that_hangs_is_told() {
    let place = filled();
    let serve = place.serve();
    let watch = place.start(&["watch", "tasks", "--cursor", "0"], b"");
    watch.wait_for("the first change", |out| out.contains("atom.put"));
    serve.signal(Signal::STOP);
    let ended = watch.end();
    serve.signal(Signal::CONT);
    assert_eq!(ended.code, 6, "{ended:?}");
    assert!(ended.err.contains("it says nothing any more"), "{ended:?}");
}

/// A client of an owner that is alive waits as long as it takes.
#[test]
fn a_follower_of_an_owner_at_rest_goes_on() {
    let place = filled();
    let serve = place.serve();
    let watch = place.start(&["watch", "tasks", "--cursor", "0"], b"");
    watch.wait_for("the first change", |out| out.contains("atom.put"));
    // Longer than a client bears silence: the hung code keeps the owner busy meanwhile.
    let busy = place.file("busy.py", "while True: pass");
    let busy = busy.display().to_string();
    for _ in 0..2 {
        assert_eq!(place.stoa(&["exec", &busy, "--spaces", "tasks=read"]).code, 7);
    }
    assert_eq!(place.stoa(&["put", "tasks", "late", "--comment", "the late one"]).code, 0);
    watch.wait_for("the late change", |out| out.contains("the late one"));
    watch.signal(Signal::TERM);
    assert!(watch.end().out.contains("the late one"));
    drop(serve);
}

#[test]
fn the_doctor_names_who_has_the_directory() {
    let place = filled();
    let serve = place.serve();
    let pid = serve.pid();
    for args in [&["doctor"][..], &["doctor", "--accept-loss", "1:00", "--yes"]] {
        let says = format!(
            "error: process {pid} has data open, and the doctor needs it alone\nhint: kill {pid}"
        );
        assert_said(&place.stoa(args), 1, &says);
    }
    serve.signal(Signal::TERM);
    assert_eq!(serve.end().code, 0);
    let says = "error: nothing is lost here: the log holds everything that was acknowledged\n\
                hint: stoa --data data audit";
    assert_said(&place.stoa(&["doctor", "--accept-loss", "1:00", "--yes"]), 2, says);
    assert_eq!(place.stoa(&["doctor"]).code, 0);
    assert_eq!(place.json(&["audit"])[0]["breaches"], serde_json::json!([]));
}

#[test]
fn a_second_serve_gives_way() {
    let place = filled();
    let serve = place.serve();
    let says =
        "error: another process serves this directory already\nhint: stoa --data data status";
    assert_said(&place.stoa(&["serve"]), 6, says);
    assert_eq!(place.json(&["status"])[0]["pid"], serve.pid());
}

#[test]
fn a_serve_waits_for_a_verb_that_has_the_directory_for_a_moment() {
    let place = filled();
    let verb = place.start(&["watch", "tasks", "--cursor", "0"], b"");
    verb.wait_for("that it follows", |out| !out.is_empty());
    let serve = place.start(&["serve", "--json"], b"");
    assert_eq!(place.json(&["status"])[0]["pid"], verb.pid());
    verb.signal(Signal::TERM);
    serve.wait_for("that it serves", |out| out.contains("serving"));
    assert_eq!(place.json(&["status"])[0]["pid"], serve.pid());
    assert_eq!(verb.end().code, 0);
}

/// `stoa ARGS | head -1`, and how `stoa` ended.
fn unheard(place: &Place, args: &[&str]) -> Ended {
    let mut shell = Command::new("sh");
    shell.args(["-c", r#"{ "$0" --data data "$@"; echo $? >&2; } | head -1"#]);
    shell.arg(env!("CARGO_BIN_EXE_stoa")).args(args).current_dir(place.path(""));
    Started::new(&mut shell, b"").end()
}

/// The first line is all that is asked for, of more than a pipe holds.
#[test]
fn a_reader_that_has_enough_ends_the_command() {
    let place = filled();
    place.file("many.py", "for n in range(900):\n    space.put(str(n))");
    place.json(&["exec", "many.py", "--spaces", "tasks=append"]);
    let history = ["history", "tasks", "--limit", "1000"];
    let first = |ended: Ended| (ended.err, ended.out.lines().count());
    assert_eq!(first(unheard(&place, &history)), ("0\n".into(), 1));
    let _serve = place.serve();
    assert_eq!(first(unheard(&place, &history)), ("0\n".into(), 1));
    assert_eq!(place.json(&history).len(), 901);
}
