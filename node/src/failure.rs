//! Why a command of the binary fails: an exit code, a sentence, and a remedy.

use crate::backup::VaultError;
use crate::config::ConfigError;
use std::fmt::Display;
use std::process::ExitCode;

/// What every exit code means; shown by `--help`.
pub const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  a failure without a code of its own
  2  the command line or the configuration is wrong
  3  the address cannot be listened at (in use, not ours)
  4  the data folder cannot be used (in use, of another cluster, another version, damaged)
  5  no node answers
  6  the cluster refused";

/// The kinds of failure, by exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// Without a code of its own.
    Other = 1,
    /// Command line or configuration.
    Config = 2,
    /// Cannot listen.
    Listen = 3,
    /// Data folder.
    Data = 4,
    /// No node answers.
    Unreachable = 5,
    /// The cluster refused.
    Refused = 6,
}

/// A failure of a command.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// Decides the exit code.
    pub kind: Kind,
    /// What is wrong.
    pub message: String,
    /// What to do, if the message does not say.
    pub remedy: Option<String>,
}

impl From<VaultError> for Failure {
    fn from(error: VaultError) -> Self {
        Self::new(Kind::Data, error.message).remedy(error.remedy)
    }
}

impl Failure {
    /// A failure without a remedy of its own.
    pub fn new(kind: Kind, message: impl Display) -> Self {
        Self { kind, message: message.to_string(), remedy: None }
    }

    /// The same with a remedy.
    #[must_use]
    pub fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }

    /// Prints it to stderr and gives the exit code.
    #[must_use]
    pub fn report(&self) -> ExitCode {
        eprintln!("error: {}", self.message);
        if let Some(remedy) = &self.remedy {
            eprintln!("remedy: {remedy}");
        }
        ExitCode::from(self.kind as u8)
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::new(Kind::Config, error)
    }
}
