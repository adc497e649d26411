//! A state that another cluster goes on with.

use super::Shard;
use crate::domain::Domain;

/// Numbers left out of ids that cost nothing to leave out.
const SKIPPED: u64 = 1_000_000;
/// Numbers left out of ids whose entities stand in a slab: a word of memory each.
const SKIPPED_IN_SLABS: u32 = 1_000;

impl Shard {
    /// Makes a state that was taken from a backup good to go on with. What the former cluster did
    /// after it is unknown here, but not to the world: ids it may have given out are left out,
    /// sessions it may have opened are stale, and its clock does not bind the ages of request
    /// ids. A function of the state; not an entry, so not for a group that runs.
    pub fn reborn(&mut self) {
        for domain in self.domains.values_mut() {
            reborn(domain);
        }
    }
}

fn reborn(domain: &mut Domain) {
    let counters = &mut domain.counters;
    counters.conversation = counters.conversation.saturating_add(SKIPPED);
    counters.offer = counters.offer.saturating_add(SKIPPED);
    for counter in [&mut counters.queue, &mut counters.agent, &mut counters.touchpoint] {
        *counter = counter.saturating_add(SKIPPED_IN_SLABS);
    }
    for agent in domain.agents.iter_mut() {
        agent.epoch.0 = agent.epoch.0.saturating_add(SKIPPED);
    }
    domain.requests.forget_clock();
    domain.crossings.skip(SKIPPED);
}

#[cfg(test)]
mod tests {
    use crate::scene::Scene;
    use crate::settings::QueueSettings;
    use crate::testing::DOMAIN;
    use crate::{Command, Rejected, RequestId};

    #[test]
    fn a_restored_state_goes_on_and_knows_no_desk_of_before() {
        let mut scene = Scene::new();
        scene.offered();
        let before = scene.world.shard.clone();
        let offer = scene.offer;
        scene.world.shard.reborn();
        assert_ne!(before.state_hash(), scene.world.shard.state_hash());
        // The desk of before is stale, and so is any that the former cluster may have opened since.
        let stale = Command::Accept { desk: scene.a, offer };
        assert!(matches!(scene.world.refused(stale), Rejected::StaleEpoch { .. }));
        let former = scene.a.epoch;
        let desk = scene.world.desk(scene.a.agent);
        assert!(desk.epoch.0 > former.0 + 1_000, "{desk:?}");
        // What it was offered is still its offer.
        scene.world.ok(Command::Accept { desk, offer });
        assert_eq!(scene.world.stage(scene.id), "assigned");
        let again = scene.world.start(scene.voice);
        assert!(again.number > 1_000_000, "{again}");
        let agent = scene.world.agent(&[scene.plain]);
        assert!((1_000..2_000).contains(&agent.number), "{agent}");
        let queue =
            scene.world.queue_with(QueueSettings { name: "new".to_owned(), ..QueueSettings::default() });
        assert!((1_000..2_000).contains(&queue.number), "{queue}");
    }

    /// The backup is a day old: requests of today are answered as ever, and those of ten minutes ago
    /// are too old, which a clock of yesterday would not know.
    #[test]
    fn the_age_of_request_ids_counts_from_the_clock_of_today() {
        const DAY_MS: u64 = 86_400_000;
        let mut scene = Scene::new();
        scene.waiting();
        let ask = |scene: &mut Scene, made_ms: u64, wall_ms: u64| {
            let id = RequestId(u128::from(made_ms) << 80);
            let command = Command::Abandon { conversation: scene.id };
            let mut entry = scene.world.entry(DOMAIN, command, Some(id));
            entry.wall_ms = wall_ms;
            scene.world.shard.apply(&entry, &mut crate::Effects::default())
        };
        ask(&mut scene, 1_000, 1_000).expect("abandoned");
        scene.world.shard.reborn();
        let over = |outcome| matches!(outcome, Err(Rejected::WrongState { .. }));
        assert!(over(ask(&mut scene, DAY_MS, DAY_MS)));
        let late = ask(&mut scene, DAY_MS - 600_000, DAY_MS);
        assert!(matches!(late, Err(Rejected::RequestTooOld { .. })), "{late:?}");
    }
}
