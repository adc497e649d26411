//! Space on disk and in memory stays bounded.

use super::{append_one, content, open, run, small};
use crate::api::GroupId;
use crate::disk::MemDisk;
use crate::wal::WalOptions;

#[test]
fn a_quiet_group_does_not_keep_old_segments() {
    run(async {
        let disk = MemDisk::new();
        let wal = open(&disk, small()).await;
        wal.save_vote(GroupId(1), b"vote".to_vec()).await.expect("the disk works");
        for index in 0..3 {
            append_one(&wal, 1, index, &[index as u8; 50]).await.expect("the disk works");
        }
        let quiet = content(&wal, 1).await;
        for index in 0..500_u64 {
            append_one(&wal, 2, index, &[2; 50]).await.expect("the disk works");
            if index % 4 == 3 {
                wal.purge(GroupId(2), index - 1, index.to_le_bytes().to_vec()).expect("the log works");
            }
            let figures = wal.figures();
            assert!(figures.bytes < 2 * figures.live_bytes + 5 * 400, "too much waste: {figures:?}");
            assert!(figures.cached_bytes <= 60 + 50, "the memory's limit: {figures:?}");
        }
        assert_eq!(content(&wal, 1).await, quiet);
        wal.close().await.expect("the log closes");
        let wal = open(&disk, small()).await;
        assert_eq!(content(&wal, 1).await, quiet);
        assert_eq!(wal.vote(GroupId(1)).as_deref(), Some(b"vote".as_slice()));
        assert_eq!(content(&wal, 2).await.len(), 1);
    });
}

#[test]
fn a_purged_log_is_one_segment() {
    run(async {
        let disk = MemDisk::new();
        let wal = open(&disk, small()).await;
        for index in 0..50 {
            append_one(&wal, 1, index, &[1; 50]).await.expect("the disk works");
        }
        assert!(wal.figures().segments > 5);
        wal.purge(GroupId(1), 49, b"id".to_vec()).expect("the log works");
        wal.save_vote(GroupId(1), b"vote".to_vec()).await.expect("the disk works");
        wal.close().await.expect("the log closes");
        assert!(wal.figures().segments <= 2, "{:?}", wal.figures());
        assert_eq!(wal.figures().live_bytes, 0);
    });
}

#[test]
fn reads_stop_at_their_limit_but_return_one_entry() {
    run(async {
        let disk = MemDisk::new();
        let options = WalOptions { cache_bytes: 0, ..WalOptions::default() };
        let wal = open(&disk, options).await;
        for index in 0..20 {
            append_one(&wal, 1, index, &[1; 100]).await.expect("the disk works");
        }
        for (limit, expected) in [(0, 1), (100, 1), (250, 2), (usize::MAX, 18)] {
            let read = wal.read(GroupId(1), 2..40, limit).await.expect("the log can be read");
            assert_eq!(read.len(), expected, "limit {limit}");
            assert_eq!(read[0].0, 2);
        }
        assert!(wal.read(GroupId(9), 0..5, 10).await.expect("no such group").is_empty());
    });
}

#[test]
fn an_idle_log_rests_though_every_segment_begins_with_much() {
    run(async {
        let disk = MemDisk::new();
        let wal = open(&disk, WalOptions { segment_bytes: 50, ..small() }).await;
        for group in 0..30 {
            wal.save_vote(GroupId(group), vec![7; 30]).await.expect("the disk works");
        }
        for index in 0..60_u64 {
            for group in 0..3 {
                append_one(&wal, group, index, &[]).await.expect("the disk works");
            }
        }
        let mut frames = 0;
        for _ in 0..100 {
            frames = wal.figures().frames;
            for _ in 0..200 {
                tokio::task::yield_now().await;
            }
        }
        assert_eq!(wal.figures().frames, frames, "copying ends: {:?}", wal.figures());
    });
}
