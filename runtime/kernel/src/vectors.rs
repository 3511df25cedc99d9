//! Vectors from an embedder that is asked: made in the background, behind the log, and served once
//! they have come to its end.
//!
//! Every atom has the built-in embedder's vector, which is made before its write and is in the log.
//! Where another embedder is configured, this walks the log from where it came to last, asks for the
//! vectors of what is new in batches, and keeps them in rows of their own. Until it has been at the
//! end of the log once the built-in vectors serve; from then on its own do, and an atom that it has
//! not come to yet is found by its words. An endpoint that hangs, refuses or lies costs nothing but
//! that: it is asked again, later and later, and `status` says why.

use crate::blocking::blocking;
use crate::embedder::{EmbedError, Remote};
use crate::failure::StoreError;
use crate::limits::Config;
use crate::runtime::{Part, Runtime, WeakRuntime};
use crate::store::{Embedded, Store};
use parking_lot::Mutex;
use quick_cache::sync::Cache;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use stoa_actors::atom::{Atom, Embedding};
use stoa_actors::behaviour::Behaviour;
use stoa_actors::id::{AtomId, Position, SpaceId};
use stoa_actors::incarnation;
use stoa_actors::retry::wait_ms;
use stoa_actors::search::words;
use stoa_actors::space::Space;

/// Bytes of a text that is asked for again where the whole of it was refused.
const SHORT_TEXT_BYTES: usize = 2_000;

/// How the embedder that is asked is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VectorStatus {
    /// The model, and where.
    pub embedder: String,
    /// The dimensions of its vectors.
    pub dims: usize,
    /// Every atom up to here has its vector.
    pub upto: Position,
    /// Entries behind that.
    pub behind: u64,
    /// Whether searches go by its vectors; by the built-in ones until it has come to the end.
    pub serves: bool,
    /// Texts that it refused, since the open: found by their words alone.
    pub refused: u64,
    /// Why it does not go on; nothing when it does.
    pub why: Option<String>,
}

/// The embedder that is asked, and how far it has come.
pub(crate) struct Vectors {
    remote: Remote,
    so_far: Mutex<Embedded>,
    serves: AtomicBool,
    /// Whether rows of others were taken out since the open.
    alone: AtomicBool,
    refused: AtomicU64,
    why: Mutex<Option<String>>,
    /// Texts that were asked for last.
    asked: Cache<String, Embedding>,
}

/// One version of an atom, and the words of it.
struct Text {
    id: AtomId,
    space: SpaceId,
    version: u64,
    text: String,
}

/// What a step has done.
enum Step {
    /// There is more to do.
    On,
    /// It is at the end of the log.
    End(Position),
}

impl Vectors {
    /// The embedder that is asked, if one is configured.
    pub(crate) fn configured(
        config: &Config,
        store: &Store,
    ) -> Result<Option<Arc<Vectors>>, StoreError> {
        let settings = &config.embedding;
        let Some(remote) = &settings.remote else { return Ok(None) };
        let remote = Remote::new(remote, settings.dims_max);
        let remote = remote.map_err(|error| StoreError::Settings {
            hint: match &error {
                EmbedError::NoKey { variable } => format!("export {variable}=KEY"),
                _ => "stoa --help".to_owned(),
            },
            why: error.to_string(),
        })?;
        let so_far = store.embedded(remote.fingerprint())?;
        Ok(Some(Arc::new(Vectors::new(remote, so_far, settings.queries_kept))))
    }

    fn new(remote: Remote, so_far: Embedded, queries_kept: usize) -> Vectors {
        let asked = Cache::new(queries_kept);
        let serves = AtomicBool::new(so_far.serves);
        let so_far = Mutex::new(so_far);
        let (alone, refused) = (AtomicBool::new(false), AtomicU64::new(0));
        Vectors { remote, so_far, serves, alone, refused, why: Mutex::default(), asked }
    }

    pub(crate) fn fingerprint(&self) -> u32 {
        self.remote.fingerprint()
    }

    /// Whether searches go by it.
    pub(crate) fn serves(&self) -> bool {
        self.serves.load(Ordering::Acquire)
    }

    pub(crate) fn status(&self, head: Position) -> VectorStatus {
        let upto = self.so_far.lock().upto;
        VectorStatus {
            embedder: self.remote.name(),
            dims: self.remote.dims(),
            upto,
            behind: head.0.saturating_sub(upto.0),
            serves: self.serves(),
            refused: self.refused.load(Ordering::Relaxed),
            why: self.why.lock().clone(),
        }
    }

    /// The vector of what is searched for; nothing when it is not to be had in time. The search
    /// goes by words then.
    pub(crate) async fn query(&self, text: &str, within: Duration) -> Option<Embedding> {
        if let Some(known) = self.asked.get(text) {
            return Some(known);
        }
        match self.remote.embed(&[text], within).await {
            Ok(made) => {
                let made = made.into_iter().next()?;
                self.asked.insert(text.to_owned(), made.clone());
                *self.why.lock() = None;
                Some(made)
            }
            Err(error) => {
                *self.why.lock() = Some(error.to_string());
                None
            }
        }
    }
}

/// Who finds atoms by vectors, and hears which there are.
pub(crate) trait Served: Send + Sync + 'static {
    /// From now on others' vectors serve than those that it has.
    fn begin_anew(&self);

    /// Atoms of a space have vectors that they had not.
    fn arrived(&self, space: SpaceId, ids: Vec<AtomId>);
}

impl Part for Vectors {}

impl Vectors {
    /// Embeds for as long as the runtime is there; again, should it die.
    pub(crate) fn follow(self: Arc<Self>, runtime: &Runtime, served: Arc<dyn Served>) {
        let wait_ms = runtime.shared().config.embedding.retry_ms;
        let follower = Follower { runtime: runtime.downgrade(), vectors: self, served };
        tokio::spawn(async move {
            while let Err(died) = tokio::spawn(follower.clone().run()).await {
                tracing::warn!(%died, "the embedder begins anew");
                tokio::time::sleep(Duration::from_millis(wait_ms)).await;
            }
        });
    }
}

impl Runtime {
    pub(crate) fn vectors(&self) -> Option<Arc<Vectors>> {
        self.find_part()
    }

    /// How the embedder that is asked is; nothing when there is only the one that is built in.
    pub fn vector_status(&self) -> Option<VectorStatus> {
        self.vectors().map(|it| it.status(self.durable()))
    }
}

/// What goes on behind the log for as long as the runtime is there.
#[derive(Clone)]
struct Follower {
    runtime: WeakRuntime,
    vectors: Arc<Vectors>,
    served: Arc<dyn Served>,
}

impl Follower {
    async fn run(self) {
        let Follower { runtime, vectors, served } = self;
        let mut failures = 0u32;
        loop {
            let Some(open) = runtime.upgrade() else { return };
            let shared = open.shared().clone();
            if shared.store.failure.error().is_some() {
                return;
            }
            let stepped = step(&open, &vectors, &*served).await;
            drop(open);
            let wait = match stepped {
                Ok(Ok(Step::On)) => {
                    (failures, *vectors.why.lock()) = (0, None);
                    continue;
                }
                Ok(Ok(Step::End(at))) => {
                    (failures, *vectors.why.lock()) = (0, None);
                    tokio::select! {
                        () = shared.log.gone_on(at) => {}
                        _ = shared.store.failure.tripped() => return,
                    }
                    continue;
                }
                Ok(Err(error)) => {
                    *vectors.why.lock() = Some(error.to_string());
                    let config = &shared.config.embedding;
                    let asked = error.after().map_or(0, |it| it.as_millis() as u64);
                    let wait = wait_ms(failures, config.retry_ms, config.retry_ms_max);
                    failures += 1;
                    Duration::from_millis(wait.max(asked).min(config.retry_ms_max))
                }
                Err(error) => {
                    shared.store.failure.trip(error);
                    return;
                }
            };
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                _ = shared.store.failure.tripped() => return,
            }
        }
    }
}

/// The next batch: read, asked for, and kept.
async fn step(
    runtime: &Runtime,
    vectors: &Vectors,
    served: &dyn Served,
) -> Result<Result<Step, EmbedError>, StoreError> {
    let so_far = *vectors.so_far.lock();
    let head = runtime.durable();
    if so_far.upto >= head {
        return at_end(runtime, vectors, served, head).await.map(Ok);
    }
    let reader = runtime.clone();
    let read = blocking(move || gather(&reader, so_far.upto, head));
    let (texts, upto) = read.await??;
    let within = Duration::from_millis(runtime.shared().config.embedding.request_ms_max);
    let made = match ask(vectors, &texts, within).await {
        Ok(made) => made,
        Err(error) => return Ok(Err(error)),
    };
    let spaces: BTreeSet<SpaceId> = texts.iter().map(|it| it.space).collect();
    let ids: Vec<(SpaceId, AtomId)> = texts.iter().map(|it| (it.space, it.id)).collect();
    let rows: Vec<_> =
        texts.into_iter().zip(made).map(|(it, made)| (it.id, it.version, made)).collect();
    let so_far = Embedded { upto, ..so_far };
    keep(runtime, vectors, rows, so_far).await?;
    for space in spaces {
        let new = ids.iter().filter(|(it, _)| *it == space).map(|(_, id)| *id);
        served.arrived(space, new.collect());
    }
    Ok(Ok(Step::On))
}

async fn keep(
    runtime: &Runtime,
    vectors: &Vectors,
    rows: Vec<(AtomId, u64, Option<Embedding>)>,
    so_far: Embedded,
) -> Result<(), StoreError> {
    let (store, fingerprint) = (runtime.store().clone(), vectors.fingerprint());
    let kept = blocking(move || store.keep_vectors(fingerprint, &rows, so_far));
    kept.await??;
    *vectors.so_far.lock() = so_far;
    Ok(())
}

/// At the end for the first time its vectors serve, and those of others can go.
async fn at_end(
    runtime: &Runtime,
    vectors: &Vectors,
    served: &dyn Served,
    head: Position,
) -> Result<Step, StoreError> {
    if !vectors.serves() {
        let so_far = Embedded { serves: true, ..*vectors.so_far.lock() };
        keep(runtime, vectors, Vec::new(), so_far).await?;
        vectors.serves.store(true, Ordering::Release);
        served.begin_anew();
    }
    if !vectors.alone.swap(true, Ordering::AcqRel) {
        let (store, fingerprint) = (runtime.store().clone(), vectors.fingerprint());
        let forgotten = blocking(move || store.forget_vectors_but(fingerprint));
        forgotten.await??;
    }
    Ok(Step::End(head))
}

/// The newest versions among the next entries, as many as one request takes; and how far that is.
fn gather(
    runtime: &Runtime,
    after: Position,
    head: Position,
) -> Result<(Vec<Text>, Position), StoreError> {
    let config = &runtime.shared().config;
    let store = runtime.store();
    let (mut texts, mut upto, mut bytes) = (Vec::<Text>::new(), after, 0);
    for (entry, looked) in store.entries_from(after).zip(1..) {
        let entry = entry?;
        if entry.position > head {
            break;
        }
        if entry.body.kind == Space::KIND {
            for event in incarnation::events::<Space>(&entry.body)? {
                let Some(atom) = Space::atom(&event) else { continue };
                let newest = store.newest(atom.id)?.map(|(_, it)| it.version);
                if newest == Some(atom.version) {
                    let text = text_of(atom);
                    bytes += text.text.len();
                    texts.push(text);
                }
            }
        }
        upto = entry.position;
        let full =
            texts.len() >= config.embedding.batch_texts || bytes >= config.embedding.batch_bytes;
        if full || looked >= config.follow_entries_max {
            break;
        }
    }
    Ok((texts, upto))
}

fn text_of(atom: &Atom) -> Text {
    let text = words(&atom.annotation, &atom.metadata, &atom.content);
    Text { id: atom.id, space: atom.space, version: atom.version, text }
}

/// A vector for each that has words and is not refused.
async fn ask(
    vectors: &Vectors,
    texts: &[Text],
    within: Duration,
) -> Result<Vec<Option<Embedding>>, EmbedError> {
    let places: Vec<usize> =
        (0..texts.len()).filter(|at| !texts[*at].text.trim().is_empty()).collect();
    let mut made = vec![None; texts.len()];
    if places.is_empty() {
        return Ok(made);
    }
    let all: Vec<&str> = places.iter().map(|at| texts[*at].text.as_str()).collect();
    match vectors.remote.embed(&all, within).await {
        Ok(found) => {
            for (at, embedding) in places.into_iter().zip(found) {
                made[at] = Some(embedding);
            }
        }
        // One of them it will not have: each by itself.
        Err(error) if error.is_of_the_text() => {
            for at in places {
                made[at] = one(vectors, &texts[at].text, within).await?;
            }
        }
        Err(error) => return Err(error),
    }
    Ok(made)
}

/// The vector of one text, or of its beginning, or none.
async fn one(
    vectors: &Vectors,
    text: &str,
    within: Duration,
) -> Result<Option<Embedding>, EmbedError> {
    for text in [text, &text[..text.floor_char_boundary(SHORT_TEXT_BYTES)]] {
        match vectors.remote.embed(&[text], within).await {
            Ok(made) => return Ok(made.into_iter().next()),
            Err(error) if error.is_of_the_text() => {}
            Err(error) => return Err(error),
        }
    }
    vectors.refused.fetch_add(1, Ordering::Relaxed);
    Ok(None)
}
