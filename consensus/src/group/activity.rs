//! Whether a group is used: what its callers tell the one who lets it rest.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::Notify;

/// One group's use. Telling of it is cheap, for every command and every read.
pub struct Activity {
    used: AtomicBool,
    resting: AtomicBool,
    handing_over: AtomicBool,
    look: Arc<Notify>,
}

impl Activity {
    /// A group that is not used and does not rest; `look` is told when that must change at once.
    pub fn new(look: Arc<Notify>) -> Activity {
        let [used, resting, handing_over] = std::array::from_fn(|_| AtomicBool::new(false));
        Activity { used, resting, handing_over, look }
    }

    /// There is something to write or to read: a group that rests is woken.
    pub fn used(&self) {
        self.used.store(true, Ordering::Relaxed);
        if self.resting.load(Ordering::Relaxed) {
            self.look.notify_one();
        }
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

    /// The group rests, or does not.
    pub fn set_resting(&self, resting: bool) {
        self.resting.store(resting, Ordering::Relaxed);
    }
}
