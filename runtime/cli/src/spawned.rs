//! A spawn or a resume that waits: this process runs the agents, so it stays until they are at rest,
//! and tells what has become of those that it was asked for.

use super::asking::{Asking, ask_all};
use super::owner::Owner;
use super::screen::{note, unwritten};
use super::show::Out;
use std::time::Duration;
use stoa_actors::ending::shown;
use stoa_api::answer::AgentAnswer;
use stoa_api::door::DoorRequest;
use stoa_api::operations::AgentShow;
use stoa_kernel::problem::Problem;
use stoa_kernel::runtime::Runtime;

/// How long nothing is said of waiting.
const QUIET_WAIT: Duration = Duration::from_secs(1);

/// Asks for agents, waits until all are at rest, and prints how these are then. Interrupted before
/// that it leaves behind what it was told first.
///
/// Errors: how one of them has failed, besides what the question itself ends with.
pub(super) async fn wait_for_rest(
    runtime: &Runtime,
    owner: &mut Owner<'_>,
    asking: &mut Asking,
    out: &mut Out,
) -> Result<(), Problem> {
    out.hold();
    ask_all(owner, asking, out).await?;
    let begun = out.held::<AgentAnswer>();
    let Some(first) = begun.first() else { return Ok(()) };
    let rest = runtime.at_rest();
    tokio::pin!(rest);
    tokio::select! {
        () = &mut rest => {}
        () = tokio::time::sleep(QUIET_WAIT) => {
            let name = first.name.as_deref().unwrap_or_default();
            note(format!(
                "note: {name} {} runs here until all agents are at rest; interrupt this, and they \
                 go on with `stoa serve`",
                shown(&first.id)
            ));
            rest.await;
        }
    }
    let (mut cards, mut failed) = (Vec::with_capacity(begun.len()), None);
    for before in begun {
        let show = AgentShow::one(before.id.clone());
        let request = DoorRequest::of(asking.identity.clone(), &show)?;
        let mut last: Option<AgentAnswer> = None;
        owner
            .ask(request, &mut |said| {
                last = said.answer().or(last.take());
                Ok(())
            })
            .await?;
        let card = last.unwrap_or(before);
        failed = failed.or_else(|| card.failure_of_its_own());
        cards.push(serde_json::to_vec(&card).map_err(|it| unwritten(it.into()))?);
    }
    out.print_instead(cards).map_err(unwritten)?;
    failed.map_or(Ok(()), Err)
}
