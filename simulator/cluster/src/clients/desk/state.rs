//! What a desk shows, and what it will do when.

use super::intent::{Intent, Pending, Presence};
use crate::checks::Shown;
use routing::{ConversationId, OfferId};
use std::collections::{BTreeMap, BTreeSet};
use tokio::time::Instant;

/// What a desk does when its time has come.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Due {
    /// Says that it is there, and tidies up.
    Beat,
    /// Does as it decided about an offer.
    Offer(OfferId, Fate),
    /// Does as it decided about a connection.
    Connect(OfferId, Line),
    /// Looks at a conversation that it holds.
    Held(ConversationId),
    /// Does as it decided about a consultation of its own.
    Consult(ConversationId, Step),
    /// Has no more to say about what it was asked for advice about.
    Advised(OfferId),
    /// Lists the inbox.
    Inbox,
    /// Wants another presence.
    Presence(Presence),
    /// Leaves of its own accord, although it was sent on a break for misses.
    OwnBreak,
    /// Drops the stream.
    Drop,
    /// Says goodbye.
    Bye,
    /// Falls silent for good.
    Vanish,
    /// Another tab takes over.
    Tab,
}

/// What becomes of an offer, as the agent decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Accept,
    /// Accepts with two request ids.
    AcceptTwice,
    Reject,
    /// Rejects, then wants it after all.
    Fickle,
    /// Lets it time out.
    Ignore,
    /// Lets it time out and accepts then.
    Late,
}

/// What becomes of the connection of an offer that was accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Line {
    /// It is made.
    Made,
    /// It fails, and the desk says so.
    Failed,
    /// Nothing is said in time, and too late that it is made.
    TooLate,
}

/// A step of a consultation, as its owner decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// Somebody is asked.
    Begin,
    /// It is over.
    End,
    /// Who was asked is to have the conversation.
    Complete,
}

/// A conversation that this desk holds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Held {
    pub(super) wrapping: bool,
    /// When something is to be done about it.
    pub(super) due: Instant,
}

/// What a desk knows.
#[derive(Default)]
pub(super) struct State {
    /// The request id of the hello under way, and when it was first said.
    pub(super) hello: Option<(u128, Instant)>,
    pub(super) epoch: Option<u64>,
    pub(super) cursor: u64,
    pub(super) written_cursor: u64,
    pub(super) available: bool,
    pub(super) offers: BTreeMap<OfferId, Shown>,
    /// Those of them that were accepted and are being connected.
    pub(super) connecting: BTreeSet<OfferId>,
    /// Those that were accepted and are about consultations, and what each is about.
    pub(super) advising: BTreeMap<OfferId, ConversationId>,
    /// Whether to ask somebody about a conversation is decided once.
    pub(super) considered: BTreeSet<ConversationId>,
    /// Fates are decided once.
    pub(super) decided: BTreeSet<OfferId>,
    pub(super) held: BTreeMap<ConversationId, Held>,
    pub(super) due: BTreeMap<(Instant, u64), Due>,
    dues: u64,
    pub(super) pending: BTreeMap<u64, Pending>,
    pub(super) tags: u64,
}

impl State {
    /// Plans something.
    pub(super) fn plan(&mut self, at: Instant, due: Due) {
        self.dues += 1;
        self.due.insert((at, self.dues), due);
    }

    /// Forgets plans.
    pub(super) fn unplan(&mut self, of: impl Fn(&Due) -> bool) {
        self.due.retain(|_, due| !of(due));
    }

    /// The next moment at which something is to be done.
    pub(super) fn next(&self) -> Option<Instant> {
        let due = self.due.keys().next().map(|(at, _)| *at);
        let again = self.pending.values().map(|pending| pending.again).min();
        due.into_iter().chain(again).min()
    }

    /// Takes what is due.
    pub(super) fn take_due(&mut self, now: Instant) -> Option<Due> {
        let first = self.due.first_entry().filter(|first| first.key().0 <= now)?;
        Some(first.remove())
    }

    /// Whether this is under way already.
    pub(super) fn wants(&self, intent: &Intent) -> bool {
        self.pending.values().any(|pending| pending.intent == *intent)
    }

    /// Whether a change of presence is under way.
    pub(super) fn wants_presence(&self) -> bool {
        self.pending.values().any(|pending| matches!(pending.intent, Intent::Presence(_)))
    }
}
