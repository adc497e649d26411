//! The network as it is without faults.

use serde::Serialize;
use std::time::Duration;

/// Latencies between any two places, one way.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct NetPlan {
    /// Least.
    pub latency_min: Duration,
    /// Most.
    pub latency_max: Duration,
}
