//! Who is there, and what is asked from outside.

use super::mind::{self, Acts, LEAD};
use std::sync::Arc;
use stoa_actors::atom::Content;
use stoa_actors::id::{LinkId, Millis, RIGHTS, ROOT, SessionId, SpaceId};
use stoa_actors::limits::Limits;
use stoa_actors::outbox::Outgoing;
use stoa_actors::rights::{
    AgentSpawn, GrantNote, Level, Message, Right, RightRequest, Rights, Subject,
};
use stoa_actors::session::{self, AgentSpec, Budget, FollowSpec, Session};
use stoa_actors::space::{self, Declarations, Draft, Space};
use stoa_actors::value::Value;
use stoa_actors::world::{Agents, Chances, RequestId, World, WorldKinds};

pub(crate) const LEADS: usize = 2;
/// Of each lead.
pub(crate) const WORKERS: usize = 3;
pub(crate) const TASKS: usize = 40;
/// When the right to read expires that each lead is given.
const EXPIRES: u64 = 700;
/// Who is ended half-way.
pub(crate) const DOOMED: usize = 1;
pub(crate) const GIVEN: Budget = Budget {
    thoughts: Some(600),
    tokens: Some(4_000),
    money: Some(40_000),
    ms: Some(1_000_000_000),
    turns: None,
    spawns: Some(9),
    depth: Some(1),
};

/// A fresh id for something, the same whenever it is asked for.
pub(crate) fn id(what: u8, of: SessionId, n: usize) -> [u8; 16] {
    let mut id = [what; 16];
    id[1..9].copy_from_slice(&of.0[8..]);
    id[9] = n as u8 + 1;
    id[8..].iter_mut().zip(of.0).for_each(|(it, of)| *it ^= of.rotate_left(3));
    id[15] = id[15].wrapping_add(n as u8).wrapping_add(what);
    id
}

pub(crate) fn child(of: SessionId, n: usize) -> SessionId {
    SessionId(id(1, of, n))
}

pub(crate) fn dm(of: SessionId, n: usize) -> SpaceId {
    SpaceId(id(2, of, n))
}

pub(crate) fn lead(n: usize) -> SessionId {
    child(ROOT, n)
}

pub(crate) fn task_space() -> SpaceId {
    SpaceId([0x71; 16])
}

pub(crate) fn other_space(n: usize) -> SpaceId {
    SpaceId([0x72 + n as u8; 16])
}

pub(crate) struct Scene {
    pub(crate) world: World,
    pub(crate) wipe: RequestId,
    pub(crate) tasks: Vec<RequestId>,
    pub(crate) noted: Vec<RequestId>,
    pub(crate) bills: mind::Bills,
}

/// What the space of tasks declares.
pub(crate) fn declares(n: usize) -> Declarations {
    let mut declares = Declarations::default();
    if n == 0 {
        for one in ["status:text", "rank:number"] {
            declares.add(one.parse().expect("it is one")).expect("each once");
        }
    }
    declares
}

impl Scene {
    pub(crate) fn new(seed: u64, chances: Chances) -> Scene {
        let kinds = WorldKinds::default().with::<Rights>().with::<Space>().with::<Session>();
        let mut limits = Limits::default();
        limits.session.rest_first_ms = 20;
        limits.session.rest_ms_max = 80;
        limits.session.backoff_first_ms = 10;
        limits.session.backoff_ms_max = 40;
        limits.session.failures_max = 2;
        limits.session.failures_within_ms = 200;
        limits.session.hops_max = u16::MAX - 1;
        limits.snapshot_entries = 32;
        let mut world = World::new(kinds, limits, chances, seed);
        let bills = mind::Bills::default();
        world.performs::<Session>(Agents::new(Acts(bills.clone())));
        let mut at = 1;
        let mut rights = |world: &mut World, message, key: String| {
            at += 40;
            world.ask_at(Millis(at), Outgoing::new::<Rights>(RIGHTS, ROOT, message), key)
        };
        for (n, space) in [task_space(), other_space(0), other_space(1)].into_iter().enumerate() {
            let message = Message::CreateSpace {
                space,
                link: LinkId(space.0),
                alias: Some(format!("space {n}")),
                reason: "to begin".to_owned(),
                description: format!("is space {n}"),
                declares: declares(n),
            };
            rights(&mut world, message, format!("space-{n}"));
        }
        for n in 0..LEADS {
            rights(&mut world, Message::SpawnAgent(Box::new(spawn_lead(n))), format!("lead-{n}"));
        }
        let noted = (0..LEADS).map(|n| {
            let space = other_space(n);
            let right = Right::to_use(Subject::Space(space), Level::Read);
            let note = GrantNote {
                space: dm(ROOT, n),
                text: "you may read this".to_owned(),
                metadata: mind::says("granted"),
            };
            let (link, to) = (LinkId(id(9, ROOT, n)), lead(n));
            let (alias, reason) = (None, "to read".to_owned());
            let expires = Some(Millis(EXPIRES));
            let note = Some(Box::new(note));
            let share = Message::Share { link, to, alias, right, expires, reason, note };
            rights(&mut world, share, format!("note-{n}"))
        });
        let noted = noted.collect();
        let tasks = (0..TASKS).map(|n| {
            let content = Content::Text(format!("task {n}"));
            let mut metadata = mind::says("open");
            // Some have none.
            metadata.extend((n % 4 > 0).then(|| ("rank".to_owned(), Value::Int(n as i64 % 4))));
            let draft = Draft { content, metadata, ..Draft::default() };
            let put =
                Outgoing::new::<Space>(task_space().stream(), ROOT, space::Message::put(draft));
            let at = 200 + 37 * n as u64;
            world.ask_at(Millis(at), put, format!("task-{n}"))
        });
        let tasks = tasks.collect();
        for n in 0..LEADS {
            governed(&mut world, lead(n), seed);
        }
        let wipe = Message::Wipe { session: lead(DOOMED), reason: "enough".to_owned() };
        let wipe = Outgoing::new::<Rights>(RIGHTS, ROOT, wipe);
        let wipe = world.ask_at(Millis(250 + seed * 97 % 900), wipe, "wipe");
        Scene { world, wipe, tasks, noted, bills }
    }
}

/// A worker is stopped and goes on soon after; and now and then somebody sees to it that whoever is
/// out of service goes on, the last time long after everybody else.
fn governed(world: &mut World, lead: SessionId, seed: u64) {
    let mut tell = |it: SessionId, at: u64, message: session::Message, key: &str| {
        let told = Outgoing::new::<Session>(it.stream(), ROOT, message);
        world.ask_at(Millis(at), told, format!("{key}-{at}-{it}"));
    };
    let go_on = || session::Message::Resume(Vec::new());
    let stopped = child(lead, (seed % WORKERS as u64) as usize);
    let stops = 300 + seed * 31 % 1_200;
    tell(stopped, stops, session::Message::Stop { reason: "a break".to_owned() }, "stop");
    tell(stopped, stops + seed % 23, go_on(), "again");
    for at in [700, 1_300, 2_500, 4_000] {
        tell(lead, at, go_on(), "on");
        (0..WORKERS).for_each(|n| tell(child(lead, n), at + seed % 100, go_on(), "on"));
    }
}

fn spawn_lead(n: usize) -> AgentSpawn {
    let link = |what| LinkId(id(what, ROOT, n));
    let right = |space, delegate| Right {
        subject: Subject::Space(space),
        use_: Some(Level::Write),
        delegate,
    };
    let asks = vec![RightRequest {
        link: link(3),
        alias: Some("tasks".to_owned()),
        right: right(task_space(), Some(Level::Write)),
        expires: None,
    }];
    let charter = AgentSpec {
        parent: ROOT,
        task: LEAD.to_owned(),
        instructions: None,
        model: "recipe".to_owned(),
        dm: dm(ROOT, n),
        first: Some(task_space()),
        follows: vec![(dm(ROOT, n), FollowSpec::default())],
        memory: Vec::new(),
        root: None,
    };
    AgentSpawn {
        child: lead(n),
        alias: Some(format!("lead {n}")),
        asks,
        dm_links: [link(4), link(5)],
        charter: Arc::new(charter),
        budget: GIVEN,
        reason: "to lead".to_owned(),
    }
}

/// Everybody who may come to be.
pub(crate) fn everybody() -> Vec<SessionId> {
    let leads = (0..LEADS).map(lead);
    leads
        .flat_map(|lead| std::iter::once(lead).chain((0..WORKERS).map(move |n| child(lead, n))))
        .collect()
}
