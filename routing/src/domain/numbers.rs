//! Ids within their domain: what the core stores and compares.

use crate::paged::Slot;
use crate::{AgentId, ConversationId, DomainId, QueueId, TouchpointId};
use serde::{Deserialize, Serialize};

macro_rules! number {
    ($(#[$doc:meta])* $name:ident($inner:ty) = $id:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub(crate) struct $name(pub(crate) $inner);

        impl $name {
            /// The id as the world knows it.
            pub(crate) fn id(self, domain: DomainId) -> $id {
                $id::new(domain, u64::from(self.0))
            }

            /// The number of an id of this domain.
            #[allow(clippy::useless_conversion, reason = "the same code for both widths")]
            pub(crate) fn of(id: $id, domain: DomainId) -> Option<Self> {
                if id.domain == domain { id.number.try_into().ok().map(Self) } else { None }
            }
        }
    };
}

number!(
    /// A queue; 0 is never one and stands for dedicated lines.
    QueueNo(u32) = QueueId
);
number!(
    /// An agent.
    AgentNo(u32) = AgentId
);
number!(
    /// A touchpoint.
    TouchNo(u32) = TouchpointId
);
number!(
    /// A conversation.
    ConvNo(u64) = ConversationId
);

impl Slot for ConvNo {
    fn number(self) -> u64 {
        self.0
    }

    fn of_number(number: u64) -> Self {
        Self(number)
    }
}
