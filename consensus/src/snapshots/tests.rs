//! Tests of snapshot files.

use super::{CHUNK_BYTES, SnapshotError, SnapshotStore};
use crate::api::GroupId;
use crate::disk::{MemDisk, OpenMode, Operation, RealDisk, SharedDisk};
use bytes::Bytes;
use std::future::Future;
use std::path::Path;
use std::sync::Arc;

const FOLDER: &str = "/node/snapshots";
const GROUP: GroupId = GroupId(4);

type Store = SnapshotStore<(u64, String)>;

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().expect("a runtime").block_on(future)
}

async fn open(disk: SharedDisk, folder: &Path) -> Result<Store, SnapshotError> {
    SnapshotStore::open(disk, folder, GROUP).await
}

fn meta(number: u64) -> (u64, String) {
    (number, format!("snapshot {number}"))
}

fn data(number: u64) -> Bytes {
    vec![number as u8; 300].into()
}

#[test]
fn the_last_snapshot_is_kept_alone_per_group() {
    let temporary = tempfile::tempdir().expect("a temporary folder");
    let disk: SharedDisk = Arc::new(RealDisk::new().expect("a thread"));
    run(async {
        let folder = temporary.path();
        let store = open(disk.clone(), folder).await.expect("it opens");
        assert_eq!(store.load().await.expect("no snapshot is no error"), None);
        let other: Store = SnapshotStore::open(disk.clone(), folder, GroupId(40)).await.expect("it opens");
        other.save(&meta(9), data(9)).await.expect("it is saved");
        let large = Bytes::from(vec![5; 2 * CHUNK_BYTES + 17]);
        for number in 1..4 {
            store.save(&meta(number), large.clone()).await.expect("it is saved");
        }
        for store in [&store, &open(disk.clone(), folder).await.expect("it opens")] {
            let loaded = store.load().await.expect("it is whole");
            assert_eq!(loaded, Some((meta(3), large.clone())));
        }
        assert_eq!(disk.list(folder).await.expect("the folder exists").len(), 2);
    });
}

/// A process may die between the renaming and the sync of the folder. The next one finds the file,
/// and lets the log go that it covers: then it must be durable.
#[test]
fn a_snapshot_that_was_found_at_a_start_is_durable() {
    for seed in 0..20 {
        run(async {
            let disk = MemDisk::new();
            let store = open(disk.mount(), Path::new(FOLDER)).await.expect("it opens");
            disk.fail_next(Operation::SyncDir, None);
            store.save(&meta(1), data(1)).await.expect_err("the folder is not synced");
            drop(store);
            let store = open(disk.mount(), Path::new(FOLDER)).await.expect("it opens");
            let found = store.load().await.expect("it is whole");
            assert_eq!(found, Some((meta(1), data(1))), "the next process sees it");
            disk.crash(seed);
            let store = open(disk.mount(), Path::new(FOLDER)).await.expect("it opens");
            assert_eq!(store.load().await.expect("it is whole"), found, "seed {seed}");
        });
    }
}

#[test]
fn a_crash_leaves_the_former_or_the_new_one() {
    for stop in 0..20 {
        for seed in 0..8 {
            run(async {
                let disk = MemDisk::new();
                let store = open(disk.mount(), Path::new(FOLDER)).await.expect("it opens");
                store.save(&meta(1), data(1)).await.expect("it is saved");
                disk.stop_after(stop);
                let saved = store.save(&meta(2), data(2)).await.is_ok();
                disk.crash(seed);
                let store = open(disk.mount(), Path::new(FOLDER)).await.expect("it opens");
                let loaded = store.load().await.expect("it is whole").expect("there is one");
                let (old, new) = ((meta(1), data(1)), (meta(2), data(2)));
                assert!(loaded == new || (!saved && loaded == old), "stop {stop}, seed {seed}");
                store.save(&meta(3), data(3)).await.expect("what was left is no obstacle");
                let names = disk.mount().list(Path::new(FOLDER)).await.expect("the folder exists");
                assert_eq!(names.len(), 1, "{names:?}");
            });
        }
    }
}

#[test]
fn a_failed_save_leaves_the_former_one() {
    run(async {
        let disk = MemDisk::new();
        let store = open(disk.mount(), Path::new(FOLDER)).await.expect("it opens");
        store.save(&meta(1), data(1)).await.expect("it is saved");
        disk.set_full(true);
        assert!(store.save(&meta(2), data(2)).await.is_err());
        disk.set_full(false);
        disk.fail_next_sync();
        assert!(store.save(&meta(2), data(2)).await.is_err());
        assert_eq!(store.load().await.expect("it is whole"), Some((meta(1), data(1))));
        store.save(&meta(2), data(2)).await.expect("the disk works again");
        assert_eq!(store.load().await.expect("it is whole"), Some((meta(2), data(2))));
    });
}

#[test]
fn every_flipped_bit_is_refused_with_file_and_remedy() {
    run(async {
        let disk = MemDisk::new();
        let store = open(disk.mount(), Path::new(FOLDER)).await.expect("it opens");
        store.save(&meta(1), data(1)).await.expect("it is saved");
        let path = Path::new(FOLDER).join("group_4.0000000001.snapshot");
        for bit in 0..disk.durable(&path).expect("the file exists").len() as u64 * 8 {
            disk.flip_bit(&path, bit).expect("the file exists");
            let error = store.load().await.expect_err("damage is refused");
            assert!(matches!(error, SnapshotError::Damaged { .. }), "bit {bit}: {error}");
            assert!(error.to_string().contains("Restore the folder from a copy"), "{error}");
            disk.flip_bit(&path, bit).expect("the file exists");
        }
        store.load().await.expect("all bits are back");
    });
}

#[test]
fn another_version_is_named() {
    run(async {
        let disk = MemDisk::new();
        let store = open(disk.mount(), Path::new(FOLDER)).await.expect("it opens");
        store.save(&meta(1), data(1)).await.expect("it is saved");
        let path = Path::new(FOLDER).join("group_4.0000000001.snapshot");
        let mut header =
            super::Header::decode(&disk.durable(&path).expect("it exists")).expect("it is whole");
        header.version = 7;
        let file = disk.mount().open(&path, OpenMode::Existing).await.expect("it exists");
        file.write_at(0, header.encode().into()).await.expect("the disk works");
        let error = store.load().await.expect_err("another version is refused");
        assert!(matches!(error, SnapshotError::Version { found: 7, .. }), "{error}");
    });
}

#[cfg(feature = "seeded-bugs")]
#[test]
fn a_snapshot_that_is_not_synced_is_damaged_by_a_crash() {
    use crate::seeded::{Seeded, SeededBug};
    run(async {
        let disk = MemDisk::new();
        let store = open(disk.mount(), Path::new(FOLDER)).await.expect("it opens");
        let store = store.seeded(Seeded::with(SeededBug::SnapshotNotSynced));
        store.save(&meta(1), data(1)).await.expect("it is saved, it says");
        disk.crash(1);
        let store = open(disk.mount(), Path::new(FOLDER)).await.expect("it opens");
        assert!(matches!(store.load().await, Err(SnapshotError::Damaged { .. })));
    });
}
