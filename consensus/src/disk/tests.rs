//! Tests of the disks themselves.

use super::{Disk, LossyDisk, MemDisk, OpenMode, RealDisk, SharedDisk};
use bytes::Bytes;
use std::future::Future;
use std::io;
use std::path::Path;
use std::sync::Arc;

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().expect("a runtime").block_on(future)
}

/// What every disk must do alike, crashes aside.
async fn behaves(disk: &dyn Disk, folder: &Path) -> io::Result<()> {
    disk.create_dir_all(folder).await?;
    let path = folder.join("b");
    assert_eq!(
        disk.open(&path, OpenMode::Existing).await.err().map(|e| e.kind()),
        Some(io::ErrorKind::NotFound)
    );
    let file = disk.open(&path, OpenMode::CreateNew).await?;
    let again = disk.open(&path, OpenMode::CreateNew).await;
    assert_eq!(again.err().map(|e| e.kind()), Some(io::ErrorKind::AlreadyExists));
    file.write_at(0, Bytes::from_static(b"0123456789")).await?;
    file.write_at_and_sync(10, Bytes::from_static(b"abcdef")).await?;
    file.write_at(4, Bytes::from_static(b"XY")).await?;
    assert_eq!(file.read_at(2, 6).await?, b"23XY67");
    assert_eq!(file.read_at(12, 100).await?, b"cdef");
    assert_eq!(file.read_at(100, 1).await?, b"");
    file.truncate(5).await?;
    assert_eq!((file.size().await?, file.read_at(0, 100).await?), (5, b"0123X".to_vec()));
    file.write_at(5, Bytes::from_static(b"..")).await?;
    assert_eq!(file.read_at(3, 100).await?, b"3X..");
    disk.open(&folder.join("a"), OpenMode::CreateNew).await?;
    disk.rename(&path, &folder.join("c")).await?;
    assert_eq!(disk.list(folder).await?, ["a", "c"]);
    disk.sync_dir(folder).await?;
    disk.remove(&folder.join("a")).await?;
    disk.rename(&folder.join("c"), &path).await?;
    file.sync_data().await?;
    disk.sync_dir(folder).await?;
    assert_eq!(disk.list(folder).await?, ["b"]);
    let reopened = disk.open(&path, OpenMode::Existing).await?;
    assert_eq!(reopened.read_at(0, 100).await?, b"0123X..");
    Ok(())
}

#[test]
fn all_disks_behave_alike() {
    let temporary = tempfile::tempdir().expect("a temporary folder");
    let real = RealDisk::new().expect("a thread");
    let lossy = LossyDisk::new(real.clone(), 1);
    run(behaves(&*MemDisk::new().mount(), Path::new("/x/y"))).expect("memory works");
    run(behaves(&real, &temporary.path().join("real/y"))).expect("files work");
    run(behaves(&lossy, &temporary.path().join("lossy/y"))).expect("lossy files work");
    let left = std::fs::read(temporary.path().join("lossy/y/b")).expect("it was synced");
    assert_eq!(left, b"0123X..");
}

#[test]
fn a_lossy_disk_forgets_what_was_not_flushed() {
    let mut torn = 0;
    for seed in 0..64 {
        let temporary = tempfile::tempdir().expect("a temporary folder");
        let disk = LossyDisk::new(RealDisk::new().expect("a thread"), seed);
        run(async {
            let synced = disk.open(&temporary.path().join("synced"), OpenMode::CreateNew).await?;
            synced.write_at_and_sync(0, Bytes::from_static(b"kept")).await?;
            disk.sync_dir(temporary.path()).await?;
            synced.write_at(4, Bytes::from_static(b"unsynced")).await?;
            let nameless = disk.open(&temporary.path().join("nameless"), OpenMode::CreateNew).await?;
            nameless.write_at_and_sync(0, Bytes::from_static(b"lost with its name")).await
        })
        .expect("files work");
        // As after kill -9: what the files hold is all there is.
        drop(disk);
        assert!(!temporary.path().join("nameless").exists());
        let left = std::fs::read(temporary.path().join("synced")).expect("its name was synced");
        assert!(left.starts_with(b"kept") && b"keptunsynced".starts_with(&left), "{left:?}");
        torn += usize::from(left.len() > 4);
    }
    assert!(0 < torn && torn < 32, "some writes are torn: {torn} of 64");
}

#[test]
fn a_skipped_sync_flushes_nothing() {
    let temporary = tempfile::tempdir().expect("a temporary folder");
    let disk = LossyDisk::new(RealDisk::new().expect("a thread"), 1).skip_syncs_of(".wal");
    run(async {
        for name in ["a.wal", "b.txt"] {
            let file = disk.open(&temporary.path().join(name), OpenMode::CreateNew).await?;
            file.write_at_and_sync(0, Bytes::from_static(b"content")).await?;
        }
        disk.sync_dir(temporary.path()).await
    })
    .expect("files work");
    let left = |name| std::fs::read(temporary.path().join(name)).expect("its name was synced");
    assert_eq!((left("a.wal"), left("b.txt")), (Vec::new(), b"content".to_vec()));
}

#[test]
fn a_crashed_machine_does_nothing_more() {
    run(async {
        let disk = MemDisk::new();
        let (old, folder) = (disk.mount(), Path::new("/x"));
        old.create_dir_all(folder).await.expect("it works");
        let file = old.open(&folder.join("f"), OpenMode::CreateNew).await.expect("it works");
        old.sync_dir(folder).await.expect("it works");
        let lock = old.lock(folder).await.expect("it is free");
        assert_eq!(old.lock(folder).await.err().map(|e| e.kind()), Some(io::ErrorKind::WouldBlock));
        disk.stop_after(1);
        file.write_at(0, Bytes::from_static(b"x")).await.expect("one more");
        assert!(file.sync_data().await.is_err());
        disk.crash(0);
        assert!(file.write_at(0, Bytes::from_static(b"y")).await.is_err());
        assert!(old.list(folder).await.is_err());
        let new: SharedDisk = disk.mount();
        let held = new.lock(folder).await.expect("a crash frees it");
        drop(lock);
        assert!(new.lock(folder).await.is_err(), "the dead holder frees nothing");
        drop(held);
        assert_eq!(new.list(folder).await.expect("it works"), ["f"]);
    });
}

#[test]
fn a_real_disk_works_from_many_tasks() {
    let temporary = tempfile::tempdir().expect("a temporary folder");
    let disk = RealDisk::new().expect("a thread");
    run(async {
        let file = disk.open(&temporary.path().join("f"), OpenMode::CreateNew).await.expect("files work");
        let writes = (0..3000_u64).map(|at| {
            let file = Arc::clone(&file);
            async move { file.write_at(at * 8, at.to_le_bytes().to_vec().into()).await }
        });
        futures::future::try_join_all(writes).await.expect("files work");
        assert_eq!(file.read_at(2999 * 8, 8).await.expect("files work"), 2999_u64.to_le_bytes());
    });
}
