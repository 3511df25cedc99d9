//! What a process asks of the owner, and who answers: the same for this process and for others.

use super::{Identity, Peer};
use crate::operation::{Answers, EffectKind, Operation};
use crate::operations::entry;
use crate::problem::{Problem, ProblemKind};
use crate::runtime::Runtime;
use serde::{Deserialize, Serialize};

/// What a process asks of the owner.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DoorRequest {
    /// Who asks. A request that does not say so is refused.
    pub identity: Identity,
    /// What, by the name of an operation.
    pub operation: String,
    /// Its request, as JSON.
    #[serde(skip)]
    pub body: Vec<u8>,
}

impl DoorRequest {
    /// That of an operation.
    ///
    /// Errors: [`ProblemKind::Invalid`] for a request that JSON cannot hold.
    pub fn of<O: Operation>(identity: Identity, operation: &O) -> Result<DoorRequest, Problem> {
        let body = serde_json::to_vec(operation);
        let body = body.map_err(|error| Problem::new(ProblemKind::Invalid, error))?;
        Ok(DoorRequest { identity, operation: O::NAME.to_owned(), body })
    }
}

impl DoorRequest {
    /// Whether it is answered for as long as somebody listens, and can be asked again of the next owner
    /// from where this one stopped.
    pub(super) fn follows(&self) -> bool {
        let says = |field: &str| {
            let body: Result<serde_json::Value, _> = serde_json::from_slice(&self.body);
            body.is_ok_and(|it| it[field] == true)
        };
        match self.operation.as_str() {
            "watch" | "lease watch" => !says("no_follow"),
            "agent log" | "trace" => says("follow") || says("live"),
            _ => false,
        }
    }
}

/// Does what is asked, for a peer that may ask it.
pub async fn perform(
    runtime: &Runtime,
    peer: Peer,
    request: DoorRequest,
    answers: Answers,
) -> Result<(), Problem> {
    let caller = runtime.admit(peer, &request.identity)?;
    let name = &request.operation;
    let entry = entry(name).ok_or_else(|| {
        Problem::new(ProblemKind::Invalid, format!("there is no operation {name:?}"))
            .hint("stoa --help")
    })?;
    tracing::debug!(operation = entry.name, session = %caller.session(), "asked");
    let caller = if entry.effect == EffectKind::Writes { caller.noting() } else { caller };
    let caller = if peer == Peer::Own { caller.within() } else { caller };
    entry.perform(&caller, &request.body, answers).await
}
