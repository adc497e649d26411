//! Skills, and what is asked of agents.

use super::Read;
use super::ids::ids;
use super::scalar::{millis, span};
use crate::problem::Problem;
use proto::v1;
use proto::v1::seeking::Status;
use routing::criteria::{Criteria, Seeking, Skill, Step, StepStatus};

/// Reads a list of skills.
///
/// # Errors
/// `INVALID_ARGUMENT` that names the field, for a level that no skill has.
pub fn read_skills(field: &str, skills: Vec<v1::Skill>) -> Read<Vec<Skill>> {
    let skill = |(place, v1::Skill { name, level }): (usize, v1::Skill)| match u8::try_from(level) {
        Ok(level) => Ok(Skill { name, level }),
        Err(_) => {
            let problem = format!("{level} is out of range: 1 to 100");
            Err(Problem::field(format!("{field}[{place}].level"), problem))
        }
    };
    skills.into_iter().enumerate().map(skill).collect()
}

/// Writes a list of skills.
#[must_use]
pub fn write_skills(skills: &[Skill]) -> Vec<v1::Skill> {
    let skill = |skill: &Skill| v1::Skill { name: skill.name.clone(), level: skill.level.into() };
    skills.iter().map(skill).collect()
}

/// Reads criteria.
///
/// # Errors
/// `INVALID_ARGUMENT` that names the field.
pub fn read(criteria: v1::Criteria) -> Read<Criteria> {
    let step = |(place, step)| read_step(&format!("criteria.steps[{place}]"), step);
    Ok(Criteria { steps: criteria.steps.into_iter().enumerate().map(step).collect::<Read<_>>()? })
}

/// Reads criteria that must be there.
///
/// # Errors
/// `INVALID_ARGUMENT` that names the field.
pub fn read_required(criteria: Option<v1::Criteria>) -> Read<Criteria> {
    let missing = || Problem::field("criteria", "is required: without steps, nothing is asked for");
    read(criteria.ok_or_else(missing)?)
}

fn read_step(field: &str, step: v1::Step) -> Read<Step> {
    Ok(Step {
        agents: ids(&format!("{field}.agents"), &step.agents)?,
        required: read_skills(&format!("{field}.required"), step.required)?,
        preferred: read_skills(&format!("{field}.preferred"), step.preferred)?,
        widen: ids(&format!("{field}.widen"), &step.widen)?,
        lasts: match step.lasts_ms {
            0 => None,
            ms => Some(span(&format!("{field}.lasts_ms"), ms)?),
        },
    })
}

/// Writes criteria.
#[must_use]
pub fn write(criteria: &Criteria) -> v1::Criteria {
    v1::Criteria { steps: criteria.steps.iter().map(write_step).collect() }
}

/// Writes criteria where there are steps.
#[must_use]
pub fn write_some(criteria: &Criteria) -> Option<v1::Criteria> {
    (!criteria.steps.is_empty()).then(|| write(criteria))
}

fn write_step(step: &Step) -> v1::Step {
    v1::Step {
        agents: step.agents.iter().map(ToString::to_string).collect(),
        required: write_skills(&step.required),
        preferred: write_skills(&step.preferred),
        widen: step.widen.iter().map(ToString::to_string).collect(),
        lasts_ms: step.lasts.map_or(0, millis),
    }
}

/// Writes a conversation's criteria and where they stand.
#[must_use]
pub fn write_seeking(seeking: &Seeking) -> v1::Seeking {
    let status = |status| match status {
        StepStatus::Inactive => Status::Inactive,
        StepStatus::Active => Status::Active,
        StepStatus::Joined => Status::Joined,
        StepStatus::Expired => Status::Expired,
    };
    let step = seeking.active().map_or(0, |_| seeking.at + 1);
    v1::Seeking {
        criteria: Some(write(&seeking.criteria)),
        step: u32::try_from(step).unwrap_or(u32::MAX),
        until_us: seeking.until.map(|until| until.0),
        statuses: seeking.statuses().map(|one| status(one).into()).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use routing::{AgentId, DomainId, LogTime, QueueId, Span};

    fn skill(name: &str, level: u8) -> Skill {
        Skill { name: name.into(), level }
    }

    fn criteria() -> Criteria {
        let named = Step {
            agents: vec![AgentId::new(DomainId(1), 7)],
            widen: vec![QueueId::new(DomainId(1), 2)],
            lasts: Some(Span::millis(1_500)),
            ..Step::default()
        };
        let skilled =
            Step { required: vec![skill("es", 80)], preferred: vec![skill("vip", 1)], ..Step::default() };
        Criteria { steps: vec![named, skilled] }
    }

    #[test]
    fn criteria_round_trip() {
        assert_eq!(read(write(&criteria())), Ok(criteria()));
        assert_eq!(write(&criteria()).steps[1].lasts_ms, 0, "for ever");
        assert_eq!(write_some(&Criteria::default()), None);
        assert_eq!(read_required(Some(v1::Criteria::default())), Ok(Criteria::default()));
        assert_eq!(read_required(None).unwrap_err().field.as_deref(), Some("criteria"));
    }

    #[test]
    fn a_level_that_does_not_fit_is_refused_and_not_cut() {
        let step = |required, agents| v1::Step { required, agents, ..v1::Step::default() };
        let of = |level| vec![v1::Skill { name: "es".into(), level }];
        let field = |step| read(v1::Criteria { steps: vec![v1::Step::default(), step] }).unwrap_err();
        let problem = field(step(of(256 + 80), Vec::new()));
        assert_eq!(problem.field.as_deref(), Some("criteria.steps[1].required[0].level"));
        assert!(problem.message.contains("336 is out of range"), "{}", problem.message);
        let problem = field(step(Vec::new(), vec!["agent_1_1".into(), "ana".into()]));
        assert_eq!(problem.field.as_deref(), Some("criteria.steps[1].agents[1]"));
        let problem = field(v1::Step { lasts_ms: u64::MAX, ..v1::Step::default() });
        assert_eq!(problem.field.as_deref(), Some("criteria.steps[1].lasts_ms"));
        assert_eq!(read_skills("skills", of(100)), Ok(vec![skill("es", 100)]));
        assert!(read_skills("skills", of(256)).is_err());
    }

    #[test]
    fn the_step_is_counted_from_1_and_0_when_all_have_expired() {
        let seeking = |at, joined| Seeking { criteria: criteria(), at, until: Some(LogTime(9)), joined };
        let shown = write_seeking(&seeking(0, false));
        assert_eq!((shown.step, shown.until_us), (1, Some(9)));
        assert_eq!(shown.statuses, [i32::from(Status::Active), Status::Inactive.into()]);
        let shown = write_seeking(&seeking(1, true));
        assert_eq!((shown.step, shown.statuses), (2, vec![Status::Expired.into(), Status::Joined.into()]));
        let shown = write_seeking(&seeking(2, true));
        assert_eq!((shown.step, shown.statuses), (0, vec![Status::Expired.into(); 2]));
    }
}
