//! Filling a directory from a log that comes from elsewhere.
//!
//! Until the last step the directory carries [`RESTORING`] and no format, so that nothing opens it,
//! however it was cut off; begun again, it is emptied first.

use super::fold::Fold;
use super::ignored::{IGNORED, ignore};
use super::open::{RESTORING, clear, file_error, lock_directory, mark, whole};
use super::{Owned, Store, Witness};
use crate::decoders::Decoders;
use crate::failure::StoreError;
use crate::limits::LogConfig;
use std::fs;
use std::path::Path;
use stoa_actors::id::Position;
use stoa_actors::log::{Head, Header};

/// What is there before anything is restored: nothing, or what an interrupted restore left.
const LEFT: [&str; 4] = [RESTORING, "lock", "db", "witness"];

/// What may be there in any case: nothing of it is data.
const NO_DATA: [&str; 2] = ["lock", IGNORED];

/// A directory that is being filled.
pub(crate) struct Vacant {
    owned: Owned,
}

impl Vacant {
    /// Takes a directory in which there is nothing; made if it is not there.
    ///
    /// Errors: [`StoreError::Occupied`] where there is something.
    pub(crate) fn take(data: &Path) -> Result<Vacant, StoreError> {
        let vacant = |data: &Path| {
            let restoring = data.join(RESTORING).exists();
            let entries = fs::read_dir(data).map_err(file_error("cannot read", data))?;
            for entry in entries {
                let name = entry.map_err(file_error("cannot read", data))?.file_name();
                let left = restoring && LEFT.iter().any(|it| name == *it);
                if !left && !NO_DATA.iter().any(|it| name == *it) {
                    return Err(StoreError::Occupied { path: data.to_owned() });
                }
            }
            Ok(())
        };
        // Looked at before anything is made in it, and again once nobody else can.
        if data.is_dir() {
            vacant(data)?;
        }
        Ok(Vacant { owned: lock_directory(data, vacant)? })
    }

    /// Fills it with what `feed` gives, entry after entry, and vouches for the head that it names
    /// at the end. After an error the directory opens for nobody.
    pub(crate) fn fill<E: From<StoreError>>(
        self,
        config: &LogConfig,
        kinds: &Decoders,
        feed: impl FnOnce(&mut dyn FnMut(Position, &Header, &[u8]) -> Result<(), E>) -> Result<Head, E>,
    ) -> Result<Head, E> {
        let data = &config.data;
        ignore(data);
        mark(&data.join(RESTORING))?;
        clear(data)?;
        let store = Store::open(config, self.owned)?;
        let mut fold = Fold::new(&store, kinds);
        let head = feed(&mut |at, header, body| Ok(fold.add(at, header, body)?))?;
        fold.finish()?;
        let path = data.join("witness");
        let (mut witness, _) = Witness::open(&path).map_err(file_error("cannot open", &path))?;
        witness.overwrite(head).map_err(file_error("cannot write", &path))?;
        store.make_checkpoint(head)?;
        whole(data, RESTORING)?;
        Ok(head)
    }
}
