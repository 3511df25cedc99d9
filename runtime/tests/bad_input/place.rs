//! What is not as it should be around a directory: names that are taken, a directory that goes
//! away, a journal that is lost, a program that is replaced, threads that are not to be had.

use crate::harness::{Place, Started};
use crate::skipped;
use rustix::process::Signal;
use std::os::unix::fs::{FileTypeExt, symlink};
use std::path::Path;
use std::process::Command;

fn is_socket(path: &Path) -> bool {
    path.symlink_metadata().is_ok_and(|it| it.file_type().is_socket())
}

#[test]
fn what_has_a_name_that_stoa_needs_is_named_and_not_removed() {
    for made in [false, true] {
        for (name, wanted) in [
            ("stoa.sock", "a socket"),
            ("lock", "a file"),
            ("witness", "a file"),
            ("db", "a folder"),
        ] {
            for found in ["a folder", "a file", "a symbolic link"] {
                let place = Place::new();
                match made {
                    true => drop(place.json(&["space", "create", "notes"])),
                    false => std::fs::create_dir(place.path("data")).unwrap(),
                }
                let path = place.path(&format!("data/{name}"));
                if found == wanted {
                    continue;
                }
                if path.exists() {
                    std::fs::rename(&path, place.path("kept")).unwrap();
                }
                match found {
                    "a folder" => std::fs::create_dir(&path).unwrap(),
                    "a file" => std::fs::write(&path, "mine").unwrap(),
                    _ => symlink(place.path("elsewhere"), &path).unwrap(),
                }
                let says = format!(
                    "error: data/{name} is {found} and stoa needs the name for {wanted}; move it \
                     away\nhint: mv data/{name} OTHER_NAME\n"
                );
                let ended = place.stoa(&["space", "create", "more"]);
                assert_eq!((ended.code, &*ended.err), (1, &*says));
                assert!(path.symlink_metadata().is_ok(), "it is still there");
                std::fs::rename(&path, place.path("other")).unwrap();
                if place.path("kept").exists() {
                    std::fs::rename(place.path("kept"), &path).unwrap();
                }
                place.json(&["space", "create", "more"]);
            }
        }
    }
}

#[test]
fn an_owner_whose_directory_is_gone_stops_and_leaves_what_is_in_its_place_alone() {
    let place = Place::new();
    place.json(&["space", "create", "notes"]);
    let first = place.serve();
    std::fs::rename(place.path("data"), place.path("moved")).unwrap();
    place.json(&["space", "create", "others"]);
    let second = place.serve();
    let ended = first.end();
    assert_eq!(ended.code, 1, "{}", ended.err);
    assert!(ended.err.contains("data was moved or removed while it was open"), "{}", ended.err);
    assert!(is_socket(&place.path("data/stoa.sock")), "the other owner's socket is still there");
    assert!(!place.path("moved/stoa.sock").exists(), "its own is not");
    assert_eq!(place.json(&["status"])[0]["pid"], second.pid());
    assert_eq!(place.json(&["space", "list"])[0]["name"], "others");
    let names = place.json(&["space", "list", "--data", "moved"]);
    assert_eq!(names[0]["name"], "notes", "what was moved is whole");
    assert_eq!(place.json(&["audit", "--data", "moved"])[0]["breaches"], serde_json::json!([]));
    std::fs::remove_dir_all(place.path("data")).unwrap();
    let ended = second.end();
    assert!(ended.code == 1 && ended.err.contains("was moved or removed"), "{}", ended.err);
    assert!(!place.path("data").exists(), "nothing is made anew in its place");
}

#[test]
fn the_doctor_does_not_make_a_log_look_whole_that_has_lost_its_end() {
    let place = Place::new();
    place.json(&["space", "create", "notes"]);
    let serve = place.serve();
    for text in ["one", "two"] {
        place.json(&["put", "notes", text]);
    }
    serve.signal(Signal::KILL);
    serve.end();
    let mut lost = 0;
    for entry in std::fs::read_dir(place.path("data/db")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|it| it == "jnl") {
            std::fs::remove_file(path).unwrap();
            lost += 1;
        }
    }
    assert!(lost > 0, "there is a journal");
    for args in [&["doctor"][..], &["status"], &["doctor"]] {
        let ended = place.stoa(args);
        assert_eq!((ended.code, &*ended.out), (1, ""), "{args:?}: {}", ended.err);
        assert!(
            ended.err.contains("hint: stoa --data data doctor --accept-loss "),
            "{}",
            ended.err
        );
    }
    let said = place.stoa(&["status"]).err;
    let hint = said.lines().find_map(|it| it.strip_prefix("hint: stoa ")).unwrap().to_owned();
    // What is removed is gone: nobody is asked here, so it wants a yes.
    let typed: Vec<&str> = hint.split(' ').collect();
    let unasked = place.stoa(&typed);
    assert!(unasked.code == 2 && unasked.err.ends_with(" --yes\n"), "{unasked:?}");
    let accepted = place.stoa(&[&typed[..], &["--yes"]].concat());
    assert_eq!(accepted.code, 0, "{}", accepted.err);
    place.json(&["doctor"]);
    assert_eq!(place.json(&["audit"])[0]["breaches"], serde_json::json!([]));
}

#[test]
fn python_goes_on_when_the_program_is_replaced_or_removed() {
    let place = Place::new();
    place.json(&["space", "create", "notes"]);
    let program = place.path("stoa");
    std::fs::copy(env!("CARGO_BIN_EXE_stoa"), &program).unwrap();
    let mut command = Command::new(&program);
    command.args(["--data", "data", "serve", "--json"]).current_dir(place.path("."));
    let serve = Started::new(&mut command, b"");
    serve.wait_for("that it serves", |out| out.contains("serving"));
    let action = place.file("action.py", "print(1 + 1)");
    let runs = || {
        let ended = place.stoa(&["exec", action.to_str().unwrap()]);
        assert_eq!((ended.code, &*ended.out), (0, "2\n"), "{}", ended.err);
    };
    std::fs::remove_file(&program).unwrap();
    runs();
    std::fs::write(&program, "#!/bin/sh\nexit 9\n").unwrap();
    runs();
    serve.signal(Signal::TERM);
    assert_eq!(serve.end().code, 0);
}

#[test]
fn without_threads_it_says_so_and_ends() {
    let place = Place::new();
    place.json(&["space", "create", "notes"]);
    if Command::new("strace").arg("-V").output().is_err() {
        skipped("a system without threads, where strace is not there to refuse them");
        return;
    }
    let mut refused = 0;
    for nth in 1..=10 {
        let mut command = Command::new("strace");
        command.args(["-f", "-qq", "-o", "/dev/null", "-e", "trace=clone3,clone", "-e"]);
        command.arg(format!("inject=clone3,clone:error=EAGAIN:when={nth}"));
        command.arg(env!("CARGO_BIN_EXE_stoa")).args(["--data", "data", "put", "notes", "x"]);
        let ended = Started::new(command.current_dir(place.path(".")), b"").end();
        if ended.code == 0 {
            continue;
        }
        refused += 1;
        assert_eq!(ended.code, 6, "thread {nth}: {}", ended.err);
        assert!(ended.err.starts_with("error: the system starts no more threads"), "{}", ended.err);
        assert!(ended.err.ends_with("hint: ulimit -u\n"), "{}", ended.err);
    }
    assert!(refused > 4, "{refused} of ten: strace refuses none");
    assert_eq!(place.json(&["audit"])[0]["breaches"], serde_json::json!([]));
}
