//! Configuration, from "Configuration" of the rules.

use super::Did;
use super::state::{Conv, Dom, Line, Mint, Person, invalid, not_allowed, unknown};
use routing::command::{By, Intent};
use routing::event::{Ending, OfferEnd, Place, Requeued, Revoked, Subject};
use routing::outcome::DoneWhat;
use routing::settings::{
    AcceptMode, AgentSettings, DomainSettings, QueueSettings, RankPolicy, RoutingMode, TouchpointSettings,
    limits,
};
use routing::view::{Lease, Stage};
use routing::{AgentId, Channel, Epoch, EventKind, Points, QueueId, Rejected, Span, TouchpointId};
use std::collections::{BTreeMap, BTreeSet};

const MONTH: Span = Span::seconds(30 * 24 * 3_600);

fn check_text(field: &str, text: &str, may_be_empty: bool) -> Result<(), Rejected> {
    if text.len() > limits::TEXT_BYTES_MAX || (text.is_empty() && !may_be_empty) {
        Err(invalid(field))
    } else {
        Ok(())
    }
}

pub fn check_domain(s: &DomainSettings) -> Result<(), Rejected> {
    check_text("name", &s.name, false)?;
    if s.weights[0] != Points::VOICE || s.weights.iter().any(|w| w.0 < 1 || w.0 > 100) {
        return Err(invalid("weights"));
    }
    if let RankPolicy::Aging { credits } = &s.rank {
        let once: BTreeSet<_> = credits.iter().map(|(p, _)| *p).collect();
        if once.len() != credits.len() || credits.iter().any(|(_, span)| *span > MONTH) {
            return Err(invalid("rank"));
        }
    }
    let spans =
        [s.hold_max, s.exclude_rejected, s.exclude_missed, s.closed_retention, s.request_window, s.wait_max];
    if spans.iter().any(|span| *span > MONTH) {
        return Err(invalid("span"));
    }
    Ok(())
}

fn check_queue(s: &QueueSettings) -> Result<(), Rejected> {
    check_text("name", &s.name, false)?;
    if s.wrap_up_max > MONTH {
        return Err(invalid("wrap_up_max"));
    }
    Ok(())
}

fn check_accept(accept: AcceptMode) -> Result<(), Rejected> {
    let (least, most) = match accept {
        AcceptMode::Manual { .. } => (Span::seconds(1), Span::seconds(600)),
        AcceptMode::Automatic { .. } => (Span::millis(500), Span::seconds(60)),
    };
    if accept.deadline() < least || accept.deadline() > most { Err(invalid("accept")) } else { Ok(()) }
}

impl Dom {
    fn check_queues(&self, queues: &[QueueId], least: usize, most: usize) -> Result<(), Rejected> {
        let once: BTreeSet<_> = queues.iter().collect();
        if queues.len() < least || queues.len() > most || once.len() != queues.len() {
            return Err(invalid("queues"));
        }
        if queues.iter().any(|q| !self.queues.contains_key(q)) {
            return Err(invalid("queues"));
        }
        Ok(())
    }

    fn check_agent(&self, s: &AgentSettings) -> Result<(), Rejected> {
        check_text("name", &s.name, false)?;
        if s.capacity.0 < 1 || s.capacity.0 > 100 {
            return Err(invalid("capacity"));
        }
        self.check_queues(&s.queues, 0, limits::QUEUES_PER_AGENT_MAX)
    }

    fn check_touchpoint(&self, s: &TouchpointSettings, own: Option<TouchpointId>) -> Result<(), Rejected> {
        check_text("address", &s.address, false)?;
        match &s.mode {
            RoutingMode::Simplified { queues } => {
                if matches!(s.channel, Channel::Voice | Channel::Chat) {
                    return Err(invalid("mode"));
                }
                self.check_queues(queues, 1, limits::QUEUES_PER_CONVERSATION_MAX)?;
            }
            RoutingMode::Dedicated { agent, accept, fallback } => {
                check_accept(*accept)?;
                if !self.people.contains_key(agent) {
                    return Err(invalid("mode.agent"));
                }
                if let Some((queue, span)) = fallback {
                    if !self.queues.contains_key(queue) {
                        return Err(invalid("mode.fallback"));
                    }
                    if *span > MONTH {
                        return Err(invalid("fallback"));
                    }
                }
            }
            RoutingMode::ToQueue(step) => {
                check_accept(step.accept)?;
                self.check_queues(&step.queues, 1, limits::QUEUES_PER_CONVERSATION_MAX)?;
            }
        }
        let taken = self
            .touchpoints
            .iter()
            .any(|(id, t)| Some(*id) != own && t.channel == s.channel && t.address == s.address);
        if taken { Err(Rejected::InUse { why: String::new() }) } else { Ok(()) }
    }

    pub fn update_domain(&mut self, settings: DomainSettings) -> Did {
        check_domain(&settings)?;
        self.settings = settings;
        for person in self.people.values_mut() {
            person.holds = None;
        }
        self.emit(EventKind::DomainChanged);
        Ok((DoneWhat::Ok, Subject::Domain(self.id)))
    }

    pub fn create_queue(&mut self, settings: QueueSettings) -> Did {
        check_queue(&settings)?;
        let id = QueueId::new(self.id, self.mint(Mint::Queue));
        self.queues.insert(
            id,
            Line {
                settings,
                paused: false,
                policies: Vec::new(),
                minutes: Vec::new(),
                hours: None,
                look: false,
                ring: 1,
            },
        );
        self.emit(EventKind::QueueCreated(id));
        Ok((DoneWhat::Queue(id), Subject::Queue(id)))
    }

    pub fn update_queue(&mut self, id: QueueId, settings: QueueSettings) -> Did {
        check_queue(&settings)?;
        if !self.queues.contains_key(&id) {
            return Err(unknown("queue", id));
        }
        self.queues.get_mut(&id).expect("known").settings = settings;
        self.emit(EventKind::QueueChanged(id));
        Ok((DoneWhat::Ok, Subject::Queue(id)))
    }

    pub fn pause_queue(&mut self, id: QueueId, paused: bool, by: By) -> Did {
        if let By::Agent(desk) = &by {
            self.check_desk(*desk)?;
        }
        if !matches!(by, By::Supervisor(_) | By::System) {
            self.queues.get(&id).ok_or_else(|| unknown("queue", id))?;
            return Err(not_allowed());
        }
        let line = self.queues.get_mut(&id).ok_or_else(|| unknown("queue", id))?;
        if line.paused != paused {
            line.paused = paused;
            self.emit(EventKind::QueuePaused { queue: id, paused, by });
            if paused {
                self.revoke_from_queue(id);
            }
        }
        Ok((DoneWhat::Ok, Subject::Queue(id)))
    }

    fn revoke_from_queue(&mut self, id: QueueId) {
        let mut live: Vec<_> = self
            .convs
            .values()
            .flat_map(|c| c.offers().filter(|o| o.queue == Some(id)).map(|o| (o.id, c.id)))
            .collect();
        live.sort();
        for (offer, conversation) in live {
            self.front(conversation, offer);
            self.fail_offer(conversation, OfferEnd::Revoked(Revoked::QueueGone), Requeued::Revoked);
        }
    }

    pub fn delete_queue(&mut self, id: QueueId) -> Did {
        if !self.queues.contains_key(&id) {
            return Err(unknown("queue", id));
        }
        let named = self.touchpoints.values().any(|t| match &t.mode {
            RoutingMode::Simplified { queues } => queues.contains(&id),
            RoutingMode::Dedicated { fallback, .. } => fallback.is_some_and(|(q, _)| q == id),
            RoutingMode::ToQueue(step) => step.queues.contains(&id),
        });
        if named || self.is_named_by_a_policy(id) {
            return Err(Rejected::InUse { why: String::new() });
        }
        // As at a pause, offers made from it end; conversations lose it; those that wait with none end.
        self.revoke_from_queue(id);
        let waits_there =
            |c: &&Conv| matches!(&c.stage, Stage::Waiting(Place::Queues(queues)) if queues.contains(&id));
        let left: Vec<_> = self.convs.values().filter(waits_there).map(|c| c.id).collect();
        for conversation in left {
            // It leaves a line of its place, which may be the one through which somebody holds for it.
            self.end_hold_for(conversation);
        }
        for c in self.convs.values_mut() {
            c.queues.retain(|q| *q != id);
            if let Stage::Waiting(Place::Queues(queues) | Place::Inbox(queues))
            | Stage::Offered(Place::Queues(queues) | Place::Inbox(queues)) = &mut c.stage
            {
                queues.retain(|q| *q != id);
            }
            if let Place::Queues(queues) | Place::Inbox(queues) = &mut c.home {
                queues.retain(|q| *q != id);
            }
            if let Some((queues, _)) = &mut c.goes_on {
                queues.retain(|q| *q != id);
            }
            if c.came_from == Some(id) {
                c.came_from = None;
            }
        }
        self.end_standing_under(id);
        self.queues.remove(&id);
        for person in self.people.values_mut() {
            person.settings.queues.retain(|q| *q != id);
        }
        let all: Vec<_> = self.convs.keys().copied().collect();
        for conversation in all {
            let nowhere = matches!(
                &self.convs[&conversation].stage,
                Stage::Waiting(Place::Queues(queues) | Place::Inbox(queues)) if queues.is_empty()
            );
            if nowhere {
                self.end(conversation, Ending::Expired, Revoked::QueueGone, String::new());
            }
        }
        self.emit(EventKind::QueueDeleted(id));
        Ok((DoneWhat::Ok, Subject::Queue(id)))
    }

    pub fn create_agent(&mut self, settings: AgentSettings) -> Did {
        self.check_agent(&settings)?;
        let id = AgentId::new(self.id, self.mint(Mint::Agent));
        self.people.insert(
            id,
            Person {
                id,
                settings,
                intent: Intent::Unavailable { reason: "new".to_owned() },
                intent_by: By::System,
                lease: Lease::None,
                epoch: Epoch(0),
                misses: 0,
                idle_since: self.now,
                last_offer: 0,
                holds: None,
                returns_at: None,
                skills: BTreeMap::new(),
                offered_at: Vec::new(),
                paced: None,
            },
        );
        self.emit(EventKind::AgentCreated(id));
        Ok((DoneWhat::Agent(id), Subject::Agent(id)))
    }

    pub fn update_agent(&mut self, id: AgentId, settings: AgentSettings) -> Did {
        self.check_agent(&settings)?;
        self.person(id)?;
        self.p(id).settings = settings.clone();
        self.emit(EventKind::AgentChanged(id));
        for (offer, conversation) in self.offers_to(id) {
            let c = &self.convs[&conversation];
            let queue = c.offer_to(id).expect("live").queue;
            let left = queue.is_some_and(|q| !settings.queues.contains(&q));
            if !c.is_connecting() && (left || !settings.channels.contains(c.channel)) {
                self.front(conversation, offer);
                self.fail_offer(conversation, OfferEnd::Revoked(Revoked::QueueGone), Requeued::Revoked);
            }
        }
        self.p(id).holds = None;
        Ok((DoneWhat::Ok, Subject::Agent(id)))
    }

    pub fn delete_agent(&mut self, id: AgentId) -> Did {
        self.person(id)?;
        let named = self
            .touchpoints
            .values()
            .any(|t| matches!(t.mode, RoutingMode::Dedicated { agent, .. } if agent == id));
        if named {
            return Err(Rejected::InUse { why: String::new() });
        }
        self.p(id).lease = Lease::None;
        for (offer, conversation) in self.offers_to(id) {
            self.front(conversation, offer);
            self.fail_offer(conversation, OfferEnd::Revoked(Revoked::Unavailable), Requeued::Revoked);
        }
        self.give_up_all(id, Requeued::OwnerGone);
        self.people.remove(&id);
        let dedicated: Vec<_> = self
            .convs
            .values()
            .filter(|c| c.stage == Stage::Waiting(Place::Dedicated(id)))
            .map(|c| c.id)
            .collect();
        for conversation in dedicated {
            self.leave_dedicated(conversation, Revoked::Unavailable);
        }
        self.miss_named(id);
        self.emit(EventKind::AgentDeleted(id));
        Ok((DoneWhat::Ok, Subject::Agent(id)))
    }

    pub fn create_touchpoint(&mut self, settings: TouchpointSettings) -> Did {
        self.check_touchpoint(&settings, None)?;
        let id = TouchpointId::new(self.id, self.mint(Mint::Touchpoint));
        self.touchpoints.insert(id, settings);
        self.emit(EventKind::TouchpointCreated(id));
        Ok((DoneWhat::Touchpoint(id), Subject::Touchpoint(id)))
    }

    pub fn update_touchpoint(&mut self, id: TouchpointId, settings: TouchpointSettings) -> Did {
        let checked = self.check_touchpoint(&settings, Some(id));
        if let Err(Rejected::Invalid { .. }) = checked {
            return Err(invalid("touchpoint"));
        }
        let old = self.touchpoints.get(&id).ok_or_else(|| unknown("touchpoint", id))?;
        if old.channel != settings.channel {
            return Err(invalid("channel"));
        }
        checked?;
        self.touchpoints.insert(id, settings);
        self.emit(EventKind::TouchpointChanged(id));
        Ok((DoneWhat::Ok, Subject::Touchpoint(id)))
    }

    pub fn delete_touchpoint(&mut self, id: TouchpointId) -> Did {
        if self.touchpoints.remove(&id).is_none() {
            return Err(unknown("touchpoint", id));
        }
        self.criteria.remove(&id);
        self.emit(EventKind::TouchpointDeleted(id));
        Ok((DoneWhat::Ok, Subject::Touchpoint(id)))
    }
}
