//! Sessions and presence, from "Agents" of the rules.

use super::Did;
use super::state::{Dom, not_allowed};
use routing::command::{By, Desk, Intent};
use routing::event::{OfferEnd, Requeued, Revoked, Subject};
use routing::outcome::DoneWhat;
use routing::settings::LeaseLoss;
use routing::view::{Lease, Stage};
use routing::{AgentId, EventKind};

impl Dom {
    pub fn open_session(&mut self, agent: AgentId) -> Did {
        self.person(agent)?;
        let person = self.p(agent);
        person.epoch.0 += 1;
        person.lease = Lease::Live;
        let epoch = person.epoch;
        for conversation in self.held_by(agent) {
            self.c(conversation).grace = None;
        }
        self.emit(EventKind::SessionOpened { agent, epoch });
        Ok((DoneWhat::Session(epoch), Subject::Agent(agent)))
    }

    pub fn close_session(&mut self, desk: Desk) -> Did {
        self.check_desk(desk)?;
        self.lease_ends(desk);
        let intent = Intent::Unavailable { reason: "signed out".to_owned() };
        self.set_intent(desk.agent, intent, By::Agent(desk));
        self.stopped(desk.agent, Revoked::LeaseLost);
        Ok((DoneWhat::Ok, Subject::Agent(desk.agent)))
    }

    pub fn lose_lease(&mut self, desk: Desk) -> Did {
        self.check_desk(desk)?;
        self.lease_ends(desk);
        self.stopped(desk.agent, Revoked::LeaseLost);
        Ok((DoneWhat::Ok, Subject::Agent(desk.agent)))
    }

    fn lease_ends(&mut self, desk: Desk) {
        let now = self.now;
        self.p(desk.agent).lease = Lease::LostSince(now);
        self.emit(EventKind::LeaseLost { agent: desk.agent, epoch: desk.epoch });
        let lease = self.settings.lease;
        for conversation in self.held_by(desk.agent) {
            let policy = lease[self.convs[&conversation].channel.index()];
            self.c(conversation).grace = (policy.then != LeaseLoss::Keep).then_some(now + policy.grace);
        }
    }

    /// Sets an intent with its event, if it is another one.
    pub fn set_intent(&mut self, agent: AgentId, intent: Intent, by: By) {
        let now = self.now;
        let person = self.p(agent);
        if person.intent == intent {
            return;
        }
        person.intent = intent.clone();
        person.intent_by = by.clone();
        person.returns_at = None;
        if intent == Intent::Available {
            person.idle_since = now;
            person.misses = 0;
        }
        self.emit(EventKind::PresenceChanged { agent, intent, by });
    }

    /// What follows when an agent takes no more offers.
    pub fn stopped(&mut self, agent: AgentId, why: Revoked) {
        for (offer, conversation) in self.offers_to(agent) {
            // What it has accepted goes on as long as its desk is there.
            if why == Revoked::Unavailable && self.convs[&conversation].is_connecting() {
                continue;
            }
            self.front(conversation, offer);
            self.fail_offer(conversation, OfferEnd::Revoked(why), Requeued::Revoked);
        }
        self.p(agent).holds = None;
    }

    pub fn set_presence(&mut self, agent: AgentId, intent: Intent, by: By) -> Did {
        if let By::Agent(desk) = &by {
            self.check_desk(*desk)?;
        }
        self.person(agent)?;
        match &by {
            By::Agent(desk) if desk.agent != agent => return Err(not_allowed()),
            By::Customer => return Err(not_allowed()),
            By::Agent(_) | By::Supervisor(_) | By::System => {}
        }
        if self.people[&agent].intent != intent {
            self.set_intent(agent, intent.clone(), by);
            if intent != Intent::Available {
                self.stopped(agent, Revoked::Unavailable);
                self.end_draining(agent);
            }
        }
        Ok((DoneWhat::Ok, Subject::Agent(agent)))
    }

    /// A draining agent with nothing in hand is done.
    pub fn end_draining(&mut self, agent: AgentId) {
        let Intent::Draining { next } = self.people[&agent].intent.clone() else { return };
        if self.held_by(agent).is_empty() && !self.connects(agent) {
            self.set_intent(agent, Intent::Unavailable { reason: next }, By::System);
        }
    }

    pub fn log_out(&mut self, agent: AgentId, by: By) -> Did {
        if let By::Agent(desk) = &by {
            self.check_desk(*desk)?;
        }
        self.person(agent)?;
        if !matches!(by, By::Supervisor(_) | By::System) {
            return Err(not_allowed());
        }
        let (lease, epoch) = (self.people[&agent].lease, self.people[&agent].epoch);
        if lease == Lease::Live {
            self.emit(EventKind::LeaseLost { agent, epoch });
        }
        self.p(agent).lease = Lease::None;
        self.p(agent).epoch.0 += 1;
        self.stopped(agent, Revoked::LeaseLost);
        self.give_up_all(agent, Requeued::OwnerGone);
        self.set_intent(agent, Intent::Unavailable { reason: "logged out".to_owned() }, by);
        Ok((DoneWhat::Ok, Subject::Agent(agent)))
    }

    /// Assignments wait again, wrap-ups complete.
    pub fn give_up_all(&mut self, agent: AgentId, cause: Requeued) {
        for conversation in self.held_by(agent) {
            match self.convs[&conversation].stage {
                Stage::Assigned(_) => self.requeue(conversation, cause),
                _ => self.complete_silently(conversation),
            }
        }
    }
}
