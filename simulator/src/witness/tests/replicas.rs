//! A log applied by replicas under a witness's eyes.

use super::feed::{Feed, Size};
use crate::witness::{Applied, Broken, Figures, Options, Witness};
use routing::{Effects, Entry, Event, Outcome, PlantedBug, Shard, ShardId};

pub const SHARD: ShardId = ShardId(1);

/// An entry, and whether it is the last of its index.
pub type Logged = (Entry, bool);

/// A log as a sound shard answers it.
pub fn log_of(seed: u64, size: Size, entries: usize) -> Vec<Logged> {
    let (mut feed, mut shard, mut effects) = (Feed::new(seed, size), Shard::new(SHARD), Effects::default());
    let mut log: Vec<Logged> = Vec::new();
    while log.len() < entries {
        let entry = feed.next(&shard);
        let _ = shard.apply(&entry, &mut effects);
        effects.clear();
        if let Some((before, last)) = log.last_mut() {
            *last = before.position.index != entry.position.index;
        }
        log.push((entry, true));
    }
    log
}

/// What a replica is about to show of an entry, to be falsified.
pub struct Shown {
    pub entry: Entry,
    pub outcome: Outcome,
    pub events: Vec<Event>,
    pub shard: Shard,
    pub last_of_index: bool,
}

/// A replica: a shard of a node, and how far it is.
pub struct Replica {
    pub node: u64,
    pub shard: Shard,
    pub applied: usize,
    bug: Option<PlantedBug>,
}

impl Replica {
    pub fn new(node: u64, bug: Option<PlantedBug>, witness: &mut Witness) -> Self {
        let mut replica = Self { node, shard: Shard::new(SHARD), applied: 0, bug };
        replica.restart(witness);
        replica
    }

    pub fn restart(&mut self, witness: &mut Witness) {
        self.shard = Shard::new(SHARD);
        self.plant();
        self.applied = 0;
        witness.began(self.node, SHARD);
    }

    fn plant(&mut self) {
        if let Some(bug) = self.bug {
            self.shard.plant(bug);
        }
    }

    /// Applies and shows the next entry of the log.
    pub fn next(&mut self, log: &[Logged], witness: &mut Witness) {
        self.next_falsified(log, witness, |_| {});
    }

    pub fn next_falsified(&mut self, log: &[Logged], witness: &mut Witness, falsify: impl Fn(&mut Shown)) {
        let (entry, last_of_index) = log[self.applied].clone();
        let mut effects = Effects::default();
        let outcome = self.shard.apply(&entry, &mut effects);
        self.applied += 1;
        let shard = std::mem::replace(&mut self.shard, Shard::new(SHARD));
        let mut shown = Shown { entry, outcome, events: effects.events, shard, last_of_index };
        falsify(&mut shown);
        witness.applied(&Applied {
            node: self.node,
            entry: &shown.entry,
            outcome: &shown.outcome,
            events: &shown.events,
            shard: &shown.shard,
            last_of_index: shown.last_of_index,
        });
        self.shard = shown.shard;
    }

    pub fn follow(&mut self, log: &[Logged], to: usize, witness: &mut Witness) {
        while self.applied < to {
            self.next(log, witness);
        }
    }

    /// Goes on to the end of the present index, so that a snapshot can be taken.
    pub fn finish_index(&mut self, log: &[Logged], witness: &mut Witness) {
        while self.applied > 0 && !log[self.applied - 1].1 {
            self.next(log, witness);
        }
    }

    pub fn index(&self, log: &[Logged]) -> u64 {
        log[self.applied - 1].0.position.index
    }

    /// Takes another's state by a snapshot, which that one takes now.
    pub fn restore(&mut self, from: &Replica, log: &[Logged], witness: &mut Witness) {
        let index = from.index(log);
        witness.state(from.node, &from.shard, index);
        self.shard = through_a_snapshot(&from.shard);
        self.plant();
        self.applied = from.applied;
        witness.restored(self.node, &self.shard, index);
    }
}

pub fn through_a_snapshot(shard: &Shard) -> Shard {
    let config = bincode::config::standard();
    let bytes = bincode::serde::encode_to_vec(shard, config).expect("a shard can be written");
    bincode::serde::decode_from_slice(&bytes, config).expect("what was written can be read").0
}

/// Three replicas at different paces, with a restart and two snapshots on the way.
pub fn run(log: &[Logged], bug: Option<PlantedBug>, options: Options) -> (Vec<Broken>, Figures) {
    let mut witness = Witness::new(options);
    // Of a release ahead of the others there is one replica: alone they would agree.
    let on = |node| bug.filter(|bug| *bug != PlantedBug::AheadOfLevel || node == 1);
    let mut replicas: Vec<_> = (1..=3).map(|node| Replica::new(node, on(node), &mut witness)).collect();
    for step in 1..=log.len() {
        // The frontier is now one's, now the other's.
        replicas[step / 50 % 2].follow(log, step, &mut witness);
        if step % 7 == 0 {
            replicas[1 - step / 50 % 2].follow(log, step, &mut witness);
        }
        if step == log.len() / 3 {
            replicas[2].follow(log, step, &mut witness);
            replicas[2].restart(&mut witness);
        }
        if step == log.len() / 2 || step == log.len() * 3 / 4 {
            let (sound, late) = replicas.split_at_mut(2);
            sound[0].follow(log, step, &mut witness);
            sound[0].finish_index(log, &mut witness);
            late[0].restore(&sound[0], log, &mut witness);
        }
        if !witness.broken().is_empty() {
            break;
        }
    }
    if witness.broken().is_empty() {
        for replica in &mut replicas {
            replica.follow(log, log.len(), &mut witness);
            witness.state(replica.node, &replica.shard, replica.index(log));
        }
    }
    (witness.broken().to_vec(), witness.figures())
}
