//! One agent's desk: a session stream that outlives nodes, offers accepted at once, contacts ended
//! when their time is over, presence by shifts.

use super::board::Stage;
use super::caller::is_unknown;
use super::desk_link::{Link, connect};
use super::desk_requests::{Intent, Pending, Requests};
use super::site::Site;
use super::target::Target;
use crate::checker::model::{Answer, Notice, Outcome, Said};
use proto::v1;
use proto::v1::desk_response::Message;
use proto::v1::notice::Notice as Told;
use routing::{AgentId, ConversationId, OfferId};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tonic::Code;
use uuid::Uuid;

/// Silence after which a desk says that it is there; the cluster allows 10 s.
const HEARTBEAT: Duration = Duration::from_secs(2);
/// Time for the goodbye.
const GOODBYE: Duration = Duration::from_secs(2);
/// Pause before the next node is tried.
const PAUSE: Duration = Duration::from_millis(50);
/// Longest pause.
const PAUSE_MAX: Duration = Duration::from_secs(1);

/// How far a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Phase {
    /// Desks connect.
    Connecting,
    /// The day runs.
    Running,
    /// Desks say goodbye.
    Leaving,
}

/// What a desk does when its log time has come.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Due {
    Presence(bool),
    End(ConversationId),
    AcceptLate(OfferId),
}

/// Why a stream ended.
enum End {
    Left,
    Lost,
    Stale,
}

pub(super) struct Desk {
    pub(super) target: Arc<Target>,
    pub(super) site: Arc<Site>,
    /// Place in the workload.
    pub(super) index: usize,
    pub(super) phase: watch::Receiver<Phase>,
    /// Told when the first welcome arrived.
    pub(super) connected: Option<tokio::sync::oneshot::Sender<()>>,
    state: State,
}

#[derive(Default)]
struct State {
    hello: Option<Uuid>,
    epoch: Option<u64>,
    cursor: u64,
    recorded_cursor: u64,
    scheduled: bool,
    wanted: bool,
    on_duty: bool,
    offers: BTreeSet<OfferId>,
    /// When the last offer of a conversation was made, log time.
    rang: BTreeMap<ConversationId, u64>,
    accepted: BTreeSet<OfferId>,
    /// Held; the log time at which the contact is to end.
    holdings: BTreeMap<ConversationId, u64>,
    due: BTreeMap<(u64, u64), Due>,
    dues: u64,
    requests: Requests,
}

impl State {
    fn plan(&mut self, log_us: u64, due: Due) {
        self.dues += 1;
        self.due.insert((log_us, self.dues), due);
    }
}

impl Desk {
    pub(super) fn new(
        target: Arc<Target>,
        site: Arc<Site>,
        index: usize,
        phase: watch::Receiver<Phase>,
        connected: tokio::sync::oneshot::Sender<()>,
    ) -> Self {
        Self { target, site, index, phase, connected: Some(connected), state: State::default() }
    }

    fn agent(&self) -> AgentId {
        self.site.agents[self.index]
    }

    /// Until the run leaves.
    pub(super) async fn run(mut self) {
        let mut attempt = 0;
        let mut pause = PAUSE;
        while *self.phase.borrow() != Phase::Leaving {
            let hello = v1::Hello {
                agent: self.agent().to_string(),
                request_id: self.state.hello.get_or_insert_with(Uuid::now_v7).to_string(),
                cursor: self.state.epoch.map(|_| self.state.cursor),
                epoch: self.state.epoch,
            };
            let way = self.target.stream(self.index, attempt);
            let end = match connect(way, hello).await {
                Some(link) => {
                    let before = self.state.hello;
                    let end = self.serve(link).await;
                    if self.state.hello != before {
                        pause = PAUSE;
                    }
                    end
                }
                None => End::Lost,
            };
            match end {
                End::Left => return,
                End::Stale => {
                    self.state.epoch = None;
                    self.state.hello = None;
                }
                End::Lost => {}
            }
            attempt += 1;
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(PAUSE_MAX);
        }
    }

    async fn serve(&mut self, mut link: Link) -> End {
        let mut heartbeat = tokio::time::interval(HEARTBEAT);
        heartbeat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut welcomed = false;
        loop {
            if welcomed && *self.phase.borrow() == Phase::Leaving {
                let bye = v1::desk_request::Message::Bye(v1::Bye {});
                let _ = link.send(0, bye).await;
                let _ = tokio::time::timeout(GOODBYE, link.drain()).await;
                return End::Left;
            }
            if welcomed && !self.state.scheduled && *self.phase.borrow() == Phase::Running {
                self.schedule();
            }
            let wake = if welcomed { self.next_wake() } else { Instant::now() + Duration::from_secs(15) };
            tokio::select! {
                response = link.next() => {
                    let Some(response) = response else { return End::Lost };
                    if let Some(Message::Welcome(_)) = &response.message {
                        welcomed = true;
                        self.state.hello = None;
                    }
                    if let Err(end) = self.read(response, &link).await {
                        return end;
                    }
                }
                () = tokio::time::sleep_until(tokio::time::Instant::from_std(wake)) => {
                    if !welcomed {
                        return End::Lost;
                    }
                    if self.act(&link).await.is_err() {
                        return End::Lost;
                    }
                }
                _ = heartbeat.tick(), if welcomed => {
                    let beat = v1::desk_request::Message::Heartbeat(v1::Heartbeat {});
                    if link.send(0, beat).await.is_err() {
                        return End::Lost;
                    }
                }
                changed = self.phase.changed() => {
                    if changed.is_err() {
                        return End::Left;
                    }
                }
            }
        }
    }

    /// Shifts become due moments.
    fn schedule(&mut self) {
        self.state.scheduled = true;
        let shifts = self.site.workload.agents[self.index].shifts.clone();
        for shift in shifts {
            let (from, to) = (self.site.log_us(shift.from), self.site.log_us(shift.to));
            self.state.plan(from, Due::Presence(true));
            self.state.plan(to, Due::Presence(false));
        }
    }

    /// The next moment at which something is to be done.
    fn next_wake(&self) -> Instant {
        let far = Instant::now() + Duration::from_secs(3_600);
        let due = self.state.due.iter().next().map(|((log_us, _), due)| {
            // The end of a contact is to be stamped with its moment, not sent at it.
            let lead = if matches!(due, Due::End(_)) { self.site.end_lead.us() } else { 0 };
            self.site.clock.real_at(log_us.saturating_sub(lead))
        });
        let retry = self.state.requests.next_retry();
        far.min(due.unwrap_or(far)).min(retry.unwrap_or(far))
    }

    /// Does what is due.
    async fn act(&mut self, link: &Link) -> Result<(), ()> {
        let now = Instant::now();
        let log_us = self.site.clock.log_at(now);
        while let Some((key, due)) = self.state.due.iter().next().map(|(key, due)| (*key, due.clone())) {
            let lead = if matches!(due, Due::End(_)) { self.site.end_lead.us() } else { 0 };
            if key.0.saturating_sub(lead) > log_us {
                break;
            }
            self.state.due.remove(&key);
            match due {
                Due::Presence(available) => {
                    self.state.wanted = available;
                    self.presence(link, available).await?;
                }
                Due::End(conversation) => {
                    if self.state.holdings.contains_key(&conversation) {
                        let intent = Intent::End { conversation, due_us: key.0 };
                        self.ask(link, intent).await?;
                    }
                }
                Due::AcceptLate(offer) => self.ask(link, Intent::Accept(offer)).await?,
            }
        }
        for pending in self.state.requests.take_due(now) {
            if now >= pending.deadline {
                self.site.recorder.call(
                    pending.request.as_u128(),
                    pending.asked.clone(),
                    pending.sent,
                    Outcome::Unknown,
                );
                self.site.recorder.settled(&Outcome::Unknown);
                continue;
            }
            self.site.recorder.call(
                pending.request.as_u128(),
                pending.asked.clone(),
                pending.sent,
                Outcome::Unknown,
            );
            self.send(link, pending.again()).await?;
        }
        Ok(())
    }

    async fn presence(&mut self, link: &Link, available: bool) -> Result<(), ()> {
        self.ask(link, Intent::Presence(available)).await
    }

    async fn ask(&mut self, link: &Link, intent: Intent) -> Result<(), ()> {
        let epoch = self.state.epoch.unwrap_or(0);
        let deadline = Instant::now() + self.site.patience;
        let pending = Pending::new(intent, self.agent(), epoch, deadline);
        self.send(link, pending).await
    }

    async fn send(&mut self, link: &Link, pending: Pending) -> Result<(), ()> {
        let message = pending.message();
        let tag = self.state.requests.add(pending);
        link.send(tag, message).await
    }

    async fn read(&mut self, response: v1::DeskResponse, link: &Link) -> Result<(), End> {
        let now = Instant::now();
        self.state.cursor = response.cursor;
        match response.message {
            Some(Message::Welcome(welcome)) => {
                self.welcome(welcome, link, now).await.map_err(|()| End::Lost)?
            }
            Some(Message::Reply(reply)) => self.reply(reply, now)?,
            Some(Message::Notice(notice)) => {
                self.notice(notice, response.cursor, link, now).await?;
            }
            Some(Message::HeartbeatAck(_)) | None => {}
        }
        self.saw(Said::Other);
        self.tell_board();
        Ok(())
    }

    /// For the checker; something that is nothing but a cursor is written down when it moved.
    fn saw(&mut self, said: Said) {
        let cursor = self.state.cursor;
        if said == Said::Other && cursor == self.state.recorded_cursor {
            return;
        }
        self.state.recorded_cursor = cursor;
        let epoch = self.state.epoch.unwrap_or(0);
        self.site.recorder.notice(Notice { agent: self.agent(), epoch, cursor, said });
    }

    fn tell_board(&self) {
        let work = self.state.offers.len() + self.state.holdings.len();
        self.site.board.desk(self.index, self.state.on_duty, work);
    }

    /// Everything anew: what is shown beyond it is over.
    async fn welcome(&mut self, welcome: v1::Welcome, link: &Link, now: Instant) -> Result<(), ()> {
        self.state.epoch = Some(welcome.epoch);
        self.state.cursor = welcome.cursor;
        self.saw(Said::Welcome);
        self.site.clock.observe(welcome.now_us, None, now);
        if let Some(connected) = self.connected.take() {
            let _ = connected.send(());
        }
        // What was under way and unanswered is asked again, with the ids and the epoch it had.
        for pending in self.state.requests.all() {
            self.send(link, pending.again()).await?;
        }
        let agent = welcome.agent.unwrap_or_default();
        self.state.on_duty = is_available(agent.intent.as_ref());
        let held: BTreeSet<ConversationId> =
            agent.holdings.iter().filter_map(|holding| holding.conversation.parse().ok()).collect();
        let over: Vec<ConversationId> =
            self.state.holdings.keys().filter(|id| !held.contains(id)).copied().collect();
        for id in over {
            self.state.holdings.remove(&id);
        }
        for holding in agent.holdings.iter().filter(|holding| !holding.wrapping) {
            if let Ok(id) = holding.conversation.parse() {
                self.assigned(id, welcome.now_us);
            }
        }
        self.state.offers.clear();
        for offer in &agent.offers {
            self.offered(offer, link).await?;
        }
        let asked = self.state.requests.wants_presence();
        if self.state.on_duty != self.state.wanted && !asked {
            self.presence(link, self.state.wanted).await?;
        }
        Ok(())
    }

    fn reply(&mut self, reply: v1::Reply, now: Instant) -> Result<(), End> {
        use v1::reply::Result as Answered;
        let Some(pending) = self.state.requests.answered(reply.tag) else { return Ok(()) };
        let recorder = &self.site.recorder;
        let request = pending.request.as_u128();
        let (receipt, conversation) = match reply.result {
            Some(Answered::Done(receipt)) => (Some(receipt), None),
            Some(Answered::Accepted(accepted)) => (accepted.receipt, accepted.conversation.parse().ok()),
            Some(Answered::Failure(failure)) => {
                let code = Code::from_i32(failure.code);
                if is_unknown(code, &failure.reason) {
                    let pause = Duration::from_millis(failure.retry_after_ms.clamp(20, 1_000));
                    self.state.requests.later(pending, now + pause);
                    return Ok(());
                }
                let outcome = Outcome::Refused(failure.reason.clone());
                recorder.call(request, pending.asked.clone(), pending.sent, outcome.clone());
                recorder.settled(&outcome);
                if let Intent::Accept(offer) = pending.intent {
                    self.state.offers.remove(&offer);
                }
                return if failure.reason == "STALE_EPOCH" { Err(End::Stale) } else { Ok(()) };
            }
            _ => return Ok(()),
        };
        let Some(receipt) = receipt else { return Ok(()) };
        let answer = Answer { sequence: receipt.sequence, conversation, offer: None };
        let outcome = Outcome::Done(answer);
        recorder.call(request, pending.asked.clone(), pending.sent, outcome.clone());
        recorder.settled(&outcome);
        if pending.attempts == 1 {
            self.site.clock.observe(receipt.at_us, Some(pending.sent), now);
        }
        match pending.intent {
            Intent::Accept(offer) => {
                self.site.board.accept_latency.record(now.saturating_duration_since(pending.first_sent));
                self.state.offers.remove(&offer);
                if let Some(conversation) = conversation {
                    self.assigned(conversation, receipt.at_us);
                }
            }
            Intent::End { due_us, .. } if pending.attempts == 1 => {
                self.site.end_lead.learn(due_us, receipt.at_us, self.site.clock.speed());
            }
            _ => {}
        }
        Ok(())
    }

    /// The contact is this desk's from that log time on. It ends its service time after the offer
    /// was made: the desk answers at once, so the way of the accept, which a high speed makes long,
    /// keeps the agent no longer than the workload says.
    fn assigned(&mut self, conversation: ConversationId, at_us: u64) {
        if self.state.holdings.contains_key(&conversation) {
            return;
        }
        let call = self.site.board.call_of(conversation);
        let service = call.map_or(0, |call| self.site.workload.calls[call].service.0);
        let began_us = self.state.rang.remove(&conversation).unwrap_or(at_us).min(at_us);
        let ends_us = began_us.saturating_add(service).max(at_us);
        self.state.holdings.insert(conversation, ends_us);
        self.state.plan(ends_us, Due::End(conversation));
        if let Some(call) = call {
            self.site.board.moves(call, Stage::Taken);
        }
    }

    async fn offered(&mut self, offer: &v1::Offer, link: &Link) -> Result<(), ()> {
        let (Ok(id), Ok(conversation)) = (offer.id.parse::<OfferId>(), offer.conversation.parse()) else {
            return Ok(());
        };
        self.saw(Said::Offered(id, conversation));
        self.state.offers.insert(id);
        self.state.rang.insert(conversation, offer.made_at_us);
        let call = self.site.call_of(&offer.customer).or_else(|| self.site.board.call_of(conversation));
        if let Some(call) = call {
            self.site.board.rings(call, conversation);
        }
        if !self.state.accepted.insert(id) {
            // Shown again after a reconnection; asked for already, and asked again there.
            if self.state.requests.accepts(id) {
                return Ok(());
            }
        }
        let manners = self.site.manners;
        let luck = luck(id);
        if luck < manners.reject {
            self.ask(link, Intent::Reject(id)).await
        } else if luck < manners.reject + manners.fickle {
            self.ask(link, Intent::Reject(id)).await?;
            self.ask(link, Intent::Accept(id)).await
        } else if luck < manners.reject + manners.fickle + manners.late {
            let past = Duration::from_millis(50).mul_f64(self.site.clock.speed());
            let past_us = u64::try_from(past.as_micros()).unwrap_or(u64::MAX);
            self.state.plan(offer.deadline_us.saturating_add(past_us), Due::AcceptLate(id));
            Ok(())
        } else {
            self.ask(link, Intent::Accept(id)).await
        }
    }

    async fn notice(
        &mut self,
        notice: v1::Notice,
        cursor: u64,
        link: &Link,
        now: Instant,
    ) -> Result<(), End> {
        self.state.cursor = cursor;
        self.site.clock.observe(notice.at_us, None, now);
        match notice.notice {
            Some(Told::Offered(offer)) => self.offered(&offer, link).await.map_err(|()| End::Lost)?,
            Some(Told::OfferEnded(ended)) => {
                if let Ok(offer) = ended.offer.parse() {
                    self.state.offers.remove(&offer);
                }
                let conversation = ended.conversation.parse().ok();
                if let Some(id) = conversation.filter(|_| ended.end != "accepted") {
                    self.state.rang.remove(&id);
                }
                let call = conversation.and_then(|id| self.site.board.call_of(id));
                if let Some(call) = call.filter(|_| ended.end != "accepted") {
                    let over = matches!(ended.why.as_str(), "abandoned" | "closed" | "expired");
                    self.site.board.moves(call, if over { Stage::Over } else { Stage::Waiting });
                }
            }
            Some(Told::Assigned(assigned)) => {
                if let Ok(conversation) = assigned.conversation.parse() {
                    if let Ok(offer) = assigned.offer.parse() {
                        self.state.offers.remove(&offer);
                    }
                    self.saw(Said::Assigned(conversation));
                    self.assigned(conversation, notice.at_us);
                }
            }
            Some(Told::Released(released)) => {
                if let Ok(conversation) = released.conversation.parse() {
                    self.state.holdings.remove(&conversation);
                }
            }
            Some(Told::Ended(ended)) => {
                if let Ok(conversation) = ended.conversation.parse() {
                    self.state.holdings.remove(&conversation);
                    if let Some(call) = self.site.board.call_of(conversation) {
                        self.site.board.moves(call, Stage::Over);
                    }
                }
            }
            Some(Told::Presence(intent)) => self.state.on_duty = is_available(Some(&intent)),
            Some(Told::SessionEnded(_)) => return Err(End::Stale),
            // The customer of a load is on the line as soon as the agent is.
            Some(Told::Connecting(connecting)) => {
                if let Ok(offer) = connecting.offer.parse() {
                    self.ask(link, Intent::Connect(offer)).await.map_err(|()| End::Lost)?;
                }
            }
            // The desks of a load ask nobody for advice.
            Some(
                Told::Wrapping(_)
                | Told::InboxChanged(_)
                | Told::IdleChanged(_)
                | Told::Consulting(_)
                | Told::ConsultEnded(_),
            )
            | None => {}
        }
        Ok(())
    }
}

fn is_available(intent: Option<&v1::Intent>) -> bool {
    intent.is_some_and(|intent| matches!(intent.intent, Some(v1::intent::Intent::Available(_))))
}

/// A number between 0 and 1 that depends on the offer alone, so that the same offers meet the same
/// manners.
#[expect(clippy::cast_precision_loss, reason = "a share")]
fn luck(offer: OfferId) -> f64 {
    let mut x =
        offer.number.wrapping_add(u64::from(offer.domain.0) << 32).wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((x ^ (x >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
}
