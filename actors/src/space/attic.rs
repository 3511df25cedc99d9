//! Merging a copy that went on by itself: what is here stays, and what lost to it is kept aside.
//!
//! A version that says something else than the one that is here under its number has lost, and so
//! has every later one of the same copy, which was made on top of it. Each is kept as an atom of
//! its own in the *attic*: out of use, superseded by the atom that it lost to, under an id that is
//! the same each time, so that a merge that is repeated changes nothing.

use super::import::ImportedVersion;
use super::{Event, Refusal, Space};
use crate::atom::{Content, Deprecation};
use crate::behaviour::Delivery;
use crate::id::{AtomId, SpaceId};
use crate::log::Hash;
use crate::value::Value;

/// What becomes of a version that is not what is here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Merge {
    /// It is refused, and all that comes with it.
    #[default]
    Refuse,
    /// It is kept in the attic, and so are the later ones of its atom.
    Attic,
    /// It belongs there: one before it in the same copy did.
    Lost,
}

/// The metadata key that names the atom that a version lost to.
pub const ATTIC_OF: &str = "attic_of";

/// The metadata key with the number of that version in its own copy.
pub const ATTIC_VERSION: &str = "attic_version";

impl Space {
    /// What keeps a version aside; nothing if that is done, or if it says nothing.
    pub(super) fn to_attic(
        &self,
        it: ImportedVersion,
        delivery: &Delivery<'_>,
    ) -> Result<Vec<Event>, Refusal> {
        let (lost_to, version) = (it.id, it.version);
        let id = attic_id(self.id, &it);
        if it.content == Content::Redacted || delivery.view.atom(id).is_some() {
            return Ok(Vec::new());
        }
        let plain = it.metadata.clone();
        let mut it = ImportedVersion {
            id,
            version: 1,
            deprecated: Some(Deprecation { superseded_by: Some(lost_to) }),
            ..it
        };
        it.metadata.insert(ATTIC_OF.to_owned(), Value::from(lost_to.to_string()));
        it.metadata.insert(ATTIC_VERSION.to_owned(), Value::Int(version as i64));
        // What is superseded by whom is told in any case.
        if it.check(delivery.limits).is_err() {
            it.metadata = plain;
        }
        self.imported(it, None, delivery).map(|event| vec![event])
    }
}

/// The id under which a version is kept that lost.
fn attic_id(here: SpaceId, it: &ImportedVersion) -> AtomId {
    let (version, event) = (it.version.to_be_bytes(), it.origin.event.0);
    let parts = [&b"stoa:attic"[..], &here.0, &it.id.0, &version, &event].concat();
    let mut id = [0; 16];
    id.copy_from_slice(&Hash::of(&parts).0[..16]);
    AtomId(id)
}
