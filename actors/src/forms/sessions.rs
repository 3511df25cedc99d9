//! Sessions: what agents are spawned with, what happened to them, what they said and saw.

use crate::briefing::{AtomVersion, Briefing, Obligation, SpaceBrief, Summary, ToolBrief};
use crate::rights::{AgentSpawn, RightRequest};
use crate::session::{
    AgentSpec, BilledCall, Budget, CallNote, CancelledAction, Event, FollowSpec, FoundVersion,
    GeneratedCall, Generation, LedgerEntry, Observation, ParentMessage, PassingKind, Recorded,
    RecordedItem, Reserved, SaidObject, Settlement, Spent, Thought, TokenUsage, Transfer,
    TransferKind, TurnOutcome,
};
use crate::stored;

stored!(choice Event {
    0 => Born(charter),
    1 => TurnBegan { turn, wakes, cause, at },
    2 => Thought { thought, at },
    3 => Noted(note),
    4 => Observed(observation),
    5 => TurnEnded { outcome, rest_until },
    6 => TurnFailed { why, at, retry_at },
    7 => Quarantined { why, at, lets_go },
    8 => Parked { hop, heard },
    9 => Stopped { by, reason, at, lets_go },
    10 => Resumed { by },
    11 => Wiped { by, reason, untold, returns, lets_go },
    12 => Unfollowed(space),
    13 => Wrote { id, letter },
    14 => Told(id),
    15 => Untold { id, why },
    16 => Spawning { id, spawn },
    17 => Booked(booking),
    18 => Exhausted { what } grown { needs },
    19 => Forgiven { failures },
    20 => FollowSet { space, follow },
    21 => LetGo(id),
    22 => Deferred { kind, why, at, until },
    23 => Answered,
    24 => Briefed(briefing),
    25 => WindowFull { by_model, why },
    26 => Compacted(summary),
    27 => Steered { wake },
    28 => Interrupted { by, at, action },
});

stored!(record AgentSpec { parent, task, instructions, model, dm, first, follows }
    grown { memory, root });
stored!(record FollowSpec { filter, cursor, terms });
stored!(record AgentSpawn { child, alias, asks, dm_links, charter, budget, reason });
stored!(record RightRequest { link, alias, right, expires });
stored!(record ParentMessage { subject, text, cause });

// What a thought took is booked: it is no part of what was said.
stored!(record Thought { text, code } grown { generation, unusable } derived { tokens, money });
stored!(record Generation { model, answered_by, reply, stop, usage, calls, blocks, took_ms }
    grown { first_ms, output_max, server });
stored!(record GeneratedCall { id, name, arguments });
stored!(record Briefing {
    front, words, window_bytes, by_calls, instructions, withdrawn, spaces, lost, more_spaces, tools, tools_lost, heard, found, obligations,
} grown { said });
stored!(record AtomVersion { id, version });
stored!(record SpaceBrief { alias, level, description });
stored!(record ToolBrief { name, about });
stored!(choice Obligation {
    0 => Leased { space, resource, atom, until, intent },
    1 => Child { session, name, state, dm },
    2 => Unanswered { space, atom },
    3 => Awaited { space, atom },
    4 => Promised { space, atom },
});
stored!(record Summary { text, since, by_model });
stored!(record TokenUsage { input, cache_read, cache_write, output, reasoning });
stored!(record Observation { text, failed });
stored!(record CancelledAction { observation, since, lets_go });
stored!(choice TurnOutcome { 0 => Done, 1 => Exhausted(limit) });

stored!(choice PassingKind { 0 => Limited, 1 => Failed });

stored!(record Budget { thoughts, tokens } grown { money, ms, turns, spawns, depth });
stored!(record Spent { thoughts, tokens, money, ms, turns, spawns });
stored!(record Reserved { most, since });
stored!(record BilledCall { number, turn, model, space, at, usage, known });
stored!(record Transfer { child, budget, when });
stored!(choice TransferKind { 0 => Birth, 1 => Later });
stored!(choice Settlement {
    0 => Arrived(id),
    1 => Bounced(id),
    2 => Repaid { child, rest },
    3 => Returned,
});
stored!(choice LedgerEntry {
    0 => Allotted(budget),
    1 => Funded { by, budget },
    2 => Spent { thoughts, tokens } grown { money, ms, call },
    3 => Lent { id, loan },
    4 => Settled(settlement),
    5 => Reserved(reserved),
});

stored!(record CallNote { call, form, asked, answer, wrote } grown { called });
stored!(choice Recorded {
    0 => Atom { id, version },
    1 => Atoms(found),
    2 => Said(said),
    3 => Raised { class, message },
});
stored!(record FoundVersion { id, version, score });
stored!(choice RecordedItem {
    0 => Value(value),
    1 => Bytes(bytes),
    2 => Object(object),
    3 => List(list),
    4 => Map(map),
});
stored!(record SaidObject { class, handle, fields });
