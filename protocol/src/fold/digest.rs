//! The canonical bytes of a fold's result, and their hash.
//!
//! Every serialized value has one form: the same primitives as everything else that is hashed
//! ([`crate::codec`]), fields in the order they are declared, enums by their stable names. Two nodes that
//! agree have the same digest; it is a check, never stored, so it may change with the program's version.

use crate::{
    codec::Writer,
    ids::{Hash, hash},
};
use serde::{
    Serialize,
    ser::{self, Impossible, SerializeMap, SerializeSeq, SerializeStruct, SerializeTuple},
};
use std::fmt;

/// The hash of a value's canonical bytes under a domain.
pub(super) fn of(domain: &str, value: &impl Serialize) -> Hash {
    let mut out = Canonical(Writer::new());
    // The values folded here hold no floats and no foreign serializers: nothing of theirs can fail. If a
    // later field did, its error text takes part, so that equal values still have equal digests.
    if let Err(error) = value.serialize(&mut out) {
        out.0.str(&error.0);
    }
    Hash(hash(domain, &[&out.0.finish()]))
}

/// Something without a canonical form.
#[derive(Debug)]
struct NoForm(String);

impl fmt::Display for NoForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for NoForm {}

impl ser::Error for NoForm {
    fn custom<T: fmt::Display>(msg: T) -> Self {
        Self(msg.to_string())
    }
}

struct Canonical(Writer);

type Done = Result<(), NoForm>;

/// A list, map or struct, ended by a zero so that its length need not be known before.
const MORE: u64 = 1;
const END: u64 = 0;

impl ser::Serializer for &mut Canonical {
    type Ok = ();
    type Error = NoForm;
    type SerializeSeq = Self;
    type SerializeTuple = Self;
    type SerializeTupleStruct = Impossible<(), NoForm>;
    type SerializeTupleVariant = Impossible<(), NoForm>;
    type SerializeMap = Self;
    type SerializeStruct = Self;
    type SerializeStructVariant = Impossible<(), NoForm>;

    fn serialize_bool(self, v: bool) -> Done {
        self.serialize_u64(u64::from(v))
    }
    fn serialize_i8(self, v: i8) -> Done {
        self.serialize_i64(i64::from(v))
    }
    fn serialize_i16(self, v: i16) -> Done {
        self.serialize_i64(i64::from(v))
    }
    fn serialize_i32(self, v: i32) -> Done {
        self.serialize_i64(i64::from(v))
    }
    fn serialize_i64(self, v: i64) -> Done {
        self.0.int(v);
        Ok(())
    }
    fn serialize_u8(self, v: u8) -> Done {
        self.serialize_u64(u64::from(v))
    }
    fn serialize_u16(self, v: u16) -> Done {
        self.serialize_u64(u64::from(v))
    }
    fn serialize_u32(self, v: u32) -> Done {
        self.serialize_u64(u64::from(v))
    }
    fn serialize_u64(self, v: u64) -> Done {
        self.0.uint(v);
        Ok(())
    }
    fn serialize_f32(self, _: f32) -> Done {
        Err(NoForm("a float".into()))
    }
    fn serialize_f64(self, _: f64) -> Done {
        Err(NoForm("a float".into()))
    }
    fn serialize_char(self, v: char) -> Done {
        self.serialize_u64(u64::from(u32::from(v)))
    }
    fn serialize_str(self, v: &str) -> Done {
        self.0.str(v);
        Ok(())
    }
    fn serialize_bytes(self, v: &[u8]) -> Done {
        self.0.bytes(v);
        Ok(())
    }
    fn serialize_none(self) -> Done {
        self.serialize_u64(END)
    }
    fn serialize_some<T: ?Sized + Serialize>(self, value: &T) -> Done {
        self.0.uint(MORE);
        value.serialize(self)
    }
    fn serialize_unit(self) -> Done {
        self.serialize_u64(END)
    }
    fn serialize_unit_struct(self, name: &'static str) -> Done {
        self.serialize_str(name)
    }
    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Done {
        self.serialize_str(variant)
    }
    fn serialize_newtype_struct<T: ?Sized + Serialize>(self, _: &'static str, value: &T) -> Done {
        value.serialize(self)
    }
    fn serialize_newtype_variant<T: ?Sized + Serialize>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Done {
        self.0.str(variant);
        value.serialize(self)
    }
    fn serialize_seq(self, _: Option<usize>) -> Result<Self, NoForm> {
        Ok(self)
    }
    fn serialize_tuple(self, _: usize) -> Result<Self, NoForm> {
        Ok(self)
    }
    fn serialize_tuple_struct(
        self,
        name: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleStruct, NoForm> {
        Err(NoForm(name.to_owned()))
    }
    fn serialize_tuple_variant(
        self,
        name: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, NoForm> {
        Err(NoForm(name.to_owned()))
    }
    fn serialize_map(self, _: Option<usize>) -> Result<Self, NoForm> {
        Ok(self)
    }
    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self, NoForm> {
        Ok(self)
    }
    fn serialize_struct_variant(
        self,
        name: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, NoForm> {
        Err(NoForm(name.to_owned()))
    }
    fn is_human_readable(&self) -> bool {
        false
    }
}

impl SerializeSeq for &mut Canonical {
    type Ok = ();
    type Error = NoForm;
    fn serialize_element<T: ?Sized + Serialize>(&mut self, value: &T) -> Done {
        self.0.uint(MORE);
        value.serialize(&mut **self)
    }
    fn end(self) -> Done {
        self.0.uint(END);
        Ok(())
    }
}

impl SerializeTuple for &mut Canonical {
    type Ok = ();
    type Error = NoForm;
    fn serialize_element<T: ?Sized + Serialize>(&mut self, value: &T) -> Done {
        SerializeSeq::serialize_element(self, value)
    }
    fn end(self) -> Done {
        SerializeSeq::end(self)
    }
}

impl SerializeMap for &mut Canonical {
    type Ok = ();
    type Error = NoForm;
    fn serialize_key<T: ?Sized + Serialize>(&mut self, key: &T) -> Done {
        self.0.uint(MORE);
        key.serialize(&mut **self)
    }
    fn serialize_value<T: ?Sized + Serialize>(&mut self, value: &T) -> Done {
        value.serialize(&mut **self)
    }
    fn end(self) -> Done {
        self.0.uint(END);
        Ok(())
    }
}

impl SerializeStruct for &mut Canonical {
    type Ok = ();
    type Error = NoForm;
    fn serialize_field<T: ?Sized + Serialize>(&mut self, name: &'static str, value: &T) -> Done {
        self.0.uint(MORE);
        self.0.str(name);
        value.serialize(&mut **self)
    }
    fn end(self) -> Done {
        self.0.uint(END);
        Ok(())
    }
}
