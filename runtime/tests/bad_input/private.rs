//! What is in a data directory, and what is made of it, can be read by its owner alone: whatever
//! the umask is, and whatever was there before.

use crate::harness::{Ended, Place, Started};
use crate::skipped;
use rustix::process::{Signal, geteuid};
use std::ffi::OsStr;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

fn mode(path: &Path) -> u32 {
    path.symlink_metadata().unwrap().mode() & 0o7777
}

fn set(path: &Path, mode: u32) {
    std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
}

/// Everything below a path.
fn below(path: &Path) -> Vec<PathBuf> {
    let mut found = vec![path.to_owned()];
    for entry in std::fs::read_dir(path).unwrap() {
        let path = entry.unwrap().path();
        match path.symlink_metadata().unwrap().is_dir() {
            true => found.extend(below(&path)),
            false => found.push(path),
        }
    }
    found
}

/// Runs it by somebody whose umask hides nothing.
fn open_handed(place: &Place, args: &[&str]) -> Started {
    let mut command = Command::new("sh");
    command.args(["-c", "umask 000; exec \"$@\"", "sh", env!("CARGO_BIN_EXE_stoa")]);
    command.args(["--data", "data"]).args(args).current_dir(place.path("."));
    command.env("XDG_CONFIG_HOME", place.path("configuration"));
    Started::new(&mut command, b"")
}

fn done(place: &Place, args: &[&str]) {
    let ended = open_handed(place, args).end();
    assert_eq!(ended.code, 0, "{args:?}: {}", ended.err);
}

#[track_caller]
fn assert_private(root: &Path) {
    for path in below(root) {
        let wanted = if path.is_dir() { 0o700 } else { 0o600 };
        assert_eq!(mode(&path) & !0o100 | wanted & 0o100, wanted, "{}", path.display());
    }
}

#[test]
fn a_directory_that_was_there_is_made_private_with_all_that_is_in_it() {
    let place = Place::new();
    std::fs::create_dir(place.path("data")).unwrap();
    set(&place.path("data"), 0o755);
    done(&place, &["space", "create", "notes"]);
    assert_private(&place.path("data"));
    // As an earlier version has left it.
    for path in below(&place.path("data")) {
        set(&path, if path.is_dir() { 0o755 } else { 0o644 });
    }
    done(&place, &["put", "notes", "MYSECRET"]);
    assert_private(&place.path("data"));
    let serve = open_handed(&place, &["serve", "--json"]);
    serve.wait_for("that it serves", |out| out.contains("serving"));
    place.json(&["put", "notes", "more"]);
    assert_private(&place.path("data"));
    serve.signal(Signal::TERM);
    assert_eq!(serve.end().code, 0);
    assert_private(&place.path("data"));
}

#[test]
fn what_is_made_of_it_is_private_also_where_a_part_was_left_behind() {
    let place = Place::new();
    done(&place, &["space", "create", "notes"]);
    for (verb, name) in
        [(&["backup", "copy"][..], "copy"), (&["export", "notes", "--to", "all"], "all")]
    {
        set(&place.file(&format!(".{name}.stoa-part"), "left"), 0o666);
        done(&place, verb);
        assert_eq!(mode(&place.path(name)), 0o600, "{name}");
    }
    done(&place, &["trust"]);
    assert_private(&place.path("configuration"));
    let mut command = Command::new("sh");
    command.args(["-c", "umask 000; exec \"$@\"", "sh", env!("CARGO_BIN_EXE_stoa")]);
    command.args(["--data", "new", "restore", "copy"]).current_dir(place.path("."));
    assert_eq!(Started::new(&mut command, b"").end().code, 0);
    assert_private(&place.path("new"));
}

#[test]
fn a_link_in_place_of_a_part_is_not_written_through() {
    let place = Place::new();
    done(&place, &["space", "create", "notes"]);
    let mine = place.file("mine", "precious");
    for (verb, name) in
        [(&["backup", "copy"][..], "copy"), (&["export", "notes", "--to", "all"], "all")]
    {
        symlink(&mine, place.path(&format!(".{name}.stoa-part"))).unwrap();
        let ended = place.stoa(verb);
        assert_eq!(ended.code, 1, "{}", ended.err);
        assert_eq!(std::fs::read(&mine).unwrap(), b"precious");
        assert!(!place.path(name).exists());
    }
}

#[track_caller]
fn assert_refused(ended: &Ended, says: &str, hint: &str) {
    assert_eq!((ended.code, &*ended.out), (1, ""), "{}", ended.err);
    assert!(ended.err.contains(says) && ended.err.contains(hint), "{}", ended.err);
}

/// `stoa --data ~` must not change who can look into a home directory.
#[test]
fn a_directory_that_holds_other_things_is_refused_with_what_to_type() {
    let place = Place::new();
    std::fs::create_dir(place.path("data")).unwrap();
    let other = place.file("data/other.txt", "mine");
    set(&other, 0o644);
    for open in [0o755, 0o1777, 0o750] {
        set(&place.path("data"), open);
        let ended = place.stoa(&["space", "create", "notes"]);
        assert_refused(&ended, &format!("its mode is {open:o}"), "hint: chmod 700 data");
        assert_eq!((mode(&place.path("data")), below(&place.path("data")).len()), (open, 2));
    }
    set(&place.path("data"), 0o700);
    place.json(&["space", "create", "notes"]);
    assert_eq!(mode(&other), 0o644, "it is not stoa's to change");
}

#[test]
fn a_directory_of_somebody_else_is_refused_with_what_to_type() {
    let place = Place::new();
    place.json(&["space", "create", "notes"]);
    if !geteuid().is_root() {
        skipped("a directory of another user, as only root can make one");
        return;
    }
    let other = Some(rustix::process::Uid::from_raw(12_345));
    rustix::fs::chown(place.path("data").as_os_str() as &OsStr, other, None).unwrap();
    let ended = place.stoa(&["put", "notes", "x"]);
    assert_refused(&ended, "belongs to user 12345, not to you", "hint: sudo chown -R 0 data");
}
