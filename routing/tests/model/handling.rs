//! How contacts are handled: "Handling" of the rules.

use super::Did;
use super::consult::{advises, consulting};
use super::state::{Conv, Dom, invalid, not_allowed, wrong_state};
use routing::command::{By, Desk};
use routing::event::{OfferEnd, Requeued, Subject};
use routing::handling::Handling;
use routing::outcome::DoneWhat;
use routing::view::Stage;
use routing::{AgentId, Channel, Command, ConversationId, EventKind, OfferId, Points, Rejected, Span};

/// Whether a command is unknown below the level of handling.
pub fn is_of_handling(command: &Command) -> bool {
    matches!(
        command,
        Command::SetHandling { .. }
            | Command::Connected { .. }
            | Command::ConnectFailed { .. }
            | Command::SetIdle { .. }
            | Command::ExtendWrapUp { .. }
    )
}

/// The refusal of what is being connected.
pub fn connecting() -> Rejected {
    Rejected::WrongState { state: "connecting".to_owned(), needed: String::new() }
}

impl Conv {
    pub fn is_connecting(&self) -> bool {
        self.offer.as_ref().is_some_and(|offer| offer.connecting)
    }

    /// Its owner is gone, or another one has it.
    pub fn nobody_handles_it(&mut self) {
        self.full = None;
        self.longer = Span::ZERO;
    }
}

impl Dom {
    pub fn set_handling(&mut self, handling: Handling, by: By) -> Did {
        if let By::Agent(desk) = &by {
            self.check_desk(*desk)?;
        }
        for channel in Channel::ALL {
            let within = handling.connect[channel.index()].map_or(1_000_000, |span| span.0);
            if !(1_000_000..=300_000_000).contains(&within) {
                return Err(invalid(&format!("handling.connect[{channel}]")));
            }
            if handling.idle[channel.index()].is_some_and(|points| points.0 > 100) {
                return Err(invalid(&format!("handling.idle[{channel}]")));
            }
        }
        if handling.extend_max.0 > 4 * 3_600_000_000 {
            return Err(invalid("handling.extend_max"));
        }
        if !matches!(by, By::Supervisor(_) | By::System) {
            return Err(not_allowed());
        }
        if self.handling != handling {
            self.handling = handling.clone();
            self.emit(EventKind::HandlingChanged { handling, by });
        }
        Ok((DoneWhat::Ok, Subject::Domain(self.id)))
    }

    /// Whether an agent is being connected with somebody.
    pub fn connects(&self, agent: AgentId) -> bool {
        self.convs.values().any(|c| c.offer.as_ref().is_some_and(|o| o.agent == agent && o.connecting))
    }

    /// The first step of an accept.
    pub fn connect(&mut self, id: ConversationId, within: Span) -> (DoneWhat, Subject) {
        let deadline = self.now + within;
        let c = self.c(id);
        let offer = c.offer.as_mut().expect("live");
        let queue = offer.queue.take();
        offer.connecting = true;
        offer.deadline = deadline;
        let advises = advises(offer);
        let (offer, agent) = (offer.id, offer.agent);
        c.goes_on = None;
        if c.stage.owner().is_none() {
            c.came_from = queue;
        }
        if advises {
            let owner = self.convs[&id].stage.owner().expect("whoever asks has it");
            self.emit(EventKind::Consulting { conversation: id, owner, offer, agent, deadline });
            return (DoneWhat::Consulting { conversation: id, agent, deadline }, Subject::Conversation(id));
        }
        self.emit(EventKind::Connecting { conversation: id, offer, agent, deadline });
        (DoneWhat::Connecting { conversation: id, agent, deadline }, Subject::Conversation(id))
    }

    pub fn connected(&mut self, desk: Desk, offer: OfferId) -> Did {
        let id = self.accepted(desk, offer)?;
        self.take(id, desk.agent, offer)
    }

    pub fn connect_failed(&mut self, desk: Desk, offer: OfferId, reason: String) -> Did {
        self.check_desk(desk)?;
        if reason.len() > 256 {
            return Err(invalid("reason"));
        }
        let id = self.accepted(desk, offer)?;
        if self.convs[&id].calling.is_some() {
            self.not_reached(id, reason);
        } else {
            self.miss_by(id, OfferEnd::NotConnected { reason }, Requeued::NotConnected);
        }
        Ok((DoneWhat::Ok, Subject::Conversation(id)))
    }

    fn accepted(&self, desk: Desk, offer: OfferId) -> Result<ConversationId, Rejected> {
        let id = self.live_offer(desk, offer)?;
        if self.convs[&id].is_consulting() {
            return Err(consulting());
        }
        if self.convs[&id].is_connecting() {
            return Ok(id);
        }
        Err(Rejected::WrongState { state: "offered".to_owned(), needed: String::new() })
    }

    pub fn set_idle(&mut self, id: ConversationId, idle: bool, by: By) -> Did {
        if let By::Agent(desk) = &by {
            self.check_desk(*desk)?;
        }
        let c = self.conv(id)?;
        let Stage::Assigned(owner) = c.stage else { return Err(wrong_state(c)) };
        let allowed = match &by {
            By::Agent(desk) => desk.agent == owner,
            By::Customer => !idle,
            By::Supervisor(_) | By::System => true,
        };
        if !allowed {
            return Err(not_allowed());
        }
        self.rest(id, owner, idle, by);
        Ok((DoneWhat::Ok, Subject::Conversation(id)))
    }

    /// An owned one waits on its customer from now on, or no longer does.
    pub fn rest(&mut self, id: ConversationId, agent: AgentId, idle: bool, by: By) {
        let rests = self.handling.idle;
        let c = self.c(id);
        match (idle, c.full) {
            (true, Some(_)) | (false, None) => return,
            (true, None) => {
                c.full = Some(c.weight);
                c.weight = Points(rests[c.channel.index()].map_or(c.weight.0, |idle| idle.0.min(c.weight.0)));
            }
            (false, Some(full)) => {
                c.full = None;
                c.weight = full;
            }
        }
        let weight = c.weight;
        let capacity = u32::from(self.people[&agent].settings.capacity.0);
        let overdraft = self.load(agent).saturating_sub(capacity);
        self.emit(EventKind::IdleChanged { conversation: id, agent, idle, weight, overdraft, by });
    }

    pub fn extend_wrap_up(&mut self, id: ConversationId, longer: Span, by: By) -> Did {
        if let By::Agent(desk) = &by {
            self.check_desk(*desk)?;
        }
        let c = self.conv(id)?;
        let Stage::Wrapping(agent) = c.stage else { return Err(wrong_state(c)) };
        if matches!(&by, By::Customer) || matches!(&by, By::Agent(desk) if desk.agent != agent) {
            return Err(not_allowed());
        }
        if longer.0 < 1_000_000 || c.longer.0 + longer.0 > self.handling.extend_max.0 {
            return Err(invalid("longer"));
        }
        let c = self.c(id);
        c.longer.0 += longer.0;
        let deadline = c.owner_deadline.expect("a wrap-up ends") + longer;
        c.owner_deadline = Some(deadline);
        self.emit(EventKind::WrapUpExtended { conversation: id, agent, deadline, by });
        Ok((DoneWhat::Ok, Subject::Conversation(id)))
    }
}
