//! A domain as of one event, in batches.
//!
//! It is read from a copy, by a task of its own: a client that is slow to read holds up neither the shard
//! nor others for long, since its copy goes when it has not taken a batch in time.

use super::Answers;
use super::limits::PICTURE_SLOW_MAX;
use crate::convert::{agent, conversation, domain, queue, touchpoint};
use crate::problem::Problem;
use ::routing::{AgentId, ConversationId, Picture, TouchpointId};
use actors::WatchError;
use futures::stream;
use proto::Message;
use proto::v1;
use proto::v1::picture_item::Item;
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio_util::sync::CancellationToken;
use tonic::Code;

/// Entries read at once: each time the runtime's thread is held for so long.
const PAGE: usize = 256;
/// Bytes of a batch, unless one entry alone has more: clients take 4 MiB by default.
const BATCH_BYTES_MAX: usize = 512 << 10;
/// Batches that wait for the client.
const BATCHES_AHEAD: usize = 2;

/// What has been read so far, one kind after the other.
enum Reading {
    Header,
    Queues(usize),
    Agents(Option<AgentId>),
    Touchpoints(Option<TouchpointId>),
    Conversations(Option<ConversationId>),
    Over,
}

/// Sends a picture as the client takes it.
pub(super) fn send(
    picture: Picture,
    incarnation: u64,
    stopping: CancellationToken,
    permit: OwnedSemaphorePermit,
) -> Answers<v1::PictureItem> {
    // `None` is the end: without it, whoever reads would take a picture that was given up for a whole one.
    let (to, from) = mpsc::channel::<Option<Item>>(BATCHES_AHEAD);
    let given_up = stopping.clone();
    tokio::spawn(async move {
        let _permit = permit;
        // Whoever reads sees that the channel has closed without an end.
        let _ = stopping.run_until_cancelled(write(&picture, incarnation, &to)).await;
    });
    let items = stream::try_unfold((from, given_up), |(mut from, given_up)| async move {
        match from.recv().await {
            Some(Some(item)) => Ok(Some((v1::PictureItem { item: Some(item) }, (from, given_up)))),
            Some(None) => Ok(None),
            None if given_up.is_cancelled() => Err(Problem::from(WatchError::Stopping).into()),
            None => Err(too_slow().into()),
        }
    });
    Box::pin(items)
}

fn too_slow() -> Problem {
    let message = format!(
        "a batch was not taken within {} s and the picture was given up: begin again, and take its batches as they come",
        PICTURE_SLOW_MAX.as_secs()
    );
    Problem::new(Code::Aborted, "TOO_SLOW", message)
}

/// Ends early when nobody takes it.
async fn write(picture: &Picture, incarnation: u64, to: &mpsc::Sender<Option<Item>>) -> Option<()> {
    let mut reading = Reading::Header;
    loop {
        let (items, next) = read(picture, incarnation, &reading);
        for item in items {
            tokio::time::timeout(PICTURE_SLOW_MAX, to.send(Some(item))).await.ok()?.ok()?;
        }
        if matches!(next, Reading::Over) {
            return to.send(None).await.ok();
        }
        reading = next;
    }
}

/// The next page as batches, and where it goes on.
fn read(picture: &Picture, incarnation: u64, reading: &Reading) -> (Vec<Item>, Reading) {
    let now = picture.now();
    match *reading {
        Reading::Header => {
            let header = v1::PictureHeader {
                domain: Some(domain::write(picture.domain(), picture.shard())),
                incarnation,
                sequence: picture.sequence().0,
                now_us: now.0,
            };
            (vec![Item::Header(header)], Reading::Queues(0))
        }
        Reading::Queues(from) => {
            let upto = picture.queues().len().min(from + PAGE);
            let queues = picture.queues()[from..upto].iter().map(|one| queue::write(one, now));
            let items = batches(queues, |queues| Item::Queues(v1::PictureQueues { queues }));
            let over = upto == picture.queues().len();
            (items, if over { Reading::Agents(None) } else { Reading::Queues(upto) })
        }
        Reading::Agents(after) => {
            let found = picture.agents(after, PAGE);
            let items =
                batches(found.iter().map(agent::write), |agents| Item::Agents(v1::PictureAgents { agents }));
            let last = found.last().map(|one| Reading::Agents(Some(one.id)));
            (items, last.unwrap_or(Reading::Touchpoints(None)))
        }
        Reading::Touchpoints(after) => {
            let found = picture.touchpoints(after, PAGE);
            let items = batches(found.iter().map(touchpoint::write), |touchpoints| {
                Item::Touchpoints(v1::PictureTouchpoints { touchpoints })
            });
            let last = found.last().map(|one| Reading::Touchpoints(Some(one.id)));
            (items, last.unwrap_or(Reading::Conversations(None)))
        }
        Reading::Conversations(after) => {
            let found = picture.conversations(after, PAGE);
            let live = found.iter().filter(|one| !one.stage.is_terminal());
            let items = batches(live.map(|one| conversation::write(one, now)), |conversations| {
                Item::Conversations(v1::PictureConversations { conversations })
            });
            let last = found.last().map(|one| Reading::Conversations(Some(one.id)));
            (items, last.unwrap_or(Reading::Over))
        }
        Reading::Over => (Vec::new(), Reading::Over),
    }
}

/// Cuts a page where a batch would become too large.
fn batches<M: Message, B>(entries: impl Iterator<Item = M>, batch: impl Fn(Vec<M>) -> B) -> Vec<B> {
    let (mut all, mut bytes): (Vec<Vec<M>>, usize) = (Vec::new(), 0);
    for entry in entries {
        let len = entry.encoded_len();
        bytes += len;
        match all.last_mut() {
            Some(batch) if bytes <= BATCH_BYTES_MAX => batch.push(entry),
            _ => {
                all.push(vec![entry]);
                bytes = len;
            }
        }
    }
    all.into_iter().map(batch).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_bounded_by_bytes() {
        let entry = |bytes: usize| v1::Account { id: String::new(), name: "x".repeat(bytes) };
        let sizes = |bytes: &[usize]| -> Vec<usize> {
            batches(bytes.iter().map(|bytes| entry(*bytes)), |batch| batch.len())
        };
        assert_eq!(sizes(&[]), Vec::<usize>::new());
        assert_eq!(sizes(&[10; 300]), [300]);
        assert_eq!(sizes(&[200 << 10; 5]), [2, 2, 1]);
        assert_eq!(sizes(&[1, BATCH_BYTES_MAX + 1, 1]), [1, 1, 1], "one that is too large goes alone");
    }
}
