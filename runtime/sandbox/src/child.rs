//! One worker process, seen from here: never trusted, always killable.

use super::Host;
use super::program::{ARGUMENT, own_program};
use super::wire::{self, Answer, Ask, Ended, FlatCall, Kept, PREFIX_BYTES, Start, Tell};
use super::words::Words;
use crate::limits::WorkersConfig;
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;
use stoa_actors::code::{ActionEnd, ActionOutcome, HostCall, Raise};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child as Process, ChildStdin, ChildStdout, Command};
use tokio::time::{Instant, timeout, timeout_at};

/// What one read makes room for.
const READ_BYTES: usize = 64 << 10;

/// How long a dead worker may take to be reaped.
const REAP: Duration = Duration::from_millis(250);

/// Bytes around the content of an ending: enums, lengths, the lines that say something was cut.
const FRAMING_BYTES: usize = 1 << 10;

/// What is started.
fn program(config: &WorkersConfig) -> io::Result<PathBuf> {
    config.worker.clone().map_or_else(own_program, Ok)
}

/// A worker process.
pub(super) struct Child {
    process: Process,
    to: ChildStdin,
    from: ChildStdout,
    words: Words,
    inbox: Vec<u8>,
    /// Actions it has run.
    pub(super) actions: u32,
    grace: Duration,
}

/// How a worker's service ended.
#[derive(Debug)]
pub(super) enum Death {
    /// It computed past its limit and the grace.
    Overdue,
    /// It sent what no worker of ours sends.
    Hostile(String),
    /// Its pipe closed or broke.
    Gone,
    /// Its pipe broke before it had read the action.
    Unborn,
}

/// What a worker died of, as far as anybody can tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// Of what the code did, or may have done.
    Code,
    /// Somebody else has killed it.
    Nobody,
}

impl Child {
    /// Starts a worker.
    pub(super) fn spawn(config: &WorkersConfig) -> io::Result<Self> {
        let mut process = Command::new(program(config)?)
            .arg(ARGUMENT)
            .arg(config.worker_memory_bytes_max.to_string())
            .env_clear()
            // What its allocator reserves does not count as data before it is used: the limit holds.
            .env("MIMALLOC_ARENA_EAGER_COMMIT", "0")
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // Ctrl-C is for the runtime, which ends its workers itself.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        let pipes = (process.stdin.take(), process.stdout.take(), process.stderr.take());
        let (Some(to), Some(from), Some(words)) = pipes else {
            return Err(io::ErrorKind::BrokenPipe.into());
        };
        let words = Words::of(process.id(), words);
        let grace = Duration::from_millis(config.grace_ms);
        Ok(Self { process, to, from, words, inbox: Vec::with_capacity(8 << 10), actions: 0, grace })
    }

    /// Whether it can take an action.
    pub(super) fn is_alive(&mut self) -> bool {
        matches!(self.process.try_wait(), Ok(None))
    }

    /// Runs the action. After an error the worker is of no use but to be [ended](Self::bury).
    pub(super) async fn run(
        &mut self,
        start: &[u8],
        limits: &super::ActionLimits,
        functions: &[String],
        host: &mut dyn Host,
    ) -> Result<Ended, Death> {
        self.actions += 1;
        let mut clock = Clock {
            compute: Duration::from_millis(limits.compute_ms_max) + self.grace,
            host: Duration::from_millis(limits.host_wait_ms_max),
        };
        let begun = Instant::now();
        let written = timeout(clock.compute, self.to.write_all(start)).await;
        written.map_err(|_| Death::Overdue)?.map_err(|_| Death::Unborn)?;
        clock.compute = clock.compute.saturating_sub(begun.elapsed());
        let mut calls = 0;
        loop {
            match self.hear(&mut clock).await? {
                Tell::Ended(ended) if self.inbox.is_empty() => return checked(*ended, limits),
                Tell::Ended(_) => {
                    return Err(Death::Hostile("it goes on after its end".to_owned()));
                }
                Tell::Call(call) => {
                    calls += 1;
                    if calls > limits.host_calls_max {
                        return Err(Death::Hostile("more calls than it may make".to_owned()));
                    }
                    let call = called(call, functions)?;
                    let answer = answer(call, host, &mut clock, limits).await;
                    self.say(answer, &mut clock).await?;
                }
            }
        }
    }

    async fn say(&mut self, frame: Vec<u8>, clock: &mut Clock) -> Result<(), Death> {
        let begun = Instant::now();
        let written = timeout(clock.compute, self.to.write_all(&frame)).await;
        written.map_err(|_| Death::Overdue)?.map_err(|_| Death::Gone)?;
        clock.compute = clock.compute.saturating_sub(begun.elapsed());
        Ok(())
    }

    /// The next message, within what is left of the computing time.
    async fn hear(&mut self, clock: &mut Clock) -> Result<Tell, Death> {
        let begun = Instant::now();
        let until = begun + clock.compute;
        let hostile = |refusal: wire::FrameRefusal| Death::Hostile(refusal.to_string());
        self.fill(PREFIX_BYTES, until).await?;
        let mut prefix = [0; PREFIX_BYTES];
        prefix.copy_from_slice(&self.inbox[..PREFIX_BYTES]);
        let whole = PREFIX_BYTES + wire::length(prefix).map_err(hostile)?;
        self.fill(whole, until).await?;
        let tell = wire::message(&self.inbox[PREFIX_BYTES..whole]).map_err(hostile)?;
        self.inbox.drain(..whole);
        clock.compute = clock.compute.saturating_sub(begun.elapsed());
        Ok(tell)
    }

    /// Reads until the inbox has so many bytes. It grows by what arrives, not by what is announced.
    async fn fill(&mut self, bytes: usize, until: Instant) -> Result<(), Death> {
        while self.inbox.len() < bytes {
            self.inbox.reserve((bytes - self.inbox.len()).min(READ_BYTES));
            let read = timeout_at(until, self.from.read_buf(&mut self.inbox)).await;
            match read.map_err(|_| Death::Overdue)? {
                Ok(0) | Err(_) => return Err(Death::Gone),
                Ok(_) => {}
            }
        }
        Ok(())
    }

    /// Kills and reaps the worker, and says what ended its action.
    pub(super) async fn bury(
        mut self,
        death: Death,
        limits: &super::ActionLimits,
    ) -> (&'static str, String, Fault) {
        let code = |class, message| (class, message, Fault::Code);
        let cause = match death {
            Death::Overdue => code(
                "TimeoutError",
                format!(
                    "the code computed for more than compute_ms_max = {} ms and had to be killed; \
                     do less in one action",
                    limits.compute_ms_max
                ),
            ),
            Death::Hostile(what) => {
                code("SystemError", format!("the Python worker misbehaved: {what}"))
            }
            Death::Gone | Death::Unborn => self.cause(limits).await,
        };
        // Fails only when it is dead already.
        let _ = self.process.start_kill();
        let _ = timeout(REAP, self.process.wait()).await;
        cause
    }

    async fn cause(&mut self, limits: &super::ActionLimits) -> (&'static str, String, Fault) {
        let words = self.words.last(REAP).await;
        let status = timeout(REAP, self.process.wait()).await.ok().and_then(Result::ok);
        diagnosis(&words, status, limits)
    }
}

/// What is left of an action's time.
struct Clock {
    compute: Duration,
    host: Duration,
}

/// Why a worker died, as far as its last words and its status tell.
fn diagnosis(
    words: &str,
    status: Option<ExitStatus>,
    limits: &super::ActionLimits,
) -> (&'static str, String, Fault) {
    let signal = status.and_then(|status| status.signal());
    if words.contains("memory allocation of") {
        let max = limits.memory_bytes_max;
        let text = format!("the code needed more than memory_bytes_max = {max} bytes");
        return ("MemoryError", text, Fault::Code);
    }
    if words.contains("overflowed its stack") {
        return ("RecursionError", "the code nests too deeply".to_owned(), Fault::Code);
    }
    if signal == Some(rustix::process::Signal::XCPU.as_raw()) {
        let text = "the worker used up its processor time".to_owned();
        return ("TimeoutError", text, Fault::Code);
    }
    let how = match status {
        Some(status) => format!("died ({status})"),
        None => "closed its pipe".to_owned(),
    };
    let killed = signal == Some(rustix::process::Signal::KILL.as_raw());
    let fault = if killed { Fault::Nobody } else { Fault::Code };
    ("SystemError", format!("the Python worker {how}; say it differently"), fault)
}

/// The call, if the action may make it. Whether its object is there is for the host to say.
fn called(call: FlatCall, functions: &[String]) -> Result<HostCall, Death> {
    let call = HostCall::try_from(call).map_err(|refusal| Death::Hostile(refusal.to_string()))?;
    if call.on.is_none() && !functions.contains(&call.name) {
        return Err(Death::Hostile("a call of a function it was not given".to_owned()));
    }
    Ok(call)
}

/// Asks the host, and puts what it said into a frame the worker can take.
async fn answer(
    call: HostCall,
    host: &mut dyn Host,
    clock: &mut Clock,
    limits: &super::ActionLimits,
) -> Vec<u8> {
    let begun = Instant::now();
    let answered = timeout(clock.host, host.call(call)).await;
    clock.host = clock.host.saturating_sub(begun.elapsed());
    let answer = match answered {
        Ok(Ok(item)) => Answer::Return(item.into()),
        Ok(Err(raise)) => Answer::Raise(raise),
        Err(_) => {
            let max = limits.host_wait_ms_max;
            let message = format!("host calls took more than host_wait_ms_max = {max} ms");
            Answer::Stop(Raise { class: "TimeoutError".to_owned(), message })
        }
    };
    let max = limits.answer_bytes_max;
    let frame = wire::frame(&Ask::Answer(answer)).ok().filter(|frame| frame.len() <= max);
    frame.unwrap_or_else(|| {
        let message = format!("the answer is larger than answer_bytes_max = {max}; ask for less");
        let raise = Raise { class: "ValueError".to_owned(), message };
        // Two short texts are within any limit of a frame.
        wire::frame(&Ask::Answer(Answer::Raise(raise))).unwrap_or_default()
    })
}

/// The ending, if it keeps within what our own interpreter would have kept.
fn checked(ended: Ended, limits: &super::ActionLimits) -> Result<Ended, Death> {
    let (text, text_max) = match &ended.ending {
        ActionEnd::Done { value } => {
            (value.as_ref().map_or(0, String::len), limits.value_bytes_max)
        }
        ActionEnd::Failed { class, traceback } => {
            (class.len() + traceback.len(), limits.traceback_bytes_max)
        }
    };
    let dump = match &ended.kept {
        Kept::After(bytes) => bytes.len(),
        Kept::Before | Kept::Nothing => 0,
    };
    let notice = ended.notice.as_ref().map_or(0, String::len);
    let within = text <= text_max + FRAMING_BYTES
        && ended.printed.len() <= limits.printed_bytes_max + FRAMING_BYTES
        && notice <= FRAMING_BYTES
        && dump <= limits.dump_bytes_max;
    if within { Ok(ended) } else { Err(Death::Hostile("an ending past its limits".to_owned())) }
}

impl Ended {
    /// The outcome for who asked, with the REPL the next action continues.
    pub(super) fn outcome(self, before: Option<Vec<u8>>) -> ActionOutcome {
        let dump = match self.kept {
            Kept::After(bytes) => Some(bytes),
            Kept::Before => before,
            Kept::Nothing => None,
        };
        let notice = self.notice;
        ActionOutcome { ending: self.ending, printed: self.printed, dump, notice }
    }
}

impl Start {
    /// The action as it travels.
    pub(super) fn new(action: super::Action) -> Self {
        let flat = |(name, item): (String, stoa_actors::code::Item)| (name, item.into());
        Self {
            source: action.source,
            dump: action.dump,
            globals: action.globals.into_iter().map(flat).collect(),
            functions: action.functions,
            now_ms: action.now.0,
            seed: action.seed,
            limits: action.limits,
        }
    }
}
