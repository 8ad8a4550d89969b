//! `kill -9` of either side in the middle of a catch-up.

use crate::process::{Node, done, node, text, until};
use serde_json::{Value, json};

/// Long ones: a round is several blocks, so that a catch-up has a middle.
const ROWS: usize = 200;

fn import(node: &Node, round: usize, rows: usize) -> u64 {
    let rows: Vec<Value> = (0..rows)
        .map(|n| {
            json!({
                "row": n, "number": format!("{round}-{n}"), "title": "村口涵洞积水",
                "body": format!("第 {n} 件：{}", "下雨就积水，老人孩子过不去。".repeat(120)),
            })
        })
        .collect();
    let done = node.post("/matters/import", &json!({"system": "hotline", "rows": rows}));
    assert_eq!(done["errors"], json!([]));
    done["created"].as_u64().unwrap()
}

#[test]
fn a_catch_up_survives_kill_9_of_either_side() {
    let dir = tempfile::tempdir().unwrap();
    let mut town = Node::root(dir.path().join("town"));
    town.start();
    let token = town.invitation();
    let village_dir = dir.path().join("village");
    done(&["join", &token, "--dir", text(&village_dir)]);
    let mut village = Node::at(village_dir);
    village.start();
    until("the first meeting", || village.waiting() == Some(0));

    let mut acknowledged = 0;
    let mut in_the_middle = 0;
    for round in 0..4 {
        town.kill();
        acknowledged += import(&village, round, ROWS);
        let before = village.waiting().unwrap();
        assert!(before >= ROWS as u64, "{before}");
        town.start();
        // As soon as something has been acknowledged, one of the two dies.
        until("the catch-up begins", || village.waiting().is_some_and(|n| n < before));
        if round % 2 == 0 {
            town.kill();
            in_the_middle += usize::from(village.waiting().unwrap() > 0);
            town.start();
        } else {
            village.kill();
            village.start();
        }
    }
    until("everything arrived", || village.waiting() == Some(0));
    assert_eq!(acknowledged, 800);
    assert!(in_the_middle > 0, "the town never died in the middle of a catch-up");
    town.kill();
    village.kill();
    let report = node(&["audit", "--json", text(dir.path())]);
    let words = String::from_utf8_lossy(&report.stdout);
    let found: Value = serde_json::from_str(words.trim()).unwrap();
    assert!(report.status.success(), "{found:#}");
    assert_eq!((&found["proposals"], &found["stored_everywhere"]), (&json!(800), &json!(true)));
    assert_eq!((&found["stored_at_district"], &found["nodes"]), (&json!(800), &json!(2)), "with receipts");
}
