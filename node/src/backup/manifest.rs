//! The list of a backup's files.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

const FILE: &str = "backup.json";
const TEMPORARY: &str = "backup.json.tmp";
/// The layout that this build reads and writes.
const FORMAT: u32 = 1;

/// One file: a part of a group's log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Its name in the backup.
    pub file: String,
    /// Index of its first entry.
    pub first: u64,
    /// Index of its last entry.
    pub last: u64,
    /// Hash of the state after that, as 16 hexadecimal digits.
    pub state_hash: String,
    /// Its size.
    pub bytes: u64,
    /// Wall time of its first batch of commands, Unix milliseconds; absent when it has none.
    pub from_ms: Option<u64>,
    /// Wall time of its last batch of commands.
    pub to_ms: Option<u64>,
}

/// Files that go on from each other.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chain {
    /// In order.
    pub parts: Vec<Part>,
}

impl Chain {
    /// Index of its last entry.
    #[must_use]
    pub fn last(&self) -> Option<u64> {
        self.parts.last().map(|part| part.last)
    }

    /// Whether the states at this wall time (Unix milliseconds) can be made from it.
    #[must_use]
    pub fn reaches_back_to(&self, at_ms: u64) -> bool {
        let Some(first) = self.parts.first() else { return false };
        first.first == 0 || self.parts.iter().find_map(|part| part.from_ms).is_some_and(|from| from <= at_ms)
    }
}

/// What a backup holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    format: u32,
    /// The cluster's id.
    pub cluster: String,
    /// Its shards.
    pub shards: u32,
    /// How fast its log time runs.
    pub speed: u32,
    /// When the backup was last brought up to date, Unix milliseconds.
    pub made_ms: u64,
    /// By which build.
    pub version: String,
    /// By group, the oldest chain first; 0 is the cluster's own group.
    pub groups: BTreeMap<u32, Vec<Chain>>,
}

/// Why a folder is no backup that can be used.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// There is no list of files.
    #[error("{0} holds no backup: there is no backup.json in it")]
    None(String),
    /// It is not what this build writes.
    #[error("{0}/backup.json cannot be read: {1}")]
    Unreadable(String, String),
    /// Of another version.
    #[error("{0} has format {1}, this build reads {FORMAT}: use the build that made it")]
    Format(String, u32),
    /// The disk's.
    #[error("{0}: {1}")]
    Disk(String, io::Error),
}

impl Manifest {
    /// Of a cluster, with no files yet.
    #[must_use]
    pub fn new(cluster: String, shards: u32, speed: u32) -> Self {
        let groups = (0..=shards).map(|group| (group, Vec::new())).collect();
        Self { format: FORMAT, cluster, shards, speed, made_ms: 0, version: String::new(), groups }
    }

    /// Reads a folder's list.
    ///
    /// # Errors
    /// See [`ManifestError`].
    pub fn load(folder: &Path) -> Result<Self, ManifestError> {
        let path = folder.join(FILE);
        let shown = folder.display().to_string();
        match fs::read_to_string(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(ManifestError::None(shown)),
            Err(error) => Err(ManifestError::Disk(path.display().to_string(), error)),
            Ok(text) => Self::read(&text, &shown),
        }
    }

    /// Reads a list that is of the place with this name.
    ///
    /// # Errors
    /// See [`ManifestError`].
    pub fn read(text: &str, place: &str) -> Result<Self, ManifestError> {
        let unreadable = |why: String| ManifestError::Unreadable(place.to_owned(), why);
        let manifest: Self = serde_json::from_str(text).map_err(|error| unreadable(error.to_string()))?;
        if manifest.format != FORMAT {
            return Err(ManifestError::Format(place.to_owned(), manifest.format));
        }
        let foreign = manifest.groups.values().flatten().flat_map(|chain| &chain.parts);
        if let Some(part) =
            foreign.into_iter().find(|part| part.file.contains(['/', '\\']) || part.file == "..")
        {
            return Err(unreadable(format!("'{}' is no name of a file in it", part.file)));
        }
        if !manifest.groups.keys().copied().eq(0..=manifest.shards) {
            return Err(unreadable(format!("it does not list the groups 0 to {}", manifest.shards)));
        }
        Ok(manifest)
    }

    /// The list as it is written.
    ///
    /// # Errors
    /// None that is known: it can be written as JSON.
    pub fn write(&self) -> serde_json::Result<String> {
        Ok(format!("{:#}\n", serde_json::to_value(self)?))
    }

    /// Writes the list, durably, when the files in it are.
    ///
    /// # Errors
    /// The disk's; the former list is then still there.
    pub fn save(&self, folder: &Path) -> io::Result<()> {
        let mut file = File::create(folder.join(TEMPORARY))?;
        file.write_all(self.write()?.as_bytes())?;
        file.sync_all()?;
        fs::rename(folder.join(TEMPORARY), folder.join(FILE))?;
        File::open(folder)?.sync_all()
    }

    /// The chain to make a group's state from: the newest one that goes back to this wall time, the
    /// newest of all without one.
    #[must_use]
    pub fn chain(&self, group: u32, at_ms: Option<u64>) -> Option<&Chain> {
        let mut chains = self.groups.get(&group)?.iter().rev();
        chains.find(|chain| at_ms.is_none_or(|at_ms| chain.reaches_back_to(at_ms)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(first: u64, last: u64, from_ms: u64) -> Part {
        Part {
            file: format!("shard-1.{first}.log"),
            first,
            last,
            state_hash: String::new(),
            bytes: 1,
            from_ms: Some(from_ms),
            to_ms: Some(from_ms + 9),
        }
    }

    #[test]
    fn the_newest_chain_that_goes_back_far_enough_is_taken() {
        let mut manifest = Manifest::new("a/1".to_owned(), 1, 1);
        let whole = Chain { parts: vec![part(0, 9, 1_000), part(10, 19, 2_000)] };
        let newer = Chain { parts: vec![part(30, 39, 3_000)] };
        manifest.groups.insert(1, vec![whole.clone(), newer.clone()]);
        for (at_ms, chain) in [
            (None, Some(&newer)),
            (Some(3_500), Some(&newer)),
            (Some(3_000), Some(&newer)),
            (Some(2_999), Some(&whole)),
            // The log from its beginning: nothing was before.
            (Some(1), Some(&whole)),
        ] {
            assert_eq!(manifest.chain(1, at_ms), chain, "{at_ms:?}");
        }
        manifest.groups.insert(1, vec![newer]);
        assert_eq!(manifest.chain(1, Some(2_999)), None);
        assert_eq!(manifest.chain(0, None), None);
    }

    #[test]
    fn a_list_is_read_as_it_was_written_and_others_are_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let folder = folder.path();
        assert!(matches!(Manifest::load(folder), Err(ManifestError::None(_))));
        let mut manifest = Manifest::new("a/1".to_owned(), 1, 1);
        manifest.groups.insert(1, vec![Chain { parts: vec![part(0, 9, 1)] }]);
        manifest.save(folder).expect("saved");
        assert_eq!(Manifest::load(folder).expect("a list"), manifest);
        let text = fs::read_to_string(folder.join(FILE)).expect("text");
        for (from, to) in [
            ("\"format\": 1", "\"format\": 2"),
            ("shard-1.0.log", "../shard-1.0.log"),
            ("\"shards\": 1", "\"shards\": 2"),
            ("{", "["),
        ] {
            let changed = text.replacen(from, to, 1);
            assert_ne!(changed, text);
            fs::write(folder.join(FILE), changed).expect("written");
            assert!(Manifest::load(folder).is_err(), "{to}");
        }
    }
}
