//! From the core's events to the checker's, for runs without a cluster.

use super::model::{
    Action, ChannelRule, Event, Kind, MISSED, OfferEnd, Place, Policy, Rule, Skills, Step, Why,
};
use routing::blocks;
use routing::command;
use routing::event::{self, EventKind, How, Revoked, Subject};
use routing::hours::HoursState;
use routing::picked::{Offered, Way};
use routing::policy;

fn subject(subject: Subject) -> String {
    match subject {
        Subject::Domain(id) => id.to_string(),
        Subject::Queue(id) => id.to_string(),
        Subject::Agent(id) => id.to_string(),
        Subject::Touchpoint(id) => id.to_string(),
        Subject::Conversation(id) => id.to_string(),
    }
}

fn place(place: &event::Place) -> Place {
    match place {
        event::Place::Queues(queues) => Place::Queues(queues.clone()),
        event::Place::Inbox(queues) => Place::Inbox(queues.clone()),
        event::Place::Dedicated(agent) => Place::Dedicated(*agent),
    }
}

fn skills(skills: &[routing::criteria::Skill]) -> Skills {
    skills.iter().map(|skill| (skill.name.clone(), skill.level)).collect()
}

fn action(action: &policy::Action) -> Action {
    match action {
        policy::Action::Prioritise(priority) => Action::Prioritise(priority.0),
        policy::Action::AddQueue(queue) => Action::AddQueue(*queue),
        policy::Action::MoveTo(queue) => Action::MoveTo(*queue),
        policy::Action::ToInbox => Action::ToInbox,
        policy::Action::SendTo(touchpoint) => Action::SendTo(*touchpoint),
        policy::Action::Close { reason } => Action::Close(reason.clone()),
        policy::Action::CallBack => Action::CallBack,
    }
}

fn offered(made: &Offered, consult: bool) -> Kind {
    Kind::Offered {
        conversation: made.conversation,
        offer: made.offer,
        agent: made.agent,
        weight: u32::from(made.weight.0),
        deadline_us: made.deadline.0,
        consult,
    }
}

fn offer_end(end: &event::OfferEnd) -> OfferEnd {
    match end {
        event::OfferEnd::Accepted => OfferEnd::Accepted,
        event::OfferEnd::Rejected { .. } => OfferEnd::Rejected,
        event::OfferEnd::TimedOut => OfferEnd::TimedOut,
        event::OfferEnd::Revoked(_) => OfferEnd::Revoked,
        event::OfferEnd::NotConnected { .. } => OfferEnd::NotConnected,
        event::OfferEnd::ConsultOver { .. } => OfferEnd::ConsultOver,
    }
}

impl From<&routing::Event> for Event {
    fn from(event: &routing::Event) -> Self {
        Event {
            sequence: event.sequence.0,
            entry: (event.position.index, event.position.ordinal),
            at_us: event.at.0,
            subject: subject(event.kind.subject(event.domain)),
            version: event.version.0,
            kind: kind(&event.kind),
        }
    }
}

fn kind(kind: &EventKind) -> Kind {
    match kind {
        EventKind::SessionOpened { agent, epoch } => Kind::SessionOpened { agent: *agent, epoch: epoch.0 },
        EventKind::LeaseLost { agent, .. } => Kind::LeaseLost { agent: *agent },
        EventKind::PresenceChanged { agent, intent, by } => {
            let why = match (by, intent) {
                (command::By::System, command::Intent::Unavailable { reason }) if reason == MISSED => {
                    Why::Missed
                }
                (command::By::System, _) => Why::Itself,
                _ => Why::Asked,
            };
            Kind::Presence { agent: *agent, available: *intent == command::Intent::Available, why }
        }
        EventKind::AgentChanged(agent) => Kind::AgentChanged(*agent),
        EventKind::AgentDeleted(agent) => Kind::AgentDeleted(*agent),
        EventKind::QueuePaused { queue, paused, .. } => Kind::QueuePaused { queue: *queue, paused: *paused },
        EventKind::QueueHours { queue, state, .. } => Kind::QueueHours {
            queue: *queue,
            open: *state == HoursState::Open,
            closed: *state == HoursState::Closed,
        },
        EventKind::RingChanged { queue, agents, .. } => {
            Kind::RingChanged { queue: *queue, agents: (*agents).into() }
        }
        EventKind::QueueDeleted(queue) => Kind::QueueDeleted(*queue),
        EventKind::DomainChanged => Kind::DomainChanged,
        EventKind::Quarantined { .. } => Kind::Quarantined,
        EventKind::Arrived { conversation, channel, priority, reference, .. } => Kind::Arrived {
            conversation: *conversation,
            channel: *channel,
            priority: priority.0,
            reference: reference.clone(),
            from: None,
        },
        EventKind::ArrivedFrom { conversation, from, channel, priority, reference, age, .. } => {
            Kind::Arrived {
                conversation: *conversation,
                channel: *channel,
                priority: priority.0,
                reference: reference.clone(),
                from: Some((*from, age.0)),
            }
        }
        EventKind::Recalled { conversation, .. } => Kind::Recalled { conversation: *conversation },
        EventKind::TransferStarted {
            conversation, target: command::TransferTarget::Touchpoint(_), ..
        } => Kind::Departed { conversation: *conversation },
        EventKind::Waiting { conversation, place: at, cause } => {
            let owner_lost = *cause == Some(event::Requeued::LeaseLost);
            let overflow = *cause == Some(event::Requeued::Overflow);
            Kind::Waiting {
                conversation: *conversation,
                place: place(at),
                again: cause.is_some(),
                owner_lost,
                overflow,
            }
        }
        EventKind::Offered(made) => offered(made, false),
        EventKind::OfferedBecause(made, picked) => offered(made, picked.way == Way::Consult),
        EventKind::OfferEnded { conversation, offer, end, .. } => {
            Kind::OfferEnded { conversation: *conversation, offer: *offer, end: offer_end(end) }
        }
        EventKind::Assigned { conversation, agent, how, weight, overdraft } => Kind::Assigned {
            conversation: *conversation,
            agent: *agent,
            offer: match how {
                How::Offer(offer) => Some(*offer),
                How::Pull => None,
            },
            weight: u32::from(weight.0),
            overdraft: *overdraft,
        },
        EventKind::Wrapping { conversation, .. } => Kind::Wrapping { conversation: *conversation },
        EventKind::Released { conversation, agent } => {
            Kind::Released { conversation: *conversation, agent: *agent }
        }
        EventKind::TransferStarted { conversation, target, .. } => Kind::TransferStarted {
            conversation: *conversation,
            agent: match target {
                command::TransferTarget::Agent(agent) => Some(*agent),
                _ => None,
            },
        },
        EventKind::TransferFailed { conversation } => Kind::TransferFailed { conversation: *conversation },
        EventKind::Reprioritised { conversation, priority, by } => Kind::Reprioritised {
            conversation: *conversation,
            priority: priority.0,
            by_rule: *by == command::By::System,
        },
        EventKind::SkillsChanged { agent, skills: now, .. } => {
            Kind::SkillsChanged { agent: *agent, skills: skills(now) }
        }
        EventKind::CriteriaChanged { conversation, criteria, .. } => {
            let steps = criteria.steps.iter().map(|step| Step {
                agents: step.agents.clone(),
                required: skills(&step.required),
                widen: step.widen.clone(),
            });
            Kind::CriteriaChanged { conversation: *conversation, steps: steps.collect() }
        }
        EventKind::Relaxed { conversation, step, queues, .. } => {
            Kind::Relaxed { conversation: *conversation, step: *step, queues: queues.clone() }
        }
        EventKind::PolicyChanged { queue, number, policy, .. } => {
            let rule = |rule: &policy::Rule| Rule { after_us: rule.after.0, then: action(&rule.then) };
            let rules = policy.rules.iter().map(rule).collect();
            let policy = Policy { rules, measured: policy.target.is_some() };
            Kind::PolicyChanged { queue: *queue, number: *number, policy }
        }
        EventKind::RuleApplied { conversation, queue, number, rule, action: done } => Kind::RuleApplied {
            conversation: *conversation,
            queue: *queue,
            number: *number,
            rule: *rule,
            action: action(done),
        },
        EventKind::Ended { conversation, ending, .. } => Kind::Ended {
            conversation: *conversation,
            abandoned: *ending == event::Ending::Abandoned,
            owner_lost: *ending == event::Ending::OwnerLost,
        },
        EventKind::HandlingChanged { .. } => Kind::HandlingChanged,
        EventKind::PaceChanged { pace, .. } => {
            Kind::PaceChanged { pace: pace.map(|pace| (pace.offers.into(), pace.per.0)) }
        }
        EventKind::Connecting { conversation, offer, agent, deadline } => Kind::Connecting {
            conversation: *conversation,
            offer: *offer,
            agent: *agent,
            deadline_us: deadline.0,
        },
        EventKind::ConsultStarted { conversation, agent, .. } => {
            Kind::ConsultStarted { conversation: *conversation, agent: *agent }
        }
        EventKind::Consulting { conversation, owner, offer, agent, deadline } => Kind::Consulting {
            conversation: *conversation,
            owner: *owner,
            offer: *offer,
            agent: *agent,
            deadline_us: deadline.0,
        },
        EventKind::ConsultEnded { conversation, owner, agent, end } => Kind::ConsultEnded {
            conversation: *conversation,
            owner: *owner,
            agent: *agent,
            end: offer_end(end),
            leaves: *end == event::OfferEnd::Revoked(Revoked::Transferred),
        },
        EventKind::IdleChanged { conversation, agent, weight, overdraft, .. } => Kind::IdleChanged {
            conversation: *conversation,
            agent: *agent,
            weight: u32::from(weight.0),
            overdraft: *overdraft,
        },
        EventKind::WrapUpExtended { conversation, .. } => {
            Kind::WrapUpExtended { conversation: *conversation }
        }
        EventKind::CallbackChanged { .. } => Kind::CallbackChanged,
        EventKind::CallbackRequested { conversation, not_before, .. } => {
            Kind::CallbackRequested { conversation: *conversation, not_before_us: not_before.map(|at| at.0) }
        }
        EventKind::CallbackTried { conversation, attempts, not_before } => Kind::CallbackTried {
            conversation: *conversation,
            attempts: u64::from(*attempts),
            not_before_us: not_before.map(|at| at.0),
        },
        EventKind::Resumed { conversation, from, arrived_at } => {
            Kind::Resumed { conversation: *conversation, from: *from, arrived_at_us: arrived_at.0 }
        }
        EventKind::ChannelRulesChanged { rules, .. } => {
            let rule = |rule: &blocks::ChannelRule| ChannelRule {
                blocks: rule.effect == blocks::Effect::Block,
                channels: rule.channels.iter().collect(),
                during: rule.during.iter().collect(),
            };
            Kind::ChannelRulesChanged { rules: rules.iter().map(rule).collect() }
        }
        other => {
            Kind::Other(format!("{other:?}").split([' ', '(', '{']).next().unwrap_or_default().to_owned())
        }
    }
}
