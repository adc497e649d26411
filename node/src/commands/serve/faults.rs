//! Faults on purpose, to prove that checkers see them. Hidden flags, refused unless the environment
//! allows them by name.

use crate::failure::{Failure, Kind};
use routing::{PlantedBug, level};

/// The variable that must be 1.
const LEAVE: &str = "CENTRALITA_ALLOW_TEST_FAULTS";

/// The hidden flags.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct FaultArgs {
    /// Plants a bug in the core.
    #[arg(long, value_name = "BUG", hide = true)]
    pub plant: Option<PlantedBug>,
    /// Loses whatever was not flushed when the process is killed.
    #[arg(long, value_name = "SEED", hide = true)]
    pub lossy_disk: Option<u64>,
    /// Leaves out every flush of the log, so that what it held is lost when the process is killed.
    #[arg(long, hide = true, requires = "lossy_disk")]
    pub skip_sync: bool,
    /// Knows the feature level after this release's, as the next release would.
    #[arg(long, hide = true)]
    pub rehearse_upgrade: bool,
    /// Lets commands through that panic on purpose.
    #[arg(long, hide = true)]
    pub allow_fault_injection: bool,
}

/// The faults a node runs with.
#[derive(Debug, Clone, Default)]
pub(super) struct Faults {
    pub(super) planted: Option<PlantedBug>,
    pub(super) lossy_disk: Option<u64>,
    pub(super) skip_sync: bool,
    pub(super) rehearse_upgrade: bool,
    pub(super) allow_injection: bool,
}

impl Faults {
    /// Reads the flags; any of them needs leave.
    pub(super) fn allow(args: &FaultArgs, allowed: bool) -> Result<Self, Failure> {
        let flags = [
            ("--plant", args.plant.is_some()),
            ("--lossy-disk", args.lossy_disk.is_some()),
            ("--skip-sync", args.skip_sync),
            ("--rehearse-upgrade", args.rehearse_upgrade),
            ("--allow-fault-injection", args.allow_fault_injection),
        ];
        if let Some((flag, _)) = flags.iter().find(|(_, given)| *given && !allowed) {
            let message =
                format!("{flag} breaks promises on purpose and is for tests: set {LEAVE}=1 to allow it");
            return Err(Failure::new(Kind::Config, message));
        }
        Ok(Self {
            planted: args.plant,
            lossy_disk: args.lossy_disk,
            skip_sync: args.skip_sync,
            rehearse_upgrade: args.rehearse_upgrade,
            allow_injection: args.allow_fault_injection,
        })
    }

    /// The highest feature level that the node knows.
    pub(super) fn level(&self) -> u32 {
        if self.rehearse_upgrade { level::REHEARSAL } else { level::LATEST }
    }

    /// Says what is on.
    pub(super) fn warn(&self) {
        if let Some(bug) = self.planted {
            tracing::warn!(?bug, "a bug is planted: this node breaks promises");
        }
        if let Some(seed) = self.lossy_disk {
            tracing::warn!(seed, "the disk is lossy: what is not flushed is lost when the process is killed");
        }
        if self.skip_sync {
            tracing::warn!("flushes of the log are left out: acknowledged work may be lost");
        }
        if self.rehearse_upgrade {
            tracing::warn!("this node behaves as the next release would: no release can read its data later");
        }
        if self.allow_injection {
            tracing::warn!("commands that panic on purpose are let through");
        }
    }
}
