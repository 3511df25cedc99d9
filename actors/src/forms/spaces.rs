//! Spaces: what they hold, what happened in them, what they answered, and what they were asked. The
//! layout of a snapshot is with the state that nobody else sees: `space/snapshot.rs`.

use crate::conditions::{Condition, Direction, OrderBy, Which};
use crate::space::{
    ClaimPredicate, ClaimRequest, Claimed, Declarations, DeclaredKey, DeclaredRelation, Draft,
    Edit, End, Event, Expect, Fence, Filter, ImportedVersion, KeyType, Lease, Merge, Mutation,
    Origin, Patch, Provenance, Reply, Resource, Subscription, Terms, Wake, Was,
};
use crate::stored;

stored!(choice Event {
    0 => Described(text),
    1 => AtomPut(atom),
    2 => AtomUpdated { atom, added, dropped },
    3 => AtomDeprecated(atom),
    4 => AtomImported { atom, added, dropped, origin },
    5 => AtomErased { atom, dropped, origin },
    6 => SubscriptionSet { space, subscription, was },
    7 => Unsubscribed(id),
    8 => Advanced { id, cursor },
    9 => Leased(lease),
    10 => LeaseRenewed { space, resource, token, was, until },
    11 => LeaseEnded { space, resource, holder, token, until, how },
    12 => Declared(declares),
});
stored!(choice Reply {
    0 => Done,
    1 => Version { id, version },
    2 => Subscribed(id),
    3 => Versions(atoms),
    4 => Lease(lease),
    5 => Claimed(claimed),
    6 => Imported { new, known },
    7 => Merged { new, known, attic, lost },
});

stored!(record Subscription { id, subscriber, filter, cursor, terms });
stored!(record Filter { types, metadata, references });
stored!(record Terms { debounce_ms, until });
stored!(choice Was { 0 => New, 1 => There });
stored!(record Edit { filter, cursor, debounce_ms, until });
stored!(record Wake { space, first, last, count, comments, hop });

stored!(record Lease { space, resource, holder, token, since, until, intent, claimed });
stored!(record Claimed { set, before } grown { exhausted });
stored!(record Fence { resource, token });
stored!(choice End { 0 => Released, 1 => Expired, 2 => Broken, 3 => Abandoned });
stored!(choice Resource { 0 => Atom(id), 1 => Name(name) });

// What is claimed: the candidates are no part of a request.
stored!(record ClaimRequest { text, wanted, set, ttl_ms, intent } grown { order, attempts_max, exhausted }
    derived { ranked });
stored!(record ClaimPredicate { metadata, references });
stored!(record Condition { which, metadata });
stored!(choice Which { 0 => All, 1 => Any, 2 => None });
stored!(record OrderBy { key, direction } derived { kind });
stored!(choice Direction { 0 => Ascending, 1 => Descending });

stored!(record Declarations { keys, relations });
stored!(record DeclaredKey { kind, ordered });
stored!(record DeclaredRelation { acyclic });
stored!(choice KeyType { 0 => Any, 1 => Number, 2 => Text, 3 => Bool, 4 => List, 5 => Map });

// Vectors are made before the delivery and are no part of a request.
stored!(record Draft { id, content, annotation, metadata, references } derived { embedding });
stored!(record Patch { expect, content, annotation, metadata, references } grown { attempts }
    derived { embedding });
stored!(choice Expect { 0 => Version(version), 1 => Any });
stored!(choice Mutation {
    0 => Put(draft),
    1 => Update { id, expect, patch },
    2 => Deprecate { id, expect, superseded_by },
    3 => Release { resource, token, undo },
    4 => Erase { id, expect },
    5 => Reinstate { id, expect },
});

stored!(record Origin {
    event, position, at, by, kind, comment, key, cause, space, atom, references, superseded_by,
});
stored!(record ImportedVersion {
    id, version, content, annotation, metadata, references, embedding, deprecated, origin, imported,
    merge,
} grown { attempts });
stored!(record Provenance { event, position, at, by });
stored!(choice Merge { 0 => Refuse, 1 => Attic, 2 => Lost });
