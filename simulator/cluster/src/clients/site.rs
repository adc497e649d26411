//! A place where clients are.

use super::caller::{Caller, Manner, Settled, timed};
use super::customer::Customer;
use super::desk::Desk;
use super::lines::Lines;
use super::realm::Realm;
use super::request::{mutation, request_id};
use super::supervisor::Supervisor;
use super::{
    Phase, Reach, auditor, callback, channel_rules, consult, handling, hours, pace, policies, ring, setup,
    submit, watcher,
};
use crate::checks::{Asked, History, Opened};
use crate::determinism::Draw;
use crate::machine::Machine;
use crate::plan::Plan;
use proto::v1;
use proto::v1::admin_client::AdminClient;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};

/// Sets of lines; a line that breaks takes only some of the desks with it.
const POOLS: usize = 4;
/// Commands that wait for the backend's stream.
const JOBS_MAX: usize = 256;
/// New conversations per second of the domain that is made to panic.
const POISONED_RATE: f64 = 0.5;

/// A place where clients are, with its domains and everybody in them.
pub struct Site {
    /// From 1.
    pub id: u8,
    /// The plan.
    pub plan: Arc<Plan>,
    /// Machines of the cluster, those too whose nodes join later.
    pub machines: Vec<Machine>,
    /// The way to the nodes.
    pub reach: Arc<dyn Reach>,
    /// Randomness of this place.
    pub draw: Draw,
    /// Where everything that clients do and see is written down.
    pub history: Arc<History>,
    /// The phase.
    pub phase: watch::Receiver<Phase>,
}

/// One domain's part of a place.
struct Part {
    plan: Arc<Plan>,
    pools: Vec<Arc<Lines>>,
    draw: Draw,
    history: Arc<History>,
    phase: watch::Receiver<Phase>,
    number: u8,
    poisoned: bool,
}

/// What must come to an end before the run may.
struct Ends {
    set_up: Opened,
    picture: Opened,
}

impl Site {
    /// Sets the domains up, then plays everybody until the run is over.
    pub async fn run(self) {
        let pools: Vec<_> = (0..POOLS).map(|_| Lines::new(&self.machines, &*self.reach)).collect();
        let load = &self.plan.load;
        let own = (0..load.domains).filter(|number| number % load.sites == self.id - 1);
        let poisoned = (load.poison && self.id == 1).then_some(load.domains);
        for number in own.chain(poisoned) {
            let ends = Ends {
                set_up: self.history.open(format!("set-up of domain {number}")),
                picture: self.history.open(format!("last picture of domain {number}")),
            };
            let part = Part {
                plan: Arc::clone(&self.plan),
                pools: pools.clone(),
                draw: self.draw.child(&format!("domain {number}")),
                history: Arc::clone(&self.history),
                phase: self.phase.clone(),
                number,
                poisoned: Some(number) == poisoned,
            };
            tokio::spawn(part.run(ends));
        }
        let mut phase = self.phase.clone();
        // A run that nobody leads any more is over too.
        let _ = phase.wait_for(|phase| *phase == Phase::Over).await;
    }
}

impl Part {
    fn caller(&self, realm: Option<&Realm>, pool: usize, name: &str) -> Caller {
        Caller::new(
            Arc::clone(&self.pools[pool % self.pools.len()]),
            Arc::clone(&self.history),
            self.draw.child(name),
            self.phase.clone(),
            realm.map(|realm| realm.domain),
        )
    }

    async fn run(self, ends: Ends) {
        let Ends { set_up, picture } = ends;
        let load = self.plan.load.clone();
        let mut caller = self.caller(None, 0, "set-up");
        let Some(realm) = setup::domain(&mut caller, &load, self.number, self.poisoned).await else { return };
        let domain = realm.domain;
        let clean_up = self.history.open(format!("clean-up of {domain}"));
        for number in 0..load.watchers {
            let caller = self.caller(Some(&realm), usize::from(number), &format!("watcher {number}"));
            tokio::spawn(watcher::run(domain, caller));
        }
        for (place, member) in realm.agents.iter().enumerate() {
            let caller = self.caller(Some(&realm), place, &format!("desk {place}"));
            tokio::spawn(Desk::new(Arc::clone(&realm), member.id, caller, load.clone()).run());
        }
        let caller = self.caller(Some(&realm), 1, "supervisor");
        let supervisor = Supervisor {
            realm: Arc::clone(&realm),
            caller,
            load: load.clone(),
            left_behind: BTreeMap::new(),
        };
        tokio::spawn(supervisor.run(clean_up));
        let caller = self.caller(Some(&realm), 2, "policies");
        tokio::spawn(policies::run(Arc::clone(&realm), caller));
        let caller = self.caller(Some(&realm), 3, "channel rules");
        tokio::spawn(channel_rules::run(Arc::clone(&realm), caller));
        let caller = self.caller(Some(&realm), 3, "handling");
        tokio::spawn(handling::run(Arc::clone(&realm), caller));
        let caller = self.caller(Some(&realm), 2, "pace");
        tokio::spawn(pace::run(Arc::clone(&realm), caller));
        let caller = self.caller(Some(&realm), 2, "callback");
        tokio::spawn(callback::run(Arc::clone(&realm), caller));
        let caller = self.caller(Some(&realm), 2, "ring");
        tokio::spawn(ring::run(Arc::clone(&realm), caller));
        let caller = self.caller(Some(&realm), 2, "consult");
        tokio::spawn(consult::run(Arc::clone(&realm), caller));
        let caller = self.caller(Some(&realm), 2, "hours");
        let until_open = self.history.open(format!("hours of {domain}"));
        tokio::spawn(hours::run(Arc::clone(&realm), caller, until_open));
        let caller = self.caller(Some(&realm), 2, "auditor");
        tokio::spawn(auditor::run(domain, caller, picture));
        drop(set_up);
        if self.poisoned {
            let caller = self.caller(Some(&realm), 3, "poison");
            tokio::spawn(poison(Arc::clone(&realm), caller, self.plan.safety));
        }
        self.arrivals(&realm).await;
    }

    /// Customers come, whether or not the cluster keeps up.
    async fn arrivals(self, realm: &Arc<Realm>) {
        let load = &self.plan.load;
        let rate = if self.poisoned { POISONED_RATE } else { load.rate / f64::from(load.domains) };
        let every = Duration::from_secs_f64(1.0 / rate);
        let (jobs, waiting) = mpsc::channel(JOBS_MAX);
        if load.submit > 0.0 {
            tokio::spawn(submit::run(self.caller(Some(realm), 0, "submit"), waiting));
        }
        let mut caller = self.caller(Some(realm), 0, "arrivals");
        let mut number = 0;
        while caller.plays() && !realm.is_quarantined() {
            let pause = caller.draw.exponential(every);
            if caller.sleep(pause).await {
                continue;
            }
            number += 1;
            let customer = Customer {
                realm: Arc::clone(realm),
                caller: self.caller(
                    Some(realm),
                    usize::try_from(number).unwrap_or(0),
                    &format!("customer {number}"),
                ),
                load: load.clone(),
                number,
                submit: caller.draw.chance(load.submit).then(|| jobs.clone()),
            };
            tokio::spawn(customer.run());
        }
    }
}

/// Makes the domain panic, in the midst of it all.
async fn poison(realm: Arc<Realm>, mut caller: Caller, safety: Duration) {
    let after = safety.mul_f64(0.2 + 0.4 * caller.draw.unit());
    if caller.sleep(after).await {
        return;
    }
    let id = request_id(&mut caller.draw);
    let request = v1::PanicDomainRequest {
        mutation: mutation(id),
        domain: realm.domain.to_string(),
        message: "made to panic".to_owned(),
    };
    let settled = caller
        .settle(&Asked::Configure("panic_domain"), id, Manner::ORDINARY, |line, deadline| {
            let request = request.clone();
            async move { AdminClient::new(line).panic_domain(timed(request, deadline)).await }
        })
        .await;
    if let Settled::Refused(reason) = settled
        && reason == "FAULTS_NOT_ALLOWED"
    {
        caller.history.found("node", "the nodes refuse faults on purpose".to_owned());
    }
}
