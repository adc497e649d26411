//! Which stacks seeds are given to.

use super::{Case, Seeds};
use crate::commands::Overrides;
use crate::plan::StackKind;

/// Which stacks run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Stacks {
    /// Half the seeds go to each.
    Both,
    /// Real tonic and HTTP/2 over simulated TCP.
    Full,
    /// All in one runtime.
    Fast,
}

impl Stacks {
    /// The stack of a seed: of both, even seeds go to *full* and odd ones to *fast*.
    #[must_use]
    pub fn of(self, seed: u64) -> StackKind {
        match self {
            Stacks::Full => StackKind::Full,
            Stacks::Fast => StackKind::Fast,
            Stacks::Both if seed.is_multiple_of(2) => StackKind::Full,
            Stacks::Both => StackKind::Fast,
        }
    }

    /// All stacks that are meant.
    #[must_use]
    pub fn each(self) -> &'static [StackKind] {
        match self {
            Stacks::Both => &[StackKind::Full, StackKind::Fast],
            Stacks::Full => &[StackKind::Full],
            Stacks::Fast => &[StackKind::Fast],
        }
    }

    /// One run per seed.
    pub fn cases(self, seeds: Seeds, overrides: Overrides) -> impl Iterator<Item = Case> {
        seeds.iter().map(move |seed| Case { seed, stack: self.of(seed), overrides: overrides.clone() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_share_the_seeds_half_and_half() {
        let cases: Vec<Case> = Stacks::Both.cases("0..100".parse().unwrap(), Overrides::default()).collect();
        assert_eq!(cases.len(), 100);
        assert_eq!(cases.iter().filter(|case| case.stack == StackKind::Full).count(), 50);
        let fast = Stacks::Fast.cases("0..100".parse().unwrap(), Overrides::default());
        assert!(fast.into_iter().all(|case| case.stack == StackKind::Fast));
    }
}
