//! What each operation says that it takes is what it takes: with the level below it is refused, and
//! with this one it is not.

use super::harness::Place;
use stoa::operation::RequiredRight;
use stoa::operations::TABLE;
use stoa_actors::rights::Level;

/// What is typed to see whether it is allowed; of a space `s`, an atom ATOM of somebody else, a
/// session ANN and a lease of the one who types.
fn typed(name: &str) -> Option<Vec<&'static str>> {
    Some(match name {
        "space describe" => vec!["s", "anew"],
        "grant" => vec!["s", "ANN", "read"],
        "revoke" => vec!["s", "ANN"],
        "put" => vec!["s", "x"],
        "get" | "diff" | "waits" | "why" => vec!["ATOM"],
        "update" => vec!["ATOM", "x", "--force"],
        "deprecate" => vec!["ATOM", "--force"],
        "transaction" => vec!["s", "changes.jsonl"],
        "claim" => vec!["s", "--meta", "status=open"],
        "lease acquire" => vec!["s", "a name"],
        "lease watch" => vec!["s", "--no-follow"],
        "space show" | "search" | "lease list" | "subscription add" | "export" => vec!["s"],
        // They are about a lease or an atom of one's own, which it took a level to come by.
        "erase" | "lease renew" | "lease release" | "import piece" => return None,
        other => panic!("{other} takes a level, and is not tried"),
    })
}

fn below(level: Level) -> Option<Level> {
    Level::ALL.into_iter().rev().find(|it| *it < level)
}

#[test]
fn an_operation_takes_the_level_that_it_says() {
    let mut wrong = Vec::new();
    for entry in TABLE {
        let RequiredRight::On(level) = entry.right else { continue };
        let Some(args) = typed(entry.name) else { continue };
        let place = Place::new();
        place.json(&["space", "create", "s"]);
        let put = place.json(&["put", "s", "there", "--meta", "status=open"]);
        let atom = put[0]["id"].as_str().unwrap().to_owned();
        place.json(&["update", &atom, "again", "--force"]);
        let ann = place.json(&["grant", "s", "ann", "read"]);
        let ann = ann[0]["session"].as_str().unwrap().to_owned();
        place.file("changes.jsonl", "{\"put\": \"x\"}\n");
        place.json(&["space", "create", "other"]);
        let tried = |who: &str| {
            let mut line: Vec<&str> = entry.name.split(' ').collect();
            line.extend(args.iter().map(|it| match *it {
                "ATOM" => &*atom,
                "ANN" => &*ann,
                word => word,
            }));
            place.stoa(&[&line[..], &["--as", who]].concat())
        };
        place.json(&["grant", "other", "low", "read"]);
        if let Some(below) = below(level) {
            place.json(&["grant", "s", "low", &below.to_string()]);
        }
        let refused = tried("low");
        if refused.code != if below(level).is_some() { 4 } else { 3 } {
            wrong.push(format!("{} below {level}: {refused:?}", entry.name));
        }
        place.json(&["grant", "s", "high", &level.to_string()]);
        let allowed = tried("high");
        if allowed.code != 0 {
            wrong.push(format!("{} at {level}: {allowed:?}", entry.name));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
