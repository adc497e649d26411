//! Workloads, the day simulator, the load tester, the checker of histories, and their reports.
//!
//! `day` drives the routing core alone in virtual time; `load` drives a running cluster. Both take
//! the same [`workload::Workload`] and write the same [`report::Report`].

pub mod checker;
pub mod commands;
pub mod day;
pub mod load;
pub mod report;
pub mod stats;
pub mod trace;
pub mod witness;
pub mod workload;
