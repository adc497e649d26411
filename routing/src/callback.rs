//! Calling customers back, and resuming the place of one who left (docs/adr/0034). From feature level
//! [`CALLBACK`](crate::level::CALLBACK) on.

use crate::{LogTime, Span};
use serde::{Deserialize, Serialize};

/// Bounds of callbacks.
pub mod limits {
    use crate::Span;

    /// Most attempts to reach a customer.
    pub const ATTEMPTS_MAX: u8 = 10;
    /// Shortest time between two attempts.
    pub const RETRY_MIN: Span = Span::seconds(1);
    /// Longest time between two attempts.
    pub const RETRY_MAX: Span = Span::seconds(24 * 3_600);
    /// Shortest time for which a callback may stand.
    pub const EXPIRES_MIN: Span = Span::seconds(60);
    /// Longest time for which a callback may stand.
    pub const EXPIRES_MAX: Span = Span::seconds(7 * 24 * 3_600);
    /// Length of a contact in bytes.
    pub const CONTACT_BYTES_MAX: usize = 64;
}

/// Why a callback was closed whose customer was not reached.
pub const NOT_REACHED: &str = "callback: the customer was not reached";

/// Why a callback was closed that stood for too long.
pub const EXPIRED: &str = "callback: expired";

/// How a domain calls customers back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallbackSettings {
    /// Attempts to reach the customer, 1 to 10; after the last one that fails it is closed.
    pub attempts: u8,
    /// From an attempt that failed to the next offer, 1 s to 24 h.
    pub retry_after: Span,
    /// How long a connection may take after an accept, 1 s to 300 s.
    pub dial: Span,
    /// How long a callback may stand, from its request, 1 min to 7 days; then it is closed.
    pub expires_after: Span,
    /// For how long an abandoned place can be resumed, at most as long as the domain keeps terminal conversations;
    /// zero: not at all.
    pub resume_within: Span,
}

/// That a conversation is to be called back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Callback {
    /// Where the customer is to be reached, in the caller's own terms, at most 64 bytes; empty: as it came.
    pub contact: String,
    /// When it was asked for.
    pub requested_at: LogTime,
    /// Attempts that did not reach the customer.
    pub attempts: u8,
    /// Nobody is offered it before then.
    pub not_before: Option<LogTime>,
    /// It is closed then, or when the offer that is live ends.
    pub expires_at: LogTime,
}
