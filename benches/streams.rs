//! 200 models that stream at once, each 50 tokens a second, and somebody who looks on at each: how long a
//! token is on its way from the provider's write to the follower's read, whether any is lost, and what a
//! stream takes in memory. The provider is another process on loopback.

#![expect(clippy::print_stdout, reason = "a bench prints what it measured")]
#![expect(clippy::expect_used, reason = "a bench that cannot run ends")]

use measure::{load, quantile};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};
use stoa::agents::SpawnAsk;
use stoa::caller::Caller;
use stoa::config::Config;
use stoa::model::{LivePart, Models};
use stoa::models::config::{KeySource, ModelsConfig, ProviderEntry};
use stoa::models::model::ConfiguredModels;
use stoa::models::wire::Dialect;
use stoa_actors::id::ROOT;
use stoa_actors::trust::HostGrants;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const STREAMS: usize = 200;
const TOKENS: usize = 250;
const TOKEN: Duration = Duration::from_millis(20);

/// Nanoseconds on a clock that both processes have.
fn now() -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("a time");
    now.as_nanos() as u64
}

/// A provider that says at once that it is ready, and then streams to everybody who says "go".
fn provider() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    println!("{}", listener.local_addr().expect("an address"));
    for stream in listener.incoming().flatten() {
        std::thread::Builder::new()
            .stack_size(64 << 10)
            .spawn(move || drop(streams(stream)))
            .expect("a thread");
    }
}

fn streams(mut to: TcpStream) -> std::io::Result<()> {
    to.set_nodelay(true)?;
    let mut reader = BufReader::new(to.try_clone()?);
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().unwrap_or(0);
        }
        if line.trim().is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let goes = String::from_utf8_lossy(&body).contains("say: go");
    to.write_all(
        b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-type: text/event-stream\r\n\r\n",
    )?;
    let begun = Instant::now();
    for n in 0..if goes { TOKENS } else { 1 } {
        if goes {
            let due = begun + TOKEN * n as u32;
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
        }
        let text = format!("{} ", now());
        let piece = format!(
            "data: {{\"id\":\"r\",\"model\":\"m\",\"choices\":[{{\"index\":0,\"delta\":\
             {{\"content\":\"{text}\"}},\"finish_reason\":null}}]}}\n\n"
        );
        to.write_all(piece.as_bytes())?;
    }
    to.write_all(
        b"data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n\
          data: {\"choices\":[],\"usage\":{\"prompt_tokens\":900,\"completion_tokens\":250}}\n\n\
          data: [DONE]\n\n",
    )
}

/// What somebody saw who looked on at one stream.
#[derive(Default)]
struct Seen {
    tokens: usize,
    missed: u64,
    /// Microseconds: of the first token, and of all.
    first: Vec<f64>,
    all: Vec<f64>,
    kept: bool,
}

async fn look_on(caller: Caller, name: String) -> Seen {
    let mut live = caller.live(&name).expect("it is there");
    let (mut seen, mut half) = (Seen::default(), String::new());
    while !seen.kept {
        for live in live.next().await {
            match live.part {
                LivePart::Text(text) => {
                    let read = now();
                    half.push_str(&text);
                    while let Some((token, rest)) = half.split_once(' ') {
                        let sent: u64 = token.parse().expect("a time");
                        let took = (read.saturating_sub(sent)) as f64 / 1e3;
                        if seen.tokens == 0 {
                            seen.first.push(took);
                        }
                        seen.all.push(took);
                        seen.tokens += 1;
                        half = rest.to_owned();
                    }
                }
                LivePart::Missed(bytes) => seen.missed += bytes,
                LivePart::Kept => seen.kept = true,
                LivePart::Withdrawn(why) => panic!("{name}: {why}"),
                _ => {}
            }
        }
    }
    seen
}

/// Kibibytes of memory that the process holds.
fn held() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").expect("it reads");
    let line = status.lines().find_map(|it| it.strip_prefix("VmRSS:")).expect("it is there");
    line.trim().trim_end_matches("kB").trim().parse().expect("a number")
}

struct Provider(Child);

impl Drop for Provider {
    fn drop(&mut self) {
        self.0.kill().ok();
    }
}

fn started() -> (Provider, String) {
    let own = std::env::current_exe().expect("this bench");
    let mut child =
        Command::new(own).arg("provider").stdout(Stdio::piped()).spawn().expect("the provider");
    let mut address = String::new();
    let mut out = BufReader::new(child.stdout.take().expect("its output"));
    out.read_line(&mut address).expect("its address");
    (Provider(child), format!("http://{}", address.trim()))
}

/// So many agents with a model there are spoken to, and looked on at.
async fn measured(count: usize) {
    let (_provider, url) = started();
    let dir = tempfile::tempdir().expect("a directory");
    let mut config = Config::at(dir.path());
    let mut lab = ProviderEntry::new(Dialect::Chat, &url, KeySource::None);
    lab.pace.concurrency = count;
    let mut models = ModelsConfig::default();
    models.providers.insert("lab".to_owned(), lab);
    config.models = Models::default().or_from(Arc::new(ConfiguredModels::new(models)));
    config.host_grants = HostGrants::Live;
    let runtime = stoa::open(config).await.expect("it opens");
    runtime.start_agents().await.expect("they start");
    let root = runtime.caller(ROOT);
    for n in 0..count {
        let ask = SpawnAsk {
            task: "Talk.".into(),
            name: Some(format!("talker{n}")),
            model: Some("lab/any".into()),
            ..SpawnAsk::default()
        };
        root.spawn(ask).await.expect("it is born");
    }
    runtime.at_rest().await;
    let idle = held();
    let mut lookers = Vec::new();
    for n in 0..count {
        lookers.push(tokio::spawn(look_on(root.clone(), format!("talker{n}"))));
    }
    for n in 0..count {
        root.say(&format!("talker{n}"), "go").await.expect("a word");
    }
    let mut most = idle;
    let mut seen = Vec::new();
    for looker in lookers {
        while !looker.is_finished() {
            tokio::time::sleep(Duration::from_millis(50)).await;
            most = most.max(held());
        }
        seen.push(looker.await.expect("it looks on"));
    }
    let mut first: Vec<f64> = seen.iter().flat_map(|it| it.first.clone()).collect();
    let mut all: Vec<f64> = seen.iter().flat_map(|it| it.all.clone()).collect();
    let whole = seen.iter().filter(|it| it.tokens == TOKENS && it.missed == 0).count();
    let (p50, p99) = (quantile(&mut first, 0.5), quantile(&mut first, 0.99));
    println!("{count} streams: {whole} seen whole");
    println!(
        "  first token {p50:.0} us at the median, {p99:.0} us at p99 (aim 2000 at the median)"
    );
    let (p50, p99) = (quantile(&mut all, 0.5), quantile(&mut all, 0.99));
    println!("  every token {p50:.0} us at the median, {p99:.0} us at p99");
    let each = most.saturating_sub(idle) as f64 / count as f64;
    println!("  {idle} KiB idle, {most} KiB at most: {each:.1} KiB a stream (aim 64)");
    runtime.stop().await.expect("it stops");
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    if std::env::args().any(|it| it == "provider") {
        return provider();
    }
    println!("load {}", load());
    measured(1).await;
    measured(STREAMS).await;
    println!("load {}", load());
}
