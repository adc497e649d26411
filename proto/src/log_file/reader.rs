//! Reading the file, with everything in it checked that can be checked without applying it.

use super::{Fault, Header, LogFileError, LoggedBatch, MAGIC, RECORD_BYTES_MAX, Record, SnapshotHead};
use crate::codec;
use std::io::{ErrorKind, Read};

/// A snapshot that the entries go on from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// Its place and hash.
    pub head: SnapshotHead,
    /// The state, encoded.
    pub data: Vec<u8>,
}

/// What follows the header and the snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// The next entry.
    Batch(LoggedBatch),
    /// The next entry, without a batch.
    Passed {
        /// Its index.
        index: u64,
        /// Its term.
        term: u64,
    },
    /// The state after the entry before must hash to this.
    StateHash {
        /// Index of the entry before.
        index: u64,
        /// The hash.
        hash: u64,
        /// Whether the file ends here.
        last: bool,
    },
}

/// Reads an exported log from its beginning to its end. One record is in memory at a time, besides
/// the snapshot.
#[derive(Debug)]
pub struct LogReader<R> {
    from: R,
    offset: u64,
    /// Where the last record began.
    record_at: u64,
    header: Header,
    snapshot: Option<Snapshot>,
    goes_on: bool,
    /// Index of the next entry.
    next: u64,
    over: bool,
}

impl<R: Read> LogReader<R> {
    /// Reads the header and the snapshot.
    ///
    /// # Errors
    /// See [`LogFileError`].
    pub fn open(from: R) -> Result<Self, LogFileError> {
        let mut reader = Self::headed(from)?;
        if reader.header.first > 0 {
            reader.read_snapshot()?;
        }
        Ok(reader)
    }

    /// Has read the header alone.
    fn headed(from: R) -> Result<Self, LogFileError> {
        let header = Header {
            cluster: String::new(),
            node: 0,
            shard: 0,
            level: 0,
            version: String::new(),
            exported_ms: 0,
            first: 0,
        };
        let mut reader = Self {
            from,
            offset: 0,
            record_at: 0,
            header,
            snapshot: None,
            goes_on: false,
            next: 0,
            over: false,
        };
        reader.magic()?;
        match reader.record()? {
            Record::Header(header) => reader.header = header,
            other => return Err(reader.order(format!("{} where the header belongs", name(&other)))),
        }
        reader.next = reader.header.first;
        Ok(reader)
    }

    /// Index of the first entry of a file of which only the beginning is there.
    ///
    /// # Errors
    /// See [`LogFileError`]; the header itself must be whole.
    pub fn first_index(from: R) -> Result<u64, LogFileError> {
        Ok(Self::headed(from)?.header.first)
    }

    /// Whose log it is.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The snapshot that the entries go on from; `None` when they are the log from its beginning,
    /// or when it was taken before.
    pub fn take_snapshot(&mut self) -> Option<Snapshot> {
        self.snapshot.take()
    }

    /// Whether the entries go on from the state at the end of another file: the one whose last index
    /// is the one before [`Header::first`].
    pub fn goes_on(&self) -> bool {
        self.goes_on
    }

    /// The next entry or hash; `None` after the end.
    ///
    /// # Errors
    /// See [`LogFileError`].
    pub fn next_item(&mut self) -> Result<Option<Item>, LogFileError> {
        if self.over {
            return Ok(None);
        }
        let item = match self.record()? {
            Record::Batch(batch) => {
                self.entry(batch.index)?;
                Item::Batch(batch)
            }
            Record::Passed { index, term } => {
                self.entry(index)?;
                Item::Passed { index, term }
            }
            Record::StateHash { index, hash } => {
                self.behind(index)?;
                Item::StateHash { index, hash, last: false }
            }
            Record::End { index, hash } => {
                self.behind(index)?;
                self.over = true;
                self.nothing_follows()?;
                Item::StateHash { index, hash, last: true }
            }
            other => return Err(self.order(format!("{} among the entries", name(&other)))),
        };
        Ok(Some(item))
    }

    fn entry(&mut self, index: u64) -> Result<(), LogFileError> {
        if index != self.next {
            return Err(self.order(format!("entry {index} where {} belongs", self.next)));
        }
        self.next += 1;
        Ok(())
    }

    fn behind(&self, index: u64) -> Result<(), LogFileError> {
        if index.checked_add(1) != Some(self.next) {
            return Err(self.order(format!("the hash at index {index} before entry {}", self.next)));
        }
        Ok(())
    }

    fn read_snapshot(&mut self) -> Result<(), LogFileError> {
        let head = match self.record()? {
            Record::Snapshot(head) => head,
            Record::GoesOn { after } if after.checked_add(1) == Some(self.next) => {
                self.goes_on = true;
                return Ok(());
            }
            other => return Err(self.order(format!("{} where the snapshot belongs", name(&other)))),
        };
        if head.index.checked_add(1) != Some(self.next) {
            let what = format!("a snapshot after {} before entry {}", head.index, self.next);
            return Err(self.order(what));
        }
        let mut data = Vec::new();
        while (data.len() as u64) < head.bytes {
            match self.record()? {
                Record::SnapshotPart(part) if !part.is_empty() => data.extend_from_slice(&part),
                other => return Err(self.order(format!("{} inside the snapshot", name(&other)))),
            }
        }
        if data.len() as u64 != head.bytes {
            let what = format!("{} bytes of a snapshot of {}", data.len(), head.bytes);
            return Err(self.order(what));
        }
        self.snapshot = Some(Snapshot { head, data });
        Ok(())
    }

    fn magic(&mut self) -> Result<(), LogFileError> {
        let mut magic = [0; MAGIC.len()];
        let read = self.fill(&mut magic)?;
        let (name, layout) = (&MAGIC[..7], MAGIC[7]);
        if read < magic.len() || &magic[..7] != name {
            return Err(self.fault(Fault::Foreign));
        }
        if magic[7] != layout {
            return Err(self.fault(Fault::Layout { found: magic[7] }));
        }
        Ok(())
    }

    fn record(&mut self) -> Result<Record, LogFileError> {
        self.record_at = self.offset;
        let mut len = [0; 4];
        if self.fill(&mut len)? < len.len() {
            return Err(self.fault(Fault::Short));
        }
        let len = u32::from_le_bytes(len);
        if len > RECORD_BYTES_MAX {
            return Err(self.fault(Fault::Length(len)));
        }
        let mut bytes = vec![0; len as usize];
        if self.fill(&mut bytes)? < bytes.len() {
            return Err(self.fault(Fault::Short));
        }
        codec::decode(&bytes).map_err(|error| self.fault(error.into()))
    }

    fn nothing_follows(&mut self) -> Result<(), LogFileError> {
        self.record_at = self.offset;
        match self.fill(&mut [0])? {
            0 => Ok(()),
            _ => Err(self.order("something after the end".to_owned())),
        }
    }

    /// Reads as much as there is; how much that was.
    fn fill(&mut self, into: &mut [u8]) -> Result<usize, LogFileError> {
        let mut filled = 0;
        while filled < into.len() {
            match self.from.read(&mut into[filled..]) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(self.fault(error.into())),
            }
        }
        self.offset += filled as u64;
        Ok(filled)
    }

    fn fault(&self, fault: Fault) -> LogFileError {
        LogFileError { offset: self.record_at, fault }
    }

    fn order(&self, what: String) -> LogFileError {
        self.fault(Fault::Order(what))
    }
}

fn name(record: &Record) -> &'static str {
    match record {
        Record::Header(_) => "a header",
        Record::Snapshot(_) => "a snapshot",
        Record::SnapshotPart(_) => "a part of a snapshot",
        Record::Batch(_) | Record::Passed { .. } => "an entry",
        Record::StateHash { .. } => "a hash",
        Record::End { .. } => "the end",
        Record::GoesOn { .. } => "a mark of another file",
    }
}
