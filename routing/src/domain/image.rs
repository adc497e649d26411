//! A domain as it is stored and compared: entities in the order of their numbers, nothing derived.

use super::blocks::Blocks;
use super::crossings::Crossings;
use super::keys::Line;
use super::{
    Agent, AgentNo, Answers, ConvNo, Conversation, Counters, Derived, Domain, DomainIndex, Queue, State,
    Table, Touchpoint,
};
use crate::deadlines::Due;
use crate::handling::Handling;
use crate::matching::Dirty;
use crate::settings::DomainSettings;
use crate::shard::PlantedBug;
use crate::{AccountId, DomainId, LogTime, Points, Sequence, Version};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::sync::Arc;

#[derive(Serialize)]
#[serde(rename = "Domain")]
struct ImageRef<'a> {
    id: DomainId,
    account: AccountId,
    version: Version,
    settings: &'a DomainSettings,
    sequence: Sequence,
    quarantined: &'a Option<String>,
    counters: Counters,
    queues: &'a Table<Queue>,
    agents: &'a Table<Agent>,
    touchpoints: &'a Table<Touchpoint>,
    conversations: Vec<&'a Conversation>,
    requests: &'a Answers,
    crossings: &'a Crossings,
    dirty: &'a Dirty,
}

#[derive(Deserialize)]
#[serde(rename = "Domain")]
struct Image {
    id: DomainId,
    account: AccountId,
    version: Version,
    settings: DomainSettings,
    sequence: Sequence,
    quarantined: Option<String>,
    counters: Counters,
    queues: Table<Queue>,
    agents: Table<Agent>,
    touchpoints: Table<Touchpoint>,
    conversations: Vec<Conversation>,
    requests: Answers,
    crossings: Crossings,
    dirty: Dirty,
}

impl Serialize for Domain {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let none = Answers::default();
        // Only snapshots are not for people: what is hashed for comparison is as it is.
        let dropped = !serializer.is_human_readable() && self.planted(PlantedBug::SnapshotWithoutRequests);
        ImageRef {
            id: self.id,
            account: self.account,
            version: self.version,
            settings: &self.settings,
            sequence: self.sequence,
            quarantined: &self.quarantined,
            counters: self.counters,
            queues: &self.queues,
            agents: &self.agents,
            touchpoints: &self.touchpoints,
            conversations: self.conversations.values().collect(),
            requests: if dropped { &none } else { &self.requests },
            crossings: &self.crossings,
            dirty: &self.dirty,
        }
        .serialize(serializer)
    }
}

impl Domain {
    /// Reads the stored part: nothing is indexed.
    pub(super) fn bare<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let image = Image::deserialize(deserializer)?;
        let conversations = image.conversations.into_iter();
        let conversations = conversations.map(|conversation| (conversation.no, conversation)).collect();
        Ok(Domain {
            id: image.id,
            account: image.account,
            version: image.version,
            index: Derived(DomainIndex::new(&image.settings)),
            settings: image.settings,
            sequence: image.sequence,
            quarantined: image.quarantined,
            counters: image.counters,
            skills: Vec::new(),
            queues: image.queues,
            agents: image.agents,
            touchpoints: image.touchpoints,
            conversations,
            requests: image.requests,
            crossings: image.crossings,
            dirty: image.dirty,
            channel_rules: Arc::default(),
            handling: Handling::default(),
            pace: None,
            schedules: Arc::default(),
            looked_ms: 0,
            callback: None,
        })
    }

    /// Makes all indexes from the stored part.
    pub(super) fn rebuild(&mut self) {
        self.index.0.blocks = Blocks::new(&self.channel_rules);
        self.index_skills();
        self.index_hours();
        let conversations: Vec<ConvNo> = self.conversations.keys().collect();
        for no in &conversations {
            if !self.conv(*no).is_terminal() {
                self.count_classes(*no, true);
            }
        }
        for no in conversations {
            self.index_conversation(no);
        }
        let agents: Vec<AgentNo> = self.agents.iter().map(|agent| agent.no).collect();
        for no in agents {
            self.join_queues(no);
            let agent = self.agent(no);
            let (hold, miss_return, paced_until) = (agent.hold, agent.miss_return, agent.paced_until());
            if let Some((_, until)) = hold {
                self.index.0.holders.insert(no);
                self.index.0.deadlines.add(until, Due::Hold(no));
            }
            if let Some(at) = miss_return {
                self.index.0.deadlines.add(at, Due::MissReturn(no));
            }
            if let Some(until) = paced_until {
                self.index.0.deadlines.add(until, Due::Pace(no));
            }
            self.refresh(no);
        }
        let queues: Vec<super::QueueNo> = self.queues.iter().map(|queue| queue.no).collect();
        for no in queues {
            self.follow_hours(no);
        }
    }

    fn index_conversation(&mut self, no: ConvNo) {
        let conversation = &self.conversations[&no];
        let wrapping = matches!(conversation.state, State::Wrapping(_));
        let index = &mut self.index.0;
        if !conversation.is_terminal() {
            index.live += 1;
        }
        let dues = [
            (conversation.waive_at, Due::Waive(no)),
            (conversation.work_deadline, if wrapping { Due::WrapUp(no) } else { Due::Assigned(no) }),
            (conversation.grace_deadline, Due::Grace(no)),
            (conversation.fallback_deadline, Due::Fallback(no)),
            (conversation.seeking.as_ref().and_then(|seeking| seeking.until), Due::Step(no)),
            (conversation.standing.as_ref().and_then(|stand| stand.due), Due::Rule(no)),
            (conversation.wait_deadline, Due::Wait(no)),
            (conversation.rests_until(), Due::Rested(no)),
            (conversation.calling.as_ref().and_then(|calling| calling.due), Due::Callback(no)),
            (conversation.forget_at, Due::Forget(no)),
            (conversation.departure.as_ref().and_then(|departure| departure.deadline), Due::Recall(no)),
        ];
        for (at, due) in dues {
            if let Some(at) = at {
                index.deadlines.add(at, due);
            }
        }
        if conversation.rests_until().is_some() {
            index.resting.insert(no);
        }
        for (agent, until) in &conversation.excluded {
            index.deadlines.add(*until, Due::Exclusion(no, *agent));
        }
        if let Some(stand) = conversation.standing.as_deref()
            && let Some(queue) = self.queues.get_mut(stand.queue.0)
        {
            *queue.index.0.standing.entry(stand.number).or_default() += 1;
        }
        let (channel, held) = (conversation.channel.index(), conversation.weight);
        let (owner, waits) = (conversation.owner(), conversation.state == State::Waiting);
        for offer in conversation.offers() {
            index.offers.insert(offer.number, no);
            index.deadlines.add(offer.deadline, Due::Offer(no));
            if let Some(queue) = offer.queue.and_then(|queue| self.queues.get_mut(queue.0)) {
                queue.index.0.offers.insert(offer.number, no);
                if queue.paused {
                    index.deadlines.add(LogTime(0), Due::Revoke(queue.no));
                }
            }
            if let Some(agent) = self.agents.get_mut(offer.agent.0) {
                agent.index.0.counts[channel] += 1;
                agent.index.0.busy[channel] += 1;
            }
        }
        if let Some(agent) = owner.and_then(|owner| self.agents.get_mut(owner.0)) {
            agent.index.0.counts[channel] += 1;
            agent.index.0.busy[channel] += u16::from(held > Points(0));
        }
        if waits {
            self.enter_lines(no);
        }
    }

    /// Changes the ranking and makes all lines anew. Nobody holds points meanwhile. Who can take
    /// what is as before, so matching has nothing to look at.
    pub(crate) fn rerank(&mut self, change: impl FnOnce(&mut Self)) {
        let waiting = self.conversations.values().filter(|conversation| conversation.state == State::Waiting);
        let waiting: Vec<ConvNo> = waiting.map(|conversation| conversation.no).collect();
        for queue in self.queues.iter_mut() {
            let index = &mut queue.index.0;
            index.lines = Default::default();
            index.inbox = Line::default();
            index.channels = 0;
        }
        for agent in self.agents.iter_mut() {
            let index = &mut agent.index.0;
            index.dedicated.clear();
            index.excluded.clear();
        }
        change(self);
        for no in waiting {
            self.change_lines(no, true);
        }
    }
}
