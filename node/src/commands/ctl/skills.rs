//! `ctl skills`: what an agent can.

use super::client::{Client, mutation};
use super::output::{Output, table};
use crate::failure::Failure;
use proto::v1;
use proto::v1::agent_desk_client::AgentDeskClient;
use proto::v1::supervisor_client::SupervisorClient;

pub(super) const EXAMPLES: &str = "\
Examples:
  centralita ctl skills agent_1_1
  centralita ctl skills agent_1_1 es=90 billing=50
  centralita ctl skills agent_1_1 --clear

A skill is a name at a level from 1 to 100; languages are skills. What is given replaces all that the agent
has. Conversations ask for skills with criteria: see Criteria in types.proto.";

/// Shows an agent's skills, or replaces them.
#[derive(Debug, clap::Args)]
pub(super) struct Skills {
    /// Whose.
    agent: String,
    /// All that it has from now on, each with its level. None: shows what it has.
    #[arg(value_name = "NAME=LEVEL", value_parser = skill)]
    skills: Vec<v1::Skill>,
    /// Takes all away.
    #[arg(long, conflicts_with = "skills")]
    clear: bool,
}

fn skill(text: &str) -> Result<v1::Skill, String> {
    let example = || format!("'{text}' is no skill with a level: give for example es=90");
    let (name, level) = text.rsplit_once('=').ok_or_else(example)?;
    let level = level.parse().map_err(|_| example())?;
    Ok(v1::Skill { name: name.to_owned(), level })
}

/// Skills as they are given.
pub(super) fn text(skills: &[v1::Skill]) -> String {
    let each = skills.iter().map(|skill| format!("{}={}", skill.name, skill.level));
    each.collect::<Vec<_>>().join(", ")
}

impl Skills {
    pub(super) async fn run(self, client: &Client, out: Output, supervisor: String) -> Result<(), Failure> {
        let Self { agent, skills, clear } = self;
        if skills.is_empty() && !clear {
            let request = v1::GetDeskRequest { agent };
            let desk =
                || async { AgentDeskClient::new(client.channel.clone()).get_desk(request.clone()).await };
            let agent = client.call(desk).await?.agent.unwrap_or_default();
            return out.print("Agent", &agent, |agent| {
                let mut table = table(["SKILL", "LEVEL"]);
                table.add_rows(agent.skills.iter().map(|one| [one.name.clone(), one.level.to_string()]));
                table
            });
        }
        let request = v1::SetSkillsRequest { mutation: mutation(), supervisor, agent, skills };
        let call =
            || async { SupervisorClient::new(client.channel.clone()).set_skills(request.clone()).await };
        out.done(&client.call(call).await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_skill_is_a_name_and_a_level() {
        assert_eq!(skill("es=90"), Ok(v1::Skill { name: "es".into(), level: 90 }));
        assert_eq!(
            text(&[skill("a=b=7").expect("the last one counts"), skill("es=1").expect("one")]),
            "a=b=7, es=1"
        );
        for bad in ["es", "es=", "es=high", "es=-1"] {
            assert!(skill(bad).unwrap_err().contains("es=90"), "{bad}");
        }
    }
}
