//! Messages on their way.

use super::fabric::{Fabric, Ticket, Way};
use futures::{Stream, StreamExt};
use std::collections::VecDeque;
use std::sync::Arc;
use tokio::sync::mpsc;
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
    let mut changes = fabric.changes();
    let mut under_way: VecDeque<(Instant, T)> = VecDeque::new();
    let mut last = Instant::now();
    let mut over = false;
    tokio::pin!(source);
    loop {
        if !fabric.holds(ticket) {
            return Ended::Broken;
        }
        if over && under_way.is_empty() {
            return Ended::Done;
        }
        let arrival = under_way.front().map(|(at, _)| *at);
        let open = fabric.is_open(way);
        tokio::select! {
            biased;
            _ = changes.changed() => {}
            () = sink.closed() => return Ended::Unwanted,
            () = tokio::time::sleep_until(arrival.unwrap_or(last)), if open && arrival.is_some() => {
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
                    _ = changes.changed() => {}
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
