//! The verbs of leases as messages.

use super::Answer;
use super::answer::Out;
use crate::caller::{Caller, Why};
use crate::problem::Problem;
use serde::{Deserialize, Serialize};
use stoa_actors::space::{Fence, Resource};

/// What is asked of the leases of a space.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the fields are those of the verb, told in its own help")]
pub enum LeaseCall {
    Acquire { space: String, resource: Resource, lease_ms: u64, intent: String, why: Why },
    Renew { space: String, fence: Fence, lease_ms: u64, why: Why },
    Release { space: String, resource: Resource, token: Option<u64>, undo: bool, why: Why },
    List { space: String },
}

pub(super) async fn perform(caller: &Caller, call: LeaseCall, out: &Out) -> Result<(), Problem> {
    match call {
        LeaseCall::Acquire { space, resource, lease_ms, intent, why } => {
            let id = caller.resolve(&space)?;
            let lease = caller.acquire(id, resource, lease_ms, intent, why).await?;
            out.tell(Answer::Lease(lease)).await
        }
        LeaseCall::Renew { space, fence, lease_ms, why } => {
            let lease = caller.renew(caller.resolve(&space)?, fence, lease_ms, why).await?;
            out.tell(Answer::Lease(lease)).await
        }
        LeaseCall::Release { space, resource, token, undo, why } => {
            caller.release(caller.resolve(&space)?, resource, token, undo, why).await?;
            out.tell(Answer::Released).await
        }
        LeaseCall::List { space } => {
            let leases = caller.leases(caller.resolve(&space)?).await?;
            out.all(leases.into_iter().map(Answer::Lease)).await
        }
    }
}
