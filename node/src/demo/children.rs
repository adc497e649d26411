//! The nodes of the demonstration: child processes that never outlive it.

use anyhow::{Context, bail};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Time for a node to stop by itself.
const GRACE: Duration = Duration::from_secs(5);
/// How often it is looked at meanwhile.
const LOOK: Duration = Duration::from_millis(20);
/// Bytes of a node's log that an error shows.
const LOG_TAIL_BYTES: u64 = 2_000;

/// How the nodes are started.
#[derive(Debug, Clone)]
pub struct Launch {
    /// How many.
    pub nodes: usize,
    /// Raft groups beside the meta group.
    pub shards: u32,
    /// Speed of log time.
    pub speed: u32,
    /// A fault to plant in each, for tests of the checker.
    pub plant: Option<String>,
}

/// Running nodes and the folder with their data. Dropping it stops the nodes, waits until they are
/// gone, and removes the folder.
#[derive(Debug)]
pub struct Children {
    nodes: Vec<Child>,
    addresses: Vec<String>,
    folder: TempDir,
}

/// Free ports of the loopback interface, held until all are known so that they differ.
fn free_addresses(count: usize) -> anyhow::Result<Vec<String>> {
    let held: Vec<TcpListener> = (0..count)
        .map(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))
        .collect::<Result<_, _>>()
        .context("no free port on 127.0.0.1")?;
    held.iter().map(|one| Ok(one.local_addr()?.to_string())).collect()
}

impl Children {
    /// Starts the nodes.
    ///
    /// # Errors
    /// No folder, no port, or a process that cannot be started.
    pub fn start(launch: &Launch) -> anyhow::Result<Self> {
        let program = std::env::current_exe().context("this program does not know where it is")?;
        let folder = tempfile::Builder::new()
            .prefix("centralita-demo-")
            .tempdir()
            .context("a temporary folder cannot be made")?;
        let addresses = free_addresses(launch.nodes)?;
        let mut children = Self { nodes: Vec::new(), addresses, folder };
        for number in 1..=launch.nodes {
            let node =
                children.command(&program, launch, number)?.spawn().context("a node cannot be started")?;
            children.nodes.push(node);
        }
        Ok(children)
    }

    fn command(&self, program: &std::path::Path, launch: &Launch, number: usize) -> anyhow::Result<Command> {
        let data = self.folder.path().join(format!("node-{number}"));
        std::fs::create_dir(&data).with_context(|| data.display().to_string())?;
        let log = File::create(self.log(number)).context("a node's log cannot be written")?;
        let mut command = Command::new(program);
        command
            .arg("serve")
            .arg("--data")
            .arg(&data)
            .args(["--listen", &self.addresses[number - 1]])
            .args(["--node", &number.to_string()])
            .args(["--cluster", "demo"])
            .args(["--shards", &launch.shards.to_string()])
            .args(["--speed", &launch.speed.to_string()])
            .args(["--log", "warn"])
            .arg("--stop-on-stdin-eof");
        // Settings meant for other nodes are none of these nodes' business.
        for (name, _) in
            std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("CENTRALITA_"))
        {
            command.env_remove(name);
        }
        for (index, address) in self.addresses.iter().enumerate() {
            command.args(["--member", &format!("{}={address}", index + 1)]);
        }
        if let Some(plant) = &launch.plant {
            command.args(["--plant", plant]).env("CENTRALITA_ALLOW_TEST_FAULTS", "1");
        }
        command.stdin(Stdio::piped()).stdout(log.try_clone()?).stderr(log);
        Ok(command)
    }

    fn log(&self, number: usize) -> PathBuf {
        self.folder.path().join(format!("node-{number}.log"))
    }

    /// Where the nodes listen, in their order.
    #[must_use]
    pub fn addresses(&self) -> &[String] {
        &self.addresses
    }

    /// The processes' ids.
    #[must_use]
    pub fn ids(&self) -> Vec<u32> {
        self.nodes.iter().map(Child::id).collect()
    }

    /// Whether all are there.
    ///
    /// # Errors
    /// A node has ended; the error shows the end of its log.
    pub fn check(&mut self) -> anyhow::Result<()> {
        for index in 0..self.nodes.len() {
            if let Some(status) = self.nodes[index].try_wait()? {
                bail!("node {} has ended ({status}):\n{}", index + 1, self.log_tail(index + 1));
            }
        }
        Ok(())
    }

    fn log_tail(&self, number: usize) -> String {
        let read = || -> std::io::Result<String> {
            let mut file = File::open(self.log(number))?;
            let length = file.metadata()?.len();
            file.seek(SeekFrom::Start(length.saturating_sub(LOG_TAIL_BYTES)))?;
            let mut tail = Vec::new();
            file.read_to_end(&mut tail)?;
            Ok(String::from_utf8_lossy(&tail).into_owned())
        };
        read().unwrap_or_default()
    }
}

impl Drop for Children {
    fn drop(&mut self) {
        for node in &mut self.nodes {
            // The end of its standard input tells a node to stop.
            drop(node.stdin.take());
        }
        let deadline = Instant::now() + GRACE;
        for node in &mut self.nodes {
            while matches!(node.try_wait(), Ok(None)) && Instant::now() < deadline {
                std::thread::sleep(LOOK);
            }
            if matches!(node.try_wait(), Ok(None)) {
                let _ = node.kill();
            }
            let _ = node.wait();
        }
    }
}
