//! What a space declares: saying it, and reading it.

use super::{Caller, WriteOptions};
use crate::failure::StoreError;
use crate::problem::Problem;
use stoa_actors::id::SpaceId;
use stoa_actors::limits::Limits;
use stoa_actors::space::{self, Declarations};

impl Caller {
    /// Makes a space as [`Caller::create_space`] does, that declares from its first moment what it is
    /// told to and what the front matter of its description says. Errors: [`Kind::Invalid`](crate::problem::ProblemKind::Invalid) for what cannot be declared; nothing
    /// is made then.
    pub async fn create_space_declaring(
        &self,
        name: &str,
        description: &str,
        declares: Declarations,
    ) -> Result<SpaceId, Problem> {
        let space = SpaceId(self.fresh());
        self.create_as(space, name, description, declares).await?;
        Ok(space)
    }

    /// Says what a space declares, in place of all that it has declared;
    /// [`Caller::declare_more`] adds to it. Errors: [`Kind::Invalid`](crate::problem::ProblemKind::Invalid) for what cannot be declared.
    pub async fn declare(&self, space: SpaceId, declares: Declarations) -> Result<(), Problem> {
        let message = space::Message::Declare { description: None, declares };
        let address = self.runtime.space(space)?;
        address.ask(self.ask(message, WriteOptions::comment("declare keys and relations"))).await?;
        Ok(())
    }

    /// Says what a space declares besides what it declares already: whoever adds to it at the same
    /// time takes nothing away. Errors: [`Kind::Invalid`](crate::problem::ProblemKind::Invalid) for what
    /// cannot be declared.
    pub async fn declare_more(&self, space: SpaceId, more: Declarations) -> Result<(), Problem> {
        let address = self.runtime.space(space)?;
        let message = space::Message::DeclareMore(more);
        address.ask(self.ask(message, WriteOptions::comment("declare keys and relations"))).await?;
        Ok(())
    }

    /// Says what a space is for and what it declares, as one change; what the front matter of the
    /// description declares is declared as well.
    pub async fn describe_declaring(
        &self,
        space: SpaceId,
        description: &str,
        declares: Declarations,
    ) -> Result<(), Problem> {
        let description = Some(description.to_owned());
        let message = space::Message::Declare { description, declares };
        let address = self.runtime.space(space)?;
        address.ask(self.ask(message, WriteOptions::comment("describe the space"))).await?;
        Ok(())
    }

    /// What a space declares. Errors: [`Kind::Unknown`](crate::problem::ProblemKind::Unknown) when the caller cannot read it.
    pub async fn declares(&self, space: SpaceId) -> Result<Declarations, Problem> {
        let declares = self.reading(move |caller| caller.declared(space)).await?;
        self.level(space).ok_or_else(|| Problem::no_space(&space.to_string()))?;
        Ok(declares)
    }

    /// The same on a thread that may wait, whoever asks.
    pub(crate) fn declared(&self, space: SpaceId) -> Result<Declarations, Problem> {
        let key = space::Space::declares_key(space);
        let row = self.runtime.store().own_row::<space::Space>(&key)?;
        let read = |row: Vec<u8>| space::Space::read_declares(&row);
        Ok(row.map(read).transpose().map_err(StoreError::from)?.unwrap_or_default())
    }
}

/// Refuses what a space that is to be made cannot declare.
pub(super) fn declarable(
    description: &str,
    declares: &Declarations,
    limits: &Limits,
) -> Result<(), space::Refusal> {
    let mut all = Declarations::of(description)?.unwrap_or_default();
    all.extend(declares.clone());
    all.permitted(limits)
}
