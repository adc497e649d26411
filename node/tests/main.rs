//! Real nodes as processes. One binary: two dozen would each be linked with all of the product.
#![allow(missing_docs, reason = "tests are read where they are")]

mod backup;
mod bad_input;
mod callback;
mod channel_rules;
mod client;
mod consult;
mod crash;
mod demo;
mod drain;
mod expected_wait;
mod export_log;
mod golden;
mod grow;
mod handling;
mod harness;
mod hours;
mod moves;
#[cfg(feature = "object-store")]
mod object_store;
mod pace;
mod picture;
mod pipe;
mod policies;
mod replicas;
mod ring;
mod single_node;
mod skills;
mod three_nodes;
mod tour;
mod upgrade;
mod zones;
