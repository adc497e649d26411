//! Makes a domain with everything in it, however long it takes.

use super::answered::Answered;
use super::caller::{Caller, Manner, Settled, timed};
use super::realm::{Member, Realm};
use super::request::{mutation, request_id};
use super::settings;
use super::way::Way;
use crate::checks::Asked;
use crate::plan::LoadPlan;
use futures::future::join_all;
use proto::v1;
use proto::v1::admin_client::AdminClient;
use routing::TouchpointId;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tonic::{Response, Status};

/// Agents made at once.
const AT_ONCE: usize = 16;
/// How likely a domain belongs to the account that is shared: conversations may go from one to the
/// other.
const SHARED_ACCOUNT: f64 = 0.8;
/// Pause after a window that was closed: a node's clock is ahead.
const CLOCKS: Duration = Duration::from_millis(500);

/// Does one step until it is done; `None` when the run is over before. `call` is given a request
/// id, and the number of ids before it.
pub(super) async fn step<T, F>(
    caller: &mut Caller,
    asked: Asked,
    call: impl Fn(u128, u32, Way, Duration) -> F,
) -> Option<T>
where
    T: Answered,
    F: Future<Output = Result<Response<T>, Status>>,
{
    for round in 0.. {
        if caller.is_over() {
            return None;
        }
        let id = request_id(&mut caller.draw);
        let done =
            caller.settle(&asked, id, Manner::FOR_EVER, |line, deadline| call(id, round, line, deadline));
        match done.await {
            Settled::Done(answer, _) => return Some(answer),
            Settled::Refused(reason) if reason == "REQUEST_TOO_OLD" => tokio::time::sleep(CLOCKS).await,
            // The poisoned domain; of any other the judge says that it must not be.
            Settled::Refused(reason) if reason == "QUARANTINED" => return None,
            Settled::Refused(reason) => {
                caller.history.found("node", format!("{} was refused: {reason}", asked.method()));
                return None;
            }
            Settled::Unknown => {}
        }
    }
    None
}

/// Makes an account.
async fn account(caller: &mut Caller, name: String) -> Option<String> {
    let made = step(caller, Asked::Configure("create_account"), |id, _, line, deadline| {
        let request = v1::CreateAccountRequest { mutation: mutation(id), name: name.clone() };
        async move { AdminClient::new(line).create_account(timed(request, deadline)).await }
    });
    Some(made.await?.id)
}

/// Makes a domain and what is in it.
pub(super) async fn domain(
    caller: &mut Caller,
    load: &LoadPlan,
    number: u8,
    poisoned: bool,
) -> Option<Arc<Realm>> {
    let account = if !poisoned && caller.draw.chance(SHARED_ACCOUNT) {
        let history = Arc::clone(&caller.history);
        let made = async { account(caller, "shared".to_owned()).await.ok_or(()) };
        history.account.get_or_try_init(|| made).await.ok()?.clone()
    } else {
        account(caller, format!("account {number}")).await?
    };
    let domain_settings = settings::domain(&mut caller.draw, format!("domain {number}"));
    let made: v1::Domain = step(caller, Asked::Configure("create_domain"), |id, _, line, deadline| {
        let request = v1::CreateDomainRequest {
            mutation: mutation(id),
            account: account.clone(),
            settings: Some(domain_settings.clone()),
        };
        async move { AdminClient::new(line).create_domain(timed(request, deadline)).await }
    })
    .await?;
    let domain = made.id.parse().ok()?;
    caller.history.domain(domain, poisoned);
    caller.domain = Some(domain);

    let mut queues = Vec::new();
    for place in 0..load.queues {
        let wanted = settings::queue(&mut caller.draw, format!("queue {place}"));
        queues.push((create_queue(caller, wanted.clone()).await?, wanted));
    }
    let names: Vec<String> = queues.iter().map(|(id, _)| id.clone()).collect();

    let count = if poisoned { 2 } else { usize::from(load.agents) };
    let wanted: Vec<v1::AgentSettings> =
        (0..count).map(|place| settings::agent(&mut caller.draw, place, count, &names)).collect();
    let mut agents = Vec::new();
    for (chunk, some) in wanted.chunks(AT_ONCE).enumerate() {
        let made = join_all(some.iter().enumerate().map(|(place, settings)| {
            let mut caller = caller.child(&format!("agent {chunk} {place}"));
            async move { create_agent(&mut caller, settings.clone()).await }
        }));
        for (id, settings) in made.await.into_iter().zip(some) {
            agents.push(Member { id: id?.parse().ok()?, settings: settings.clone() });
        }
    }
    let texts: Vec<String> = agents.iter().map(|member| member.id.to_string()).collect();
    let (mut touchpoints, mut reachable) = (Vec::new(), Vec::new());
    for wanted in settings::touchpoints(&mut caller.draw.clone(), load, &names, &texts) {
        let channel = settings::channel(wanted.channel);
        let id: TouchpointId = create_touchpoint(caller, wanted).await?.parse().ok()?;
        reachable.extend(channel.map(|channel| (id, channel)));
        touchpoints.push(id);
    }
    let queues = queues.into_iter().map(|(id, settings)| Some((id.parse().ok()?, settings)));
    let queues = queues.collect::<Option<Vec<_>>>()?;
    if !poisoned {
        // What is out of service answers nothing: who goes there stays under way.
        caller.history.reachable(&reachable);
    }
    let history = Arc::clone(&caller.history);
    let realm = Realm::new(domain, domain_settings, queues, agents, touchpoints, history);
    caller.history.facts(settings::facts(&realm));
    Some(realm)
}

/// Makes a queue.
pub(super) async fn create_queue(caller: &mut Caller, wanted: v1::QueueSettings) -> Option<String> {
    let domain = caller.domain?.to_string();
    let made: v1::Created = step(caller, Asked::Configure("create_queue"), |id, _, line, deadline| {
        let settings = Some(wanted.clone());
        let request = v1::CreateQueueRequest { mutation: mutation(id), domain: domain.clone(), settings };
        async move { AdminClient::new(line).create_queue(timed(request, deadline)).await }
    })
    .await?;
    Some(made.id)
}

/// Makes an agent.
pub(super) async fn create_agent(caller: &mut Caller, wanted: v1::AgentSettings) -> Option<String> {
    let domain = caller.domain?.to_string();
    let made: v1::Created = step(caller, Asked::Configure("create_agent"), |id, _, line, deadline| {
        let settings = Some(wanted.clone());
        let request = v1::CreateAgentRequest { mutation: mutation(id), domain: domain.clone(), settings };
        async move { AdminClient::new(line).create_agent(timed(request, deadline)).await }
    })
    .await?;
    Some(made.id)
}

/// Makes a touchpoint. Its address may be taken by an attempt whose answer was lost.
pub(super) async fn create_touchpoint(caller: &mut Caller, wanted: v1::TouchpointSettings) -> Option<String> {
    let domain = caller.domain?.to_string();
    let made: v1::Created =
        step(caller, Asked::Configure("create_touchpoint"), |id, round, line, deadline| {
            let mut settings = wanted.clone();
            if round > 0 {
                settings.address = format!("{} ({round})", settings.address);
            }
            let settings = Some(settings);
            let request =
                v1::CreateTouchpointRequest { mutation: mutation(id), domain: domain.clone(), settings };
            async move { AdminClient::new(line).create_touchpoint(timed(request, deadline)).await }
        })
        .await?;
    Some(made.id)
}
