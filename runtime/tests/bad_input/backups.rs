//! A backup or a restore that cannot be made says why, and changes nothing.

use crate::full_disk::Disk;
use crate::harness::{Ended, Place};
use crate::skipped;
use rustix::process::{Signal, geteuid};
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;
use stoa::store::RESTORING;

/// A space with some hundreds of atoms for each round.
fn filled(rounds: usize) -> Place {
    let place = Place::new();
    place.json(&["space", "create", "tasks"]);
    place.file("many.py", "for n in range(900):\n    space.put(f'{n} ' * 40)");
    for _ in 0..rounds {
        place.json(&["exec", "many.py", "--spaces", "tasks=append"]);
    }
    place.json(&["put", "tasks", "the last"]);
    place
}

/// The text with the place's own path out of it.
#[track_caller]
fn assert_said(place: &Place, ended: &Ended, code: i32, says: &str) {
    let here = place.path("").display().to_string();
    let err = ended.err.replace(&here, "");
    assert_eq!((ended.code, err.trim_end(), &*ended.out), (code, says, ""));
}

fn names(place: &Place) -> Vec<String> {
    let entries = std::fs::read_dir(place.path("")).unwrap();
    let mut names: Vec<String> =
        entries.map(|it| it.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Asked of this process, then of another that has the directory.
#[test]
fn a_backup_goes_nowhere_where_something_is_or_nothing_can_be() {
    let place = filled(0);
    place.file("mine", "precious");
    let head = place.json(&["status"])[0]["head"].clone();
    let rows = [
        ("mine", 5, "mine is there already; a backup never writes over anything", "mine.2"),
        (".", 5, " is there already; a backup never writes over anything", ".2"),
        ("data", 2, "data is in the data directory; put the backup outside it", "../stoa.backup"),
        (
            "data/x",
            2,
            "data/x is in the data directory; put the backup outside it",
            "../stoa.backup",
        ),
        (
            "none/x",
            1,
            "cannot write none/x: No such file or directory (os error 2)",
            "WRITABLE_DIR/FILE",
        ),
        ("mine/x", 1, "cannot write mine/x: Not a directory (os error 20)", "WRITABLE_DIR/FILE"),
    ];
    let hold = || {
        for (target, code, says, hint) in rows {
            let ended = place.stoa(&["backup", target]);
            if target == "." {
                assert_eq!(ended.code, code, "{ended:?}");
                continue;
            }
            let says = format!("error: {says}\nhint: stoa --data data backup {hint}");
            assert_said(&place, &ended, code, &says);
        }
        place.json(&["grant", "tasks", "bob", "read"]);
        let says = "error: permission denied: a backup contains every space, so only the owner of the \
                    directory may do this\n\
                    hint: stoa --data data backup copy";
        assert_said(&place, &place.stoa(&["--as", "bob", "backup", "copy"]), 4, says);
        assert_eq!(names(&place), ["configuration", "data", "many.py", "mine"]);
        assert_eq!(std::fs::read(place.path("mine")).unwrap(), b"precious");
    };
    hold();
    let before = place.json(&["status"])[0]["head"].clone();
    assert_ne!(before, head, "the grant is written, and nothing else");
    let serve = place.serve();
    hold();
    let made = &place.json(&["backup", "copy"])[0];
    assert_eq!(made["entries"], place.json(&["audit"])[0]["entries"]);
    assert_eq!(place.json(&["status"])[0]["pid"], serve.pid());
}

#[test]
fn a_backup_into_a_directory_without_permission_says_so() {
    if geteuid().is_root() {
        skipped("a backup without permission, as root may write everything");
        return;
    }
    let place = filled(0);
    std::fs::create_dir(place.path("shut")).unwrap();
    let shut = std::fs::Permissions::from_mode(0o500);
    std::fs::set_permissions(place.path("shut"), shut).unwrap();
    let says = "error: cannot write shut/x: Permission denied (os error 13)\n\
                hint: stoa --data data backup WRITABLE_DIR/FILE";
    assert_said(&place, &place.stoa(&["backup", "shut/x"]), 1, says);
}

#[test]
fn a_backup_onto_a_full_disk_leaves_nothing_there() {
    let place = filled(2);
    let Some(_disk) = Disk::mount(place.path("small"), 1) else {
        skipped("a backup onto a full disk, where nothing may be mounted");
        return;
    };
    place.file("small/ballast", vec![b'x'; 900 << 10]);
    let says = "error: cannot write small/copy: No space left on device (os error 28)\n\
                hint: stoa --data data backup WRITABLE_DIR/FILE";
    assert_said(&place, &place.stoa(&["backup", "small/copy"]), 1, says);
    assert_eq!(std::fs::read_dir(place.path("small")).unwrap().count(), 1, "the ballast");
    assert_eq!(place.json(&["audit"])[0]["breaches"], serde_json::json!([]));
    // Nor does a restore onto one open, and elsewhere the same backup will do.
    place.json(&["backup", "copy"]);
    let refused = place.stoa(&["--data", "small/new", "restore", "copy"]);
    assert_eq!(refused.code, 1, "{refused:?}");
    assert!(refused.err.contains("hint: stoa --data OTHER_DIR restore copy"), "{refused:?}");
    let refused = place.stoa(&["--data", "small/new", "status"]);
    assert!(refused.code == 1 || refused.code == 3, "{refused:?}");
    assert_eq!(place.stoa(&["--data", "new", "restore", "copy"]).code, 0);
}

#[test]
fn what_is_no_whole_backup_is_not_restored() {
    let place = filled(0);
    place.json(&["backup", "copy"]);
    let whole = std::fs::read(place.path("copy")).unwrap();
    let mut flipped = whole.clone();
    let middle = whole.len() / 2;
    flipped[middle] ^= 4;
    let mut newer = whole.clone();
    newer[11] = 9;
    let mut older = whole.clone();
    older[11] = 1;
    for (name, bytes, says) in [
        ("garbage", &b"what is this"[..], "garbage is not a backup made by stoa"),
        ("empty", b"", "empty is not a backup made by stoa"),
        ("cut", &whole[..whole.len() - 40], "cut is cut short: it ends after entry 2:"),
        ("flipped", &flipped, "flipped is damaged: the entry after "),
        ("newer", &newer, "newer is a backup of form 9, this build reads 2; use a newer stoa"),
        (
            "older",
            &older,
            "older is a backup of form 1, of a preview of stoa; this build reads 2: ",
        ),
    ] {
        place.file(name, bytes);
        for args in [&["--data", "new", "restore", name][..], &["backup", "--verify", name]] {
            let ended = place.stoa(args);
            assert_eq!((ended.code, &*ended.out), (2, ""), "{ended:?}");
            assert!(ended.err.starts_with(&format!("error: {says}")), "{ended:?}");
            assert!(ended.err.lines().last().unwrap().starts_with("hint: stoa "), "{ended:?}");
        }
        assert!(!place.path("new").exists());
    }
    let says = "error: cannot read none: No such file or directory (os error 2)\n\
                hint: stoa --data new backup --verify FILE";
    assert_said(&place, &place.stoa(&["--data", "new", "restore", "none"]), 2, says);
    let says = "error: data is not empty; restore into a new directory\n\
                hint: stoa --data NEW_DIR restore copy";
    assert_said(&place, &place.stoa(&["restore", "copy"]), 1, says);
    let serve = place.serve();
    assert_said(&place, &place.stoa(&["restore", "copy"]), 1, says);
    drop(serve);
}

/// Killed at many instants: a backup is there whole or not at all, a directory opens whole or for
/// nobody, and both can be done again.
#[test]
fn killed_in_the_middle_nothing_half_has_a_name() {
    let place = filled(4);
    let mut killed = [0, 0];
    for round in 0..10u64 {
        let backup = place.start(&["backup", "copy"], b"");
        std::thread::park_timeout(Duration::from_millis(15 + round * 10));
        backup.signal(Signal::KILL);
        let code = backup.end().code;
        if place.path("copy").exists() {
            assert_eq!(place.stoa(&["backup", "copy", "--verify"]).code, 0);
            std::fs::remove_file(place.path("copy")).unwrap();
        } else {
            assert_eq!(code, -9);
            killed[0] += 1;
        }
    }
    assert_eq!(place.stoa(&["backup", "copy"]).code, 0);
    for round in 0..10u64 {
        let restore = place.start(&["--data", "new", "restore", "copy"], b"");
        std::thread::park_timeout(Duration::from_millis(15 + round * 12));
        restore.signal(Signal::KILL);
        restore.end();
        if place.path("new").join(RESTORING).exists() {
            killed[1] += 1;
            for verb in [&["status"][..], &["space", "create", "x"], &["serve"]] {
                let says = "error: new is not whole: a restore into it was interrupted; restore \
                            again\nhint: stoa --data new restore BACKUP";
                assert_said(&place, &place.stoa(&[&["--data", "new"], verb].concat()), 1, says);
            }
        } else if place.path("new/format").exists() {
            let audited = &place.json(&["--data", "new", "audit"])[0];
            assert_eq!(audited["breaches"], serde_json::json!([]));
            std::fs::remove_dir_all(place.path("new")).unwrap();
        }
    }
    assert!(killed[0] > 0 && killed[1] > 0, "kills that hit something: {killed:?}");
    assert_eq!(place.stoa(&["--data", "new", "restore", "copy"]).code, 0);
    let count = |data: &str| place.json(&["--data", data, "audit"])[0]["entries"].clone();
    assert_eq!(count("new"), count("data"));
}
