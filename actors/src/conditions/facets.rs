//! Metadata values and who has them: in order, so that a range is a walk over those within.

use super::bits::Bits;
use super::dictionary::Dictionary;
use super::key_type::KeyType;
use super::order::has_place;
use super::predicate::{alternatives, comparisons, paths};
use crate::atom::Metadata;
use crate::log::Hash;
use crate::mutant::planted;
use crate::value::{Value, order, whole};
use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::ops::Bound;
use std::sync::Arc;

/// So much of a text is kept, and the rest as its hash: texts up to this length have an order
/// among all. Not less than what [`super::RANGE_BYTES_MAX`] lets others be compared with.
const TEXT_BYTES_MAX: usize = 256;

/// Who has which value under which key.
#[derive(Default)]
pub(crate) struct Facets {
    values: Dictionary<Arc<Facet>>,
}

/// One value under one key. Two values that are the [same](Value::same) have one form.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Facet {
    key: Box<str>,
    of: Of,
    form: Form,
}

/// Whose form it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Of {
    Value,
    /// An element's, of a list.
    Element,
}

/// In the order that numbers and texts have.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Form {
    Number(Number),
    /// The beginning of a text, and the hash of all of it if there is more.
    Text(Box<[u8]>, Option<Box<[u8; 32]>>),
    Other(Box<str>),
    LongOther(Box<[u8; 32]>),
}

/// A number by its worth: a fraction that is whole is a whole number, so there are no two forms.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Number {
    Whole(i64),
    Fraction(f64),
}

impl Number {
    fn of(fraction: f64) -> Number {
        whole(fraction).map_or(Number::Fraction(fraction), Number::Whole)
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Number::Whole(one), Number::Whole(other)) => one.cmp(other),
            (Number::Fraction(one), Number::Fraction(other)) => one.total_cmp(other),
            (Number::Whole(one), Number::Fraction(other)) => {
                order(*one, *other).unwrap_or(Ordering::Less)
            }
            (Number::Fraction(_), Number::Whole(_)) => other.cmp(self).reverse(),
        }
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Number {}

impl Facets {
    /// Files a slot's metadata, and says under what.
    pub(crate) fn file(&mut self, slot: u32, metadata: &Metadata) -> Vec<u32> {
        let mut filed = Vec::with_capacity(metadata.len());
        for (key, value) in paths(metadata) {
            for (of, form) in forms(value) {
                let facet = facet(&key, of, form);
                let number = self.values.number(&facet, || Arc::new(facet.clone()));
                self.values.file(number, slot);
                filed.push(number);
            }
        }
        filed
    }

    /// Takes a slot out again.
    pub(crate) fn unfile(&mut self, slot: u32, filed: &[u32]) {
        filed.iter().for_each(|number| self.values.unfile(*number, slot, slot));
    }

    /// The values under a key that have a place in an order of this type, the least first, and who
    /// has them.
    pub(crate) fn in_order<'a>(
        &'a self,
        key: &'a str,
        kind: KeyType,
    ) -> impl Iterator<Item = (&'a Form, &'a [u32])> {
        let first = Form::Number(Number::Fraction(f64::NEG_INFINITY));
        let all = self.values.from(&Arc::new(facet(key, Of::Value, first)));
        let its = all.take_while(move |(it, ..)| &*it.key == key && it.of == Of::Value);
        its.map(|(it, _, slots)| (&it.form, slots)).filter(move |(it, _)| has_place(it, kind))
    }

    /// Whether anybody has a key.
    pub(crate) fn has(&self, key: &str) -> bool {
        let first = Form::Number(Number::Fraction(f64::NEG_INFINITY));
        let mut all = self.values.from(&Arc::new(facet(key, Of::Value, first)));
        all.next().is_some_and(|(it, ..)| &*it.key == key)
    }

    /// Some of the keys that somebody has.
    pub(crate) fn keys(&self, most: usize) -> Vec<String> {
        let mut keys: Vec<String> = Vec::new();
        while keys.len() < most {
            // No key that follows is shorter than the last with a zero behind it.
            let from = keys.last().map_or_else(String::new, |it| format!("{it}\0"));
            let first = Form::Number(Number::Fraction(f64::NEG_INFINITY));
            let mut all = self.values.from(&Arc::new(facet(&from, Of::Value, first)));
            match all.next() {
                Some((it, ..)) => keys.push(it.key.to_string()),
                None => break,
            }
        }
        keys
    }

    /// The slots whose metadata says all of this; nothing for everything.
    pub(crate) fn allowed(&self, metadata: &Metadata) -> Option<Bits> {
        allowed(self, metadata)
    }
}

impl Lookup for Facets {
    fn having(&self, key: &str, of: Of, form: Form, to: &mut Bits) {
        to.extend(self.values.postings(&facet(key, of, form)));
    }

    fn between(&self, key: &str, low: Bound<Form>, high: Bound<Form>, to: &mut Bits) {
        let bound = |form| Arc::new(facet(key, Of::Value, form));
        let (low, high) = (low.map(bound), high.map(bound));
        self.values.between(low.as_ref(), high.as_ref()).for_each(|slots| to.extend(slots));
    }
}

/// Who has what, by key and value.
pub(crate) trait Lookup {
    /// Takes in the slots that have this under a key.
    fn having(&self, key: &str, of: Of, form: Form, to: &mut Bits);
    /// Takes in those that have a value between two under a key.
    fn between(&self, key: &str, low: Bound<Form>, high: Bound<Form>, to: &mut Bits);
}

/// The slots whose metadata says all of this; nothing for everything.
pub(crate) fn allowed(at: &impl Lookup, metadata: &Metadata) -> Option<Bits> {
    let sets = metadata.iter().map(|(key, wanted)| match alternatives(key, wanted) {
        Some(any) if planted("search.any_is_all") => {
            any.filter_map(|it| allowed(at, it)).reduce(both).unwrap_or_default()
        }
        Some(any) => {
            let mut found = Bits::default();
            any.filter_map(|it| allowed(at, it)).for_each(|it| found.add(&it));
            found
        }
        None => fitting(at, key, wanted),
    });
    sets.reduce(both)
}

/// The slots whose value under a key is as [wanted](super::predicate).
fn fitting(at: &impl Lookup, key: &str, wanted: &Value) -> Bits {
    let Some(comparisons) = comparisons(wanted) else { return having(at, key, wanted) };
    let (mut range, mut others) = (None, Vec::new());
    for (operator, bound) in comparisons {
        match operator {
            "<" | "<=" | ">" | ">=" => {
                let one = Range::of(operator, bound);
                range = Some(range.map_or_else(|| one.clone(), |it: Range| it.cut(&one)));
            }
            "in" => others.push(any(at, key, bound)),
            "!=" => others.push(other(at, key, bound)),
            "contains" => {
                let mut found = Bits::default();
                at.having(key, Of::Element, form(bound), &mut found);
                others.push(found);
            }
            "==" => others.push(having(at, key, bound)),
            _ => others.push(Bits::default()),
        }
    }
    let within = range.map(|it| within(at, key, it));
    others.into_iter().chain(within).reduce(both).unwrap_or_default()
}

/// The slots that have the [same](Value::same) value under a key.
fn having(at: &impl Lookup, key: &str, value: &Value) -> Bits {
    let mut found = Bits::default();
    add(at, key, value, &mut found);
    found
}

fn add(at: &impl Lookup, key: &str, value: &Value, to: &mut Bits) {
    let form = match value {
        Value::Float(fraction) if planted("search.one_is_not_one_point_zero") => {
            Form::Number(Number::Fraction(fraction + 0.25))
        }
        value => form(value),
    };
    at.having(key, Of::Value, form, to);
}

/// The slots that have one of several values under a key.
fn any(at: &impl Lookup, key: &str, list: &Value) -> Bits {
    let mut found = Bits::default();
    if let Value::List(list) = list {
        list.iter().for_each(|it| add(at, key, it, &mut found));
    }
    found
}

/// The slots that have a key and another value under it.
fn other(at: &impl Lookup, key: &str, value: &Value) -> Bits {
    let first = Form::Number(Number::Fraction(f64::NEG_INFINITY));
    let last = Form::LongOther(Box::new([u8::MAX; 32]));
    let all = Range { low: Bound::Included(first), high: Bound::Included(last) };
    let mut found = within(at, key, all);
    if !planted("search.other_is_any") {
        found.drop_all(&having(at, key, value));
    }
    found
}

fn within(at: &impl Lookup, key: &str, range: Range) -> Bits {
    let mut found = Bits::default();
    at.between(key, range.low, range.high, &mut found);
    found
}

fn both(mut one: Bits, other: Bits) -> Bits {
    one.keep(&other);
    one
}

/// From one form to another.
#[derive(Clone)]
struct Range {
    low: Bound<Form>,
    high: Bound<Form>,
}

impl Range {
    /// What compares so with a value; of another kind is nothing.
    fn of(operator: &str, value: &Value) -> Range {
        let value = match value {
            Value::Int(whole) if planted("search.range_rounds") => &Value::Float(*whole as f64),
            value => value,
        };
        let (first, behind) = match value {
            Value::Int(_) | Value::Float(_) => {
                let number = |it| Form::Number(Number::Fraction(it));
                (number(f64::NEG_INFINITY), Bound::Included(number(f64::INFINITY)))
            }
            Value::Text(_) => {
                (Form::Text([].into(), None), Bound::Excluded(Form::Other("".into())))
            }
            _ => (form(value), Bound::Excluded(form(value))),
        };
        let (low, form) = (Bound::Included(first), form(value));
        match operator {
            ">" => Range { low: Bound::Excluded(form), high: behind },
            ">=" => Range { low: Bound::Included(form), high: behind },
            "<=" if !planted("search.at_most_is_below") => {
                Range { low, high: Bound::Included(form) }
            }
            _ => Range { low, high: Bound::Excluded(form) },
        }
    }

    /// What lies in both.
    fn cut(self, other: &Range) -> Range {
        let later = |one: Bound<Form>, other: &Bound<Form>| match (edge(&one), edge(other)) {
            (one_edge, other_edge) if other_edge > one_edge => other.clone(),
            _ => one,
        };
        let sooner = |one: Bound<Form>, other: &Bound<Form>| {
            // Of two at one place the one without it is the narrower.
            let ((one_at, one_out), (other_at, other_out)) = (edge(&one), edge(other));
            if (other_at, !other_out) < (one_at, !one_out) { other.clone() } else { one }
        };
        Range { low: later(self.low, &other.low), high: sooner(self.high, &other.high) }
    }
}

/// Where it is, and whether that place itself is left out.
fn edge(bound: &Bound<Form>) -> (Option<&Form>, bool) {
    match bound {
        Bound::Included(form) => (Some(form), false),
        Bound::Excluded(form) => (Some(form), true),
        Bound::Unbounded => (None, false),
    }
}

fn facet(key: &str, of: Of, form: Form) -> Facet {
    Facet { key: key.into(), of, form }
}

/// What a value is found by: its own form, and those of its elements.
pub(crate) fn forms(value: &Value) -> BTreeSet<(Of, Form)> {
    let mut all = BTreeSet::from([(Of::Value, form(value))]);
    if let Value::List(list) = value {
        all.extend(list.iter().map(|it| (Of::Element, form(it))));
    }
    all
}

impl Form {
    /// A text by its beginning alone.
    pub(crate) fn without_hash(self) -> Form {
        match self {
            Form::Text(start, _) => Form::Text(start, None),
            form => form,
        }
    }

    /// Bytes that it takes besides its own size.
    pub(crate) fn heap_bytes(&self) -> usize {
        match self {
            Form::Number(_) => 0,
            Form::Text(text, hash) => text.len() + hash.as_ref().map_or(0, |it| it.len()),
            Form::Other(json) => json.len(),
            Form::LongOther(hash) => hash.len(),
        }
    }
}

pub(crate) fn form(value: &Value) -> Form {
    match value {
        Value::Int(number) => Form::Number(Number::Whole(*number)),
        Value::Float(number) => Form::Number(Number::of(*number)),
        Value::Text(text) => {
            let long = text.len() > TEXT_BYTES_MAX;
            let start = &text.as_bytes()[..text.len().min(TEXT_BYTES_MAX)];
            Form::Text(start.into(), long.then(|| hash(text)))
        }
        other => {
            let json = unsigned(other).to_string();
            match json.len() <= TEXT_BYTES_MAX {
                true => Form::Other(json.into()),
                false => Form::LongOther(hash(&json)),
            }
        }
    }
}

fn hash(text: &str) -> Box<[u8; 32]> {
    Box::new(Hash::of(text.as_bytes()).0)
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
