//! The fields of an object, taken one by one, and what is wrong with them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value as Json};
use std::str::FromStr;

/// What is wrong with a value, before it is known where it stands.
pub(super) struct Invalid {
    pub(super) field: String,
    pub(super) why: String,
}

pub(super) fn invalid(field: impl Into<String>, why: impl ToString) -> Invalid {
    Invalid { field: field.into(), why: why.to_string() }
}

/// The fields of an object: each is taken once, and none may be left.
pub(super) struct Fields {
    pub(super) map: Map<String, Json>,
    pub(super) path: String,
}

impl Fields {
    pub(super) fn of(json: Json, path: &str) -> Result<Fields, Invalid> {
        match json {
            Json::Object(map) => Ok(Fields { map, path: format!("{path}.") }),
            _ => Err(invalid(path, "not an object")),
        }
    }

    pub(super) fn path(&self, name: &str) -> String {
        format!("{}{name}", self.path)
    }

    pub(super) fn maybe(&mut self, name: &str) -> Option<Json> {
        self.map.shift_remove(name)
    }

    pub(super) fn take(&mut self, name: &str) -> Result<Json, Invalid> {
        self.maybe(name).ok_or_else(|| invalid(self.path(name), "it is missing"))
    }

    pub(super) fn fields(&mut self, name: &str) -> Result<Fields, Invalid> {
        Fields::of(self.take(name)?, &self.path(name))
    }

    pub(super) fn text(&mut self, name: &str) -> Result<String, Invalid> {
        match self.take(name)? {
            Json::String(text) => Ok(text),
            _ => Err(invalid(self.path(name), "not a text")),
        }
    }

    pub(super) fn number(&mut self, name: &str) -> Result<u64, Invalid> {
        let number = self.take(name)?.as_u64();
        number.ok_or_else(|| invalid(self.path(name), "not a whole number"))
    }

    pub(super) fn id<T: FromStr>(&mut self, name: &str) -> Result<T, Invalid>
    where
        T::Err: std::fmt::Display,
    {
        let text = self.text(name)?;
        text.parse().map_err(|error| invalid(self.path(name), error))
    }

    pub(super) fn bytes(&mut self, name: &str) -> Result<Vec<u8>, Invalid> {
        let text = self.text(name)?;
        STANDARD.decode(text).map_err(|error| invalid(self.path(name), error))
    }

    pub(super) fn end(self) -> Result<(), Invalid> {
        match self.map.keys().next() {
            Some(name) => Err(invalid(self.path(name), "there is no such field")),
            None => Ok(()),
        }
    }
}
