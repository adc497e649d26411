//! What goes on in a domain: callers who hang up at once, and a desk that notes when it is offered
//! something.

use crate::realm::Realm;
use crate::stop::Stop;
use client::{Client, mutation};
use proto::v1;
use proto::v1::agent_desk_client::AgentDeskClient;
use proto::v1::desk_request::Message as Ask;
use proto::v1::desk_response::Message as Told;
use proto::v1::notice::Notice as Kind;
use proto::v1::routing_client::RoutingClient;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Semaphore, mpsc};
use tokio::time::Instant;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

/// Callers of one domain under way at once; more do not come meanwhile.
const CALLERS_MAX: usize = 64;
const HEARTBEAT: Duration = Duration::from_secs(2);
/// A desk that cannot connect tries the next node.
const CONNECT_MAX: Duration = Duration::from_secs(1);
const PAUSE: Duration = Duration::from_millis(20);

/// What a domain has seen.
#[derive(Debug, Default)]
pub struct Seen {
    /// When offers came to the desk, in order.
    pub offers: Vec<Instant>,
    /// Conversations that the cluster has acknowledged.
    pub acknowledged: BTreeSet<String>,
    /// Calls that a client with retries saw fail, with the reason.
    pub failed: Vec<String>,
    /// Callers that did not come because too many were under way.
    pub skipped: u64,
    /// How often the desk had to connect.
    pub connects: u64,
}

/// A domain under load; with a desk, if it is probed.
pub struct Probe {
    pub realm: Realm,
    seen: Arc<Mutex<Seen>>,
}

impl Probe {
    /// Of this domain, with nothing seen.
    pub fn new(realm: Realm) -> Self {
        Self { realm, seen: Arc::default() }
    }

    /// What was seen so far.
    pub fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets callers come, so many per second, until it is stopped; then waits for those under way.
    pub async fn callers(self: Arc<Self>, client: Arc<Client>, rate: f64, stop: Stop) {
        let room = Arc::new(Semaphore::new(CALLERS_MAX));
        let mut every = tokio::time::interval(Duration::from_secs_f64(1.0 / rate));
        every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        while stop.goes_on() {
            every.tick().await;
            let Ok(permit) = Arc::clone(&room).try_acquire_owned() else {
                self.seen().skipped += 1;
                continue;
            };
            let (probe, client) = (Arc::clone(&self), Arc::clone(&client));
            tokio::spawn(async move {
                if let Err(status) = probe.caller(&client).await {
                    probe.seen().failed.push(format!("{:?}: {}", status.code(), status.message()));
                }
                drop(permit);
            });
        }
        let _ = room.acquire_many(CALLERS_MAX as u32).await;
    }

    async fn caller(&self, client: &Client) -> Result<(), Status> {
        let start = v1::StartRequest {
            mutation: mutation(),
            touchpoint: self.realm.touchpoint.clone(),
            customer: "+34600111222".to_owned(),
            ..Default::default()
        };
        let started = client.call(&self.realm.touchpoint, |node| {
            let start = start.clone();
            async move { RoutingClient::new(node).start(start).await }
        });
        let conversation = started.await?.conversation;
        self.seen().acknowledged.insert(conversation.clone());
        let abandon = v1::AbandonRequest { mutation: mutation(), conversation };
        let about = abandon.conversation.clone();
        let abandoned = client.call(&about, |node| {
            let abandon = abandon.clone();
            async move { RoutingClient::new(node).abandon(abandon).await }
        });
        abandoned.await.map(drop)
    }

    /// Keeps the desk connected at one node or another until it is stopped.
    pub async fn desk(self: Arc<Self>, client: Arc<Client>, first: usize, stop: Stop) {
        let mut resume: Option<(u64, u64)> = None;
        let mut place = first;
        while stop.goes_on() {
            // A desk that ends for any reason connects again, elsewhere.
            let _ = self.session(&client, place, &mut resume, &stop).await;
            place += 1;
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn session(
        &self,
        client: &Client,
        place: usize,
        resume: &mut Option<(u64, u64)>,
        stop: &Stop,
    ) -> Result<(), Status> {
        let hello = v1::Hello {
            agent: self.realm.agent.clone(),
            request_id: uuid::Uuid::now_v7().to_string(),
            cursor: resume.map(|(cursor, _)| cursor),
            epoch: resume.map(|(_, epoch)| epoch),
        };
        let (to, requests) = mpsc::channel(16);
        let full = |_| Status::unavailable("the desk's stream is full");
        to.send(v1::DeskRequest { tag: 0, message: Some(Ask::Hello(hello)) }).await.map_err(full)?;
        let mut desk = AgentDeskClient::new(client.at(place));
        let opened = tokio::time::timeout(CONNECT_MAX, desk.session(ReceiverStream::new(requests))).await;
        let mut from = opened.map_err(|_| Status::deadline_exceeded("no session"))??.into_inner();
        self.seen().connects += 1;
        let available = v1::Intent { intent: Some(v1::intent::Intent::Available(v1::intent::Available {})) };
        let presence = v1::DeskSetPresenceRequest {
            mutation: mutation(),
            intent: Some(available),
            ..Default::default()
        };
        to.send(v1::DeskRequest { tag: 0, message: Some(Ask::SetPresence(presence)) }).await.map_err(full)?;
        let mut beat = tokio::time::interval(HEARTBEAT);
        while stop.goes_on() {
            let told = tokio::select! {
                told = from.message() => told?,
                _ = beat.tick() => {
                    let beat = v1::DeskRequest { tag: 0, message: Some(Ask::Heartbeat(v1::Heartbeat {})) };
                    to.send(beat).await.map_err(full)?;
                    continue;
                }
            };
            let Some(told) = told else { return Ok(()) };
            let epoch = resume.map_or(0, |(_, epoch)| epoch);
            *resume = Some((told.cursor, epoch));
            match told.message {
                Some(Told::Welcome(welcome)) => *resume = Some((welcome.cursor, welcome.epoch)),
                Some(Told::Notice(v1::Notice { notice: Some(Kind::Offered(_)), .. })) => {
                    self.seen().offers.push(Instant::now());
                }
                _ => {}
            }
        }
        Ok(())
    }
}
