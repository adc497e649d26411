//! Every promise at every entry of a replay.

use super::Applied;
use routing::DomainId;
use routing::invariants::{Ghost, Step, check_all};
use routing::view::DomainView;
use std::collections::BTreeMap;

/// Broken promises that are kept in words; the rest is counted.
const KEPT_MAX: usize = 20;

/// Checks the domains that an entry concerns: its own, or all of them for an entry of the shard.
/// Costs a picture of the domain per entry.
#[derive(Debug, Default)]
pub struct Checker {
    domains: BTreeMap<DomainId, (Option<DomainView>, Ghost)>,
    broken: u64,
    kept: Vec<String>,
}

impl Checker {
    /// Checks one command. Every command from the log's beginning must come by: what a promise
    /// says about history is judged by what was seen here.
    pub fn take(&mut self, applied: &Applied<'_>) {
        let domain = applied.entry.request.domain;
        if domain != DomainId::SHARD {
            return self.check(domain, applied);
        }
        for summary in applied.shard.domains() {
            self.check(summary.id, applied);
        }
    }

    fn check(&mut self, domain: DomainId, applied: &Applied<'_>) {
        let Some(after) = applied.shard.view(domain) else { return };
        let events: Vec<_> = applied.events.iter().filter(|event| event.domain == domain).cloned().collect();
        let (before, ghost) = self.domains.entry(domain).or_default();
        let (entry, outcome) = (applied.entry, applied.outcome);
        let step =
            Step { before: before.as_ref(), entry, outcome, after: &after, events: &events, touched: None };
        for violation in check_all(&step, ghost) {
            self.broken += 1;
            if self.kept.len() < KEPT_MAX {
                let position = entry.position;
                self.kept.push(format!("index {}.{}: {violation}", position.index, position.ordinal));
            }
        }
        *before = Some(after);
    }

    /// How many were broken.
    #[must_use]
    pub fn broken(&self) -> u64 {
        self.broken
    }

    /// The first of them, with their index, in words.
    #[must_use]
    pub fn kept(&self) -> &[String] {
        &self.kept
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use routing::entry::Request;
    use routing::settings::{DomainSettings, QueueSettings};
    use routing::{AccountId, Command, Effects, Entry, LogTime, PlantedBug, Position, Shard, ShardId};

    fn broken(bug: Option<PlantedBug>) -> Checker {
        let mut shard = Shard::new(ShardId(1));
        if let Some(bug) = bug {
            shard.plant(bug);
        }
        let settings = DomainSettings { name: "Support".into(), ..DomainSettings::default() };
        let queue = QueueSettings { name: "Sales".into(), ..QueueSettings::default() };
        let commands = [
            Command::CreateDomain { account: AccountId(1), settings },
            Command::CreateQueue { settings: queue },
        ];
        let mut checker = Checker::default();
        for (index, command) in (1..).zip(commands) {
            let request = Request { id: None, domain: DomainId(1), expected_version: None, command };
            let position = Position { index, ordinal: 0 };
            let entry = Entry { position, time: LogTime(index), wall_ms: 1, request };
            let mut effects = Effects::default();
            let outcome = shard.apply(&entry, &mut effects);
            let events = &effects.events;
            let (entry, outcome, shard) = (&entry, &outcome, &shard);
            checker.take(&Applied { entry, outcome, events, shard, last_of_index: true });
        }
        checker
    }

    #[test]
    fn a_fault_of_the_core_is_named_with_its_index() {
        assert_eq!(broken(None).broken(), 0);
        let checker = broken(Some(PlantedBug::SequenceGap));
        assert!(checker.broken() > 0);
        assert!(checker.kept().iter().any(|text| text.contains("R-15 broken")), "{:?}", checker.kept());
        assert!(checker.kept()[0].starts_with("index "), "{:?}", checker.kept());
    }
}
