//! Reading: from memory what is recent, from the disk what is not.

use super::Wal;
use super::state::Slot;
use super::writer::check_entry;
use crate::api::GroupId;
use crate::disk::DiskFile;
use crate::seeded::Seeded;
use bytes::Bytes;
use std::io;
use std::ops::Range;
use std::sync::Arc;

/// Bytes read at once when entries lie close to each other.
const READ_BYTES: u64 = 1 << 20;

/// Bytes between two wanted entries that are cheaper to read than to skip.
const GAP_BYTES: u64 = 16 << 10;

enum Source {
    Memory(Bytes),
    Disk(Slot, Arc<dyn DiskFile>),
}

impl Source {
    fn len(&self) -> usize {
        match self {
            Source::Memory(body) => body.len(),
            Source::Disk(slot, _) => slot.len as usize,
        }
    }
}

impl Wal {
    /// A group's entries in a range, as far as they exist, each with its index; as of now, whatever
    /// happens while the disk is read. After the first entry no more than `bytes_max` are returned.
    ///
    /// # Errors
    /// Damage, or the disk's.
    pub async fn read(
        &self,
        group: GroupId,
        range: Range<u64>,
        bytes_max: usize,
    ) -> io::Result<Vec<(u64, Bytes)>> {
        loop {
            let (first, sources) = self.sources(group, range.clone(), bytes_max)?;
            match read_sources(&sources, group, first, self.inner().seeded).await {
                // The segment may have been deleted, because its entries were purged or copied.
                Err(_) if self.moved(group, first, &sources) => {}
                result => return result,
            }
        }
    }

    fn moved(&self, id: GroupId, first: u64, sources: &[Source]) -> bool {
        let state = self.inner().state();
        let group = state.groups.get(&id);
        sources.iter().zip(first..).any(|(source, index)| match source {
            Source::Memory(_) => false,
            Source::Disk(slot, _) => group.and_then(|group| group.slot(index)) != Some(*slot),
        })
    }

    fn sources(&self, id: GroupId, range: Range<u64>, bytes_max: usize) -> io::Result<(u64, Vec<Source>)> {
        let state = self.inner().state();
        let Some(group) = state.groups.get(&id) else { return Ok((range.start, Vec::new())) };
        let first = range.start.max(group.first);
        let mut sources = Vec::new();
        let mut bytes = 0;
        for index in first..range.end.min(group.end()) {
            let source = match (group.cached(index), group.slot(index)) {
                (Some(body), _) => Source::Memory(body),
                (None, Some(slot)) => {
                    let file = state.segments.get(&slot.segment).and_then(|segment| segment.file.clone());
                    let file = file.ok_or_else(|| io::Error::other("an entry's segment is not open"))?;
                    Source::Disk(slot, file)
                }
                (None, None) => break,
            };
            bytes += source.len();
            if bytes > bytes_max && !sources.is_empty() {
                break;
            }
            sources.push(source);
        }
        Ok((first, sources))
    }

    /// A group's vote.
    #[must_use]
    pub fn vote(&self, group: GroupId) -> Option<Bytes> {
        self.inner().state().groups.get(&group)?.vote.clone()
    }

    /// What was last passed to [`Wal::save_committed`], or an older value after a crash.
    #[must_use]
    pub fn committed(&self, group: GroupId) -> Option<Bytes> {
        Some(self.inner().state().groups.get(&group)?.committed.as_ref()?.1.clone())
    }

    /// What was last passed to [`Wal::purge`].
    #[must_use]
    pub fn purged(&self, group: GroupId) -> Option<Bytes> {
        Some(self.inner().state().groups.get(&group)?.purged.as_ref()?.1.clone())
    }

    /// What was last passed to [`Wal::save_standing`] or [`Wal::forget`].
    #[must_use]
    pub fn standing(&self, group: GroupId) -> Option<Bytes> {
        self.inner().state().groups.get(&group)?.standing.clone()
    }

    /// Indices of a group's entries.
    #[must_use]
    pub fn range(&self, group: GroupId) -> Range<u64> {
        let state = self.inner().state();
        state.groups.get(&group).map_or(0..0, |group| group.first..group.end())
    }

    /// Groups that have written anything.
    #[must_use]
    pub fn groups(&self) -> Vec<GroupId> {
        self.inner().state().groups.keys().copied().collect()
    }
}

/// How many sources from the first on can be read as one piece.
fn run_length(sources: &[Source]) -> usize {
    let mut run = 0;
    let mut start = None;
    let mut end = 0;
    for source in sources {
        let Source::Disk(slot, _) = source else { break };
        let (segment, from) = *start.get_or_insert((slot.segment, u64::from(slot.offset)));
        let offset = u64::from(slot.offset);
        let close = run == 0 || (slot.segment == segment && offset >= end && offset - end <= GAP_BYTES);
        end = offset + slot.record_bytes();
        if !close || (run > 0 && end - from > READ_BYTES) {
            break;
        }
        run += 1;
    }
    run
}

async fn read_sources(
    sources: &[Source],
    group: GroupId,
    first: u64,
    seeded: Seeded,
) -> io::Result<Vec<(u64, Bytes)>> {
    let mut entries = Vec::with_capacity(sources.len());
    let mut at = 0;
    while at < sources.len() {
        let index = first + entries.len() as u64;
        match &sources[at] {
            Source::Memory(body) => {
                entries.push((index, body.clone()));
                at += 1;
            }
            Source::Disk(slot, file) => {
                let run = run_length(&sources[at..]);
                read_run(&**file, *slot, &sources[at..at + run], group, (index, seeded), &mut entries)
                    .await?;
                at += run;
            }
        }
    }
    Ok(entries)
}

async fn read_run(
    file: &dyn DiskFile,
    first: Slot,
    run: &[Source],
    group: GroupId,
    (first_index, seeded): (u64, Seeded),
    entries: &mut Vec<(u64, Bytes)>,
) -> io::Result<()> {
    let slots: Vec<Slot> = run
        .iter()
        .filter_map(|source| if let Source::Disk(slot, _) = source { Some(*slot) } else { None })
        .collect();
    let last = slots.last().copied().unwrap_or(first);
    let len = u64::from(last.offset) + last.record_bytes() - u64::from(first.offset);
    let bytes = Bytes::from(file.read_at(u64::from(first.offset), len as usize).await?);
    for (slot, index) in slots.into_iter().zip(first_index..) {
        let start = (slot.offset - first.offset) as usize;
        let end = (start + slot.record_bytes() as usize).min(bytes.len());
        let record = bytes.slice(start.min(end)..end);
        entries.push((index, check_entry(record, group, index, slot, seeded)?));
    }
    Ok(())
}
