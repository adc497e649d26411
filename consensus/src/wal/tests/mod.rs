//! Tests of the log.

mod crash;
mod damage;
mod faults;
mod model;
#[cfg(feature = "seeded-bugs")]
mod seeded;
mod space;

use super::{Done, Wal, WalOptions};
use crate::api::GroupId;
use crate::disk::MemDisk;
use std::future::Future;
use std::path::{Path, PathBuf};
use tokio::sync::oneshot;

const SALT: u64 = 0x5a17;

fn folder() -> PathBuf {
    PathBuf::from("/node/log")
}

/// Small limits, so that little data meets new segments, the disk and copying.
fn small() -> WalOptions {
    WalOptions { segment_bytes: 400, cache_bytes: 60, ..WalOptions::default() }
}

async fn open(disk: &MemDisk, options: WalOptions) -> Wal {
    Wal::open(disk.mount(), &folder(), SALT, options).await.expect("the log opens")
}

/// Runs a test's future where simulation runs the log: on one thread.
fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime").block_on(future)
}

/// A callback, and what tells that it was called.
fn done() -> (Done, oneshot::Receiver<std::io::Result<()>>) {
    let (sender, receiver) = oneshot::channel();
    let done: Done = Box::new(move |result| drop(sender.send(result)));
    (done, receiver)
}

/// Appends one entry and waits until it is durable.
async fn append_one(wal: &Wal, group: u32, index: u64, body: &[u8]) -> std::io::Result<()> {
    let (done, is_done) = done();
    wal.append(GroupId(group), vec![(index, body.to_vec())], done).await?;
    is_done.await.unwrap_or_else(|_| Err(std::io::Error::other("the callback was dropped")))
}

/// A group's whole content.
async fn content(wal: &Wal, group: u32) -> Vec<(u64, Vec<u8>)> {
    let entries = wal.read(GroupId(group), 0..u64::MAX, usize::MAX).await.expect("the log can be read");
    entries.into_iter().map(|(index, body)| (index, body.to_vec())).collect()
}

fn segment_paths(disk: &MemDisk) -> Vec<PathBuf> {
    let mounted = disk.mount();
    run(async move { mounted.list(Path::new(&folder())).await })
        .expect("the folder exists")
        .into_iter()
        .map(|name| folder().join(name))
        .collect()
}
