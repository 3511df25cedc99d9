//! A spawn that waits: this process runs the agents, so it stays until they are at rest, and tells
//! what has become of the one that was spawned.

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

/// Asks for the agent, waits until all are at rest, and prints how it is then. Interrupted before
/// that it leaves behind what it was told first.
pub(super) async fn wait_for_rest(
    runtime: &Runtime,
    owner: &mut Owner<'_>,
    asking: &mut Asking,
    out: &mut Out,
) -> Result<(), Problem> {
    out.hold();
    ask_all(owner, asking, out).await?;
    let Some(spawned) = out.held::<AgentAnswer>() else { return Ok(()) };
    let rest = runtime.at_rest();
    tokio::pin!(rest);
    tokio::select! {
        () = &mut rest => {}
        () = tokio::time::sleep(QUIET_WAIT) => {
            let name = spawned.name.as_deref().unwrap_or_default();
            note(format!(
                "note: {name} {} runs here until all agents are at rest; interrupt this, and they \
                 go on with `stoa serve`",
                shown(&spawned.id)
            ));
            rest.await;
        }
    }
    let request =
        DoorRequest::of(asking.identity.clone(), &AgentShow { agent: spawned.id.clone() })?;
    let mut last: Option<AgentAnswer> = None;
    owner
        .ask(request, &mut |said| {
            last = said.answer().or(last.take());
            Ok(())
        })
        .await?;
    let card = last.unwrap_or(spawned);
    let json = serde_json::to_vec(&card).map_err(|it| unwritten(it.into()))?;
    out.print_instead(&json).map_err(unwritten)?;
    match card.failure_of_its_own() {
        Some(problem) => Err(problem),
        None => Ok(()),
    }
}
