//! The clock of a host follows its log, but not far ahead of the machine's.

#![expect(clippy::unwrap_used, reason = "a test says what it takes for given")]

use std::time::{Duration, SystemTime, UNIX_EPOCH};
use stoa::answer::StatusAnswer;
use stoa::as_of::Moment;
use stoa::caller::{Caller, GrantRequest, WriteOptions};
use stoa::config::{Config, DoorLimits};
use stoa::door::{DoorRequest, Identity, Peer, perform};
use stoa::failure::StoreError;
use stoa::fault::set_wall_ahead;
use stoa::operation::answers;
use stoa::operations::Status;
use stoa::runtime::Runtime;
use stoa_actors::atom::Content;
use stoa_actors::id::{Position, RIGHTS, ROOT};
use stoa_actors::rights::Level;
use stoa_actors::space::{Draft, Filter, Terms};

const MINUTE: u64 = 60_000;
const DAY: u64 = 24 * 60 * MINUTE;

fn wall() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as u64
}

/// When an atom that is put now is stamped, and where.
async fn put(caller: &Caller) -> (u64, Position) {
    let space = caller.resolve("notes").unwrap();
    let draft = Draft { content: Content::Text("x".into()), ..Draft::default() };
    let written = caller.put(space, draft, WriteOptions::comment("put")).await.unwrap();
    (caller.get(written.id).await.unwrap().atom.at.0, written.position)
}

/// Whoever stopped lets go of the directory a little later.
async fn open(config: Config) -> Runtime {
    loop {
        match stoa::open(config.clone()).await {
            Err(StoreError::Locked { .. }) => tokio::task::yield_now().await,
            opened => return opened.unwrap(),
        }
    }
}

/// Nothing of it is left, so that the directory can be opened again.
async fn stop(runtime: Runtime) {
    runtime.stop().await.unwrap();
}

/// What `status` says of the clock.
async fn ahead(runtime: &Runtime) -> i64 {
    let (answers, mut ready) = answers(&DoorLimits::default());
    let request = DoorRequest::of(Identity::Owner, &Status::default()).unwrap();
    perform(runtime, Peer::Owner, request, answers).await.unwrap();
    let status: StatusAnswer = ready.next().await.unwrap().answer().unwrap();
    status.clock_ahead_ms
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_from_tomorrow_moves_what_comes_after_by_a_bound() {
    let dir = tempfile::tempdir().unwrap();
    let config = || Config::at(dir.path().join("data"));
    let most = config().log.clock_ahead_ms_max;
    let runtime = open(config()).await;
    runtime.caller(ROOT).create_space("notes", "").await.unwrap();
    let (first, before) = put(&runtime.caller(ROOT)).await;
    assert!(ahead(&runtime).await.abs() < MINUTE as i64);
    stop(runtime).await;

    // A small step back of the wall clock is no step back of the log.
    set_wall_ahead(10 * MINUTE);
    let runtime = open(config()).await;
    let (soon, _) = put(&runtime.caller(ROOT)).await;
    assert!(soon >= first + 9 * MINUTE);
    stop(runtime).await;
    set_wall_ahead(0);
    let runtime = open(config()).await;
    assert!(put(&runtime.caller(ROOT)).await.0 >= soon);
    assert!(ahead(&runtime).await > 9 * MINUTE as i64);
    stop(runtime).await;

    // A large one is not followed for ever.
    set_wall_ahead(DAY);
    let runtime = open(config()).await;
    let (tomorrow, _) = put(&runtime.caller(ROOT)).await;
    assert!(tomorrow >= first + DAY);
    for _ in 0..20 {
        put(&runtime.caller(ROOT)).await;
    }
    stop(runtime).await;
    set_wall_ahead(0);
    for _ in 0..2 {
        let runtime = open(config()).await;
        let root = runtime.caller(ROOT);
        let (at, position) = put(&root).await;
        assert!(at <= wall() + most && at < tomorrow, "{at}");
        let told = ahead(&runtime).await;
        assert!(told <= most as i64 && told > most as i64 - MINUTE as i64, "{told}");
        // What lasts for so long lasts for so long.
        let grant = GrantRequest {
            level: Level::Read,
            delegate: None,
            expires_ms: Some(5 * MINUTE),
            reason: String::new(),
        };
        let reader = root.grant("notes", "reader", grant).await.unwrap().session;
        let space = root.resolve("notes").unwrap();
        assert!(runtime.caller(reader).resolve("notes").is_ok());
        let terms = Terms { until: Some(root.after(5 * MINUTE).unwrap()), ..Terms::default() };
        root.subscribe(space, Filter::default(), None, terms).await.unwrap();
        // The past is found behind what was stamped tomorrow.
        let then = Moment::Time(stoa_actors::id::Millis(at));
        let found = runtime.moment(then).await.unwrap();
        assert!(found >= position, "{found:?} {position:?}");
        let early = runtime.moment(Moment::Time(stoa_actors::id::Millis(first))).await.unwrap();
        assert!(early >= before && early < position, "{early:?}");
        assert!(root.after(u64::MAX).is_err() && root.after(1 << 60).is_err());
        drop(root);
        stop(runtime).await;
    }
}

/// What has expired counts for nothing at once; a little later it is recorded as over, and takes no
/// room any more. Nobody has to ask for it.
#[tokio::test(flavor = "multi_thread")]
async fn a_right_that_has_expired_is_recorded_as_over() {
    let dir = tempfile::tempdir().unwrap();
    let mut config = Config::at(dir.path().join("data"));
    config.due_look_ms = 10;
    let runtime = open(config).await;
    let root = runtime.caller(ROOT);
    root.create_space("notes", "").await.unwrap();
    let grant = GrantRequest {
        level: Level::Read,
        delegate: None,
        expires_ms: Some(30),
        reason: "for now".to_owned(),
    };
    let ann = root.grant("notes", "ann", grant).await.unwrap().session;
    let store = runtime.store().clone();
    let before = tokio::task::block_in_place(|| store.last_seq(RIGHTS).unwrap());
    let over = async {
        while tokio::task::block_in_place(|| store.last_seq(RIGHTS).unwrap()) == before {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), over).await.unwrap();
    assert!(runtime.caller(ann).resolve("notes").is_err());
    runtime.stop().await.unwrap();
}
