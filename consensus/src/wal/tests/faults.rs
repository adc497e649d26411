//! Disks that fail.

use super::{SALT, append_one, content, done, folder, open, run, small};
use crate::api::GroupId;
use crate::disk::{Area, HaltPoint, MemDisk, Moment, Operation};
use crate::wal::{Wal, WalOptions};
use std::time::Duration;

#[test]
fn a_failed_sync_is_never_tried_again() {
    run(async {
        let disk = MemDisk::new();
        let wal = open(&disk, WalOptions::default()).await;
        append_one(&wal, 1, 0, b"kept").await.expect("the disk works");
        disk.fail_next_sync();
        let (second, is_second) = done();
        wal.append(GroupId(1), vec![(1, b"lost".to_vec())], second).await.expect("it is readable at once");
        assert!(is_second.await.expect("the callback is called").is_err());
        // The disk would say yes from now on, though the bytes are gone.
        assert!(append_one(&wal, 1, 2, b"refused").await.is_err());
        assert!(wal.save_vote(GroupId(2), vec![1]).await.is_err());
        assert!(wal.truncate(GroupId(1), 0).is_err());
        assert!(wal.purge(GroupId(1), 0, Vec::new()).is_err());
        assert!(wal.close().await.is_err());
        let message = wal.failed().await;
        assert!(message.contains("planned failure of a sync") && message.contains("must stop"), "{message}");
        disk.crash(1);
        let wal = open(&disk, WalOptions::default()).await;
        assert_eq!(content(&wal, 1).await, vec![(0, b"kept".to_vec())]);
    });
}

#[test]
fn what_waits_behind_a_failure_fails_too() {
    run(async {
        let disk = MemDisk::new();
        let wal = open(&disk, WalOptions::default()).await;
        disk.set_delay(Duration::from_millis(1));
        disk.set_full(true);
        let mut waiting = Vec::new();
        for index in 0..3 {
            let (done, is_done) = done();
            wal.append(GroupId(1), vec![(index, vec![0; 10])], done).await.expect("it is readable at once");
            waiting.push(is_done);
            tokio::task::yield_now().await;
        }
        for is_done in waiting {
            assert!(is_done.await.expect("every callback is called").is_err());
        }
        assert!(wal.failed().await.contains("storage"), "the reason is said");
    });
}

#[test]
fn a_failed_read_is_an_error_and_no_end_of_the_log() {
    run(async {
        let disk = MemDisk::new();
        let wal = open(&disk, small()).await;
        for index in 0..10 {
            append_one(&wal, 1, index, &[1; 50]).await.expect("the disk works");
        }
        disk.fail_next_read();
        assert!(wal.read(GroupId(1), 0..10, usize::MAX).await.is_err());
        assert_eq!(content(&wal, 1).await.len(), 10, "reading does no harm to the log");
    });
}

#[test]
fn a_slow_disk_makes_appends_wait_and_groups_share_its_syncs() {
    run(async {
        let disk = MemDisk::new();
        let options = WalOptions { pending_bytes_max: 2000, ..WalOptions::default() };
        let wal = open(&disk, options).await;
        disk.set_delay(Duration::from_millis(2));
        let mut tasks = Vec::new();
        for group in 0..64 {
            let wal = wal.clone();
            tasks.push(tokio::spawn(async move {
                for index in 0..5 {
                    append_one(&wal, group, index, &[3; 100]).await.expect("the disk works");
                }
            }));
        }
        for task in tasks {
            task.await.expect("appends end");
        }
        let frames = wal.figures().frames;
        assert!(frames < 64 * 5 / 4, "{frames} syncs for 320 appends");
        assert!(frames >= 64 * 5 * 100 / 2200, "{frames} syncs: more waited than allowed");
    });
}

#[test]
fn an_entry_that_does_not_follow_changes_nothing() {
    run(async {
        let disk = MemDisk::new();
        let wal = open(&disk, small()).await;
        append_one(&wal, 1, 0, b"a").await.expect("the disk works");
        for wrong in [0, 2] {
            assert!(append_one(&wal, 1, wrong, b"b").await.is_err());
        }
        let (callback, _) = done();
        let gap = vec![(1, b"b".to_vec()), (3, b"c".to_vec())];
        assert!(wal.append(GroupId(1), gap, callback).await.is_err());
        wal.purge(GroupId(1), 4, b"id".to_vec()).expect("the log works");
        assert!(append_one(&wal, 1, 7, b"b").await.is_err(), "a hole after what was purged");
        append_one(&wal, 1, 5, b"next").await.expect("it follows");
        wal.close().await.expect("the log closes");
        let wal = open(&disk, small()).await;
        assert_eq!(content(&wal, 1).await, vec![(5, b"next".to_vec())]);
        assert_eq!(wal.purged(GroupId(1)).as_deref(), Some(b"id".as_slice()));
    });
}

#[test]
fn dropping_the_log_writes_what_was_appended() {
    run(async {
        let disk = MemDisk::new();
        let wal = open(&disk, small()).await;
        let (callback, is_done) = done();
        wal.append(GroupId(1), vec![(0, b"a".to_vec())], callback).await.expect("the log works");
        wal.save_committed(GroupId(1), Some((0, b"c".to_vec()))).expect("the log works");
        drop(wal);
        is_done.await.expect("the callback is called").expect("it is durable");
        let wal = Wal::open(disk.fork().mount(), &folder(), SALT, small()).await.expect("the log opens");
        assert_eq!(content(&wal, 1).await.len(), 1);
        assert_eq!(wal.committed(GroupId(1)).as_deref(), Some(b"c".as_slice()));
    });
}

/// A process may die between a write and its sync; the next one reads what the first wrote. It may
/// build on that only once it is durable.
#[test]
fn what_a_killed_process_left_unflushed_is_durable_once_it_was_read() {
    for seed in 0..20 {
        run(async {
            let disk = MemDisk::new();
            let wal = open(&disk, WalOptions::default()).await;
            append_one(&wal, 1, 0, b"kept").await.expect("the disk works");
            let point = HaltPoint {
                area: Some(Area::Log),
                operation: Operation::Sync,
                moment: Moment::Before,
                skip: 0,
            };
            disk.halt_at(point);
            let (callback, _) = done();
            wal.append(GroupId(1), vec![(1, b"unflushed".to_vec())], callback).await.expect("it is readable");
            while disk.halted().is_none() {
                tokio::task::yield_now().await;
            }
            disk.kill();
            let wal = open(&disk, WalOptions::default()).await;
            let read = content(&wal, 1).await;
            assert_eq!(read.len(), 2, "the next process sees it");
            disk.crash(seed);
            let wal = open(&disk, WalOptions::default()).await;
            assert_eq!(content(&wal, 1).await, read, "seed {seed}");
        });
    }
}

/// After a failed sync the disk forgets what it should have flushed, though a process that starts
/// again on the same machine still reads it.
#[test]
fn a_process_that_starts_after_a_failed_sync_loses_nothing_it_acknowledges() {
    for seed in 0..20 {
        run(async {
            let disk = MemDisk::new();
            let wal = open(&disk, WalOptions::default()).await;
            append_one(&wal, 1, 0, b"kept").await.expect("the disk works");
            disk.fail_next_sync();
            assert!(append_one(&wal, 1, 1, b"not flushed").await.is_err());
            drop(wal);
            let wal = open(&disk, WalOptions::default()).await;
            let next = content(&wal, 1).await.len() as u64;
            append_one(&wal, 1, next, b"acknowledged").await.expect("the disk works again");
            let read = content(&wal, 1).await;
            disk.crash(seed);
            let wal = open(&disk, WalOptions::default()).await;
            assert_eq!(content(&wal, 1).await, read, "seed {seed}");
        });
    }
}
