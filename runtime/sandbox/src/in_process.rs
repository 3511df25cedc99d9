//! The interpreter in this process, for tests and for code one trusts.

use super::interpreter::{self, Door, Reply, Work};
use super::wire::Ended;
use super::worker::STACK_BYTES;
use super::{Action, Boxed, CodeRunner, Host, admit, ended_outside};
use std::time::Duration;
use stoa_actors::code::{ActionOutcome, HostCall, Raise};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, timeout};

/// Runs actions on threads of this process.
///
/// What it does not protect from: an abort of the interpreter (a stack that overflows, memory that
/// is not there) takes the process with it; memory is limited only for single large objects; code
/// that computes past its limit is stopped where the interpreter looks, which can be seconds late;
/// a dropped future leaves its thread running up to that point; a dump that somebody forged can do
/// any of these.
#[derive(Clone, Copy, Debug, Default)]
pub struct InProcess;

type Asked = (HostCall, oneshot::Sender<Reply>);

impl CodeRunner for InProcess {
    fn run<'a>(&'a self, action: Action, host: &'a mut dyn Host) -> Boxed<'a, ActionOutcome> {
        Box::pin(act(action, host))
    }
}

async fn act(action: Action, host: &mut dyn Host) -> ActionOutcome {
    let action = match admit(action) {
        Ok(action) => action,
        Err(outcome) => return outcome,
    };
    let before = action.dump.clone();
    let limits = action.limits.clone();
    let (ask, mut asked) = mpsc::channel::<Asked>(1);
    let (end, ended) = oneshot::channel();
    let thread = std::thread::Builder::new().name("python".to_owned()).stack_size(STACK_BYTES);
    // A receiver that is gone means that nobody waits for the ending.
    let spawned = thread.spawn(move || drop(end.send(interpreted(action, ask))));
    if let Err(error) = spawned {
        return ended_outside("SystemError", &format!("no thread for Python: {error}"), before);
    }
    let mut wait = Duration::from_millis(limits.host_wait_ms_max);
    while let Some((call, reply)) = asked.recv().await {
        let begun = Instant::now();
        let answer = match timeout(wait, host.call(call)).await {
            Ok(Ok(item)) => Reply::Return(item),
            Ok(Err(raise)) => Reply::Raise(raise),
            Err(_) => {
                let max = limits.host_wait_ms_max;
                let message = format!("host calls took more than host_wait_ms_max = {max} ms");
                Reply::Stop(Raise { class: "TimeoutError".to_owned(), message })
            }
        };
        wait = wait.saturating_sub(begun.elapsed());
        // Fails only when the thread has panicked, which the ending tells.
        let _ = reply.send(answer);
    }
    match ended.await {
        Ok(ended) => ended.outcome(before),
        Err(_) => ended_outside("SystemError", "the interpreter panicked", before),
    }
}

fn interpreted(action: Action, ask: mpsc::Sender<Asked>) -> Ended {
    let work = Work {
        source: &action.source,
        dump: action.dump.as_deref(),
        globals: action.globals,
        functions: &action.functions,
        now_ms: action.now.0,
        seed: action.seed,
        limits: &action.limits,
    };
    interpreter::run(work, &mut Channel(ask))
}

struct Channel(mpsc::Sender<Asked>);

impl Door for Channel {
    fn ask(&mut self, call: HostCall) -> Reply {
        let (reply, answer) = oneshot::channel();
        let asked = self.0.blocking_send((call, reply)).is_ok();
        let answer = if asked { answer.blocking_recv().ok() } else { None };
        answer.unwrap_or_else(|| {
            let message = "the action was cancelled".to_owned();
            Reply::Stop(Raise { class: "RuntimeError".to_owned(), message })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stoa_actors::code::{ActionEnd, Item};
    use stoa_actors::value::Value;

    struct Doubling;

    impl Host for Doubling {
        fn call(&mut self, call: HostCall) -> Boxed<'_, Result<Item, Raise>> {
            Box::pin(async move {
                match call.args.as_slice() {
                    [Item::Value(Value::Int(n))] => Ok(Item::Value(Value::Int(n * 2))),
                    _ => Err(Raise { class: "ValueError".into(), message: "an int".into() }),
                }
            })
        }
    }

    #[tokio::test]
    async fn code_calls_its_host_and_keeps_its_variables() {
        let mut action = Action::new("x = double(21)\nx");
        action.functions = vec!["double".to_owned()];
        let outcome = InProcess.run(action.clone(), &mut Doubling).await;
        assert_eq!(outcome.ending, ActionEnd::Done { value: Some("42".to_owned()) });
        action.source = "double(str(x))".to_owned();
        action.dump = outcome.dump;
        let outcome = InProcess.run(action, &mut Doubling).await;
        let ActionEnd::Failed { class, traceback } = outcome.ending else { panic!("it raised") };
        assert_eq!(class, "ValueError");
        assert!(traceback.ends_with("ValueError: an int"), "{traceback}");
    }
}
