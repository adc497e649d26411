//! One entity of a replayed state: its picture, and what happened to it.

use super::to_json;
use routing::{AgentId, BadId, ConversationId, DomainId, Event, QueueId, Shard, TouchpointId};
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::fmt;
use std::str::FromStr;

/// What can be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// A conversation.
    Conversation(ConversationId),
    /// An agent.
    Agent(AgentId),
    /// A queue.
    Queue(QueueId),
    /// A touchpoint.
    Touchpoint(TouchpointId),
    /// A domain.
    Domain(DomainId),
}

impl Subject {
    /// Reads a kind and an id, as `conversation conv_1_9`.
    ///
    /// # Errors
    /// In words, what would be right.
    pub fn parse(kind: &str, id: &str) -> Result<Self, String> {
        fn read<T: FromStr<Err = BadId>>(id: &str, make: impl Fn(T) -> Subject) -> Result<Subject, String> {
            id.parse().map(make).map_err(|error: BadId| error.to_string())
        }
        match kind {
            "conversation" => read(id, Self::Conversation),
            "agent" => read(id, Self::Agent),
            "queue" => read(id, Self::Queue),
            "touchpoint" => read(id, Self::Touchpoint),
            "domain" => read(id, Self::Domain),
            _ => {
                Err(format!("'{kind}' cannot be shown: use conversation, agent, queue, touchpoint or domain"))
            }
        }
    }

    fn domain(self) -> DomainId {
        match self {
            Self::Conversation(id) => id.domain,
            Self::Agent(id) => id.domain,
            Self::Queue(id) => id.domain,
            Self::Touchpoint(id) => id.domain,
            Self::Domain(id) => id,
        }
    }

    /// Its picture in a state; null if it is not there (not yet, or not any more).
    #[must_use]
    pub fn picture(self, shard: &Shard) -> Value {
        let json = match self {
            Self::Conversation(id) => to_json(&shard.conversation(id)),
            Self::Agent(id) => to_json(&shard.agent(id)),
            Self::Queue(id) => to_json(&shard.queue(id)),
            Self::Touchpoint(id) => to_json(&shard.touchpoint(id)),
            Self::Domain(id) => to_json(&shard.domain(id)),
        };
        json.unwrap_or_else(|error| Value::String(format!("{self} cannot be written: {error}")))
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Conversation(id) => id.fmt(f),
            Self::Agent(id) => id.fmt(f),
            Self::Queue(id) => id.fmt(f),
            Self::Touchpoint(id) => id.fmt(f),
            Self::Domain(id) => id.fmt(f),
        }
    }
}

/// The last events that name a subject.
#[derive(Debug)]
pub struct Shown {
    subject: Subject,
    name: String,
    events_max: usize,
    events: VecDeque<Value>,
    left_out: u64,
}

impl Shown {
    /// Keeps the last so many events.
    #[must_use]
    pub fn new(subject: Subject, events_max: usize) -> Self {
        Self { subject, name: subject.to_string(), events_max, events: VecDeque::new(), left_out: 0 }
    }

    /// Takes those of these events that name the subject; all of a domain's for a domain.
    pub fn take(&mut self, events: &[Event]) {
        for event in events.iter().filter(|event| event.domain == self.subject.domain()) {
            let kind = to_json(&event.kind).unwrap_or_else(|_| Value::String(format!("{:?}", event.kind)));
            if !matches!(self.subject, Subject::Domain(_)) && !names(&kind, &self.name) {
                continue;
            }
            if self.events.len() == self.events_max {
                self.events.pop_front();
                self.left_out += 1;
            }
            self.events.push_back(json!({
                "sequence": event.sequence.0,
                "index": event.position.index,
                "at_us": event.at.0,
                "wall_ms": event.wall_ms,
                "event": kind,
            }));
        }
    }

    /// The picture and the events.
    #[must_use]
    pub fn json(&self, shard: &Shard) -> Value {
        json!({
            "id": self.name,
            "state": self.subject.picture(shard),
            "events": self.events,
            "events_left_out": self.left_out,
        })
    }

    /// The same for people.
    #[must_use]
    pub fn text(&self, shard: &Shard) -> String {
        let picture = match self.subject.picture(shard) {
            Value::Null => "is not known here: not yet, or not any more".to_owned(),
            picture => format!("{picture:#}"),
        };
        let mut text = format!("{} {picture}\n", self.name);
        if self.left_out > 0 {
            text += &format!("{} earlier events left out: see --last\n", self.left_out);
        }
        for event in &self.events {
            let at_s = event["at_us"].as_u64().unwrap_or(0) as f64 / 1e6;
            let (sequence, index) = (&event["sequence"], &event["index"]);
            text += &format!("{sequence:>8}  index {index:<8} {at_s:>14.6} s  {}\n", event["event"]);
        }
        text
    }
}

/// Whether an id is somewhere in a value.
fn names(value: &Value, id: &str) -> bool {
    match value {
        Value::String(text) => text == id,
        Value::Array(list) => list.iter().any(|one| names(one, id)),
        Value::Object(map) => map.iter().any(|(key, one)| key == id || names(one, id)),
        _ => false,
    }
}
