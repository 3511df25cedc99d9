//! What sessions are asked.

use super::draw::Draw;
use std::sync::Arc;
use stoa_actors::briefing::{AtomVersion, Briefing, Obligation, SpaceBrief, ToolBrief};
use stoa_actors::id::{LinkId, Millis, Position};
use stoa_actors::log::Hash;
use stoa_actors::rights::{AgentSpawn, Level, Right, RightRequest, Subject};
use stoa_actors::session::{
    AgentSpec, Billing, Budget, CallBound, CallNote, FollowSpec, FoundVersion, GeneratedCall,
    Generation, Message, Observation, Passing, PassingKind, Recorded, RecordedItem, SaidObject,
    Settlement, Steering, Thought, TokenUsage, Transfer, TransferKind,
};

pub(crate) const CASES: usize = 24;

/// One more case does not compile here, and is then drawn.
pub(crate) fn case(message: &Message) -> usize {
    match message {
        Message::Begin(..) => 0,
        Message::Wake(_) => 1,
        Message::Think { .. } => 2,
        Message::Note { .. } => 3,
        Message::Observe { .. } => 4,
        Message::Fail { .. } => 5,
        Message::Retry { .. } => 6,
        Message::Told { .. } => 7,
        Message::Follow { .. } => 8,
        Message::Unfollow(_) => 9,
        Message::Stop { .. } => 10,
        Message::Resume(_) => 11,
        Message::Wipe { .. } => 12,
        Message::Look => 13,
        Message::Spawn(_) => 14,
        Message::Lend(_) => 15,
        Message::Fund(_) => 16,
        Message::Settle(_) => 17,
        Message::LetGone(_) => 18,
        Message::Defer { .. } => 19,
        Message::WindowFull { .. } => 20,
        Message::SumUp { .. } => 21,
        Message::Reserve { .. } => 22,
        Message::Steer { .. } => 23,
    }
}

pub(crate) fn message(n: usize, draw: &mut Draw) -> Message {
    let (turn, step) = (7, 2);
    match n {
        0 => Message::Begin(Arc::new(charter(draw)), Budget::default()),
        1 => Message::Wake(draw.list(Draw::wake)),
        2 => {
            let (text, code) = (draw.text(), draw.maybe(Draw::text));
            let generation = draw.maybe(generation).map(Box::new);
            let (tokens, money, unusable) = (7, 7, draw.maybe(Draw::text));
            let thought = Thought { text, code, tokens, money, generation, unusable };
            Message::Think { turn, step, attempt: 7, thought, briefing: Arc::new(briefing(draw)) }
        }
        3 => Message::Note { turn, step, note: note(draw) },
        4 => {
            let (text, failed) = (draw.text(), draw.maybe(Draw::text));
            Message::Observe { turn, step, observation: Observation { text, failed } }
        }
        5 => {
            let (attempt, billing) = (Some(7), Billing::Unknown);
            Message::Fail { turn, step, attempt, why: draw.text(), billing }
        }
        6 => Message::Retry { turn },
        7 => Message::Told { id: 7, refused: draw.maybe(Draw::text) },
        8 => Message::Follow { space: draw.space(), follow: follow(draw) },
        9 => Message::Unfollow(draw.space()),
        10 => Message::Stop { reason: draw.text() },
        11 => Message::Resume(draw.list(Draw::wake)),
        12 => Message::Wipe { reason: draw.text() },
        13 => Message::Look,
        14 => Message::Spawn(Box::new(spawn(draw))),
        15 => {
            let (child, budget) = (draw.session(), Budget::default());
            Message::Lend(Transfer { child, budget, when: TransferKind::Later })
        }
        16 => Message::Fund(Budget::default()),
        17 => {
            let (child, rest) = (draw.session(), Budget::default());
            Message::Settle(Settlement::Repaid { child, rest })
        }
        18 => Message::LetGone(7),
        20 => {
            let billing = Billing::NotMade;
            Message::WindowFull { turn, step, attempt: 7, why: draw.text(), billing }
        }
        21 => {
            let (text, generation) = (draw.text(), draw.maybe(generation).map(Box::new));
            let thought = Thought { text, generation, ..Thought::default() };
            Message::SumUp { turn, step, attempt: 7, thought, since: (7, 1) }
        }
        22 => {
            let bound = CallBound { tokens: 7, money: Some(7), ms: 7 };
            Message::Reserve { turn, step, attempt: 7, bound }
        }
        23 => Message::Steer { wake: draw.maybe(Draw::wake), how: Steering::Interrupt },
        _ => {
            let passing = Passing { kind: PassingKind::Limited, wait_ms: Some(7) };
            Message::Defer {
                turn,
                step,
                attempt: 7,
                passing,
                why: draw.text(),
                billing: Billing::Unknown,
            }
        }
    }
}

fn briefing(draw: &mut Draw) -> Briefing {
    let version = |draw: &mut Draw| AtomVersion { id: draw.atom(), version: 7 };
    let brief = |draw: &mut Draw| SpaceBrief {
        alias: draw.text(),
        level: Level::Append,
        description: draw.maybe(Draw::text),
    };
    let owed = |draw: &mut Draw| match draw.below(4) {
        0 => Obligation::Leased {
            space: draw.space(),
            resource: draw.text(),
            atom: draw.maybe(version),
            until: Millis(7),
            intent: draw.text(),
        },
        1 => Obligation::Child {
            session: draw.session(),
            name: draw.text(),
            state: draw.text(),
            dm: draw.space(),
        },
        2 => Obligation::Unanswered { space: draw.space(), atom: version(draw) },
        _ => Obligation::Promised { space: draw.space(), atom: version(draw) },
    };
    Briefing {
        front: true,
        words: 7,
        window_bytes: 7,
        by_calls: true,
        instructions: draw.list(version),
        withdrawn: draw.list(version),
        spaces: draw.short(|it| (it.space(), brief(it))),
        lost: draw.list(Draw::space),
        more_spaces: false,
        tools: draw.short(|it| ToolBrief { name: it.text(), about: it.text() }),
        tools_lost: draw.list(Draw::text),
        said: draw.list(Draw::wake),
        heard: draw.list(version),
        found: draw.list(version),
        obligations: draw.short(owed),
    }
}

fn follow(draw: &mut Draw) -> FollowSpec {
    FollowSpec { filter: draw.filter(), cursor: Position(7), terms: draw.terms() }
}

pub(super) fn charter(draw: &mut Draw) -> AgentSpec {
    AgentSpec {
        parent: draw.session(),
        task: draw.text(),
        instructions: draw.maybe(Draw::space),
        model: draw.text(),
        dm: draw.space(),
        first: draw.maybe(Draw::space),
        follows: draw.short(|it| (it.space(), follow(it))),
        memory: draw.short(Draw::space),
        root: None,
    }
}

fn generation(draw: &mut Draw) -> Generation {
    Generation {
        model: draw.text(),
        answered_by: draw.text(),
        reply: draw.text(),
        stop: draw.text(),
        usage: TokenUsage::default(),
        calls: draw.list(|it| GeneratedCall {
            id: it.text(),
            name: it.text(),
            arguments: it.text(),
        }),
        blocks: draw.text(),
        took_ms: 7,
        first_ms: 7,
        output_max: 7,
        server: draw.text(),
    }
}

fn note(draw: &mut Draw) -> CallNote {
    let answer = draw.maybe(recorded);
    CallNote { call: 7, form: 1, asked: Hash::default(), answer, wrote: true, called: draw.text() }
}

fn recorded(draw: &mut Draw) -> Recorded {
    match draw.below(4) {
        0 => Recorded::Atom { id: draw.atom(), version: 7 },
        1 => Recorded::Atoms(draw.list(|it| FoundVersion {
            id: it.atom(),
            version: 7,
            score: Some(0.5),
        })),
        2 => Recorded::Said(said(draw, 2)),
        _ => Recorded::Raised { class: draw.text(), message: draw.text() },
    }
}

fn said(draw: &mut Draw, levels: u32) -> RecordedItem {
    match draw.below(if levels == 0 { 2 } else { 5 }) {
        0 => RecordedItem::Value(draw.value()),
        1 => RecordedItem::Bytes(draw.bytes()),
        2 => {
            let (class, handle) = (draw.text(), 7);
            let fields = draw.short(|it| (it.text(), said(it, levels - 1)));
            RecordedItem::Object(SaidObject { class, handle, fields })
        }
        3 => RecordedItem::List(draw.short(|it| said(it, levels - 1))),
        _ => RecordedItem::Map(draw.short(|it| (it.text(), said(it, levels - 1)))),
    }
}

pub(super) fn right(draw: &mut Draw) -> Right {
    Right { subject: subject(draw), use_: Some(Level::Read), delegate: None }
}

pub(super) fn subject(draw: &mut Draw) -> Subject {
    match draw.below(4) {
        0 => Subject::Space(draw.space()),
        1 => Subject::Tool(draw.text()),
        2 => Subject::Secret(draw.text()),
        _ => Subject::Model(draw.text()),
    }
}

pub(super) fn ask(draw: &mut Draw) -> RightRequest {
    let (link, alias) = (LinkId(draw.id()), draw.maybe(Draw::text));
    RightRequest { link, alias, right: right(draw), expires: None }
}

pub(super) fn spawn(draw: &mut Draw) -> AgentSpawn {
    AgentSpawn {
        child: draw.session(),
        alias: draw.maybe(Draw::text),
        asks: draw.list(ask),
        dm_links: [LinkId(draw.id()), LinkId(draw.id())],
        charter: Arc::new(charter(draw)),
        budget: Budget::default(),
        reason: draw.text(),
    }
}
