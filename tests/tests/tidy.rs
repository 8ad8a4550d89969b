//! Order in the house, as an ordinary test: the map is true, rooms keep to themselves, files stay small.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on must stop")]

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Lines of a source file. Lower it when the longest file shrinks; never raise it.
const LINES_MAX: usize = 610;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn sources(folder: &str) -> Vec<(PathBuf, String)> {
    let mut out = Vec::new();
    let mut open = vec![root().join(folder)];
    while let Some(dir) = open.pop() {
        for entry in fs::read_dir(&dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && path.file_name().is_some_and(|n| n != "target") {
                open.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                out.push((path, text));
            }
        }
    }
    assert!(!out.is_empty(), "no sources under {folder}");
    out
}

fn nowhere(folder: &str, words: &[&str]) {
    for (path, text) in sources(folder) {
        for word in words {
            assert!(!text.contains(word), "{} mentions {word}", path.display());
        }
    }
}

#[test]
fn rooms_keep_to_themselves() {
    nowhere("protocol/src", &["tokio::", "sqlx::", "std::fs", "std::net", "SystemTime", "Instant::now"]);
    nowhere("admin-cli/src", &["yishi_node"]);
    nowhere("node/src/http", &["sqlx::", "crate::link"]);
    nowhere("node/src/actions", &["sqlx::", "crate::http"]);
    nowhere("node/src/sheets", &["sqlx::", "crate::http", "crate::link"]);
    nowhere("node/src/store", &["crate::http", "crate::actions", "crate::link"]);
    nowhere("node/src/link", &["sqlx::", "crate::http", "crate::actions"]);
}

#[test]
fn files_stay_small_and_begin_with_what_they_are_for() {
    for folder in ["protocol/src", "node/src", "admin-cli/src", "tests/src"] {
        for (path, text) in sources(folder) {
            let lines = text.lines().count();
            assert!(lines <= LINES_MAX, "{} has {lines} lines: split it by what it is about", path.display());
            assert!(text.starts_with("//!"), "{} does not say what it is for", path.display());
        }
    }
}

#[test]
fn every_path_the_readme_and_the_architecture_name_exists() {
    for (text, base) in [("README.md", ""), ("protocol/ARCHITECTURE.md", "protocol/src")] {
        let words = fs::read_to_string(root().join(text)).unwrap();
        // Blocks of commands are tried by people; only words in the running text are names.
        let running: String = words.split("```").step_by(2).collect();
        for code in running.split('`').skip(1).step_by(2) {
            let path_like =
                code.contains('/') && !code.contains([' ', '—', '@', ':']) && !code.starts_with('/');
            if path_like || (code.ends_with(".rs") && !code.contains(' ')) {
                let found = [root().join(code), root().join(base).join(code)].iter().any(|p| p.exists());
                assert!(found, "{text} names {code}, which is not there");
            }
        }
        for link in words.split("](").skip(1).filter_map(|l| l.split(')').next()) {
            let beside = root().join(text).with_file_name(link);
            assert!(beside.exists(), "{text} links to {link}, which is not there");
        }
    }
}

#[test]
fn nothing_is_marked_unfinished() {
    let marks = [["TO", "DO"], ["FIX", "ME"], ["XX", "X"]].map(|m| m.concat());
    for folder in ["protocol", "node", "admin-cli", "tests"] {
        for (path, text) in sources(folder) {
            for mark in &marks {
                let found = text.split(|c: char| !c.is_alphanumeric()).any(|w| w == mark);
                assert!(!found, "{} has a mark {mark}", path.display());
            }
        }
    }
}
