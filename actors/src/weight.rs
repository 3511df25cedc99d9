//! What a message takes in memory, nearly: a mailbox is bounded by bytes as well as by number, and a
//! host must know what it takes in before it does.
//!
//! It is counted as the message is serialized, without writing anything: whatever a message carries
//! is weighed, of every kind of actor, and no kind can forget a field. Two things are not seen. What a
//! kind leaves out of its serialized form it adds in [`Behaviour::weight`]; and what is shared (an
//! `Arc`) is weighed with each message that holds it.
//!
//! `tests/weights.rs` holds it against an allocator that counts: of all messages of this package it
//! is within a factor of four, give or take a kibibyte.
//!
//! [`Behaviour::weight`]: crate::behaviour::Behaviour::weight

use crate::mutant::planted;
use serde::Serialize;
use serde::ser::{
    SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant, Serializer,
};
use std::fmt;

/// What a text, a list or a map takes besides what is in it.
const HANDLE: usize = 24;
/// What a case takes besides what it holds.
const CASE: usize = 16;
/// What a tuple or a struct takes for padding.
const PADDING: usize = 8;
/// What the first leaf of a tree takes, and each entry of it: a map of one entry takes room for eleven.
const LEAF: usize = 320;
const ENTRY: usize = 16;

/// What a value takes in memory, in bytes. What cannot be serialized weighs more than any room there
/// is: a mailbox takes it in alone.
pub fn weight<T: Serialize + ?Sized>(value: &T) -> usize {
    let mut scales = Scales(0);
    match value.serialize(&mut scales) {
        Ok(()) => scales.0,
        Err(Unserializable) => usize::MAX,
    }
}

struct Scales(usize);

impl Scales {
    fn add(&mut self, bytes: usize) -> Weighed {
        self.0 = self.0.saturating_add(bytes);
        Ok(())
    }

    fn map(&mut self, len: Option<usize>) -> &mut Self {
        self.0 = self.0.saturating_add(if len == Some(0) { HANDLE } else { HANDLE + LEAF });
        self
    }
}

type Weighed = Result<(), Unserializable>;

/// A value says that it cannot be serialized.
#[derive(Debug, thiserror::Error)]
#[error("it cannot be serialized")]
struct Unserializable;

impl serde::ser::Error for Unserializable {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Unserializable
    }
}

/// Numbers take what their type takes.
macro_rules! sized {
    ($($method:ident: $type:ty),* $(,)?) => {
        $(fn $method(self, _: $type) -> Weighed {
            self.add(size_of::<$type>())
        })*
    };
}

impl Serializer for &mut Scales {
    type Ok = ();
    type Error = Unserializable;
    type SerializeSeq = Self;
    type SerializeTuple = Self;
    type SerializeTupleStruct = Self;
    type SerializeTupleVariant = Self;
    type SerializeMap = Self;
    type SerializeStruct = Self;
    type SerializeStructVariant = Self;

    sized! {
        serialize_bool: bool,
        serialize_i8: i8,
        serialize_i16: i16,
        serialize_i32: i32,
        serialize_i64: i64,
        serialize_i128: i128,
        serialize_u8: u8,
        serialize_u16: u16,
        serialize_u32: u32,
        serialize_u64: u64,
        serialize_u128: u128,
        serialize_f32: f32,
        serialize_f64: f64,
        serialize_char: char,
    }

    fn is_human_readable(&self) -> bool {
        false
    }

    fn serialize_str(self, text: &str) -> Weighed {
        self.add(HANDLE + text.len())
    }

    fn serialize_bytes(self, bytes: &[u8]) -> Weighed {
        let bytes = if planted("weight.takes_bytes_for_nothing") { 0 } else { bytes.len() };
        self.add(HANDLE + bytes)
    }

    fn serialize_none(self) -> Weighed {
        self.add(CASE)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Weighed {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Weighed {
        Ok(())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Weighed {
        Ok(())
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, _: &'static str) -> Weighed {
        self.add(CASE)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Weighed {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        value: &T,
    ) -> Weighed {
        self.add(CASE)?;
        if planted("weight.skips_what_a_case_holds") { Ok(()) } else { value.serialize(self) }
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Self, Unserializable> {
        self.add(HANDLE)?;
        Ok(self)
    }

    fn serialize_tuple(self, _: usize) -> Result<Self, Unserializable> {
        self.add(PADDING)?;
        Ok(self)
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self, Unserializable> {
        self.add(PADDING)?;
        Ok(self)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self, Unserializable> {
        self.add(CASE)?;
        Ok(self)
    }

    fn serialize_map(self, len: Option<usize>) -> Result<Self, Unserializable> {
        Ok(self.map(len))
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self, Unserializable> {
        self.add(PADDING)?;
        Ok(self)
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self, Unserializable> {
        self.add(CASE)?;
        Ok(self)
    }
}

/// What holds others in order weighs what they weigh.
macro_rules! elements {
    ($($trait:ident: $method:ident),* $(,)?) => {
        $(impl $trait for &mut Scales {
            type Ok = ();
            type Error = Unserializable;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Weighed {
                if planted("weight.forgets_an_element") && self.0 > 1 << 10 {
                    return Ok(());
                }
                value.serialize(&mut **self)
            }

            fn end(self) -> Weighed {
                Ok(())
            }
        })*
    };
}

elements! {
    SerializeSeq: serialize_element,
    SerializeTuple: serialize_element,
    SerializeTupleStruct: serialize_field,
    SerializeTupleVariant: serialize_field,
}

/// The same by name; the names are the program's.
macro_rules! fields {
    ($($trait:ident),* $(,)?) => {
        $(impl $trait for &mut Scales {
            type Ok = ();
            type Error = Unserializable;

            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                _: &'static str,
                value: &T,
            ) -> Weighed {
                value.serialize(&mut **self)
            }

            fn end(self) -> Weighed {
                Ok(())
            }
        })*
    };
}

fields!(SerializeStruct, SerializeStructVariant);

impl SerializeMap for &mut Scales {
    type Ok = ();
    type Error = Unserializable;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Weighed {
        self.add(ENTRY)?;
        key.serialize(&mut **self)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Weighed {
        value.serialize(&mut **self)
    }

    fn end(self) -> Weighed {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn what_is_large_is_counted_whatever_holds_it() {
        #[derive(Serialize)]
        enum Own {
            Text(String),
            Both(String, String),
            Named { text: Option<String> },
        }
        let text = || "x".repeat(10_000);
        let near = |bytes: usize, of: usize| (of..of + 1_000).contains(&bytes);
        assert!(near(weight(&Own::Text(text())), 10_000));
        assert!(near(weight(&Own::Both(text(), text())), 20_000));
        assert!(near(weight(&Own::Named { text: Some(text()) }), 10_000));
        assert!(near(weight(&vec![text(); 3]), 30_000));
        assert!(near(weight(&BTreeMap::from([(text(), text())])), 20_000));
        assert!(near(weight(&vec![7u8; 10_000]), 10_000));
        assert!(near(weight(&vec![7u64; 10_000]), 80_000));
        assert!(near(weight(serde_bytes::Bytes::new(&[7; 10_000])), 10_000));
    }

    #[test]
    fn what_cannot_be_weighed_is_too_heavy() {
        struct Never;
        impl Serialize for Never {
            fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
                Err(serde::ser::Error::custom("never"))
            }
        }
        assert_eq!(weight(&Never), usize::MAX);
    }
}
