//! Which real places the demonstration plays.

use super::DemoError;
use std::path::Path;
use yishi_protocol::place::{Division, Divisions, Level, parse_divisions, shipped_divisions};

/// The default: 青白江区, where four-step decision began.
const DEFAULT: &str = "qingbaijiang";
/// The demonstration's tree is this wide at its second level.
const TOWNSHIPS: usize = 2;

/// A district with some townships and their villages.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    pub(super) district: Division,
    pub(super) townships: Vec<(Division, Vec<Division>)>,
}

impl Layout {
    /// Chooses places: the first district of the list, the townships with most villages, and `villages`
    /// of theirs, spread evenly and turned by the seed.
    pub(super) fn choose(file: Option<&Path>, villages: usize, seed: u64) -> Result<Self, DemoError> {
        let text = match file {
            Some(path) => std::fs::read_to_string(path)
                .map_err(|e| DemoError::Divisions(format!("{}: {e}", path.display())))?,
            None => shipped_divisions()
                .into_iter()
                .find(|(name, _)| name.contains(DEFAULT))
                .map(|(_, csv)| csv.to_owned())
                .ok_or_else(|| DemoError::Divisions(DEFAULT.into()))?,
        };
        let list = parse_divisions(&text).map_err(|e| DemoError::Divisions(e.to_string()))?;
        let tree = Divisions::new(list).map_err(|e| DemoError::Divisions(e.to_string()))?;
        let mut districts: Vec<&Division> = tree
            .iter()
            .filter(|d| d.level == Level::District && tree.children(d.code).next().is_some())
            .collect();
        districts.sort_by_key(|d| d.code);
        let few = || {
            DemoError::Divisions(format!(
                "it has no district with {villages} villages in {TOWNSHIPS} townships"
            ))
        };
        let turned = usize::try_from(seed).unwrap_or(0);
        for at in 0..districts.len() {
            let Some(district) = districts.get((at + turned) % districts.len()) else { continue };
            let mut townships: Vec<(&Division, Vec<&Division>)> =
                tree.children(district.code).map(|t| (t, tree.children(t.code).collect())).collect();
            townships.retain(|(_, v)| v.len() >= villages.div_ceil(TOWNSHIPS));
            // 姚渡镇 and its neighbours come first where they are; elsewhere the order of codes.
            townships.sort_by_key(|(t, _)| (t.name != "姚渡镇", t.code));
            if townships.len() < TOWNSHIPS {
                continue;
            }
            let chosen = townships.into_iter().take(TOWNSHIPS).enumerate().map(|(i, (township, mut all))| {
                let share = villages / TOWNSHIPS + usize::from(i < villages % TOWNSHIPS);
                let n = all.len().max(1);
                all.rotate_left(turned % n);
                (township.clone(), all.into_iter().take(share).cloned().collect())
            });
            return Ok(Self { district: (*district).clone(), townships: chosen.collect() });
        }
        Err(few())
    }

    pub(super) fn nodes(&self) -> usize {
        1 + self.townships.iter().map(|(_, v)| 1 + v.len()).sum::<usize>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_a_district_two_townships_and_four_villages() {
        let layout = Layout::choose(None, 4, 0).unwrap();
        assert_eq!(layout.district.name, "青白江区");
        assert_eq!(layout.nodes(), 7);
        assert_eq!(Layout::choose(None, 5, 3).unwrap().nodes(), 8);
        assert!(Layout::choose(None, 5_000, 0).is_err());
    }
}
