//! What a request is, as a hash: over what it says, not over how this build lays it out.
//!
//! A request that is repeated under its key after an upgrade must be known as the same one. So the
//! canonical encoding says names and values: a struct is its fields by name, a case its name, and what
//! is empty (nothing, no text, no element, `false`, zero) is as if it were not there. A field that is
//! added to a type changes no digest of a request that does not use it; one that is reordered or
//! grouped anew changes none at all. Renaming changes the digests of requests that use the name: that
//! takes a new form.

use crate::log::Hash;
use serde::Serialize;
use serde::ser::{
    Error as _, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant,
    SerializeTuple, SerializeTupleStruct, SerializeTupleVariant,
};
use std::collections::BTreeMap;
use std::fmt;

/// The form of the canonical encoding; kept with every digest.
pub const DIGEST_FORM: u8 = 1;

/// The digest of a request, of one form.
pub fn digest<T: Serialize + ?Sized>(form: u8, request: &T) -> Result<Hash, NotCanonical> {
    let bytes = request.serialize(Canonical)?;
    Ok(Hash::of(&[&[form][..], &bytes.0].concat()))
}

/// A request that has no canonical encoding: no type of this package is one.
#[derive(Debug, thiserror::Error)]
#[error("the request has no canonical encoding: {0}")]
pub struct NotCanonical(String);

impl serde::ser::Error for NotCanonical {
    fn custom<T: fmt::Display>(text: T) -> Self {
        NotCanonical(text.to_string())
    }
}

/// A value, encoded; empty where the value says nothing.
struct Encoded(Vec<u8>);

impl Encoded {
    const NOTHING: Encoded = Encoded(Vec::new());

    /// A tag, the length and the bytes: no two values are written alike.
    fn of(tag: u8, bytes: &[u8]) -> Encoded {
        Encoded([&[tag][..], &(bytes.len() as u64).to_be_bytes(), bytes].concat())
    }
}

const TRUE: u8 = 1;
const INTEGER: u8 = 2;
const FLOAT: u8 = 3;
const TEXT: u8 = 4;
const BYTES: u8 = 5;
const LIST: u8 = 6;
const MAP: u8 = 7;
const CASE: u8 = 8;
const EMPTY: u8 = 9;

#[derive(Clone, Copy)]
struct Canonical;

type Done = Result<Encoded, NotCanonical>;

fn integer(value: i128) -> Done {
    Ok(if value == 0 { Encoded::NOTHING } else { Encoded::of(INTEGER, &value.to_be_bytes()) })
}

/// Elements in order. An empty one keeps its place.
struct Elements(Vec<u8>, usize);

impl Elements {
    fn take<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), NotCanonical> {
        let Encoded(bytes) = value.serialize(Canonical)?;
        self.1 += 1;
        self.0.extend(if bytes.is_empty() { Encoded::of(EMPTY, &[]).0 } else { bytes });
        Ok(())
    }

    fn list(self) -> Encoded {
        if self.1 == 0 { Encoded::NOTHING } else { Encoded::of(LIST, &self.0) }
    }
}

/// Fields by name, whatever order they come in.
struct Fields {
    case: Option<&'static str>,
    fields: BTreeMap<Vec<u8>, Vec<u8>>,
    key: Option<Vec<u8>>,
}

impl Fields {
    fn of(case: Option<&'static str>) -> Fields {
        Fields { case, fields: BTreeMap::new(), key: None }
    }

    fn take<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> Result<(), NotCanonical> {
        let Encoded(bytes) = value.serialize(Canonical)?;
        if !bytes.is_empty() {
            self.fields.insert(Encoded::of(TEXT, name.as_bytes()).0, bytes);
        }
        Ok(())
    }

    fn map(self) -> Encoded {
        let pairs = self.fields.into_iter().flat_map(|(key, value)| [key, value].concat());
        let pairs: Vec<u8> = pairs.collect();
        match self.case {
            Some(case) => tagged(case, &pairs),
            None if pairs.is_empty() => Encoded::NOTHING,
            None => Encoded::of(MAP, &pairs),
        }
    }
}

/// A case by its name: said also where it holds nothing.
fn tagged(case: &str, inner: &[u8]) -> Encoded {
    let name = Encoded::of(TEXT, case.as_bytes()).0;
    Encoded::of(CASE, &[&name[..], inner].concat())
}

macro_rules! integers {
    ($($method:ident: $kind:ty),*) => {
        $(fn $method(self, value: $kind) -> Done {
            integer(value.into())
        })*
    };
}

impl serde::Serializer for Canonical {
    type Ok = Encoded;
    type Error = NotCanonical;
    type SerializeSeq = Elements;
    type SerializeTuple = Elements;
    type SerializeTupleStruct = Elements;
    type SerializeTupleVariant = Case;
    type SerializeMap = Fields;
    type SerializeStruct = Fields;
    type SerializeStructVariant = Fields;

    integers!(
        serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64,
        serialize_u8: u8, serialize_u16: u16, serialize_u32: u32, serialize_u64: u64
    );

    fn is_human_readable(&self) -> bool {
        true
    }

    fn serialize_bool(self, value: bool) -> Done {
        Ok(if value { Encoded::of(TRUE, &[]) } else { Encoded::NOTHING })
    }

    fn serialize_f32(self, value: f32) -> Done {
        self.serialize_f64(value.into())
    }

    fn serialize_f64(self, value: f64) -> Done {
        Ok(Encoded::of(FLOAT, &value.to_bits().to_be_bytes()))
    }

    fn serialize_char(self, value: char) -> Done {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, value: &str) -> Done {
        let text = || Encoded::of(TEXT, value.as_bytes());
        Ok(if value.is_empty() { Encoded::NOTHING } else { text() })
    }

    fn serialize_bytes(self, value: &[u8]) -> Done {
        Ok(if value.is_empty() { Encoded::NOTHING } else { Encoded::of(BYTES, value) })
    }

    fn serialize_none(self) -> Done {
        Ok(Encoded::NOTHING)
    }

    /// Something that is empty is not the same as nothing.
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Done {
        let Encoded(bytes) = value.serialize(self)?;
        Ok(if bytes.is_empty() { Encoded::of(EMPTY, &[]) } else { Encoded(bytes) })
    }

    fn serialize_unit(self) -> Done {
        Ok(Encoded::NOTHING)
    }

    fn serialize_unit_struct(self, _: &'static str) -> Done {
        Ok(Encoded::NOTHING)
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, case: &'static str) -> Done {
        Ok(tagged(case, &[]))
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Done {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        case: &'static str,
        value: &T,
    ) -> Done {
        Ok(tagged(case, &value.serialize(self)?.0))
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Elements, NotCanonical> {
        Ok(Elements(Vec::new(), 0))
    }

    fn serialize_tuple(self, _: usize) -> Result<Elements, NotCanonical> {
        Ok(Elements(Vec::new(), 0))
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Elements, NotCanonical> {
        Ok(Elements(Vec::new(), 0))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        case: &'static str,
        _: usize,
    ) -> Result<Case, NotCanonical> {
        Ok(Case(case, Elements(Vec::new(), 0)))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Fields, NotCanonical> {
        Ok(Fields::of(None))
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Fields, NotCanonical> {
        Ok(Fields::of(None))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        case: &'static str,
        _: usize,
    ) -> Result<Fields, NotCanonical> {
        Ok(Fields::of(Some(case)))
    }
}

macro_rules! elements {
    ($($kind:ident: $method:ident),*) => {$(
        impl $kind for Elements {
            type Ok = Encoded;
            type Error = NotCanonical;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), NotCanonical> {
                self.take(value)
            }

            fn end(self) -> Done {
                Ok(self.list())
            }
        }
    )*};
}

elements!(
    SerializeSeq: serialize_element,
    SerializeTuple: serialize_element,
    SerializeTupleStruct: serialize_field
);

/// A case that holds elements.
struct Case(&'static str, Elements);

impl SerializeTupleVariant for Case {
    type Ok = Encoded;
    type Error = NotCanonical;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), NotCanonical> {
        self.1.take(value)
    }

    fn end(self) -> Done {
        Ok(tagged(self.0, &self.1.list().0))
    }
}

/// A map's keys are what its owner chose: an entry that is empty is still one.
impl SerializeMap for Fields {
    type Ok = Encoded;
    type Error = NotCanonical;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), NotCanonical> {
        let Encoded(key) = key.serialize(Canonical)?;
        self.key = Some(if key.is_empty() { Encoded::of(EMPTY, &[]).0 } else { key });
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), NotCanonical> {
        let key = self.key.take().ok_or_else(|| NotCanonical::custom("a value without its key"))?;
        let Encoded(value) = value.serialize(Canonical)?;
        let value = if value.is_empty() { Encoded::of(EMPTY, &[]).0 } else { value };
        self.fields.insert(key, value);
        Ok(())
    }

    fn end(self) -> Done {
        Ok(self.map())
    }
}

macro_rules! fields {
    ($($kind:ident),*) => {$(
        impl $kind for Fields {
            type Ok = Encoded;
            type Error = NotCanonical;

            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                name: &'static str,
                value: &T,
            ) -> Result<(), NotCanonical> {
                self.take(name, value)
            }

            fn end(self) -> Done {
                Ok(self.map())
            }
        }
    )*};
}

fields!(SerializeStruct, SerializeStructVariant);

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Serialize)]
    struct Draft {
        text: String,
        tags: BTreeMap<String, Option<u8>>,
        from: Option<u64>,
    }

    /// The same after an upgrade.
    mod later {
        use super::*;

        #[derive(Serialize)]
        pub(super) struct Draft {
            pub(super) lang: Option<String>,
            pub(super) weight: u64,
            pub(super) from: Option<u64>,
            pub(super) tags: BTreeMap<String, Option<u8>>,
            pub(super) text: String,
            pub(super) seen: Vec<u8>,
        }
    }

    fn of<T: Serialize>(request: T) -> Hash {
        digest(DIGEST_FORM, &request).unwrap()
    }

    fn draft(text: &str, from: Option<u64>) -> Draft {
        Draft { text: text.into(), tags: BTreeMap::from([("a".into(), None)]), from }
    }

    #[test]
    fn a_request_is_the_same_one_after_its_type_has_grown() {
        let grown = |weight, text: &str| later::Draft {
            lang: None,
            weight,
            from: Some(3),
            tags: BTreeMap::from([("a".into(), None)]),
            text: text.into(),
            seen: Vec::new(),
        };
        assert_eq!(of(draft("dig", Some(3))), of(grown(0, "dig")));
        assert_ne!(of(draft("dig", Some(3))), of(grown(1, "dig")));
        assert_ne!(of(draft("dig", Some(3))), of(grown(0, "dug")));
    }

    #[test]
    fn requests_that_differ_have_digests_that_differ() {
        #[derive(Serialize)]
        enum Ask {
            Put(Draft),
            Named { name: String },
            Stop,
            Go,
        }
        let all = [
            of(Ask::Stop),
            of(Ask::Go),
            of(Ask::Named { name: String::new() }),
            of(Ask::Named { name: "Stop".into() }),
            of(Ask::Put(draft("", None))),
            of(Ask::Put(draft("a", None))),
            of(draft("", None)),
            of(draft("", Some(0))),
            of(draft("", Some(1))),
            of(("ab", "c")),
            of(("a", "bc")),
            of(["a", "", "b"]),
            of(["a", "b", ""]),
            of(["a", "b"]),
            of(1u8),
            of("1"),
            of(1.0f64),
            of(-1i64),
            of(true),
            of(BTreeMap::from([("a", "")])),
            of(BTreeMap::from([("a", "b")])),
            of(BTreeMap::from([("", "a")])),
        ];
        for (n, one) in all.iter().enumerate() {
            assert!(all[n + 1..].iter().all(|other| other != one), "the {n}th");
        }
        assert_eq!(of(1u8), of(1i64), "a number is a number");
        assert_ne!(digest(1, "a").unwrap(), digest(2, "a").unwrap(), "a form is part of it");
    }

    /// A digest that is stored is compared with for ever.
    #[test]
    fn the_digest_of_form_1_is_what_it_was() {
        let known = of((draft("dig", Some(3)), -7i32, vec![1.5f64], 'x', true));
        assert_eq!(known.to_string(), KNOWN);
    }

    const KNOWN: &str = "bf18399ea9a8452ca0d2ee7dee6c706057c8c28592b126b1b52bc4647fea39d9";
}
