//! The way of a conversation to another domain, as its own domain sees it: it leaves, is called back,
//! and is settled. The other side is in `commands/arrive.rs` and `commands/withdraw.rs`.

use super::crossings::Departure;
use super::{AgentNo, ConvNo, Cx, Domain, PlaceKind, QueueNo, State};
use crate::command::{Recall, TransferFallback};
use crate::deadlines::Due;
use crate::event::{Ending, EventKind, Requeued, Revoked};
use crate::outcome::Landing;
use crate::settings::limits::{BACK_TO_SOURCE_MAX, CROSSING_MAX};
use crate::{PlantedBug, TouchpointId};

impl Domain {
    /// A conversation that waits or is owned leaves for another domain: nobody's here from now on.
    pub(crate) fn depart(
        &mut self,
        cx: &mut Cx<'_>,
        no: ConvNo,
        to: TouchpointId,
        fallback: TransferFallback,
    ) {
        let source = self.conv(no).owner();
        if self.conv(no).state == State::Waiting {
            self.leave_lines(no);
        }
        self.release_to_wait(cx, no);
        self.clear_waiting_deadlines(no);
        let number = self.crossings.leave(to.domain, no);
        let deadline = cx.now + CROSSING_MAX;
        self.index.0.deadlines.add(deadline, Due::Recall(no));
        let conversation = self.conv_mut(no);
        conversation.state = State::Transferring;
        let deadline = Some(deadline);
        conversation.departure =
            Some(Box::new(Departure { to, number, fallback, source, deadline, recall: None }));
    }

    /// Calls a conversation back that is on its way. Whether it has arrived only the other domain can
    /// say, so nothing else happens until it has answered.
    pub(crate) fn recall(&mut self, cx: &mut Cx<'_>, no: ConvNo, recall: &Recall) {
        let departure = self.conv_mut(no).departure.as_mut().expect("on its way");
        if !matches!(departure.recall, None | Some(Recall::TimedOut)) {
            return;
        }
        departure.recall = Some(recall.clone());
        if let Some(deadline) = departure.deadline.take() {
            self.index.0.deadlines.remove(deadline, Due::Recall(no));
        }
        let domain = self.id;
        self.emit(cx, EventKind::Recalled { conversation: no.id(domain), recall: recall.clone() });
        if cx.planted(PlantedBug::RecalledUnasked) {
            self.settle(cx, no, Landing::Withdrawn);
        }
    }

    /// The other domain has answered for good.
    pub(crate) fn settle(&mut self, cx: &mut Cx<'_>, no: ConvNo, landing: Landing) {
        let departure = self.conv_mut(no).departure.take().expect("on its way");
        if let Some(deadline) = departure.deadline {
            self.index.0.deadlines.remove(deadline, Due::Recall(no));
        }
        self.crossings.settle(departure.to.domain, departure.number);
        let id = no.id(self.id);
        match landing {
            Landing::Arrived(to) => {
                self.end(cx, no, Ending::Moved { to }, String::new(), Revoked::Transferred);
                return;
            }
            Landing::Refused(why) => {
                self.emit(cx, EventKind::TransferRefused { conversation: id, why });
            }
            Landing::Withdrawn => {}
        }
        match departure.recall {
            Some(Recall::Abandoned) => {
                self.end(cx, no, Ending::Abandoned, String::new(), Revoked::Abandoned);
            }
            Some(Recall::Closed { reason, by }) => {
                self.end(cx, no, Ending::Closed { reason, by }, String::new(), Revoked::Closed);
            }
            None | Some(Recall::TimedOut) => self.come_back(cx, no, &departure),
        }
    }

    /// A transfer to another domain failed: its fallback.
    fn come_back(&mut self, cx: &mut Cx<'_>, no: ConvNo, departure: &Departure) {
        let domain = self.id;
        self.emit(cx, EventKind::TransferFailed { conversation: no.id(domain) });
        let queues = self.present_queues(&self.conv(no).queues);
        let named = match departure.fallback {
            TransferFallback::Queue(queue) => {
                QueueNo::of(queue, domain).filter(|no| self.queues.get(no.0).is_some())
            }
            TransferFallback::Source | TransferFallback::LastQueues | TransferFallback::Advice { .. } => None,
        };
        let source = departure.source.filter(|agent| {
            departure.fallback == TransferFallback::Source && self.agents.get(agent.0).is_some()
        });
        if let Some(queue) = named {
            let conversation = self.conv_mut(no);
            conversation.queues = Box::new([queue]);
            conversation.place = PlaceKind::Queues;
        } else if let Some(source) = source {
            self.wait_for_source(cx, no, source);
        } else if departure.fallback != TransferFallback::Source && !queues.is_empty() {
            self.conv_mut(no).place = PlaceKind::Queues;
        }
        self.enter_place(cx, no, Requeued::Fallback);
    }

    /// Its points were freed when it left, so the agent who sent it away is offered it again; after a
    /// while its queues are, where there are any.
    fn wait_for_source(&mut self, cx: &mut Cx<'_>, no: ConvNo, source: AgentNo) {
        let conversation = self.conv_mut(no);
        conversation.place = PlaceKind::Dedicated(source);
        if self.present_queues(&self.conv(no).queues).is_empty() {
            return;
        }
        let deadline = cx.now + BACK_TO_SOURCE_MAX;
        self.conv_mut(no).fallback_deadline = Some(deadline);
        self.index.0.deadlines.add(deadline, Due::Fallback(no));
    }
}
