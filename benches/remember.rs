//! One agent that is spoken to 10,000 times, with a window of 64 KiB: how long a turn takes late in its life
//! against early, what it holds in memory, and what it leaves on disk.
//!
//! What the store keeps in memory to be fast is bounded, and full before it begins: what is added after
//! that is the agent's.
//!
//! A turn is what was said to it, one thought of about a kibibyte, and the letter that tells it. The turns in
//! which its window is made anew are counted apart.

#![expect(clippy::print_stdout, reason = "a bench prints what it measured")]
#![expect(clippy::expect_used, reason = "a bench that cannot run ends")]

use measure::{load, micros, quantile};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;
use stoa::agents::SpawnAsk;
use stoa::caller::{Caller, WriteOptions};
use stoa::config::Config;
use stoa::host::Boxed;
use stoa::model::{Context, Model, ModelError, Models};
use stoa_actors::atom::Content;
use stoa_actors::id::ROOT;
use stoa_actors::session::Thought;
use stoa_actors::space::Draft;
use stoa_actors::trust::HostGrants;
use stoa_actors::window::{WindowMessage, window};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const TURNS: usize = 10_000;
const WINDOW: usize = 64 << 10;
const SAID: usize = 1 << 10;

/// Says as much each time, and sums up in half of that.
struct Talker {
    compactions: Arc<AtomicUsize>,
    told: Arc<AtomicUsize>,
}

impl Model for Talker {
    fn think(&self, context: Context) -> Boxed<'_, Result<Thought, ModelError>> {
        Box::pin(async move {
            let told = window(&context);
            let bytes: usize = told.system.iter().map(String::len).sum::<usize>()
                + told.messages.iter().map(bytes).sum::<usize>();
            let said = |bytes| Thought { text: "word ".repeat(bytes / 5), ..Thought::default() };
            if context.sums_up.is_some() {
                self.compactions.fetch_add(1, Ordering::Relaxed);
                return Ok(said(SAID / 2));
            }
            if bytes > WINDOW {
                return Err(ModelError::full("the window is full"));
            }
            self.told.fetch_max(bytes, Ordering::Relaxed);
            Ok(said(SAID))
        })
    }

    fn window_bytes(&self) -> Option<usize> {
        Some(WINDOW)
    }
}

fn bytes(message: &WindowMessage) -> usize {
    match message {
        WindowMessage::Told(text) => text.len(),
        WindowMessage::Said(thought) => thought.text.len(),
        WindowMessage::Observed(observation) => observation.text.len(),
    }
}

/// Kibibytes of memory that the process holds.
fn held() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").expect("it reads");
    let line = status.lines().find_map(|it| it.strip_prefix("VmRSS:")).expect("it is there");
    line.trim().trim_end_matches("kB").trim().parse().expect("a number")
}

fn on_disk(of: &std::path::Path) -> u64 {
    let entries = std::fs::read_dir(of).expect("it reads").flatten();
    entries
        .map(|it| match it.file_type().expect("a type").is_dir() {
            true => on_disk(&it.path()),
            false => it.metadata().map_or(0, |it| it.len()),
        })
        .sum()
}

/// Writes and reads until what is kept of it grows no more; what the process holds then.
async fn fill(root: &Caller) -> usize {
    let space = root.create_space("other", "what others do").await.expect("a space");
    for round in 0..FILL_ROUNDS {
        let mut ids = Vec::new();
        for n in 0..FILL_ATOMS {
            let text = format!("{round} {n} {}", "stone ".repeat(FILL_WORDS));
            let draft = Draft { content: Content::Text(text), ..Draft::default() };
            let put = root.put(space, draft, WriteOptions::comment("fill")).await;
            ids.push(put.expect("a put").id);
        }
        for id in ids {
            root.get(id).await.expect("it is there");
        }
    }
    held()
}

/// Together about 400 MB: each table in memory was written out at least once.
const FILL_ROUNDS: usize = 8;
const FILL_ATOMS: usize = 1_000;
const FILL_WORDS: usize = 8_000;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    println!("load {}", load());
    let dir = tempfile::tempdir().expect("a directory");
    let mut config = Config::at(dir.path());
    let (compactions, told) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
    let talker = Talker { compactions: compactions.clone(), told: told.clone() };
    config.models = Models::default().with("talker", talker);
    config.host_grants = HostGrants::Live;
    let runtime = stoa::open(config).await.expect("it opens");
    runtime.start_agents().await.expect("they start");
    let root = runtime.caller(ROOT);
    let empty = held();
    let full = fill(&root).await;
    println!("memory: {empty} KiB of an empty directory, {full} KiB with what the store keeps");
    let ask = SpawnAsk {
        task: "Talk.".into(),
        name: Some("talker".into()),
        model: Some("talker".into()),
        ..SpawnAsk::default()
    };
    root.spawn(ask).await.expect("it is born");
    runtime.at_rest().await;
    let (mut early, mut late, mut anew) = (Vec::new(), Vec::new(), Vec::new());
    let mut memory = Vec::new();
    for turn in 1..=TURNS {
        let before = compactions.load(Ordering::Relaxed);
        let begun = Instant::now();
        root.say("talker", "and then?").await.expect("a word");
        runtime.at_rest().await;
        let took = micros(begun);
        match compactions.load(Ordering::Relaxed) > before {
            true => anew.push(took),
            false if (1_000..1_100).contains(&turn) => early.push(took),
            false if turn >= TURNS - 100 => late.push(took),
            false => {}
        }
        if [100, 1_000, TURNS / 2, TURNS].contains(&turn) {
            memory.push(held());
        }
    }
    let (first, last) = (quantile(&mut early, 0.5), quantile(&mut late, 0.5));
    println!("a turn: turns 1,000 to 1,100 {first:.0} us, the last hundred {last:.0} us");
    println!("  ratio {:.2} (aim 1.2)", last / first);
    let count = anew.len();
    println!("windows made anew: {count}, {:.0} us each at the median", quantile(&mut anew, 0.5));
    println!("most that was told at once: {} bytes of {WINDOW}", told.load(Ordering::Relaxed));
    let [_, thousand, half, all] = memory[..] else { panic!("four measurements") };
    let more = all as f64 / thousand as f64;
    println!("memory: {thousand} KiB after 1,000 turns, {half} after {}", TURNS / 2);
    println!("  {all} KiB after all: {more:.2} of that after 1,000 (aim 1.1)");
    runtime.stop().await.expect("it stops");
    let said = (TURNS + count) * SAID;
    let disk = on_disk(dir.path());
    let each = (disk as f64 - 2.0 * said as f64) / TURNS as f64;
    println!(
        "disk: {disk} bytes for {said} that were said: 2 times that and {each:.0} for each turn"
    );
    println!("load {}", load());
}
