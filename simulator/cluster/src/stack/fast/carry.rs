//! Messages on their way.

use super::fabric::{Fabric, Ticket, Way};
use futures::{Stream, StreamExt};
use std::collections::VecDeque;
use std::sync::Arc;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

/// Messages of one connection and direction that are under way.
const UNDER_WAY_MAX: usize = 1_024;

/// Why nothing is carried any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// The sender is done and everything has arrived.
    Done,
    /// The receiver is gone.
    Unwanted,
    /// The connection broke.
    Broken,
}

/// Carries messages, in order, each with its latency, as long as the connection holds. What meets
/// a cut waits, as it does with TCP.
pub(super) async fn carry<T>(
    fabric: Arc<Fabric>,
    way: Way,
    ticket: Ticket,
    source: impl Stream<Item = T>,
    sink: mpsc::Sender<T>,
) -> Ended {
    // What is waited for is registered once, not for every message.
    let unwanted = sink.clone();
    let unwanted = unwanted.closed();
    let changed = next_change(fabric.changes());
    let arrives = tokio::time::sleep_until(Instant::now());
    tokio::pin!(source, unwanted, changed, arrives);
    let mut under_way: VecDeque<(Instant, T)> = VecDeque::new();
    let mut last = Instant::now();
    let mut over = false;
    loop {
        if !fabric.holds(ticket) {
            return Ended::Broken;
        }
        if over && under_way.is_empty() {
            return Ended::Done;
        }
        let waits = !under_way.is_empty() && fabric.is_open(way);
        if let Some((at, _)) = under_way.front().filter(|(at, _)| *at != arrives.deadline()) {
            arrives.as_mut().reset(*at);
        }
        tokio::select! {
            biased;
            changes = &mut changed => changed.set(next_change(changes)),
            () = &mut unwanted => return Ended::Unwanted,
            () = &mut arrives, if waits => {
                tokio::select! {
                    biased;
                    room = sink.reserve() => match room {
                        Ok(room) => {
                            if let Some((_, message)) = under_way.pop_front() {
                                room.send(message);
                            }
                        }
                        Err(_) => return Ended::Unwanted,
                    },
                    changes = &mut changed => changed.set(next_change(changes)),
                }
            }
            message = source.next(), if !over && under_way.len() < UNDER_WAY_MAX => match message {
                Some(message) => {
                    last = last.max(Instant::now() + fabric.latency(way));
                    under_way.push_back((last, message));
                }
                None => over = true,
            },
        }
    }
}

async fn next_change(mut changes: watch::Receiver<u64>) -> watch::Receiver<u64> {
    // The sender lives as long as the fabric does.
    let _ = changes.changed().await;
    changes
}
