//! The link that hands a right from a granter to a holder.

use super::Right;
use crate::id::{LinkId, Millis, SessionId};

/// One right handed from a granter to a holder. It never changes; it ends by being revoked, by
/// expiring, or with what it rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Identity, never used twice.
    pub id: LinkId,
    /// Who handed it. The root, for an origin.
    pub from: SessionId,
    /// Who holds it.
    pub to: SessionId,
    /// What was handed.
    pub right: Right,
    /// The granter's own link that it rests on. Nothing for an origin only: the creation of a
    /// space, and what the root was given.
    pub basis: Option<LinkId>,
    /// The first instant at which it is dead. Never later than its basis's: asking for more is
    /// refused, and asking for nothing takes the basis's, so this one field is the minimum along
    /// the chain.
    pub expires: Option<Millis>,
    /// Why, in the granter's words.
    pub reason: String,
}

impl Link {
    /// Has it not yet expired?
    pub fn is_live(&self, now: Millis) -> bool {
        crate::mutant::planted("rights.level_ignores_expiry")
            || self.expires.is_none_or(|expires| now < expires)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Subject;
    use super::*;

    #[test]
    fn a_link_dies_at_its_expiry_not_after_it() {
        let link = Link {
            id: LinkId([1; 16]),
            from: crate::id::ROOT,
            to: crate::id::ROOT,
            right: Right::whole(Subject::Tool("fetch".into())),
            basis: None,
            expires: Some(Millis(10)),
            reason: String::new(),
        };
        assert!(link.is_live(Millis(9)));
        assert!(!link.is_live(Millis(10)));
    }
}
