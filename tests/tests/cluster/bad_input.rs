//! What goes wrong outside the program: each has its own exit status and its own words.

use crate::process::{Node, done, node, text};
use std::{
    collections::BTreeSet,
    path::Path,
    process::{Command, Output},
    time::{SystemTime, UNIX_EPOCH},
};
use yishi_protocol::invite::Invite;

/// The words, after the status was checked.
fn said(output: &Output, status: i32) -> String {
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(status), "{words}");
    assert!(words.trim().len() > 20, "no words for status {status}: {words}");
    words
}

fn init(dir: &Path) {
    let args =
        ["init", "--code", "510113106000", "--name", "姚渡镇", "--level", "township", "--dir", text(dir)];
    done(&args);
}

#[test]
fn places_and_invitations() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    let join = |token: &str, name: &str| node(&["join", token, "--dir", text(&at(name))]);
    let mut all = BTreeSet::new();
    let mut own = |words: String| assert!(all.insert(words.clone()), "said of two things: {words}");

    own(said(&node(&["init", "--code", "5101", "--dir", text(&at("a"))]), 25));
    own(said(&node(&["init", "--code", "999999999999", "--dir", text(&at("a"))]), 25));
    own(said(&node(&["run", "--dir", text(&at("nothing"))]), 11));
    own(said(&join("YISHI1-ABC", "b"), 20));

    let mut town = Node::root(at("town"));
    town.start();
    let token = town.invitation();
    let invite: Invite = token.parse().unwrap();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let past = Invite { expires_at: now - 60, ..invite.clone() };
    own(said(&join(&past.to_string(), "c"), 21));
    // An invitation that ends in four years was not made by a clock like this one.
    let far = Invite { expires_at: now + 4 * 365 * 86_400, ..invite.clone() };
    own(said(&join(&far.to_string(), "d"), 24));
    let mut secret = invite.secret;
    secret[0] ^= 1;
    own(said(&join(&Invite { secret, ..invite.clone() }.to_string(), "e"), 21));
    done(&["join", &token, "--dir", text(&at("village"))]);
    own(said(&join(&token, "f"), 21));
    // Nobody there.
    let address = "127.0.0.1:9".to_owned();
    own(said(&join(&Invite { address, ..invite }.to_string(), "g"), 22));
    for refused in ["a", "b", "c", "d", "e", "f", "g"] {
        assert!(!at(refused).join("yishi.db").exists(), "{refused} left something behind");
    }
    // A place that exists already is not invited twice.
    let body = serde_json::json!({"code": "510113106204", "name": "芦稿村", "level": "village"});
    let again = town.call("POST", "/places/invites", Some(&body)).unwrap_err();
    assert!(again.contains("place_exists"), "{again}");
}

#[test]
fn a_truncated_database_is_named_and_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let home = dir.path().join("town");
    init(&home);
    let file = home.join("yishi.db");
    let bytes = std::fs::read(&file).unwrap();
    let half = &bytes[..bytes.len() / 2 / 4096 * 4096];
    std::fs::write(&file, half).unwrap();
    // As after a crash: a clean stop is believed without reading everything.
    std::fs::write(home.join("lock"), "open \n").unwrap();
    said(&node(&["run", "--dir", text(&home)]), 13);
    assert_eq!(std::fs::read(&file).unwrap().len(), half.len());
}

#[test]
fn a_read_only_disk_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let home = dir.path().join("town");
    init(&home);
    // In a mount namespace of its own, which ends with it.
    let script =
        "mount --bind \"$0\" \"$0\" && mount -o remount,ro,bind \"$0\" && exec \"$1\" run --dir \"$0\"";
    let program = crate::process::program();
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-c", script]).arg(&home).arg(program);
    let output = command.output().unwrap();
    said(&output, 14);
}

#[test]
fn a_port_that_is_taken_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let home = dir.path().join("town");
    init(&home);
    let town = Node::at(home);
    let _held = std::net::UdpSocket::bind(town.link).unwrap();
    let words = said(&node(&["run", "--dir", text(&town.dir)]), 16);
    assert!(words.contains(&town.link.port().to_string()), "{words}");
}
