//! What a desk has asked for and not been answered.

use crate::checker::model::Asked;
use proto::v1;
use proto::v1::desk_request::Message;
use routing::{AgentId, ConversationId, OfferId};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// Time for one attempt on a stream that lives.
const ATTEMPT: Duration = Duration::from_secs(3);

/// What a desk wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Intent {
    Accept(OfferId),
    Connect(OfferId),
    Reject(OfferId),
    End { conversation: ConversationId, due_us: u64 },
    Presence(bool),
}

/// One intent under way.
#[derive(Debug, Clone)]
pub(super) struct Pending {
    pub(super) intent: Intent,
    pub(super) asked: Asked,
    pub(super) request: Uuid,
    pub(super) epoch: u64,
    pub(super) attempts: u32,
    pub(super) first_sent: Instant,
    pub(super) sent: Instant,
    pub(super) retry_at: Instant,
    pub(super) deadline: Instant,
}

impl Pending {
    pub(super) fn new(intent: Intent, agent: AgentId, epoch: u64, deadline: Instant) -> Self {
        let now = Instant::now();
        let asked = match &intent {
            Intent::Accept(offer) => Asked::Accept { offer: *offer, agent, epoch },
            Intent::Connect(offer) => Asked::Connected { offer: *offer, agent, epoch },
            Intent::Reject(offer) => Asked::Reject { offer: *offer },
            Intent::End { conversation, .. } => Asked::EndContact { conversation: *conversation },
            Intent::Presence(available) => Asked::Presence { agent, available: *available },
        };
        Self {
            intent,
            asked,
            request: Uuid::now_v7(),
            epoch,
            attempts: 1,
            first_sent: now,
            sent: now,
            retry_at: (now + ATTEMPT).min(deadline),
            deadline,
        }
    }

    /// The same intent, sent once more.
    pub(super) fn again(mut self) -> Self {
        self.attempts += 1;
        self.sent = Instant::now();
        self.retry_at = (self.sent + ATTEMPT).min(self.deadline.max(self.sent + Duration::from_millis(1)));
        self
    }

    /// On the wire. The epoch is the intent's own, so that a retry on a later session is the same
    /// request.
    pub(super) fn message(&self) -> Message {
        let mutation = Some(v1::Mutation { request_id: self.request.to_string(), expected_version: None });
        let (agent, epoch) = (String::new(), self.epoch);
        match &self.intent {
            Intent::Accept(offer) => {
                Message::Accept(v1::AcceptRequest { mutation, agent, epoch, offer: offer.to_string() })
            }
            Intent::Connect(offer) => {
                Message::Connected(v1::ConnectedRequest { mutation, agent, epoch, offer: offer.to_string() })
            }
            Intent::Reject(offer) => Message::Reject(v1::RejectRequest {
                mutation,
                agent,
                epoch,
                offer: offer.to_string(),
                reason: "not now".to_owned(),
            }),
            Intent::End { conversation, .. } => Message::EndContact(v1::DeskEndContactRequest {
                mutation,
                agent,
                epoch,
                conversation: conversation.to_string(),
            }),
            Intent::Presence(available) => {
                use v1::intent::{Available, Draining, Intent as Wire};
                let intent = if *available {
                    Wire::Available(Available {})
                } else {
                    Wire::Draining(Draining { next: "off duty".to_owned() })
                };
                let intent = Some(v1::Intent { intent: Some(intent) });
                Message::SetPresence(v1::DeskSetPresenceRequest { mutation, agent, epoch, intent })
            }
        }
    }
}

/// All intents under way, by the tag of their last attempt.
#[derive(Debug, Default)]
pub(super) struct Requests {
    pending: BTreeMap<u64, Pending>,
    tags: u64,
}

impl Requests {
    /// Adds one and gives its tag.
    pub(super) fn add(&mut self, pending: Pending) -> u64 {
        self.tags += 1;
        self.pending.insert(self.tags, pending);
        self.tags
    }

    /// An answer came; `None` when the attempt was given up before.
    pub(super) fn answered(&mut self, tag: u64) -> Option<Pending> {
        self.pending.remove(&tag)
    }

    /// To be sent again at that moment.
    pub(super) fn later(&mut self, mut pending: Pending, at: Instant) {
        pending.retry_at = at;
        self.add(pending);
    }

    /// The next moment at which one is to be sent again.
    pub(super) fn next_retry(&self) -> Option<Instant> {
        self.pending.values().map(|pending| pending.retry_at).min()
    }

    /// Takes those that are to be sent again.
    pub(super) fn take_due(&mut self, now: Instant) -> Vec<Pending> {
        let due: Vec<u64> =
            self.pending.iter().filter(|(_, pending)| pending.retry_at <= now).map(|(tag, _)| *tag).collect();
        due.into_iter().filter_map(|tag| self.pending.remove(&tag)).collect()
    }

    /// Takes all, in the order in which they were sent.
    pub(super) fn all(&mut self) -> Vec<Pending> {
        std::mem::take(&mut self.pending).into_values().collect()
    }

    /// Whether an offer is being accepted.
    pub(super) fn accepts(&self, offer: OfferId) -> bool {
        self.pending.values().any(|pending| pending.intent == Intent::Accept(offer))
    }

    /// Whether a presence is being set.
    pub(super) fn wants_presence(&self) -> bool {
        self.pending.values().any(|pending| matches!(pending.intent, Intent::Presence(_)))
    }
}
