//! What holds for everything that code can call.

use super::methods;
use crate::session::{Does, Method, On};
use stoa_actors::code::{HostCall, Item};
use stoa_actors::value::Value;

fn method(on: On, name: &str) -> &'static Method {
    let found = methods().find(|it| it.on == on && it.name == name);
    found.unwrap_or_else(|| panic!("there is no {name}"))
}

/// A turn that only looks is one in which nothing happened.
#[test]
fn what_only_looks_is_no_write() {
    for name in ["get", "search", "read", "references", "history", "leases", "pull", "diff"] {
        assert_ne!(method(On::Space, name).does, Does::Writes, "{name}");
    }
    for name in ["agents", "space"] {
        assert_ne!(method(On::Coordinator, name).does, Does::Writes, "{name}");
    }
    assert_eq!(method(On::Space, "put").does, Does::Writes);
    assert_eq!(method(On::Space, "ack").does, Does::Writes);
    assert_eq!(method(On::Coordinator, "create_space").does, Does::Writes);
}

#[test]
fn an_older_version_is_no_base_for_a_change() {
    let is_base = |name: &str, args: usize, kwargs: &[&str]| {
        let nothing = || Item::Value(Value::Null);
        method(On::Space, name).is_base(&HostCall {
            on: Some(7),
            name: name.into(),
            args: (0..args).map(|_| nothing()).collect(),
            kwargs: kwargs.iter().map(|it| ((*it).to_owned(), nothing())).collect(),
        })
    };
    assert!(is_base("get", 1, &[]) && is_base("search", 1, &["limit"]));
    for (name, args, kwargs) in [
        ("get", 2, &[][..]),
        ("get", 1, &["version"]),
        ("get", 1, &["as_of"]),
        ("search", 0, &["as_of"]),
        ("search", 8, &[]),
        ("diff", 1, &[]),
    ] {
        assert!(!is_base(name, args, kwargs), "{name} {args} {kwargs:?}");
    }
}

#[test]
fn each_method_has_one_name_and_takes_each_argument_once() {
    let mut names: Vec<_> = methods().map(|it| (it.on == On::Space, it.name)).collect();
    let all = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), all);
    for method in methods() {
        let mut takes: Vec<&str> = method.names().collect();
        takes.sort_unstable();
        takes.dedup();
        assert_eq!(takes.len(), method.takes.len(), "{}", method.signature());
    }
}
