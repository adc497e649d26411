//! Leases of desks, watched over by the shard's leader in real time.
//!
//! Hearing of a desk only notes the time; the order of expiries is put right when one is looked
//! at. So a heartbeat costs one look-up, and each lease is looked at once per lease time.

use consensus::NodeId;
use routing::command::Desk;
use routing::{AgentId, DomainId, Epoch};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Why a lease ran out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Silence {
    /// The node that carried the desk was there, the desk was not heard of.
    Agent,
    /// The node that carried the desk could not be reached.
    Node,
}

#[derive(Debug)]
struct Lease {
    epoch: Epoch,
    heard_us: u64,
    /// The node that carries the desk, once it is known.
    front: Option<NodeId>,
    silence: Silence,
    /// When it is looked at next.
    look_us: u64,
}

#[derive(Debug, Default)]
struct Table {
    armed: bool,
    leases: BTreeMap<AgentId, Lease>,
    /// When to look at a lease; one entry per lease.
    looks: BTreeSet<(u64, AgentId)>,
    /// When the present wave of losses began, and how many it may still have.
    wave: Option<(u64, usize)>,
}

/// Length of a wave of losses. Agents whose node was cut off lose their leases together; their work is
/// offered to others wave by wave, and who comes back meanwhile keeps what is its own.
const WAVE_US: u64 = 100_000;

/// The leases of one shard; empty unless this node leads it.
#[derive(Debug)]
pub(crate) struct Leases {
    lease_us: u64,
    table: Mutex<Table>,
}

impl Leases {
    pub(crate) fn new(lease_us: u64) -> Self {
        Self { lease_us, table: Mutex::default() }
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// This node leads from now on: leases opened from now on are noted. The live ones of the
    /// state follow by [`Leases::opened`], each with its whole time.
    pub(crate) fn arm(&self) {
        *self.table() = Table { armed: true, ..Table::default() };
    }

    /// This node leads no more.
    pub(crate) fn disarm(&self) {
        *self.table() = Table::default();
    }

    /// A moment whose leases have run out now.
    pub(crate) fn long_ago(&self, now_us: u64) -> u64 {
        now_us.saturating_sub(self.lease_us)
    }

    /// A lease is live with its whole time from now on. True if the next look may have changed.
    pub(crate) fn opened(&self, agent: AgentId, epoch: Epoch, now_us: u64) -> bool {
        let mut table = self.table();
        if !table.armed {
            return false;
        }
        match table.leases.get_mut(&agent) {
            Some(lease) if lease.epoch >= epoch => return false,
            Some(lease) => {
                let look_us = lease.look_us;
                *lease = Lease { epoch, heard_us: now_us, front: None, silence: Silence::Agent, look_us };
                return false;
            }
            None => {}
        }
        let first = table.looks.is_empty();
        let look_us = now_us + self.lease_us;
        let lease = Lease { epoch, heard_us: now_us, front: None, silence: Silence::Agent, look_us };
        table.leases.insert(agent, lease);
        table.looks.insert((look_us, agent));
        first
    }

    /// A lease ended by a committed entry.
    pub(crate) fn closed(&self, agent: AgentId, epoch: Epoch) {
        let mut table = self.table();
        if table.leases.get(&agent).is_some_and(|lease| lease.epoch <= epoch)
            && let Some(lease) = table.leases.remove(&agent)
        {
            table.looks.remove(&(lease.look_us, agent));
        }
    }

    /// A domain has gone to another shard, and its leases are watched over there.
    pub(crate) fn depart(&self, domain: DomainId) {
        let mut table = self.table();
        let gone: Vec<(AgentId, u64)> = table
            .leases
            .iter()
            .filter(|(agent, _)| agent.domain == domain)
            .map(|(agent, lease)| (*agent, lease.look_us))
            .collect();
        for (agent, look_us) in gone {
            table.leases.remove(&agent);
            table.looks.remove(&(look_us, agent));
        }
    }

    /// A desk was heard of, at this node.
    pub(crate) fn heard(&self, agent: AgentId, epoch: Epoch, front: NodeId, now_us: u64) {
        if let Some(lease) = self.table().leases.get_mut(&agent)
            && lease.epoch == epoch
        {
            lease.heard_us = now_us;
            lease.front = Some(front);
            lease.silence = Silence::Agent;
        }
    }

    /// A node disappeared: its desks get a whole lease to come elsewhere.
    pub(crate) fn front_lost(&self, front: NodeId, now_us: u64) {
        for lease in self.table().leases.values_mut() {
            if lease.front == Some(front) {
                lease.heard_us = now_us;
                lease.silence = Silence::Node;
            }
        }
    }

    /// Leases that ran out by now, at most `count_max` in a tenth of a second. They stay, and run out
    /// again after another lease, until a committed entry closes them.
    pub(crate) fn expired(&self, now_us: u64, count_max: usize) -> Vec<(Desk, Silence)> {
        let mut table = self.table();
        let (began_us, left) =
            table.wave.filter(|(at_us, _)| now_us < at_us + WAVE_US).unwrap_or((now_us, count_max));
        let mut expired = Vec::new();
        while let Some(&(at_us, agent)) = table.looks.first()
            && at_us <= now_us
            && expired.len() < left
        {
            table.looks.pop_first();
            let Some(lease) = table.leases.get_mut(&agent) else { continue };
            if lease.heard_us + self.lease_us <= now_us {
                expired.push((Desk { agent, epoch: lease.epoch }, lease.silence));
                lease.heard_us = now_us;
            }
            let next_us = lease.heard_us + self.lease_us;
            lease.look_us = next_us;
            table.looks.insert((next_us, agent));
        }
        table.wave = Some((began_us, left - expired.len()));
        expired
    }

    /// When to look next.
    pub(crate) fn next_look_us(&self) -> Option<u64> {
        let table = self.table();
        let wave_us = table.wave.filter(|(_, left)| *left == 0).map_or(0, |(at_us, _)| at_us + WAVE_US);
        table.looks.first().map(|(at_us, _)| wave_us.max(*at_us))
    }

    pub(crate) fn len(&self) -> usize {
        self.table().leases.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use routing::DomainId;

    const FRONT: NodeId = NodeId(2);

    fn agent(number: u64) -> AgentId {
        AgentId::new(DomainId(1), number)
    }

    fn armed() -> Leases {
        let leases = Leases::new(10);
        leases.arm();
        leases
    }

    #[test]
    fn a_silent_desk_loses_its_lease_and_a_heard_one_keeps_it() {
        let leases = armed();
        assert!(leases.opened(agent(1), Epoch(1), 0));
        assert!(!leases.opened(agent(2), Epoch(1), 0));
        leases.heard(agent(2), Epoch(1), FRONT, 6);
        assert_eq!(leases.next_look_us(), Some(10));
        assert!(leases.expired(9, 10).is_empty());
        let desk = Desk { agent: agent(1), epoch: Epoch(1) };
        assert_eq!(leases.expired(10, 10), [(desk, Silence::Agent)]);
        assert_eq!(leases.expired(16, 10).len(), 1, "the other one, ten after it was heard of");
        assert_eq!(leases.expired(20, 10).len(), 1, "again, until an entry closes it");
        leases.closed(agent(1), Epoch(1));
        leases.closed(agent(2), Epoch(1));
        assert!(leases.expired(1_000, 10).is_empty());
        assert_eq!(leases.next_look_us(), None);
    }

    #[test]
    fn a_lost_front_gives_its_desks_a_whole_lease() {
        let leases = armed();
        leases.opened(agent(1), Epoch(1), 0);
        leases.heard(agent(1), Epoch(1), FRONT, 1);
        leases.front_lost(FRONT, 9);
        assert!(leases.expired(18, 10).is_empty());
        let (_, silence) = leases.expired(19, 10)[0];
        assert_eq!(silence, Silence::Node);
    }

    #[test]
    fn an_older_epoch_neither_renews_nor_closes() {
        let leases = armed();
        leases.opened(agent(1), Epoch(2), 0);
        leases.heard(agent(1), Epoch(1), FRONT, 9);
        leases.closed(agent(1), Epoch(1));
        assert!(!leases.opened(agent(1), Epoch(1), 9));
        assert_eq!(leases.expired(10, 10).len(), 1);
    }

    #[test]
    fn nothing_is_noted_while_another_node_leads() {
        let leases = Leases::new(10);
        leases.opened(agent(1), Epoch(1), 0);
        assert_eq!(leases.len(), 0);
    }

    #[test]
    fn losses_come_at_a_bounded_pace() {
        let leases = armed();
        for number in 0..10 {
            leases.opened(agent(number), Epoch(1), 0);
        }
        let expired = |now_us| {
            let expired = leases.expired(now_us, 4);
            expired.iter().for_each(|(desk, _)| leases.closed(desk.agent, desk.epoch));
            expired.len()
        };
        assert_eq!([expired(10), expired(11), expired(9 + WAVE_US)], [4, 0, 0]);
        assert_eq!(leases.next_look_us(), Some(10 + WAVE_US));
        for number in 4..8 {
            // One that is back meanwhile keeps its lease.
            leases.heard(agent(number), Epoch(1), FRONT, 5 + WAVE_US);
        }
        assert_eq!([expired(10 + WAVE_US), expired(20 + WAVE_US)], [2, 2]);
    }
}
