//! What several operations make of their requests.

use super::Targets;
use crate::caller::{Caller, WriteOptions};
use crate::problem::{Problem, ProblemKind};
use std::collections::BTreeMap;
use stoa_actors::id::AtomId;
use stoa_actors::space::Expect;

/// What a change is for, and the key that makes it harmless to ask again.
pub(crate) fn why(
    comment: Option<String>,
    key: Option<String>,
    otherwise: impl FnOnce() -> String,
) -> Result<WriteOptions, Problem> {
    if key.as_deref() == Some("") {
        let problem = Problem::new(ProblemKind::Invalid, "an idempotency key cannot be empty");
        return Err(problem.hint("--key NAME"));
    }
    Ok(WriteOptions { comment: comment.unwrap_or_else(otherwise), key, ..WriteOptions::default() })
}

/// The version that a change is based on.
pub(crate) fn base(id: AtomId, if_version: Option<u64>, force: bool) -> Result<Expect, Problem> {
    match (if_version, force) {
        (Some(_), true) => {
            let text = "a change is based on a version, or on whatever there is: not on both";
            Err(Problem::new(ProblemKind::Invalid, text).hint(format!("stoa get {id}")))
        }
        (Some(version), _) => Ok(Expect::Version(version)),
        (None, true) => Ok(Expect::Any),
        (None, false) => {
            let text = "the version is missing: give --if-version N with the version you have \
                        read, or --force";
            Err(Problem::new(ProblemKind::Invalid, text).hint(format!("stoa get {id}")))
        }
    }
}

/// References by the ids of their atoms.
pub(crate) async fn targets(
    caller: &Caller,
    targets: Targets,
) -> Result<BTreeMap<String, Vec<AtomId>>, Problem> {
    let mut out = BTreeMap::new();
    for (relation, texts) in targets.0 {
        let mut ids = Vec::with_capacity(texts.len());
        for text in &texts {
            ids.push(caller.atom_id(text).await?);
        }
        out.insert(relation, ids);
    }
    Ok(out)
}
