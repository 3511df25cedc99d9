//! What crosses between Python and the host, as the interpreter holds it and as actors know it.

use monty_types::{
    DictPairs, ExcType, MontyClassInstance, MontyClassType, MontyException, MontyObject, MontyUuid,
};
use std::collections::BTreeMap;
use stoa_actors::code::{Item, Object, Raise};
use stoa_actors::value::{VALUE_DEPTH_MAX, Value};

/// The high half of every class's id. Handles are drawn by the host at random and never begin so.
const CLASS_TAG: u64 = 0x7374_6f61_0063_6c73;

/// What a list element or dict entry weighs besides its content.
const ENTRY_BYTES: usize = 8;

/// The built-in exception that stands in for `Conflict`: the interpreter has no classes of ours,
/// and without files nobody else raises this one.
pub(super) const CONFLICT: ExcType = ExcType::NotADirectoryError;

/// The name of [`CONFLICT`] to everybody else.
pub(super) const CONFLICT_NAME: &str = "Conflict";

/// The item as Python sees it.
pub(super) fn object(item: Item) -> MontyObject {
    match item {
        Item::Value(value) => plain(value),
        Item::Bytes(bytes) => MontyObject::Bytes(bytes),
        Item::List(items) => MontyObject::List(items.into_iter().map(object).collect()),
        Item::Map(pairs) => MontyObject::Dict(attributes(pairs)),
        Item::Object(Object { class, handle, fields }) => {
            instance(class, MontyUuid::from_u128(handle), attributes(fields))
        }
    }
}

/// An object of the host: methods and attributes it does not bring are asked for by its id.
pub(super) fn instance(class: String, id: MontyUuid, attrs: DictPairs) -> MontyObject {
    let class_type = MontyClassType {
        id: class_id(&class),
        name: class,
        host_defined: true,
        is_dataclass: false,
        attrs: DictPairs::default(),
    };
    MontyObject::ClassInstance(Box::new(MontyClassInstance { class_type, instance_id: id, attrs }))
}

/// One id per class name, so that `type(a) is type(b)` says what it should.
fn class_id(name: &str) -> MontyUuid {
    let low = super::dump::fingerprint(name.as_bytes());
    MontyUuid::from_u128(u128::from(CLASS_TAG) << 64 | u128::from(low))
}

/// Whether the id names a class of the host's objects, which nobody may call.
pub(super) fn is_class(id: MontyUuid) -> bool {
    handle(id) >> 64 == u128::from(CLASS_TAG)
}

/// The handle an instance was given.
pub(super) fn handle(id: MontyUuid) -> u128 {
    u128::from_be_bytes(*id.as_bytes())
}

fn attributes(pairs: Vec<(String, Item)>) -> DictPairs {
    pairs.into_iter().map(|(key, item)| (MontyObject::String(key), object(item))).collect()
}

fn plain(value: Value) -> MontyObject {
    match value {
        Value::Null => MontyObject::None,
        Value::Bool(truth) => MontyObject::Bool(truth),
        Value::Int(number) => MontyObject::Int(number),
        Value::Float(number) => MontyObject::Float(number),
        Value::Text(text) => MontyObject::String(text),
        Value::List(values) => MontyObject::List(values.into_iter().map(plain).collect()),
        Value::Map(map) => MontyObject::Dict(
            map.into_iter().map(|(key, value)| (MontyObject::String(key), plain(value))).collect(),
        ),
    }
}

/// The exception a raise becomes. Those that would end a loop or a process, and those Python does
/// not know, are a `RuntimeError` that says their name.
pub(super) fn exception(raise: Raise) -> MontyException {
    let Raise { class, message } = raise;
    if class == CONFLICT_NAME {
        return MontyException::new(CONFLICT, Some(message));
    }
    match class.parse::<ExcType>() {
        Ok(ExcType::SystemExit | ExcType::KeyboardInterrupt | ExcType::StopIteration) | Err(_) => {
            MontyException::new(ExcType::RuntimeError, Some(format!("{class}: {message}")))
        }
        Ok(known) => MontyException::new(known, Some(message)),
    }
}

/// Takes what the code passes to its host, and counts what it weighs.
pub(super) struct Taking {
    bytes_left: usize,
    bytes_max: usize,
}

impl Taking {
    pub(super) fn new(bytes_max: usize) -> Self {
        Self { bytes_left: bytes_max, bytes_max }
    }

    /// A positional argument.
    pub(super) fn argument(&mut self, object: MontyObject) -> Result<Item, MontyException> {
        self.item(object, VALUE_DEPTH_MAX)
    }

    /// A keyword argument.
    pub(super) fn keyword(
        &mut self,
        (key, object): (MontyObject, MontyObject),
    ) -> Result<(String, Item), MontyException> {
        Ok((self.key(key)?, self.argument(object)?))
    }

    fn item(&mut self, object: MontyObject, levels: usize) -> Result<Item, MontyException> {
        self.weigh(ENTRY_BYTES)?;
        Ok(match object {
            MontyObject::None => Item::Value(Value::Null),
            MontyObject::Bool(truth) => Item::Value(Value::Bool(truth)),
            MontyObject::Int(number) => Item::Value(Value::Int(number)),
            MontyObject::Float(number) if number.is_finite() => Item::Value(Value::Float(number)),
            MontyObject::Float(number) => {
                return Err(refuse(
                    ExcType::ValueError,
                    format!("{number} is not JSON; pass None or str(x)"),
                ));
            }
            MontyObject::BigInt(_) => {
                return Err(refuse(
                    ExcType::ValueError,
                    "an int beyond 64 bits cannot leave the sandbox; pass str(n)",
                ));
            }
            MontyObject::String(text) => {
                self.weigh(text.len())?;
                Item::Value(Value::Text(text))
            }
            MontyObject::Bytes(bytes) => {
                self.weigh(bytes.len())?;
                Item::Bytes(bytes)
            }
            MontyObject::List(objects)
            | MontyObject::Tuple(objects)
            | MontyObject::NamedTuple { values: objects, .. } => {
                let levels = deeper(levels)?;
                let items = objects.into_iter().map(|it| self.item(it, levels));
                list(items.collect::<Result<_, _>>()?)
            }
            MontyObject::Dict(pairs) => {
                let levels = deeper(levels)?;
                let pair = |(key, it)| Ok((self.key(key)?, self.item(it, levels)?));
                map(pairs.into_iter().map(pair).collect::<Result<_, MontyException>>()?)
            }
            MontyObject::ClassInstance(instance) if instance.class_type.host_defined => {
                // Its fields are the code's copy, which it may have changed.
                let MontyClassInstance { class_type, instance_id, .. } = *instance;
                let handle = handle(instance_id);
                Item::Object(Object { class: class_type.name, handle, fields: Vec::new() })
            }
            MontyObject::Cycle(..) => {
                return Err(refuse(ExcType::ValueError, "a list or dict contains itself"));
            }
            other => return Err(stays(&other)),
        })
    }

    fn key(&mut self, key: MontyObject) -> Result<String, MontyException> {
        match key {
            MontyObject::String(key) => {
                self.weigh(ENTRY_BYTES + key.len())?;
                Ok(key)
            }
            other => Err(refuse(
                ExcType::TypeError,
                format!("keys must be str to leave the sandbox, not {}", other.type_name()),
            )),
        }
    }

    fn weigh(&mut self, bytes: usize) -> Result<(), MontyException> {
        let left = self.bytes_left.checked_sub(bytes).ok_or_else(|| {
            let max = self.bytes_max;
            refuse(
                ExcType::ValueError,
                format!("the arguments are larger than call_bytes_max = {max}; pass less at once"),
            )
        })?;
        self.bytes_left = left;
        Ok(())
    }
}

fn refuse(class: ExcType, message: impl Into<String>) -> MontyException {
    MontyException::new(class, Some(message.into()))
}

fn deeper(levels: usize) -> Result<usize, MontyException> {
    levels.checked_sub(1).ok_or_else(|| {
        let message = format!("an argument nests deeper than {VALUE_DEPTH_MAX} levels; flatten it");
        refuse(ExcType::ValueError, message)
    })
}

fn stays(object: &MontyObject) -> MontyException {
    let hint = match object {
        MontyObject::Set(_) | MontyObject::FrozenSet(_) => "pass a list",
        MontyObject::Date(_) | MontyObject::DateTime(_) | MontyObject::Time(_) => {
            "pass x.isoformat()"
        }
        MontyObject::ClassInstance(_) => "pass its fields as a dict",
        _ => "pass None, bool, int, float, str, bytes, list, dict or an object you were given",
    };
    refuse(ExcType::TypeError, format!("{} cannot leave the sandbox; {hint}", object.type_name()))
}

/// A list as plain as it can be.
fn list(items: Vec<Item>) -> Item {
    if items.iter().all(|item| matches!(item, Item::Value(_))) {
        Item::Value(Value::List(items.into_iter().filter_map(value).collect()))
    } else {
        Item::List(items)
    }
}

/// A mapping as plain as it can be.
fn map(pairs: Vec<(String, Item)>) -> Item {
    if pairs.iter().all(|(_, item)| matches!(item, Item::Value(_))) {
        let pair = |(key, item)| Some((key, value(item)?));
        Item::Value(Value::Map(pairs.into_iter().filter_map(pair).collect::<BTreeMap<_, _>>()))
    } else {
        Item::Map(pairs)
    }
}

fn value(item: Item) -> Option<Value> {
    match item {
        Item::Value(value) => Some(value),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(object: MontyObject) -> Result<Item, String> {
        Taking::new(1 << 10).argument(object).map_err(|error| error.summary())
    }

    #[test]
    fn what_is_given_comes_back() {
        let atom = |fields| Item::Object(Object { class: "Atom".into(), handle: 7, fields });
        for item in [
            Item::Value(Value::Null),
            Item::Value(Value::List(vec![1.into(), "a".into()])),
            Item::Bytes(vec![1, 2]),
            Item::List(vec![atom(vec![]), Item::Value(true.into())]),
            Item::Map(vec![("b".into(), Item::Bytes(vec![])), ("a".into(), atom(vec![]))]),
        ] {
            assert_eq!(taken(object(item.clone())), Ok(item));
        }
        let rich = atom(vec![("id".into(), Item::Value("x".into()))]);
        assert_eq!(taken(object(rich)), Ok(atom(vec![])), "its fields are not the code's to say");
    }

    #[test]
    fn what_cannot_leave_is_a_python_error() {
        let nest = |n| (0..n).fold(MontyObject::None, |inner, _| MontyObject::List(vec![inner]));
        for (object, text) in [
            (MontyObject::Float(f64::NAN), "ValueError: NaN is not JSON"),
            (MontyObject::Set(vec![]), "TypeError: set cannot leave"),
            (MontyObject::Ellipsis, "TypeError: ellipsis cannot leave"),
            (MontyObject::String("x".repeat(2000)), "ValueError: the arguments are larger"),
            (nest(VALUE_DEPTH_MAX + 1), "ValueError: an argument nests deeper"),
            (
                MontyObject::dict(vec![(MontyObject::Int(1), MontyObject::None)]),
                "TypeError: keys must be str",
            ),
        ] {
            let refused = taken(object).unwrap_err();
            assert!(refused.starts_with(text), "{refused}");
        }
        assert!(taken(nest(VALUE_DEPTH_MAX)).is_ok());
    }

    #[test]
    fn raises_keep_their_class_where_python_has_it() {
        let raised = |class: &str| {
            let raise = Raise { class: class.into(), message: "m".into() };
            exception(raise).summary()
        };
        assert_eq!(raised("PermissionError"), "PermissionError: m");
        assert_eq!(raised("Conflict"), format!("{CONFLICT}: m"));
        assert_eq!(raised("Nonsense"), "RuntimeError: Nonsense: m");
        assert_eq!(raised("StopIteration"), "RuntimeError: StopIteration: m");
    }
}
