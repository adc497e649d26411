//! A domain as of one event.

use crate::{Client, again};
use proto::v1;
use proto::v1::events_client::EventsClient;
use proto::v1::picture_item::Item;
use tokio::time::{Instant, timeout};
use tonic::{Code, Status};

/// A domain as it was after one of its events: [`Client::watch`] from the next one on misses nothing and
/// repeats nothing.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Picture {
    /// The domain, and where in which record it stands.
    pub header: v1::PictureHeader,
    /// All queues.
    pub queues: Vec<v1::Queue>,
    /// All agents.
    pub agents: Vec<v1::Agent>,
    /// All touchpoints.
    pub touchpoints: Vec<v1::Touchpoint>,
    /// All conversations that have not ended.
    pub conversations: Vec<v1::Conversation>,
}

impl Picture {
    /// The first event that is not in it.
    #[must_use]
    pub fn next(&self) -> u64 {
        self.header.sequence + 1
    }

    fn add(&mut self, item: Item) {
        match item {
            Item::Header(header) => self.header = header,
            Item::Queues(more) => self.queues.extend(more.queues),
            Item::Agents(more) => self.agents.extend(more.agents),
            Item::Touchpoints(more) => self.touchpoints.extend(more.touchpoints),
            Item::Conversations(more) => self.conversations.extend(more.conversations),
        }
    }
}

impl Client {
    /// A domain as of one event, from any node; a picture that breaks off begins again at another one.
    /// `seen` is the incarnation and the sequence of the last event seen, which it must not be before;
    /// zeros for any.
    ///
    /// # Errors
    /// A refusal at once; the last failure when time is over.
    pub async fn picture(
        &self,
        domain: &str,
        (incarnation, not_before): (u64, u64),
    ) -> Result<Picture, Status> {
        let until = Instant::now() + self.times.call;
        let request = v1::PictureRequest { domain: domain.to_owned(), not_before, incarnation };
        let mut attempt = 0;
        loop {
            let status = match self.take_picture(attempt, request.clone()).await {
                Ok(picture) => return Ok(picture),
                Err(status) => status,
            };
            let pause =
                again::after(&status, self.times.pause).filter(|pause| Instant::now() + *pause < until);
            let Some(pause) = pause else { return Err(status) };
            attempt += 1;
            tokio::time::sleep(pause).await;
        }
    }

    /// One try; it may take long as a whole, but there is no long silence in it.
    pub(crate) async fn take_picture(
        &self,
        attempt: usize,
        request: v1::PictureRequest,
    ) -> Result<Picture, Status> {
        let silent = |_| Status::deadline_exceeded("no more of the picture in time");
        let mut node = EventsClient::new(self.at(attempt));
        let patience = self.times.attempt;
        let mut items = timeout(patience, node.picture(request)).await.map_err(silent)??.into_inner();
        let mut picture = Picture::default();
        while let Some(item) = timeout(patience, items.message()).await.map_err(silent)?? {
            item.item.into_iter().for_each(|item| picture.add(item));
        }
        if picture.header.domain.is_none() {
            return Err(Status::new(Code::DataLoss, "a picture came without its header"));
        }
        Ok(picture)
    }
}
