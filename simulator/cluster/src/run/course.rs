//! The course of a run: safety, liveness, judgement.

use super::Parts;
use crate::clients::Phase;
use crate::faults::Director;
use crate::plan::Plan;
use crate::report::{Broken, Report};
use crate::world::World;
use actors::{ClusterState, NodeStage, NodeState, ShardState};
use consensus::disk::Operation;
use consensus::{GroupId, NodeId};
use routing::level;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Finished work and equal replicas must stay so for this long.
const QUIET: Duration = Duration::from_secs(1);
/// The healed core's state is looked at this often.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// However much goes on: so many times the patience for a standstill, and a healed core that has not finished will not.
const SETTLES_WITHIN: u32 = 10;
/// The level from which on the cluster knows its nodes' zones.
const ZONES_FROM: u32 = 3;
/// Time for clients to write down what they still hear.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// Whether every node of the core says that the cluster is the core, and that its groups have the voters
/// that they should.
fn members_settled(plan: &Plan, core: &[NodeId], states: &[ClusterState]) -> bool {
    // docs/adr/0013: all of up to three, three of four, five of more.
    let voters = |members: usize| match members {
        4 => 3,
        all => all.min(5),
    };
    // docs/adr/0020: no zone has more of them than it must have.
    let even = |state: &ClusterState, all: &[NodeId], chosen: &[NodeId]| {
        let count = |of: &[NodeId]| {
            let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
            for node in state.nodes.iter().filter(|node| of.contains(&node.id)) {
                *counts.entry(&node.zone).or_default() += 1;
            }
            counts
        };
        let (there, taken) = (count(all), count(chosen));
        let fits = |most: &usize| there.values().map(|nodes| nodes.min(most)).sum::<usize>() >= chosen.len();
        taken.values().max().copied().unwrap_or(0) <= (0..=chosen.len()).find(fits).unwrap_or(usize::MAX)
    };
    core.iter().all(|id| {
        let Some(state) = states.iter().find(|state| state.this == *id) else { return false };
        let nodes = state.nodes.iter().filter(|node| node.stage == NodeStage::Member).map(|node| node.id);
        let group = |shard: &ShardState| {
            let members: Vec<NodeId> = shard.replicas.iter().map(|replica| replica.node).collect();
            let voting = shard.replicas.iter().filter(|replica| replica.voter).count();
            if shard.group == GroupId::META {
                return members == core && voting == voters(core.len());
            }
            // docs/adr/0018: who is no member has no replica.
            let votes = shard.replicas.iter().filter(|replica| replica.voter).map(|replica| replica.node);
            let votes: Vec<NodeId> = votes.collect();
            if !even(state, core, &members) || !even(state, &members, &votes) {
                return false;
            }
            let count = core.len().min(state.replicas);
            let spread = members.is_empty() && count < core.len();
            spread || members.len() == count && members.contains(id) && voting == voters(count)
        };
        let said = |node: &NodeState| state.level < ZONES_FROM || node.zone == plan.zone(node.id);
        if !state.nodes.iter().all(said) {
            return false;
        }
        nodes.eq(core.iter().copied()) && state.nodes.len() == core.len() && state.shards.iter().all(group)
    })
}

/// Leads a run through its phases; the stack calls it every few simulated milliseconds.
pub struct Course {
    parts: Parts,
    director: Director,
    phase: Phase,
    over_at: Option<Duration>,
    next_look: Duration,
    finished_since: Option<Duration>,
    progress: (u64, u64, u64),
    progress_at: Duration,
    healed_at: Duration,
    terms: BTreeSet<(u32, u64)>,
    alarms: BTreeSet<String>,
    /// Which node had a replica of what at the last look.
    replicas: BTreeMap<(NodeId, GroupId), bool>,
    /// The cluster has gone to the next release's level.
    upgraded: bool,
    /// Replicas that came and went, upgrades, files that disks made and removed.
    seen: BTreeMap<String, u64>,
    broken: Vec<Broken>,
}

impl Course {
    /// A course from the beginning.
    #[must_use]
    pub fn new(parts: &Parts) -> Self {
        Self {
            parts: parts.clone(),
            director: Director::new(&parts.plan),
            phase: Phase::Safety,
            over_at: None,
            next_look: Duration::ZERO,
            finished_since: None,
            progress: (0, 0, 0),
            progress_at: Duration::ZERO,
            healed_at: Duration::ZERO,
            terms: BTreeSet::new(),
            alarms: BTreeSet::new(),
            replicas: BTreeMap::new(),
            upgraded: false,
            seen: BTreeMap::new(),
            broken: Vec::new(),
        }
    }

    /// Goes on. True when the run is over.
    pub fn step(&mut self, world: &mut dyn World) -> bool {
        let now = world.now();
        if let Some(over_at) = self.over_at {
            return now >= over_at;
        }
        match self.phase {
            Phase::Safety if now >= self.parts.plan.safety => {
                self.director.heal(world);
                self.enter(Phase::Liveness);
                self.progress_at = now;
                self.healed_at = now;
            }
            Phase::Safety => self.director.step(world),
            Phase::Liveness | Phase::Over => self.director.keep(world),
        }
        if now >= self.next_look {
            self.next_look = now + LOOK_EVERY;
            self.parts.inside.follow_silent(&self.parts.history);
            self.look(world);
        }
        false
    }

    fn enter(&mut self, phase: Phase) {
        tracing::info!(?phase, "phase");
        self.phase = phase;
        self.parts.phase.send_replace(phase);
    }

    fn end(&mut self, world: &dyn World) {
        for node in world.nodes() {
            for (step, times) in world.disk(node).operations_by_step() {
                let what = match step.operation {
                    Operation::Create => "files_made",
                    Operation::Remove => "files_removed",
                    _ => continue,
                };
                *self.seen.entry(format!("{what}.{}", step.area)).or_default() += times;
            }
        }
        self.enter(Phase::Over);
        self.over_at = Some(world.now() + LAST_WORDS);
    }

    /// Counts the replicas that come and go.
    fn look_at_replicas(&mut self, node: NodeId, state: &ClusterState) {
        for shard in state.shards.iter().filter(|shard| shard.group != GroupId::META) {
            let here = !shard.replicas.is_empty();
            let change = match self.replicas.insert((node, shard.group), here) {
                Some(before) if before && !here => "replicas.closed",
                Some(before) if !before && here => "replicas.opened",
                _ => continue,
            };
            *self.seen.entry(change.to_owned()).or_default() += 1;
        }
    }

    fn look(&mut self, world: &mut dyn World) {
        let mut states = Vec::new();
        for node in world.nodes() {
            let Some(state) = world.seen_by(node) else { continue };
            self.look_at_replicas(node, &state);
            if state.level >= level::REHEARSAL && !self.upgraded {
                self.upgraded = true;
                *self.seen.entry("upgrades".to_owned()).or_default() += 1;
            }
            for shard in &state.shards {
                self.terms.insert((shard.group.0, shard.term));
            }
            for alarm in &state.alarms {
                let text = format!("{alarm:?}");
                if self.alarms.insert(text.clone()) {
                    tracing::info!(%node, text, "alarm");
                }
            }
            states.push(state);
        }
        if self.parts.inside.is_broken() || !self.director.broken().is_empty() {
            self.end(world);
            return;
        }
        if self.phase != Phase::Liveness {
            return;
        }
        let now = world.now();
        let progress =
            (self.parts.history.unfinished(), self.parts.history.progress(), self.parts.inside.real_work());
        if progress != self.progress {
            self.progress = progress;
            self.progress_at = now;
        }
        // Of the core alone: what is outside of it may be dead or cut off.
        let core = self.director.core();
        let behind = |group: GroupId| {
            let mut applied = BTreeSet::new();
            for id in core {
                let state = states.iter().find(|state| state.this == *id);
                let shard = state.and_then(|state| state.shards.iter().find(|shard| shard.group == group));
                match shard {
                    // It has no replica.
                    Some(shard) if shard.replicas.is_empty() && group != GroupId::META => {}
                    shard => _ = applied.insert(shard.map(|shard| shard.applied)),
                }
            }
            applied.len() != 1 || applied.contains(&None)
        };
        let silent = self.parts.inside.leased_of(&self.parts.history);
        let equal = !(0..=self.parts.plan.shards).map(GroupId).any(behind);
        let settled = !self.parts.plan.changes_members() || members_settled(&self.parts.plan, core, &states);
        if self.parts.history.unfinished() == 0 && silent.is_empty() && equal && settled {
            let since = *self.finished_since.get_or_insert(now);
            if now - since >= QUIET {
                self.end(world);
            }
        } else {
            self.finished_since = None;
        }
        let patience = self.parts.plan.stuck_after;
        let stands_since = now - self.progress_at;
        let how = if stands_since > patience {
            format!("nothing moved for {patience:?}")
        } else if now - self.healed_at > SETTLES_WITHIN * patience {
            format!("it moves and does not finish, for {:?}", now - self.healed_at)
        } else {
            return;
        };
        let seen = format!(
            "{how} after the core was healed: {} acknowledged pieces of work are unfinished, sessions of silent agents live on: \
             {silent:?}, the core's replicas are {}, its members {}: {}",
            self.parts.history.unfinished(),
            if equal { "equal" } else { "not equal" },
            if settled { "settled" } else { "not settled" },
            self.parts.history.describe_unfinished()
        );
        self.breach("stuck", now, seen);
        self.end(world);
    }

    fn breach(&mut self, promise: &str, now: Duration, seen: String) {
        let at_ms = u64::try_from(now.as_millis()).unwrap_or(u64::MAX);
        self.broken.push(Broken { promise: promise.to_owned(), at_ms, seen, before: Vec::new() });
    }

    /// The report, when the run is over.
    #[must_use]
    pub fn report(self, now: Duration) -> Report {
        let mut report = Report::new(&self.parts.plan);
        report.virtual_s = now.as_secs_f64();
        report.commits = self.parts.inside.commits();
        report.counts.clone_from(self.director.counts());
        report.counts.extend(self.seen);
        report.counts.insert("elections".to_owned(), self.terms.len() as u64);
        report.counts.insert("snapshots_resumed".to_owned(), self.parts.figures.snapshots_resumed());
        report.counts.insert("leaders_balanced".to_owned(), self.parts.figures.leaders_balanced());
        report.counts.extend(self.parts.inside.counts());
        report.counts.extend(self.parts.history.counts());
        report.broken = self.broken;
        report.broken.extend(self.parts.inside.broken());
        report.broken.extend_from_slice(self.director.broken());
        report.broken.extend(self.parts.history.judge());
        let faults: Vec<String> = self
            .director
            .history()
            .into_iter()
            .rev()
            .take(20)
            .map(|(at, text)| format!("{:.3} s  {text}", at.as_secs_f64()))
            .collect();
        for broken in &mut report.broken {
            broken.before.extend(faults.iter().rev().map(|fault| format!("fault: {fault}")));
        }
        report.hash = format!("{:016x}{:016x}", self.parts.inside.hash(), self.parts.history.hash());
        report
    }
}
