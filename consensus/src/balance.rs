//! Who should lead less: leadership goes from the node that has most to do as a leader to one that has less, a
//! group at a time, so that the work is spread after nodes came, went, or failed, and after it moved between
//! groups.

use crate::api::{GroupId, NodeId};
use crate::consensus::Consensus;
use crate::group::LOAD_IDLE;
use std::collections::BTreeMap;
use std::sync::Weak;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Time between two looks, and so between two groups that a node gives away.
const LOOK: Duration = Duration::from_secs(5);
/// Looks in a row at which there must be something to give away; then a group at every look.
const STEADY_LOOKS: u32 = 3;
/// Looks without any change of leaders after which a node gives too that has less to do than one other; after
/// twice as many, one that has less than two others, and so on: the others cannot.
const CALM_LOOKS: u32 = 3;
/// Entries that the next leader may be behind.
const BEHIND_MAX: u64 = 100;
/// A hand-over must gain so much of the commands that the giver is measured to carry out: an eighth.
const MARGIN_PART: u64 = 8;

/// What a node does as a leader.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Leads {
    /// How many groups it leads.
    pub groups: usize,
    /// Their load together, in commands a second; a group in which nothing happens has [`LOAD_IDLE`].
    pub load: u64,
}

/// A group that this node leads: its load, and the voters that could take over now.
#[derive(Debug, Clone)]
struct Led {
    group: GroupId,
    load: u64,
    heirs: Vec<NodeId>,
}

/// What a hand-over from a node that leads these must gain at least: an idle group's load, by which idle groups
/// go to a node that leads two less, or fewer still, and never back; and a part of what was measured, which trembles.
fn margin(led: &[Led]) -> u64 {
    let measured: u64 = led.iter().map(|led| led.load.saturating_sub(LOAD_IDLE)).sum();
    LOAD_IDLE.max(measured / MARGIN_PART)
}

/// What to give to whom, if anything: the group and the voter by which the larger of both loads gets smallest. Only
/// where the heir, with the group, has less than this node has now, by the margin; for the group to go back,
/// loads must change by twice the margin. `others`: what each connected peer leads, by its last ping.
fn give(others: &BTreeMap<NodeId, Leads>, led: &[Led]) -> Option<(GroupId, NodeId)> {
    let own: u64 = led.iter().map(|led| led.load).sum();
    let pairs = led.iter().flat_map(|led| led.heirs.iter().map(move |heir| (led, *heir)));
    let after = pairs.filter_map(|(one, heir)| {
        let theirs = others.get(&heir)?.load.saturating_add(one.load);
        let gains = theirs.saturating_add(margin(led)) <= own;
        gains.then(|| (theirs.max(own - one.load), theirs, heir, one.group))
    });
    after.min().map(|(.., heir, group)| (group, heir))
}

/// How many of the others have more to do than this node; of those with as much, the first goes first.
fn rank(this: NodeId, own: u64, others: &BTreeMap<NodeId, Leads>) -> u32 {
    let before = |(id, leads): &(&NodeId, &Leads)| (leads.load, this) > (own, **id);
    u32::try_from(others.iter().filter(before).count()).unwrap_or(u32::MAX)
}

/// When to give: not at once, and one node after the other, so that several do not give to the same one.
#[derive(Debug, Default)]
struct Patience {
    /// Looks in a row at which there was something to give.
    steady: u32,
    /// Looks since leaders changed.
    calm: u32,
    /// How many groups each node led at the last look.
    led: BTreeMap<NodeId, usize>,
}

impl Patience {
    /// Takes a look: whether what there is to give is given now.
    fn look(&mut self, rank: u32, led: BTreeMap<NodeId, usize>, gives: bool) -> bool {
        self.calm = if self.led == led { self.calm.saturating_add(1) } else { 0 };
        self.led = led;
        self.steady = if gives { self.steady.saturating_add(1) } else { 0 };
        self.steady >= STEADY_LOOKS && self.calm >= rank.saturating_mul(CALM_LOOKS)
    }
}

/// What was seen of the voters of the groups led here, to know whose log grows.
#[derive(Default)]
struct Watched {
    had: BTreeMap<(GroupId, NodeId), u64>,
}

impl Watched {
    /// The groups that this node leads, each with the voters that are there and up to date. A member that
    /// lags and gets nothing more has a disk that stands still.
    fn led(&mut self, consensus: &Consensus) -> Vec<Led> {
        let peers = consensus.peers();
        let mut led = Vec::new();
        let mut has = BTreeMap::new();
        for group in consensus.groups() {
            let status = group.status();
            if !status.leading {
                continue;
            }
            let mut heirs = Vec::new();
            let drained = consensus.drained();
            let there = |voter: &NodeId| peers.connected(*voter) && !drained.contains(voter);
            for voter in status.voters.into_iter().filter(there) {
                let Some(behind) = group.behind(voter) else { continue };
                let index = status.last_index.saturating_sub(behind);
                let moves = behind == 0 || self.had.get(&(group.id(), voter)).is_none_or(|had| index > *had);
                has.insert((group.id(), voter), index);
                if behind <= BEHIND_MAX && moves {
                    heirs.push(voter);
                }
            }
            led.push(Led { group: group.id(), load: status.load, heirs });
        }
        self.had = has;
        led
    }
}

/// Looks, and gives away, until the node stops.
pub async fn run(consensus: Weak<Consensus>, this: NodeId, stop: CancellationToken) {
    let mut watched = Watched::default();
    let mut patience = Patience::default();
    loop {
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            () = tokio::time::sleep(LOOK) => {}
        }
        let Some(consensus) = consensus.upgrade() else { return };
        let (led, others) = (watched.led(&consensus), consensus.led_by_peers());
        let given = give(&others, &led);
        let rank = rank(this, led.iter().map(|led| led.load).sum(), &others);
        let mut counts: BTreeMap<NodeId, usize> =
            others.into_iter().map(|(id, leads)| (id, leads.groups)).collect();
        counts.insert(this, led.len());
        let now = patience.look(rank, counts, given.is_some());
        let Some((group, heir)) = given.filter(|_| now) else { continue };
        tracing::info!(%group, to = %heir, "handing leadership to a voter that has less to do");
        if let Some(group) = consensus.group(group) {
            match group.transfer_leadership(heir).await {
                Ok(()) => consensus.figures().leader_balanced(),
                Err(error) => tracing::debug!(group = %group.id(), "leadership not handed over: {error}"),
            }
        }
    }
}

#[cfg(test)]
#[path = "balance_tests.rs"]
mod tests;
