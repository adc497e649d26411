//! Three nodes.

use super::{Client, Node, Start, until};
use std::net::TcpListener;
use tempfile::TempDir;

/// Free addresses of loopback: bound all at once, so that they differ, then given back.
pub fn free_addresses(count: usize) -> Vec<String> {
    let ports: Vec<TcpListener> =
        (0..count).map(|_| TcpListener::bind("127.0.0.1:0").expect("a free port")).collect();
    ports.iter().map(|port| port.local_addr().expect("bound").to_string()).collect()
}

/// Three nodes on loopback with their data in a temporary folder.
pub struct Cluster {
    nodes: Vec<Option<Node>>,
    starts: Vec<Start>,
    addresses: Vec<String>,
    _data: TempDir,
}

impl Cluster {
    /// Starts three nodes, each with these further arguments, and waits until every group has a
    /// leader.
    pub async fn three(args: &[&str]) -> Self {
        Self::with(|start| args.iter().fold(start, |start, arg| start.arg(*arg))).await
    }

    /// Starts three nodes as `adjust` says.
    pub async fn with(adjust: impl Fn(Start) -> Start) -> Self {
        let data = TempDir::new().expect("a folder");
        let addresses = free_addresses(3);
        let starts: Vec<Start> = (1..=3)
            .map(|id| {
                let mut start = Start::new(&data.path().join(format!("node{id}")))
                    .listen(&addresses[id - 1])
                    .shards(3)
                    .arg("--node")
                    .arg(id.to_string());
                for (at, address) in addresses.iter().enumerate() {
                    start = start.arg("--member").arg(format!("{}={address}", at + 1));
                }
                adjust(start)
            })
            .collect();
        let nodes = starts.iter().map(|start| Some(start.serve())).collect();
        let cluster = Self { nodes, starts, addresses, _data: data };
        cluster.settled().await;
        cluster
    }

    /// A client of node 1, 2 or 3.
    pub fn client(&self, id: usize) -> Client {
        Client::at(&self.addresses[id - 1])
    }

    /// The running node 1, 2 or 3.
    pub fn node(&self, id: usize) -> &Node {
        self.nodes[id - 1].as_ref().expect("a running node")
    }

    /// Whether a node runs.
    pub fn runs(&self, id: usize) -> bool {
        self.nodes[id - 1].is_some()
    }

    /// Kills a node as a crash would.
    pub fn kill(&mut self, id: usize) {
        self.nodes[id - 1].take().expect("a running node").kill();
    }

    /// Starts a killed node again, with its data.
    pub fn restart(&mut self, id: usize) {
        assert!(!self.runs(id), "node {id} runs");
        self.nodes[id - 1] = Some(self.starts[id - 1].serve());
    }

    /// Waits until every running node knows a running leader of every group.
    pub async fn settled(&self) {
        for id in (1..=3).filter(|id| self.runs(*id)) {
            let client = self.client(id);
            until("a leader of every group", || async {
                let state = client.state().await;
                let led = |leader: u64| leader != 0 && self.runs(leader as usize);
                state.shards.iter().all(|shard| led(shard.leader)).then_some(())
            })
            .await;
        }
    }

    /// The node that leads a domain's shard.
    pub async fn leader_of(&self, domain: &str) -> usize {
        let id = (1..=3).find(|id| self.runs(*id)).expect("a running node");
        let client = self.client(id);
        let request = proto::v1::GetDomainRequest { domain: domain.to_owned() };
        let found = client.retry(|| async { client.admin().get_domain(request.clone()).await }).await;
        let shard = found.expect("a known domain").shard;
        until("a leader", || async {
            let state = client.state().await;
            let leader = state.shards.iter().find(|one| one.id == shard)?.leader as usize;
            (leader != 0 && self.runs(leader)).then_some(leader)
        })
        .await
    }
}
