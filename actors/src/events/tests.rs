//! The store over a disk in memory.

use super::open::SegmentIndex;
use super::segment::index_path;
use super::{EventLimits, EventStore};
use crate::WatchError;
use crate::alarms::Alarms;
use consensus::Clock;
use consensus::disk::{MemDisk, OpenMode};
use proto::codec;
use routing::settings::DomainSettings;
use routing::view::DomainSummary;
use routing::{AccountId, DomainId, Event, EventKind, LogTime, Position, QueueId, Sequence, Span, Version};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

const A: DomainId = DomainId(1);
const B: DomainId = DomainId(2);

struct Still;

impl Clock for Still {
    fn monotonic_us(&self) -> u64 {
        0
    }
    fn wall_ms(&self) -> u64 {
        0
    }
}

fn event(domain: DomainId, sequence: u64) -> Event {
    Event {
        domain,
        sequence: Sequence(sequence),
        position: Position { index: sequence, ordinal: 0 },
        at: LogTime(sequence),
        wall_ms: sequence,
        version: Version(1),
        kind: EventKind::QueueChanged(QueueId::new(domain, sequence)),
    }
}

fn tight() -> EventLimits {
    EventLimits {
        retained_bytes_max: 1 << 20,
        retained_age_max: None,
        segment_bytes: 2_000,
        memory_events_max: 10,
        backlog_events_max: 50,
    }
}

async fn open(disk: &MemDisk, limits: EventLimits) -> EventStore {
    let folder = PathBuf::from("/data/events/shard_1");
    let store = EventStore::begin(disk.mount(), folder, limits, Alarms::new(Arc::new(Still)));
    store.opened().await.unwrap();
    store
}

async fn append(store: &EventStore, events: &[Event]) {
    for part in events.chunks(7) {
        store.ready().await;
        store.append(part);
    }
}

/// Events of two domains, interleaved unevenly.
fn mixed(count: u64) -> Vec<Event> {
    let mut events = Vec::new();
    for sequence in 1..=count {
        events.push(event(A, sequence));
        if sequence % 3 == 0 {
            events.push(event(B, sequence / 3));
        }
    }
    events
}

/// Everything of a domain from a sequence to the present.
async fn read(store: &EventStore, domain: DomainId, from: u64) -> Result<Vec<Event>, WatchError> {
    let mut watch = store.watch(domain, Sequence(from))?;
    let mut events: Vec<Event> = Vec::new();
    while events.last().map_or(from - 1, |last| last.sequence.0) < watch.present().0 {
        events.extend(watch.next().await?.iter().map(|event| Event::clone(event)));
    }
    Ok(events)
}

fn assert_dense(events: &[Event], domain: DomainId, from: u64, to: u64) {
    let expected: Vec<Event> = (from..=to).map(|sequence| event(domain, sequence)).collect();
    assert_eq!(events, expected);
}

#[tokio::test]
async fn every_sequence_can_be_read_from_files_and_memory() {
    let disk = MemDisk::new();
    let store = open(&disk, tight()).await;
    append(&store, &mixed(600)).await;
    store.flush().await.unwrap();
    assert!(store.table().segments.len() > 3, "the test needs several segments");
    for from in [1, 2, 255, 256, 257, 590, 595, 600] {
        assert_dense(&read(&store, A, from).await.unwrap(), A, from, 600);
    }
    assert_dense(&read(&store, B, 1).await.unwrap(), B, 1, 200);
    assert!(store.table().order_len() <= 10, "memory is bounded");
}

#[tokio::test]
async fn a_watch_goes_on_live_and_from_zero_sees_only_what_is_new() {
    let disk = MemDisk::new();
    let store = open(&disk, tight()).await;
    append(&store, &[event(A, 1)]).await;
    let mut new = store.watch(A, Sequence(0)).unwrap();
    let mut all = store.watch(A, Sequence(1)).unwrap();
    assert_eq!(all.next().await.unwrap()[0].sequence, Sequence(1));
    let next = tokio::spawn(async move { (new.next().await, all.next().await) });
    tokio::task::yield_now().await;
    append(&store, &[event(A, 2)]).await;
    let (new, all) = next.await.unwrap();
    assert_eq!(new.unwrap()[0].sequence, Sequence(2));
    assert_eq!(all.unwrap()[0].sequence, Sequence(2));
}

#[tokio::test]
async fn a_restart_goes_on_and_replayed_events_are_stored_once() {
    let disk = MemDisk::new();
    let store = open(&disk, tight()).await;
    append(&store, &mixed(300)).await;
    store.close().await;
    let store = open(&disk, tight()).await;
    // Replay overlaps with what is stored, then goes on.
    append(&store, &mixed(450)[150..]).await;
    assert_dense(&read(&store, A, 1).await.unwrap(), A, 1, 450);
    assert_dense(&read(&store, B, 1).await.unwrap(), B, 1, 150);
}

#[tokio::test]
async fn a_crash_takes_only_what_was_not_flushed_and_replay_brings_it_back() {
    for seed in 0..40 {
        let disk = MemDisk::new();
        let store = open(&disk, tight()).await;
        append(&store, &mixed(100)).await;
        store.flush().await.unwrap();
        append(&store, &mixed(260)[133..]).await;
        disk.crash(seed);
        drop(store);
        let store = open(&disk, tight()).await;
        let kept = read(&store, A, 1).await.unwrap();
        assert!(kept.len() >= 100, "seed {seed}: flushed events are lost, {} left", kept.len());
        assert_dense(&kept, A, 1, kept.len() as u64);
        append(&store, &mixed(260)).await;
        assert_dense(&read(&store, A, 1).await.unwrap(), A, 1, 260);
        assert_dense(&read(&store, B, 1).await.unwrap(), B, 1, 86);
    }
}

#[tokio::test]
async fn what_a_failed_flush_left_behind_is_durable_once_a_later_start_counts_it_so() {
    for seed in 0..20 {
        let disk = MemDisk::new();
        let limits = EventLimits { segment_bytes: 1 << 20, ..tight() };
        let store = open(&disk, limits.clone()).await;
        append(&store, &mixed(50)).await;
        store.flush().await.unwrap();
        append(&store, &mixed(200)[66..]).await;
        disk.fail_next_sync();
        assert!(store.flush().await.is_err(), "the process ends by it, and its machine goes on");
        drop(store);
        let store = open(&disk, limits.clone()).await;
        assert_dense(&read(&store, A, 1).await.unwrap(), A, 1, 200);
        store.flush().await.unwrap();
        disk.crash(seed);
        drop(store);
        let store = open(&disk, limits).await;
        assert_dense(&read(&store, A, 1).await.unwrap(), A, 1, 200);
        store.close().await;
    }
}

#[tokio::test]
async fn old_segments_go_and_a_late_reader_is_told() {
    let disk = MemDisk::new();
    let limits = EventLimits { retained_bytes_max: 8_000, ..tight() };
    let store = open(&disk, limits.clone()).await;
    append(&store, &[event(B, 1)]).await;
    append(&store, &mixed(2_000).into_iter().filter(|event| event.domain == A).collect::<Vec<_>>()).await;
    store.flush().await.unwrap();
    let Err(WatchError::Compacted { oldest }) = read(&store, A, 1).await else { panic!("nothing went") };
    assert!(oldest.0 > 1_000, "{oldest:?}");
    assert_dense(&read(&store, A, oldest.0).await.unwrap(), A, oldest.0, 2_000);
    assert_eq!(read(&store, B, 1).await, Err(WatchError::Compacted { oldest: Sequence(2) }));
    store.close().await;
    let store = open(&disk, limits).await;
    assert_dense(&read(&store, A, oldest.0).await.unwrap(), A, oldest.0, 2_000);
    assert_eq!(read(&store, A, 1).await, Err(WatchError::Compacted { oldest }));
}

/// Events of a domain, each `step` of log time after the one before.
fn spread(domain: DomainId, sequences: std::ops::RangeInclusive<u64>, step: u64) -> Vec<Event> {
    sequences.map(|sequence| Event { at: LogTime(sequence * step), ..event(domain, sequence) }).collect()
}

/// Large segments, so that nothing goes by its size; 800 µs of log time.
fn aging() -> EventLimits {
    EventLimits { retained_age_max: Some(Span(800)), segment_bytes: 1 << 20, ..tight() }
}

/// Which sequences a domain can be read from, to the present.
async fn oldest(store: &EventStore, domain: DomainId) -> u64 {
    match read(store, domain, 1).await {
        Err(WatchError::Compacted { oldest }) => oldest.0,
        Ok(_) => 1,
        Err(other) => panic!("{other}"),
    }
}

#[tokio::test]
async fn what_is_too_old_goes_and_what_is_young_stays() {
    let disk = MemDisk::new();
    let store = open(&disk, aging()).await;
    for event in spread(A, 1..=500, 10) {
        store.append(&[event]);
        store.flush().await.unwrap();
    }
    // The last 80 are not older than the limit; a part of a segment more may be kept.
    let kept = oldest(&store, A).await;
    assert!((400..=420).contains(&kept), "from {kept}");
    let events = read(&store, A, kept).await.unwrap();
    assert_eq!(events, spread(A, kept..=500, 10));
    store.close().await;
    let store = open(&disk, aging()).await;
    assert_eq!(oldest(&store, A).await, kept, "the same after a restart");
    // How old the segments are is known after it too: one event much later takes all of them.
    append(&store, &spread(A, 501..=501, 100)).await;
    store.flush().await.unwrap();
    assert_eq!(oldest(&store, A).await, 501);
    assert_eq!(store.table().segments.len(), 1);
}

#[tokio::test]
async fn without_a_limit_of_age_nothing_goes_by_it() {
    let disk = MemDisk::new();
    let store = open(&disk, EventLimits { retained_age_max: None, ..aging() }).await;
    for event in spread(A, 1..=20, 1_000_000) {
        store.append(&[event]);
        store.flush().await.unwrap();
    }
    assert_eq!((oldest(&store, A).await, store.table().segments.len()), (1, 1));
    store.close().await;
    // With one, they are in one segment, the newest: it stays, and goes with the next event.
    let store = open(&disk, aging()).await;
    assert_eq!(oldest(&store, A).await, 1);
    append(&store, &spread(A, 21..=21, 1_000_000)).await;
    store.flush().await.unwrap();
    assert_eq!(oldest(&store, A).await, 21);
}

#[tokio::test]
async fn a_segment_that_is_seldom_written_to_ends_by_time() {
    let disk = MemDisk::new();
    let store = open(&disk, aging()).await;
    // An event every 150 µs: each is in a segment of its own, far below its size.
    for event in spread(A, 1..=12, 150) {
        store.append(&[event]);
        store.flush().await.unwrap();
    }
    let kept = oldest(&store, A).await;
    assert_eq!(kept, 7, "the newest is of 1,800 µs, the oldest within 800 of 1,050");
    assert_eq!(store.table().segments.len(), 6);
}

#[tokio::test]
async fn a_domain_whose_events_are_all_gone_is_not_taken_for_one_that_lacks_them() {
    // The last event of A is so late that the newest segment is all that is left, or is not.
    for (seed, last) in (0..10).flat_map(|seed| [(seed, 4_100), (seed, 1_000_000)]) {
        let disk = MemDisk::new();
        let store = open(&disk, EventLimits { memory_events_max: 1, ..aging() }).await;
        append(&store, &spread(B, 1..=3, 10)).await;
        store.flush().await.unwrap();
        let late = Event { at: LogTime(last), ..event(A, 41) };
        for event in spread(A, 1..=40, 100).into_iter().chain([late]) {
            store.append(&[event]);
            store.flush().await.unwrap();
        }
        assert_eq!(store.table().segments.len() == 1, last == 1_000_000);
        assert_eq!(read(&store, B, 1).await, Err(WatchError::Compacted { oldest: Sequence(4) }));
        disk.crash(seed);
        drop(store);
        let folder = PathBuf::from("/data/events/shard_1");
        let store = EventStore::begin(disk.mount(), folder, aging(), Alarms::new(Arc::new(Still)));
        // What the state at the start has.
        store.restored(&[summary(A, 41), summary(B, 3)]);
        store.opened().await.unwrap();
        assert_eq!(store.lacking(), []);
        assert_eq!(read(&store, B, 1).await, Err(WatchError::Compacted { oldest: Sequence(4) }));
        append(&store, &spread(B, 4..=4, 1_000)).await;
        assert_eq!(read(&store, B, 4).await.unwrap(), spread(B, 4..=4, 1_000));
    }
}

#[tokio::test]
async fn an_index_of_a_build_that_knew_no_times_is_read_from_the_segment() {
    let disk = MemDisk::new();
    let limits = EventLimits { retained_age_max: None, ..tight() };
    let store = open(&disk, limits.clone()).await;
    append(&store, &mixed(200)).await;
    store.close().await;
    let folder = PathBuf::from("/data/events/shard_1");
    let path = index_path(&folder, 1);
    let mounted = disk.mount();
    let file = mounted.open(&path, OpenMode::Existing).await.unwrap();
    let len = usize::try_from(file.size().await.unwrap()).unwrap();
    let record = file.read_at(0, len).await.unwrap();
    let SegmentIndex { len, domains, times } = codec::decode(&record).unwrap();
    assert!(times.is_some());
    mounted.remove(&path).await.unwrap();
    let file = mounted.open(&path, OpenMode::CreateNew).await.unwrap();
    file.write_at_and_sync(0, codec::encode(&(len, domains)).into()).await.unwrap();
    let store = open(&disk, limits).await;
    assert_dense(&read(&store, A, 1).await.unwrap(), A, 1, 200);
    assert_eq!(store.table().segments[&1].times(), times);
}

#[tokio::test]
async fn a_snapshot_from_elsewhere_leaves_a_gap_that_watchers_are_told_of() {
    let disk = MemDisk::new();
    let store = open(&disk, tight()).await;
    append(&store, &[event(A, 1), event(A, 2)]).await;
    let mut waiting = store.watch(A, Sequence(3)).unwrap();
    let waiting = tokio::spawn(async move { waiting.next().await });
    tokio::task::yield_now().await;
    store.restored(&[summary(A, 50)]);
    assert_eq!(waiting.await.unwrap(), Err(WatchError::Compacted { oldest: Sequence(51) }));
    append(&store, &[event(A, 50), event(A, 51)]).await;
    assert_dense(&read(&store, A, 51).await.unwrap(), A, 51, 51);
    assert_eq!(read(&store, A, 2).await, Err(WatchError::Compacted { oldest: Sequence(51) }));
    store.close().await;
    let store = open(&disk, tight()).await;
    assert_eq!(read(&store, A, 2).await, Err(WatchError::Compacted { oldest: Sequence(51) }));
    assert_dense(&read(&store, A, 51).await.unwrap(), A, 51, 51);
}

#[tokio::test]
async fn watchers_end_when_the_store_closes() {
    let disk = MemDisk::new();
    let store = open(&disk, tight()).await;
    let mut watch = store.watch(A, Sequence(1)).unwrap();
    let end = tokio::spawn(async move { watch.next().await });
    tokio::task::yield_now().await;
    store.close().await;
    let end = tokio::time::timeout(Duration::from_secs(60), end).await.unwrap();
    assert_eq!(end.unwrap(), Err(WatchError::Stopping));
}

fn summary(id: DomainId, sequence: u64) -> DomainSummary {
    DomainSummary {
        id,
        account: AccountId(1),
        version: Version(1),
        settings: DomainSettings::default(),
        sequence: Sequence(sequence),
        quarantined: None,
        pending: false,
        channel_rules: Vec::new(),
        pace: None,
        handling: routing::handling::Handling::default(),
        schedules: std::sync::Arc::default(),
        callback: None,
    }
}
