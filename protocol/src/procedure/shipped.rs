//! The procedures that come with the program, one for each practice it was made for. A district reads them,
//! changes them and issues its own; nothing in the engine knows their names.

use super::{Procedure, read};
use std::sync::{Arc, OnceLock};

/// One that comes with the program.
#[derive(Debug, Clone)]
pub struct Shipped {
    /// The file's name.
    pub name: &'static str,
    /// The file.
    pub file: &'static str,
    /// What it says.
    pub procedure: Arc<Procedure>,
}

macro_rules! files {
    ($($name:literal),* $(,)?) => {
        const FILES: &[(&str, &str)] =
            &[$(($name, include_str!(concat!("../../../node/procedures/", $name)))),*];
    };
}

files![
    "opinion_courier.toml",
    "village_self_build.toml",
    "courtyard_assembly.toml",
    "four_steps.toml",
    "four_deliberations.toml",
    "tuesday_station.toml",
    "layered_consultation.toml",
    "good_to_discuss.toml",
    "linked_supervision.toml",
    "grid_party_cloud.toml",
    "livelihood_110.toml",
    "power_lists.toml",
    "integrity_reply.toml",
];

/// All of them. A file that does not read is left out; a test sees to it that each does.
pub fn all() -> &'static [Shipped] {
    static ALL: OnceLock<Vec<Shipped>> = OnceLock::new();
    ALL.get_or_init(|| {
        let read = |(name, file): &(&'static str, &'static str)| {
            let (procedure, _) = read(file).ok()?;
            Some(Shipped { name, file, procedure: Arc::new(procedure) })
        };
        FILES.iter().filter_map(read).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shipped_file_reads_without_a_word_of_complaint() {
        for (name, file) in FILES {
            match read(file) {
                Ok((_, warnings)) => assert_eq!(warnings, [], "{name}"),
                Err(problems) => panic!("{name}: {problems:#?}"),
            }
        }
        assert_eq!((all().len(), FILES.len()), (13, 13));
        let ids: std::collections::BTreeSet<_> = all().iter().map(|s| s.procedure.id.clone()).collect();
        assert_eq!(ids.len(), FILES.len());
    }
}
