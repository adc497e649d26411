//! Real nodes as child processes, clients and desks for them. Every test owns its nodes; they are
//! killed by id when the test ends, and what they logged is printed when it fails.
#![allow(dead_code, unused_imports, reason = "each test file uses another part of the harness")]

mod client;
mod cluster;
mod desk;
mod node;
mod tenant;

pub use client::{Client, mutation, reason};
pub use cluster::{Cluster, free_addresses};
pub use desk::Desk;
pub use node::{BINARY, Ended, Node, Start, run};
pub use tenant::Tenant;

use std::future::Future;
use std::time::Duration;

/// How long anything may take before a test gives up. Not a claim about speed.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Asks again and again until there is an answer.
///
/// # Panics
/// When there is none within [`PATIENCE`].
pub async fn until<T, W: Future<Output = Option<T>>>(what: &str, mut ask: impl FnMut() -> W) -> T {
    let asking = async {
        loop {
            if let Some(found) = ask().await {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    match tokio::time::timeout(PATIENCE, asking).await {
        Ok(found) => found,
        Err(_) => panic!("waited in vain for {what}"),
    }
}
