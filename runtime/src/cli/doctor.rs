//! The doctor: it needs the directory for itself, so it asks no owner.

use std::io::Write;
use stoa_runtime::config::Config;
use stoa_runtime::failure::StoreError;
use stoa_runtime::problem::{Kind, Problem};
use stoa_runtime::runtime::kinds;
use stoa_runtime::store;

pub(super) fn doctor(
    config: &Config,
    accept_loss: Option<&str>,
    as_json: bool,
) -> Result<(), Problem> {
    let mut to = anstream::stdout().lock();
    let written = match accept_loss {
        None => {
            let entries = store::rebuild(config, &kinds()).map_err(alone)?;
            if as_json {
                writeln!(to, "{}", serde_json::json!({"rebuilt_from_entries": entries}))
            } else {
                writeln!(to, "everything derived is derived anew from {entries} entries")
            }
        }
        Some(head) => {
            let loss = store::accept_loss(config, head, &kinds()).map_err(|error| {
                let hint = match &error {
                    store::AcceptError::OtherHead { head, .. } => {
                        format!("stoa doctor --accept-loss {head}")
                    }
                    _ => "stoa audit".to_owned(),
                };
                match error {
                    store::AcceptError::Store(error) => alone(error),
                    error => Problem::new(Kind::Invalid, error).hint(hint),
                }
            })?;
            if as_json {
                let (kept, breach) = (loss.kept.to_string(), loss.breach.to_string());
                let removed = loss.removed;
                writeln!(
                    to,
                    "{}",
                    serde_json::json!({"kept": kept, "removed": removed, "breach": breach})
                )
            } else {
                writeln!(
                    to,
                    "going on from {}; {} entries behind it are removed",
                    loss.kept, loss.removed
                )
            }
        }
    };
    written.map_err(|error| Problem::new(Kind::Store, error))
}

/// The doctor asks no owner: it needs the directory for itself.
fn alone(error: StoreError) -> Problem {
    match error {
        StoreError::Locked { path, pid: Some(pid) } => {
            let path = path.display();
            let text = format!("process {pid} has {path} open, and the doctor needs it alone");
            Problem::new(Kind::Store, text).hint(format!("kill {pid}"))
        }
        error => error.into(),
    }
}
