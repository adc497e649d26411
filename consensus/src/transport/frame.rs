//! What travels on the stream between two nodes: frames, several to a gRPC message.
//!
//! Layout of a frame: length of the rest (4 bytes), kind (1), more (1), group (4), id (8), body;
//! integers little endian. A body larger than [`FRAGMENT_BYTES`] is cut; all parts but the last
//! say that more follows, so a large snapshot never holds up a heartbeat for long.

use crate::api::GroupId;
use bytes::{Buf, BufMut, Bytes};

/// Largest body of one frame.
pub const FRAGMENT_BYTES: usize = 128 << 10;
const HEADER_BYTES: usize = 14;

/// What a frame is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Kind {
    /// Says that the sender lives, and what it leads. Its id is the load of that, and 1; 0: it says nothing of it.
    Ping = 0,
    /// The layers above call; body: deadline in milliseconds (8 bytes), message.
    Call = 1,
    /// The answer.
    Answer = 2,
    /// Certainly not handled.
    Refused = 3,
    /// One way.
    Cast = 4,
    /// One request to a Raft group.
    Raft = 5,
    /// Its answer.
    RaftAnswer = 6,
    /// Part of a stream of appends, which the first one opens.
    Append = 7,
    /// The leader ends its stream of appends.
    AppendEnd = 8,
    /// One answer to an append, in order.
    AppendAnswer = 9,
    /// The follower ends the stream of appends.
    AppendOver = 10,
    /// A snapshot.
    Snapshot = 11,
    /// The request to a group was certainly not handled.
    RaftRefused = 12,
    /// The rest of a snapshot will not come.
    Abort = 13,
    /// The receiver leads the group with this id, and the sender has not heard so from the group.
    Ask = 14,
    /// A snapshot is to come in parts; not to nodes below [`LEVEL_PARTS`](crate::LEVEL_PARTS).
    SnapshotOffer = 15,
    /// A part of it.
    SnapshotPart = 16,
}

impl Kind {
    fn from_byte(byte: u8) -> Option<Kind> {
        use Kind::{
            Abort, Answer, Append, AppendAnswer, AppendEnd, AppendOver, Ask, Call, Cast, Ping, Raft,
            RaftAnswer, RaftRefused, Refused, Snapshot, SnapshotOffer, SnapshotPart,
        };
        let all = [
            Ping,
            Call,
            Answer,
            Refused,
            Cast,
            Raft,
            RaftAnswer,
            Append,
            AppendEnd,
            AppendAnswer,
            AppendOver,
            Snapshot,
            RaftRefused,
            Abort,
            Ask,
            SnapshotOffer,
            SnapshotPart,
        ];
        all.get(usize::from(byte)).copied()
    }
}

/// One frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// What it is.
    pub kind: Kind,
    /// The body goes on in the next frame of this kind and id.
    pub more: bool,
    /// The Raft group, where there is one.
    pub group: GroupId,
    /// Which call or stream; chosen by the side that opened it.
    pub id: u64,
    /// The body, or a part of it.
    pub body: Bytes,
}

impl Frame {
    /// Bytes on the wire.
    pub fn wire_bytes(&self) -> usize {
        4 + HEADER_BYTES + self.body.len()
    }

    /// Cuts a message into frames.
    pub fn cut(kind: Kind, group: GroupId, id: u64, mut body: Bytes) -> impl Iterator<Item = Frame> {
        let mut over = false;
        std::iter::from_fn(move || {
            if over {
                return None;
            }
            let part = body.split_to(body.len().min(FRAGMENT_BYTES));
            over = body.is_empty();
            Some(Frame { kind, more: !over, group, id, body: part })
        })
    }

    /// Appends the frame to a message.
    #[allow(clippy::cast_possible_truncation)]
    pub fn write(&self, out: &mut impl BufMut) {
        debug_assert!(self.body.len() <= FRAGMENT_BYTES);
        out.put_u32_le((HEADER_BYTES + self.body.len()) as u32);
        out.put_u8(self.kind as u8);
        out.put_u8(u8::from(self.more));
        out.put_u32_le(self.group.0);
        out.put_u64_le(self.id);
        out.put_slice(&self.body);
    }

    /// Takes the next frame off a message; `None` when it is not one.
    pub fn read(message: &mut Bytes) -> Option<Frame> {
        if message.len() < 4 {
            return None;
        }
        let len = message.get_u32_le() as usize;
        if len < HEADER_BYTES || len > message.len() || len > HEADER_BYTES + FRAGMENT_BYTES {
            return None;
        }
        let mut frame = message.split_to(len);
        let kind = Kind::from_byte(frame.get_u8())?;
        let more = frame.get_u8() != 0;
        let group = GroupId(frame.get_u32_le());
        let id = frame.get_u64_le();
        Some(Frame { kind, more, group, id, body: frame })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::BytesMut;

    #[test]
    fn what_is_written_is_read() {
        let mut wire = BytesMut::new();
        let body = Bytes::from(vec![7u8; 2 * FRAGMENT_BYTES + 5]);
        let frames: Vec<Frame> = Frame::cut(Kind::Snapshot, GroupId(9), 77, body.clone()).collect();
        assert_eq!(frames.iter().map(|frame| frame.more).collect::<Vec<_>>(), [true, true, false]);
        let empty: Vec<Frame> = Frame::cut(Kind::Cast, GroupId(1), 1, Bytes::new()).collect();
        assert_eq!(empty.len(), 1);
        for frame in frames.iter().chain(&empty) {
            frame.write(&mut wire);
        }
        let mut message = wire.freeze();
        for frame in frames.iter().chain(&empty) {
            assert_eq!(Frame::read(&mut message).as_ref(), Some(frame));
        }
        assert!(message.is_empty());
    }

    #[test]
    fn garbage_is_no_frame() {
        let mut wire = BytesMut::new();
        Frame::cut(Kind::Cast, GroupId(1), 1, Bytes::from_static(b"abc"))
            .for_each(|frame| frame.write(&mut wire));
        for (at, byte) in [(0, 255), (3, 255), (4, 200), (0, 3)] {
            let mut damaged = wire.clone();
            damaged[at] = byte;
            assert_eq!(Frame::read(&mut damaged.freeze()), None, "byte {at}");
        }
        assert_eq!(Frame::read(&mut wire.freeze().slice(..6)), None);
    }
}
