//! Opening a store: what the files hold, the torn end cut off.

use super::domain::Mark;
use super::frame::FrameReader;
use super::segment::{Segment, events_path, index_number_of, index_path, number_of};
use super::table::Table;
use super::{EventLimits, EventStore, Shared, writer};
use crate::alarms::Alarms;
use consensus::disk::{Disk, OpenMode, SharedDisk};
use proto::codec;
use routing::{DomainId, Event, LogTime, Sequence};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use tokio::sync::{Notify, watch};

/// Bytes that are written again at a time.
const PART_BYTES: usize = 1 << 20;

/// What the index file of a full segment holds, so that opening need not read the segment. It knows every
/// domain, and that of the last segment that was removed is kept: so a domain all of whose events have gone
/// by retention is known to have had them.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct SegmentIndex {
    /// Bytes of the segment.
    pub(super) len: u64,
    pub(super) domains: Vec<IndexedDomain>,
    /// Log times of the first and the newest event.
    pub(super) times: Option<(LogTime, LogTime)>,
}

/// One domain's events up to the end of a full segment.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct IndexedDomain {
    pub(super) domain: DomainId,
    /// Last sequence in the segment, or before it.
    pub(super) last: u64,
    /// (sequence, offset), the first of the segment first; none when it has no events there.
    pub(super) marks: Vec<(u64, u64)>,
}

impl EventStore {
    /// The store in `folder`, created if need be. Opening goes on beside the caller:
    /// [`EventStore::ready`] waits for it, [`EventStore::opened`] says how it went.
    pub(crate) fn begin(
        disk: SharedDisk,
        folder: PathBuf,
        limits: EventLimits,
        alarms: Alarms,
    ) -> EventStore {
        let shared = Arc::new(Shared {
            disk,
            folder,
            limits,
            alarms,
            table: Mutex::new(Table::opening()),
            work: Notify::new(),
            written: watch::Sender::new(0),
        });
        tokio::spawn(run(shared.clone()));
        EventStore { shared }
    }
}

async fn run(shared: Arc<Shared>) {
    match open(&shared).await {
        Ok((table, lasts)) => {
            shared.lock().opened(table);
            shared.written.send_modify(|_| {});
            writer::run(shared, lasts).await;
        }
        Err(error) => {
            shared.lock().failed = Some(error.to_string());
            shared.written.send_modify(|_| {});
        }
    }
}

async fn open(shared: &Shared) -> io::Result<(Table, Lasts)> {
    let Shared { disk, folder, alarms, .. } = shared;
    disk.create_dir_all(folder).await?;
    let mut table = Table::default();
    let names = disk.list(folder).await?;
    let numbers: Vec<u64> = names.iter().filter_map(|name| number_of(name)).collect();
    if let Some(removed) = numbers.first().and_then(|first| first.checked_sub(1)) {
        if let Some(index) = read_index(&**disk, folder, removed).await {
            index.domains.iter().for_each(|one| table.skip_to(one.domain, Sequence(one.last)));
        }
        for number in names.iter().filter_map(|name| index_number_of(name)).filter(|number| *number < removed)
        {
            // A crash between the two removals left it; it stands in nobody's way.
            let _ = disk.remove(&index_path(folder, number)).await;
        }
    }
    for (place, number) in numbers.iter().enumerate() {
        let newest = place + 1 == numbers.len();
        open_segment(&**disk, folder, *number, newest, &mut table, alarms).await?;
    }
    if table.segments.is_empty() {
        let file = disk.open(&events_path(folder, 1), OpenMode::CreateNew).await?;
        disk.sync_dir(folder).await?;
        table.segments.insert(1, Arc::new(Segment::new(1, file, 0)));
    }
    if let Some((_, newest)) = table.segments.last_key_value() {
        write_again(newest).await?;
    }
    let lasts = Lasts(table.lasts());
    Ok((table, lasts))
}

/// Makes what is in the newest segment durable: from here on it counts as such. A former process may have written it
/// without a sync, or have ended because a sync failed; after that a sync alone says yes and writes nothing.
async fn write_again(segment: &Segment) -> io::Result<()> {
    let mut at = 0;
    while at < segment.len() {
        let part = usize::try_from(segment.len() - at).unwrap_or(usize::MAX).min(PART_BYTES);
        let bytes = segment.file.read_at(at, part).await?;
        segment.file.write_at(at, bytes.into()).await?;
        at += part as u64;
    }
    segment.file.sync_data().await
}

async fn open_segment(
    disk: &dyn Disk,
    folder: &Path,
    number: u64,
    newest: bool,
    table: &mut Table,
    alarms: &Alarms,
) -> io::Result<()> {
    let path = events_path(folder, number);
    let file = disk.open(&path, OpenMode::Existing).await?;
    let len = file.size().await?;
    let segment = Arc::new(Segment::new(number, file, len));
    table.segments.insert(number, segment.clone());
    let index = if newest { None } else { read_index(disk, folder, number).await };
    if let Some(index) = index.filter(|index| index.len == len) {
        if let Some(times) = index.times {
            segment.note(times);
        }
        for IndexedDomain { domain, last, marks } in index.domains {
            let marks: Vec<Mark> = marks
                .into_iter()
                .map(|(sequence, offset)| Mark { sequence, segment: number, offset })
                .collect();
            if let Some(first) = marks.first().map(|mark| mark.sequence) {
                table.found_range(domain, first, last, &marks);
            }
        }
        return Ok(());
    }
    let mut frames = FrameReader::new(&segment, 0);
    loop {
        match frames.next().await {
            Ok(Some((offset, events))) => {
                for event in events {
                    segment.note((event.at, event.at));
                    table.found(event.domain, event.sequence.0, number, offset);
                }
            }
            Ok(None) => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                let good = frames.position();
                if newest {
                    // Nothing after the last flush is promised: replaying the log writes it again.
                    tracing::info!(file = %path.display(), good, len, "torn end of the event store cut off");
                    segment.file.truncate(good).await?;
                } else {
                    alarms.raise(format!(
                        "{}: {error}; events behind it are lost on this node, watch them at another one",
                        path.display()
                    ));
                }
                segment.set_len(good);
                return Ok(());
            }
            Err(error) => return Err(error),
        }
    }
}

async fn read_index(disk: &dyn Disk, folder: &Path, number: u64) -> Option<SegmentIndex> {
    let file = disk.open(&index_path(folder, number), OpenMode::Existing).await.ok()?;
    let bytes = usize::try_from(file.size().await.ok()?).ok()?;
    let record = file.read_at(0, bytes).await.ok()?;
    // A damaged index, or one of another build, is no loss: the segment itself is read instead.
    codec::decode::<SegmentIndex>(&record).ok()
}

/// The last sequence of each domain that is in the files.
#[derive(Default)]
pub(super) struct Lasts(pub(super) BTreeMap<DomainId, u64>);

impl Lasts {
    pub(super) fn note(&mut self, events: &[Arc<Event>]) {
        for event in events {
            self.0.insert(event.domain, event.sequence.0);
        }
    }
}
