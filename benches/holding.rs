//! What a few things cost whose caller holds ten spaces, and whose caller holds ten thousand:
//! `SPACES=n` for another number. Promise: at most twice as much.
//!
//! A look at one space and at one subscription, by the root, who made them all; and a turn of an agent that
//! holds them all, without an action and with one, from a word to it until it rests again. Of a turn
//! the time of the processor is told as well: the rest is syncs.

#![expect(clippy::print_stdout, reason = "a bench prints what it measured")]
#![expect(clippy::expect_used, reason = "a bench that cannot run ends")]

use measure::{load, micros, quantile, rounds, spread};
use std::time::Instant;
use stoa::agents::SpawnAsk;
use stoa::caller::{Caller, GrantRequest, WriteOptions};
use stoa::config::Config;
use stoa::host::Boxed;
use stoa::model::{Context, Model, ModelError, Models};
use stoa::runtime::Runtime;
use stoa_actors::atom::Content;
use stoa_actors::id::{ROOT, SpaceId, SubscriptionId};
use stoa_actors::rights::Level;
use stoa_actors::session::Thought;
use stoa_actors::space::{Draft, Filter, Terms};
use stoa_actors::trust::HostGrants;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How often each is done in one round.
const TIMES: usize = 200;

/// Says nothing: a turn is over as soon as it is asked.
struct Silent;

impl Model for Silent {
    fn think(&self, _: Context) -> Boxed<'_, Result<Thought, ModelError>> {
        Box::pin(async { Ok(Thought::default()) })
    }
}

/// What the threads of this process have had of a processor, in microseconds; the kernel counts in
/// hundredths of a second.
fn worked() -> f64 {
    let text = std::fs::read_to_string("/proc/self/stat").expect("it is there");
    let fields: Vec<&str> = text.rsplit(')').next().unwrap_or("").split_whitespace().collect();
    let ticks = |at: usize| fields[at].parse::<f64>().expect("a number");
    (ticks(11) + ticks(12)) * 10_000.0
}

struct Holding {
    _dir: tempfile::TempDir,
    runtime: Runtime,
    root: Caller,
    space: SpaceId,
    subscription: SubscriptionId,
}

impl Holding {
    async fn of(spaces: usize) -> Holding {
        let dir = tempfile::tempdir().expect("a directory");
        let mut config = Config::at(dir.path());
        config.models = Models::default().with("silent", Silent);
        config.host_grants = HostGrants::Live;
        config.limits.session.rest_first_ms = 0;
        config.limits.session.rest_ms_max = 0;
        let runtime = stoa::open(config).await.expect("it opens");
        runtime.start_agents().await.expect("they start");
        let root = runtime.caller(ROOT);
        let how = root.create_space("how", "").await.expect("a space");
        let content = Content::Text("```python\nlen(spaces)\n```".to_owned());
        let recipe = Draft { content, ..Draft::default() };
        root.put(how, recipe, WriteOptions::default()).await.expect("it is put");
        for name in ["thinker", "actor"] {
            let acts = name == "actor";
            let ask = SpawnAsk {
                task: "listen".to_owned(),
                name: Some(name.to_owned()),
                instructions: acts.then(|| "how".to_owned()),
                model: (!acts).then(|| "silent".to_owned()),
                ..SpawnAsk::default()
            };
            root.spawn(ask).await.expect("a birth");
        }
        let mut made = tokio::task::JoinSet::new();
        for of in 0..64 {
            let root = root.clone();
            made.spawn(async move {
                for n in (of..spaces).step_by(64) {
                    let name = format!("space {n}");
                    root.create_space(&name, "what it is for").await.expect("a space");
                    for agent in ["thinker", "actor"] {
                        let (level, reason) = (Level::Write, "it may".to_owned());
                        let grant =
                            GrantRequest { level, delegate: None, expires_ms: None, reason };
                        root.grant(&name, agent, grant).await.expect("a right");
                    }
                }
            });
        }
        made.join_all().await;
        let space = root.resolve(&format!("space {}", spaces / 2)).expect("its name");
        let subscribed = root.subscribe(space, Filter::default(), None, Terms::default()).await;
        let subscription = subscribed.expect("a subscription");
        runtime.at_rest().await;
        Holding { _dir: dir, runtime, root, space, subscription }
    }

    async fn looks(&self) -> f64 {
        let begun = Instant::now();
        for _ in 0..TIMES {
            self.root.show_space(self.space).await.expect("it shows");
        }
        micros(begun) / TIMES as f64
    }

    async fn subscriptions(&self) -> f64 {
        let begun = Instant::now();
        for _ in 0..TIMES {
            self.root.subscription(self.subscription).await.expect("it shows");
        }
        micros(begun) / TIMES as f64
    }

    /// The middle of what a turn takes, and what it costs.
    async fn turns(&self, who: &str) -> (f64, f64) {
        let (mut took, before) = (Vec::new(), worked());
        for _ in 0..TIMES {
            let begun = Instant::now();
            self.root.say(who, "a word").await.expect("it is said");
            self.runtime.at_rest().await;
            took.push(micros(begun));
        }
        (quantile(&mut took, 0.5), (worked() - before) / TIMES as f64)
    }

    /// By name, in microseconds.
    async fn round(&self) -> [(&'static str, f64); 6] {
        let (thinks, acts) = (self.turns("thinker").await, self.turns("actor").await);
        [
            ("a look at one space", self.looks().await),
            ("a look at one subscription", self.subscriptions().await),
            ("a turn of one thought", thinks.0),
            ("  of the processor", thinks.1),
            ("a turn of one action", acts.0),
            ("  of the processor", acts.1),
        ]
    }
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    stoa::worker_main_if_asked();
    let spaces = std::env::var("SPACES").ok().and_then(|it| it.parse().ok()).unwrap_or(10_000);
    println!("load {}", load());
    let (few, many) = (Holding::of(10).await, Holding::of(spaces).await);
    let mut measured: [(&str, Vec<f64>, Vec<f64>); 6] = Default::default();
    for _ in 0..rounds() {
        let (few, many) = (few.round().await, many.round().await);
        for (at, (few, many)) in few.into_iter().zip(many).enumerate() {
            measured[at].0 = few.0;
            measured[at].1.push(few.1);
            measured[at].2.push(many.1);
        }
    }
    println!("holding {spaces} spaces : holding 10 (aim 2)");
    for (what, few, many) in measured {
        let ratios = many.iter().zip(&few).map(|(many, few)| many / few).collect();
        let (low, middle, high) = spread(ratios);
        let (few, many) = (spread(few).1, spread(many).1);
        println!("{what:<28} {middle:>6.2} [{low:.2}-{high:.2}]   {many:>7.0} us : {few:>6.0} us");
    }
    for it in [few, many] {
        it.runtime.stop().await.expect("it stops");
    }
    println!("load {}", load());
}
