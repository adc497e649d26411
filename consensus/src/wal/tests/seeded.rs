//! The log with mistakes on purpose: each does harm, or it would prove nothing.

use super::{SALT, append_one, content, done, folder, run};
use crate::api::GroupId;
use crate::disk::{Area, HaltPoint, MemDisk, Moment, Operation, Step};
use crate::seeded::{Seeded, SeededBug};
use crate::wal::{Wal, WalError, WalOptions};

async fn open(disk: &MemDisk, bug: SeededBug) -> Result<Wal, WalError> {
    let options = WalOptions::default();
    Wal::open_seeded(disk.mount(), &folder(), SALT, options, Seeded::with(bug)).await
}

#[test]
fn a_flush_answered_early_loses_what_was_answered() {
    run(async {
        let disk = MemDisk::new();
        let wal = open(&disk, SeededBug::FlushAnsweredEarly).await.expect("the log opens");
        append_one(&wal, 1, 0, b"kept").await.expect("the disk works");
        let flushed = Step { area: Area::Log, operation: Operation::SyncDir };
        while !disk.operations_by_step().contains_key(&flushed) {
            tokio::task::yield_now().await;
        }
        let (operation, moment) = (Operation::Write, Moment::Before);
        disk.halt_at(HaltPoint { area: Some(Area::Log), operation, moment, skip: 0 });
        append_one(&wal, 1, 1, b"lost").await.expect("it is answered");
        disk.crash(1);
        let wal = open(&disk, SeededBug::FlushAnsweredEarly).await.expect("the log opens");
        assert_eq!(content(&wal, 1).await.len(), 1);
    });
}

#[test]
fn a_vote_that_is_not_flushed_is_forgotten() {
    run(async {
        let disk = MemDisk::new();
        let wal = open(&disk, SeededBug::VoteNotFlushed).await.expect("the log opens");
        append_one(&wal, 1, 0, b"kept").await.expect("the disk works");
        wal.save_vote(GroupId(1), vec![1]).await.expect("it is answered");
        append_one(&wal, 1, 1, b"kept").await.expect("the disk works");
        disk.crash(1);
        let wal = open(&disk, SeededBug::VoteNotFlushed).await.expect("the log opens");
        assert_eq!((wal.vote(GroupId(1)), content(&wal, 1).await.len()), (None, 2));
    });
}

#[test]
fn a_failed_sync_that_is_retried_loses_what_was_answered() {
    run(async {
        let disk = MemDisk::new();
        let wal = open(&disk, SeededBug::FailedSyncRetried).await.expect("the log opens");
        append_one(&wal, 1, 0, b"kept").await.expect("the disk works");
        disk.fail_next_sync();
        append_one(&wal, 1, 1, b"lost").await.expect("it is answered");
        disk.crash(1);
        let wal = open(&disk, SeededBug::FailedSyncRetried).await.expect("the log opens");
        assert_eq!(content(&wal, 1).await.len(), 1);
    });
}

#[test]
fn a_torn_tail_that_is_kept_is_garbage() {
    let mut garbage = 0;
    for seed in 0..100 {
        run(async {
            let disk = MemDisk::new();
            let wal = open(&disk, SeededBug::TornTailKept).await.expect("the log opens");
            append_one(&wal, 1, 0, b"kept").await.expect("the disk works");
            let (operation, moment) = (Operation::Write, Moment::After);
            disk.halt_at(HaltPoint { area: Some(Area::Log), operation, moment, skip: 0 });
            let (callback, _) = done();
            wal.append(GroupId(1), vec![(1, vec![9; 2_000])], callback).await.expect("the log works");
            while disk.halted().is_none() {
                tokio::task::yield_now().await;
            }
            disk.crash(seed);
            let wal = open(&disk, SeededBug::TornTailKept).await.expect("the log opens");
            let found = content(&wal, 1).await;
            assert_eq!(found[0], (0, b"kept".to_vec()));
            garbage += usize::from(found.get(1).is_some_and(|(_, body)| *body != [9; 2_000]));
        });
    }
    assert!(garbage > 10, "{garbage} of 100");
}

async fn conflict(disk: &MemDisk, bug: SeededBug) {
    let wal = open(disk, bug).await.expect("the log opens");
    for index in 0..5 {
        append_one(&wal, 1, index, b"old").await.expect("the disk works");
    }
    wal.truncate(GroupId(1), 2).expect("the log works");
    for index in 2..4 {
        append_one(&wal, 1, index, b"new").await.expect("the disk works");
    }
    assert_eq!(content(&wal, 1).await.len(), 4, "in memory all is well");
    disk.crash(1);
}

#[test]
fn truncations_by_mistake_show_after_a_restart() {
    run(async {
        let disk = MemDisk::new();
        conflict(&disk, SeededBug::TruncateForgotten).await;
        let refused = open(&disk, SeededBug::TruncateForgotten).await.err();
        assert!(refused.is_some_and(|error| error.to_string().contains("entry 2 of group_1 is replaced")));

        let disk = MemDisk::new();
        conflict(&disk, SeededBug::TruncateWrittenLate).await;
        let refused = open(&disk, SeededBug::TruncateWrittenLate).await.err();
        assert!(matches!(refused, Some(WalError::Damaged { .. })), "an entry is missing");
    });
}
