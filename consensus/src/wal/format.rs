//! Bytes of the log.
//!
//! A segment is a header, then frames. A frame is what one write and one sync put there: a header
//! with a number that counts up without gaps, then records. Frame N + 1 is written only after the
//! sync of frame N, so a frame followed by another one was acknowledged and must be whole, while
//! the last one may be torn in any way. All numbers are little endian.
//!
//! The checksum of a frame's header covers the folder's random salt too, so that bytes inside a
//! command cannot pass for a frame when a damaged file is searched for one.

use crate::api::GroupId;
use crate::seeded::{Seeded, SeededBug};

/// Version of the layout; a log of another one is refused.
pub(super) const VERSION: u32 = 1;

const SEGMENT_MAGIC: [u8; 8] = *b"CNTRWAL\n";
const FRAME_MAGIC: [u8; 4] = *b"\xf7Frm";

/// Magic, version, segment number, salt, number of the first frame, checksum.
pub(super) const SEGMENT_HEADER_BYTES: usize = 8 + 4 + 4 + 8 + 8 + 4;
/// Magic, number, bytes of the records, count of records, checksum.
pub(super) const FRAME_HEADER_BYTES: usize = 4 + 8 + 4 + 4 + 4;
/// Bytes of the body, checksum, kind, group, index.
pub(super) const RECORD_HEADER_BYTES: usize = 4 + 4 + 1 + 4 + 8;

/// What a record says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Kind {
    /// The entry at the index; written again when it is copied out of an old segment.
    Entry = 1,
    /// The group's vote.
    Vote = 2,
    /// Entries from the index on are gone.
    Truncate = 3,
    /// Entries up to the index are gone; the body is the log id there.
    Purge = 4,
    /// Entries up to the index are committed; the body is the log id there.
    Committed = 5,
    /// The log was closed; nothing was lost after this.
    Close = 6,
    /// The group's first entry will be at the index, though nothing was purged.
    Start = 7,
    /// All of the group's entries are gone, and what was said of them; its vote stays.
    Forget = 8,
    /// How the node's replica of the group stands.
    Standing = 9,
}

impl Kind {
    fn from_byte(byte: u8) -> Option<Kind> {
        use Kind::{Close, Committed, Entry, Forget, Purge, Standing, Start, Truncate, Vote};
        let kinds = [Entry, Vote, Truncate, Purge, Committed, Close, Start, Forget, Standing];
        kinds.into_iter().find(|kind| *kind as u8 == byte)
    }
}

/// A record that was read and checked.
#[derive(Debug, Clone, Copy)]
pub(super) struct Record<'a> {
    pub kind: Kind,
    pub group: GroupId,
    pub index: u64,
    pub body: &'a [u8],
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"))
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes"))
}

/// The start of a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SegmentHeader {
    pub version: u32,
    pub number: u32,
    pub salt: u64,
    pub first_frame: u64,
}

impl SegmentHeader {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = SEGMENT_MAGIC.to_vec();
        bytes.extend(self.version.to_le_bytes());
        bytes.extend(self.number.to_le_bytes());
        bytes.extend(self.salt.to_le_bytes());
        bytes.extend(self.first_frame.to_le_bytes());
        bytes.extend(crc32fast::hash(&bytes).to_le_bytes());
        bytes
    }

    /// None when it is torn or damaged.
    pub(super) fn decode(bytes: &[u8]) -> Option<SegmentHeader> {
        let bytes = bytes.get(..SEGMENT_HEADER_BYTES)?;
        let (content, sum) = bytes.split_at(SEGMENT_HEADER_BYTES - 4);
        if content[..8] != SEGMENT_MAGIC || u32_at(sum, 0) != crc32fast::hash(content) {
            return None;
        }
        Some(SegmentHeader {
            version: u32_at(bytes, 8),
            number: u32_at(bytes, 12),
            salt: u64_at(bytes, 16),
            first_frame: u64_at(bytes, 24),
        })
    }
}

/// The start of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FrameHeader {
    pub number: u64,
    pub len: u32,
    pub records: u32,
}

fn frame_checksum(salt: u64, content: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&salt.to_le_bytes());
    hasher.update(content);
    hasher.finalize()
}

impl FrameHeader {
    pub(super) fn encode_into(&self, salt: u64, target: &mut [u8]) {
        target[..4].copy_from_slice(&FRAME_MAGIC);
        target[4..12].copy_from_slice(&self.number.to_le_bytes());
        target[12..16].copy_from_slice(&self.len.to_le_bytes());
        target[16..20].copy_from_slice(&self.records.to_le_bytes());
        let sum = frame_checksum(salt, &target[..20]);
        target[20..24].copy_from_slice(&sum.to_le_bytes());
    }

    pub(super) fn decode(salt: u64, bytes: &[u8]) -> Option<FrameHeader> {
        let bytes = bytes.get(..FRAME_HEADER_BYTES)?;
        if bytes[..4] != FRAME_MAGIC || u32_at(bytes, 20) != frame_checksum(salt, &bytes[..20]) {
            return None;
        }
        Some(FrameHeader { number: u64_at(bytes, 4), len: u32_at(bytes, 12), records: u32_at(bytes, 16) })
    }
}

/// Where the header of a frame with a number above this one begins, at or after an offset.
pub(super) fn find_later_frame(salt: u64, bytes: &[u8], from: usize, above: u64) -> Option<usize> {
    let magic_at = |at: &usize| bytes[*at..].starts_with(&FRAME_MAGIC);
    (from..bytes.len())
        .filter(magic_at)
        .find(|at| FrameHeader::decode(salt, &bytes[*at..]).is_some_and(|header| header.number > above))
}

fn record_checksum(content: &[u8], body: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(content);
    hasher.update(body);
    hasher.finalize()
}

/// Appends a record.
pub(super) fn encode_record(buffer: &mut Vec<u8>, kind: Kind, group: GroupId, index: u64, body: &[u8]) {
    let len = u32::try_from(body.len()).expect("bodies are bounded by the codec's largest record");
    let start = buffer.len();
    buffer.extend(len.to_le_bytes());
    buffer.extend([0; 4]);
    buffer.push(kind as u8);
    buffer.extend(group.0.to_le_bytes());
    buffer.extend(index.to_le_bytes());
    buffer.extend(body);
    let sum = record_checksum(&buffer[start + 8..start + RECORD_HEADER_BYTES], body);
    buffer[start + 4..start + 8].copy_from_slice(&sum.to_le_bytes());
}

/// Reads the record at the start; None when it is torn or damaged.
pub(super) fn decode_record(bytes: &[u8], seeded: Seeded) -> Option<Record<'_>> {
    let header = bytes.get(..RECORD_HEADER_BYTES)?;
    let len = u32_at(header, 0) as usize;
    let mut end = RECORD_HEADER_BYTES.checked_add(len)?;
    let trusting = seeded.has(SeededBug::TornTailKept);
    if trusting {
        end = end.min(bytes.len());
    }
    let body = bytes.get(RECORD_HEADER_BYTES..end)?;
    if u32_at(header, 4) != record_checksum(&header[8..], body) && !trusting {
        return None;
    }
    Some(Record {
        kind: Kind::from_byte(header[8])?,
        group: GroupId(u32_at(header, 9)),
        index: u64_at(header, 13),
        body,
    })
}

/// Reads the frame at the start, whose number must be this one: its records, each with its offset
/// from the start. None when anything of it is torn or damaged.
pub(super) fn decode_frame(
    salt: u64,
    bytes: &[u8],
    number: u64,
    seeded: Seeded,
) -> Option<(usize, Vec<(usize, Record<'_>)>)> {
    let header = FrameHeader::decode(salt, bytes)?;
    let mut end = FRAME_HEADER_BYTES.checked_add(header.len as usize)?;
    let trusting = seeded.has(SeededBug::TornTailKept);
    if trusting {
        end = end.min(bytes.len());
    }
    if header.number != number || end > bytes.len() {
        return None;
    }
    let mut records = Vec::new();
    let mut at = FRAME_HEADER_BYTES;
    while at < end {
        let record = decode_record(&bytes[at..end], seeded)?;
        records.push((at, record));
        at += RECORD_HEADER_BYTES + record.body.len();
    }
    (records.len() == header.records as usize || trusting).then_some((end, records))
}

/// File name of a segment.
pub(super) fn segment_name(number: u32) -> String {
    format!("{number:010}.wal")
}

/// Number of a segment, from its file name.
pub(super) fn segment_number(name: &str) -> Option<u32> {
    let number = name.strip_suffix(".wal")?.parse().ok()?;
    (segment_name(number) == name).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The layout is fixed: these bytes were written by the first version and must stay readable.
    #[test]
    fn golden_bytes() {
        let header = SegmentHeader { version: 1, number: 2, salt: 3, first_frame: 4 };
        let golden = [
            67, 78, 84, 82, 87, 65, 76, 10, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0,
            0, 0, 116, 184, 186, 11,
        ];
        assert_eq!(header.encode(), golden);
        assert_eq!(SegmentHeader::decode(&golden), Some(header));

        let mut record = Vec::new();
        encode_record(&mut record, Kind::Entry, GroupId(5), 6, b"body");
        assert_eq!(
            record,
            [4, 0, 0, 0, 166, 150, 193, 33, 1, 5, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0, 98, 111, 100, 121]
        );

        let mut frame = vec![0; FRAME_HEADER_BYTES];
        FrameHeader { number: 8, len: record.len() as u32, records: 1 }.encode_into(3, &mut frame);
        assert_eq!(
            frame,
            [247, 70, 114, 109, 8, 0, 0, 0, 0, 0, 0, 0, 25, 0, 0, 0, 1, 0, 0, 0, 143, 243, 177, 18]
        );
        frame.extend(&record);
        let (end, records) = decode_frame(3, &frame, 8, Seeded::default()).expect("it is whole");
        assert_eq!((end, records.len(), records[0].1.body), (frame.len(), 1, b"body".as_slice()));
    }

    #[test]
    fn a_frame_inside_a_command_is_not_taken_for_one() {
        let mut forged = vec![0; FRAME_HEADER_BYTES];
        FrameHeader { number: 9, len: 0, records: 0 }.encode_into(1, &mut forged);
        assert_eq!(find_later_frame(1, &forged, 0, 8), Some(0));
        assert_eq!(find_later_frame(2, &forged, 0, 8), None);
        assert_eq!(find_later_frame(1, &forged, 0, 9), None);
    }

    #[test]
    fn file_names_have_one_form() {
        assert_eq!(segment_number(&segment_name(7)), Some(7));
        assert_eq!(segment_number("7.wal"), None);
        assert_eq!(segment_number("0000000007.tmp"), None);
    }
}
