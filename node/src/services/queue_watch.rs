//! Live figures of a domain's queues: read from this node's replica when something changed.

use super::limits::DEADLINE_DEFAULT;
use crate::convert::{Read, queue};
use crate::problem::Problem;
use ::routing::{DomainId, QueueId, Sequence};
use actors::{Engine, Found, Query};
use futures::{Stream, stream};
use proto::v1;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tonic::{Code, Status};

const INTERVAL_DEFAULT_MS: u64 = 250;
const INTERVAL_MS_MAX: u64 = 60_000;
const INTERVAL_MS_MIN: u64 = 20;

/// Reads the shortest time between two updates.
pub(super) fn interval(ms: u64) -> Read<Duration> {
    match ms {
        0 => Ok(Duration::from_millis(INTERVAL_DEFAULT_MS)),
        INTERVAL_MS_MIN..=INTERVAL_MS_MAX => Ok(Duration::from_millis(ms)),
        _ => Err(Problem::field(
            "min_interval_ms",
            format!(
                "{ms} is out of range: {INTERVAL_MS_MIN} to {INTERVAL_MS_MAX}, or 0 for {INTERVAL_DEFAULT_MS}"
            ),
        )),
    }
}

struct Watching {
    engine: Engine,
    domain: DomainId,
    interval: Duration,
    changes: watch::Receiver<Sequence>,
    not_before: Instant,
    stopping: CancellationToken,
    _permit: OwnedSemaphorePermit,
}

/// Runs a watch: the present at once, then again after changes.
pub(super) fn run(
    engine: Engine,
    domain: DomainId,
    mut changes: watch::Receiver<Sequence>,
    interval: Duration,
    stopping: CancellationToken,
    permit: OwnedSemaphorePermit,
) -> impl Stream<Item = Result<v1::QueuesUpdate, Status>> + Send + 'static {
    changes.mark_changed();
    let not_before = Instant::now();
    let watching = Watching { engine, domain, interval, changes, not_before, stopping, _permit: permit };
    stream::try_unfold(watching, |mut watching| async move {
        let update = watching.next().await?;
        Ok::<_, Status>(Some((update, watching)))
    })
}

impl Watching {
    async fn next(&mut self) -> Result<v1::QueuesUpdate, Problem> {
        let stopping = self.stopping.clone();
        let changed = async {
            tokio::time::sleep_until(self.not_before).await;
            self.changes.changed().await
        };
        let open = tokio::select! {
            changed = changed => changed.is_ok(),
            () = stopping.cancelled() => false,
        };
        if !open {
            let what = "this node no longer watches the domain: watch at another one";
            return Err(Problem::new(Code::Unavailable, "STOPPING", what));
        }
        self.not_before = Instant::now() + self.interval;
        let sequence = *self.changes.borrow_and_update();
        self.read(sequence).await
    }

    async fn read(&self, sequence: Sequence) -> Result<v1::QueuesUpdate, Problem> {
        let mut update = v1::QueuesUpdate { sequence: sequence.0, ..Default::default() };
        let mut after: Option<QueueId> = None;
        loop {
            let query = Query::Queues { domain: self.domain, after, limit: Query::LIMIT_MAX };
            let answer = self.engine.query_near(query, DEADLINE_DEFAULT).await?;
            let Found::Queues(found) = answer.found else {
                return Err(super::call::unexpected("a list of queues"));
            };
            update.now_us = answer.now.0;
            update.queues.extend(found.iter().map(|one| queue::write(one, answer.now)));
            after = found.last().map(|one| one.id);
            if found.len() < Query::LIMIT_MAX as usize {
                return Ok(update);
            }
        }
    }
}
