//! What was written that does not go with what its space declares.

use crate::caller::Caller;
use crate::operation::{Line, Page, Tone};
use crate::problem::Problem;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
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
    /// Of what is to be written; nothing in a space that declares nothing.
    pub(crate) async fn of(
        caller: &Caller,
        space: SpaceId,
        metadata: Metadata,
        relations: Vec<String>,
    ) -> Result<Vec<UndeclaredAnswer>, Problem> {
        if metadata.is_empty() && relations.is_empty() {
            return Ok(Vec::new());
        }
        let declares = caller.declares(space).await?;
        let strays = declares.strays(&metadata, relations.iter().map(String::as_str));
        let answer = |it: &stoa_actors::space::Stray| UndeclaredAnswer {
            name: it.name().to_owned(),
            nearest: it.nearest().map(str::to_owned),
            note: it.to_string(),
        };
        Ok(strays.iter().map(answer).collect())
    }

    /// For people, beside the answer.
    pub(crate) fn show(&self, to: &mut Page) {
        to.aside(Line::new().piece(Tone::Warn, "note: ").plain(&self.note));
    }
}
