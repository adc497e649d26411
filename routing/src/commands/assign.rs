//! `Assign`: the agent pulls a conversation from the inbox. First wins.

use super::checks::{Answered, done, not_allowed};
use super::wrong_state;
use crate::command::Desk;
use crate::domain::{AgentNo, ConvNo, Cx, Domain, PlaceKind, State};
use crate::event::{How, Subject};
use crate::outcome::DoneWhat;
use crate::{ConversationId, Rejected};

pub(super) fn apply(domain: &mut Domain, cx: &mut Cx<'_>, desk: Desk, id: ConversationId) -> Answered {
    let agent = domain.desk(desk)?;
    let no = domain.named_conversation(id)?;
    let answer = done(DoneWhat::Assigned { conversation: id, agent: desk.agent }, Subject::Conversation(id));
    let conversation = domain.conv(no);
    match conversation.state {
        State::Ended(_) => return wrong_state(domain, no, "it must wait in an inbox"),
        State::Assigned(owner) if owner == agent => return answer,
        State::Wrapping(owner) if owner == agent => {
            return wrong_state(domain, no, "it must wait in an inbox");
        }
        State::Assigned(owner) | State::Wrapping(owner) => {
            return Err(Rejected::Taken { by: owner.id(domain.id) });
        }
        State::Offered => return not_allowed("it is not in an inbox of this agent"),
        State::Waiting => {}
    }
    let puller = domain.agent(agent);
    let member = conversation.queues.iter().any(|queue| puller.index.0.queues.contains(queue));
    if conversation.place != PlaceKind::Inbox || !member {
        return not_allowed("it is not in an inbox of this agent");
    }
    check_room(domain, agent, no)?;
    let (channel, weight) = (conversation.channel, domain.weight(conversation.channel));
    domain.leave_lines(no);
    domain.change_load(agent, |agent| {
        agent.load += u32::from(weight.0);
        agent.index.0.counts[channel.index()] += 1;
    });
    domain.conv_mut(no).from_queue = None;
    domain.assign(cx, no, agent, weight, How::Pull);
    answer
}

/// Refuses what a human asks for when the agent does not handle the channel or has no room and
/// the domain allows no overdraft.
pub(super) fn check_room(domain: &Domain, agent: AgentNo, no: ConvNo) -> Result<(), Rejected> {
    let channel = domain.conv(no).channel;
    let agent = domain.agent(agent);
    if !agent.settings.channels.contains(channel) {
        return not_allowed("the agent does not handle the channel");
    }
    let weight = domain.weight(channel);
    let room = agent.free() >= weight.0 && !agent.cap_reached(channel);
    if !room && !domain.settings.overdraft {
        return Err(Rejected::NoCapacity {
            load: agent.load,
            capacity: agent.capacity(),
            weight: u32::from(weight.0),
        });
    }
    Ok(())
}
