//! The one report of `day`, `load` and `demo`: the same figures under the same JSON keys.

mod figures;

pub use figures::{CallEnd, CallRecord, Interval, LatencyMs, Report};
