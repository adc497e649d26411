//! The core's values as JSON for people: ids in their text form, maps with ids for keys.

use serde::Serialize;
use serde::ser::{
    Error as _, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant, Serializer,
};
use serde_json::{Error, Map, Value};

/// A value as JSON.
///
/// # Errors
/// For maps whose keys have no text form; the core has none.
pub fn to_json<T: Serialize + ?Sized>(value: &T) -> Result<Value, Error> {
    value.serialize(Writer)
}

/// What an id of this type begins with, where its type is one of the core's ids.
fn prefix(name: &str) -> Option<&'static str> {
    Some(match name {
        "AccountId" => "acct",
        "DomainId" => "dom",
        "ShardId" => "shard",
        "AgentId" => "agent",
        "QueueId" => "queue",
        "TouchpointId" => "touch",
        "ConversationId" => "conv",
        "OfferId" => "offer",
        _ => return None,
    })
}

struct Writer;

/// A list under construction, with the variant it is of.
struct List {
    variant: Option<&'static str>,
    list: Vec<Value>,
}

/// An object under construction.
struct Object {
    name: &'static str,
    variant: Option<&'static str>,
    key: Option<String>,
    map: Map<String, Value>,
}

fn within(variant: Option<&'static str>, value: Value) -> Value {
    match variant {
        Some(variant) => Value::Object(Map::from_iter([(variant.to_owned(), value)])),
        None => value,
    }
}

fn list(variant: Option<&'static str>) -> List {
    List { variant, list: Vec::new() }
}

fn object(name: &'static str, variant: Option<&'static str>) -> Object {
    Object { name, variant, key: None, map: Map::new() }
}

macro_rules! plain {
    ($($method:ident($type:ty)),* $(,)?) => {
        $(fn $method(self, value: $type) -> Result<Value, Error> {
            Ok(Value::from(value))
        })*
    };
}

impl Serializer for Writer {
    type Ok = Value;
    type Error = Error;
    type SerializeSeq = List;
    type SerializeTuple = List;
    type SerializeTupleStruct = List;
    type SerializeTupleVariant = List;
    type SerializeMap = Object;
    type SerializeStruct = Object;
    type SerializeStructVariant = Object;

    plain!(
        serialize_bool(bool),
        serialize_i8(i8),
        serialize_i16(i16),
        serialize_i32(i32),
        serialize_i64(i64),
        serialize_u8(u8),
        serialize_u16(u16),
        serialize_u32(u32),
        serialize_u64(u64),
        serialize_f32(f32),
        serialize_f64(f64),
        serialize_str(&str),
    );

    fn serialize_u128(self, value: u128) -> Result<Value, Error> {
        Ok(Value::String(format!("{value:032x}")))
    }

    fn serialize_char(self, value: char) -> Result<Value, Error> {
        Ok(Value::String(value.to_string()))
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<Value, Error> {
        Ok(Value::from(value))
    }

    fn serialize_none(self) -> Result<Value, Error> {
        Ok(Value::Null)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Value, Error> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<Value, Error> {
        Ok(Value::Null)
    }

    fn serialize_unit_struct(self, name: &'static str) -> Result<Value, Error> {
        Ok(Value::String(name.to_owned()))
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<Value, Error> {
        Ok(Value::String(variant.to_owned()))
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<Value, Error> {
        let value = value.serialize(self)?;
        Ok(match prefix(name) {
            Some(prefix) => Value::String(format!("{prefix}_{value}")),
            None => value,
        })
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<Value, Error> {
        Ok(within(Some(variant), value.serialize(self)?))
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<List, Error> {
        Ok(list(None))
    }

    fn serialize_tuple(self, _: usize) -> Result<List, Error> {
        Ok(list(None))
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<List, Error> {
        Ok(list(None))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<List, Error> {
        Ok(list(Some(variant)))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Object, Error> {
        Ok(object("", None))
    }

    fn serialize_struct(self, name: &'static str, _: usize) -> Result<Object, Error> {
        Ok(object(name, None))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Object, Error> {
        Ok(object("", Some(variant)))
    }
}

impl List {
    fn push<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.list.push(to_json(value)?);
        Ok(())
    }

    fn done(self) -> Result<Value, Error> {
        Ok(within(self.variant, Value::Array(self.list)))
    }
}

macro_rules! lists {
    ($($trait:ident :: $method:ident),* $(,)?) => {
        $(impl $trait for List {
            type Ok = Value;
            type Error = Error;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
                self.push(value)
            }

            fn end(self) -> Result<Value, Error> {
                self.done()
            }
        })*
    };
}

lists!(
    SerializeSeq::serialize_element,
    SerializeTuple::serialize_element,
    SerializeTupleStruct::serialize_field,
    SerializeTupleVariant::serialize_field,
);

impl Object {
    fn put<T: Serialize + ?Sized>(&mut self, key: &str, value: &T) -> Result<(), Error> {
        self.map.insert(key.to_owned(), to_json(value)?);
        Ok(())
    }

    fn done(self) -> Result<Value, Error> {
        let id = prefix(self.name).and_then(|prefix| {
            let domain = self.map.get("domain")?.as_str()?.strip_prefix("dom_")?;
            Some(format!("{prefix}_{domain}_{}", self.map.get("number")?))
        });
        Ok(within(self.variant, id.map_or(Value::Object(self.map), Value::String)))
    }
}

macro_rules! objects {
    ($($trait:ident),* $(,)?) => {
        $(impl $trait for Object {
            type Ok = Value;
            type Error = Error;

            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                key: &'static str,
                value: &T,
            ) -> Result<(), Error> {
                self.put(key, value)
            }

            fn end(self) -> Result<Value, Error> {
                self.done()
            }
        })*
    };
}

objects!(SerializeStruct, SerializeStructVariant);

impl SerializeMap for Object {
    type Ok = Value;
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Error> {
        self.key = Some(match to_json(key)? {
            Value::String(text) => text,
            Value::Number(number) => number.to_string(),
            other => return Err(Error::custom(format!("{other} is no key"))),
        });
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        let key = self.key.take().ok_or_else(|| Error::custom("a value without a key"))?;
        self.put(&key, value)
    }

    fn end(self) -> Result<Value, Error> {
        self.done()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use routing::event::Place;
    use routing::{AgentId, ConversationId, DomainId, EventKind, LogTime, QueueId, Span};
    use serde_json::json;
    use std::collections::BTreeMap;

    #[test]
    fn ids_are_text_also_as_keys() {
        let agent = AgentId::new(DomainId(7), 12);
        let excluded = BTreeMap::from([(agent, LogTime(5))]);
        assert_eq!(to_json(&excluded).unwrap(), json!({ "agent_7_12": 5 }));
        let event = EventKind::Waiting {
            conversation: ConversationId::new(DomainId(7), 99),
            place: Place::Queues(vec![QueueId::new(DomainId(7), 1)]),
            cause: None,
        };
        let expected = json!({ "Waiting": {
            "conversation": "conv_7_99", "place": { "Queues": ["queue_7_1"] }, "cause": null,
        } });
        assert_eq!(to_json(&event).unwrap(), expected);
        assert_eq!(to_json(&(Span::seconds(1), "a")).unwrap(), json!([1_000_000, "a"]));
    }
}
