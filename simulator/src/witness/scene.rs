//! One domain at the frontier: its pictures, its history, its last events.

use super::{Applied, Figures, Options};
use routing::event::Subject;
use routing::invariants::{Ghost, Step, check_all};
use routing::{Command, DomainId, Event, EventKind, LogTime, Look, Pictures, Position, Shard};
use std::borrow::Cow;
use std::collections::{BTreeSet, VecDeque};

/// Events of a report at most.
const EVENTS_SHOWN_MAX: usize = 40;

/// A promise and how it is broken.
#[derive(Debug)]
pub(super) struct Verdict {
    pub(super) promise: &'static str,
    pub(super) seen: String,
}

/// A domain as the frontier left it.
#[derive(Debug)]
pub(super) struct Scene {
    domain: DomainId,
    options: Options,
    pictures: Pictures,
    /// Whether the pictures are the first, taken after the entry that made the domain.
    new: bool,
    ghost: Ghost,
    events: VecDeque<Event>,
    /// When something is due at the latest, by what the engine says.
    due: Option<LogTime>,
    /// Entries since everything was looked at.
    since_whole: u32,
    /// The domain's log time when it was stopped, while it rests.
    rests_at: Option<LogTime>,
}

impl Scene {
    /// The scene of a domain that the present entry made; `None` if it did not.
    pub(super) fn new(shard: &Shard, domain: DomainId, options: Options) -> Option<Self> {
        Some(Self {
            domain,
            options,
            pictures: Pictures::first(shard, domain)?,
            new: true,
            ghost: Ghost::default(),
            events: VecDeque::new(),
            due: None,
            since_whole: 0,
            rests_at: None,
        })
    }

    pub(super) fn size(&self) -> u64 {
        let view = self.pictures.after();
        (view.conversations.len() + view.agents.len() + self.ghost.answers.len()) as u64
    }

    /// Whether an entry that is not of this domain may have changed it all the same: a tick with
    /// something due, or a fault of the engine.
    pub(super) fn is_concerned(&self, seen: &Applied<'_>) -> bool {
        let due =
            self.due.is_some_and(|due| due <= seen.shard.now()) || self.pictures.after().summary.pending;
        let sweeps = seen.entry.request.domain == DomainId::SHARD;
        (sweeps && due)
            || seen.events.iter().any(|event| event.domain == self.domain)
            || !self.pictures.is_still(seen.shard)
    }

    /// Checks every promise around one entry.
    pub(super) fn check(
        &mut self,
        seen: &Applied<'_>,
        figures: &mut Figures,
    ) -> impl Iterator<Item = Verdict> + use<> {
        let events = events_of(self.domain, seen.events);
        let own =
            matches!(seen.entry.request.domain, target if target == self.domain || target == DomainId::SHARD);
        let whole = self.go_on(seen, &events);
        if own {
            figures.domains_checked += 1;
            figures.domains_checked_whole += u64::from(whole);
        } else {
            figures.other_domains_checked += 1;
        }
        if seen.entry.request.domain == self.domain
            && seen
                .entry
                .request
                .id
                .is_some_and(|id| self.ghost.remembered(id, seen.shard.now_of(self.domain)).is_some())
        {
            figures.repeats += 1;
        }
        self.keep(&events);
        let mut broken = Vec::new();
        let was_quarantined =
            self.pictures.before().is_some_and(|before| before.summary.quarantined.is_some());
        if let Some(EventKind::Quarantined { reason }) = events.last().map(|event| &event.kind) {
            // What it was doing is torn, and what had expired before it in the same entry too: nothing else can be
            // said of it.
            if !matches!(seen.entry.request.command, Command::Panic { .. }) {
                let seen = format!("{} is quarantined: {reason}", self.domain);
                broken.push(Verdict { promise: "R-20", seen });
            }
        } else if !was_quarantined {
            let step = Step {
                before: self.pictures.before(),
                entry: seen.entry,
                outcome: seen.outcome,
                after: self.pictures.after(),
                events: &events,
                touched: (!whole).then(|| self.pictures.touched()),
            };
            let violations = check_all(&step, &mut self.ghost);
            broken.extend(violations.into_iter().map(|v| Verdict { promise: v.id, seen: v.seen }));
            broken.extend(self.pictures.silent().iter().map(|id| Verdict {
                promise: "R-6",
                seen: format!("{id} had ended and changed without an event"),
            }));
        }
        broken.into_iter()
    }

    /// Brings the pictures on; whether all of the domain is to be checked.
    fn go_on(&mut self, seen: &Applied<'_>, events: &[Event]) -> bool {
        let due = seen.shard.next_deadline_of(self.domain);
        self.due = due;
        if std::mem::take(&mut self.new) {
            return true;
        }
        self.since_whole += 1;
        let configured = |event: &Event| {
            matches!(event.kind.subject(event.domain), Subject::Domain(_) | Subject::Queue(_))
        };
        let whole = self.since_whole >= self.options.everything_every
            || events.len() > self.options.events_of_a_plain_entry_max
            // What an unsettled entry left may be said of nothing that the next one changes.
            || self.pictures.after().summary.pending
            || events.iter().any(configured);
        let look = if whole { Look::Everything } else { Look::Live };
        self.pictures.follow(seen.shard, events, look);
        if whole {
            self.since_whole = 0;
        }
        whole
    }

    fn keep(&mut self, events: &[Event]) {
        for event in events {
            if self.events.len() == self.options.events_kept {
                self.events.pop_front();
            }
            self.events.push_back(event.clone());
        }
    }

    /// The last events of the entities that a text names, oldest first.
    pub(super) fn events_about(&self, text: &str) -> Vec<Event> {
        let word = |c: char| !(c.is_ascii_alphanumeric() || c == '_');
        let id = |word: &&str| word.contains('_') && word.ends_with(|c: char| c.is_ascii_digit());
        let named: BTreeSet<&str> = text.split(word).filter(id).collect();
        let about =
            self.events.iter().rev().filter(|event| names(event).iter().any(|n| named.contains(n.as_str())));
        let mut events: Vec<_> = about.take(EVENTS_SHOWN_MAX).cloned().collect();
        events.reverse();
        events
    }

    /// The events of an entry, as far as they are still known.
    pub(super) fn events_at(&self, position: Position) -> impl Iterator<Item = &EventKind> {
        // Not in the order of positions where a domain came from another shard.
        self.events.iter().filter(move |event| event.position == position).map(|event| &event.kind)
    }

    /// The domain rests from the present entry on. The last picture may be older: only time has passed since, and
    /// what is due at that entry stays due while it rests. What else has changed is wrong.
    pub(super) fn rests(&mut self, shard: &Shard) -> Vec<String> {
        self.rests_at = Some(shard.now_of(self.domain));
        let was = self.pictures.after().summary.pending;
        self.pictures.follow(shard, &[], Look::Everything);
        let mut other = self.pictures.touched().names();
        let mut before = self.pictures.before().map(|before| before.summary.clone());
        if let Some(before) = &mut before {
            before.pending |= !was && self.pictures.after().summary.pending;
        }
        if before.as_ref() != Some(&self.pictures.after().summary) {
            other.push(self.domain.to_string());
        }
        other
    }

    /// The domain is in service again after a rest, here or on another shard: what it has become while nothing
    /// could happen to it.
    pub(super) fn arrives(&mut self, shard: &Shard) -> Vec<String> {
        let mut other = self.differences(shard);
        let (was, is) = (self.rests_at.take(), shard.now_of(self.domain));
        if was != Some(is) {
            other.push(format!("log time ({was:?} when it was stopped, {is:?} now)"));
        }
        self.pictures.follow(shard, &[], Look::Everything);
        self.due = shard.next_deadline_of(self.domain);
        other
    }

    /// Whether this may have been an event of the domain: the last ones are known.
    pub(super) fn may_have_been(&self, event: &Event) -> bool {
        let first = self.events.front().map_or(0, |first| first.sequence.0);
        let Some(place) = event.sequence.0.checked_sub(first) else { return true };
        usize::try_from(place).is_ok_and(|place| self.events.get(place) == Some(event))
    }

    /// What a shard shows otherwise than the last picture.
    pub(super) fn differences(&self, shard: &Shard) -> Vec<String> {
        let mut theirs = self.pictures.clone();
        if shard.domain(self.domain).is_none() {
            return vec![self.domain.to_string()];
        }
        theirs.follow(shard, &[], Look::Everything);
        let mut names = theirs.touched().names();
        if theirs.before().is_none_or(|before| before.summary != theirs.after().summary) {
            names.push(self.domain.to_string());
        }
        names
    }
}

/// The events of a domain: usually all of them.
fn events_of(domain: DomainId, events: &[Event]) -> Cow<'_, [Event]> {
    if events.iter().all(|event| event.domain == domain) {
        Cow::Borrowed(events)
    } else {
        Cow::Owned(events.iter().filter(|event| event.domain == domain).cloned().collect())
    }
}

/// The entities that an event names.
fn names(event: &Event) -> Vec<String> {
    let mut names = vec![event.kind.subject(event.domain).to_string()];
    names.extend(event.kind.desk().map(|agent| agent.to_string()));
    if let EventKind::OfferEnded { offer, .. } = &event.kind {
        names.push(offer.to_string());
    }
    if let Some((made, _)) = event.kind.offered() {
        names.push(made.offer.to_string());
    }
    names
}
