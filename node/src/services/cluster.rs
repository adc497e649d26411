//! `Cluster`: the cluster as this node sees it.

use super::Answers;
use super::call::{Shared, permit};
use super::limits::EXPORTS_MAX;
use crate::convert::{ids, scalar};
use crate::problem::Problem;
use ::routing::{DomainId, ShardId, level};
use actors::{ClusterState, ExportError, ExportFrom, MoveProgress, MoveState, NodeStage};
use consensus::NodeId;
use futures::stream;
use proto::v1;
use proto::v1::cluster_server::Cluster;
use proto::v1::cluster_state::r#move::Progress;
use proto::v1::cluster_state::node::Stage;
use proto::v1::cluster_state::{Move, Node, Replica, Shard};
use proto::v1::join_response::Member;
use std::time::Duration;
use tonic::{Code, Request, Response, Status};

/// Time for a log that was cut meanwhile to have an end again.
const TRY_AGAIN_AFTER: Duration = Duration::from_millis(100);

/// How long other nodes are waited for when they are asked how far they are.
const STATUS_MAX: Duration = Duration::from_millis(500);

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
                Ok(write(&engine.cluster_with_lag(STATUS_MAX).await))
            })
            .await
    }

    async fn remove_node(
        &self,
        request: Request<v1::RemoveNodeRequest>,
    ) -> Result<Response<v1::RemoveNodeResponse>, Status> {
        self.0
            .unary("centralita.v1.Cluster/RemoveNode", request, |engine, call, deadline| async move {
                let id = engine.new_request_id();
                engine.remove_node(id, NodeId(call.node), deadline).await?;
                Ok(v1::RemoveNodeResponse {})
            })
            .await
    }

    async fn drain_node(
        &self,
        request: Request<v1::DrainNodeRequest>,
    ) -> Result<Response<v1::DrainNodeResponse>, Status> {
        self.0
            .unary("centralita.v1.Cluster/DrainNode", request, |engine, call, deadline| async move {
                let id = engine.new_request_id();
                engine.drain_node(id, NodeId(call.node), !call.lead_again, deadline).await?;
                Ok(v1::DrainNodeResponse {})
            })
            .await
    }

    async fn set_replicas(
        &self,
        request: Request<v1::SetReplicasRequest>,
    ) -> Result<Response<v1::SetReplicasResponse>, Status> {
        self.0
            .unary("centralita.v1.Cluster/SetReplicas", request, |engine, call, deadline| async move {
                let id = engine.new_request_id();
                // What does not fit is refused like any other number that is not possible.
                let replicas = u8::try_from(call.replicas).unwrap_or(u8::MAX);
                engine.set_replicas(id, replicas, deadline).await?;
                Ok(v1::SetReplicasResponse {})
            })
            .await
    }

    async fn hold_level(
        &self,
        request: Request<v1::HoldLevelRequest>,
    ) -> Result<Response<v1::HoldLevelResponse>, Status> {
        self.0
            .unary("centralita.v1.Cluster/HoldLevel", request, |engine, call, deadline| async move {
                let id = engine.new_request_id();
                engine.hold_level(id, call.hold, deadline).await?;
                Ok(v1::HoldLevelResponse {})
            })
            .await
    }

    async fn move_domain(
        &self,
        request: Request<v1::MoveDomainRequest>,
    ) -> Result<Response<v1::MoveDomainResponse>, Status> {
        self.0
            .unary("centralita.v1.Cluster/MoveDomain", request, |engine, call, deadline| async move {
                let domain = ids::id::<DomainId>("domain", &call.domain)?;
                let id = engine.new_request_id();
                if call.cancel {
                    engine.cancel_move(id, domain, deadline).await?;
                } else {
                    engine.move_domain(id, domain, ShardId(call.to), deadline).await?;
                }
                Ok(v1::MoveDomainResponse {})
            })
            .await
    }

    async fn join(&self, request: Request<v1::JoinRequest>) -> Result<Response<v1::JoinResponse>, Status> {
        self.0
            .unary("centralita.v1.Cluster/Join", request, |engine, call, deadline| async move {
                let nonce = scalar::nonce("nonce", &call.nonce)?;
                check_name(&engine.cluster_id(), &call.cluster)?;
                check_level(engine.level(), call.level)?;
                let joined = engine.join(nonce, call.address, deadline).await?;
                let members = joined.members.into_iter().map(|(id, address)| Member { id: id.0, address });
                Ok(v1::JoinResponse {
                    node: joined.node.0,
                    cluster_id: joined.cluster,
                    shards: joined.shards,
                    speed: joined.speed,
                    members: members.collect(),
                })
            })
            .await
    }

    async fn meet(&self, request: Request<v1::MeetRequest>) -> Result<Response<v1::MeetResponse>, Status> {
        self.0
            .unary("centralita.v1.Cluster/Meet", request, |engine, call, _| async move {
                check_name(&engine.cluster_id(), &call.cluster)?;
                Ok(v1::MeetResponse { seen: Vec::new(), born: true })
            })
            .await
    }

    async fn export_log(
        &self,
        request: Request<v1::ExportLogRequest>,
    ) -> Result<Response<Self::ExportLogStream>, Status> {
        let request = request.into_inner();
        let permit = permit(&self.0.exports, "exports of logs", EXPORTS_MAX)?;
        let from = match request {
            v1::ExportLogRequest { after: Some(after), .. } => ExportFrom::After(after),
            v1::ExportLogRequest { from_snapshot: true, .. } => ExportFrom::Snapshot,
            _ => ExportFrom::Beginning,
        };
        let export = self.0.engine.export_log(ShardId(request.shard), from).await;
        // Pulled as the client reads; the permit lives as long as the stream.
        let start = (export.map_err(not_exported)?, permit);
        let chunks = stream::try_unfold(start, |(mut export, permit)| async move {
            let data = export.next().await.map_err(not_exported)?;
            Ok::<_, Status>(data.map(|data| (v1::ExportLogChunk { data: data.into() }, (export, permit))))
        });
        Ok(Response::new(Box::pin(chunks)))
    }
}

/// A cluster's name: its id without what was drawn at its birth.
pub fn name_of(cluster_id: &str) -> &str {
    cluster_id.split_once('/').map_or(cluster_id, |(name, _)| name)
}

/// Whether a node that knows feature levels up to `knows` (0: it says nothing of levels) may join.
fn check_level(level: u32, knows: u32) -> Result<(), Problem> {
    if knows.max(level::FIRST) >= level {
        return Ok(());
    }
    let message = format!(
        "the cluster runs at feature level {level}, this node's release knows levels up to {}: install the release \
         that the others run",
        knows.max(level::FIRST)
    );
    Err(Problem::new(Code::FailedPrecondition, "LEVEL_TOO_LOW", message).with("level", level))
}

fn check_name(cluster_id: &str, wanted: &str) -> Result<(), Problem> {
    let name = name_of(cluster_id);
    if wanted == name {
        return Ok(());
    }
    let message = format!(
        "this is cluster '{name}', not '{wanted}': check the addresses of --join, or the name given with --cluster"
    );
    Err(Problem::new(Code::FailedPrecondition, "OTHER_CLUSTER", message))
}

fn not_exported(error: ExportError) -> Problem {
    let message = error.to_string();
    match error {
        ExportError::UnknownShard(_) => Problem::new(Code::NotFound, "UNKNOWN_SHARD", message),
        ExportError::NotHere(_) => Problem::new(Code::FailedPrecondition, "NOT_HERE", message),
        ExportError::Gone { .. } => Problem::new(Code::NotFound, "GONE", message),
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
            .map(|node| Node {
                id: node.id.0,
                address: node.address.clone(),
                reachable: node.reachable,
                knows: node.knows,
                zone: node.zone.clone(),
                leads: node.leads.map(|leads| u32::try_from(leads.groups).unwrap_or(u32::MAX)),
                load: node.leads.map(|leads| leads.load),
                stage: match node.stage {
                    NodeStage::Joining => Stage::Joining,
                    NodeStage::Member => Stage::Member,
                    NodeStage::Leaving => Stage::Leaving,
                    NodeStage::Drained => Stage::Drained,
                }
                .into(),
            })
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
                replicas: shard.replicas.iter().map(|replica| replica.node.0).collect(),
                members: shard
                    .replicas
                    .iter()
                    .map(|replica| Replica {
                        node: replica.node.0,
                        voter: replica.voter,
                        applied: replica.applied,
                    })
                    .collect(),
            })
            .collect(),
        alarms: state.alarms.iter().map(|alarm| alarm.text.clone()).collect(),
        replicas: u32::try_from(state.replicas).unwrap_or(u32::MAX),
        level: state.level,
        level_held: state.level_held,
        moves: state.moves.iter().map(domain_move).collect(),
        moves_begun: state.moves_begun,
        planted: state.planted.clone().unwrap_or_default(),
        speed: state.speed,
    }
}

fn domain_move(way: &MoveState) -> Move {
    let progress = match way.progress {
        MoveProgress::Sent => Progress::Sent,
        MoveProgress::Placed => Progress::Placed,
        MoveProgress::GivenUp => Progress::GivenUp,
    };
    Move { domain: way.domain.to_string(), from: way.from.0, to: way.to.0, progress: progress.into() }
}
