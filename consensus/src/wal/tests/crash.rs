//! Random work with crashes at every step, against the naive log.

use super::model::Naive;
use super::{SALT, append_one, content, folder, open, run, small};
use crate::api::GroupId;
use crate::disk::MemDisk;
use crate::wal::{Wal, WalOptions};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

const GROUPS: u32 = 3;

#[derive(Debug, Clone)]
enum Op {
    Append {
        group: u32,
        sizes: Vec<u8>,
    },
    Vote {
        group: u32,
        vote: u8,
    },
    Truncate {
        group: u32,
        drop: u8,
    },
    Purge {
        group: u32,
        part: u8,
        beyond: bool,
    },
    Committed {
        group: u32,
    },
    /// Removes all but the vote.
    Forget {
        group: u32,
        standing: u8,
    },
    Standing {
        group: u32,
        standing: u8,
    },
    /// Lets the log's task work for a while.
    Yield(u8),
    /// The machine stops after some more operations of the disk, then after some of the reopening.
    Crash {
        after: u8,
        in_reopening: Option<u8>,
        seed: u64,
    },
    Close,
}

fn op() -> impl Strategy<Value = Op> {
    let group = 0..GROUPS;
    prop_oneof![
        8 => (group.clone(), prop::collection::vec(0..80_u8, 1..4))
            .prop_map(|(group, sizes)| Op::Append { group, sizes }),
        2 => (group.clone(), any::<u8>()).prop_map(|(group, vote)| Op::Vote { group, vote }),
        2 => (group.clone(), 0..8_u8).prop_map(|(group, drop)| Op::Truncate { group, drop }),
        3 => (group.clone(), any::<u8>(), prop::bool::weighted(0.1))
            .prop_map(|(group, part, beyond)| Op::Purge { group, part, beyond }),
        2 => group.clone().prop_map(|group| Op::Committed { group }),
        1 => (group.clone(), any::<u8>()).prop_map(|(group, standing)| Op::Forget { group, standing }),
        1 => (group, any::<u8>()).prop_map(|(group, standing)| Op::Standing { group, standing }),
        6 => (0..12_u8).prop_map(Op::Yield),
        2 => (0..10_u8, prop::option::of(0..10_u8), any::<u64>())
            .prop_map(|(after, in_reopening, seed)| Op::Crash { after, in_reopening, seed }),
        1 => Just(Op::Close),
    ]
}

/// A log under test, and every state it was in since it was opened.
struct Bench {
    disk: MemDisk,
    wal: Wal,
    states: Vec<Naive>,
    /// The state that is known to be durable.
    acknowledged: Arc<AtomicUsize>,
    written: u64,
    /// What is never truncated, per group.
    committed: BTreeMap<u32, Option<u64>>,
    options: WalOptions,
}

impl Bench {
    async fn new(options: WalOptions) -> Bench {
        let disk = MemDisk::new();
        let wal = open(&disk, options.clone()).await;
        Bench {
            disk,
            wal,
            states: vec![Naive::default()],
            acknowledged: Arc::default(),
            written: 0,
            committed: BTreeMap::new(),
            options,
        }
    }

    fn last(&self) -> Naive {
        self.states.last().cloned().unwrap_or_default()
    }

    /// A callback that notes that the state after the next operation is durable.
    fn acknowledge(&self) -> crate::wal::Done {
        let (acknowledged, state) = (self.acknowledged.clone(), self.states.len());
        Box::new(move |result| {
            if result.is_ok() {
                acknowledged.fetch_max(state, Ordering::Relaxed);
            }
        })
    }

    /// Does one operation. False when the log has stopped: no more until a crash.
    async fn step(&mut self, op: &Op) -> bool {
        let mut next = self.last();
        let result = match op {
            Op::Append { group, sizes } => {
                let log = next.group(*group);
                let mut entries = Vec::new();
                for size in sizes {
                    self.written += 1;
                    let mut body = self.written.to_le_bytes().to_vec();
                    body.resize(8 + usize::from(*size), b'x');
                    entries.push((log.next(), body.clone()));
                    log.entries.insert(log.next(), body);
                }
                self.wal.append(GroupId(*group), entries, self.acknowledge()).await
            }
            Op::Vote { group, vote } => {
                next.group(*group).vote = Some(vec![*vote]);
                // The state counts even when the answer never comes.
                self.states.push(next);
                let saved = self.wal.save_vote(GroupId(*group), vec![*vote]).await;
                if saved.is_ok() {
                    self.acknowledged.fetch_max(self.states.len() - 1, Ordering::Relaxed);
                }
                return saved.is_ok();
            }
            Op::Forget { group, standing } => {
                let log = next.group(*group);
                (log.entries, log.purged) = (BTreeMap::new(), None);
                log.standing = Some(vec![*standing]);
                self.committed.insert(*group, None);
                self.states.push(next);
                let saved = self.wal.forget(GroupId(*group), vec![*standing]).await;
                if saved.is_ok() {
                    self.acknowledged.fetch_max(self.states.len() - 1, Ordering::Relaxed);
                }
                return saved.is_ok();
            }
            Op::Standing { group, standing } => {
                next.group(*group).standing = Some(vec![*standing]);
                self.states.push(next);
                let saved = self.wal.save_standing(GroupId(*group), vec![*standing]).await;
                if saved.is_ok() {
                    self.acknowledged.fetch_max(self.states.len() - 1, Ordering::Relaxed);
                }
                return saved.is_ok();
            }
            Op::Truncate { group, drop } => {
                let log = next.group(*group);
                let committed = self.committed.get(group).copied().flatten();
                let from =
                    log.next().saturating_sub(u64::from(*drop)).max(committed.map_or(0, |index| index + 1));
                log.entries.split_off(&from);
                self.wal.truncate(GroupId(*group), from)
            }
            Op::Purge { group, part, beyond } => {
                let log = next.group(*group);
                let Some((first, _)) = log.entries.first_key_value() else { return true };
                let span = log.next() - first;
                let upto = if *beyond { log.next() + 2 } else { first + span * u64::from(*part) / 256 };
                log.entries = log.entries.split_off(&(upto + 1));
                log.purged = Some(upto);
                self.wal.purge(GroupId(*group), upto, upto.to_le_bytes().to_vec())
            }
            Op::Committed { group } => {
                let Some(index) = next.group(*group).next().checked_sub(1) else { return true };
                self.committed.insert(*group, Some(index));
                self.wal.save_committed(GroupId(*group), Some((index, index.to_le_bytes().to_vec())))
            }
            Op::Yield(times) => {
                for _ in 0..*times {
                    tokio::task::yield_now().await;
                }
                Ok(())
            }
            Op::Crash { .. } | Op::Close => Ok(()),
        };
        self.states.push(next);
        result.is_ok()
    }

    /// What is read is always the last state, whatever is durable.
    async fn check_reads(&self) {
        let found = Naive::of(&self.wal, GROUPS).await.expect("a log that works can be read");
        assert_eq!(found, self.last().trimmed(), "what is read is what was written");
    }

    /// Crashes and reopens: the log holds some state it was in, not before the acknowledged one.
    async fn crash(&mut self, in_reopening: Option<u8>, seed: u64) {
        self.disk.crash(seed);
        if let Some(operations) = in_reopening {
            self.disk.stop_after(u64::from(operations));
            drop(Wal::open(self.disk.mount(), &folder(), SALT, self.options.clone()).await);
            self.disk.crash(!seed);
        }
        self.wal = open(&self.disk, self.options.clone()).await;
        let found = Naive::of(&self.wal, GROUPS).await.expect("the log can be read");
        let acknowledged = self.acknowledged.load(Ordering::Relaxed);
        let known = self.states[acknowledged..].iter().any(|state| state.clone().trimmed() == found);
        assert!(known, "{found:?}\nis not among the states since the acknowledged one:\n{:?}", self.states);
        for (group, log) in &found.groups {
            let committed = self.wal.committed(GroupId(*group)).map(|body| body.to_vec());
            let committed = committed.map(|body| u64::from_le_bytes(body.try_into().expect("eight bytes")));
            assert!(committed < Some(log.next()), "{committed:?} is committed and not there: {log:?}");
            self.committed.insert(*group, committed);
        }
        self.states = vec![found];
        self.acknowledged = Arc::default();
    }
}

fn check(ops: &[Op]) {
    run(async {
        let mut bench = Bench::new(small()).await;
        let mut works = true;
        for op in ops {
            match op {
                Op::Crash { after, in_reopening, seed } => {
                    bench.disk.stop_after(u64::from(*after));
                    for _ in 0..4 * after {
                        tokio::task::yield_now().await;
                    }
                    bench.crash(*in_reopening, *seed).await;
                    works = true;
                }
                Op::Close if works => {
                    bench.wal.close().await.expect("a log that works can be closed");
                    bench.acknowledged.store(bench.states.len() - 1, Ordering::Relaxed);
                    bench.wal = open(&bench.disk, bench.options.clone()).await;
                    bench.check_reads().await;
                }
                op if works => {
                    works = bench.step(op).await;
                    if works {
                        bench.check_reads().await;
                    }
                }
                _ => {}
            }
        }
        bench.crash(None, 1).await;
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_was_acknowledged_survives_any_crash(ops in prop::collection::vec(op(), 1..120)) {
        check(&ops);
    }
}

/// Entries that were acknowledged and are gone after a crash.
fn lost(options: &WalOptions, seed: u64) -> u64 {
    run(async {
        let disk = MemDisk::new();
        let wal = open(&disk, options.clone()).await;
        for index in 0..20 {
            append_one(&wal, 1, index, &[7; 40]).await.expect("appends are acknowledged");
        }
        disk.crash(seed);
        match Wal::open(disk.mount(), &folder(), SALT, options.clone()).await {
            Ok(wal) => 20 - content(&wal, 1).await.len() as u64,
            // A gap between what chance saved is noticed as damage.
            Err(_) => 20,
        }
    })
}

#[test]
fn without_syncs_a_crash_loses_what_was_acknowledged() {
    let skipping = WalOptions { skip_sync: true, ..WalOptions::default() };
    for seed in 0..20 {
        assert_eq!(lost(&WalOptions::default(), seed), 0, "seed {seed}");
    }
    assert!((0..20).any(|seed| lost(&skipping, seed) > 0), "a missing sync must be noticed");
}

/// Stops the machine at every single operation of a fixed piece of work, with several seeds each.
#[test]
fn every_step_of_a_write_may_be_the_last() {
    for stop in 0..60 {
        for seed in 0..8 {
            run(async {
                let disk = MemDisk::new();
                disk.stop_after(stop);
                let mut acknowledged = 0;
                if let Ok(wal) = Wal::open(disk.mount(), &folder(), SALT, small()).await {
                    while acknowledged < 20 && append_one(&wal, 1, acknowledged, &[9; 70]).await.is_ok() {
                        acknowledged += 1;
                    }
                }
                disk.crash(seed);
                let wal = open(&disk, small()).await;
                let found = content(&wal, 1).await.len() as u64;
                assert!(
                    found == acknowledged || found == acknowledged + 1,
                    "{found} of {acknowledged} are left (stopped after {stop}, seed {seed})"
                );
            });
        }
    }
}
