//! One session at this node.

use super::is_welcome;
use crate::wire::{Parcel, Seat, Source};
use crate::{SessionEnd, SessionMessage};
use routing::{AgentId, Epoch, ShardId};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::mpsc;

/// Where the messages of one desk arrive.
#[derive(Debug)]
pub(crate) struct FrontSession {
    pub(crate) number: u64,
    pub(crate) agent: AgentId,
    /// The number of its agent's shard; another one when the domain moves.
    shard: AtomicU32,
    pub(super) heard: AtomicBool,
    line: Mutex<Line>,
}

#[derive(Debug)]
struct Line {
    epoch: Option<Epoch>,
    attempt: u32,
    /// Who counted the last parcel of the present attempt. Terms of different attempts are not compared: they may
    /// be of different shards.
    source: Source,
    /// The next parcel's number.
    next: u64,
    to_desk: Option<mpsc::Sender<SessionMessage>>,
    /// A place kept for the last message.
    last: Option<mpsc::OwnedPermit<SessionMessage>>,
}

/// A new session and the desk's end of it.
pub(crate) struct Opened {
    pub(crate) session: Arc<FrontSession>,
    pub(crate) messages: mpsc::Receiver<SessionMessage>,
}

/// What became of a parcel.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// Handed on, or not for the present attachment.
    Yes,
    /// One before it was lost.
    Hole,
    /// The session ended.
    Over,
}

impl FrontSession {
    pub(super) fn register(number: u64, agent: AgentId, shard: ShardId, messages_max: usize) -> Opened {
        let (to_desk, messages) = mpsc::channel(messages_max + 1);
        let last = to_desk.clone().try_reserve_owned().ok();
        let line = Line {
            epoch: None,
            attempt: 1,
            source: Source::default(),
            next: 0,
            to_desk: Some(to_desk),
            last,
        };
        let line = Mutex::new(line);
        let shard = AtomicU32::new(shard.0);
        let session = FrontSession { number, agent, shard, heard: AtomicBool::new(false), line };
        Opened { session: Arc::new(session), messages }
    }

    /// Its agent's shard.
    pub(crate) fn shard(&self) -> ShardId {
        ShardId(self.shard.load(Ordering::Relaxed))
    }

    pub(super) fn moved(&self, to: ShardId) {
        self.shard.store(to.0, Ordering::Relaxed);
    }

    fn line(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The seat for the next attachment; `None` while the session is being opened.
    pub(super) fn seat(&self) -> Option<(Seat, Epoch)> {
        let line = self.line();
        Some((self.seat_at(line.attempt), line.epoch?))
    }

    /// The seat for opening, anew for each try.
    pub(crate) fn opening_seat(&self) -> Seat {
        let mut line = self.line();
        line.begin_anew();
        self.seat_at(line.attempt)
    }

    fn seat_at(&self, attempt: u32) -> Seat {
        Seat { agent: self.agent, session: self.number, attempt }
    }

    pub(super) fn is_at(&self, seat: Seat) -> bool {
        self.line().attempt == seat.attempt
    }

    /// The leader gave the session its epoch.
    pub(crate) fn opened(&self, epoch: Epoch) {
        self.line().epoch = Some(epoch);
    }

    /// What comes from the present attachment no longer counts.
    pub(super) fn detach(&self) {
        let mut line = self.line();
        // An opening under way has its own tries.
        if line.epoch.is_some() {
            line.begin_anew();
        }
    }

    pub(super) fn take(&self, parcel: Parcel) -> Taken {
        let mut line = self.line();
        tracing::trace!(agent = %self.agent, ?parcel, attempt = line.attempt, next = line.next, "arrived for the desk");
        if parcel.seat.attempt != line.attempt {
            return Taken::Yes;
        }
        if parcel.source != line.source {
            // Of a leader that was one before: it may still send.
            if parcel.source.term < line.source.term {
                return Taken::Yes;
            }
            line.source = parcel.source;
            line.next = 0;
        }
        let starts = parcel.messages.first().is_some_and(is_welcome);
        if parcel.number != line.next || (line.next == 0 && !starts && !ends(&parcel)) {
            return if parcel.number < line.next { Taken::Yes } else { Taken::Hole };
        }
        line.next += 1;
        for message in parcel.messages {
            if let SessionMessage::Ended(end) = message {
                line.finish(end);
                return Taken::Over;
            }
            let sent = line.to_desk.as_ref().map(|to_desk| to_desk.try_send(message));
            match sent {
                Some(Ok(())) => {}
                Some(Err(mpsc::error::TrySendError::Full(_))) => {
                    line.finish(SessionEnd::TooSlow);
                    return Taken::Over;
                }
                Some(Err(mpsc::error::TrySendError::Closed(_))) | None => return Taken::Over,
            }
        }
        Taken::Yes
    }

    /// Hands events on, whoever they come from.
    pub(super) fn pass_on(&self, parcel: Parcel) {
        let line = self.line();
        let Some(to_desk) = &line.to_desk else { return };
        for message in parcel.messages {
            if matches!(message, SessionMessage::Event(_)) {
                // A desk that is too slow is ended by what takes parcels in their order.
                let _ = to_desk.try_send(message);
            }
        }
    }

    /// Tells the desk that the session is over.
    pub(super) fn finish(&self, end: SessionEnd) {
        self.line().finish(end);
    }

    /// Notes a sign of life; true if it is the first since the last beat.
    pub(super) fn hear(&self) -> bool {
        !self.heard.swap(true, Ordering::AcqRel)
    }

    /// For a beat: the session's epoch, and signs of life count anew.
    pub(super) fn beat(&self) -> Option<(AgentId, Epoch)> {
        self.heard.store(false, Ordering::Release);
        Some((self.agent, self.line().epoch?))
    }

    /// The seat of the present attachment, for giving it up.
    pub(crate) fn present_seat(&self) -> Seat {
        self.seat_at(self.line().attempt)
    }
}

fn ends(parcel: &Parcel) -> bool {
    matches!(parcel.messages.first(), Some(SessionMessage::Ended(_)))
}

impl Line {
    /// What comes of the attempts so far no longer counts.
    fn begin_anew(&mut self) {
        self.attempt += 1;
        self.source = Source::default();
        self.next = 0;
    }

    fn finish(&mut self, end: SessionEnd) {
        self.to_desk = None;
        if let Some(last) = self.last.take() {
            last.send(SessionMessage::Ended(end));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use routing::DomainId;

    fn open(messages_max: usize) -> Opened {
        FrontSession::register(7, AgentId::new(DomainId(1), 1), ShardId(1), messages_max)
    }

    fn parcel(seat: Seat, number: u64, messages: Vec<SessionMessage>) -> Parcel {
        Parcel { seat, source: Source { term: 1, life: 1 }, number, messages }
    }

    fn ended() -> Vec<SessionMessage> {
        vec![SessionMessage::Ended(SessionEnd::Replaced)]
    }

    #[test]
    fn a_slow_desk_is_told_why_although_its_line_is_full() {
        let Opened { session, mut messages } = open(2);
        let seat = session.present_seat();
        session.line().source = Source { term: 1, life: 1 };
        session.line().next = 1;
        let changed = || vec![SessionMessage::InboxChanged];
        assert_eq!(session.take(parcel(seat, 1, changed())), Taken::Yes);
        assert_eq!(session.take(parcel(seat, 2, changed())), Taken::Yes);
        assert_eq!(session.take(parcel(seat, 3, changed())), Taken::Over);
        let mut got = Vec::new();
        while let Ok(message) = messages.try_recv() {
            got.push(message);
        }
        assert_eq!(got.last(), Some(&SessionMessage::Ended(SessionEnd::TooSlow)));
    }

    #[test]
    fn holes_and_former_attachments_are_recognised() {
        let Opened { session, mut messages } = open(8);
        let seat = session.present_seat();
        assert_eq!(session.take(parcel(seat, 1, vec![SessionMessage::InboxChanged])), Taken::Hole);
        session.opened(Epoch(1));
        session.detach();
        assert_eq!(session.take(parcel(seat, 0, ended())), Taken::Yes, "of a former attachment");
        assert!(messages.try_recv().is_err());
        assert_eq!(session.take(parcel(session.present_seat(), 0, ended())), Taken::Over);
        assert_eq!(messages.try_recv(), Ok(SessionMessage::Ended(SessionEnd::Replaced)));
    }

    #[test]
    fn a_shard_to_which_the_domain_moved_may_be_of_a_lower_term() {
        let Opened { session, mut messages } = open(8);
        session.opened(Epoch(1));
        session.line().source = Source { term: 9, life: 1 };
        session.detach();
        session.moved(ShardId(2));
        let source = Source { term: 5, life: 2 };
        let first = Parcel { source, ..parcel(session.present_seat(), 0, ended()) };
        assert_eq!(session.take(first), Taken::Over);
        assert_eq!(messages.try_recv(), Ok(SessionMessage::Ended(SessionEnd::Replaced)));
    }

    #[test]
    fn a_call_that_two_leaders_carry_out_attaches_to_the_later_one() {
        let Opened { session, mut messages } = open(8);
        let seat = session.present_seat();
        let of = |term: u64, life: u64, number: u64, messages| Parcel {
            source: Source { term, life },
            ..parcel(seat, number, messages)
        };
        let changed = || vec![SessionMessage::InboxChanged];
        session.line().source = Source { term: 5, life: 9 };
        session.line().next = 7;
        assert_eq!(session.take(of(5, 9, 7, changed())), Taken::Yes);
        assert_eq!(session.take(of(4, 3, 0, ended())), Taken::Yes, "of a leader that was");
        assert_eq!(messages.try_recv(), Ok(SessionMessage::InboxChanged));
        assert!(messages.try_recv().is_err());
        assert_eq!(session.take(of(6, 1, 1, changed())), Taken::Hole, "the later leader's first is missing");
        assert_eq!(session.take(of(6, 2, 0, ended())), Taken::Over, "the same term, begun again");
        assert_eq!(messages.try_recv(), Ok(SessionMessage::Ended(SessionEnd::Replaced)));
    }
}
