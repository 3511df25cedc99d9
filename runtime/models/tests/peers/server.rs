//! Starts the servers that `.ci/peers` has installed, and ends them.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// What `.ci/peers` installs.
const VERSIONS: &str = "aimock 1.43.0\nllmock 0.2.2\nopentelemetry-proto 1.45.2\n\
                        opentelemetry-semantic-conventions 0.66b2\n";

/// Where the workspace keeps what is built.
const TARGET: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/peers");

/// What aimock says to what.
const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/peers/aimock.json");

/// How long a server may take until it listens.
const START: Duration = Duration::from_secs(60);

/// Runs the command line of llmock, whose dice fall in the same way each time.
const LLMOCK: &str = "import random; random.seed(7); from llmock.cli import app; app()";

/// A server on a port of its own. It ends with this value, also where a test panics.
pub(crate) struct Server {
    child: Child,
    pub(crate) url: String,
}

impl Server {
    /// Starts it, and waits until it says where it listens.
    fn start(command: &mut Command) -> Server {
        let command = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.process_group(0).spawn();
        let child = child.unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let mut server = Server { child, url: String::new() };
        let (say, said) = mpsc::channel();
        let out = server.child.stdout.take().unwrap();
        let err = server.child.stderr.take().unwrap();
        for stream in [Box::new(out) as Box<dyn Read + Send>, Box::new(err)] {
            let say = say.clone();
            // It reads to the end, lest the server waits for a reader.
            thread::spawn(move || {
                BufReader::new(stream).lines().map_while(Result::ok).for_each(|line| {
                    say.send(line).unwrap_or_default();
                });
            });
        }
        drop(say);
        let until = Instant::now() + START;
        let mut lines = Vec::new();
        while server.url.is_empty() {
            let Ok(line) = said.recv_timeout(until.saturating_duration_since(Instant::now()))
            else {
                panic!("the server does not listen; it says:\n{}", lines.join("\n"));
            };
            server.url = listens(&line).unwrap_or_default();
            lines.push(line);
        }
        server
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The group: whatever the server has started ends with it.
        let group = format!("-{}", self.child.id());
        drop(Command::new("kill").args(["-KILL", "--", &group]).status());
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The address in a line that says that a server listens.
fn listens(line: &str) -> Option<String> {
    let said = ["listening on http://", "running on http://"];
    let (_, at) = said.iter().find_map(|it| line.split_once(it))?;
    Some(format!("http://{}", at.split_whitespace().next()?))
}

/// Where the servers are, if they are there.
#[expect(clippy::disallowed_methods, reason = "a test is told by its environment alone")]
fn installed() -> Option<PathBuf> {
    let peers = std::env::var_os("STOA_PEERS").map_or_else(|| TARGET.into(), PathBuf::from);
    if std::fs::read_to_string(peers.join("versions")).is_ok_and(|it| it == VERSIONS) {
        return Some(peers);
    }
    let required = std::env::var_os("STOA_PEERS_REQUIRED").is_some_and(|it| it == "1");
    assert!(!required, "{} is not what .ci/peers installs", peers.display());
    let thread = thread::current();
    let test = thread.name().unwrap_or_default();
    // Past what holds back the words of a test that passes.
    let skipped = format!("SKIPPED: {test}: no servers in {}; run .ci/peers\n", peers.display());
    std::io::stderr().write_all(skipped.as_bytes()).unwrap();
    None
}

/// The server aimock, with these options; nothing where it is not installed.
pub(crate) fn aimock(options: &[&str]) -> Option<Server> {
    aimock_with(options, None)
}

/// The same, which takes no key but these where some are named.
pub(crate) fn aimock_with(options: &[&str], keys: Option<&str>) -> Option<Server> {
    let program = installed()?.join("node_modules/@copilotkit/aimock/dist/cli.js");
    let mut command = Command::new("node");
    command.arg(program).args(["-p", "0", "-f", FIXTURES, "--validate-on-load"]).args(options);
    match keys {
        Some(keys) => command.env("AIMOCK_API_KEYS", keys),
        None => command.env_remove("AIMOCK_API_KEYS"),
    };
    Some(Server::start(&mut command))
}

/// The server llmock, with these options; nothing where it is not installed.
pub(crate) fn llmock(options: &[&str]) -> Option<Server> {
    let mut command = Command::new(installed()?.join("venv/bin/python"));
    command.args(["-c", LLMOCK, "serve", "--port", "0", "--log-level", "info"]).args(options);
    Some(Server::start(&mut command))
}

/// What llmock thinks of who has asked it: what its command says, and whether it is content.
pub(crate) fn report(server: &Server) -> Output {
    let mut command = Command::new(installed().unwrap().join("venv/bin/python"));
    command.args(["-c", LLMOCK, "report", "--strict", "--json", "--url", &server.url]);
    command.output().unwrap()
}
