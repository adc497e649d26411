//! A follower's side of Raft's messages.

use super::frame::Kind;
use super::link::{Lane, Link};
use crate::api::GroupId;
use crate::type_config::TypeConfig;
use crate::type_config::types::{AppendRequest, LogId, Raft, Snapshot, SnapshotMeta, Vote};
use bytes::{Buf, BufMut, Bytes, BytesMut};
use futures::StreamExt;
use openraft::raft::{AppendEntriesResponse, TransferLeaderRequest, TransferLeaderResponse};
use openraft::raft::{VoteRequest, VoteResponse};
use openraft::rt::WatchReceiver;
use serde::{Deserialize, Serialize};
use std::pin::pin;
use std::sync::Arc;
use tokio::sync::mpsc;

/// Appends of one stream that are on their way or being written, at most.
pub const APPEND_WINDOW: usize = 64;

/// One request to a group.
#[derive(Debug, Serialize, Deserialize)]
pub enum RaftRequest {
    /// A heartbeat.
    Heartbeat(AppendRequest),
    /// A candidate asks for a vote.
    Vote(VoteRequest<TypeConfig>),
    /// A node asks whether it would get votes.
    PreVote(VoteRequest<TypeConfig>),
    /// The leader hands over.
    Transfer(TransferLeaderRequest<TypeConfig>),
}

/// The answer.
#[derive(Debug, Serialize, Deserialize)]
pub enum RaftAnswer {
    /// To a heartbeat.
    Heartbeat(AppendEntriesResponse<TypeConfig>),
    /// To both kinds of asking for votes.
    Vote(VoteResponse<TypeConfig>),
    /// To a transfer.
    Transfer(TransferLeaderResponse<TypeConfig>),
    /// To a snapshot: this node's vote.
    Snapshot(Vote),
}

/// Answers one request; `None` when the group has stopped or the request is not readable.
/// `refuses`: this node's own vote, if it must not vote for the sender since its leader lives.
///
/// `floor`: the end of a log that this node once had and removed when it was a member no more. By that
/// log it may have confirmed the very change that made it none, so it still votes for nobody whose log
/// ends before: a candidate left behind among the former members must not find a majority there.
pub async fn request(
    raft: &Raft,
    body: &[u8],
    floor: Option<LogId>,
    refuses: impl FnOnce() -> Option<Vote>,
) -> Option<Bytes> {
    let request = read::<RaftRequest>(body)?;
    if let RaftRequest::Vote(asked) | RaftRequest::PreVote(asked) = &request
        && asked.last_log_id < floor
    {
        let vote = raft.metrics().borrow_watched().vote;
        return Some(Bytes::from(proto::codec::encode(&RaftAnswer::Vote(VoteResponse::new(
            vote, None, false,
        )))));
    }
    if let RaftRequest::Vote(VoteRequest { leadership_transfer: false, .. }) | RaftRequest::PreVote(_) =
        request
        && let Some(vote) = refuses()
    {
        let answer = RaftAnswer::Vote(VoteResponse::new(vote, None, false));
        return Some(Bytes::from(proto::codec::encode(&answer)));
    }
    let answer = match request {
        RaftRequest::Heartbeat(request) => RaftAnswer::Heartbeat(said(raft.append_entries(request).await)?),
        RaftRequest::Vote(request) => RaftAnswer::Vote(said(raft.vote(request).await)?),
        RaftRequest::PreVote(request) => RaftAnswer::Vote(said(raft.pre_vote(request).await)?),
        RaftRequest::Transfer(request) => {
            RaftAnswer::Transfer(said(raft.handle_transfer_leader(request).await)?)
        }
    };
    Some(Bytes::from(proto::codec::encode(&answer)))
}

/// A snapshot as one message: length of the head (4 bytes), head, data.
pub fn write_snapshot(vote: Vote, meta: &SnapshotMeta, data: &[u8]) -> Bytes {
    let head = proto::codec::encode(&(vote, meta));
    let mut body = BytesMut::with_capacity(4 + head.len() + data.len());
    body.put_u32_le(u32::try_from(head.len()).unwrap_or(u32::MAX));
    body.put_slice(&head);
    body.put_slice(data);
    body.freeze()
}

/// Installs a snapshot.
pub async fn snapshot(raft: &Raft, mut body: Bytes) -> Option<Bytes> {
    if body.len() < 4 {
        return None;
    }
    let head_len = body.get_u32_le() as usize;
    if head_len > body.len() {
        return None;
    }
    let head = body.split_to(head_len);
    let (vote, meta) = read::<(Vote, SnapshotMeta)>(&head)?;
    let installed = raft.install_full_snapshot(vote, Snapshot { meta, snapshot: body }).await;
    Some(Bytes::from(proto::codec::encode(&RaftAnswer::Snapshot(said(installed)?.vote))))
}

/// Serves one stream of appends until either side ends it.
pub async fn appends(raft: Raft, link: Arc<Link>, id: u64, requests: mpsc::Receiver<Bytes>) {
    let requests = futures::stream::unfold(requests, |mut requests| async move {
        let body = requests.recv().await?;
        Some((read::<AppendRequest>(&body)?, requests))
    });
    let mut answers = pin!(raft.stream_append(requests));
    while let Some(answer) = answers.next().await {
        let Some(answer) = said(answer) else { break };
        let body = Bytes::from(proto::codec::encode(&answer));
        if link.send(Lane::Urgent, Kind::AppendAnswer, GroupId::META, id, body).await.is_err() {
            return;
        }
    }
    let _ = link.send(Lane::Urgent, Kind::AppendOver, GroupId::META, id, Bytes::new()).await;
}

fn read<T: serde::de::DeserializeOwned>(body: &[u8]) -> Option<T> {
    proto::codec::decode(body).inspect_err(|error| tracing::error!("message between nodes: {error}")).ok()
}

fn said<T, E: std::fmt::Display>(result: Result<T, E>) -> Option<T> {
    result.inspect_err(|error| tracing::warn!("a group does not answer: {error}")).ok()
}
