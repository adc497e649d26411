//! Benchmarks of the core, with counts of what each decision visits.
//!
//! [`world`] builds a domain of any size through ordinary commands, [`traffic`] drives lifecycles
//! through it and measures each applied command, [`report`] shows the figures side by side.

pub mod report;
pub mod skills;
pub mod traffic;
pub mod world;
