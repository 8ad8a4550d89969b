//! Acts: what people do, as typed values, and their one written form as a map of [`Value`]s.
//!
//! Reading is strict: an act of a known kind with a missing, extra or mistyped field is *malformed*, an
//! act of an unknown kind *needs a newer program*. Neither is an error of the gate: both are stored,
//! forwarded and shown (rule R8), and neither counts. [`kinds`] lists what exists.

mod field;
mod kinds;

pub use field::{Blob, Field, Filled, Text};
pub use kinds::{
    Charter, Cited, Decision, External, Heard, Progress, Sealed, Step, Stub, Stubs, Voice, Word, container_of,
};

use crate::{
    ids::ActRef,
    value::{Map, Value},
};
use thiserror::Error;

/// Why an act's map is not an act this program understands.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ActError {
    /// A kind from a newer program.
    #[error("an act of kind “{0}” needs a newer program")]
    UnknownKind(String),
    /// A known kind whose fields are wrong.
    #[error("the field “{0}” is missing, mistyped or not part of this act")]
    Malformed(String),
}

/// One act: who of the place's people, on which day, did what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Act<K> {
    /// For steps of a chain: the step this one follows (rule R6). `None` for the first step and for
    /// acts that do not move anything.
    pub prev: Option<ActRef>,
    /// The day the author claims, in days since 1970-01-01.
    pub on: i64,
    /// The charter member id of the person; `None` when the node acted by a stated rule.
    pub by: Option<String>,
    /// What was done.
    pub what: K,
}

/// A family of act kinds that live in one container.
pub trait ActKind: Sized {
    /// The stable name of this kind.
    fn name(&self) -> &'static str;
    /// Writes the kind's fields.
    fn write(&self, map: &mut Map);
    /// Reads the kind's fields, removing them from `map`; `None` for an unknown kind.
    ///
    /// # Errors
    /// [`ActError::Malformed`] names the field.
    fn read(name: &str, map: &mut Map) -> Result<Option<Self>, ActError>;
    /// Reads the kind's fields where they stand and counts those that are there; `None` if anything is
    /// not as it should be.
    fn get(name: &str, map: &Map, found: &mut usize) -> Option<Self>;
}

impl<K: ActKind> Act<K> {
    /// The act's written form.
    #[must_use]
    pub fn to_map(&self) -> Map {
        let mut map = Map::new();
        map.insert("kind".into(), Value::Str(self.what.name().into()));
        self.prev.put("prev", &mut map);
        self.on.put("on", &mut map);
        self.by.put("by", &mut map);
        self.what.write(&mut map);
        map
    }

    /// Reads a written act without copying the map: twice as fast as [`Act::from_map`] of a copy.
    ///
    /// # Errors
    /// [`ActError`] if this program does not understand it.
    pub fn from_ref(map: &Map) -> Result<Self, ActError> {
        // What is not plainly well-formed is read the slow way, which knows what is wrong with it.
        Self::plain(map).map_or_else(|| Self::from_map(map.clone()), Ok)
    }

    fn plain(map: &Map) -> Option<Self> {
        let Some(Value::Str(name)) = map.get("kind") else { return None };
        let mut found = 1;
        let what = K::get(name, map, &mut found)?;
        let act = Self {
            prev: Field::get("prev", map, &mut found)?,
            on: i64::get("on", map, &mut found)?,
            by: Field::get("by", map, &mut found)?,
            what,
        };
        (found == map.len()).then_some(act)
    }

    /// Reads a written act.
    ///
    /// # Errors
    /// [`ActError`] if this program does not understand it.
    pub fn from_map(mut map: Map) -> Result<Self, ActError> {
        let name = String::take("kind", &mut map)?;
        let what = K::read(&name, &mut map)?.ok_or(ActError::UnknownKind(name))?;
        let act = Self {
            prev: Field::take("prev", &mut map)?,
            on: i64::take("on", &mut map)?,
            by: Field::take("by", &mut map)?,
            what,
        };
        match map.into_iter().next() {
            Some((extra, _)) => Err(ActError::Malformed(extra.into())),
            None => Ok(act),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_act_reads_back_and_nothing_more_is_tolerated() {
        let act = Act {
            prev: Some(ActRef { actor: crate::ids::ActorId([1; 16]), seq: 2 }),
            on: 20_000,
            by: Some("u1".into()),
            what: Step::Answer { text: Text("已修好".into()), outcome: None, lead: None, lead_act: None },
        };
        let map = act.to_map();
        assert_eq!(Act::from_map(map.clone()), Ok(act.clone()));
        assert_eq!(Act::from_ref(&map), Ok(act));
        let mut extra = map.clone();
        extra.insert("colour".into(), Value::Null);
        assert_eq!(Act::<Step>::from_ref(&extra), Err(ActError::Malformed("colour".into())));
        assert_eq!(Act::<Step>::from_map(extra), Err(ActError::Malformed("colour".into())));
        let mut scalar = map.clone();
        scalar.insert("text".into(), Value::Str("已修好".into()));
        assert_eq!(Act::<Step>::from_map(scalar), Err(ActError::Malformed("text".into())));
        let mut newer = map;
        newer.insert("kind".into(), Value::Str("levitate".into()));
        assert_eq!(Act::<Step>::from_ref(&newer), Err(ActError::UnknownKind("levitate".into())));
        assert_eq!(Act::<Step>::from_map(newer), Err(ActError::UnknownKind("levitate".into())));
    }
}
