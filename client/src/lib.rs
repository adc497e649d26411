//! A client of a Centralita cluster.
//!
//! Any node answers any call, by carrying it to the leader of the domain's shard. [`Client`] saves that way: answers
//! say who leads, and it goes there next time. It tries again, at another node, whatever was certainly not done or
//! may be repeated because it bears a request id, until the call's time is over; it resumes streams of events
//! without a gap, and where the record no longer reaches back it goes on from a picture ([`Client::follow`]).
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use client::{Client, mutation};
//! use proto::v1::{StartRequest, routing_client::RoutingClient};
//!
//! let client = Client::new(&["node1:7400", "node2:7400", "node3:7400"])?;
//! let start = StartRequest {
//!     mutation: mutation(),
//!     touchpoint: "touch_1_1".into(),
//!     customer: "+34600111222".into(),
//!     ..Default::default()
//! };
//! let started = client
//!     .call(&start.touchpoint, |node| {
//!         let start = start.clone();
//!         async move { RoutingClient::new(node).start(start).await }
//!     })
//!     .await?;
//! println!("{}", started.conversation);
//! let mut events = client.watch("dom_1", 1);
//! while let Ok(event) = events.next().await {
//!     println!("{} {}", event.sequence, event.r#type);
//! }
//! # Ok(())
//! # }
//! ```

mod again;
mod events;
mod follow;
mod nodes;
mod picture;

pub use events::Events;
pub use follow::{Follow, Followed};
pub use picture::Picture;

use nodes::Nodes;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, timeout};
use tonic::transport::Channel;
use tonic::{Response, Status};

/// Where an answer says who leads the shard of the domain that was asked about: `HOST:PORT`.
pub const LEADER: &str = "centralita-leader";

/// How long things take at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Times {
    /// Connecting to a node.
    pub connect: Duration,
    /// One try at one node.
    pub attempt: Duration,
    /// All tries of a call.
    pub call: Duration,
    /// Before the next try, where the node does not say how long.
    pub pause: Duration,
}

impl Default for Times {
    fn default() -> Self {
        Self {
            connect: Duration::from_millis(500),
            attempt: Duration::from_secs(2),
            call: Duration::from_secs(15),
            pause: Duration::from_millis(20),
        }
    }
}

/// An address that is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Not HOST:PORT.
    #[error("'{0}' is no address: write it as HOST:PORT")]
    Bad(String),
    /// There must be at least one.
    #[error("no address: give at least one node as HOST:PORT")]
    None,
}

/// The nodes of a cluster and who of them leads what, as far as it was told. Cheap to clone.
#[derive(Clone)]
pub struct Client {
    nodes: Arc<Nodes>,
    times: Times,
}

/// A fresh request id: whoever sends it again asks for the same thing, once.
#[must_use]
pub fn mutation() -> Option<proto::v1::Mutation> {
    Some(proto::v1::Mutation { request_id: uuid::Uuid::now_v7().to_string(), ..Default::default() })
}

impl Client {
    /// A client that knows these nodes. Others are learned from answers. Connects when it is used.
    ///
    /// # Errors
    /// See [`AddressError`].
    pub fn new<A: AsRef<str>>(addresses: &[A]) -> Result<Self, AddressError> {
        Self::with(addresses, Times::default())
    }

    /// The same with other times.
    ///
    /// # Errors
    /// See [`AddressError`].
    pub fn with<A: AsRef<str>>(addresses: &[A], times: Times) -> Result<Self, AddressError> {
        let addresses: Vec<&str> = addresses.iter().map(AsRef::as_ref).collect();
        Ok(Self { nodes: Arc::new(Nodes::new(&addresses, times.connect)?), times })
    }

    /// Calls until there is a definite answer. `about` is the id of what it is about (`dom_1`,
    /// `conv_1_9`, …; its domain decides where it goes first), or anything else for a call about none.
    /// What `call` sends must be the same each time, with the same request id if it changes anything.
    ///
    /// # Errors
    /// A refusal at once; the last failure when time is over.
    pub async fn call<T, W>(&self, about: &str, call: impl Fn(Channel) -> W) -> Result<T, Status>
    where
        W: Future<Output = Result<Response<T>, Status>>,
    {
        let until = Instant::now() + self.times.call;
        let domain = domain_of(about);
        let mut failed: Option<String> = None;
        loop {
            let (address, channel) = self.nodes.next(domain, failed.as_deref());
            let left = until.saturating_duration_since(Instant::now());
            let status = match timeout(self.times.attempt.min(left), call(channel)).await {
                Ok(Ok(answer)) => {
                    self.nodes.heard(domain, leader_in(answer.metadata()));
                    return Ok(answer.into_inner());
                }
                Ok(Err(status)) => status,
                Err(_) => Status::deadline_exceeded(format!("no answer from {address} in time")),
            };
            let Some(pause) = again::after(&status, self.times.pause) else { return Err(status) };
            self.nodes.failed(domain, &address);
            failed = Some(address);
            if Instant::now() + pause >= until {
                return Err(status);
            }
            tokio::time::sleep(pause).await;
        }
    }

    /// A domain's events from a sequence on (1: from the beginning; 0: only what is new), in order and
    /// without a gap, for as long as it takes: lost streams are resumed at another node.
    #[must_use]
    pub fn watch(&self, domain: &str, from: u64) -> Events {
        Events::from(self.clone(), domain, (0, from))
    }

    /// A connection to the node that is asked next about this.
    #[must_use]
    pub fn channel(&self, about: &str) -> Channel {
        self.nodes.next(domain_of(about), None).1
    }

    /// The connection to one of the nodes this client was made with, by its place in that list
    /// (counted round).
    #[must_use]
    pub fn at(&self, place: usize) -> Channel {
        self.nodes.at(place)
    }

    /// How many nodes it was made with.
    #[must_use]
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Never: it was made with at least one.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.nodes.len() == 0
    }

    /// The address that leads what this is about, if an answer has said so.
    #[must_use]
    pub fn leader_of(&self, about: &str) -> Option<String> {
        self.nodes.leader(domain_of(about)?)
    }
}

fn leader_in(metadata: &tonic::metadata::MetadataMap) -> Option<&str> {
    metadata.get(LEADER)?.to_str().ok()
}

/// The number of the domain in an id: the first number, as in `conv_1_9`.
fn domain_of(id: &str) -> Option<u32> {
    let mut parts = id.split('_');
    let kind = parts.next()?;
    let number = parts.next()?.parse().ok()?;
    (!kind.is_empty() && kind != "acct" && kind.bytes().all(|byte| byte.is_ascii_lowercase()))
        .then_some(number)
}

#[cfg(test)]
mod tests {
    use super::domain_of;

    #[test]
    fn an_id_names_its_domain() {
        for (id, domain) in [
            ("dom_3", Some(3)),
            ("conv_3_19", Some(3)),
            ("touch_12_1", Some(12)),
            ("offer_4_5", Some(4)),
            ("acct_7", None),
            ("", None),
            ("dom", None),
            ("dom_x", None),
            ("_3", None),
            ("+34600111222", None),
        ] {
            assert_eq!(domain_of(id), domain, "{id}");
        }
    }
}
