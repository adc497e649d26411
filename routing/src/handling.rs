//! How contacts are handled once an agent has said yes: connected first, resting while the customer is
//! waited for, wrapped up for longer (docs/adr/0030). From feature level [`HANDLING`](crate::level::HANDLING) on.

use crate::{Channel, Points, Span};
use serde::{Deserialize, Serialize};

/// Bounds of handling.
pub mod limits {
    use crate::Span;

    /// Shortest time to connect.
    pub const CONNECT_MIN: Span = Span::seconds(1);
    /// Longest time to connect.
    pub const CONNECT_MAX: Span = Span::seconds(300);
    /// Most by which wrap-ups may be extended in all.
    pub const EXTEND_MAX: Span = Span::seconds(4 * 3_600);
    /// Length of a reason in bytes.
    pub const REASON_BYTES_MAX: usize = 256;
}

/// How a domain handles contacts. Without any of it: an accept assigns, what waits on the customer weighs what
/// it weighed, and wrap-ups end in their time.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handling {
    /// By [`Channel::index`]: how long a connection may take after an offer was accepted, 1 s to 5 min. `None`:
    /// who accepts has it.
    pub connect: [Option<Span>; 7],
    /// By [`Channel::index`]: points of a conversation that waits on its customer, 0 to 100; it never weighs more
    /// than before. `None`: what it weighed.
    pub idle: [Option<Points>; 7],
    /// By how much a wrap-up may be extended in all, up to 4 h. Zero: not at all.
    pub extend_max: Span,
}

impl Handling {
    /// Whether it says nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// How long a connection of this channel may take, if there is one to make.
    #[must_use]
    pub fn connects_within(&self, channel: Channel) -> Option<Span> {
        self.connect[channel.index()]
    }

    /// What a conversation of this channel and weight weighs while it waits on its customer.
    #[must_use]
    pub fn idle_weight(&self, channel: Channel, weight: Points) -> Points {
        self.idle[channel.index()].map_or(weight, |idle| idle.min(weight))
    }
}
