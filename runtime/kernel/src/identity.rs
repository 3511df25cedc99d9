//! Who asks. A door has no authority of its own: every request says who it is from, and the door
//! says whom it lets speak for whom.

use crate::caller::Caller;
use crate::problem::{Problem, ProblemKind};
use crate::runtime::Runtime;
use serde::{Deserialize, Serialize};
use stoa_actors::id::ROOT;

/// Whom a request is from, as it says itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Identity {
    /// It does not say. Nobody has no rights.
    #[default]
    Nobody,
    /// The owner of the directory, who has every right.
    Owner,
    /// A session by the owner's name for it, with its rights and its names for things.
    Session(String),
}

/// What a door knows of the other side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Peer {
    /// Nothing: it may speak for nobody.
    #[default]
    Stranger,
    /// It is the user that owns the directory: the socket's mode and the system's word for the
    /// peer say so. It may speak for itself and for its sessions.
    Owner,
    /// It is this very process, of the same user.
    Own,
}

impl Runtime {
    /// The session that a request acts as.
    ///
    /// Errors: [`ProblemKind::Forbidden`] for a request without an identity and for a peer that may not
    /// speak for the one it names; [`ProblemKind::Unknown`] for a session that is not there.
    pub fn admit(&self, peer: Peer, identity: &Identity) -> Result<Caller, Problem> {
        let owner = self.caller(ROOT);
        match (peer, identity) {
            (_, Identity::Nobody) => {
                let text = "the request has no identity";
                Err(Problem::new(ProblemKind::Forbidden, text).hint("stoa --as SESSION space list"))
            }
            (Peer::Stranger, _) => {
                let text = "permission denied: only the owner of the directory may connect";
                Err(Problem::new(ProblemKind::Forbidden, text).hint("stoa status"))
            }
            (Peer::Owner | Peer::Own, Identity::Owner) => Ok(owner),
            (Peer::Owner | Peer::Own, Identity::Session(name)) => {
                Ok(self.caller(owner.session_named(name)?))
            }
        }
    }
}

impl Caller {
    /// What is the owner's alone, whatever rights a session holds.
    ///
    /// Errors: [`ProblemKind::Forbidden`] with `because` for everybody else.
    pub fn is_owner(&self, because: &str, hint: &str) -> Result<(), Problem> {
        if self.session() == ROOT {
            return Ok(());
        }
        let text = format!(
            "permission denied: {because}, so only the owner of the directory may \
                            do this"
        );
        Err(Problem::new(ProblemKind::Forbidden, text).hint(hint))
    }
}
