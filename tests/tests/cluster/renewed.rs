//! A town gets another key, or another box, while its village works on: the village finds out by itself who
//! answers now, and goes on without anybody's hands. So does a place that was moved to another parent.

use crate::process::{Node, done, node, text, until};
use serde_json::json;
use std::path::Path;

const TOWN: &str = "510113106000";
const VILLAGE: &str = "510113106204";

struct Three {
    root: tempfile::TempDir,
    district: Node,
    town: Node,
    village: Node,
}

fn init(dir: &Path) -> Node {
    done(&["init", "--code", "510113000000", "--dir", text(dir)]);
    let mut district = Node::at(dir.to_owned());
    district.start();
    district
}

fn three() -> Three {
    let root = tempfile::tempdir().unwrap();
    let district = init(&root.path().join("district"));
    let town = Node::joined(root.path().join("town"), &district.invite(TOWN, "姚渡镇", "township", false));
    let village =
        Node::joined(root.path().join("village"), &town.invite(VILLAGE, "芦稿村", "village", false));
    Three { root, district, town, village }
}

impl Three {
    /// Raises a matter in the village that goes up to the district and comes back accepted.
    fn goes_all_the_way(&self, body: &str) {
        let matter = self.village.raise(body);
        self.village.act(&matter, &json!({"act": "escalate"}));
        until("it is with the town", || self.town.stage(&matter).as_deref() == Some("escalated"));
        self.town.act(&matter, &json!({"act": "accept"}));
        self.town.act(&matter, &json!({"act": "escalate"}));
        until("it is with the district", || self.district.stage(&matter).as_deref() == Some("escalated"));
        self.district.act(&matter, &json!({"act": "accept"}));
        until("and back", || self.village.stage(&matter).as_deref() == Some("accepted"));
    }

    fn verified(mut self) {
        until("nothing waits", || self.village.waiting() == Some(0) && self.town.waiting() == Some(0));
        for node in [&mut self.village, &mut self.town, &mut self.district] {
            node.kill();
        }
        for one in [&self.district, &self.town, &self.village] {
            let words = node(&["verify", text(&one.dir)]);
            assert!(words.status.success(), "{}", String::from_utf8_lossy(&words.stdout));
        }
    }
}

#[test]
fn a_town_changes_its_key_and_its_village_goes_on() {
    let mut three = three();
    three.goes_all_the_way("换钥匙以前的事");
    three.town.kill();
    three.village.raise("镇上换钥匙时写的");
    let token = three.district.invite(TOWN, "姚渡镇", "township", true);
    done(&["rotate", &token, "--dir", text(&three.town.dir)]);
    three.town.start();
    three.goes_all_the_way("换钥匙以后的事");
    assert_eq!(three.town.titles().len(), 3);
    // The old key ends: what it had certified stays, its links go on under the new one.
    three.district.post(&format!("/places/{TOWN}/revoke"), &json!({"reason": "换下的钥匙"}));
    three.goes_all_the_way("撤销以后的事");
    // A village that joins now is certified by the new key.
    let other = three.town.invite("510113106205", "杏花村", "village", false);
    let other = Node::joined(three.root.path().join("other"), &other);
    other.raise("新来的村");
    until("the town has it", || other.waiting() == Some(0) && three.town.titles().len() == 5);
    drop(other);
    three.verified();
}

#[test]
fn a_stolen_town_is_replaced_from_its_backup_and_its_village_goes_on() {
    let mut three = three();
    three.goes_all_the_way("被盗以前的事");
    let backup = three.root.path().join("town.backup");
    done(&["backup", text(&three.town.dir), text(&backup)]);
    three.goes_all_the_way("备份以后的事");
    three.town.kill();
    three.district.post(&format!("/places/{TOWN}/revoke"), &json!({"reason": "机器被盗"}));
    three.village.raise("镇上没有机器时写的");
    let dir = three.root.path().join("new-town");
    done(&["restore", text(&backup), "--dir", text(&dir)]);
    let token = three.district.invite(TOWN, "姚渡镇", "township", true);
    done(&["rotate", &token, "--dir", text(&dir)]);
    let replaced = Node::in_place_of(dir, &three.town);
    let mut stolen = std::mem::replace(&mut three.town, replaced);
    three.town.start();
    three.goes_all_the_way("换了机器以后的事");
    assert_eq!(three.town.titles().len(), 4);
    // The thief takes the town's address: the village knows better by now, and says nothing to it.
    three.town.kill();
    stolen.start();
    three.village.raise("小偷占着地址时写的");
    until("the village refuses the old key", || three.village.above().0 == "refused");
    assert_eq!(stolen.titles().len(), 2, "nothing reached the stolen box");
    stolen.kill();
    three.town.start();
    three.village.dial_now();
    three.goes_all_the_way("小偷走了以后的事");
    assert_eq!(three.town.titles().len(), 6);
    three.verified();
}

#[test]
fn a_town_lost_without_a_backup_knows_its_village_again() {
    let mut three = three();
    three.goes_all_the_way("丢失以前的事");
    three.village.raise("只到镇上的事");
    until("the town has it", || three.village.waiting() == Some(0));
    three.town.kill();
    let dir = three.root.path().join("new-town");
    done(&["join", &three.district.invite(TOWN, "姚渡镇", "township", true), "--dir", text(&dir)]);
    three.town = Node::in_place_of(dir, &three.town);
    three.town.start();
    until("the village is let in again", || three.village.above().0 == "up");
    until("and everything comes back", || three.town.titles().len() == 2);
    three.goes_all_the_way("以后的事");
    three.verified();
}

#[test]
fn a_village_is_moved_dials_its_new_parent_and_gets_a_new_machine_there() {
    let mut three = three();
    three.goes_all_the_way("划转以前的事");
    let other = three.district.invite("510113107000", "城厢镇", "township", false);
    let mut other = Node::joined(three.root.path().join("other"), &other);
    let body = json!({"parent": "510113107000", "address": other.link.to_string()});
    three.district.post(&format!("/places/{VILLAGE}/placement"), &body);
    until("the village dials its new parent", || three.village.above() == ("up".into(), "城厢镇".into()));
    let moved = three.village.raise("划转以后的事");
    until("which has it", || other.stage(&moved).is_some());
    assert_eq!(three.town.stage(&moved), None, "and the old one does not");
    // Its box is stolen: the new parent replaces a place it did not found.
    let backup = three.root.path().join("village.backup");
    done(&["backup", text(&three.village.dir), text(&backup)]);
    three.village.kill();
    other.post(&format!("/places/{VILLAGE}/revoke"), &json!({"reason": "机器被盗"}));
    let token = other.invite(VILLAGE, "芦稿村", "village", true);
    let dir = three.root.path().join("restored");
    done(&["restore", text(&backup), "--dir", text(&dir)]);
    done(&["rotate", &token, "--dir", text(&dir)]);
    let mut village = Node::in_place_of(dir, &three.village);
    village.start();
    let again = village.raise("新机器上的事");
    until("it goes on there", || other.stage(&again).is_some() && village.waiting() == Some(0));
    assert_eq!(village.titles().len(), 3);
    village.kill();
    // And once more with nothing but an invitation: what stands above it comes with the answer.
    let token = other.invite(VILLAGE, "芦稿村", "village", true);
    let mut fresh = Node::joined(three.root.path().join("fresh"), &token);
    until("everything the new parent has comes back", || fresh.titles().len() == 3);
    assert_eq!(fresh.above(), ("up".into(), "城厢镇".into()));
    fresh.kill();
    let words = node(&["verify", text(&fresh.dir)]);
    assert!(words.status.success(), "{}", String::from_utf8_lossy(&words.stdout));
    other.kill();
}
