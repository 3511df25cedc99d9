//! A space as a file: what is exported is written under another name until it is whole, what is
//! imported is looked through before anything of it is sent.

use super::look::look;
use super::owner::Owner;
use super::progress::Progress;
use super::screen::{Screen, done, unwritten};
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, IsTerminal, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use stoa_actors::id::{AtomId, SpaceId};
use stoa_actors::limits::Limits;
use stoa_actors::space::Merge;
use stoa_kernel::backup::{Copied, Copying};

use stoa_api::answer::SpaceAnswer;
use stoa_api::door::{DoorRequest, Identity};
use stoa_api::operation::{Line, OutItem, Packed};
use stoa_api::operations::{Import as Piece, Imported, SpaceShow};
use stoa_kernel::atomic_file::AtomicFile;
use stoa_kernel::envelope::{Batches, Checked, Flaw, Foreign, check};
use stoa_kernel::problem::{Problem, ProblemKind, quoted};

/// An export on its way into a file.
pub(super) struct Into {
    part: AtomicFile,
    to: BufWriter<File>,
    lines: u64,
}

impl Into {
    pub(super) fn begin(path: &Path) -> Result<Into, Problem> {
        let failed = |error| unmade(path, &error);
        let part = AtomicFile::begin(path).map_err(failed)?;
        let to = BufWriter::with_capacity(256 << 10, part.file.try_clone().map_err(failed)?);
        Ok(Into { part, to, lines: 0 })
    }

    pub(super) fn line(&mut self, json: &[u8]) -> io::Result<()> {
        self.lines += 1;
        self.to.write_all(json)?;
        self.to.write_all(b"\n")
    }

    /// Gives the file its name.
    pub(super) fn publish(mut self, as_json: bool) -> Result<(), Problem> {
        let path = self.part.target().to_owned();
        let published = self.to.flush().and_then(|()| self.part.publish());
        published.map_err(|error| unmade(&path, &error))?;
        // The first says what the space is, and the last that this is all.
        let (name, events) = (path.display().to_string(), self.lines.saturating_sub(2));
        let told = match as_json {
            true => Screen::out().json(&serde_json::json!({"exported": name, "events": events})),
            false => done(format!("exported {events} versions to {name}")),
        };
        told.map_err(unwritten)
    }
}

/// Why there is no file.
fn unmade(path: &Path, error: &io::Error) -> Problem {
    if error.kind() == io::ErrorKind::AlreadyExists {
        let text = format!("{} is there already; an export never writes over it", path.display());
        return Problem::new(ProblemKind::Conflict, text).hint("stoa export SPACE --to OTHER_FILE");
    }
    let text = format!("cannot write {}: {error}", path.display());
    Problem::new(ProblemKind::Store, text).hint("stoa export SPACE --to WRITABLE_DIR/FILE")
}

/// What is to be imported, looked through.
pub(super) struct Import {
    from: File,
    name: String,
    checked: Checked,
    limits: Limits,
}

impl Import {
    /// Looks a file through, or all of stdin, which is kept aside meanwhile.
    pub(super) fn open(path: Option<PathBuf>) -> Result<Import, Problem> {
        let asked = path.is_some();
        let path = path.filter(|it| it.as_os_str() != "-");
        let name = path.as_ref().map_or("stdin".to_owned(), |it| it.display().to_string());
        let unread = |error: io::Error| {
            let text = format!("cannot read {name}: {error}");
            Problem::new(ProblemKind::Invalid, text).hint("stoa import SPACE PATH")
        };
        let from = match &path {
            Some(path) => File::open(path).and_then(plain).map_err(unread)?,
            None if io::stdin().is_terminal() && !asked => {
                let text = "no file is named, and nothing is on stdin";
                return Err(Problem::new(ProblemKind::Invalid, text).hint("stoa import SPACE PATH"));
            }
            None => aside().map_err(unread)?,
        };
        let limits = Limits::default();
        let checked = check(BufReader::with_capacity(256 << 10, &from), &limits)
            .map_err(|flaw| flawed(&name, &flaw))?;
        Ok(Import { from, name, checked, limits })
    }

    /// Sends it, piece by piece, to whoever has the directory open.
    pub(super) async fn run(
        mut self,
        owner: &mut Owner<'_>,
        ask: ImportAsk,
        as_json: bool,
    ) -> Result<(), Problem> {
        let into = match ask.new_ids {
            true => {
                let show = SpaceShow { space: ask.space.clone() };
                Some(id_of(owner, DoorRequest::of(ask.identity.clone(), &show)?).await?)
            }
            false => None,
        };
        self.from.rewind().map_err(unwritten)?;
        let from = BufReader::with_capacity(256 << 10, &self.from);
        let mut batches = Batches::new(from, &self.limits);
        let comment = ask.comment.clone();
        let comment = comment.unwrap_or_else(|| format!("import from {}", self.name));
        let mut describe = Some(self.checked.exported.description.clone());
        let progress = Progress::new();
        let mut sum = Imported { new: 0, known: 0, attic: 0, lost: Vec::new() };
        let mut lost: BTreeSet<AtomId> = BTreeSet::new();
        loop {
            let mut carried = batches.batch().map_err(|flaw| flawed(&self.name, &flaw))?;
            // An export of nothing still says what the space is for.
            if carried.is_empty() && describe.is_none() {
                break;
            }
            if let Some(into) = into {
                let known = |id| self.checked.atoms.contains_key(&id);
                carried = carried.into_iter().map(|it| it.under(into, &known)).collect();
            }
            if ask.merge {
                let side = |id| if lost.contains(&id) { Merge::Lost } else { Merge::Attic };
                carried.iter_mut().for_each(|it| it.merge = side(it.id));
            }
            let piece = Piece {
                space: ask.space.clone(),
                carried: Packed(carried),
                describe: describe.take(),
                comment: Some(comment.clone()),
                key: None,
            };
            let mut take = |said: &OutItem| {
                if let Some(it) = said.answer::<Imported>() {
                    (sum.new, sum.known) = (sum.new + it.new, sum.known + it.known);
                    sum.attic += it.attic;
                    lost.extend(it.lost.iter().filter_map(|it| it.parse::<AtomId>().ok()));
                }
                Ok(())
            };
            owner.ask(DoorRequest::of(ask.identity.clone(), &piece)?, &mut take).await?;
            let (done, of) = (sum.new + sum.known + sum.attic, self.checked.events);
            progress.copied(&Copied { how: Copying::Import, done, of });
        }
        progress.clear();
        sum.lost = lost.iter().map(ToString::to_string).collect();
        say(&sum, &self.name, &ask, as_json).map_err(unwritten)
    }
}

/// What was typed after `import`, but for the file.
pub(super) struct ImportAsk {
    pub(super) identity: Identity,
    pub(super) space: String,
    pub(super) new_ids: bool,
    pub(super) merge: bool,
    pub(super) comment: Option<String>,
}

async fn id_of(owner: &mut Owner<'_>, request: DoorRequest) -> Result<SpaceId, Problem> {
    let mut id = None;
    let mut take = |said: &OutItem| {
        id = said.answer::<SpaceAnswer>().and_then(|it| it.id.parse().ok());
        Ok(())
    };
    owner.ask(request, &mut take).await?;
    id.ok_or_else(|| Problem::new(ProblemKind::Store, "an unexpected answer").hint("stoa status"))
}

fn say(sum: &Imported, name: &str, ask: &ImportAsk, as_json: bool) -> io::Result<()> {
    let Imported { new, known, attic, lost } = sum;
    let mut to = Screen::out();
    if as_json {
        let mut json = serde_json::json!({"imported": new, "known": known});
        if ask.merge {
            json["attic"] = (*attic).into();
            json["lost_to"] = lost.iter().map(ToString::to_string).collect();
        }
        return to.json(&json);
    }
    if look().quiet {
        return Ok(());
    }
    let text = format!("imported {new} versions from {name}; {known} were there already");
    to.line(Line::new().plain(text))?;
    for id in lost.iter().take(LOST_SHOWN) {
        let see = format!("stoa search {} --include-deprecated --meta attic_of={id}", ask.space);
        to.line(
            Line::new().plain(format!("atom {id} stays as it is here; the other side: {see}")),
        )?;
    }
    match lost.len().checked_sub(LOST_SHOWN) {
        Some(more) if more > 0 => {
            to.line(Line::new().plain(format!("and {more} more; --json lists them")))
        }
        _ => Ok(()),
    }
}

/// Atoms with another side that are named.
const LOST_SHOWN: usize = 10;

fn flawed(name: &str, flaw: &Flaw) -> Problem {
    let hint = match (flaw.foreign, name) {
        (None, _) => "stoa --data OTHER_DIR export OTHER_SPACE --to NEW_FILE".to_owned(),
        (Some(Foreign::Backup), _) => format!("stoa --data NEW_DIR restore {}", quoted(name)),
        (Some(Foreign::Other), "stdin") => "stoa put SPACE -".to_owned(),
        (Some(Foreign::Other), _) => format!("stoa put SPACE --file {}", quoted(name)),
    };
    Problem::new(ProblemKind::Invalid, format!("{name}: {flaw}")).hint(hint)
}

/// A directory opens like a file, and cannot be read.
fn plain(file: File) -> io::Result<File> {
    if file.metadata()?.is_dir() { Err(io::ErrorKind::IsADirectory.into()) } else { Ok(file) }
}

/// All of stdin in a file without a name.
fn aside() -> io::Result<File> {
    let name = format!("stoa-import-{}", std::process::id());
    let path = std::env::temp_dir().join(name);
    let mut options = std::fs::OpenOptions::new();
    let mut file = options.read(true).write(true).create_new(true).mode(0o600).open(&path)?;
    std::fs::remove_file(&path)?;
    io::copy(&mut io::stdin().lock(), &mut file)?;
    file.rewind()?;
    Ok(file)
}
