//! Conversations that go from one domain to another while nodes are disturbed: some customers leave on the way,
//! some once they are there, some wait to the end.

use crate::realm::Realm;
use crate::stop::Stop;
use client::{Client, mutation};
use proto::v1;
use proto::v1::routing_client::RoutingClient;
use proto::v1::supervisor_client::SupervisorClient;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tonic::Status;

/// Travellers under way at once; more do not set out meanwhile.
const TRAVELLERS_MAX: usize = 256;
/// Pause between two looks whether one has arrived.
const LOOK: Duration = Duration::from_millis(100);
/// How long a traveller is looked after who is to leave over there.
const ARRIVE_MAX: Duration = Duration::from_secs(20);

/// A conversation that the cluster has acknowledged, and what it has acknowledged of it since.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Traveller {
    /// Its id where it set out.
    pub conversation: String,
    /// The transfer was acknowledged.
    pub sent: bool,
    /// So was that the customer left, wherever it was.
    pub left: bool,
}

/// What travellers have seen.
#[derive(Debug, Default)]
pub struct Seen {
    /// All that were acknowledged.
    pub travellers: Vec<Traveller>,
    /// Calls that a client with retries saw fail, with the reason.
    pub failed: Vec<String>,
    /// Those that did not set out because too many were under way.
    pub skipped: u64,
}

/// When a customer leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Leaves {
    OnTheWay,
    OverThere,
    Never,
}

/// The load of transfers between these domains, which are of one account.
pub struct Crossing {
    pub realms: Vec<Realm>,
    seen: Mutex<Seen>,
}

impl Crossing {
    /// Between these, with nothing seen.
    pub fn new(realms: Vec<Realm>) -> Self {
        Self { realms, seen: Mutex::default() }
    }

    /// What was seen so far.
    pub fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets so many set out per second, until it is stopped; then waits for those under way.
    pub async fn run(self: Arc<Self>, client: Arc<Client>, rate: f64, stop: Stop) {
        let room = Arc::new(Semaphore::new(TRAVELLERS_MAX));
        let mut every = tokio::time::interval(Duration::from_secs_f64(1.0 / rate));
        every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut number = 0;
        while stop.goes_on() {
            every.tick().await;
            number += 1;
            let Ok(permit) = Arc::clone(&room).try_acquire_owned() else {
                self.seen().skipped += 1;
                continue;
            };
            let (crossing, client) = (Arc::clone(&self), Arc::clone(&client));
            tokio::spawn(async move {
                if let Err(status) = crossing.travel(&client, number).await {
                    crossing.seen().failed.push(format!("{:?}: {}", status.code(), status.message()));
                }
                drop(permit);
            });
        }
        let _ = room.acquire_many(TRAVELLERS_MAX as u32).await;
    }

    /// The domains of one traveller, which differ, and when its customer leaves: all pairs in turn.
    fn way(&self, number: usize) -> (&Realm, &Realm, Leaves) {
        let count = self.realms.len();
        let (from, step) = (number % count, 1 + number / count % (count - 1));
        let leaves = [Leaves::OnTheWay, Leaves::OverThere, Leaves::Never][number % 3];
        (&self.realms[from], &self.realms[(from + step) % count], leaves)
    }

    async fn travel(&self, client: &Client, number: usize) -> Result<(), Status> {
        let (from, to, leaves) = self.way(number);
        let start = v1::StartRequest {
            mutation: mutation(),
            touchpoint: from.touchpoint.clone(),
            customer: "+34600111222".to_owned(),
            ..Default::default()
        };
        let started = client.call(&from.touchpoint, |node| {
            let start = start.clone();
            async move { RoutingClient::new(node).start(start).await }
        });
        let conversation = started.await?.conversation;
        let place = {
            let mut seen = self.seen();
            seen.travellers.push(Traveller { conversation: conversation.clone(), ..Traveller::default() });
            seen.travellers.len() - 1
        };
        let target = v1::transfer_target::Target::Touchpoint(to.touchpoint.clone());
        let transfer = v1::SupervisorTransferRequest {
            mutation: mutation(),
            supervisor: "chaos".to_owned(),
            conversation: conversation.clone(),
            target: Some(v1::TransferTarget { target: Some(target) }),
            fallback: v1::TransferFallback::LastQueues.into(),
            ..Default::default()
        };
        let sent = client.call(&conversation, |node| {
            let transfer = transfer.clone();
            async move { SupervisorClient::new(node).transfer(transfer).await }
        });
        sent.await?;
        self.seen().travellers[place].sent = true;
        let leaving = match leaves {
            Leaves::Never => return Ok(()),
            Leaves::OnTheWay => conversation,
            Leaves::OverThere => match arrived(client, &conversation).await? {
                Some(there) => there,
                // It waits again where it set out, or nobody knows yet.
                None => return Ok(()),
            },
        };
        let abandon = v1::AbandonRequest { mutation: mutation(), conversation: leaving.clone() };
        let left = client.call(&leaving, |node| {
            let abandon = abandon.clone();
            async move { RoutingClient::new(node).abandon(abandon).await }
        });
        match left.await {
            Ok(_) => self.seen().travellers[place].left = true,
            // It has gone on meanwhile: its customer is over there.
            Err(status) if status.code() == tonic::Code::FailedPrecondition => {}
            Err(status) => return Err(status),
        }
        Ok(())
    }
}

/// What a conversation is in the other domain, once it is there.
async fn arrived(client: &Client, conversation: &str) -> Result<Option<String>, Status> {
    let until = Instant::now() + ARRIVE_MAX;
    while Instant::now() < until {
        let request = v1::GetConversationRequest { conversation: conversation.to_owned() };
        let known = client.call(conversation, |node| {
            let request = request.clone();
            async move { RoutingClient::new(node).get_conversation(request).await }
        });
        let known = known.await?;
        if !known.moved_to.is_empty() {
            return Ok(Some(known.moved_to));
        }
        if known.stage() != v1::Stage::Transferring {
            return Ok(None);
        }
        tokio::time::sleep(LOOK).await;
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn all_pairs_of_different_domains_are_gone_each_in_all_ways() {
        let realm = |number: usize| Realm {
            domain: format!("dom_{number}"),
            shard: 1,
            agent: String::new(),
            queue: String::new(),
            touchpoint: String::new(),
        };
        for count in 2..=7 {
            let crossing = Crossing::new((0..count).map(realm).collect());
            let mut pairs = BTreeSet::new();
            let mut ways = BTreeSet::new();
            for number in 0..count * (count - 1) {
                let (from, to, leaves) = crossing.way(number);
                assert_ne!(from.domain, to.domain);
                pairs.insert((from.domain.clone(), to.domain.clone()));
                ways.insert(format!("{leaves:?}"));
            }
            assert_eq!(pairs.len(), count * (count - 1), "{count} domains");
            assert_eq!(ways.len(), 3.min(count * (count - 1)), "{count} domains");
        }
    }
}
