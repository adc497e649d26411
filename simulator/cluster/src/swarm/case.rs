//! One run: a seed, a stack, and what is not as the seed draws it.

use crate::commands::Overrides;
use crate::plan::StackKind;
use clap::ValueEnum;

/// One run.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    /// The seed.
    pub seed: u64,
    /// The stack.
    pub stack: StackKind,
    /// What is not as the seed draws it.
    pub overrides: Overrides,
}

impl Case {
    /// The arguments that run it.
    #[must_use]
    pub fn arguments(&self) -> Vec<String> {
        let mut arguments = ["cluster", "--seed", &self.seed.to_string(), "--stack", &self.stack_name()]
            .map(str::to_owned)
            .to_vec();
        arguments.extend(self.overrides.arguments());
        arguments
    }

    /// The command that runs it again, from the repository's root.
    #[must_use]
    pub fn command(&self) -> String {
        format!("cargo sim {}", self.arguments().join(" "))
    }

    /// `full` or `fast`.
    #[must_use]
    pub fn stack_name(&self) -> String {
        self.stack.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_repeats_everything_that_was_set() {
        let mut case = Case { seed: 17, stack: StackKind::Fast, overrides: Overrides::default() };
        assert_eq!(case.command(), "cargo sim cluster --seed 17 --stack fast");
        case.overrides = Overrides {
            nodes: Some(5),
            shards: Some(2),
            minutes: Some(0.5),
            rate: Some(20.0),
            agents: Some(7),
            faults: Some(vec!["crash".to_owned(), "loss".to_owned()]),
            bug: Some("late-accept".parse().unwrap()),
        };
        assert_eq!(
            case.command(),
            "cargo sim cluster --seed 17 --stack fast --nodes 5 --shards 2 --minutes 0.5 --rate 20 \
             --agents 7 --faults crash,loss --bug late-accept"
        );
    }
}
