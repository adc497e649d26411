//! A follower's side of a snapshot in parts.

use super::frame::Kind;
use super::link::{Lane, Link};
use super::snapshot_parts::{Offer, PARTS_WINDOW, PartAnswer, read_part};
use crate::api::GroupId;
use crate::figures::Figures;
use crate::snapshots::{Came, Incoming};
use crate::type_config::types::{Raft, Snapshot, SnapshotMeta, Vote};
use bytes::Bytes;
use openraft::rt::WatchReceiver;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

/// Offers and parts of one group that wait: of the present leader and of one before it.
pub const QUEUE: usize = 2 * PARTS_WINDOW;
/// What has come is kept for so long after the last of it.
const KEPT: Duration = Duration::from_secs(600);

/// An offer or a part that came over a link.
pub struct Arrived {
    /// The link.
    pub link: Arc<Link>,
    /// Which of both.
    pub kind: Kind,
    /// By which the answer is known.
    pub id: u64,
    /// What it is.
    pub body: Bytes,
}

/// Receives one group's snapshots, one thing after the other, in the order in which it came.
pub struct Receiver {
    group: GroupId,
    raft: Raft,
    incoming: Incoming<SnapshotMeta>,
    figures: Arc<Figures>,
    /// Of the last offer.
    vote: Option<Vote>,
}

impl Receiver {
    /// For one group.
    pub fn new(
        group: GroupId,
        raft: Raft,
        incoming: Incoming<SnapshotMeta>,
        figures: Arc<Figures>,
    ) -> Receiver {
        Receiver { group, raft, incoming, figures, vote: None }
    }

    /// Answers until the group is served no more.
    pub async fn run(mut self, mut queue: mpsc::Receiver<Arrived>) {
        loop {
            let arrived = if self.incoming.is_begun() {
                let Ok(arrived) = tokio::time::timeout(KEPT, queue.recv()).await else {
                    tracing::info!(group = %self.group, "a part of a snapshot is let go: nothing more came of it");
                    self.forget().await;
                    continue;
                };
                arrived
            } else {
                queue.recv().await
            };
            let Some(Arrived { link, kind, id, body }) = arrived else { break };
            let answer =
                if kind == Kind::SnapshotOffer { self.offer(&body).await } else { self.part(body).await };
            let (kind, body) = match answer {
                Some(answer) => (Kind::RaftAnswer, Bytes::from(proto::codec::encode(&answer))),
                None => (Kind::RaftRefused, Bytes::new()),
            };
            // Without the link nobody waits for it.
            let _ = link.send(Lane::Urgent, kind, self.group, id, body).await;
        }
        self.forget().await;
    }

    async fn forget(&mut self) {
        if let Err(error) = self.incoming.clear().await {
            tracing::warn!(group = %self.group, %error, "a part of a snapshot cannot be removed; the next start tries again");
        }
    }

    async fn offer(&mut self, body: &[u8]) -> Option<PartAnswer> {
        let offer = proto::codec::decode::<Offer>(body);
        let Offer { vote, whole } =
            offer.inspect_err(|error| tracing::error!("message between nodes: {error}")).ok()?;
        let (own, applied) = {
            let metrics = self.raft.metrics();
            let metrics = metrics.borrow_watched();
            (metrics.vote, metrics.last_applied)
        };
        // Of a leader that is none any more; or it was installed, and the answer was lost with the link.
        if own > vote || applied >= whole.meta.last_log_id {
            return Some(PartAnswer::Done(own));
        }
        self.vote = Some(vote);
        let bytes = whole.bytes;
        let from = self.incoming.offer(whole).await;
        let from = self.said(from)?;
        if from > 0 {
            tracing::info!(group = %self.group, from, bytes, "a snapshot goes on where it broke off");
            self.figures.snapshot_resumed();
        }
        Some(PartAnswer::Upto(from))
    }

    fn said<T>(&self, result: io::Result<T>) -> Option<T> {
        result
            .inspect_err(|error| tracing::warn!(group = %self.group, "a snapshot is not received: {error}"))
            .ok()
    }

    async fn part(&mut self, body: Bytes) -> Option<PartAnswer> {
        let vote = self.vote?;
        let came = self.incoming.part(read_part(body)?).await;
        Some(match self.said(came)? {
            Came::Upto(upto) => PartAnswer::Upto(upto),
            Came::Other => PartAnswer::Other,
            Came::Whole(meta, snapshot) => {
                let installed = self.raft.install_full_snapshot(vote, Snapshot { meta, snapshot }).await;
                let installed = installed.inspect_err(
                    |error| tracing::warn!(group = %self.group, "a snapshot is not installed: {error}"),
                );
                PartAnswer::Done(installed.ok()?.vote)
            }
        })
    }
}
