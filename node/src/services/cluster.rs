//! `Cluster`: the cluster as this node sees it.

use super::call::Shared;
use actors::ClusterState;
use proto::v1;
use proto::v1::cluster_server::Cluster;
use proto::v1::cluster_state::{Node, Shard};
use tonic::{Request, Response, Status};

/// The service.
#[derive(Clone)]
pub struct ClusterService(pub Shared);

#[tonic::async_trait]
impl Cluster for ClusterService {
    async fn get_cluster(
        &self,
        request: Request<v1::GetClusterRequest>,
    ) -> Result<Response<v1::ClusterState>, Status> {
        self.0
            .unary("centralita.v1.Cluster/GetCluster", request, |engine, _, _| async move {
                Ok(write(&engine.cluster()))
            })
            .await
    }
}

fn write(state: &ClusterState) -> v1::ClusterState {
    v1::ClusterState {
        cluster_id: state.cluster.clone(),
        this_node: state.this.0,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        nodes: state
            .nodes
            .iter()
            .map(|node| Node { id: node.id.0, address: node.address.clone(), reachable: node.reachable })
            .collect(),
        shards: state
            .shards
            .iter()
            .map(|shard| Shard {
                id: shard.group.0,
                leader: shard.leader.map_or(0, |leader| leader.0),
                term: shard.term,
                applied: shard.applied,
                log_time_us: shard.now.0,
                domains: shard.domains,
                replicas: shard.replicas.iter().map(|node| node.0).collect(),
            })
            .collect(),
        alarms: state.alarms.iter().map(|alarm| alarm.text.clone()).collect(),
        planted: state.planted.clone().unwrap_or_default(),
        speed: state.speed,
    }
}
