//! Typed identifiers. Minted by the core from counters, never reused, and never naming a shard or
//! a node, because domains move.
//!
//! Text forms (the API's): `acct_3`, `dom_7`, `agent_7_12`, `queue_7_1`, `touch_7_1`, `conv_7_99`,
//! `offer_7_1234`: the prefix, then the domain, then a counter of that domain.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Why a text is not the id that was expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{text}' is not {expected}: it looks like '{example}'")]
pub struct BadId {
    /// What was given.
    pub text: String,
    /// What was wanted, for people.
    pub expected: &'static str,
    /// An example of the right form.
    pub example: &'static str,
}

macro_rules! scalar_id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal, $expected:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub struct $name(pub u32);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "_{}"), self.0)
            }
        }

        impl FromStr for $name {
            type Err = BadId;
            fn from_str(text: &str) -> Result<Self, BadId> {
                text.strip_prefix(concat!($prefix, "_"))
                    .and_then(|rest| rest.parse().ok())
                    .map($name)
                    .ok_or_else(|| BadId {
                        text: text.to_owned(),
                        expected: $expected,
                        example: concat!($prefix, "_1"),
                    })
            }
        }
    };
}

scalar_id!(
    /// An account: one customer of the cluster (a tenant). Nothing crosses accounts.
    AccountId, "acct", "an account id"
);
scalar_id!(
    /// A domain: the agents, queues and conversations that can be matched with one another.
    /// `DomainId(0)` never names a domain; entries for the shard itself carry it.
    DomainId, "dom", "a domain id"
);
scalar_id!(
    /// A shard: one Raft group that holds many domains. Group 0 is the meta group, never a shard.
    ShardId, "shard", "a shard id"
);

impl DomainId {
    /// The target of entries that concern the whole shard (tick, continue, level).
    pub const SHARD: DomainId = DomainId(0);
}

macro_rules! entity_id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal, $expected:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub struct $name {
            /// The domain that minted the id.
            pub domain: DomainId,
            /// Counter within the domain, from 1.
            pub number: u64,
        }

        impl $name {
            /// The id with this number in this domain.
            #[must_use]
            pub const fn new(domain: DomainId, number: u64) -> Self {
                Self { domain, number }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "_{}_{}"), self.domain.0, self.number)
            }
        }

        impl FromStr for $name {
            type Err = BadId;
            fn from_str(text: &str) -> Result<Self, BadId> {
                text.strip_prefix(concat!($prefix, "_"))
                    .and_then(|rest| rest.split_once('_'))
                    .and_then(|(domain, number)| {
                        Some(Self::new(DomainId(domain.parse().ok()?), number.parse().ok()?))
                    })
                    .ok_or_else(|| BadId {
                        text: text.to_owned(),
                        expected: $expected,
                        example: concat!($prefix, "_1_1"),
                    })
            }
        }
    };
}

entity_id!(
    /// An agent: a person or a bot that handles conversations.
    AgentId, "agent", "an agent id"
);
entity_id!(
    /// A queue: a waiting line that agents belong to.
    QueueId, "queue", "a queue id"
);
entity_id!(
    /// A touchpoint: an address customers reach, with one channel and one routing mode.
    TouchpointId, "touch", "a touchpoint id"
);
entity_id!(
    /// A conversation: one piece of work, from arrival to closed.
    ConversationId, "conv", "a conversation id"
);
entity_id!(
    /// An offer: a conversation held out to one agent, with a deadline. Never reused; also the
    /// fencing token of what the desk sends about it.
    OfferId, "offer", "an offer id"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_round_trips_and_refuses_with_an_example() {
        let id = ConversationId::new(DomainId(7), 99);
        assert_eq!(id.to_string(), "conv_7_99");
        assert_eq!("conv_7_99".parse(), Ok(id));
        let bad = "agent_7_99".parse::<ConversationId>().unwrap_err();
        assert!(bad.to_string().contains("conv_1_1"), "{bad}");
        assert!("conv_7".parse::<ConversationId>().is_err());
        assert_eq!("dom_4".parse(), Ok(DomainId(4)));
    }
}
