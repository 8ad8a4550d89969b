//! The tree of values an act carries.
//!
//! One act is one map in an Automerge document. `Value` is that map's shape, free of Automerge's
//! operations: the change codec writes it as operations in one canonical order and reads it back, so
//! that *value → bytes → value* and *bytes → value → bytes* are both identities.

use std::collections::BTreeMap;

/// One value inside an act.
///
/// `Text` is an Automerge text object (free text that people write); `Str` is a scalar string (short
/// fixed values: names of kinds, codes, numbers as said aloud). Numbers are signed 64-bit integers;
/// floats do not exist here, because two programs may print them differently.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Value {
    /// Automerge scalar null.
    Null,
    /// Automerge scalar boolean.
    Bool(bool),
    /// Automerge scalar int.
    Int(i64),
    /// Automerge scalar string.
    Str(String),
    /// Automerge scalar bytes.
    Bytes(Vec<u8>),
    /// Automerge text object, one insertion per Unicode scalar value.
    Text(String),
    /// Automerge map object, keys in byte order.
    Map(Map),
    /// Automerge list object.
    List(Vec<Value>),
}

/// A map of values; the order of keys is their byte order, everywhere.
pub type Map = BTreeMap<String, Value>;
