//! What people do at a node, and what they see there, by its API.

use crate::process::{Node, done, text};
use serde_json::Value;
use std::path::PathBuf;

impl Node {
    /// A node that is reached where another one was.
    pub(crate) fn in_place_of(dir: PathBuf, other: &Self) -> Self {
        Self::listening(dir, other.link)
    }

    /// A token for any place below; `replace` in the place of the keys it had.
    pub(crate) fn invite(&self, code: &str, name: &str, level: &str, replace: bool) -> String {
        let body = serde_json::json!({
            "code": code, "name": name, "level": level, "address": self.link.to_string(), "replace": replace,
            "here": true,
        });
        self.post("/places/invites", &body)["token"].as_str().unwrap().to_owned()
    }

    /// Joins with a token in a fresh folder, and starts.
    pub(crate) fn joined(dir: PathBuf, token: &str) -> Self {
        done(&["join", token, "--dir", text(&dir)]);
        let mut node = Self::at(dir);
        node.start();
        node
    }

    /// Dials its parent without waiting for the pause to end.
    pub(crate) fn dial_now(&self) {
        let answer = self.call("POST", "/link/reconnect", None);
        assert!(answer.as_ref().is_err_and(|words| words.contains("EOF")), "an empty answer: {answer:?}");
    }

    /// Raises a matter; its id.
    pub(crate) fn raise(&self, body: &str) -> String {
        self.post("/matters", &serde_json::json!({"body": body}))["id"].as_str().unwrap().to_owned()
    }

    /// Writes an act.
    pub(crate) fn act(&self, matter: &str, act: &Value) {
        self.post(&format!("/matters/{matter}/acts"), act);
    }

    /// The stage of a matter, as far as the node has it.
    pub(crate) fn stage(&self, matter: &str) -> Option<String> {
        let matter = self.call("GET", &format!("/matters/{matter}"), None).ok()?;
        Some(matter["stage"].as_str()?.to_owned())
    }

    /// The titles of the matters it shows.
    pub(crate) fn titles(&self) -> Vec<String> {
        let list = self.call("GET", "/matters?limit=200", None).unwrap();
        let titles =
            list["items"].as_array().unwrap().iter().map(|m| m["title"].as_str().unwrap().to_owned());
        let mut titles: Vec<String> = titles.collect();
        titles.sort();
        titles
    }

    /// Of the link up: its state, and the name of the place at the other end.
    pub(crate) fn above(&self) -> (String, String) {
        let link = self.call("GET", "/link", None).unwrap();
        let said = |at: &str| link.pointer(at).and_then(Value::as_str).unwrap_or_default().to_owned();
        (said("/up/state"), said("/up/peer/name"))
    }
}
