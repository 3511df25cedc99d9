//! A `get` beside 64 writers on the same space, in process and over the socket; and the fan-out of
//! one event to a thousand followers against a plain loop of ractor casts.

#![expect(clippy::print_stdout, reason = "a bench prints what it measured")]
#![expect(clippy::expect_used, reason = "a bench that cannot run ends")]

use measure::{load, micros, quantile, rounds, spread};
use ractor::{Actor, ActorProcessingErr, ActorRef};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use stoa::caller::{Caller, WriteOptions};
use stoa::config::{Config, DoorLimits};
use stoa::door::{DoorRequest, Identity, Reached, reach};
use stoa::operations::Get;
use stoa::runtime::kinds;
use stoa_actors::atom::Content;
use stoa_actors::id::{AtomId, ROOT, SpaceId};
use stoa_actors::space::{Draft, Filter};
use tokio::sync::Notify;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn draft() -> Draft {
    Draft { content: Content::Text("x".repeat(1_000)), ..Draft::default() }
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    println!("load {}", load());
    gets().await;
    fan_out().await;
    println!("load {}", load());
}

async fn gets() {
    let dir = tempfile::tempdir().expect("a directory");
    let reached =
        reach(Config::at(dir.path()), kinds(), DoorLimits::default()).await.expect("it opens");
    let Reached::Owner(runtime, _door) = reached else { return };
    let caller = runtime.caller(ROOT);
    let space = caller.create_space("bench", "").await.expect("a space");
    let mut ids = Vec::new();
    for _ in 0..1_000 {
        ids.push(caller.put(space, draft(), WriteOptions::default()).await.expect("put").id);
    }
    let reader = std::thread::spawn({
        let (data, ids) = (dir.path().to_owned(), ids.clone());
        move || over_the_socket(data, ids)
    });
    let stop = Arc::new(AtomicBool::new(false));
    let writers = write_beside(&caller, space, &stop);
    let mut took: Vec<f64> = Vec::new();
    for n in 0..20_000 {
        let begun = Instant::now();
        caller.get(ids[n * 7 % ids.len()]).await.expect("get");
        took.push(micros(begun));
        if n % 64 == 0 {
            tokio::task::yield_now().await;
        }
    }
    let socket = tokio::task::spawn_blocking(|| reader.join().expect("the reader")).await;
    stop.store(true, Ordering::Relaxed);
    for writer in writers {
        writer.await.expect("a writer");
    }
    let (mut socket, mut took) = (socket.expect("the reader"), took);
    for (what, aim, took) in
        [("in process", 15.0, &mut took), ("over the socket", 150.0, &mut socket)]
    {
        println!(
            "get beside 64 writers, {what:<15}  p50 {:>7.1} us (aim {aim})  p99 {:>8.1} us",
            quantile(took, 0.5),
            quantile(took, 0.99)
        );
    }
    runtime.stop().await.expect("it stops");
}

fn write_beside(
    caller: &Caller,
    space: SpaceId,
    stop: &Arc<AtomicBool>,
) -> Vec<tokio::task::JoinHandle<()>> {
    let writer = |_| {
        let (caller, stop) = (caller.clone(), stop.clone());
        tokio::spawn(async move {
            while !stop.load(Ordering::Relaxed) {
                caller.put(space, draft(), WriteOptions::default()).await.expect("put");
            }
        })
    };
    (0..64).map(writer).collect()
}

/// Another client, in a thread of its own, through the door.
#[tokio::main(flavor = "current_thread")]
async fn over_the_socket(data: std::path::PathBuf, ids: Vec<AtomId>) -> Vec<f64> {
    let reached =
        reach(Config::at(data), kinds(), DoorLimits::default()).await.expect("the owner answers");
    let Reached::Client(mut client) = reached else { return vec![f64::NAN] };
    let mut took = Vec::new();
    for n in 0..5_000 {
        let get = Get::one(ids[n * 7 % ids.len()]);
        let request = DoorRequest::of(Identity::Owner, &get).expect("a request");
        let begun = Instant::now();
        client.ask(&request, |_| Ok(())).await.expect("get");
        took.push(micros(begun));
    }
    took
}

const FOLLOWERS: u64 = 1_000;

struct Counting;

impl Actor for Counting {
    type Msg = ();
    type State = Arc<Heard>;
    type Arguments = Arc<Heard>;

    async fn pre_start(
        &self,
        _: ActorRef<()>,
        heard: Arc<Heard>,
    ) -> Result<Arc<Heard>, ActorProcessingErr> {
        Ok(heard)
    }

    async fn handle(
        &self,
        _: ActorRef<()>,
        (): (),
        heard: &mut Arc<Heard>,
    ) -> Result<(), ActorProcessingErr> {
        heard.one();
        Ok(())
    }
}

/// Counts down to the last one who heard.
#[derive(Default)]
struct Heard {
    count: AtomicU64,
    all: Notify,
}

impl Heard {
    fn one(&self) {
        if (self.count.fetch_add(1, Ordering::AcqRel) + 1).is_multiple_of(FOLLOWERS) {
            self.all.notify_one();
        }
    }
}

/// From asking for a put to the last follower that heard of it, against a put that nobody follows
/// and a loop of casts behind it: the same disk on both sides.
async fn fan_out() {
    let dir = tempfile::tempdir().expect("a directory");
    let runtime = stoa::open(Config::at(dir.path())).await.expect("it opens");
    let caller = runtime.caller(ROOT);
    let space = caller.create_space("feed", "").await.expect("a space");
    let quiet = caller.create_space("quiet", "").await.expect("a space");
    let heard = Arc::new(Heard::default());
    for _ in 0..FOLLOWERS {
        let follow = caller.follow(space, runtime.durable(), Filter::default()).expect("follows");
        let heard = heard.clone();
        tokio::spawn(async move {
            loop {
                follow.rung().await;
                heard.one();
            }
        });
    }
    let casts = Arc::new(Heard::default());
    let mut actors = Vec::new();
    for _ in 0..FOLLOWERS {
        let (actor, _) = Actor::spawn(None, Counting, casts.clone()).await.expect("an actor");
        actors.push(actor);
    }
    let (mut ratios, mut ours, mut floor) = (vec![], vec![], vec![]);
    for _ in 0..rounds() * 4 {
        let begun = Instant::now();
        caller.put(quiet, draft(), WriteOptions::default()).await.expect("put");
        for actor in &actors {
            actor.cast(()).expect("cast");
        }
        casts.all.notified().await;
        let base = micros(begun);
        let begun = Instant::now();
        caller.put(space, draft(), WriteOptions::default()).await.expect("put");
        let wait = tokio::time::timeout(Duration::from_secs(5), heard.all.notified());
        wait.await.expect("everybody hears");
        let all = micros(begun);
        ratios.push(base / all);
        ours.push(all);
        floor.push(base);
    }
    let (low, mid, high) = spread(ratios);
    println!(
        "fan-out to {FOLLOWERS}: put and wakes {:.0} us, put and ractor casts {:.0} us, ratio {mid:.2} [{low:.2}-{high:.2}] (aim 0.7)",
        spread(ours).1,
        spread(floor).1
    );
    println!("a stalled follower costs one bell: {} bytes and its cursor", bell_bytes());
    runtime.stop().await.expect("it stops");
}

/// An atomic flag, a notifier and two counts.
fn bell_bytes() -> usize {
    size_of::<AtomicBool>() + size_of::<Notify>() + 2 * size_of::<usize>()
}
