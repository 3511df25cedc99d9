//! Every operation, each in one file: what is asked and answered, what it takes, how it is typed, how
//! code calls it, and what it does. This table is the other place where it stands; `operation` says
//! what is made of it.

mod access;
mod agent_list;
mod agent_log;
mod agent_resume;
mod agent_say;
mod agent_show;
mod agent_stop;
mod agent_tree;
mod agent_wipe;
mod audit;
mod backup;
mod claim;
mod cost;
mod deprecate;
mod diff;
mod erase;
mod exec;
mod export;
mod get;
mod grant;
mod history;
mod import;
mod lease_acquire;
mod lease_list;
mod lease_release;
mod lease_renew;
mod lease_watch;
mod put;
mod read;
mod references;
mod request_access;
mod research;
mod revoke;
mod search;
mod session_list;
mod shared;
mod space_create;
mod space_describe;
mod space_list;
mod space_show;
mod spawn;
mod status;
mod subscribed;
mod subscription_ack;
mod subscription_add;
mod subscription_edit;
mod subscription_list;
mod subscription_read;
mod subscription_remove;
mod tail;
mod trace;
mod transaction;
mod update;
mod waits;
mod watch;
mod whoami;
mod why;

pub use access::Access;
pub use agent_list::AgentList;
pub use agent_log::AgentLog;
pub use agent_resume::AgentResume;
pub use agent_say::AgentSay;
pub use agent_show::AgentShow;
pub use agent_stop::AgentStop;
pub use agent_tree::AgentTree;
pub use agent_wipe::{AgentWipe, Wiped};
pub use audit::{Audit, AuditAnswer};
pub use backup::{BackedUp, Backup};
pub use claim::Claim;
pub use cost::Cost;
pub use deprecate::Deprecate;
pub use diff::Diff;
pub use erase::Erase;
pub use exec::Exec;
pub use export::{Export, ExportLine};
pub use get::Get;
pub use grant::{Grant, Granted};
pub use history::History;
pub use import::{Import, Imported};
pub use lease_acquire::LeaseAcquire;
pub use lease_list::LeaseList;
pub use lease_release::{LeaseRelease, Released};
pub use lease_renew::LeaseRenew;
pub use lease_watch::LeaseWatch;
pub use put::Put;
pub use research::Research;
pub use revoke::{Revoke, Revoked};
pub use search::Search;
pub use session_list::SessionList;
pub use space_create::SpaceCreate;
pub use space_describe::SpaceDescribe;
pub use space_list::SpaceList;
pub use space_show::SpaceShow;
pub use spawn::Spawn;
pub use status::Status;
pub use subscription_ack::SubscriptionAck;
pub use subscription_add::SubscriptionAdd;
pub use subscription_edit::SubscriptionEdit;
pub use subscription_list::SubscriptionList;
pub use subscription_read::SubscriptionRead;
pub use subscription_remove::{Removed, SubscriptionRemove};
pub use trace::Trace;
pub use transaction::{Transaction, TransactionLine};
pub use update::Update;
pub use waits::{BlockerAnswer, Waits, WaitsAnswer};
pub use watch::Watch;
pub use whoami::{Whoami, WhoamiAnswer};
pub use why::Why;

use crate::operation::AnyOperation;
use crate::session::Method;
use shared::{agent_item, lease_item, resource};

/// All of them, in the order in which a help lists them.
pub static TABLE: &[AnyOperation] = &[
    AnyOperation::of::<SpaceCreate>(),
    AnyOperation::of::<SpaceDescribe>(),
    AnyOperation::of::<SpaceList>(),
    AnyOperation::of::<SpaceShow>(),
    AnyOperation::of::<Grant>(),
    AnyOperation::of::<Revoke>(),
    AnyOperation::of::<Access>(),
    AnyOperation::of::<Whoami>(),
    AnyOperation::of::<SessionList>(),
    AnyOperation::of::<Put>(),
    AnyOperation::of::<Get>(),
    AnyOperation::of::<Update>(),
    AnyOperation::of::<Cost>(),
    AnyOperation::of::<Trace>(),
    AnyOperation::of::<Deprecate>(),
    AnyOperation::of::<Erase>(),
    AnyOperation::of::<Transaction>(),
    AnyOperation::of::<Search>(),
    AnyOperation::of::<Claim>(),
    AnyOperation::of::<Waits>(),
    AnyOperation::of::<LeaseAcquire>(),
    AnyOperation::of::<LeaseRenew>(),
    AnyOperation::of::<LeaseRelease>(),
    AnyOperation::of::<LeaseList>(),
    AnyOperation::of::<LeaseWatch>(),
    AnyOperation::of::<SubscriptionAdd>(),
    AnyOperation::of::<SubscriptionList>(),
    AnyOperation::of::<SubscriptionEdit>(),
    AnyOperation::of::<SubscriptionRemove>(),
    AnyOperation::of::<SubscriptionRead>(),
    AnyOperation::of::<SubscriptionAck>(),
    AnyOperation::of::<History>(),
    AnyOperation::of::<Diff>(),
    AnyOperation::of::<Why>(),
    AnyOperation::of::<Watch>(),
    AnyOperation::of::<Research>(),
    AnyOperation::of::<Spawn>(),
    AnyOperation::of::<AgentList>(),
    AnyOperation::of::<AgentTree>(),
    AnyOperation::of::<AgentShow>(),
    AnyOperation::of::<AgentLog>(),
    AnyOperation::of::<AgentSay>(),
    AnyOperation::of::<AgentStop>(),
    AnyOperation::of::<AgentResume>(),
    AnyOperation::of::<AgentWipe>(),
    AnyOperation::of::<Exec>(),
    AnyOperation::of::<Audit>(),
    AnyOperation::of::<Export>(),
    AnyOperation::of::<Import>(),
    AnyOperation::of::<Backup>(),
    AnyOperation::of::<Status>(),
];

/// Methods of code that no other surface has.
static CODE_ALONE: &[Method] =
    &[read::READ, references::REFERENCES, request_access::REQUEST_ACCESS];

/// Everything that code can call.
pub fn methods() -> impl Iterator<Item = &'static Method> {
    TABLE.iter().flat_map(|it| it.methods).chain(CODE_ALONE)
}

/// The one of that name.
pub fn entry(name: &str) -> Option<&'static AnyOperation> {
    TABLE.iter().find(|it| it.name == name)
}

#[cfg(test)]
mod tests;
