//! Why the agent that was found is the one: looked up once an offer is made, and kept with its event.

use super::pick::{Found, How, Search};
use super::proficient::Standing;
use crate::AgentId;
use crate::domain::keys::PickKey;
use crate::domain::skills::Level;
use crate::domain::{ConvNo, Cx, Domain};
use crate::picked::{Candidate, Order, Picked, Way};
use crate::view::Gate;
use std::ops::ControlFlow;

/// Where somebody stands, as it is shown.
fn levels(standing: Standing) -> Order {
    Order::Proficiency(standing.total.0, standing.place.idle_since())
}

impl Domain {
    /// Why a waiting conversation is offered to the agent that was found for it.
    pub(super) fn why(&self, cx: &mut Cx<'_>, no: ConvNo, found: &Found) -> Box<Picked> {
        let conversation = self.conv(no);
        let mut picked = Picked::by(Way::Dedicated, conversation.priority, conversation.arrived_at);
        match found.how {
            How::Dedicated => {}
            How::Named(place) => self.why_named(&mut picked, no, place),
            How::Ready { queue, key, preferred, first } => {
                let queue = self.queue(queue);
                let policy = queue.settings.pick;
                picked.way = Way::Policy(policy);
                picked.order = Some(key.order(policy));
                picked.preferred = u8::try_from(preferred).unwrap_or(u8::MAX);
                let mut search = Search::new(self, queue, conversation);
                let liked = conversation.asked().map_or(&[][..], |asked| &asked.preferred[..preferred]);
                let wanted = [conversation.required(), liked];
                if !first {
                    picked.passed_over = self.passed_over(&mut search, no, Some(key));
                }
                picked.next = self.next_after(&mut search, key, &wanted);
                cx.effects.visited += search.visited;
            }
            How::Proficient { queue, standing, preferred } => {
                let queue = self.queue(queue);
                picked.way = Way::Policy(queue.settings.pick);
                picked.order = Some(levels(standing));
                picked.preferred = u8::try_from(preferred).unwrap_or(u8::MAX);
                let mut search = Search::new(self, queue, conversation);
                let liked = conversation.asked().map_or(&[][..], |asked| &asked.preferred[..preferred]);
                let met = search.proficient(&[conversation.required(), liked], 1 + Picked::SHOWN_MAX);
                let before = met.could_not.iter().take_while(|other| **other < standing);
                let before = before.filter(|other| conversation.offer_to(other.place.agent).is_none());
                picked.passed_over = before
                    .map(|other| self.agent(other.place.agent))
                    .map(|agent| (agent.no.id(self.id), self.first_gate(agent, no)))
                    .take(Picked::SHOWN_MAX)
                    .collect();
                let after = met.could.iter().filter(|other| **other > standing);
                picked.next = after
                    .map(|other| Candidate {
                        agent: other.place.agent.id(self.id),
                        order: Some(levels(*other)),
                    })
                    .take(Picked::SHOWN_MAX)
                    .collect();
                cx.effects.visited += search.visited;
            }
            How::Holding { queue } => {
                let held = self.agent(found.agent).hold.map_or(no, |(held, _)| held);
                picked.way = Way::Held(held.id(self.id));
                let mut search = Search::new(self, self.queue(queue), conversation);
                picked.passed_over = self.passed_over(&mut search, no, None);
                cx.effects.visited += search.visited;
            }
        }
        Box::new(picked)
    }

    fn why_named(&self, picked: &mut Picked, no: ConvNo, place: usize) {
        let conversation = self.conv(no);
        let named = conversation.named();
        picked.way = Way::Named(u8::try_from(place + 1).unwrap_or(u8::MAX));
        picked.passed_over = named[..place]
            .iter()
            .filter_map(|agent| Some((*agent, self.agents.get(agent.0)?)))
            .map(|(no_, agent)| (no_.id(self.id), self.first_gate(agent, no)))
            .take(Picked::SHOWN_MAX)
            .collect();
        let key = self.rank_key(no);
        picked.next = named[place + 1..]
            .iter()
            .filter(|agent| self.takes(**agent, conversation, key))
            .map(|agent| Candidate { agent: agent.id(self.id), order: None })
            .take(Picked::SHOWN_MAX)
            .collect();
    }

    /// Those in a queue's order with room for the conversation, before a place of it, or from all of it.
    fn passed_over(
        &self,
        search: &mut Search<'_>,
        no: ConvNo,
        upto: Option<PickKey>,
    ) -> Vec<(AgentId, Gate)> {
        let room = search.room();
        let mut passed = Vec::new();
        search.queue.index.0.ready.walk(None, &room, &mut search.visited, &mut |key| {
            if upto.is_some_and(|upto| key >= upto) {
                return ControlFlow::Break(());
            }
            // Who has an offer of it already was not passed over.
            if self.conv(no).offer_to(key.agent).is_none() {
                passed.push((key.agent.id(self.id), self.first_gate(self.agent(key.agent), no)));
            }
            if passed.len() < Picked::SHOWN_MAX { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        });
        passed
    }

    /// Of those with room after a place of a queue's order, who could have had it as well.
    fn next_after(&self, search: &mut Search<'_>, key: PickKey, wanted: &[&[Level]]) -> Vec<Candidate> {
        let room = search.room();
        let policy = search.queue.settings.pick;
        let mut next = Vec::new();
        let (mut looks, mut visited) = (0, 0);
        search.queue.index.0.ready.walk(Some(&key), &room, &mut visited, &mut |key| {
            looks += 1;
            if search.may(key.agent, wanted) {
                next.push(Candidate { agent: key.agent.id(self.id), order: Some(key.order(policy)) });
            }
            let enough = next.len() == Picked::SHOWN_MAX || looks == Picked::LOOKS_MAX;
            if enough { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        search.visited += visited;
        next
    }
}
