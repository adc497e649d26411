//! Ids as text.

use super::Read;
use crate::problem::Problem;
use routing::{AccountId, AgentId, BadId, ConversationId, DomainId, OfferId, QueueId, TouchpointId};
use std::str::FromStr;

/// An id whose text may come from a client. Domain 0 is the shard itself and never a client's.
pub trait PublicId: FromStr<Err = BadId> {
    /// Whether the id can name something of a client's.
    fn is_public(&self) -> bool;
}

impl PublicId for AccountId {
    fn is_public(&self) -> bool {
        true
    }
}

impl PublicId for DomainId {
    fn is_public(&self) -> bool {
        *self != DomainId::SHARD
    }
}

macro_rules! entity {
    ($($name:ident),*) => {
        $(impl PublicId for $name {
            fn is_public(&self) -> bool {
                self.domain.is_public()
            }
        })*
    };
}
entity!(AgentId, QueueId, TouchpointId, ConversationId, OfferId);

/// Reads a required id.
///
/// # Errors
/// `INVALID_ARGUMENT` that names the field and shows an example.
pub fn id<T: PublicId>(field: &str, text: &str) -> Read<T> {
    match text.parse::<T>() {
        Ok(id) if id.is_public() => Ok(id),
        Ok(_) => Err(bad_id(field, format!("'{text}' names nothing: domains are numbered from 1"))),
        Err(bad) if text.is_empty() => {
            Err(bad_id(field, format!("is required: {} looks like '{}'", bad.expected, bad.example)))
        }
        Err(bad) => Err(bad_id(field, bad.to_string())),
    }
}

/// Reads an id that may be absent, as an empty text.
///
/// # Errors
/// As [`id`].
pub fn optional_id<T: PublicId>(field: &str, text: &str) -> Read<Option<T>> {
    if text.is_empty() { Ok(None) } else { id(field, text).map(Some) }
}

/// Reads a list of ids.
///
/// # Errors
/// As [`id`], with the place in the list.
pub fn ids<T: PublicId>(field: &str, texts: &[String]) -> Read<Vec<T>> {
    texts.iter().enumerate().map(|(place, text)| id(&format!("{field}[{place}]"), text)).collect()
}

fn bad_id(field: &str, problem: String) -> Problem {
    Problem::field(field, problem).because("BAD_ID")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_id_names_field_and_example() {
        for (text, wanted) in [
            ("", "is required: an agent id looks like 'agent_1_1'"),
            ("conv_1_1", "agent_1_1"),
            ("agent_1", "agent_1_1"),
            ("agent_0_3", "domains are numbered from 1"),
        ] {
            let problem = id::<AgentId>("agent", text).unwrap_err();
            assert!(problem.message.starts_with("agent: "), "{}", problem.message);
            assert!(problem.message.contains(wanted), "{}", problem.message);
            assert_eq!(problem.field.as_deref(), Some("agent"));
        }
        assert!(id::<DomainId>("domain", "dom_0").is_err());
    }

    #[test]
    fn a_list_names_the_place() {
        let texts = ["queue_1_1".to_owned(), "queue".to_owned()];
        let problem = ids::<QueueId>("settings.queues", &texts).unwrap_err();
        assert_eq!(problem.field.as_deref(), Some("settings.queues[1]"));
    }
}
