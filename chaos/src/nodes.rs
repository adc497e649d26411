//! The nodes: child processes that never outlive this one.

use anyhow::{Context, bail};
use std::fs::File;
use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Time for a node to stop in good order.
const GRACE: Duration = Duration::from_secs(15);
const LOOK: Duration = Duration::from_millis(10);

/// Nodes with their data in a temporary folder.
pub struct Nodes {
    program: PathBuf,
    shards: u32,
    addresses: Vec<String>,
    running: Vec<Option<Child>>,
    /// The first of them are listed as the cluster's founders; the others join.
    founders: usize,
    folder: TempDir,
}

/// The binary that is named, or the one beside this.
///
/// # Errors
/// When it is not there.
pub fn binary(named: Option<PathBuf>) -> anyhow::Result<PathBuf> {
    let beside = || -> anyhow::Result<PathBuf> {
        let this = std::env::current_exe().context("this program does not know where it is")?;
        Ok(this.with_file_name("centralita"))
    };
    let program = named.map_or_else(beside, Ok)?;
    if !program.exists() {
        bail!(
            "{} is not there: build it (cargo build --release --workspace), or name it with --centralita",
            program.display()
        );
    }
    Ok(program)
}

impl Nodes {
    /// Starts so many.
    ///
    /// # Errors
    /// No binary, folder or port.
    pub fn start(program: Option<PathBuf>, count: u64, shards: u32) -> anyhow::Result<Self> {
        let program = binary(program)?;
        let folder = tempfile::Builder::new().prefix("centralita-chaos-").tempdir().context("a folder")?;
        // Held until all are known, so that they differ.
        let held: Vec<TcpListener> = (0..count)
            .map(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))
            .collect::<Result<_, _>>()
            .context("no free port on 127.0.0.1")?;
        let addresses: Vec<String> =
            held.iter().map(|one| Ok(one.local_addr()?.to_string())).collect::<anyhow::Result<_>>()?;
        drop(held);
        let running: Vec<Option<Child>> = addresses.iter().map(|_| None).collect();
        let founders = running.len();
        let mut nodes = Self { program, shards, addresses, running, founders, folder };
        for place in 0..nodes.addresses.len() {
            nodes.run(place)?;
        }
        Ok(nodes)
    }

    /// From now on nodes are started with this binary.
    pub fn install(&mut self, program: PathBuf) {
        self.program = program;
    }

    /// Where they listen, in their order.
    pub fn addresses(&self) -> &[String] {
        &self.addresses
    }

    /// Starts one more node, which joins; its place.
    ///
    /// # Errors
    /// No port, or the process cannot be started.
    pub fn join(&mut self) -> anyhow::Result<usize> {
        let held = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no free port on 127.0.0.1")?;
        self.addresses.push(held.local_addr()?.to_string());
        self.running.push(None);
        drop(held);
        let place = self.addresses.len() - 1;
        self.run(place)?;
        Ok(place)
    }

    /// Kills a node and removes its data: it never comes back.
    ///
    /// # Errors
    /// When it does not run, or the disk's.
    pub fn destroy(&mut self, place: usize) -> anyhow::Result<()> {
        self.kill(place)?;
        let data = self.folder.path().join(format!("node-{}", place + 1));
        std::fs::remove_dir_all(&data).with_context(|| data.display().to_string())
    }

    /// Starts a node that does not run; its place counts from 0.
    ///
    /// # Errors
    /// When the process cannot be started.
    pub fn run(&mut self, place: usize) -> anyhow::Result<()> {
        let number = place + 1;
        let log = self.folder.path().join(format!("node-{number}.log"));
        let log = File::options().create(true).append(true).open(log).context("a node's log")?;
        let mut command = Command::new(&self.program);
        for (name, _) in
            std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("CENTRALITA_"))
        {
            command.env_remove(name);
        }
        command
            .args(["serve", "--stop-on-stdin-eof", "--log", "info", "--cluster", "chaos"])
            .arg("--data")
            .arg(self.folder.path().join(format!("node-{number}")))
            .args(["--listen", &self.addresses[place]]);
        let founders = &self.addresses[..self.founders];
        if place < self.founders {
            command.args(["--node", &number.to_string(), "--shards", &self.shards.to_string()]);
            for (other, address) in founders.iter().enumerate() {
                command.args(["--member", &format!("{}={address}", other + 1)]);
            }
        } else {
            command.args(["--join", &founders.join(",")]);
        }
        command.stdin(Stdio::piped()).stdout(log.try_clone()?).stderr(log);
        self.running[place] = Some(command.spawn().context("a node cannot be started")?);
        Ok(())
    }

    /// Kills a node as a crash would.
    ///
    /// # Errors
    /// When it does not run.
    pub fn kill(&mut self, place: usize) -> anyhow::Result<()> {
        let mut node = self.running[place].take().context("the node does not run")?;
        node.kill()?;
        node.wait()?;
        Ok(())
    }

    /// Stops a node's process where it is: nobody is told anything, as if it were cut off. It can be killed.
    ///
    /// # Errors
    /// When it does not run.
    pub fn freeze(&mut self, place: usize) -> anyhow::Result<()> {
        let node = self.running[place].as_ref().context("the node does not run")?;
        let told = Command::new("kill").arg("-STOP").arg(node.id().to_string()).status()?;
        anyhow::ensure!(told.success(), "node {} could not be stopped", place + 1);
        Ok(())
    }

    /// Has a node stop in good order, and waits for it.
    ///
    /// # Errors
    /// When it does not run, or does not stop.
    pub async fn stop(&mut self, place: usize) -> anyhow::Result<()> {
        let mut node = self.running[place].take().context("the node does not run")?;
        // The end of its standard input tells a node to stop.
        drop(node.stdin.take());
        let until = Instant::now() + GRACE;
        while node.try_wait()?.is_none() {
            if Instant::now() >= until {
                node.kill()?;
                node.wait()?;
                bail!("node {} did not stop within {GRACE:?}", place + 1);
            }
            tokio::time::sleep(LOOK).await;
        }
        Ok(())
    }

    /// Fails when a node has ended by itself; shows the end of its log.
    ///
    /// # Errors
    /// When one has.
    pub fn check(&mut self) -> anyhow::Result<()> {
        for (place, node) in self.running.iter_mut().enumerate() {
            if let Some(child) = node
                && let Some(status) = child.try_wait()?
            {
                let log = self.folder.path().join(format!("node-{}.log", place + 1));
                let text = std::fs::read_to_string(log).unwrap_or_default();
                let tail: Vec<&str> = text.lines().rev().take(20).collect();
                let tail: Vec<&str> = tail.into_iter().rev().collect();
                bail!("node {} has ended ({status}):\n{}", place + 1, tail.join("\n"));
            }
        }
        Ok(())
    }
}

impl Drop for Nodes {
    fn drop(&mut self) {
        for node in self.running.iter_mut().flatten() {
            // It may have ended already.
            let _ = node.kill();
            let _ = node.wait();
        }
    }
}
