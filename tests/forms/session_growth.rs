//! What sessions store has room to grow: each type with a field more reads today's bytes.

use crate::forms::growth::grown;
use std::sync::Arc;
use stoa_actors::briefing::{AtomVersion, Briefing, Obligation, SpaceBrief, Summary, ToolBrief};
use stoa_actors::codec;
use stoa_actors::id::{AtomId, EventId, LinkId, Millis, Position, SessionId, SpaceId};
use stoa_actors::log::{Cause, Hash};
use stoa_actors::rights::{AgentSpawn, Level, Right, RightRequest, Subject};
use stoa_actors::session::{
    AgentSpec, BilledCall, Budget, CallNote, Event, FollowSpec, FoundVersion, GeneratedCall,
    Generation, LedgerEntry, Observation, ParentMessage, Recorded, RecordedItem, Reserved,
    SaidObject, Spent, Thought, TokenUsage, Transfer, TransferKind, TurnOutcome,
};
use stoa_actors::space::{Filter, Terms, Wake};
use stoa_actors::stored;
use stoa_actors::value::Value;

fn follow() -> FollowSpec {
    let filter = Filter { types: vec!["atom.put".into()], ..Filter::default() };
    FollowSpec { filter, cursor: Position(3), terms: Terms::default() }
}

fn charter() -> AgentSpec {
    AgentSpec {
        parent: SessionId([2; 16]),
        task: "find out".into(),
        instructions: Some(SpaceId([4; 16])),
        model: "recipe".into(),
        dm: SpaceId([5; 16]),
        first: None,
        follows: vec![(SpaceId([5; 16]), follow())],
        memory: Vec::new(),
        root: None,
    }
}

fn ask() -> RightRequest {
    let right = Right::to_use(Subject::Tool("fetch".into()), Level::Read);
    RightRequest {
        link: LinkId([1; 16]),
        alias: Some("it".into()),
        right,
        expires: Some(Millis(9)),
    }
}

fn loan() -> Transfer {
    Transfer { child: SessionId([2; 16]), budget: Budget::thoughts(3), when: TransferKind::Later }
}

fn note() -> CallNote {
    let said = RecordedItem::Object(SaidObject {
        class: "Space".into(),
        handle: 7,
        fields: vec![("name".into(), RecordedItem::Value(Value::from("board")))],
    });
    let asked = Hash([9; 32]);
    CallNote {
        call: 1,
        form: 1,
        asked,
        answer: Some(Recorded::Said(said)),
        wrote: true,
        called: "board.put".into(),
    }
}

grown!(what_an_agent_is_spawned_with_grows: AgentSpec => LaterCharter {
    parent: SessionId, task: String, instructions: Option<SpaceId>, model: String, dm: SpaceId,
    first: Option<SpaceId>, follows: Vec<(SpaceId, FollowSpec)>, memory: Vec<SpaceId>,
    root: Option<EventId>,
} + secrets: Vec<String> [] charter());

grown!(a_follow_grows: FollowSpec => LaterFollow {
    filter: Filter, cursor: Position, terms: Terms,
} + loud: bool [] follow());

grown!(a_spawn_grows: AgentSpawn => LaterSpawn {
    child: SessionId, alias: Option<String>, asks: Vec<RightRequest>, dm_links: [LinkId; 2],
    charter: Arc<AgentSpec>, budget: Budget, reason: String,
} + deadline: Option<Millis> [] AgentSpawn {
    child: SessionId([1; 16]),
    alias: None,
    asks: vec![ask()],
    dm_links: [LinkId([1; 16]), LinkId([2; 16])],
    charter: Arc::new(charter()),
    budget: Budget::thoughts(3),
    reason: "because".into(),
});

grown!(what_is_asked_of_the_rights_grows: RightRequest => LaterAsk {
    link: LinkId, alias: Option<String>, right: Right, expires: Option<Millis>,
} + scope: Option<String> [] ask());

grown!(a_budget_grows: Budget => LaterBudget {
    thoughts: Option<u64>, tokens: Option<u64>, money: Option<u64>, ms: Option<u64>,
    turns: Option<u64>, spawns: Option<u64>, depth: Option<u64>,
} + images: Option<u64> [] Budget { money: Some(7), depth: Some(0), ..Budget::thoughts(1) });

grown!(what_was_spent_grows: Spent => LaterSpent {
    thoughts: u64, tokens: u64, money: u64, ms: u64, turns: u64, spawns: u64,
} + images: u64 [] Spent { tokens: 7, ..Spent::default() });

grown!(what_is_put_aside_grows: Reserved => LaterReserved {
    most: Spent, since: Millis,
} + step: u32 [] Reserved { most: Spent::default(), since: Millis(5) });

grown!(a_billed_call_grows: BilledCall => LaterBilled {
    number: u64, turn: u64, model: String, space: Option<SpaceId>, at: Millis, usage: TokenUsage,
    known: bool,
} + provider: String [] BilledCall { model: "lab/one".into(), ..BilledCall::default() });

grown!(a_loan_grows: Transfer => LaterLoan {
    child: SessionId, budget: Budget, when: TransferKind,
} + reason: String [] loan());

grown!(a_letter_grows: ParentMessage => LaterLetter {
    subject: String, text: String, cause: Cause,
} + metadata: Vec<(String, String)> [] ParentMessage {
    subject: "said".into(), text: "it is done".into(), cause: Cause::default(),
});

grown!(an_observation_grows: Observation => LaterObservation {
    text: String, failed: Option<String>,
} + images: Vec<AtomId> [] Observation { text: "oh".into(), failed: None });

grown!(a_note_grows: CallNote => LaterNote {
    call: u64, form: u8, asked: Hash, answer: Option<Recorded>, wrote: bool, called: String,
} + took_ms: u64 [] note());

grown!(a_found_atom_grows: FoundVersion => LaterFound {
    id: AtomId, version: u64, score: Option<f32>,
} + words: Vec<String> [] FoundVersion { id: AtomId([1; 16]), version: 2, score: Some(0.5) });

grown!(an_object_that_was_answered_grows: SaidObject => LaterObject {
    class: String, handle: u128, fields: Vec<(String, RecordedItem)>,
} + methods: Vec<String> [] SaidObject { class: "Space".into(), handle: 7, fields: vec![] });

grown!(what_a_provider_said_grows: Generation => LaterGeneration {
    model: String, answered_by: String, reply: String, stop: String, usage: TokenUsage,
    calls: Vec<GeneratedCall>, blocks: String, took_ms: u64, first_ms: u64, output_max: u64,
    server: String,
} + region: String [] Generation { model: "openai/any".into(), took_ms: 7, ..Generation::default() });

grown!(a_call_that_was_wanted_grows: GeneratedCall => LaterCall {
    id: String, name: String, arguments: String,
} + kind: String [] GeneratedCall { id: "c1".into(), ..GeneratedCall::default() });

grown!(what_a_reply_took_grows: TokenUsage => LaterUsage {
    input: u64, cache_read: u64, cache_write: u64, output: u64, reasoning: u64,
} + images: u64 [] TokenUsage { input: 7, ..TokenUsage::default() });

grown!(a_briefing_grows: Briefing => LaterBriefing {
    front: bool, words: u64, window_bytes: u64, by_calls: bool, instructions: Vec<AtomVersion>, withdrawn: Vec<AtomVersion>,
    spaces: Vec<(SpaceId, SpaceBrief)>, lost: Vec<SpaceId>, more_spaces: bool,
    tools: Vec<ToolBrief>, tools_lost: Vec<String>, heard: Vec<AtomVersion>, found: Vec<AtomVersion>,
    obligations: Vec<Obligation>, said: Vec<Wake>,
} + models: Vec<String> [] Briefing { front: true, ..Briefing::default() });

grown!(a_version_grows: AtomVersion => LaterVersion {
    id: AtomId, version: u64,
} + lines: Vec<u64> [] AtomVersion { id: AtomId([1; 16]), version: 2 });

grown!(what_a_space_is_told_as_grows: SpaceBrief => LaterBrief {
    alias: String, level: Level, description: Option<String>,
} + keys: Vec<String> [] SpaceBrief { alias: "s".into(), level: Level::Read, description: None });

grown!(what_a_tool_is_told_as_grows: ToolBrief => LaterTool {
    name: String, about: String,
} + scope: String [] ToolBrief { name: "fetch".into(), about: "fetch(url)".into() });

grown!(a_summary_grows: Summary => LaterSummary {
    text: String, since: (u64, u32), by_model: bool,
} + took_ms: u64 [] Summary { text: "so far".into(), since: (7, 1), by_model: true });

/// What a thought took is no part of it: a later build may say what else it shows.
#[derive(Debug, PartialEq)]
struct LaterThought {
    text: String,
    code: Option<String>,
    generation: Option<Generation>,
    unusable: Option<String>,
    images: Vec<(String, u64)>,
}
stored!(record LaterThought { text, code } grown { generation, unusable, images });

#[test]
fn a_thought_grows() {
    let today =
        Thought { text: "I look.".into(), code: Some("1".into()), tokens: 7, ..Thought::default() };
    let bytes = codec::encode(1, &today).unwrap();
    let later: LaterThought = codec::decode(1, &bytes).unwrap();
    assert_eq!((later.text.as_str(), later.code.as_deref()), ("I look.", Some("1")));
    assert!(later.images.is_empty() && later.generation.is_none() && later.unusable.is_none());
    let back: Thought = codec::decode(1, &bytes).unwrap();
    assert_eq!(back.tokens, 0, "it is booked, and not said");
}

/// Cases with a field more, of those that budgets and turns will grow by.
#[derive(Debug, PartialEq)]
enum LaterBooking {
    Allotted(Budget),
    Spent {
        thoughts: u64,
        tokens: u64,
        money: u64,
        ms: u64,
        call: Option<Box<BilledCall>>,
        step: Option<u32>,
    },
}
stored!(choice LaterBooking {
    0 => Allotted(budget),
    2 => Spent { thoughts, tokens } grown { money, ms, call, step },
});

#[derive(Debug, PartialEq)]
enum LaterEvent {
    TurnBegan { turn: u64, wakes: Vec<Wake>, cause: Cause, at: Millis, steered: Option<String> },
    TurnEnded { outcome: TurnOutcome, rest_until: Millis, usage: Option<u64> },
}
stored!(choice LaterEvent {
    1 => TurnBegan { turn, wakes, cause, at } grown { steered },
    5 => TurnEnded { outcome, rest_until } grown { usage },
});

#[test]
fn cases_of_what_happened_grow() {
    let (thoughts, tokens, money, ms) = (1, 7, 9, 5);
    let today = LedgerEntry::Spent { thoughts, tokens, money, ms, call: None };
    let spent = codec::encode(1, &today).unwrap();
    let later = LaterBooking::Spent { thoughts, tokens, money, ms, call: None, step: None };
    assert_eq!(codec::decode::<LaterBooking>(1, &spent).unwrap(), later);
    let given = codec::encode(1, &LedgerEntry::Allotted(Budget::thoughts(1))).unwrap();
    let later = LaterBooking::Allotted(Budget::thoughts(1));
    assert_eq!(codec::decode::<LaterBooking>(1, &given).unwrap(), later);
    let (cause, at) = (Cause::default(), Millis(5));
    let began = Event::TurnBegan { turn: 1, wakes: vec![], cause, at };
    let began = codec::encode(1, &began).unwrap();
    let later = LaterEvent::TurnBegan { turn: 1, wakes: vec![], cause, at, steered: None };
    assert_eq!(codec::decode::<LaterEvent>(1, &began).unwrap(), later);
    let ended = Event::TurnEnded { outcome: TurnOutcome::Done, rest_until: at };
    let ended = codec::encode(1, &ended).unwrap();
    let later = LaterEvent::TurnEnded { outcome: TurnOutcome::Done, rest_until: at, usage: None };
    assert_eq!(codec::decode::<LaterEvent>(1, &ended).unwrap(), later);
}
