//! Tests of what a disk in memory does on demand.

use super::{Area, HaltPoint, MemDisk, Moment, Operation, Step};
use crate::disk::{DiskFile, OpenMode, SharedDisk};
use bytes::Bytes;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use std::collections::BTreeMap;
use std::future::Future;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, timeout};

const LONG: Duration = Duration::from_secs(3_600);

/// Runs a test's future in paused time: what never ends is known at once.
fn run<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.expect("a runtime").block_on(future)
}

fn point(area: Option<Area>, operation: Operation, moment: Moment, skip: u32) -> HaltPoint {
    HaltPoint { area, operation, moment, skip }
}

/// Every step once in the folder, with a file that is there already.
async fn all_steps(disk: &SharedDisk, folder: &Path, file: &dyn DiskFile) -> io::Result<()> {
    let (temporary, path) = (folder.join("new.tmp"), folder.join("new"));
    let new = disk.open(&temporary, OpenMode::CreateNew).await?;
    new.write_at_and_sync(0, Bytes::from_static(b"content")).await?;
    disk.rename(&temporary, &path).await?;
    disk.sync_dir(folder).await?;
    file.truncate(1).await?;
    file.read_at(0, 1).await?;
    disk.remove(&path).await?;
    disk.sync_dir(folder).await
}

async fn prepared(disk: &MemDisk, folder: &Path) -> (SharedDisk, Arc<dyn DiskFile>) {
    let mounted = disk.mount();
    mounted.create_dir_all(folder).await.expect("it works");
    let file = mounted.open(&folder.join("old"), OpenMode::CreateNew).await.expect("it works");
    file.write_at_and_sync(0, Bytes::from_static(b"old")).await.expect("it works");
    mounted.sync_dir(folder).await.expect("it works");
    (mounted, file)
}

#[test]
fn a_machine_stands_still_on_either_side_of_every_operation() {
    for operation in Operation::ALL {
        for moment in [Moment::Before, Moment::After] {
            for area in [None, Some(Area::Log)] {
                run(async move {
                    let disk = MemDisk::new();
                    let (mounted, file) = prepared(&disk, Path::new("/data/log")).await;
                    let before = disk.operations_by_step();
                    let point = point(area, operation, moment, 0);
                    disk.halt_at(point);
                    assert_eq!(disk.halted(), None);
                    let steps = all_steps(&mounted, Path::new("/data/log"), &*file);
                    assert!(timeout(LONG, steps).await.is_err(), "{point} is never answered");
                    let step = Step { area: Area::Log, operation };
                    assert_eq!(disk.halted(), Some((point, step)));
                    let done = |counts: &BTreeMap<Step, u64>| counts.get(&step).copied().unwrap_or(0);
                    let happened = done(&disk.operations_by_step()) - done(&before);
                    assert_eq!(happened, u64::from(moment == Moment::After), "{point}");
                    // Everything stands still, also what is no step, until the crash.
                    let size = tokio::spawn(async move { file.size().await });
                    let listed = tokio::spawn(async move { mounted.list(Path::new("/data/log")).await });
                    tokio::time::sleep(LONG).await;
                    assert!(!size.is_finished() && !listed.is_finished());
                    disk.crash(1);
                    assert!(
                        size.await.expect("no panic").is_err() && listed.await.expect("no panic").is_err()
                    );
                    assert_eq!(disk.halted(), None);
                    let old = Path::new("/data/log/old");
                    disk.mount().open(old, OpenMode::Existing).await.expect("the next life is well");
                });
            }
        }
    }
}

#[test]
fn what_happens_before_standing_still_happens() {
    run(async {
        for (moment, left) in [(Moment::Before, b"old".as_slice()), (Moment::After, b"new")] {
            let disk = MemDisk::new();
            let (_mounted, file) = prepared(&disk, Path::new("/data/log")).await;
            disk.halt_at(point(Some(Area::Log), Operation::Sync, moment, 0));
            let write = file.write_at_and_sync(0, Bytes::from_static(b"new"));
            assert!(timeout(LONG, write).await.is_err());
            assert_eq!(disk.durable(Path::new("/data/log/old")).expect("it is there").as_ref(), left);
        }
    });
}

#[test]
fn other_areas_and_the_first_ones_are_let_pass() {
    run(async {
        let disk = MemDisk::new();
        let (_log, log) = prepared(&disk, Path::new("/data/log")).await;
        let (_events, events) = prepared(&disk, Path::new("/data/events/shard_1")).await;
        disk.halt_at(point(Some(Area::Events), Operation::Write, Moment::Before, 2));
        for _ in 0..5 {
            log.write_at(0, Bytes::from_static(b"x")).await.expect("another area");
        }
        for _ in 0..2 {
            events.write_at(0, Bytes::from_static(b"x")).await.expect("still let pass");
        }
        assert_eq!(disk.halted(), None);
        assert!(timeout(LONG, events.write_at(0, Bytes::from_static(b"x"))).await.is_err());
        let writes = |area| disk.operations_by_step()[&Step { area, operation: Operation::Write }];
        assert_eq!((writes(Area::Log), writes(Area::Events)), (6, 3));
    });
}

#[test]
fn failures_hit_the_next_operation_of_their_kind_and_area() {
    run(async {
        let disk = MemDisk::new();
        let folder = Path::new("/data/log");
        let (mounted, file) = prepared(&disk, folder).await;
        disk.fail_next(Operation::Sync, Some(Area::Snapshots));
        file.sync_data().await.expect("another area");
        let mut failed = 0;
        for operation in Operation::ALL {
            disk.fail_next(operation, Some(Area::Log));
            let error = all_steps(&mounted, folder, &*file).await.expect_err("one of them fails");
            assert!(error.to_string().contains(&operation.to_string()), "{error}");
            failed += 1;
            for name in ["new", "new.tmp"] {
                let _ = mounted.remove(&folder.join(name)).await;
            }
            all_steps(&mounted, folder, &*file).await.expect("it fails once");
        }
        assert_eq!(failed, Operation::ALL.len());
        disk.fail_reads(Some(3));
        let mut outcomes = Vec::new();
        for _ in 0..6 {
            outcomes.push(file.read_at(0, 1).await.is_ok());
        }
        assert_eq!(outcomes, [true, true, false, true, true, false]);
        disk.fail_reads(None);
        disk.set_full(true);
        assert_eq!(file.read_at(0, 1).await.expect("reads work"), b"o");
        let full = file.write_at(0, Bytes::from_static(b"x")).await.expect_err("there is no space");
        assert_eq!(full.kind(), io::ErrorKind::StorageFull);
        file.truncate(0).await.expect("what frees space works");
        disk.set_full(false);
        file.write_at(0, Bytes::from_static(b"x")).await.expect("there is space again");
    });
}

#[test]
fn latency_is_drawn_from_its_seed() {
    let times = |seed| {
        run(async move {
            let disk = MemDisk::new();
            let (_mounted, file) = prepared(&disk, Path::new("/data/log")).await;
            disk.set_latency(Duration::from_millis(2), Duration::from_millis(50), seed);
            let mut times = Vec::new();
            for _ in 0..50 {
                let start = Instant::now();
                file.size().await.expect("it works");
                times.push(start.elapsed().as_millis());
            }
            disk.set_delay(Duration::ZERO);
            let start = Instant::now();
            file.size().await.expect("it works");
            assert_eq!(start.elapsed(), Duration::ZERO);
            times
        })
    };
    let first = times(1);
    assert_eq!(first, times(1));
    assert_ne!(first, times(2));
    assert!(first.iter().all(|ms| (2..=51).contains(ms)), "{first:?}");
    assert!(first.iter().min() < Some(&12) && first.iter().max() > Some(&40), "{first:?}");
}

#[test]
fn removed_files_cost_nothing_once_they_are_closed() {
    run(async {
        let disk = MemDisk::new();
        let folder = Path::new("/data/snapshots");
        let (mounted, old) = prepared(&disk, folder).await;
        for number in 0..10 {
            let path = folder.join(number.to_string());
            let file = mounted.open(&path, OpenMode::CreateNew).await.expect("it works");
            file.write_at_and_sync(0, vec![1; 1_000].into()).await.expect("it works");
            mounted.sync_dir(folder).await.expect("it works");
            mounted.remove(&path).await.expect("it works");
            mounted.sync_dir(folder).await.expect("it works");
            assert_eq!(file.read_at(0, 2).await.expect("it is open"), [1, 1]);
            assert_eq!(disk.bytes(), 1_003);
        }
        assert_eq!(disk.bytes(), 3);
        mounted.remove(&folder.join("old")).await.expect("it works");
        drop(old);
        assert_eq!(disk.bytes(), 3, "after a crash it may be there");
        mounted.sync_dir(folder).await.expect("it works");
        assert_eq!(disk.bytes(), 0);
    });
}

/// Random work and crashes: what is durable by contract is there after every crash.
#[test]
fn what_was_synced_survives_any_crash() {
    for seed in 0..200 {
        run(async move {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            let disk = MemDisk::new();
            let folders = ["/data/log", "/data/snapshots"].map(PathBuf::from);
            for folder in &folders {
                disk.mount().create_dir_all(folder).await.expect("it works");
            }
            for life in 0..4 {
                let mounted = disk.mount();
                // Paths whose name and content are durable, and were not touched since.
                let mut durable: BTreeMap<PathBuf, Vec<u8>> = BTreeMap::new();
                let mut synced: BTreeMap<PathBuf, Vec<u8>> = BTreeMap::new();
                for step in 0..rng.next_u32() % 60 {
                    let folder = &folders[rng.next_u32() as usize % 2];
                    let path = folder.join((rng.next_u32() % 4).to_string());
                    let other = folder.join((rng.next_u32() % 4).to_string());
                    match rng.next_u32() % 5 {
                        0 => {
                            let content = format!("{life} {step}").into_bytes();
                            let Ok(file) = mounted.open(&path, OpenMode::CreateNew).await else { continue };
                            file.write_at(0, content.clone().into()).await.expect("it works");
                            if rng.next_u32() % 2 == 0 {
                                file.sync_data().await.expect("it works");
                                synced.insert(path, content);
                            } else {
                                synced.remove(&path);
                            }
                        }
                        1 if path != other && mounted.rename(&path, &other).await.is_ok() => {
                            durable.remove(&path);
                            durable.remove(&other);
                            let content = synced.remove(&path);
                            synced.remove(&other);
                            content.map(|content| synced.insert(other, content));
                        }
                        2 => {
                            let _ = mounted.remove(&path).await;
                            durable.remove(&path);
                            synced.remove(&path);
                        }
                        _ => {
                            mounted.sync_dir(folder).await.expect("it works");
                            let here = synced.iter().filter(|(path, _)| path.parent() == Some(folder));
                            durable.extend(here.map(|(path, content)| (path.clone(), content.clone())));
                        }
                    }
                }
                disk.crash(rng.next_u64());
                for (path, content) in durable {
                    let left = disk.durable(&path).expect("its name was synced");
                    assert_eq!(left, content, "seed {seed}: {}", path.display());
                }
            }
        });
    }
}

#[test]
fn what_is_planned_can_be_cancelled() {
    run(async {
        let folder = Path::new("/data/log");
        let disk = MemDisk::new();
        let (mounted, file) = prepared(&disk, folder).await;
        disk.halt_at(point(None, Operation::Sync, Moment::Before, 0));
        disk.fail_next(Operation::Write, None);
        disk.fail_next_read();
        disk.fail_reads(Some(1));
        disk.set_full(true);
        disk.cancel_halt();
        disk.cancel_failures();
        file.read_at(0, 1).await.expect("no read fails any more");
        file.sync_data().await.expect("nothing stands still");
        let full = file.write_at(0, Bytes::from_static(b"new")).await.expect_err("the disk is full still");
        assert_eq!(full.kind(), io::ErrorKind::StorageFull);
        disk.set_full(false);
        // One that stands still already does so until the crash.
        disk.halt_at(point(None, Operation::SyncDir, Moment::Before, 0));
        assert!(timeout(LONG, mounted.sync_dir(folder)).await.is_err());
        disk.cancel_halt();
        assert!(disk.halted().is_some());
    });
}

#[test]
fn a_killed_process_leaves_what_it_wrote_and_the_power_takes_what_was_not_flushed() {
    run(async {
        let folder = Path::new("/data/log");
        let disk = MemDisk::new();
        let (mounted, file) = prepared(&disk, folder).await;
        let lock = mounted.lock(folder).await.expect("it is free");
        file.write_at(0, Bytes::from_static(b"new")).await.expect("it works");
        disk.set_full(true);
        disk.kill();
        assert!(file.read_at(0, 1).await.is_err(), "the dead process does nothing any more");
        let mounted = disk.mount();
        drop(lock);
        mounted.lock(folder).await.expect("it is free again");
        let file = mounted.open(&folder.join("old"), OpenMode::Existing).await.expect("it is there");
        assert_eq!(file.read_at(0, 3).await.expect("it works"), b"new");
        assert!(file.write_at(0, Bytes::from_static(b"x")).await.is_err(), "the disk is full still");
        assert_eq!(disk.durable(&folder.join("old")).expect("it is there"), b"old".as_slice());
    });
}

#[test]
fn what_a_failed_sync_lost_is_durable_only_when_it_is_written_again() {
    run(async {
        let folder = Path::new("/data/log");
        let disk = MemDisk::new();
        let (_mounted, file) = prepared(&disk, folder).await;
        file.write_at(0, Bytes::from_static(b"new")).await.expect("it works");
        disk.fail_next_sync();
        file.sync_data().await.expect_err("it fails");
        file.sync_data().await.expect("it says that all is well");
        assert_eq!(file.read_at(0, 3).await.expect("it works"), b"new", "as it seems");
        assert_eq!(disk.durable(&folder.join("old")).expect("it is there"), b"old".as_slice());
        file.write_at_and_sync(0, Bytes::from_static(b"new")).await.expect("it works");
        assert_eq!(disk.durable(&folder.join("old")).expect("it is there"), b"new".as_slice());
    });
}
