//! A domain is to move to another shard while it works; at times somebody thinks better of it on the way.

use super::fault::Over;
use super::{Begun, Fault, Stage};
use crate::world::Order;
use routing::{DomainId, ShardId};
use std::time::Duration;

/// How likely a move is given up again, if it has not come too far.
const STAYS: f64 = 0.5;

/// A move that is given up at this moment.
struct Doubted {
    domain: DomainId,
    at: Duration,
}

pub(super) fn begin(stage: &mut Stage<'_>, lasts: Duration) -> Begun {
    let asked = stage.up_node()?;
    let seen = stage.world.seen_by(asked)?;
    let shards: Vec<u32> = seen.shards.iter().map(|shard| shard.group.0).filter(|group| *group > 0).collect();
    // They have the first numbers.
    let domains: u64 = seen.shards.iter().map(|shard| shard.domains).sum();
    if shards.len() < 2 || domains == 0 {
        return None;
    }
    let domain = DomainId(u32::try_from(stage.draw.range(1, domains)).unwrap_or(1));
    let to = ShardId(stage.pick(&shards)?);
    stage.world.order(asked, Order::Move(domain, to));
    stage.done(&format!("{domain} to {to}, asked for at {asked}"));
    if stage.draw.chance(STAYS) {
        let at = stage.after(lasts);
        return Some(Box::new(Doubted { domain, at }));
    }
    Some(Box::new(Over))
}

impl Fault for Doubted {
    fn step(&mut self, stage: &mut Stage<'_>) -> bool {
        if stage.now() < self.at {
            return false;
        }
        if let Some(asked) = stage.up_node() {
            stage.world.order(asked, Order::Stay(self.domain));
            stage.count("doubted");
            stage.note(&format!("{} is to stay, asked for at {asked}", self.domain));
        }
        true
    }
}
