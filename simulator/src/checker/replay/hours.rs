//! Which queues make no offers because they are closed.

use super::Replay;
use routing::QueueId;

impl Replay<'_> {
    /// A queue opened or closed, or is served out, in which it makes offers.
    pub(super) fn queue_hours(&mut self, queue: QueueId, closed: bool) {
        if closed {
            self.closed.insert(queue);
        } else {
            self.closed.remove(&queue);
        }
    }

    /// Whether a queue makes offers.
    pub(super) fn makes_offers(&self, queue: QueueId) -> bool {
        !self.paused.contains(&queue) && !self.closed.contains(&queue)
    }
}
