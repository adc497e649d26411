//! Arrivals, contacts and endings: "Conversations" of the rules.

use super::Did;
use super::state::{Conv, Dom, Mint, invalid, not_allowed, unknown, wrong_state};
use routing::command::{Arrival, By, Desk, Incoming, Recall};
use routing::criteria::Criteria;
use routing::event::{Ending, Place, Revoked, Subject};
use routing::outcome::DoneWhat;
use routing::settings::{AcceptMode, RoutingMode, limits};
use routing::view::Stage;
use routing::{ConversationId, EventKind, LogTime, Priority, Rejected, Span, TouchpointId};
use std::collections::BTreeMap;

fn text(field: &str, text: &str, most: usize) -> Result<(), Rejected> {
    if text.len() > most { Err(invalid(field)) } else { Ok(()) }
}

fn is_boss(by: &By) -> bool {
    matches!(by, By::Supervisor(_) | By::System)
}

impl Dom {
    pub fn start(&mut self, arrival: Arrival, own: Option<Criteria>) -> Did {
        text("customer", &arrival.customer, limits::TEXT_BYTES_MAX)?;
        text("reference", &arrival.reference, limits::TEXT_BYTES_MAX)?;
        if arrival.continues.is_some_and(|c| c.domain != self.id) {
            return Err(invalid("continues"));
        }
        if !self.touchpoints.contains_key(&arrival.touchpoint) {
            return Err(unknown("touchpoint", arrival.touchpoint));
        }
        let criteria = self.criteria_at(arrival.touchpoint, own.as_ref())?;
        let mut c = self.newcomer(arrival.touchpoint, arrival.priority)?;
        self.check_classes(&criteria)?;
        c.customer.clone_from(&arrival.customer);
        c.reference.clone_from(&arrival.reference);
        let resumes = arrival.continues.filter(|former| self.has_the_place_of(*former, c.channel));
        if let Some(former) = resumes {
            c.arrived_at = self.convs[&former].arrived_at;
        }
        let event = EventKind::Arrived {
            conversation: c.id,
            touchpoint: c.touchpoint,
            channel: c.channel,
            priority: c.priority,
            customer: arrival.customer,
            reference: arrival.reference,
            continues: arrival.continues,
        };
        let id = self.admit(c, event, criteria, resumes);
        let (offer, agent) = (None, None);
        let what = match resumes {
            Some(_) => DoneWhat::Resumed { id, offer, agent },
            None => DoneWhat::Conversation { id, offer, agent },
        };
        Ok((what, Subject::Conversation(id)))
    }

    /// From another domain, if there is room.
    pub fn admit_from(&mut self, incoming: &Incoming) -> Option<ConversationId> {
        let criteria = self.criteria_at(incoming.to, None).ok()?;
        let mut c = self.newcomer(incoming.to, Some(incoming.priority)).ok()?;
        self.check_classes(&criteria).ok()?;
        c.customer.clone_from(&incoming.customer);
        c.reference.clone_from(&incoming.reference);
        c.arrived_at = LogTime(self.now.0.saturating_sub(incoming.age.0));
        c.hops = incoming.hop;
        let event = EventKind::ArrivedFrom {
            conversation: c.id,
            from: incoming.crossing.from,
            touchpoint: incoming.to,
            channel: c.channel,
            priority: c.priority,
            customer: c.customer.clone(),
            reference: c.reference.clone(),
            age: incoming.age,
            hop: incoming.hop,
        };
        Some(self.admit(c, event, criteria, None))
    }

    fn admit(
        &mut self,
        c: Conv,
        event: EventKind,
        criteria: Criteria,
        resumes: Option<ConversationId>,
    ) -> ConversationId {
        let (id, place) = (c.id, c.home.clone());
        self.emit(event);
        if let Some(from) = resumes {
            self.c(from).resumed = true;
            self.emit(EventKind::Resumed { conversation: id, from, arrived_at: c.arrived_at });
        }
        self.convs.insert(id, c);
        if !criteria.steps.is_empty() {
            self.ask(id, criteria, By::System);
        }
        self.wait(id, place, None);
        id
    }

    /// A conversation as this touchpoint routes it.
    fn newcomer(&mut self, reached: TouchpointId, priority: Option<Priority>) -> Result<Conv, Rejected> {
        let touchpoint = self.touchpoints[&reached].clone();
        let thirty = AcceptMode::Manual { ring: Span::seconds(30) };
        let (place, queues, accept, default, goes_on) = match touchpoint.mode {
            RoutingMode::Simplified { queues } => {
                (Place::Inbox(queues.clone()), queues, thirty, Priority(0), None)
            }
            RoutingMode::Dedicated { agent, accept, fallback } => {
                let queues = fallback.map(|(q, _)| q).into_iter().collect();
                (Place::Dedicated(agent), queues, accept, Priority(0), fallback)
            }
            RoutingMode::ToQueue(step) => {
                (Place::Queues(step.queues.clone()), step.queues, step.accept, step.priority, None)
            }
        };
        let full = !matches!(place, Place::Dedicated(_))
            && queues.iter().all(|q| self.waiting_in(*q) >= self.queues[q].settings.waiting_max);
        if full {
            return Err(Rejected::Full { what: String::new(), limit: 0, remedy: String::new() });
        }
        let now = self.now;
        Ok(Conv {
            id: ConversationId::new(self.id, self.mint(Mint::Conversation)),
            stage: Stage::Waiting(place.clone()),
            channel: touchpoint.channel,
            touchpoint: reached,
            priority: priority.unwrap_or(default),
            arrived_at: now,
            weight: routing::Points(0),
            accept,
            queues,
            offer: None,
            also: Vec::new(),
            excluded: BTreeMap::new(),
            hops: 0,
            customer: String::new(),
            reference: String::new(),
            assigned_at: None,
            ended_at: None,
            last_agent: None,
            home: place,
            came_from: None,
            hold_until: None,
            waiver: None,
            wait_ends: now + self.settings.wait_max,
            waits_since: now,
            way: None,
            goes_on: goes_on.map(|(q, span)| (vec![q], now + span)),
            owner_deadline: None,
            grace: None,
            wish: None,
            standing: None,
            full: None,
            longer: Span::ZERO,
            ended_owned: false,
            calling: None,
            resumed: false,
        })
    }

    /// What waits in a queue for an offer, without one, and in its inbox.
    pub fn waiting_in(&self, queue: routing::QueueId) -> u64 {
        self.convs
            .values()
            .filter(|c| match &c.stage {
                Stage::Waiting(Place::Queues(queues) | Place::Inbox(queues)) => {
                    queues.contains(&queue) && !c.rests()
                }
                _ => false,
            })
            .count() as u64
    }

    pub fn abandon(&mut self, id: ConversationId) -> Did {
        let c = self.conv(id)?;
        match c.stage {
            Stage::Ended(_) => return Err(wrong_state(c)),
            Stage::Wrapping(_) => {}
            Stage::Assigned(_) => self.contact_over(id),
            Stage::Waiting(_) | Stage::Offered(_) if c.calling.is_some() => {
                return Err(super::callback::called_back());
            }
            Stage::Waiting(_) | Stage::Offered(_) => {
                self.end(id, Ending::Abandoned, Revoked::Abandoned, String::new())
            }
            Stage::Transferring => self.recall(id, Recall::Abandoned),
        }
        Ok((DoneWhat::Ok, Subject::Conversation(id)))
    }

    pub fn end_contact(&mut self, id: ConversationId, by: By) -> Did {
        if let By::Agent(desk) = &by {
            self.check_desk(*desk)?;
        }
        let c = self.conv(id)?;
        let Stage::Assigned(owner) = c.stage else { return Err(wrong_state(c)) };
        if matches!(&by, By::Agent(desk) if desk.agent != owner) {
            return Err(not_allowed());
        }
        self.contact_over(id);
        Ok((DoneWhat::Ok, Subject::Conversation(id)))
    }

    pub fn complete(
        &mut self,
        desk: Desk,
        id: ConversationId,
        disposition: Option<String>,
        notes: String,
    ) -> Did {
        self.check_desk(desk)?;
        text("notes", &notes, limits::NOTES_BYTES_MAX)?;
        let c = self.conv(id)?;
        let Stage::Wrapping(owner) = c.stage else { return Err(wrong_state(c)) };
        if owner != desk.agent {
            return Err(not_allowed());
        }
        let queue = c.came_from.filter(|q| self.queues.contains_key(q)).or(c.queues.first().copied());
        if let Some(settings) = queue.map(|q| &self.queues[&q].settings) {
            let known = match &disposition {
                Some(chosen) => settings.dispositions.is_empty() || settings.dispositions.contains(chosen),
                None => !settings.disposition_required,
            };
            if !known {
                return Err(invalid("disposition"));
            }
        }
        self.end(id, Ending::Completed { disposition }, Revoked::Closed, notes);
        Ok((DoneWhat::Ok, Subject::Conversation(id)))
    }

    pub fn close(&mut self, id: ConversationId, reason: String, by: By) -> Did {
        if let By::Agent(desk) = &by {
            self.check_desk(*desk)?;
        }
        text("reason", &reason, limits::TEXT_BYTES_MAX)?;
        let c = self.conv(id)?;
        if c.stage.is_terminal() {
            return Err(wrong_state(c));
        }
        let allowed = match (&by, c.stage.owner()) {
            (By::Agent(desk), owner) => owner == Some(desk.agent),
            (_, None) => true,
            (by, Some(_)) => is_boss(by),
        };
        if !allowed {
            return Err(not_allowed());
        }
        self.close_it(id, reason, by);
        Ok((DoneWhat::Ok, Subject::Conversation(id)))
    }

    pub fn close_it(&mut self, id: ConversationId, reason: String, by: By) {
        if self.convs[&id].stage == Stage::Transferring {
            self.recall(id, Recall::Closed { reason, by });
        } else {
            self.end(id, Ending::Closed { reason, by }, Revoked::Closed, String::new());
        }
    }

    pub fn force_close(&mut self, id: ConversationId, reason: String, by: By) -> Did {
        if let By::Agent(desk) = &by {
            self.check_desk(*desk)?;
        }
        text("reason", &reason, limits::TEXT_BYTES_MAX)?;
        let c = self.conv(id)?;
        if c.stage.is_terminal() {
            return Err(wrong_state(c));
        }
        if !is_boss(&by) {
            return Err(not_allowed());
        }
        self.close_it(id, reason, by);
        Ok((DoneWhat::Ok, Subject::Conversation(id)))
    }

    pub fn reprioritise(&mut self, id: ConversationId, priority: Priority, by: By) -> Did {
        if let By::Agent(desk) = &by {
            self.check_desk(*desk)?;
        }
        let c = self.conv(id)?;
        if !matches!(c.stage, Stage::Waiting(_) | Stage::Offered(_)) {
            return Err(wrong_state(c));
        }
        if !is_boss(&by) {
            return Err(not_allowed());
        }
        self.c(id).priority = priority;
        self.end_hold_for(id);
        self.emit(EventKind::Reprioritised { conversation: id, priority, by });
        Ok((DoneWhat::Ok, Subject::Conversation(id)))
    }
}
