//! The meta group's state: a small pure machine of its own.

use super::moves::Moves;
use crate::{Account, PlacedDomain};
use consensus::{NODES_MAX, NodeId};
use proto::codec;
use routing::requests::{Requests, Seen};
use routing::{AccountId, DomainId, LogTime, Rejected, RequestId, ShardId, Span, level};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Accounts of a cluster.
const ACCOUNTS_MAX: usize = 100_000;
/// Domains of a cluster.
const DOMAINS_MAX: usize = 1_000_000;
/// Nodes that a cluster may have seen in all; ids are not used again.
const NODE_IDS_MAX: u64 = 100_000;
/// Longest address in bytes.
const ADDRESS_BYTES_MAX: usize = 300;
/// Answers remembered.
const REQUESTS_MAX: usize = 100_000;
/// How long a request id is good.
const WINDOW: Span = Span::seconds(300);
/// Longest name in bytes.
const NAME_BYTES_MAX: usize = 1_024;

/// Replicas of a shard where nobody has set anything: as many as may vote.
const REPLICAS_DEFAULT: u8 = 5;

/// Ids of accounts and domains that are left out when a backup is restored.
pub(super) const SKIPPED: u32 = 10_000;

/// Hash of a state as it is in a snapshot.
pub(crate) fn hash_of(encoded: &[u8]) -> u64 {
    twox_hash::XxHash3_64::oneshot(encoded)
}

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
    /// These nodes are the cluster's first, if it has none.
    Found {
        members: BTreeMap<NodeId, String>,
    },
    /// A node that drew this number is one of the cluster's; the same number again, the same node.
    Join {
        nonce: u128,
        address: String,
    },
    /// A node is to leave all groups.
    Leave {
        node: NodeId,
    },
    /// A node that was to leave is in no group any more.
    Gone {
        node: NodeId,
    },
    /// Every shard should have so many replicas.
    SetReplicas {
        replicas: u8,
    },
    /// All nodes know this level: the cluster runs at it from now on.
    SetLevel {
        level: u32,
    },
    /// The level is not to be raised, or is again.
    HoldLevel {
        hold: bool,
    },
    /// A node says what it shares its fate with.
    SetZone {
        node: NodeId,
        zone: String,
    },
    /// A domain is to go to another shard.
    MoveDomain {
        domain: DomainId,
        to: ShardId,
    },
    /// All of it is there.
    PlaceMoved {
        domain: DomainId,
        number: u64,
    },
    /// It is to stay, if it has no new place yet.
    CancelMove {
        domain: DomainId,
    },
    /// Both shards know how its move ended.
    EndMove {
        domain: DomainId,
        number: u64,
    },
    /// A node is to lead nothing, as long as another can, or may lead again.
    Drain {
        node: NodeId,
        drained: bool,
    },
}

impl MetaCommand {
    /// The level that the cluster must run at for it.
    pub(crate) fn level(&self) -> u32 {
        match self {
            MetaCommand::CreateAccount { .. }
            | MetaCommand::PlaceDomain { .. }
            | MetaCommand::ConfirmDomain { .. }
            | MetaCommand::Found { .. }
            | MetaCommand::Join { .. }
            | MetaCommand::Leave { .. }
            | MetaCommand::Gone { .. }
            | MetaCommand::SetReplicas { .. }
            // Only said when all know the level that it names.
            | MetaCommand::SetLevel { .. } => level::FIRST,
            MetaCommand::HoldLevel { .. } => 2,
            MetaCommand::SetZone { .. } => 3,
            MetaCommand::MoveDomain { .. }
            | MetaCommand::PlaceMoved { .. }
            | MetaCommand::CancelMove { .. }
            | MetaCommand::EndMove { .. } => level::MOVES,
            MetaCommand::Drain { .. } => level::DRAINS,
        }
    }
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
    Joined {
        node: NodeId,
        members: BTreeMap<NodeId, String>,
    },
    /// The cluster is being founded: to be asked again.
    Unfounded,
}

/// A node of the cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Member {
    /// Where the others reach it.
    pub(crate) address: String,
    /// What it drew before it joined; 0 for the first ones.
    pub(crate) nonce: u128,
    /// It is to leave all groups.
    pub(crate) leaving: bool,
}

pub(crate) type MetaOutcome = Result<MetaDone, Rejected>;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Placed {
    place: PlacedDomain,
    confirmed: bool,
}

/// What can be set for the whole cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Settings {
    /// Replicas of every shard, as far as there are nodes.
    replicas: u8,
}

impl Default for Settings {
    fn default() -> Self {
        Settings { replicas: REPLICAS_DEFAULT }
    }
}

/// Which level the cluster runs at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Levels {
    now: u32,
    /// It is not to be raised.
    held: bool,
}

impl Default for Levels {
    fn default() -> Self {
        Levels { now: level::FIRST, held: false }
    }
}

type Zones = BTreeMap<NodeId, String>;

/// Accounts and domains, and the answers of late requests.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct MetaState {
    shards: u32,
    pub(super) log_time_us: u64,
    accounts: BTreeMap<AccountId, Account>,
    domains: BTreeMap<DomainId, Placed>,
    per_shard: BTreeMap<ShardId, u64>,
    last_domain: u32,
    members: BTreeMap<NodeId, Member>,
    last_node: u64,
    last_account: u32,
    /// Index of the last entry it includes; none before the first. Part of where a snapshot stands.
    #[serde(skip)]
    pub(super) index: Option<u64>,
    /// Written after the rest, if there is anything to say: see [`MetaState::encode`].
    #[serde(skip)]
    settings: Settings,
    /// Written after the settings, likewise.
    #[serde(skip)]
    levels: Levels,
    /// What nodes share their fate with, where it was said. Written after the levels, likewise.
    #[serde(skip)]
    zones: Zones,
    /// Domains on their way. Written after the zones, likewise.
    #[serde(skip)]
    pub(super) moves: Moves,
    /// Nodes that are to lead nothing. Written after the moves, likewise.
    #[serde(skip)]
    drained: BTreeSet<NodeId>,
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
        if command.level() > self.levels.now {
            return Err(Rejected::Level { level: self.levels.now });
        }
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
            MetaCommand::Found { members } => Ok(self.found(members)),
            MetaCommand::Join { nonce, address } => self.join(*nonce, address),
            MetaCommand::Leave { node } => self.leave(*node),
            MetaCommand::Gone { node } => {
                self.members.remove(node);
                self.zones.remove(node);
                self.drained.remove(node);
                Ok(MetaDone::Ok)
            }
            MetaCommand::SetReplicas { replicas } => {
                if ![1, 3, 5].contains(replicas) {
                    let problem = format!("{replicas} is not possible: 1, 3 or 5");
                    return Err(Rejected::Invalid { field: "replicas".to_owned(), problem });
                }
                self.settings.replicas = *replicas;
                Ok(MetaDone::Ok)
            }
            MetaCommand::SetLevel { level } if *level < self.levels.now => {
                let problem = format!("the cluster runs at {} already", self.levels.now);
                Err(Rejected::Invalid { field: "level".to_owned(), problem })
            }
            MetaCommand::SetLevel { level } => {
                self.levels.now = *level;
                Ok(MetaDone::Ok)
            }
            MetaCommand::HoldLevel { hold } => {
                self.levels.held = *hold;
                Ok(MetaDone::Ok)
            }
            MetaCommand::SetZone { node, zone } => self.set_zone(*node, zone),
            MetaCommand::MoveDomain { domain, to } => self.move_domain(*domain, *to),
            MetaCommand::PlaceMoved { domain, number } => self.place_moved(*domain, *number),
            MetaCommand::CancelMove { domain } => self.cancel_move(*domain),
            MetaCommand::EndMove { domain, number } => self.end_move(*domain, *number),
            MetaCommand::Drain { node, drained } => self.drain(*node, *drained),
        }
    }

    fn found(&mut self, members: &BTreeMap<NodeId, String>) -> MetaDone {
        if self.last_node == 0 {
            for (id, address) in members {
                let founder = Member { address: address.clone(), nonce: 0, leaving: false };
                self.members.insert(*id, founder);
                self.last_node = self.last_node.max(id.0);
            }
        }
        MetaDone::Ok
    }

    fn join(&mut self, nonce: u128, address: &str) -> MetaOutcome {
        if address.is_empty() || address.len() > ADDRESS_BYTES_MAX {
            let problem = format!("must have 1 to {ADDRESS_BYTES_MAX} bytes");
            return Err(Rejected::Invalid { field: "address".to_owned(), problem });
        }
        if self.last_node == 0 {
            return Ok(MetaDone::Unfounded);
        }
        let node = match self.members.iter().find(|(_, member)| nonce != 0 && member.nonce == nonce) {
            Some((id, _)) => *id,
            None => self.new_member(nonce, address)?,
        };
        let members = self.members.iter().map(|(id, member)| (*id, member.address.clone())).collect();
        Ok(MetaDone::Joined { node, members })
    }

    fn new_member(&mut self, nonce: u128, address: &str) -> Result<NodeId, Rejected> {
        full("nodes", self.members.len(), NODES_MAX)?;
        full("node ids", usize::try_from(self.last_node).unwrap_or(usize::MAX), NODE_IDS_MAX as usize)?;
        if let Some((id, _)) = self.members.iter().find(|(_, member)| member.address == address) {
            let why = format!(
                "{id} is at {address}: if its data is lost, remove it first (centralita ctl node remove {})",
                id.0
            );
            return Err(Rejected::InUse { why });
        }
        self.last_node += 1;
        let node = NodeId(self.last_node);
        self.members.insert(node, Member { address: address.to_owned(), nonce, leaving: false });
        Ok(node)
    }

    fn set_zone(&mut self, node: NodeId, zone: &str) -> MetaOutcome {
        if !consensus::is_zone(zone) {
            let problem = format!("'{zone}' is not possible: letters, digits, . _ / and -");
            return Err(Rejected::Invalid { field: "zone".to_owned(), problem });
        }
        // One that is gone meanwhile needs none.
        if zone.is_empty() || !self.members.contains_key(&node) {
            self.zones.remove(&node);
        } else {
            self.zones.insert(node, zone.to_owned());
        }
        Ok(MetaDone::Ok)
    }

    fn leave(&mut self, node: NodeId) -> MetaOutcome {
        let stay = self.members.iter().filter(|(id, member)| **id != node && !member.leaving).count();
        match self.members.get_mut(&node) {
            Some(_) if stay == 0 => {
                Err(Rejected::InUse { why: "no other node would stay: join one first".to_owned() })
            }
            Some(member) => {
                member.leaving = true;
                Ok(MetaDone::Ok)
            }
            None if node.0 > 0 && node.0 <= self.last_node => Ok(MetaDone::Ok),
            None => Err(Rejected::Unknown { kind: "node".to_owned(), id: node.to_string() }),
        }
    }

    fn drain(&mut self, node: NodeId, drained: bool) -> MetaOutcome {
        if !self.members.contains_key(&node) {
            return Err(Rejected::Unknown { kind: "node".to_owned(), id: node.to_string() });
        }
        if !drained {
            self.drained.remove(&node);
            return Ok(MetaDone::Ok);
        }
        let lead = |(id, member): &(&NodeId, &Member)| !member.leaving && !self.drained.contains(id);
        if self.members.iter().filter(lead).all(|(id, _)| *id == node) {
            let why = "no other node would lead: let one lead again first (centralita ctl node undrain)";
            return Err(Rejected::InUse { why: why.to_owned() });
        }
        self.drained.insert(node);
        Ok(MetaDone::Ok)
    }

    /// The earliest wall time that a new request's id should bear, Unix milliseconds: after the clock
    /// by which ids are too old, and so after all that were forgotten.
    pub(crate) fn asked_from_ms(&self) -> u64 {
        self.requests.reference_ms().map_or(0, |reference_ms| reference_ms + 1)
    }

    /// Hash of the whole state: equal on all replicas at equal index.
    pub(crate) fn hash(&self) -> u64 {
        hash_of(&self.encode())
    }

    /// The state as it is in a snapshot. Settings that nobody has changed are not written: such a state
    /// is what builds that knew none write and read.
    pub(crate) fn encode(&self) -> Vec<u8> {
        if !self.drained.is_empty() {
            let (zones, moves, drained) = (&self.zones, &self.moves, &self.drained);
            codec::encode(&(self, self.settings, self.levels, zones, moves, drained))
        } else if self.moves != Moves::default() {
            codec::encode(&(self, self.settings, self.levels, &self.zones, &self.moves))
        } else if !self.zones.is_empty() {
            codec::encode(&(self, self.settings, self.levels, &self.zones))
        } else if self.levels != Levels::default() {
            codec::encode(&(self, self.settings, self.levels))
        } else if self.settings != Settings::default() {
            codec::encode(&(self, self.settings))
        } else {
            codec::encode(self)
        }
    }

    /// Reads what [`MetaState::encode`] wrote.
    ///
    /// # Errors
    /// As of [`codec::decode`].
    pub(crate) fn decode(encoded: &[u8]) -> Result<Self, codec::CodecError> {
        type Drained = BTreeSet<NodeId>;
        if let Ok((state, settings, levels, zones, moves, drained)) =
            codec::decode::<(Self, Settings, Levels, Zones, Moves, Drained)>(encoded)
        {
            return Ok(Self { settings, levels, zones, moves, drained, ..state });
        }
        if let Ok((state, settings, levels, zones, moves)) =
            codec::decode::<(Self, Settings, Levels, Zones, Moves)>(encoded)
        {
            return Ok(Self { settings, levels, zones, moves, ..state });
        }
        if let Ok((state, settings, levels, zones)) =
            codec::decode::<(Self, Settings, Levels, Zones)>(encoded)
        {
            return Ok(Self { settings, levels, zones, ..state });
        }
        if let Ok((state, settings, levels)) = codec::decode::<(Self, Settings, Levels)>(encoded) {
            return Ok(Self { settings, levels, ..state });
        }
        match codec::decode::<(Self, Settings)>(encoded) {
            Ok((state, settings)) => Ok(Self { settings, ..state }),
            Err(_) => codec::decode(encoded),
        }
    }

    /// What nodes share their fate with, where it was said.
    pub(crate) fn zones(&self) -> &Zones {
        &self.zones
    }

    /// Nodes that are to lead nothing, as long as others can.
    pub(crate) fn drained(&self) -> &BTreeSet<NodeId> {
        &self.drained
    }

    /// The level that the cluster runs at.
    pub(crate) fn level(&self) -> u32 {
        self.levels.now
    }

    /// Whether the level is not to be raised.
    pub(crate) fn level_held(&self) -> bool {
        self.levels.held
    }

    /// How many replicas every shard should have, as far as there are nodes.
    pub(crate) fn replicas(&self) -> usize {
        usize::from(self.settings.replicas)
    }

    /// Index of the last entry that the state includes; none before the first.
    pub(crate) fn index(&self) -> Option<u64> {
        self.index
    }

    /// Makes a state that was taken from a backup that of a new cluster, with this one node and domains
    /// where they were found. Ids that the former cluster may have given out since are not given out again.
    pub(crate) fn reborn(&mut self, founder: NodeId, address: &str, places: &BTreeMap<DomainId, ShardId>) {
        self.moves.reborn();
        for (domain, shard) in places {
            self.put(*domain, *shard);
        }
        self.members.clear();
        self.zones.clear();
        self.drained.clear();
        self.last_node = 0;
        self.found(&BTreeMap::from([(founder, address.to_owned())]));
        self.last_account = self.last_account.saturating_add(SKIPPED);
        self.last_domain = self.last_domain.saturating_add(SKIPPED);
        self.requests.forget_clock();
    }

    /// The cluster's nodes; none until it is founded.
    pub(crate) fn members(&self) -> &BTreeMap<NodeId, Member> {
        &self.members
    }

    /// Nodes that are no more.
    pub(crate) fn removed(&self) -> BTreeSet<NodeId> {
        (1..=self.last_node).map(NodeId).filter(|id| !self.members.contains_key(id)).collect()
    }

    fn create_account(&mut self, name: &str) -> MetaOutcome {
        if name.is_empty() || name.len() > NAME_BYTES_MAX {
            let problem = format!("must have 1 to {NAME_BYTES_MAX} bytes");
            return Err(Rejected::Invalid { field: "name".to_owned(), problem });
        }
        full("accounts", self.accounts.len(), ACCOUNTS_MAX)?;
        self.last_account += 1;
        let account = Account { id: AccountId(self.last_account), name: name.to_owned() };
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

    /// Puts a domain on a shard.
    pub(super) fn put(&mut self, domain: DomainId, shard: ShardId) {
        let Some(placed) = self.domains.get_mut(&domain) else { return };
        let from = std::mem::replace(&mut placed.place.shard, shard);
        if let Some(count) = self.per_shard.get_mut(&from) {
            *count = count.saturating_sub(1);
        }
        *self.per_shard.entry(shard).or_default() += 1;
    }

    /// The shard of a domain that exists there.
    pub(super) fn confirmed(&self, domain: DomainId) -> Option<ShardId> {
        self.domains.get(&domain).filter(|placed| placed.confirmed).map(|placed| placed.place.shard)
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
#[path = "state_tests.rs"]
mod tests;
