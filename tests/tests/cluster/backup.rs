//! Backups of running nodes and nodes restored from them, as an operator does it.

use crate::process::{Node, done, node, program, text, until};
use serde_json::{Value, json};
use std::{
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

fn import(node: &Node, round: usize, rows: usize) {
    let rows: Vec<Value> = (0..rows)
        .map(|n| {
            let body = format!("第 {n} 件：{}", "下雨就积水，老人孩子过不去。".repeat(60));
            json!({"row": n, "number": format!("{round}-{n}"), "title": "村口涵洞积水", "body": body})
        })
        .collect();
    let done = node.post("/matters/import", &json!({"system": "hotline", "rows": rows}));
    assert_eq!(done["errors"], json!([]));
}

fn pair(root: &Path) -> (Node, Node) {
    let mut town = Node::root(root.join("town"));
    town.start();
    let token = town.invitation();
    let dir = root.join("village");
    done(&["join", &token, "--dir", text(&dir)]);
    let mut village = Node::at(dir);
    village.start();
    until("the first meeting", || village.waiting() == Some(0));
    (town, village)
}

fn status(args: &[&str]) -> (i32, String) {
    let output = node(args);
    let words = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap(), String::from_utf8_lossy(&words).into_owned())
}

/// How many matters a node shows.
fn matters(node: &Node) -> usize {
    let list = node.call("GET", "/matters?limit=200", None).unwrap();
    list["items"].as_array().or(list["matters"].as_array()).unwrap().len()
}

#[test]
fn a_village_restored_from_its_backup_gets_back_what_it_had_said() {
    let root = tempfile::tempdir().unwrap();
    let (mut town, mut village) = pair(root.path());
    import(&village, 0, 20);
    let file = root.path().join("village.backup");
    let (code, words) = status(&["backup", text(&village.dir), text(&file)]);
    assert_eq!(code, 0, "{words}");
    assert!(words.contains("像公章一样保管") && words.contains("secret keys"), "{words}");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(status(&["verify", text(&file)]).0, 0);
    // It never replaces a file.
    let (code, words) = status(&["backup", text(&village.dir), text(&file)]);
    assert!(code == 43 && words.contains("没有改动它"), "{code} {words}");
    // Nor does a restore go where a node is.
    let (code, words) = status(&["restore", text(&file), "--dir", text(&village.dir)]);
    assert!(code == 11 && words.contains("already holds a node"), "{code} {words}");

    import(&village, 1, 20);
    until("everything is stored at the town", || village.waiting() == Some(0));
    // A running node verifies too.
    let (code, words) = status(&["verify", text(&village.dir)]);
    assert_eq!(code, 0, "{words}");
    village.kill();
    town.kill();

    let dir = root.path().join("again");
    let (code, words) = status(&["restore", text(&file), "--dir", text(&dir)]);
    assert!(code == 0 && words.contains("请不要再启动它"), "{code} {words}");
    let (_, words) = status(&["doctor", "--dir", text(&dir)]);
    assert!(words.contains("从备份恢复") && words.contains("姚渡镇"), "before its first start: {words}");
    let mut again = Node::at(dir);
    again.start();
    let link = again.call("GET", "/link", None).unwrap();
    assert_eq!(link["up"]["comparing"], json!(true), "{link:#}");
    let (_, words) = status(&["doctor", "--dir", text(&again.dir)]);
    assert!(words.contains("从备份恢复") && words.contains("waiting for what 姚渡镇 has"), "{words}");
    assert_eq!(matters(&again), 20);

    town.start();
    until("what it had said is back", || matters(&again) == 40 && again.waiting() == Some(0));
    until("both were compared", || {
        again.call("GET", "/link", None).unwrap().pointer("/up/comparing").is_none()
    });
    let (_, words) = status(&["doctor", "--dir", text(&again.dir)]);
    assert!(!words.contains("从备份恢复"), "{words}");
    // It works on, under a life of its own.
    import(&again, 2, 3);
    until("the new ones arrive", || again.waiting() == Some(0));
    again.kill();
    town.kill();
    for dir in [&again.dir, &town.dir] {
        let (code, words) = status(&["verify", text(dir)]);
        assert_eq!(code, 0, "{words}");
    }
}

#[test]
fn what_is_no_whole_backup_restores_nothing() {
    let root = tempfile::tempdir().unwrap();
    let mut town = Node::root(root.path().join("town"));
    town.start();
    import(&town, 0, 30);
    // What waits to be folded is not compared: lists are made again for it anyway.
    until("lists show everything", || matters(&town) == 30);
    let file = root.path().join("town.backup");
    done(&["backup", text(&town.dir), text(&file)]);
    town.kill();
    let whole = std::fs::read(&file).unwrap();
    let other = root.path().join("other.backup");
    let dir = root.path().join("new");
    for (what, bytes) in [
        ("cut off in the middle", whole[..whole.len() / 2].to_vec()),
        ("its last page is missing", whole[..whole.len() - 4096].to_vec()),
        ("empty", Vec::new()),
        ("a text", "这不是备份。".repeat(2_000).into_bytes()),
    ] {
        std::fs::write(&other, bytes).unwrap();
        let (code, words) = status(&["restore", text(&other), "--dir", text(&dir)]);
        assert!(code == 42 && words.contains("没有恢复任何内容"), "{what}: {code} {words}");
        assert!(!dir.join("yishi.db").exists() && !dir.join("yishi.db.new").exists(), "{what}");
    }
    let (code, _) = status(&["restore", text(&root.path().join("nowhere")), "--dir", text(&dir)]);
    assert_eq!(code, 42);
    // One byte of a text turned over, wherever it stands: the pages are whole, the content is not. Where
    // it was signed nothing is restored.
    let what = "老人孩子过不去".as_bytes();
    let places: Vec<usize> =
        (0..whole.len() - what.len()).filter(|at| whole[*at..].starts_with(what)).collect();
    let (mut signed, mut unused) = (0, 0);
    for at in places.iter().step_by(places.len() / 20 + 1) {
        let mut altered = whole.clone();
        altered[*at] ^= 1;
        std::fs::write(&other, altered).unwrap();
        let (code, words) = status(&["verify", text(&other)]);
        assert!(matches!(code, 0 | 40 | 41), "byte {at}: {code} {words}");
        unused += usize::from(code == 0);
        if code == 40 {
            signed += 1;
            let (code, words) = status(&["restore", text(&other), "--dir", text(&dir)]);
            assert!(code == 40 && words.contains("处改动"), "{code} {words}");
            assert!(!dir.join("yishi.db").exists());
        }
    }
    // Pages have a remainder that belongs to no row: there a byte means nothing.
    assert!(signed > 6 && unused <= 2, "{signed} of something signed, {unused} of nothing");
    done(&["restore", text(&file), "--dir", text(&dir)]);
}

/// Starts a verb and kills it after a while; whether it had ended by itself.
fn killed_after(args: &[&str], ms: u64) -> bool {
    let mut child =
        Command::new(program()).args(args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    std::thread::sleep(Duration::from_millis(ms));
    let ended = child.try_wait().unwrap().is_some();
    let _ = child.kill();
    child.wait().unwrap();
    ended
}

#[test]
fn kill_9_in_a_backup_or_restore_leaves_a_whole_file_or_none() {
    let root = tempfile::tempdir().unwrap();
    let mut town = Node::root(root.path().join("town"));
    town.start();
    for round in 0..2 {
        import(&town, round, 200);
    }
    let (mut cut, mut through) = (0, 0);
    for step in 0..9u64 {
        let file = root.path().join(format!("{step}.backup"));
        through += usize::from(killed_after(&["backup", text(&town.dir), text(&file)], step * step * 2));
        if file.exists() {
            let (code, words) = status(&["verify", text(&file)]);
            assert_eq!(code, 0, "a file under its name is whole: {words}");
        } else {
            cut += 1;
        }
    }
    assert!(cut > 0, "{cut} cut, {through} ended by themselves");
    let file = root.path().join("last.backup");
    done(&["backup", text(&town.dir), text(&file)]);
    town.kill();
    let mut cut = 0;
    for step in 0..9u64 {
        let dir = root.path().join(format!("dir{step}"));
        killed_after(&["restore", text(&file), "--dir", text(&dir)], step * step * 4);
        if !dir.join("yishi.db").exists() {
            cut += 1;
            done(&["restore", text(&file), "--dir", text(&dir)]);
        }
        let (code, words) = status(&["verify", text(&dir)]);
        assert_eq!(code, 0, "{words}");
        std::fs::remove_dir_all(&dir).unwrap();
    }
    assert!(cut > 0);
}

#[test]
fn a_full_disk_leaves_nothing_half_and_is_named() {
    let root = tempfile::tempdir().unwrap();
    let mut town = Node::root(root.path().join("town"));
    town.start();
    for round in 0..3 {
        import(&town, round, 200);
    }
    let small = root.path().join("small");
    std::fs::create_dir(&small).unwrap();
    let program = program();
    // A disk of 300 kB, in a namespace of its own.
    let shell = |what: &str| {
        let script = format!(
            "mount -t tmpfs -o size=300k tmpfs {} && {what}; echo status $?; ls -A {}",
            text(&small),
            text(&small)
        );
        let output = Command::new("unshare")
            .args(["--mount", "--map-root-user", "sh", "-c", &script])
            .output()
            .unwrap();
        String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
    };
    let (program, dir) = (text(&program).to_owned(), text(&town.dir).to_owned());
    let words = shell(&format!("{program} backup {dir} {}/b", text(&small)));
    assert!(words.contains("status 14") && words.contains("没有留下半个文件"), "{words}");
    assert!(!words.contains("/b\n") && !words.contains(".part"), "{words}");
    let file = root.path().join("b");
    done(&["backup", &dir, text(&file)]);
    let words = shell(&format!("{program} restore {} --dir {}/n", text(&file), text(&small)));
    assert!(words.contains("status 14"), "{words}");
    // The node never noticed.
    import(&town, 9, 1);
}
