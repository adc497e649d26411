//! One agent's desk: a session stream that outlives nodes, and a human in front of it.

mod consult;
mod intent;
mod link;
mod messages;
mod state;
mod tab;

use super::Phase;
use super::caller::{Caller, Manner, Settled, timed};
use super::realm::Realm;
use super::request::{request_id, text};
use crate::checks::{Asked, Call, Outcome, Said, Sight, now_us};
use crate::determinism::Draw;
use crate::plan::LoadPlan;
use intent::{Intent, Pending, Presence};
use link::{Link, Lost};
use proto::v1;
use proto::v1::agent_desk_client::AgentDeskClient;
use proto::v1::desk_request::Message;
use proto::v1::transfer_target::Target;
use routing::{AgentId, ConversationId, OfferId};
use state::{Due, Fate, Line, State};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// Silence after which a desk says that it is there; the cluster allows 10 s.
const BEAT: Duration = Duration::from_millis(2_000);
/// Time for one attempt on a stream that lives.
const ATTEMPT: Duration = Duration::from_secs(3);
/// Attempts of one intent; then the agent thinks of something else.
const ATTEMPTS_MAX: u32 = 6;
/// Pause before the next node is tried, doubled each time.
const PAUSE: Duration = Duration::from_millis(100);
/// Longest pause.
const PAUSE_MAX: Duration = Duration::from_millis(1_500);
/// Time for a welcome.
const WELCOME: Duration = Duration::from_secs(6);
/// A hello that found no welcome for so long is said anew: its request id may be too old by now.
const HELLO: Duration = Duration::from_secs(20);
/// A stream without a word for so long is dead.
const SILENCE: Duration = Duration::from_secs(6);
/// How long anything takes once everybody is to finish.
const SOON_MS: u64 = 300;

/// Why a stream ended.
enum End {
    /// It broke; the session goes on elsewhere.
    Lost,
    /// It was dropped on purpose, for a time.
    Dropped(Duration),
    /// The session is over.
    Over(String),
    /// The desk's epoch is an older one.
    Stale,
    /// The run is over.
    Run,
}

pub(super) struct Desk {
    realm: Arc<Realm>,
    agent: AgentId,
    caller: Caller,
    load: LoadPlan,
    /// For consultations alone.
    consults: Draw,
    state: State,
    heard: Instant,
    spawned: u64,
}

impl Desk {
    pub(super) fn new(realm: Arc<Realm>, agent: AgentId, caller: Caller, load: LoadPlan) -> Self {
        let heard = Instant::now();
        let consults = caller.draw.child("consults");
        Self { realm, agent, caller, load, consults, state: State::default(), heard, spawned: 0 }
    }

    fn phase(&self) -> Phase {
        *self.caller.phase.borrow()
    }

    /// Whether mischief is still allowed.
    fn plays(&self) -> bool {
        self.phase() == Phase::Safety
    }

    fn count(&self, name: &'static str) {
        self.realm.history.count("desk_did", name);
    }

    /// Until the run is over or the agent is deleted.
    pub(super) async fn run(mut self) {
        let first = self.caller.draw.millis(0, 500);
        self.caller.sleep(first).await;
        self.plan_mischief();
        let mut pause = PAUSE;
        let mut node = None;
        while self.phase() != Phase::Over && !self.realm.is_quarantined() {
            let (at, line) = self.caller.lines.draw(&mut self.caller.draw, node);
            node = Some(at);
            let hello = self.hello();
            let number = self.realm.history.stream();
            let resumed = self.state.epoch;
            let end = match Link::open(at, line, number, hello).await {
                Some(link) => self.serve(link).await,
                None => End::Lost,
            };
            // Whatever was under way on it is unknown, and sent again on the next.
            self.unanswered();
            if self.state.hello.is_none() {
                pause = PAUSE;
            }
            match end {
                End::Run => return,
                End::Lost => {}
                End::Dropped(away) => {
                    self.caller.sleep(if self.plays() { away } else { PAUSE }).await;
                    self.come_back();
                }
                End::Over(reason) => {
                    if reason == "agent_deleted" {
                        return;
                    }
                    if let Some(epoch) = resumed.or(self.state.epoch)
                        && matches!(reason.as_str(), "replaced" | "logged_out")
                    {
                        self.stale_word(epoch);
                    }
                    if !matches!(reason.as_str(), "too_slow" | "unreachable" | "stopping") {
                        self.forget_session();
                    }
                    if reason == "replaced" || reason == "closed" {
                        let away = self.caller.draw.millis(300, 4_000);
                        self.caller.sleep(if self.plays() { away } else { PAUSE }).await;
                    }
                }
                End::Stale => self.forget_session(),
            }
            self.caller.sleep(pause).await;
            pause = (pause * 2).min(PAUSE_MAX);
        }
    }

    fn hello(&mut self) -> v1::Hello {
        let said = self.state.hello.filter(|(_, at)| at.elapsed() < HELLO);
        let (id, at) = said.unwrap_or_else(|| (request_id(&mut self.caller.draw), Instant::now()));
        self.state.hello = Some((id, at));
        let (cursor, epoch) = match self.state.epoch {
            Some(epoch) => (Some(self.state.cursor), Some(epoch)),
            None => (None, None),
        };
        v1::Hello { agent: self.agent.to_string(), request_id: text(id), cursor, epoch }
    }

    /// The next hello is another intent, of a desk that remembers nothing.
    fn forget_session(&mut self) {
        self.state.hello = None;
        self.state.epoch = None;
        self.state.pending.clear();
    }

    /// After a while away: with the session it had, with none, or with one that is older still.
    fn come_back(&mut self) {
        let luck = self.caller.draw.unit();
        if luck < 0.2 {
            self.count("came_back_anew");
            self.forget_session();
        } else if luck < 0.3 {
            self.count("came_back_stale");
            self.state.epoch = self.state.epoch.map(|epoch| epoch.saturating_sub(1).max(1));
            self.state.hello = None;
            self.state.pending.clear();
        } else if self.state.epoch.is_some() {
            self.count("resumed");
        }
    }

    /// A tab of the session that is over tries something.
    fn stale_word(&mut self, epoch: u64) {
        if !self.plays() || !self.caller.draw.chance(0.5) {
            return;
        }
        self.count("stale_word");
        let offer = self.state.offers.keys().next().copied();
        let held = self.state.held.keys().next().copied();
        let intent = match (offer, held) {
            (Some(offer), _) => Intent::Accept(offer),
            (None, Some(id)) => Intent::End(id),
            (None, None) => Intent::Presence(Presence::Available),
        };
        self.unary(intent, epoch, Manner::ORDINARY);
    }

    /// Calls by the unary twin, beside the stream.
    fn unary(&mut self, intent: Intent, epoch: u64, manner: Manner) {
        self.spawned += 1;
        let request = request_id(&mut self.caller.draw);
        let mut caller = self.caller.child(&format!("unary {}", self.spawned));
        let agent = self.agent;
        self.realm.history.count("desk_did", "unary");
        tokio::spawn(async move {
            let Some(asked) = intent.asked(agent, epoch) else { return };
            unary(&mut caller, &asked, intent.message(agent, epoch, request), request, manner).await;
        });
    }

    fn plan_mischief(&mut self) {
        let now = Instant::now();
        if let Some(flap) = self.load.flap {
            let after = self.caller.draw.exponential(flap);
            self.state.plan(now + after, Due::Drop);
            let after = self.caller.draw.exponential(flap * 4);
            self.state.plan(now + after, Due::Tab);
        }
        let after = self.caller.draw.exponential(Duration::from_secs(40));
        self.state.plan(now + after, Due::Presence(Presence::Away));
        let after = self.caller.draw.exponential(Duration::from_secs(120));
        self.state.plan(now + after, Due::Bye);
        let mut fate = self.caller.draw.child("vanish");
        if fate.chance(self.load.vanish) {
            self.state.plan(now + fate.exponential(Duration::from_secs(20)), Due::Vanish);
        }
    }

    async fn serve(&mut self, mut link: Link) -> End {
        let opened = Instant::now();
        let mut welcomed = false;
        let mut finishing = !self.plays();
        self.heard = opened;
        loop {
            if self.phase() == Phase::Over {
                return End::Run;
            }
            if welcomed && !finishing && !self.plays() {
                finishing = true;
                self.finish();
            }
            let wake = match self.state.next().filter(|_| welcomed) {
                Some(next) => next,
                None => opened + WELCOME,
            };
            tokio::select! {
                biased;
                response = link.next() => {
                    let Some(response) = response else { return End::Lost };
                    self.heard = Instant::now();
                    let first = !welcomed && matches!(response.message, Some(v1::desk_response::Message::Welcome(_)));
                    welcomed |= first;
                    if let Err(end) = self.read(response, &link, first) {
                        return end;
                    }
                }
                () = sleep_until(wake) => {
                    let silent = self.heard.elapsed() > SILENCE;
                    if !welcomed || silent {
                        return End::Lost;
                    }
                    match self.act(&link) {
                        Ok(None) => {}
                        Ok(Some(end)) => return end,
                        Err(Lost) => return End::Lost,
                    }
                }
                changed = self.caller.phase.changed() => {
                    if changed.is_err() {
                        return End::Run;
                    }
                }
            }
        }
    }

    /// Everybody is to finish: what the agent had in mind is forgotten.
    fn finish(&mut self) {
        let now = Instant::now();
        self.state.unplan(|due| !matches!(due, Due::Beat));
        for offer in self.unanswered_offers() {
            let after = self.soon();
            let accepted = self.state.connecting.contains(&offer);
            let due =
                if accepted { Due::Connect(offer, Line::Made) } else { Due::Offer(offer, Fate::Accept) };
            self.state.plan(now + after, due);
        }
        for id in self.state.held.keys().copied().collect::<Vec<_>>() {
            let after = self.soon();
            self.look_at(id, now + after);
        }
        let after = self.soon();
        self.state.plan(now + after, Due::Inbox);
        let after = self.soon();
        self.state.plan(now + after, Due::Presence(Presence::Available));
    }

    /// Its offers, but those of parts in consultations that it has accepted: there the owner says what follows.
    fn unanswered_offers(&self) -> Vec<OfferId> {
        let offers = self.state.offers.keys().copied();
        offers.filter(|offer| !self.state.advising.contains_key(offer)).collect()
    }

    fn soon(&mut self) -> Duration {
        self.caller.draw.millis(10, SOON_MS)
    }

    fn look_at(&mut self, id: ConversationId, at: Instant) {
        if let Some(held) = self.state.held.get_mut(&id) {
            held.due = at;
            self.state.plan(at, Due::Held(id));
        }
    }

    /// Does what is due.
    fn act(&mut self, link: &Link) -> Result<Option<End>, Lost> {
        let now = Instant::now();
        while let Some(due) = self.state.take_due(now) {
            match due {
                Due::Beat => self.beat(link)?,
                Due::Offer(offer, fate) => self.decide(link, offer, fate)?,
                Due::Connect(offer, line) => self.connect(link, offer, line)?,
                Due::Held(id) => self.held(link, id)?,
                Due::Consult(id, step) => self.consult(link, id, step)?,
                Due::Advised(offer) => self.advised(link, offer)?,
                Due::Inbox => {
                    if !self.state.wants(&Intent::Inbox) {
                        self.ask(link, Intent::Inbox)?;
                    }
                }
                Due::Presence(presence) => self.presence(link, presence)?,
                Due::OwnBreak => {
                    if self.plays() && !self.state.available {
                        self.count("own_break");
                        self.ask(link, Intent::Presence(Presence::Away))?;
                    }
                }
                Due::Drop => {
                    if let Some(flap) = self.load.flap.filter(|_| self.plays()) {
                        let after = self.caller.draw.exponential(flap);
                        let away = self.away();
                        self.state.plan(now + away + after, Due::Drop);
                        self.count("dropped");
                        return Ok(Some(End::Dropped(away)));
                    }
                }
                Due::Bye => {
                    if self.plays() {
                        let after = self.caller.draw.exponential(Duration::from_secs(120));
                        self.state.plan(now + after, Due::Bye);
                        self.count("bye");
                        self.state.tags += 1;
                        link.send(self.state.tags, Message::Bye(v1::Bye {}))?;
                    }
                }
                Due::Vanish => {
                    if self.plays() {
                        self.realm.history.vanished(self.agent);
                        return Ok(Some(End::Run));
                    }
                }
                Due::Tab => {
                    if let Some(flap) = self.load.flap.filter(|_| self.plays()) {
                        let after = self.caller.draw.exponential(flap * 4);
                        self.state.plan(now + after, Due::Tab);
                        self.count("tab");
                        self.spawned += 1;
                        let caller = self.caller.child(&format!("tab {}", self.spawned));
                        tokio::spawn(tab::run(self.agent, caller));
                    }
                }
            }
        }
        let again: Vec<u64> = self
            .state
            .pending
            .iter()
            .filter(|(_, pending)| pending.again <= now)
            .map(|(tag, _)| *tag)
            .collect();
        for tag in again {
            let Some(pending) = self.state.pending.remove(&tag) else { continue };
            self.written(&pending, Outcome::Unknown);
            if pending.attempts < ATTEMPTS_MAX {
                self.send(link, pending)?;
            }
        }
        Ok(None)
    }

    /// How long a desk that drops stays away: mostly shorter than its lease.
    fn away(&mut self) -> Duration {
        let luck = self.caller.draw.unit();
        if luck < 0.6 {
            self.caller.draw.millis(50, 3_000)
        } else if luck < 0.85 {
            self.caller.draw.millis(3_000, 9_000)
        } else {
            self.caller.draw.millis(10_000, 16_000)
        }
    }

    fn beat(&mut self, link: &Link) -> Result<(), Lost> {
        let now = Instant::now();
        link.send(0, Message::Heartbeat(v1::Heartbeat {}))?;
        self.state.plan(now + BEAT, Due::Beat);
        if !self.plays() {
            // Whatever did not work is tried again.
            if !self.state.available && !self.state.wants_presence() {
                self.ask(link, Intent::Presence(Presence::Available))?;
            }
            self.state.plan(now, Due::Inbox);
            for offer in self.unanswered_offers() {
                let accepted = self.state.connecting.contains(&offer);
                let intent = if accepted { Intent::Connect(offer) } else { Intent::Accept(offer) };
                if !self.state.wants(&intent) {
                    self.ask(link, intent)?;
                }
            }
        }
        Ok(())
    }

    /// Does as it decided about a connection, if that is still to be made.
    fn connect(&mut self, link: &Link, offer: OfferId, line: Line) -> Result<(), Lost> {
        let live = self.state.connecting.contains(&offer);
        match line {
            Line::TooLate if self.plays() => {
                self.count("connected_late");
                self.ask(link, Intent::Connect(offer))
            }
            _ if !live => Ok(()),
            Line::Failed => self.ask(link, Intent::Fail(offer)),
            Line::Made | Line::TooLate => self.ask(link, Intent::Connect(offer)),
        }
    }

    fn decide(&mut self, link: &Link, offer: OfferId, fate: Fate) -> Result<(), Lost> {
        let live = self.state.offers.contains_key(&offer);
        if !live && !matches!(fate, Fate::Late) {
            if self.plays() && self.caller.draw.chance(0.1) {
                self.count("accepted_stale");
                return self.ask(link, Intent::Accept(offer));
            }
            return Ok(());
        }
        // Now and then it says that it is connected before it has accepted.
        if self.plays() && offer.number.is_multiple_of(29) {
            self.count("connected_early");
            self.ask(link, Intent::Connect(offer))?;
        }
        match fate {
            Fate::Accept | Fate::Late => {
                if fate == Fate::Late {
                    self.count("accepted_late");
                }
                if self.plays() && self.caller.draw.chance(self.load.unary) {
                    let epoch = self.state.epoch.unwrap_or(0);
                    self.unary(Intent::Accept(offer), epoch, Manner::ORDINARY);
                    return Ok(());
                }
                self.ask(link, Intent::Accept(offer))
            }
            Fate::AcceptTwice => {
                self.count("accepted_twice");
                self.ask(link, Intent::Accept(offer))?;
                self.ask(link, Intent::Accept(offer))
            }
            Fate::Reject => self.ask(link, Intent::Reject(offer)),
            Fate::Fickle => {
                self.count("fickle");
                self.ask(link, Intent::Reject(offer))?;
                self.ask(link, Intent::Accept(offer))
            }
            Fate::Ignore => Ok(()),
        }
    }

    /// The time of a conversation that is held has come.
    fn held(&mut self, link: &Link, id: ConversationId) -> Result<(), Lost> {
        let Some(held) = self.state.held.get(&id).copied() else { return Ok(()) };
        let now = Instant::now();
        if held.due > now {
            return Ok(());
        }
        // Once more, should it still be here by then.
        self.look_at(id, now + ATTEMPT + ATTEMPT / 2);
        if held.wrapping {
            if !self.plays() || self.caller.draw.chance(0.7) {
                self.ask(link, Intent::Complete(id))?;
            }
            return Ok(());
        }
        let transfers = self.plays() && self.caller.draw.chance(self.load.transfer);
        let intent = if transfers { self.transfer(id) } else { Intent::End(id) };
        if self.plays() && self.caller.draw.chance(self.load.unary) {
            let epoch = self.state.epoch.unwrap_or(0);
            self.unary(intent, epoch, Manner::ORDINARY);
            return Ok(());
        }
        self.ask(link, intent)
    }

    fn transfer(&mut self, id: ConversationId) -> Intent {
        let draw = &mut self.caller.draw;
        let extra: Vec<_> = self.realm.changes().queues.iter().copied().collect();
        let far = self.realm.history.some_touchpoint(id, draw.bits());
        let target = match (draw.range(0, 7), far) {
            (6..=7, Some(far)) => {
                return Intent::Transfer(id, Target::Touchpoint(far.to_string()), fallback(draw));
            }
            (0..=1, _) => Target::Agent(draw.pick(&self.realm.agents).id.to_string()),
            (2, _) if !extra.is_empty() => Target::Queue(draw.pick(&extra).to_string()),
            (5, _) => Target::Inbox(draw.pick(&self.realm.queues).0.to_string()),
            _ => Target::Queue(draw.pick(&self.realm.queues).0.to_string()),
        };
        Intent::Transfer(id, target, fallback(draw))
    }

    fn presence(&mut self, link: &Link, presence: Presence) -> Result<(), Lost> {
        let now = Instant::now();
        if !self.plays() {
            if !self.state.available && !self.state.wants_presence() {
                self.ask(link, Intent::Presence(Presence::Available))?;
            }
            return Ok(());
        }
        if presence == Presence::Available {
            if self.state.available {
                return Ok(());
            }
        } else {
            let back = self.caller.draw.millis(500, 6_000);
            self.state.plan(now + back, Due::Presence(Presence::Available));
            let after = back + self.caller.draw.exponential(Duration::from_secs(40));
            let next = *self.caller.draw.pick(&[Presence::Away, Presence::Draining]);
            self.state.plan(now + after, Due::Presence(next));
        }
        self.ask(link, Intent::Presence(presence))
    }

    fn ask(&mut self, link: &Link, intent: Intent) -> Result<(), Lost> {
        let request = request_id(&mut self.caller.draw);
        self.ask_as(link, intent, request)
    }

    fn ask_as(&mut self, link: &Link, intent: Intent, request: u128) -> Result<(), Lost> {
        let epoch = self.state.epoch.unwrap_or(0);
        let (sent_us, again) = (now_us(), Instant::now() + ATTEMPT);
        let node = link.node;
        self.send(
            link,
            Pending { intent, request, epoch, sent_us, node, in_flight: false, again, attempts: 0 },
        )
    }

    fn send(&mut self, link: &Link, mut pending: Pending) -> Result<(), Lost> {
        pending.attempts += 1;
        pending.sent_us = now_us();
        pending.again = Instant::now() + ATTEMPT;
        (pending.node, pending.in_flight) = (link.node, true);
        let message = pending.intent.message(self.agent, pending.epoch, pending.request);
        self.state.tags += 1;
        let tag = self.state.tags;
        if let Some(asked) = pending.intent.asked(self.agent, pending.epoch) {
            self.realm.history.sent(self.realm.domain, &asked);
        }
        self.state.pending.insert(tag, pending);
        link.send(tag, message)
    }

    /// Writes an attempt down, unless that was done.
    fn written(&self, pending: &Pending, outcome: Outcome) {
        if !pending.in_flight {
            return;
        }
        let Some(asked) = pending.intent.asked(self.agent, pending.epoch) else {
            self.realm.history.count("inbox", outcome.name());
            return;
        };
        self.realm.history.call(Call {
            domain: Some(self.realm.domain),
            request: pending.request,
            asked,
            node: pending.node,
            sent_us: pending.sent_us,
            returned_us: now_us(),
            outcome,
        });
    }

    /// The stream is gone: what is under way is sent again on the next one, by its own id.
    fn unanswered(&mut self) {
        self.state.unplan(|due| matches!(due, Due::Beat));
        for tag in self.state.pending.keys().copied().collect::<Vec<_>>() {
            let Some(mut pending) = self.state.pending.remove(&tag) else { continue };
            self.written(&pending, Outcome::Unknown);
            pending.in_flight = false;
            self.state.pending.insert(tag, pending);
        }
    }

    fn sight(&mut self, link: &Link, said: Said) {
        self.state.written_cursor = self.state.cursor;
        self.realm.history.sight(Sight {
            agent: self.agent,
            epoch: self.state.epoch.unwrap_or(0),
            stream: link.number,
            at_us: now_us(),
            cursor: self.state.cursor,
            said,
        });
    }
}

/// Calls one of the unary twins.
pub(super) async fn unary(
    caller: &mut Caller,
    asked: &Asked,
    message: Message,
    request: u128,
    manner: Manner,
) -> Settled<()> {
    macro_rules! twin {
        ($call:expr, $method:ident) => {{
            let call = $call;
            let settled = caller
                .settle(asked, request, manner, |line, deadline| {
                    let call = call.clone();
                    async move { AgentDeskClient::new(line).$method(timed(call, deadline)).await }
                })
                .await;
            match settled {
                Settled::Done(_, answer) => Settled::Done((), answer),
                Settled::Refused(reason) => Settled::Refused(reason),
                Settled::Unknown => Settled::Unknown,
            }
        }};
    }
    match message {
        Message::Accept(call) => twin!(call, accept),
        Message::Reject(call) => twin!(call, reject),
        Message::Connected(call) => twin!(call, connected),
        Message::ConnectFailed(call) => twin!(call, connect_failed),
        Message::SetIdle(call) => twin!(call, set_idle),
        Message::ExtendWrapUp(call) => twin!(call, extend_wrap_up),
        Message::Assign(call) => twin!(call, assign),
        Message::EndContact(call) => twin!(call, end_contact),
        Message::Complete(call) => twin!(call, complete),
        Message::Transfer(call) => twin!(call, transfer),
        Message::Consult(call) => twin!(call, consult),
        Message::EndConsult(call) => twin!(call, end_consult),
        Message::CompleteConsult(call) => twin!(call, complete_consult),
        Message::SetPresence(call) => twin!(call, set_presence),
        Message::Hello(_) | Message::Heartbeat(_) | Message::Bye(_) | Message::ListInbox(_) => {
            Settled::Unknown
        }
    }
}

fn fallback(draw: &mut Draw) -> v1::TransferFallback {
    use v1::TransferFallback::{LastQueues, Source};
    *draw.pick(&[Source, LastQueues])
}
