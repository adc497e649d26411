//! Looking again and again how far a node has come, at whichever node answers.

use super::super::client::Client;
use super::super::cluster::fetch;
use crate::failure::{Failure, Kind};
use proto::v1::ClusterState;
use std::time::Duration;
use tokio::time::Instant;

/// Pause between two looks.
const LOOK: Duration = Duration::from_millis(200);

/// Looks until something is so.
pub(super) struct Progress<'a> {
    asked: &'a Client,
    other: Option<Client>,
    last: ClusterState,
    told: String,
    until: Instant,
}

impl<'a> Progress<'a> {
    /// From what is known now, for at most so many seconds.
    pub(super) fn new(asked: &'a Client, last: ClusterState, seconds: u64) -> Self {
        let until = Instant::now() + Duration::from_secs(seconds);
        Self { asked, other: None, last, told: String::new(), until }
    }

    /// The cluster as a node sees it that is not `node`, unless there is no other: the one that goes may
    /// be the one that was asked.
    async fn look(&mut self, node: u64) -> Result<ClusterState, Failure> {
        let client = self.other.as_ref().unwrap_or(self.asked);
        let seen = fetch(client).await;
        let state = match seen {
            Ok(state) if state.this_node != node => state,
            Ok(_) | Err(_) => {
                self.other = self.connect_other(node).await;
                match (&self.other, seen) {
                    (Some(other), _) => fetch(other).await?,
                    (None, seen) => seen?,
                }
            }
        };
        self.last = state.clone();
        Ok(state)
    }

    async fn connect_other(&self, node: u64) -> Option<Client> {
        for other in self.last.nodes.iter().filter(|other| other.id != node && other.reachable) {
            if let Ok(client) = Client::connect(&other.address).await {
                return Some(client);
            }
        }
        None
    }

    /// Looks until `done` has nothing to say any more; what it says is shown as it changes.
    ///
    /// # Errors
    /// When time is over, with what it said last, or when no node answers.
    pub(super) async fn until(
        &mut self,
        node: u64,
        remedy: &str,
        done: impl Fn(&ClusterState) -> Option<String>,
    ) -> Result<(), Failure> {
        loop {
            let seen = self.look(node).await;
            let now = Instant::now();
            match seen.map(|state| done(&state)) {
                Ok(None) => return Ok(()),
                Ok(Some(said)) if said != self.told => {
                    eprintln!("{said}");
                    self.told = said;
                }
                Ok(Some(_)) => {}
                Err(failure) if now >= self.until => return Err(failure),
                Err(_) => {}
            }
            if now >= self.until {
                let message = format!("not done in time, and it goes on: {}", self.told);
                return Err(Failure::new(Kind::Other, message).remedy(remedy));
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Looks until nothing answers at an address.
    ///
    /// # Errors
    /// When time is over.
    pub(super) async fn until_silent(&self, node: u64, address: &str) -> Result<(), Failure> {
        while Client::connect(address).await.is_ok() {
            if Instant::now() >= self.until {
                let message = format!("node {node} has left the cluster, but something answers at {address}");
                return Err(Failure::new(Kind::Other, message).remedy("look at its process there"));
            }
            tokio::time::sleep(LOOK).await;
        }
        Ok(())
    }
}
