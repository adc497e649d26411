//! The cluster's addresses, and connections to them.

use anyhow::{Context, bail};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tonic::transport::{Channel, Endpoint};

/// Streams per connection: servers bound them, and one TCP connection bounds what flows.
const STREAMS_PER_CONNECTION: usize = 64;

/// The nodes of a cluster, used in turn.
#[derive(Debug)]
pub struct Target {
    endpoints: Vec<Endpoint>,
    /// Per node.
    connections: Vec<Vec<Channel>>,
    next: AtomicUsize,
}

impl Target {
    /// The nodes at these addresses (`host:port`), with connections for so many streams in all.
    /// Connects when used.
    ///
    /// # Errors
    /// An address that is none, or no address at all.
    pub fn new(addresses: &[String], streams: usize) -> anyhow::Result<Self> {
        if addresses.is_empty() {
            bail!("no address: give at least one node as host:port");
        }
        let mut endpoints = Vec::new();
        for address in addresses {
            let uri = if address.contains("://") { address.clone() } else { format!("http://{address}") };
            let endpoint = Endpoint::from_shared(uri)
                .with_context(|| format!("'{address}' is not an address: it looks like 127.0.0.1:7400"))?
                .connect_timeout(Duration::from_secs(2))
                .tcp_nodelay(true)
                .http2_keep_alive_interval(Duration::from_secs(2))
                .keep_alive_timeout(Duration::from_secs(3))
                .keep_alive_while_idle(true);
            endpoints.push(endpoint);
        }
        let each = streams.div_ceil(addresses.len()).div_ceil(STREAMS_PER_CONNECTION).max(1);
        let connections =
            endpoints.iter().map(|endpoint| (0..=each).map(|_| endpoint.connect_lazy()).collect()).collect();
        Ok(Self { endpoints, connections, next: AtomicUsize::new(0) })
    }

    /// How many nodes.
    #[must_use]
    pub fn nodes(&self) -> usize {
        self.endpoints.len()
    }

    /// The next node in turn, for a single call: the first connection of each is theirs.
    #[must_use]
    pub fn call(&self) -> Channel {
        let node = self.next.fetch_add(1, Ordering::Relaxed) % self.endpoints.len();
        self.connections[node][0].clone()
    }

    /// A connection for the stream with this number, `attempt` nodes further on.
    #[must_use]
    pub fn stream(&self, number: usize, attempt: usize) -> Channel {
        let node = (number + attempt) % self.endpoints.len();
        let of_node = &self.connections[node][1..];
        let index = number / self.endpoints.len() % of_node.len().max(1);
        of_node.get(index).unwrap_or(&self.connections[node][0]).clone()
    }
}
