//! A host that notes what it is asked and answers as a space would.

use std::collections::BTreeMap;
use stoa::sandbox::{Action, Boxed, CodeRunner, Host, Workers, WorkersConfig};
use stoa_actors::code::{ActionEnd, ActionOutcome, HostCall, Item, Object, Raise};
use stoa_actors::id::Millis;
use stoa_actors::value::Value;

pub(crate) const SPACE: u128 = 0x5eed_0001;
pub(crate) const COORDINATOR: u128 = 0x5eed_0002;

/// An executable that becomes a worker when asked.
pub(crate) const WORKER: &str = env!("CARGO_BIN_EXE_stoa");

pub(crate) fn workers() -> Workers {
    Workers::new(WorkersConfig::new(WORKER))
}

pub(crate) fn text(text: &str) -> Item {
    Item::Value(text.into())
}

pub(crate) fn object(class: &str, handle: u128, fields: Vec<(String, Item)>) -> Item {
    Item::Object(Object { class: class.into(), handle, fields })
}

fn atom(n: u128, status: &str) -> Item {
    let metadata = Value::Map(BTreeMap::from([("status".to_owned(), status.into())]));
    let fields = [
        ("id", text(&format!("atom-{n}"))),
        ("content", text("solar|wind|tides")),
        ("metadata", Item::Value(metadata)),
    ];
    object("Atom", n, fields.map(|(name, item)| (name.to_owned(), item)).to_vec())
}

#[derive(Default)]
pub(crate) struct Fake {
    pub(crate) calls: Vec<HostCall>,
}

impl Fake {
    pub(crate) fn names(&self) -> Vec<&str> {
        self.calls.iter().map(|call| call.name.as_str()).collect()
    }
}

impl Host for Fake {
    fn call(&mut self, call: HostCall) -> Boxed<'_, Result<Item, Raise>> {
        self.calls.push(call.clone());
        if call.name == "never" {
            return Box::pin(std::future::pending());
        }
        Box::pin(std::future::ready(answer(call)))
    }
}

fn answer(call: HostCall) -> Result<Item, Raise> {
    let raise = |class: &str, message: &str| {
        Err(Raise { class: class.to_owned(), message: message.to_owned() })
    };
    let first = call.args.first();
    match (call.name.as_str(), first) {
        ("search", _) => Ok(Item::List(vec![atom(11, "pending"), atom(12, "pending")])),
        ("references", _) => Ok(Item::List(vec![atom(20, "completed")])),
        ("update" | "spawn", _) => Ok(Item::Value(Value::Null)),
        ("conflict", _) => raise("Conflict", "atom-11 is at version 4, not 3; read it again"),
        ("forbidden", _) => raise("PermissionError", "you may only read; ask for append"),
        ("fail", Some(Item::Value(Value::Text(class)))) => raise(class, "as asked"),
        ("echo", Some(item)) => Ok(item.clone()),
        ("big", _) => Ok(text(&"x".repeat(5 << 20))),
        ("__getattr__", Some(item)) if *item == text("lazy") => Ok(text("asked for")),
        ("__getattr__", _) => raise("AttributeError", "no such attribute"),
        (other, _) => raise("NotImplementedError", other),
    }
}

const FUNCTIONS: [&str; 7] = ["echo", "fail", "never", "big", "search", "llm", "forbidden"];

/// The code with a session's usual names.
pub(crate) fn action(source: &str) -> Action {
    let mut action = Action::new(source);
    let spaces = vec![
        ("findings".to_owned(), object("Space", SPACE, vec![])),
        ("notes".to_owned(), object("Space", SPACE + 8, vec![])),
    ];
    action.globals = vec![
        ("space".into(), object("Space", SPACE, vec![("name".into(), text("findings"))])),
        ("spaces".into(), Item::Map(spaces)),
        ("coordinator".into(), object("Coordinator", COORDINATOR, vec![])),
    ];
    action.functions = FUNCTIONS.map(str::to_owned).to_vec();
    action.now = Millis(1_795_246_245_000);
    action
}

/// The code in the REPL another action left.
pub(crate) fn after(before: &ActionOutcome, source: &str) -> Action {
    Action { dump: before.dump.clone(), ..action(source) }
}

pub(crate) async fn run(runner: &dyn CodeRunner, source: &str) -> ActionOutcome {
    runner.run(action(source), &mut Fake::default()).await
}

/// The `repr` the action ended with.
#[track_caller]
pub(crate) fn value(outcome: &ActionOutcome) -> &str {
    match &outcome.ending {
        ActionEnd::Done { value } => value.as_deref().unwrap_or("None"),
        ActionEnd::Failed { traceback, .. } => panic!("{traceback}"),
    }
}

/// Class and traceback the action ended with.
#[track_caller]
pub(crate) fn failure(outcome: &ActionOutcome) -> (&str, &str) {
    match &outcome.ending {
        ActionEnd::Failed { class, traceback } => (class, traceback),
        ActionEnd::Done { value } => panic!("it ran through: {value:?}"),
    }
}
