//! Pictures of a domain before and after its last entry, kept up to date entry by entry.

use crate::domain::{ConvNo, Domain};
use crate::event::{Event, Subject};
use crate::invariants::Touched;
use crate::view::{ConversationView, DomainView};
use crate::{ConversationId, DomainId, LogTime, Shard};
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

/// How much of a domain is compared with its picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// What can change by the rules: the domain, all queues, agents and touchpoints, all live
    /// conversations, and those that are new, due to be forgotten, or named by an event.
    Live,
    /// Everything: the ended conversations too.
    Everything,
}

/// A domain before and after its last entry, and what of it changed.
///
/// Costs time in proportion to what is looked at, without memory made but for what changed. It
/// compares the state itself: what the engine says that it did is not believed.
#[derive(Debug, Clone)]
pub struct Pictures {
    before: Option<DomainView>,
    after: DomainView,
    changed: Touched,
    touched: Touched,
    /// Ended conversations that changed although nothing said so.
    silent: Vec<ConversationId>,
    /// Conversations that have not ended.
    live: BTreeSet<ConversationId>,
    /// Ended ones, by the time at which they are forgotten.
    ended: BTreeSet<(LogTime, ConversationId)>,
    /// The last number that a conversation was given.
    newest: u64,
}

impl Pictures {
    /// The first picture of a domain: there is none before.
    #[must_use]
    pub fn first(shard: &Shard, domain: DomainId) -> Option<Self> {
        let now = shard.now_of(domain);
        let domain = shard.of(domain)?;
        let after = domain.view(now);
        let changed = Touched {
            queues: after.queues.keys().copied().collect(),
            agents: after.agents.keys().copied().collect(),
            touchpoints: after.touchpoints.keys().copied().collect(),
            conversations: after.conversations.keys().copied().collect(),
        };
        let mut pictures = Self {
            before: None,
            touched: changed.clone(),
            changed,
            silent: Vec::new(),
            live: BTreeSet::new(),
            ended: BTreeSet::new(),
            newest: domain.counters.conversation,
            after,
        };
        for conversation in pictures.after.conversations.values() {
            file(&mut pictures.live, &mut pictures.ended, conversation);
        }
        Some(pictures)
    }

    /// The domain before its last entry; `None` if that made it.
    #[must_use]
    pub fn before(&self) -> Option<&DomainView> {
        self.before.as_ref()
    }

    /// The domain after its last entry.
    #[must_use]
    pub fn after(&self) -> &DomainView {
        &self.after
    }

    /// What the last entry changed, with its neighbours; empty if it changed nothing.
    #[must_use]
    pub fn touched(&self) -> &Touched {
        &self.touched
    }

    /// Ended conversations that were found changed by looking at everything, although neither an
    /// event nor a deleted queue nor the time to forget them accounts for it.
    #[must_use]
    pub fn silent(&self) -> &[ConversationId] {
        &self.silent
    }

    /// Whether the domain's own facts are still as they were, whatever time it is: its version,
    /// its sequence, its account, its settings, and whether it is in service. Quick.
    #[must_use]
    pub fn is_still(&self, shard: &Shard) -> bool {
        shard.of(self.after.summary.id).is_some_and(|domain| domain.is_still(&self.after.summary))
    }

    /// Goes on to the state after one more entry, whose events of this domain these are.
    ///
    /// # Panics
    ///
    /// If the domain is not there: domains do not go.
    pub fn follow(&mut self, shard: &Shard, events: &[Event], look: Look) {
        let id = self.after.summary.id;
        let domain = shard.of(id).expect("a domain stays");
        self.step();
        self.changed.clear();
        self.silent.clear();
        let now = shard.now_of(id);
        self.after.now = now;
        if !domain.is_summary(&self.after.summary, now) {
            self.retake_summary(domain, now);
        }
        let queues = self.after.queues.len();
        self.follow_configuration(domain);
        let queue_gone = self.after.queues.len() < queues;
        self.follow_conversations(domain, events);
        if look == Look::Everything || queue_gone {
            self.follow_ended(domain, queue_gone);
        }
        self.spread();
    }

    /// What was after is before.
    fn step(&mut self) {
        let Some(before) = &mut self.before else {
            self.before = Some(self.after.clone());
            return;
        };
        before.now = self.after.now;
        if before.summary != self.after.summary {
            before.summary.clone_from(&self.after.summary);
        }
        carry(&self.after.queues, &mut before.queues, &self.changed.queues);
        carry(&self.after.agents, &mut before.agents, &self.changed.agents);
        carry(&self.after.touchpoints, &mut before.touchpoints, &self.changed.touchpoints);
        carry(&self.after.conversations, &mut before.conversations, &self.changed.conversations);
    }

    /// The usual change is one of numbers, and needs no new texts.
    fn retake_summary(&mut self, domain: &Domain, now: LogTime) {
        let summary = &mut self.after.summary;
        summary.version = domain.version;
        summary.sequence = domain.sequence;
        summary.pending = domain.is_pending(now);
        if !domain.is_summary(summary, now) {
            *summary = domain.summary(now);
        }
    }

    fn follow_configuration(&mut self, domain: &Domain) {
        let id = domain.id;
        let (view, changed) = (&mut self.after, &mut self.changed);
        side_by_side(
            domain.queues.iter().map(|queue| (queue.no.id(id), queue)),
            (&mut view.queues, &mut changed.queues),
            |queue, view| domain.is_queue(queue, view),
            |queue| domain.queue_view(queue),
        );
        side_by_side(
            domain.agents.iter().map(|agent| (agent.no.id(id), agent)),
            (&mut view.agents, &mut changed.agents),
            |agent, view| domain.is_agent(agent, view),
            |agent| domain.agent_view(agent),
        );
        side_by_side(
            domain.touchpoints.iter().map(|touchpoint| (touchpoint.no.id(id), touchpoint)),
            (&mut view.touchpoints, &mut changed.touchpoints),
            |touchpoint, view| domain.is_touchpoint(touchpoint, view),
            |touchpoint| domain.touchpoint_view(touchpoint),
        );
    }

    fn follow_conversations(&mut self, domain: &Domain, events: &[Event]) {
        let mut differ: Vec<ConversationId> = Vec::new();
        let view = &self.after.conversations;
        let looks = |id: &ConversationId| differs(domain, view, *id);
        differ.extend(self.live.iter().copied().filter(looks));
        let new = self.newest + 1..=domain.counters.conversation;
        differ.extend(new.map(|number| ConversationId::new(domain.id, number)));
        self.newest = domain.counters.conversation;
        for event in events {
            if let Subject::Conversation(id) = event.kind.subject(event.domain)
                && !differ.contains(&id)
                && differs(domain, view, id)
            {
                differ.push(id);
            }
        }
        let due = (self.after.now, ConversationId::new(DomainId(u32::MAX), u64::MAX));
        let forgotten = self.ended.range(..=due).map(|(_, id)| *id);
        differ.extend(forgotten.filter(|id| !known(domain, *id)));
        for id in differ {
            self.retake(domain, id);
        }
    }

    /// Looks at ended conversations that nothing speaks of.
    fn follow_ended(&mut self, domain: &Domain, expected: bool) {
        let view = &self.after.conversations;
        let differ: Vec<_> = view.keys().copied().filter(|id| differs(domain, view, *id)).collect();
        for id in differ {
            self.retake(domain, id);
            if !expected {
                self.silent.push(id);
            }
        }
        if self.after.conversations.len() != domain.conversations.len() {
            let mut appeared: Vec<_> = domain.conversations.keys().map(|no| no.id(domain.id)).collect();
            appeared.retain(|id| !self.after.conversations.contains_key(id));
            appeared.sort_unstable();
            for id in appeared {
                self.retake(domain, id);
                self.silent.push(id);
            }
        }
    }

    fn retake(&mut self, domain: &Domain, id: ConversationId) {
        self.changed.conversations.push(id);
        let now = ConvNo::of(id, domain.id).filter(|no| domain.conversations.contains_key(no));
        let Some(now) = now.map(|no| domain.conversation_view(no)) else {
            self.live.remove(&id);
            if let Some(at) = self.after.conversations.remove(&id).and_then(|gone| gone.deadline) {
                self.ended.remove(&(at, id));
            }
            return;
        };
        // In place where it can be: pictures are big to move.
        match self.after.conversations.entry(id) {
            Entry::Occupied(mut there) => {
                let old = there.get_mut();
                if old.stage.is_terminal() || now.stage.is_terminal() {
                    self.live.remove(&id);
                    old.deadline.map(|at| self.ended.remove(&(at, id)));
                    file(&mut self.live, &mut self.ended, &now);
                }
                *old = now;
            }
            Entry::Vacant(place) => {
                file(&mut self.live, &mut self.ended, &now);
                place.insert(now);
            }
        }
    }

    /// Adds what the changed entities name, before and after.
    fn spread(&mut self) {
        self.changed.tidy();
        self.touched.clone_from(&self.changed);
        for view in [self.before.as_ref(), Some(&self.after)].into_iter().flatten() {
            for agent in self.changed.agents.iter().filter_map(|id| view.agents.get(id)) {
                self.touched.add_around_agent(agent);
            }
            for conversation in self.changed.conversations.iter().filter_map(|id| view.conversations.get(id))
            {
                self.touched.add_around_conversation(conversation);
            }
        }
        self.touched.tidy();
    }
}

fn file(
    live: &mut BTreeSet<ConversationId>,
    ended: &mut BTreeSet<(LogTime, ConversationId)>,
    conversation: &ConversationView,
) {
    if !conversation.stage.is_terminal() {
        live.insert(conversation.id);
    } else if let Some(at) = conversation.deadline {
        ended.insert((at, conversation.id));
    }
}

fn known(domain: &Domain, id: ConversationId) -> bool {
    ConvNo::of(id, domain.id).is_some_and(|no| domain.conversations.contains_key(&no))
}

fn differs(domain: &Domain, view: &BTreeMap<ConversationId, ConversationView>, id: ConversationId) -> bool {
    let now = ConvNo::of(id, domain.id).and_then(|no| domain.conversations.get(&no));
    match (now, view.get(&id)) {
        (Some(now), Some(view)) => !domain.is_conversation(now, view),
        (now, view) => now.is_some() != view.is_some(),
    }
}

/// Makes these entries of a map as they are in another.
fn carry<K: Ord + Copy, V: Clone>(from: &BTreeMap<K, V>, to: &mut BTreeMap<K, V>, keys: &[K]) {
    for key in keys {
        match (from.get(key), to.get_mut(key)) {
            (Some(value), Some(old)) => old.clone_from(value),
            (Some(value), None) => drop(to.insert(*key, value.clone())),
            (None, _) => drop(to.remove(key)),
        }
    }
}

/// Brings the pictures of entities, which come in the order of their ids, up to date, and notes the
/// ids of those that changed, came or went.
fn side_by_side<'a, K: Ord + Copy, V, E: 'a>(
    entities: impl Iterator<Item = (K, &'a E)>,
    (view, changed): (&mut BTreeMap<K, V>, &mut Vec<K>),
    is: impl Fn(&E, &V) -> bool,
    make: impl Fn(&E) -> V,
) {
    let (mut new, mut gone) = (Vec::new(), Vec::new());
    let mut shown = view.iter_mut().peekable();
    for (key, entity) in entities {
        while let Some((old, _)) = shown.next_if(|(shown, _)| **shown < key) {
            gone.push(*old);
        }
        match shown.next_if(|(shown, _)| **shown == key) {
            Some((_, value)) if is(entity, value) => {}
            Some((_, value)) => {
                *value = make(entity);
                changed.push(key);
            }
            None => new.push((key, make(entity))),
        }
    }
    gone.extend(shown.map(|(key, _)| *key));
    changed.extend(new.iter().map(|(key, _)| *key).chain(gone.iter().copied()));
    for key in gone {
        view.remove(&key);
    }
    view.extend(new);
}
