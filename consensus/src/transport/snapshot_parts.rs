//! A snapshot in parts, as bytes on a link.
//!
//! The sender offers it ([`Kind::SnapshotOffer`](super::frame::Kind)): its vote and which one it is. The receiver
//! answers how much of it is here, and the sender goes on from there: parts of up to a frame, some of them
//! on their way at a time, each answered with how much is here then, the last one with the receiver's vote
//! when the whole is installed. Nodes below [`LEVEL_PARTS`](crate::LEVEL_PARTS) do not know these frames.

use super::frame::FRAGMENT_BYTES;
use crate::snapshots::{Part, Whole};
use crate::type_config::types::{SnapshotMeta, Vote};
use bytes::{Buf, BufMut, Bytes, BytesMut};
use serde::{Deserialize, Serialize};

/// Parts of one snapshot that are on their way or being written, at most.
pub const PARTS_WINDOW: usize = 8;
/// Bytes of a part before its data.
const HEAD_BYTES: usize = 8 + 4 + 8 + 4;
/// Most data of a part: with it, it is one frame.
pub const PART_BYTES_MAX: usize = FRAGMENT_BYTES - HEAD_BYTES;

/// A leader has a snapshot to send.
#[derive(Debug, Serialize, Deserialize)]
pub struct Offer {
    /// The leader's.
    pub vote: Vote,
    /// Which one.
    pub whole: Whole<SnapshotMeta>,
}

/// What a receiver says to an offer and to a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum PartAnswer {
    /// So much is here, in bytes from the beginning.
    Upto(u64),
    /// It is installed, or not needed; or there is a later leader. The receiver's vote says which.
    Done(Vote),
    /// It is of another snapshot than the last one that was offered.
    Other,
}

/// A part as a frame's body.
pub fn write_part(part: &Part) -> Bytes {
    let mut body = BytesMut::with_capacity(HEAD_BYTES + part.data.len());
    body.put_u64_le(part.whole_bytes);
    body.put_u32_le(part.whole_checksum);
    body.put_u64_le(part.offset);
    body.put_u32_le(part.checksum);
    body.put_slice(&part.data);
    body.freeze()
}

/// The part in a frame's body; `None` when it is none.
pub fn read_part(mut body: Bytes) -> Option<Part> {
    if body.len() < HEAD_BYTES {
        return None;
    }
    let (whole_bytes, whole_checksum) = (body.get_u64_le(), body.get_u32_le());
    let (offset, checksum) = (body.get_u64_le(), body.get_u32_le());
    offset.checked_add(body.len() as u64)?;
    Some(Part { whole_bytes, whole_checksum, offset, checksum, data: body })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_one_frame_and_is_read_as_it_was_written() {
        let data = Bytes::from(vec![7; PART_BYTES_MAX]);
        let part = Part { whole_bytes: 1 << 40, whole_checksum: 3, offset: 1 << 39, checksum: 4, data };
        let body = write_part(&part);
        assert_eq!(body.len(), FRAGMENT_BYTES);
        assert_eq!(read_part(body.clone()), Some(part));
        assert_eq!(read_part(body.slice(..HEAD_BYTES - 1)), None);
        let mut far = body.to_vec();
        far[12..20].copy_from_slice(&u64::MAX.to_le_bytes());
        assert_eq!(read_part(far.into()), None, "it would end behind the last number");
    }
}
