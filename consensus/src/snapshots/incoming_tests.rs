//! Tests of snapshots that come in parts.

use super::{Came, Incoming, Part, SnapshotStore, Whole};
use crate::api::GroupId;
use crate::disk::{MemDisk, Operation};
use bytes::Bytes;
use std::future::Future;
use std::io;
use std::path::Path;

const FOLDER: &str = "/node/snapshots";
const GROUP: GroupId = GroupId(4);
const PART: usize = 10;

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().expect("a runtime").block_on(future)
}

fn data(seed: u8, len: usize) -> Bytes {
    (0..len).map(|at| (at as u8).wrapping_mul(31) ^ seed).collect::<Vec<u8>>().into()
}

/// A snapshot at an index, with its bytes.
type Sent = (Whole<u64>, Bytes);

async fn sent(index: u64, data: Bytes) -> Sent {
    (Whole::of(index, &data).await, data)
}

async fn incoming(disk: &MemDisk) -> Incoming<u64> {
    disk.mount().create_dir_all(Path::new(FOLDER)).await.expect("a folder");
    Incoming::new(disk.mount(), Path::new(FOLDER), GROUP, 1_000)
}

/// What a sender does, in one line each.
#[derive(Clone)]
enum Step {
    /// Offers the snapshot of this number; the receiver has so much.
    Offer(usize, u64),
    /// Sends the part of it at this offset; the receiver has so much then.
    Part(usize, u64, u64),
    /// The same, damaged on its way.
    Damaged(usize, u64, u64),
    /// The part is of another snapshot than the one that was offered.
    Refused(usize, u64),
    /// The last part: it is whole.
    Last(usize, u64),
}

#[test]
fn what_comes_is_kept_and_only_what_comes_next_is_taken() {
    use Step::{Damaged, Last, Offer, Part, Refused};
    // 0: 35 bytes; 1: as long and newer; 2: the same place, shorter; 3: the same place and length, other bytes.
    let table: &[(&str, &[Step])] = &[
        ("in one go", &[Offer(0, 0), Part(0, 0, 10), Part(0, 10, 20), Part(0, 20, 30), Last(0, 30)]),
        (
            "goes on where it broke off",
            &[
                Offer(0, 0),
                Part(0, 0, 10),
                Part(0, 10, 20),
                Offer(0, 20),
                Part(0, 20, 30),
                Offer(0, 30),
                Last(0, 30),
            ],
        ),
        (
            "a part that comes again changes nothing",
            &[
                Offer(0, 0),
                Part(0, 0, 10),
                Part(0, 0, 10),
                Part(0, 10, 20),
                Part(0, 0, 20),
                Part(0, 20, 30),
                Last(0, 30),
            ],
        ),
        (
            "a part behind a gap is not taken, nor one that overlaps",
            &[Offer(0, 0), Part(0, 10, 0), Part(0, 0, 10), Part(0, 5, 10), Part(0, 25, 10), Part(0, 10, 20)],
        ),
        (
            "a damaged part is not taken",
            &[Offer(0, 0), Damaged(0, 0, 0), Part(0, 0, 10), Damaged(0, 10, 10), Part(0, 10, 20)],
        ),
        (
            "another snapshot begins anew, and parts of the former one are refused",
            &[Offer(0, 0), Part(0, 0, 10), Offer(1, 0), Refused(0, 10), Part(1, 0, 10), Offer(0, 0)],
        ),
        (
            "a shorter one is another one",
            &[Offer(0, 0), Part(0, 0, 10), Offer(2, 0), Part(2, 0, 10), Refused(0, 10)],
        ),
        (
            "other bytes of the same place are another one",
            &[Offer(0, 0), Part(0, 0, 10), Offer(3, 0), Refused(0, 10)],
        ),
        ("without an offer nothing is taken", &[Refused(0, 0)]),
        ("after the whole too", &[Offer(2, 0), Part(2, 0, 10), Last(2, 10), Refused(2, 0), Offer(2, 0)]),
        ("an empty one is whole at once", &[Offer(4, 0), Last(4, 0)]),
    ];
    for (name, steps) in table {
        run(async {
            let snapshots = [
                sent(1, data(1, 35)).await,
                sent(2, data(2, 35)).await,
                sent(1, data(1, 15)).await,
                sent(1, data(3, 35)).await,
                sent(1, Bytes::new()).await,
            ];
            let disk = MemDisk::new();
            let mut incoming = incoming(&disk).await;
            for (at, step) in steps.iter().enumerate() {
                let of = |number: &usize, offset: &u64| {
                    let (whole, data) = &snapshots[*number];
                    super::Part::of(whole, data, *offset, PART)
                };
                let (part, expected) = match step {
                    Offer(number, has) => {
                        let offered = incoming.offer(snapshots[*number].0.clone()).await;
                        assert_eq!(offered.expect("the disk is well"), *has, "{name}, step {at}");
                        continue;
                    }
                    Part(number, offset, has) => (of(number, offset), Came::Upto(*has)),
                    Damaged(number, offset, has) => {
                        let part = of(number, offset);
                        let mut bytes = part.data.to_vec();
                        bytes[3] ^= 1;
                        (super::Part { data: bytes.into(), ..part }, Came::Upto(*has))
                    }
                    Refused(number, offset) => (of(number, offset), Came::Other),
                    Last(number, offset) => {
                        let (whole, data) = snapshots[*number].clone();
                        (of(number, offset), Came::Whole(whole.meta, data))
                    }
                };
                assert_eq!(
                    incoming.part(part).await.expect("the disk is well"),
                    expected,
                    "{name}, step {at}"
                );
            }
        });
    }
}

#[test]
fn a_part_that_reaches_beyond_the_whole_is_not_taken() {
    run(async {
        let (whole, all) = sent(1, data(1, 15)).await;
        let mut incoming = incoming(&MemDisk::new()).await;
        incoming.offer(whole.clone()).await.expect("it is taken");
        let longer = data(1, 40);
        let part =
            Part { checksum: crc32fast::hash(&longer), data: longer, ..Part::of(&whole, &all, 0, PART) };
        assert_eq!(incoming.part(part).await.expect("the disk is well"), Came::Upto(0));
    });
}

/// Every part is sound by itself, and the whole is not what was offered.
#[test]
fn a_whole_that_is_not_what_was_offered_goes_and_is_received_anew() {
    run(async {
        let (whole, all) = sent(1, data(1, 20)).await;
        let mut incoming = incoming(&MemDisk::new()).await;
        incoming.offer(whole.clone()).await.expect("it is taken");
        let other = Part::of(&whole, &data(9, 20), 0, PART);
        assert_eq!(incoming.part(other).await.expect("sound"), Came::Upto(10));
        assert_eq!(incoming.part(Part::of(&whole, &all, 10, PART)).await.expect("sound"), Came::Other);
        assert!(!incoming.is_begun());
        assert_eq!(incoming.offer(whole.clone()).await.expect("it is taken"), 0);
        incoming.part(Part::of(&whole, &all, 0, PART)).await.expect("sound");
        let last = incoming.part(Part::of(&whole, &all, 10, PART)).await.expect("sound");
        assert_eq!(last, Came::Whole(1, all));
    });
}

#[test]
fn one_that_is_too_large_is_refused_and_what_is_there_stays() {
    run(async {
        let (whole, all) = sent(1, data(1, 35)).await;
        let mut incoming = incoming(&MemDisk::new()).await;
        incoming.offer(whole.clone()).await.expect("it is taken");
        incoming.part(Part::of(&whole, &all, 0, PART)).await.expect("sound");
        let large = Whole { bytes: 1_001, ..whole.clone() };
        let refused = incoming.offer(large).await.expect_err("it is too large");
        assert_eq!(refused.kind(), io::ErrorKind::FileTooLarge);
        assert_eq!(incoming.offer(whole).await.expect("it is there"), 10);
    });
}

#[test]
fn a_disk_that_fails_costs_what_has_come_and_no_more() {
    run(async {
        let (whole, all) = sent(1, data(1, 35)).await;
        let disk = MemDisk::new();
        let mut incoming = incoming(&disk).await;
        incoming.offer(whole.clone()).await.expect("it is taken");
        incoming.part(Part::of(&whole, &all, 0, PART)).await.expect("sound");
        disk.fail_next(Operation::Write, None);
        incoming.part(Part::of(&whole, &all, 10, PART)).await.expect_err("it is not written");
        assert!(!incoming.is_begun());
        assert_eq!(incoming.offer(whole.clone()).await.expect("it is taken"), 0);
        for offset in [0, 10, 20] {
            incoming.part(Part::of(&whole, &all, offset, PART)).await.expect("sound");
        }
        let last = incoming.part(Part::of(&whole, &all, 30, PART)).await.expect("sound");
        assert_eq!(last, Came::Whole(1, all));
    });
}

#[test]
fn what_a_process_left_goes_at_the_next_start_and_when_the_group_closes() {
    run(async {
        let (whole, all) = sent(1, data(1, 35)).await;
        let disk = MemDisk::new();
        let mut before = incoming(&disk).await;
        before.offer(whole.clone()).await.expect("it is taken");
        before.part(Part::of(&whole, &all, 0, PART)).await.expect("sound");
        let files = || async { disk.mount().list(Path::new(FOLDER)).await.expect("a folder") };
        assert_eq!(files().await, ["group_4.incoming"]);
        let other = SnapshotStore::<u64>::open(disk.mount(), Path::new(FOLDER), GroupId(5)).await;
        other.map(drop).expect("it opens");
        assert_eq!(files().await, ["group_4.incoming"], "another group's");
        let store =
            SnapshotStore::<u64>::open(disk.mount(), Path::new(FOLDER), GROUP).await.expect("it opens");
        assert_eq!(files().await, [""; 0]);
        assert_eq!(store.load().await.expect("no snapshot is no error"), None);
        // The one of before may still be at work.
        assert_eq!(before.part(Part::of(&whole, &all, 10, PART)).await.expect("sound"), Came::Upto(20));
        before.clear().await.expect("it is gone already");
    });
}

/// A group that closes: its store is opened to clear it, and its receiver lets go what came, at the same time.
#[test]
fn a_store_opens_while_what_was_coming_is_let_go() {
    run(async {
        for turns in 0..8 {
            let disk = MemDisk::new();
            let mut incoming = incoming(&disk).await;
            incoming.offer(sent(1, data(1, 35)).await.0).await.expect("it is taken");
            let lets_go = async {
                for _ in 0..turns {
                    tokio::task::yield_now().await;
                }
                incoming.clear().await
            };
            let opens = SnapshotStore::<u64>::open(disk.mount(), Path::new(FOLDER), GROUP);
            let (opened, gone) = tokio::join!(opens, lets_go);
            opened.map(drop).unwrap_or_else(|error| panic!("after {turns} turns: {error}"));
            gone.unwrap_or_else(|error| panic!("after {turns} turns: {error}"));
        }
    });
}
