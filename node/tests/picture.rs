//! A consumer whose place in the record is gone: a picture of the domain under running traffic, events on
//! top of it, and what comes of that is what a later picture shows.

use crate::harness;

use client::{Client as Following, Followed, Picture};
use harness::{Client, Cluster, Desk, Node, Start, Tenant, mutation, reason, run, until};
use proto::v1;
use proto::v1::touchpoint_settings::{Mode, ToQueue};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tonic::{Code, Status};

/// Bytes of events per shard: the least there may be.
const TINY: &str = "16384";

/// What events say of a domain: as much of a picture as follows from them.
#[derive(Debug, Clone, Default, PartialEq)]
struct Known {
    sequence: u64,
    /// Of the domain, queues, agents, touchpoints and live conversations: each event is one version.
    versions: BTreeMap<String, u64>,
    paused: BTreeSet<String>,
    agents: BTreeMap<String, KnownAgent>,
    conversations: BTreeMap<String, KnownConversation>,
}

#[derive(Debug, Clone, Default, PartialEq)]
struct KnownAgent {
    intent: String,
    live: bool,
    epoch: u64,
    offers: BTreeSet<String>,
    /// Conversation and whether it is in wrap-up.
    holdings: BTreeMap<String, bool>,
}

#[derive(Debug, Clone, Default, PartialEq)]
struct KnownConversation {
    stage: String,
    priority: u64,
    customer: String,
    owner: String,
    offer: String,
}

fn intent(intent: Option<&v1::Intent>) -> String {
    match intent.and_then(|intent| intent.intent.as_ref()) {
        Some(v1::intent::Intent::Available(_)) => "available".to_owned(),
        Some(v1::intent::Intent::Unavailable(why)) => format!("unavailable {}", why.reason),
        Some(v1::intent::Intent::Draining(then)) => format!("draining {}", then.next),
        None => String::new(),
    }
}

impl Known {
    fn of(picture: &Picture) -> Self {
        let mut known = Self { sequence: picture.header.sequence, ..Self::default() };
        let domain = picture.header.domain.as_ref().expect("a domain");
        assert_eq!(domain.sequence, picture.header.sequence);
        known.versions.insert(domain.id.clone(), domain.version);
        for queue in &picture.queues {
            known.versions.insert(queue.id.clone(), queue.version);
            if queue.paused {
                known.paused.insert(queue.id.clone());
            }
        }
        for touchpoint in &picture.touchpoints {
            known.versions.insert(touchpoint.id.clone(), touchpoint.version);
        }
        for agent in &picture.agents {
            known.versions.insert(agent.id.clone(), agent.version);
            let holdings = agent.holdings.iter().map(|one| (one.conversation.clone(), one.wrapping));
            let is = KnownAgent {
                intent: intent(agent.intent.as_ref()),
                live: agent.lease == "live",
                epoch: agent.epoch,
                offers: agent.offers.iter().map(|offer| offer.id.clone()).collect(),
                holdings: holdings.collect(),
            };
            known.agents.insert(agent.id.clone(), is);
        }
        for one in &picture.conversations {
            known.versions.insert(one.id.clone(), one.version);
            let stage = v1::Stage::try_from(one.stage).expect("a stage").as_str_name();
            let is = KnownConversation {
                stage: stage.trim_start_matches("STAGE_").to_ascii_lowercase(),
                priority: one.priority.into(),
                customer: one.customer.clone(),
                owner: one.agent.clone(),
                offer: one.offer.as_ref().map(|offer| offer.id.clone()).unwrap_or_default(),
            };
            known.conversations.insert(one.id.clone(), is);
        }
        known
    }

    /// Each event is one version of its subject: one that is in the picture already, or one that is
    /// missing before it, is told by that.
    fn apply(&mut self, event: &v1::Event) -> Result<(), String> {
        let version = self.versions.entry(event.subject.clone()).or_default();
        if event.version != *version + 1 {
            return Err(format!("{event:?} comes on top of version {version}"));
        }
        (*version, self.sequence) = (event.version, event.sequence);
        let fields: Value = serde_json::from_str(&event.json).expect("an object");
        let text = |name: &str| fields[name].as_str().unwrap_or_default().to_owned();
        let (agent, conversation) = (text("agent"), event.conversation.clone());
        match event.r#type.as_str() {
            "queue_paused" => {
                let queue = text("queue");
                if fields["paused"] == true {
                    self.paused.insert(queue);
                } else {
                    self.paused.remove(&queue);
                }
            }
            "agent_created" => {
                // What a new agent means to do is in no event.
                let is = KnownAgent { intent: "unavailable new".to_owned(), ..Default::default() };
                self.agents.insert(agent, is);
            }
            "agent_deleted" | "queue_deleted" | "touchpoint_deleted" => {
                self.versions.remove(&event.subject);
                self.agents.remove(&event.subject);
            }
            "session_opened" => {
                let known = self.agents.get_mut(&agent).expect("a known agent");
                (known.live, known.epoch) = (true, fields["epoch"].as_u64().expect("a number"));
            }
            "lease_lost" => self.agents.get_mut(&agent).expect("a known agent").live = false,
            "presence_changed" => {
                let now = &fields["intent"];
                let why = now["reason"].as_str().or(now["next"].as_str());
                let intent = now["intent"].as_str().expect("an intent");
                let said = why.map_or_else(|| intent.to_owned(), |why| format!("{intent} {why}"));
                self.agents.get_mut(&agent).expect("a known agent").intent = said;
            }
            "arrived" => {
                let priority = fields["priority"].as_u64().expect("a number");
                let is = KnownConversation { priority, customer: text("customer"), ..Default::default() };
                self.conversations.insert(conversation, is);
            }
            "waiting" => self.conversation(&conversation).stage = "queued".to_owned(),
            "offered" => {
                let offer = text("offer");
                self.agents.get_mut(&agent).expect("a known agent").offers.insert(offer.clone());
                let known = self.conversation(&conversation);
                known.offer = offer;
                if known.owner.is_empty() {
                    known.stage = "offered".to_owned();
                }
            }
            "offer_ended" => {
                self.agents.get_mut(&agent).expect("a known agent").offers.remove(&text("offer"));
                let known = self.conversation(&conversation);
                known.offer.clear();
                if known.stage == "offered" {
                    known.stage = "queued".to_owned();
                }
            }
            "assigned" | "wrapping" => {
                let wrapping = event.r#type == "wrapping";
                let known = self.agents.get_mut(&agent).expect("a known agent");
                known.holdings.insert(conversation.clone(), wrapping);
                let known = self.conversation(&conversation);
                known.owner = agent;
                event.r#type.clone_into(&mut known.stage);
            }
            "released" => {
                self.agents.get_mut(&agent).expect("a known agent").holdings.remove(&conversation);
                self.conversation(&conversation).owner.clear();
            }
            "reprioritised" => {
                self.conversation(&conversation).priority = fields["priority"].as_u64().expect("a number");
            }
            "ended" => {
                self.versions.remove(&conversation);
                self.conversations.remove(&conversation).expect("a live conversation");
                if let Some(known) = self.agents.get_mut(&agent) {
                    known.holdings.remove(&conversation);
                }
            }
            "agent_changed" | "queue_changed" | "queue_created" | "touchpoint_created" | "domain_changed" => {
            }
            other => panic!("this test does not make events of type {other}"),
        }
        Ok(())
    }

    /// All of them, one after another.
    fn after<'a>(picture: &Picture, events: impl IntoIterator<Item = &'a v1::Event>) -> Result<Self, String> {
        let mut known = Self::of(picture);
        for event in events {
            known.apply(event)?;
        }
        Ok(known)
    }

    fn conversation(&mut self, id: &str) -> &mut KnownConversation {
        self.conversations.get_mut(id).expect("a live conversation")
    }
}

/// Calls come and end, agents take them and go, queues are paused, until it is told to stop.
struct Traffic {
    over: Arc<AtomicBool>,
    tasks: Vec<JoinHandle<()>>,
}

/// Calls to a queue that nobody works in, so that there are some in every picture.
async fn backlog(client: &Client, tenant: &Tenant) {
    let settings = Some(v1::QueueSettings { name: "Nobody".into(), ..Default::default() });
    let request = v1::CreateQueueRequest { mutation: mutation(), domain: tenant.domain.clone(), settings };
    let queue = client.retry(|| async { client.admin().create_queue(request.clone()).await }).await;
    let to_queue = ToQueue { queues: vec![queue.expect("a queue").id], ..Default::default() };
    let settings = Some(v1::TouchpointSettings {
        address: "+34900000000".into(),
        channel: v1::Channel::Voice.into(),
        mode: Some(Mode::ToQueue(to_queue)),
    });
    let request =
        v1::CreateTouchpointRequest { mutation: mutation(), domain: tenant.domain.clone(), settings };
    let made = client.retry(|| async { client.admin().create_touchpoint(request.clone()).await }).await;
    let touchpoint = made.expect("a touchpoint").id;
    for _ in 0..10 {
        client.start(&v1::StartRequest { touchpoint: touchpoint.clone(), ..tenant.call() }).await;
    }
}

impl Traffic {
    async fn run(client: &Client, tenant: &Tenant) -> Self {
        backlog(client, tenant).await;
        let over = Arc::new(AtomicBool::new(false));
        let mut tasks = vec![
            tokio::spawn(callers(client.clone(), tenant.clone(), over.clone())),
            tokio::spawn(changes(client.clone(), tenant.clone(), over.clone())),
        ];
        for agent in &tenant.agents {
            let desk = Desk::open(client, agent).await;
            tasks.push(tokio::spawn(works(desk, over.clone())));
        }
        Self { over, tasks }
    }

    async fn stop(self) {
        self.over.store(true, Ordering::Relaxed);
        for task in self.tasks {
            task.await.expect("traffic goes well");
        }
    }
}

async fn callers(client: Client, tenant: Tenant, over: Arc<AtomicBool>) {
    let mut waiting = Vec::new();
    for number in 0_u32.. {
        if over.load(Ordering::Relaxed) {
            return;
        }
        let call = v1::StartRequest {
            customer: format!("+3460{number:07}"),
            priority: Some(number % 5),
            ..tenant.call()
        };
        waiting.push(client.start(&call).await.conversation);
        if waiting.len() > 20 {
            let conversation = waiting.remove(number as usize % waiting.len());
            let request = v1::AbandonRequest { mutation: mutation(), conversation };
            // It may be somebody's by now, or over.
            let _ = client.retry(|| async { client.routing().abandon(request.clone()).await }).await;
        }
        if number % 4 == 0 {
            let conversation = waiting[0].clone();
            let request = v1::ReprioritiseRequest {
                mutation: mutation(),
                supervisor: "Sol".into(),
                conversation,
                priority: number % 9,
            };
            let _ = client.retry(|| async { client.supervisor().reprioritise(request.clone()).await }).await;
        }
    }
}

async fn changes(client: Client, tenant: Tenant, over: Arc<AtomicBool>) {
    for number in 0_u32.. {
        if over.load(Ordering::Relaxed) {
            return;
        }
        let request = v1::PauseQueueRequest {
            mutation: mutation(),
            supervisor: "Sol".into(),
            queue: tenant.queue.clone(),
            paused: number % 2 == 0,
        };
        let paused = client.retry(|| async { client.supervisor().pause_queue(request.clone()).await }).await;
        paused.expect("a pause");
        if number % 3 == 0 {
            let settings = v1::AgentSettings { name: format!("New {number}"), ..Default::default() };
            let request = v1::CreateAgentRequest {
                mutation: mutation(),
                domain: tenant.domain.clone(),
                settings: Some(settings),
            };
            let made = client.retry(|| async { client.admin().create_agent(request.clone()).await }).await;
            let id = made.expect("an agent").id;
            if number % 2 == 0 {
                let request = v1::DeleteRequest { mutation: mutation(), id };
                let gone =
                    client.retry(|| async { client.admin().delete_agent(request.clone()).await }).await;
                gone.expect("deleted");
            }
        }
    }
}

/// Takes what is offered and ends it.
async fn works(mut desk: Desk, over: Arc<AtomicBool>) {
    use proto::v1::notice::Notice as Kind;
    desk.available().await;
    while !over.load(Ordering::Relaxed) {
        let offered = desk.notice("an offer", |kind| match kind {
            Kind::Offered(offer) => Some(offer.clone()),
            _ => None,
        });
        let Ok(offer) = tokio::time::timeout(std::time::Duration::from_millis(200), offered).await else {
            continue;
        };
        if let proto::v1::reply::Result::Accepted(taken) = desk.accept(&offer.id).await {
            desk.end_contact(&taken.conversation).await;
        }
    }
}

/// Waits until the record no longer reaches back to its beginning.
async fn compacted(client: &Client, domain: &str) -> Status {
    until("the record to be cut", || async {
        let request = v1::WatchRequest { domain: domain.to_owned(), from: 1, ..Default::default() };
        match client.events().watch(request).await {
            Err(status) if status.code() == Code::OutOfRange => Some(status),
            _ => None,
        }
    })
    .await
}

/// A picture, by following from the beginning of the record, which is gone; the events after it, at least
/// so many; and a later picture, not after the last of them. Each as another client has it. `None` when
/// traffic was faster and cut the record in between.
async fn round(
    [first, second, third]: [&Following; 3],
    domain: &str,
    least: usize,
) -> Option<(Picture, Vec<v1::Event>, Picture)> {
    let mut follow = first.follow(domain, (0, 1));
    let Followed::Picture(picture) = follow.next().await.expect("a picture") else {
        panic!("an event came although the record does not reach back")
    };
    let incarnation = picture.header.incarnation;
    assert_eq!(follow.place(), (incarnation, picture.next()));
    let mut follow = second.follow(domain, (incarnation, picture.next()));
    let mut events: Vec<v1::Event> = Vec::new();
    let mut later = None;
    loop {
        let Followed::Event(event) = follow.next().await.expect("it goes on") else { return None };
        let sequence = event.sequence;
        events.push(*event);
        if events.len() == least {
            later = Some(third.picture(domain, (incarnation, sequence)).await.expect("a later picture"));
        }
        if let Some(later) = later.take_if(|later| later.header.sequence <= sequence) {
            return Some((*picture, events, later));
        }
    }
}

/// The assertion that matters, and that it can fail.
fn check(picture: &Picture, events: &[v1::Event], later: &Picture) {
    let dense: Vec<u64> = (picture.next()..=later.header.sequence).collect();
    assert_eq!(events.iter().map(|event| event.sequence).collect::<Vec<_>>(), dense);
    let wanted = Known::of(later);
    assert_eq!(Known::after(picture, events).as_ref(), Ok(&wanted));
    assert!(picture.conversations.len() >= 10 && picture.queues.len() == 2, "there is something to see");
    // As if the picture were as of an event later, and of one earlier, than it says.
    assert_ne!(Known::after(picture, &events[1..]).as_ref(), Ok(&wanted));
    assert_ne!(Known::after(picture, events[..1].iter().chain(events)).as_ref(), Ok(&wanted));
}

/// Rounds until some came to their end.
async fn rounds(clients: [&Following; 3], domain: &str, wanted: usize) {
    let mut done = 0;
    for _ in 0..wanted * 10 {
        let Some((picture, events, later)) = round(clients, domain, 40).await else { continue };
        check(&picture, &events, &later);
        done += 1;
        if done == wanted {
            return;
        }
    }
    panic!("{done} of {wanted} rounds came to their end");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_on_top_of_a_picture_make_a_later_picture() {
    let data = TempDir::new().expect("a folder");
    let node: Node = Start::new(data.path()).arg("--events-bytes-max").arg(TINY).serve();
    let client = Client::of(&node);
    let tenant = Tenant::make(&client, 3).await;
    let traffic = Traffic::run(&client, &tenant).await;
    let refused = compacted(&client, &tenant.domain).await;
    assert_eq!(reason(&refused), "COMPACTED");
    assert!(refused.message().contains("centralita ctl picture"), "{refused}");

    let following = Following::new(&[&node.address]).expect("an address");
    rounds([&following; 3], &tenant.domain, 5).await;
    traffic.stop().await;

    // What may not be asked for says why.
    let picture = following.picture(&tenant.domain, (0, 0)).await.expect("a picture");
    let (domain, incarnation) = (tenant.domain.clone(), picture.header.incarnation);
    for (request, code, wanted) in [
        (
            v1::PictureRequest { not_before: picture.next(), ..Default::default() },
            Code::Unavailable,
            "BEHIND",
        ),
        (
            v1::PictureRequest { incarnation: incarnation ^ 1, ..Default::default() },
            Code::FailedPrecondition,
            "RESTORED",
        ),
    ] {
        let request = v1::PictureRequest { domain: domain.clone(), ..request };
        let refused = client.events().picture(request).await.expect_err("refused");
        assert_eq!((refused.code(), reason(&refused).as_str()), (code, wanted), "{refused}");
    }
    let unknown = v1::PictureRequest { domain: "dom_9".into(), ..Default::default() };
    let refused = client.events().picture(unknown).await.expect_err("no such domain");
    assert_eq!(refused.code(), Code::NotFound, "{refused}");

    // The same from the shell.
    let asked = run(&["ctl", "--target", &node.address, "--json", "picture", &domain]);
    let lines = String::from_utf8(asked.stdout).expect("text");
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(lines[0]["header"]["domain"]["id"], domain.as_str());
    let agents: usize =
        lines.iter().filter_map(|line| line["agents"]["agents"].as_array()).map(Vec::len).sum();
    assert_eq!(agents, picture.agents.len());
    let asked = run(&["ctl", "--target", &node.address, "picture", &domain]);
    let text = String::from_utf8(asked.stdout).expect("text");
    assert!(text.contains("centralita ctl watch events --domain dom_1 --from "), "{text}");
    node.assert_no_errors();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_picture_of_one_node_goes_on_at_another() {
    let cluster = Cluster::three(&["--events-bytes-max", TINY]).await;
    let tenant = Tenant::make(&cluster.client(1), 2).await;
    let leader = cluster.leader_of(&tenant.domain).await;
    let traffic = Traffic::run(&cluster.client(leader), &tenant).await;
    for id in 1..=3 {
        compacted(&cluster.client(id), &tenant.domain).await;
    }
    let at = |id: usize| Following::new(&[&cluster.node(id).address]).expect("an address");
    let clients = [at(leader % 3 + 1), at((leader + 1) % 3 + 1), at(leader)];
    rounds([&clients[0], &clients[1], &clients[2]], &tenant.domain, 2).await;
    rounds([&clients[2], &clients[0], &clients[1]], &tenant.domain, 2).await;
    traffic.stop().await;
}
