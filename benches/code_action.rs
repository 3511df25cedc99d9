//! A code action with ten host calls on a warm worker against ten bare round trips to a child
//! process (`cat`), in the same run.

#![expect(clippy::print_stdout, reason = "a bench prints what it measured")]
#![expect(clippy::expect_used, reason = "a bench that cannot run ends")]

use measure::{load, micros, rounds, spread};
use std::process::Stdio;
use std::time::Instant;
use stoa::sandbox::{Action, Boxed, CodeRunner, Host, Workers, WorkersConfig};
use stoa_actors::code::{ActionEnd, HostCall, Item, Object, Raise};
use stoa_actors::value::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::Command;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

struct Ten(u32);

impl Host for Ten {
    fn call(&mut self, _: HostCall) -> Boxed<'_, Result<Item, Raise>> {
        self.0 += 1;
        Box::pin(async { Ok(Item::Value(Value::Int(1))) })
    }
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    stoa::worker_main_if_asked();
    println!("load {}", load());
    let worker = std::env::current_exe().expect("this bench");
    let workers = Workers::new(WorkersConfig::new(worker));
    let mut child = Command::new("cat")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("cat");
    let (mut to, mut from) = (child.stdin.take().expect("in"), child.stdout.take().expect("out"));
    let (mut ratios, mut ours, mut floor) = (vec![], vec![], vec![]);
    for round in 0..rounds() * 20 {
        let begun = Instant::now();
        for _ in 0..10 {
            to.write_all(&[7; 100]).await.expect("write");
            let mut back = [0; 100];
            from.read_exact(&mut back).await.expect("read");
        }
        let base = micros(begun);
        let space = Object { class: "Space".into(), handle: 7, fields: vec![] };
        let mut action = Action::new("sum([space.count() for _ in range(10)])");
        action.globals = vec![("space".into(), Item::Object(space))];
        let mut host = Ten(0);
        let begun = Instant::now();
        let outcome = workers.run(action, &mut host).await;
        let took = micros(begun);
        assert_eq!(outcome.ending, ActionEnd::Done { value: Some("10".into()) });
        assert_eq!(host.0, 10);
        // The first few start the workers.
        if round >= 5 {
            ratios.push(took / base);
            ours.push(took);
            floor.push(base);
        }
    }
    let (low, mid, high) = spread(ratios);
    println!(
        "ten host calls {:.0} us, ten round trips to cat {:.0} us, ratio {mid:.2} [{low:.2}-{high:.2}] (aim 3)",
        spread(ours).1,
        spread(floor).1
    );
    println!("load {}", load());
}
