//! A domain's events, over as many streams as it takes.

use crate::{Client, again};
use proto::v1;
use proto::v1::events_client::EventsClient;
use std::time::Duration;
use tokio::time::timeout;
use tonic::{Code, Status, Streaming};

/// Pauses between attempts grow up to this.
const PAUSE_MAX: Duration = Duration::from_secs(1);

/// A domain's events in order. A lost stream is resumed after the last event seen.
pub struct Events {
    client: Client,
    domain: String,
    /// First sequence wanted; 0: only what is new.
    next: u64,
    incarnation: u64,
    stream: Option<Streaming<v1::Event>>,
    attempt: usize,
    pause: Duration,
}

impl Events {
    /// From a place on: incarnation (0: any) and sequence.
    pub(crate) fn from(client: Client, domain: &str, (incarnation, next): (u64, u64)) -> Self {
        let pause = client.times.pause;
        Self { client, domain: domain.to_owned(), next, incarnation, stream: None, attempt: 0, pause }
    }

    /// The next event. Waits for it as long as it takes, and for a node that has it. Safe to drop
    /// while it waits.
    ///
    /// # Errors
    /// What waiting cannot help: the domain does not exist; `OUT_OF_RANGE` (reason `COMPACTED`), the
    /// record no longer reaches back so far; `FAILED_PRECONDITION` (reason `RESTORED`), the cluster was
    /// restored from a backup and this is another record; `DATA_LOSS`, a node's record has a gap.
    pub async fn next(&mut self) -> Result<v1::Event, Status> {
        loop {
            let Some(stream) = &mut self.stream else {
                self.open().await?;
                continue;
            };
            match stream.message().await {
                Ok(Some(event)) => return self.take(event),
                // The node stops.
                Ok(None) => {
                    self.stream = None;
                    self.wait_after(Status::unavailable("the stream ended")).await?;
                }
                Err(status) => {
                    self.stream = None;
                    self.wait_after(status).await?;
                }
            }
        }
    }

    /// Where it stands: the incarnation and the sequence of the next event; 0 and what was asked for
    /// before the first.
    #[must_use]
    pub fn place(&self) -> (u64, u64) {
        (self.incarnation, self.next)
    }

    fn take(&mut self, event: v1::Event) -> Result<v1::Event, Status> {
        if self.next != 0 && event.sequence != self.next {
            self.stream = None;
            let message =
                format!("event {} of {} came where {} belongs", event.sequence, self.domain, self.next);
            return Err(Status::new(Code::DataLoss, message));
        }
        (self.next, self.incarnation) = (event.sequence + 1, event.incarnation);
        self.pause = self.client.times.pause;
        Ok(event)
    }

    async fn open(&mut self) -> Result<(), Status> {
        let request = v1::WatchRequest {
            domain: self.domain.clone(),
            from: self.next,
            until_now: false,
            incarnation: self.incarnation,
        };
        // Any node has all events: the load is spread, and the next attempt goes elsewhere.
        let channel = self.client.at(self.attempt);
        let opened = timeout(self.client.times.attempt, EventsClient::new(channel).watch(request)).await;
        match opened {
            Ok(Ok(stream)) => {
                self.stream = Some(stream.into_inner());
                Ok(())
            }
            Ok(Err(status)) => self.wait_after(status).await,
            Err(_) => self.wait_after(Status::deadline_exceeded("no stream in time")).await,
        }
    }

    /// Waits, if that helps; the next attempt is made at another node.
    async fn wait_after(&mut self, status: Status) -> Result<(), Status> {
        let Some(pause) = again::after(&status, self.pause) else { return Err(status) };
        self.attempt = self.attempt.wrapping_add(1);
        self.pause = (self.pause * 2).min(PAUSE_MAX);
        tokio::time::sleep(pause).await;
        Ok(())
    }
}
