//! How much of what spaces hold fits into one answer to code.
//!
//! A text that is too large is cut, visibly, and the rest is read in parts; a list that is too long
//! ends early and says so. So a large atom hides no other one, and nothing is changed whose answer
//! cannot be told. What is cut depends on the atoms alone: an action that is run again after a crash
//! sees the same.

use super::items;
use std::sync::Arc;
use stoa_actors::atom::{Atom, Content};
use stoa_actors::code::Item;
use stoa_actors::id::Position;

/// An atom that was found, and how well it fitted.
pub(crate) type Hit = (Arc<Atom>, Position, Option<f32>);

/// The room of one answer.
#[derive(Clone, Copy)]
pub struct Fit {
    bytes_max: usize,
}

/// Of a list of atoms each may take this part of an answer before its text is cut.
const SHARE_FACTOR: usize = 4;
/// What is shown of a text in a list where it is cut.
const PREVIEW_BYTES: usize = 16 << 10;
/// What an atom takes in an answer besides what it says.
const ATOM_FRAME_BYTES: usize = 1 << 10;

impl Fit {
    /// An answer of so many bytes, frame and all.
    pub(crate) fn new(answer_bytes_max: usize) -> Fit {
        Fit { bytes_max: answer_bytes_max.saturating_sub(answer_bytes_max / 8) }
    }

    /// How many bytes of a text fit alone.
    pub fn bytes(&self) -> usize {
        self.bytes_max
    }

    /// One atom: as much of it as fits.
    pub fn one(&self, atom: &Atom, position: Position) -> Item {
        let rest = ATOM_FRAME_BYTES + atom.bytes() - atom.content.bytes();
        self.shown(atom, position, None, self.bytes_max.saturating_sub(rest))
    }

    /// As many atoms as fit, in their order.
    pub(crate) fn list(&self, hits: &[Hit]) -> Vec<Item> {
        let (mut items, mut left) = (Vec::new(), self.bytes_max);
        for (atom, position, score) in hits {
            let rest = ATOM_FRAME_BYTES + atom.bytes() - atom.content.bytes();
            let whole = atom.content.bytes() <= self.bytes_max / SHARE_FACTOR;
            let content = if whole { atom.content.bytes() } else { PREVIEW_BYTES };
            match left.checked_sub(rest + content) {
                Some(room) => left = room,
                None if items.is_empty() => left = 0,
                None => break,
            }
            items.push(self.shown(atom, *position, *score, content));
        }
        items
    }

    fn shown(&self, atom: &Atom, position: Position, score: Option<f32>, room: usize) -> Item {
        if atom.content.bytes() <= room {
            return items::atom(atom, position, score);
        }
        let (content, size) = match &atom.content {
            Content::Bytes { bytes, media_type } => {
                let bytes = bytes[..room.min(bytes.len())].to_vec();
                (Content::Bytes { bytes, media_type: media_type.clone() }, None)
            }
            content => {
                let text = items::whole_text(content);
                let shown = text.floor_char_boundary(room.saturating_sub(ATOM_FRAME_BYTES));
                let (shown, size) = (&text[..shown], text.chars().count());
                let start = shown.chars().count();
                let cut = format!(
                    "{shown}\n[cut here: {} of {size} characters are not shown; \
                     space.read(\"{}\", start={start}) reads on]",
                    size - start,
                    atom.id
                );
                (Content::Text(cut), Some(size))
            }
        };
        let size = size.unwrap_or_else(|| atom.content.bytes());
        items::cut_atom(&Atom { content, ..atom.clone() }, position, score, size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stoa_actors::atom::Metadata;
    use stoa_actors::code::Object;
    use stoa_actors::id::{AtomId, Millis, ROOT, SpaceId};
    use stoa_actors::value::Value;

    fn hit(text: String) -> Hit {
        let content = Content::Text(text);
        let atom = Atom {
            id: AtomId([1; 16]),
            space: SpaceId([2; 16]),
            version: 1,
            born: 1,
            author: ROOT,
            at: Millis(0),
            content,
            annotation: String::new(),
            metadata: Metadata::new(),
            references: Vec::new(),
            embedding: None,
            deprecated: None,
            attempts: 0,
        };
        (Arc::new(atom), Position(1), None)
    }

    fn field(item: &Item, name: &str) -> Item {
        let Item::Object(Object { fields, .. }) = item else { panic!("{item:?}") };
        fields.iter().find(|(it, _)| it == name).unwrap().1.clone()
    }

    fn content(item: &Item) -> String {
        let Item::Value(Value::Text(text)) = field(item, "content") else { panic!("{item:?}") };
        text
    }

    #[test]
    fn a_large_atom_is_cut_and_hides_no_other() {
        let fit = Fit::new(1 << 20);
        let hits = [hit("a".repeat(900_000)), hit("small".into()), hit("é".repeat(900_000))];
        let items = fit.list(&hits);
        assert_eq!(items.len(), 3);
        assert_eq!(content(&items[1]), "small");
        assert_eq!(field(&items[1], "cut"), Item::Value(false.into()));
        assert_eq!(field(&items[1], "size"), Item::Value(5.into()));
        for (item, size) in [(&items[0], 900_000), (&items[2], 900_000)] {
            let text = content(item);
            assert!(text.len() < 20_000 && text.contains("[cut here: "), "{}", text.len());
            assert_eq!(field(item, "cut"), Item::Value(true.into()));
            assert_eq!(field(item, "size"), Item::Value(size.into()));
        }
    }

    #[test]
    fn a_list_that_is_too_long_ends_early_and_one_atom_is_always_told() {
        let fit = Fit::new(1 << 20);
        let hits: Vec<Hit> = (0..100).map(|_| hit("b".repeat(100_000))).collect();
        let items = fit.list(&hits);
        assert!((5..10).contains(&items.len()), "{}", items.len());
        assert!(items.iter().all(|it| content(it).len() == 100_000), "none of them is cut");
        assert_eq!(fit.list(&hits[..items.len()]), items, "the same again of what was told");
        let tiny = Fit::new(2 << 10);
        assert_eq!(tiny.list(&hits).len(), 1);
        let one = tiny.one(&hits[0].0, Position(1));
        assert!(content(&one).len() < 2 << 10, "{}", content(&one).len());
    }
}
