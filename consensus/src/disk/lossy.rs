//! Real files that forget what was not flushed.

use super::model::{Change, FileId, Model, NameChange};
use super::{Disk, DiskFile, FolderLock, OpenMode, RealDisk};
use async_trait::async_trait;
use bytes::Bytes;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::Arc;
use tokio::sync::{Mutex, MutexGuard};

/// One write in this many lets some unflushed bytes reach the file.
const TEAR_ONE_IN: u64 = 8;

/// Real files beneath a layer that holds every unflushed byte and name in memory alone, so that
/// killing the process loses them, as cutting the power would. At random moments a part of the
/// last writes reaches the file all the same. For crash tests of the real binary: it keeps the
/// whole content of its folders in memory.
#[derive(Clone)]
pub struct LossyDisk {
    real: RealDisk,
    /// Files whose names end like this are never flushed.
    skipped: Option<&'static str>,
    state: Arc<Mutex<State>>,
}

struct State {
    model: Model,
    /// Handles of the files whose names are durable.
    mirrors: BTreeMap<FileId, Arc<dyn DiskFile>>,
    rng: ChaCha8Rng,
}

impl LossyDisk {
    /// A lossy layer over real files; the seed decides what is torn.
    #[must_use]
    pub fn new(real: RealDisk, seed: u64) -> LossyDisk {
        let state =
            State { model: Model::default(), mirrors: BTreeMap::new(), rng: ChaCha8Rng::seed_from_u64(seed) };
        LossyDisk { real, skipped: None, state: Arc::new(Mutex::new(state)) }
    }

    /// Leaves out every sync of the files whose names end like this (`.wal`: the log): for the test
    /// that shows that a missing flush is noticed.
    #[doc(hidden)]
    #[must_use]
    pub fn skip_syncs_of(self, ending: &'static str) -> LossyDisk {
        LossyDisk { skipped: Some(ending), ..self }
    }

    /// The state, with what the folder really holds in it.
    async fn folder(&self, folder: &Path) -> io::Result<MutexGuard<'_, State>> {
        let mut state = self.state.lock().await;
        if !state.model.has_folder(folder) {
            for name in self.real.list(folder).await? {
                let path = folder.join(name);
                let file = self.real.open(&path, OpenMode::Existing).await?;
                let len = file.size().await? as usize;
                let content = file.read_at(0, len).await?;
                let id = state.model.add_durable(&path, content);
                state.mirrors.insert(id, file);
            }
            state.model.add_folder(folder);
        }
        Ok(state)
    }

    async fn folder_of(&self, path: &Path) -> io::Result<MutexGuard<'_, State>> {
        self.folder(path.parent().ok_or(io::ErrorKind::InvalidInput)?).await
    }
}

async fn mirror(file: &dyn DiskFile, changes: Vec<Change>) -> io::Result<()> {
    for change in changes {
        match change {
            Change::Write { offset, data } => file.write_at(offset, data).await?,
            // A torn write may have been shorter than what is cut here.
            Change::Truncate(len) if len < file.size().await? => file.truncate(len).await?,
            Change::Truncate(_) => {}
        }
    }
    Ok(())
}

#[async_trait]
impl Disk for LossyDisk {
    async fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        self.real.create_dir_all(path).await
    }

    async fn list(&self, folder: &Path) -> io::Result<Vec<String>> {
        self.folder(folder).await?.model.list(folder)
    }

    async fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Arc<dyn DiskFile>> {
        let mut state = self.folder_of(path).await?;
        let file = match mode {
            OpenMode::Existing => state.model.find(path)?,
            OpenMode::CreateNew => state.model.create(path)?,
        };
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let skip_sync = self.skipped.is_some_and(|ending| name.ends_with(ending));
        Ok(Arc::new(LossyFile { disk: self.clone(), file, skip_sync }))
    }

    async fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.folder_of(from).await?.model.rename(from, to)
    }

    async fn remove(&self, path: &Path) -> io::Result<()> {
        self.folder_of(path).await?.model.remove(path)
    }

    async fn sync_dir(&self, folder: &Path) -> io::Result<()> {
        let mut state = self.folder(folder).await?;
        for change in state.model.sync_folder(folder) {
            match change {
                NameChange::Create(path, id) => {
                    let file = self.real.open(&path, OpenMode::CreateNew).await?;
                    file.write_at_and_sync(0, state.model.durable(id)).await?;
                    state.mirrors.insert(id, file);
                }
                NameChange::Rename(from, to) => self.real.rename(&from, &to).await?,
                NameChange::Remove(path) => self.real.remove(&path).await?,
            }
        }
        let State { model, mirrors, .. } = &mut *state;
        for id in model.forget_removed() {
            mirrors.remove(&id);
        }
        self.real.sync_dir(folder).await
    }

    async fn lock(&self, folder: &Path) -> io::Result<Box<dyn FolderLock>> {
        // The real lock comes first: without it, the folder's content may still change.
        self.real.lock(folder).await
    }
}

struct LossyFile {
    disk: LossyDisk,
    file: FileId,
    skip_sync: bool,
}

#[async_trait]
impl DiskFile for LossyFile {
    async fn write_at(&self, offset: u64, data: Bytes) -> io::Result<()> {
        let mut state = self.disk.state.lock().await;
        state.model.change(self.file, Change::Write { offset, data });
        let State { model, mirrors, rng } = &mut *state;
        if rng.next_u64().is_multiple_of(TEAR_ONE_IN)
            && let Some(file) = mirrors.get(&self.file)
        {
            mirror(&**file, model.torn(self.file, rng)).await?;
        }
        Ok(())
    }

    async fn sync_data(&self) -> io::Result<()> {
        if self.skip_sync {
            return Ok(());
        }
        let mut state = self.disk.state.lock().await;
        let changes = state.model.sync(self.file);
        if let Some(file) = state.mirrors.get(&self.file) {
            mirror(&**file, changes).await?;
            file.sync_data().await?;
        }
        Ok(())
    }

    async fn read_at(&self, offset: u64, len: usize) -> io::Result<Vec<u8>> {
        Ok(self.disk.state.lock().await.model.read(self.file, offset, len))
    }

    async fn size(&self) -> io::Result<u64> {
        Ok(self.disk.state.lock().await.model.len(self.file))
    }

    async fn truncate(&self, len: u64) -> io::Result<()> {
        self.disk.state.lock().await.model.change(self.file, Change::Truncate(len));
        Ok(())
    }
}
