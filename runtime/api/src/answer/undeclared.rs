//! What was written that does not go with what its space declares.

use crate::caller::Caller;
use crate::operation::{Line, Page, Tone};
use crate::problem::Problem;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use stoa_actors::atom::Metadata;
use stoa_actors::id::SpaceId;

/// A key or a relation that was written and that the space does not declare so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UndeclaredAnswer {
    /// The key or the relation.
    pub name: String,
    /// The declared one that may have been meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nearest: Option<String>,
    /// What does not go with the declarations, in words.
    pub note: String,
}

impl UndeclaredAnswer {
    /// Of what is to be written, metadata and relations of each change, once for each slip; nothing
    /// in a space that declares nothing.
    pub(crate) async fn of(
        caller: &Caller,
        space: SpaceId,
        mut written: Vec<(Metadata, Vec<String>)>,
    ) -> Result<Vec<UndeclaredAnswer>, Problem> {
        written.retain(|(metadata, relations)| !metadata.is_empty() || !relations.is_empty());
        if written.is_empty() {
            return Ok(Vec::new());
        }
        let declares = caller.declares(space).await?;
        let (mut told, mut all) = (BTreeSet::new(), Vec::new());
        for (metadata, relations) in &written {
            for it in declares.strays(metadata, relations.iter().map(String::as_str)) {
                let note = it.to_string();
                if told.insert(note.clone()) {
                    let nearest = it.nearest().map(str::to_owned);
                    all.push(UndeclaredAnswer { name: it.name().to_owned(), nearest, note });
                }
            }
        }
        Ok(all)
    }

    /// For people, beside the answer.
    pub(crate) fn show(&self, to: &mut Page) {
        to.aside(Line::new().piece(Tone::Warn, "note: ").plain(&self.note));
    }
}
