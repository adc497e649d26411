//! The task that owns the disk: it writes what was collected, with one write and one sync.

use super::Inner;
use super::format::{Kind, RECORD_HEADER_BYTES, decode_record, segment_name};
use super::state::{Slot, State};
use crate::api::GroupId;
use crate::disk::{DiskFile, OpenMode};
use crate::seeded::{Seeded, SeededBug};
use bytes::Bytes;
use std::io;
use std::sync::Arc;

/// Entries copied out of an old segment at a time, in bytes; a bound on what a commit waits for.
const COPY_BYTES: u64 = 1 << 20;

/// An entry that was copied, and from where.
struct Moved {
    group: GroupId,
    index: u64,
    from: Slot,
    to: Slot,
}

/// Writes until the log is closed, or something goes wrong.
pub(super) async fn run(inner: Arc<Inner>) {
    let mut moved = Vec::new();
    loop {
        let batch = {
            let mut state = inner.state();
            let last_words = state.closing && !state.committed_unwritten.is_empty();
            if state.has_pending() || last_words {
                Some(state.take_batch())
            } else if state.closing {
                break;
            } else {
                None
            }
        };
        let Some(mut batch) = batch else {
            inner.work.notified().await;
            continue;
        };
        inner.space.notify_waiters();
        if inner.seeded.has(SeededBug::FlushAnsweredEarly) {
            std::mem::take(&mut batch.callbacks).into_iter().for_each(|done| done(Ok(())));
        }
        if let Err(error) = write(&inner, batch.segment, batch.offset, batch.data).await {
            let message = inner.fail(&error);
            for done in batch.callbacks {
                done(Err(io::Error::other(message.to_string())));
            }
            return;
        }
        {
            let mut state = inner.state();
            state.durable_frame = batch.number;
            state.evict(inner.options.cache_bytes);
            for entry in std::mem::take(&mut moved) {
                apply_move(&mut state, entry);
            }
        }
        for done in batch.callbacks {
            done(Ok(()));
        }
        // Whoever was told may append again at once: their appends then share the next sync,
        // instead of the first of them taking it alone.
        tokio::task::yield_now().await;
        delete_dead(&inner, batch.dead_segments).await;
        match copy_forward(&inner).await {
            Ok(copied) => moved = copied,
            Err(error) => {
                inner.fail(&error);
                return;
            }
        }
    }
    inner.stopped.send_replace(true);
}

async fn write(inner: &Inner, segment: u32, offset: u64, data: Bytes) -> io::Result<()> {
    let file = segment_file(inner, segment).await?;
    if inner.options.skip_sync {
        file.write_at(offset, data).await?;
    } else if inner.seeded.has(SeededBug::FailedSyncRetried) {
        file.write_at(offset, data).await?;
        if file.sync_data().await.is_err() {
            file.sync_data().await?;
        }
    } else {
        file.write_at_and_sync(offset, data).await?;
    }
    if offset == 0 {
        inner.disk.sync_dir(&inner.folder).await?;
    }
    Ok(())
}

async fn segment_file(inner: &Inner, number: u32) -> io::Result<Arc<dyn DiskFile>> {
    if let Some(file) = inner.state().segments.get(&number).and_then(|segment| segment.file.clone()) {
        return Ok(file);
    }
    let path = inner.folder.join(segment_name(number));
    let file = inner.disk.open(&path, OpenMode::CreateNew).await?;
    if let Some(segment) = inner.state().segments.get_mut(&number) {
        segment.file = Some(file.clone());
    }
    Ok(file)
}

/// Deletes segments, oldest first and durably one by one, so that a crash leaves no gap. What
/// cannot be deleted now is tried again after a later write.
async fn delete_dead(inner: &Inner, dead: Vec<u32>) {
    for number in dead {
        let path = inner.folder.join(segment_name(number));
        let removed = inner.disk.remove(&path).await;
        let gone = matches!(&removed, Err(error) if error.kind() == io::ErrorKind::NotFound);
        let result = if gone { Ok(()) } else { removed };
        if let Err(error) = match result {
            Ok(()) => inner.disk.sync_dir(&inner.folder).await,
            Err(error) => Err(error),
        } {
            tracing::warn!(file = %path.display(), %error, "an old segment of the log cannot be deleted yet");
            return;
        }
        inner.state().segments.remove(&number);
    }
}

fn apply_move(state: &mut State, entry: Moved) {
    let group = state.group(entry.group);
    // Truncated or purged since, and perhaps appended anew.
    if group.slot(entry.index) != Some(entry.from) {
        return;
    }
    let at = (entry.index - group.first) as usize;
    group.slots[at] = entry.to;
    state.drop_live(entry.from);
    state.add_live(entry.to);
}

/// When more than half of the log is waste that one old entry may pin, appends what still counts
/// in the oldest segment to the newest, a part at a time.
async fn copy_forward(inner: &Inner) -> io::Result<Vec<Moved>> {
    let (file, entries) = {
        let mut state = inner.state();
        let total: u64 = state.segments.values().map(|segment| segment.bytes).sum();
        let live: u64 = state.segments.values().map(|segment| segment.live_bytes).sum();
        let oldest = state.segments.first_key_value().filter(|(_, segment)| segment.live_entries > 0);
        let Some((number, file)) = oldest.map(|(number, segment)| (*number, segment.file.clone())) else {
            return Ok(Vec::new());
        };
        if total < 2 * live + 2 * state.segment_limit || number == state.pending.segment {
            return Ok(Vec::new());
        }
        let Some(file) = file else { return Ok(Vec::new()) };
        (file, entries_of(&mut state, number))
    };
    let mut bodies = Vec::with_capacity(entries.len());
    for (group, index, slot) in &entries {
        bodies.push(read_entry(&*file, *group, *index, *slot, inner.seeded).await?);
    }
    let mut state = inner.state();
    let mut moved = Vec::new();
    for ((group, index, from), body) in entries.into_iter().zip(bodies) {
        if state.group(group).slot(index) == Some(from) {
            let to = state.push(Kind::Entry, group, index, &body);
            moved.push(Moved { group, index, from, to });
        }
    }
    Ok(moved)
}

fn entries_of(state: &mut State, segment: u32) -> Vec<(GroupId, u64, Slot)> {
    let mut entries = Vec::new();
    let mut bytes = 0;
    for (id, group) in &state.groups {
        for (index, slot) in (group.first..).zip(&group.slots) {
            if slot.segment == segment {
                entries.push((*id, index, *slot));
                bytes += slot.record_bytes();
                if bytes >= COPY_BYTES {
                    return entries;
                }
            }
        }
    }
    entries
}

/// Reads an entry and checks that it is what it should be.
pub(super) async fn read_entry(
    file: &dyn DiskFile,
    group: GroupId,
    index: u64,
    slot: Slot,
    seeded: Seeded,
) -> io::Result<Bytes> {
    let bytes = file.read_at(u64::from(slot.offset), slot.record_bytes() as usize).await?;
    check_entry(Bytes::from(bytes), group, index, slot, seeded)
}

/// Checks that bytes are an entry's record; returns its body.
pub(super) fn check_entry(
    bytes: Bytes,
    group: GroupId,
    index: u64,
    slot: Slot,
    seeded: Seeded,
) -> io::Result<Bytes> {
    match decode_record(&bytes, seeded) {
        Some(record) if record.group == group && record.index == index => {
            Ok(bytes.slice(RECORD_HEADER_BYTES..))
        }
        _ => Err(io::Error::new(
            io::ErrorKind::InvalidData,
            format!(
                "the log is damaged: {} at byte {}: entry {index} of {group} is not readable. Restore the \
                 folder from a copy, or let this member join again with an empty folder",
                segment_name(slot.segment),
                slot.offset
            ),
        )),
    }
}
