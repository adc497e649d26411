//! An agent's desk on a stream.

use super::{Client, PATIENCE, mutation};
use proto::v1;
use proto::v1::desk_request::Message as Ask;
use proto::v1::desk_response::Message as Told;
use proto::v1::notice::Notice as Kind;
use proto::v1::reply::Result as Outcome;
use std::collections::VecDeque;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Status, Streaming};

/// A desk with an open session.
pub struct Desk {
    agent: String,
    to: mpsc::Sender<v1::DeskRequest>,
    from: Streaming<v1::DeskResponse>,
    tag: u64,
    unread: VecDeque<v1::Notice>,
    /// The last welcome.
    pub welcome: v1::Welcome,
    /// How many welcomes there were.
    pub welcomes: usize,
    /// The last cursor.
    pub cursor: u64,
}

impl Desk {
    /// Opens a session, trying again while no leader is known.
    pub async fn open(client: &Client, agent: &str) -> Self {
        let hello = v1::Hello {
            agent: agent.to_owned(),
            request_id: uuid::Uuid::now_v7().to_string(),
            cursor: None,
            epoch: None,
        };
        super::until("a session", || async { Self::try_open(client, hello.clone()).await.ok() }).await
    }

    /// Opens a session with this hello.
    ///
    /// # Errors
    /// The status of the stream.
    pub async fn try_open(client: &Client, hello: v1::Hello) -> Result<Self, Status> {
        let agent = hello.agent.clone();
        let (to, requests) = mpsc::channel(64);
        let first = v1::DeskRequest { tag: 1, message: Some(Ask::Hello(hello)) };
        to.send(first).await.expect("room");
        let mut from = client.desk().session(ReceiverStream::new(requests)).await?.into_inner();
        let told = from.message().await?.ok_or_else(|| Status::unavailable("the stream ended"))?;
        let Some(Told::Welcome(welcome)) = told.message else { panic!("no welcome but {told:?}") };
        let cursor = welcome.cursor;
        Ok(Self { agent, to, from, tag: 1, unread: VecDeque::new(), welcome, welcomes: 1, cursor })
    }

    /// The hello that resumes this session.
    pub fn resume(&self) -> v1::Hello {
        v1::Hello {
            agent: self.agent.clone(),
            request_id: uuid::Uuid::now_v7().to_string(),
            cursor: Some(self.cursor),
            epoch: Some(self.welcome.epoch),
        }
    }

    async fn told(&mut self) -> Result<Option<Told>, Status> {
        let told = tokio::time::timeout(PATIENCE, self.from.message()).await;
        let Some(told) = told.expect("the desk is told something")? else { return Ok(None) };
        self.cursor = told.cursor;
        if let Some(Told::Welcome(welcome)) = &told.message {
            self.welcome = welcome.clone();
            self.welcomes += 1;
        }
        Ok(told.message)
    }

    /// The next notice that is asked for; earlier ones are passed over.
    pub async fn notice<T>(&mut self, what: &str, mut pick: impl FnMut(&Kind) -> Option<T>) -> T {
        while let Some(notice) = self.unread.pop_front() {
            if let Some(found) = notice.notice.as_ref().and_then(&mut pick) {
                return found;
            }
        }
        loop {
            match self.told().await {
                Ok(Some(Told::Notice(notice))) => {
                    if let Some(found) = notice.notice.as_ref().and_then(&mut pick) {
                        return found;
                    }
                }
                Ok(Some(_)) => {}
                other => panic!("waited for {what}, but the stream ended: {other:?}"),
            }
        }
    }

    /// The next welcome after a change of leader, keeping the session alive meanwhile.
    pub async fn welcomed_again(&mut self) -> v1::Welcome {
        let before = self.welcomes;
        let waiting = async {
            while self.welcomes == before {
                self.send(0, Ask::Heartbeat(v1::Heartbeat {})).await;
                let told = tokio::time::timeout(std::time::Duration::from_secs(1), self.from.message()).await;
                let Ok(told) = told else { continue };
                let told = told.expect("the stream lives").expect("the stream goes on");
                self.cursor = told.cursor;
                match told.message {
                    Some(Told::Welcome(welcome)) => {
                        self.welcome = welcome;
                        self.welcomes += 1;
                    }
                    Some(Told::Notice(notice)) => self.unread.push_back(notice),
                    _ => {}
                }
            }
        };
        tokio::time::timeout(PATIENCE, waiting).await.expect("a welcome after the change of leader");
        self.welcome.clone()
    }

    /// The next offer.
    pub async fn offer(&mut self) -> v1::Offer {
        self.notice("an offer", |kind| match kind {
            Kind::Offered(offer) => Some(offer.clone()),
            _ => None,
        })
        .await
    }

    /// Sends a message and does not wait.
    pub async fn send(&self, tag: u64, message: Ask) {
        // A stream that has ended shows when it is read.
        let _ = self.to.send(v1::DeskRequest { tag, message: Some(message) }).await;
    }

    /// Sends a message and waits for its reply; notices meanwhile are kept.
    pub async fn ask(&mut self, message: Ask) -> Outcome {
        self.tag += 1;
        let tag = self.tag;
        self.send(tag, message).await;
        loop {
            match self.told().await {
                Ok(Some(Told::Reply(reply))) if reply.tag == tag => return reply.result.expect("a result"),
                Ok(Some(Told::Notice(notice))) => self.unread.push_back(notice),
                Ok(Some(_)) => {}
                other => panic!("no reply, the stream ended: {other:?}"),
            }
        }
    }

    /// Becomes available.
    pub async fn available(&mut self) {
        let intent = v1::intent::Intent::Available(v1::intent::Available {});
        let intent = Some(v1::Intent { intent: Some(intent) });
        let request = v1::DeskSetPresenceRequest { mutation: mutation(), intent, ..Default::default() };
        let outcome = self.ask(Ask::SetPresence(request)).await;
        assert!(matches!(outcome, Outcome::Done(_)), "{outcome:?}");
    }

    /// Takes an offer.
    pub async fn accept(&mut self, offer: &str) -> Outcome {
        let request =
            v1::AcceptRequest { mutation: mutation(), offer: offer.to_owned(), ..Default::default() };
        self.ask(Ask::Accept(request)).await
    }

    /// The contact is over.
    pub async fn end_contact(&mut self, conversation: &str) -> Outcome {
        let conversation = conversation.to_owned();
        let request = v1::DeskEndContactRequest { mutation: mutation(), conversation, ..Default::default() };
        self.ask(Ask::EndContact(request)).await
    }
}
