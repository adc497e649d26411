//! One file per command (or per pair that only differs in create and update).

mod abandon;
mod accept;
mod agents;
mod arrive;
mod assign;
mod callback;
#[cfg(test)]
mod callback_test;
mod channel_rules;
#[cfg(test)]
mod channel_rules_test;
pub(crate) mod checks;
mod close;
mod complete;
#[cfg(test)]
mod config_test;
mod connect;
mod consult;
#[cfg(test)]
mod consult_test;
mod criteria;
#[cfg(test)]
mod crossing_test;
mod delete_agent;
mod delete_queue;
mod end_contact;
mod extend_wrap_up;
mod handling;
#[cfg(test)]
mod handling_test;
mod hours;
#[cfg(test)]
mod hours_test;
mod idle;
#[cfg(test)]
mod lifecycle_test;
mod log_out;
mod pace;
#[cfg(test)]
mod pace_test;
mod pause_queue;
mod policy;
#[cfg(test)]
mod policy_test;
mod queues;
mod reject;
mod reprioritise;
mod request_callback;
mod ring;
#[cfg(test)]
mod ring_test;
mod schedule;
mod sessions;
mod set_presence;
mod settle;
mod skills;
mod start;
mod touchpoints;
mod transfer;
mod update_domain;
mod validate;
mod withdraw;

pub(crate) use checks::{About, Answer};

use crate::domain::{ConvNo, Cx, Domain};
use crate::event::Subject;
use crate::settings::DomainSettings;
use crate::{Command, ConversationId, OfferId, Rejected};

/// Refuses settings that a domain must not have.
pub(crate) fn check_domain(settings: &DomainSettings) -> Result<(), Rejected> {
    validate::domain(settings)
}

impl Domain {
    /// Carries out a command of this domain, but for making the domain itself.
    pub(crate) fn carry_out(&mut self, cx: &mut Cx<'_>, command: &Command) -> Result<Answer, Rejected> {
        if command.level() > cx.level {
            return Err(Rejected::Level { level: cx.level });
        }
        match command {
            Command::Tick | Command::Continue | Command::SetLevel { .. } => {
                checks::invalid("domain", "shard commands name domain 0")
            }
            Command::Move(_) => checks::invalid("domain", "a move is the shard's"),
            Command::CreateDomain { .. } => Err(Rejected::DomainExists),
            Command::UpdateDomain { settings } => update_domain::apply(self, cx, settings),
            Command::CreateQueue { settings } => queues::create(self, cx, settings),
            Command::UpdateQueue { queue, settings } => queues::update(self, cx, *queue, settings),
            Command::PauseQueue { queue, paused, by } => pause_queue::apply(self, cx, *queue, *paused, by),
            Command::DeleteQueue { queue } => delete_queue::apply(self, cx, *queue),
            Command::CreateAgent { settings } => agents::create(self, cx, settings),
            Command::UpdateAgent { agent, settings } => agents::update(self, cx, *agent, settings),
            Command::DeleteAgent { agent } => delete_agent::apply(self, cx, *agent),
            Command::CreateTouchpoint { settings } => touchpoints::create(self, cx, settings),
            Command::UpdateTouchpoint { touchpoint, settings } => {
                touchpoints::update(self, cx, *touchpoint, settings)
            }
            Command::DeleteTouchpoint { touchpoint } => touchpoints::delete(self, cx, *touchpoint),
            Command::OpenSession { agent } => sessions::open(self, cx, *agent),
            Command::CloseSession { desk } => sessions::close(self, cx, *desk),
            Command::LoseLease { desk } => sessions::lose(self, cx, *desk),
            Command::SetPresence { agent, intent, by } => set_presence::apply(self, cx, *agent, intent, by),
            Command::LogOut { agent, by } => log_out::apply(self, cx, *agent, by),
            Command::Start(arrival) => start::apply(self, cx, arrival, None),
            Command::Abandon { conversation } => abandon::apply(self, cx, *conversation),
            Command::Accept { desk, offer } => accept::apply(self, cx, *desk, *offer),
            Command::Reject { desk, offer, decline } => reject::apply(self, cx, *desk, *offer, decline),
            Command::Assign { desk, conversation } => assign::apply(self, cx, *desk, *conversation),
            Command::EndContact { conversation, by } => end_contact::apply(self, cx, *conversation, by),
            Command::Complete { desk, conversation, disposition, notes } => {
                complete::apply(self, cx, *desk, *conversation, disposition.as_deref(), notes)
            }
            Command::Transfer { conversation, target, fallback, by } => {
                transfer::apply(self, cx, *conversation, *target, *fallback, by, None)
            }
            Command::Close { conversation, reason, by } => close::apply(self, cx, *conversation, reason, by),
            Command::ForceClose { conversation, reason, by } => {
                close::force(self, cx, *conversation, reason, by)
            }
            Command::Reprioritise { conversation, priority, by } => {
                reprioritise::apply(self, cx, *conversation, *priority, by)
            }
            Command::Panic { message } => panic!("{message}"),
            Command::Arrive(incoming) => arrive::apply(self, cx, incoming),
            Command::Withdraw { crossing, recall } => withdraw::apply(self, cx, crossing, recall),
            Command::SetSkills { agent, skills, by } => skills::set(self, cx, *agent, skills, by),
            Command::SetCriteria { touchpoint, criteria, by } => {
                criteria::of_touchpoint(self, cx, *touchpoint, criteria, by)
            }
            Command::StartWith { arrival, criteria } => start::apply(self, cx, arrival, Some(criteria)),
            Command::ChangeCriteria { conversation, criteria, by } => {
                criteria::of_conversation(self, cx, *conversation, criteria, by)
            }
            Command::TransferAnew { conversation, target, fallback, criteria, by } => {
                transfer::apply(self, cx, *conversation, *target, *fallback, by, Some(criteria))
            }
            Command::SetPolicy { queue, policy, by } => policy::set(self, cx, *queue, policy, by),
            Command::SetChannelRules { rules, by } => channel_rules::set(self, cx, rules, by),
            Command::SetHandling { handling, by } => handling::set(self, cx, handling, by),
            Command::SetPace { pace, by } => pace::set(self, cx, *pace, by),
            Command::SetCallback { callback, by } => callback::set(self, cx, *callback, by),
            Command::RequestCallback { conversation, contact, not_before } => {
                request_callback::apply(self, cx, *conversation, contact, *not_before)
            }
            Command::CancelCallback { conversation } => request_callback::cancel(self, cx, *conversation),
            Command::Connected { desk, offer } => connect::made(self, cx, *desk, *offer),
            Command::ConnectFailed { desk, offer, reason } => {
                connect::failed(self, cx, *desk, *offer, reason)
            }
            Command::SetIdle { conversation, idle, by } => idle::set(self, cx, *conversation, *idle, by),
            Command::ExtendWrapUp { conversation, longer, by } => {
                extend_wrap_up::apply(self, cx, *conversation, *longer, by)
            }
            Command::SetSchedule { name, schedule, by } => {
                schedule::set(self, cx, name, schedule.as_ref(), by)
            }
            Command::SetHours { queue, hours, by } => hours::set(self, cx, *queue, hours.as_ref(), by),
            Command::SetRing { queue, agents, by } => ring::set(self, cx, *queue, *agents, by),
            Command::Consult { conversation, agent, lasts, by } => {
                consult::begin(self, cx, *conversation, *agent, *lasts, by)
            }
            Command::EndConsult { conversation, by } => consult::end(self, cx, *conversation, by),
            Command::CompleteConsult { conversation, by } => consult::complete(self, cx, *conversation, by),
            Command::Settle { conversation, number, recall, landing } => {
                settle::apply(self, cx, *conversation, *number, recall.as_ref(), landing)
            }
        }
    }

    /// The entity whose version a command's `expected_version` speaks of; `None` for what does not
    /// exist yet.
    pub(crate) fn subject_of(&self, command: &Command) -> Option<Subject> {
        match command {
            Command::CreateDomain { .. }
            | Command::UpdateDomain { .. }
            | Command::SetChannelRules { .. }
            | Command::SetHandling { .. }
            | Command::SetPace { .. }
            | Command::SetCallback { .. }
            | Command::SetSchedule { .. } => Some(Subject::Domain(self.id)),
            Command::UpdateQueue { queue, .. }
            | Command::PauseQueue { queue, .. }
            | Command::SetPolicy { queue, .. }
            | Command::SetHours { queue, .. }
            | Command::SetRing { queue, .. }
            | Command::DeleteQueue { queue } => Some(Subject::Queue(*queue)),
            Command::UpdateAgent { agent, .. }
            | Command::DeleteAgent { agent }
            | Command::OpenSession { agent }
            | Command::SetPresence { agent, .. }
            | Command::SetSkills { agent, .. }
            | Command::LogOut { agent, .. } => Some(Subject::Agent(*agent)),
            Command::CloseSession { desk } | Command::LoseLease { desk } => Some(Subject::Agent(desk.agent)),
            Command::UpdateTouchpoint { touchpoint, .. }
            | Command::SetCriteria { touchpoint, .. }
            | Command::DeleteTouchpoint { touchpoint } => Some(Subject::Touchpoint(*touchpoint)),
            Command::Abandon { conversation }
            | Command::RequestCallback { conversation, .. }
            | Command::CancelCallback { conversation }
            | Command::Assign { conversation, .. }
            | Command::EndContact { conversation, .. }
            | Command::Complete { conversation, .. }
            | Command::Transfer { conversation, .. }
            | Command::Close { conversation, .. }
            | Command::ForceClose { conversation, .. }
            | Command::Settle { conversation, .. }
            | Command::ChangeCriteria { conversation, .. }
            | Command::TransferAnew { conversation, .. }
            | Command::SetIdle { conversation, .. }
            | Command::ExtendWrapUp { conversation, .. }
            | Command::Consult { conversation, .. }
            | Command::EndConsult { conversation, .. }
            | Command::CompleteConsult { conversation, .. }
            | Command::Reprioritise { conversation, .. } => Some(Subject::Conversation(*conversation)),
            Command::Accept { offer, .. }
            | Command::Reject { offer, .. }
            | Command::Connected { offer, .. }
            | Command::ConnectFailed { offer, .. } => {
                let conversation = self.offered(*offer).map_or_else(
                    || ConversationId::new(crate::DomainId::SHARD, 0),
                    |conversation| conversation.id(self.id),
                );
                Some(Subject::Conversation(conversation))
            }
            _ => None,
        }
    }

    /// The conversation that an offer holds out.
    pub(crate) fn offered(&self, offer: OfferId) -> Option<ConvNo> {
        if offer.domain != self.id {
            return None;
        }
        self.index.0.offers.get(&offer.number).copied()
    }
}

/// The refusal of a conversation in the wrong state.
fn wrong_state<T>(domain: &Domain, no: ConvNo, needed: &str) -> Result<T, Rejected> {
    let state = if domain.conv(no).is_connecting() && domain.conv(no).owner().is_none() {
        "connecting"
    } else {
        domain.stage(no).name()
    };
    let state = state.to_owned();
    Err(Rejected::WrongState { state, needed: needed.to_owned() })
}
