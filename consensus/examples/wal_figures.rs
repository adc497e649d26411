//! Prints what the shared log does on this machine's disk: appends per second and their latency
//! with many groups that each have one append under way, reads, and the time to reopen.
//!
//! `cargo run --release -p centralita-consensus --example wal_figures -- [FOLDER] [SECONDS]`

use consensus::GroupId;
use consensus::disk::{RealDisk, SharedDisk};
use consensus::wal::{Wal, WalOptions};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

const BODY_BYTES: usize = 128;
const SALT: u64 = 1;

#[allow(clippy::disallowed_methods, reason = "this measures real time")]
fn now() -> Instant {
    Instant::now()
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let parent = arguments.next().map_or_else(std::env::temp_dir, PathBuf::from);
    let seconds: u64 = arguments.next().map_or(Ok(3), |text| text.parse())?;
    println!("entries of {BODY_BYTES} bytes, in {}", parent.display());
    let one = || tokio::runtime::Builder::new_current_thread().enable_all().build();
    let many = || tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    for groups in [1, 8, 64, 512] {
        let folder = tempfile::tempdir_in(&parent)?;
        let figures = one()?.block_on(appends(folder.path(), groups, Duration::from_secs(seconds)))?;
        println!("{groups:>4} groups, one thread:  {figures}");
        let folder = tempfile::tempdir_in(&parent)?;
        let figures = many()?.block_on(appends(folder.path(), groups, Duration::from_secs(seconds)))?;
        println!("{groups:>4} groups, two threads: {figures}");
    }
    let folder = tempfile::tempdir_in(&parent)?;
    one()?.block_on(reopen(folder.path()))
}

async fn open(folder: &Path) -> Result<Wal, Box<dyn std::error::Error>> {
    let disk: SharedDisk = Arc::new(RealDisk::new()?);
    Ok(Wal::open(disk, &folder.join("log"), SALT, WalOptions::default()).await?)
}

async fn appends(folder: &Path, groups: u32, time: Duration) -> Result<String, Box<dyn std::error::Error>> {
    let wal = open(folder).await?;
    let start = now();
    let tasks = (0..groups).map(|group| {
        let wal = wal.clone();
        tokio::spawn(async move {
            let mut latencies = Vec::new();
            while start.elapsed() < time {
                let before = now();
                let (sender, durable) = oneshot::channel();
                let index = latencies.len() as u64;
                let done = Box::new(move |result| drop(sender.send(result)));
                wal.append(GroupId(group), vec![(index, vec![7; BODY_BYTES])], done).await?;
                durable.await.map_err(std::io::Error::other)??;
                latencies.push(before.elapsed());
            }
            Ok::<_, std::io::Error>(latencies)
        })
    });
    let mut latencies = Vec::new();
    for task in tasks.collect::<Vec<_>>() {
        latencies.extend(task.await??);
    }
    let elapsed = start.elapsed();
    let frames = wal.figures().frames;
    wal.close().await?;
    latencies.sort_unstable();
    let at = |share: f64| latencies[((latencies.len() - 1) as f64 * share) as usize];
    Ok(format!(
        "{:>8.0} appends/s, p50 {:?}, p99 {:?}, {:.1} per sync",
        latencies.len() as f64 / elapsed.as_secs_f64(),
        at(0.5),
        at(0.99),
        latencies.len() as f64 / frames as f64
    ))
}

async fn reopen(folder: &Path) -> Result<(), Box<dyn std::error::Error>> {
    const ENTRIES: u64 = 1_000_000;
    const PER_APPEND: u64 = 1000;
    let wal = open(folder).await?;
    for first in (0..ENTRIES / 64).step_by(PER_APPEND as usize) {
        for group in 0..64 {
            let entries =
                (first..(first + PER_APPEND).min(ENTRIES / 64)).map(|index| (index, vec![7; BODY_BYTES]));
            wal.append(GroupId(group), entries.collect(), Box::new(|_| ())).await?;
        }
    }
    wal.close().await?;
    let start = now();
    let wal = open(folder).await?;
    println!("reopening 1 M entries of 64 groups: {:?}", start.elapsed());
    let start = now();
    let read = wal.read(GroupId(5), 0..u64::MAX, usize::MAX).await?;
    println!("reading {} entries of one group from the disk: {:?}", read.len(), start.elapsed());
    Ok(())
}
