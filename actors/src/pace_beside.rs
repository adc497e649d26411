//! What the encoded form of views leaves out of the pace of offers, since it is older. There is none of it below feature
//! level 10, and from there on every node can read this. A desk's welcome does without.

use crate::{Answer, Found};
use routing::pace::Pace;
use routing::{AgentId, LogTime};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What an answer says of a pace.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PaceBeside {
    pace: Option<Pace>,
    paced: BTreeMap<AgentId, LogTime>,
}

impl PaceBeside {
    /// What is beside an answer, if anything is.
    pub(crate) fn of(answer: &Answer) -> Option<Self> {
        let pace = if let Found::Domain(domain) = &answer.found { domain.pace } else { None };
        let agents = answer.found.agents().iter();
        let paced = agents.filter_map(|agent| Some((agent.id, agent.paced_until?))).collect();
        let beside = Self { pace, paced };
        (beside != Self::default()).then_some(beside)
    }

    /// The answer as it was before it was encoded.
    pub(crate) fn put_back(self, mut answer: Answer) -> Answer {
        if let Found::Domain(domain) = &mut answer.found {
            domain.pace = self.pace;
        }
        for agent in answer.found.agents_mut() {
            agent.paced_until = self.paced.get(&agent.id).copied();
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
    use routing::command::{Arrival, By, Intent};
    use routing::criteria::Skill;
    use routing::settings::{
        AcceptMode, AgentSettings, DomainSettings, QueueSettings, RoutingMode, ToQueue, TouchpointSettings,
    };
    use routing::{
        AccountId, Channel, Command, DomainId, Priority, QueueId, Shard, ShardId, Span, TouchpointId,
    };
    use routing::{handling::Handling, level};

    /// Answers about a domain with a pace, and an agent who is held back by it, arrive as they were, with all else that
    /// is beside them.
    #[test]
    fn answers_arrive_with_what_is_beside_them() {
        let (queue, agent) = (QueueId::new(HOME, 1), AgentId::new(HOME, 1));
        let by = By::System;
        let accept = AcceptMode::Manual { ring: Span::seconds(20) };
        let mode = RoutingMode::ToQueue(ToQueue { queues: vec![queue], priority: Priority(0), accept });
        let settings = DomainSettings { name: "d".into(), ..DomainSettings::default() };
        let handling = Handling { extend_max: Span::seconds(9), ..Handling::default() };
        let mut shard = Shard::new(ShardId(1));
        apply(&mut shard, HOME, vec![Command::CreateDomain { account: AccountId(1), settings }]);
        apply(&mut shard, DomainId::SHARD, vec![Command::SetLevel { level: level::PACE }]);
        let arrival = Arrival {
            touchpoint: TouchpointId::new(HOME, 1),
            customer: "c".into(),
            reference: String::new(),
            priority: None,
            continues: None,
        };
        apply(
            &mut shard,
            HOME,
            vec![
                Command::SetHandling { handling, by: by.clone() },
                Command::SetPace { pace: Some(Pace { offers: 1, per: Span::seconds(60) }), by: by.clone() },
                Command::CreateQueue { settings: QueueSettings { name: "q".into(), ..Default::default() } },
                Command::CreateAgent {
                    settings: AgentSettings { name: "a".into(), queues: vec![queue], ..Default::default() },
                },
                Command::CreateTouchpoint {
                    settings: TouchpointSettings { address: "v".into(), channel: Channel::Voice, mode },
                },
                Command::SetSkills {
                    agent,
                    skills: vec![Skill { name: "es".into(), level: 9 }],
                    by: by.clone(),
                },
                Command::OpenSession { agent },
                Command::SetPresence { agent, intent: Intent::Available, by },
                Command::Start(arrival),
            ],
        );
        for query in [Query::Domain(HOME), Query::Agent(agent), Query::Desk(agent)] {
            let answer = read(&shard, &query).expect("known");
            let sent = codec::encode(&PeerAnswer::from(answer.clone()));
            let received: PeerAnswer = codec::decode(&sent).expect("readable");
            let PeerAnswer::AnswerWhole(bare, ..) = &received else { panic!("{received:?}") };
            assert_ne!(**bare, answer, "left out of the encoded form");
            assert_eq!(received.whole().expect("an answer"), answer);
        }
        let queue = PeerAnswer::from(read(&shard, &Query::Queue(queue)).expect("known"));
        assert!(matches!(queue, PeerAnswer::Answer(_)), "{queue:?}");
    }
}
