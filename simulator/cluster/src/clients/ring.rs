//! Offers to several agents at once, and somebody who says to how many: with draws of its own, so that all others are as
//! without it.

use super::caller::{Caller, Tries, change};
use super::realm::Realm;
use crate::determinism::Draw;
use proto::v1;
use proto::v1::supervisor_client::SupervisorClient;
use routing::QueueId;
use std::sync::Arc;
use std::time::Duration;

/// Who acts.
const NAME: &str = "ring@example.org";
/// Of domains: those whose queues offer to several.
const RINGS: f64 = 0.4;
/// Mean time between two acts.
const EVERY: Duration = Duration::from_secs(10);

/// Acts until everybody is to finish. What queues do then they do to the end.
pub(super) async fn run(realm: Arc<Realm>, mut caller: Caller) {
    if !caller.draw.chance(RINGS) {
        return;
    }
    for (queue, _) in &realm.queues {
        let mut tries = Tries::default();
        while tries.another(&mut caller).await && !set(&mut caller, *queue).await {}
    }
    while caller.acts_again(&realm, EVERY).await {
        let queue = caller.draw.pick(&realm.queues).0;
        set(&mut caller, queue).await;
    }
}

/// Lets a queue offer to another number of agents; whether it does.
async fn set(caller: &mut Caller, queue: QueueId) -> bool {
    change!(
        caller,
        "set_ring",
        SupervisorClient,
        set_ring,
        v1::SetRingRequest {
            mutation: None,
            supervisor: NAME.to_owned(),
            queue: queue.to_string(),
            agents: agents(&mut caller.draw),
        }
    )
}

/// Now and then one, or what cannot be.
fn agents(draw: &mut Draw) -> u32 {
    if draw.chance(0.05) { 11 } else { *draw.pick(&[1, 2, 2, 3, 3, 5]) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_several_as_a_rule() {
        let all: Vec<u32> = (0..400).map(|seed| agents(&mut Draw::new(seed, "ring"))).collect();
        let (alone, unsound) =
            (all.iter().filter(|n| **n == 1).count(), all.iter().filter(|n| **n > 10).count());
        assert!((30..120).contains(&alone) && (5..40).contains(&unsound), "{alone} {unsound}");
    }
}
