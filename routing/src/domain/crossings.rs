//! Conversations on their way between domains: what a domain keeps of those that leave it, and of
//! those that come. Both sides are state, so that any leader can go on (ADR 0014).

use super::{AgentNo, ConvNo, Domain};
use crate::command::{Command, Crossing, Incoming, Recall, TransferFallback};
use crate::outcome::Landing;
use crate::settings::limits::{CROSSING_DOMAINS_MAX, CROSSINGS_MAX};
use crate::view::DepartureView;
use crate::{ConversationId, DomainId, LogTime, Rejected, TouchpointId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A conversation's way to another domain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Departure {
    pub(crate) to: TouchpointId,
    pub(crate) number: u64,
    pub(crate) fallback: TransferFallback,
    /// Who owned it, if somebody did.
    pub(crate) source: Option<AgentNo>,
    /// When it is called back; none once it was.
    pub(crate) deadline: Option<LogTime>,
    pub(crate) recall: Option<Recall>,
}

impl Departure {
    pub(crate) fn view(&self) -> DepartureView {
        let Self { to, number, fallback, source: _, deadline: _, recall } = self;
        DepartureView { to: *to, number: *number, fallback: *fallback, recall: recall.clone() }
    }

    /// Whether it is as shown.
    pub(crate) fn is_like(&self, view: &DepartureView) -> bool {
        let DepartureView { to, number, fallback, recall } = view;
        self.to == *to && self.number == *number && self.fallback == *fallback && self.recall == *recall
    }
}

/// Transfers to one other domain.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Route {
    /// The last number given out.
    last: u64,
    /// What is not settled.
    open: BTreeMap<u64, ConvNo>,
}

impl Route {
    fn floor(&self) -> u64 {
        self.open.first_key_value().map_or(self.last + 1, |(number, _)| *number)
    }
}

/// Transfers from one other domain.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Origin {
    /// What is smaller is settled over there and forgotten here.
    floor: u64,
    landings: BTreeMap<u64, Landing>,
}

/// All transfers between a domain and others. Bounded: what leaves by [`CROSSINGS_MAX`], what came by
/// that bound of the domains it came from, since they say from where on they are settled.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Crossings {
    /// What is on its way, over all routes: asked for after every entry.
    leaving: u64,
    routes: BTreeMap<DomainId, Route>,
    origins: BTreeMap<DomainId, Origin>,
}

/// What is known of a transfer that comes.
pub(crate) enum Known {
    /// Nothing yet.
    New,
    /// What was answered the first time.
    Landed(Landing),
    /// It is settled over there: a message that was late.
    Settled,
}

/// For a domain that moves.
impl Crossings {
    pub(super) fn routes(&self) -> impl Iterator<Item = (DomainId, &Route)> {
        self.routes.iter().map(|(to, route)| (*to, route))
    }

    pub(super) fn origins(&self) -> impl Iterator<Item = (DomainId, &Origin)> {
        self.origins.iter().map(|(from, origin)| (*from, origin))
    }

    pub(super) fn put_route(&mut self, to: DomainId, route: Route) {
        self.leaving += route.open.len() as u64;
        self.routes.insert(to, route);
    }

    pub(super) fn put_origin(&mut self, from: DomainId, origin: Origin) {
        self.origins.insert(from, origin);
    }
}

impl Crossings {
    /// Whether something is on its way to another domain.
    pub(crate) fn is_leaving(&self) -> bool {
        self.leaving > 0
    }

    /// Refuses one more.
    pub(crate) fn check_room(&self, to: DomainId) -> Result<(), Rejected> {
        let full = |what: &str, limit: u64, remedy: &str| {
            Err(Rejected::Full { what: what.to_owned(), limit, remedy: remedy.to_owned() })
        };
        if self.leaving >= CROSSINGS_MAX {
            return full(
                "the domain's outbox",
                CROSSINGS_MAX,
                "try again when what is on its way has arrived",
            );
        }
        if !self.routes.contains_key(&to) && self.routes.len() >= CROSSING_DOMAINS_MAX {
            return full("the list of domains sent to", CROSSING_DOMAINS_MAX as u64, "send to one of those");
        }
        Ok(())
    }

    /// The number of a new transfer.
    pub(crate) fn leave(&mut self, to: DomainId, no: ConvNo) -> u64 {
        let route = self.routes.entry(to).or_default();
        route.last += 1;
        route.open.insert(route.last, no);
        self.leaving += 1;
        route.last
    }

    /// A transfer is settled.
    pub(crate) fn settle(&mut self, to: DomainId, number: u64) {
        if let Some(route) = self.routes.get_mut(&to) {
            self.leaving -= u64::from(route.open.remove(&number).is_some());
        }
    }

    /// Leaves numbers out that may have been given out by a former life of this domain.
    pub(crate) fn skip(&mut self, numbers: u64) {
        for route in self.routes.values_mut() {
            route.last = route.last.saturating_add(numbers);
        }
    }

    /// The last number given out, by domain.
    pub(crate) fn sent(&self) -> impl Iterator<Item = (DomainId, u64)> {
        self.routes.iter().map(|(to, route)| (*to, route.last))
    }

    /// What arrived by numbers that its domain has not given out yet, as `last` says of the domains it
    /// knows; forgotten here.
    pub(crate) fn unknown_to(&mut self, last: impl Fn(DomainId) -> Option<u64>) -> Vec<ConversationId> {
        let mut unknown = Vec::new();
        for (from, origin) in &mut self.origins {
            let Some(last) = last(*from) else { continue };
            let ahead = origin.landings.split_off(&(last + 1));
            unknown.extend(ahead.into_values().filter_map(|landing| match landing {
                Landing::Arrived(id) => Some(id),
                Landing::Refused(_) | Landing::Withdrawn => None,
            }));
        }
        unknown
    }

    /// Looks a transfer up that comes, and forgets what is settled over there.
    pub(crate) fn meet(&mut self, crossing: &Crossing) -> Known {
        let known = self.origins.get(&crossing.from.domain).map_or(0, |origin| origin.floor);
        let floor = known.max(crossing.floor);
        if crossing.number < floor {
            return Known::Settled;
        }
        let origin = self.origins.entry(crossing.from.domain).or_default();
        if floor > origin.floor {
            origin.floor = floor;
            origin.landings = origin.landings.split_off(&floor);
        }
        origin.landings.get(&crossing.number).map_or(Known::New, |landing| Known::Landed(landing.clone()))
    }

    /// Remembers what was answered.
    pub(crate) fn land(&mut self, crossing: &Crossing, landing: Landing) {
        let origin = self.origins.entry(crossing.from.domain).or_default();
        origin.landings.insert(crossing.number, landing);
    }
}

/// A message that a domain owes another one. Derived from state: it is owed until the answer is
/// settled, and may be sent any number of times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owed {
    /// The domain that is to get it.
    pub to: DomainId,
    /// Which transfer.
    pub crossing: Crossing,
    /// The recall it carries, if any: to be named when it is settled.
    pub recall: Option<Recall>,
    /// What the domain is asked.
    pub command: Command,
}

impl Domain {
    /// What is owed to other domains at this time, in order, but for what is left out.
    pub(crate) fn owed<'a>(
        &'a self,
        now: LogTime,
        leave_out: &'a dyn Fn(DomainId, ConvNo, u64) -> bool,
    ) -> impl Iterator<Item = Owed> + 'a {
        self.crossings.routes.iter().flat_map(move |(to, route)| {
            let floor = route.floor();
            let open = route.open.iter().filter(|(number, no)| !leave_out(*to, **no, **number));
            open.map(move |(number, no)| {
                let crossing = Crossing { from: no.id(self.id), number: *number, floor };
                let (recall, command) = self.message(now, *no, crossing);
                Owed { to: *to, crossing, recall, command }
            })
        })
    }

    fn message(&self, now: LogTime, no: ConvNo, crossing: Crossing) -> (Option<Recall>, Command) {
        let conversation = self.conv(no);
        let departure = conversation.departure.as_ref().expect("what is in the outbox is on its way");
        if let Some(recall) = &departure.recall {
            return (Some(recall.clone()), Command::Withdraw { crossing, recall: recall.clone() });
        }
        let incoming = Incoming {
            crossing,
            account: self.account,
            to: departure.to,
            channel: conversation.channel,
            priority: conversation.priority,
            customer: conversation.customer().to_owned(),
            reference: conversation.reference().to_owned(),
            age: now.since(conversation.arrived_at),
            hop: conversation.hops,
        };
        (None, Command::Arrive(Box::new(incoming)))
    }
}
