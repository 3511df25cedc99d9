//! Atoms and what they hold.

use crate::atom::{Atom, Content, Deprecation, Embedding, Reference};
use crate::stored;

stored!(record Atom {
    id, space, version, born, author, at, content, annotation, metadata, references, embedding,
    deprecated,
} grown { attempts });
stored!(choice Content {
    0 => Text(text),
    1 => Json(value),
    2 => Bytes { media_type } bytes { bytes },
    3 => Erased,
    4 => Redacted,
});
stored!(record Reference { relation, target });
stored!(record Deprecation { superseded_by });
stored!(record Embedding { fingerprint, scale } bytes { dims });
