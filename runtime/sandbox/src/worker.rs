//! The worker process: gives up what it can, then runs actions from standard input.

use super::TAKEN_BACK;
use super::gauge::{End, Gauge};
use super::interpreter::{self, Door, Reply, Work};
use super::program::ARGUMENT;
use super::wire::{self, Answer, Ask, Ended, Kept, Start, Tell};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::time::{ClockId, clock_gettime};
use std::ffi::OsString;
use std::io::{self, BufReader, Read, StdinLock, StdoutLock, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;
use stoa_actors::code::{ActionEnd, HostCall, Item, Raise};

/// The stack of the thread the interpreter runs on: parser and compiler recurse over the source.
pub(super) const STACK_BYTES: usize = 256 << 20;

/// What the kernel's data limit leaves for the program itself.
const PROGRAM_BYTES: u64 = 64 << 20;

/// What the address space limit leaves for mappings that hold no data, such as reserved arenas.
#[cfg(target_os = "linux")]
const MAPPINGS_BYTES: u64 = 1 << 30;

/// Files open at a time: the standard three, the gauge's one, and a few for the standard library.
const FILES_MAX: u64 = 16;

/// Past an action's computing time by this factor the kernel ends the process.
const CPU_FACTOR: u32 = 4;

/// Memory above its first size at which a worker asks to be replaced.
const RETIRE_BYTES: usize = 64 << 20;

/// Runs the worker and never returns, if this process was started as one; returns at once
/// otherwise.
///
/// Call it first thing in `main` of any binary that is the `worker` of a
/// [`WorkersConfig`](super::WorkersConfig), before threads, files or arguments are looked at.
pub fn worker_main_if_asked() {
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next().is_some_and(|argument| argument == ARGUMENT) {
        let code = worker_main(arguments.next());
        #[expect(clippy::disallowed_methods, reason = "the worker's main is this function")]
        std::process::exit(code);
    }
}

fn worker_main(memory_bytes_max: Option<OsString>) -> i32 {
    let memory = memory_bytes_max.and_then(|text| text.to_str()?.parse().ok());
    let Some(memory) = memory else { return 64 };
    let gauge = Arc::new(Gauge::new());
    if confine(memory).is_err() {
        return 71;
    }
    let watched = Arc::clone(&gauge);
    let interpreter = std::thread::Builder::new().stack_size(STACK_BYTES).spawn(move || {
        // Also when it panics: the watch must not wait for ever.
        let served = catch_unwind(AssertUnwindSafe(|| serve(&watched)));
        watched.close();
        matches!(served, Ok(Ok(())))
    });
    let Ok(interpreter) = interpreter else { return 71 };
    match gauge.watch() {
        End::Over => i32::from(!interpreter.join().unwrap_or(false)),
        End::Overdue | End::Orphaned => 75,
    }
}

/// Gives up what Python will never need.
fn confine(memory_bytes_max: u64) -> io::Result<()> {
    let data = memory_bytes_max + STACK_BYTES as u64 + PROGRAM_BYTES;
    limit(Resource::Core, 0)?;
    limit(Resource::Fsize, 0)?;
    limit(Resource::Nofile, FILES_MAX)?;
    limit(Resource::Data, data)?;
    // Elsewhere the address space holds what is shared by all processes.
    #[cfg(target_os = "linux")]
    {
        limit(Resource::As, data + MAPPINGS_BYTES)?;
        rustix::thread::set_no_new_privs(true)?;
    }
    Ok(())
}

/// Lowers a limit for good. Where it is lower already, it stays so.
fn limit(resource: Resource, max: u64) -> io::Result<()> {
    let max = getrlimit(resource).maximum.map_or(max, |hard| hard.min(max));
    Ok(setrlimit(resource, Rlimit { current: Some(max), maximum: Some(max) })?)
}

/// Grants the process so much more of the processor; past it the kernel ends it.
fn grant_cpu(time: Duration) -> io::Result<()> {
    let used = clock_gettime(ClockId::ProcessCPUTime).tv_sec.unsigned_abs();
    let until = used + time.as_secs() + 2;
    let maximum = getrlimit(Resource::Cpu).maximum;
    let current = Some(maximum.map_or(until, |hard| hard.min(until)));
    Ok(setrlimit(Resource::Cpu, Rlimit { current, maximum })?)
}

fn serve(gauge: &Gauge) -> io::Result<()> {
    // Both threads run; from here on there is no third, and no process.
    limit(Resource::Nproc, 0)?;
    let mut pipes = Pipes {
        gauge,
        from: BufReader::with_capacity(64 << 10, io::stdin().lock()),
        to: io::stdout().lock(),
        body: Vec::new(),
    };
    let born_bytes = gauge.resident_bytes().unwrap_or(usize::MAX);
    while let Some(ask) = pipes.read()? {
        let Ask::Start(start) = ask else { return Err(io::ErrorKind::InvalidData.into()) };
        let compute = Duration::from_millis(start.limits.compute_ms_max);
        grant_cpu(compute * CPU_FACTOR)?;
        gauge.begin(compute);
        let mut ended = act(*start, &mut pipes);
        gauge.end();
        let bytes = gauge.resident_bytes().unwrap_or(0);
        ended.retire |= bytes.saturating_sub(born_bytes) > RETIRE_BYTES;
        pipes.write(&Tell::Ended(Box::new(ended)))?;
    }
    Ok(())
}

fn act(start: Start, pipes: &mut Pipes<'_>) -> Ended {
    let acted = catch_unwind(AssertUnwindSafe(|| {
        let globals = start.globals.into_iter();
        let globals = globals.map(|(name, flat)| Ok((name, Item::try_from(flat)?)));
        let globals = globals.collect::<Result<_, wire::FrameRefusal>>();
        let work = Work {
            source: &start.source,
            dump: start.dump.as_deref(),
            globals: globals.map_err(|refusal| refusal.to_string())?,
            functions: &start.functions,
            now_ms: start.now_ms,
            seed: start.seed,
            limits: &start.limits,
        };
        Ok(interpreter::run(work, pipes))
    }));
    let why = match acted {
        Ok(Ok(ended)) => return ended,
        Ok(Err(refusal)) => refusal,
        Err(_) => "the interpreter panicked; say it differently".to_owned(),
    };
    let class = "SystemError".to_owned();
    Ended {
        ending: ActionEnd::Failed { traceback: format!("{class}: {why}"), class },
        printed: String::new(),
        kept: Kept::Before,
        notice: Some(TAKEN_BACK.to_owned()),
        retire: true,
    }
}

struct Pipes<'a> {
    gauge: &'a Gauge,
    from: BufReader<StdinLock<'static>>,
    to: StdoutLock<'static>,
    body: Vec<u8>,
}

impl Pipes<'_> {
    /// The next message, or nothing when the parent has closed or died.
    fn read(&mut self) -> io::Result<Option<Ask>> {
        let mut prefix = [0; wire::PREFIX_BYTES];
        match self.from.read_exact(&mut prefix) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            read => read?,
        }
        self.body.resize(wire::length(prefix).map_err(io::Error::other)?, 0);
        self.from.read_exact(&mut self.body)?;
        wire::message(&self.body).map(Some).map_err(io::Error::other)
    }

    fn write(&mut self, tell: &Tell) -> io::Result<()> {
        let frame = wire::frame(tell).map_err(io::Error::other)?;
        self.to.write_all(&frame)?;
        self.to.flush()
    }

    fn exchange(&mut self, call: HostCall) -> io::Result<Answer> {
        self.write(&Tell::Call(call.into()))?;
        match self.read()? {
            Some(Ask::Answer(answer)) => Ok(answer),
            _ => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }
}

impl Door for Pipes<'_> {
    fn loaded(&mut self) {
        self.gauge.rebase();
    }

    fn ask(&mut self, call: HostCall) -> Reply {
        self.gauge.pause();
        let answer = self.exchange(call);
        self.gauge.resume();
        let reply = match answer {
            Ok(Answer::Return(flat)) => Item::try_from(flat).map(Reply::Return),
            Ok(Answer::Raise(raise)) => Ok(Reply::Raise(raise)),
            Ok(Answer::Stop(raise)) => Ok(Reply::Stop(raise)),
            // The parent is gone; whatever is said now, nobody hears it.
            Err(error) => Ok(Reply::Stop(lost(&error.to_string()))),
        };
        reply.unwrap_or_else(|refusal| Reply::Stop(lost(&refusal.to_string())))
    }
}

fn lost(why: &str) -> Raise {
    Raise { class: "SystemError".to_owned(), message: why.to_owned() }
}
