//! More agents for a conversation that rings: those who are free once all that waits was looked at.

use super::pick::Found;
use crate::domain::{ConvNo, Cx, Domain};
use crate::level;
use crate::settings::AcceptMode;

impl Domain {
    /// Whether a conversation that was just offered is to ring at more agents.
    pub(super) fn rings_at_more(&self, no: ConvNo) -> bool {
        let conversation = self.conv(no);
        // A desk that answers by itself would have it before anybody heard it ring.
        let by_hand = matches!(conversation.accept, AcceptMode::Manual { .. });
        let queue = conversation.offer.as_ref().and_then(|offer| offer.queue);
        by_hand && queue.is_some_and(|queue| self.queue(queue).ring > 1)
    }

    /// Offers a conversation to as many more agents of the queue that it is offered from as that says, if they are free
    /// and hold their room for nothing else.
    pub(super) fn ring_at_more(&mut self, cx: &mut Cx<'_>, no: ConvNo) {
        let Some(queue) = self.conv(no).offer.as_ref().and_then(|offer| offer.queue) else { return };
        let ring = usize::from(self.queue(queue).ring);
        while self.conv(no).offers().count() < ring && cx.matches_left > 0 {
            let Some(found) = self.pick_spare(cx, no, queue) else { return };
            let Found { agent, .. } = found;
            let key = self.rank_key(no);
            if self.hold_instead(cx.now, agent, key, &mut cx.effects.visited).is_some() {
                return;
            }
            cx.matches_left -= 1;
            let picked = (cx.level >= level::PICKS).then(|| self.why(cx, no, &found));
            self.make_offer(cx, no, agent, found.queue(), None, picked);
        }
    }
}
