//! Many desks at one node, which is killed or cut off: how long they take to be back at work elsewhere, and what the
//! others notice.

use crate::cli::Setting;
use crate::gaps::{self, percentile};
use crate::late::{self, GRACE, Judged, Policy};
use crate::nodes::Nodes;
use crate::probe::Probe;
use crate::realm::{self, Realm};
use crate::settled::{Place, settled};
use crate::stop::Stop;
use crate::verdict;
use anyhow::{Context, ensure};
use client::{Client, mutation};
use futures::StreamExt;
use indicatif::ProgressBar;
use proto::v1;
use proto::v1::agent_desk_client::AgentDeskClient;
use proto::v1::desk_request::Message as Ask;
use proto::v1::desk_response::Message as Told;
use proto::v1::notice::Notice as Kind;
use proto::v1::routing_client::RoutingClient;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

/// Time for a cluster to be whole.
const SETTLE_MAX: Duration = Duration::from_secs(60);
/// Time for all desks to be open, and for those that should to have a conversation.
const OPEN_MAX: Duration = Duration::from_secs(300);
/// Time for all desks to be back.
const BACK_MAX: Duration = Duration::from_secs(60);
/// What a desk promises to say at least (it is 3 s).
const HEARTBEAT: Duration = Duration::from_millis(2_500);
/// A desk that is not welcomed within this time tries another node.
const WELCOME_MAX: Duration = Duration::from_secs(5);
/// First pause of a desk before it tries again, doubled up to [`PAUSE_MAX`], with jitter.
const PAUSE: Duration = Duration::from_millis(100);
const PAUSE_MAX: Duration = Duration::from_secs(2);
/// Time for the leases of a node's desks to be lost, at a bounded pace, and some more.
const LEASES_LOST: Duration = Duration::from_secs(30);
/// Desks that share connections, as those of an office would.
const OFFICE: usize = 100;
/// Calls at the same time while the stage is set.
const AT_ONCE: usize = 64;

/// How many desks, and what becomes of their node.
#[derive(Debug, Clone, Copy)]
pub struct Crowd {
    /// Desks at the node.
    pub desks: usize,
    /// So many of them have a conversation.
    pub holding: usize,
    /// Its process is stopped where it is, and not killed.
    pub cut_off: bool,
    /// They come back when lease and grace are over.
    pub late: bool,
}

/// What a desk has seen.
#[derive(Debug, Default)]
struct Seen {
    /// When it was welcomed last, in which session, with how many conversations.
    welcomed: Option<(Instant, u64, usize)>,
    /// Conversations that it was given.
    accepted: usize,
    /// How often it tried to connect.
    attempts: u64,
}

/// One agent's desk.
struct Desk {
    agent: String,
    seen: Mutex<Seen>,
}

impl Desk {
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps the desk connected: first at the node that will be killed, then wherever it is let in.
    /// It does not try while the gate is closed.
    async fn keep(
        self: Arc<Self>,
        client: Arc<Client>,
        first: usize,
        mut gate: watch::Receiver<bool>,
        stop: Stop,
    ) {
        let mut resume: Option<(u64, u64)> = None;
        let (mut place, mut pause) = (first, PAUSE);
        while stop.goes_on() {
            if gate.wait_for(|open| *open).await.is_err() {
                return;
            }
            let before = self.seen().welcomed.map(|(at, ..)| at);
            self.seen().attempts += 1;
            // A desk that ends for any reason connects again, elsewhere.
            let _ = self.session(&client, place, &mut resume, &stop).await;
            let welcomed = self.seen().welcomed.map(|(at, ..)| at) != before;
            pause = if welcomed { PAUSE } else { (pause * 2).min(PAUSE_MAX) };
            // The last bits of an id are random.
            let drawn = uuid::Uuid::now_v7().as_u128() as u32;
            place = (place + 1 + drawn as usize % (client.len() - 1)) % client.len();
            tokio::time::sleep(pause.mul_f64(0.5 + f64::from(drawn) / f64::from(u32::MAX))).await;
        }
    }

    async fn session(
        &self,
        client: &Client,
        place: usize,
        resume: &mut Option<(u64, u64)>,
        stop: &Stop,
    ) -> Result<(), Status> {
        let hello = v1::Hello {
            agent: self.agent.clone(),
            request_id: uuid::Uuid::now_v7().to_string(),
            cursor: resume.map(|(cursor, _)| cursor),
            epoch: resume.map(|(_, epoch)| epoch),
        };
        let (to, requests) = mpsc::channel(16);
        let full = |_| Status::unavailable("the desk's stream is full");
        to.send(v1::DeskRequest { tag: 0, message: Some(Ask::Hello(hello)) }).await.map_err(full)?;
        let mut desk = AgentDeskClient::new(client.at(place));
        let late = || Status::deadline_exceeded("no welcome");
        let opened = tokio::time::timeout(WELCOME_MAX, desk.session(ReceiverStream::new(requests))).await;
        let mut from = opened.map_err(|_| late())??.into_inner();
        let mut beat = tokio::time::interval(HEARTBEAT);
        let mut until = Instant::now() + WELCOME_MAX;
        while stop.goes_on() {
            let told = tokio::select! {
                told = from.message() => told?,
                () = tokio::time::sleep_until(until) => return Err(late()),
                _ = beat.tick() => {
                    let beat = v1::DeskRequest { tag: 0, message: Some(Ask::Heartbeat(v1::Heartbeat {})) };
                    to.send(beat).await.map_err(full)?;
                    continue;
                }
            };
            let Some(told) = told else { return Ok(()) };
            *resume = Some((told.cursor, resume.map_or(0, |(_, epoch)| epoch)));
            match told.message {
                Some(Told::Welcome(welcome)) => {
                    *resume = Some((welcome.cursor, welcome.epoch));
                    let held = welcome.agent.as_ref().map_or(0, |agent| agent.holdings.len());
                    self.seen().welcomed = Some((Instant::now(), welcome.epoch, held));
                    until = Instant::now() + OPEN_MAX * 10;
                    to.send(available()).await.map_err(full)?;
                }
                Some(Told::Notice(v1::Notice { notice: Some(Kind::Offered(offered)), .. })) => {
                    let accept =
                        v1::AcceptRequest { mutation: mutation(), offer: offered.id, ..Default::default() };
                    to.send(v1::DeskRequest { tag: 1, message: Some(Ask::Accept(accept)) })
                        .await
                        .map_err(full)?;
                }
                Some(Told::Reply(v1::Reply { result: Some(v1::reply::Result::Accepted(_)), .. })) => {
                    self.seen().accepted += 1;
                }
                _ => {}
            }
        }
        Ok(())
    }
}

fn available() -> v1::DeskRequest {
    let intent = v1::Intent { intent: Some(v1::intent::Intent::Available(v1::intent::Available {})) };
    let presence =
        v1::DeskSetPresenceRequest { mutation: mutation(), intent: Some(intent), ..Default::default() };
    v1::DeskRequest { tag: 0, message: Some(Ask::SetPresence(presence)) }
}

/// Starts a cluster, opens the desks at one node, kills it, and waits for them; whether all was well.
///
/// # Errors
/// When it could not be tried.
pub async fn run(setting: &Setting, crowd: &Crowd) -> anyhow::Result<bool> {
    let Crowd { desks, holding, cut_off, late } = *crowd;
    ensure!(setting.nodes > 1, "a desk needs another node to go to: at least two");
    ensure!(setting.domains > setting.probed, "the desks are in domains that are not probed: more domains");
    let count = usize::try_from(setting.nodes).unwrap_or(usize::MAX);
    let mut nodes = Nodes::start(setting.centralita.clone(), setting.nodes, setting.shards)?;
    let client = Arc::new(Client::new(nodes.addresses())?);
    let alive: Vec<Place> = (0..count).map(|place| (Arc::clone(&client), place)).collect();
    settled(&alive, SETTLE_MAX).await.context("the cluster's birth")?;
    let settings = |number: usize| match late {
        true => Policy::of(number).settings(),
        false => v1::DomainSettings::default(),
    };
    let mut realms = realm::make_as(&client, setting.domains, settings).await?;
    let crowded = realms.split_off(setting.probed);
    let all = open(&client, &crowded, desks).await?;
    let stop = Stop::default();
    let gate = watch::Sender::new(true);
    let mut sessions = JoinSet::new();
    let offices = desks.div_ceil(OFFICE);
    let clients: Vec<Arc<Client>> =
        (0..offices).map(|_| Ok(Arc::new(Client::new(nodes.addresses())?))).collect::<anyhow::Result<_>>()?;
    for (number, desk) in all.iter().enumerate() {
        let client = Arc::clone(&clients[number / OFFICE]);
        sessions.spawn(Arc::clone(desk).keep(client, 0, gate.subscribe(), stop.clone()));
    }
    let welcomed = |desk: &Desk| desk.seen().welcomed.is_some();
    wait("desks open", &all, desks, OPEN_MAX, welcomed).await?;
    calls(&client, &crowded, holding).await?;
    wait("desks with a conversation", &all, holding, OPEN_MAX, |desk| desk.seen().accepted > 0).await?;

    let probes: Vec<Arc<Probe>> = realms.into_iter().map(|realm| Arc::new(Probe::new(realm))).collect();
    let mut callers = JoinSet::new();
    for (place, probe) in probes.iter().enumerate() {
        // Not at the node that dies: what they notice is what its death does to others.
        let place = 1 + place % (count - 1);
        sessions.spawn(Arc::clone(probe).desk(Arc::clone(&client), place, stop.clone()));
        callers.spawn(Arc::clone(probe).callers(Arc::clone(&client), setting.probe_rate, stop.clone()));
    }
    let rest = Duration::from_secs_f64(setting.rest_s);
    tokio::time::sleep(rest * 2).await;
    let before: Vec<(Option<u64>, usize)> = all.iter().map(|desk| session_of(desk)).collect();
    gate.send_replace(!late);
    let began = Instant::now();
    if cut_off {
        nodes.freeze(0)?
    } else {
        nodes.kill(0)?
    }
    if late {
        tokio::time::sleep(LEASES_LOST + GRACE).await;
        gate.send_replace(true);
    }
    let back = |desk: &Desk| desk.seen().welcomed.is_some_and(|(at, ..)| at > began);
    let came = wait("desks back", &all, desks, BACK_MAX, back).await;
    tokio::time::sleep(rest).await;
    let ended = Instant::now();
    let outcome = Outcome::of(&all, &before, &probes, began, ended);
    if cut_off {
        nodes.kill(0)?;
    }
    nodes.run(0)?;
    settled(&alive, SETTLE_MAX).await.context("the cluster in the end")?;
    // Before they go home: that loses leases too.
    let mut judged = Judged::default();
    if late {
        for (number, realm) in crowded.iter().enumerate() {
            let events = verdict::record(&client, count, &realm.domain).await?;
            judged = judged.and(late::judge(Policy::of(setting.probed + number), &events));
        }
    }
    stop.stop();
    while callers.join_next().await.is_some() {}
    sessions.shutdown().await;
    let mut lost = 0;
    for probe in &probes {
        lost +=
            verdict::judge(&client, count, probe, &mut verdict::Record::default()).await?.conversations.len();
    }
    outcome.print(lost);
    if late {
        tell(&judged);
    }
    if let Some(path) = &setting.json {
        let mut json = outcome.json(lost);
        if late {
            json["late"] = serde_json::json!({
                "kept": judged.kept, "requeued": judged.requeued, "closed": judged.closed, "wrong": judged.wrong.len(),
            });
        }
        let json = format!("{json:#}\n");
        std::fs::write(path, json).with_context(|| path.display().to_string())?;
    }
    came?;
    let held = judged.kept + judged.requeued + judged.closed;
    Ok(lost == 0
        && match late {
            true => outcome.is_good_late() && judged.wrong.is_empty() && held == holding,
            false => outcome.is_good(),
        })
}

/// What became of what late agents held.
fn tell(judged: &Judged) {
    let Judged { kept, requeued, closed, wrong } = judged;
    println!(
        "of agents who came back too late: {kept} conversations kept, {requeued} queued again, {closed} closed; {} not as \
         their domains say",
        wrong.len()
    );
    for wrong in wrong.iter().take(20) {
        println!("WRONG {wrong}");
    }
}

/// A desk's session and how much it holds, as it was welcomed or has accepted.
fn session_of(desk: &Desk) -> (Option<u64>, usize) {
    let seen = desk.seen();
    (seen.welcomed.map(|(_, epoch, _)| epoch), seen.accepted)
}

async fn open(client: &Client, realms: &[Realm], count: usize) -> anyhow::Result<Vec<Arc<Desk>>> {
    let progress = ProgressBar::new(count as u64).with_message("agents");
    let made = futures::stream::iter(0..count).map(|number| {
        let realm = &realms[number % realms.len()];
        realm::agent(client, &realm.domain, &realm.queue)
    });
    let made: Vec<anyhow::Result<String>> =
        made.buffered(AT_ONCE).inspect(|_| progress.inc(1)).collect().await;
    progress.finish_and_clear();
    made.into_iter().map(|agent| Ok(Arc::new(Desk { agent: agent?, seen: Mutex::default() }))).collect()
}

/// So many customers call, each domain in its turn.
async fn calls(client: &Client, realms: &[Realm], count: usize) -> anyhow::Result<()> {
    let started = futures::stream::iter(0..count).map(|number| {
        let touchpoint = realms[number % realms.len()].touchpoint.clone();
        let start = v1::StartRequest {
            mutation: mutation(),
            touchpoint: touchpoint.clone(),
            customer: "+34600111222".to_owned(),
            ..Default::default()
        };
        async move {
            let start = client.call(&touchpoint, |node| {
                let start = start.clone();
                async move { RoutingClient::new(node).start(start).await }
            });
            start.await.context("a call")
        }
    });
    let started: Vec<anyhow::Result<_>> = started.buffered(AT_ONCE).collect().await;
    started.into_iter().try_for_each(|one| one.map(drop))
}

async fn wait(
    what: &'static str,
    desks: &[Arc<Desk>],
    count: usize,
    most: Duration,
    is: impl Fn(&Desk) -> bool,
) -> anyhow::Result<()> {
    let progress = ProgressBar::new(count as u64).with_message(what);
    let until = Instant::now() + most;
    loop {
        let now = desks.iter().filter(|desk| is(desk)).count();
        progress.set_position(now as u64);
        if now >= count {
            progress.finish_and_clear();
            return Ok(());
        }
        ensure!(Instant::now() < until, "{now} of {count} {what} within {most:?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// What became of the desks.
#[derive(Debug)]
struct Outcome {
    desks: usize,
    /// How long each took that came back, shortest first.
    back: Vec<Duration>,
    /// Those that are in another session than before: theirs was lost.
    other_session: usize,
    /// Conversations that desks had and do not have.
    taken_away: usize,
    attempts: u64,
    /// The longest time without offers of each probed domain.
    without_offers: Vec<Duration>,
}

impl Outcome {
    fn of(
        desks: &[Arc<Desk>],
        before: &[(Option<u64>, usize)],
        probes: &[Arc<Probe>],
        began: Instant,
        ended: Instant,
    ) -> Self {
        let (mut back, mut other_session, mut taken_away, mut attempts) = (Vec::new(), 0, 0, 0);
        for (desk, (epoch, held)) in desks.iter().zip(before) {
            let seen = desk.seen();
            attempts += seen.attempts - 1;
            let Some((at, now, holds)) = seen.welcomed.filter(|(at, ..)| *at > began) else { continue };
            back.push(at - began);
            other_session += usize::from(Some(now) != *epoch);
            taken_away += held.saturating_sub(holds);
        }
        back.sort();
        let gap = |probe: &Arc<Probe>| gaps::longest(&probe.seen().offers, began, ended);
        let mut without_offers: Vec<Duration> = probes.iter().filter_map(gap).collect();
        without_offers.sort();
        Self { desks: desks.len(), back, other_session, taken_away, attempts, without_offers }
    }

    fn is_good(&self) -> bool {
        self.back.len() == self.desks && self.other_session == 0 && self.taken_away == 0
    }

    /// All are back, and none in the session that was lost.
    fn is_good_late(&self) -> bool {
        self.back.len() == self.desks && self.other_session == self.desks
    }

    fn json(&self, lost: usize) -> serde_json::Value {
        let times = |all: &[Duration]| {
            let at = |share| percentile(all, share).map(|time| time.as_millis());
            serde_json::json!({ "p50_ms": at(0.5), "p90_ms": at(0.9), "p99_ms": at(0.99), "max_ms": at(1.0) })
        };
        serde_json::json!({
            "desks": self.desks,
            "back": self.back.len(),
            "back_after": times(&self.back),
            "other_session": self.other_session,
            "taken_away": self.taken_away,
            "attempts": self.attempts,
            "without_offers": times(&self.without_offers),
            "lost": lost,
        })
    }

    fn print(&self, lost: usize) {
        let of = |all: &[Duration]| {
            let at = |share| percentile(all, share).map_or(0, |time| time.as_millis());
            format!("p50 {} p90 {} p99 {} max {} ms", at(0.5), at(0.9), at(0.99), at(1.0))
        };
        println!("{} of {} desks are back, after {}", self.back.len(), self.desks, of(&self.back));
        println!("attempts to connect: {}", self.attempts);
        println!("in another session than before: {}", self.other_session);
        println!("conversations taken away from them: {}", self.taken_away);
        println!(
            "probed domains without offers: {}; acknowledged and lost: {lost}",
            of(&self.without_offers)
        );
    }
}
