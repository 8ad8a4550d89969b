//! The demonstration with other places and counts, and the auditor on a damaged folder.

use crate::process::{node, text};
use serde_json::{Value, json};
use std::path::Path;

#[test]
fn other_places_hold_too_and_a_turned_bit_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let divisions = Path::new(env!("CARGO_MANIFEST_DIR")).join("../protocol/data/divisions/nantong-3206.csv");
    let args =
        ["demo", "--villages", "3", "--seed", "5", "--divisions", text(&divisions), "--exit", "--json"];
    let played = node(&[&args[..], &["--dir", text(dir.path())]].concat());
    let words = String::from_utf8_lossy(&played.stdout);
    assert!(played.status.success(), "{words}\n{}", String::from_utf8_lossy(&played.stderr));
    let told: Value = serde_json::from_str(words.lines().last().unwrap()).unwrap();
    for key in [
        "proposals",
        "raised_offline",
        "merged",
        "answered",
        "told",
        "stored_at_district",
        "forgeries_refused",
    ] {
        assert!(told[key].as_u64().is_some(), "{key}: {told}");
    }
    assert_eq!((&told["proposals"], &told["raised_offline"]), (&json!(9), &json!(9)));
    assert_eq!((&told["stored_everywhere"], &told["unmerged"]), (&json!(true), &json!(1)));
    assert!(told["seconds"].is_f64() && told["forgeries_refused"].as_u64() > Some(5), "{told}");

    let audit = || {
        let output = node(&["audit", "--json", text(dir.path())]);
        let found: Value = serde_json::from_slice(&output.stdout).unwrap();
        (output.status.code(), found)
    };
    let (status, found) = audit();
    assert_eq!((status, &found["proposals"]), (Some(0), &json!(9)), "{found:#}");

    // One bit of every change stored in one database: the auditor has closed it, so all is in the file.
    let folder = std::fs::read_dir(dir.path()).unwrap().map(|f| f.unwrap().path());
    let file = folder.map(|f| f.join("yishi.db")).find(|f| f.exists()).unwrap();
    let mut bytes = std::fs::read(&file).unwrap();
    let magic = [0x85, 0x6f, 0x4a, 0x83];
    let found: Vec<usize> = (0..bytes.len() - 200).filter(|at| bytes[*at..].starts_with(&magic)).collect();
    assert!(!found.is_empty(), "no change in the database");
    for at in found {
        bytes[at + 40] ^= 1;
    }
    std::fs::write(&file, bytes).unwrap();
    let (status, found) = audit();
    assert_eq!(status, Some(1), "{found:#}");
    assert!(!found["troubles"].as_array().unwrap().is_empty());
}
