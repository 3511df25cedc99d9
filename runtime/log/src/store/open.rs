//! Opening: who has the directory, which format it is, and whether the log holds everything that
//! was acknowledged. Any doubt is a refusal that says so; nothing is repaired on the quiet.

use super::Undone;
use super::fold::Fold;
use super::ignored::ignore;
use super::{Accounts, Store, Tables, Witness, keys, private, scrub};
use crate::blocking::told_to_block;
use crate::decoders::Decoders;
use crate::failure::StoreError;
use crate::limits::LogConfig;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use stoa_actors::id::{Millis, Position};
use stoa_actors::log::{Body, Breach, Hash, Head, Walk};

/// The layout of a data directory, and the forms in it. A directory with another number is refused.
const FORMAT: u32 = 3;

/// What the format is called until the directory has been opened for the first time.
pub const BEGUN: &str = "format.new";

/// What the format is called while the directory is being restored from a backup.
pub const RESTORING: &str = "format.restoring";

/// A directory that is ours.
#[derive(Debug)]
pub struct Owned {
    /// Held as long as the store is open; the system frees it when the process dies.
    _lock: File,
    /// Where the directory was, and which one.
    path: PathBuf,
    is: (u64, u64),
}

impl Owned {
    /// Whether the directory is not where it was any more. What is written by its path would go
    /// into another one.
    pub(crate) fn has_moved(&self) -> bool {
        fs::metadata(&self.path).map_or(true, |found| (found.dev(), found.ino()) != self.is)
    }
}

/// What an open store starts from.
pub struct Opened {
    /// The store, walked and ready.
    pub store: Store,
    pub(crate) witness: Witness,
    /// The last entry, which the witness knows.
    pub head: Head,
    /// When the last entry was made: the clock never runs behind it.
    pub last: Millis,
    /// Entries walked since the last checkpoint.
    pub walked: u64,
    /// What the stop before has left, and could not be done now either.
    pub undone: Vec<Undone>,
}

pub(super) fn file_error(
    what: &'static str,
    path: &Path,
) -> impl FnOnce(std::io::Error) -> StoreError {
    move |error| StoreError::File { what, path: path.to_owned(), why: error.to_string() }
}

/// Makes the directory if need be, takes its lock, checks its format.
pub fn ready_directory(data: &Path) -> Result<Owned, StoreError> {
    lock_directory(data, check_format)
}

/// Makes the directory if need be and takes its lock, if it is as `check` wants it.
pub(super) fn lock_directory(
    data: &Path,
    check: impl FnOnce(&Path) -> Result<(), StoreError>,
) -> Result<Owned, StoreError> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(data)
        .map_err(file_error("cannot make the data directory", data))?;
    private::close_directory(data)?;
    private::nothing_in_the_way(data)?;
    let path = data.join("lock");
    let mut lock = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&path)
        .map_err(file_error("cannot write", &path))?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut text = String::new();
            let pid = lock.read_to_string(&mut text).ok().and_then(|_| text.trim().parse().ok());
            return Err(StoreError::Locked { path: data.to_owned(), pid });
        }
        Err(TryLockError::Error(error)) => return Err(file_error("cannot lock", &path)(error)),
    }
    check(data)?;
    private::close_files(data)?;
    lock.set_len(0)
        .and_then(|()| lock.write_all(format!("{}\n", std::process::id()).as_bytes()))
        .map_err(file_error("cannot write", &path))?;
    let path = std::path::absolute(data).map_err(file_error("cannot look at", data))?;
    let found = fs::metadata(&path).map_err(file_error("cannot look at", data))?;
    Ok(Owned { _lock: lock, path, is: (found.dev(), found.ino()) })
}

fn check_format(data: &Path) -> Result<(), StoreError> {
    if data.join(RESTORING).exists() {
        return Err(StoreError::Unrestored { path: data.to_owned() });
    }
    let path = data.join("format");
    match fs::read_to_string(&path) {
        Ok(text) => match text.trim().parse::<u32>() {
            Ok(FORMAT) => Ok(()),
            Ok(found) if found < FORMAT => {
                Err(StoreError::OlderFormat { path: data.to_owned(), found, known: FORMAT })
            }
            _ => Err(StoreError::NewerFormat {
                path: data.to_owned(),
                found: text.trim().chars().take(32).collect(),
                known: FORMAT,
            }),
        },
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => begin(data),
        Err(error) => Err(file_error("cannot read", &path)(error)),
    }
}

/// A directory without a format is new, or a crash has cut its making off. The engine cannot go on
/// from the middle of its own making, and nothing was acknowledged yet: it is made anew. What no
/// stoa has begun to make is left alone.
fn begin(data: &Path) -> Result<(), StoreError> {
    let begun = data.join(BEGUN);
    let (db, witness) = (data.join("db"), data.join("witness"));
    if begun.exists() {
        clear(data)?;
    } else if let Some(strange) = [db, witness].into_iter().find(|it| it.exists()) {
        let why = "it was there before stoa was".to_owned();
        return Err(StoreError::File { what: "cannot use", path: strange, why });
    }
    ignore(data);
    mark(&begun)
}

/// Removes what was begun and never opened.
pub(super) fn clear(data: &Path) -> Result<(), StoreError> {
    let (db, witness) = (data.join("db"), data.join("witness"));
    if db.exists() {
        fs::remove_dir_all(&db).map_err(file_error("cannot remove", &db))?;
    }
    if witness.exists() {
        fs::remove_file(&witness).map_err(file_error("cannot remove", &witness))?;
    }
    Ok(())
}

/// Writes which format is being made, under the name that says how far it is.
pub(super) fn mark(path: &Path) -> Result<(), StoreError> {
    let mut options = OpenOptions::new();
    let options = options.write(true).create(true).truncate(true).mode(0o600);
    let mut file = options.open(path).map_err(file_error("cannot write", path))?;
    file.write_all(format!("{FORMAT}\n").as_bytes())
        .and_then(|()| file.sync_all())
        .map_err(file_error("cannot write", path))
}

/// The directory has been opened whole: from now on what is in it counts.
fn born(data: &Path) -> Result<(), StoreError> {
    if data.join("format").exists() { Ok(()) } else { whole(data, BEGUN) }
}

/// What was made under `begun` is whole.
pub(super) fn whole(data: &Path, begun: &str) -> Result<(), StoreError> {
    let format = data.join("format");
    fs::rename(data.join(begun), &format)
        .and_then(|()| File::open(data)?.sync_all())
        .map_err(file_error("cannot write", &format))
}

impl Opened {
    /// Opens the store of a directory that is ours, and walks its log from the last checkpoint:
    /// chain, bodies, witness, and every derived row of what it walks.
    pub fn open(config: &LogConfig, owned: Owned, kinds: &Decoders) -> Result<Opened, StoreError> {
        let data = &config.data;
        let store = Store::open(config, owned)?;
        scrub::refuse_known_damage(&store, data)?;
        let path = data.join("witness");
        let (mut witness, vouched) =
            Witness::open(&path).map_err(file_error("cannot open", &path))?;
        let checkpoint = store.checkpoint()?;
        // A checkpoint that its own entry does not bear out is worth nothing: walk it all.
        let checkpoint = if store.head_of(checkpoint.position)? == Some(checkpoint) {
            checkpoint
        } else {
            Head::default()
        };
        let mut walk = Walk::new(checkpoint, vouched);
        let mut accounts = Accounts::of(&store);
        let mut last = store.entry(checkpoint.position)?.map_or(Millis(0), |it| it.body.at);
        let mut tables = Tables::default();
        let mut places = Vec::new();
        let mut repairs = store.batch(16);
        for raw in store.raw_after(checkpoint.position) {
            let (at, entry) = raw?;
            let (header, body) =
                walk.step_over(at, &entry, |at, found| accounts.hold(at, found))?;
            let body = Body::decode(body)?;
            last = last.max(body.at);
            places.push((header.stream, header.seq, at));
            tables.add(at, kinds.rows(header.stream, &body)?);
        }
        let head = walk.finish()?;
        for (stream, seq, at) in places {
            if store.position_of(stream, seq)? != Some(at) {
                store.write_stream(&mut repairs, stream, seq, &keys::position(at));
            }
        }
        tables.repair(&store, head.position, &mut repairs)?;
        if !repairs.is_empty() {
            tracing::warn!(
                rows = repairs.rows(),
                "derived rows were missing and are written again"
            );
            repairs.sync()?;
        }
        store.list_endings()?;
        store.list_failures()?;
        if vouched != Some(head) {
            witness.write(head).map_err(file_error("cannot write", &path))?;
        }
        born(data)?;
        let walked = head.position.0 - checkpoint.position.0;
        // Nobody writes yet, as a purge needs it.
        let undone = store.resume_purge()?.map(|why| Undone::Purge { why });
        let undone = undone.into_iter().collect();
        Ok(Opened { store, witness, head, last, walked, undone })
    }
}

impl Store {
    /// The last head whose rows are known to be flushed; the start when there is none.
    pub(super) fn checkpoint(&self) -> Result<Head, StoreError> {
        let Some(value) = self.meta.get(keys::CHECKPOINT)? else { return Ok(Head::default()) };
        let position = keys::number(&value, 0).map(Position);
        let hash = value.get(8..).and_then(|it| it.first_chunk()).map(|it| Hash(*it));
        Ok(position.zip(hash).map(|(position, hash)| Head { position, hash }).unwrap_or_default())
    }

    /// A later open walks the whole log.
    fn forget_checkpoint(&self) -> Result<(), StoreError> {
        let mut batch = self.batch(1);
        batch.remove(&self.meta, keys::CHECKPOINT);
        batch.sync_all()
    }

    /// Flushes every keyspace and then notes the head: a later open walks from here. Takes a
    /// while; what is written meanwhile is not covered.
    pub fn make_checkpoint(&self, head: Head) -> Result<(), StoreError> {
        let all = [&self.log, &self.repls].into_iter().chain(self.derived());
        self.put_away(all)?;
        let value = [&keys::position(head.position)[..], &head.hash.0].concat();
        let mut batch = self.batch(1);
        batch.insert(&self.meta, keys::CHECKPOINT, value);
        batch.sync()
    }
}

/// What was given up by hand.
#[derive(Clone, Debug)]
pub struct Loss {
    /// Why the store was refused.
    pub breach: Breach,
    /// The head it goes on from.
    pub kept: Head,
    /// Entries that were removed behind it.
    pub removed: u64,
}

/// Goes on from the last head that holds, after a breach: removes what is behind it, vouches for
/// it, and derives everything else anew. `kept` is typed by a person who has read the refusal: it
/// must be the head that the log holds up to. Nothing is changed otherwise. It blocks until it is
/// done.
pub fn accept_loss(
    config: &LogConfig,
    kept: &str,
    kinds: &impl AsRef<Decoders>,
) -> Result<Loss, AcceptError> {
    told_to_block(|| cut_behind(config, kept, kinds.as_ref()))
}

fn cut_behind(config: &LogConfig, kept: &str, kinds: &Decoders) -> Result<Loss, AcceptError> {
    let store = Store::open(config, ready_directory(&config.data)?)?;
    let path = config.data.join("witness");
    let (mut witness, vouched) = Witness::open(&path).map_err(file_error("cannot open", &path))?;
    let mut walk = Walk::new(Head::default(), vouched);
    let mut accounts = Accounts::of(&store);
    let stepped = store
        .raw_after(Position(0))
        .try_for_each(|raw| {
            let (at, entry) = raw?;
            walk.step_over(at, &entry, |at, found| accounts.hold(at, found)).map(drop)
        })
        .and_then(|()| walk.clone().finish().map(drop).map_err(StoreError::from));
    let breach = match stepped {
        Ok(()) => return Err(AcceptError::Nothing),
        Err(StoreError::Breach(breach)) => breach,
        Err(error) => return Err(error.into()),
    };
    let head = walk.head();
    if head.to_string() != kept {
        let (given, breach) = (kept.to_owned(), Box::new(breach));
        return Err(AcceptError::OtherHead { given, head, breach });
    }
    let mut removed = 0;
    let mut batch = store.batch(1_000);
    // Each body that had left was proved by an entry that may be among those that go.
    let accounted = store.account_again(&mut batch, head)?;
    let last = keys::position(accounted.position);
    for guard in store.log.range(keys::position(Position(head.position.0 + 1))..) {
        let key = guard.key().map_err(StoreError::from)?;
        removed += 1;
        if key[..] > last[..] {
            batch.remove(&store.log, key);
        }
    }
    batch.sync_all()?;
    scrub::forget(&config.data);
    rebuild_tables(&store, kinds)?;
    witness.overwrite(accounted).map_err(file_error("cannot write", &path))?;
    Ok(Loss { breach, kept: head, removed })
}

/// Why a loss is not accepted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AcceptError {
    /// There is none.
    #[error("nothing is lost here: the log holds everything that was acknowledged")]
    Nothing,
    /// Not the head that the log holds up to.
    #[error("{given} is not the head to go on from: {breach}; the log holds up to {head}")]
    OtherHead {
        /// What was typed.
        given: String,
        /// What would be right.
        head: Head,
        /// Why the store is refused.
        breach: Box<Breach>,
    },
    /// The store cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Deletes every derived table and folds the log anew; entries read. It blocks until it is done.
///
/// Errors: [`StoreError::Breach`] when the log does not hold what was acknowledged. Nothing is
/// derived anew then, and the next open looks at the whole log and refuses it as well.
pub fn rebuild(config: &LogConfig, kinds: &impl AsRef<Decoders>) -> Result<u64, StoreError> {
    told_to_block(|| rebuild_all(config, kinds.as_ref()))
}

fn rebuild_all(config: &LogConfig, kinds: &Decoders) -> Result<u64, StoreError> {
    let store = Store::open(config, ready_directory(&config.data)?)?;
    // A log that has lost what was acknowledged is not made to look whole.
    let path = config.data.join("witness");
    let (_, vouched) = Witness::open(&path).map_err(file_error("cannot open", &path))?;
    let mut walk = Walk::new(Head::default(), vouched);
    let mut accounts = Accounts::of(&store);
    let walked = store.raw_after(Position(0)).try_for_each(|raw| {
        let (at, entry) = raw?;
        walk.step_over(at, &entry, |at, found| accounts.hold(at, found)).map(drop)
    });
    if let Err(error) = walked.and_then(|()| Ok(walk.finish().map(drop)?)) {
        store.forget_checkpoint()?;
        return Err(error);
    }
    rebuild_tables(&store, kinds)
}

fn rebuild_tables(store: &Store, kinds: &Decoders) -> Result<u64, StoreError> {
    // Without a checkpoint an interrupted rebuild is finished by the next open.
    store.forget_checkpoint()?;
    for keyspace in store.derived() {
        keyspace.clear()?;
    }
    let mut walk = Walk::new(Head::default(), None);
    let mut fold = Fold::new(store, kinds);
    let mut accounts = Accounts::of(store);
    for raw in store.raw_after(Position(0)) {
        let (at, entry) = raw?;
        let (header, body) = walk.step_over(at, &entry, |at, found| accounts.hold(at, found))?;
        fold.derive(at, &header, &Body::decode(body)?)?;
    }
    fold.finish()?;
    let head = walk.head();
    store.make_checkpoint(head)?;
    Ok(head.position.0)
}
