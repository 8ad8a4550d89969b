//! A village's box is stolen: revoked above, replaced by a new one that goes on from the last backup under
//! a key of its own, and shut out everywhere. A village that changes its key loses nothing either.

use crate::process::{Node, done, node, text, until};
use serde_json::json;

fn register(node: &Node, body: &str) -> String {
    node.post("/matters", &json!({"body": body}))["number"].as_str().unwrap().to_owned()
}

const CODE: &str = "510113106204";

/// A token for the village in the place of its old key.
fn replacing(town: &Node) -> String {
    let body = json!({
        "code": CODE, "name": "芦稿村", "level": "village", "address": town.link.to_string(), "replace": true,
    });
    town.post("/places/invites", &body)["token"].as_str().unwrap().to_owned()
}

/// The titles of the matters a node shows.
fn titles(node: &Node) -> Vec<String> {
    let list = node.call("GET", "/matters?limit=200", None).unwrap();
    let titles = list["items"].as_array().unwrap().iter().map(|m| m["title"].as_str().unwrap().to_owned());
    let mut titles: Vec<String> = titles.collect();
    titles.sort();
    titles
}

#[test]
fn a_stolen_village_box_is_replaced_and_gets_in_nowhere() {
    let root = tempfile::tempdir().unwrap();
    let mut town = Node::root(root.path().join("town"));
    town.start();
    let dir = root.path().join("village");
    done(&["join", &town.invitation(), "--dir", text(&dir)]);
    let mut village = Node::at(dir);
    village.start();
    register(&village, "被盗以前的第一件");
    let backup = root.path().join("village.backup");
    done(&["backup", text(&village.dir), text(&backup)]);
    register(&village, "被盗以前的第二件");
    until("the town has both", || village.waiting() == Some(0) && titles(&town).len() == 2);
    village.kill();

    // The town revokes it and gives the new box an invitation in its place.
    town.post(&format!("/places/{CODE}/revoke"), &json!({"reason": "机器被盗"}));
    // The backup comes to the new box and goes on under a key of its own.
    let dir = root.path().join("new-box");
    done(&["restore", text(&backup), "--dir", text(&dir)]);
    done(&["rotate", &replacing(&town), "--dir", text(&dir)]);
    let mut replaced = Node::at(dir);
    replaced.start();
    until("what the town had is on the new box", || titles(&replaced).len() == 2);
    assert_eq!(titles(&replaced), ["被盗以前的第一件", "被盗以前的第二件"]);
    register(&replaced, "新机器上的第一件");
    until("and it goes on from there", || replaced.waiting() == Some(0) && titles(&town).len() == 3);

    // The thief starts the stolen box, and one restored from its backup: neither gets in, nothing they
    // write is seen anywhere.
    let stolen_dir = root.path().join("restored");
    done(&["restore", text(&backup), "--dir", text(&stolen_dir)]);
    for stolen in [village.dir.clone(), stolen_dir] {
        let mut stolen = Node::at(stolen);
        // Before it hears that another box has the village: after that the honest program writes nothing.
        town.kill();
        stolen.start();
        register(&stolen, "小偷写的");
        town.start();
        stolen.dial_now();
        until("it is refused", || {
            let link = stolen.call("GET", "/link", None).unwrap();
            link.pointer("/up/state").and_then(serde_json::Value::as_str) == Some("refused")
        });
        assert!(stolen.waiting().is_some_and(|rows| rows > 0), "nothing of it went up");
        let words = node(&["doctor", "--dir", text(&stolen.dir)]);
        assert_eq!(words.status.code(), Some(23), "{}", String::from_utf8_lossy(&words.stdout));
        stolen.kill();
    }
    assert_eq!((titles(&town).len(), titles(&replaced).len()), (3, 3));
    town.kill();
    replaced.kill();
    for dir in [&town.dir, &replaced.dir] {
        let words = node(&["verify", text(dir)]);
        assert!(words.status.success(), "{}", String::from_utf8_lossy(&words.stdout));
    }
}

#[test]
fn a_village_gets_a_new_key_and_loses_nothing() {
    let root = tempfile::tempdir().unwrap();
    let mut town = Node::root(root.path().join("town"));
    town.start();
    let dir = root.path().join("village");
    done(&["join", &town.invitation(), "--dir", text(&dir)]);
    let mut village = Node::at(dir);
    village.start();
    let petitioner = json!({"kind": "named", "name": "王秀英"});
    let made = village.post("/matters", &json!({"body": "换钥匙以前写的", "petitioner": petitioner}));
    let path = format!("/matters/{}/petitioner", made["id"].as_str().unwrap());
    until("it is stored", || village.waiting() == Some(0));
    village.kill();
    // Somebody else's invitation does not do.
    let other = json!({"code": "510113106205", "name": "杏花村", "level": "village", "address": town.link.to_string()});
    let other = town.post("/places/invites", &other)["token"].as_str().unwrap().to_owned();
    let refused = node(&["rotate", &other, "--dir", text(&village.dir)]);
    assert_eq!(refused.status.code(), Some(25), "{}", String::from_utf8_lossy(&refused.stderr));
    let token = replacing(&town);
    done(&["rotate", &token, "--dir", text(&village.dir)]);
    village.start();
    assert_eq!(village.call("GET", &path, None).unwrap()["name"], json!("王秀英"), "sealed for the old key");
    register(&village, "换钥匙以后写的");
    until("the town has both", || village.waiting() == Some(0) && titles(&town).len() == 2);
    let places = titles(&town);
    assert_eq!(places, ["换钥匙以前写的", "换钥匙以后写的"]);
    village.kill();
    town.kill();
    let report = node(&["audit", "--json", text(root.path())]);
    assert!(report.status.success(), "{}", String::from_utf8_lossy(&report.stdout));
    for dir in [&town.dir, &village.dir] {
        let words = node(&["verify", text(dir)]);
        assert!(words.status.success(), "{}", String::from_utf8_lossy(&words.stdout));
    }
}
