//! Making spaces, and how they look to who holds them.

use super::declare::declarable;
use super::{Caller, WriteOptions};
use crate::problem::{Problem, ProblemKind};
use crate::store::Store;
use serde::{Deserialize, Serialize};
use stoa_actors::id::{LinkId, Position, SpaceId};
use stoa_actors::outbox::Outcome;
use stoa_actors::rights::{self, Holding, Level, Named, Subject};
use stoa_actors::space::{self, Declarations};

/// A space as its holder sees it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub struct SpaceCard {
    pub id: SpaceId,
    /// What its holder calls it.
    pub name: Option<String>,
    /// What its holder may do there.
    pub level: Option<Level>,
    /// What its holder may pass on.
    pub delegate: Option<Level>,
    pub description: String,
    /// Entries in its stream.
    pub entries: u64,
    /// Where its last one stands.
    pub head: Position,
    pub subscriptions: u64,
    /// The keys and relations that it declares.
    pub declares: Declarations,
}

impl Caller {
    /// Makes a space, private to the caller, under a name of its own table.
    ///
    /// First the rights make it the caller's, then it says what it is for; after a crash in between
    /// it says so once the directory is open again.
    pub async fn create_space(&self, name: &str, description: &str) -> Result<SpaceId, Problem> {
        self.create_space_declaring(name, description, Declarations::default()).await
    }

    /// The same under a given id: with the same one again it is the same space.
    pub async fn create_space_as(
        &self,
        space: SpaceId,
        name: &str,
        description: &str,
    ) -> Result<(), Problem> {
        self.create_as(space, name, description, Declarations::default()).await
    }

    /// Makes a space with an id of the caller's own, in one change with what it declares.
    ///
    /// Errors: as those of [`Caller::create_space`].
    pub async fn create_as(
        &self,
        space: SpaceId,
        name: &str,
        description: &str,
        declares: Declarations,
    ) -> Result<(), Problem> {
        let shared = self.runtime.shared();
        rights::name_fits(name, &shared.config.limits.rights)?;
        let known = shared.rights.read().called(self.session, name);
        if known == Some(Named::Space(space)) {
            return Ok(());
        }
        if known.is_some() {
            return Err(rights::Refusal::AliasTaken(name.to_owned()).into());
        }
        let max = shared.config.limits.description_bytes_max;
        if description.len() > max {
            let text =
                format!("the description has {} bytes; the limit is {max}", description.len());
            return Err(Problem::new(ProblemKind::Invalid, text).hint("--help"));
        }
        declarable(description, &declares, &shared.config.limits)?;
        let reason = format!("create space {name}");
        let message = rights::Message::CreateSpace {
            space,
            link: LinkId(self.fresh()),
            alias: Some(name.to_owned()),
            reason: reason.clone(),
            description: description.to_owned(),
            declares,
        };
        let ask = self.ask(message, WriteOptions::comment(reason));
        let (_, outcomes) = self.runtime.rights().ask_and_what_follows(ask).await?;
        match outcomes.iter().find_map(Outcome::refused) {
            Some(why) => {
                Err(Problem::new(ProblemKind::Invalid, format!("{name:?} is there: {why}")))
            }
            None => Ok(()),
        }
    }

    /// What a space says it is for.
    pub async fn description(&self, space: SpaceId) -> Result<String, Problem> {
        self.reading(move |caller| caller.described(space)).await
    }

    pub(crate) fn described(&self, space: SpaceId) -> Result<String, Problem> {
        let key = space::Space::description_key(space);
        let text = self.runtime.store().own_row::<space::Space>(&key)?;
        Ok(text.map(|it| String::from_utf8_lossy(&it).into_owned()).unwrap_or_default())
    }

    /// Says what a space is for.
    pub async fn describe(&self, space: SpaceId, description: &str) -> Result<(), Problem> {
        let message = space::Message::Describe(description.to_owned());
        let address = self.runtime.space(space)?;
        address.ask(self.ask(message, WriteOptions::comment("describe the space"))).await?;
        Ok(())
    }

    /// The spaces that the caller holds something on.
    pub async fn spaces(&self) -> Result<Vec<SpaceCard>, Problem> {
        self.reading(|caller| caller.cards(caller.holdings())).await
    }

    /// One space, at the cost of one.
    pub async fn show_space(&self, space: SpaceId) -> Result<SpaceCard, Problem> {
        let held = self.holding(Subject::Space(space));
        let held = held.ok_or_else(|| Problem::no_space(&space.to_string()))?;
        let mut cards = self.reading(|caller| caller.cards(vec![held])).await?;
        cards.pop().ok_or_else(|| Problem::no_space(&space.to_string()))
    }

    fn cards(&self, held: Vec<Holding>) -> Result<Vec<SpaceCard>, Problem> {
        let mut cards = Vec::new();
        for holding in held {
            if let Subject::Space(id) = holding.subject {
                cards.push(self.card(id, holding.alias, holding.use_, holding.delegate)?);
            }
        }
        Ok(cards)
    }

    /// What the caller holds.
    pub fn holdings(&self) -> Vec<Holding> {
        let shared = self.runtime.shared();
        let now = shared.clock.now();
        shared.rights.read().holdings(self.session, now)
    }

    /// What the caller holds on one subject, if anything.
    pub fn holding(&self, subject: Subject) -> Option<Holding> {
        let shared = self.runtime.shared();
        let now = shared.clock.now();
        shared.rights.read().holding(self.session, subject, now)
    }

    fn card(
        &self,
        id: SpaceId,
        name: Option<String>,
        level: Option<Level>,
        delegate: Option<Level>,
    ) -> Result<SpaceCard, Problem> {
        let store: &Store = self.runtime.store();
        let state = crate::host::load::<space::Space>(store, id.stream())?;
        let entries = store.last_seq(id.stream())?;
        let head = store.position_of(id.stream(), entries)?.unwrap_or_default();
        Ok(SpaceCard {
            id,
            name,
            level,
            delegate,
            description: state.state().description().to_owned(),
            entries,
            head,
            subscriptions: state.state().subscriptions().count() as u64,
            declares: state.state().declares().clone(),
        })
    }
}
