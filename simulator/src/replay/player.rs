//! Applies the entries of a file one after the other.

use proto::codec;
use proto::log_file::{Header, Item, LogFileError, LogReader, LoggedBatch};
use routing::entry::Request;
use routing::{Effects, Entry, Event, LogTime, Outcome, Position, Shard, ShardId, level};
use std::io::Read;

/// Why a replay cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The file cannot be read.
    #[error(transparent)]
    File(#[from] LogFileError),
    /// Entries of a level that this build does not know.
    #[error(
        "the log is of apply level {found}, this build knows {known}: use build {version} or a later one"
    )]
    Level {
        /// The log's level.
        found: u32,
        /// The highest this build knows.
        known: u32,
        /// The build that exported it.
        version: String,
    },
    /// The snapshot or a command does not decode.
    #[error("{what} does not decode: {why}; use build {version}")]
    Undecodable {
        /// Which.
        what: String,
        /// Why.
        why: String,
        /// The build that exported it.
        version: String,
    },
    /// The state is another than the node's.
    #[error(
        "the state after index {index} differs: the node had {expected:016x}, here it is {found:016x}. \
         Up to {good} it was the same: apply again with --check, or bisect with --hash-at"
    )]
    Differs {
        /// The index.
        index: u64,
        /// The node's hash.
        expected: u64,
        /// The hash here.
        found: u64,
        /// The last index with the same hash; where the file begins, if there was none.
        good: String,
    },
    /// The file goes on from another one, or not from that one.
    #[error("{0}")]
    Order(String),
    /// No such index in the file.
    #[error("index {wanted} is not in the file: it holds the states after {first} to {last}")]
    NotThere {
        /// What was asked for.
        wanted: u64,
        /// The first there is.
        first: u64,
        /// The last there is.
        last: u64,
    },
}

/// What a replay has just done.
#[derive(Debug, Clone, Copy)]
pub enum Seen<'a> {
    /// A command was applied.
    Applied {
        /// The entry.
        entry: &'a Entry,
        /// Its answer.
        outcome: &'a Outcome,
        /// Its events.
        events: &'a [Event],
        /// The state after it.
        shard: &'a Shard,
        /// Whether it is the last command of its index.
        last_of_index: bool,
    },
    /// An index without commands came by.
    Passed {
        /// Which.
        index: u64,
        /// The state, unchanged.
        shard: &'a Shard,
    },
}

/// What was applied so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// Indexes, the ones without commands included.
    pub indexes: u64,
    /// Commands.
    pub commands: u64,
    /// Hashes of the file that were the same here.
    pub hashes: u64,
    /// Index of the last entry, if there was any.
    pub last: Option<u64>,
    /// Its term; that of the snapshot before the first.
    pub term: u64,
    /// Log time of the first batch.
    pub first_time: Option<LogTime>,
    /// Wall time of the first and the last batch, Unix milliseconds.
    pub wall_ms: Option<(u64, u64)>,
}

/// A shard that a file is applied to.
#[derive(Debug)]
pub struct Player<R> {
    reader: LogReader<R>,
    shard: Shard,
    /// The state that the file begins with: index of its snapshot.
    begins: Option<u64>,
    summary: Summary,
    effects: Effects,
    /// Read, and not yet done with.
    ahead: Option<Item>,
    over: bool,
}

impl<R: Read> Player<R> {
    /// Reads the beginning of a file, and its snapshot if it has one.
    ///
    /// # Errors
    /// See [`ReplayError`].
    pub fn open(from: R) -> Result<Self, ReplayError> {
        let mut reader = LogReader::open(from)?;
        let header = reader.header();
        let empty = Shard::new(ShardId(header.shard));
        if header.level > level::REHEARSAL {
            let (found, known) = (header.level, level::REHEARSAL);
            return Err(ReplayError::Level { found, known, version: header.version.clone() });
        }
        let version = header.version.clone();
        if reader.goes_on() {
            let (first, last) = (header.first, header.first.saturating_sub(1));
            return Err(ReplayError::Order(format!(
                "the file begins at {first} and goes on from another one, which ends at {last}, so it cannot be applied \
                 alone; `centralita restore --dry-run` applies a whole backup"
            )));
        }
        let mut summary = Summary::default();
        let (shard, begins) = match reader.take_snapshot() {
            None => (empty, None),
            Some(snapshot) => {
                let index = snapshot.head.index;
                let shard: Shard = codec::decode(&snapshot.data).map_err(|error| {
                    let what = format!("the snapshot after {index}");
                    ReplayError::Undecodable { what, why: error.to_string(), version }
                })?;
                let (expected, found) = (snapshot.head.hash, shard.state_hash());
                if expected != found {
                    let good = "nowhere: it is the snapshot itself".to_owned();
                    return Err(ReplayError::Differs { index, expected, found, good });
                }
                summary.hashes = 1;
                summary.term = snapshot.head.term;
                (shard, Some(index))
            }
        };
        Ok(Self { reader, shard, begins, summary, effects: Effects::default(), ahead: None, over: false })
    }

    /// Goes on with the file that begins where this one ended.
    ///
    /// # Errors
    /// See [`ReplayError`]; `Order` when it begins elsewhere, or this one is not over.
    pub fn then<S: Read>(self, from: S) -> Result<Player<S>, ReplayError> {
        let reader = LogReader::open(from)?;
        let (header, former) = (reader.header(), self.reader.header());
        let follows = self.over
            && reader.goes_on()
            && (header.shard, &header.cluster) == (former.shard, &former.cluster)
            && self.index().is_some_and(|index| index + 1 == header.first);
        if !follows {
            let (shard, first) = (header.shard, header.first);
            let here = self.index().map_or("nothing".to_owned(), |index| format!("index {index}"));
            return Err(ReplayError::Order(format!(
                "entries from {first} of shard {shard} do not go on from {here} of shard {}",
                former.shard
            )));
        }
        let Self { shard, begins, summary, effects, .. } = self;
        Ok(Player { reader, shard, begins, summary, effects, ahead: None, over: false })
    }

    /// The state, when no more is to be applied.
    pub fn into_shard(self) -> Shard {
        self.shard
    }

    /// Index of the entry that comes next, and the wall time of its batch (Unix milliseconds) if it
    /// is one; `None` when it is a hash or the end.
    ///
    /// # Errors
    /// See [`ReplayError`].
    pub fn next_entry(&mut self) -> Result<Option<(u64, Option<u64>)>, ReplayError> {
        self.look_ahead()?;
        Ok(match &self.ahead {
            Some(Item::Batch(batch)) => Some((batch.index, Some(batch.wall_ms))),
            Some(Item::Passed { index, .. }) => Some((*index, None)),
            Some(Item::StateHash { .. }) | None => None,
        })
    }

    /// Whose log it is.
    pub fn header(&self) -> &Header {
        self.reader.header()
    }

    /// The state now.
    pub fn shard(&self) -> &Shard {
        &self.shard
    }

    /// Index of the snapshot that the file begins with; `None` when it is the whole log.
    pub fn begins(&self) -> Option<u64> {
        self.begins
    }

    /// Index after which the state is as it is now, if there is any.
    pub fn index(&self) -> Option<u64> {
        self.summary.last.or(self.begins)
    }

    /// What was applied so far.
    pub fn summary(&self) -> &Summary {
        &self.summary
    }

    /// Whether the file is at its end.
    pub fn over(&self) -> bool {
        self.over
    }

    /// Whether a hash of the state as it is now comes next.
    ///
    /// # Errors
    /// See [`ReplayError`].
    pub fn hash_follows(&mut self) -> Result<bool, ReplayError> {
        self.look_ahead()?;
        Ok(matches!(self.ahead, Some(Item::StateHash { .. })))
    }

    fn look_ahead(&mut self) -> Result<(), ReplayError> {
        if self.ahead.is_none() {
            self.ahead = self.reader.next_item()?;
        }
        Ok(())
    }

    /// Applies the next index, or compares the next hash; false after the end. `seen` is told each
    /// command and each index without.
    ///
    /// # Errors
    /// See [`ReplayError`].
    pub fn step(&mut self, seen: &mut impl FnMut(&Seen<'_>)) -> Result<bool, ReplayError> {
        let next = match self.ahead.take() {
            Some(item) => Some(item),
            None => self.reader.next_item()?,
        };
        match next {
            None => return Ok(false),
            Some(Item::Passed { index, term }) => {
                self.passed(index, term);
                seen(&Seen::Passed { index, shard: &self.shard });
            }
            Some(Item::Batch(batch)) => self.batch(&batch, seen)?,
            Some(Item::StateHash { index, hash, last }) => {
                self.compare(index, hash)?;
                self.over = last;
            }
        }
        Ok(true)
    }

    fn passed(&mut self, index: u64, term: u64) {
        self.summary.indexes += 1;
        self.summary.term = term;
        self.summary.last = Some(index);
    }

    fn batch(&mut self, batch: &LoggedBatch, seen: &mut impl FnMut(&Seen<'_>)) -> Result<(), ReplayError> {
        let (time, wall_ms) = (LogTime(batch.time_us), batch.wall_ms);
        let first_wall_ms = self.summary.wall_ms.map_or(wall_ms, |(first, _)| first);
        self.summary.wall_ms = Some((first_wall_ms, wall_ms));
        self.summary.first_time.get_or_insert(time);
        for (ordinal, command) in (0..).zip(&batch.commands) {
            let position = Position { index: batch.index, ordinal };
            let request: Request = codec::decode(command).map_err(|error| ReplayError::Undecodable {
                what: format!("command {ordinal} of index {}", batch.index),
                why: error.to_string(),
                version: self.header().version.clone(),
            })?;
            level::check_command(&request.command, level::REHEARSAL).map_err(|unknown| {
                let (found, known) = (unknown.needed, unknown.knows);
                ReplayError::Level { found, known, version: self.header().version.clone() }
            })?;
            let entry = Entry { position, time, wall_ms, request };
            self.effects.clear();
            let outcome = self.shard.apply(&entry, &mut self.effects);
            self.summary.commands += 1;
            seen(&Seen::Applied {
                entry: &entry,
                outcome: &outcome,
                events: &self.effects.events,
                shard: &self.shard,
                last_of_index: ordinal as usize + 1 == batch.commands.len(),
            });
        }
        if batch.commands.is_empty() {
            seen(&Seen::Passed { index: batch.index, shard: &self.shard });
        }
        self.passed(batch.index, batch.term);
        Ok(())
    }

    fn compare(&mut self, index: u64, expected: u64) -> Result<(), ReplayError> {
        let found = self.shard.state_hash();
        if found != expected {
            let good = match (self.summary.hashes, self.begins) {
                (0, _) => "nowhere: this is the first hash of the file".to_owned(),
                (1, Some(snapshot)) => format!("the snapshot at {snapshot}"),
                _ => "the hash before".to_owned(),
            };
            return Err(ReplayError::Differs { index, expected, found, good });
        }
        self.summary.hashes += 1;
        Ok(())
    }
}
