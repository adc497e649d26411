//! Real files, on a thread of their own.

use super::{Disk, DiskFile, FolderLock, OpenMode};
use async_trait::async_trait;
use bytes::Bytes;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};

/// Requests that wait for the thread; whoever comes after waits before sending.
const REQUESTS_MAX: usize = 1024;

type Job = Box<dyn FnOnce() + Send>;

/// Real files. Requests are done one after the other by a thread that ends with the last clone and
/// the last open file. Give the log one and everything else another, or a long read delays commits.
#[derive(Clone)]
pub struct RealDisk {
    jobs: mpsc::Sender<Job>,
}

impl RealDisk {
    /// Starts the thread.
    ///
    /// # Errors
    /// When the operating system refuses a thread.
    pub fn new() -> io::Result<RealDisk> {
        let (jobs, mut inbox) = mpsc::channel::<Job>(REQUESTS_MAX);
        // The only thread below node/: file calls block, and this type is never simulated.
        std::thread::Builder::new().name("disk".into()).spawn(move || {
            while let Some(job) = inbox.blocking_recv() {
                job();
            }
        })?;
        Ok(RealDisk { jobs })
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> io::Result<T> + Send + 'static,
    ) -> io::Result<T> {
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move || {
            // The caller may be gone; the work is done all the same.
            let _ = answer.send(work());
        });
        let stopped = || io::Error::other("the disk's thread has ended");
        self.jobs.send(job).await.map_err(|_| stopped())?;
        answered.await.map_err(|_| stopped())?
    }

    async fn at<T: Send + 'static>(
        &self,
        path: &Path,
        work: impl FnOnce(&Path) -> io::Result<T> + Send + 'static,
    ) -> io::Result<T> {
        let path = path.to_owned();
        self.run(move || work(&path).map_err(|error| name_path(error, &path))).await
    }
}

/// Says which file an error is about.
fn name_path(error: io::Error, path: &Path) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

fn create_folders(path: &Path) -> io::Result<()> {
    let missing: Vec<PathBuf> =
        path.ancestors().take_while(|folder| !folder.exists()).map(Path::to_owned).collect();
    std::fs::create_dir_all(path)?;
    for folder in missing {
        if let Some(parent) = folder.parent() {
            sync_folder(if parent.as_os_str().is_empty() { Path::new(".") } else { parent })?;
        }
    }
    Ok(())
}

fn file_names(folder: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            let name = entry.file_name().into_string().map_err(|name| {
                io::Error::new(io::ErrorKind::InvalidData, format!("{} is not UTF-8", name.display()))
            })?;
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

#[async_trait]
impl Disk for RealDisk {
    async fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        self.at(path, create_folders).await
    }

    async fn list(&self, folder: &Path) -> io::Result<Vec<String>> {
        self.at(folder, file_names).await
    }

    async fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Arc<dyn DiskFile>> {
        let file = self
            .at(path, move |path| {
                OpenOptions::new().read(true).write(true).create_new(mode == OpenMode::CreateNew).open(path)
            })
            .await?;
        Ok(Arc::new(RealFile { disk: self.clone(), file: Arc::new(file), path: path.to_owned() }))
    }

    async fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let to = to.to_owned();
        self.at(from, move |from| std::fs::rename(from, to)).await
    }

    async fn remove(&self, path: &Path) -> io::Result<()> {
        self.at(path, |path| std::fs::remove_file(path)).await
    }

    async fn sync_dir(&self, folder: &Path) -> io::Result<()> {
        self.at(folder, sync_folder).await
    }

    async fn lock(&self, folder: &Path) -> io::Result<Box<dyn FolderLock>> {
        let file = self
            .at(&folder.join("LOCK"), |path| {
                let file = OpenOptions::new().write(true).create(true).truncate(false).open(path)?;
                file.try_lock()?;
                Ok(file)
            })
            .await?;
        Ok(Box::new(RealLock { _file: file }))
    }
}

/// The operating system gives the lock back when the file is closed, by a crash too.
struct RealLock {
    _file: File,
}

impl FolderLock for RealLock {}

struct RealFile {
    disk: RealDisk,
    file: Arc<File>,
    path: PathBuf,
}

impl RealFile {
    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&File) -> io::Result<T> + Send + 'static,
    ) -> io::Result<T> {
        let file = self.file.clone();
        self.disk.run(move || work(&file)).await.map_err(|error| name_path(error, &self.path))
    }
}

fn read_up_to(file: &File, offset: u64, len: usize) -> io::Result<Vec<u8>> {
    let mut buffer = vec![0; len];
    let mut filled = 0;
    while filled < len {
        match file.read_at(&mut buffer[filled..], offset + filled as u64) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    buffer.truncate(filled);
    Ok(buffer)
}

#[async_trait]
impl DiskFile for RealFile {
    async fn write_at(&self, offset: u64, data: Bytes) -> io::Result<()> {
        self.run(move |file| file.write_all_at(&data, offset)).await
    }

    async fn sync_data(&self) -> io::Result<()> {
        self.run(File::sync_data).await
    }

    async fn write_at_and_sync(&self, offset: u64, data: Bytes) -> io::Result<()> {
        self.run(move |file| {
            file.write_all_at(&data, offset)?;
            file.sync_data()
        })
        .await
    }

    async fn read_at(&self, offset: u64, len: usize) -> io::Result<Vec<u8>> {
        self.run(move |file| read_up_to(file, offset, len)).await
    }

    async fn size(&self) -> io::Result<u64> {
        self.run(|file| Ok(file.metadata()?.len())).await
    }

    async fn truncate(&self, len: u64) -> io::Result<()> {
        self.run(move |file| file.set_len(len)).await
    }
}
