//! Figures of several runs: medians, a table beside the targets, a flat JSON object.

use anyhow::Result;
use serde_json::{Map, Value};
use std::{collections::BTreeMap, fs, path::Path};

/// What a key is to reach, in the key's own unit.
pub(crate) struct Target {
    pub(crate) key: &'static str,
    pub(crate) at_most: f64,
}

/// Values by key, one per run.
#[derive(Debug, Default)]
pub(crate) struct Figures(BTreeMap<String, Vec<f64>>);

impl Figures {
    pub(crate) fn add(&mut self, key: impl Into<String>, value: f64) {
        self.0.entry(key.into()).or_default().push(value);
    }

    /// Adds the other's values under their keys with this before them.
    pub(crate) fn take(&mut self, prefix: &str, other: &Self) {
        for (key, values) in &other.0 {
            self.0.entry(format!("{prefix}{key}")).or_default().extend(values);
        }
    }

    /// The newest value.
    pub(crate) fn last(&self, key: &str) -> Option<f64> {
        self.0.get(key)?.last().copied()
    }

    pub(crate) fn median(&self, key: &str) -> Option<f64> {
        let mut values = self.0.get(key)?.clone();
        values.sort_by(f64::total_cmp);
        let middle = values.len() / 2;
        let upper = values.get(middle).copied()?;
        Some(match values.len() % 2 {
            1 => upper,
            _ => (upper + values.get(middle.checked_sub(1)?).copied()?) / 2.0,
        })
    }

    /// Prints medians with their spread beside the targets.
    pub(crate) fn print(&self, targets: &[Target]) {
        println!("{:<32} {:>14} {:>14}   {:>14} {:>14}", "", "median", "target", "lowest", "highest");
        for (key, values) in &self.0 {
            let target = targets.iter().find(|t| t.key == key);
            let median = self.median(key).unwrap_or(f64::NAN);
            let low = values.iter().copied().fold(f64::INFINITY, f64::min);
            let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let aim = target.map(|t| format!("≤ {}", shown(t.at_most))).unwrap_or_default();
            let missed = if target.is_some_and(|t| median > t.at_most) { "  above the target" } else { "" };
            println!(
                "{key:<32} {:>14} {aim:>14}   {:>14} {:>14}{missed}",
                shown(median),
                shown(low),
                shown(high)
            );
        }
    }

    /// Writes the medians and what else is given as one flat object.
    pub(crate) fn write(&self, file: Option<&Path>, facts: &[(&str, u64)]) -> Result<()> {
        let Some(file) = file else { return Ok(()) };
        let mut out = Map::new();
        for key in self.0.keys() {
            if let Some(median) = self.median(key) {
                let whole = median.fract() == 0.0 && median >= 1_000.0;
                let value = if whole { Value::from(median as u64) } else { Value::from(median) };
                out.insert(key.clone(), value);
            }
        }
        out.extend(facts.iter().map(|(key, value)| ((*key).to_owned(), Value::from(*value))));
        fs::write(file, format!("{}\n", serde_json::to_string_pretty(&Value::Object(out))?))?;
        Ok(())
    }
}

fn shown(value: f64) -> String {
    if value.abs() >= 1_000.0 {
        let digits = format!("{value:.0}");
        let mut out = String::new();
        for (i, c) in digits.chars().enumerate() {
            if i > 0 && (digits.len() - i).is_multiple_of(3) {
                out.push(' ');
            }
            out.push(c);
        }
        out
    } else {
        format!("{value:.3}")
    }
}
