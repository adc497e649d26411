//! Sessions of the desks that are connected at this node: where their messages arrive, and how
//! they are attached to whichever node leads their shard.

mod attach;
mod beats;
mod session;

pub(crate) use session::{FrontSession, Opened};

use crate::seeded::{Seeded, SeededBug};
use crate::wire::{Attached, Parcel, Seat};
use crate::{SessionEnd, SessionMessage};
use consensus::NodeId;
use routing::{AgentId, Epoch, ShardId};
use session::Taken;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// The sessions of one shard's agents at this node.
#[derive(Default)]
struct ShardSeats {
    sessions: BTreeMap<u64, Arc<FrontSession>>,
    /// Of these, not attached to the present leader.
    unattached: BTreeSet<u64>,
    leader: Option<NodeId>,
    term: u64,
}

/// All sessions at this node.
pub(crate) struct Front {
    next: AtomicU64,
    messages_max: usize,
    shards: BTreeMap<ShardId, (Mutex<ShardSeats>, Notify)>,
    /// Sessions heard of since the last beat.
    heard: Mutex<Vec<Arc<FrontSession>>>,
    heard_some: Notify,
    seeded: Seeded,
}

impl Front {
    /// `first` must differ between runs of a node, so that late parcels find nobody.
    pub(crate) fn new(
        shards: impl Iterator<Item = ShardId>,
        messages_max: usize,
        first: u64,
        seeded: Seeded,
    ) -> Self {
        Self {
            next: AtomicU64::new(first),
            messages_max,
            shards: shards.map(|shard| (shard, Default::default())).collect(),
            heard: Mutex::default(),
            heard_some: Notify::new(),
            seeded,
        }
    }

    fn seats(&self, shard: ShardId) -> Option<(MutexGuard<'_, ShardSeats>, &Notify)> {
        let (seats, notify) = self.shards.get(&shard)?;
        Some((seats.lock().unwrap_or_else(PoisonError::into_inner), notify))
    }

    /// A session about to be opened; its messages may arrive from now on.
    pub(crate) fn register(&self, agent: AgentId, shard: ShardId) -> Opened {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let opened = FrontSession::register(number, agent, shard, self.messages_max);
        if let Some((mut seats, _)) = self.seats(shard) {
            seats.sessions.insert(number, opened.session.clone());
        }
        opened
    }

    /// A session was opened: if its shard's leader changed meanwhile, it attaches again.
    pub(crate) fn settle(&self, session: &FrontSession) {
        if let Some((seats, notify)) = self.seats(session.shard())
            && seats.unattached.contains(&session.number)
        {
            notify.notify_one();
        }
    }

    /// The session is gone from this node.
    pub(crate) fn forget(&self, session: &FrontSession) {
        if let Some((mut seats, _)) = self.seats(session.shard()) {
            seats.sessions.remove(&session.number);
            seats.unattached.remove(&session.number);
        }
    }

    /// Messages from a shard's leader.
    pub(crate) fn deliver(&self, parcel: Parcel) {
        let session = self.find(parcel.seat);
        let Some(session) = session else { return };
        if self.seeded.has(SeededBug::FollowerDelivers) && !session.is_at(parcel.seat) {
            session.pass_on(parcel);
            return;
        }
        match session.take(parcel) {
            Taken::Yes => {}
            Taken::Hole => self.attach_again(&session),
            Taken::Over => self.forget(&session),
        }
    }

    fn find(&self, seat: Seat) -> Option<Arc<FrontSession>> {
        // A parcel names no shard; a node has few, and a session number is in one of them.
        self.shards.values().find_map(|(seats, _)| {
            let seats = seats.lock().unwrap_or_else(PoisonError::into_inner);
            seats.sessions.get(&seat.session).filter(|session| session.agent == seat.agent).cloned()
        })
    }

    fn attach_again(&self, session: &FrontSession) {
        if let Some((mut seats, notify)) = self.seats(session.shard())
            && seats.sessions.contains_key(&session.number)
        {
            session.detach();
            seats.unattached.insert(session.number);
            notify.notify_one();
        }
    }

    /// A shard has another leader, or the same one of another term: sessions attach to it.
    pub(crate) fn leader_changed(&self, shard: ShardId, term: u64, leader: Option<NodeId>) {
        let Some((mut seats, notify)) = self.seats(shard) else { return };
        if leader.is_none() || (seats.leader, seats.term) == (leader, term) {
            return;
        }
        (seats.leader, seats.term) = (leader, term);
        seats.detach_all();
        notify.notify_one();
    }

    /// The stream with a node was lost or came back: what is attached there attaches again.
    pub(crate) fn peer_changed(&self, peer: NodeId) {
        for (seats, notify) in self.shards.values() {
            let mut seats = seats.lock().unwrap_or_else(PoisonError::into_inner);
            if seats.leader == Some(peer) {
                seats.detach_all();
                notify.notify_one();
            }
        }
    }

    /// Sessions of a shard that are not attached, at most `count_max`, with their next seats.
    fn unattached(&self, shard: ShardId, count_max: usize) -> Vec<(Arc<FrontSession>, Seat, Epoch)> {
        let Some((seats, _)) = self.seats(shard) else { return Vec::new() };
        let waiting = seats.unattached.iter().filter_map(|number| seats.sessions.get(number));
        let seated = waiting.filter_map(|session| {
            let (seat, epoch) = session.seat()?;
            Some((session.clone(), seat, epoch))
        });
        seated.take(count_max).collect()
    }

    /// What a leader said to an attachment.
    fn attached(&self, session: &FrontSession, seat: Seat, answer: Attached) {
        match answer {
            Attached::Yes => {
                if let Some((mut seats, _)) = self.seats(session.shard())
                    && session.is_at(seat)
                {
                    seats.unattached.remove(&session.number);
                }
            }
            Attached::Ended(end) => self.end(session, end),
            Attached::TryAgain => {}
            Attached::Moved(to) => {
                self.rehome(session, to);
                self.attach_again(session);
            }
        }
    }

    /// A session's domain is on another shard.
    pub(crate) fn rehome(&self, session: &FrontSession, to: ShardId) {
        let from = session.shard();
        if from == to || !self.shards.contains_key(&to) {
            return;
        }
        let Some(held) = self.seats(from).and_then(|(mut seats, _)| {
            seats.unattached.remove(&session.number);
            seats.sessions.remove(&session.number)
        }) else {
            return;
        };
        session.moved(to);
        if let Some((mut seats, _)) = self.seats(to) {
            seats.sessions.insert(session.number, held);
        }
    }

    /// Ends a session from this side.
    pub(crate) fn end(&self, session: &FrontSession, end: SessionEnd) {
        session.finish(end);
        self.forget(session);
    }

    /// Ends all sessions.
    pub(crate) fn end_all(&self, end: SessionEnd) {
        for (seats, _) in self.shards.values() {
            let mut seats = seats.lock().unwrap_or_else(PoisonError::into_inner);
            for session in std::mem::take(&mut *seats).sessions.into_values() {
                session.finish(end);
            }
        }
    }

    pub(crate) fn len(&self) -> usize {
        let count =
            |seats: &Mutex<ShardSeats>| seats.lock().unwrap_or_else(PoisonError::into_inner).sessions.len();
        self.shards.values().map(|(seats, _)| count(seats)).sum()
    }
}

impl ShardSeats {
    fn detach_all(&mut self) {
        for (number, session) in &self.sessions {
            session.detach();
            self.unattached.insert(*number);
        }
    }
}

/// Whether a message is the first of an attachment.
fn is_welcome(message: &SessionMessage) -> bool {
    matches!(message, SessionMessage::Welcome(_))
}
