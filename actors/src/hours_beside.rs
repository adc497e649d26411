//! What the encoded form of views leaves out of opening hours, since it is older. There is none of it below feature
//! level 10, and from there on every node can read this.

use crate::{Answer, Found};
use routing::QueueId;
use routing::hours::{HoursView, Schedule};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What an answer says of opening hours.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct HoursBeside {
    schedules: BTreeMap<String, Schedule>,
    queues: BTreeMap<QueueId, HoursView>,
}

impl HoursBeside {
    /// What is beside an answer, if anything is.
    pub(crate) fn of(answer: &Answer) -> Option<Self> {
        let mut beside = Self::default();
        if let Found::Domain(domain) = &answer.found {
            beside.schedules = domain.schedules.as_ref().clone();
        }
        let hours = answer.found.queues().iter().filter_map(|queue| Some((queue.id, queue.hours.clone()?)));
        beside.queues = hours.collect();
        (beside != Self::default()).then_some(beside)
    }

    /// The answer as it was before it was encoded.
    pub(crate) fn put_back(mut self, mut answer: Answer) -> Answer {
        if let Found::Domain(domain) = &mut answer.found {
            domain.schedules = Arc::new(self.schedules);
        }
        for queue in answer.found.queues_mut() {
            queue.hours = self.queues.remove(&queue.id);
        }
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Query;
    use crate::beside::tests::{HOME, apply};
    use crate::shard::read;
    use crate::wire::PeerAnswer;
    use proto::codec;
    use routing::command::By;
    use routing::handling::Handling;
    use routing::hours::{Closing, Hours, Offset};
    use routing::policy::{Policy, Target};
    use routing::settings::{DomainSettings, QueueSettings};
    use routing::{AccountId, Command, DomainId, Shard, ShardId, Span, level};

    /// A domain with a schedule, of which one queue of two keeps to it and has a policy; it has a handling too.
    #[test]
    fn answers_arrive_with_what_is_beside_them() {
        let queue = QueueId::new(HOME, 1);
        let by = By::System;
        let settings = DomainSettings { name: "d".into(), ..DomainSettings::default() };
        let made = |name: &str| Command::CreateQueue {
            settings: QueueSettings { name: name.into(), ..Default::default() },
        };
        let offsets = vec![Offset { from: 0, east: 3_600 }];
        let schedule = Schedule { zone: "Etc/GMT-1".into(), offsets, ..Schedule::default() };
        let hours = Hours { schedule: "office".into(), closing: Closing::ServeOut };
        let target = Some(Target { within: Span::seconds(20), percent: 80 });
        let mut shard = Shard::new(ShardId(1));
        apply(&mut shard, HOME, vec![Command::CreateDomain { account: AccountId(1), settings }]);
        apply(&mut shard, DomainId::SHARD, vec![Command::SetLevel { level: level::HOURS }]);
        let commands = vec![
            made("q"),
            made("r"),
            Command::SetPolicy { queue, policy: Policy { rules: Vec::new(), target }, by: by.clone() },
            Command::SetHandling {
                handling: Handling { extend_max: Span::seconds(9), ..Handling::default() },
                by: by.clone(),
            },
            Command::SetSchedule { name: "office".into(), schedule: Some(schedule), by: by.clone() },
            Command::SetHours { queue, hours: Some(hours), by },
        ];
        apply(&mut shard, HOME, commands);
        let queues = Query::Queues { domain: HOME, after: None, limit: 10 };
        for query in [Query::Domain(HOME), Query::Queue(queue), queues] {
            let answer = read(&shard, &query).expect("known");
            let sent = codec::encode(&PeerAnswer::from(answer.clone()));
            let received: PeerAnswer = codec::decode(&sent).expect("readable");
            let PeerAnswer::AnswerWhole(bare, ..) = &received else { panic!("{received:?}") };
            assert_ne!(**bare, answer, "left out of the encoded form");
            assert_eq!(received.whole().expect("an answer"), answer);
        }
        let other = read(&shard, &Query::Queue(QueueId::new(HOME, 2))).expect("known");
        assert!(matches!(PeerAnswer::from(other), PeerAnswer::Answer(_)), "its older form will do");
    }
}
