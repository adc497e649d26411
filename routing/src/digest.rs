//! Hash of anything serialisable, independent of platform, build and memory layout: integers as
//! fixed little-endian bytes, lengths before sequences, variants by number.

use serde::ser::{self, Serialize};
use std::fmt;
use std::hash::Hasher;

/// Feeds a value to a hasher.
pub(crate) fn digest<T: Serialize + ?Sized, H: Hasher>(value: &T, hasher: &mut H) {
    value.serialize(Digest(hasher)).expect("the types of this crate serialise without errors");
}

/// A hash of a value's content, to compare two of them within one run. Unlike
/// [`crate::Shard::state_hash`] it is quick, and not the same in every version.
#[must_use]
pub fn fingerprint<T: Serialize + ?Sized>(value: &T) -> u64 {
    let mut hasher = crate::fixed::Mix::default();
    digest(value, &mut hasher);
    hasher.finish()
}

struct Digest<'a, H>(&'a mut H);

/// Serialising into a hasher fails only when a type refuses to be serialised.
#[derive(Debug)]
pub(crate) struct DigestError(String);

impl fmt::Display for DigestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for DigestError {}

impl ser::Error for DigestError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        DigestError(message.to_string())
    }
}

macro_rules! word {
    ($($name:ident: $type:ty),*) => {$(
        fn $name(self, value: $type) -> Result<(), DigestError> {
            self.0.write(&value.to_le_bytes());
            Ok(())
        }
    )*};
}

impl<'a, H: Hasher> Digest<'a, H> {
    fn length(self, length: Option<usize>) -> Result<Self, DigestError> {
        let length = length.ok_or_else(|| DigestError("a sequence must know its length".to_owned()))?;
        self.0.write_u64(length as u64);
        Ok(self)
    }
}

impl<'a, H: Hasher> ser::Serializer for Digest<'a, H> {
    type Ok = ();
    type Error = DigestError;
    type SerializeSeq = Self;
    type SerializeTuple = Self;
    type SerializeTupleStruct = Self;
    type SerializeTupleVariant = Self;
    type SerializeMap = Self;
    type SerializeStruct = Self;
    type SerializeStructVariant = Self;

    word!(
        serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64, serialize_i128: i128,
        serialize_u8: u8, serialize_u16: u16, serialize_u32: u32, serialize_u64: u64, serialize_u128: u128,
        serialize_f32: f32, serialize_f64: f64
    );

    /// Unlike a snapshot, a hash is of everything, also where a planted fault leaves something out.
    fn is_human_readable(&self) -> bool {
        true
    }

    fn serialize_bool(self, value: bool) -> Result<(), DigestError> {
        self.serialize_u8(u8::from(value))
    }

    fn serialize_char(self, value: char) -> Result<(), DigestError> {
        self.serialize_u32(u32::from(value))
    }

    fn serialize_str(self, value: &str) -> Result<(), DigestError> {
        self.serialize_bytes(value.as_bytes())
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<(), DigestError> {
        self.0.write_u64(value.len() as u64);
        self.0.write(value);
        Ok(())
    }

    fn serialize_none(self) -> Result<(), DigestError> {
        self.serialize_u8(0)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), DigestError> {
        self.0.write_u8(1);
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), DigestError> {
        Ok(())
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Result<(), DigestError> {
        Ok(())
    }

    fn serialize_unit_variant(
        self,
        _n: &'static str,
        index: u32,
        _v: &'static str,
    ) -> Result<(), DigestError> {
        self.serialize_u32(index)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _n: &'static str,
        value: &T,
    ) -> Result<(), DigestError> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        index: u32,
        _variant: &'static str,
        value: &T,
    ) -> Result<(), DigestError> {
        self.0.write_u32(index);
        value.serialize(self)
    }

    fn serialize_seq(self, length: Option<usize>) -> Result<Self, DigestError> {
        self.length(length)
    }

    fn serialize_tuple(self, _length: usize) -> Result<Self, DigestError> {
        Ok(self)
    }

    fn serialize_tuple_struct(self, _name: &'static str, _length: usize) -> Result<Self, DigestError> {
        Ok(self)
    }

    fn serialize_tuple_variant(
        self,
        _name: &'static str,
        index: u32,
        _variant: &'static str,
        _length: usize,
    ) -> Result<Self, DigestError> {
        self.0.write_u32(index);
        Ok(self)
    }

    fn serialize_map(self, length: Option<usize>) -> Result<Self, DigestError> {
        self.length(length)
    }

    fn serialize_struct(self, _name: &'static str, _length: usize) -> Result<Self, DigestError> {
        Ok(self)
    }

    fn serialize_struct_variant(
        self,
        _name: &'static str,
        index: u32,
        _variant: &'static str,
        _length: usize,
    ) -> Result<Self, DigestError> {
        self.0.write_u32(index);
        Ok(self)
    }
}

macro_rules! compound {
    ($($trait:ident: $($method:ident $(($key:ty))?),+;)*) => {$(
        impl<H: Hasher> ser::$trait for Digest<'_, H> {
            type Ok = ();
            type Error = DigestError;
            $(fn $method<T: Serialize + ?Sized>(&mut self, $(_key: $key,)? value: &T) -> Result<(), DigestError> {
                value.serialize(Digest(&mut *self.0))
            })+
            fn end(self) -> Result<(), DigestError> {
                Ok(())
            }
        }
    )*};
}

compound! {
    SerializeSeq: serialize_element;
    SerializeTuple: serialize_element;
    SerializeTupleStruct: serialize_field;
    SerializeTupleVariant: serialize_field;
    SerializeMap: serialize_key, serialize_value;
    SerializeStruct: serialize_field (&'static str);
    SerializeStructVariant: serialize_field (&'static str);
}

#[cfg(test)]
mod tests {
    use super::digest;
    use crate::fixed::Mix;
    use std::hash::Hasher;

    fn of<T: serde::Serialize>(value: &T) -> u64 {
        let mut hasher = Mix::default();
        digest(value, &mut hasher);
        hasher.finish()
    }

    #[test]
    fn content_decides_and_boundaries_count() {
        assert_eq!(of(&(1u8, "ab")), of(&(1u8, String::from("ab"))));
        assert_ne!(of(&("ab", "c")), of(&("a", "bc")));
        assert_ne!(of(&Some(0u8)), of(&None::<u8>));
        assert_ne!(of(&vec![0u64]), of(&Vec::<u64>::new()));
    }
}
