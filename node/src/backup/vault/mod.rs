//! Where a backup is: a folder, or a prefix in an object store.

#[cfg(feature = "object-store")]
mod bucket;
mod folder;
#[cfg(feature = "object-store")]
mod remote;

use super::manifest::{Manifest, ManifestError, Part};
#[cfg(feature = "object-store")]
use bucket::Bucket;
use folder::Folder;
use std::fmt;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// What reads a backup's file.
pub type Reader = Box<dyn Read + Send>;

/// Why a place cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct VaultError {
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub remedy: String,
}

impl VaultError {
    fn new(message: impl fmt::Display, remedy: &str) -> Self {
        Self { message: message.to_string(), remedy: remedy.to_owned() }
    }
}

/// A place of a backup. In both kinds `backup.json` is written last, so that what it names is whole, and
/// one writer at a time is let in. The files are the same: one kind can be copied to the other.
#[derive(Debug)]
pub struct Vault(Kind);

#[derive(Debug)]
enum Kind {
    Folder(Folder),
    #[cfg(feature = "object-store")]
    Bucket(Bucket),
}

macro_rules! either {
    ($vault:expr, $one:ident => $done:expr) => {
        match $vault {
            Kind::Folder($one) => $done,
            #[cfg(feature = "object-store")]
            Kind::Bucket($one) => $done,
        }
    };
}

impl Vault {
    /// The place of this name: `DIR`, `file:///DIR`, or in an object store `s3://BUCKET/PREFIX`,
    /// `gs://BUCKET/PREFIX`, `az://CONTAINER/PREFIX`, with credentials from the usual variables of these.
    /// Nothing is read or written yet.
    ///
    /// # Errors
    /// When there is no such kind of place, or what is needed to reach it is not set.
    pub fn named(place: &str) -> Result<Self, VaultError> {
        match place.split_once("://") {
            None => Ok(Self(Kind::Folder(Folder::new(place)))),
            Some(("file", path)) if path.starts_with('/') => Ok(Self(Kind::Folder(Folder::new(path)))),
            Some(("file", _)) => Err(VaultError::new(
                format!("{place} names another computer"),
                "write it with three slashes: file:///DIR",
            )),
            #[cfg(feature = "object-store")]
            Some(_) => Ok(Self(Kind::Bucket(Bucket::named(place)?))),
            #[cfg(not(feature = "object-store"))]
            Some(_) => Err(VaultError::new(
                format!("{place}: this build knows no object stores"),
                "use a build with the feature object-store, or a folder",
            )),
        }
    }

    /// Lets one writer in, until [`Vault::unlock`]; a folder is made if there is none.
    ///
    /// # Errors
    /// When another one is in, or nothing can be written there.
    pub async fn lock(&mut self) -> Result<(), VaultError> {
        either!(&mut self.0, place => place.lock().await)
    }

    /// Lets the next writer in. In an object store one that never comes here is out after ten minutes
    /// without a new file.
    pub async fn unlock(&mut self) {
        either!(&mut self.0, place => place.unlock().await);
    }

    /// Reads the list of files.
    ///
    /// # Errors
    /// See [`ManifestError`].
    pub async fn load(&mut self) -> Result<Manifest, ManifestError> {
        either!(&mut self.0, place => place.load().await)
    }

    /// Writes the list of files, durably, when the files in it are there.
    ///
    /// # Errors
    /// When it cannot, or somebody else has written it since it was loaded; the former list is then still
    /// there.
    pub async fn save(&mut self, manifest: &Manifest) -> Result<(), VaultError> {
        either!(&mut self.0, place => place.save(manifest).await)
    }

    /// Where a file of this name is made, whole, before [`Vault::keep`].
    #[must_use]
    pub fn stage(&self, name: &str) -> PathBuf {
        either!(&self.0, place => place.stage(name))
    }

    /// Has what was made there be a file of the backup; its name in it.
    ///
    /// # Errors
    /// When it cannot be written.
    pub async fn keep(&mut self, name: String, staged: &Path) -> Result<String, VaultError> {
        either!(&mut self.0, place => place.keep(name, staged).await)
    }

    /// Opens a file of the backup, which has so many bytes. It is read by blocking: in a runtime of several
    /// threads.
    ///
    /// # Errors
    /// When there is none.
    pub fn open(&self, name: &str, bytes: u64) -> io::Result<Reader> {
        either!(&self.0, place => place.open(name, bytes))
    }

    /// Opens a file that the list names.
    ///
    /// # Errors
    /// When there is none.
    pub fn open_part(&self, part: &Part) -> io::Result<Reader> {
        self.open(&part.file, part.bytes)
    }

    /// What a person would call a file of it.
    #[must_use]
    pub fn path(&self, name: &str) -> String {
        format!("{}/{name}", self.to_string().trim_end_matches('/'))
    }
}

impl fmt::Display for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        either!(&self.0, place => fmt::Display::fmt(place, f))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_told_apart() {
        for folder in ["backup", "/var/backup", "file:///var/backup"] {
            assert!(matches!(Vault::named(folder).expect(folder).0, Kind::Folder(_)), "{folder}");
        }
        assert_eq!(Vault::named("file:///var/backup").expect("a folder").to_string(), "/var/backup");
        for other in ["file://host/var", "ftp://host/path", "s3://", "http://host/path"] {
            let refused = Vault::named(other).expect_err(other);
            assert!(!refused.remedy.is_empty(), "{refused}");
        }
    }
}
