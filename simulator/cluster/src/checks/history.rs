//! What clients did and saw.

use super::call::{Asked, Call, Outcome};
use super::judge;
use super::read::{Audit, Read, Stage};
use super::sight::{Said, Sight};
use super::tale::{Entered, Tale};
use crate::determinism::elapsed;
use crate::report::Broken;
use proto::v1;
use routing::{AgentId, Channel, ConversationId, DomainId, QueueId, TouchpointId};
use simulator::checker::model::Facts;
use std::collections::BTreeMap;
use std::fmt;
use std::hash::Hasher;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::OnceCell;
use twox_hash::XxHash3_64;

/// Broken promises that are kept while the run goes on; more of them say nothing new.
const FOUND_MAX: usize = 50;

/// Everything clients did and saw, in the order of simulated time.
#[derive(Debug, Default)]
pub struct History {
    book: Mutex<Book>,
    /// The account that most domains belong to, once somebody has made it.
    pub account: OnceCell<String>,
}

#[derive(Debug, Default)]
struct Book {
    tales: BTreeMap<DomainId, Tale>,
    /// Calls before the domain had an id.
    calls: Vec<Call>,
    counts: BTreeMap<(&'static str, &'static str), u64>,
    progress: u64,
    /// Tasks that must come to an end, by name.
    open: BTreeMap<String, u64>,
    /// Agents whose desks fell silent for good.
    vanished: Vec<AgentId>,
    /// Touchpoints of all domains in service: where conversations may be sent.
    touchpoints: Vec<(TouchpointId, Channel)>,
    found: Vec<Broken>,
    streams: u64,
    digest: Digest,
}

struct Digest(XxHash3_64);

impl Default for Digest {
    fn default() -> Self {
        Self(XxHash3_64::with_seed(0))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0.finish())
    }
}

impl Digest {
    fn add(&mut self, numbers: &[u64]) {
        for number in numbers {
            self.0.write_u64(*number);
        }
    }
}

/// Something that must come to an end before the run may; it does when this is dropped.
#[derive(Debug)]
pub struct Opened {
    history: Arc<History>,
    name: String,
}

impl Drop for Opened {
    fn drop(&mut self) {
        let mut book = self.history.book();
        book.progress += 1;
        if let Some(count) = book.open.get_mut(&self.name) {
            *count -= 1;
            if *count == 0 {
                book.open.remove(&self.name);
            }
        }
    }
}

/// Simulated time in milliseconds.
pub(crate) fn now_ms() -> u64 {
    u64::try_from(elapsed().as_millis()).unwrap_or(u64::MAX)
}

/// Simulated time in microseconds.
pub(crate) fn now_us() -> u64 {
    u64::try_from(elapsed().as_micros()).unwrap_or(u64::MAX)
}

impl History {
    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes something that must come to an end before the run may.
    #[must_use]
    pub fn open(self: &Arc<Self>, name: impl Into<String>) -> Opened {
        let name = name.into();
        *self.book().open.entry(name.clone()).or_insert(0) += 1;
        Opened { history: Arc::clone(self), name }
    }

    /// An agent's desk is never heard of again.
    pub fn vanished(&self, agent: AgentId) {
        self.count("desk_did", "vanished");
        self.book().vanished.push(agent);
    }

    /// Agents whose desks fell silent for good, after the first `known` of them.
    #[must_use]
    pub fn vanished_since(&self, known: usize) -> Vec<AgentId> {
        self.book().vanished.get(known..).unwrap_or_default().to_vec()
    }

    /// How many things of this name are under way.
    #[must_use]
    pub fn opened(&self, name: &str) -> u64 {
        self.book().open.get(name).copied().unwrap_or(0)
    }

    /// A number for a stream, different from all others.
    #[must_use]
    pub fn stream(&self) -> u64 {
        let mut book = self.book();
        book.streams += 1;
        book.streams
    }

    /// A domain has an id.
    pub fn domain(&self, domain: DomainId, poisoned: bool) {
        self.book().tales.entry(domain).or_insert_with(|| Tale::new(domain, poisoned));
    }

    /// A domain is set up.
    pub fn facts(&self, facts: Facts) {
        if let Some(tale) = self.book().tales.get_mut(&facts.domain) {
            tale.facts = Some(facts);
        }
    }

    /// A domain in service has these touchpoints.
    pub fn reachable(&self, touchpoints: &[(TouchpointId, Channel)]) {
        self.book().touchpoints.extend(touchpoints);
    }

    /// A touchpoint of another domain, as `pick` says; now and then one that cannot take this
    /// conversation.
    #[must_use]
    pub fn some_touchpoint(&self, id: ConversationId, pick: u64) -> Option<TouchpointId> {
        let book = self.book();
        let channel = book.tales.get(&id.domain)?.channel(id).filter(|_| !pick.is_multiple_of(5));
        let far = || {
            let fits = move |(there, of): &&(TouchpointId, Channel)| {
                there.domain != id.domain && channel.is_none_or(|channel| channel == *of)
            };
            book.touchpoints.iter().filter(fits)
        };
        let place = usize::try_from((pick / 5).checked_rem(far().count() as u64)?).ok()?;
        far().nth(place).map(|(there, _)| *there)
    }

    /// The touchpoints of other domains.
    #[must_use]
    pub fn touchpoints_beyond(&self, domain: DomainId) -> Vec<TouchpointId> {
        let book = self.book();
        let far = book.touchpoints.iter().map(|(there, _)| *there).filter(|there| there.domain != domain);
        far.collect()
    }

    /// Counts something.
    pub fn count(&self, group: &'static str, name: &'static str) {
        *self.book().counts.entry((group, name)).or_insert(0) += 1;
    }

    /// An attempt is sent.
    pub fn sent(&self, domain: DomainId, asked: &Asked) {
        if let Some(tale) = self.book().tales.get_mut(&domain) {
            tale.sent(asked);
        }
    }

    /// Writes an attempt down.
    pub fn call(&self, call: Call) {
        tracing::trace!(?call, "call");
        let mut book = self.book();
        let book = &mut *book;
        *book.counts.entry((call.asked.method(), call.outcome.name())).or_insert(0) += 1;
        let answered = match &call.outcome {
            Outcome::Done(answer) => answer.sequence + 1,
            Outcome::Refused(reason) => {
                book.digest.0.write(reason.as_bytes());
                0
            }
            Outcome::Unknown => 1,
            Outcome::NotDone => 2,
        };
        let request = [(call.request >> 64) as u64, call.request as u64];
        book.digest.add(&request);
        book.digest.add(&[call.node.0, call.sent_us, call.returned_us, answered]);
        match call.domain.and_then(|domain| book.tales.get_mut(&domain)) {
            Some(tale) => tale.call(call),
            None => {
                // Setting up goes on.
                book.progress += u64::from(matches!(call.outcome, Outcome::Done(_)));
                book.calls.push(call);
            }
        }
    }

    /// Writes down what a desk was told.
    pub fn sight(&self, sight: Sight) {
        tracing::trace!(?sight, "sight");
        let mut book = self.book();
        let name = match &sight.said {
            Said::Welcome(..) => "welcome",
            Said::Offered(_) => "offered",
            Said::OfferEnded(..) => "offer_ended",
            Said::Assigned(_) => "assigned",
            Said::Wrapping(_) => "wrapping",
            Said::Released(_) => "released",
            Said::Ended(_) => "ended",
            Said::Presence(_) => "presence",
            Said::SessionEnded(_) => "session_ended",
            Said::Other => "other",
        };
        *book.counts.entry(("desk", name)).or_insert(0) += 1;
        book.digest.add(&[sight.agent.number, sight.epoch, sight.stream, sight.at_us, sight.cursor]);
        if let Some(tale) = book.tales.get_mut(&sight.agent.domain) {
            tale.sights.push(sight);
        }
    }

    /// Takes an event that a watcher of a domain was given by a node.
    pub fn event(&self, domain: DomainId, event: &v1::Event, from: &str) {
        let now_ms = now_ms();
        let mut book = self.book();
        let Some(tale) = book.tales.get_mut(&domain) else { return };
        let entered = tale.event(event, now_ms);
        match entered {
            Entered::New(moved) => {
                tracing::trace!(?event, from, "event");
                book.digest.add(&[super::tale::content(event), now_ms]);
                book.progress += u64::from(moved);
                *book.counts.entry(("watch", "events")).or_insert(0) += 1;
            }
            Entered::Again => *book.counts.entry(("watch", "compared")).or_insert(0) += 1,
            Entered::Wrong(what) => {
                drop(book);
                self.found("R-15", format!("{domain} at {from}: {what}"));
            }
        }
    }

    /// No node can show what is before this sequence any more.
    pub fn skip_to(&self, domain: DomainId, sequence: u64) {
        if let Some(tale) = self.book().tales.get_mut(&domain) {
            tale.skip_to(sequence, now_ms());
        }
    }

    /// Writes down a read of one conversation.
    pub fn read(&self, read: Read) {
        if let Some(tale) = self.book().tales.get_mut(&read.seen.id.domain) {
            tale.reads.push(read);
        }
    }

    /// Writes down the last picture of a domain.
    pub fn audit(&self, domain: DomainId, audit: Audit) {
        let mut book = self.book();
        book.progress += 1;
        if let Some(tale) = book.tales.get_mut(&domain) {
            tale.audit = Some(audit);
        }
    }

    /// Something is broken, as seen at once.
    pub fn found(&self, promise: &str, seen: String) {
        let mut book = self.book();
        if book.found.len() < FOUND_MAX {
            let promise = promise.to_owned();
            book.found.push(Broken { promise, at_ms: now_ms(), seen, before: Vec::new() });
        }
    }

    fn of<T>(&self, domain: DomainId, work: impl FnOnce(&Tale) -> T) -> Option<T> {
        self.book().tales.get(&domain).map(work)
    }

    /// Whether a domain was seen in quarantine.
    #[must_use]
    pub fn is_quarantined(&self, domain: DomainId) -> bool {
        self.of(domain, |tale| tale.quarantined).unwrap_or(false)
    }

    /// Where a conversation is, as far as watchers saw.
    #[must_use]
    pub fn stage(&self, id: ConversationId) -> Option<Stage> {
        self.of(id.domain, |tale| tale.stage(id)).flatten()
    }

    /// One of a domain's live conversations, as `pick` says.
    #[must_use]
    pub fn some_live(&self, domain: DomainId, pick: u64) -> Option<(ConversationId, Stage)> {
        self.of(domain, |tale| {
            let live = tale.live();
            let place = usize::try_from(pick.checked_rem(live.len() as u64)?).ok()?;
            live.iter().nth(place).map(|(id, stage)| (*id, *stage))
        })
        .flatten()
    }

    /// A domain's conversations that nobody owns yet.
    #[must_use]
    pub fn waiting_in(&self, domain: DomainId) -> Vec<ConversationId> {
        let waits = |stage: Stage| matches!(stage, Stage::Waiting | Stage::Inbox | Stage::Offered);
        let of =
            |tale: &Tale| tale.live().iter().filter(|(_, stage)| waits(**stage)).map(|(id, _)| *id).collect();
        self.of(domain, of).unwrap_or_default()
    }

    /// One of a domain's conversations that are held out to somebody, as `pick` says.
    #[must_use]
    pub fn some_offered(&self, domain: DomainId, pick: u64) -> Option<ConversationId> {
        self.some_at(domain, Stage::Offered, pick)
    }

    /// One of a domain's conversations at a stage, as `pick` says.
    #[must_use]
    pub fn some_at(&self, domain: DomainId, wanted: Stage, pick: u64) -> Option<ConversationId> {
        self.of(domain, |tale| {
            let there = || tale.live().iter().filter(|(_, stage)| **stage == wanted);
            let place = usize::try_from(pick.checked_rem(there().count() as u64)?).ok()?;
            there().nth(place).map(|(id, _)| *id)
        })
        .flatten()
    }

    /// Queues of a domain that are paused.
    #[must_use]
    pub fn paused(&self, domain: DomainId) -> Vec<QueueId> {
        self.of(domain, |tale| tale.paused().iter().copied().collect()).unwrap_or_default()
    }

    /// Conversations of a domain that are acknowledged or seen, and not finished.
    #[must_use]
    pub fn unfinished_of(&self, domain: DomainId) -> u64 {
        self.of(domain, Tale::unfinished).unwrap_or(0)
    }

    /// The last sequence up to which everything of a domain was seen.
    #[must_use]
    pub fn reached(&self, domain: DomainId) -> u64 {
        self.of(domain, Tale::reached).unwrap_or(0)
    }

    /// Acknowledged work that is not finished, as far as clients know: what the liveness phase
    /// waits for. A change of this number is progress.
    #[must_use]
    pub fn unfinished(&self) -> u64 {
        let book = self.book();
        book.tales.values().map(Tale::unfinished).sum::<u64>() + book.open.values().sum::<u64>()
    }

    /// What is not finished, for people.
    #[must_use]
    pub fn describe_unfinished(&self) -> String {
        const SHOWN_MAX: usize = 10;
        let book = self.book();
        let mut parts: Vec<String> =
            book.open.iter().map(|(name, count)| format!("{count} × {name}")).collect();
        for tale in book.tales.values().filter(|tale| tale.unfinished() > 0) {
            let live = tale.live().iter().take(SHOWN_MAX).map(|(id, stage)| format!("{id} {stage:?}"));
            let awaited = tale.awaited().iter().take(SHOWN_MAX).map(|id| format!("{id} not in the record"));
            let shown: Vec<String> = live.chain(awaited).collect();
            parts.push(format!("{}: {} ({})", tale.domain, tale.unfinished(), shown.join(", ")));
        }
        parts.join("; ")
    }

    /// Moves with everything that brings work nearer to its end: the healed core is stuck when it
    /// stands still.
    #[must_use]
    pub fn progress(&self) -> u64 {
        self.book().progress
    }

    /// Judges all that was seen; called once, when the run is over.
    #[must_use]
    pub fn judge(&self) -> Vec<Broken> {
        let book = self.book();
        let mut broken = book.found.clone();
        judge::unplaced(&book.calls, &mut broken);
        for tale in book.tales.values() {
            judge::tale(tale, &mut broken);
        }
        broken
    }

    /// What clients did and saw, by name, for coverage.
    #[must_use]
    pub fn counts(&self) -> BTreeMap<String, u64> {
        let book = self.book();
        let mut counts: BTreeMap<String, u64> =
            book.counts.iter().map(|((group, name), count)| (format!("{group}.{name}"), *count)).collect();
        judge::counts(book.tales.values(), &mut counts);
        counts
    }

    /// Hash of everything that clients did and saw.
    #[must_use]
    pub fn hash(&self) -> u64 {
        self.book().digest.0.finish()
    }
}
