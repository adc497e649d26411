//! `Cluster`: the cluster as this node sees it.

use super::Answers;
use super::call::{Shared, permit};
use super::limits::EXPORTS_MAX;
use crate::problem::Problem;
use ::routing::ShardId;
use actors::{ClusterState, ExportError};
use futures::stream;
use proto::v1;
use proto::v1::cluster_server::Cluster;
use proto::v1::cluster_state::{Node, Shard};
use std::time::Duration;
use tonic::{Code, Request, Response, Status};

/// Time for a log that was cut meanwhile to have an end again.
const TRY_AGAIN_AFTER: Duration = Duration::from_millis(100);

/// The service.
#[derive(Clone)]
pub struct ClusterService(pub Shared);

#[tonic::async_trait]
impl Cluster for ClusterService {
    type ExportLogStream = Answers<v1::ExportLogChunk>;

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

    async fn export_log(
        &self,
        request: Request<v1::ExportLogRequest>,
    ) -> Result<Response<Self::ExportLogStream>, Status> {
        let request = request.into_inner();
        let permit = permit(&self.0.exports, "exports of logs", EXPORTS_MAX)?;
        let export = self.0.engine.export_log(ShardId(request.shard), request.from_snapshot).await;
        // Pulled as the client reads; the permit lives as long as the stream.
        let start = (export.map_err(not_exported)?, permit);
        let chunks = stream::try_unfold(start, |(mut export, permit)| async move {
            let data = export.next().await.map_err(not_exported)?;
            Ok::<_, Status>(data.map(|data| (v1::ExportLogChunk { data: data.into() }, (export, permit))))
        });
        Ok(Response::new(Box::pin(chunks)))
    }
}

fn not_exported(error: ExportError) -> Problem {
    let message = error.to_string();
    match error {
        ExportError::UnknownShard(_) => Problem::new(Code::NotFound, "UNKNOWN_SHARD", message),
        ExportError::TryAgain(_) => {
            Problem::new(Code::Unavailable, "TRY_AGAIN", message).retry_after(TRY_AGAIN_AFTER)
        }
        ExportError::Damaged(_) => Problem::new(Code::DataLoss, "DAMAGED", message),
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
