//! The world as seen from below: everything nondeterministic comes in through these, at
//! construction. (`Disk` is in its own module, beside the log that needs it.)

use std::sync::Arc;

/// Time. Simulated nodes get their own, with skew and drift.
pub trait Clock: Send + Sync + 'static {
    /// Microseconds since some fixed moment of this process; never goes back.
    fn monotonic_us(&self) -> u64;
    /// Unix milliseconds; may jump either way.
    fn wall_ms(&self) -> u64;
}

/// Randomness.
pub trait Entropy: Send + Sync + 'static {
    /// 64 random bits.
    fn next_u64(&self) -> u64;
}

/// A shared clock.
pub type SharedClock = Arc<dyn Clock>;
/// Shared randomness.
pub type SharedEntropy = Arc<dyn Entropy>;
