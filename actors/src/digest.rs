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
use std::fmt;
use std::io::Write;

/// The form of the canonical encoding; kept with every digest.
pub const DIGEST_FORM: u8 = 1;

/// The digest of a request, of one form.
pub fn digest<T: Serialize + ?Sized>(form: u8, request: &T) -> Result<Hash, NotCanonical> {
    let mut out = vec![form];
    request.serialize(Canonical(&mut out))?;
    Ok(Hash::of(&out))
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

const TRUE: u8 = 1;
const INTEGER: u8 = 2;
const FLOAT: u8 = 3;
const TEXT: u8 = 4;
const BYTES: u8 = 5;
const LIST: u8 = 6;
const MAP: u8 = 7;
const CASE: u8 = 8;
const EMPTY: u8 = 9;

/// A tag, the length and the bytes: no two values are written alike.
fn frame(out: &mut Vec<u8>, tag: u8, bytes: &[u8]) {
    out.extend_from_slice(&header(tag, bytes.len()));
    out.extend_from_slice(bytes);
}

/// Forty bits of length: a terabyte, far over what a request may be.
fn header(tag: u8, bytes: usize) -> [u8; HEADER] {
    let [_, _, _, a, b, c, d, e] = (bytes as u64).to_be_bytes();
    [tag, a, b, c, d, e]
}

/// A frame whose bytes are still to come.
#[must_use]
struct Open(usize);

const HEADER: usize = 6;

impl Open {
    fn new(out: &mut Vec<u8>, tag: u8) -> Open {
        let at = out.len();
        frame(out, tag, &[]);
        Open(at)
    }

    /// A case is said by its name also where it holds nothing.
    fn case(out: &mut Vec<u8>, case: &str) -> Open {
        let open = Open::new(out, CASE);
        frame(out, TEXT, case.as_bytes());
        open
    }

    fn close(self, out: &mut [u8]) {
        let (_, from) = out.split_at_mut(self.0);
        let header = header(from[0], from.len() - HEADER);
        from[..HEADER].copy_from_slice(&header);
    }
}

/// Writes a value behind what is there; nothing where the value says nothing.
struct Canonical<'a>(&'a mut Vec<u8>);

type Done = Result<(), NotCanonical>;

/// Writes a value that keeps its place also where it is empty.
fn placed<T: Serialize + ?Sized>(out: &mut Vec<u8>, value: &T) -> Done {
    let at = out.len();
    value.serialize(Canonical(out))?;
    if out.len() == at {
        frame(out, EMPTY, &[]);
    }
    Ok(())
}

/// Elements in order, as a list or within a case.
struct Elements<'a> {
    out: &'a mut Vec<u8>,
    case: Option<Open>,
    list: Open,
}

impl<'a> Elements<'a> {
    fn new(out: &'a mut Vec<u8>, case: Option<&str>) -> Elements<'a> {
        let case = case.map(|it| Open::case(out, it));
        let list = Open::new(out, LIST);
        Elements { out, case, list }
    }

    fn close(self) {
        let Elements { out, case, list } = self;
        match out.len() == list.0 + HEADER {
            true => out.truncate(list.0),
            false => list.close(out),
        }
        if let Some(case) = case {
            case.close(out);
        }
    }
}

/// Fields by name, whatever order they come in.
struct Fields<'a> {
    out: &'a mut Vec<u8>,
    /// Of the map, or of the case that they are in.
    open: Open,
    case: bool,
    /// Where the fields begin.
    first: usize,
    /// Where each field begins, its value begins, and it ends.
    fields: Vec<(usize, usize, usize)>,
}

impl<'a> Fields<'a> {
    fn new(out: &'a mut Vec<u8>, case: Option<&str>, fields: usize) -> Fields<'a> {
        let open = match case {
            Some(case) => Open::case(out, case),
            None => Open::new(out, MAP),
        };
        let first = out.len();
        Fields { out, open, case: case.is_some(), first, fields: Vec::with_capacity(fields) }
    }

    fn take<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> Done {
        let at = self.out.len();
        frame(self.out, TEXT, name.as_bytes());
        let from = self.out.len();
        value.serialize(Canonical(self.out))?;
        match self.out.len() {
            end if end == from => self.out.truncate(at),
            end => self.fields.push((at, from, end)),
        }
        Ok(())
    }

    fn close(self) {
        let Fields { out, open, case, first, mut fields } = self;
        let in_order = |(one, next): (&(usize, usize, usize), &(usize, usize, usize))| {
            out[one.0..one.1] < out[next.0..next.1]
        };
        if !fields.iter().zip(fields.iter().skip(1)).all(in_order) {
            fields.sort_by(|one, next| out[one.0..one.1].cmp(&out[next.0..next.1]));
            let mut sorted = Vec::with_capacity(out.len() - first);
            fields.iter().for_each(|(at, _, end)| sorted.extend_from_slice(&out[*at..*end]));
            out.truncate(first);
            out.append(&mut sorted);
        }
        match fields.is_empty() && !case {
            true => out.truncate(open.0),
            false => open.close(out),
        }
    }
}

macro_rules! integers {
    ($($method:ident: $kind:ty),*) => {
        $(fn $method(self, value: $kind) -> Done {
            self.integer(value.into())
        })*
    };
}

impl Canonical<'_> {
    fn integer(self, value: i128) -> Done {
        // Without what only repeats its sign.
        let bytes = value.to_be_bytes();
        let repeats = |it: &&[u8]| matches!(it, [0, 0..=0x7f] | [0xff, 0x80..=0xff]);
        let first = bytes.windows(2).take_while(repeats).count();
        self.unless(value == 0, INTEGER, &bytes[first..])
    }

    fn unless(self, empty: bool, tag: u8, bytes: &[u8]) -> Done {
        if !empty {
            frame(self.0, tag, bytes);
        }
        Ok(())
    }
}

impl<'a> serde::Serializer for Canonical<'a> {
    type Ok = ();
    type Error = NotCanonical;
    type SerializeSeq = Elements<'a>;
    type SerializeTuple = Elements<'a>;
    type SerializeTupleStruct = Elements<'a>;
    type SerializeTupleVariant = Elements<'a>;
    type SerializeMap = Fields<'a>;
    type SerializeStruct = Fields<'a>;
    type SerializeStructVariant = Fields<'a>;

    integers!(
        serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64,
        serialize_u8: u8, serialize_u16: u16, serialize_u32: u32, serialize_u64: u64
    );

    fn is_human_readable(&self) -> bool {
        true
    }

    fn serialize_bool(self, value: bool) -> Done {
        self.unless(!value, TRUE, &[])
    }

    fn serialize_f32(self, value: f32) -> Done {
        self.serialize_f64(value.into())
    }

    fn serialize_f64(self, value: f64) -> Done {
        self.unless(false, FLOAT, &value.to_bits().to_be_bytes())
    }

    fn serialize_char(self, value: char) -> Done {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, value: &str) -> Done {
        self.unless(value.is_empty(), TEXT, value.as_bytes())
    }

    fn collect_str<T: fmt::Display + ?Sized>(self, value: &T) -> Done {
        let open = Open::new(self.0, TEXT);
        write!(self.0, "{value}").map_err(NotCanonical::custom)?;
        match self.0.len() == open.0 + HEADER {
            true => self.0.truncate(open.0),
            false => open.close(self.0),
        }
        Ok(())
    }

    fn serialize_bytes(self, value: &[u8]) -> Done {
        self.unless(value.is_empty(), BYTES, value)
    }

    fn serialize_none(self) -> Done {
        Ok(())
    }

    /// Something that is empty is not the same as nothing.
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Done {
        placed(self.0, value)
    }

    fn serialize_unit(self) -> Done {
        Ok(())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Done {
        Ok(())
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, case: &'static str) -> Done {
        Open::case(self.0, case).close(self.0);
        Ok(())
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
        let open = Open::case(self.0, case);
        value.serialize(Canonical(self.0))?;
        open.close(self.0);
        Ok(())
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Elements<'a>, NotCanonical> {
        Ok(Elements::new(self.0, None))
    }

    fn serialize_tuple(self, _: usize) -> Result<Elements<'a>, NotCanonical> {
        Ok(Elements::new(self.0, None))
    }

    fn serialize_tuple_struct(
        self,
        _: &'static str,
        _: usize,
    ) -> Result<Elements<'a>, NotCanonical> {
        Ok(Elements::new(self.0, None))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        case: &'static str,
        _: usize,
    ) -> Result<Elements<'a>, NotCanonical> {
        Ok(Elements::new(self.0, Some(case)))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Fields<'a>, NotCanonical> {
        Ok(Fields::new(self.0, None, 0))
    }

    fn serialize_struct(self, _: &'static str, fields: usize) -> Result<Fields<'a>, NotCanonical> {
        Ok(Fields::new(self.0, None, fields))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        case: &'static str,
        fields: usize,
    ) -> Result<Fields<'a>, NotCanonical> {
        Ok(Fields::new(self.0, Some(case), fields))
    }
}

macro_rules! elements {
    ($($kind:ident: $method:ident),*) => {$(
        impl $kind for Elements<'_> {
            type Ok = ();
            type Error = NotCanonical;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Done {
                placed(self.out, value)
            }

            fn end(self) -> Done {
                self.close();
                Ok(())
            }
        }
    )*};
}

elements!(
    SerializeSeq: serialize_element,
    SerializeTuple: serialize_element,
    SerializeTupleStruct: serialize_field,
    SerializeTupleVariant: serialize_field
);

/// A map's keys are what its owner chose: an entry that is empty is still one.
impl SerializeMap for Fields<'_> {
    type Ok = ();
    type Error = NotCanonical;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Done {
        let at = self.out.len();
        placed(self.out, key)?;
        self.fields.push((at, self.out.len(), self.out.len()));
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Done {
        placed(self.out, value)?;
        let field = self.fields.last_mut();
        field.ok_or_else(|| NotCanonical::custom("a value without its key"))?.2 = self.out.len();
        Ok(())
    }

    fn end(self) -> Done {
        self.close();
        Ok(())
    }
}

macro_rules! fields {
    ($($kind:ident),*) => {$(
        impl $kind for Fields<'_> {
            type Ok = ();
            type Error = NotCanonical;

            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                name: &'static str,
                value: &T,
            ) -> Done {
                self.take(name, value)
            }

            fn end(self) -> Done {
                self.close();
                Ok(())
            }
        }
    )*};
}

fields!(SerializeStruct, SerializeStructVariant);

#[cfg(test)]
mod tests;
