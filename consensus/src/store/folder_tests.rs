//! Tests of the data folder.

use super::{DataFolder, FolderError, Identity};
use crate::api::NodeId;
use crate::disk::{LossyDisk, MemDisk, OpenMode, Operation, RealDisk, SharedDisk};
use crate::env::Entropy;
use std::future::Future;
use std::path::Path;
use std::sync::Arc;

struct Fixed(u64);

impl Entropy for Fixed {
    fn next_u64(&self) -> u64 {
        self.0
    }
}

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().expect("a runtime").block_on(future)
}

fn identity(cluster: &str, node: u64) -> Identity {
    Identity { cluster: cluster.into(), node: NodeId(node) }
}

async fn open(disk: &SharedDisk, path: &Path, identity: &Identity) -> Result<DataFolder, FolderError> {
    DataFolder::open(disk, path, identity, &Fixed(11)).await
}

async fn refused(disk: &SharedDisk, path: &Path, identity: &Identity) -> FolderError {
    match open(disk, path, identity).await {
        Ok(_) => panic!("the folder is refused"),
        Err(error) => error,
    }
}

#[test]
fn a_folder_belongs_to_one_node_and_one_process() {
    let temporary = tempfile::tempdir().expect("a temporary folder");
    let real = RealDisk::new().expect("a thread");
    let disks: [(SharedDisk, &str); 3] = [
        (MemDisk::new().mount(), "/data/node"),
        (Arc::new(real.clone()), "real/node"),
        (Arc::new(LossyDisk::new(real, 3)), "lossy/node"),
    ];
    for (disk, path) in disks {
        run(async {
            let path = &temporary.path().join(path);
            let mine = identity("a", 1);
            let folder = open(&disk, path, &mine).await.expect("an empty folder is taken");
            assert_eq!(folder.salt(), 11);
            let error = refused(&disk, path, &mine).await;
            assert!(matches!(error, FolderError::InUse(_)), "{error}");
            assert!(error.to_string().contains("stop that one"), "{error}");
            drop(folder);
            for other in [identity("b", 1), identity("a", 2)] {
                let error = refused(&disk, path, &other).await;
                assert!(matches!(error, FolderError::Foreign { .. }), "{error}");
                assert!(error.to_string().contains("correct the configuration"), "{error}");
            }
            let again = DataFolder::open(&disk, path, &mine, &Fixed(12)).await.expect("it is free again");
            assert_eq!(again.salt(), 11, "the salt stays");
        });
    }
}

#[test]
fn a_crash_while_it_is_made_leaves_it_usable() {
    for stop in 0..12 {
        for seed in 0..8 {
            run(async {
                let disk = MemDisk::new();
                disk.stop_after(stop);
                let path = Path::new("/data");
                let opened = open(&disk.mount(), path, &identity("a", 1)).await.is_ok();
                disk.crash(seed);
                let salt = DataFolder::open(&disk.mount(), path, &identity("a", 1), &Fixed(12)).await;
                let salt = salt.expect("it opens").salt();
                assert!(salt == 11 || !opened, "stop {stop}, seed {seed}: it was written before");
            });
        }
    }
}

#[test]
fn damage_and_lost_identities_are_refused() {
    run(async {
        let (disk, path) = (MemDisk::new(), Path::new("/data"));
        let mine = identity("a", 1);
        drop(open(&disk.mount(), path, &mine).await.expect("an empty folder is taken"));
        let file = path.join("identity");
        for bit in 0..disk.durable(&file).expect("it exists").len() as u64 * 8 {
            disk.flip_bit(&file, bit).expect("it exists");
            let error = refused(&disk.mount(), path, &mine).await;
            assert!(matches!(error, FolderError::Damaged { .. }), "bit {bit}: {error}");
            disk.flip_bit(&file, bit).expect("it exists");
        }
        let mounted = disk.mount();
        mounted.open(&path.join("log/0000000001.wal"), OpenMode::CreateNew).await.expect("the folder exists");
        mounted.remove(&file).await.expect("it exists");
        let error = refused(&mounted, path, &mine).await;
        assert!(error.to_string().contains("there is no file identity"), "{error}");
    });
}

#[test]
fn another_layout_is_named() {
    run(async {
        let (disk, path) = (MemDisk::new().mount(), Path::new("/data"));
        drop(open(&disk, path, &identity("a", 1)).await.expect("an empty folder is taken"));
        let file = disk.open(&path.join("identity"), OpenMode::Existing).await.expect("it exists");
        let newer = proto::codec::encode(&(2_u32, identity("a", 1), 11_u64));
        file.write_at_and_sync(0, newer.into()).await.expect("the disk works");
        let error = refused(&disk, path, &identity("a", 1)).await;
        assert!(matches!(error, FolderError::Version { found: 2, supported: 1, .. }), "{error}");
    });
}

/// A process may die between the renaming of the identity and the sync of the folder.
#[test]
fn an_identity_that_was_found_at_a_start_is_durable() {
    for seed in 0..20 {
        run(async {
            let (disk, path) = (MemDisk::new(), Path::new("/node"));
            disk.fail_next(Operation::SyncDir, None);
            refused(&disk.mount(), path, &identity("a", 1)).await;
            let folder =
                open(&disk.mount(), path, &identity("a", 1)).await.expect("the next process sees it");
            let salt = folder.salt();
            drop(folder);
            disk.crash(seed);
            let mounted = disk.mount();
            let names = mounted.list(path).await.expect("the folder is there");
            assert_eq!(names, ["identity"], "seed {seed}");
            let folder = open(&mounted, path, &identity("a", 1)).await.expect("it is there");
            assert_eq!(folder.salt(), salt);
        });
    }
}
