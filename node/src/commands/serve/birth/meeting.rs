//! Nodes that are to found a cluster together find each other.
//!
//! Each tells the others whom it knows. The one that drew the smallest number founds the cluster,
//! alone, once as many as expected are there and every one of them knows of exactly the same;
//! whoever hears that there is a cluster joins it. So there is one founder: a second one would
//! need the word of the first, who says that there is a cluster.

use crate::failure::{Failure, Kind};
use crate::services::Answers;
use consensus::NODES_MAX;
use proto::v1;
use proto::v1::cluster_server::{Cluster, ClusterServer};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status};

/// Who was not heard of for this long is not there.
const SILENT_MAX: Duration = Duration::from_secs(5);
/// How long the meeting's last answers may take.
const END_MAX: Duration = Duration::from_millis(300);

/// Another node without a cluster.
struct Other {
    address: String,
    heard: Instant,
    /// Whom it knows, itself and this one included.
    knows: BTreeSet<u128>,
}

/// The nodes without a cluster that this one knows. Clones are the same meeting.
#[derive(Clone)]
pub(super) struct Meeting {
    cluster: String,
    nonce: u128,
    address: String,
    others: Arc<Mutex<BTreeMap<u128, Other>>>,
}

fn read(nonce: &[u8]) -> Option<u128> {
    nonce.try_into().ok().map(u128::from_be_bytes)
}

impl Meeting {
    pub(super) fn new(cluster: &str, nonce: u128, address: &str) -> Self {
        Self { cluster: cluster.to_owned(), nonce, address: address.to_owned(), others: Arc::default() }
    }

    fn others(&self) -> MutexGuard<'_, BTreeMap<u128, Other>> {
        let mut others = self.others.lock().unwrap_or_else(PoisonError::into_inner);
        others.retain(|_, other| other.heard.elapsed() < SILENT_MAX);
        others
    }

    /// How many are there, this one included.
    pub(super) fn len(&self) -> usize {
        self.others().len() + 1
    }

    /// Where the others are.
    pub(super) fn addresses(&self) -> Vec<String> {
        self.others().values().map(|other| other.address.clone()).collect()
    }

    fn heard(&self, from: &v1::Candidate, knows: Option<BTreeSet<u128>>) {
        let Some(nonce) = read(&from.nonce).filter(|nonce| *nonce != self.nonce) else { return };
        let mut others = self.others();
        if others.len() >= NODES_MAX && !others.contains_key(&nonce) {
            return;
        }
        let (address, heard) = (from.address.clone(), Instant::now());
        let before = others.remove(&nonce).map(|other| other.knows);
        let knows = knows.or(before).unwrap_or_default();
        others.insert(nonce, Other { address, heard, knows });
    }

    /// An answer to a question: first the one that answered, then whom it knows.
    pub(super) fn met(&self, seen: &[v1::Candidate]) {
        let Some(from) = seen.first() else { return };
        self.heard(from, Some(seen.iter().filter_map(|one| read(&one.nonce)).collect()));
    }

    fn seen(&self) -> Vec<v1::Candidate> {
        let own = v1::Candidate { nonce: self.nonce.to_be_bytes().to_vec(), address: self.address.clone() };
        let others = self.others();
        let others = others.iter().map(|(nonce, other)| v1::Candidate {
            nonce: nonce.to_be_bytes().to_vec(),
            address: other.address.clone(),
        });
        std::iter::once(own).chain(others).collect()
    }

    /// Whether this node is to found the cluster.
    pub(super) fn is_mine_to_found(&self, expect: usize) -> bool {
        let others = self.others();
        let all: BTreeSet<u128> = others.keys().copied().chain([self.nonce]).collect();
        all.len() >= expect
            && all.first() == Some(&self.nonce)
            && others.values().all(|other| other.knows == all)
    }

    /// Answers at the node's address until it is stopped; the listener can be used after.
    pub(super) fn serve(&self, listener: &TcpListener) -> Result<Serving, Failure> {
        let clone = || -> std::io::Result<TcpListener> {
            let socket = std::os::fd::AsFd::as_fd(listener).try_clone_to_owned()?;
            TcpListener::from_std(std::net::TcpListener::from(socket))
        };
        let listener =
            clone().map_err(|error| Failure::new(Kind::Listen, format!("the listener: {error}")))?;
        let stop = CancellationToken::new();
        let server = Server::builder()
            .add_service(ClusterServer::new(self.clone()))
            .serve_with_incoming_shutdown(TcpIncoming::from(listener), stop.clone().cancelled_owned());
        Ok(Serving { task: tokio::spawn(server), stop })
    }

    fn none_yet(&self) -> Status {
        Status::unavailable(format!("this node has no cluster '{}' yet: try again", self.cluster))
    }
}

/// The running server.
pub(super) struct Serving {
    task: JoinHandle<Result<(), tonic::transport::Error>>,
    stop: CancellationToken,
}

impl Serving {
    pub(super) async fn stop(mut self) {
        self.stop.cancel();
        if tokio::time::timeout(END_MAX, &mut self.task).await.is_err() {
            self.task.abort();
            let _ = self.task.await;
        }
    }
}

#[tonic::async_trait]
impl Cluster for Meeting {
    type ExportLogStream = Answers<v1::ExportLogChunk>;

    async fn meet(&self, request: Request<v1::MeetRequest>) -> Result<Response<v1::MeetResponse>, Status> {
        let request = request.into_inner();
        if request.cluster != self.cluster {
            return Err(Status::failed_precondition(format!(
                "this node is to be of cluster '{}', not '{}': check --join and --cluster",
                self.cluster, request.cluster
            )));
        }
        if let Some(from) = request.from {
            self.heard(&from, None);
        }
        Ok(Response::new(v1::MeetResponse { seen: self.seen(), born: false }))
    }

    async fn join(&self, _: Request<v1::JoinRequest>) -> Result<Response<v1::JoinResponse>, Status> {
        Err(self.none_yet())
    }

    async fn get_cluster(
        &self,
        _: Request<v1::GetClusterRequest>,
    ) -> Result<Response<v1::ClusterState>, Status> {
        Err(self.none_yet())
    }

    async fn export_log(
        &self,
        _: Request<v1::ExportLogRequest>,
    ) -> Result<Response<Self::ExportLogStream>, Status> {
        Err(self.none_yet())
    }

    async fn set_replicas(
        &self,
        _: Request<v1::SetReplicasRequest>,
    ) -> Result<Response<v1::SetReplicasResponse>, Status> {
        Err(self.none_yet())
    }

    async fn hold_level(
        &self,
        _: Request<v1::HoldLevelRequest>,
    ) -> Result<Response<v1::HoldLevelResponse>, Status> {
        Err(self.none_yet())
    }

    async fn move_domain(
        &self,
        _: Request<v1::MoveDomainRequest>,
    ) -> Result<Response<v1::MoveDomainResponse>, Status> {
        Err(self.none_yet())
    }

    async fn remove_node(
        &self,
        _: Request<v1::RemoveNodeRequest>,
    ) -> Result<Response<v1::RemoveNodeResponse>, Status> {
        Err(self.none_yet())
    }

    async fn drain_node(
        &self,
        _: Request<v1::DrainNodeRequest>,
    ) -> Result<Response<v1::DrainNodeResponse>, Status> {
        Err(self.none_yet())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tell(to: &Meeting, from: &Meeting) {
        to.met(&from.seen());
    }

    #[tokio::test]
    async fn the_smallest_founds_once_all_know_the_same() {
        let all: Vec<Meeting> =
            [30, 10, 20].map(|nonce| Meeting::new("acme", nonce, &format!("host:{nonce}"))).into();
        let mine = |expect| all.iter().map(|one| one.is_mine_to_found(expect)).collect::<Vec<_>>();
        assert_eq!(mine(1), [true; 3], "nobody knows of anybody");
        assert_eq!(mine(3), [false; 3]);
        for from in &all {
            for to in &all {
                to.heard(&from.seen()[0], None);
            }
        }
        assert_eq!(mine(3), [false; 3], "nobody knows what the others know");
        tell(&all[1], &all[0]);
        assert_eq!(mine(3), [false; 3]);
        tell(&all[1], &all[2]);
        assert_eq!(mine(3), [false, true, false]);
        assert_eq!(mine(4), [false; 3], "more are expected");
        // One more comes, with a smaller number: nobody founds before all know of it.
        let late = Meeting::new("acme", 5, "host:5");
        all[1].heard(&late.seen()[0], None);
        assert_eq!(mine(3), [false; 3]);
        for one in &all {
            one.heard(&late.seen()[0], None);
            late.heard(&one.seen()[0], None);
        }
        all.iter().for_each(|one| tell(&late, one));
        assert!(late.is_mine_to_found(3));
        assert_eq!(mine(3), [false; 3]);
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_silent_is_not_waited_for() {
        let (one, two) = (Meeting::new("acme", 1, "a:1"), Meeting::new("acme", 2, "b:1"));
        two.heard(&one.seen()[0], None);
        tell(&one, &two);
        assert!(one.is_mine_to_found(2));
        tokio::time::advance(SILENT_MAX).await;
        assert!(!one.is_mine_to_found(2));
        assert_eq!(one.len(), 1);
    }
}
