//! Research with a model, told again from a cassette for each protocol: no key, no network, the same
//! answer.
//!
//! The cassettes were recorded from a server that nobody here wrote. They are recorded anew, where what
//! an agent is told has changed, with `.ci/peers` and
//! `STOA_WRITE_CASSETTES=1 cargo test --workspace --test research_cassettes`.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use stoa::config::Config;
use stoa::model::Models;
use stoa::models::cassette::{Cassette, Recorder, Replay};
use stoa::models::config::{KeySource, ModelsConfig, OLLAMA, ProviderEntry};
use stoa::models::model::ConfiguredModels;
use stoa::models::wire::Dialect;
use stoa::research::{Report, ResearchAsk, ResearchLimits, research};
use stoa_actors::id::ROOT;
use stoa_actors::trust::HostGrants;

const SAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/samples/research");
const PEERS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/peers");

/// Nobody listens there.
const DEAD: &str = "http://127.0.0.1:9";

/// The protocols, and below which path their servers answer.
const DIALECTS: [(&str, Dialect, &str); 4] = [
    ("chat", Dialect::Chat, "/v1"),
    ("anthropic", Dialect::Anthropic, ""),
    ("responses", Dialect::Responses, "/v1"),
    ("ollama", Dialect::Ollama, ""),
];

/// What is asked about. It is cited by its whole path, which is on the cassette: the same on every
/// machine.
fn document() -> PathBuf {
    let folder = PathBuf::from("/tmp/stoa_research");
    let (file, text) = (folder.join("bread.md"), include_str!("samples/research/bread.md"));
    // Somebody else may have put it there.
    if std::fs::read_to_string(&file).ok().as_deref() != Some(text) {
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(&file, text).unwrap();
    }
    file
}

/// Answers a question in a new directory.
async fn answer(url: &str, dialect: Dialect, cassette: Cassette) -> Report {
    let dir = tempfile::tempdir().unwrap();
    let mut models = ModelsConfig::default();
    let entry = models.providers[OLLAMA].clone();
    let entry = ProviderEntry { dialect, url: url.to_owned(), key: KeySource::None, ..entry };
    models.providers.insert("lab".to_owned(), entry);
    let mut config = Config::at(dir.path());
    config.origin = Some(cassette.origin());
    config.host_grants = HostGrants::Live;
    config.workers.worker = Some(env!("CARGO_BIN_EXE_stoa").into());
    let models = ConfiguredModels::new(models).with_cassette(Some(cassette));
    config.models = Models::default().or_from(Arc::new(models));
    let runtime = stoa::open(config).await.unwrap();
    let ask = ResearchAsk {
        question: "How long must the dough rest, and what does salt do?".to_owned(),
        paths: vec![document()],
        agents: 2,
        model: "lab/any".to_owned(),
        fresh: false,
    };
    let limits = ResearchLimits::default();
    let report = research(&runtime.caller(ROOT), &ask, &limits, &mut |_| {}).await;
    let report = match report {
        Ok(report) => report,
        Err(problem) => panic!("{dialect:?}: {problem}"),
    };
    // What an agent still says goes onto the cassette as well.
    runtime.at_rest().await;
    let leads = runtime.caller(runtime.caller(ROOT).agent_named(&report.run).unwrap());
    let failed = leads.agents().await.unwrap().into_iter().filter_map(|it| it.why);
    assert_eq!(failed.collect::<Vec<_>>(), Vec::<String>::new(), "{dialect:?}");
    runtime.stop().await.unwrap();
    report
}

fn check(report: &Report, name: &str) {
    let said: Vec<&str> = report.sentences.iter().map(|it| it.text.as_str()).collect();
    assert_eq!(
        said,
        ["The dough needs two hours of rest.", "Salt slows the yeast down."],
        "{name}: {report:?}"
    );
    assert!(report.found && report.left_out == 0, "{name}: {report:?}");
    let places: Vec<(u64, u64)> = report.citations.iter().map(|it| (it.line, it.last)).collect();
    assert_eq!(places, [(3, 4), (8, 8)], "{name}");
}

fn cassette(name: &str) -> PathBuf {
    PathBuf::from(SAMPLES).join(format!("{name}.jsonl"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_piece_of_research_is_told_again_in_each_protocol() {
    if writes() {
        return record().await;
    }
    for (name, dialect, path) in DIALECTS {
        let replay = Arc::new(Replay::open(&cassette(name)).unwrap());
        let url = format!("{DEAD}{path}");
        let report = answer(&url, dialect, Cassette::Replay(replay.clone())).await;
        check(&report, name);
        assert_eq!(replay.left(), 0, "{name}: all that was recorded is asked again");
    }
}

#[expect(clippy::disallowed_methods, reason = "a test is told by its environment alone")]
fn writes() -> bool {
    std::env::var_os("STOA_WRITE_CASSETTES").is_some_and(|it| it == "1")
}

async fn record() {
    let server = Server::start();
    for (name, dialect, path) in DIALECTS {
        let file = cassette(name);
        std::fs::remove_file(&file).ok();
        let recorder = Recorder::open(&file, 7, 1_700_000_000_000).unwrap();
        let url = format!("{}{path}", server.url);
        check(&answer(&url, dialect, Cassette::Record(Arc::new(recorder))).await, name);
    }
}

/// aimock, on a port of its own. It ends with this value, also where a test panics.
struct Server {
    child: Child,
    url: String,
}

impl Server {
    fn start() -> Server {
        let mut command = Command::new("node");
        command.arg(format!("{PEERS}/node_modules/@copilotkit/aimock/dist/cli.js"));
        command.args(["-p", "0", "-c", "40", "-f", &format!("{SAMPLES}/aimock.json")]);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let listens = |it: String| it.split_once("listening on ").map(|it| it.1.trim().to_owned());
        let url = lines.find_map(listens).unwrap();
        std::thread::spawn(move || lines.for_each(drop));
        Server { child, url }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
