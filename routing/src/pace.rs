//! How many conversations an agent is offered within a time, at most (docs/adr/0033). From feature level
//! [`PACE`](crate::level::PACE) on.

use crate::Span;
use serde::{Deserialize, Serialize};

/// Bounds of a pace.
pub mod limits {
    use crate::Span;

    /// Most offers of a pace.
    pub const OFFERS_MAX: u8 = 20;
    /// Shortest time of a pace.
    pub const PER_MIN: Span = Span::seconds(1);
    /// Longest time of a pace.
    pub const PER_MAX: Span = Span::seconds(3_600);
}

/// No agent is offered more than so many conversations within so long, in a window that slides. Every offer counts;
/// transfers to an agent are made all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pace {
    /// How many, 1 to 20.
    pub offers: u8,
    /// Within how long, 1 s to 1 h.
    pub per: Span,
}
