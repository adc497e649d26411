//! Skills and criteria as the seed draws them.

use crate::determinism::Draw;
use proto::v1;

/// Skills that agents may have. Few, so that they are asked for in vain and not.
const NAMES: [&str; 4] = ["es", "de", "billing", "vip"];
/// Agents, and skills, of one step at most.
const SOME: u64 = 2;

fn skill(draw: &mut Draw, name: &str, levels: &[u32]) -> v1::Skill {
    v1::Skill { name: name.to_owned(), level: *draw.pick(levels) }
}

/// What an agent can.
pub(super) fn skills(draw: &mut Draw) -> Vec<v1::Skill> {
    let mut skills = Vec::new();
    for name in NAMES {
        if draw.chance(0.5) {
            skills.push(skill(draw, name, &[20, 50, 80, 100]));
        }
    }
    skills
}

/// What a conversation asks for. Every step ends, so that nothing waits for ever.
pub(super) fn criteria(draw: &mut Draw, agents: &[String], queues: &[String]) -> v1::Criteria {
    let steps = (0..draw.range(1, 3)).map(|_| step(draw, agents, queues)).collect();
    v1::Criteria { steps }
}

fn step(draw: &mut Draw, agents: &[String], queues: &[String]) -> v1::Step {
    let mut step = v1::Step { lasts_ms: draw.range(1_000, 4_000), ..Default::default() };
    if draw.chance(0.3) {
        for _ in 0..draw.range(1, SOME) {
            let agent = draw.pick(agents);
            if !step.agents.contains(agent) {
                step.agents.push(agent.clone());
            }
        }
    } else {
        let first = draw.range(0, NAMES.len() as u64 - 1);
        for place in 0..draw.range(1, SOME) {
            let name = NAMES[usize::try_from(first + place).unwrap_or(0) % NAMES.len()];
            step.required.push(skill(draw, name, &[1, 50, 80]));
        }
        if draw.chance(0.5) {
            let name = *draw.pick(&NAMES);
            step.preferred.push(skill(draw, name, &[1, 80]));
        }
    }
    if draw.chance(0.3) {
        step.widen.push(draw.pick(queues).clone());
    }
    step
}
