//! Looking on while an agent's model is asked.

use crate::caller::Caller;
use crate::live::LiveReader;
use crate::problem::Problem;

impl Caller {
    /// Looks on while an agent's model is asked: from the beginning of the request that is under way.
    /// What the reader does not read in time it misses, beyond
    /// [`live_bytes_max`](crate::limits::Config::live_bytes_max).
    ///
    /// Errors: [`ProblemKind::Unknown`](crate::problem::ProblemKind) for one that the caller does not
    /// govern.
    pub fn live(&self, agent: &str) -> Result<LiveReader, Problem> {
        let session = self.agent_named(agent)?;
        let agents = self.runtime.agents();
        Ok(agents.live.look_on(session, self.runtime.shared().config.live_bytes_max))
    }
}
