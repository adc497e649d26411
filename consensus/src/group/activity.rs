//! Whether a group is used: what its callers tell the one who lets it rest.

use super::meter::Meter;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::Notify;

/// One group's use. Telling of it is cheap, for every command and every read.
pub struct Activity {
    used: AtomicBool,
    handing_over: AtomicBool,
    look: Arc<Notify>,
    /// How much work it is.
    pub meter: Meter,
}

impl Activity {
    /// A group that is not used; `look` is told of what cannot wait for the next look.
    pub fn new(look: Arc<Notify>) -> Activity {
        Activity {
            used: AtomicBool::new(false),
            handing_over: AtomicBool::new(false),
            look,
            meter: Meter::default(),
        }
    }

    /// There is something to write or to read: the group does not rest from the next look on. Until
    /// then whoever writes or reads has the lease renewed that it needs.
    pub fn used(&self) {
        self.used.store(true, Ordering::Relaxed);
    }

    /// This node is about to give its leadership away: from now on it claims none in this term.
    pub fn handing_over(&self) {
        self.handing_over.store(true, Ordering::Relaxed);
        self.look.notify_one();
    }

    /// Whether it was used since the last time this was asked.
    pub fn take_used(&self) -> bool {
        self.used.swap(false, Ordering::Relaxed)
    }

    /// Whether leadership was to be given away since the last time this was asked.
    pub fn take_handing_over(&self) -> bool {
        self.handing_over.swap(false, Ordering::Relaxed)
    }
}
