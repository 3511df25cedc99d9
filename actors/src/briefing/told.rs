//! What has to be told, from what was told and what holds.
//!
//! The first briefing after a birth or a compaction tells everything. Each later one tells what has
//! changed since: it is added behind what stands, and nothing before it becomes another.

use super::Obligation;
use crate::id::{AtomId, SpaceId};
use crate::log::Hash;
use crate::rights::Level;
use crate::space::Wake;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// One version of an atom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AtomVersion {
    /// Of which atom.
    pub id: AtomId,
    /// Which of its versions.
    pub version: u64,
}

/// A space as a model is told of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpaceBrief {
    /// What the agent calls it.
    pub alias: String,
    /// What it may do there.
    pub level: Level,
    /// What the space says that it is for; nothing where that was told and is the same.
    pub description: Option<String>,
}

/// A tool as a model is told of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ToolBrief {
    /// What it is called.
    pub name: String,
    /// What it says of itself: its signature and what it does.
    pub about: String,
}

/// What holds for an agent at a moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Surroundings {
    /// Its instructions, the oldest first.
    pub instructions: Vec<AtomVersion>,
    /// The spaces that it is told of, each with its description.
    pub spaces: BTreeMap<SpaceId, SpaceBrief>,
    /// Whether it may use more spaces than these.
    pub more_spaces: bool,
    /// Spaces that it may read still, and is not told of any more.
    pub unlisted: BTreeSet<SpaceId>,
    /// The tools that it may use, with what each says of itself.
    pub tools: BTreeMap<String, String>,
}

/// What an agent was told of what holds for it: of texts a digest.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sight {
    instructions: Vec<(AtomId, u64)>,
    spaces: BTreeMap<SpaceId, (String, Level, u64)>,
    tools: BTreeMap<String, u64>,
}

/// What is told of it at a step.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Briefing {
    /// Everything is told; otherwise what has changed.
    pub front: bool,
    /// Of the words that stand first in every window of this build, at a front: to know whether those
    /// of another build are other ones.
    pub words: u64,
    /// Bytes that the window holds, at a front; 0 where it is not known.
    pub window_bytes: u64,
    /// Whether the model acts by calls of a tool, at a front.
    pub by_calls: bool,
    /// Instructions that are new, or another version of what was told.
    pub instructions: Vec<AtomVersion>,
    /// Instructions that hold no more, as they were told.
    pub withdrawn: Vec<AtomVersion>,
    /// Spaces that are new, or of which something is different.
    pub spaces: Vec<(SpaceId, SpaceBrief)>,
    /// Spaces that it may not read any more.
    pub lost: Vec<SpaceId>,
    /// There are more spaces than it is told of.
    pub more_spaces: bool,
    /// Tools that are new, or that say something else.
    pub tools: Vec<ToolBrief>,
    /// Tools that it may not use any more, by name.
    pub tools_lost: Vec<String>,
    /// What was said to it since its turn began that it is to see before that is over.
    pub said: Vec<Wake>,
    /// What was said to it, of which its wake has the first line alone.
    pub heard: Vec<AtomVersion>,
    /// What was found for this turn in the spaces that are searched for it.
    pub found: Vec<AtomVersion>,
    /// What it owes and is owed, at a front.
    pub obligations: Vec<Obligation>,
}

impl Briefing {
    /// All that holds.
    pub fn front(now: &Surroundings) -> Briefing {
        Briefing { front: true, more_spaces: now.more_spaces, ..Sight::default().until(now) }
    }

    /// What has to be told to one who was told so much; nothing where that is everything.
    pub fn after(told: Option<&Sight>, now: &Surroundings) -> Briefing {
        match told {
            Some(told) => told.until(now),
            None => Briefing::front(now),
        }
    }

    /// Whether there is nothing to tell.
    pub fn is_empty(&self) -> bool {
        *self == Briefing::default()
    }

    /// Of it, what was said to the agent, in the first lines.
    pub fn words(&self) -> Briefing {
        Briefing { said: self.said.clone(), ..Briefing::default() }
    }

    /// The atoms that are told of.
    pub fn atoms(&self) -> impl Iterator<Item = AtomVersion> {
        let told = self.instructions.iter().chain(&self.withdrawn);
        let told = told.chain(&self.heard).chain(&self.found).copied();
        told.chain(self.obligations.iter().filter_map(Obligation::atom))
    }
}

/// Of a text, to know whether it is another.
pub(crate) fn mark(text: &str) -> u64 {
    let Hash(bytes) = Hash::of(text.as_bytes());
    bytes.iter().take(8).fold(0, |mark, byte| mark << 8 | u64::from(*byte))
}

impl Sight {
    /// The spaces that it was told of.
    pub fn spaces(&self) -> impl Iterator<Item = SpaceId> {
        self.spaces.keys().copied()
    }

    /// What has to be told to one who knows this, so that it knows what holds now.
    pub fn until(&self, now: &Surroundings) -> Briefing {
        let told: BTreeMap<AtomId, u64> = self.instructions.iter().copied().collect();
        let there: BTreeSet<AtomId> = now.instructions.iter().map(|it| it.id).collect();
        let new = |it: &&AtomVersion| told.get(&it.id) != Some(&it.version);
        let gone = self.instructions.iter().filter(|(id, _)| !there.contains(id));
        let spaces = now.spaces.iter().filter_map(|(id, brief)| {
            let description = brief.description.as_deref().unwrap_or_default();
            let as_told = self.spaces.get(id);
            let same_text = as_told.is_some_and(|it| it.2 == mark(description));
            let same = as_told.is_some_and(|it| it.0 == brief.alias && it.1 == brief.level);
            let description = (!same_text).then(|| description.to_owned());
            (!same || !same_text).then(|| (*id, SpaceBrief { description, ..brief.clone() }))
        });
        let tools =
            now.tools.iter().filter(|(name, about)| self.tools.get(*name) != Some(&mark(about)));
        let tool = |(name, about): (&String, &String)| ToolBrief {
            name: name.clone(),
            about: about.clone(),
        };
        let there = |it: &&SpaceId| now.spaces.contains_key(it) || now.unlisted.contains(it);
        let lost = self.spaces.keys().filter(|it| !there(it));
        let tools_lost = self.tools.keys().filter(|it| !now.tools.contains_key(*it));
        Briefing {
            instructions: now.instructions.iter().filter(new).copied().collect(),
            withdrawn: gone
                .map(|(id, version)| AtomVersion { id: *id, version: *version })
                .collect(),
            spaces: spaces.collect(),
            lost: lost.copied().collect(),
            tools: tools.map(tool).collect(),
            tools_lost: tools_lost.cloned().collect(),
            ..Briefing::default()
        }
    }

    /// It is told.
    pub fn take(&mut self, briefing: &Briefing) {
        if briefing.front {
            *self = Sight::default();
        }
        for it in briefing.withdrawn.iter().chain(&briefing.instructions) {
            self.instructions.retain(|(id, _)| *id != it.id);
        }
        self.instructions.extend(briefing.instructions.iter().map(|it| (it.id, it.version)));
        for space in &briefing.lost {
            self.spaces.remove(space);
        }
        for (id, brief) in &briefing.spaces {
            let text = match (&brief.description, self.spaces.get(id)) {
                (None, Some(told)) => told.2,
                (description, _) => mark(description.as_deref().unwrap_or_default()),
            };
            self.spaces.insert(*id, (brief.alias.clone(), brief.level, text));
        }
        self.tools.retain(|it, _| !briefing.tools_lost.contains(it));
        self.tools.extend(briefing.tools.iter().map(|it| (it.name.clone(), mark(&it.about))));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn version() -> impl Strategy<Value = AtomVersion> {
        (0..6u8, 1..4u64).prop_map(|(id, version)| AtomVersion { id: AtomId([id; 16]), version })
    }

    fn space() -> impl Strategy<Value = SpaceBrief> {
        (0..3u8, prop::sample::select(&Level::ALL[..]), 0..3u64).prop_map(
            |(alias, level, description)| {
                let (alias, description) = (format!("s{alias}"), Some(format!("d{description}")));
                SpaceBrief { alias, level, description }
            },
        )
    }

    fn surroundings() -> impl Strategy<Value = Surroundings> {
        let versions = prop::collection::vec(version(), 0..6);
        let ids = (0..5u8).prop_map(|it| SpaceId([it; 16]));
        let spaces = prop::collection::btree_map(ids, space(), 0..5);
        let tool =
            (0..5u8, 0..3u8).prop_map(|(name, about)| (format!("t{name}"), format!("{about}")));
        let tools = prop::collection::vec(tool, 0..5);
        (versions, spaces, tools, any::<bool>()).prop_map(
            |(mut instructions, spaces, tools, more_spaces)| {
                // An atom is there in one version.
                instructions.sort();
                instructions.dedup_by_key(|it| it.id);
                let tools = tools.into_iter().collect();
                let unlisted = BTreeSet::new();
                Surroundings { instructions, spaces, more_spaces, unlisted, tools }
            },
        )
    }

    /// Without the order in which it was told.
    fn known(of: &Sight) -> Sight {
        let mut of = of.clone();
        of.instructions.sort();
        of
    }

    fn sight(of: &Surroundings) -> Sight {
        let mut sight = Sight::default();
        sight.take(&Briefing::front(of));
        sight
    }

    #[test]
    fn a_space_that_is_not_listed_any_more_is_not_told_as_lost() {
        let brief = SpaceBrief { alias: "s".into(), level: Level::Read, description: None };
        let (one, other) = (SpaceId([1; 16]), SpaceId([2; 16]));
        let spaces = BTreeMap::from([(one, brief.clone()), (other, brief)]);
        let mut told = sight(&Surroundings { spaces, ..Surroundings::default() });
        let now = Surroundings { unlisted: [one].into(), ..Surroundings::default() };
        let briefing = told.until(&now);
        assert_eq!(briefing.lost, [other]);
        told.take(&briefing);
        assert!(told.until(&now).is_empty());
        assert_eq!(told.until(&Surroundings::default()).lost, [one]);
    }

    proptest! {
        /// Whoever was told every difference knows what holds, whatever came between, and is told nothing
        /// twice.
        #[test]
        fn who_was_told_every_difference_knows_what_holds(
            all in prop::collection::vec(surroundings(), 1..8),
        ) {
            let mut told = Sight::default();
            for (at, now) in all.iter().enumerate() {
                let briefing = if at == 0 { Briefing::front(now) } else { told.until(now) };
                for tool in &briefing.tools {
                    prop_assert!(told.tools.get(&tool.name) != Some(&mark(&tool.about)));
                }
                for (id, brief) in &briefing.spaces {
                    let before = told.spaces.get(id);
                    prop_assert!(brief.description.is_some() || before.is_some());
                    let text = now.spaces[id].description.as_deref().unwrap_or_default();
                    let again = brief.description.is_some() && before.is_some_and(|it| it.2 == mark(text));
                    prop_assert!(!again, "a description is told twice");
                }
                told.take(&briefing);
                prop_assert_eq!(known(&told), known(&sight(now)));
                prop_assert!(told.until(now).is_empty());
            }
        }
    }
}
