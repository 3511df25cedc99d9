//! What a space declares, as far as a search goes by it.

use super::super::Caller;
use crate::problem::Problem;
use std::borrow::Cow;
use stoa_actors::id::SpaceId;
use stoa_actors::search::{CREATED, Index, Query, SearchOrder};
use stoa_actors::space::{Declarations, Refusal};

/// Which names may be asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Names {
    /// In a space that declares, those that it declares or uses.
    Known,
    /// Whatever they are.
    Any,
}

impl Caller {
    /// What a space declares, and the query with what is declared of the keys of its order.
    pub(super) fn in_declared_order<'a>(
        &self,
        space: SpaceId,
        query: &'a Query,
    ) -> Result<(Declarations, Cow<'a, Query>), Problem> {
        let declares = self.declared(space)?;
        let query = match &query.order {
            SearchOrder::By(keys) => {
                let order = SearchOrder::By(declares.order(keys).map_err(Refusal::from)?);
                Cow::Owned(Query { order, ..query.clone() })
            }
            SearchOrder::Oldest | SearchOrder::Newest => Cow::Borrowed(query),
        };
        Ok((declares, query))
    }

    /// Refuses conditions on names that the space neither declares nor uses. What it uses is not told
    /// to who has lost the right to read it meanwhile.
    pub(super) fn names_permitted(
        &self,
        space: SpaceId,
        declares: &Declarations,
        query: &Query,
        index: &Index,
    ) -> Result<(), Problem> {
        let permitted = declares.permit(&query.metadata, &query.references, &index.used());
        permitted.or_else(|no| {
            self.readable(space)?;
            Err(Refusal::from(no).into())
        })
    }
}

/// Whether an update can move what is found: it does not in the order of birth.
pub(super) fn moves(query: &Query) -> bool {
    let said = query.order.keys().iter().any(|it| it.key != CREATED);
    query.text.is_some() || said
}
