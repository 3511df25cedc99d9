//! The real binary in a directory of its own. Every process has a limit, so that no test can hang.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process};
use std::ffi::OsStr;
use std::io::{ErrorKind, Read, Write};
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Longer than anything here takes on a machine that is busy with something else.
const LIMIT: Duration = Duration::from_secs(120);

/// A directory with nothing in it, gone at the end of the test.
pub(crate) struct Place {
    dir: TempDir,
    /// Variables of the environment of whatever is started here.
    pub(crate) variables: Vec<(String, String)>,
}

/// What a process has said up to now, and how it ended.
#[derive(Default)]
struct Said {
    out: Vec<u8>,
    err: Vec<u8>,
    ended: Option<ExitStatus>,
}

/// A process that runs; killed when the test drops it.
pub(crate) struct Started {
    line: String,
    pid: Pid,
    said: Arc<(Mutex<Said>, Condvar)>,
}

/// A process that has ended.
#[derive(Debug)]
pub(crate) struct Ended {
    /// Its exit code; minus the signal that killed it.
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Place {
    pub(crate) fn new() -> Place {
        Place { dir: tempfile::tempdir().unwrap(), variables: Vec::new() }
    }

    /// A path inside; the data directory is `data`.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Writes a file inside.
    pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        std::fs::write(self.path(name), content).unwrap();
        self.path(name)
    }

    /// Starts `stoa ARGS…` here, with the data in `data` if they do not say.
    pub(crate) fn start(&self, args: &[impl AsRef<OsStr>], stdin: &[u8]) -> Started {
        let mut command = Command::new(env!("CARGO_BIN_EXE_stoa"));
        if !args.iter().any(|it| it.as_ref() == "--data") {
            command.args(["--data", "data"]);
        }
        command.args(args).current_dir(self.dir.path());
        // Whoever runs the tests has a configuration of their own.
        command.env("XDG_CONFIG_HOME", self.path("configuration")).env_remove("RUST_LOG");
        PROVIDERS.iter().for_each(|it| {
            command.env_remove(it);
        });
        self.variables.iter().for_each(|(name, value)| {
            command.env(name, value);
        });
        Started::new(&mut command, stdin)
    }

    /// Runs it to its end.
    pub(crate) fn stoa(&self, args: &[impl AsRef<OsStr>]) -> Ended {
        self.start(args, b"").end()
    }

    /// Runs it with `--json`: it must succeed with JSON Lines on stdout.
    pub(crate) fn json(&self, args: &[&str]) -> Vec<serde_json::Value> {
        let ended = self.stoa(&[args, &["--json"]].concat());
        assert_eq!(ended.code, 0, "{args:?}: {ended:?}");
        ended.lines()
    }

    /// Keeps the directory open in a process of its own.
    pub(crate) fn serve(&self) -> Started {
        let serve = self.start(&["serve", "--json"], b"");
        serve.wait_for("that it serves", |out| out.contains("serving"));
        serve
    }
}

/// What whoever runs the tests may have set, and what would change what `stoa` prints.
pub(crate) const SURROUNDINGS: [&str; 7] =
    ["CI", "CLICOLOR", "CLICOLOR_FORCE", "COLUMNS", "RUST_BACKTRACE", "STOA_AS", "STOA_DATA"];

/// What they may have set for their own models.
const PROVIDERS: [&str; 5] =
    ["ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL", "OLLAMA_HOST", "OPENAI_API_KEY", "OPENAI_BASE_URL"];

impl Started {
    /// Starts any command.
    pub(crate) fn new(command: &mut Command, stdin: &[u8]) -> Started {
        Started::coloured(command.env("NO_COLOR", "1"), stdin)
    }

    /// The same, with colours where it writes to a terminal.
    pub(crate) fn coloured(command: &mut Command, stdin: &[u8]) -> Started {
        for name in SURROUNDINGS {
            command.env_remove(name);
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let said = Arc::new((Mutex::new(Said::default()), Condvar::new()));
        let (mut input, typed) = (child.stdin.take().unwrap(), stdin.to_owned());
        std::thread::spawn(move || match input.write_all(&typed) {
            // It may end without having read everything.
            Err(error) if error.kind() != ErrorKind::BrokenPipe => panic!("stdin: {error}"),
            _ => {}
        });
        let out = follow(child.stdout.take().unwrap(), said.clone(), |it| &mut it.out);
        let err = follow(child.stderr.take().unwrap(), said.clone(), |it| &mut it.err);
        let pid = Pid::from_child(&child);
        let (line, to) = (format!("{command:?}"), said.clone());
        std::thread::spawn(move || {
            out.join().unwrap();
            err.join().unwrap();
            to.0.lock().unwrap().ended = Some(child.wait().unwrap());
            to.1.notify_all();
        });
        Started { line: line.chars().take(200).collect(), pid, said }
    }

    /// Waits for its end.
    pub(crate) fn end(self) -> Ended {
        use std::os::unix::process::ExitStatusExt;
        self.until("its end", |it| it.ended.is_some());
        let said = self.said.0.lock().unwrap();
        let ended = said.ended.unwrap();
        let code = ended.code().or(ended.signal().map(|it| -it)).unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Ended { code, out: text(&said.out), err: text(&said.err) }
    }

    /// Waits until its stdout is so, or it has ended.
    pub(crate) fn wait_for(&self, what: &str, so: impl Fn(&str) -> bool) {
        self.until(what, |it| so(&String::from_utf8_lossy(&it.out)) || it.ended.is_some());
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        match kill_process(self.pid, signal) {
            // It has ended by itself meanwhile.
            Ok(()) | Err(Errno::SRCH) => {}
            Err(error) => panic!("{}: {error}", self.line),
        }
    }

    pub(crate) fn pid(&self) -> i32 {
        self.pid.as_raw_nonzero().get()
    }

    fn until(&self, what: &str, so: impl Fn(&Said) -> bool) {
        let deadline = Instant::now() + LIMIT;
        let mut said = self.said.0.lock().unwrap();
        while !so(&said) {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                let (out, err) =
                    (String::from_utf8_lossy(&said.out), String::from_utf8_lossy(&said.err));
                let text = format!("{} has not reached {what}: {out}\n{err}", self.line);
                drop(said);
                panic!("{text}");
            }
            said = self.said.1.wait_timeout(said, left).unwrap().0;
        }
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        let running = self.said.0.lock().is_ok_and(|it| it.ended.is_none());
        if running {
            // It may end just now.
            kill_process(self.pid, Signal::KILL).ok();
        }
    }
}

impl Ended {
    /// What it printed, as JSON Lines.
    pub(crate) fn lines(&self) -> Vec<serde_json::Value> {
        let lines = self.out.lines();
        lines.map(|it| serde_json::from_str(it).unwrap_or_else(|e| panic!("{it}: {e}"))).collect()
    }
}

type Stream = fn(&mut Said) -> &mut Vec<u8>;

fn follow(
    mut from: impl Read + Send + 'static,
    said: Arc<(Mutex<Said>, Condvar)>,
    stream: Stream,
) -> std::thread::JoinHandle<()> {
    std::thread::spawn(move || {
        let mut buffer = [0; 8192];
        while let Ok(count @ 1..) = from.read(&mut buffer) {
            stream(&mut said.0.lock().unwrap()).extend_from_slice(&buffer[..count]);
            said.1.notify_all();
        }
    })
}
