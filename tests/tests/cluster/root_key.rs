//! The federation's root key in a drawer: the district's box is stolen, or lost with everything on it, and
//! with the key's file the federation goes on, without anybody below lifting a hand.

use crate::process::{Node, done, node, text, until};
use serde_json::json;
use std::path::{Path, PathBuf};
use yishi_protocol::root_key::{self, Kept};

const TOWN: &str = "510113106000";

struct Three {
    root: tempfile::TempDir,
    file: PathBuf,
    district: Node,
    town: Node,
    village: Node,
}

/// A district whose root key is in a file, a town, a village.
fn three() -> Three {
    let root = tempfile::tempdir().unwrap();
    let (file, dir) = (root.path().join("root.key"), root.path().join("district"));
    done(&["init", "--code", "510113000000", "--dir", text(&dir), "--offline-root", text(&file)]);
    let mut district = Node::at(dir);
    district.start();
    let town = Node::joined(root.path().join("town"), &district.invite(TOWN, "姚渡镇", "township", false));
    let token = town.invite("510113106204", "芦稿村", "village", false);
    let village = Node::joined(root.path().join("village"), &token);
    Three { root, file, district, town, village }
}

impl Three {
    /// A matter of the village that is with the district in the end.
    fn escalated(&self, body: &str) -> String {
        let matter = self.village.raise(body);
        self.village.act(&matter, &json!({"act": "escalate"}));
        until("it is with the town", || self.town.stage(&matter).as_deref() == Some("escalated"));
        self.town.act(&matter, &json!({"act": "accept"}));
        self.town.act(&matter, &json!({"act": "escalate"}));
        until("it is with the district", || self.district.stage(&matter).as_deref() == Some("escalated"));
        matter
    }

    fn accepted(&self, matter: &str) {
        self.district.act(matter, &json!({"act": "accept"}));
        until("it is back", || self.village.stage(matter).as_deref() == Some("accepted"));
    }
}

fn holds(dir: &Path) {
    let words = node(&["verify", text(dir)]);
    assert!(words.status.success(), "{}", String::from_utf8_lossy(&words.stdout));
}

fn refused(args: &[&str], status: i32, word: &str) {
    let output = node(args);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.code() == Some(status) && said.contains(word), "{args:?}: {said}");
}

#[test]
fn the_district_s_box_is_stolen_and_the_key_in_the_drawer_goes_on() {
    let mut three = three();
    // The root's secret is nowhere on the box.
    let kept = std::fs::read_to_string(&three.file).unwrap();
    let Ok(Kept::Bare(key)) = root_key::read(&kept) else { panic!("a bare key") };
    let secret = key.keys.to_bytes();
    for name in ["yishi.db", "yishi.db-wal"] {
        let bytes = std::fs::read(three.district.dir.join(name)).unwrap_or_default();
        assert!(!bytes.windows(32).any(|w| w == &secret[..32]), "the root's secret is in {name}");
    }
    let first = three.escalated("被盗以前的事");
    let backup = three.root.path().join("district.backup");
    done(&["backup", text(&three.district.dir), text(&backup)]);
    // What the district does after its last backup only the places below have.
    three.accepted(&first);
    let second = three.escalated("备份以后的事");
    three.district.kill();
    three.village.raise("区里没有机器时写的");

    let dir = three.root.path().join("new-district");
    done(&["restore", text(&backup), "--dir", text(&dir)]);
    // Without the key nobody makes a new one; a slip on the typed-back sheet is named; nothing is changed.
    refused(
        &["root", "replace", text(&three.root.path().join("no.key")), "--dir", text(&dir)],
        26,
        "no root key file",
    );
    let sheet = three.root.path().join("typed.key");
    let typed = kept.lines().filter(|l| !l.starts_with('#')).collect::<Vec<_>>().join("\n").to_lowercase();
    std::fs::write(&sheet, typed.replacen("04/", "05/", 1)).unwrap();
    refused(&["root", "replace", text(&sheet), "--dir", text(&dir)], 26, "line 5");
    std::fs::write(&sheet, typed).unwrap();
    done(&["root", "check", text(&sheet)]);
    refused(&["root", "replace", text(&sheet), "--dir", text(&three.village.dir)], 12, "");
    // As the runbook has it.
    done(&["root", "replace", text(&sheet), "--dir", text(&dir)]);
    let replaced = Node::in_place_of(dir.clone(), &three.district);
    let mut stolen = std::mem::replace(&mut three.district, replaced);
    three.district.start();
    until("the town finds the new key by itself", || {
        three.town.above().0 == "up" && three.town.waiting() == Some(0)
    });
    until("and nothing that was acknowledged is lost", || {
        three.district.stage(&second).as_deref() == Some("escalated")
    });
    // What the old key wrote after the backup is there, uncounted, until the root's word.
    assert_eq!(three.district.stage(&first).as_deref(), Some("escalated"));
    three.district.kill();
    done(&["root", "admit", text(&sheet), "--dir", text(&dir), "--until", "2999-01-01"]);
    three.district.start();
    until("it counts again", || three.district.stage(&first).as_deref() == Some("accepted"));
    three.accepted(&second);
    let third = three.escalated("换了钥匙以后的事");
    three.accepted(&third);
    until("everywhere", || three.village.stage(&first).as_deref() == Some("accepted"));
    // The new key certifies.
    let token = three.district.invite("510113107000", "城厢镇", "township", false);
    let other = Node::joined(three.root.path().join("other"), &token);
    until("a new town", || other.above().0 == "up");

    // The thief takes the district's address.
    three.district.kill();
    stolen.start();
    until("nobody speaks with the old key", || three.town.above().0 == "refused");
    until("nor does who came later", || other.above().0 == "refused");
    stolen.kill();
    three.district.start();
    for town in [&three.town, &other] {
        town.dial_now();
    }
    until("all go on", || three.town.above().0 == "up" && other.above().0 == "up");
    drop(other);
    until("nothing waits", || three.town.waiting() == Some(0) && three.village.waiting() == Some(0));
    for node in [&mut three.village, &mut three.town, &mut three.district] {
        node.kill();
        holds(&node.dir);
    }
}

#[test]
fn a_district_lost_with_everything_comes_back_from_below() {
    let mut three = three();
    let first = three.escalated("丢失以前的事");
    three.accepted(&first);
    three.district.kill();
    let dir = three.root.path().join("from-nothing");
    done(&["root", "replace", text(&three.file), "--dir", text(&dir), "--dead"]);
    three.district = Node::in_place_of(dir.clone(), &three.district);
    three.district.start();
    until("the town makes itself known", || three.town.above().0 == "up");
    until("and everything comes back", || three.district.stage(&first).as_deref() == Some("accepted"));
    let second = three.escalated("以后的事");
    three.accepted(&second);
    // It was stolen after all: now that the town is known, the old key ends and what it certified stays.
    three.district.kill();
    done(&["root", "revoke", text(&three.file), "--dir", text(&dir)]);
    refused(&["root", "revoke", text(&three.file), "--dir", text(&dir)], 26, "no other working key");
    three.district.start();
    let third = three.escalated("撤销以后的事");
    three.accepted(&third);
    assert_eq!(three.district.stage(&first).as_deref(), Some("accepted"));
    until("nothing waits", || three.town.waiting() == Some(0) && three.village.waiting() == Some(0));
    for node in [&mut three.village, &mut three.town, &mut three.district] {
        node.kill();
        holds(&node.dir);
    }
}

#[test]
fn under_a_passphrase_the_file_alone_is_nothing() {
    let root = tempfile::tempdir().unwrap();
    let (file, dir, words) =
        (root.path().join("root.key"), root.path().join("district"), root.path().join("words"));
    std::fs::write(&words, "一句很长的口令\n").unwrap();
    done(&[
        "init",
        "--code",
        "510113000000",
        "--dir",
        text(&dir),
        "--offline-root",
        text(&file),
        "--passphrase-file",
        text(&words),
    ]);
    refused(&["root", "check", text(&file)], 26, "--passphrase-file");
    done(&["root", "check", text(&file), "--passphrase-file", text(&words)]);
    std::fs::write(&words, "另一句\n").unwrap();
    refused(&["root", "check", text(&file), "--passphrase-file", text(&words)], 26, "does not open");
    // A file that exists is not replaced, and nothing is left behind.
    let other = root.path().join("other");
    refused(
        &["init", "--code", "510113000000", "--dir", text(&other), "--offline-root", text(&file)],
        26,
        "never replaced",
    );
    assert!(!other.join("yishi.db").exists());
}
