//! One question to one node: may I join, or, where there is no cluster yet, who is there?

use super::record::{Belongs, Record};
use crate::failure::{Failure, Kind};
use consensus::NodeId;
use proto::v1;
use proto::v1::cluster_client::ClusterClient;
use std::time::Duration;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Status};

const CONNECT_MAX: Duration = Duration::from_secs(2);
const MEET_MAX: Duration = Duration::from_secs(2);
const JOIN_MAX: Duration = Duration::from_secs(10);

/// What was answered.
pub(super) enum Asked {
    /// The node has a cluster now.
    Joined(Belongs),
    /// There is none yet; the node that answered, and whom it knows.
    Met(Vec<v1::Candidate>),
}

/// Why there is no answer.
pub(super) enum Error {
    /// To be asked again.
    Again(String),
    /// The answer will not change.
    Never(Failure),
}

/// Asks `target`. `founding`: a node that has no cluster may found one together with this.
pub(super) async fn once(
    target: &str,
    cluster: &str,
    record: &Record,
    founding: bool,
    level: u32,
) -> Result<Asked, Error> {
    let endpoint = Endpoint::from_shared(format!("http://{target}"))
        .map_err(|error| never(Kind::Config, format!("--join {target}: {error}")))?;
    let channel = endpoint.connect_timeout(CONNECT_MAX).connect().await;
    let channel = channel.map_err(|error| Error::Again(error.to_string()))?;
    let nonce = record.nonce.to_be_bytes().to_vec();
    if founding {
        let from = v1::Candidate { nonce: nonce.clone(), address: record.address.clone() };
        let meet = v1::MeetRequest { cluster: cluster.to_owned(), from: Some(from) };
        let asked = call(&channel, MEET_MAX, |mut client| async move { client.meet(meet).await }).await;
        let met = asked.map_err(|status| refused(target, &status))?;
        if !met.born {
            return Ok(Asked::Met(met.seen));
        }
    }
    let (address, cluster) = (record.address.clone(), cluster.to_owned());
    let join = v1::JoinRequest { nonce, address, cluster, level };
    let asked = call(&channel, JOIN_MAX, |mut client| async move { client.join(join).await }).await;
    let joined = asked.map_err(|status| refused(target, &status))?;
    Ok(Asked::Joined(Belongs {
        cluster: joined.cluster_id,
        node: NodeId(joined.node),
        founder: false,
        shards: joined.shards,
        speed: joined.speed,
        members: joined.members.into_iter().map(|member| (NodeId(member.id), member.address)).collect(),
    }))
}

async fn call<T, W>(
    channel: &Channel,
    most: Duration,
    call: impl FnOnce(ClusterClient<Channel>) -> W,
) -> Result<T, Status>
where
    W: Future<Output = Result<tonic::Response<T>, Status>>,
{
    match tokio::time::timeout(most, call(ClusterClient::new(channel.clone()))).await {
        Ok(answer) => answer.map(tonic::Response::into_inner),
        Err(_) => Err(Status::deadline_exceeded(format!("no answer within {most:?}"))),
    }
}

fn never(kind: Kind, message: String) -> Error {
    Error::Never(Failure::new(kind, message))
}

fn refused(target: &str, status: &Status) -> Error {
    let text = format!("{target}: {}", status.message());
    match status.code() {
        Code::FailedPrecondition
        | Code::InvalidArgument
        | Code::AlreadyExists
        | Code::NotFound
        | Code::ResourceExhausted => {
            never(Kind::Refused, format!("the cluster does not take this node: {text}"))
        }
        _ => Error::Again(text),
    }
}
