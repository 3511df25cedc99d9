//! Says which commit is built, where that is known.
//!
//! Only for optimised builds: a new commit would have everybody who works on stoa build the whole
//! package anew. It says nothing of the machine or of the moment, so that two builds of one commit are
//! alike, and it runs again only when another commit is checked out.

#![expect(clippy::disallowed_methods, reason = "cargo tells a build script everything so")]

use std::path::{Path, PathBuf};
use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=PROFILE");
    let optimised = std::env::var("PROFILE").is_ok_and(|it| it == "release");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2);
    let known = root.filter(|_| optimised);
    let commit = known.and_then(commit);
    let said = commit.map_or_else(String::new, |(commit, date)| format!(" ({commit} {date})"));
    println!("cargo:rustc-env=STOA_COMMIT={said}");
}

/// The commit that is checked out and its date; nothing where this is no clone of its own, as in an
/// archive that was unpacked within somebody else's.
fn commit(root: &Path) -> Option<(String, String)> {
    let git = |args: &[&str]| {
        let done = Command::new("git").arg("-C").arg(root).args(args).output().ok()?;
        let said = String::from_utf8(done.stdout).ok().filter(|_| done.status.success())?;
        Some(said.trim().to_owned()).filter(|it| !it.is_empty())
    };
    git(&["ls-files", "--error-unmatch", "runtime/cli/build.rs"])?;
    let log = git(&["log", "-1", "--format=%H %cs"])?;
    let (commit, date) = log.split_once(' ')?;
    // Which commit it is stands in the head, and in the branch that the head names.
    let branch = git(&["symbolic-ref", "-q", "HEAD"]);
    for name in ["HEAD".to_owned(), "packed-refs".to_owned()].into_iter().chain(branch) {
        let path = git(&["rev-parse", "--git-path", &name]).map(PathBuf::from);
        let path = path.map(|it| root.join(it)).filter(|it| it.exists());
        path.iter().for_each(|it| println!("cargo:rerun-if-changed={}", it.display()));
    }
    Some((commit.get(..12)?.to_owned(), date.to_owned()))
}
