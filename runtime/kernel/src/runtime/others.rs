//! Entries that nobody here has offered: other nodes of a shared order write to the same log.

use super::Inner;
use crate::host::Passivate;
use std::sync::Arc;
use stoa_actors::id::RIGHTS;

impl Inner {
    /// Followers hear of them, and an actor whose stream it is begins anew. Nobody is kept in memory
    /// by this.
    pub(super) fn hear_of_others(&self) {
        let (shared, addresses) =
            (Arc::downgrade(&self.deps.shared), Arc::downgrade(&self.registry));
        let rights = Arc::downgrade(&self.rights);
        self.deps.shared.log.tell_of_others(move |stream, head| {
            let (Some(shared), Some(addresses)) = (shared.upgrade(), addresses.upgrade()) else {
                return;
            };
            shared.followers.gone_on(stream);
            match stream {
                RIGHTS => rights.upgrade().into_iter().for_each(|it| it.others_wrote(head)),
                _ => addresses.get(stream).into_iter().for_each(|it| it.others_wrote(head)),
            }
        });
        if self.deps.shared.config.log.order.node().is_some() {
            // What came while it was loaded was told nobody.
            self.rights.lead_astray();
        }
    }
}
