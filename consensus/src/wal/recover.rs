//! Opening a log: what was acknowledged comes back, what was torn is cut, what is damaged is refused.
//! Whatever comes back is durable.

use super::WalOptions;
use super::error::WalError;
use super::format::{
    Kind, Record, SEGMENT_HEADER_BYTES, SegmentHeader, VERSION, decode_frame, find_later_frame, segment_name,
    segment_number,
};
use super::state::{Group, Segment, Slot, State};
use crate::api::GroupId;
use crate::disk::{OpenMode, SharedDisk};
use crate::seeded::Seeded;
use bytes::Bytes;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A group's log while it is put together. Entries copied out of an old segment come after
/// entries with higher indices, so there may be holes until the end.
#[derive(Default)]
struct Draft {
    /// With the checksum of each entry's body.
    slots: BTreeMap<u64, (Slot, u32)>,
    start: u64,
    vote: Option<Bytes>,
    purged: Option<(u64, Bytes)>,
    committed: Option<(u64, Bytes)>,
    standing: Option<Bytes>,
}

impl Draft {
    /// Takes the next record.
    ///
    /// # Errors
    /// The index of an entry that takes the place of another one although that was not removed.
    fn replay(&mut self, record: &Record<'_>, slot: Slot) -> Result<(), u64> {
        let body = || Bytes::copy_from_slice(record.body);
        match record.kind {
            Kind::Entry => {
                let sum = crc32fast::hash(record.body);
                let former = self.slots.insert(record.index, (slot, sum));
                // One that was copied out of an old segment is the same. Another would leave what followed the
                // former one behind it: entries that a later leader had removed.
                if former.is_some_and(|(_, former)| former != sum) {
                    return Err(record.index);
                }
            }
            Kind::Vote => self.vote = Some(body()),
            Kind::Truncate => drop(self.slots.split_off(&record.index)),
            Kind::Purge => {
                self.slots = self.slots.split_off(&(record.index + 1));
                self.purged = Some((record.index, body()));
            }
            Kind::Committed => self.committed = Some((record.index, body())),
            Kind::Start => self.start = record.index,
            Kind::Forget => {
                let (vote, standing) = (self.vote.take(), self.standing.take());
                *self = Draft { vote, standing, ..Draft::default() };
            }
            Kind::Standing => self.standing = Some(body()),
            Kind::Close => {}
        }
        Ok(())
    }

    fn first(&self) -> u64 {
        self.purged.as_ref().map_or(self.start, |(index, _)| index + 1)
    }

    /// Index of the first entry that should be there and is not.
    fn hole(&self) -> Option<u64> {
        self.slots
            .keys()
            .zip(self.first()..)
            .find(|(found, expected)| **found != *expected)
            .map(|(_, expected)| expected)
    }

    fn finish(self) -> Group {
        Group {
            first: self.first(),
            start: self.start,
            slots: self.slots.into_values().map(|(slot, _)| slot).collect(),
            vote: self.vote,
            purged: self.purged,
            committed: self.committed,
            standing: self.standing,
            ..Group::default()
        }
    }
}

/// What was read so far.
struct Scan<'a> {
    disk: &'a SharedDisk,
    folder: &'a Path,
    salt: u64,
    seeded: Seeded,
    drafts: BTreeMap<GroupId, Draft>,
    segments: BTreeMap<u32, Segment>,
    /// The last frame read; None before the first segment.
    frame: Option<u64>,
    /// Where it begins in its segment; 0, if it is the segment's first.
    frame_at: usize,
}

/// Reads the log in a folder.
pub(super) async fn recover(
    disk: &SharedDisk,
    folder: &Path,
    salt: u64,
    options: &WalOptions,
    seeded: Seeded,
) -> Result<State, WalError> {
    disk.create_dir_all(folder).await?;
    let mut numbers = Vec::new();
    for name in disk.list(folder).await? {
        match segment_number(&name) {
            Some(number) => numbers.push(number),
            None => tracing::warn!(file = %folder.join(&name).display(), "not a file of the log; left alone"),
        }
    }
    let mut scan = Scan {
        disk,
        folder,
        salt,
        seeded,
        drafts: BTreeMap::new(),
        segments: BTreeMap::new(),
        frame: None,
        frame_at: 0,
    };
    for (at, number) in numbers.iter().enumerate() {
        if at > 0 && numbers[at - 1] + 1 != *number {
            return Err(scan.damaged(*number - 1, 0, "the file is missing"));
        }
        scan.segment(*number, at + 1 == numbers.len()).await?;
    }
    scan.finish(options)
}

impl Scan<'_> {
    fn path(&self, number: u32) -> PathBuf {
        self.folder.join(segment_name(number))
    }

    fn damaged(&self, number: u32, offset: u64, what: impl Into<String>) -> WalError {
        WalError::Damaged { file: self.path(number), offset, what: what.into() }
    }

    async fn segment(&mut self, number: u32, last: bool) -> Result<(), WalError> {
        let path = self.path(number);
        let file = self.disk.open(&path, OpenMode::Existing).await?;
        // Segments are bounded, so one at a time may be in memory.
        let bytes = file.read_at(0, file.size().await? as usize).await?;
        let before = self.frame;
        let end = self.frames(number, &bytes)?;
        if end < bytes.len() || self.frame == before {
            self.check_torn(number, &bytes, end, last)?;
        }
        if self.frame == before {
            // The writer creates it again, with all that must stand at its beginning.
            drop(file);
            self.disk.remove(&path).await?;
            self.disk.sync_dir(self.folder).await?;
            return Ok(());
        }
        if end < bytes.len() {
            file.truncate(end as u64).await?;
            file.sync_data().await?;
        }
        if last {
            // The process before this one may have died before the last frame was flushed, or because
            // that failed: the frame is read from memory then, and a sync alone need not write it.
            let frame = bytes[self.frame_at..end].to_vec();
            file.write_at_and_sync(self.frame_at as u64, frame.into()).await?;
            self.disk.sync_dir(self.folder).await?;
        }
        let segment = Segment { file: Some(file), bytes: end as u64, live_entries: 0, live_bytes: 0 };
        self.segments.insert(number, segment);
        Ok(())
    }

    /// Replays a segment's whole frames; returns where they end.
    fn frames(&mut self, number: u32, bytes: &[u8]) -> Result<usize, WalError> {
        let Some(header) = SegmentHeader::decode(bytes) else { return Ok(0) };
        if header.version != VERSION {
            let file = self.path(number);
            return Err(WalError::Version { file, found: header.version, supported: VERSION });
        }
        if header.salt != self.salt {
            return Err(WalError::Foreign { file: self.path(number) });
        }
        if header.number != number {
            return Err(self.damaged(number, 0, format!("it is segment {} by its content", header.number)));
        }
        if let Some(last) = self.frame.filter(|last| last + 1 != header.first_frame) {
            let what = format!("frame {} should follow, not {}", last + 1, header.first_frame);
            return Err(self.damaged(number, 0, what));
        }
        let mut at = SEGMENT_HEADER_BYTES;
        let mut begins = 0;
        let mut expected = header.first_frame;
        while let Some((end, records)) = decode_frame(self.salt, &bytes[at..], expected, self.seeded) {
            for (offset, record) in records.iter().filter(|(_, record)| record.kind != Kind::Close) {
                let slot =
                    Slot { segment: number, offset: (at + offset) as u32, len: record.body.len() as u32 };
                self.drafts.entry(record.group).or_default().replay(record, slot).map_err(|index| {
                    let what = format!("entry {index} of {} is replaced without being removed", record.group);
                    self.damaged(number, (at + offset) as u64, what)
                })?;
            }
            self.frame = Some(expected);
            self.frame_at = begins;
            expected += 1;
            at += end;
            begins = at;
        }
        Ok(at)
    }

    /// Bytes that are no frame: at the end of the log they were never acknowledged and may be cut.
    fn check_torn(&self, number: u32, bytes: &[u8], at: usize, last: bool) -> Result<(), WalError> {
        if !last {
            return Err(self.damaged(number, at as u64, "no valid record, and another segment follows"));
        }
        // The torn frame itself may have a whole header; one with a higher number proves that the
        // torn one was synced.
        let torn_frame = self.frame.unwrap_or(0) + 1;
        if let Some(later) = find_later_frame(self.salt, bytes, at, torn_frame) {
            let what = format!("no valid record, though a valid one follows at byte {later}");
            return Err(self.damaged(number, at as u64, what));
        }
        tracing::warn!(
            file = %self.path(number).display(), offset = at, bytes = bytes.len() - at,
            "cut the torn end of the log: a write that was under way at the crash and not acknowledged"
        );
        Ok(())
    }

    fn finish(self, options: &WalOptions) -> Result<State, WalError> {
        for (id, draft) in &self.drafts {
            if let Some(index) = draft.hole() {
                let number = self.segments.keys().next().copied().unwrap_or(1);
                return Err(self.damaged(number, 0, format!("entry {index} of {id} is missing")));
            }
        }
        let groups: BTreeMap<GroupId, Group> =
            self.drafts.into_iter().map(|(id, draft)| (id, draft.finish())).collect();
        let slots: Vec<Slot> = groups.values().flat_map(|group| group.slots.iter().copied()).collect();
        let mut state = State::new(self.salt, groups, self.segments, self.frame.unwrap_or(0), options);
        for slot in slots {
            state.add_live(slot);
        }
        Ok(state)
    }
}
