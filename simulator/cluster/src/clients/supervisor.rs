//! Supervisors and administrators: they move, close, pause, force and change things while it all
//! runs, and put right what they changed in the end.

use super::caller::{Caller, Manner, Settled, Tries, timed};
use super::customer::look;
use super::desk::Desk;
use super::realm::Realm;
use super::request::{mutation, request_id};
use super::{criteria, settings, setup};
use crate::checks::{Asked, Opened};
use crate::plan::LoadPlan;
use proto::v1;
use proto::v1::admin_client::AdminClient;
use proto::v1::supervisor_client::SupervisorClient;
use proto::v1::transfer_target::Target;
use routing::{AgentId, ConversationId, QueueId};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// Who acts.
const NAME: &str = "supervisor@example.org";
/// Between two looks at what may have to be put right.
const TIDY: Duration = Duration::from_secs(2);
/// Looks that leave work with an agent who is gone: longer than any grace, after which it stays only where settings want it so.
const GRACE_TIDIES: u32 = 4;
/// Looks that leave work waiting where agents are gone: whoever is left would have taken it long since.
const WAITING_TIDIES: u32 = 15;
/// Queues and agents made besides, at most.
const EXTRA_MAX: usize = 3;

pub(super) struct Supervisor {
    pub(super) realm: Arc<Realm>,
    pub(super) caller: Caller,
    pub(super) load: LoadPlan,
    /// How often work was found at agents who never come back.
    pub(super) left_behind: BTreeMap<ConversationId, u32>,
}

/// Calls until done or refused; true when done.
macro_rules! change {
    ($self:ident, $manner:expr, $asked:expr, $client:ident, $method:ident, $request:expr) => {{
        let id = request_id(&mut $self.caller.draw);
        let mut request = $request;
        request.mutation = mutation(id);
        let settled = $self
            .caller
            .settle(&$asked, id, $manner, |line, deadline| {
                let request = request.clone();
                async move { $client::new(line).$method(timed(request, deadline)).await }
            })
            .await;
        matches!(settled, Settled::Done(..))
    }};
}

/// Calls with one request id after the other until done; true when done, false when refused or the
/// run is over.
macro_rules! insist {
    ($self:ident, $asked:expr, $client:ident, $method:ident, $request:expr) => {{
        let wanted = $request;
        loop {
            let id = request_id(&mut $self.caller.draw);
            let mut request = wanted.clone();
            request.mutation = mutation(id);
            let settled = $self
                .caller
                .settle(&$asked, id, Manner::FOR_EVER, |line, deadline| {
                    let request = request.clone();
                    async move { $client::new(line).$method(timed(request, deadline)).await }
                })
                .await;
            match settled {
                Settled::Done(..) => break true,
                Settled::Refused(reason) if reason == "REQUEST_TOO_OLD" => {
                    tokio::time::sleep(Duration::from_millis(500)).await;
                }
                Settled::Refused(_) => break false,
                Settled::Unknown if $self.caller.is_over() => break false,
                Settled::Unknown => {}
            }
        }
    }};
}

impl Supervisor {
    /// Until the run is over; `open` ends when everything is put right.
    pub(super) async fn run(mut self, open: Opened) {
        self.teach_all().await;
        while self.caller.plays() && !self.realm.is_quarantined() {
            let pause = if self.load.supervision > 0.0 {
                self.caller.draw.exponential(Duration::from_secs_f64(1.0 / self.load.supervision))
            } else {
                Duration::from_secs(3_600)
            };
            if !self.caller.sleep(pause).await {
                self.act().await;
            }
        }
        let mut open = Some(open);
        while !self.caller.is_over() && !self.realm.is_quarantined() {
            self.tidy().await;
            open = None;
            self.caller.sleep(TIDY).await;
        }
        drop(open);
    }

    async fn act(&mut self) {
        match self.caller.draw.range(0, 21) {
            0..=1 => self.reprioritise().await,
            2..=4 => self.transfer().await,
            5 => self.force_close().await,
            6 => self.presence().await,
            7 => self.log_out().await,
            8..=9 => self.pause().await,
            10 => self.explain().await,
            11 => self.update_agent().await,
            12 => self.update_domain().await,
            13 => self.update_queue().await,
            14 => self.queues().await,
            15 => self.agents().await,
            16 => self.touchpoints().await,
            17..=18 => self.change_criteria().await,
            19 => drop(self.teach().await),
            20 => self.set_criteria().await,
            _ => self.watch_queues().await,
        }
    }

    /// Gives every agent skills, as soon as the cluster's level allows it.
    async fn teach_all(&mut self) {
        for place in 0..self.realm.agents.len() {
            let agent = self.realm.agents[place].id;
            let mut tries = Tries::default();
            while tries.another(&mut self.caller).await && !self.set_skills(agent).await {}
        }
        if self.caller.draw.chance(0.5) {
            self.set_criteria().await;
        }
    }

    /// Gives some agent other skills; whether it has them.
    async fn teach(&mut self) -> bool {
        let agent = self.some_agent();
        self.set_skills(agent).await
    }

    async fn set_skills(&mut self, agent: AgentId) -> bool {
        let skills = criteria::skills(&mut self.caller.draw);
        let (supervisor, agent) = (NAME.to_owned(), agent.to_string());
        let request = v1::SetSkillsRequest { mutation: None, supervisor, agent, skills };
        let asked = Asked::Configure("set_skills");
        change!(self, Manner::ORDINARY, asked, SupervisorClient, set_skills, request)
    }

    async fn set_criteria(&mut self) {
        let touchpoint = self.caller.draw.pick(&self.realm.touchpoints).to_string();
        let criteria = Some(self.realm.criteria(&mut self.caller.draw));
        let request =
            v1::SetCriteriaRequest { mutation: None, touchpoint, criteria, supervisor: NAME.to_owned() };
        let asked = Asked::Configure("set_criteria");
        change!(self, Manner::ORDINARY, asked, AdminClient, set_criteria, request);
    }

    async fn change_criteria(&mut self) {
        let Some(id) = self.some_live() else { return };
        let (supervisor, conversation) = (NAME.to_owned(), id.to_string());
        let criteria = Some(self.realm.criteria(&mut self.caller.draw));
        let request = v1::ChangeCriteriaRequest { mutation: None, supervisor, conversation, criteria };
        let asked = Asked::Configure("change_criteria");
        change!(self, Manner::ORDINARY, asked, SupervisorClient, change_criteria, request);
        look(&mut self.caller, id).await;
    }

    fn some_agent(&mut self) -> AgentId {
        self.caller.draw.pick(&self.realm.agents).id
    }

    pub(super) fn some_queue(&mut self) -> QueueId {
        self.caller.draw.pick(&self.realm.queues).0
    }

    pub(super) fn some_live(&mut self) -> Option<ConversationId> {
        let pick = self.caller.draw.bits();
        Some(self.realm.history.some_live(self.realm.domain, pick)?.0)
    }

    /// As often as not one that rings at a desk: it has no place in line that would show its rank.
    async fn reprioritise(&mut self) {
        let pick = self.caller.draw.bits();
        let offered = self.realm.history.some_offered(self.realm.domain, pick);
        let Some(id) = offered.filter(|_| self.caller.draw.chance(0.5)).or_else(|| self.some_live()) else {
            return;
        };
        let priority = u8::try_from(self.caller.draw.range(0, 3)).unwrap_or(0);
        let request = v1::ReprioritiseRequest {
            mutation: None,
            supervisor: NAME.to_owned(),
            conversation: id.to_string(),
            priority: u32::from(priority),
        };
        let asked = Asked::Reprioritise(id, priority);
        change!(self, Manner::ORDINARY, asked, SupervisorClient, reprioritise, request);
        look(&mut self.caller, id).await;
    }

    async fn transfer(&mut self) {
        let Some(id) = self.some_live() else { return };
        let pick = self.caller.draw.bits();
        let far = self.realm.history.some_touchpoint(id, pick);
        let (target, to) = match (self.caller.draw.range(0, 5), far) {
            (4..=5, Some(far)) => (Target::Touchpoint(far.to_string()), None),
            (0, _) => (Target::Queue(self.some_queue().to_string()), None),
            (1, _) => (Target::Inbox(self.some_queue().to_string()), None),
            _ => {
                let agent = self.some_agent();
                (Target::Agent(agent.to_string()), Some(agent))
            }
        };
        use v1::TransferFallback::{LastQueues, Queue, Source};
        let fallback = *self.caller.draw.pick(&[Source, LastQueues, Queue]);
        let fallback_queue = if fallback == Queue { self.some_queue().to_string() } else { String::new() };
        let asks = self.caller.draw.chance(0.3) && !matches!(target, Target::Touchpoint(_));
        let request = v1::SupervisorTransferRequest {
            mutation: None,
            supervisor: NAME.to_owned(),
            conversation: id.to_string(),
            target: Some(v1::TransferTarget { target: Some(target) }),
            fallback: fallback.into(),
            fallback_queue,
            criteria: asks.then(|| self.realm.criteria(&mut self.caller.draw)),
        };
        let leaves =
            matches!(&request.target, Some(v1::TransferTarget { target: Some(Target::Touchpoint(_)) }));
        // Somebody else closes it meanwhile, wherever it is.
        if leaves && self.caller.draw.chance(0.5) {
            let other = self.caller.child("who closes what leaves");
            tokio::spawn(close_soon(other, id));
        }
        change!(self, Manner::ORDINARY, Asked::Transfer(id, to), SupervisorClient, transfer, request);
    }

    async fn force_close(&mut self) {
        let Some(id) = self.some_live() else { return };
        let request = Self::closing(id);
        change!(self, Manner::ORDINARY, Asked::ForceClose(id), SupervisorClient, force_close, request);
        look(&mut self.caller, id).await;
    }

    fn closing(id: ConversationId) -> v1::ForceCloseRequest {
        let reason = "end of the day".to_owned();
        v1::ForceCloseRequest {
            mutation: None,
            supervisor: NAME.to_owned(),
            conversation: id.to_string(),
            reason,
        }
    }

    async fn presence(&mut self) {
        let agent = self.some_agent();
        let available = self.caller.draw.chance(0.4);
        use v1::intent::{Available, Draining, Intent, Unavailable};
        let intent = if available {
            Intent::Available(Available {})
        } else if self.caller.draw.chance(0.5) {
            Intent::Draining(Draining { next: "meeting".to_owned() })
        } else {
            Intent::Unavailable(Unavailable { reason: "meeting".to_owned() })
        };
        let request = v1::SupervisorSetPresenceRequest {
            mutation: None,
            supervisor: NAME.to_owned(),
            agent: agent.to_string(),
            intent: Some(v1::Intent { intent: Some(intent) }),
        };
        let asked = Asked::Presence(agent, available);
        change!(self, Manner::ORDINARY, asked, SupervisorClient, set_presence, request);
    }

    async fn log_out(&mut self) {
        let agent = self.some_agent();
        let request =
            v1::LogOutRequest { mutation: None, supervisor: NAME.to_owned(), agent: agent.to_string() };
        change!(self, Manner::ORDINARY, Asked::LogOut(agent), SupervisorClient, log_out, request);
    }

    fn pausing(queue: QueueId, paused: bool) -> v1::PauseQueueRequest {
        let (supervisor, queue) = (NAME.to_owned(), queue.to_string());
        v1::PauseQueueRequest { mutation: None, supervisor, queue, paused }
    }

    async fn pause(&mut self) {
        let queue = self.some_queue();
        let asked = Asked::Pause(queue, true);
        change!(self, Manner::ORDINARY, asked, SupervisorClient, pause_queue, Self::pausing(queue, true));
        let wait = self.caller.draw.millis(200, 4_000);
        self.caller.sleep(wait).await;
        let asked = Asked::Pause(queue, false);
        change!(self, Manner::ORDINARY, asked, SupervisorClient, pause_queue, Self::pausing(queue, false));
    }

    async fn update_agent(&mut self) {
        let place =
            usize::try_from(self.caller.draw.range(0, self.realm.agents.len() as u64 - 1)).unwrap_or(0);
        let member = self.realm.agents[place].clone();
        let mut wanted = member.settings.clone();
        match self.caller.draw.range(0, 2) {
            0 => wanted.capacity = Some(*self.caller.draw.pick(&[30, 60, 100])),
            1 => {
                let queue = self.some_queue().to_string();
                if wanted.queues.contains(&queue) {
                    wanted.queues.retain(|own| *own != queue);
                } else {
                    wanted.queues.push(queue);
                }
            }
            _ => wanted.channels = vec![v1::Channel::Chat.into(), v1::Channel::Email.into()],
        }
        self.realm.changes().agents_changed.insert(place);
        let request =
            v1::UpdateAgentRequest { mutation: None, agent: member.id.to_string(), settings: Some(wanted) };
        let asked = Asked::Configure("update_agent");
        change!(self, Manner::ORDINARY, asked, AdminClient, update_agent, request);
    }

    async fn update_domain(&mut self) {
        let mut wanted = self.realm.settings.clone();
        let points = *self.caller.draw.pick(&[5, 15, 35]);
        for weight in &mut wanted.weights {
            if weight.channel == i32::from(v1::Channel::Chat) {
                weight.points = points;
            }
        }
        if self.caller.draw.chance(0.5) {
            wanted.rank = settings::domain(&mut self.caller.draw, String::new()).rank;
        }
        self.realm.changes().settings_changed = true;
        let domain = self.realm.domain.to_string();
        let request = v1::UpdateDomainRequest { mutation: None, domain, settings: Some(wanted) };
        let asked = Asked::Configure("update_domain");
        change!(self, Manner::ORDINARY, asked, AdminClient, update_domain, request);
    }

    async fn update_queue(&mut self) {
        let (queue, mut wanted) = self.caller.draw.pick(&self.realm.queues).clone();
        use v1::PickPolicy::{LeastFlexible, LeastLoaded, LongestIdle, MostProficient, RoundRobin};
        // Below their levels the last two are refused.
        let all = [LongestIdle, LeastLoaded, RoundRobin, LeastFlexible, MostProficient];
        wanted.pick = (*self.caller.draw.pick(&all)).into();
        let request =
            v1::UpdateQueueRequest { mutation: None, queue: queue.to_string(), settings: Some(wanted) };
        let asked = Asked::Configure("update_queue");
        change!(self, Manner::ORDINARY, asked, AdminClient, update_queue, request);
    }

    /// Makes a queue, or deletes one that was made.
    async fn queues(&mut self) {
        let extra: Vec<QueueId> = self.realm.changes().queues.iter().copied().collect();
        if extra.len() < EXTRA_MAX && (extra.is_empty() || self.caller.draw.chance(0.4)) {
            let wanted = settings::queue(&mut self.caller.draw, format!("extra {}", extra.len()));
            let made = setup::create_queue(&mut self.caller, wanted).await;
            if let Some(Ok(queue)) = made.map(|id| id.parse()) {
                self.realm.changes().queues.insert(queue);
            }
            return;
        }
        let queue = *self.caller.draw.pick(&extra);
        let request = v1::DeleteRequest { mutation: None, id: queue.to_string() };
        let asked = Asked::DeleteQueue(queue);
        if change!(self, Manner::ORDINARY, asked, AdminClient, delete_queue, request) {
            self.realm.changes().queues.remove(&queue);
        }
    }

    /// Hires an agent, or deletes one that was hired.
    async fn agents(&mut self) {
        let extra: Vec<AgentId> = self.realm.changes().agents.iter().copied().collect();
        if extra.len() < EXTRA_MAX && (extra.is_empty() || self.caller.draw.chance(0.5)) {
            let mut queues: Vec<String> = self.realm.queues.iter().map(|(id, _)| id.to_string()).collect();
            queues.extend(self.realm.changes().queues.iter().map(ToString::to_string));
            let wanted = v1::AgentSettings { name: "extra".to_owned(), queues, ..Default::default() };
            let id = request_id(&mut self.caller.draw);
            let request = v1::CreateAgentRequest {
                mutation: mutation(id),
                domain: self.realm.domain.to_string(),
                settings: Some(wanted),
            };
            // A queue may be gone meanwhile: then it is refused.
            let settled = self
                .caller
                .settle(&Asked::Configure("create_agent"), id, Manner::ORDINARY, |line, deadline| {
                    let request = request.clone();
                    async move { AdminClient::new(line).create_agent(timed(request, deadline)).await }
                })
                .await;
            if let Settled::Done(made, _) = settled
                && let Ok(agent) = made.id.parse::<AgentId>()
            {
                self.realm.changes().agents.insert(agent);
                let caller = self.caller.child(&format!("desk {agent}"));
                tokio::spawn(Desk::new(Arc::clone(&self.realm), agent, caller, self.load.clone()).run());
            }
            return;
        }
        let agent = *self.caller.draw.pick(&extra);
        let request = v1::DeleteRequest { mutation: None, id: agent.to_string() };
        let asked = Asked::DeleteAgent(agent);
        if change!(self, Manner::ORDINARY, asked, AdminClient, delete_agent, request) {
            self.realm.changes().agents.remove(&agent);
        }
    }

    /// Makes a touchpoint, or deletes one that was made.
    async fn touchpoints(&mut self) {
        let extra: Vec<_> = self.realm.changes().touchpoints.iter().copied().collect();
        if extra.is_empty() {
            let queues = vec![self.some_queue().to_string()];
            let address = format!("extra {}", self.caller.draw.bits());
            let mode = v1::touchpoint_settings::Simplified { queues };
            let wanted = v1::TouchpointSettings {
                address,
                channel: v1::Channel::Email.into(),
                mode: Some(v1::touchpoint_settings::Mode::Simplified(mode)),
            };
            let made = setup::create_touchpoint(&mut self.caller, wanted).await;
            if let Some(Ok(touchpoint)) = made.map(|id| id.parse()) {
                self.realm.changes().touchpoints.insert(touchpoint);
            }
            return;
        }
        let touchpoint = extra[0];
        let request = v1::DeleteRequest { mutation: None, id: touchpoint.to_string() };
        let asked = Asked::Configure("delete_touchpoint");
        if change!(self, Manner::ORDINARY, asked, AdminClient, delete_touchpoint, request) {
            self.realm.changes().touchpoints.remove(&touchpoint);
        }
    }

    /// Looks at the figures of the queues for a while.
    async fn watch_queues(&mut self) {
        let (_, line) = self.caller.lines.draw(&mut self.caller.draw, None);
        let request = v1::WatchQueuesRequest { domain: self.realm.domain.to_string(), min_interval_ms: 100 };
        let watching = async {
            let mut updates = SupervisorClient::new(line).watch_queues(request).await?.into_inner();
            let mut last = 0;
            while let Some(update) = updates.message().await? {
                if update.sequence < last {
                    let what = format!(
                        "{}: the figures of the queues go from sequence {last} back to {}",
                        self.realm.domain, update.sequence
                    );
                    self.realm.history.found("R-15", what);
                }
                last = update.sequence;
                self.realm.history.count("watch", "queues");
            }
            Ok::<_, tonic::Status>(())
        };
        // However it ends, it was only a look.
        let _ = tokio::time::timeout(Duration::from_secs(2), watching).await;
    }

    /// Puts right what was changed, and what a late command may have changed once more.
    async fn tidy(&mut self) {
        for queue in self.realm.history.paused(self.realm.domain) {
            let asked = Asked::Pause(queue, false);
            insist!(self, asked, SupervisorClient, pause_queue, Self::pausing(queue, false));
        }
        if self.realm.changes().settings_changed {
            let domain = self.realm.domain.to_string();
            let settings = Some(self.realm.settings.clone());
            let request = v1::UpdateDomainRequest { mutation: None, domain, settings };
            insist!(self, Asked::Configure("update_domain"), AdminClient, update_domain, request);
            self.realm.changes().settings_changed = false;
        }
        loop {
            let Some(place) = self.realm.changes().agents_changed.pop_first() else { break };
            let member = self.realm.agents[place].clone();
            let (agent, settings) = (member.id.to_string(), Some(member.settings));
            let request = v1::UpdateAgentRequest { mutation: None, agent, settings };
            insist!(self, Asked::Configure("update_agent"), AdminClient, update_agent, request);
        }
        loop {
            let Some(queue) = self.realm.changes().queues.pop_first() else { break };
            let request = v1::DeleteRequest { mutation: None, id: queue.to_string() };
            insist!(self, Asked::DeleteQueue(queue), AdminClient, delete_queue, request);
        }
        for id in self.left_behind().await {
            let request = Self::closing(id);
            insist!(self, Asked::ForceClose(id), SupervisorClient, force_close, request);
        }
    }

    /// Work that stays, as settings want it, with agents who never come back, and work that waits for them alone.
    async fn left_behind(&mut self) -> Vec<ConversationId> {
        let domain = self.realm.domain;
        let gone: BTreeSet<AgentId> = self.realm.history.vanished_since(0).into_iter().collect();
        if !gone.iter().any(|agent| agent.domain == domain) {
            return Vec::new();
        }
        let page = self
            .caller
            .read(Manner::ORDINARY, |line, deadline| {
                let list = v1::ListRequest { domain: domain.to_string(), after: String::new(), limit: 1_000 };
                async move { AdminClient::new(line).list_agents(timed(list, deadline)).await }
            })
            .await;
        let agents = page.map(|page| page.agents).unwrap_or_default().into_iter();
        let over = agents.filter(|agent| agent.lease != "live");
        let of_gone = over.filter(|agent| agent.id.parse().is_ok_and(|id| gone.contains(&id)));
        let held: Vec<ConversationId> = of_gone
            .flat_map(|agent| agent.holdings)
            .filter_map(|held| held.conversation.parse().ok())
            .collect();
        let waiting = self.realm.history.waiting_in(domain);
        let looks = held.into_iter().map(|id| (id, GRACE_TIDIES));
        let looks = looks.chain(waiting.into_iter().map(|id| (id, WAITING_TIDIES)));
        let mut over = |(id, most): &(ConversationId, u32)| {
            let times = self.left_behind.entry(*id).or_insert(0);
            *times += 1;
            *times > *most
        };
        looks.filter(|look| over(look)).map(|(id, _)| id).collect()
    }
}

/// Closes a conversation a moment later.
async fn close_soon(mut caller: Caller, id: ConversationId) {
    let soon = caller.draw.millis(0, 60);
    caller.sleep(soon).await;
    let request = request_id(&mut caller.draw);
    let mut close = Supervisor::closing(id);
    close.mutation = mutation(request);
    caller
        .settle(&Asked::ForceClose(id), request, Manner::ORDINARY, |line, deadline| {
            let close = close.clone();
            async move { SupervisorClient::new(line).force_close(timed(close, deadline)).await }
        })
        .await;
}
