//! What is built on a runtime, and lives as long as it does.

use crate::host::Shared;
use parking_lot::RwLock;
use std::any::Any;
use std::sync::Arc;

/// What somebody keeps in a runtime who is built on it, and whom the runtime knows nothing of. There
/// is one of each type.
pub(crate) trait Part: Any + Send + Sync {
    /// The stop begins: whatever runs beside the actors is asked to end.
    fn stop(&self) {}

    /// Waits for the end of that; on a thread that may wait.
    fn join(&self) {}
}

/// A part that nobody has to put in.
pub(crate) trait Begin: Part {
    /// As it is at the open.
    fn begin(shared: &Shared) -> Self;
}

/// The parts of one runtime, by their types: put in at its open, or made when they are asked for.
#[derive(Default)]
pub(crate) struct Parts(RwLock<Vec<Arc<dyn Part>>>);

impl Parts {
    /// Puts one in.
    pub(crate) fn put(&self, part: Arc<dyn Part>) {
        self.0.write().push(part);
    }

    /// The one of that type, if there is one.
    pub(crate) fn find<P: Part>(&self) -> Option<Arc<P>> {
        found(&self.0.read())
    }

    /// The one of that type, made if there is none.
    pub(crate) fn of<P: Begin>(&self, shared: &Shared) -> Arc<P> {
        if let Some(part) = self.find() {
            return part;
        }
        let mut all = self.0.write();
        // Somebody else may have been quicker.
        if let Some(part) = found(&all) {
            return part;
        }
        let part = Arc::new(P::begin(shared));
        all.push(part.clone());
        part
    }

    /// The stop begins.
    pub(crate) fn stop(&self) {
        self.0.read().iter().for_each(|it| it.stop());
    }

    /// Waits for the end of all.
    pub(crate) fn join(&self) {
        let all = self.0.read().clone();
        all.iter().for_each(|it| it.join());
    }
}

fn found<P: Part>(all: &[Arc<dyn Part>]) -> Option<Arc<P>> {
    all.iter().find_map(|it| {
        let part: &dyn Any = &**it;
        if !part.is::<P>() {
            return None;
        }
        let part: Arc<dyn Any + Send + Sync> = it.clone();
        part.downcast().ok()
    })
}
