//! A leader's side of a snapshot in parts.

use super::frame::Kind;
use super::link::{Expected, Lane, Link, Lost, Reply};
use super::snapshot_parts::{Offer, PARTS_WINDOW, PartAnswer, write_part};
use crate::api::GroupId;
use crate::snapshots::{Part, Whole};
use crate::type_config::types::{Snapshot, Vote};
use bytes::Bytes;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

/// Nothing is sent or answered for this long: it is given up, for openraft to try again.
const STALL: Duration = Duration::from_secs(10);
/// Times that the receiver may say something else than expected in one attempt.
const SURPRISES_MAX: u32 = 8;

/// Why an attempt came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// The link is lost, or the receiver does not answer.
    #[error(transparent)]
    Lost(#[from] Lost),
    /// The receiver has no such group, or its disk has failed.
    #[error("the peer does not take the snapshot")]
    Refused,
    /// The answer is not one to this.
    #[error("not an answer to a part of a snapshot: {0}")]
    Answer(String),
    /// What is sent does not arrive as it was sent.
    #[error("the peer asks for the same part of the snapshot again and again")]
    Stuck,
}

/// Sends one snapshot over one link.
pub struct Sender {
    /// The link.
    pub link: Arc<Link>,
    /// Whose snapshot.
    pub group: GroupId,
    /// Bytes in a part, from 1.
    pub part_bytes: usize,
    /// Time for the receiver to install it.
    pub install: Duration,
}

impl Sender {
    /// Sends what the receiver lacks of it; the receiver's vote when it has it, or wants none from this
    /// leader.
    ///
    /// # Errors
    /// When it was not sent whole; what has come is kept over there.
    pub async fn send(&self, vote: Vote, snapshot: &Snapshot) -> Result<Vote, SendError> {
        let data = &snapshot.snapshot;
        let whole = Whole::of(snapshot.meta.clone(), data).await;
        let offer = Bytes::from(proto::codec::encode(&Offer { vote, whole: whole.clone() }));
        let mut offered = self.link.expect(Kind::RaftAnswer)?;
        self.link.send(Lane::Normal, Kind::SnapshotOffer, self.group, offered.id, offer).await?;
        let from = match answer(&mut offered, STALL).await? {
            PartAnswer::Upto(from) => from,
            PartAnswer::Done(vote) => return Ok(vote),
            PartAnswer::Other => return Err(SendError::Answer("another one".to_owned())),
        };
        tracing::info!(group = %self.group, target = %self.link.peer(), bytes = whole.bytes, from, "sending a snapshot");
        self.parts(&whole, data, from).await
    }

    async fn parts<M>(&self, whole: &Whole<M>, data: &Bytes, from: u64) -> Result<Vote, SendError> {
        let mut flight = VecDeque::new();
        let mut next = Some(from);
        let mut surprises = 0;
        loop {
            while let Some(offset) = next
                && flight.len() < PARTS_WINDOW
            {
                let part = Part::of(whole, data, offset, self.part_bytes);
                let expected = self.link.expect(Kind::RaftAnswer)?;
                let (kind, body) = (Kind::SnapshotPart, write_part(&part));
                self.link.send_bulk_frame(kind, self.group, expected.id, body, STALL).await?;
                next = (part.end() < whole.bytes).then_some(part.end());
                flight.push_back((expected, part.end()));
            }
            let Some((mut expected, end)) = flight.pop_front() else { return Err(SendError::Stuck) };
            let last = end >= whole.bytes;
            match answer(&mut expected, if last { self.install } else { STALL }).await? {
                PartAnswer::Done(vote) => return Ok(vote),
                PartAnswer::Upto(upto) if upto == end && !last => {}
                PartAnswer::Upto(upto) => {
                    surprises += 1;
                    if surprises > SURPRISES_MAX {
                        return Err(SendError::Stuck);
                    }
                    flight.clear();
                    next = Some(upto);
                }
                PartAnswer::Other => return Err(SendError::Answer("another one".to_owned())),
            }
        }
    }
}

async fn answer(expected: &mut Expected, patience: Duration) -> Result<PartAnswer, SendError> {
    match tokio::time::timeout(patience, expected.answer()).await.map_err(|_| Lost)?? {
        Reply::Body(body) => {
            proto::codec::decode(&body).map_err(|error| SendError::Answer(error.to_string()))
        }
        Reply::Refused => Err(SendError::Refused),
    }
}
