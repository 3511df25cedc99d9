//! What is asked of whoever has the directory open, once it is known who that is.

use super::cassette::NamedCassette;
use super::owner::Owner;
use super::show::Out;
use super::{confirm, resume};
use serde_json::Value as Json;
use stoa_api::answer::StatusAnswer;
use stoa_api::door::{DoorRequest, Identity};
use stoa_api::operation::{AnyOperation, OutItem};
use stoa_api::operations::{Status, entry};
use stoa_kernel::problem::{Problem, ProblemKind};

/// What is asked of whoever has the directory open.
pub(super) struct Asking {
    pub(super) identity: Identity,
    pub(super) operation: &'static AnyOperation,
    pub(super) bodies: Vec<Json>,
    pub(super) ack: Option<Identity>,
    pub(super) question: Option<confirm::Question>,
    pub(super) cassette: Option<NamedCassette>,
}

impl Asking {
    fn requests(&self) -> Vec<DoorRequest> {
        let request = |body: &Json| DoorRequest {
            identity: self.identity.clone(),
            operation: self.operation.name.to_owned(),
            body: body.to_string().into_bytes(),
        };
        self.bodies.iter().map(request).collect()
    }
}

/// Asks one after the other; what is printed of a subscription is acknowledged then.
pub(super) async fn ask_all(
    owner: &mut Owner<'_>,
    asking: &mut Asking,
    out: &mut Out,
) -> Result<(), Problem> {
    if let Some(question) = asking.question.take() {
        question.ask(owner, &asking.identity, &asking.bodies).await?;
    }
    let begins = resume::field(asking.operation).filter(|_| out.follows());
    if let Some((field, _)) = begins.filter(|_| out.seen.cursor().is_none()) {
        for body in &mut asking.bodies {
            if resume::from_now_on(asking.operation, body) {
                let now = head(owner, &asking.identity).await?;
                resume::begin(body, field, now);
                out.seen.begin(now);
            }
        }
    }
    for request in asking.requests() {
        owner.ask(request, &mut |said| out.tell(said)).await?;
    }
    match (asking.ack.take(), out.read.take().filter(|_| !out.hung_up)) {
        (Some(identity), Some(read)) => {
            let request = DoorRequest::of(identity, &read)?;
            out.operation = entry(&request.operation).unwrap_or(out.operation);
            owner.ask(request, &mut |said| out.tell(said)).await
        }
        _ => Ok(()),
    }
}

/// Where the log ends now: what follows from now on begins there, also where it is asked again.
pub(super) async fn head(owner: &mut Owner<'_>, identity: &Identity) -> Result<u64, Problem> {
    let mut head = None;
    let mut keep = |said: &OutItem| {
        let told: Option<StatusAnswer> = said.answer();
        head = head.or(told.and_then(|it| it.head.split(':').next()?.parse().ok()));
        Ok(())
    };
    owner.ask(DoorRequest::of(identity.clone(), &Status::default())?, &mut keep).await?;
    head.ok_or_else(|| Problem::new(ProblemKind::Store, "status tells no head").hint("stoa status"))
}
