//! A backup in a folder.

use super::super::manifest::{Manifest, ManifestError};
use super::{Reader, VaultError};
use std::fmt;
use std::fs::{self, File, TryLockError};
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};

/// A folder.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    /// Held while a backup is written.
    lock: Option<File>,
}

impl Folder {
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), lock: None }
    }

    pub async fn lock(&mut self) -> Result<(), VaultError> {
        let failed = |path: &Path, error: &dyn fmt::Display| {
            VaultError::new(format!("{}: {error}", path.display()), "choose a folder that can be written to")
        };
        fs::create_dir_all(&self.path).map_err(|error| failed(&self.path, &error))?;
        let path = self.path.join("lock");
        let file = File::create(&path).map_err(|error| failed(&path, &error))?;
        match file.try_lock() {
            Ok(()) => {
                self.lock = Some(file);
                Ok(())
            }
            Err(TryLockError::WouldBlock) => Err(VaultError::new(
                format!("another backup into {self} is under way"),
                "wait for it, or choose another folder",
            )),
            Err(TryLockError::Error(error)) => Err(failed(&path, &error)),
        }
    }

    pub async fn unlock(&mut self) {
        self.lock = None;
    }

    pub async fn load(&self) -> Result<Manifest, ManifestError> {
        Manifest::load(&self.path)
    }

    pub async fn save(&self, manifest: &Manifest) -> Result<(), VaultError> {
        let failed =
            |error: io::Error| VaultError::new(format!("{self}: {error}"), "the former list is there");
        manifest.save(&self.path).map_err(failed)
    }

    pub fn stage(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    pub async fn keep(&self, name: String, _staged: &Path) -> Result<String, VaultError> {
        Ok(name)
    }

    pub fn open(&self, name: &str, _bytes: u64) -> io::Result<Reader> {
        Ok(Box::new(BufReader::new(File::open(self.path.join(name))?)))
    }
}

impl fmt::Display for Folder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.path.display(), f)
    }
}
