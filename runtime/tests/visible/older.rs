//! Who has failed is listed in a derived table: a directory that was written before there was one gets
//! it, and it can be made anew.

use super::harness::Place;
use super::recipe;

fn failing(place: &Place) -> serde_json::Value {
    place.json(&["status"])[0]["failing"][0]["name"].clone()
}

#[test]
fn a_directory_without_the_list_gets_it_and_the_doctor_makes_it_anew() {
    let place = Place::new();
    recipe(&place, "how", "if not wakes:\n    raise ValueError('once')");
    let spawn = ["spawn", "work", "--name", "w1", "--instructions", "how"];
    let spawned = place.stoa(&spawn);
    assert_eq!(spawned.code, 7, "{spawned:?}");
    assert_eq!(failing(&place), "w1");
    let (mut rows, directory) = (0, place.path("data"));
    {
        let db = fjall::Database::builder(directory.join("db")).open().unwrap();
        let own = db.keyspace("own", fjall::KeyspaceCreateOptions::default).unwrap();
        let keys: Vec<_> = own.prefix(b"session\0failed").map(|it| it.key().unwrap()).collect();
        for key in keys {
            own.remove(key).unwrap();
            rows += 1;
        }
        let meta = db.keyspace("meta", fjall::KeyspaceCreateOptions::default).unwrap();
        meta.remove("failures").unwrap();
        db.persist(fjall::PersistMode::SyncAll).unwrap();
    }
    assert_eq!(rows, 1, "one agent has failed");
    assert_eq!(failing(&place), "w1", "and it is listed again");
    assert_eq!(place.json(&["audit"])[0]["breaches"], serde_json::json!([]));
    place.json(&["doctor"]);
    assert_eq!(failing(&place), "w1");
}
