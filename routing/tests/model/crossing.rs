//! Transfers between domains, both sides: "Between domains" of the rules.

use super::Did;
use super::state::{Dom, unknown, wrong_state};
use routing::command::{Crossing, Incoming, Recall, TransferFallback};
use routing::event::{Ending, Place, Requeued, Revoked, Subject};
use routing::outcome::{DoneWhat, Landing, NotTaken};
use routing::settings::limits;
use routing::view::{DepartureView, Stage};
use routing::{AgentId, Command, ConversationId, DomainId, EventKind, LogTime, TouchpointId};
use std::collections::BTreeMap;

/// A conversation on its way.
#[derive(Debug, Clone)]
pub struct Way {
    pub shown: DepartureView,
    pub source: Option<AgentId>,
    pub deadline: Option<LogTime>,
}

/// To one domain: the last number, and what is open.
pub type Route = (u64, BTreeMap<u64, ConversationId>);
/// From one domain: what is settled over there, and what was answered.
pub type Origin = (u64, BTreeMap<u64, Landing>);

impl Dom {
    pub fn depart(&mut self, id: ConversationId, to: TouchpointId, fallback: TransferFallback) {
        let source = self.convs[&id].stage.owner();
        if let Some(agent) = source {
            self.emit(EventKind::Released { conversation: id, agent });
        }
        self.end_hold_for(id);
        let route = self.routes.entry(to.domain).or_default();
        route.0 += 1;
        let number = route.0;
        route.1.insert(number, id);
        let now = self.now;
        let c = self.c(id);
        if source.is_some() {
            c.last_agent = source;
            c.waits_since = now;
        }
        c.nobody_handles_it();
        c.stage = Stage::Transferring;
        c.excluded.clear();
        c.stop_clock();
        (c.waiver, c.goes_on, c.owner_deadline, c.grace) = (None, None, None, None);
        let shown = DepartureView { to, number, fallback, recall: None };
        c.way = Some(Way { shown, source, deadline: Some(now + limits::CROSSING_MAX) });
        self.rest_rules(id);
        if let Some(agent) = source {
            self.free_owner(agent);
        }
    }

    /// Called back: nothing more than a note until the other domain has answered.
    pub fn recall(&mut self, id: ConversationId, recall: Recall) {
        let way = self.c(id).way.as_mut().expect("on its way");
        if matches!(way.shown.recall, Some(Recall::Abandoned | Recall::Closed { .. })) {
            return;
        }
        way.shown.recall = Some(recall.clone());
        way.deadline = None;
        self.emit(EventKind::Recalled { conversation: id, recall });
    }

    pub fn settle(
        &mut self,
        id: ConversationId,
        number: u64,
        sent: Option<&Recall>,
        landing: &Landing,
    ) -> Did {
        let c = self.conv(id)?;
        let way = c.way.clone().filter(|way| way.shown.number == number).ok_or_else(|| wrong_state(c))?;
        let done = Ok((DoneWhat::Ok, Subject::Conversation(id)));
        let stronger = matches!(way.shown.recall, Some(Recall::Abandoned | Recall::Closed { .. }));
        if matches!(landing, Landing::Arrived(_)) && stronger && way.shown.recall.as_ref() != sent {
            return done;
        }
        self.c(id).way = None;
        self.routes.get_mut(&way.shown.to.domain).expect("it left").1.remove(&number);
        let (recall, none) = (way.shown.recall.clone(), String::new());
        match (landing, recall) {
            (Landing::Arrived(to), _) => {
                self.end(id, Ending::Moved { to: *to }, Revoked::Transferred, none);
                return done;
            }
            (Landing::Refused(why), _) => {
                self.emit(EventKind::TransferRefused { conversation: id, why: *why });
            }
            (Landing::Withdrawn, _) => {}
        }
        match way.shown.recall.clone() {
            Some(Recall::Abandoned) => self.end(id, Ending::Abandoned, Revoked::Abandoned, none),
            Some(Recall::Closed { reason, by }) => {
                self.end(id, Ending::Closed { reason, by }, Revoked::Closed, none);
            }
            Some(Recall::TimedOut) | None => self.come_back(id, &way),
        }
        done
    }

    fn come_back(&mut self, id: ConversationId, way: &Way) {
        self.emit(EventKind::TransferFailed { conversation: id });
        let (now, wait_max) = (self.now, self.settings.wait_max);
        let c = self.c(id);
        c.hold_until = None;
        c.wait_ends = c.waits_since + wait_max;
        let queues = c.queues.clone();
        let again = Some(Requeued::Fallback);
        match way.shown.fallback {
            TransferFallback::Queue(queue) if self.queues.contains_key(&queue) => {
                self.c(id).queues = vec![queue];
                self.wait(id, Place::Queues(vec![queue]), again);
            }
            TransferFallback::Source if way.source.is_some_and(|agent| self.people.contains_key(&agent)) => {
                let agent = way.source.expect("just seen");
                self.wait(id, Place::Dedicated(agent), again);
                let until = now + limits::BACK_TO_SOURCE_MAX;
                self.c(id).goes_on = (!queues.is_empty()).then_some((queues, until));
            }
            TransferFallback::LastQueues | TransferFallback::Queue(_) if !queues.is_empty() => {
                self.wait(id, Place::Queues(queues), again);
            }
            _ => self.wait_where_it_was(id),
        }
    }

    /// What was answered to this transfer, or none yet; `Err` when it is settled over there.
    fn met(&mut self, crossing: &Crossing) -> Result<Option<Landing>, routing::Rejected> {
        let (floor, landings) = self.origins.get(&crossing.from.domain).cloned().unwrap_or_default();
        let floor = floor.max(crossing.floor);
        if crossing.number < floor {
            return Err(unknown("transfer", format!("{} of {}", crossing.number, crossing.from)));
        }
        let landings: BTreeMap<_, _> = landings.into_iter().filter(|(number, _)| *number >= floor).collect();
        let known = landings.get(&crossing.number).cloned();
        self.origins.insert(crossing.from.domain, (floor, landings));
        Ok(known)
    }

    fn landed(&mut self, crossing: &Crossing, landing: Landing) -> Did {
        let origin = self.origins.get_mut(&crossing.from.domain).expect("met");
        origin.1.insert(crossing.number, landing.clone());
        Ok((DoneWhat::Landed(landing), Subject::Domain(self.id)))
    }

    pub fn arrive(&mut self, incoming: &Incoming) -> Did {
        if let Some(known) = self.met(&incoming.crossing)? {
            return self.landed(&incoming.crossing, known);
        }
        let there = self.touchpoints.get(&incoming.to);
        let refused = if incoming.account != self.account {
            Some(NotTaken::OtherAccount)
        } else if incoming.hop > limits::HOPS_MAX {
            Some(NotTaken::Hops)
        } else if there.is_none() {
            Some(NotTaken::UnknownTouchpoint)
        } else if there.is_some_and(|there| there.channel != incoming.channel) {
            Some(NotTaken::OtherChannel)
        } else {
            None
        };
        let landing = match refused {
            Some(why) => Landing::Refused(why),
            None => self.admit_from(incoming).map_or(Landing::Refused(NotTaken::Full), Landing::Arrived),
        };
        self.landed(&incoming.crossing, landing)
    }

    pub fn withdraw(&mut self, crossing: &Crossing, recall: Recall) -> Did {
        let known = self.met(crossing)?.unwrap_or(Landing::Withdrawn);
        if let Landing::Arrived(id) = known
            && self.convs.get(&id).is_some_and(|c| !c.stage.is_terminal())
        {
            match recall {
                Recall::TimedOut => {}
                Recall::Abandoned => {
                    self.abandon(id)?;
                }
                Recall::Closed { reason, by } => self.close_it(id, reason, by),
            }
        }
        self.landed(crossing, known)
    }

    /// What this domain owes others, as its leader would send it at this time.
    pub fn owed(&self, now: LogTime) -> Vec<(DomainId, Command)> {
        let mut owed = Vec::new();
        for (to, (last, open)) in &self.routes {
            let floor = open.keys().next().copied().unwrap_or(last + 1);
            for (number, id) in open {
                let crossing = Crossing { from: *id, number: *number, floor };
                let c = &self.convs[id];
                let way = &c.way.as_ref().expect("on its way").shown;
                let command = match &way.recall {
                    Some(recall) => Command::Withdraw { crossing, recall: recall.clone() },
                    None => Command::Arrive(Box::new(Incoming {
                        crossing,
                        account: self.account,
                        to: way.to,
                        channel: c.channel,
                        priority: c.priority,
                        customer: c.customer.clone(),
                        reference: c.reference.clone(),
                        age: now.since(c.arrived_at),
                        hop: c.hops,
                    })),
                };
                owed.push((*to, command));
            }
        }
        owed
    }
}
