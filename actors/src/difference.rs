//! What two versions of an atom differ in.

use crate::atom::{Atom, Content, Reference};
use crate::id::{AtomId, Millis, SessionId};
use crate::value::Value;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What is not named is the same in both. Its embedding is no part of what an atom says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Difference {
    /// Of which atom.
    pub id: AtomId,
    /// The one version.
    pub from: ComparedVersion,
    /// The other; it may be the older one.
    pub to: ComparedVersion,
    /// The payload in both.
    pub content: Option<(Content, Content)>,
    /// The annotation in both.
    pub annotation: Option<(String, String)>,
    /// By key, the value in both; nothing where there is no such key.
    pub metadata: BTreeMap<String, (Option<Value>, Option<Value>)>,
    /// The references that the second has and the first has not, in its order.
    pub added: Vec<Reference>,
    /// The references that the first has and the second has not, in its order.
    pub dropped: Vec<Reference>,
    /// Whether it is out of use, in both, and what to read instead.
    pub deprecated: Option<(InUse, InUse)>,
    /// How often it was claimed by claims that count, in both.
    pub attempts: Option<(u64, u64)>,
}

/// Which version, and whose.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub struct ComparedVersion {
    pub version: u64,
    /// Who wrote it.
    pub author: SessionId,
    pub at: Millis,
}

/// Whether an atom is in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub enum InUse {
    Yes,
    /// It is not; perhaps another one is, in its place.
    No(Option<AtomId>),
}

impl Difference {
    /// From one version to another of the same atom.
    pub fn between(before: &Atom, after: &Atom) -> Difference {
        let edition = |it: &Atom| {
            let Atom { version, author, at, .. } = it;
            ComparedVersion { version: *version, author: *author, at: *at }
        };
        let in_use = |it: &Atom| match &it.deprecated {
            None => InUse::Yes,
            Some(deprecation) => InUse::No(deprecation.superseded_by),
        };
        let keys = before.metadata.keys().chain(after.metadata.keys());
        let values = keys.map(|key| {
            (key.clone(), (before.metadata.get(key).cloned(), after.metadata.get(key).cloned()))
        });
        Difference {
            id: after.id,
            from: edition(before),
            to: edition(after),
            content: changed(&before.content, &after.content),
            annotation: changed(&before.annotation, &after.annotation),
            metadata: values.filter(|(_, (one, other))| one != other).collect(),
            added: lacking(&after.references, &before.references),
            dropped: lacking(&before.references, &after.references),
            deprecated: changed(&in_use(before), &in_use(after)),
            attempts: changed(&before.attempts, &after.attempts),
        }
    }

    /// Whether both say the same.
    pub fn is_none(&self) -> bool {
        let Difference { content, annotation, metadata, added, dropped, .. } = self;
        content.is_none()
            && annotation.is_none()
            && metadata.is_empty()
            && added.is_empty()
            && dropped.is_empty()
            && self.deprecated.is_none()
            && self.attempts.is_none()
    }
}

fn changed<T: PartialEq + Clone>(before: &T, after: &T) -> Option<(T, T)> {
    (before != after).then(|| (before.clone(), after.clone()))
}

/// Those of the first that are not among the second.
pub(crate) fn lacking(of: &[Reference], among: &[Reference]) -> Vec<Reference> {
    of.iter().filter(|it| !among.contains(it)).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::atom::Deprecation;
    use crate::id::SpaceId;

    fn atom(version: u64, text: &str, metadata: &[(&str, i64)], targets: &[u8]) -> Atom {
        let reference = |it: &u8| Reference { relation: "see".into(), target: AtomId([*it; 16]) };
        Atom {
            id: AtomId([1; 16]),
            space: SpaceId([2; 16]),
            version,
            born: 1,
            author: SessionId([version as u8; 16]),
            at: Millis(version),
            content: Content::Text(text.into()),
            annotation: String::new(),
            metadata: metadata.iter().map(|(key, n)| ((*key).into(), Value::Int(*n))).collect(),
            references: targets.iter().map(reference).collect(),
            embedding: None,
            deprecated: None,
            attempts: 0,
        }
    }

    #[test]
    fn what_is_the_same_is_not_named() {
        let one = atom(1, "a", &[("k", 1)], &[5]);
        let other = Atom { version: 2, at: Millis(9), ..one.clone() };
        let found = Difference::between(&one, &other);
        assert!(found.is_none(), "{found:?}");
        assert_eq!((found.from.version, found.to.version), (1, 2));
    }

    #[test]
    fn what_differs_is_named_in_both() {
        let one = atom(1, "a", &[("gone", 1), ("same", 2), ("other", 3)], &[5, 6]);
        let mut other = atom(2, "b", &[("same", 2), ("other", 4), ("new", 5)], &[6, 7]);
        other.deprecated = Some(Deprecation { superseded_by: None });
        let found = Difference::between(&one, &other);
        let int = |n| Some(Value::Int(n));
        let metadata = BTreeMap::from([
            ("gone".to_owned(), (int(1), None)),
            ("new".to_owned(), (None, int(5))),
            ("other".to_owned(), (int(3), int(4))),
        ]);
        assert_eq!(found.metadata, metadata);
        assert_eq!(found.content, Some((Content::Text("a".into()), Content::Text("b".into()))));
        assert_eq!(found.added.iter().map(|it| it.target.0[0]).collect::<Vec<_>>(), [7]);
        assert_eq!(found.dropped.iter().map(|it| it.target.0[0]).collect::<Vec<_>>(), [5]);
        assert_eq!(found.deprecated, Some((InUse::Yes, InUse::No(None))));
        // Backwards it is the same, the other way round.
        let back = Difference::between(&other, &one);
        assert_eq!((back.added, back.dropped), (found.dropped, found.added));
    }
}
