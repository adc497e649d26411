//! How events lie in a file: frames of a length (4 bytes, little endian) and a record of the
//! codec that holds the events of some entries, in order.

use super::segment::Segment;
use consensus::disk::DiskFile;
use proto::codec;
use routing::Event;
use std::io;
use std::sync::Arc;

/// Bytes of a frame's length.
const LEN_BYTES: usize = 4;
/// Largest frame; larger lengths are damage.
const FRAME_BYTES_MAX: usize = 64 << 20;
/// Read at a time.
const CHUNK_BYTES: usize = 256 << 10;

pub(super) fn encode(events: &[Arc<Event>]) -> Vec<u8> {
    let plain: Vec<&Event> = events.iter().map(Arc::as_ref).collect();
    let record = codec::encode(&plain);
    let len = u32::try_from(record.len()).unwrap_or(u32::MAX);
    let mut frame = Vec::with_capacity(LEN_BYTES + record.len());
    frame.extend_from_slice(&len.to_le_bytes());
    frame.extend_from_slice(&record);
    frame
}

/// Reads frames one after another.
pub(super) struct FrameReader {
    file: Arc<dyn DiskFile>,
    /// Where `buffer` begins in the file.
    offset: u64,
    end: u64,
    buffer: Vec<u8>,
    used: usize,
}

impl FrameReader {
    pub(super) fn new(segment: &Segment, offset: u64) -> Self {
        let (file, end) = (segment.file.clone(), segment.len());
        Self { file, offset, end, buffer: Vec::new(), used: 0 }
    }

    /// Where the next frame begins.
    pub(super) fn position(&self) -> u64 {
        self.offset + self.used as u64
    }

    /// The next frame's offset and events; `None` at the end.
    ///
    /// # Errors
    /// `InvalidData` for damage, a frame cut off by the end included; else the disk's.
    pub(super) async fn next(&mut self) -> io::Result<Option<(u64, Vec<Event>)>> {
        let at = self.position();
        if at >= self.end {
            return Ok(None);
        }
        self.fill(LEN_BYTES).await?;
        let head = &self.buffer[self.used..];
        let len = u32::from_le_bytes([head[0], head[1], head[2], head[3]]) as usize;
        if len > FRAME_BYTES_MAX {
            return Err(damage(at, "its length is out of range"));
        }
        self.fill(LEN_BYTES + len).await?;
        let record = &self.buffer[self.used + LEN_BYTES..self.used + LEN_BYTES + len];
        let events = codec::decode(record).map_err(|error| damage(at, &error.to_string()))?;
        self.used += LEN_BYTES + len;
        Ok(Some((at, events)))
    }

    /// Makes sure that `needed` bytes from the position on are in the buffer.
    async fn fill(&mut self, needed: usize) -> io::Result<()> {
        if self.buffer.len() - self.used >= needed {
            return Ok(());
        }
        self.buffer.drain(..self.used);
        self.offset += self.used as u64;
        self.used = 0;
        let from = self.offset + self.buffer.len() as u64;
        let wanted = (needed - self.buffer.len()).max(CHUNK_BYTES);
        let left = usize::try_from(self.end.saturating_sub(from)).unwrap_or(usize::MAX);
        self.buffer.extend(self.file.read_at(from, wanted.min(left)).await?);
        if self.buffer.len() < needed {
            return Err(damage(self.offset, "it is cut off"));
        }
        Ok(())
    }
}

fn damage(offset: u64, what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("damaged frame at byte {offset}: {what}"))
}
