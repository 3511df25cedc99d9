//! Subscriptions as data, from the command line and from code.

use super::harness::{Ended, Place};
use super::keys;
use serde_json::{Value, json};

const CARD: &str = "id space name subscriber types metadata references cursor behind debounce_ms \
                    until";

fn ids(changes: &[Value]) -> Vec<&str> {
    changes.iter().filter_map(|it| it["refs"]["atom_id"].as_str()).collect()
}

#[test]
fn a_subscription_tells_each_change_once_whatever_comes_in_between() {
    let place = Place::new();
    place.json(&["space", "create", "board"]);
    for name in ["ann", "bob"] {
        place.json(&["grant", "board", name, "write"]);
    }
    let put = |args: &[&str]| {
        let put = place.json(&[&["put", "board", "--as", "bob"], args].concat()).remove(0);
        put["id"].as_str().expect("an id").to_owned()
    };
    let question = put(&["what is it?"]);
    let about = format!("answers={question}");
    let add = ["subscription", "add", "board", "--as", "ann", "--type", "atom.put"];
    let card = place.json(&[&add[..], &["--ref", &about, "--expires", "1h"]].concat()).remove(0);
    assert_eq!(keys(&card), CARD.replace("references", "references(answers)"));
    let id = card["id"].as_str().expect("an id");
    let read =
        |more: &[&str]| place.json(&[&["subscription", "read", id, "--as", "ann"], more].concat());
    assert_eq!(read(&[]), Vec::<Value>::new(), "nothing is new");
    put(&["not an answer"]);
    let answers: Vec<String> =
        (0..3).map(|n| put(&[&format!("it is {n}"), "--ref", &about])).collect();
    place.json(&["put", "board", "mine", "--as", "ann", "--ref", &about]);
    // Read again until it is acknowledged; a page ends with its cursor.
    for _ in 0..2 {
        let page = read(&["--limit", "2"]);
        assert_eq!(ids(&page), [&answers[0], &answers[1]]);
        assert_eq!(keys(page.last().expect("the cursor")), "read cursor");
    }
    assert_eq!(ids(&read(&["--limit", "2", "--ack"])), [&answers[0], &answers[1]]);
    assert_eq!(ids(&read(&["--ack"])), [&answers[2]]);
    assert_eq!(ids(&read(&[])), Vec::<&str>::new());
    // From the beginning, and everything, as one line.
    let edit = ["subscription", "edit", id, "--as", "ann", "--cursor", "0"];
    let card = place.json(&[&edit[..], &["--everything", "--forever"]].concat()).remove(0);
    assert_eq!((&card["until"], &card["cursor"]), (&Value::Null, &0.into()));
    // What is not named stays, part by part.
    let edited = |more: &[&str]| {
        let edit = ["subscription", "edit", id, "--as", "ann"];
        place.json(&[&edit[..], more].concat()).remove(0)
    };
    edited(&["--type", "atom.put"]);
    let card = edited(&["--meta", "n>=3"]);
    assert_eq!(
        (&card["types"], &card["metadata"]),
        (&json!(["atom.put"]), &json!({"n": {">=": 3}}))
    );
    edited(&["--everything"]);
    let lag = read(&["--lag-max", "4"]);
    assert_eq!(keys(&lag[0]), "skipped first last comments");
    let all = read(&[]);
    let others = all.len() as u64 - 1;
    assert_eq!(lag[0]["skipped"], others, "what the marker covers is what is read without it");
    assert_eq!(lag[1]["cursor"], all.last().expect("the cursor")["cursor"]);
    assert_eq!(
        (&lag[0]["first"], &lag[0]["last"]),
        (&all[0]["cursor"], &all[others as usize - 1]["cursor"])
    );
    let listed = place.json(&["subscription", "list", "--as", "ann"]);
    assert_eq!(listed.iter().map(|it| it["id"].as_str()).collect::<Vec<_>>(), [Some(id)]);
    for (args, said) in [
        (&["read", id][..], "no subscription"),
        (&["edit", id, "--as", "ann"], "nothing to change is given"),
        (&["edit", id, "--as", "ann", "--cursor", "100000"], "ahead of the log"),
        (&["add", "board", "--debounce", "2 days"], "not a time"),
        (&["add", "board", "--debounce", "100d"], "the debounce takes"),
        (&["add", "board", "--expires", "106751991167d"], "too far in the future"),
        (&["add", "board", "--cursor", "100000"], "ahead of the log"),
        (&["add", "nowhere"], "no space"),
        (&["remove", "board"], "is not a subscription"),
        (&["ack", id, "100000", "--as", "ann"], "ahead of the log"),
        (&["list", "--agent", "nobody"], "no agent"),
    ] {
        let ended = place.stoa(&[&["subscription"], args].concat());
        assert!(ended.code != 0 && ended.err.contains(said), "{args:?}: {}", ended.err);
        assert!(ended.err.contains("hint: "), "{args:?}: {}", ended.err);
    }
    // A range is a condition here as well.
    let urgent = ["subscription", "add", "board", "--as", "ann", "--meta", "n>=3"];
    let urgent = place.json(&urgent).remove(0);
    assert_eq!(urgent["metadata"], json!({"n": {">=": 3}}));
    let ids = |of: &Value| of["id"].as_str().map(str::to_owned).expect("an id");
    put(&["low", "--meta", "n=2"]);
    let high = put(&["high", "--meta", "n=3"]);
    let page = place.json(&["subscription", "read", &ids(&urgent), "--as", "ann"]);
    assert_eq!(page[0]["refs"]["atom_id"], json!(high), "{page:?}");
    assert_eq!(page.len(), 2, "and the cursor");
    place.json(&["subscription", "remove", id, "--as", "ann"]);
    let gone = place.stoa(&["subscription", "read", id, "--as", "ann"]);
    assert_eq!((gone.code, gone.err.contains("no subscription")), (3, true), "{}", gone.err);
}

const CODE: &str = r#"
id = space.subscribe(metadata={"kind": "task"}, debounce="2s", expires="1h", cursor=0)
listed = space.subscriptions()
assert [it["id"] for it in listed] == [id], listed
assert (listed[0]["debounce_ms"], listed[0]["metadata"]) == (2000, {"kind": "task"}), listed
news = space.pull(id, limit=1)
assert [it["type"] for it in news["changes"]] == ["atom.put"] and news["skipped"] is None, news
assert space.ack(id, news["cursor"])["cursor"] == news["cursor"]
assert space.pull(id, lag_max=0)["skipped"]["count"] == 1
edited = space.edit_subscription(id, expires=None, references={"after": []})
assert edited["until"] is None and edited["references"] == {"after": []}, edited
assert edited["metadata"] == {}, "what is of interest is said as a whole"
assert space.pull(id)["changes"] == []
for wrong in [{"debounce": "soon"}, {"expires": 0}, {"cursor": 10**9}, {"types": "atom.put"}]:
    try:
        space.subscribe(**wrong)
        print("taken:", wrong)
    except (ValueError, TypeError) as error:
        pass
space.unsubscribe(id)
try:
    space.pull(id)
except LookupError as error:
    print(str(error)[:15])
"#;

#[test]
fn code_subscribes_on_terms() {
    let place = Place::new();
    place.json(&["space", "create", "board"]);
    for text in ["one", "two"] {
        place.json(&["put", "board", text, "--meta", "kind=task"]);
    }
    place.file("subscribe.py", CODE);
    let exec = ["exec", "subscribe.py", "--spaces", "board=write", "--session", "keeper"];
    let ended = place.stoa(&exec);
    assert_eq!((ended.code, &*ended.err), (0, ""), "{}", ended.out);
    assert_eq!(ended.out, "no subscription\n");
}

/// Found with one reader that took all places of a space, and kept them after its right was gone.
#[test]
fn who_may_grant_sees_and_ends_the_subscriptions_of_others() {
    let place = Place::new();
    place.json(&["space", "create", "board"]);
    for who in ["ann", "bob"] {
        place.json(&["grant", "board", who, "read"]);
    }
    place.json(&["grant", "board", "eve", "grant"]);
    let serve = place.serve();
    let add = |who: &str| place.stoa(&["subscription", "add", "board", "--as", who, "--json"]);
    let id = |ended: &Ended| ended.lines()[0]["id"].as_str().unwrap().to_owned();
    let first = id(&add("ann"));
    for n in 1..100 {
        assert_eq!(add("ann").code, 0, "{n}");
    }
    let refused = add("ann");
    assert_eq!(refused.code, 2, "{}", refused.err);
    let says = "your subscriptions in the space";
    assert!(refused.err.contains(says) && refused.err.contains("100"), "{}", refused.err);
    let hint = "\"hint\":\"stoa --data data --as ann subscription list\"";
    assert!(refused.err.contains(hint), "{}", refused.err);
    let other = id(&add("bob"));
    let all = |who: &[&str]| {
        let list = ["subscription", "list", "--all", "--space", "board"];
        place.json(&[&list[..], who].concat()).len()
    };
    assert_eq!((all(&[]), all(&["--as", "eve"])), (101, 101));
    let refused = place.stoa(&["subscription", "list", "--all", "--space", "board", "--as", "bob"]);
    assert_eq!(refused.code, 4, "{}", refused.err);
    let refused = place.stoa(&["subscription", "remove", &first, "--as", "bob"]);
    assert_eq!(refused.code, 3, "{}", refused.err);
    place.json(&["subscription", "remove", &first, "--as", "eve"]);
    assert_eq!(all(&[]), 100);
    assert_eq!(add("ann").code, 0, "there is room again");
    place.json(&["revoke", "board", "ann"]);
    assert_eq!(all(&[]), 1, "they end with the right");
    let shown = place.json(&["space", "show", "board"]);
    assert_eq!(shown[0]["subscriptions"], 1);
    // Given again, the right is not the one they rested on.
    place.json(&["grant", "board", "ann", "read"]);
    assert_eq!(place.json(&["subscription", "list", "--as", "ann"]).len(), 0);
    place.json(&["subscription", "remove", &other]);
    assert_eq!(all(&[]), 0);
    drop(serve);
    assert_eq!(place.json(&["audit"])[0]["breaches"], serde_json::json!([]));
}
