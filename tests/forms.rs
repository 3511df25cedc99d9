//! Every form that was ever stored still reads as what it was. A fixture is never changed: a type
//! that changes gets a new form byte, a new fixture, and keeps the old ones.
//!
//! `STOA_WRITE_FIXTURES=1 cargo test -p stoa-tests --test forms` writes those that are missing.

#![expect(clippy::unwrap_used, reason = "a test says what it takes for given")]

mod forms {
    pub(crate) mod growth;
    pub(crate) mod requests;
    pub(crate) mod session_growth;
    pub(crate) mod space_growth;
    pub(crate) mod spaces;
}

use std::path::PathBuf;
use std::sync::Arc;
use stoa_actors::briefing::{AtomVersion, Briefing, Obligation, SpaceBrief, Summary, ToolBrief};
use stoa_actors::code::{Item, Object, Raise};
use stoa_actors::codec::{self, CodecError};
use stoa_actors::commit::{AUTHORS_FORM, Authors, CommitId, Void};
use stoa_actors::digest::DIGEST_FORM;
use stoa_actors::id::{
    AgentId, AtomId, EventId, LinkId, Millis, NodeId, Position, SessionId, SpaceId, StreamId,
    SubscriptionId,
};
use stoa_actors::log::{Answered, BODY_FORM, Body, Cause, Hash, Header};
use stoa_actors::rights::{self, Level, Lifetime, Link, Named, Right, Subject};
use stoa_actors::session::{
    self, AgentSpec, BilledCall, Budget, CallNote, CancelledAction, FollowSpec, FoundVersion,
    GeneratedCall, Generation, LedgerEntry, Observation, ParentMessage, PassingKind, Recorded,
    Reserved, Settlement, Spent, Thought, TokenUsage, Transfer, TransferKind, TurnOutcome,
};
use stoa_actors::space::{self, Filter, Subscription, Terms, Wake, Was};
use stoa_actors::value::Value;

/// The form of the events of every kind so far.
pub(crate) const FORM: u8 = 1;

pub(crate) fn fixture(name: &str, bytes: &[u8]) -> Vec<u8> {
    let path: PathBuf = [env!("CARGO_MANIFEST_DIR"), "fixtures", name].iter().collect();
    if !path.exists() && std::env::var("STOA_WRITE_FIXTURES").is_ok() {
        std::fs::write(&path, bytes).unwrap();
    }
    std::fs::read(&path).unwrap_or_else(|error| panic!("fixture {name}: {error}"))
}

/// Reads as what it was, and is still written like that.
pub(crate) fn holds<T>(name: &str, form: u8, value: &T)
where
    T: serde::Serialize + serde::de::DeserializeOwned + PartialEq + std::fmt::Debug,
{
    let bytes = codec::encode(form, value).unwrap();
    let stored = fixture(name, &bytes);
    assert_eq!(&codec::decode::<T>(form, &stored).unwrap(), value, "{name}");
    assert_eq!(stored, bytes, "{name}: the form has changed; give it a new byte");
}

/// What was written before its type grew reads as what it was; it is written otherwise now.
pub(crate) fn reads<T>(name: &str, form: u8, value: &T)
where
    T: serde::Serialize + serde::de::DeserializeOwned + PartialEq + std::fmt::Debug,
{
    let bytes = codec::encode(form, value).unwrap();
    let stored = fixture(name, &[]);
    assert_eq!(&codec::decode::<T>(form, &stored).unwrap(), value, "{name}");
    assert_ne!(stored, bytes, "{name}: it has not grown, and is to be written like that");
}

#[test]
fn rights_events_of_form_1_read() {
    let link = |subject| Link {
        id: LinkId([1; 16]),
        from: SessionId([0; 16]),
        to: SessionId([2; 16]),
        right: Right { subject, use_: Some(Level::Append), delegate: Some(Level::Grant) },
        basis: Some(LinkId([3; 16])),
        expires: Some(Millis(99)),
        reason: "because".into(),
    };
    let (session, at) = (SessionId([2; 16]), Millis(5));
    let (by, reason) = (SessionId([0; 16]), "because".to_owned());
    let space = Subject::Space(SpaceId([4; 16]));
    let events = vec![
        rights::Event::Installed { link: link(Subject::Tool("fetch".into())) },
        rights::Event::SpaceCreated { link: link(space.clone()), alias: Some("board".into()) },
        rights::Event::Spawned {
            child: session,
            parent: by,
            at,
            alias: Some("ann".into()),
            links: vec![link(Subject::Secret("key".into())), link(Subject::Model("m".into()))],
            names: vec![("board".into(), SpaceId([4; 16]))],
            reason: reason.clone(),
            lifetime: Lifetime::OneAction,
        },
        rights::Event::SpawnRefused {
            child: session,
            parent: by,
            at,
            asked: Right::whole(space.clone()),
            held: Some(Level::Read),
            reason: reason.clone(),
        },
        rights::Event::Born { session },
        rights::Event::Shared { link: link(space), alias: None },
        rights::Event::Revoked { links: vec![LinkId([1; 16])], by, at, reason: reason.clone() },
        rights::Event::Expired { links: vec![LinkId([1; 16])] },
        rights::Event::Named {
            holder: by,
            alias: "ann".into(),
            named: Named::Session(SessionId([2; 16])),
        },
        rights::Event::Unnamed { holder: by, alias: "ann".into() },
        rights::Event::Ended { session, at, by, links: vec![], reason },
    ];
    holds("rights-events-1.bin", FORM, &events);
}

/// Agents and a session with rights, one of them ended, one still owed; aliases, an expiry and a
/// right of each kind.
fn rights_with_everything() -> rights::Rights {
    let session = |n: u8| SessionId([n; 16]);
    let link = |id: u8, to: u8, subject: Subject, basis: Option<u8>| Link {
        id: LinkId([id; 16]),
        from: SessionId([0; 16]),
        to: session(to),
        right: Right { subject, use_: Some(Level::Read), delegate: Some(Level::Read) },
        basis: basis.map(|it| LinkId([it; 16])),
        expires: (id == 34).then_some(Millis(70_000)),
        reason: format!("because of {id}"),
    };
    let space = |n: u8| Subject::Space(SpaceId([n; 16]));
    let spawned = |child: u8, alias: &str, links: Vec<Link>, names: Vec<(String, SpaceId)>| {
        rights::Event::Spawned {
            child: session(child),
            parent: SessionId([0; 16]),
            at: Millis(1_700_000_000_000 + u64::from(child)),
            alias: Some(alias.into()),
            links,
            names,
            reason: "spawn".into(),
            lifetime: Lifetime::Lasting,
        }
    };
    let dm = |n: u8| vec![("dm".to_owned(), SpaceId([n; 16]))];
    let events = [
        rights::Event::Installed { link: link(31, 0, Subject::Tool("fetch".into()), None) },
        rights::Event::Installed { link: link(32, 0, Subject::Model("m".into()), None) },
        rights::Event::Installed { link: link(36, 0, Subject::Secret("key".into()), None) },
        rights::Event::SpaceCreated { link: link(33, 0, space(9), None), alias: None },
        spawned(
            2,
            "ann",
            vec![
                link(34, 2, space(9), Some(33)),
                link(30, 2, Subject::Model("m".into()), Some(32)),
                link(37, 2, Subject::Secret("key".into()), Some(36)),
            ],
            dm(9),
        ),
        rights::Event::Chartered { session: session(2), charter: Arc::new(charter()) },
        rights::Event::SpaceCreated { link: link(38, 0, space(8), None), alias: Some("x".into()) },
        spawned(3, "bob", vec![link(35, 3, space(8), Some(38))], dm(8)),
        rights::Event::Born { session: session(3) },
        rights::Event::Ended {
            session: session(3),
            at: Millis(1_700_000_000_300),
            by: SessionId([0; 16]),
            links: vec![LinkId([35; 16])],
            reason: "done".into(),
        },
        rights::Event::Spawned {
            child: session(5),
            parent: SessionId([0; 16]),
            at: Millis(1_700_000_000_400),
            alias: None,
            links: vec![link(39, 5, space(9), Some(33))],
            names: vec![("board".into(), SpaceId([9; 16]))],
            reason: "one action".into(),
            lifetime: Lifetime::OneAction,
        },
    ];
    let mut all = rights::Rights::default();
    events.iter().for_each(|event| all.apply(event));
    all
}

#[test]
fn a_snapshot_of_rights_of_form_4_reads() {
    let form = <rights::Rights as stoa_actors::behaviour::Behaviour>::SNAPSHOT_FORM;
    assert_eq!(form, 4);
    reads("rights-snapshot-4.bin", form, &rights_with_everything());
    reads("rights-snapshot-4-memory.bin", form, &rights_with_everything());
    reads("rights-snapshot-4-budget.bin", form, &rights_with_everything());
    holds("rights-snapshot-4-root.bin", form, &rights_with_everything());
}

fn charter() -> AgentSpec {
    let filter = Filter {
        types: vec!["atom.put".into()],
        metadata: [("a".to_owned(), true.into())].into(),
        ..Filter::default()
    };
    let follow = FollowSpec { filter, ..FollowSpec::all(Position(300)) };
    AgentSpec {
        parent: SessionId([2; 16]),
        task: "find out".into(),
        instructions: Some(SpaceId([4; 16])),
        model: "recipe".into(),
        dm: SpaceId([5; 16]),
        first: Some(SpaceId([6; 16])),
        follows: vec![(SpaceId([5; 16]), follow)],
        memory: Vec::new(),
        root: None,
    }
}

fn spawn() -> rights::AgentSpawn {
    rights::AgentSpawn {
        child: SessionId([8; 16]),
        alias: Some("ann".into()),
        asks: Vec::new(),
        dm_links: [LinkId([1; 16]), LinkId([2; 16])],
        charter: Arc::new(charter()),
        budget: Budget::thoughts(3),
        reason: "because".into(),
    }
}

#[test]
fn a_charter_among_the_rights_reads() {
    let session = SessionId([3; 16]);
    let events = vec![rights::Event::Chartered { session, charter: Arc::new(charter()) }];
    reads("rights-chartered-1.bin", FORM, &events);
    reads("charter-1.bin", FORM, &charter());
    let memory = vec![SpaceId([7; 16])];
    let spec = AgentSpec { memory, ..charter() };
    reads("charter-1-memory.bin", FORM, &spec);
    let root = Some(EventId([9; 16]));
    holds("charter-1-root.bin", FORM, &AgentSpec { root, ..spec });
}

/// A filter and terms of every kind.
fn followed() -> (Filter, Terms) {
    let filter = Filter {
        types: vec!["atom.put".into()],
        metadata: [("a".to_owned(), Value::Int(1))].into(),
        references: [
            ("answers".to_owned(), vec![AtomId([4; 16])]),
            ("blocked_by".to_owned(), Vec::new()),
        ]
        .into(),
    };
    (filter, Terms { debounce_ms: 30_000, until: Some(Millis(1_700_000_000_000)) })
}

#[test]
fn subscriptions_on_terms_read() {
    let (filter, terms) = followed();
    let (id, subscriber) = (SubscriptionId([7; 16]), SessionId([3; 16]));
    let one = Subscription { id, subscriber, filter, cursor: Position(300), terms };
    let other = Subscription { terms: Terms::default(), ..one.clone() };
    let events = vec![
        space::Event::SubscriptionSet { space: SpaceId([2; 16]), subscription: one, was: Was::New },
        space::Event::SubscriptionSet {
            space: SpaceId([2; 16]),
            subscription: other,
            was: Was::There,
        },
    ];
    holds("subscription-events-1.bin", FORM, &events);
    let (filter, terms) = followed();
    let follow = FollowSpec { filter, cursor: Position(300), terms };
    let events = vec![session::Event::FollowSet { space: SpaceId([5; 16]), follow }];
    holds("follow-events-1.bin", FORM, &events);
}

fn notes() -> Vec<CallNote> {
    let object = Object {
        class: "Space".into(),
        handle: u128::MAX - 1,
        fields: vec![("name".into(), Item::Value(Value::from("board")))],
    };
    let items = vec![Item::Object(object), Item::Bytes(vec![0, 255]), Item::List(vec![])];
    let map = Item::Map(vec![("all".into(), Item::List(items))]);
    let raise = Raise { class: "Conflict".into(), message: "now version 3".into() };
    let found = |id, version, score| FoundVersion { id: AtomId([id; 16]), version, score };
    let answers = [
        None,
        Some(Recorded::Atom { id: AtomId([1; 16]), version: 300 }),
        Some(Recorded::Atoms(vec![found(1, 1, Some(0.25)), found(2, 2, None)])),
        Some(Recorded::Said((&map).into())),
        Some((&raise).into()),
    ];
    let note = |(call, answer): (u64, Option<Recorded>)| {
        let wrote = answer.is_none();
        CallNote { call, form: 1, asked: Hash([9; 32]), answer, wrote, called: String::new() }
    };
    (1..).zip(answers).map(note).collect()
}

#[test]
fn session_events_of_form_1_read() {
    let wake = Wake {
        space: SpaceId([5; 16]),
        first: Position(301),
        last: Position(70_000),
        count: 3,
        comments: vec!["grüße".into()],
        hop: 2,
    };
    let (at, by, reason) = (Millis(1_700_000_000_000), SessionId([2; 16]), "because".to_owned());
    let cause = Cause { root: Some(EventId([9; 16])), hop: 3 };
    let thought =
        Thought { text: "I look.".into(), code: Some("1 / 0".into()), ..Thought::default() };
    let observation = Observation { text: "oh".into(), failed: Some("ZeroDivisionError".into()) };
    let rest_until = Millis(1_700_000_000_050);
    let exhausted = TurnOutcome::Exhausted("turn_steps_max = 64".into());
    let follow = FollowSpec { cursor: Position(7), ..FollowSpec::default() };
    let letter = ParentMessage { subject: "said".into(), text: "it is done".into(), cause };
    let mut events = vec![
        session::Event::Born(Arc::new(charter())),
        session::Event::TurnBegan { turn: 300, wakes: vec![wake], cause, at },
        session::Event::Thought { thought, at },
        session::Event::Thought { thought: Thought::default(), at },
        session::Event::Observed(observation),
        session::Event::TurnEnded { outcome: TurnOutcome::Done, rest_until },
        session::Event::TurnEnded { outcome: exhausted, rest_until },
        session::Event::TurnFailed { why: reason.clone(), at, retry_at: rest_until },
        session::Event::Quarantined { why: reason.clone(), at, lets_go: 7 },
        session::Event::Parked { hop: 65, heard: Position(300) },
        session::Event::Stopped { by, reason: reason.clone(), at, lets_go: 31 },
        session::Event::Resumed { by },
        session::Event::Wiped { by, reason, untold: vec![11], returns: true, lets_go: 15 },
        session::Event::LetGo(15),
        session::Event::FollowSet { space: SpaceId([5; 16]), follow },
        session::Event::Untold { id: 19, why: "no such space".into() },
        session::Event::Exhausted { what: "thoughts = 20".into(), needs: Budget::default() },
        session::Event::Forgiven { failures: 2 },
        session::Event::Spawning { id: 29, spawn: Arc::new(spawn()) },
        session::Event::Unfollowed(SpaceId([5; 16])),
        session::Event::Wrote { id: 11, letter },
        session::Event::Told(11),
    ];
    events.extend(notes().into_iter().map(session::Event::Noted));
    reads("session-events-1.bin", FORM, &events);
    let called = |note: CallNote| CallNote { called: "board.put".into(), ..note };
    let events: Vec<_> = notes().into_iter().map(called).map(session::Event::Noted).collect();
    holds("session-notes-1-called.bin", FORM, &events);
}

#[test]
fn what_a_provider_said_reads() {
    let usage =
        TokenUsage { input: 900, cache_read: 700, cache_write: 100, output: 50, reasoning: 9 };
    let call = GeneratedCall { id: "c1".into(), name: "python".into(), arguments: "{}".into() };
    let generation = Generation {
        model: "anthropic/any".into(),
        answered_by: "any-1".into(),
        reply: "msg_1".into(),
        stop: "call".into(),
        usage,
        calls: vec![call],
        blocks: r#"[{"type":"thinking","signature":"grüße"}]"#.into(),
        took_ms: 70_000,
        ..Generation::default()
    };
    let thought = Thought {
        text: "I look.".into(),
        code: Some("1".into()),
        generation: Some(Box::new(generation)),
        unusable: Some("cut off".into()),
        ..Thought::default()
    };
    let (at, until, why) =
        (Millis(1_700_000_000_000), Millis(1_700_000_030_000), "later".to_owned());
    let events = vec![
        session::Event::Deferred { kind: PassingKind::Limited, why: why.clone(), at, until },
        session::Event::Deferred { kind: PassingKind::Failed, why, at, until },
        session::Event::Answered,
        session::Event::Thought { thought, at },
    ];
    reads("session-generation-1.bin", FORM, &events);
    let made = Generation {
        first_ms: 300,
        output_max: 4_096,
        server: "127.0.0.1:11434".into(),
        ..Generation::default()
    };
    let thought = Thought { generation: Some(Box::new(made)), ..Thought::default() };
    holds("session-generation-1-server.bin", FORM, &[session::Event::Thought { thought, at }]);
}

#[test]
fn what_a_model_was_told_reads() {
    let version = |n| AtomVersion { id: AtomId([n; 16]), version: u64::from(n) * 100 };
    let (space, dm) = (SpaceId([3; 16]), SpaceId([4; 16]));
    let brief = |description: Option<&str>| SpaceBrief {
        alias: "board".into(),
        level: Level::Append,
        description: description.map(str::to_owned),
    };
    let leased = |atom| Obligation::Leased {
        space,
        resource: "src/app".into(),
        atom,
        until: Millis(1_700_000_000_000),
        intent: "to mend it".into(),
    };
    let (session, name, state) = (SessionId([5; 16]), "ann".to_owned(), "idle".to_owned());
    let briefing = Briefing {
        front: true,
        words: 7,
        window_bytes: 70_000,
        by_calls: true,
        instructions: vec![version(1)],
        withdrawn: vec![version(2)],
        spaces: vec![(space, brief(Some("what it is for"))), (dm, brief(None))],
        lost: vec![SpaceId([6; 16])],
        more_spaces: true,
        tools: vec![ToolBrief { name: "fetch".into(), about: "fetch(url)".into() }],
        tools_lost: vec!["send".into()],
        said: Vec::new(),
        heard: vec![version(8)],
        found: vec![version(3)],
        obligations: vec![
            leased(Some(version(4))),
            leased(None),
            Obligation::Child { session, name, state, dm },
            Obligation::Unanswered { space: dm, atom: version(5) },
            Obligation::Awaited { space: dm, atom: version(6) },
            Obligation::Promised { space, atom: version(7) },
        ],
    };
    let wake = Wake {
        space: dm,
        first: Position(301),
        last: Position(70_000),
        count: 3,
        comments: vec!["say: grüße".into()],
        hop: 2,
    };
    let steered = session::Event::Steered { wake: wake.clone() };
    let (by, at) = (SessionId([2; 16]), Millis(1_700_000_000_000));
    let observation = Observation { text: "oh".into(), failed: Some("Interrupted".into()) };
    let action = CancelledAction { observation, since: Millis(1_699_999_999_000), lets_go: 39 };
    let interrupted = |action| session::Event::Interrupted { by, at, action };
    let said = Briefing { said: vec![wake], ..briefing.clone() };
    let events = vec![
        session::Event::Briefed(Arc::new(said)),
        steered,
        interrupted(Some(action)),
        interrupted(None),
    ];
    holds("session-window-1-said.bin", FORM, &events);
    let events = vec![
        session::Event::Briefed(Arc::new(briefing)),
        session::Event::WindowFull { by_model: true, why: "it is full".into() },
        session::Event::Compacted(Summary {
            text: "so far".into(),
            since: (300, 2),
            by_model: false,
        }),
    ];
    reads("session-window-1.bin", FORM, &events);
}

#[test]
fn what_happens_to_a_budget_reads() {
    let (child, by) = (SessionId([2; 16]), SessionId([3; 16]));
    let budget = Budget { thoughts: Some(20), tokens: Some(50_000), ..Budget::default() };
    let rest = Budget { tokens: None, ..budget };
    let spent = |money, ms, call| {
        let (thoughts, tokens) = (1, 700);
        LedgerEntry::Spent { thoughts, tokens, money, ms, call }
    };
    let booked = [
        LedgerEntry::Allotted(budget),
        LedgerEntry::Funded { by, budget: rest },
        spent(0, 0, None),
        LedgerEntry::Lent { id: 29, loan: Transfer { child, budget, when: TransferKind::Birth } },
        LedgerEntry::Lent {
            id: 37,
            loan: Transfer { child, budget: rest, when: TransferKind::Later },
        },
        LedgerEntry::Settled(Settlement::Arrived(29)),
        LedgerEntry::Settled(Settlement::Bounced(37)),
        LedgerEntry::Settled(Settlement::Repaid { child, rest }),
        LedgerEntry::Settled(Settlement::Returned),
    ];
    let mut events: Vec<session::Event> = booked.map(session::Event::Booked).into();
    let exhausted = |needs| session::Event::Exhausted { what: "thoughts = 20".into(), needs };
    events.push(exhausted(Budget::default()));
    events.push(session::Event::Forgiven { failures: 300 });
    reads("session-budget-1.bin", FORM, &events);
    let allotted = |budget| vec![rights::Event::Allotted { session: child, budget }];
    reads("rights-allotted-1.bin", FORM, &allotted(budget));
    let money = Budget {
        money: Some(1_500_000),
        ms: Some(60_000),
        turns: Some(300),
        spawns: Some(2),
        depth: Some(0),
        ..budget
    };
    let most = Spent { thoughts: 1, tokens: 900, money: 800, ms: 600, turns: 0, spawns: 0 };
    let call = BilledCall {
        number: 300,
        turn: 7,
        model: "lab/one".into(),
        space: Some(SpaceId([5; 16])),
        at: Millis(1_700_000_000_000),
        usage: TokenUsage { input: 600, output: 100, ..TokenUsage::default() },
        known: true,
    };
    let reserved = Reserved { most, since: Millis(1_700_000_000_000) };
    let booked = [
        LedgerEntry::Allotted(money),
        LedgerEntry::Reserved(reserved),
        spent(700, 500, Some(Box::new(call))),
    ];
    let mut events: Vec<session::Event> = booked.map(session::Event::Booked).into();
    events.push(exhausted(money));
    holds("session-budget-1-money.bin", FORM, &events);
    holds("rights-allotted-1-money.bin", FORM, &allotted(money));
}

#[test]
fn a_body_of_form_1_reads() {
    let body = Body {
        id: EventId([8; 16]),
        at: Millis(1_700_000_000_001),
        kind: "space".into(),
        by: SessionId([3; 16]),
        agent: Some(AgentId([2; 16])),
        cause: Cause { root: Some(EventId([9; 16])), hop: 3 },
        comment: "why".into(),
        answers: Some(Answered {
            key: "once".into(),
            form: DIGEST_FORM,
            request: Hash([7; 32]),
            reply: codec::encode(FORM, &space::Reply::Done).unwrap(),
        }),
        events: vec![1, 0],
    };
    holds("body-1.bin", BODY_FORM, &body);
}

#[test]
fn authors_of_form_1_read() {
    let mut authors = Authors::default();
    let void = || Ok::<Result<(), Void>, CodecError>(Err(Void::NotErased(AtomId([4; 16]))));
    for (node, epoch, number) in [([1; 16], 3, 1), ([1; 16], 3, 2), ([2; 16], 70_000, 1)] {
        let id = CommitId { node: NodeId(node), epoch, number };
        assert_eq!(authors.judge(id, || Ok::<_, CodecError>(Ok(()))).unwrap(), Ok(()));
    }
    let sealed = CommitId { node: NodeId([3; 16]), epoch: 1, number: 1 };
    assert!(authors.judge(sealed, void).unwrap().is_err());
    holds("authors-1.bin", AUTHORS_FORM, &authors);
}

#[test]
fn a_header_reads() {
    let header = Header {
        previous: Hash([1; 32]),
        stream: StreamId([2; 16]),
        seq: 70_000,
        body: Hash([3; 32]),
    };
    let stored = fixture("header.bin", &header.to_bytes());
    assert_eq!(Header::split(&stored).unwrap(), (header, &[][..]));
    let head = header.head(Position(9));
    assert_eq!(head.to_string(), "9:".to_owned() + &head.hash.to_string()[..16]);
}
