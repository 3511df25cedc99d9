//! What holds for an agent now: its instructions, the spaces at hand, its tools.

use super::told;
use crate::caller::{Caller, Found};
use crate::model::Card;
use crate::problem::Problem;
use crate::runtime::Runtime;
use crate::session::{Methods, On, SpaceGrant, near};
use std::collections::BTreeMap;
use std::sync::Arc;
use stoa_actors::atom::Content;
use stoa_actors::briefing::{AtomVersion, Sight, SpaceBrief, Surroundings};
use stoa_actors::id::{SessionId, SpaceId};
use stoa_actors::rights::Subject;
use stoa_actors::search::{Query, SearchOrder};

/// Spaces that a model is told of without asking.
const BRIEFED_SPACES_MAX: usize = 32;

/// Bytes of what a space says of itself that a model is told without asking.
const DESCRIPTION_BYTES_MAX: usize = 16 << 10;

/// An atom that says how to behave.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Instruction {
    /// Which version of which atom.
    pub(super) of: AtomVersion,
    /// What it says.
    pub(super) text: Arc<str>,
}

/// What was read.
pub(super) struct Around {
    pub(super) instructions: Arc<[Instruction]>,
    pub(super) spaces: Vec<Card>,
    pub(super) more_spaces: bool,
    /// Each with what it says of itself.
    pub(super) tools: Vec<(String, String)>,
}

impl Around {
    /// All of it, if nothing has to be read for it.
    pub(super) fn known(
        of: &Caller,
        instructed: Option<SpaceId>,
        nearest: &[SpaceId],
    ) -> Option<Around> {
        let (told, store) = (&of.runtime.agents().told, of.runtime.store());
        let instructions = match instructed {
            Some(space) => {
                of.level(space)?;
                told.instructions(store, space)?
            }
            None => Arc::default(),
        };
        let description = |space| told.description(store, space).ok_or(());
        let (spaces, more_spaces) = cards(of, nearest, description).ok()?;
        let tools = tools(&of.runtime, of.session());
        Some(Around { instructions, spaces, more_spaces, tools })
    }

    /// The same, read; on a thread that may wait.
    pub(super) fn read(
        of: &Caller,
        instructed: Option<SpaceId>,
        nearest: &[SpaceId],
    ) -> Result<Around, Problem> {
        let instructions = instructed.map(|it| told::instructed(of, it)).transpose()?;
        let instructions = instructions.unwrap_or_default();
        let (spaces, more_spaces) = cards(of, nearest, |it| told::described(of, it))?;
        let tools = tools(&of.runtime, of.session());
        Ok(Around { instructions, spaces, more_spaces, tools })
    }

    /// As a model is told of it; `nearest` come first where there are more spaces than it is told of.
    pub(super) fn told(
        &self,
        of: &Caller,
        nearest: &[SpaceId],
        told: Option<&Sight>,
    ) -> Surroundings {
        let first = |it: &&Card| nearest.iter().position(|near| *near == it.id);
        let mut spaces: Vec<&Card> = self.spaces.iter().collect();
        spaces.sort_by_key(|it| first(it).unwrap_or(usize::MAX));
        let brief = |it: &Card| {
            let (alias, level) = (it.alias.clone(), it.level);
            (it.id, SpaceBrief { alias, level, description: Some(described(&it.description)) })
        };
        let more_spaces = self.more_spaces || spaces.len() > BRIEFED_SPACES_MAX;
        let spaces: BTreeMap<SpaceId, SpaceBrief> =
            spaces.into_iter().take(BRIEFED_SPACES_MAX).map(brief).collect();
        let others = told.into_iter().flat_map(|it| it.spaces());
        let others = others.filter(|it| !spaces.contains_key(it) && of.level(*it).is_some());
        Surroundings {
            instructions: self.instructions.iter().map(|it| it.of).collect(),
            more_spaces,
            unlisted: others.collect(),
            spaces,
            tools: self.tools.iter().cloned().collect(),
        }
    }
}

fn described(text: &str) -> String {
    match text.len() <= DESCRIPTION_BYTES_MAX {
        true => text.to_owned(),
        false => {
            let most = text.floor_char_boundary(DESCRIPTION_BYTES_MAX);
            format!("{}\n(it says more; this is the beginning)", &text[..most])
        }
    }
}

/// What code can call, a signature a line: of a space, then of `coordinator`.
pub(super) fn reference(runtime: &Runtime) -> Arc<str> {
    runtime.agents().told.reference(|| {
        let methods = Methods::of(runtime);
        let of = |on: On, name: &str| {
            let of_it = methods.iter().filter(move |it| it.on == on);
            of_it.map(move |it| format!("{name}.{}\n", it.signature())).collect::<String>()
        };
        of(On::Space, "space") + &of(On::Coordinator, "coordinator")
    })
}

/// What the tools say of themselves that the session may use.
fn tools(runtime: &Runtime, session: SessionId) -> Vec<(String, String)> {
    let names: Vec<String> = {
        let (shared, rights) = (runtime.shared(), runtime.shared().rights.read());
        let held = rights.tools_held(session, shared.clock.now());
        let used = held.filter_map(|it| match (it.subject, it.use_) {
            (Subject::Tool(name), Some(_)) => Some(name),
            _ => None,
        });
        used.collect()
    };
    let tools = &runtime.shared().config.tools;
    let about = |name: String| match tools.get(&name) {
        Some(tool) => (name, tool.about().to_owned()),
        None => {
            let about = format!("{name}: it is not there now");
            (name, about)
        }
    };
    names.into_iter().map(about).collect()
}

/// What its instructions say, in the order in which they were given.
pub(super) fn instructions(of: &Caller, space: SpaceId) -> Result<Vec<Instruction>, Problem> {
    let limit = of.runtime.shared().config.limits.session.instructions_max;
    let query = Query { order: SearchOrder::Oldest, limit, ..Query::default() };
    let found = of.found_now(space, &query).map_err(|problem| Problem {
        text: format!("its instructions cannot be read: {problem}"),
        ..problem
    })?;
    let text = |it: &Found| match &it.read.atom.content {
        Content::Text(text) => {
            let of = AtomVersion { id: it.read.atom.id, version: it.read.atom.version };
            Some(Instruction { of, text: text.as_str().into() })
        }
        _ => None,
    };
    Ok(found.iter().filter_map(text).collect())
}

/// The spaces that a session holds, with what each says it is for: the nearest first, then others up
/// to the limit; and whether there are more.
fn cards<E>(
    of: &Caller,
    nearest: &[SpaceId],
    describe: impl Fn(SpaceId) -> Result<Arc<str>, E>,
) -> Result<(Vec<Card>, bool), E> {
    let (held, more) = near(of, of.session(), nearest);
    let mut cards = Vec::with_capacity(held.len());
    for SpaceGrant { alias, space, level, .. } in held {
        let description = describe(space)?.to_string();
        cards.push(Card { alias, id: space, level, description });
    }
    cards.sort_by(|one, other| one.alias.cmp(&other.alias));
    Ok((cards, more))
}
