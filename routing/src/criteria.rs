//! What a conversation asks of agents, step by step (docs/adr/0026).

use crate::{AgentId, LogTime, QueueId, Span};
use serde::{Deserialize, Serialize};

/// Bounds of skills and criteria.
pub mod limits {
    use crate::Span;

    /// Names of skills that a domain knows; none is ever forgotten.
    pub const SKILLS_MAX: usize = 1_000;
    /// Skills of one agent.
    pub const SKILLS_PER_AGENT_MAX: usize = 64;
    /// Length of a skill's name in bytes.
    pub const SKILL_BYTES_MAX: usize = 64;
    /// The highest level; the lowest is 1.
    pub const LEVEL_MAX: u8 = 100;
    /// Steps of one criteria.
    pub const STEPS_MAX: usize = 8;
    /// Agents, required skills, preferred skills or queues of one step.
    pub const PER_STEP_MAX: usize = 8;
    /// Shortest time that a step lasts.
    pub const LASTS_MIN: Span = Span::seconds(1);
    /// Longest time that a step lasts.
    pub const LASTS_MAX: Span = Span::seconds(24 * 3_600);
    /// Distinct sets of required skills that live conversations of a domain may have.
    pub const CLASSES_MAX: usize = 1_024;
}

/// A skill at a level: what an agent has, or what is asked for at least.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Skill {
    /// Its name in the domain, 1 to 64 bytes: `es`, `billing`.
    pub name: String,
    /// 1 to 100.
    pub level: u8,
}

/// What is asked for during one stretch of waiting.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Only these, the first of the list that can take it, whatever their queues are. Not together with
    /// skills.
    pub agents: Vec<AgentId>,
    /// What an agent must have, each name once.
    pub required: Vec<Skill>,
    /// Among those who could take it, the agent with the longest beginning of this list goes first.
    /// Never makes it wait.
    pub preferred: Vec<Skill>,
    /// Queues that it waits in too, from this step on; 8 in all at most, what is beyond is left out.
    pub widen: Vec<QueueId>,
    /// How long, 1 s to 24 h; `None`, in the last step alone: for ever.
    pub lasts: Option<Span>,
}

/// Steps, one after the other; after the last one anybody in its queues may have the conversation.
/// Without steps: anybody from the beginning.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Criteria {
    /// In their order.
    pub steps: Vec<Step>,
}

/// How a step stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum StepStatus {
    /// Its turn has not come.
    Inactive,
    /// It is the one whose turn it is.
    Active,
    /// The owner was found by it.
    Joined,
    /// It is over.
    Expired,
}

/// A conversation's criteria and where they stand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seeking {
    /// What is asked for. Agents and queues that were deleted since are still named.
    pub criteria: Criteria,
    /// The place of the active step among the steps; their number when all have expired.
    pub at: usize,
    /// When the active step expires, while its clock runs.
    pub until: Option<LogTime>,
    /// Whether the conversation has, or ended with, an owner: found by the active step.
    pub joined: bool,
}

impl Seeking {
    /// The active step, if not all have expired.
    #[must_use]
    pub fn active(&self) -> Option<&Step> {
        self.criteria.steps.get(self.at)
    }

    /// How each step stands, in their order.
    pub fn statuses(&self) -> impl Iterator<Item = StepStatus> {
        (0..self.criteria.steps.len()).map(|place| match place.cmp(&self.at) {
            std::cmp::Ordering::Less => StepStatus::Expired,
            std::cmp::Ordering::Equal if self.joined => StepStatus::Joined,
            std::cmp::Ordering::Equal => StepStatus::Active,
            std::cmp::Ordering::Greater => StepStatus::Inactive,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_stand_as_the_active_one_says() {
        use StepStatus::{Active, Expired, Inactive, Joined};
        let steps = vec![Step::default(), Step::default(), Step::default()];
        let of = |at, joined| {
            let criteria = Criteria { steps: steps.clone() };
            Seeking { criteria, at, until: None, joined }.statuses().collect::<Vec<_>>()
        };
        assert_eq!(of(0, false), [Active, Inactive, Inactive]);
        assert_eq!(of(1, true), [Expired, Joined, Inactive]);
        assert_eq!(of(3, true), [Expired, Expired, Expired], "found when nothing was asked for any more");
    }
}
