//! `SetSkills`: what an agent can.

use super::checks::{Answered, done, invalid, supervisors_only};
use crate::command::By;
use crate::criteria::Skill;
use crate::criteria::limits::{LEVEL_MAX, SKILL_BYTES_MAX, SKILLS_PER_AGENT_MAX};
use crate::domain::skills::Level;
use crate::domain::{Cx, Domain};
use crate::event::{EventKind, Subject};
use crate::outcome::DoneWhat;
use crate::{AgentId, Rejected};

pub(super) fn set(domain: &mut Domain, cx: &mut Cx<'_>, id: AgentId, skills: &[Skill], by: &By) -> Answered {
    domain.caller(by)?;
    check("skills", skills, SKILLS_PER_AGENT_MAX)?;
    let no = domain.named_agent(id)?;
    supervisors_only(by)?;
    domain.check_skills(skills)?;
    let mut numbers: Vec<Level> =
        skills.iter().map(|skill| (domain.learn(&skill.name), skill.level)).collect();
    numbers.sort_unstable();
    domain.end_hold(no);
    // Its places go by what it has.
    domain.unlist(no);
    domain.agent_mut(no).skills = numbers.into();
    domain.refresh(no);
    let skills = domain.skills_view(domain.agent(no));
    domain.emit(cx, EventKind::SkillsChanged { agent: id, skills, by: by.clone() });
    // What it has is its to keep; what waits may be for it now.
    domain.dirty.agent(no);
    done(DoneWhat::Ok, Subject::Agent(id))
}

/// Refuses a list of skills that is too long, has a name twice, or a level or name out of range.
pub(super) fn check(field: &str, skills: &[Skill], most: usize) -> Result<(), Rejected> {
    if skills.len() > most {
        return invalid(field, format!("{} skills, at most {most} are kept", skills.len()));
    }
    for (place, Skill { name, level }) in skills.iter().enumerate() {
        if name.is_empty() || name.len() > SKILL_BYTES_MAX {
            return invalid(field, format!("'{name}': a name has 1 to {SKILL_BYTES_MAX} bytes"));
        }
        if *level == 0 || *level > LEVEL_MAX {
            return invalid(field, format!("{name}: level {level}, use 1 to {LEVEL_MAX}"));
        }
        if skills[..place].iter().any(|other| other.name == *name) {
            return invalid(field, format!("{name} is listed twice"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::command::By;
    use crate::criteria::Skill;
    use crate::scene::{Row, Scene, as_it_is, play};
    use crate::testing::{DOMAIN, supervisor};
    use crate::{AgentId, Command, level};

    fn skills(all: &[(&str, u8)]) -> Vec<Skill> {
        all.iter().map(|(name, level)| Skill { name: (*name).to_owned(), level: *level }).collect()
    }

    fn set(all: &[(&str, u8)], by: By, s: &Scene) -> Command {
        Command::SetSkills { agent: s.a.agent, skills: skills(all), by }
    }

    fn raised(s: &mut Scene) {
        s.world.ok(Command::SetLevel { level: level::SKILLS });
    }

    #[test]
    fn table() {
        let rows: &[Row] = &[
            ("below the level", as_it_is, |s| set(&[("es", 9)], supervisor(), s), "Level", ""),
            ("new names", raised, |s| set(&[("es", 9), ("de", 1)], supervisor(), s), "done", "SkillsChanged"),
            ("none", raised, |s| set(&[], By::System, s), "done", "SkillsChanged"),
            ("by an agent", raised, |s| set(&[], By::Agent(s.a), s), "NotAllowed", ""),
            ("by the customer", raised, |s| set(&[], By::Customer, s), "NotAllowed", ""),
            ("level 0", raised, |s| set(&[("es", 0)], supervisor(), s), "Invalid", ""),
            ("level 101", raised, |s| set(&[("es", 101)], supervisor(), s), "Invalid", ""),
            ("twice", raised, |s| set(&[("es", 1), ("es", 2)], supervisor(), s), "Invalid", ""),
            ("no name", raised, |s| set(&[("", 1)], supervisor(), s), "Invalid", ""),
            (
                "too many",
                raised,
                |s| {
                    let many = (0..65).map(|n| Skill { name: format!("s{n}"), level: 1 }).collect();
                    Command::SetSkills { agent: s.a.agent, skills: many, by: supervisor() }
                },
                "Invalid",
                "",
            ),
            (
                "unknown",
                raised,
                |s| {
                    let agent = AgentId::new(DOMAIN, 99);
                    let _ = &s.id;
                    Command::SetSkills { agent, skills: Vec::new(), by: supervisor() }
                },
                "Unknown",
                "",
            ),
        ];
        play(rows);
    }

    #[test]
    fn a_domain_knows_a_thousand_names_and_a_refusal_teaches_it_none() {
        let mut s = Scene::new();
        raised(&mut s);
        let batch = |from: usize, count: usize| -> Vec<Skill> {
            (from..from + count).map(|n| Skill { name: format!("s{n}"), level: 1 }).collect()
        };
        let set = |skills, s: &Scene| Command::SetSkills { agent: s.a.agent, skills, by: supervisor() };
        for from in (0..960).step_by(64) {
            let command = set(batch(from, 64), &s);
            s.world.ok(command);
        }
        let over = set(batch(960, 41), &s);
        assert!(matches!(s.world.refused(over), crate::Rejected::Full { limit: 1_000, .. }));
        let rest = set(batch(960, 40), &s);
        s.world.ok(rest);
        let known = set(batch(0, 64), &s);
        s.world.ok(known);
        assert_eq!(s.world.shard.agent(s.a.agent).unwrap().skills.len(), 64);
    }
}
