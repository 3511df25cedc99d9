//! Two encodings that differ have two digests.

use super::*;
use std::collections::BTreeMap;

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
    let numbers = [-32_769, -32_768, -257, -256, -129, -128, -1, 1, 127, 128, 255, 256, 32_768];
    for (n, one) in numbers.iter().enumerate() {
        assert!(numbers[n + 1..].iter().all(|other| of(one) != of(other)), "{one}");
    }
    assert_ne!(digest(1, "a").unwrap(), digest(2, "a").unwrap(), "a form is part of it");
}

/// A digest that is stored is compared with for ever.
#[test]
fn the_digest_of_form_1_is_what_it_was() {
    let known = of((draft("dig", Some(3)), -7i32, vec![1.5f64], 'x', true));
    assert_eq!(known.to_string(), KNOWN);
}

const KNOWN: &str = "be1d957ab3b778f099da46654c39a51469ad69b46bf3125c9830314a86e3d343";
