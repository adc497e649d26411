//! From a seed to a plan.

use super::{FaultKind, FaultPlan, LoadPlan, NetPlan, Plan, StackKind};
use crate::determinism::Draw;
use clap::ValueEnum;
use std::time::Duration;

/// Probability that nodes join in a run; that nodes leave; that replicas come and go; that nodes are
/// upgraded; and that domains move.
const MEMBERS_CHANGE: f64 = 0.35;
/// Faults that a run draws at most.
const FAULTS_MAX: u64 = 7;

impl Plan {
    /// Draws the plan of a seed.
    #[must_use]
    pub fn draw(seed: u64, stack: StackKind) -> Plan {
        let mut draw = Draw::new(seed, "plan");
        let mut files = draw.child("files");
        let nodes = if draw.chance(0.7) { 3 } else { 5 };
        Plan {
            seed,
            stack,
            nodes,
            zones: *draw.child("zones").pick(&[0, 0, 2, 3]),
            shards: u32::try_from(draw.range(1, 3)).unwrap_or(1),
            safety: draw.millis(60_000, 90_000),
            stuck_after: Duration::from_secs(60),
            snapshot_entries: *draw.pick(&[200, 500, 2_000, 20_000]),
            // A simulated snapshot has some ten thousand bytes, and comes in many parts, or in one.
            snapshot_part_bytes: *draw.child("parts").pick(&[100, 1_000, 100_000]),
            // What a run writes fills many small files, or none.
            log_segment_bytes: *files.pick(&[20_000, 100_000, 64 << 20]),
            event_segment_bytes: *files.pick(&[20_000, 100_000, 32 << 20]),
            load: LoadPlan::draw(&mut draw.child("load")),
            net: NetPlan::draw(&mut draw.child("net")),
            faults: draw_faults(&mut draw.child("faults")),
            bug: None,
        }
    }
}

impl NetPlan {
    fn draw(draw: &mut Draw) -> NetPlan {
        let latency_min = draw.millis(1, 2);
        let spread = *draw.pick(&[1, 1, 3, 10, 30]);
        NetPlan { latency_min, latency_max: latency_min + draw.millis(1, spread) }
    }
}

impl LoadPlan {
    fn draw(draw: &mut Draw) -> LoadPlan {
        let rate = *draw.pick(&[1.0, 2.0, 5.0, 5.0, 10.0, 20.0]);
        let mut load = LoadPlan {
            sites: u8::try_from(draw.range(1, 2)).unwrap_or(1),
            domains: u8::try_from(draw.range(1, 4)).unwrap_or(1),
            queues: u8::try_from(draw.range(1, 4)).unwrap_or(1),
            rate,
            // From too few agents, so that queues grow, to more than enough.
            staffing: *draw.pick(&[0.6, 0.9, 1.1, 1.5]),
            agents: 0,
            contact: draw.millis(1_000, 6_000),
            ring: draw.millis(500, 5_000),
            patience: draw.millis(2_000, 30_000),
            refuse: *draw.pick(&[0.0, 0.05, 0.3]),
            transfer: *draw.pick(&[0.0, 0.1, 0.3]),
            repeat: *draw.pick(&[0.0, 0.05, 0.2]),
            flap: draw.chance(0.5).then(|| draw.millis(5_000, 40_000)),
            vanish: *draw.child("vanish").pick(&[0.0, 0.0, 0.1]),
            supervision: *draw.pick(&[0.0, 0.2, 1.0]),
            watchers: u8::try_from(draw.range(1, 2)).unwrap_or(1),
            submit: *draw.pick(&[0.0, 0.2, 0.5]),
            unary: *draw.pick(&[0.0, 0.1]),
            poison: draw.chance(0.25),
        };
        load.set_rate(rate);
        load
    }

    /// Changes the rate, and the staff with it.
    pub fn set_rate(&mut self, rate: f64) {
        self.rate = rate;
        let wanted = rate * self.contact.as_secs_f64() / f64::from(self.domains);
        self.agents = LoadPlan::agents_for(wanted * self.staffing);
    }

    /// Agents of a domain for a load, at least 2.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    fn agents_for(load: f64) -> u16 {
        load.ceil().clamp(2.0, 200.0) as u16
    }
}

fn draw_faults(draw: &mut Draw) -> Vec<FaultPlan> {
    let mut kinds = FaultKind::value_variants().to_vec();
    kinds.retain(|kind| !kind.is_drawn_apart());
    let count = draw.range(0, FAULTS_MAX);
    // One kind alone comes as often as it can; of many each comes seldom, so that the cluster gets
    // to work between them.
    let factor = 0.7 + f64::from(u32::try_from(count).unwrap_or(0)) / 5.0;
    let mut faults = Vec::new();
    for _ in 0..count {
        let place = usize::try_from(draw.range(0, kinds.len() as u64 - 1)).unwrap_or(0);
        let kind = kinds.remove(place);
        // A stream for each kind: which others there are changes nothing about it.
        faults.push(FaultPlan::draw(kind, &mut draw.child(kind.name())).rarer(factor));
    }
    // Nodes come and go beside whatever else there is.
    let mut members = draw.child("members");
    let apart =
        [FaultKind::Join, FaultKind::Leave, FaultKind::Replicas, FaultKind::Upgrade, FaultKind::MoveDomain];
    for kind in apart {
        if members.chance(MEMBERS_CHANGE) {
            faults.push(FaultPlan::draw(kind, &mut members.child(kind.name())));
        }
    }
    faults
}
