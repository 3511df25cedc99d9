//! What people see: on terminals of several widths, of none, and where nobody looks on.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "terminal/asks.rs"]
mod asks;
#[path = "terminal/completes.rs"]
mod completes;
#[path = "terminal/follows.rs"]
mod follows;
#[expect(dead_code, reason = "each test uses a part of it")]
mod harness;
#[path = "terminal/screens.rs"]
mod screens;

use harness::{Place, SURROUNDINGS};
use portable_pty::{CommandBuilder, PtySize, native_pty_system};
use std::io::{Read, Write};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

/// Longer than anything here takes on a machine that is busy with something else.
const LIMIT: Duration = Duration::from_secs(120);

/// What was seen up to now, and whether that is all.
type Seen = (Mutex<(Vec<u8>, bool)>, Condvar);

/// A terminal with a command on it.
struct Terminal {
    child: Box<dyn portable_pty::Child + Send + Sync>,
    input: Box<dyn Write + Send>,
    seen: Arc<Seen>,
    _master: Box<dyn portable_pty::MasterPty + Send>,
}

/// What is set besides.
#[derive(Clone, Copy)]
struct Set(&'static str, &'static str);

/// No colours, so that the text is what is compared.
const PLAIN: &[Set] = &[Set("NO_COLOR", "1")];

impl Terminal {
    fn begin(place: &Place, cells: u16, set: &[Set], args: &[&str]) -> Terminal {
        let size = PtySize { rows: 50, cols: cells, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).unwrap();
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_stoa"));
        command.args(["--data", "data"]);
        command.args(args);
        command.cwd(place.path("."));
        SURROUNDINGS.iter().chain(&["NO_COLOR", "RUST_LOG"]).for_each(|it| command.env_remove(it));
        command.env("TERM", "xterm-256color");
        command.env("TZ", "UTC");
        command.env("XDG_CONFIG_HOME", place.path("configuration"));
        set.iter().for_each(|Set(name, value)| command.env(name, value));
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let mut reader = pair.master.try_clone_reader().unwrap();
        let seen = Arc::new((Mutex::new((Vec::new(), false)), Condvar::new()));
        let to = seen.clone();
        std::thread::spawn(move || {
            let mut piece = [0; 4096];
            while let Ok(count @ 1..) = reader.read(&mut piece) {
                to.0.lock().unwrap().0.extend_from_slice(&piece[..count]);
                to.1.notify_all();
            }
            to.0.lock().unwrap().1 = true;
            to.1.notify_all();
        });
        let input = pair.master.take_writer().unwrap();
        Terminal { child, input, seen, _master: pair.master }
    }

    fn types(&mut self, text: &str) {
        self.input.write_all(text.as_bytes()).unwrap();
        self.input.flush().unwrap();
    }

    fn wait_for(&self, what: &str, so: impl Fn(&str) -> bool) {
        self.until(what, |text, ended| so(text) || ended);
    }

    fn until(&self, what: &str, so: impl Fn(&str, bool) -> bool) {
        let deadline = Instant::now() + LIMIT;
        let mut seen = self.seen.0.lock().unwrap();
        while !so(&String::from_utf8_lossy(&seen.0), seen.1) {
            let left = deadline.saturating_duration_since(Instant::now());
            let text = String::from_utf8_lossy(&seen.0).into_owned();
            assert!(!left.is_zero(), "never {what}: {text}");
            seen = self.seen.1.wait_timeout(seen, left).unwrap().0;
        }
    }

    /// All that was seen, and the exit code.
    fn end(mut self) -> (String, u32) {
        self.until("its end", |_, ended| ended);
        let code = self.child.wait().unwrap().exit_code();
        let seen = self.seen.0.lock().unwrap();
        (String::from_utf8_lossy(&seen.0).replace("\r\n", "\n"), code)
    }
}

/// What is seen of a command that needs nothing typed.
fn seen(place: &Place, cells: u16, set: &[Set], args: &[&str]) -> String {
    let (text, code) = Terminal::begin(place, cells, set, args).end();
    assert_eq!(code, 0, "{args:?}: {text}");
    text
}

/// Cells of a line.
fn cells(line: &str) -> usize {
    unicode_width::UnicodeWidthStr::width(line)
}

fn id(place: &Place, args: &[&str]) -> String {
    place.json(args)[0]["id"].as_str().unwrap().to_owned()
}
