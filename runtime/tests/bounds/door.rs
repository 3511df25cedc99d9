//! Clients that do not keep their side.

use super::{KIB, MIB, Most, large, until};
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use stoa::caller::WriteOptions;
use stoa::config::{Config, DoorLimits};
use stoa::door::{Client, Door, DoorRequest, Identity, Reached, reach};
use stoa::operation::{Operation, OutItem};
use stoa::operations::{Put, Search, SpaceList};
use stoa::problem::Problem;
use stoa::runtime::{Runtime, kinds};
use stoa_actors::id::ROOT;
use tokio::sync::{Notify, Semaphore};

const CLIENTS: usize = 60;

fn config(data: &Path) -> Config {
    let mut config = Config::at(data);
    config.read_piece_bytes = 512 * KIB;
    config
}

fn limits() -> DoorLimits {
    DoorLimits {
        answers_bytes_max: 8 * MIB,
        requests_bytes_max: 8 * MIB,
        stalled_ms_max: 100,
        ..DoorLimits::default()
    }
}

/// An owner with 32 MiB to be found.
async fn owner(config: &Config) -> (Runtime, Door) {
    owner_with(config, limits()).await
}

async fn owner_with(config: &Config, limits: DoorLimits) -> (Runtime, Door) {
    let Ok(Reached::Owner(runtime, door)) = reach(config.clone(), kinds(), limits).await else {
        panic!("nobody else has it")
    };
    let root = runtime.caller(ROOT);
    let space = root.create_space("board", "").await.unwrap();
    for _ in 0..128 {
        root.put(space, large(256 * KIB), WriteOptions::comment("fill")).await.unwrap();
    }
    (runtime, door)
}

async fn client(config: &Config) -> Client {
    match reach(config.clone(), kinds(), limits()).await {
        Ok(Reached::Client(client)) => client,
        _ => panic!("it is served"),
    }
}

fn request(asked: &impl Operation) -> DoorRequest {
    DoorRequest::of(Identity::Owner, asked).unwrap()
}

fn everything() -> Search {
    Search::of("board", 1_000)
}

/// Asks, and counts what it is told.
async fn asked(client: &mut Client, what: &impl Operation) -> Result<usize, Problem> {
    let mut told = 0;
    let each = |_: OutItem| {
        told += 1;
        Ok(())
    };
    client.ask(&request(what), each).await.map(|()| told)
}

/// Sixty clients each begin to read everything and stop: 64 answers of each could wait, and the
/// frames of them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_does_not_read_does_not_stop_the_others() {
    let dir = tempfile::tempdir().unwrap();
    let config = config(dir.path());
    let (runtime, mut door) = owner(&config).await;
    let load = door.load();
    assert_eq!(load.answers_bytes(), 0);
    let looking = load.clone();
    let most = Most::of(move || looking.answers_bytes());
    let (begun, on) = (Arc::new(Semaphore::new(0)), Arc::new(Notify::new()));
    let mut idle = tokio::task::JoinSet::new();
    for _ in 0..CLIENTS {
        let (config, begun, on) = (config.clone(), begun.clone(), on.clone());
        idle.spawn(async move {
            let mut client = client(&config).await;
            let first = Notify::new();
            let mut told = 0;
            let request = request(&everything());
            let result = {
                let mut asking = Box::pin(client.ask(&request, |_| {
                    told += 1;
                    first.notify_one();
                    Ok(())
                }));
                tokio::select! {
                    biased;
                    () = first.notified() => {}
                    ended = &mut asking => panic!("it ended at once: {ended:?}"),
                }
                // From here on it reads nothing, until it is let.
                let go = on.notified();
                begun.add_permits(1);
                go.await;
                asking.await
            };
            result.map(|()| told)
        });
    }
    let all = begun.acquire_many(CLIENTS as u32);
    drop(tokio::time::timeout(Duration::from_secs(60), all).await.expect("all have begun"));
    // Somebody who reads is served, with much and with little.
    let mut reader = client(&config).await;
    let (spaces, all) = (SpaceList::default(), everything());
    let served = tokio::time::timeout(Duration::from_secs(60), asked(&mut reader, &all));
    assert_eq!(served.await.expect("it is served").unwrap(), 128);
    let served = tokio::time::timeout(Duration::from_secs(10), asked(&mut reader, &spaces));
    assert_eq!(served.await.expect("it is served").unwrap(), 1);
    assert!(most.seen() <= 8 * MIB, "{} bytes are over the ceiling", most.seen());
    assert!(most.seen() > 4 * MIB, "only {} bytes: the test fills nothing", most.seen());
    on.notify_waiters();
    let (mut whole, mut closed) = (0, 0);
    while let Some(ended) = idle.join_next().await {
        match ended.unwrap() {
            Ok(told) => {
                assert_eq!(told, 128);
                whole += 1;
            }
            Err(problem) => {
                let text = problem.to_string();
                assert!(text.contains("takes nothing") || text.contains("took nothing"), "{text}");
                closed += 1;
            }
        }
    }
    assert!(closed > 0 && whole + closed == CLIENTS, "{whole} whole, {closed} closed");
    assert_eq!(asked(&mut reader, &everything()).await.unwrap(), 128);
    drop(reader);
    until("nothing is on its way", || load.answers_bytes() == 0).await;
    door.close().await;
    runtime.stop().await.unwrap();
}

/// Sixty clients each announce 3 MB and send nothing of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_announces_and_does_not_send_does_not_stop_the_others() {
    let dir = tempfile::tempdir().unwrap();
    let config = config(dir.path());
    let (runtime, mut door) = owner(&config).await;
    let (load, looking) = (door.load(), door.load());
    let most = Most::of(move || looking.requests_bytes());
    let socket = dir.path().join("stoa.sock");
    let liars: Vec<UnixStream> = (0..CLIENTS)
        .map(|_| {
            let mut liar = UnixStream::connect(&socket).unwrap();
            liar.write_all(&3_000_000_u32.to_le_bytes()).unwrap();
            liar
        })
        .collect();
    until("they hold all the room", || load.requests_bytes() > 4 * MIB).await;
    // What is small waits for nobody; what is large waits until those before it have gone.
    let mut small = client(&config).await;
    let spaces = SpaceList::default();
    let served = tokio::time::timeout(Duration::from_secs(5), asked(&mut small, &spaces));
    assert_eq!(served.await.expect("it is served").unwrap(), 1);
    let put =
        |bytes| Put { space: "board".into(), content: Some("x".repeat(bytes)), ..Put::default() };
    let large = put(MIB);
    let served = tokio::time::timeout(Duration::from_secs(60), asked(&mut small, &large));
    assert_eq!(served.await.expect("it is served").unwrap(), 1);
    assert!(most.seen() <= 8 * MIB, "{} bytes are over the ceiling", most.seen());
    // Most of them are gone by now, and were told why.
    let told = std::thread::spawn(move || {
        let mut told = 0;
        for mut liar in liars {
            liar.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
            let mut said = Vec::new();
            // One that is still there says nothing more for a while.
            let _ = liar.read_to_end(&mut said);
            told += usize::from(String::from_utf8_lossy(&said).contains("sends nothing"));
        }
        told
    });
    assert!(told.join().unwrap() >= CLIENTS - 4);
    drop(small);
    door.close().await;
    runtime.stop().await.unwrap();
}

/// Others hold the room one after the other, and each lets itself be waited for as long as it may: who
/// waits behind them is not closed for that.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_waits_for_room_is_not_closed_for_asking_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let config = config(dir.path());
    let idle_ms_max = 400;
    let stalled_ms_max = 60_000;
    let limits = DoorLimits { idle_ms_max, stalled_ms_max, ..limits() };
    let (runtime, mut door) = owner_with(&config, limits).await;
    let (load, socket) = (door.load(), dir.path().join("stoa.sock"));
    let mut reader = client(&config).await;
    let liars: Vec<UnixStream> = (0..4)
        .map(|_| {
            let mut liar = UnixStream::connect(&socket).unwrap();
            liar.write_all(&3_000_000_u32.to_le_bytes()).unwrap();
            liar
        })
        .collect();
    until("one holds the room", || load.requests_bytes() > 4 * MIB).await;
    let begun = std::time::Instant::now();
    let put = Put { space: "board".into(), content: Some("x".repeat(MIB)), ..Put::default() };
    assert_eq!(asked(&mut reader, &put).await.unwrap(), 1);
    let waited = begun.elapsed().as_millis() as u64;
    assert!(waited > idle_ms_max, "it has waited for {waited} ms, and proves nothing");
    drop((liars, reader));
    door.close().await;
    runtime.stop().await.unwrap();
}
