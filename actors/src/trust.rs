//! Whether a directory and the settings that came with it count on this machine.
//!
//! A data directory can come from anywhere: a clone, an archive, a shared disk. What it says must
//! not make this machine send keys, call servers or run commands before its owner agrees. The owner
//! agrees by a [`Record`], which is kept outside the directory. This module compares a record with
//! what is there now; the host reads and writes the files.

use crate::log::Hash;
use crate::rights::Subject;
use std::collections::BTreeMap;

/// The model that needs no network; an agent thinks by it without a right.
pub const BUILT_IN_MODEL: &str = "recipe";

/// A number that a directory gets when its owner trusts it; another directory at the same path has
/// another number, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DirectoryId(pub [u8; 16]);

/// What the owner of a directory has agreed to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The hash of the directory's canonical path.
    pub path: Hash,
    /// The user that owned the directory.
    pub owner: u32,
    /// The directory's number.
    pub directory: DirectoryId,
    /// The hash of each section of its settings.
    pub sections: BTreeMap<String, Hash>,
}

/// What is there now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Presence {
    /// The hash of the directory's canonical path.
    pub path: Hash,
    /// The user that owns the directory.
    pub owner: u32,
    /// The directory's number; none before it was trusted anywhere.
    pub directory: Option<DirectoryId>,
    /// The hash of each section of its settings.
    pub sections: BTreeMap<String, Hash>,
}

/// Why something is not trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Distrust {
    /// No record of this path.
    #[error("nobody has trusted this directory on this machine")]
    Never,
    /// The directory belonged to another user when it was trusted.
    #[error("it belonged to another user when it was trusted")]
    OtherOwner,
    /// Another directory stood at this path when it was trusted.
    #[error("another directory was at this path when it was trusted")]
    OtherDirectory,
    /// The section was not there when the directory was trusted.
    #[error("it was added after the directory was trusted")]
    Added,
    /// The section read differently when the directory was trusted.
    #[error("it has changed since the directory was trusted")]
    Changed,
}

/// What of a directory is trusted. The default trusts nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    directory: Result<(), Distrust>,
    sections: BTreeMap<String, Result<(), Distrust>>,
}

impl Default for Verdict {
    fn default() -> Self {
        Verdict { directory: Err(Distrust::Never), sections: BTreeMap::new() }
    }
}

impl Verdict {
    /// Compares a record with what is there now.
    pub fn of(record: Option<&Record>, seen: &Presence) -> Verdict {
        let directory = match record {
            None => Err(Distrust::Never),
            Some(record) if record.path != seen.path => Err(Distrust::Never),
            Some(record) if record.owner != seen.owner => Err(Distrust::OtherOwner),
            Some(record) if Some(record.directory) != seen.directory => {
                Err(Distrust::OtherDirectory)
            }
            Some(_) => Ok(()),
        };
        let section = |(name, hash): (&String, &Hash)| {
            let agreed = record.and_then(|record| record.sections.get(name));
            let trusted = directory.and_then(|()| match agreed {
                None => Err(Distrust::Added),
                Some(agreed) if agreed != hash => Err(Distrust::Changed),
                Some(_) => Ok(()),
            });
            (name.clone(), trusted)
        };
        let sections = seen.sections.iter().map(section).collect();
        Verdict { directory, sections }
    }

    /// Whether the directory is trusted, whatever its settings say.
    pub fn directory(&self) -> Result<(), Distrust> {
        self.directory
    }

    /// Whether a section of its settings counts. A section that was not looked at does not.
    pub fn section(&self, name: &str) -> Result<(), Distrust> {
        self.sections.get(name).copied().unwrap_or(Err(Distrust::Added))
    }

    /// The sections that do not count, and why.
    pub fn refused(&self) -> impl Iterator<Item = (&str, Distrust)> {
        self.sections.iter().filter_map(|(name, it)| Some((name.as_str(), it.err()?)))
    }

    /// How much of what the log grants takes effect on this machine.
    pub fn grants(&self) -> HostGrants {
        if self.directory.is_ok() { HostGrants::Live } else { HostGrants::Inert }
    }
}

/// How much of what a log grants on its host takes effect.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HostGrants {
    /// Only what stays inside the directory.
    #[default]
    Inert,
    /// All of it.
    Live,
}

impl HostGrants {
    /// Whether a right that the log holds takes effect on this machine. Rights on spaces and the
    /// model that needs no network always do; tools, secrets and other models need trust.
    pub fn cover(self, subject: &Subject) -> bool {
        match subject {
            Subject::Space(_) => true,
            Subject::Model(name) => self == HostGrants::Live || name == BUILT_IN_MODEL,
            Subject::Tool(_) | Subject::Secret(_) => self == HostGrants::Live,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::SpaceId;

    fn hash(text: &str) -> Hash {
        Hash::of(text.as_bytes())
    }

    fn record() -> Record {
        Record {
            path: hash("/a"),
            owner: 1,
            directory: DirectoryId([1; 16]),
            sections: [("embedder".to_owned(), hash("x"))].into(),
        }
    }

    fn seen() -> Presence {
        let Record { path, owner, directory, sections } = record();
        Presence { path, owner, directory: Some(directory), sections }
    }

    /// Each change alone takes the trust away, and is named.
    #[test]
    fn a_record_covers_exactly_what_was_seen() {
        let verdict = |seen: &Presence| {
            let verdict = Verdict::of(Some(&record()), seen);
            (verdict.directory(), verdict.section("embedder"))
        };
        assert_eq!(verdict(&seen()), (Ok(()), Ok(())));
        let all = |why| (Err(why), Err(why));
        let path = Presence { path: hash("/b"), ..seen() };
        assert_eq!(verdict(&path), all(Distrust::Never));
        assert_eq!(verdict(&Presence { owner: 2, ..seen() }), all(Distrust::OtherOwner));
        for directory in [None, Some(DirectoryId([2; 16]))] {
            assert_eq!(verdict(&Presence { directory, ..seen() }), all(Distrust::OtherDirectory));
        }
        let sections = [("embedder".to_owned(), hash("y"))].into();
        let changed = Presence { sections, ..seen() };
        assert_eq!(verdict(&changed), (Ok(()), Err(Distrust::Changed)));
        let sections = [("models".to_owned(), hash("x"))].into();
        let added = Verdict::of(Some(&record()), &Presence { sections, ..seen() });
        assert_eq!(added.refused().collect::<Vec<_>>(), [("models", Distrust::Added)]);
        assert_eq!(added.section("tools"), Err(Distrust::Added), "it was not looked at");
    }

    #[test]
    fn without_a_record_nothing_counts() {
        let verdict = Verdict::of(None, &seen());
        assert_eq!(verdict.directory(), Err(Distrust::Never));
        assert_eq!(verdict.section("embedder"), Err(Distrust::Never));
        assert_eq!(verdict.grants(), HostGrants::Inert);
        assert_eq!(Verdict::default().grants(), HostGrants::Inert);
    }

    #[test]
    fn what_leaves_the_directory_needs_trust() {
        let model = |name: &str| Subject::Model(name.to_owned());
        let outside = [model("claude"), Subject::Tool("web".into()), Subject::Secret("key".into())];
        for subject in &outside {
            assert!(!HostGrants::Inert.cover(subject) && HostGrants::Live.cover(subject));
        }
        for subject in [Subject::Space(SpaceId([1; 16])), model(BUILT_IN_MODEL)] {
            assert!(HostGrants::Inert.cover(&subject));
        }
    }
}
