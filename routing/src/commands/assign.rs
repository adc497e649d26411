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
        State::Ended(_) | State::Transferring => {
            return wrong_state(domain, no, "it must wait in an inbox");
        }
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
        agent.index.0.busy[channel.index()] += 1;
    });
    domain.conv_mut(no).from_queue = None;
    domain.assign(cx, no, agent, weight, How::Pull);
    answer
}

/// Refuses what a human asks for when the agent does not handle the channel, or has no room or works on what
/// blocks it and the domain allows no overdraft.
pub(super) fn check_room(domain: &Domain, agent: AgentNo, no: ConvNo) -> Result<(), Rejected> {
    let channel = domain.conv(no).channel;
    let agent = domain.agent(agent);
    if !agent.settings.channels.contains(channel) {
        return not_allowed("the agent does not handle the channel");
    }
    let weight = domain.weight(channel);
    let room = agent.free() >= weight.0 && !agent.cap_reached(channel);
    if domain.settings.overdraft {
        return Ok(());
    }
    if !room {
        return Err(Rejected::NoCapacity {
            load: agent.load,
            capacity: agent.capacity(),
            weight: u32::from(weight.0),
        });
    }
    if let Some(by) = domain.blocks().by(channel, agent.works_on()) {
        return Err(Rejected::Blocked { channel, by });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::command::{Desk, Intent};
    use crate::outcome::DoneWhat;
    use crate::scene::{Row, Scene, play};
    use crate::{Channel, Command, Points, Rejected};

    fn pull(desk: Desk, s: &Scene) -> Command {
        Command::Assign { desk, conversation: s.id }
    }

    fn by_a(s: &mut Scene) -> Command {
        pull(s.a, s)
    }

    fn by_b(s: &mut Scene) -> Command {
        pull(s.b, s)
    }

    /// The first desk has 10 points left, mail weighs 20.
    fn crowded(s: &mut Scene, overdraft: bool) {
        s.set(|settings| {
            settings.overdraft = overdraft;
            settings.weights[Channel::Email.index()] = Points(90);
        });
        s.pulled();
        s.in_inbox();
    }

    #[test]
    fn table() {
        let rows: &[Row] = &[
            ("first", Scene::in_inbox, by_a, "done assigned", "Assigned"),
            ("own already", Scene::pulled, by_a, "done assigned", ""),
            ("another was faster", Scene::pulled, by_b, "Taken assigned", ""),
            ("not in an inbox", Scene::waiting, by_a, "NotAllowed queued", ""),
            ("offered", Scene::offered, by_a, "NotAllowed offered", ""),
            ("own wrap-up", Scene::wrapping, by_a, "WrongState wrapping", ""),
            ("another's wrap-up", Scene::wrapping, by_b, "Taken wrapping", ""),
            ("ended", Scene::closed, by_a, "WrongState closed", ""),
            ("unknown", |_| (), by_a, "Unknown", ""),
            ("stale", Scene::in_inbox, |s| pull(s.stale(), s), "StaleEpoch in_inbox", ""),
            (
                "no lease",
                |s| {
                    s.in_inbox();
                    s.lose();
                },
                by_a,
                "NoLease in_inbox",
                "",
            ),
            (
                "no member",
                |s| {
                    s.in_inbox();
                    let plain = s.plain;
                    s.change(s.a.agent, |settings| settings.queues = vec![plain]);
                },
                by_a,
                "NotAllowed in_inbox",
                "",
            ),
            (
                "channel not handled",
                |s| {
                    s.in_inbox();
                    s.change(s.a.agent, |settings| {
                        settings.channels = [Channel::Voice].into_iter().collect()
                    });
                },
                by_a,
                "NotAllowed in_inbox",
                "",
            ),
            ("no room, no overdraft", |s| crowded(s, false), by_a, "NoCapacity in_inbox", ""),
            ("no room, overdraft", |s| crowded(s, true), by_a, "done assigned", "Assigned"),
            (
                "cap reached, no overdraft",
                |s| {
                    s.set(|settings| settings.overdraft = false);
                    s.change(s.a.agent, |settings| settings.caps[Channel::Email.index()] = Some(1));
                    s.pulled();
                    s.in_inbox();
                },
                by_a,
                "NoCapacity in_inbox",
                "",
            ),
            (
                "draining still pulls",
                |s| {
                    s.pulled();
                    s.world.presence(s.a, Intent::Draining { next: String::new() });
                    s.in_inbox();
                },
                by_a,
                "done assigned",
                "Assigned",
            ),
            (
                "waited too long",
                |s| {
                    s.in_inbox();
                    s.pass(24 * 3_600);
                },
                by_a,
                "WrongState closed",
                "Ended",
            ),
        ];
        play(rows);
    }

    #[test]
    fn the_slower_one_learns_who_has_it_and_overdraft_is_told() {
        let mut s = Scene::new();
        crowded(&mut s, true);
        let command = by_a(&mut s);
        let assigned = DoneWhat::Assigned { conversation: s.id, agent: s.a.agent };
        assert_eq!(s.world.ok(command.clone()).what, assigned);
        let kind = &s.world.effects.events[0].kind;
        assert!(matches!(kind, crate::EventKind::Assigned { overdraft: 80, .. }), "{kind:?}");
        let late = by_b(&mut s);
        assert_eq!(s.world.refused(late), Rejected::Taken { by: s.a.agent });
        assert_eq!(s.world.ok(command).what, assigned);
        assert_eq!(s.world.load(s.a), 180);
    }
}
