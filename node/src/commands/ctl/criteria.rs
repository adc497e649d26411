//! Criteria in words.

use super::output::{seconds, short, table};
use super::skills;
use comfy_table::Table;
use proto::v1;
use proto::v1::seeking::Status;

/// A step: `agent_1_1 for 1.0 s`, `es=80, rather vip=1, also in queue_1_2`.
fn step(step: &v1::Step) -> String {
    let mut parts = Vec::new();
    if !step.agents.is_empty() {
        parts.push(step.agents.join(" or "));
    }
    if !step.required.is_empty() {
        parts.push(skills::text(&step.required));
    }
    if !step.preferred.is_empty() {
        parts.push(format!("rather {}", skills::text(&step.preferred)));
    }
    if !step.widen.is_empty() {
        parts.push(format!("also in {}", step.widen.join(", ")));
    }
    let lasts = if step.lasts_ms == 0 { String::new() } else { format!(" for {}", lasts(step)) };
    format!("{}{lasts}", parts.join(", "))
}

fn lasts(step: &v1::Step) -> String {
    seconds(step.lasts_ms.saturating_mul(1_000))
}

/// Steps in their order.
pub(super) fn text(criteria: &v1::Criteria) -> String {
    criteria.steps.iter().map(step).collect::<Vec<_>>().join(", then ")
}

/// The active step of a conversation, or the one by which its owner was found.
pub(super) fn now(seeking: &v1::Seeking) -> String {
    let steps = seeking.criteria.as_ref().map(|criteria| criteria.steps.as_slice()).unwrap_or_default();
    let place = usize::try_from(seeking.step).unwrap_or(usize::MAX);
    match place.checked_sub(1).and_then(|place| steps.get(place)) {
        None => "anybody".to_owned(),
        Some(active) => format!("step {place} of {}: {}", steps.len(), step(active)),
    }
}

/// A conversation's steps and how they stand.
pub(super) fn steps(seeking: &v1::Seeking, now_us: u64) -> Table {
    let mut table = table(["STEP", "STATUS", "ENDS IN", "ASKS FOR"]);
    let all = seeking.criteria.iter().flat_map(|criteria| &criteria.steps);
    table.add_rows(all.zip(&seeking.statuses).zip(1..).map(|((one, status), place)| {
        let active = place == seeking.step;
        let left = seeking.until_us.filter(|_| active).map(|until| seconds(until.saturating_sub(now_us)));
        let status = Status::try_from(*status)
            .map_or_else(|_| status.to_string(), |status| short(status.as_str_name(), "STATUS_"));
        [place.to_string(), status, left.unwrap_or_default(), step(one)]
    }));
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seeking(step: u32) -> v1::Seeking {
        let skill = |name: &str, level| v1::Skill { name: name.into(), level };
        let named = v1::Step {
            agents: vec!["agent_1_1".into(), "agent_1_2".into()],
            lasts_ms: 1_500,
            ..v1::Step::default()
        };
        let skilled = v1::Step {
            required: vec![skill("es", 80)],
            preferred: vec![skill("vip", 1)],
            widen: vec!["queue_1_2".into()],
            ..v1::Step::default()
        };
        v1::Seeking {
            criteria: Some(v1::Criteria { steps: vec![named, skilled] }),
            step,
            until_us: Some(4_000_000),
            statuses: vec![Status::Active.into(), Status::Inactive.into()],
        }
    }

    #[test]
    fn steps_are_said_in_their_order() {
        let said = text(&seeking(1).criteria.expect("some"));
        let wanted = "agent_1_1 or agent_1_2 for 1.5 s, then es=80, rather vip=1, also in queue_1_2";
        assert_eq!(said, wanted);
        assert_eq!(now(&seeking(1)), "step 1 of 2: agent_1_1 or agent_1_2 for 1.5 s");
        assert_eq!(now(&seeking(0)), "anybody");
        let shown = steps(&seeking(1), 1_000_000).to_string();
        let lines: Vec<&str> = shown.lines().collect();
        assert_eq!(lines.len(), 3, "{shown}");
        assert!(lines[1].contains("active") && lines[1].contains("3.0 s"), "{shown}");
        assert!(lines[2].contains("inactive") && !lines[2].contains("3.0 s"), "{shown}");
    }
}
