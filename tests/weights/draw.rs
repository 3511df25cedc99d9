//! Parts of messages, each of a size that is drawn for it alone.

use std::collections::BTreeMap;
use stoa_actors::atom::{Content, Embedding, Metadata};
use stoa_actors::id::{AtomId, Millis, Position, SessionId, SpaceId};
use stoa_actors::log::Cause;
use stoa_actors::space::{Filter, Resource, Terms, Wake};
use stoa_actors::value::Value;

/// Numbers from a seed: SplitMix64.
pub(crate) struct Draw(u64);

impl Draw {
    pub(crate) fn new(seed: u64) -> Draw {
        Draw(seed)
    }

    pub(crate) fn below(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % below
    }

    /// Often next to nothing, at times a lot.
    pub(crate) fn size(&mut self) -> usize {
        match self.below(8) {
            0 => 40_000 + self.below(40_000) as usize,
            1 => self.below(1_000) as usize,
            _ => self.below(8) as usize,
        }
    }

    pub(crate) fn text(&mut self) -> String {
        "x".repeat(self.size())
    }

    pub(crate) fn bytes(&mut self) -> Vec<u8> {
        vec![7; self.size()]
    }

    pub(crate) fn id(&mut self) -> [u8; 16] {
        let (a, b) = (self.below(u64::MAX), self.below(u64::MAX));
        (u128::from(a) << 64 | u128::from(b)).to_be_bytes()
    }

    pub(crate) fn maybe<T>(&mut self, of: impl FnOnce(&mut Draw) -> T) -> Option<T> {
        if self.below(2) == 0 { None } else { Some(of(self)) }
    }

    /// A list of what is small by itself is large now and then; of other things it is short.
    pub(crate) fn list<T>(&mut self, of: impl FnMut(&mut Draw) -> T) -> Vec<T> {
        let count = if self.below(4) == 0 { self.size() / 64 } else { self.below(4) as usize };
        self.many(count, of)
    }

    fn many<T>(&mut self, count: usize, mut of: impl FnMut(&mut Draw) -> T) -> Vec<T> {
        let mut list = Vec::with_capacity(count);
        (0..count).for_each(|_| list.push(of(self)));
        list
    }

    pub(crate) fn short<T>(&mut self, of: impl FnMut(&mut Draw) -> T) -> Vec<T> {
        let count = self.below(4) as usize;
        self.many(count, of)
    }

    pub(crate) fn atom(&mut self) -> AtomId {
        AtomId(self.id())
    }

    pub(crate) fn space(&mut self) -> SpaceId {
        SpaceId(self.id())
    }

    pub(crate) fn session(&mut self) -> SessionId {
        SessionId(self.id())
    }

    pub(crate) fn value(&mut self) -> Value {
        self.nested(2)
    }

    fn nested(&mut self, levels: u32) -> Value {
        match self.below(if levels == 0 { 5 } else { 7 }) {
            0 => Value::Null,
            1 => Value::Bool(true),
            2 => Value::Int(-7),
            3 => Value::Float(0.5),
            4 => Value::Text(self.text()),
            5 => Value::List(self.list(|it| it.nested(levels - 1))),
            _ => Value::Map(self.map(|it| it.nested(levels - 1))),
        }
    }

    pub(crate) fn map<T>(&mut self, mut of: impl FnMut(&mut Draw) -> T) -> BTreeMap<String, T> {
        let count = if self.below(8) == 0 { 200 } else { self.below(4) };
        (0..count).map(|n| (format!("key {n}"), of(self))).collect()
    }

    pub(crate) fn metadata(&mut self) -> Metadata {
        match self.below(4) {
            0 => BTreeMap::from([(self.text(), Value::Null)]),
            _ => self.map(|it| match it.below(4) {
                0 => it.value(),
                _ => Value::Int(1),
            }),
        }
    }

    pub(crate) fn references(&mut self) -> BTreeMap<String, Vec<AtomId>> {
        self.map(|it| it.list(Draw::atom))
    }

    pub(crate) fn content(&mut self) -> Content {
        match self.below(5) {
            0 => Content::Text(self.text()),
            1 => Content::Json(self.value()),
            2 => Content::Bytes { media_type: self.text(), bytes: self.bytes() },
            3 => Content::Erased,
            _ => Content::Redacted,
        }
    }

    pub(crate) fn embedding(&mut self) -> Embedding {
        Embedding { fingerprint: 7, scale: 0.5, dims: self.bytes() }
    }

    pub(crate) fn resource(&mut self) -> Resource {
        match self.below(2) {
            0 => Resource::Atom(self.atom()),
            _ => Resource::Name(self.text()),
        }
    }

    pub(crate) fn filter(&mut self) -> Filter {
        let (types, metadata) = (self.list(Draw::text), self.metadata());
        Filter { types, metadata, references: self.references() }
    }

    pub(crate) fn terms(&mut self) -> Terms {
        Terms { debounce_ms: 7, until: self.maybe(|_| Millis(7)) }
    }

    pub(crate) fn wake(&mut self) -> Wake {
        let (first, last) = (Position(1), Position(9));
        let (space, comments) = (self.space(), self.list(Draw::text));
        Wake { space, first, last, count: 3, comments, hop: 1 }
    }

    pub(crate) fn cause(&mut self) -> Cause {
        Cause::default()
    }
}
