//! Workloads, the day simulator, the load tester, the checker of histories, and their reports.
//!
//! `day` drives the routing core alone in virtual time; `load` drives a running cluster. Both take
//! the same [`workload::Workload`] and write the same [`report::Report`]. `replay` applies a log that
//! a node exported.

pub mod checker;
pub mod commands;
#[cfg(feature = "tools")]
pub mod day;
#[cfg(feature = "tools")]
pub mod load;
pub mod replay;
pub mod report;
#[cfg(feature = "tools")]
pub mod stats;
#[cfg(feature = "tools")]
pub mod trace;
pub mod witness;
#[cfg(feature = "tools")]
pub mod workload;
