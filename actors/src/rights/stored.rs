//! What of the table is kept in a snapshot: all but the indexes, which the links give back.

use super::{Birth, Link, Named, Rights};
use crate::id::{LinkId, Millis, SessionId, SpaceId};
use crate::mutant::planted;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Serialize, Deserialize)]
pub(super) struct Stored {
    births: BTreeMap<SessionId, Birth>,
    links: Vec<Link>,
    names: BTreeMap<SessionId, BTreeMap<String, Named>>,
    spaces: BTreeSet<SpaceId>,
    gone_links: BTreeSet<LinkId>,
    gone_sessions: BTreeMap<SessionId, Millis>,
}

impl From<Rights> for Stored {
    fn from(rights: Rights) -> Stored {
        Stored {
            births: rights.births,
            links: rights.links.into_values().collect(),
            names: rights.names,
            spaces: rights.spaces,
            gone_links: rights.gone_links,
            gone_sessions: rights.gone_sessions,
        }
    }
}

impl From<Stored> for Rights {
    fn from(stored: Stored) -> Rights {
        let mut rights = Rights {
            births: stored.births,
            names: stored.names,
            spaces: stored.spaces,
            gone_links: stored.gone_links,
            gone_sessions: stored.gone_sessions,
            ..Rights::default()
        };
        for link in stored.links {
            rights.insert(&link);
        }
        if planted("rights.restart_forgets_what_rests") {
            rights.resting.clear();
        }
        rights
    }
}
