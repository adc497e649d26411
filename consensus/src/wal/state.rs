//! What the log knows in memory: where each entry is, and what waits for the disk.

use super::format::{
    FRAME_HEADER_BYTES, FrameHeader, Kind, RECORD_HEADER_BYTES, SegmentHeader, VERSION, encode_record,
};
use super::{Done, WalOptions};
use crate::api::GroupId;
use crate::disk::DiskFile;
use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

/// Where a record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Slot {
    pub segment: u32,
    pub offset: u32,
    /// Bytes of the body.
    pub len: u32,
}

impl Slot {
    pub(super) fn record_bytes(&self) -> u64 {
        RECORD_HEADER_BYTES as u64 + u64::from(self.len)
    }
}

/// One group's log.
#[derive(Default)]
pub(super) struct Group {
    /// Index of the first slot.
    pub first: u64,
    pub slots: VecDeque<Slot>,
    /// The last entries' bodies, each with its frame's number: as many as memory allows, and all
    /// that are not written yet.
    pub cache: VecDeque<(Bytes, u64)>,
    /// Where the log began, while nothing is purged.
    pub start: u64,
    pub vote: Option<Bytes>,
    pub purged: Option<(u64, Bytes)>,
    pub committed: Option<(u64, Bytes)>,
    /// How the node's replica of the group stands; the layer above knows what that says.
    pub standing: Option<Bytes>,
    /// A removal that is written behind the next entries, by mistake.
    #[cfg(feature = "seeded-bugs")]
    pub late_truncate: Option<u64>,
}

impl Group {
    /// Index after the last entry, or after what was purged.
    pub(super) fn end(&self) -> u64 {
        self.first + self.slots.len() as u64
    }

    pub(super) fn slot(&self, index: u64) -> Option<Slot> {
        self.slots.get(usize::try_from(index.checked_sub(self.first)?).ok()?).copied()
    }

    pub(super) fn cached(&self, index: u64) -> Option<Bytes> {
        let cache_first = self.end() - self.cache.len() as u64;
        self.cache.get(index.checked_sub(cache_first)? as usize).map(|(body, _)| body.clone())
    }
}

/// A segment's file and how much of it still matters.
pub(super) struct Segment {
    /// None before it is created.
    pub file: Option<Arc<dyn DiskFile>>,
    pub bytes: u64,
    pub live_entries: u64,
    pub live_bytes: u64,
}

/// Records that wait for the disk: the next frame.
pub(super) struct Pending {
    pub segment: u32,
    /// Where the buffer goes in the segment; 0 when the segment is new.
    pub offset: u64,
    /// Where the frame begins in the buffer.
    frame_start: usize,
    pub buffer: Vec<u8>,
    pub number: u64,
    records: u32,
    pub callbacks: Vec<Done>,
}

/// A frame that is on its way to the disk.
pub(super) struct Batch {
    pub segment: u32,
    pub offset: u64,
    pub data: Bytes,
    pub number: u64,
    pub callbacks: Vec<Done>,
    /// Segments that nothing needs once this frame is durable, oldest first.
    pub dead_segments: Vec<u32>,
}

pub(super) struct State {
    pub groups: BTreeMap<GroupId, Group>,
    pub segments: BTreeMap<u32, Segment>,
    pub pending: Pending,
    /// Groups whose `committed` is newer than what was written of it.
    pub committed_unwritten: BTreeSet<GroupId>,
    /// The last frame that is durable.
    pub durable_frame: u64,
    pub cached_bytes: usize,
    pub failure: Option<Arc<str>>,
    pub closing: bool,
    pub salt: u64,
    /// A segment is closed when it has reached this: the configured size, or more when what every
    /// segment must begin with is large. Otherwise copying out of old segments could never gain.
    pub segment_limit: u64,
    segment_bytes: u64,
}

impl State {
    /// Continues after the given frame, at the given place, or in a new segment when that is full.
    pub(super) fn new(
        salt: u64,
        groups: BTreeMap<GroupId, Group>,
        segments: BTreeMap<u32, Segment>,
        last_frame: u64,
        options: &WalOptions,
    ) -> State {
        let mut state = State {
            groups,
            segments,
            pending: Pending {
                segment: 0,
                offset: 0,
                frame_start: 0,
                buffer: Vec::new(),
                number: 0,
                records: 0,
                callbacks: Vec::new(),
            },
            committed_unwritten: BTreeSet::new(),
            durable_frame: last_frame,
            cached_bytes: 0,
            failure: None,
            closing: false,
            salt,
            segment_limit: options.segment_bytes,
            segment_bytes: options.segment_bytes,
        };
        state.begin_frame(last_frame + 1);
        state
    }

    /// Prepares an empty next frame. A new segment begins with all that its predecessors said
    /// about each group except for entries, so that those can be deleted.
    fn begin_frame(&mut self, number: u64) {
        let last = self.segments.last_key_value().map(|(number, segment)| (*number, segment.bytes));
        let (segment, offset, buffer) = match last {
            Some((segment, bytes)) if bytes < self.segment_limit => (segment, bytes, Vec::new()),
            _ => {
                let segment = last.map_or(1, |(number, _)| number + 1);
                self.segments
                    .insert(segment, Segment { file: None, bytes: 0, live_entries: 0, live_bytes: 0 });
                let header =
                    SegmentHeader { version: VERSION, number: segment, salt: self.salt, first_frame: number };
                (segment, 0, header.encode())
            }
        };
        let frame_start = buffer.len();
        self.pending =
            Pending { segment, offset, frame_start, buffer, number, records: 0, callbacks: Vec::new() };
        self.pending.buffer.resize(frame_start + FRAME_HEADER_BYTES, 0);
    }

    pub(super) fn group(&mut self, group: GroupId) -> &mut Group {
        self.groups.entry(group).or_default()
    }

    /// Whether there is anything to write.
    pub(super) fn has_pending(&self) -> bool {
        self.pending.records > 0
    }

    /// Adds a record to the next frame; returns where its body will be.
    pub(super) fn push(&mut self, kind: Kind, group: GroupId, index: u64, body: &[u8]) -> Slot {
        if self.pending.records == 0 && self.pending.offset == 0 {
            self.push_checkpoint();
        }
        self.push_record(kind, group, index, body)
    }

    fn push_record(&mut self, kind: Kind, group: GroupId, index: u64, body: &[u8]) -> Slot {
        let pending = &mut self.pending;
        let offset = pending.offset + pending.buffer.len() as u64;
        encode_record(&mut pending.buffer, kind, group, index, body);
        pending.records += 1;
        Slot {
            segment: pending.segment,
            offset: u32::try_from(offset).expect("segments are far below 4 GiB"),
            len: body.len() as u32,
        }
    }

    fn push_checkpoint(&mut self) {
        let mut records = Vec::new();
        for (id, group) in &self.groups {
            if group.start > 0 {
                records.push((Kind::Start, *id, group.start, Bytes::new()));
            }
            records.extend(group.standing.iter().map(|body| (Kind::Standing, *id, 0, body.clone())));
            records.extend(group.vote.iter().map(|vote| (Kind::Vote, *id, 0, vote.clone())));
            records.extend(group.purged.iter().map(|(at, body)| (Kind::Purge, *id, *at, body.clone())));
            records
                .extend(group.committed.iter().map(|(at, body)| (Kind::Committed, *id, *at, body.clone())));
        }
        for (kind, group, index, body) in records {
            self.push_record(kind, group, index, &body);
        }
        self.committed_unwritten.clear();
        self.segment_limit = self.segment_bytes.max(4 * self.pending.buffer.len() as u64);
    }

    /// Counts an entry as needing its segment.
    pub(super) fn add_live(&mut self, slot: Slot) {
        let segment = self.segments.get_mut(&slot.segment).expect("a slot's segment exists");
        segment.live_entries += 1;
        segment.live_bytes += slot.record_bytes();
    }

    /// Counts an entry as gone from its segment.
    pub(super) fn drop_live(&mut self, slot: Slot) {
        let segment = self.segments.get_mut(&slot.segment).expect("a slot's segment exists");
        segment.live_entries -= 1;
        segment.live_bytes -= slot.record_bytes();
    }

    /// Takes the next frame for writing and begins the one after it.
    pub(super) fn take_batch(&mut self) -> Batch {
        if self.pending.records == 0 && self.pending.offset == 0 {
            self.push_checkpoint();
        }
        for group in std::mem::take(&mut self.committed_unwritten) {
            if let Some((index, body)) = self.group(group).committed.clone() {
                self.push_record(Kind::Committed, group, index, &body);
            }
        }
        let pending = &mut self.pending;
        let records_start = pending.frame_start + FRAME_HEADER_BYTES;
        let header = FrameHeader {
            number: pending.number,
            len: u32::try_from(pending.buffer.len() - records_start).expect("frames are bounded"),
            records: pending.records,
        };
        header.encode_into(self.salt, &mut pending.buffer[pending.frame_start..records_start]);
        let segment = self.segments.get_mut(&pending.segment).expect("the last segment exists");
        segment.bytes = pending.offset + pending.buffer.len() as u64;
        let batch = Batch {
            segment: pending.segment,
            offset: pending.offset,
            data: std::mem::take(&mut pending.buffer).into(),
            number: pending.number,
            callbacks: std::mem::take(&mut pending.callbacks),
            dead_segments: self.dead_segments(),
        };
        self.begin_frame(batch.number + 1);
        batch
    }

    /// Segments from the oldest on that hold no entry. Only from the oldest on: a later one may
    /// say that entries of an earlier one are gone.
    fn dead_segments(&self) -> Vec<u32> {
        let last = self.pending.segment;
        self.segments
            .iter()
            .take_while(|(number, segment)| **number != last && segment.live_entries == 0)
            .map(|(number, _)| *number)
            .collect()
    }

    /// Forgets cached bodies, oldest frame first, down to a limit; what is not durable stays.
    pub(super) fn evict(&mut self, limit: usize) {
        while self.cached_bytes > limit {
            let oldest = self
                .groups
                .values_mut()
                .filter_map(|group| Some((group.cache.front()?.1, group)))
                .min_by_key(|(frame, _)| *frame);
            let Some((frame, group)) = oldest else { return };
            if frame > self.durable_frame {
                return;
            }
            while group.cache.front().is_some_and(|(_, at)| *at == frame) {
                if let Some((body, _)) = group.cache.pop_front() {
                    self.cached_bytes -= body.len();
                }
            }
        }
    }
}
