//! One domain before the judge.

use super::tale::Tale;
use crate::report::Broken;
use routing::{AgentId, ConversationId, OfferId};
use simulator::checker::model::{Event, Kind};

/// Events shown of those concerned.
const TRAIL_MAX: usize = 20;
/// Broken promises of one kind and domain that are kept; more of them say nothing new.
const KEPT_MAX: usize = 5;

/// Whom a broken promise concerns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Who {
    Conversation(ConversationId),
    Agent(AgentId),
    Offer(OfferId),
}

impl Who {
    fn is_in(self, kind: &Kind) -> bool {
        match self {
            Who::Conversation(id) => kind.conversation() == Some(id),
            Who::Agent(id) => kind.agent() == Some(id),
            Who::Offer(id) => match kind {
                Kind::Offered { offer, .. }
                | Kind::OfferEnded { offer, .. }
                | Kind::Consulting { offer, .. } => *offer == id,
                Kind::Assigned { offer, .. } => *offer == Some(id),
                _ => false,
            },
        }
    }
}

/// One domain, and what is broken in it.
pub(super) struct Case<'a> {
    pub(super) tale: &'a Tale,
    pub(super) found: Vec<Broken>,
}

impl<'a> Case<'a> {
    pub(super) fn new(tale: &'a Tale) -> Self {
        Self { tale, found: Vec::new() }
    }

    /// The first event of the record with at least this sequence.
    pub(super) fn place(&self, sequence: u64) -> usize {
        self.tale.events.partition_point(|event| event.sequence < sequence)
    }

    /// Notes a broken promise. `sequence`: what happened up to it matters; 0: everything.
    pub(super) fn broken(&mut self, promise: &str, at_ms: u64, sequence: u64, seen: String, who: &[Who]) {
        if self.found.iter().filter(|broken| broken.promise == promise).count() >= KEPT_MAX {
            return;
        }
        let end = match sequence {
            0 => self.tale.events.len(),
            _ => (self.place(sequence + 1) + TRAIL_MAX / 2).min(self.tale.events.len()),
        };
        let concerned = |event: &&Event| who.iter().any(|who| who.is_in(&event.kind));
        let mut before: Vec<String> =
            self.tale.events[..end].iter().rev().filter(concerned).take(TRAIL_MAX).map(line).collect();
        before.reverse();
        let at_ms = match (at_ms, sequence) {
            (0, 1..) => self.tale.seen_ms.get(self.place(sequence)).copied().unwrap_or(0),
            _ => at_ms,
        };
        let seen = format!("{}: {seen}", self.tale.domain);
        self.found.push(Broken { promise: promise.to_owned(), at_ms, seen, before });
    }
}

/// One event, for people.
pub(super) fn line(event: &Event) -> String {
    let mut text = format!("{:?}", event.kind);
    for (long, short) in
        [("ConversationId", "conv"), ("AgentId", "agent"), ("QueueId", "queue"), ("OfferId", "offer")]
    {
        let begin = format!("{long} {{ domain: DomainId(");
        while let Some(at) = text.find(&begin) {
            let rest = &text[at + begin.len()..];
            let Some((domain, rest)) = rest.split_once("), number: ") else { break };
            let Some((number, rest)) = rest.split_once(" }") else { break };
            text = format!("{}{short}_{domain}_{number}{rest}", &text[..at]);
        }
    }
    let (s, us) = (event.at_us / 1_000_000, event.at_us % 1_000_000);
    format!("#{} entry {} at {s}.{us:06} s: {text}", event.sequence, event.entry.0)
}
