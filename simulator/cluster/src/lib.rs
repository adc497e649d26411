//! The deterministic simulator: whole clusters under simulated time, network, disks and crashes,
//! every one a function of its seed.
//!
//! Start at [`run::run`]: it takes a [`plan::Plan`], which the seed draws, builds one of the two
//! stacks behind [`world::World`], lets clients work and faults happen, and judges what was seen.

#[cfg(not(tokio_unstable))]
compile_error!(
    "the cluster simulator needs tokio's unstable seeding, or runs would not repeat: build it with \
     `cargo sim ...` from the repository's root, which sets --cfg tokio_unstable"
);

pub mod checks;
pub mod clients;
pub mod commands;
pub mod determinism;
pub mod faults;
pub mod machine;
pub mod plan;
pub mod report;
pub mod run;
pub mod stack;
pub mod swarm;
pub mod trace;
pub mod world;
