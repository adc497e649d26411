//! Any message of the API as JSON and back, from its descriptor. Field names are those of the
//! .proto files; numbers stay numbers.

use crate::failure::{Failure, Kind};
use prost::Message;
use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor, SerializeOptions};
use serde_json::Value;
use std::sync::OnceLock;

fn descriptor(name: &str) -> Result<MessageDescriptor, Failure> {
    static POOL: OnceLock<Option<DescriptorPool>> = OnceLock::new();
    let bug = || Failure::new(Kind::Other, format!("bug: no descriptor of {name}"));
    let pool = POOL.get_or_init(|| DescriptorPool::decode(proto::DESCRIPTORS).ok());
    let pool = pool.as_ref().ok_or_else(bug)?;
    pool.get_message_by_name(&format!("centralita.v1.{name}")).ok_or_else(bug)
}

/// A message as JSON; `name` is its name in the API.
pub(super) fn to_json(name: &str, message: &impl Message) -> Result<Value, Failure> {
    let bug = |error: &dyn std::fmt::Display| Failure::new(Kind::Other, format!("bug: {name}: {error}"));
    let dynamic = DynamicMessage::decode(descriptor(name)?, message.encode_to_vec().as_slice())
        .map_err(|error| bug(&error))?;
    let options = SerializeOptions::new()
        .use_proto_field_name(true)
        .skip_default_fields(false)
        .stringify_64_bit_integers(false);
    dynamic.serialize_with_options(serde_json::value::Serializer, &options).map_err(|error| bug(&error))
}

/// A message from JSON as a person wrote it.
pub(super) fn from_json<M: Message + Default>(name: &str, text: &str) -> Result<M, Failure> {
    let mut reader = serde_json::Deserializer::from_str(text);
    let bad = |error: &dyn std::fmt::Display| {
        Failure::new(Kind::Config, format!("not a {name}: {error}"))
            .remedy(format!("see message {name} in types.proto, or `ctl --json get` one that exists"))
    };
    let dynamic = DynamicMessage::deserialize(descriptor(name)?, &mut reader).map_err(|error| bad(&error))?;
    reader.end().map_err(|error| bad(&error))?;
    M::decode(dynamic.encode_to_vec().as_slice()).map_err(|error| bad(&error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proto::v1;

    #[test]
    fn there_and_back() {
        let settings = v1::QueueSettings {
            name: "sales".into(),
            pick: v1::PickPolicy::LeastLoaded.into(),
            waiting_max: Some(7),
            ..Default::default()
        };
        let json = to_json("QueueSettings", &settings).expect("known");
        assert_eq!(json["waiting_max"], 7);
        assert_eq!(json["pick"], "PICK_POLICY_LEAST_LOADED");
        let back: v1::QueueSettings = from_json("QueueSettings", &json.to_string()).expect("the same");
        assert_eq!(back, settings);
        let failure = from_json::<v1::QueueSettings>("QueueSettings", r#"{"pik": 1}"#).unwrap_err();
        assert!(failure.message.contains("pik"), "{failure}");
    }
}
