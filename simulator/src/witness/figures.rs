//! What a witness saw and did: how much a silent run says.

use routing::event::{Ending, OfferEnd, Revoked};
use routing::hours::HoursState;
use routing::{Event, EventKind};
use serde::Serialize;

/// What a witness saw and did. Events are counted once, at the frontier.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Figures {
    /// Promises broken, those not kept in full included.
    pub broken: u64,
    /// Entries checked by every promise, each once.
    pub entries_checked: u64,
    /// Entries refused.
    pub refused: u64,
    /// Entries with a request id that had come before.
    pub repeats: u64,
    /// Times a domain was checked for its own entry or a tick.
    pub domains_checked: u64,
    /// Of those, with everything in it looked at.
    pub domains_checked_whole: u64,
    /// Times a domain was looked at that the entry was not about.
    pub other_domains_checked: u64,
    /// Entries of other replicas compared with the frontier's.
    pub entries_compared: u64,
    /// Entries too far behind the frontier to be compared.
    pub entries_too_old: u64,
    /// Indexes without commands, at the frontier.
    pub indexes_passed: u64,
    /// State hashes taken.
    pub hashes_taken: u64,
    /// State hashes compared with another replica's.
    pub hashes_compared: u64,
    /// Replicas that started, restarts included.
    pub replicas_begun: u64,
    /// Snapshots that replaced a replica's state.
    pub snapshots_restored: u64,
    /// Offers made.
    pub offers: u64,
    /// Offers accepted.
    pub accepted: u64,
    /// Offers rejected by the agent.
    pub rejected: u64,
    /// Offers that nobody answered in time.
    pub timeouts: u64,
    /// Offers withdrawn.
    pub revoked: u64,
    /// Conversations assigned.
    pub assigned: u64,
    /// Wrap-ups begun.
    pub wrap_ups: u64,
    /// Transfers asked for.
    pub transfers: u64,
    /// Transfers to an agent that failed.
    pub transfers_failed: u64,
    /// Conversations that left for another domain.
    pub crossings_left: u64,
    /// Of those, that arrived there.
    pub crossings_arrived: u64,
    /// Of those, that were refused there.
    pub crossings_refused: u64,
    /// Times one was called back.
    pub crossings_recalled: u64,
    /// Those that had not arrived when they were called back.
    pub crossings_withdrawn: u64,
    /// Messages between domains that came again.
    pub crossings_repeated: u64,
    /// Domains that rested to go to another shard.
    pub moves_begun: u64,
    /// Of those, that arrived there.
    pub moves_done: u64,
    /// Of those, that stayed after all.
    pub moves_given_up: u64,
    /// Conversations that came back to a waiting place.
    pub requeues: u64,
    /// Conversations that arrived.
    pub arrived: u64,
    /// Conversations that ended.
    pub ended: u64,
    /// Of those, because the customer left.
    pub abandoned: u64,
    /// Of those, because they waited too long.
    pub expired: u64,
    /// Rules of policies carried out.
    pub rules: u64,
    /// Offers that were accepted, and then not connected.
    pub not_connected: u64,
    /// Conversations that began, or ceased, to wait on their customers.
    pub rests: u64,
    /// Queues that opened by their hours, or were set so.
    pub queues_opened: u64,
    /// Queues that closed.
    pub queues_closed: u64,
    /// Callbacks that were asked for.
    pub callbacks: u64,
    /// Offers that ended since another agent accepted the same conversation first.
    pub taken: u64,
    /// Agents who were asked for advice.
    pub consults: u64,
    /// Of those, who accepted.
    pub consulting: u64,
    /// Consultations that were ended.
    pub consults_over: u64,
    /// Attempts that did not reach the customer.
    pub callbacks_tried: u64,
    /// Abandoned places that somebody has again.
    pub resumed: u64,
    /// Changes of rules between channels.
    pub channel_rules: u64,
    /// Sessions opened.
    pub sessions: u64,
    /// Leases lost.
    pub leases_lost: u64,
    /// Domains quarantined.
    pub quarantined: u64,
}

impl Figures {
    /// Counts an event.
    pub(super) fn count(&mut self, event: &Event) {
        let counter = match &event.kind {
            EventKind::Arrived { .. } => &mut self.arrived,
            EventKind::Waiting { cause: Some(_), .. } => &mut self.requeues,
            EventKind::Offered(_) | EventKind::OfferedBecause(..) => &mut self.offers,
            EventKind::OfferEnded { end, .. } => match end {
                OfferEnd::Accepted => &mut self.accepted,
                OfferEnd::Rejected { .. } => &mut self.rejected,
                OfferEnd::TimedOut => &mut self.timeouts,
                OfferEnd::Revoked(Revoked::Taken) => &mut self.taken,
                OfferEnd::Revoked(_) => &mut self.revoked,
                OfferEnd::NotConnected { .. } => &mut self.not_connected,
                OfferEnd::ConsultOver { .. } => &mut self.consults_over,
            },
            EventKind::Assigned { .. } => &mut self.assigned,
            EventKind::Wrapping { .. } => &mut self.wrap_ups,
            EventKind::IdleChanged { .. } => &mut self.rests,
            EventKind::QueueHours { state: HoursState::Open, .. } => &mut self.queues_opened,
            EventKind::QueueHours { state: HoursState::Closed, .. } => &mut self.queues_closed,
            EventKind::CallbackRequested { .. } => &mut self.callbacks,
            EventKind::CallbackTried { .. } => &mut self.callbacks_tried,
            EventKind::Resumed { .. } => &mut self.resumed,
            EventKind::ConsultStarted { .. } => &mut self.consults,
            EventKind::Consulting { .. } => &mut self.consulting,
            EventKind::TransferStarted { .. } => &mut self.transfers,
            EventKind::TransferFailed { .. } => &mut self.transfers_failed,
            EventKind::RuleApplied { .. } => &mut self.rules,
            EventKind::ChannelRulesChanged { .. } => &mut self.channel_rules,
            EventKind::SessionOpened { .. } => &mut self.sessions,
            EventKind::LeaseLost { .. } => &mut self.leases_lost,
            EventKind::Quarantined { .. } => &mut self.quarantined,
            EventKind::Ended { ending, .. } => {
                self.ended += 1;
                match ending {
                    Ending::Abandoned => &mut self.abandoned,
                    Ending::Expired => &mut self.expired,
                    _ => return,
                }
            }
            _ => return,
        };
        *counter += 1;
    }
}
