//! Rights: links, names, and what happened to them.

use crate::rights::{Effect, Event, GrantNote, Lifetime, Link, Named, Reply, Right, Subject};
use crate::stored;

stored!(choice Subject { 0 => Space(space), 1 => Tool(name), 2 => Secret(handle), 3 => Model(name) });
stored!(choice Lifetime { 0 => Lasting, 1 => OneAction });
stored!(record Right { subject, use_, delegate });
stored!(record Link { id, from, to, right, basis, expires, reason });
stored!(choice Named { 0 => Space(space), 1 => Session(session) });
stored!(choice Event {
    0 => Installed { link },
    1 => SpaceCreated { link, alias },
    2 => Spawned { child, parent, at, alias, links, names, reason, lifetime },
    3 => SpawnRefused { child, parent, at, asked, held, reason },
    4 => Born { session },
    5 => Shared { link, alias },
    6 => Revoked { links, by, at, reason },
    7 => Expired { links },
    8 => Named { holder, alias, named },
    9 => Unnamed { holder, alias },
    10 => Ended { session, at, by, links, reason },
    11 => Chartered { session, charter },
    12 => Allotted { session, budget },
    13 => Doomed { sessions, at, by, reason },
    14 => Sent { id, effect },
    15 => Delivered { id, refused },
});
stored!(choice Reply {
    0 => Done,
    1 => Spawned { child },
    2 => Granted { link, expires },
    3 => Revoked { links },
    4 => Doomed { sessions },
});
stored!(choice Effect {
    0 => Begin { child, charter, budget },
    1 => Wipe { child, by, reason },
    2 => Describe { space, by, text } grown { declares },
    3 => Say { by, note },
    4 => Repay { parent, child, budget },
});
stored!(record GrantNote { space, text, metadata });
