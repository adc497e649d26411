//! Agents who come back too late: what became of what they held, by their domain's policy, as the record says.

use proto::v1;
use std::collections::BTreeMap;
use std::time::Duration;

/// Time to come back, in the domains of such an experiment.
pub const GRACE: Duration = Duration::from_secs(5);

/// What a domain does with held work when its owner's grace is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Policy {
    Keep,
    Requeue,
    Close,
}

impl Policy {
    /// Each in its turn.
    pub fn of(number: usize) -> Self {
        [Self::Requeue, Self::Close, Self::Keep][number % 3]
    }

    /// A domain's settings with it.
    pub fn settings(self) -> v1::DomainSettings {
        use v1::domain_settings::{Lease, LeaseLoss};
        let then = match self {
            Self::Keep => LeaseLoss::Keep,
            Self::Requeue => LeaseLoss::Requeue,
            Self::Close => LeaseLoss::Close,
        };
        let grace_ms = u64::try_from(GRACE.as_millis()).unwrap_or(u64::MAX);
        let lease = Lease { channel: v1::Channel::Voice.into(), grace_ms, then: then.into() };
        v1::DomainSettings { leases: vec![lease], ..Default::default() }
    }
}

/// What became of held conversations.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Judged {
    /// They stayed with their agents.
    pub kept: usize,
    /// They waited again.
    pub requeued: usize,
    /// They were closed.
    pub closed: usize,
    /// What is not as the policy says.
    pub wrong: Vec<String>,
}

impl Judged {
    /// With another domain's.
    pub fn and(mut self, other: Judged) -> Self {
        self.kept += other.kept;
        self.requeued += other.requeued;
        self.closed += other.closed;
        self.wrong.extend(other.wrong);
        self
    }
}

/// A conversation whose owner's lease was lost.
#[derive(Debug)]
struct Orphan {
    agent: String,
    lost_us: u64,
    /// When it was taken from its owner, or ended, how, and whether nothing else happened to it before.
    done: Option<(u64, Policy)>,
    waits: bool,
}

/// Judges a domain by its events, in order.
pub fn judge(policy: Policy, events: &[v1::Event]) -> Judged {
    let mut owners: BTreeMap<&str, &str> = BTreeMap::new();
    let mut orphans: BTreeMap<&str, Orphan> = BTreeMap::new();
    let mut judged = Judged::default();
    for event in events {
        let (conversation, agent, at_us) = (event.conversation.as_str(), event.agent.as_str(), event.at_us);
        match event.r#type.as_str() {
            "assigned" => {
                owners.insert(conversation, agent);
                // What waited again has an owner again.
                if let Some(orphan) = orphans.remove(conversation) {
                    settle(policy, conversation, &orphan, &mut judged);
                }
            }
            "lease_lost" => {
                for (conversation, _) in owners.iter().filter(|(_, owner)| **owner == agent) {
                    let orphan = Orphan { agent: agent.to_owned(), lost_us: at_us, done: None, waits: false };
                    orphans.insert(conversation, orphan);
                }
            }
            // Back: whatever is still the agent's stays so.
            "session_opened" => {
                let back: Vec<&str> = orphans
                    .iter()
                    .filter(|(_, orphan)| orphan.agent == agent && orphan.done.is_none())
                    .map(|(conversation, _)| *conversation)
                    .collect();
                for conversation in back {
                    if let Some(orphan) = orphans.remove(conversation) {
                        let early = at_us < orphan.lost_us + grace_us();
                        if early {
                            judged.wrong.push(format!("{agent} came back in time, with {conversation}"));
                        } else {
                            settle(policy, conversation, &orphan, &mut judged);
                        }
                    }
                }
            }
            "released" => {
                owners.remove(conversation);
                if let Some(orphan) = orphans.get_mut(conversation) {
                    orphan.done.get_or_insert((at_us, Policy::Requeue));
                }
            }
            "waiting" => {
                if let Some(orphan) = orphans.get_mut(conversation) {
                    orphan.waits = true;
                }
            }
            "ended" => {
                owners.remove(conversation);
                if let Some(orphan) = orphans.get_mut(conversation) {
                    let by_rule = event.json.contains("\"owner_lost\"");
                    if !by_rule {
                        judged.wrong.push(format!("{conversation} ended otherwise: {}", event.json));
                    }
                    orphan.done.get_or_insert((at_us, Policy::Close));
                }
            }
            _ => {}
        }
    }
    for (conversation, orphan) in &orphans {
        settle(policy, conversation, orphan, &mut judged);
    }
    judged
}

fn grace_us() -> u64 {
    u64::try_from(GRACE.as_micros()).unwrap_or(u64::MAX)
}

fn settle(policy: Policy, conversation: &str, orphan: &Orphan, judged: &mut Judged) {
    let became = orphan.done.map_or(Policy::Keep, |(_, became)| became);
    if became != policy {
        judged.wrong.push(format!("{conversation} of {}: {became:?}, not {policy:?}", orphan.agent));
        return;
    }
    if let Some((at_us, _)) = orphan.done
        && at_us < orphan.lost_us + grace_us()
    {
        judged.wrong.push(format!("{conversation} of {} was taken before grace was over", orphan.agent));
        return;
    }
    match became {
        Policy::Keep => judged.kept += 1,
        Policy::Requeue if !orphan.waits => {
            judged.wrong.push(format!("{conversation} was released and waits nowhere"));
        }
        Policy::Requeue => judged.requeued += 1,
        Policy::Close => judged.closed += 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: u64 = 1_000_000;

    fn event(at_s: u64, kind: &str, conversation: &str, agent: &str) -> v1::Event {
        v1::Event {
            at_us: at_s * S,
            r#type: kind.to_owned(),
            conversation: conversation.to_owned(),
            agent: agent.to_owned(),
            json: if kind == "ended" { "{\"ending\":\"owner_lost\"}" } else { "{}" }.to_owned(),
            ..Default::default()
        }
    }

    /// An agent has a conversation, its lease is lost at 10 s, then this.
    fn then(policy: Policy, rest: &[v1::Event]) -> Judged {
        let mut events = vec![event(1, "assigned", "c", "a"), event(10, "lease_lost", "", "a")];
        events.extend_from_slice(rest);
        judge(policy, &events)
    }

    #[test]
    fn each_policy_is_kept() {
        let back = event(30, "session_opened", "", "a");
        let kept = then(Policy::Keep, std::slice::from_ref(&back));
        assert_eq!(kept, Judged { kept: 1, ..Judged::default() });
        let requeued = [
            event(15, "released", "c", "a"),
            event(15, "waiting", "c", ""),
            back.clone(),
            event(31, "assigned", "c", "b"),
        ];
        assert_eq!(then(Policy::Requeue, &requeued), Judged { requeued: 1, ..Judged::default() });
        let closed = [event(15, "ended", "c", "a"), back];
        assert_eq!(then(Policy::Close, &closed), Judged { closed: 1, ..Judged::default() });
        assert_eq!(then(Policy::Keep, &[]).kept, 1, "it does not come back at all");
    }

    #[test]
    fn whatever_else_becomes_of_it_is_wrong() {
        let released = event(15, "released", "c", "a");
        let waiting = event(15, "waiting", "c", "");
        let ended = event(15, "ended", "c", "a");
        let abandoned = v1::Event { json: "{\"ending\":\"abandoned\"}".to_owned(), ..ended.clone() };
        let early = [event(14, "released", "c", "a"), waiting.clone()];
        let cases: [(&str, Policy, &[v1::Event]); 8] = [
            ("kept, and taken", Policy::Keep, &[released.clone(), waiting.clone()]),
            ("kept, and closed", Policy::Keep, std::slice::from_ref(&ended)),
            ("requeued, and kept", Policy::Requeue, &[event(30, "session_opened", "", "a")]),
            ("requeued, and nowhere", Policy::Requeue, std::slice::from_ref(&released)),
            ("requeued, and closed", Policy::Requeue, std::slice::from_ref(&ended)),
            ("too early", Policy::Requeue, &early),
            ("closed, and waits", Policy::Close, &[released.clone(), waiting.clone()]),
            ("ended otherwise", Policy::Close, std::slice::from_ref(&abandoned)),
        ];
        for (what, policy, rest) in cases {
            assert_eq!(then(policy, rest).wrong.len(), 1, "{what}");
        }
        let in_time = then(Policy::Requeue, &[event(12, "session_opened", "", "a")]);
        assert_eq!(in_time.wrong.len(), 1, "nobody was late: nothing was tried");
    }
}
