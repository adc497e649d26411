//! One node: a child process.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// The binary under test.
pub const BINARY: &str = env!("CARGO_BIN_EXE_centralita");

/// How to start a node.
#[derive(Debug, Clone)]
pub struct Start {
    data: PathBuf,
    listen: String,
    shards: u32,
    args: Vec<String>,
    env: Vec<(String, String)>,
}

impl Start {
    /// A single node on a free port, two shards.
    pub fn new(data: &Path) -> Self {
        Self {
            data: data.to_owned(),
            listen: "127.0.0.1:0".to_owned(),
            shards: 2,
            args: Vec::new(),
            env: Vec::new(),
        }
    }

    /// At this address.
    pub fn listen(mut self, address: &str) -> Self {
        address.clone_into(&mut self.listen);
        self
    }

    /// With this number of shards.
    pub fn shards(mut self, shards: u32) -> Self {
        self.shards = shards;
        self
    }

    /// With another argument.
    pub fn arg(mut self, arg: impl Into<String>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// With another variable.
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With leave to use the hidden flags.
    pub fn faults(self) -> Self {
        self.env("CENTRALITA_ALLOW_TEST_FAULTS", "1")
    }

    fn command(&self) -> Command {
        let mut command = Command::new(BINARY);
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("CENTRALITA_")) {
            command.env_remove(name);
        }
        command
            .arg("serve")
            .arg("--data")
            .arg(&self.data)
            .args(["--listen", &self.listen, "--shards", &self.shards.to_string()])
            .args(&self.args)
            .envs(self.env.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Starts a node and waits until it serves.
    ///
    /// # Panics
    /// When it does not; with what it said.
    pub fn serve(&self) -> Node {
        let mut running = Running::spawn(self.command());
        match running.ready() {
            Some(address) => Node { running, address, start: self.clone() },
            None => panic!("the node did not serve: {}", running.errors()),
        }
    }

    /// Starts a node that is expected to refuse, and waits for its end.
    ///
    /// # Panics
    /// When it serves.
    pub fn refuse(&self) -> Ended {
        let mut running = Running::spawn(self.command());
        if let Some(address) = running.ready() {
            panic!("the node serves at {address}, but should refuse");
        }
        running.end()
    }

    /// Starts a node that is expected to end by itself, and waits for it.
    pub fn ends(&self) -> Ended {
        let mut running = Running::spawn(self.command());
        // It may serve for a moment.
        let _ = running.ready();
        running.end()
    }
}

/// How a process ended.
#[derive(Debug)]
pub struct Ended {
    /// Its exit code.
    pub code: Option<i32>,
    /// What it wrote to stderr.
    pub errors: String,
}

struct Running {
    child: Child,
    lines: Receiver<String>,
    errors: Arc<Mutex<String>>,
    drained: Option<thread::JoinHandle<()>>,
}

impl Running {
    fn spawn(mut command: Command) -> Self {
        let mut child = command.spawn().expect("the binary starts");
        let stdout = child.stdout.take().expect("piped");
        let mut stderr = child.stderr.take().expect("piped");
        let (said, lines) = channel();
        thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                // Nobody listens once the node is ready; the pipe is emptied all the same.
                let _ = said.send(line);
            }
        });
        let errors = Arc::new(Mutex::new(String::new()));
        let into = Arc::clone(&errors);
        let drained = thread::spawn(move || {
            let mut buffer = [0; 4_096];
            while let Ok(read @ 1..) = stderr.read(&mut buffer) {
                into.lock().expect("not poisoned").push_str(&String::from_utf8_lossy(&buffer[..read]));
            }
        });
        Self { child, lines, errors, drained: Some(drained) }
    }

    /// The address of the ready line; `None` when the process ends without one.
    fn ready(&mut self) -> Option<String> {
        let deadline = Instant::now() + super::PATIENCE;
        while Instant::now() < deadline {
            match self.lines.recv_timeout(Duration::from_millis(100)) {
                Ok(line) => {
                    let said: serde_json::Value = serde_json::from_str(&line).unwrap_or_default();
                    if said["ready"] == true {
                        return said["address"].as_str().map(ToOwned::to_owned);
                    }
                }
                Err(std::sync::mpsc::RecvTimeoutError::Timeout) => {}
                Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => return None,
            }
        }
        panic!("neither ready nor ended: {}", self.errors());
    }

    fn errors(&self) -> String {
        self.errors.lock().expect("not poisoned").clone()
    }

    /// Waits for its end.
    fn end(mut self) -> Ended {
        let status = self.child.wait().expect("a child's status");
        // What it said last is read by another thread, which may be behind.
        if let Some(drained) = self.drained.take() {
            drained.join().expect("stderr is read to its end");
        }
        Ended { code: status.code(), errors: self.errors() }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if let Some(drained) = self.drained.take() {
            let _ = drained.join();
        }
        if thread::panicking() {
            eprintln!("--- node {} said:\n{}---", self.child.id(), self.errors());
        }
    }
}

/// A serving node. Killed when dropped.
pub struct Node {
    running: Running,
    /// Where it serves.
    pub address: String,
    start: Start,
}

impl Node {
    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.running.child.id()
    }

    /// What it has logged so far.
    pub fn errors(&self) -> String {
        self.running.errors()
    }

    /// Kills it as a crash would (SIGKILL).
    pub fn kill(mut self) -> Start {
        self.running.child.kill().expect("its own child");
        self.running.child.wait().expect("a child's status");
        Start { listen: self.address.clone(), ..self.start.clone() }
    }

    /// Asks it to stop (SIGTERM) and waits until it has.
    pub fn stop(mut self) -> (ExitStatus, Start) {
        self.signal("-TERM");
        let status = self.running.child.wait().expect("a child's status");
        (status, Start { listen: self.address.clone(), ..self.start.clone() })
    }

    /// Waits until it has ended by itself.
    pub fn wait(mut self) -> (ExitStatus, Start) {
        let status = self.running.child.wait().expect("a child's status");
        (status, self.start.clone())
    }

    /// Waits until it has ended, by itself or by a signal.
    pub fn ended(self) -> Ended {
        self.running.end()
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: &str) {
        let sent = Command::new("kill").arg(signal).arg(self.pid().to_string()).status();
        assert!(sent.expect("kill runs").success(), "the node is gone already: {}", self.errors());
    }

    /// ERROR means that a person must look: a test that expects none calls this at its end.
    pub fn assert_no_errors(&self) {
        let errors = self.errors();
        let bad: Vec<&str> = errors.lines().filter(|line| line.contains("ERROR")).collect();
        assert!(bad.is_empty(), "the node logged errors: {bad:#?}");
    }
}

impl Node {
    /// What `ctl` says when it is asked of this node, as `sol`; else what it says is wrong.
    pub fn ctl(&self, args: &[&str]) -> Result<String, String> {
        let output = run(&[&["ctl", "--target", &self.address, "--as", "sol"], args].concat());
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
        if output.status.success() { Ok(text(output.stdout)) } else { Err(text(output.stderr)) }
    }
}

/// Runs the binary to its end with these arguments.
pub fn run(args: &[&str]) -> std::process::Output {
    Command::new(BINARY).args(args).stdin(Stdio::null()).output().expect("the binary starts")
}
