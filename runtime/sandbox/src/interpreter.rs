//! One action, from source to ending, on a thread that may block and may overflow.

use super::TAKEN_BACK;
use super::ambient::Ambient;
use super::dump;
use super::item::{self, Taking};
use super::preamble;
use super::traceback;
use super::wire::{Ended, Kept};
use crate::limits::ActionLimits;
use monty::{
    MontyRepl, ReplFunctionCall, ReplNameLookup, ReplProgress, ReplResolveFutures, ReplStartError,
};
use monty_types::{
    CompileOptions, ExcType, ExtFunctionResult, MontyException, MontyObject, NameLookupResult,
    PrintWriter, PrintWriterCallback, ResourceLimits, ResourceTracker,
};
use std::borrow::Cow;
use std::mem;
use std::time::Duration;
use stoa_actors::code::{ActionEnd, HostCall, Item, Raise};

/// What the interpreter runs: an action without its dump opened.
pub(super) struct Work<'a> {
    pub source: &'a str,
    pub dump: Option<&'a [u8]>,
    pub globals: Vec<(String, Item)>,
    pub functions: &'a [String],
    pub now_ms: u64,
    pub seed: u64,
    pub limits: &'a ActionLimits,
}

/// The way out to the host.
pub(super) trait Door {
    /// Asks the host and waits for its answer.
    fn ask(&mut self, call: HostCall) -> Reply;

    /// The REPL has been taken up; what it holds is not the action's doing.
    fn loaded(&mut self) {}
}

/// What came through the door.
pub(super) enum Reply {
    Return(Item),
    Raise(Raise),
    /// End the action with this; no handler of the code sees it.
    Stop(Raise),
}

type Step = Result<ReplProgress, Box<ReplStartError>>;

/// Runs the action. Blocks while the host thinks; may abort the process, and panics only by a bug
/// of the interpreter.
pub(super) fn run(work: Work<'_>, door: &mut dyn Door) -> Ended {
    let limits = work.limits;
    let (mut repl, notice) = taken_up(work.dump);
    door.loaded();
    *repl.tracker_mut() = ResourceTracker::new(resource_limits(limits));
    let keyed = traceback::keyed(&work.globals);
    let inputs =
        work.globals.into_iter().map(|(name, item)| (name, item::object(item))).collect::<Vec<_>>();
    let mut run = Run {
        door,
        limits,
        functions: work.functions,
        ambient: Ambient::new(work.now_ms, work.seed),
        calls: 0,
        printed: Printed { text: String::new(), bytes: 0, bytes_max: limits.printed_bytes_max },
    };
    let source = preamble::without_played(work.source);
    let first = repl.feed_start(&source, inputs, PrintWriter::Callback(&mut run.printed));
    let (kept, ending) = match run.finish(first) {
        Ok((repl, value)) => {
            (keep(&repl, limits), ActionEnd::Done { value: shown(&value, limits) })
        }
        Err(failure) => {
            let ReplStartError { repl, error } = *failure;
            let kept = if traceback::is_stop(&error) {
                // The heap is not to be trusted any more.
                (Kept::Before, Some(TAKEN_BACK.to_owned()))
            } else if traceback::is_unread(&error) {
                (Kept::Before, None)
            } else {
                keep(&repl, limits)
            };
            (kept, traceback::failed(&error, &keyed, limits))
        }
    };
    let (kept, complaint) = kept;
    let notice = complaint.or(notice);
    Ended { ending, printed: run.printed.text(), kept, notice, retire: false }
}

/// The REPL to go on with, and what to say if it is not the one that was asked for.
fn taken_up(kept: Option<&[u8]>) -> (MontyRepl, Option<String>) {
    match kept.map(dump::open) {
        None => (fresh(), None),
        Some(Ok(repl)) => (repl, None),
        Some(Err(stale)) => {
            (fresh(), Some(format!("the REPL is fresh, its variables are gone: {stale}")))
        }
    }
}

/// A REPL that knows `Conflict`. The host cannot pass an exception class in, only name one.
fn fresh() -> MontyRepl {
    let tracker = ResourceTracker::default();
    let mut repl = MontyRepl::new(dump::SCRIPT, tracker, CompileOptions::default());
    let prelude = format!("{} = {}", item::CONFLICT_NAME, item::CONFLICT);
    let bound = repl.feed_run(&prelude, Vec::new(), PrintWriter::Disabled);
    assert!(bound.is_ok(), "the prelude runs: {bound:?}");
    repl
}

fn keep(repl: &MontyRepl, limits: &ActionLimits) -> (Kept, Option<String>) {
    let lost = |why: String| {
        let text = format!("the next action has a fresh REPL, the variables are gone: {why}");
        (Kept::Nothing, Some(text))
    };
    match dump::seal(repl) {
        Ok(bytes) if bytes.len() <= limits.dump_bytes_max => (Kept::After(bytes), None),
        Ok(bytes) => lost(format!(
            "they take {} bytes, more than dump_bytes_max = {}; keep big things in atoms",
            bytes.len(),
            limits.dump_bytes_max
        )),
        Err(error) => lost(error),
    }
}

fn resource_limits(limits: &ActionLimits) -> ResourceLimits {
    // Without a counting allocator the memory limit refuses single large allocations only; a
    // worker's gauge supplies the count (`gauge.rs`).
    ResourceLimits::default()
        .max_duration(Duration::from_millis(limits.compute_ms_max))
        .max_memory(limits.memory_bytes_max)
        .max_recursion_depth(limits.recursion_depth_max)
}

fn shown(value: &MontyObject, limits: &ActionLimits) -> Option<String> {
    let mut text = match value {
        MontyObject::None => return None,
        // What has no form outside, such as a function, comes as its `repr`.
        MontyObject::Repr(text) => text.clone(),
        value => value.py_repr(),
    };
    traceback::cut_end(&mut text, limits.value_bytes_max, "value_bytes_max");
    Some(text)
}

struct Run<'a> {
    door: &'a mut dyn Door,
    limits: &'a ActionLimits,
    functions: &'a [String],
    ambient: Ambient,
    calls: u32,
    printed: Printed,
}

impl Run<'_> {
    fn finish(&mut self, first: Step) -> Result<(MontyRepl, MontyObject), Box<ReplStartError>> {
        let mut step = first;
        loop {
            step = match step? {
                ReplProgress::Complete { repl, value } => return Ok((repl, value)),
                ReplProgress::FunctionCall(call) => self.called(call),
                ReplProgress::NameLookup(lookup) => self.looked_up(lookup),
                ReplProgress::OsCall(call) => {
                    let answer = self.ambient.system(&call.function_call);
                    call.resume(answer, PrintWriter::Callback(&mut self.printed))
                }
                ReplProgress::ResolveFutures(futures) => self.awaited(futures),
            }
        }
    }

    fn called(&mut self, mut call: ReplFunctionCall) -> Step {
        let (args, kwargs) = (mem::take(&mut call.args), mem::take(&mut call.kwargs));
        let name = mem::take(&mut call.function_name);
        let local = match call.object_id {
            Some(id) if item::is_class(id) => {
                Some(refuse(ExcType::TypeError, "only the host makes objects of this class").into())
            }
            Some(id) if Ambient::owns(item::handle(id)) => {
                Some(self.ambient.call(item::handle(id), &name, args.clone()))
            }
            // A call of a name that is not there comes here without a lookup.
            None if !self.functions.contains(&name) => {
                Some(ExtFunctionResult::NotFound(name.clone()))
            }
            _ => None,
        };
        let answer = match local {
            Some(answer) => Ok(answer),
            None => {
                let on = call.object_id.map(item::handle);
                self.taken(on, name, args, kwargs)
                    .map_or_else(|it| Ok(it.into()), |it| self.ask(it))
            }
        };
        let print = PrintWriter::Callback(&mut self.printed);
        match answer {
            Ok(answer) => call.resume(answer, print),
            Err(stop) => call.abort(stop, print),
        }
    }

    fn taken(
        &self,
        on: Option<u128>,
        name: String,
        args: Vec<MontyObject>,
        kwargs: Vec<(MontyObject, MontyObject)>,
    ) -> Result<HostCall, MontyException> {
        let mut taking = Taking::new(self.limits.call_bytes_max);
        let args = args.into_iter().map(|it| taking.argument(it)).collect::<Result<_, _>>()?;
        let kwargs = kwargs.into_iter().map(|it| taking.keyword(it)).collect::<Result<_, _>>()?;
        Ok(HostCall { on, name, args, kwargs })
    }

    /// The host's answer, or what ends the action.
    fn ask(&mut self, call: HostCall) -> Result<ExtFunctionResult, MontyException> {
        self.calls += 1;
        let max = self.limits.host_calls_max;
        if self.calls > max {
            let text = format!("more than host_calls_max = {max} host calls in one action");
            return Err(refuse(ExcType::RuntimeError, text));
        }
        match self.door.ask(call) {
            Reply::Return(item) => Ok(item::object(item).into()),
            Reply::Raise(raise) => Ok(item::exception(raise).into()),
            Reply::Stop(raise) => Err(item::exception(raise)),
        }
    }

    fn looked_up(&mut self, lookup: ReplNameLookup) -> Step {
        let answer = match lookup.object_id() {
            Some(id) => self.attribute(item::handle(id), item::is_class(id), &lookup.name),
            None => Ok(self.global(&lookup.name)),
        };
        let print = PrintWriter::Callback(&mut self.printed);
        match answer {
            Ok(answer) => lookup.resume(answer, print),
            Err(stop) => lookup.abort(stop, print),
        }
    }

    fn global(&self, name: &str) -> NameLookupResult {
        if self.functions.iter().any(|it| it == name) {
            return MontyObject::Function { name: name.to_owned(), docstring: None }.into();
        }
        Ambient::module(name).into()
    }

    /// An attribute the object did not bring: the host may know it.
    fn attribute(
        &mut self,
        handle: u128,
        of_class: bool,
        name: &str,
    ) -> Result<NameLookupResult, MontyException> {
        if of_class || Ambient::owns(handle) {
            return Ok(NameLookupResult::Undefined);
        }
        let args = vec![Item::Value(name.into())];
        let name = "__getattr__".to_owned();
        let call = HostCall { on: Some(handle), name, args, kwargs: Vec::new() };
        Ok(match self.ask(call)? {
            ExtFunctionResult::Return(object) => NameLookupResult::Value(object),
            ExtFunctionResult::Error(error) if error.exc_type() != ExcType::AttributeError => {
                NameLookupResult::Error(error)
            }
            _ => NameLookupResult::Undefined,
        })
    }

    fn awaited(&mut self, futures: ReplResolveFutures) -> Step {
        let text = "host calls are not awaited: call them without `await`, the answer is returned";
        let print = PrintWriter::Callback(&mut self.printed);
        futures.abort(refuse(ExcType::RuntimeError, text), print)
    }
}

fn refuse(class: ExcType, message: impl Into<String>) -> MontyException {
    MontyException::new(class, Some(message.into()))
}

/// What the code prints, up to the limit; the rest is only counted.
struct Printed {
    text: String,
    bytes: usize,
    bytes_max: usize,
}

impl Printed {
    fn push(&mut self, output: &str) {
        // Once something is cut, nothing after it may be kept.
        if self.bytes == self.text.len() {
            let room = self.bytes_max - self.text.len();
            self.text.push_str(&output[..output.floor_char_boundary(room)]);
        }
        self.bytes += output.len();
    }

    fn text(mut self) -> String {
        if self.bytes > self.text.len() {
            let (kept, all) = (self.text.len(), self.bytes);
            self.text.push_str(&format!("\n[cut: {kept} of {all} bytes, printed_bytes_max]\n"));
        }
        self.text
    }
}

impl PrintWriterCallback for Printed {
    fn stdout_write(&mut self, output: Cow<'_, str>) -> Result<(), MontyException> {
        self.push(&output);
        Ok(())
    }

    fn stdout_push(&mut self, end: char) -> Result<(), MontyException> {
        self.push(end.encode_utf8(&mut [0; 4]));
        Ok(())
    }
}
