//! The doctor: it needs the directory for itself, so it asks no owner.

use super::screen::{Screen, done};
use serde_json::{Value as Json, json};
use stoa_kernel::failure::StoreError;
use stoa_kernel::kinds;
use stoa_kernel::limits::Config;
use stoa_kernel::problem::{Problem, ProblemKind};
use stoa_kernel::store;

pub(super) fn doctor(
    config: &Config,
    accept_loss: Option<&str>,
    as_json: bool,
) -> Result<(), Problem> {
    let say = |json: Json, text: String| match as_json {
        true => Screen::out().json(&json),
        false => done(text),
    };
    let written = match accept_loss {
        None => {
            let entries = store::rebuild(&config.log, &kinds()).map_err(alone)?;
            let text = format!("everything derived is derived anew from {entries} entries");
            say(json!({"rebuilt_from_entries": entries}), text)
        }
        Some(head) => {
            let loss = store::accept_loss(&config.log, head, &kinds()).map_err(|error| {
                let hint = match &error {
                    store::AcceptError::OtherHead { head, .. } => {
                        format!("stoa doctor --accept-loss {head}")
                    }
                    _ => "stoa audit".to_owned(),
                };
                match error {
                    store::AcceptError::Store(error) => alone(error),
                    error => Problem::new(ProblemKind::Invalid, error).hint(hint),
                }
            })?;
            let (kept, breach) = (loss.kept.to_string(), loss.breach.to_string());
            let removed = loss.removed;
            let text = format!("going on from {kept}; {removed} entries behind it are removed");
            say(json!({"kept": kept, "removed": removed, "breach": breach}), text)
        }
    };
    written.map_err(|error| Problem::new(ProblemKind::Store, error))
}

/// The doctor asks no owner: it needs the directory for itself.
fn alone(error: StoreError) -> Problem {
    match error {
        StoreError::Locked { path, pid: Some(pid) } => {
            let path = path.display();
            let text = format!("process {pid} has {path} open, and the doctor needs it alone");
            Problem::new(ProblemKind::Store, text).hint(format!("kill {pid}"))
        }
        error => error.into(),
    }
}
