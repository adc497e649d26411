//! A leader's and a candidate's side of Raft's messages.

use super::frame::Kind;
use super::link::{Lane, Link, Lost, Reply};
use super::peers::Peers;
use super::raft_inbound::{APPEND_WINDOW, RaftAnswer, RaftRequest, write_snapshot};
use super::snapshot_send::Sender;
use crate::api::{GroupId, NodeId};
use crate::config::LEVEL_PARTS;
use crate::seeded::{Seeded, SeededBug};
use crate::type_config::types::{AppendRequest, AppendResult, RpcError, Snapshot, Vote};
use crate::type_config::{Member, TypeConfig};
use bytes::Bytes;
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use futures::{Stream, StreamExt};
use openraft::EntryPayload;
use openraft::OptionalSend;
use openraft::errors::{NetworkError, ReplicationClosed, StreamingError, Unreachable};
use openraft::network::{Backoff, RPCOption, RaftNetworkFactory, RaftNetworkV2, stream_append_sequential};
use openraft::raft::{AppendEntriesResponse, SnapshotResponse, TransferLeaderRequest};
use openraft::raft::{TransferLeaderResponse, VoteRequest, VoteResponse};
use std::collections::VecDeque;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

/// A follower that leaves appends unanswered for this long is treated as lost.
const APPEND_STALL: Duration = Duration::from_secs(5);
/// Commands in one message of appends, about; larger requests are split.
const APPEND_BYTES: usize = 4 << 20;
/// A snapshot of which no part could be sent for this long is given up.
const SNAPSHOT_STALL: Duration = Duration::from_secs(10);
/// Time a follower has to install a snapshot that it has received: this, and a second for every
/// [`INSTALL_BYTES_PER_S`].
const INSTALL_MIN: Duration = Duration::from_secs(30);
const INSTALL_BYTES_PER_S: usize = 4 << 20;
/// Longest pause between attempts to reach a follower.
const BACKOFF_MS: [u64; 4] = [20, 50, 100, 200];

/// Makes clients of one group's peers.
pub struct Network {
    peers: Peers,
    group: GroupId,
    part_bytes: usize,
    seeded: Seeded,
}

impl Network {
    /// For one group; its snapshots are sent in parts of `part_bytes`.
    pub fn new(peers: Peers, group: GroupId, part_bytes: usize, seeded: Seeded) -> Network {
        Network { peers, group, part_bytes, seeded }
    }
}

impl RaftNetworkFactory<TypeConfig> for Network {
    type Network = Client;

    async fn new_client(&mut self, target: u64, _node: &Member) -> Client {
        let (peers, target) = (self.peers.clone(), NodeId(target));
        let Network { group, part_bytes, seeded, .. } = *self;
        Client { peers, group, target, heartbeats: false, part_bytes, seeded }
    }

    async fn new_heartbeat_client(&mut self, target: u64, node: &Member) -> Client {
        Client { heartbeats: true, ..self.new_client(target, node).await }
    }
}

/// Talks to one peer for one group.
pub struct Client {
    peers: Peers,
    group: GroupId,
    target: NodeId,
    heartbeats: bool,
    part_bytes: usize,
    seeded: Seeded,
}

fn unreachable(error: &impl ToString) -> RpcError {
    RpcError::Unreachable(Unreachable::from_string(error.to_string()))
}

fn network(error: &impl ToString) -> RpcError {
    RpcError::Network(NetworkError::from_string(error.to_string()))
}

impl Client {
    fn link(&self) -> Result<Arc<Link>, RpcError> {
        self.peers.link(self.target).ok_or_else(|| unreachable(&format!("no stream with {}", self.target)))
    }

    async fn request(&self, request: &RaftRequest, option: &RPCOption) -> Result<RaftAnswer, RpcError> {
        let link = self.link()?;
        let body = Bytes::from(proto::codec::encode(request));
        let mut expected = link.expect(Kind::RaftAnswer).map_err(|lost| unreachable(&lost))?;
        let exchange = async {
            link.send(Lane::Urgent, Kind::Raft, self.group, expected.id, body).await?;
            expected.answer().await
        };
        match tokio::time::timeout(option.soft_ttl(), exchange).await {
            Ok(Ok(reply)) => read_answer(reply),
            Ok(Err(lost)) => Err(unreachable(&lost)),
            Err(_) => Err(network(&format!("{} did not answer in time", self.target))),
        }
    }
}

impl Client {
    /// Sends a snapshot as one message, which begins anew when the link breaks: for a peer that knows no
    /// parts. Its vote, or what went wrong.
    async fn snapshot_in_one(
        &self,
        link: Arc<Link>,
        vote: Vote,
        snapshot: &Snapshot,
        install: Duration,
    ) -> Result<Vote, String> {
        let mut expected = link.expect(Kind::RaftAnswer).map_err(|lost| lost.to_string())?;
        let body = write_snapshot(vote, &snapshot.meta, &snapshot.snapshot);
        tracing::info!(group = %self.group, target = %self.target, bytes = body.len(), "sending a snapshot in one");
        let exchange = async {
            link.send_bulk(Kind::Snapshot, self.group, expected.id, body, SNAPSHOT_STALL).await?;
            tokio::time::timeout(install, expected.answer()).await.map_err(|_| Lost)?
        };
        match read_answer(exchange.await.map_err(|lost| lost.to_string())?) {
            Ok(RaftAnswer::Snapshot(vote)) => Ok(vote),
            Ok(other) => Err(unexpected(&other).to_string()),
            Err(error) => Err(error.to_string()),
        }
    }
}

fn read_answer(reply: Reply) -> Result<RaftAnswer, RpcError> {
    match reply {
        Reply::Body(body) => proto::codec::decode(&body).map_err(|error| network(&error)),
        Reply::Refused => Err(unreachable(&"the peer's group has stopped")),
    }
}

fn unexpected(answer: &RaftAnswer) -> RpcError {
    network(&format!("not an answer to this request: {answer:?}"))
}

impl RaftNetworkV2<TypeConfig> for Client {
    type SnapshotData = Bytes;

    async fn append_entries(
        &mut self,
        request: AppendRequest,
        option: RPCOption,
    ) -> Result<AppendEntriesResponse<TypeConfig>, RpcError> {
        match self.request(&RaftRequest::Heartbeat(request), &option).await? {
            RaftAnswer::Heartbeat(answer) => Ok(answer),
            other => Err(unexpected(&other)),
        }
    }

    fn stream_append<'s, S>(
        &'s mut self,
        mut input: S,
        option: RPCOption,
    ) -> BoxFuture<'s, Result<BoxStream<'s, Result<AppendResult, RpcError>>, RpcError>>
    where
        S: Stream<Item = AppendRequest> + OptionalSend + Unpin + 'static,
    {
        if self.heartbeats {
            return stream_append_sequential(self, input, option);
        }
        Box::pin(async move {
            // openraft pauses after errors inside the input: taking the first request before
            // anything can fail is what keeps an unreachable peer from becoming a busy loop.
            let Some(first) = input.next().await else {
                return Ok(futures::stream::empty().boxed());
            };
            let link = self.link()?;
            let (id, answers) = link.open_appends().map_err(|lost| unreachable(&lost))?;
            let pipeline = Pipeline {
                stream: AppendStream { link, id },
                group: self.group,
                input: Some(input),
                queued: split(first),
                answers,
                in_flight: 0,
                seeded: self.seeded,
                accepted: false,
                presumed: 0,
            };
            Ok(futures::stream::unfold(Some(pipeline), |pipeline| async move {
                let mut pipeline = pipeline?;
                let item = pipeline.next().await?;
                let goes_on = matches!(item, Ok(Ok(_)));
                Some((item, goes_on.then_some(pipeline)))
            })
            .boxed())
        })
    }

    async fn vote(
        &mut self,
        request: VoteRequest<TypeConfig>,
        option: RPCOption,
    ) -> Result<VoteResponse<TypeConfig>, RpcError> {
        match self.request(&RaftRequest::Vote(request), &option).await? {
            RaftAnswer::Vote(answer) => Ok(answer),
            other => Err(unexpected(&other)),
        }
    }

    async fn pre_vote(
        &mut self,
        request: VoteRequest<TypeConfig>,
        option: RPCOption,
    ) -> Result<VoteResponse<TypeConfig>, RpcError> {
        match self.request(&RaftRequest::PreVote(request), &option).await? {
            RaftAnswer::Vote(answer) => Ok(answer),
            other => Err(unexpected(&other)),
        }
    }

    async fn full_snapshot(
        &mut self,
        vote: Vote,
        snapshot: Snapshot,
        cancel: impl Future<Output = ReplicationClosed> + OptionalSend + 'static,
        _option: RPCOption,
    ) -> Result<SnapshotResponse<TypeConfig>, StreamingError<TypeConfig>> {
        let gone = |text: &str| StreamingError::Unreachable(Unreachable::from_string(text));
        let link = self.link().map_err(|_| gone("no stream with the peer"))?;
        let install =
            INSTALL_MIN + Duration::from_secs((snapshot.snapshot.len() / INSTALL_BYTES_PER_S) as u64);
        let in_parts = self.peers.about(self.target).is_some_and(|about| about.level >= LEVEL_PARTS);
        let exchange = async {
            if !in_parts {
                return self.snapshot_in_one(link, vote, &snapshot, install).await;
            }
            let Client { group, part_bytes, .. } = *self;
            let sent = Sender { link, group, part_bytes, install }.send(vote, &snapshot).await;
            sent.map_err(|error| error.to_string())
        };
        tokio::select! {
            biased;
            closed = cancel => Err(StreamingError::Closed(closed)),
            vote = exchange => vote.map(SnapshotResponse::new).map_err(|text| gone(&text)),
        }
    }

    async fn transfer_leader(
        &mut self,
        request: TransferLeaderRequest<TypeConfig>,
        option: RPCOption,
    ) -> Result<TransferLeaderResponse<TypeConfig>, RpcError> {
        match self.request(&RaftRequest::Transfer(request), &option).await? {
            RaftAnswer::Transfer(answer) => Ok(answer),
            other => Err(unexpected(&other)),
        }
    }

    fn backoff(&self) -> Option<Backoff> {
        let last = BACKOFF_MS[BACKOFF_MS.len() - 1];
        let pauses = BACKOFF_MS.into_iter().chain(std::iter::repeat(last));
        Some(Backoff::new(pauses.map(Duration::from_millis)))
    }
}

/// Splits a request that would make too large a message. Every part is answered, and an answer to
/// a part is as good to openraft as one to the whole: it says how far the follower's log matches.
fn split(request: AppendRequest) -> VecDeque<AppendRequest> {
    let AppendRequest { vote, mut prev_log_id, entries, leader_commit } = request;
    let mut parts = VecDeque::new();
    let mut part = Vec::new();
    let mut bytes = 0;
    for entry in entries {
        let size = match &entry.payload {
            EntryPayload::Normal(batch) => batch.commands.iter().map(|command| command.len() + 8).sum(),
            _ => 0usize,
        };
        if bytes + size > APPEND_BYTES && !part.is_empty() {
            let last = part.last().map(|entry: &crate::type_config::types::Entry| entry.log_id);
            let entries = std::mem::take(&mut part);
            parts.push_back(AppendRequest { vote, prev_log_id, entries, leader_commit });
            prev_log_id = last;
            bytes = 0;
        }
        bytes += size;
        part.push(entry);
    }
    parts.push_back(AppendRequest { vote, prev_log_id, entries: part, leader_commit });
    parts
}

/// An open stream of appends; ends on both sides when dropped.
struct AppendStream {
    link: Arc<Link>,
    id: u64,
}

impl Drop for AppendStream {
    fn drop(&mut self) {
        self.link.close_appends(self.id);
        // If there is no room for this, the follower ends the stream with the link or the next
        // leader: the few bytes of its task are all that is held.
        let _ = self.link.try_send(Lane::Normal, Kind::AppendEnd, self.id, Bytes::new());
    }
}

/// Appends on their way to one follower: several at once, answered in order.
struct Pipeline<S> {
    stream: AppendStream,
    group: GroupId,
    input: Option<S>,
    queued: VecDeque<AppendRequest>,
    answers: mpsc::Receiver<Bytes>,
    in_flight: usize,
    seeded: Seeded,
    /// The follower has accepted an append of this stream.
    accepted: bool,
    /// Appends in flight, the last ones, that openraft was told to be accepted already.
    presumed: usize,
}

impl<S: Stream<Item = AppendRequest> + Unpin> Pipeline<S> {
    /// Sends what there is until the next answer comes; `None` when everything is answered and
    /// openraft has no more, or the follower has ended the stream.
    async fn next(&mut self) -> Option<Result<AppendResult, RpcError>> {
        loop {
            while self.in_flight < APPEND_WINDOW
                && let Some(request) = self.queued.pop_front()
            {
                let body = Bytes::from(proto::codec::encode(&request));
                let AppendStream { link, id } = &self.stream;
                if let Err(lost) = link.send(Lane::Normal, Kind::Append, self.group, *id, body).await {
                    return Some(Err(unreachable(&lost)));
                }
                self.in_flight += 1;
                if self.accepted && self.seeded.has(SeededBug::AnswerBeforeCommit) {
                    let last = request.entries.last().map(|entry| entry.log_id);
                    self.presumed += 1;
                    return Some(Ok(Ok(last.or(request.prev_log_id))));
                }
            }
            let may_take = self.queued.is_empty() && self.in_flight < APPEND_WINDOW;
            if self.input.is_none() && self.queued.is_empty() && self.in_flight == 0 {
                return None;
            }
            let stall = tokio::time::sleep(APPEND_STALL);
            tokio::select! {
                biased;
                answer = self.answers.recv() => {
                    let Some(body) = answer else {
                        return (self.in_flight > 0).then(|| Err(unreachable(&Lost)));
                    };
                    self.in_flight = self.in_flight.saturating_sub(1);
                    let answer: Result<AppendResult, _> = proto::codec::decode(&body);
                    self.accepted = matches!(answer, Ok(Ok(_)));
                    if self.accepted && self.in_flight < self.presumed {
                        self.presumed -= 1;
                        continue;
                    }
                    return Some(answer.map_err(|error| network(&error)));
                }
                request = next_of(&mut self.input), if may_take && self.input.is_some() => match request {
                    Some(request) => self.queued = split(request),
                    None => self.input = None,
                },
                () = stall, if self.in_flight > 0 => {
                    return Some(Err(unreachable(&format!("appends unanswered for {APPEND_STALL:?}"))));
                }
            }
        }
    }
}

async fn next_of<S: Stream + Unpin>(input: &mut Option<S>) -> Option<S::Item> {
    input.as_mut()?.next().await
}
