//! What goes wrong outside the program: each has its own exit status and its own words.

use crate::process::{Node, done, node, program, text, until};
use std::{
    collections::BTreeSet,
    path::Path,
    process::{Command, Output},
    time::{SystemTime, UNIX_EPOCH},
};
use yishi_node::{link::Call, store::Store};
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
    let program = program();
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

/// The operators' CLI, towards a running node.
fn yishi(node: &Node, args: &[&str]) -> Output {
    let socket = node.dir.join("api.sock");
    let mut command = Command::new(program().with_file_name("yishi"));
    command.arg("--node").arg(socket).args(["--lang", "en"]).args(args).output().unwrap()
}

#[test]
fn a_place_that_is_unknown_or_belongs_elsewhere() {
    let dir = tempfile::tempdir().unwrap();
    let mut town = Node::root(dir.path().join("town"));
    town.start();
    let invite = |code: &str, more: &[&str]| {
        let mut args = vec!["place", "invite", code, "--address", "127.0.0.1:9443"];
        args.extend(more);
        yishi(&town, &args)
    };
    // No list has it.
    let unknown = said(&invite("510113106777", &[]), 25);
    // 杏花社区 is in 福洪镇.
    let foreign = said(&invite("510113111003", &[]), 26);
    assert!(foreign.contains("福洪镇"), "{foreign}");
    assert_ne!(unknown, foreign);
    // The tree is stated: whoever knows better may say so, and a new place is named.
    assert!(invite("510113111003", &["--here"]).status.success());
    assert!(invite("510113106777", &["--name", "新村", "--level", "village"]).status.success());
    said(&yishi(&town, &["place", "revoke", "nowhere", "--reason", "lost", "--yes"]), 25);
}

/// A command whose clock shows another day.
fn on_day(day: &str, args: &[&str]) -> Output {
    let output = Command::new("faketime").arg(format!("{day} 08:00:00")).arg(program()).args(args).output();
    output.expect("faketime is there: ./tests/run installs it")
}

#[test]
fn a_clock_that_is_off_by_years_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let mut town = Node::root(dir.path().join("town"));
    town.start();
    let token = town.invitation();
    let village = dir.path().join("village");
    let join = |day: &str| on_day(day, &["join", &token, "--dir", text(&village)]);
    // A box without a battery; and one that is years ahead holds every invitation for expired.
    let behind = said(&join("2019-01-01"), 24);
    assert!(behind.contains("2019-01-01"), "{behind}");
    let ahead = said(&join("2041-01-01"), 21);
    assert!(ahead.contains("2041-01-01"), "{ahead}");
    assert!(!village.join("yishi.db").exists());
    town.kill();
    let examined = on_day("1970-01-03", &["doctor", "--dir", text(&town.dir)]);
    let found = String::from_utf8_lossy(&examined.stdout).into_owned();
    assert_eq!(examined.status.code(), Some(24), "{found}");
    assert!(found.contains("1970-01-03"), "{found}");

    // What people write bears a date: it is refused, not misdated.
    let mut command = Command::new("faketime");
    command.arg("2019-01-01 08:00:00").arg(program());
    town.start_by(command);
    let refused = yishi(&town, &["matter", "raise", "--title", "积水", "下雨就积水"]);
    assert!(said(&refused, 24).contains("2019-01-01"));
}

#[test]
fn a_certificate_of_another_federation_opens_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    let (mut town, mut other) = (Node::root(at("town")), Node::root(at("other")));
    town.start();
    other.start();
    let token = town.invitation();
    let invite: Invite = token.parse().unwrap();
    // An invitation of one federation, answered by the node of another.
    let address = other.link.to_string();
    let stray = Invite { address, ..invite }.to_string();
    let words = said(&node(&["join", &stray, "--dir", text(&at("stray"))]), 23);
    assert!(words.contains("federation"), "{words}");
    assert!(!at("stray").join("yishi.db").exists());

    // A member of one federation that is led to the other.
    done(&["join", &token, "--dir", text(&at("village"))]);
    let mut village = Node::at(at("village"));
    let config = std::fs::read_to_string(village.dir.join("node.toml")).unwrap();
    let led = config.replace("[link]\n", &format!("[link]\nparent = \"{}\"\n", other.link));
    std::fs::write(village.dir.join("node.toml"), led).unwrap();
    village.start();
    let why = || village.call("GET", "/link", None).ok()?.pointer("/up/why")?.as_str().map(str::to_owned);
    until("the link says why", || why().is_some_and(|why| why.contains("federation")));
    let examined = node(&["doctor", "--dir", text(&village.dir)]);
    let found = String::from_utf8_lossy(&examined.stdout).into_owned();
    assert_eq!(examined.status.code(), Some(23), "{found}");
    assert!(other.call("GET", "/link", None).unwrap()["down"].as_array().unwrap().is_empty());
}

#[test]
fn a_frame_that_is_too_large_ends_the_connection_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let mut town = Node::root(dir.path().join("town"));
    town.start();
    let village = dir.path().join("village");
    done(&["join", &town.invitation(), "--dir", text(&village)]);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let reason = runtime.block_on(async {
        let store = Store::open(&village).await.unwrap();
        let mut call = Call::dial(&store.world(), town.link).await.unwrap();
        // Sixty-four mebibytes, it says.
        let reason = call.babble(&[0x80, 0x80, 0x80, 0x20, 0]).await;
        store.close().await.unwrap();
        reason
    });
    assert!(reason.contains("67108864") && reason.contains("limit"), "{reason}");
    // The town goes on, says why, and takes the village in when it speaks properly.
    let down = town.call("GET", "/link", None).unwrap()["down"][0].clone();
    assert!(down["why"].as_str().is_some_and(|why| why.contains("67108864")), "{down}");
    let examined = node(&["doctor", "--dir", text(&town.dir)]);
    let found = String::from_utf8_lossy(&examined.stdout).into_owned();
    assert_eq!(examined.status.code(), Some(27), "{found}");
    assert!(found.contains("67108864"), "{found}");
    let mut village = Node::at(village);
    village.start();
    until("the village is heard", || village.waiting() == Some(0));
    let well = node(&["doctor", "--dir", text(&town.dir)]);
    assert!(well.status.success(), "{}", String::from_utf8_lossy(&well.stdout));
}

#[test]
fn a_folder_without_a_node_has_one_status_whoever_looks() {
    let root = tempfile::tempdir().unwrap();
    let dir = text(root.path()).to_owned();
    for args in [vec!["verify", &dir], vec!["doctor", "--dir", &dir], vec!["run", "--dir", &dir]] {
        let output = node(&args);
        assert_eq!(output.status.code(), Some(11), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
}
