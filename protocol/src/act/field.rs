//! How one typed field of an act is written as a [`Value`] and read back, strictly.

use super::ActError;
use crate::{
    ids::{ActRef, DocId, Hash, PlaceId},
    value::{Map, Value},
};
use smol_str::SmolStr;
use std::collections::BTreeMap;

/// Free text people write: an Automerge text object.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Text(pub String);

/// Bytes that are no id.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Blob(pub Vec<u8>);

/// What was filled into a form: short strings, text, numbers, yes or no.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filled(pub Map);

/// A type that stands in an act's map under some key.
pub trait Field: Sized {
    /// The value, or `None` when the key is left out.
    fn to_value(&self) -> Option<Value>;
    /// The typed form, or `None` if the value is not one.
    fn from_value(value: Value) -> Option<Self>;
    /// The typed form of a value that stays where it is. Ids need no copy of it.
    fn from_ref(value: &Value) -> Option<Self> {
        Self::from_value(value.clone())
    }
    /// What a missing key means.
    fn absent() -> Option<Self> {
        None
    }

    /// Reads `key` and counts it if it is there; `None` if the field is not as it should be.
    fn get(key: &str, map: &Map, found: &mut usize) -> Option<Self> {
        match map.get(key) {
            Some(value) => {
                *found += 1;
                Self::from_ref(value)
            }
            None => Self::absent(),
        }
    }

    /// Writes under `key`.
    fn put(&self, key: &str, map: &mut Map) {
        if let Some(value) = self.to_value() {
            map.insert(key.into(), value);
        }
    }

    /// Removes and reads `key`.
    ///
    /// # Errors
    /// [`ActError::Malformed`] names the key.
    fn take(key: &str, map: &mut Map) -> Result<Self, ActError> {
        match map.remove(key) {
            Some(value) => Self::from_value(value),
            None => Self::absent(),
        }
        .ok_or_else(|| ActError::Malformed(key.to_owned()))
    }
}

macro_rules! scalar {
    ($type:ty, $pattern:pat => $read:expr, $self:ident => $write:expr) => {
        impl Field for $type {
            fn to_value(&self) -> Option<Value> {
                let $self = self;
                Some($write)
            }
            fn from_value(value: Value) -> Option<Self> {
                match value {
                    $pattern => $read,
                    _ => None,
                }
            }
        }
    };
}

scalar!(Blob, Value::Bytes(b) => Some(Self(b)), v => Value::Bytes(v.0.clone()));
scalar!(i64, Value::Int(i) => Some(i), v => Value::Int(*v));
scalar!(bool, Value::Bool(b) => Some(b), v => Value::Bool(*v));

/// Read from the value where it stands: an id needs no copy of it, a text one and not two.
macro_rules! in_place {
    ($type:ty, $pattern:pat => $read:expr, $self:ident => $write:expr) => {
        impl Field for $type {
            fn to_value(&self) -> Option<Value> {
                let $self = self;
                Some($write)
            }
            fn from_value(value: Value) -> Option<Self> {
                Self::from_ref(&value)
            }
            fn from_ref(value: &Value) -> Option<Self> {
                match value {
                    $pattern => $read,
                    _ => None,
                }
            }
        }
    };
}

in_place!(String, Value::Str(s) => Some(s.as_str().to_owned()), v => Value::Str(v.into()));
in_place!(Text, Value::Text(s) => Some(Self(s.clone())), v => Value::Text(v.0.clone()));
in_place!(ActRef, Value::Str(s) => s.parse().ok(), v => Value::Str(SmolStr::from(v.to_string())));
in_place!(DocId, Value::Bytes(b) => Self::from_slice(b), v => Value::Bytes(v.0.to_vec()));
in_place!(PlaceId, Value::Bytes(b) => Self::from_slice(b), v => Value::Bytes(v.0.to_vec()));
in_place!(Hash, Value::Bytes(b) => Self::from_slice(b), v => Value::Bytes(v.0.to_vec()));

impl<T: Field> Field for Option<T> {
    fn to_value(&self) -> Option<Value> {
        self.as_ref().and_then(Field::to_value)
    }
    fn from_value(value: Value) -> Option<Self> {
        T::from_value(value).map(Some)
    }
    fn from_ref(value: &Value) -> Option<Self> {
        T::from_ref(value).map(Some)
    }
    fn absent() -> Option<Self> {
        Some(None)
    }
}

impl<T: Field> Field for Vec<T> {
    fn to_value(&self) -> Option<Value> {
        Some(Value::List(self.iter().filter_map(Field::to_value).collect()))
    }
    fn from_value(value: Value) -> Option<Self> {
        match value {
            Value::List(items) => items.into_iter().map(T::from_value).collect(),
            _ => None,
        }
    }
}

impl Field for Filled {
    fn to_value(&self) -> Option<Value> {
        Some(Value::Map(self.0.clone()))
    }
    fn from_value(value: Value) -> Option<Self> {
        let Value::Map(map) = value else { return None };
        let fits = |v: &Value| matches!(v, Value::Str(_) | Value::Text(_) | Value::Int(_) | Value::Bool(_));
        let all_fit = map.values().all(fits);
        all_fit.then_some(Self(map))
    }
}

impl Field for BTreeMap<String, i64> {
    fn to_value(&self) -> Option<Value> {
        Some(Value::Map(self.iter().map(|(k, v)| (k, Value::Int(*v))).collect()))
    }
    fn from_value(value: Value) -> Option<Self> {
        let Value::Map(map) = value else { return None };
        map.into_iter().map(|(k, v)| Some((k.into(), i64::from_value(v)?))).collect()
    }
}

impl Field for BTreeMap<String, String> {
    fn to_value(&self) -> Option<Value> {
        Some(Value::Map(self.iter().map(|(k, v)| (k, Value::Str(v.into()))).collect()))
    }
    fn from_value(value: Value) -> Option<Self> {
        let Value::Map(map) = value else { return None };
        map.into_iter().map(|(k, v)| Some((k.into(), String::from_value(v)?))).collect()
    }
}

/// Declares a struct that is written as a map of its own, with exactly these fields.
macro_rules! record {
    ($(#[$doc:meta])* pub struct $name:ident { $($(#[$fdoc:meta])* $field:ident: $type:ty),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $name { $($(#[$fdoc])* pub $field: $type),* }

        impl $crate::act::Field for $name {
            fn to_value(&self) -> Option<$crate::value::Value> {
                let mut map = $crate::value::Map::new();
                $($crate::act::Field::put(&self.$field, stringify!($field), &mut map);)*
                Some($crate::value::Value::Map(map))
            }
            fn from_value(value: $crate::value::Value) -> Option<Self> {
                let $crate::value::Value::Map(mut map) = value else { return None };
                let read = Self { $($field: $crate::act::Field::take(stringify!($field), &mut map).ok()?),* };
                map.is_empty().then_some(read)
            }
        }
    };
}

/// Declares a family of act kinds: an enum whose variants have a stable name and typed fields.
macro_rules! kinds {
    ($(#[$doc:meta])* pub enum $name:ident {
        $($(#[$vdoc:meta])* $variant:ident = $stable:literal { $($(#[$fdoc:meta])* $field:ident: $type:ty),* $(,)? }),* $(,)?
    }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum $name { $($(#[$vdoc])* $variant { $($(#[$fdoc])* $field: $type),* }),* }

        impl $crate::act::ActKind for $name {
            fn name(&self) -> &'static str {
                match self { $(Self::$variant { .. } => $stable),* }
            }
            fn write(&self, map: &mut $crate::value::Map) {
                match self {
                    $(Self::$variant { $($field),* } => {
                        let _ = &map;
                        $($crate::act::Field::put($field, stringify!($field), map);)*
                    })*
                }
            }
            fn read(name: &str, map: &mut $crate::value::Map) -> Result<Option<Self>, $crate::act::ActError> {
                let _ = &map;
                Ok(Some(match name {
                    $($stable => Self::$variant { $($field: $crate::act::Field::take(stringify!($field), map)?),* },)*
                    _ => return Ok(None),
                }))
            }
            fn get(name: &str, map: &$crate::value::Map, found: &mut usize) -> Option<Self> {
                let _ = (&map, &found);
                Some(match name {
                    $($stable => Self::$variant { $($field: $crate::act::Field::get(stringify!($field), map, found)?),* },)*
                    _ => return None,
                })
            }
        }
    };
}

pub(super) use {kinds, record};
