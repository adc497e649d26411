//! What a disk may forget: the difference between what was written and what was flushed.

use bytes::Bytes;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::Rng;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

/// Smallest part of a write that survives or is lost as a whole.
const SECTOR_BYTES: usize = 512;

pub(super) type FileId = u64;

/// A change to a file's content that is not durable before the next sync.
#[derive(Debug, Clone)]
pub(super) enum Change {
    Write { offset: u64, data: Bytes },
    Truncate(u64),
}

/// A change to a folder that is not durable before the folder's next sync.
#[derive(Debug, Clone)]
pub(super) enum NameChange {
    Create(PathBuf, FileId),
    Rename(PathBuf, PathBuf),
    Remove(PathBuf),
}

impl NameChange {
    fn folder(&self) -> Option<&Path> {
        match self {
            NameChange::Create(path, _) | NameChange::Remove(path) | NameChange::Rename(_, path) => {
                path.parent()
            }
        }
    }

    fn apply(self, names: &mut BTreeMap<PathBuf, FileId>) {
        match self {
            NameChange::Create(path, file) => {
                names.insert(path, file);
            }
            NameChange::Rename(from, to) => {
                if let Some(file) = names.remove(&from) {
                    names.insert(to, file);
                }
            }
            NameChange::Remove(path) => {
                names.remove(&path);
            }
        }
    }
}

#[derive(Debug, Default)]
struct FileState {
    durable: Vec<u8>,
    /// What makes the visible bytes of the durable ones.
    pending: Vec<Change>,
    /// Kept beside the durable bytes, so that no read has to go through what is pending.
    visible: Vec<u8>,
}

impl Change {
    fn apply(&self, content: &mut Vec<u8>) {
        match self {
            Change::Write { offset, data } => {
                let start = *offset as usize;
                let end = start + data.len();
                if content.len() < end {
                    content.resize(end, 0);
                }
                content[start..end].copy_from_slice(data);
            }
            Change::Truncate(len) => content.truncate(*len as usize),
        }
    }

    /// A part of the change that might reach the disk before a crash: a prefix, or some sectors.
    fn torn(&self, rng: &mut ChaCha8Rng) -> Vec<Change> {
        let Change::Write { offset, data } = self else { return Vec::new() };
        if data.is_empty() {
            return Vec::new();
        }
        if rng.next_u32().is_multiple_of(2) {
            let kept = rng.next_u64() as usize % data.len();
            return vec![Change::Write { offset: *offset, data: data.slice(..kept) }];
        }
        let mut kept = Vec::new();
        let mut start = 0;
        while start < data.len() {
            // Sectors are aligned in the file, not in the write.
            let in_sector = (*offset as usize + start) % SECTOR_BYTES;
            let end = (start + SECTOR_BYTES - in_sector).min(data.len());
            if rng.next_u32().is_multiple_of(2) {
                kept.push(Change::Write { offset: offset + start as u64, data: data.slice(start..end) });
            }
            start = end;
        }
        kept
    }
}

/// Files and names, as seen and as durable.
#[derive(Debug, Default)]
pub(super) struct Model {
    files: BTreeMap<FileId, FileState>,
    names: BTreeMap<PathBuf, FileId>,
    durable_names: BTreeMap<PathBuf, FileId>,
    name_changes: Vec<NameChange>,
    folders: BTreeSet<PathBuf>,
    next_file: FileId,
}

fn not_found(path: &Path) -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, format!("{}: not found", path.display()))
}

impl Model {
    /// Adds a folder. Folders are durable at once.
    pub(super) fn add_folder(&mut self, path: &Path) {
        self.folders.insert(path.to_owned());
    }

    pub(super) fn has_folder(&self, path: &Path) -> bool {
        self.folders.contains(path)
    }

    /// Adds a file that is durable already.
    pub(super) fn add_durable(&mut self, path: &Path, content: Vec<u8>) -> FileId {
        let file = self.next_file;
        self.next_file += 1;
        let visible = content.clone();
        self.files.insert(file, FileState { durable: content, visible, ..FileState::default() });
        self.names.insert(path.to_owned(), file);
        self.durable_names.insert(path.to_owned(), file);
        file
    }

    pub(super) fn list(&self, folder: &Path) -> io::Result<Vec<String>> {
        if !self.has_folder(folder) {
            return Err(not_found(folder));
        }
        let names = self.names.keys().filter(|path| path.parent() == Some(folder));
        Ok(names.filter_map(|path| Some(path.file_name()?.to_str()?.to_owned())).collect())
    }

    pub(super) fn find(&self, path: &Path) -> io::Result<FileId> {
        self.names.get(path).copied().ok_or_else(|| not_found(path))
    }

    pub(super) fn create(&mut self, path: &Path) -> io::Result<FileId> {
        if self.names.contains_key(path) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        if !path.parent().is_some_and(|folder| self.has_folder(folder)) {
            return Err(not_found(path));
        }
        let file = self.next_file;
        self.next_file += 1;
        self.files.insert(file, FileState::default());
        self.change_name(NameChange::Create(path.to_owned(), file));
        Ok(file)
    }

    pub(super) fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        self.find(from)?;
        self.change_name(NameChange::Rename(from.to_owned(), to.to_owned()));
        Ok(())
    }

    pub(super) fn remove(&mut self, path: &Path) -> io::Result<()> {
        self.find(path)?;
        self.change_name(NameChange::Remove(path.to_owned()));
        Ok(())
    }

    fn change_name(&mut self, change: NameChange) {
        change.clone().apply(&mut self.names);
        self.name_changes.push(change);
    }

    /// Makes the names of a folder durable; returns what changed, in order.
    pub(super) fn sync_folder(&mut self, folder: &Path) -> Vec<NameChange> {
        let (done, left) = std::mem::take(&mut self.name_changes)
            .into_iter()
            .partition::<Vec<_>, _>(|change| change.folder() == Some(folder));
        self.name_changes = left;
        for change in &done {
            change.clone().apply(&mut self.durable_names);
        }
        done
    }

    pub(super) fn len(&self, file: FileId) -> u64 {
        self.files[&file].visible.len() as u64
    }

    pub(super) fn read(&self, file: FileId, offset: u64, len: usize) -> Vec<u8> {
        let visible = &self.files[&file].visible;
        let start = visible.len().min(offset as usize);
        let end = visible.len().min(start.saturating_add(len));
        visible[start..end].to_vec()
    }

    pub(super) fn change(&mut self, file: FileId, change: Change) {
        let state = self.files.get_mut(&file).expect("an open file has a state");
        change.apply(&mut state.visible);
        state.pending.push(change);
    }

    /// Makes a file's content durable; returns what changed, in order.
    pub(super) fn sync(&mut self, file: FileId) -> Vec<Change> {
        let state = self.files.get_mut(&file).expect("an open file has a state");
        let changes = std::mem::take(&mut state.pending);
        for change in &changes {
            change.apply(&mut state.durable);
        }
        changes
    }

    /// A sync that fails: what was pending stays visible and never becomes durable, however often
    /// it is synced again, unless it is written again.
    pub(super) fn fail_sync(&mut self, file: FileId) {
        self.files.get_mut(&file).expect("an open file has a state").pending.clear();
    }

    /// Some changes of a file that might be on disk now though nothing was flushed.
    pub(super) fn torn(&self, file: FileId, rng: &mut ChaCha8Rng) -> Vec<Change> {
        torn_changes(&self.files[&file].pending, rng)
    }

    /// The whole durable content.
    pub(super) fn durable(&self, file: FileId) -> Bytes {
        Bytes::copy_from_slice(&self.files[&file].durable)
    }

    /// Drops the content of files that no name leads to any more; returns which.
    pub(super) fn forget_removed(&mut self) -> Vec<FileId> {
        let named: BTreeSet<FileId> =
            self.names.values().chain(self.durable_names.values()).copied().collect();
        let removed: Vec<FileId> = self.files.keys().filter(|file| !named.contains(file)).copied().collect();
        for file in &removed {
            self.files.insert(*file, FileState::default());
        }
        removed
    }

    /// Drops files that no name leads to any more, unless they are open.
    pub(super) fn drop_removed(&mut self, open: impl Fn(FileId) -> bool) {
        let named: BTreeSet<FileId> = self.named().collect();
        self.files.retain(|file, _| named.contains(file) || open(*file));
    }

    /// Files that a name leads to, or may lead to after a crash; some more than once.
    fn named(&self) -> impl Iterator<Item = FileId> {
        let created = self.name_changes.iter().filter_map(|change| match change {
            NameChange::Create(_, file) => Some(*file),
            NameChange::Rename(..) | NameChange::Remove(_) => None,
        });
        self.names.values().chain(self.durable_names.values()).copied().chain(created)
    }

    /// Drops a file, unless a name leads to it.
    pub(super) fn drop_unnamed(&mut self, file: FileId) {
        let named = self.named().any(|other| other == file);
        if !named {
            self.files.remove(&file);
        }
    }

    /// Bytes of all files, as they are seen.
    pub(super) fn bytes(&self) -> u64 {
        self.files.values().map(|state| state.visible.len() as u64).sum()
    }

    /// Forgets what was not flushed, except for what chance saved.
    pub(super) fn crash(&mut self, rng: &mut ChaCha8Rng) {
        for state in self.files.values_mut() {
            let pending = std::mem::take(&mut state.pending);
            for change in torn_changes(&pending, rng) {
                change.apply(&mut state.durable);
            }
            state.visible.clone_from(&state.durable);
        }
        let changes = std::mem::take(&mut self.name_changes);
        let kept = if changes.is_empty() { 0 } else { rng.next_u64() as usize % (changes.len() + 1) };
        for change in changes.into_iter().take(kept) {
            change.apply(&mut self.durable_names);
        }
        self.names = self.durable_names.clone();
        let named: BTreeSet<FileId> = self.names.values().copied().collect();
        self.files.retain(|file, _| named.contains(file));
    }

    /// What would be there after a crash that saves nothing by chance.
    pub(super) fn durable_copy(&self) -> Model {
        let mut copy = Model { folders: self.folders.clone(), ..Model::default() };
        for (path, file) in &self.durable_names {
            copy.add_durable(path, self.files[file].durable.clone());
        }
        copy
    }

    /// Flips one bit of a file's durable content.
    pub(super) fn flip_bit(&mut self, file: FileId, bit: u64) {
        let state = self.files.get_mut(&file).expect("a named file has a state");
        let (at, mask) = ((bit / 8) as usize, 1 << (bit % 8));
        state.durable[at] ^= mask;
        if state.pending.is_empty() {
            state.visible[at] ^= mask;
        }
    }
}

fn torn_changes(pending: &[Change], rng: &mut ChaCha8Rng) -> Vec<Change> {
    if pending.is_empty() {
        return Vec::new();
    }
    let whole = rng.next_u64() as usize % (pending.len() + 1);
    let mut kept = pending[..whole].to_vec();
    if let Some(last) = pending.get(whole) {
        kept.extend(last.torn(rng));
    }
    kept
}
