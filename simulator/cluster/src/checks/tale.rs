//! Everything that was seen of one domain.

use super::call::{Asked, Call, Outcome};
use super::read::{Audit, Read, Stage};
use super::sight::Sight;
use proto::v1;
use routing::{Channel, ConversationId, DomainId, OfferId, QueueId};
use simulator::checker::from_wire;
use simulator::checker::model::{Event, Facts, Kind, Place};
use std::collections::{BTreeMap, BTreeSet};
use std::hash::Hasher;
use twox_hash::XxHash3_64;

/// Events that may lie ahead of a hole that another watcher is to fill.
const AHEAD_MAX: usize = 100_000;

/// Everything that was seen of one domain.
#[derive(Debug)]
pub struct Tale {
    /// Which.
    pub domain: DomainId,
    /// Whether it is meant to be quarantined.
    pub poisoned: bool,
    /// As it was set up; `None` until that is done.
    pub facts: Option<Facts>,
    /// Its record, dense from sequence 1 unless there are holes.
    pub events: Vec<Event>,
    /// When each event was first seen, simulated milliseconds.
    pub seen_ms: Vec<u64>,
    /// Holes that no node could fill any more.
    pub holes: u64,
    /// Attempts in the order of their return.
    pub calls: Vec<Call>,
    /// Messages to desks, per stream in order.
    pub sights: Vec<Sight>,
    /// Reads of single conversations, in the order of their return.
    pub reads: Vec<Read>,
    /// The last picture of all.
    pub audit: Option<Audit>,
    /// Whether it was seen in quarantine.
    pub quarantined: bool,
    /// Sent and not returned: offers being accepted, references being started.
    under_way: BTreeMap<String, u64>,
    contents: BTreeMap<u64, u64>,
    next: u64,
    ahead: BTreeMap<u64, v1::Event>,
    live: BTreeMap<ConversationId, Stage>,
    /// Channels of the live ones.
    channels: BTreeMap<ConversationId, Channel>,
    ended: BTreeSet<ConversationId>,
    /// Acknowledged, not seen in the record yet.
    awaited: BTreeSet<ConversationId>,
    paused: BTreeSet<QueueId>,
}

/// What an event was to the record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entered {
    /// New; true when work moved on by it.
    New(bool),
    /// Seen before, the same.
    Again,
    /// Another event with this sequence was seen before, or it cannot be read.
    Wrong(String),
}

impl Tale {
    /// Nothing seen yet.
    #[must_use]
    pub fn new(domain: DomainId, poisoned: bool) -> Self {
        Self {
            domain,
            poisoned,
            facts: None,
            events: Vec::new(),
            seen_ms: Vec::new(),
            holes: 0,
            calls: Vec::new(),
            sights: Vec::new(),
            reads: Vec::new(),
            audit: None,
            quarantined: false,
            under_way: BTreeMap::new(),
            contents: BTreeMap::new(),
            next: 1,
            ahead: BTreeMap::new(),
            live: BTreeMap::new(),
            channels: BTreeMap::new(),
            ended: BTreeSet::new(),
            awaited: BTreeSet::new(),
            paused: BTreeSet::new(),
        }
    }

    /// An attempt is sent; until it returns, what it asks for may happen.
    pub fn sent(&mut self, asked: &Asked) {
        if let Some(key) = key(asked) {
            *self.under_way.entry(key).or_insert(0) += 1;
        }
    }

    /// Whether an attempt for this offer or reference is under way.
    #[must_use]
    pub fn is_under_way(&self, key: &str) -> bool {
        self.under_way.contains_key(key)
    }

    /// Writes a call down.
    pub fn call(&mut self, call: Call) {
        if let Some(key) = key(&call.asked)
            && let Some(count) = self.under_way.get_mut(&key)
        {
            *count -= 1;
            if *count == 0 {
                self.under_way.remove(&key);
            }
        }
        match &call.outcome {
            Outcome::Done(answer) => {
                if let (Asked::Start(_), Some(id)) = (&call.asked, answer.conversation)
                    && !self.live.contains_key(&id)
                    && !self.ended.contains(&id)
                {
                    self.awaited.insert(id);
                }
            }
            Outcome::Refused(reason) => self.quarantined |= reason == "QUARANTINED",
            Outcome::NotDone | Outcome::Unknown => {}
        }
        self.calls.push(call);
    }

    /// Takes an event of any watcher at any node.
    pub fn event(&mut self, event: &v1::Event, now_ms: u64) -> Entered {
        let content = content(event);
        if let Some(known) = self.contents.get(&event.sequence) {
            if *known == content {
                return Entered::Again;
            }
            let first = self.events.iter().find(|first| first.sequence == event.sequence);
            return Entered::Wrong(format!(
                "sequence {} was {first:?}, and is now shown as {} of version {} in entry {}: {}",
                event.sequence, event.r#type, event.version, event.index, event.json
            ));
        }
        self.contents.insert(event.sequence, content);
        if event.sequence != self.next {
            if self.ahead.len() < AHEAD_MAX {
                self.ahead.insert(event.sequence, event.clone());
            }
            return Entered::New(false);
        }
        let mut moved = match self.enter(event, now_ms) {
            Ok(moved) => moved,
            Err(what) => return Entered::Wrong(what),
        };
        while let Some(event) = self.ahead.remove(&self.next) {
            match self.enter(&event, now_ms) {
                Ok(more) => moved |= more,
                Err(what) => return Entered::Wrong(what),
            }
        }
        Entered::New(moved)
    }

    /// No node can fill the hole before this sequence any more.
    pub fn skip_to(&mut self, sequence: u64, now_ms: u64) {
        if sequence <= self.next {
            return;
        }
        self.holes += 1;
        // What ended in the hole is not known to have ended: whatever lives is shown again by its events.
        self.live.clear();
        self.awaited.clear();
        self.next = sequence;
        self.ahead = self.ahead.split_off(&sequence);
        while let Some(event) = self.ahead.remove(&self.next) {
            // A first event that cannot be read was reported when it came.
            let _ = self.enter(&event, now_ms);
        }
    }

    fn enter(&mut self, wire: &v1::Event, now_ms: u64) -> Result<bool, String> {
        let event = from_wire(wire).map_err(|unreadable| unreadable.to_string())?;
        Ok(self.record(event, now_ms))
    }

    /// Adds the next event; true when work moved on by it.
    pub(super) fn record(&mut self, event: Event, now_ms: u64) -> bool {
        self.next = event.sequence + 1;
        let moved = self.follow(&event.kind);
        self.events.push(event);
        self.seen_ms.push(now_ms);
        moved
    }

    fn follow(&mut self, kind: &Kind) -> bool {
        let stage = match kind {
            Kind::Arrived { .. } => Some(Stage::Waiting),
            Kind::Waiting { place: Place::Inbox(_), .. } => Some(Stage::Inbox),
            Kind::Waiting { .. } => Some(Stage::Waiting),
            Kind::Assigned { .. } => Some(Stage::Assigned),
            Kind::Wrapping { .. } => Some(Stage::Wrapping),
            Kind::Departed { .. } => Some(Stage::Transferring),
            Kind::Ended { abandoned, .. } => Some(Stage::Ended { abandoned: *abandoned }),
            Kind::Offered { conversation, .. } => match self.live.get(conversation) {
                // A transfer: its owner keeps it.
                Some(Stage::Assigned) => None,
                _ => Some(Stage::Offered),
            },
            Kind::QueuePaused { queue, paused } => {
                if *paused {
                    self.paused.insert(*queue);
                } else {
                    self.paused.remove(queue);
                }
                None
            }
            Kind::QueueDeleted(queue) => {
                self.paused.remove(queue);
                None
            }
            Kind::Quarantined => {
                self.quarantined = true;
                None
            }
            _ => None,
        };
        let (Some(stage), Some(id)) = (stage, kind.conversation()) else { return false };
        self.awaited.remove(&id);
        if let Kind::Arrived { channel, .. } = kind {
            self.channels.insert(id, *channel);
        }
        if matches!(stage, Stage::Ended { .. }) {
            self.live.remove(&id);
            self.channels.remove(&id);
            self.ended.insert(id);
        } else if !self.ended.contains(&id) {
            self.live.insert(id, stage);
        }
        matches!(stage, Stage::Assigned | Stage::Wrapping | Stage::Ended { .. })
    }

    /// The last sequence up to which everything was seen.
    #[must_use]
    pub fn reached(&self) -> u64 {
        self.next - 1
    }

    /// Acknowledged work that is not finished.
    #[must_use]
    pub fn unfinished(&self) -> u64 {
        if self.quarantined { 0 } else { (self.live.len() + self.awaited.len()) as u64 }
    }

    /// How a live conversation came in.
    #[must_use]
    pub fn channel(&self, id: ConversationId) -> Option<Channel> {
        self.channels.get(&id).copied()
    }

    /// Live conversations, and where they are.
    #[must_use]
    pub fn live(&self) -> &BTreeMap<ConversationId, Stage> {
        &self.live
    }

    /// Acknowledged, not in the record yet.
    #[must_use]
    pub fn awaited(&self) -> &BTreeSet<ConversationId> {
        &self.awaited
    }

    /// Where a conversation is, if it was seen.
    #[must_use]
    pub fn stage(&self, id: ConversationId) -> Option<Stage> {
        if self.ended.contains(&id) {
            return Some(Stage::Ended { abandoned: false });
        }
        self.live.get(&id).copied()
    }

    /// Queues that are paused.
    #[must_use]
    pub fn paused(&self) -> &BTreeSet<QueueId> {
        &self.paused
    }
}

/// The connection that an accepted offer is about to have.
pub(super) fn connection(offer: OfferId) -> String {
    format!("{offer} connected")
}

/// What an attempt may do without ever being answered, for those that are looked for.
fn key(asked: &Asked) -> Option<String> {
    match asked {
        Asked::Start(reference) => Some(reference.clone()),
        Asked::Accept(_, offer) => Some(offer.to_string()),
        Asked::Connected(_, offer) => Some(connection(*offer)),
        _ => None,
    }
}

/// A hash of everything that an event says.
#[must_use]
pub fn content(event: &v1::Event) -> u64 {
    let mut hasher = XxHash3_64::new();
    for number in [event.sequence, event.index, event.at_us, event.wall_ms, event.version] {
        hasher.write_u64(number);
    }
    for text in [&event.domain, &event.subject, &event.r#type, &event.json] {
        hasher.write_usize(text.len());
        hasher.write(text.as_bytes());
    }
    hasher.finish()
}
