//! Groups of replicas. One binary: several would each be linked with all of the crate.
#![allow(missing_docs, reason = "tests are read where they are")]

mod cluster;
mod disk_faults;
mod harness;
mod members;
mod peers;
mod piped;
mod pipes;
mod quiet;
mod replicas;
mod restore;
#[cfg(feature = "seeded-bugs")]
mod seeded;
mod snapshots;
