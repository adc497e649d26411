//! Why an agent was picked, and the level that brings it: "Rank and pick" of the rules.

use super::seeking::has_all;
use super::state::{Conv, Dom};
use routing::command::Intent;
use routing::event::Place;
use routing::picked::{Candidate, Order, Picked, Way};
use routing::settings::PickPolicy;
use routing::view::{Gate, Lease, Stage};
use routing::{AgentId, Command, LogTime, QueueId};
use std::cmp::Reverse;
use std::collections::BTreeSet;

/// Whether a command is of the level of picks.
pub fn is_of_picks(command: &Command) -> bool {
    let (Command::CreateQueue { settings } | Command::UpdateQueue { settings, .. }) = command else {
        return false;
    };
    settings.pick == PickPolicy::LeastFlexible
}

/// The same for the level of the most proficient.
pub fn is_of_proficiency(command: &Command) -> bool {
    let (Command::CreateQueue { settings } | Command::UpdateQueue { settings, .. }) = command else {
        return false;
    };
    settings.pick == PickPolicy::MostProficient
}

impl Dom {
    /// Why this agent, of those who are eligible, gets a conversation that waits.
    pub fn why(&self, c: &Conv, queue: Option<QueueId>, agent: AgentId, eligible: &[AgentId]) -> Picked {
        let mut picked = Picked::by(Way::Dedicated, c.priority, c.arrived_at);
        let Some(queue) = queue else {
            if let Stage::Waiting(Place::Dedicated(_)) = c.stage {
                return picked;
            }
            let named = &c.asks().expect("it names some").agents;
            let place = named.iter().position(|one| *one == agent).expect("it is named");
            picked.way = Way::Named(u8::try_from(place + 1).expect("a short list"));
            let before = named[..place].iter().filter(|one| self.people.contains_key(one));
            picked.passed_over = before.take(2).map(|one| (*one, self.gate(*one, c))).collect();
            let after = named[place + 1..].iter().filter(|one| eligible.contains(one));
            picked.next = after.take(2).map(|one| Candidate { agent: *one, order: None }).collect();
            return picked;
        };
        let policy = self.queues[&queue].settings.pick;
        let with_room = |one: &AgentId| {
            let p = &self.people[one];
            p.takes_offers()
                && p.paced.is_none()
                && p.holds.is_none()
                && c.offer_to(*one).is_none()
                && p.settings.queues.contains(&queue)
                && matches!(self.gate_of_room(*one, c), Gate::None)
        };
        let mut in_order: Vec<AgentId> = self.people.keys().copied().filter(with_room).collect();
        in_order.sort_by_key(|one| self.place(queue, *one));
        let passed = |part: &[AgentId]| part.iter().take(2).map(|one| (*one, self.gate(*one, c))).collect();
        let Some(at) = in_order.iter().position(|one| *one == agent) else {
            let (held, _) = self.people[&agent].holds.expect("else it stands in the order");
            picked.way = Way::Held(held);
            picked.passed_over = passed(&in_order);
            return picked;
        };
        let liking = self.liking(c, agent);
        if policy == PickPolicy::MostProficient && !self.wanted(c, liking).is_empty() {
            self.why_proficient(c, queue, agent, eligible, &in_order, &mut picked);
            return picked;
        }
        let order = |one: AgentId| {
            let (first, second, _) = self.place(queue, one);
            let small = |number: u64| u32::try_from(number).expect("small");
            Some(match policy {
                PickPolicy::LongestIdle => Order::IdleSince(LogTime(first)),
                PickPolicy::LeastLoaded => Order::Load(small(first), LogTime(second)),
                PickPolicy::RoundRobin => Order::LastOffer(first),
                PickPolicy::LeastFlexible => Order::Skills(small(first), LogTime(second)),
                PickPolicy::MostProficient => Order::Proficiency(0, LogTime(first)),
            })
        };
        picked.way = Way::Policy(policy);
        picked.order = order(agent);
        picked.preferred = u8::try_from(liking).expect("a short list");
        picked.passed_over = passed(&in_order[..at]);
        let could = |one: &&AgentId| eligible.contains(one) && self.liking(c, **one) >= liking;
        let next = in_order[at + 1..].iter().take(4).filter(could).take(2);
        picked.next = next.map(|one| Candidate { agent: *one, order: order(*one) }).collect();
        picked
    }

    /// The names of what a conversation requires, and of so many skills that it prefers.
    fn wanted(&self, c: &Conv, liking: usize) -> BTreeSet<String> {
        let Some(step) = c.asks() else { return BTreeSet::new() };
        step.required.iter().chain(&step.preferred[..liking]).map(|skill| skill.name.clone()).collect()
    }

    /// An agent's levels of these skills, in all, if it has them all.
    fn levels(&self, agent: AgentId, wanted: &BTreeSet<String>) -> Option<u32> {
        let skills = &self.people[&agent].skills;
        wanted.iter().map(|name| skills.get(name).map(|level| u32::from(*level))).sum()
    }

    /// What somebody is picked by where the most proficient go first: the larger, the sooner.
    pub fn proficiency(&self, c: &Conv, agent: AgentId) -> u32 {
        self.levels(agent, &self.wanted(c, self.liking(c, agent))).unwrap_or(0)
    }

    fn why_proficient(
        &self,
        c: &Conv,
        queue: QueueId,
        agent: AgentId,
        eligible: &[AgentId],
        with_room: &[AgentId],
        picked: &mut Picked,
    ) {
        let liking = self.liking(c, agent);
        let wanted = self.wanted(c, liking);
        let able = with_room.iter().filter_map(|one| Some((*one, self.levels(*one, &wanted)?)));
        let mut able: Vec<(AgentId, u32)> = able.collect();
        able.sort_by_key(|(one, levels)| (Reverse(*levels), self.place(queue, *one)));
        let at = able.iter().position(|(one, _)| *one == agent).expect("it has them");
        let order =
            |(one, levels): &(AgentId, u32)| Some(Order::Proficiency(*levels, self.people[one].idle_since));
        picked.way = Way::Policy(PickPolicy::MostProficient);
        picked.order = order(&able[at]);
        picked.preferred = u8::try_from(liking).expect("a short list");
        picked.passed_over = able[..at].iter().take(2).map(|(one, _)| (*one, self.gate(*one, c))).collect();
        let could = |(one, _): &&(AgentId, u32)| eligible.contains(one) && self.liking(c, *one) >= liking;
        let next = able[at + 1..].iter().filter(could).take(2);
        picked.next = next.map(|one| Candidate { agent: one.0, order: order(one) }).collect();
    }

    /// The first of the gates channel, cap, block and points that fails.
    fn gate_of_room(&self, agent: AgentId, c: &Conv) -> Gate {
        let settings = &self.people[&agent].settings;
        if !settings.channels.contains(c.channel) {
            return Gate::Channel;
        }
        if let Some(cap) = settings.caps[c.channel.index()]
            && self.by_channel(agent, c.channel) >= usize::from(cap)
        {
            return Gate::ChannelCap { cap };
        }
        if let Some(by) = self.what_blocks(agent, c.channel) {
            return Gate::Blocked { by };
        }
        let (free, needed) = (self.free(agent), u32::from(self.weight_now(c.channel).0));
        if free < needed { Gate::Capacity { free, needed } } else { Gate::None }
    }

    /// The first gate that fails for an agent that may be asked: one of the queue, or one that is named.
    fn gate(&self, agent: AgentId, c: &Conv) -> Gate {
        let person = &self.people[&agent];
        if person.lease != Lease::Live {
            return Gate::Lease;
        }
        if person.intent != Intent::Available {
            return Gate::Intent(person.intent.clone());
        }
        if let Some(until) = person.paced {
            return Gate::Paced { until };
        }
        let room = self.gate_of_room(agent, c);
        if room != Gate::None {
            return room;
        }
        let mut required = c.asks().map_or(Vec::new(), |step| step.required.clone());
        required.sort_by(|a, b| a.name.cmp(&b.name));
        if let Some(lacking) = required.iter().find(|one| !has_all(&person.skills, std::slice::from_ref(one)))
        {
            let has = person.skills.get(&lacking.name).copied().unwrap_or(0);
            return Gate::Skill { required: lacking.clone(), has };
        }
        if let Some(until) = c.excluded.get(&agent) {
            return Gate::ExcludedUntil(*until);
        }
        match person.holds {
            Some((held, _)) if self.rank(&self.convs[&held]) < self.rank(c) => Gate::HeldFor(held),
            _ => Gate::None,
        }
    }
}
