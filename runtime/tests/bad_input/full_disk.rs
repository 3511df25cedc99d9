//! A full disk is a refusal, and costs nothing that was acknowledged.

use crate::harness::{Place, Started};
use crate::skipped;
use std::path::PathBuf;
use std::process::Command;

/// A small file system of its own, gone at the end.
pub(crate) struct Disk(PathBuf);

impl Disk {
    /// Nothing where mounting is not allowed.
    pub(crate) fn mount(at: PathBuf, megabytes: u32) -> Option<Disk> {
        std::fs::create_dir(&at).unwrap();
        let mut mount = Command::new("mount");
        mount
            .args(["-t", "tmpfs", "-o", &format!("size={megabytes}m,mode=700"), "stoa-test"])
            .arg(&at);
        (Started::new(&mut mount, b"").end().code == 0).then(|| Disk(at))
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazily: a process of a test that failed may still be in it.
        drop(Command::new("umount").arg("-l").arg(&self.0).status());
    }
}

/// Puts until one is refused; the ids of those that were acknowledged, and the refusal.
fn fill(place: &Place, megabytes: u32) -> (Vec<String>, String) {
    let mut acknowledged = Vec::new();
    for n in 0..megabytes * 8 {
        // No two alike, and nothing that can be packed.
        let text: String = (0..40_000u64)
            .map(|k| format!("{:x}", k.wrapping_mul(0x9e37_79b9_7f4a_7c15 ^ u64::from(n))))
            .collect();
        let ended = place.start(&["put", "tasks", "-", "--json"], text.as_bytes()).end();
        if ended.code != 0 {
            assert_eq!(ended.code, 1, "{}", ended.err);
            return (acknowledged, for_people(&ended.err));
        }
        acknowledged.push(ended.lines()[0]["id"].as_str().unwrap().to_owned());
    }
    panic!("{megabytes} MB are never full");
}

/// The error of a command with `--json`, as it is without.
fn for_people(err: &str) -> String {
    let error: serde_json::Value = serde_json::from_str(err.lines().last().unwrap()).unwrap();
    let said = |key: &str| error["error"][key].as_str().unwrap().to_owned();
    format!("error: {}\nhint: {}\n", said("text"), said("hint"))
}

fn assert_whole(place: &Place, acknowledged: &[String]) {
    for id in acknowledged {
        assert_eq!(place.json(&["get", id])[0]["id"], **id);
    }
    assert_eq!(place.json(&["audit"])[0]["breaches"], serde_json::json!([]));
    place.json(&["put", "tasks", "and it goes on"]);
}

/// A directory on a small disk, and the file that can be removed to make room.
fn small(place: &Place) -> Option<(Disk, PathBuf)> {
    const MEGABYTES: u32 = 24;
    let Some(disk) = Disk::mount(place.path("data"), MEGABYTES) else {
        skipped("a full disk, where nothing may be mounted");
        return None;
    };
    let ballast = place.file("data/ballast", vec![b'x'; 8 << 20]);
    place.json(&["space", "create", "tasks"]);
    Some((disk, ballast))
}

#[test]
fn a_full_disk_refuses_and_loses_nothing() {
    let place = Place::new();
    let Some((_disk, ballast)) = small(&place) else { return };
    let (acknowledged, refusal) = fill(&place, 24);
    assert!(acknowledged.len() > 2, "{refusal}");
    assert_explained(&refusal);
    std::fs::remove_file(ballast).unwrap();
    assert_whole(&place, &acknowledged);
}

#[test]
fn an_owner_on_a_full_disk_stops_and_loses_nothing() {
    let place = Place::new();
    let Some((_disk, ballast)) = small(&place) else { return };
    let serve = place.serve();
    let (acknowledged, refusal) = fill(&place, 24);
    assert_explained(&refusal);
    let stopped = serve.end();
    assert_eq!(stopped.code, 1, "{}", stopped.err);
    assert_explained(&for_people(&stopped.err));
    std::fs::remove_file(ballast).unwrap();
    assert_whole(&place, &acknowledged);
}

#[track_caller]
fn assert_explained(err: &str) {
    assert!(err.contains("No space left on device"), "{err}");
    assert!(err.lines().last().is_some_and(|it| it.starts_with("hint: stoa ")), "{err}");
}

/// Found with 59 MB of room: the stop after an erase filled it up, and waited for ever.
#[test]
fn an_erase_on_a_small_disk_ends_and_says_what_is_left() {
    let place = Place::new();
    let Some(disk) = Disk::mount(place.path("data"), 60) else {
        skipped("an erase on a small disk, where nothing may be mounted");
        return;
    };
    place.json(&["space", "create", "tasks"]);
    let id = place.json(&["put", "tasks", "forget me"])[0]["id"].as_str().unwrap().to_owned();
    for args in [&["erase", &*id, "--yes"][..], &["status"], &["audit"]] {
        let ended = place.stoa(args);
        assert_eq!(ended.code, 0, "{args:?}: {}", ended.err);
        let note = "note: files may still hold what was erased: ";
        assert!(ended.err.contains(note) && ended.err.contains(" MB of room"), "{}", ended.err);
    }
    drop(disk);
}

/// Found with a checkpoint due: SIGTERM did not end it, and neither did room that was made later.
#[test]
fn a_stop_on_a_full_disk_with_a_checkpoint_due_ends() {
    let place = Place::new();
    let Some(_disk) = Disk::mount(place.path("data"), 120) else {
        skipped("a stop on a full disk, where nothing may be mounted");
        return;
    };
    place.json(&["space", "create", "tasks"]);
    let many = place.file("many.py", "for i in range(900): space.put('x' * 200)");
    let serve = place.serve();
    for _ in 0..3 {
        let ended = place.stoa(&["exec", many.to_str().unwrap(), "--spaces", "tasks=append"]);
        assert_eq!(ended.code, 0, "{}", ended.err);
    }
    let ballast = place.path("data/ballast");
    let mut fill = Command::new("dd");
    fill.args(["if=/dev/zero", "bs=1M"]).arg(format!("of={}", ballast.display()));
    assert_ne!(Started::new(&mut fill, b"").end().code, 0, "the disk is full");
    serve.signal(rustix::process::Signal::TERM);
    let stopped = serve.end();
    assert_eq!(stopped.code, 0, "{}", stopped.err);
    assert!(stopped.err.contains("note: the checkpoint is not made"), "{}", stopped.err);
    assert!(stopped.err.contains("No space left on device"), "{}", stopped.err);
    std::fs::remove_file(ballast).unwrap();
    let audited = &place.json(&["audit"])[0];
    assert_eq!((&audited["breaches"], &audited["atoms"]), (&serde_json::json!([]), &2_700.into()));
}
