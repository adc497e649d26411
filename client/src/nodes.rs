//! Connections to nodes, and who leads what.

use crate::AddressError;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tonic::transport::{Channel, Endpoint};

/// Domains of which the leader is remembered; above it, all are forgotten and learned anew.
const LEADERS_MAX: usize = 100_000;
/// Nodes beside the first ones that are remembered.
const LEARNED_MAX: usize = 64;

pub(crate) struct Nodes {
    /// As given.
    first: Vec<(String, Channel)>,
    connect: Duration,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Nodes that answers have named.
    learned: HashMap<String, Channel>,
    /// By domain.
    leaders: HashMap<u32, String>,
    turn: usize,
}

impl Nodes {
    pub(crate) fn new(addresses: &[&str], connect: Duration) -> Result<Self, AddressError> {
        if addresses.is_empty() {
            return Err(AddressError::None);
        }
        let mut first = Vec::new();
        for address in addresses {
            let channel =
                channel(address, connect).ok_or_else(|| AddressError::Bad((*address).to_owned()))?;
            first.push(((*address).to_owned(), channel));
        }
        Ok(Self { first, connect, state: Mutex::default() })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn len(&self) -> usize {
        self.first.len()
    }

    pub(crate) fn at(&self, place: usize) -> Channel {
        self.first[place % self.first.len()].1.clone()
    }

    pub(crate) fn leader(&self, domain: u32) -> Option<String> {
        self.state().leaders.get(&domain).cloned()
    }

    /// Whom to ask: who leads as far as is known, else the nodes in turn, not the one that just failed.
    pub(crate) fn next(&self, domain: Option<u32>, failed: Option<&str>) -> (String, Channel) {
        let mut state = self.state();
        let leader = domain.and_then(|domain| state.leaders.get(&domain)).filter(|at| failed != Some(at));
        if let Some(leader) = leader {
            let known = self.first.iter().find(|(address, _)| address == leader).map(|(_, channel)| channel);
            if let Some(channel) = known.or_else(|| state.learned.get(leader)) {
                return (leader.clone(), channel.clone());
            }
        }
        for _ in 0..2 {
            let place = state.turn % self.first.len();
            state.turn = state.turn.wrapping_add(1);
            let (address, channel) = &self.first[place];
            if failed != Some(address.as_str()) || self.first.len() == 1 {
                return (address.clone(), channel.clone());
            }
        }
        self.first[0].clone()
    }

    /// An answer about a domain has said who leads, or has not.
    pub(crate) fn heard(&self, domain: Option<u32>, leader: Option<&str>) {
        let (Some(domain), Some(leader)) = (domain, leader) else { return };
        let mut state = self.state();
        if state.leaders.get(&domain).is_some_and(|known| known == leader) {
            return;
        }
        let known =
            self.first.iter().any(|(address, _)| address == leader) || state.learned.contains_key(leader);
        if !known {
            if state.learned.len() >= LEARNED_MAX {
                state.learned.clear();
            }
            let Some(channel) = channel(leader, self.connect) else { return };
            state.learned.insert(leader.to_owned(), channel);
        }
        if state.leaders.len() >= LEADERS_MAX {
            state.leaders.clear();
        }
        state.leaders.insert(domain, leader.to_owned());
    }

    /// A node did not answer: whoever was thought to be led by it may be led by another.
    pub(crate) fn failed(&self, domain: Option<u32>, address: &str) {
        let mut state = self.state();
        if let Some(domain) = domain
            && state.leaders.get(&domain).is_some_and(|leader| leader == address)
        {
            state.leaders.remove(&domain);
        }
    }
}

fn channel(address: &str, connect: Duration) -> Option<Channel> {
    let uri = if address.contains("://") { address.to_owned() } else { format!("http://{address}") };
    let (_, port) = address.rsplit_once(':')?;
    port.trim_end_matches('/').parse::<u16>().ok()?;
    let endpoint = Endpoint::from_shared(uri).ok()?.connect_timeout(connect).tcp_nodelay(true);
    // A node that is gone without a word is noticed, with streams open too.
    let endpoint = endpoint
        .http2_keep_alive_interval(Duration::from_secs(2))
        .keep_alive_timeout(Duration::from_secs(3))
        .keep_alive_while_idle(true);
    Some(endpoint.connect_lazy())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nodes() -> Nodes {
        Nodes::new(&["a:1", "b:2", "c:3"], Duration::from_millis(10)).expect("addresses")
    }

    fn next(nodes: &Nodes, domain: u32, failed: Option<&str>) -> String {
        nodes.next(Some(domain), failed).0
    }

    #[tokio::test]
    async fn the_leader_is_asked_first_and_others_in_turn_when_it_fails() {
        let nodes = nodes();
        assert_eq!(
            [next(&nodes, 1, None), next(&nodes, 1, None), next(&nodes, 1, None)],
            ["a:1", "b:2", "c:3"]
        );
        nodes.heard(Some(1), Some("c:3"));
        assert_eq!([next(&nodes, 1, None), next(&nodes, 1, None)], ["c:3", "c:3"]);
        assert_eq!(next(&nodes, 2, None), "a:1", "of another domain nothing is known");
        nodes.failed(Some(2), "c:3");
        assert_eq!(next(&nodes, 1, None), "c:3", "it failed with another domain");
        nodes.failed(Some(1), "c:3");
        assert_eq!(nodes.leader(1), None);
        assert_eq!(next(&nodes, 1, Some("b:2")), "c:3", "not the one that has just failed");
    }

    #[tokio::test]
    async fn a_leader_that_was_not_in_the_list_is_learned() {
        let nodes = nodes();
        nodes.heard(Some(1), Some("d:4"));
        assert_eq!(next(&nodes, 1, None), "d:4");
        nodes.heard(Some(1), Some("no address"));
        assert_eq!(nodes.leader(1).as_deref(), Some("d:4"));
        nodes.heard(Some(1), None);
        assert_eq!(next(&nodes, 1, None), "d:4");
    }

    #[tokio::test]
    async fn bad_addresses_are_named() {
        for bad in ["", "a", "a:b", "a:99999", "a b:1"] {
            let error = Nodes::new(&[bad], Duration::ZERO).err();
            assert_eq!(error, Some(AddressError::Bad(bad.to_owned())));
        }
        assert_eq!(Nodes::new(&[], Duration::ZERO).err(), Some(AddressError::None));
        assert!(Nodes::new(&["http://a:1", "[::1]:7400"], Duration::ZERO).is_ok());
    }
}
