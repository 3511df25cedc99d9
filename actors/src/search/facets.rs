//! Metadata values and who has them.

use super::dictionary::Dictionary;
use crate::atom::Metadata;
use crate::log::Hash;
use crate::mutant;
use crate::value::Value;
use std::sync::Arc;

/// A text longer than this is kept as its hash.
const TEXT_BYTES_MAX: usize = 48;

/// How far an integer may lie from the fraction that it is rounded to.
const ROUNDING_MAX: i64 = 1024;

/// Who has which value under which key.
#[derive(Default)]
pub(super) struct Facets {
    values: Dictionary<Arc<Facet>>,
}

/// One value under one key. Two values that are `==` have one form.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Facet {
    key: Box<str>,
    form: Form,
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Form {
    Int(i64),
    /// The bits; minus zero is zero.
    Float(u64),
    Text(Box<str>),
    /// A long one of these two, as its hash.
    Long(Box<[u8; 32]>),
    /// As JSON.
    Other(Box<str>),
}

impl Facets {
    /// Files a slot's metadata, and says under what.
    pub(super) fn file(&mut self, slot: u32, metadata: &Metadata) -> Vec<u32> {
        let filed = metadata.iter().map(|(key, value)| {
            let facet = facet(key, form(value));
            let number = self.values.number(&facet, || Arc::new(facet.clone()));
            self.values.file(number, slot);
            number
        });
        filed.collect()
    }

    /// Takes a slot out again.
    pub(super) fn unfile(&mut self, slot: u32, filed: &[u32]) {
        filed.iter().for_each(|number| self.values.unfile(*number, slot, slot));
    }

    /// The slots whose metadata says all of this, in order; nothing for everything.
    pub(super) fn allowed(&self, metadata: &Metadata) -> Option<Vec<u32>> {
        let mut sets: Vec<Vec<u32>> =
            metadata.iter().map(|(key, value)| self.having(key, value)).collect();
        sets.sort_by_key(Vec::len);
        let (first, rest) = sets.split_first_mut()?;
        for set in rest {
            first.retain(|slot| set.binary_search(slot).is_ok());
        }
        Some(std::mem::take(first))
    }

    /// The slots that have the [same](Value::same) value under a key.
    fn having(&self, key: &str, value: &Value) -> Vec<u32> {
        let exact = self.values.postings(&facet(key, form(value)));
        let mut slots = exact.to_vec();
        if mutant::planted("search.one_is_not_one_point_zero") {
            return slots;
        }
        match value {
            Value::Int(whole) => {
                slots.extend(self.values.postings(&facet(key, float(*whole as f64))));
            }
            Value::Float(fraction) => {
                let near = *fraction as i64;
                let low = facet(key, Form::Int(near.saturating_sub(ROUNDING_MAX)));
                let high = facet(key, Form::Int(near.saturating_add(ROUNDING_MAX)));
                let near = self.values.from(&Arc::new(low));
                for (found, _, with) in near.take_while(|(found, ..)| ***found <= high) {
                    if matches!(found.form, Form::Int(whole) if whole as f64 == *fraction) {
                        slots.extend(with);
                    }
                }
            }
            _ => return slots,
        }
        slots.sort_unstable();
        slots
    }
}

fn facet(key: &str, form: Form) -> Facet {
    Facet { key: key.into(), form }
}

fn float(number: f64) -> Form {
    Form::Float(if number == 0.0 { 0 } else { number.to_bits() })
}

fn form(value: &Value) -> Form {
    match value {
        Value::Int(number) => Form::Int(*number),
        Value::Float(number) => float(*number),
        Value::Text(text) => short(b't', text.clone(), Form::Text),
        other => short(b'o', unsigned(other).to_string(), Form::Other),
    }
}

fn short(kind: u8, text: String, form: fn(Box<str>) -> Form) -> Form {
    if text.len() <= TEXT_BYTES_MAX {
        return form(text.into());
    }
    Form::Long(Box::new(Hash::of(&[&[kind], text.as_bytes()].concat()).0))
}

/// Without the sign of zeros, which `==` does not see.
fn unsigned(value: &Value) -> Value {
    match value {
        Value::Float(number) if *number == 0.0 => Value::Float(0.0),
        Value::List(list) => Value::List(list.iter().map(unsigned).collect()),
        Value::Map(map) => {
            Value::Map(map.iter().map(|(key, it)| (key.clone(), unsigned(it))).collect())
        }
        other => other.clone(),
    }
}
