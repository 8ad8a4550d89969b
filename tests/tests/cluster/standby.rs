//! A second machine follows a place by its backups and takes over by the parent's word; the first one, when it
//! hears of that, writes nothing more and serves nobody, and keeps what it has.

use crate::process::{Node, done, node, text, until};
use serde_json::{Value, json};
use std::path::Path;

const TOWN: &str = "510113106000";
const VILLAGE: &str = "510113106204";

/// Exit status and words of a command.
fn said(args: &[&str]) -> (i32, String) {
    let output = node(args);
    let words = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap(), String::from_utf8_lossy(&words).into_owned())
}

/// The parent's word that a standby of that place may take over.
fn activate(parent: &Node, code: &str) -> String {
    let body = json!({"code": code, "address": parent.link.to_string(), "takeover": true});
    parent.post("/places/invites", &body)["token"].as_str().unwrap().to_owned()
}

fn backup(node: &Node, to: &Path) {
    done(&["backup", text(&node.dir), text(to)]);
}

fn active(node: &Node) -> bool {
    node.call("GET", "/node", None).unwrap()["active"].as_bool().unwrap()
}

fn numbers(node: &Node) -> Vec<String> {
    let list = node.call("GET", "/matters?limit=200", None).unwrap();
    list["items"].as_array().unwrap().iter().map(|m| m["number"].as_str().unwrap().to_owned()).collect()
}

/// It refuses to write, in words that say what to do.
fn writes_nothing(node: &Node) {
    let before = node.titles().len();
    for (path, body) in [
        ("/matters", json!({"body": "接管以后在旧机器上写的"})),
        (
            "/places/invites",
            json!({"code": "510113106205", "name": "杏花村", "level": "village", "here": true,
            "address": "127.0.0.1:1"}),
        ),
    ] {
        let refused = node.call("POST", path, Some(&body)).unwrap_err();
        assert!(refused.contains(" 403 ") && refused.contains("stood_down"), "{path}: {refused}");
        assert!(refused.contains("Work on the new machine"), "{path}: {refused}");
    }
    assert_eq!(node.titles().len(), before);
}

fn verified(dirs: &[&Path]) {
    for dir in dirs {
        let (code, words) = said(&["verify", text(dir)]);
        assert_eq!(code, 0, "{words}");
    }
}

#[test]
fn a_standby_follows_takes_over_and_the_old_box_writes_nothing_more() {
    let root = tempfile::tempdir().unwrap();
    let mut town = Node::root(root.path().join("town"));
    town.start();
    let used = town.invitation();
    let mut village = Node::joined(root.path().join("village"), &used);
    village.raise("第一件");
    until("it is folded", || village.titles().len() == 1);
    let (first, second) = (root.path().join("first.backup"), root.path().join("second.backup"));
    backup(&village, &first);

    // The standby follows; it is no node and cannot be made one by mistake.
    let dir = root.path().join("standby");
    let (code, words) = said(&["standby", text(&dir)]);
    assert!(code == 11 && words.contains("holds no standby"), "{code} {words}");
    let (code, words) = said(&["standby", text(&dir), "--from", text(&first)]);
    assert!(code == 0 && words.contains("芦稿村的备用机"), "{code} {words}");
    for args in [&["run"][..], &["join", &used], &["restore", text(&first)], &["rotate", &used]] {
        let (code, words) = said(&[args, &["--dir", text(&dir)]].concat());
        assert!(code == 11 && words.contains("holds a standby"), "{args:?}: {code} {words}");
    }
    village.raise("第二件");
    until("the town has both", || village.waiting() == Some(0) && village.titles().len() == 2);
    backup(&village, &second);
    done(&["standby", text(&dir), "--from", text(&second)]);
    let (_, told) = said(&["standby", text(&dir), "--json"]);
    let told: Value = serde_json::from_str(&told).unwrap();
    assert_eq!((told["state"].as_str(), told["name"].as_str()), (Some("standby"), Some("芦稿村")));
    assert!(told["behind_ms"].as_u64().unwrap() < 600_000, "{told}");
    // Never back, never another's, never what is no whole backup.
    let (code, words) = said(&["standby", text(&dir), "--from", text(&first)]);
    assert!(code == 43 && words.contains("Use a newer backup"), "{code} {words}");
    let other = root.path().join("town.backup");
    backup(&town, &other);
    assert_eq!(said(&["standby", text(&dir), "--from", text(&other)]).0, 25);
    let torn = root.path().join("torn.backup");
    std::fs::write(&torn, &std::fs::read(&second).unwrap()[..8_192]).unwrap();
    assert_eq!(said(&["standby", text(&dir), "--from", text(&torn)]).0, 42);
    assert_eq!(
        serde_json::from_str::<Value>(&said(&["standby", text(&dir), "--json"]).1).unwrap()["as_of"],
        told["as_of"]
    );

    // After the last backup one more matter goes up, and one does not.
    village.raise("备份以后送到的");
    until("the town has it", || village.waiting() == Some(0) && town.titles().len() == 3);
    town.kill();
    village.raise("没有送到的");
    until("it is folded", || village.titles().len() == 4);
    village.kill();

    // Without the parent nothing happens, and the standby stays one.
    town.start();
    assert!(
        town.call(
            "POST",
            "/places/invites",
            Some(&json!({"code": "510113106205", "name": "杏花村",
        "level": "village", "here": true, "takeover": true, "address": "127.0.0.1:1"}))
        )
        .unwrap_err()
        .contains("unknown_place")
    );
    let token = activate(&town, VILLAGE);
    town.kill();
    let (code, words) = said(&["takeover", &token, "--dir", text(&dir)]);
    assert!(code == 22 && words.contains("没有应答") && words.contains("还有效"), "{code} {words}");
    let (code, words) = said(&["takeover", &token[..token.len() - 3], "--dir", text(&dir)]);
    assert!(code == 20 && words.contains("抄错了"), "{code} {words}");
    let nothing = root.path().join("nothing");
    let (code, words) = said(&["takeover", &token, "--dir", text(&nothing)]);
    assert!(code == 11 && words.contains("没有备用机") && !nothing.exists(), "{code} {words}");
    assert_eq!(said(&["standby", text(&dir)]).0, 0);
    town.start();
    std::fs::copy(dir.join("standby.db"), root.path().join("kept.db")).unwrap();
    done(&["takeover", &token, "--dir", text(&dir)]);
    assert!(!dir.join("standby.db").exists() && !dir.join("takeover").exists());
    // As if it had been killed with the parent's answer stored and the node not yet in its place.
    std::fs::create_dir(dir.join("takeover")).unwrap();
    for file in std::fs::read_dir(&dir).unwrap().map(|file| file.unwrap().file_name()) {
        if file != "takeover" {
            std::fs::rename(dir.join(&file), dir.join("takeover").join(&file)).unwrap();
        }
    }
    std::fs::rename(root.path().join("kept.db"), dir.join("standby.db")).unwrap();
    std::fs::write(dir.join("yishi.db-wal"), "another database's").unwrap();
    done(&["takeover", &token, "--dir", text(&dir)]);
    assert!(!dir.join("standby.db").exists() && !dir.join("takeover").exists());
    assert!(!dir.join("yishi.db-wal").exists());
    let mut taken = Node::at(dir);
    taken.start();
    until("what the town had is here", || taken.titles().len() == 3);
    taken.raise("新机器上写的");
    taken.raise("新机器上又写的");
    until("and it goes on", || taken.waiting() == Some(0) && town.titles().len() == 5);
    assert!(active(&taken) && active(&town));
    let path = taken.call("GET", "/node", None).unwrap()["place"]["path"].as_str().unwrap().to_owned();
    assert!(path.ends_with("芦稿村"), "its name stays: {path}");
    // The word was good once.
    let again = root.path().join("again");
    done(&["standby", text(&again), "--from", text(&second)]);
    let (code, words) = said(&["takeover", &token, "--dir", text(&again)]);
    assert!(code == 21 && words.contains("已经用过") && words.contains("place activate"), "{code} {words}");
    assert_eq!(said(&["standby", text(&again)]).0, 0);

    // The old box comes back with what it had not delivered.
    village.start();
    until("it learns that it was taken over", || !active(&village));
    writes_nothing(&village);
    assert!(village.titles().contains(&"没有送到的".to_owned()), "kept there to be read");
    until("it is refused", || village.above().0 == "refused");
    assert_eq!((taken.titles().len(), town.titles().len()), (5, 5));
    let own = numbers(&taken);
    let only_there: Vec<String> = numbers(&village).into_iter().filter(|n| !own.contains(n)).collect();
    assert_eq!(only_there.len(), 1, "no number was given out twice: {own:?}");
    let alone = village.call("GET", "/link", None).unwrap();
    assert_eq!((alone["active"].as_bool(), alone["only_here_documents"].as_u64()), (Some(false), Some(1)));
    assert_eq!(alone["only_here"][0]["number"].as_str(), Some(only_there[0].as_str()));
    let listed = |village: &Node| {
        let (code, words) = said(&["doctor", "--dir", text(&village.dir)]);
        assert!(code == 23 && words.contains("另一台机器接管"), "{code} {words}");
        assert!(words.contains("1 件有没送到上级的内容") && words.contains(&only_there[0]), "{words}");
    };
    listed(&village);
    // It remembers, also where nobody answers.
    village.kill();
    listed(&village);
    town.kill();
    village.start();
    assert!(!active(&village));
    writes_nothing(&village);
    village.kill();
    // The standby goes on by the backups of the active one; those of the old box are told apart.
    for (at, box_, stood_down) in [("old.backup", &village, true), ("new.backup", &taken, false)] {
        let file = root.path().join(at);
        backup(box_, &file);
        done(&["standby", text(&again), "--from", text(&file)]);
        let told: Value = serde_json::from_str(&said(&["standby", text(&again), "--json"]).1).unwrap();
        assert_eq!(told["stood_down"].as_bool(), Some(stood_down), "{at}: {told}");
    }

    // The parent gives the place back to the old box, and what only that had goes up.
    town.start();
    let back = activate(&town, VILLAGE);
    taken.raise("新机器最后写的");
    until("the town has it", || taken.waiting() == Some(0) && town.titles().len() == 6);
    done(&["takeover", &back, "--dir", text(&village.dir)]);
    village.start();
    until("nothing is lost", || {
        village.waiting() == Some(0) && village.titles().len() == 7 && town.titles().len() == 7
    });
    assert!(town.titles().contains(&"没有送到的".to_owned()) && active(&village));
    until("the other one has heard", || !active(&taken));
    writes_nothing(&taken);
    village.raise("旧机器回来以后写的");
    until("and it goes on", || town.titles().len() == 8);
    let mut all = numbers(&town);
    let count = all.len();
    all.sort();
    all.dedup();
    assert_eq!((count, all.len()), (8, 8), "no number was given out twice");
    village.kill();
    town.kill();
    taken.kill();
    verified(&[&town.dir, &taken.dir, &village.dir]);
}

#[test]
fn a_town_is_taken_over_at_work_and_its_village_goes_on() {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("district");
    done(&["init", "--code", "510113000000", "--dir", text(&dir)]);
    let mut district = Node::at(dir);
    district.start();
    let mut old = Node::joined(root.path().join("town"), &district.invite(TOWN, "姚渡镇", "township", false));
    let mut village =
        Node::joined(root.path().join("village"), &old.invite(VILLAGE, "芦稿村", "village", false));
    let matter = village.raise("接管以前的事");
    village.act(&matter, &json!({"act": "escalate"}));
    until("it is with the town", || old.stage(&matter).as_deref() == Some("escalated"));
    let file = root.path().join("town.backup");
    backup(&old, &file);
    let dir = root.path().join("standby");
    done(&["standby", text(&dir), "--from", text(&file)]);
    old.act(&matter, &json!({"act": "accept"}));
    until("the village knows", || village.stage(&matter).as_deref() == Some("accepted"));

    // The old box is at work and connected both ways when the other takes over.
    done(&["takeover", &activate(&district, TOWN), "--dir", text(&dir)]);
    until("it learns that it was taken over", || !active(&old));
    writes_nothing(&old);
    until("it serves its village no more", || village.above().0 != "up");
    let waiting = village.raise("没有镇的时候写的");
    assert_eq!(old.stage(&waiting), None);
    old.kill();
    let mut taken = Node::in_place_of(dir, &old);
    taken.start();
    village.dial_now();
    until("the village is up again", || village.above() == ("up".into(), "姚渡镇".into()));
    until("nothing is lost", || {
        taken.stage(&matter).as_deref() == Some("accepted") && taken.stage(&waiting).is_some()
    });
    village.act(&waiting, &json!({"act": "escalate"}));
    until("it is with the town", || taken.stage(&waiting).as_deref() == Some("escalated"));
    taken.act(&waiting, &json!({"act": "accept"}));
    until("and back", || village.stage(&waiting).as_deref() == Some("accepted"));
    until("nothing waits", || taken.waiting() == Some(0) && village.waiting() == Some(0));
    for node in [&mut village, &mut taken, &mut district] {
        node.kill();
    }
    verified(&[&district.dir, &taken.dir, &village.dir, &old.dir]);
}
