//! Lifecycles through a world, each command measured as it is applied.

use crate::world::{World, is_expected};
use rand::RngExt;
use routing::command::{By, Decline};
use routing::{AgentId, Command, ConversationId, Effects, Entry, Outcome, Shard};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// What was measured of one kind of command.
#[derive(Debug, Default, Clone)]
pub struct Sample {
    /// Nanoseconds of each apply.
    pub ns: Vec<u64>,
    /// Entries visited by the matching of each.
    pub visited: Vec<u64>,
}

/// Samples by kind.
#[derive(Debug, Default)]
pub struct Samples {
    /// In the order in which kinds first came.
    pub kinds: Vec<(&'static str, Sample)>,
}

impl Samples {
    fn add(&mut self, kind: &'static str, ns: u64, visited: u64) {
        let at = self.kinds.iter().position(|(known, _)| *known == kind).unwrap_or_else(|| {
            self.kinds.push((kind, Sample::default()));
            self.kinds.len() - 1
        });
        self.kinds[at].1.ns.push(ns);
        self.kinds[at].1.visited.push(visited);
    }

    /// All commands together.
    #[must_use]
    pub fn all(&self) -> Sample {
        let mut all = Sample::default();
        for (_, sample) in &self.kinds {
            all.ns.extend(&sample.ns);
            all.visited.extend(&sample.visited);
        }
        all
    }
}

/// The measured call. Not inlined, so that callgrind can count inside it alone.
#[inline(never)]
pub fn measured_apply(shard: &mut Shard, entry: &Entry, effects: &mut Effects) -> Outcome {
    shard.apply(entry, effects)
}

static APPLIED: AtomicU64 = AtomicU64::new(0);

/// Calls of [`measured_apply`] so far, to divide callgrind's count by.
#[must_use]
pub fn applied() -> u64 {
    APPLIED.load(Ordering::Relaxed)
}

/// Drives traffic through a world.
pub struct Traffic<'a> {
    world: &'a mut World,
    samples: Samples,
    reject_percent: u32,
}

impl<'a> Traffic<'a> {
    /// On this world.
    pub fn new(world: &'a mut World) -> Self {
        let reject_percent = if world.plan.hostile { 20 } else { 5 };
        Self { world, samples: Samples::default(), reject_percent }
    }

    /// Runs about so many commands of lifecycles: start, offer, accept or reject, end of contact,
    /// completion. In queues with and without a backlog in turn.
    pub fn run(mut self, commands: usize) -> Samples {
        let mut done = 0;
        let half = self.world.plan.queues / 2;
        while done < commands {
            for backlog in [0, 1] {
                let queue = backlog * half + self.world.rng.random_range(0..half);
                let touchpoint = self.world.touchpoint(queue);
                let (asks, command) = self.world.arriving(touchpoint, crate::skills::LASTS_S);
                let kind = match (asks, backlog) {
                    ("", 0) => "start, agent free",
                    ("", _) => "start, must wait",
                    (asks, 0) => asks,
                    _ => "start with criteria, must wait",
                };
                self.measure(kind, command);
                done += 1 + self.answer_offers();
                done += self.end_one(backlog);
            }
        }
        self.samples
    }

    /// The agent who declined the best of its queues becomes free, again and again: each time the
    /// search must pass the declined ones.
    pub fn free_the_picky(mut self, times: usize) -> Samples {
        let Some(agent) = self.world.picky else { return self.samples };
        for _ in 0..times {
            let held = self.world.owned[1].iter().position(|(_, owner)| *owner == agent);
            let Some(at) = held else { break };
            let (conversation, _) = self.world.owned[1].swap_remove(at);
            self.finish(conversation, agent, 1, "complete, 10,000 excluded heads");
            self.answer_offers();
        }
        self.samples
    }

    fn answer_offers(&mut self) -> usize {
        let mut answered = 0;
        while let Some((offer, agent)) = self.world.offers.pop() {
            let desk = self.world.desk(agent);
            let picky = Some(agent) == self.world.picky;
            if !picky && self.world.rng.random_range(0..100) < self.reject_percent {
                let decline = Decline { reason: "busy".to_owned() };
                self.measure("reject", Command::Reject { desk, offer, decline });
            } else {
                self.measure("accept", Command::Accept { desk, offer });
            }
            answered += 1;
        }
        answered
    }

    fn end_one(&mut self, backlog: usize) -> usize {
        let owned = &mut self.world.owned[backlog];
        if owned.is_empty() {
            return 0;
        }
        let at = self.world.rng.random_range(0..owned.len());
        let (conversation, agent) = owned.swap_remove(at);
        if Some(agent) == self.world.picky {
            self.world.owned[backlog].push((conversation, agent));
            return 0;
        }
        let kind = if backlog == 0 { "complete, nothing waits" } else { "complete, takes the next" };
        let done = self.finish(conversation, agent, backlog, kind);
        done + self.answer_offers()
    }

    fn finish(
        &mut self,
        conversation: ConversationId,
        agent: AgentId,
        backlog: usize,
        kind: &'static str,
    ) -> usize {
        let desk = self.world.desk(agent);
        self.measure("end contact", Command::EndContact { conversation, by: By::Agent(desk) });
        let Some(at) = self.world.wrapping[backlog].iter().position(|(c, _)| *c == conversation) else {
            return 1;
        };
        self.world.wrapping[backlog].swap_remove(at);
        let notes = "called back, all well".to_owned();
        self.measure(
            kind,
            Command::Complete { desk, conversation, disposition: Some("done".to_owned()), notes },
        );
        2
    }

    fn measure(&mut self, kind: &'static str, command: Command) {
        let entry = self.world.entry(command, true);
        self.world.effects.clear();
        APPLIED.fetch_add(1, Ordering::Relaxed);
        let begun = Instant::now();
        let outcome = measured_apply(&mut self.world.shard, &entry, &mut self.world.effects);
        let ns = begun.elapsed().as_nanos();
        assert!(is_expected(&outcome), "{:?}: {outcome:?}", entry.request.command);
        self.samples.add(kind, u64::try_from(ns).unwrap_or(u64::MAX), self.world.effects.visited);
        self.world.take_note();
    }
}
