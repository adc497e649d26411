//! Rules, targets and how they stand in words. What is said of a rule or a target can be given back.

use super::parse::MEASURES;
use crate::commands::ctl::output::seconds;
use proto::v1;
use proto::v1::condition::Is;
use proto::v1::rule::Then;
use std::fmt::Write;

/// Milliseconds as they are given: `20s`, `2m`.
fn time(ms: u64) -> String {
    let units = [(3_600_000, "h"), (60_000, "m"), (1_000, "s")];
    let unit = units.into_iter().find(|(unit, _)| ms > 0 && ms.is_multiple_of(*unit));
    match unit {
        Some((unit, name)) => format!("{}{name}", ms / unit),
        None if ms == 0 => "0s".to_owned(),
        None => format!("{ms}ms"),
    }
}

/// A rule: `20s when available < 1 then move queue_1_2`.
pub(super) fn rule(rule: &v1::Rule) -> String {
    let mut text = time(rule.after_ms);
    for (place, condition) in rule.when.iter().enumerate() {
        let before = if place == 0 { "when" } else { "and" };
        let _ = write!(text, " {before} {}", self::condition(condition));
    }
    let _ = write!(text, " then {}", action(rule.then.as_ref()));
    text
}

fn condition(condition: &v1::Condition) -> String {
    let known = MEASURES.iter().find(|(_, measure)| i32::from(*measure) == condition.measure);
    let measure = known.map_or_else(|| condition.measure.to_string(), |(name, _)| (*name).to_owned());
    let of = if condition.of.is_empty() { String::new() } else { format!(" of {}", condition.of) };
    let is = match condition.is {
        Some(Is::Below(bound)) => format!(" < {bound}"),
        Some(Is::AtLeast(bound)) => format!(" >= {bound}"),
        None => String::new(),
    };
    format!("{measure}{of}{is}")
}

fn action(then: Option<&Then>) -> String {
    match then {
        Some(Then::Prioritise(priority)) => format!("priority {priority}"),
        Some(Then::AddQueue(queue)) => format!("add {queue}"),
        Some(Then::MoveTo(queue)) => format!("move {queue}"),
        Some(Then::ToInbox(_)) => "inbox".to_owned(),
        Some(Then::CallBack(_)) => "callback".to_owned(),
        Some(Then::SendTo(touchpoint)) => format!("send {touchpoint}"),
        Some(Then::Close(reason)) => {
            format!("close \"{}\"", reason.replace('\\', "\\\\").replace('"', "\\\""))
        }
        // Of a newer build.
        None => "?".to_owned(),
    }
}

/// A service target: `80% in 20s`.
pub(super) fn target(target: v1::ServiceTarget) -> String {
    format!("{}% in {}", target.percent, time(target.within_ms))
}

/// A percentage, where something was measured.
pub(super) fn percent(service: &v1::Service) -> String {
    service.percent.map_or_else(|| "-".to_owned(), |percent| format!("{percent}%"))
}

/// The service of a queue's last 15 minutes, if it has a target.
pub(in crate::commands::ctl) fn level(queue: &v1::Queue) -> String {
    let state = queue
        .policy
        .as_ref()
        .filter(|state| state.policy.as_ref().is_some_and(|policy| policy.target.is_some()));
    let last = state.and_then(|state| state.service.iter().find(|one| one.minutes == 15));
    last.map(percent).unwrap_or_default()
}

/// What a conversation stands under, in short: `3 of queue_1_1, rule 2 in 8.0 s`.
pub(in crate::commands::ctl) fn standing(standing: &v1::Standing, now_us: u64) -> String {
    let next = next(standing, now_us, None);
    format!("{} of {}{next}", standing.number, standing.queue)
}

/// The same in a sentence; `rules`: how many its policy has, where that is known.
pub(in crate::commands::ctl) fn under(standing: &v1::Standing, now_us: u64, rules: Option<usize>) -> String {
    let v1::Standing { queue, number, since_us, .. } = standing;
    let since = seconds(now_us.saturating_sub(*since_us));
    format!("under policy {number} of {queue} for {since}{}", next(standing, now_us, rules))
}

fn next(standing: &v1::Standing, now_us: u64, rules: Option<usize>) -> String {
    let decided = usize::try_from(standing.decided).unwrap_or(usize::MAX);
    let of = rules.map(|rules| format!(" of {rules}")).unwrap_or_default();
    match (standing.due_us, rules) {
        (Some(due), _) => {
            format!(", rule {}{of} in {}", decided.saturating_add(1), seconds(due.saturating_sub(now_us)))
        }
        (None, Some(0)) => String::new(),
        (None, Some(rules)) if decided < rules => {
            format!(", rule {}{of} when it waits again", decided + 1)
        }
        (None, Some(_)) => ", no rule is left".to_owned(),
        (None, None) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_standing_says_what_comes_next() {
        let stands = |decided, due_us| v1::Standing {
            queue: "queue_1_1".into(),
            number: 3,
            since_us: 1_000_000,
            decided,
            due_us,
        };
        let now = 13_000_000;
        let due = stands(1, Some(21_000_000));
        assert_eq!(under(&due, now, Some(4)), "under policy 3 of queue_1_1 for 12.0 s, rule 2 of 4 in 8.0 s");
        assert_eq!(under(&due, now, None), "under policy 3 of queue_1_1 for 12.0 s, rule 2 in 8.0 s");
        assert_eq!(standing(&due, now), "3 of queue_1_1, rule 2 in 8.0 s");
        assert_eq!(standing(&stands(4, None), now), "3 of queue_1_1");
        let rests = under(&stands(1, None), now, Some(4));
        assert!(rests.ends_with("for 12.0 s, rule 2 of 4 when it waits again"), "{rests}");
        let over = under(&stands(4, None), now, Some(4));
        assert!(over.ends_with("for 12.0 s, no rule is left"), "{over}");
        assert!(under(&stands(0, None), now, Some(0)).ends_with("for 12.0 s"), "only a target");
    }

    #[test]
    fn the_level_is_shown_where_there_is_a_target() {
        let target = Some(v1::ServiceTarget { within_ms: 20_000, percent: 80 });
        let queue = |target, percent| v1::Queue {
            policy: Some(v1::PolicyState {
                number: 1,
                policy: Some(v1::Policy { rules: Vec::new(), target }),
                older: Vec::new(),
                service: [5, 15].map(|minutes| v1::Service { minutes, percent, ..Default::default() }).into(),
            }),
            ..v1::Queue::default()
        };
        assert_eq!(level(&queue(target, Some(85))), "85%");
        assert_eq!(level(&queue(target, None)), "-");
        assert_eq!(level(&queue(None, Some(85))), "");
        assert_eq!(level(&v1::Queue::default()), "");
    }
}
