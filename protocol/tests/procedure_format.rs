//! The written format and the reader say the same: the schema fits the shipped files and refuses what the
//! reader refuses, and the reference names every key and every problem.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use serde_json::Value;
use std::collections::BTreeSet;
use yishi_protocol::procedure::{Fraction, Majority, Quorum, read, shipped};

const REFERENCE: &str = include_str!("../PROCEDURES.md");

fn schema() -> Value {
    serde_json::from_str(include_str!("../procedure.schema.json")).unwrap()
}

fn pattern(pattern: &str, text: &str) -> bool {
    let number = |n: &str| n.parse::<u32>().is_ok();
    let words: Vec<&str> = text.split_whitespace().collect();
    match pattern {
        "^[a-z0-9_]{1,40}$" => {
            (1..=40).contains(&text.len())
                && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        }
        r"^\s*[0-9]+\s*/\s*[0-9]+\s*$" => Fraction::parse(text).is_some(),
        r"^\s*(more\s+than|at\s+least)\s+[0-9]+/[0-9]+\s+of\s+(present|eligible)\s*$" => {
            Majority::parse(text).is_some()
        }
        r"^\s*(more\s+than\s+)?[0-9]+\s*/\s*[0-9]+\s*$" => Quorum::parse(text).is_some(),
        r"^\s*[0-9]+\s+(days?|hours?)\s*$" => {
            matches!(*words.as_slice(), [n, "day" | "days" | "hour" | "hours"] if number(n))
        }
        other => panic!("no check for the pattern {other}"),
    }
}

/// The parts of JSON Schema that our schema uses; any other keyword stops the test.
fn fits(root: &Value, rule: &Value, value: &Value) -> Result<(), String> {
    let wrong = |why: &str| Err(format!("{why}: {value}"));
    for (keyword, says) in rule.as_object().unwrap() {
        let ok = match keyword.as_str() {
            "$schema" | "$defs" | "title" | "description" | "additionalProperties" => true,
            "$ref" => {
                let name = says.as_str().unwrap().strip_prefix("#/$defs/").unwrap();
                fits(root, root["$defs"].get(name).unwrap(), value)?;
                true
            }
            "type" => match says.as_str().unwrap() {
                "object" => value.is_object(),
                "array" => value.is_array(),
                "string" => value.is_string(),
                "integer" => value.is_i64() || value.is_u64(),
                "boolean" => value.is_boolean(),
                other => panic!("no check for the type {other}"),
            },
            "const" => says == value,
            "enum" => says.as_array().unwrap().contains(value),
            "pattern" => value.as_str().is_some_and(|text| pattern(says.as_str().unwrap(), text)),
            "minimum" => value.as_i64().is_some_and(|n| n >= says.as_i64().unwrap()),
            "maximum" => value.as_i64().is_some_and(|n| n <= says.as_i64().unwrap()),
            "minItems" => value.as_array().is_some_and(|a| a.len() as u64 >= says.as_u64().unwrap()),
            "maxItems" => value.as_array().is_some_and(|a| a.len() as u64 <= says.as_u64().unwrap()),
            "maxProperties" => value.as_object().is_some_and(|o| o.len() as u64 <= says.as_u64().unwrap()),
            "required" => says.as_array().unwrap().iter().all(|k| value.get(k.as_str().unwrap()).is_some()),
            "propertyNames" => {
                for key in value.as_object().unwrap().keys() {
                    fits(root, says, &Value::String(key.clone()))?;
                }
                true
            }
            "items" => {
                for item in value.as_array().unwrap() {
                    fits(root, says, item)?;
                }
                true
            }
            "oneOf" => {
                says.as_array().unwrap().iter().filter(|one| fits(root, one, value).is_ok()).count() == 1
            }
            "properties" => true,
            other => panic!("no check for the keyword {other}"),
        };
        if !ok {
            return wrong(keyword);
        }
    }
    for (key, item) in value.as_object().into_iter().flatten() {
        match (rule.get("properties").and_then(|p| p.get(key)), rule.get("additionalProperties")) {
            (Some(says), _) => fits(root, says, item)?,
            (None, Some(Value::Bool(false))) => return wrong(&format!("unknown key {key}")),
            (None, Some(says)) => fits(root, says, item)?,
            (None, None) => {}
        }
    }
    Ok(())
}

fn as_json(file: &str) -> Value {
    toml::from_str(file).unwrap()
}

#[test]
fn every_shipped_file_fits_the_schema() {
    let schema = schema();
    for shipped in shipped::all() {
        assert_eq!(fits(&schema, &schema, &as_json(shipped.file)), Ok(()), "{}", shipped.name);
    }
}

#[test]
fn what_the_schema_refuses_the_reader_refuses() {
    let schema = schema();
    let file = shipped::all().iter().find(|s| s.procedure.id == "village_self_build").unwrap().file;
    let cases = [
        ("format = 1", "format = 2"),
        ("version = 1", "version = 0"),
        ("version = 1", "version = 1\ncolour = 1"),
        ("id = \"village_self_build\"", "id = \"Village\""),
        ("summary = {", "note = {"),
        ("quorum = \"2/3\"", "quorum = \"most\""),
        ("by = \"above\"", "by = \"nobody\""),
        ("ledger = \"budget\"", "ledger = \"gifts\""),
        ("kind = \"money\"", "kind = \"gold\""),
        ("limit = { normal = \"20 days\" }", "limit = { normal = \"20 moons\" }"),
        ("limit = { normal = \"20 days\" }", "limit = { sometimes = \"20 days\" }"),
        ("only = [\"major\"]", "only = [\"huge\"]"),
        ("within_budget = true", "within_budget = true, posted_days = 3"),
        ("more than 1/2 of present", "most of them"),
        ("zh = \"民议\"", "han = \"民议\""),
    ];
    for (from, to) in cases {
        let broken = file.replacen(from, to, 1);
        assert_ne!(broken, file, "{from}");
        assert!(fits(&schema, &schema, &as_json(&broken)).is_err(), "the schema takes {to}");
        assert!(read(&broken).is_err(), "the reader takes {to}");
    }
}

#[test]
fn the_example_of_the_reference_reads_without_a_word_of_complaint() {
    let example = REFERENCE.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    let (procedure, warnings) = read(example).unwrap();
    assert_eq!((procedure.stages.len(), warnings), (2, Vec::new()));
}

#[test]
fn the_reference_names_every_key_and_every_problem() {
    fn keys(value: &Value, out: &mut BTreeSet<String>) {
        for (keyword, inner) in value.as_object().into_iter().flatten() {
            if keyword == "properties" {
                out.extend(inner.as_object().unwrap().keys().cloned());
            }
            keys(inner, out);
        }
        for inner in value.as_array().into_iter().flatten() {
            keys(inner, out);
        }
    }
    let mut wanted = BTreeSet::new();
    keys(&schema(), &mut wanted);
    assert!(wanted.len() > 40);
    // A problem's code stands on a line of its own, or after the place.
    for source in [include_str!("../src/procedure/file.rs"), include_str!("../src/procedure/check.rs")] {
        for line in source.split("#[cfg(test)]").next().unwrap().lines() {
            let code = line.trim().strip_prefix('"').and_then(|l| l.strip_suffix("\","));
            wanted.extend(
                code.filter(|c| c.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')).map(str::to_owned),
            );
        }
    }
    assert!(wanted.contains("no_such_choice") && wanted.contains("bad_gate"));
    for name in wanted {
        let named = REFERENCE.contains(&format!("`{name}`"))
            || REFERENCE.contains(&format!("`{name} = "))
            || REFERENCE.contains(&format!("{{ {name}"))
            || REFERENCE.contains(&format!(" {name}"));
        assert!(named, "PROCEDURES.md does not name {name}");
    }
}
