//! The meta group's state: a small pure machine of its own.

use crate::{Account, PlacedDomain};
use routing::requests::{Requests, Seen};
use routing::{AccountId, DomainId, LogTime, Rejected, RequestId, ShardId, Span};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Accounts of a cluster.
const ACCOUNTS_MAX: usize = 100_000;
/// Domains of a cluster.
const DOMAINS_MAX: usize = 1_000_000;
/// Answers remembered.
const REQUESTS_MAX: usize = 100_000;
/// How long a request id is good.
const WINDOW: Span = Span::seconds(300);
/// Longest name in bytes.
const NAME_BYTES_MAX: usize = 1_024;

/// What the meta group can be asked. Variants only grow at the end: they are in logs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum MetaCommand {
    CreateAccount {
        name: String,
    },
    /// Mints a domain's id and picks its shard. It is listed once it is confirmed.
    PlaceDomain {
        account: AccountId,
    },
    /// The domain exists on its shard.
    ConfirmDomain {
        domain: DomainId,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct MetaRequest {
    pub(crate) id: RequestId,
    pub(crate) command: MetaCommand,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum MetaDone {
    Account(Account),
    Placed(PlacedDomain),
    Ok,
}

pub(crate) type MetaOutcome = Result<MetaDone, Rejected>;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Placed {
    place: PlacedDomain,
    confirmed: bool,
}

/// Accounts and domains, and the answers of late requests.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct MetaState {
    shards: u32,
    pub(super) log_time_us: u64,
    accounts: BTreeMap<AccountId, Account>,
    domains: BTreeMap<DomainId, Placed>,
    per_shard: BTreeMap<ShardId, u64>,
    last_domain: u32,
    requests: Requests<MetaCommand, MetaOutcome, REQUESTS_MAX>,
}

impl MetaState {
    pub(crate) fn new(shards: u32) -> Self {
        let per_shard = (1..=shards).map(|shard| (ShardId(shard), 0)).collect();
        Self { shards, per_shard, ..Self::default() }
    }

    pub(super) fn apply(&mut self, request: MetaRequest, time_us: u64, wall_ms: u64) -> MetaOutcome {
        self.log_time_us = self.log_time_us.max(time_us);
        let now = LogTime(self.log_time_us);
        let MetaRequest { id, command } = request;
        match self.requests.meet(id, &command, now, wall_ms, WINDOW) {
            Seen::New => {}
            Seen::Answered(answer) => return answer,
            Seen::Reused => return Err(Rejected::RequestIdReused),
            Seen::TooOld => return Err(Rejected::RequestTooOld { window_s: WINDOW.0 / 1_000_000 }),
        }
        let outcome = self.carry_out(&command);
        self.requests.remember(id, command, now, outcome.clone());
        outcome
    }

    fn carry_out(&mut self, command: &MetaCommand) -> MetaOutcome {
        match command {
            MetaCommand::CreateAccount { name } => self.create_account(name),
            MetaCommand::PlaceDomain { account } => self.place_domain(*account),
            MetaCommand::ConfirmDomain { domain } => match self.domains.get_mut(domain) {
                Some(placed) => {
                    placed.confirmed = true;
                    Ok(MetaDone::Ok)
                }
                None => Err(Rejected::UnknownDomain),
            },
        }
    }

    fn create_account(&mut self, name: &str) -> MetaOutcome {
        if name.is_empty() || name.len() > NAME_BYTES_MAX {
            let problem = format!("must have 1 to {NAME_BYTES_MAX} bytes");
            return Err(Rejected::Invalid { field: "name".to_owned(), problem });
        }
        full("accounts", self.accounts.len(), ACCOUNTS_MAX)?;
        let next = self.accounts.last_key_value().map_or(1, |(id, _)| id.0 + 1);
        let account = Account { id: AccountId(next), name: name.to_owned() };
        self.accounts.insert(account.id, account.clone());
        Ok(MetaDone::Account(account))
    }

    fn place_domain(&mut self, account: AccountId) -> MetaOutcome {
        if !self.accounts.contains_key(&account) {
            return Err(Rejected::Unknown { kind: "account".to_owned(), id: account.to_string() });
        }
        full("domains", self.domains.len(), DOMAINS_MAX)?;
        let Some((shard, count)) = self.per_shard.iter_mut().min_by_key(|(shard, count)| (**count, **shard))
        else {
            return Err(Rejected::InUse { why: "the cluster has no shards".to_owned() });
        };
        *count += 1;
        self.last_domain += 1;
        let place = PlacedDomain { domain: DomainId(self.last_domain), account, shard: *shard };
        self.domains.insert(place.domain, Placed { place: place.clone(), confirmed: false });
        Ok(MetaDone::Placed(place))
    }

    /// Where a domain is, confirmed or not.
    pub(crate) fn place(&self, domain: DomainId) -> Option<&PlacedDomain> {
        self.domains.get(&domain).map(|placed| &placed.place)
    }

    pub(crate) fn accounts(&self) -> Vec<Account> {
        self.accounts.values().cloned().collect()
    }

    pub(crate) fn domains(&self) -> Vec<PlacedDomain> {
        self.domains.values().filter(|placed| placed.confirmed).map(|placed| placed.place.clone()).collect()
    }

    /// Confirmed domains on a shard.
    pub(crate) fn domains_on(&self, shard: ShardId) -> u64 {
        self.domains.values().filter(|placed| placed.confirmed && placed.place.shard == shard).count() as u64
    }

    pub(super) fn shards(&self) -> u32 {
        self.shards
    }
}

fn full(what: &str, held: usize, limit: usize) -> Result<(), Rejected> {
    if held < limit {
        return Ok(());
    }
    let remedy = "use another cluster".to_owned();
    Err(Rejected::Full { what: what.to_owned(), limit: limit as u64, remedy })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(made_at_ms: u64, number: u128) -> RequestId {
        RequestId(u128::from(made_at_ms) << 80 | number)
    }

    fn late_account(state: &mut MetaState, made_ms: u64, time_s: u64, wall_ms: u64) -> MetaOutcome {
        let command = MetaCommand::CreateAccount { name: format!("at {time_s}") };
        let request = MetaRequest { id: id(made_ms, u128::from(time_s)), command };
        state.apply(request, time_s * 1_000_000, wall_ms)
    }

    fn account(state: &mut MetaState, number: u128, name: &str) -> MetaOutcome {
        let command = MetaCommand::CreateAccount { name: name.to_owned() };
        state.apply(MetaRequest { id: id(1_000, number), command }, 1, 1_000)
    }

    fn domain(state: &mut MetaState, number: u128, account: u32) -> MetaOutcome {
        let command = MetaCommand::PlaceDomain { account: AccountId(account) };
        state.apply(MetaRequest { id: id(1_000, number), command }, 1, 1_000)
    }

    #[test]
    fn a_retry_gets_the_first_answer_and_another_content_is_refused() {
        let mut state = MetaState::new(2);
        let first = account(&mut state, 1, "Acme");
        assert_eq!(account(&mut state, 1, "Acme"), first);
        assert_eq!(account(&mut state, 1, "Other"), Err(Rejected::RequestIdReused));
        assert_eq!(state.accounts().len(), 1);
        let late = late_account(&mut state, 1_000, 2_000, 2_000_000);
        assert!(matches!(late, Err(Rejected::RequestTooOld { .. })), "{late:?}");
    }

    #[test]
    fn a_leader_whose_clock_is_an_hour_ahead_shuts_nobody_out() {
        const HOUR_MS: u64 = 3_600_000;
        let mut state = MetaState::new(1);
        late_account(&mut state, 1_000, 1, 1_000).unwrap();
        for time_s in 2..10 {
            let honest_ms = time_s * 1_000;
            late_account(&mut state, honest_ms, time_s, honest_ms + HOUR_MS).unwrap();
            let command = MetaCommand::PlaceDomain { account: AccountId(1) };
            let own = MetaRequest { id: id(honest_ms + HOUR_MS, u128::from(time_s)), command };
            state.apply(own, time_s * 1_000_000, honest_ms + HOUR_MS).unwrap();
        }
        for time_s in (10..12_000).step_by(60) {
            late_account(&mut state, time_s * 1_000, time_s, time_s * 1_000).unwrap();
        }
    }

    #[test]
    fn domains_go_to_the_emptiest_shard_and_are_listed_once_confirmed() {
        let mut state = MetaState::new(2);
        account(&mut state, 1, "Acme").unwrap();
        assert!(matches!(domain(&mut state, 2, 9), Err(Rejected::Unknown { .. })));
        for number in 3..7 {
            domain(&mut state, number, 1).unwrap();
        }
        let shards: Vec<u32> = (1..=4).map(|id| state.place(DomainId(id)).unwrap().shard.0).collect();
        assert_eq!(shards, [1, 2, 1, 2]);
        assert!(state.domains().is_empty());
        let confirm = MetaCommand::ConfirmDomain { domain: DomainId(2) };
        state.apply(MetaRequest { id: id(1_000, 8), command: confirm }, 2, 1_000).unwrap();
        assert_eq!(state.domains().len(), 1);
        assert_eq!(state.domains_on(ShardId(2)), 1);
    }
}
