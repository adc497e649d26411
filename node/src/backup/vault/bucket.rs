//! A backup in an object store.
//!
//! Nothing rests on the lock: files have names of their own for each backup and are never written over, and
//! the list of files is written only over the one that was read. The lock spares two writers the work.

use super::super::manifest::{Manifest, ManifestError};
use super::remote::Remote;
use super::{Reader, VaultError};
use object_store::aws::AmazonS3Builder;
use object_store::azure::MicrosoftAzureBuilder;
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::path::Path;
use object_store::{
    Error, ObjectStore, ObjectStoreExt, ObjectStoreScheme, PutMode, PutOptions, PutPayload, UpdateVersion,
    WriteMultipart,
};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tempfile::TempDir;
use tokio::io::AsyncReadExt;
use tokio_util::bytes::Bytes;
use url::Url;

const LIST: &str = "backup.json";
const LOCK: &str = "lock";
/// A writer of which nothing came for this long is out.
const LOCK_MAX: Duration = Duration::from_secs(600);
/// A file that is larger is sent in parts of so many bytes: stores take 10,000 parts of a file.
const PART_BYTES: usize = 16 << 20;
/// So many parts are on their way at a time, at most.
const PARTS_MAX: usize = 4;

/// What the lock says.
#[derive(Debug, Serialize, Deserialize)]
struct Held {
    /// Until when, Unix milliseconds, if nothing comes of the writer.
    until_ms: u64,
    /// Which writer: the version of what is written may be told by its content alone.
    by: String,
}

/// A prefix in an object store.
#[derive(Debug)]
pub struct Bucket {
    name: String,
    store: Arc<dyn ObjectStore>,
    prefix: Path,
    /// Where files are made before they are sent, one at a time.
    staging: Option<TempDir>,
    /// The version of the list that was loaded, if there was one.
    list: Option<UpdateVersion>,
    /// The version of the lock that this writer has written.
    lock: Option<UpdateVersion>,
    /// In the names of all files of this writer.
    draw: String,
}

impl Bucket {
    /// The place that a URL names.
    ///
    /// # Errors
    /// When it names none, or the variables do not say how to reach it.
    pub fn named(place: &str) -> Result<Self, VaultError> {
        const KINDS: &str = "name a folder, s3://BUCKET/PREFIX, gs://BUCKET/PREFIX or az://CONTAINER/PREFIX";
        let unknown = || VaultError::new(format!("{place} is no place for a backup"), KINDS);
        let url: Url = place.parse().map_err(|_| unknown())?;
        let (scheme, prefix) = ObjectStoreScheme::parse(&url).map_err(|_| unknown())?;
        let store: object_store::Result<Arc<dyn ObjectStore>> = match scheme {
            ObjectStoreScheme::AmazonS3 => {
                AmazonS3Builder::from_env().with_url(place).build().map(|store| Arc::new(store) as _)
            }
            ObjectStoreScheme::GoogleCloudStorage => GoogleCloudStorageBuilder::from_env()
                .with_url(place)
                .build()
                .map(|store| Arc::new(store) as _),
            ObjectStoreScheme::MicrosoftAzure => {
                MicrosoftAzureBuilder::from_env().with_url(place).build().map(|store| Arc::new(store) as _)
            }
            _ => return Err(unknown()),
        };
        let store = store.map_err(|error| {
            VaultError::new(format!("{place}: {error}"), "set the variables of the store (docs/backup.md)")
        })?;
        Ok(Self::over(store, prefix, place))
    }

    fn over(store: Arc<dyn ObjectStore>, prefix: Path, name: &str) -> Self {
        let draw = uuid::Uuid::now_v7().simple().to_string();
        Self { name: name.to_owned(), store, prefix, staging: None, list: None, lock: None, draw }
    }

    fn at(&self, name: &str) -> Path {
        self.prefix.clone().join(name)
    }

    fn failed(&self, what: &str, error: &Error) -> VaultError {
        let remedy = match error {
            Error::PermissionDenied { .. } | Error::Unauthenticated { .. } => {
                "the credentials must allow to read and write there (docs/backup.md)"
            }
            Error::NotImplemented { .. } => "the store must know conditional writes: name another one",
            _ => "try again; what was there before is whole",
        };
        VaultError::new(format!("{}: {what}: {error}", self.name), remedy)
    }

    async fn put(&self, name: &str, text: String, mode: PutMode) -> Result<UpdateVersion, Error> {
        let options = PutOptions { mode, ..PutOptions::default() };
        let put = self.store.put_opts(&self.at(name), PutPayload::from(text), options).await?;
        Ok(put.into())
    }

    async fn get(&self, name: &str) -> Result<(Bytes, UpdateVersion), Error> {
        let got = self.store.get(&self.at(name)).await?;
        let version = UpdateVersion { e_tag: got.meta.e_tag.clone(), version: got.meta.version.clone() };
        Ok((got.bytes().await?, version))
    }

    pub async fn lock(&mut self) -> Result<(), VaultError> {
        let staging = TempDir::new().map_err(|error| {
            VaultError::new(
                format!("no temporary folder: {error}"),
                "set TMPDIR to one that can be written to",
            )
        })?;
        let lock = match self.put(LOCK, self.held(wall_ms()), PutMode::Create).await {
            Ok(lock) => lock,
            Err(Error::AlreadyExists { .. } | Error::Precondition { .. }) => self.take_over().await?,
            Err(error) => return Err(self.failed("no backup can be written", &error)),
        };
        (self.lock, self.staging) = (Some(lock), Some(staging));
        Ok(())
    }

    fn held(&self, now_ms: u64) -> String {
        let lasts_ms = u64::try_from(LOCK_MAX.as_millis()).unwrap_or(u64::MAX);
        self.held_until(now_ms.saturating_add(lasts_ms))
    }

    fn held_until(&self, until_ms: u64) -> String {
        serde_json::json!(Held { until_ms, by: self.draw.clone() }).to_string()
    }

    /// Takes the place of a writer that is done, or of which nothing comes any more.
    async fn take_over(&self) -> Result<UpdateVersion, VaultError> {
        let (text, version) = self.get(LOCK).await.map_err(|error| self.failed("the lock", &error))?;
        // One that cannot be read is of nobody that goes on.
        let until_ms = serde_json::from_slice::<Held>(&text).map_or(0, |held| held.until_ms);
        let left_s = until_ms.saturating_sub(wall_ms()) / 1_000;
        if left_s > 0 {
            let remedy =
                format!("wait for it; if it was interrupted, for {left_s} s, or remove the file {LOCK}");
            return Err(VaultError::new(format!("another backup into {self} is under way"), &remedy));
        }
        match self.put(LOCK, self.held(wall_ms()), PutMode::Update(version)).await {
            Ok(lock) => Ok(lock),
            Err(Error::Precondition { .. }) => Err(VaultError::new(
                format!("another backup into {self} has just begun"),
                "wait for it, or choose another place",
            )),
            Err(error) => Err(self.failed("the lock", &error)),
        }
    }

    /// Says that this writer goes on.
    async fn renew(&mut self) -> Result<(), VaultError> {
        let Some(lock) = self.lock.take() else { return Ok(()) };
        match self.put(LOCK, self.held(wall_ms()), PutMode::Update(lock)).await {
            Ok(lock) => {
                self.lock = Some(lock);
                Ok(())
            }
            Err(Error::Precondition { .. }) => Err(VaultError::new(
                format!("another backup into {self} took over, since this one took too long"),
                "let one be made at a time",
            )),
            Err(error) => Err(self.failed("the lock", &error)),
        }
    }

    pub async fn unlock(&mut self) {
        self.staging = None;
        let Some(lock) = self.lock.take() else { return };
        let free = self.held_until(0);
        // Otherwise it is over by itself.
        if let Err(error) = self.put(LOCK, free, PutMode::Update(lock)).await {
            tracing::debug!("{self}: the lock is not given back: {error}");
        }
    }

    pub async fn load(&mut self) -> Result<Manifest, ManifestError> {
        let unreadable = |why: String| ManifestError::Unreadable(self.name.clone(), why);
        let (text, version) = match self.get(LIST).await {
            Ok(got) => got,
            Err(Error::NotFound { .. }) => return Err(ManifestError::None(self.name.clone())),
            Err(error) => return Err(unreadable(error.to_string())),
        };
        let text = std::str::from_utf8(&text).map_err(|error| unreadable(error.to_string()))?;
        let manifest = Manifest::read(text, &self.name)?;
        self.list = Some(version);
        Ok(manifest)
    }

    pub async fn save(&mut self, manifest: &Manifest) -> Result<(), VaultError> {
        let mode = self.list.clone().map_or(PutMode::Create, PutMode::Update);
        let text = manifest.write().map_err(|error| {
            VaultError::new(format!("{self}: {error}"), "report this; what was there before is whole")
        })?;
        match self.put(LIST, text, mode).await {
            Ok(list) => {
                self.list = Some(list);
                Ok(())
            }
            Err(Error::Precondition { .. } | Error::AlreadyExists { .. }) => Err(VaultError::new(
                format!("{self}: another backup was made meanwhile, and counts; nothing of this one does"),
                "let one be made at a time",
            )),
            Err(error) => Err(self.failed("the list of files is not written", &error)),
        }
    }

    pub fn stage(&self, name: &str) -> PathBuf {
        let folder = self.staging.as_ref().map_or_else(std::env::temp_dir, |folder| folder.path().to_owned());
        folder.join(name)
    }

    pub async fn keep(&mut self, name: String, staged: &std::path::Path) -> Result<String, VaultError> {
        self.renew().await?;
        let name = format!("{}.{}.log", name.trim_end_matches(".log"), self.draw);
        self.send(&name, staged).await.map_err(|error| {
            let message = format!("{self}: {name} is not written: {error}");
            VaultError::new(message, "try again; what was there before is whole")
        })?;
        if let Err(error) = std::fs::remove_file(staged) {
            tracing::debug!("{}: {error}", staged.display());
        }
        Ok(name)
    }

    async fn send(&self, name: &str, staged: &std::path::Path) -> io::Result<()> {
        let mut from = tokio::fs::File::open(staged).await?;
        let first = piece(&mut from).await?;
        if first.len() < PART_BYTES {
            self.store.put(&self.at(name), first.into()).await?;
            return Ok(());
        }
        let upload = self.store.put_multipart(&self.at(name)).await?;
        let mut to = WriteMultipart::new_with_chunk_size(upload, PART_BYTES);
        to.put(first);
        if let Err(error) = send_parts(from, &mut to).await {
            // Parts that were sent are nobody's.
            if let Err(error) = to.abort().await {
                tracing::debug!("{self}: parts of {name} may be left there: {error}");
            }
            return Err(error);
        }
        // It takes its parts away by itself where it fails.
        to.finish().await?;
        Ok(())
    }

    pub fn open(&self, name: &str, bytes: u64) -> io::Result<Reader> {
        Ok(Box::new(Remote::new(Arc::clone(&self.store), self.at(name), bytes)))
    }
}

impl fmt::Display for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// Sends what a file holds from here on, in parts.
async fn send_parts(mut from: tokio::fs::File, to: &mut WriteMultipart) -> io::Result<()> {
    loop {
        let piece = piece(&mut from).await?;
        if piece.is_empty() {
            return Ok(());
        }
        to.wait_for_capacity(PARTS_MAX).await?;
        to.put(piece);
    }
}

/// At most as much as a part holds; less only where the file ends.
async fn piece(from: &mut tokio::fs::File) -> io::Result<Bytes> {
    let mut piece = Vec::new();
    from.take(PART_BYTES as u64).read_to_end(&mut piece).await?;
    Ok(piece.into())
}

fn wall_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use object_store::memory::InMemory;

    fn writers(count: usize) -> Vec<Bucket> {
        let store: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
        (0..count).map(|_| Bucket::over(store.clone(), Path::from("a/b"), "memory:///a/b")).collect()
    }

    fn manifest() -> Manifest {
        Manifest::new("a/1".to_owned(), 1, 1)
    }

    #[tokio::test]
    async fn one_writer_at_a_time_is_let_in_and_the_next_after_it() {
        let mut both = writers(2);
        both[0].lock().await.expect("the first");
        let refused = both[1].lock().await.expect_err("the second");
        assert!(refused.message.contains("is under way") && refused.remedy.contains("wait"), "{refused:?}");
        both[0].renew().await.expect("it goes on");
        both[0].unlock().await;
        both[1].lock().await.expect("the second, after it");
        assert!(both[0].lock().await.is_err());
    }

    #[tokio::test]
    async fn an_interrupted_writer_is_out_in_time_and_then_writes_nothing() {
        let mut both = writers(2);
        both[0].lock().await.expect("the first");
        // It stands still for longer than the lock lasts.
        let over = both[0].held_until(wall_ms());
        let lock = both[0].lock.take().expect("held");
        let lock = both[0].put(LOCK, over, PutMode::Update(lock)).await.expect("its own");
        both[0].lock = Some(lock);
        both[1].lock().await.expect("the second takes over");
        let file = both[1].stage("group-0.0001.whole.log");
        std::fs::write(&file, b"two").expect("written");
        let kept = both[1].keep("group-0.0001.whole.log".to_owned(), &file).await.expect("kept");
        both[1].save(&manifest()).await.expect("the list");
        // The first one wakes.
        let file = both[0].stage("group-0.0001.whole.log");
        std::fs::write(&file, b"one").expect("written");
        let late = both[0].keep("group-0.0001.whole.log".to_owned(), &file).await.expect_err("it is out");
        assert!(late.message.contains("took over"), "{late}");
        assert!(both[0].save(&manifest()).await.is_err(), "over a list that it has not read");
        let (bytes, _) = both[1].get(&kept).await.expect("there");
        assert_eq!(&bytes[..], b"two");
    }

    #[tokio::test]
    async fn the_list_is_written_only_over_the_one_that_was_read() {
        let mut both = writers(2);
        assert!(matches!(both[0].load().await, Err(ManifestError::None(_))));
        both[0].save(&manifest()).await.expect("the first");
        assert_eq!(both[1].load().await.expect("a list"), manifest());
        let mut later = manifest();
        later.made_ms = 7;
        both[1].save(&later).await.expect("over what it read");
        both[1].save(&later).await.expect("over its own");
        let refused = both[0].save(&manifest()).await.expect_err("another was made meanwhile");
        assert!(refused.message.contains("another backup was made meanwhile"), "{refused}");
        assert_eq!(both[0].load().await.expect("a list"), later);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
    async fn a_file_is_read_as_it_was_written_in_pieces() {
        let mut one = writers(1).remove(0);
        one.lock().await.expect("alone");
        let size = 2 * PART_BYTES + 12_345;
        let content: Vec<u8> = (0..size).map(|at| (at * 31 % 251) as u8).collect();
        let staged = one.stage("group-1.0001.whole.log");
        std::fs::write(&staged, &content).expect("written");
        let name = one.keep("group-1.0001.whole.log".to_owned(), &staged).await.expect("kept");
        assert!(name.starts_with("group-1.0001.whole.") && name.ends_with(".log"), "{name}");
        assert!(!staged.exists(), "it is sent");
        let mut read = Vec::new();
        io::Read::read_to_end(&mut one.open(&name, size as u64).expect("there"), &mut read).expect("whole");
        assert!(read == content);
        let mut longer = one.open(&name, size as u64 + 1).expect("there");
        assert!(io::Read::read_to_end(&mut longer, &mut Vec::new()).is_err(), "it has less");
    }
}
