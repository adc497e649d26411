//! Nodes in one process. One binary: several would each be linked with all of the crate.
#![allow(missing_docs, reason = "tests are read where they are")]

mod export;
mod harness;
mod levels;
mod members;
mod moves;
mod one_node;
mod policies;
mod probe;
mod replicas;
mod skills;
mod three_nodes;
