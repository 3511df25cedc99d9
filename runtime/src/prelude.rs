//! What an actor, a tool or a model of your own needs, in one `use`; the [guide](crate::guide) uses
//! nothing else.

pub use stoa_actors::atom::{Content, Metadata};
pub use stoa_actors::behaviour::{Behaviour, Decision, Delivery, EffectId, Row, View};
pub use stoa_actors::id::{AtomId, Millis, ROOT, SessionId, SpaceId, StreamId};
pub use stoa_actors::incarnation::Request;
pub use stoa_actors::rights::Level;
pub use stoa_actors::search::Query;
pub use stoa_actors::session::Thought;
pub use stoa_actors::simulation::Simulation;
pub use stoa_actors::space::{Draft, Expect, Filter, Patch};
pub use stoa_actors::trust::HostGrants;
pub use stoa_actors::value::Value;
pub use stoa_api::{kinds, open};
pub use stoa_kernel::agents::{SpaceAsk, SpawnAsk};
pub use stoa_kernel::caller::{Caller, GrantRequest, WriteOptions};
pub use stoa_kernel::host::{ActorAddress, Boxed, Nothing, Perform};
pub use stoa_kernel::limits::Config;
pub use stoa_kernel::model::{Context, Model, ModelError, Models, Scripted};
pub use stoa_kernel::problem::{Problem, ProblemKind};
pub use stoa_kernel::runtime::Kinds;
pub use stoa_kernel::runtime::Runtime;
pub use stoa_kernel::sandbox::worker_main_if_asked;
pub use stoa_kernel::tool::{Tool, ToolCall, ToolError, Tools};
