//! What an event is about, and which desk it is for.

use super::{EventKind, Subject};
use crate::picked::{Offered, Picked};
use crate::{AgentId, DomainId};

impl EventKind {
    /// What the event is about: the entity whose version it carries.
    #[must_use]
    pub fn subject(&self, domain: DomainId) -> Subject {
        match self {
            Self::DomainCreated
            | Self::DomainChanged
            | Self::ChannelRulesChanged { .. }
            | Self::HandlingChanged { .. }
            | Self::PaceChanged { .. }
            | Self::CallbackChanged { .. }
            | Self::ScheduleChanged { .. }
            | Self::Quarantined { .. } => Subject::Domain(domain),
            Self::QueueCreated(queue)
            | Self::QueueChanged(queue)
            | Self::QueueDeleted(queue)
            | Self::PolicyChanged { queue, .. }
            | Self::HoursChanged { queue, .. }
            | Self::RingChanged { queue, .. }
            | Self::QueueHours { queue, .. }
            | Self::QueuePaused { queue, .. } => Subject::Queue(*queue),
            Self::AgentCreated(agent)
            | Self::AgentChanged(agent)
            | Self::AgentDeleted(agent)
            | Self::SessionOpened { agent, .. }
            | Self::LeaseLost { agent, .. }
            | Self::SkillsChanged { agent, .. }
            | Self::PresenceChanged { agent, .. } => Subject::Agent(*agent),
            Self::TouchpointCreated(touchpoint)
            | Self::TouchpointChanged(touchpoint)
            | Self::TouchpointCriteriaChanged { touchpoint, .. }
            | Self::TouchpointDeleted(touchpoint) => Subject::Touchpoint(*touchpoint),
            Self::Arrived { conversation, .. }
            | Self::Waiting { conversation, .. }
            | Self::OfferEnded { conversation, .. }
            | Self::Assigned { conversation, .. }
            | Self::Wrapping { conversation, .. }
            | Self::Released { conversation, .. }
            | Self::TransferStarted { conversation, .. }
            | Self::TransferFailed { conversation }
            | Self::Reprioritised { conversation, .. }
            | Self::ArrivedFrom { conversation, .. }
            | Self::Recalled { conversation, .. }
            | Self::TransferRefused { conversation, .. }
            | Self::CriteriaChanged { conversation, .. }
            | Self::Relaxed { conversation, .. }
            | Self::RuleApplied { conversation, .. }
            | Self::Connecting { conversation, .. }
            | Self::IdleChanged { conversation, .. }
            | Self::WrapUpExtended { conversation, .. }
            | Self::CallbackRequested { conversation, .. }
            | Self::CallbackTried { conversation, .. }
            | Self::Resumed { conversation, .. }
            | Self::ConsultStarted { conversation, .. }
            | Self::Consulting { conversation, .. }
            | Self::ConsultEnded { conversation, .. }
            | Self::Ended { conversation, .. } => Subject::Conversation(*conversation),
            Self::Offered(offered) | Self::OfferedBecause(offered, _) => {
                Subject::Conversation(offered.conversation)
            }
        }
    }

    /// The offer that was made, if it is one, and why its agent, if the event says so.
    #[must_use]
    pub fn offered(&self) -> Option<(&Offered, Option<&Picked>)> {
        match self {
            Self::Offered(offered) => Some((offered, None)),
            Self::OfferedBecause(offered, picked) => Some((offered, Some(picked))),
            _ => None,
        }
    }

    /// The agent whose desk is told, if any.
    #[must_use]
    pub fn desk(&self) -> Option<AgentId> {
        match self {
            Self::SessionOpened { agent, .. }
            | Self::LeaseLost { agent, .. }
            | Self::PresenceChanged { agent, .. }
            | Self::AgentChanged(agent)
            | Self::AgentDeleted(agent)
            | Self::OfferEnded { agent, .. }
            | Self::Assigned { agent, .. }
            | Self::Wrapping { agent, .. }
            | Self::Connecting { agent, .. }
            | Self::IdleChanged { agent, .. }
            | Self::WrapUpExtended { agent, .. }
            | Self::Released { agent, .. } => Some(*agent),
            Self::Offered(offered) | Self::OfferedBecause(offered, _) => Some(offered.agent),
            // The desk of the agent who was asked knows by its answer, and by the end of its offer.
            Self::Consulting { owner, .. } | Self::ConsultEnded { owner, .. } => Some(*owner),
            Self::Ended { agent, .. } => *agent,
            // Each by name, so that whoever adds an event says whether a desk is told.
            Self::DomainCreated
            | Self::DomainChanged
            | Self::Quarantined { .. }
            | Self::QueueCreated(_)
            | Self::QueueChanged(_)
            | Self::QueuePaused { .. }
            | Self::QueueDeleted(_)
            | Self::AgentCreated(_)
            | Self::TouchpointCreated(_)
            | Self::TouchpointChanged(_)
            | Self::TouchpointDeleted(_)
            | Self::Arrived { .. }
            | Self::Waiting { .. }
            | Self::TransferStarted { .. }
            | Self::TransferFailed { .. }
            | Self::Reprioritised { .. }
            | Self::ArrivedFrom { .. }
            | Self::Recalled { .. }
            | Self::TransferRefused { .. }
            | Self::SkillsChanged { .. }
            | Self::TouchpointCriteriaChanged { .. }
            | Self::CriteriaChanged { .. }
            | Self::Relaxed { .. }
            | Self::PolicyChanged { .. }
            | Self::RuleApplied { .. }
            | Self::ChannelRulesChanged { .. }
            | Self::HandlingChanged { .. }
            | Self::PaceChanged { .. }
            | Self::ScheduleChanged { .. }
            | Self::HoursChanged { .. }
            | Self::CallbackChanged { .. }
            | Self::CallbackRequested { .. }
            | Self::CallbackTried { .. }
            | Self::Resumed { .. }
            | Self::ConsultStarted { .. }
            | Self::QueueHours { .. }
            | Self::RingChanged { .. } => None,
        }
    }
}
