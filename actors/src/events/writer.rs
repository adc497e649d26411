//! The task that writes a store's files.

use super::Shared;
use super::frame;
use super::open::{IndexedDomain, Lasts, SegmentIndex};
use super::segment::{Segment, events_path, index_path};
use consensus::disk::OpenMode;
use proto::codec;
use routing::{DomainId, Event};
use std::io;
use std::sync::{Arc, MutexGuard, PoisonError};

/// Events in one frame at most.
const FRAME_EVENTS_MAX: usize = 1_024;

impl Shared {
    pub(super) fn lock(&self) -> MutexGuard<'_, super::table::Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

enum Work {
    Write(Vec<Arc<Event>>),
    Sync { upto: u64 },
    Nothing,
    End,
}

fn next_work(shared: &Shared) -> Work {
    let mut table = shared.lock();
    if table.backlog() > 0 {
        return Work::Write(table.take_pending(FRAME_EVENTS_MAX));
    }
    if table.flush_to > table.durable {
        return Work::Sync { upto: table.written };
    }
    if table.closed { Work::End } else { Work::Nothing }
}

pub(super) async fn run(shared: Arc<Shared>, mut lasts: Lasts) {
    // The limits may be others than when the files were written.
    let mut result = retire(&shared).await;
    loop {
        if let Err(error) = result {
            let text = format!(
                "the event store {} cannot be written: {error}; this node must stop: \
                 check the disk and start it again",
                shared.folder.display()
            );
            shared.lock().failed = Some(text.clone());
            shared.alarms.raise(text);
            shared.written.send_modify(|_| {});
            return;
        }
        let written = shared.lock().written;
        shared.written.send_replace(written);
        result = match next_work(&shared) {
            Work::Write(events) => write(&shared, &events, &mut lasts).await,
            Work::Sync { upto } => sync(&shared, upto).await,
            Work::Nothing => {
                shared.work.notified().await;
                Ok(())
            }
            Work::End => return,
        };
    }
}

fn newest(shared: &Shared) -> io::Result<Arc<Segment>> {
    let table = shared.lock();
    let segment = table.segments.last_key_value().map(|(_, segment)| segment.clone());
    segment.ok_or_else(|| io::Error::other("the store has no segment"))
}

async fn write(shared: &Shared, events: &[Arc<Event>], lasts: &mut Lasts) -> io::Result<()> {
    let mut segment = newest(shared)?;
    let newest = events.iter().map(|event| event.at).max();
    let times = events.first().map(|first| first.at).zip(newest);
    let old = |(at, _)| shared.limits.segment_span().is_some_and(|span| segment.began_before(at, span));
    if segment.len() >= shared.limits.segment_bytes || times.is_some_and(old) {
        segment = roll(shared, &segment, lasts).await?;
    }
    let frame = frame::encode(events);
    let (offset, len) = (segment.len(), frame.len() as u64);
    segment.file.write_at(offset, frame.into()).await?;
    segment.set_len(offset + len);
    if let Some(times) = times {
        segment.note(times);
    }
    lasts.note(events);
    shared.lock().wrote(events, segment.number, offset, shared.limits.memory_events_max);
    retire(shared).await
}

async fn sync(shared: &Shared, upto: u64) -> io::Result<()> {
    newest(shared)?.file.sync_data().await?;
    let mut table = shared.lock();
    table.durable = table.durable.max(upto);
    if table.backlog() == 0 {
        table.flush_to = table.flush_to.min(table.durable);
    }
    Ok(())
}

/// Ends a segment, durably with its index, and begins the next.
async fn roll(shared: &Shared, full: &Segment, Lasts(lasts): &Lasts) -> io::Result<Arc<Segment>> {
    full.file.sync_data().await?;
    let domains = {
        let table = shared.lock();
        let indexed = |(domain, last): (&DomainId, &u64)| {
            let marks = table.marks_in(full.number, *domain);
            IndexedDomain { domain: *domain, last: *last, marks }
        };
        lasts.iter().map(indexed).collect()
    };
    let record = codec::encode(&SegmentIndex { len: full.len(), domains, times: full.times() });
    let path = index_path(&shared.folder, full.number);
    // One may be left over from a crash between the two files of a former try.
    let _ = shared.disk.remove(&path).await;
    let file = shared.disk.open(&path, OpenMode::CreateNew).await?;
    file.write_at_and_sync(0, record.into()).await?;
    let number = full.number + 1;
    let file = shared.disk.open(&events_path(&shared.folder, number), OpenMode::CreateNew).await?;
    shared.disk.sync_dir(&shared.folder).await?;
    let segment = Arc::new(Segment::new(number, file, 0));
    shared.lock().segments.insert(number, segment.clone());
    Ok(segment)
}

/// Removes what is beyond the retention.
async fn retire(shared: &Shared) -> io::Result<()> {
    loop {
        let dropped = shared.lock().drop_oldest(&shared.limits);
        let Some(dropped) = dropped else { return Ok(()) };
        shared.disk.remove(&events_path(&shared.folder, dropped.number)).await?;
        // Its own index stays and says how far each domain was; a damaged segment that was read whole has none.
        let _ = shared.disk.remove(&index_path(&shared.folder, dropped.number - 1)).await;
    }
}
